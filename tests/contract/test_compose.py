"""docker-compose.yml and the image without Docker: their schemas, and that every name in them is one of ours.

What only Docker itself can show (that the images start as they are told here) is not tried by these tests;
tests/e2e/test_compose.py starts the same commands without containers.
"""

import fnmatch
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from jsonschema import Draft7Validator
from pydantic import SecretStr

from deploy.native import kafka as native_kafka
from schemas.rights import database_rights, kafka_rights
from services.cli.main import COMMANDS
from services.health import CHECKS
from services.settings import Settings
from tests import compose

ROOT = compose.ROOT
COMPOSE = ROOT / "deploy" / "compose"
DOCKERFILE = ROOT / "deploy" / "images" / "Dockerfile"
SCHEMA = json.loads((Path(__file__).parent / "vendor" / "compose-spec.json").read_text("utf-8"))
VALIDATOR = Draft7Validator(SCHEMA)

Document = dict[str, Any]
# Typer keeps a copy of click of its own, and gives this name of it to nobody.
_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]
OURS = ("canhdich:", "canhdich-backup:")
# They hold a service's data: what has none of them may be thrown away.
_KEPT = {"kafka-data", "timescaledb-data", "grafana-data", "prometheus-data"}
# Settings that say where something listens or is looked for in an image, and those that no container needs.
_OF_THE_IMAGE = {"CANHDICH_DATA_DIRECTORY"}
_NOT_IN_CONTAINERS = {
    # Of the command line and of the native stack; tuning with defaults that fit.
    *("CANHDICH_TOPIC_PREFIX", "CANHDICH_RESTARTS", "CANHDICH_GRAFANA_URL", "CANHDICH_GRAFANA_TOKEN"),
    *("CANHDICH_GRAFANA_WIDE_PASSWORD", "CANHDICH_BATCH_RECORDS", "CANHDICH_BATCH_SECONDS"),
    *("CANHDICH_SESSION_TIMEOUT_SECONDS", "CANHDICH_AUDIT_SECONDS", "CANHDICH_AUDIT_SWEEP_HOURS"),
    *("CANHDICH_QUALITY_SECONDS", "CANHDICH_HEARTBEAT_SECONDS", "CANHDICH_SMTP_SECURITY"),
    # Of `canhdich up`, which is not what starts containers: there it is the number of replicas.
    *("CANHDICH_INSTALLATION", "CANHDICH_WORKERS"),
    *("CANHDICH_SESSION_HOURS", "CANHDICH_SESSION_IDLE_MINUTES"),
    # Sign-in by another provider: an override of the installation's own (docs/deployment.md).
    *(f"CANHDICH_OIDC_{name}" for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "NAME", "SCOPES")),
    *(f"CANHDICH_OIDC_{name}" for name in ("USERNAME_CLAIM", "ROLE_CLAIM", "ROLES", "FACILITY_CLAIM")),
    "CANHDICH_OIDC_AREA_CLAIM",
    *("CANHDICH_ADMIN_DATABASE_URL", "CANHDICH_BACKUP_AGE_HOURS"),
}


def setting_names() -> dict[str, bool]:
    """Every variable of the settings class, and whether it is a secret."""
    prefix = str(Settings.model_config["env_prefix"])
    return {
        str(field.validation_alias or (prefix + name).upper()): field.annotation is SecretStr
        for name, field in Settings.model_fields.items()
    }


def secret_targets(service: Document) -> dict[str, str]:
    """File name under /run/secrets → name of the secret."""
    return {
        (one["target"] if isinstance(one, dict) else one): (one["source"] if isinstance(one, dict) else one)
        for one in service.get("secrets", [])
    }


def faults_of_settings(services: Document) -> Iterator[str]:
    """Variables of our own services that are no settings, or secrets that stand in the open."""
    known = setting_names()
    for name, service in services.items():
        if not service["image"].startswith(OURS):
            continue
        for variable, value in service["environment"].items():
            base = variable.removesuffix("_FILE") if variable not in known else variable
            if base not in known:
                yield f"{name}: {variable} is no setting"
            elif known[base] and base == variable:
                yield f"{name}: {variable} is a secret, and has to be a file"
            elif str(value).startswith("/run/secrets/") and Path(value).name not in secret_targets(service):
                yield f"{name}: {variable} names {value}, which it is not given"


def command_fault(command: list[str]) -> str | None:
    """What is wrong with a command line of our image; None when the package has it."""
    match command:
        case ["python", "-m", module, *_]:
            found = importlib.util.find_spec(module)
            if found is not None and found.submodule_search_locations is not None:
                found = importlib.util.find_spec(f"{module}.__main__")
            return None if found is not None else f"there is no module {module}"
        case ["canhdich", first, *rest]:
            if first not in COMMANDS:
                return f"canhdich has no command {first}"
            app = typer.Typer(callback=lambda: None)
            importlib.import_module(f"services.cli.{COMMANDS[first][0]}").register(app)
            found_command: Any = typer.main.get_group(app).commands[first]
            while hasattr(found_command, "commands"):
                word = rest.pop(0) if rest else ""
                if word not in found_command.commands:
                    return f"canhdich {first} has no command {word}"
                found_command = found_command.commands[word]
            try:
                with found_command.make_context(first, rest):
                    return None
            except _USAGE_ERROR as error:
                return f"canhdich {first}: {error.format_message()}"
    return f"{command} is neither python -m nor canhdich"


def faults_of_commands(services: Document) -> Iterator[str]:
    for name, service in services.items():
        if service["image"].startswith(OURS):
            if fault := command_fault(service["command"]):
                yield f"{name}: {fault}"
            check = service.get("healthcheck", {}).get("test")
            one_shot = service["restart"] == "no"
            if one_shot != (check is None):
                yield f"{name}: a health check is for what goes on running, and for all of that"
            elif check is not None and (
                check[:4] != ["CMD", "python", "-m", "services.health"] or check[4:] != [_check_of(name)]
            ):
                yield f"{name}: {check} is not its health check"


def _check_of(service: str) -> str:
    assert service in CHECKS, service
    return service


def faults_of_hardening(services: Document) -> Iterator[str]:
    for name, service in services.items():
        if service.get("read_only") is not True:
            yield f"{name}: its root file system can be written"
        if service.get("cap_drop") != ["ALL"]:
            yield f"{name}: it keeps capabilities"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name}: it may gain privileges"
        if service.get("privileged") or service.get("network_mode") or service.get("pid"):
            yield f"{name}: it shares what is the host's"
        if re.fullmatch(r"[1-9]\d*:\d+", str(service.get("user", ""))) is None:
            yield f"{name}: it runs as root, or nobody says as whom"
        if not {"mem_limit", "cpus", "pids_limit"} <= service.keys():
            yield f"{name}: it has no limits of memory, processor and processes"
        if re.fullmatch(r"[^:@]+:v?\d+\.\d+(\.\d+)?[^:@]*(@sha256:[0-9a-f]{64})?", service["image"]) is None:
            yield f"{name}: the version of {service['image']} is not pinned"
        if any("docker.sock" in str(volume) for volume in service.get("volumes", [])):
            yield f"{name}: it is given the engine itself"


def faults_of_ports(services: Document) -> Iterator[str]:
    """What is reached from outside: Caddy; Prometheus from this machine alone."""
    for name, service in services.items():
        for port in service.get("ports", []):
            if name != "caddy" and not str(port).startswith("127.0.0.1:"):
                yield f"{name}: {port} is open to the network"
        if "outside" in service.get("networks", []) and name not in (
            *("caddy", "grafana", "notifier"),
            "prometheus",
        ):
            yield f"{name}: it can speak to the outside"


def faults_of_waiting(services: Document) -> Iterator[str]:
    """Who waits for what: nobody starts before what it needs."""
    compose.start_order(services)
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            one_shot = services[other].get("restart") == "no"
            wanted = "service_completed_successfully" if one_shot else "service_healthy"
            if how["condition"] != wanted:
                yield f"{name} waits for {other} by {how['condition']}, not {wanted}"
            if not one_shot and "healthcheck" not in services[other]:
                yield f"{name} waits for the health of {other}, which nobody checks"
            if set(services[other].get("profiles", [])) - set(service.get("profiles", [])):
                yield f"{name} waits for {other}, which does not start with it"
        goes_on = service["image"].startswith(OURS) and service["restart"] != "no"
        if goes_on and "rights" not in service.get("depends_on", {}):
            yield f"{name} does not wait for rights"


def faults_of_secrets(document: Document) -> Iterator[str]:
    """Every secret is used, made by prepare.sh, and given to no more than need it."""
    script = (COMPOSE / "prepare.sh").read_text("utf-8")
    passwords = password_names()
    used = {
        source for service in document["services"].values() for source in secret_targets(service).values()
    }
    for name, secret in document["secrets"].items():
        if Path(secret["file"]).name != name:
            yield f"the secret {name} is in {secret['file']}"
        if name not in used:
            yield f"nobody uses the secret {name}"
        made = name in passwords or name.startswith("database_url_") or re.search(rf"\b{name}\b", script)
        if not made and not (name.endswith(("_certificate", "_key")) and name.split("_")[0] in script):
            yield f"prepare.sh does not make the secret {name}"
    yield from (f"there is no secret {name}" for name in used - document["secrets"].keys())
    for name, service in document["services"].items():
        own = {"database_url": f"database_url_{name}", "kafka_password": f"kafka_password_{name}"}
        for target, source in secret_targets(service).items():
            if target in own and service["restart"] != "no" and source != own[target]:
                yield f"{name} is given the login of another: {source}"


def password_names() -> set[str]:
    lines = (COMPOSE / "passwords.txt").read_text("utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def all_faults(document: Document) -> list[str]:
    services = compose.interpolated(document["services"], compose.env_file())
    checks = (faults_of_settings, faults_of_commands, faults_of_hardening, faults_of_ports, faults_of_waiting)
    return [
        *(error.message[:200] for error in VALIDATOR.iter_errors(document)),
        *(fault for check in checks for fault in check(services)),
        *faults_of_secrets(document),
    ]


def test_the_file_is_as_it_should_be() -> None:
    assert all_faults(compose.read()) == []


def _service(name: str, **changes: object) -> Callable[[Document], None]:
    return lambda document: document["services"][name].update(changes)


def _environment(name: str, **changes: object) -> Callable[[Document], None]:
    return lambda document: document["services"][name]["environment"].update(changes)


def _without(name: str, key: str) -> Callable[[Document], None]:
    return lambda document: document["services"][name].pop(key)


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_service("kafka", imge="x"), "'imge' does not match"),
        (_service("intake", mem_limit=["1g"]), "is not"),
        (
            _environment("worker", CANHDICH_WORKER_METRIC_PORT="1"),
            "CANHDICH_WORKER_METRIC_PORT is no setting",
        ),
        (_environment("worker", DATABASE_URL="postgresql://"), "DATABASE_URL is a secret"),
        (
            _environment("worker", DATABASE_URL_FILE="/run/secrets/other"),
            "names /run/secrets/other, which it is not given",
        ),
        (_service("worker", command=["python", "-m", "services.workers"]), "no module services.workers"),
        (_service("worker", command=["python", "-m", "services.cli"]), "no module services.cli"),
        (_service("migrate", command=["canhdich", "migrat"]), "no command migrat"),
        (_service("rights", command=["canhdich", "rights", "grant"]), "no command grant"),
        (_service("rights", command=["canhdich", "rights", "apply", "--kafkas"]), "No such option: --kafkas"),
        (
            _service("worker", healthcheck={"test": ["CMD", "python", "-m", "services.health", "intake"]}),
            "is not its health check",
        ),
        (_without("worker", "healthcheck"), "a health check is for what goes on running"),
        (_service("intake", read_only=False), "its root file system can be written"),
        (_without("caddy", "cap_drop"), "keeps capabilities"),
        (_service("grafana", security_opt=[]), "may gain privileges"),
        (_service("grafana", privileged=True), "shares what is the host's"),
        (_service("intake", user="0:0"), "runs as root"),
        (_without("timescaledb", "user"), "runs as root"),
        (_without("prometheus", "mem_limit"), "no limits"),
        (_service("caddy", image="caddy:latest"), "is not pinned"),
        (_service("caddy", image="caddy"), "is not pinned"),
        (_service("caddy", volumes=["/var/run/docker.sock:/s"]), "the engine itself"),
        (_service("timescaledb", ports=["5432:5432"]), "open to the network"),
        (_service("worker", networks=["inside", "outside"]), "can speak to the outside"),
        (_service("worker", depends_on={"rights": {"condition": "service_started"}}), "by service_started"),
        (_service("worker", depends_on={}), "does not wait for rights"),
        (
            _service("watcher", depends_on={"monitor": {"condition": "service_healthy"}}),
            "which does not start with it",
        ),
        (
            _service("worker", secrets=[{"source": "database_url_migrate", "target": "database_url"}]),
            "the login of another",
        ),
        (
            lambda d: d["secrets"].update(extra={"file": "${CANHDICH_SECRETS}/extra"}),
            "nobody uses the secret",
        ),
        (lambda d: d["secrets"].pop("kafka_tls"), "there is no secret kafka_tls"),
    ],
)
def test_what_is_broken_is_found(break_it: Callable[[Document], None], said: str) -> None:
    document = compose.read()
    break_it(document)
    assert any(said in fault for fault in all_faults(document)), all_faults(document)


def test_who_waits_for_itself_is_found() -> None:
    services = compose.services()
    services["migrate"]["depends_on"]["intake"] = {"condition": "service_healthy"}
    with pytest.raises(ValueError, match="wait for each other"):
        compose.start_order(services)


def test_every_setting_is_given_to_a_container_or_needs_not_be() -> None:
    given = {
        variable.removesuffix("_FILE") if variable not in setting_names() else variable
        for service in compose.services().values()
        if service["image"].startswith(OURS)
        for variable in service["environment"]
    }
    unknown_to_compose = set(setting_names()) - given - _OF_THE_IMAGE
    assert unknown_to_compose - _NOT_IN_CONTAINERS == set()
    assert _NOT_IN_CONTAINERS - set(setting_names()) == set()
    assert _NOT_IN_CONTAINERS & given == set()


def test_the_example_has_every_variable_and_no_other() -> None:
    used = compose.variables_in(compose.FILE.read_text("utf-8"))
    assert used | {"COMPOSE_PROFILES"} == set(compose.env_file())
    profiles = {p for service in compose.read()["services"].values() for p in service.get("profiles", [])}
    assert (
        set(compose.env_file()["COMPOSE_PROFILES"].split(","))
        <= profiles
        == {"full", "observability", "backup"}
    )


@pytest.mark.parametrize("name", ["CANHDICH_DOMAIN", "CANHDICH_BOARDS_DOMAIN", "CANHDICH_SECRETS"])
def test_what_must_be_set_says_so_in_a_sentence(name: str) -> None:
    variables = {key: value for key, value in compose.env_file().items() if key != name}
    with pytest.raises(
        compose.MissingVariableError, match=rf"^Set {name} in \.env, .* \(see \.env\.example\)$"
    ):
        compose.interpolated(compose.read(), variables)


def test_other_forms_of_variables_are_refused() -> None:
    assert compose.interpolated("${A:-b}${B}", {"B": ""}) == "b"
    for text in ("$A", "${A-b}", "${A"):
        with pytest.raises(ValueError, match="forms"):
            compose.interpolated(text, {"A": "1"})
    with pytest.raises(ValueError, match="set nowhere"):
        compose.interpolated("${A}", {})


def test_passwords_are_those_of_the_users_that_there_are() -> None:
    prefixes = {
        "database_password_": {name.removeprefix("canhdich_") for name in database_rights().roles},
        "kafka_password_": {name.removeprefix("canhdich-") for name in kafka_rights().users} | {"admin"},
    }
    for prefix, wanted in prefixes.items():
        found = {n.removeprefix(prefix) for n in password_names() if n.startswith(prefix)}
        assert found == wanted
    kafka = compose.read()["services"]["kafka"]
    assert {n for n in password_names() if n.startswith("kafka_password_")} <= set(kafka["secrets"])
    database = compose.read()["services"]["timescaledb"]
    assert {n for n in password_names() if n.startswith("database_password_")} <= set(database["secrets"])


def test_services_log_in_as_themselves() -> None:
    for name, service in compose.services().items():
        if service["image"].startswith(OURS) and "CANHDICH_KAFKA_USER" in service["environment"]:
            who = "admin" if name in ("migrate", "rights", "key") else name
            assert service["environment"]["CANHDICH_KAFKA_USER"] == f"canhdich-{who}"


def test_every_mounted_file_is_here() -> None:
    for service in compose.services().values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source not in _KEPT and source != compose.env_file()["CANHDICH_BACKUPS"]:
                assert (ROOT / source).exists(), volume
                assert volume.endswith(":ro"), volume
    assert set(compose.read()["volumes"]) == _KEPT


def properties(text: str) -> dict[str, str]:
    """The lines of a properties file."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def test_kafka_is_set_as_the_native_one_that_every_test_runs_on() -> None:
    native = properties(
        native_kafka.server_properties(Path("/data"), {"kafka": 9092, "kafka_controller": 9093})
    )
    here = properties((COMPOSE / "kafka" / "server.properties").read_text("utf-8"))
    differ = {key for key in native if here.get(key) != native[key]}
    assert differ <= {
        *("listeners", "advertised.listeners", "inter.broker.listener.name", "log.dirs"),
        *("listener.security.protocol.map", "controller.quorum.voters"),
    }


def test_kafka_and_the_image_are_of_pinned_versions_that_belong_together() -> None:
    assert compose.read()["services"]["kafka"]["image"] == f"apache/kafka:{native_kafka.pom_version()}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert compose.services()["intake"]["image"] == f"canhdich:{project['version']}"


def test_prometheus_finds_every_page() -> None:
    services = compose.services()
    config = yaml.safe_load((COMPOSE / "prometheus.yml").read_text("utf-8"))
    found = {}
    for job in config["scrape_configs"]:
        for one in job.get("static_configs", []):
            host, port = one["targets"][0].split(":")
            found[host] = port
        for one in job.get("dns_sd_configs", []):
            found[one["names"][0]] = str(one["port"])
        assert job["job_name"].removeprefix("canhdich-") in found
    pages = {
        name: service["environment"][f"CANHDICH_{name.upper()}_METRICS_PORT"]
        for name, service in services.items()
        if f"CANHDICH_{name.upper()}_METRICS_PORT" in service.get("environment", {})
    }
    assert found == pages
    assert config["rule_files"] == ["rules.yml"]


def test_caddy_hands_on_to_what_listens() -> None:
    text = (COMPOSE / "Caddyfile").read_text("utf-8")
    services = compose.services()
    assert set(re.findall(r"reverse_proxy (\S+)", text)) == {
        f"intake:{services['intake']['environment']['CANHDICH_INTAKE_PORT']}",
        "grafana:3000",
    }
    assert set(re.findall(r"\{\$(\w+)\}", text)) == set(services["caddy"]["environment"])
    assert set(re.findall(r"/run/secrets/(\w+)", text)) == set(secret_targets(services["caddy"]))
    assert {f":{port.rsplit(':', 1)[1]}" for port in services["caddy"]["ports"]} == {":8080", ":8443"}


def test_docker_compose_reads_it() -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("Docker Compose is not here: the file is held against its schema only")
    done = subprocess.run(
        [docker, "compose", "--env-file", compose.EXAMPLE, "--profile", "*", "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_caddy_reads_its_file() -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("Caddy is not here: its file is read by our own rules only")
    done = subprocess.run(
        [caddy, "adapt", "--config", COMPOSE / "Caddyfile", "--adapter", "caddyfile"],
        env={**os.environ, "CANHDICH_DOMAIN": "a.example.vn", "CANHDICH_BOARDS_DOMAIN": "b.example.vn"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.lower(), done.stderr


# --- the image ---------------------------------------------------------------------------------------------


def dockerfile_faults(text: str, folder: Path) -> list[str]:
    """What hadolint and our own rules find in a Dockerfile."""
    path = folder / "Dockerfile"
    path.write_text(text, "utf-8")
    linter = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([linter, "--no-color", path], capture_output=True, text=True, check=False)
    faults = found.stdout.splitlines()
    final = text[text.index(" AS canhdich\n") : text.index("\nFROM canhdich AS backup")]
    for pattern, fault in (
        (r"^USER [1-9]\d*:[1-9]\d*$", "the image runs as root"),
        (r"^HEALTHCHECK ", "the image has no health check"),
        (r"pip uninstall --yes --no-cache-dir setuptools wheel pip", "the image can still install"),
    ):
        if re.search(pattern, final, re.MULTILINE) is None:
            faults.append(fault)
    if re.search(r"\b(apt-get|gcc|build-essential|pip install)\b", final):
        faults.append("the image's last stage installs something")
    if "--require-hashes" not in text or re.search(r"pip( --python \S+)? install(?![^\n]*--no-index)", text):
        faults.append("something is installed without its hash")
    return faults


def test_the_dockerfile_has_no_faults(tmp_path: Path) -> None:
    assert dockerfile_faults(DOCKERFILE.read_text("utf-8"), tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("FROM python:3.11.15-slim-trixie AS canhdich", "FROM python AS canhdich", "DL3006"),
        ("WORKDIR /build", "WORKDIR build", "DL3000"),
        ("USER 10001:10001", "USER root", "runs as root"),
        ("HEALTHCHECK", "# HEALTHCHECK", "no health check"),
        ("pip uninstall --yes --no-cache-dir setuptools wheel pip", "true", "can still install"),
        ("WORKDIR /var/lib/canhdich", "RUN apt-get install gcc", "installs something"),
        (" --require-hashes", "", "without its hash"),
        ("install --no-index --find-links /wheels canhdich", "install canhdich", "without its hash"),
    ],
)
def test_a_broken_dockerfile_is_found(old: str, new: str, said: str, tmp_path: Path) -> None:
    text = DOCKERFILE.read_text("utf-8")
    assert old in text
    faults = dockerfile_faults(text.replace(old, new), tmp_path)
    assert any(said in fault for fault in faults), faults


def test_the_images_own_commands_are_in_the_package() -> None:
    text = DOCKERFILE.read_text("utf-8").replace("\\\n", " ")
    commands = [json.loads(found) for found in re.findall(r"\bCMD (\[.*\])", text)]
    assert commands == [
        ["python", "-m", "services.health", "intake"],
        ["python", "-m", "services.intake"],
        ["canhdich", "backup"],
    ]
    assert [command_fault(command) for command in commands] == [None] * 3


def test_every_wheel_that_the_image_takes_is_in_the_lock() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = set(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*\])?==", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[\[<>=]", name)[0].lower() for name in project["dependencies"]} | {"cyclonedx-bom"}
    assert wanted - locked == set()


def test_what_the_image_does_not_copy_is_not_needed() -> None:
    """The image is built of what git has below the packages, and of nothing else."""
    copied = set(re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE))
    names = {name for line in copied for name in line.split()}
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == names
    include = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    packages = {pattern.removesuffix("*") for pattern in include["find"]["include"]}
    assert packages <= names


def test_every_file_of_the_packages_is_in_the_wheel() -> None:
    """A page's template or a vendored script that is not package data would be missing in the image only."""
    git = shutil.which("git")
    assert git is not None
    listed = subprocess.run(
        [
            *(git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
            *("services", "schemas", "dashboards", "streams"),
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    data = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    missing = []
    for name in filter(None, listed.split("\0")):
        package, _, rest = name.partition("/")
        patterns = data.get(package, [])
        if name.endswith((".py", "py.typed")) or not (ROOT / name).exists():
            continue
        if not any(fnmatch.fnmatch(rest, p.removeprefix("**/")) for p in patterns):
            missing.append(name)
    assert missing == []

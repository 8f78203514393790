"""deploy/kubernetes without a cluster: schemas, and that every name has its other end.

The schemas are made of what packages there are of the Kubernetes API, KEDA, Strimzi and CloudNativePG
(vendor/README.md says which versions). Whether an operator does what it is told is not tried here.
"""

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from schemas import kubernetes
from schemas.rights import database_rights, kafka_rights
from schemas.topics import load_topics
from services.health import CHECKS
from streams.domain.positions import TOPIC
from streams.stores.views import EPIDEMIOLOGISTS, WIDER, creation
from tests.contract.test_compose import command_fault, setting_names

DIRECTORY = kubernetes.BASE.parent
VENDOR = Path(__file__).parent / "vendor"
OVERLAYS = ("province", "national")

Resource = dict[str, Any]
_FOLDER = "/run/secrets/canhdich/"
# Made by operators: Strimzi's for its cluster and each user, CloudNativePG's for its cluster.
_OPERATORS_SECRETS = {
    "canhdich-cluster-ca-cert": {"ca.crt"},
    "canhdich-database-ca": {"ca.crt"},
    "canhdich-database-app": {"uri"},
    **{user: {"password"} for user in kafka_rights().users},
}
# Read by PostgreSQL's own library.
_LIBPQ = {"PGSSLMODE", "PGSSLROOTCERT"}
_API_VERSIONS = {
    "Namespace": "v1",
    "Secret": "v1",
    "ConfigMap": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "ScaledObject": "keda.sh/v1alpha1",
    "TriggerAuthentication": "keda.sh/v1alpha1",
    "Kafka": "kafka.strimzi.io/v1",
    "KafkaNodePool": "kafka.strimzi.io/v1",
    "KafkaTopic": "kafka.strimzi.io/v1",
    "KafkaUser": "kafka.strimzi.io/v1",
    "Cluster": "postgresql.cnpg.io/v1",
}


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of a kind, with its definitions."""
    of_kubernetes = json.loads((VENDOR / "kubernetes-1.32.json").read_text("utf-8"))
    if kind in of_kubernetes["kinds"]:
        return {"$defs": of_kubernetes["$defs"], "$ref": of_kubernetes["kinds"][kind]}
    for file in ("strimzi-1.2.0.json", "cloudnative-pg-1.28.1.json"):
        definitions = json.loads((VENDOR / file).read_text("utf-8"))["definitions"]
        if kind in definitions:
            return {"definitions": definitions, "$ref": f"#/definitions/{kind}"}
    raise AssertionError(f"no schema of {kind}")


VALIDATORS = {kind: Draft202012Validator(schema_of(kind)) for kind in _API_VERSIONS}


def read_file(path: Path) -> list[Resource]:
    """The documents of one file."""
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def kustomization(folder: Path) -> Resource:
    """A folder's kustomization.yaml."""
    found: Resource = read_file(folder / "kustomization.yaml")[0]
    return found


def base() -> list[Resource]:
    """Every resource of the base and its generated config maps, before kustomize has changed anything."""
    return copy.deepcopy(_base())


@cache
def _base() -> list[Resource]:
    folder = kubernetes.BASE
    found = [one for name in kustomization(folder)["resources"] for one in read_file(folder / name)]
    for made in kustomization(folder)["configMapGenerator"]:
        data = dict(literal.split("=", 1) for literal in made["literals"])
        found.append(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": made["name"]}, "data": data}
        )
    return found


def pods(resources: list[Resource]) -> Iterator[tuple[str, Resource]]:
    """Name and pod template of what runs our image."""
    for one in resources:
        if one["kind"] in ("Deployment", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]


def containers(template: Resource) -> list[Resource]:
    """All of a pod's, those that run first and end as well."""
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def each_container(resources: list[Resource]) -> Iterator[tuple[str, Resource, Resource]]:
    """Name, pod template and container of each that runs our image."""
    for name, template in pods(resources):
        for container in containers(template):
            yield name, template, container


def schema_faults(resources: list[Resource]) -> Iterator[str]:
    for one in resources:
        kind, name = one["kind"], one["metadata"]["name"]
        if one["apiVersion"] != _API_VERSIONS.get(kind):
            yield f"{kind} {name}: {one['apiVersion']} is not its version"
            continue
        for error in VALIDATORS[kind].iter_errors(one):
            yield f"{kind} {name}: {'.'.join(map(str, error.path))}: {error.message[:300]}"


def hardening_faults(resources: list[Resource]) -> Iterator[str]:
    for name, template in pods(resources):
        spec = template["spec"]
        context = spec.get("securityContext", {})
        if not (context.get("runAsNonRoot") and context.get("runAsUser") == 10001):
            yield f"{name}: it may run as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{name}: no seccomp profile"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name}: it is given a token for the cluster"
        if spec.get("hostNetwork") or spec.get("hostPID") or spec.get("hostIPC"):
            yield f"{name}: it shares what is the node's"
        for container in containers(template):
            own = container.get("securityContext", {})
            if own != {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }:
                yield f"{name}: its container may gain or write what it should not"
            resources_given = container.get("resources", {})
            if not {"cpu", "memory"} <= resources_given.get("requests", {}).keys() or (
                "memory" not in resources_given.get("limits", {})
            ):
                yield f"{name}: it says not what it needs"


def settings_faults(resources: list[Resource]) -> Iterator[str]:
    """Variables that are no settings, secrets in the open, files that are not mounted."""
    maps = {one["metadata"]["name"]: one["data"] for one in resources if one["kind"] == "ConfigMap"}
    known = setting_names()
    for name, template, container in each_container(resources):
        variables: dict[str, str] = {}
        for source in container["envFrom"]:
            reference = source["configMapRef"]["name"]
            if reference not in maps:
                yield f"{name}: there is no config map {reference}"
            variables |= maps.get(reference, {})
        variables |= {one["name"]: one["value"] for one in container.get("env", [])}
        mounted = {
            _FOLDER + item["path"]
            for volume in template["spec"]["volumes"]
            for source in volume.get("projected", {}).get("sources", [])
            for item in source["secret"]["items"]
        }
        given = {
            variable.removesuffix("_FILE") if variable not in known else variable
            for variable, value in variables.items()
            if value
        }
        if name == "notifier":
            # Kafka's own things stand in the shared map; it has no login there.
            variables.pop("CANHDICH_KAFKA_CA_FILE", None)
        for variable, value in variables.items():
            plain = variable.removesuffix("_FILE") if variable not in known else variable
            if plain not in known and variable not in _LIBPQ:
                yield f"{name}: {variable} is no setting"
            elif known.get(variable):
                yield f"{name}: {variable} is a secret, and has to be a file"
            elif value.startswith("/run/") and value not in mounted:
                yield f"{name}: {variable} names {value}, which is not mounted"
        if "DATABASE_URL" not in given or "KAFKA_BOOTSTRAP" not in given:
            yield f"{name}: it is not told where its servers are"
        page = f"CANHDICH_{name.upper()}_METRICS_PORT"
        ports = {port["name"]: str(port["containerPort"]) for port in container.get("ports", [])}
        if variables.get(page) != ports.get("metrics"):
            yield f"{name}: its page is on {variables.get(page)}, its port metrics {ports.get('metrics')}"


def command_faults(resources: list[Resource]) -> Iterator[str]:
    for name, _, container in each_container(resources):
        if fault := command_fault(container["command"]):
            yield f"{name}: {fault}"
        if container["image"] != "canhdich":
            yield f"{name}: its image is not ours"
        if name not in CHECKS:
            continue
        if "livenessProbe" not in container:
            yield f"{name}: nobody looks whether it lives"
        ports = {port["name"] for port in container.get("ports", [])}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(kind, {})
            if "exec" in probe:
                if probe["exec"]["command"] != ["python", "-m", "services.health", name]:
                    yield f"{name}: {kind} asks for something else"
            elif probe and (
                probe["httpGet"]["port"] not in ports
                or probe["httpGet"]["path"] not in ("/metrics", "/health/live", "/health/ready")
            ):
                yield f"{name}: {kind} asks for a page that is not there"


def secret_faults(resources: list[Resource]) -> Iterator[str]:
    """Secrets that nobody makes."""
    script = (DIRECTORY / "secrets.sh").read_text("utf-8")
    made = {
        one["metadata"]["name"]: set(one["stringData"]) for one in resources if one["kind"] == "Secret"
    } | _OPERATORS_SECRETS
    listed = re.search(r"^for service in (.*); do$", script, re.MULTILINE)
    assert listed is not None
    made |= {f"database-{one}": {"username", "password", "database_url"} for one in listed[1].split()}
    for name in re.findall(r"create secret generic (canhdich-\S+)", script):
        line = script[script.index(f"generic {name}") :].split("\nfi", 1)[0]
        made[name] = set(re.findall(r"--from-literal=(\w+)=", line))
    references = [
        (name, source["secret"]["name"], item["key"])
        for name, template in pods(resources)
        for volume in template["spec"]["volumes"]
        for source in volume.get("projected", {}).get("sources", [])
        for item in source["secret"]["items"]
    ]
    for one in resources:
        if one["kind"] == "TriggerAuthentication":
            references += [("KEDA", r["name"], r["key"]) for r in one["spec"]["secretTargetRef"]]
        if one["kind"] == "Cluster":
            references += [
                ("database", role["passwordSecret"]["name"], "password")
                for role in one["spec"]["managed"]["roles"]
            ]
    for who, name, key in references:
        if key not in made.get(name, set()):
            yield f"{who}: nobody makes {key} of the secret {name}"


def selector_faults(resources: list[Resource]) -> Iterator[str]:
    """Selectors that select nothing."""
    labelled = [template["metadata"]["labels"] for _, template in pods(resources)]
    # As the operators label their pods.
    labelled += [
        {"strimzi.io/cluster": "canhdich", "strimzi.io/pool-name": "broker"},
        {"cnpg.io/cluster": "canhdich-database"},
    ]

    def selects(selector: Resource) -> bool:
        wanted = selector.get("matchLabels", selector if "matchExpressions" not in selector else {})
        expressions = selector.get("matchExpressions", [])
        return all(
            any(
                all(labels.get(k) == v for k, v in wanted.items()) and labels.get(e["key"]) == value
                for labels in labelled
            )
            for e in expressions
            for value in e["values"]
        ) and any(all(labels.get(k) == v for k, v in wanted.items()) for labels in labelled)

    for one in resources:
        kind, name, spec = one["kind"], one["metadata"]["name"], one.get("spec", {})
        selectors = []
        if kind in ("Deployment", "PodDisruptionBudget", "Service"):
            selectors.append(spec["selector"])
        if kind == "NetworkPolicy":
            selectors.append(spec["podSelector"])
            peers = [p for rule in spec.get("ingress", []) for p in rule.get("from", [])]
            peers += [p for rule in spec.get("egress", []) for p in rule.get("to", [])]
            selectors += [peer["podSelector"] for peer in peers if "podSelector" in peer]
        for selector in selectors:
            if not selects(selector):
                yield f"{kind} {name}: {selector} selects nothing"
        if kind == "ScaledObject" and spec["scaleTargetRef"]["name"] not in dict(pods(resources)):
            yield f"{kind} {name}: there is no {spec['scaleTargetRef']['name']}"


def kafka_faults(resources: list[Resource]) -> Iterator[str]:
    by_kind = {one["kind"]: one["spec"] for one in resources if "spec" in one}
    kafka, pool = by_kind["Kafka"]["kafka"], by_kind["KafkaNodePool"]
    if pool["replicas"] != 3 or kafka["config"]["min.insync.replicas"] != 2:
        yield "an acknowledged event is not on two of three brokers"
    if kafka["config"]["unclean.leader.election.enable"] or kafka["config"]["auto.create.topics.enable"]:
        yield "events can be lost, or topics made by a misspelt name"
    if kafka["authorization"] != {"type": "simple"}:
        yield "everybody may write"
    for listener in kafka["listeners"]:
        if not (listener["tls"] and listener["authentication"] == {"type": "scram-sha-512"}):
            yield f"the listener {listener['name']} is open"
    if any(volume.get("deleteClaim") for volume in pool["storage"]["volumes"]):
        yield "the events go with the cluster's resource"


def database_faults(resources: list[Resource]) -> Iterator[str]:
    (spec,) = [one["spec"] for one in resources if one["kind"] == "Cluster"]
    roles = {role["name"] for role in spec["managed"]["roles"]}
    if roles != set(database_rights().roles) | {EPIDEMIOLOGISTS}:
        yield f"its logins are {sorted(roles)}"
    if any(role.get("superuser") or not role["login"] for role in spec["managed"]["roles"]):
        yield "a login is the superuser, or none"
    made = [line for role in (EPIDEMIOLOGISTS, WIDER) for line in creation(role).split("; ")]
    if spec["bootstrap"]["initdb"]["postInitSQL"] != made:
        yield "the boards' roles are not made as streams/stores/views.py makes them"
    if spec["postgresql"]["shared_preload_libraries"] != ["timescaledb"]:
        yield "TimescaleDB is not loaded"
    if spec["postgresql"]["parameters"].get("timescaledb.telemetry_level") != "off":
        yield "it calls out"
    if spec["instances"] < 2 or spec["postgresql"].get("synchronous", {}).get("number", 0) < 1:
        yield "a commit is on one disk alone"


def scaling_faults(resources: list[Resource]) -> Iterator[str]:
    (spec,) = [one["spec"] for one in resources if one["kind"] == "ScaledObject"]
    (trigger,) = spec["triggers"]
    metadata = trigger["metadata"]
    if metadata["topic"] not in load_topics() or metadata["topic"] != TOPIC:
        yield f"there is no topic {metadata['topic']} to be folded"
    if [metadata["consumerGroup"]] != list(kafka_rights().users["canhdich-worker"].groups):
        yield f"the workers' group is not {metadata['consumerGroup']}"
    if not 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= load_topics()[TOPIC].partitions:
        yield "there are more workers than partitions, or none"
    worker = next(
        one["spec"]
        for one in resources
        if one["kind"] == "Deployment" and one["metadata"]["name"] == "worker"
    )
    if "replicas" in worker:
        yield "the Deployment and KEDA both say how many workers there are"


def all_faults(resources: list[Resource]) -> list[str]:
    checks = (
        *(schema_faults, hardening_faults, settings_faults, command_faults, secret_faults),
        *(selector_faults, kafka_faults, database_faults, scaling_faults),
    )
    return [fault for check in checks for fault in check(resources)]


def test_the_base_is_as_it_should_be() -> None:
    assert all_faults(base()) == []


def test_every_service_is_there_and_every_file_is_used() -> None:
    assert {name for name, _ in pods(base())} == set(CHECKS) | {"migrate"}
    listed = set(kustomization(kubernetes.BASE)["resources"]) | {"kustomization.yaml"}
    assert listed == {path.name for path in kubernetes.BASE.iterdir()}


def test_topics_and_users_are_those_of_the_schemas() -> None:
    for path, text in kubernetes.files().items():
        assert path.read_text("utf-8") == text, "run `python -m schemas.kubernetes`"


Change = Callable[[dict[tuple[str, str], Resource]], object]


def _container(resources: dict[tuple[str, str], Resource], kind: str, name: str) -> Resource:
    found: Resource = resources[kind, name]["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda r: r["Deployment", "worker"]["spec"].update(replica=2), "'replica' was unexpected"),
        (lambda r: r["Deployment", "worker"].update(apiVersion="apps/v1beta1"), "is not its version"),
        (lambda r: r["ScaledObject", "worker"]["spec"].update(minReplicas=1), "'minReplicas' was unexpected"),
        (lambda r: r["Kafka", "canhdich"]["spec"]["kafka"].update(replicas=3), "'replicas' was unexpected"),
        (
            lambda r: r["KafkaNodePool", "broker"]["spec"].update(roles=["voter"]),
            "'voter' is not one of",
        ),
        (lambda r: r["Cluster", "canhdich-database"]["spec"].update(instance=1), "'instance' was unexpected"),
        (
            lambda r: r["Deployment", "intake"]["spec"]["template"]["spec"].update(securityContext={}),
            "may run as root",
        ),
        (
            lambda r: _container(r, "Deployment", "intake").update(securityContext={}),
            "its container may gain",
        ),
        (lambda r: _container(r, "Deployment", "intake").update(resources={}), "what it needs"),
        (
            lambda r: _container(r, "Deployment", "worker")["env"].append(
                {"name": "CANHDICH_X", "value": "1"}
            ),
            "CANHDICH_X is no setting",
        ),
        (
            lambda r: r["ConfigMap", "canhdich-settings"]["data"].update(DATABASE_URL="postgresql://"),
            "DATABASE_URL is a secret",
        ),
        (
            lambda r: r["ConfigMap", "canhdich-settings"]["data"].update(
                DATABASE_URL_FILE=_FOLDER + "database"
            ),
            "which is not mounted",
        ),
        (
            lambda r: _container(r, "Deployment", "monitor")["ports"][0].update(containerPort=1),
            "its port metrics 1",
        ),
        (
            lambda r: _container(r, "Deployment", "watcher").update(
                command=["python", "-m", "services.watch"]
            ),
            "no module services.watch",
        ),
        (lambda r: _container(r, "Deployment", "watcher").pop("livenessProbe"), "whether it lives"),
        (
            lambda r: _container(r, "Deployment", "worker")["livenessProbe"]["httpGet"].update(port="page"),
            "a page that is not there",
        ),
        (
            lambda r: r["TriggerAuthentication", "worker-lag"]["spec"]["secretTargetRef"][1].update(
                key="pass"
            ),
            "nobody makes pass",
        ),
        (
            lambda r: r["PodDisruptionBudget", "intake"]["spec"]["selector"].update(matchLabels={"a": "b"}),
            "selects nothing",
        ),
        (
            lambda r: r["NetworkPolicy", "nothing-by-default"]["spec"]["podSelector"]["matchExpressions"][0][
                "values"
            ].append("workers"),
            "selects nothing",
        ),
        (
            lambda r: r["ScaledObject", "worker"]["spec"]["scaleTargetRef"].update(name="workers"),
            "there is no workers",
        ),
        (
            lambda r: r["Kafka", "canhdich"]["spec"]["kafka"]["config"].update({"min.insync.replicas": 1}),
            "not on two of three",
        ),
        (lambda r: r["Kafka", "canhdich"]["spec"]["kafka"]["listeners"][0].update(tls=False), "is open"),
        (
            lambda r: r["Cluster", "canhdich-database"]["spec"]["managed"]["roles"].pop(),
            "its logins are",
        ),
        (lambda r: r["Cluster", "canhdich-database"]["spec"].update(instances=1), "on one disk alone"),
        (
            lambda r: r["ScaledObject", "worker"]["spec"]["triggers"][0]["metadata"].update(topic="cases"),
            "no topic cases",
        ),
        (lambda r: r["ScaledObject", "worker"]["spec"].update(maxReplicaCount=13), "more workers than"),
        (lambda r: r["Deployment", "worker"]["spec"].update(replicas=2), "both say how many"),
    ],
)
def test_what_is_broken_is_found(break_it: Change, said: str) -> None:
    resources = base()
    break_it({(one["kind"], one["metadata"]["name"]): one for one in resources})
    faults = all_faults(resources)
    assert any(said in fault for fault in faults), faults


# --- overlays ----------------------------------------------------------------------------------------------


def built(overlay: str) -> list[Resource]:
    """What kustomize makes of an overlay; the test is skipped where there is no kustomize."""
    for program in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if (found := shutil.which(program[0])) is not None:
            done = subprocess.run(
                [found, *program[1:], DIRECTORY / "overlays" / overlay],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return list(yaml.safe_load_all(done.stdout))
    pytest.skip("neither kustomize nor kubectl is here: overlays are read, not built")


def overlay_faults(folder: Path) -> Iterator[str]:
    """Without kustomize: what an overlay refers to is there."""
    text = kustomization(folder)
    names = {(one["kind"], one["metadata"]["name"]) for one in base()}
    for path in [*text["resources"], *(p["path"] for p in text["patches"] if "path" in p)]:
        if not (folder / path).exists():
            yield f"{path} is not there"
    for patch in text["patches"]:
        if "target" in patch and (patch["target"]["kind"], patch["target"]["name"]) not in names:
            yield f"there is no {patch['target']} to be changed"
        if "path" in patch and (folder / patch["path"]).exists():
            for one in read_file(folder / patch["path"]):
                if (one["kind"], one["metadata"]["name"]) not in names:
                    yield f"there is no {one['kind']} {one['metadata']['name']} to be changed"
    maps = {one["metadata"]["name"]: one["data"] for one in base() if one["kind"] == "ConfigMap"}
    for made in text["configMapGenerator"]:
        unknown = {literal.split("=", 1)[0] for literal in made["literals"]} - set(maps.get(made["name"], {}))
        if unknown:
            yield f"{made['name']} has no {unknown}"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_refers_to_what_is_there(overlay: str) -> None:
    assert list(overlay_faults(DIRECTORY / "overlays" / overlay)) == []


def test_an_overlay_that_refers_to_nothing_is_found(tmp_path: Path) -> None:
    source = DIRECTORY / "overlays" / "province"
    text = (source / "kustomization.yaml").read_text("utf-8")
    text = text.replace("sizes.yaml", "size.yaml").replace("name: intake", "name: intakes")
    text = text.replace("CANHDICH_MAIL_FROM", "CANHDICH_MAIL")
    (tmp_path / "kustomization.yaml").write_text(text, "utf-8")
    faults = list(overlay_faults(tmp_path))
    assert len(faults) == 4, faults


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_kustomize_makes_meets_the_schemas(overlay: str) -> None:
    resources = built(overlay)
    assert list(schema_faults(resources)) == []
    assert list(hardening_faults(resources)) == []
    (ingress,) = [one["spec"] for one in resources if one["kind"] == "Ingress"]
    installation = next(
        one["data"]
        for one in resources
        if one["kind"] == "ConfigMap" and one["metadata"]["name"].startswith("canhdich-installation-")
    )
    host = ingress["rules"][0]["host"]
    assert host == ingress["tls"][0]["hosts"][0]
    assert installation["CANHDICH_PUBLIC_URL"] == f"https://{host}"
    assert installation["CANHDICH_ALERT_LINK"] == f"https://{host}/alerts"
    images = {
        container["image"] for _, template in pods(resources) for container in template["spec"]["containers"]
    }
    assert len(images) == 1
    assert re.fullmatch(r"\S+/canhdich:\d+\.\d+\.\d+", images.pop())

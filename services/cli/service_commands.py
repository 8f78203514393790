"""`canhdich migrate`, `up`, `down`: the schema, the topics, the catalogue, and the running services."""

import json
import os
import signal
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import httpx
import typer

from deploy.native.accounts import caller
from deploy.native.processes import (
    Process,
    is_alive,
    read_pid_file,
    start_server,
    stop_server,
    tail,
)
from schemas.catalogue import load_catalogue
from schemas.topics import load_topics
from services.announcing import announce_loads
from services.cli.output import JsonOption, err, exits, print_json
from services.importing.populations import read_packaged
from services.settings import Settings, find_native_env, settings
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.stores import catalogue, database
from streams.stores.boards import refresh_populations
from streams.stores.broker import create_topics
from streams.stores.populations import load_packaged
from streams.stores.rights import grant_rights, login_creation, missing_logins
from streams.stores.rules import load_packaged_rules
from streams.stores.views import EPIDEMIOLOGISTS, WIDER, creation, missing_roles, set_password

_HEALTHY_WITHIN = 90.0
# Each time another installation was quicker.
_TRIES = 5
_STOP_WITHIN = 30.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("migrate", help="Bring schema, topics and catalogue up to date.")(migrate)
    app.command("up", help="Start workers, intake and monitor, and wait until they are healthy.")(up)
    app.command("down", help="Stop workers, intake and monitor.")(down)


@exits
def migrate(json_output: JsonOption = False) -> None:
    """Apply migrations, create topics, load the packaged catalogue."""
    configured = settings()
    pending = _pending(configured)
    if pending and _running(configured).supervisor is not None:
        raise ConfigurationError(
            f"Services of the code before are running, and must not write to a newer schema ({pending}). "
            "Run `canhdich up`: it stops them, migrates, and starts them again."
        )
    done = prepare(configured)
    if json_output:
        print_json(done)
        return
    err.print(
        f"Schema: {len(done['migrations'])} migration(s) applied. Topics created: "
        f"{', '.join(done['topics']) or 'none'}. Catalogue {done['catalogue']['version']}: "
        + ("loaded" if done["catalogue"]["is_new"] else "in force already")
        + f". Alert rules {done['rules']['version']}: "
        + ("loaded." if done["rules"]["is_new"] else "in force already.")
    )


def prepare(configured: Settings) -> dict[str, Any]:
    """Schema, topics and catalogue; what was done."""
    database_url = configured.database_url.get_secret_value()
    migrations = database.migrate(database_url)
    topics = create_topics(configured.kafka, load_topics().values(), configured.topic_prefix)
    with database.errors_translated(), database.connect(database_url) as connection:
        packaged = load_catalogue()
        loaded = catalogue.load(connection, packaged, "canhdich migrate")
        announce_loads(connection, configured)
        rules = load_packaged_rules(connection, packaged, "canhdich migrate")
        load_packaged(connection, *read_packaged(), "canhdich migrate")
        refresh_populations(connection)
        for role, password in (
            (EPIDEMIOLOGISTS, configured.grafana_password),
            (WIDER, configured.grafana_wide_password),
        ):
            if secret := password.get_secret_value():
                set_password(connection, role, secret)
        grant_rights(connection)
        roles = missing_roles(connection)
        logins = missing_logins(connection)
    for role in logins:
        err.print(
            f"[yellow]The login {role} is missing.[/] Ask the server's administrator to run: "
            f"{login_creation(role)}; and run `canhdich migrate` again."
        )
    for role in roles:
        err.print(
            f"[yellow]The boards' role is missing.[/] Ask the server's administrator to run: {creation(role)}"
        )
    return {
        "migrations": migrations,
        "topics": topics,
        "catalogue": {
            "load_id": loaded.load_id,
            "version": loaded.version,
            "is_new": loaded.is_new,
            "refolded_events": loaded.refolded_events,
            "refolded_cases": loaded.refolded_cases,
        },
        "rules": asdict(rules),
    }


def _pending(configured: Settings) -> str:
    return ", ".join(database.pending_migrations(configured.database_url.get_secret_value()))


@dataclass(frozen=True, slots=True)
class _Ports:
    """The intake's port, the monitor's and each worker's for its metrics.

    `installation` is what our own intake answers; empty: it was started without.
    """

    intake: int
    monitor: int
    workers: list[int]
    installation: str = ""


class _PortTaken(Exception):
    """At our intake's port another installation's answers: both chose it in the same instant."""


@dataclass(frozen=True, slots=True)
class _Running:
    """Where the services of this instance keep their files."""

    directory: Path

    @property
    def supervisor(self) -> Process | None:
        return read_pid_file(self.directory / "supervisor.pid")

    @property
    def children(self) -> list[Process]:
        """Processes that the supervisor started last and that still run."""
        try:
            rows = json.loads((self.directory / "children.json").read_text())
        except (FileNotFoundError, ValueError):
            return []
        return [process for process in (Process(**row) for row in rows) if is_alive(process)]

    @property
    def ports(self) -> "_Ports":
        known = json.loads((self.directory / "ports.json").read_text())
        # Services of before the monitor have none.
        return _Ports(**{"monitor": 0, **known})


def _running(configured: Settings) -> _Running:
    native = find_native_env()
    home = native.parent if native is not None else configured.data_directory
    return _Running(home.resolve() / "services")


def running_services(configured: Settings) -> bool:
    """Whether services of this installation run on this machine."""
    running = _running(configured)
    return running.supervisor is not None or bool(running.children)


@exits
def up(
    json_output: JsonOption = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=12, help="How many Faust workers; by default CANHDICH_WORKERS, else 1."),
    ] = None,
) -> None:
    """Prepare, start what is not running, wait until it answers."""
    configured = settings()
    running = _running(configured)
    running.directory.mkdir(parents=True, exist_ok=True)
    supervisor = running.supervisor
    pending = _pending(configured)
    number = workers or configured.workers
    if supervisor is not None and pending:
        # No worker of the code before may write to the new schema, nor a supervisor start one.
        err.print(f"The schema changes ({pending}): the running services are stopped and replaced.")
        number = len(running.ports.workers)
        stop_server(supervisor, signal.SIGTERM, _STOP_WITHIN)
        supervisor = None
    if supervisor is None:
        _stop_leftovers(running)
    prepare(configured)
    if supervisor is not None:
        err.print(f"The services are running already (process {supervisor.pid}).")
        number = len(running.ports.workers)
    _start_until_healthy(configured, running, number, is_started=supervisor is not None)
    ports = running.ports
    address = f"http://127.0.0.1:{ports.intake}"
    _tell_env(address)
    if ports.intake != configured.intake_port:
        err.print(
            f"[yellow]Port {configured.intake_port} was taken[/] by another program: what passes on to it "
            "does not find the intake. To have it there: stop that program, `canhdich down`, `canhdich up`."
        )
    if json_output:
        print_json({"intake": address, "workers": len(ports.workers)})
    else:
        err.print(f"Workers ({len(ports.workers)}), intake and monitor are healthy. Intake: {address}")


def _start_until_healthy(
    configured: Settings, running: _Running, workers: int, *, is_started: bool = False
) -> None:
    """Start the services, where they are not; again on other ports where another installation was quicker.

    Raises:
        DependencyDown: they do not get healthy.
    """
    for _ in range(_TRIES):
        if not is_started:
            _start(configured, running, workers)
        is_started = False
        try:
            _wait_until_healthy(running, running.ports)
        except _PortTaken:
            err.print(f"Another installation has just taken port {running.ports.intake}: trying another.")
            _stop(running)
        else:
            return
    raise DependencyDown(f"Other installations took the intake's port {_TRIES} times. Run it again.")


def _start(configured: Settings, running: _Running, workers: int) -> None:
    ports = _Ports(
        _free_port(configured.intake_port),
        _free_port(configured.monitor_metrics_port),
        [_free_port(0) for _ in range(workers)],
        uuid4().hex,
    )
    (running.directory / "ports.json").write_text(json.dumps(asdict(ports)))
    (running.directory / "prometheus-targets.json").write_text(json.dumps(_targets(ports)))
    native = find_native_env()
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP": configured.kafka_bootstrap,
        "DATABASE_URL": configured.database_url.get_secret_value(),
        "CANHDICH_TOPIC_PREFIX": configured.topic_prefix,
        "CANHDICH_INSTALLATION": ports.installation,
        "CANHDICH_DATA_DIRECTORY": str(running.directory if native else configured.data_directory),
    }
    start_server(
        [
            sys.executable,
            "-m",
            "services.supervisor",
            str(running.directory),
            str(ports.intake),
            str(ports.monitor),
            *map(str, ports.workers),
        ],
        pid_file=running.directory / "supervisor.pid",
        log=running.directory / "supervisor.log",
        environment=environment,
        account=caller(),
    )


def _targets(ports: _Ports) -> list[dict[str, Any]]:
    """Where Prometheus finds the services (the form of its file_sd_configs)."""
    return [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"job": job, "service": service}}
        for job, service, port in (
            ("canhdich-intake", "intake", ports.intake),
            ("canhdich-monitor", "monitor", ports.monitor),
            *(("canhdich-worker", f"worker-{n}", port) for n, port in enumerate(ports.workers, 1)),
        )
    ]


def _wait_until_healthy(running: _Running, ports: _Ports) -> None:
    deadline = time.monotonic() + _HEALTHY_WITHIN
    wanted = {
        **{f"worker-{n}": f"http://127.0.0.1:{port}/metrics" for n, port in enumerate(ports.workers, 1)},
        "intake": f"http://127.0.0.1:{ports.intake}/health/ready",
        "monitor": f"http://127.0.0.1:{ports.monitor}/metrics",
    }
    waiting = dict(wanted)
    while waiting:
        waiting = {
            name: url for name, url in waiting.items() if not _is_healthy(name, url, ports.installation)
        }
        if waiting and time.monotonic() > deadline:
            names = ", ".join(waiting)
            raise DependencyDown(
                f"{names} not healthy within {_HEALTHY_WITHIN:.0f} s. They go on starting: on a busy machine "
                "`canhdich up` once more waits for them; `canhdich down` stops them. Their last lines:\n"
                + tail(*(running.directory / f"{name}.log" for name in waiting))
            )
        if waiting:
            time.sleep(0.1)


def _is_healthy(name: str, url: str, installation: str) -> bool:
    """Whether a service answers as it should.

    Raises:
        _PortTaken: it is the intake of another installation.
    """
    try:
        response = httpx.get(url, timeout=5)
    except httpx.HTTPError:
        return False
    if name == "intake" and installation and _installation_of(response) != installation:
        raise _PortTaken
    if not name.startswith("worker-"):
        return response.status_code == httpx.codes.OK
    return "\ncanhdich_worker_ready 1.0" in response.text


def _installation_of(response: httpx.Response) -> object:
    """What the intake that answered is called; None where it is none of ours."""
    try:
        document = response.json()
    except ValueError:
        return None
    return document.get("installation") if isinstance(document, dict) else None


def _tell_env(address: str) -> None:
    """Add the intake's address to the native stack's own."""
    native = find_native_env()
    if native is None:
        return
    lines = [line for line in native.read_text().splitlines() if not line.startswith("INTAKE_URL=")]
    native.write_text("\n".join([*lines, f"INTAKE_URL={address}"]) + "\n")


@exits
def down(json_output: JsonOption = False) -> None:
    """Stop workers, intake and monitor; what they have not finished is done by the next ones."""
    try:
        running = _running(settings())
    except ConfigurationError:
        # Nothing is configured here, so nothing of ours can run.
        err.print("No services are running.")
        return
    was_running = _stop(running)
    if json_output:
        print_json({"stopped": was_running})
    else:
        err.print("The services are stopped." if was_running else "No services were running.")


def _stop(running: _Running) -> bool:
    """Stop the services; whether there were any."""
    supervisor = running.supervisor
    if supervisor is not None:
        stop_server(supervisor, signal.SIGTERM, _STOP_WITHIN)
    _stop_leftovers(running)
    return supervisor is not None


def _stop_leftovers(running: _Running) -> None:
    for process in running.children:
        stop_server(process, signal.SIGTERM, 20)


def _free_port(wanted: int) -> int:
    """The wanted port if it is free, else one that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            number: int = probe.getsockname()[1]
            return number
    raise ConfigurationError("No free port on 127.0.0.1.")

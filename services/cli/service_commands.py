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
from services.cli.output import JsonOption, err, exits, print_json
from services.settings import Settings, find_native_env, settings
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.stores import catalogue, database
from streams.stores.broker import create_topics

_HEALTHY_WITHIN = 90.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("migrate", help="Bring schema, topics and catalogue up to date.")(migrate)
    app.command("up", help="Start the workers and the intake, and wait until they are healthy.")(up)
    app.command("down", help="Stop the workers and the intake.")(down)


@exits
def migrate(json_output: JsonOption = False) -> None:
    """Apply migrations, create topics, load the packaged catalogue."""
    done = prepare(settings())
    if json_output:
        print_json(done)
        return
    err.print(
        f"Schema: {len(done['migrations'])} migration(s) applied. Topics created: "
        f"{', '.join(done['topics']) or 'none'}. Catalogue {done['catalogue']['version']}: "
        + ("loaded." if done["catalogue"]["is_new"] else "in force already.")
    )


def prepare(configured: Settings) -> dict[str, Any]:
    """Schema, topics and catalogue; what was done."""
    database_url = configured.database_url.get_secret_value()
    migrations = database.migrate(database_url)
    topics = create_topics(configured.kafka_bootstrap, load_topics().values(), configured.topic_prefix)
    with database.errors_translated(), database.connect(database_url) as connection:
        loaded = catalogue.load(connection, load_catalogue(), "canhdich migrate")
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
    }


@dataclass(frozen=True, slots=True)
class _Ports:
    """The intake's port, and each worker's for its metrics."""

    intake: int
    workers: list[int]


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
        return _Ports(**json.loads((self.directory / "ports.json").read_text()))


def _running(configured: Settings) -> _Running:
    native = find_native_env()
    home = native.parent if native is not None else configured.data_directory
    return _Running(home.resolve() / "services")


@exits
def up(
    json_output: JsonOption = False,
    workers: Annotated[int, typer.Option(min=1, max=12, help="How many Faust workers.")] = 1,
) -> None:
    """Prepare, start what is not running, wait until it answers."""
    configured = settings()
    prepare(configured)
    running = _running(configured)
    running.directory.mkdir(parents=True, exist_ok=True)
    if running.supervisor is None:
        _stop_leftovers(running)
        _start(configured, running, workers)
    else:
        err.print(f"The services are running already (process {running.supervisor.pid}).")
    ports = running.ports
    _wait_until_healthy(running, ports)
    address = f"http://127.0.0.1:{ports.intake}"
    _tell_env(address)
    if json_output:
        print_json({"intake": address, "workers": len(ports.workers)})
    else:
        err.print(f"Workers ({len(ports.workers)}) and intake are healthy. Intake: {address}")


def _start(configured: Settings, running: _Running, workers: int) -> None:
    ports = _Ports(_free_port(configured.intake_port), [_free_port(0) for _ in range(workers)])
    (running.directory / "ports.json").write_text(json.dumps(asdict(ports)))
    native = find_native_env()
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP": configured.kafka_bootstrap,
        "DATABASE_URL": configured.database_url.get_secret_value(),
        "CANHDICH_TOPIC_PREFIX": configured.topic_prefix,
        "CANHDICH_DATA_DIRECTORY": str(running.directory if native else configured.data_directory),
    }
    start_server(
        [
            sys.executable,
            "-m",
            "services.supervisor",
            str(running.directory),
            str(ports.intake),
            *map(str, ports.workers),
        ],
        pid_file=running.directory / "supervisor.pid",
        log=running.directory / "supervisor.log",
        environment=environment,
        account=caller(),
    )


def _wait_until_healthy(running: _Running, ports: _Ports) -> None:
    deadline = time.monotonic() + _HEALTHY_WITHIN
    wanted = {
        **{f"worker-{n}": f"http://127.0.0.1:{port}/metrics" for n, port in enumerate(ports.workers, 1)},
        "intake": f"http://127.0.0.1:{ports.intake}/health/ready",
    }
    waiting = dict(wanted)
    while waiting:
        waiting = {name: url for name, url in waiting.items() if not _is_healthy(name, url)}
        if waiting and time.monotonic() > deadline:
            names = ", ".join(waiting)
            raise DependencyDown(
                f"{names} not healthy within {_HEALTHY_WITHIN:.0f} s.\n"
                + tail(*(running.directory / f"{name}.log" for name in waiting))
            )
        if waiting:
            time.sleep(0.1)


def _is_healthy(name: str, url: str) -> bool:
    try:
        response = httpx.get(url, timeout=5)
    except httpx.HTTPError:
        return False
    if name == "intake":
        return response.status_code == httpx.codes.OK
    return "\ncanhdich_worker_ready 1.0" in response.text


def _tell_env(address: str) -> None:
    """Add the intake's address to the native stack's own."""
    native = find_native_env()
    if native is None:
        return
    lines = [line for line in native.read_text().splitlines() if not line.startswith("INTAKE_URL=")]
    native.write_text("\n".join([*lines, f"INTAKE_URL={address}"]) + "\n")


@exits
def down(json_output: JsonOption = False) -> None:
    """Stop the workers and the intake; what they have not finished is done by the next ones."""
    try:
        running = _running(settings())
    except ConfigurationError:
        # Nothing is configured here, so nothing of ours can run.
        err.print("No services are running.")
        return
    supervisor = running.supervisor
    if supervisor is not None:
        stop_server(supervisor, signal.SIGTERM, 30)
    _stop_leftovers(running)
    if json_output:
        print_json({"stopped": supervisor is not None})
    else:
        err.print("The services are stopped." if supervisor else "No services were running.")


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

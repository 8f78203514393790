"""docker-compose.yml without containers: its own commands, in its own order, with its own health checks.

Kafka is that of the file as well (deploy/compose/kafka, with TLS, users and rights), its jars those of the
native stack; the database is a scratch one on the native stack's server, as its owner: what each login may do
there is tried by the tests of the rights. Images of others (Caddy, Grafana, Prometheus) are not started.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from deploy.native import kafka as native_kafka
from deploy.native.layout import layout
from tests import compose
from tests.conftest import NativeStack, scratch_database

pytestmark = pytest.mark.native

_PATIENCE_SECONDS = 240.0
_OURS = ("migrate", "rights", "key", "intake", "worker", "watcher", "notifier", "monitor")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Here:
    """The services of the file as processes of this machine."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.services = compose.services()
        self.secrets = folder / "secrets"
        subprocess.run(
            [compose.ROOT / "deploy" / "compose" / "prepare.sh", self.secrets],
            env={**os.environ, "CANHDICH_ENV_FILE": str(compose.EXAMPLE)},
            check=True,
            capture_output=True,
        )
        for secret in self.secrets.glob("database_url_*"):
            secret.unlink()
            secret.write_text(database_url)
        self.ports = {name: _free_port() for name in ("9092", "9093", "8080", "9101", "9102", "9103")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.well: set[str] = set()

    def translated(self, value: str, mounted: Path) -> str:
        """A value of the file, as it is on this machine."""
        value = value.replace("/run/secrets", str(mounted))
        value = re.sub(r"^(0\.){3}0$", "127.0.0.1", value)
        value = re.sub(r"\b(kafka|intake)(?=:\d)", "localhost", value)
        return re.sub(r"(?<![\d.])(9092|8080|910[123])\b", lambda port: str(self.ports[port[0]]), value)

    def environment(self, name: str) -> dict[str, str]:
        """What a service is given: its variables, and its secrets under the names that it has them by."""
        service = self.services[name]
        mounted = self.folder / "mounted" / name
        if not mounted.exists():
            mounted.mkdir(parents=True)
            for one in service.get("secrets", []):
                source, target = (one["source"], one["target"]) if isinstance(one, dict) else (one, one)
                (mounted / target).symlink_to(self.secrets / source)
        data = self.folder / "data" / name
        if name != "kafka":
            data.mkdir(parents=True, exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CANHDICH_", "KAFKA_", "DATABASE_"))}
        given = {key: self.translated(str(value), mounted) for key, value in service["environment"].items()}
        if name == "kafka":
            given |= {
                "CANHDICH_KAFKA_LIBS": str(native_kafka.libraries(layout())),
                "CANHDICH_KAFKA_DATA": str(data),
                "CANHDICH_KAFKA_SECRETS": str(mounted),
                "CANHDICH_KAFKA_SCRATCH": str(self.folder),
                "CANHDICH_KAFKA_HOST": "localhost",
                "CANHDICH_KAFKA_PORT": str(self.ports["9092"]),
                "CANHDICH_KAFKA_CONTROLLER_PORT": str(self.ports["9093"]),
            }
        return {**kept, "CANHDICH_DATA_DIRECTORY": str(data), "PYTHONPATH": str(compose.ROOT), **given}

    def argv(self, name: str, command: list[str]) -> list[str]:
        """A command of the file with the programs of this machine."""
        mounted = self.folder / "mounted" / name
        program = {"python": sys.executable, "canhdich": str(Path(sys.executable).with_name("canhdich"))}
        first = program.get(command[0], command[0])
        if first == "/etc/canhdich/start.sh":
            first = str(compose.ROOT / "deploy" / "compose" / name / "start.sh")
        return [first, *(self.translated(word, mounted) for word in command[1:])]

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-3_000:]

    def start(self, name: str) -> None:
        """Start a service."""
        service = self.services[name]
        environment = self.environment(name)
        with (self.folder / f"{name}.log").open("wb") as out:
            process = subprocess.Popen(
                self.argv(name, service.get("command") or service["entrypoint"]),
                env=environment,
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.processes[name] = process

    def wait_for(self, name: str) -> None:
        """Until a service has ended well, or its own health check says that all is well."""
        if name in self.well:
            return
        self.well.add(name)
        if self.services[name]["restart"] == "no":
            assert self.processes[name].wait(_PATIENCE_SECONDS) == 0, self.log(name)
            return
        kind, *check = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            assert self.processes[name].poll() is None, f"{name} ended: {self.log(name)}"
            done = subprocess.run(
                self.argv(name, check), env=self.environment(name), capture_output=True, check=False
            )
            if done.returncode == 0:
                return
            assert time.monotonic() < deadline, f"{name}: {done.stderr.decode()}\n{self.log(name)}"
            time.sleep(1)

    def stop(self) -> dict[str, int]:
        """Ask what runs to end, the last first; each one's exit code."""
        codes = {}
        for name, process in reversed(self.processes.items()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                codes[name] = process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = process.wait()
        return codes


@contextmanager
def started(folder: Path, database_url: str) -> Iterator[Here]:
    """All services of ours and Kafka, each begun when what it waits for is well."""
    here = Here(folder, database_url)
    try:
        for name in compose.start_order(here.services):
            if name in ("kafka", *_OURS):
                for other in here.services[name].get("depends_on", {}):
                    if other in here.processes:
                        here.wait_for(other)
                here.start(name)
        for name in _OURS:
            here.wait_for(name)
        yield here
    finally:
        here.stop()


def event(subject: str) -> dict[str, Any]:
    """A case of today."""
    now = datetime.now(UTC)
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/facilities/LC-TYT-03549",
        "type": "vn.canhdich.case.reported.v1",
        "subject": subject,
        "time": now.isoformat(),
        "data": {"disease": "dengue", "area_code": "109", "area_on": "2024-07-01", "onset_on": "2024-07-01"},
    }


def counted(database_url: str) -> int:
    """Cases that count, by day of onset."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("select coalesce(sum(notified), 0) from daily_counts where basis = 'onset'")
        (number,) = row.fetchone() or (0,)
    return int(number)


@pytest.fixture(scope="module")
def here(
    native_stack: NativeStack, catalogue_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Here, str]]:
    """Everything running; and the address of the database."""
    with ExitStack() as stack:
        url = stack.enter_context(scratch_database(native_stack.server_url, catalogue_template))
        yield stack.enter_context(started(tmp_path_factory.mktemp("compose"), url)), url


def test_an_event_is_counted_by_the_files_own_processes(here: tuple[Here, str]) -> None:
    processes, url = here
    address = f"http://127.0.0.1:{processes.ports['8080']}/v1/events"
    key = (processes.secrets / "intake_key").read_text()
    refused = httpx.post(address, json=event("LC-1"), headers={"Authorization": "Bearer cd_" + "0" * 48})
    assert refused.status_code in (401, 403), refused.text
    taken = httpx.post(
        address,
        json=event("LC-1"),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"},
    )
    assert taken.status_code == 202, taken.text
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while counted(url) != 1:
        assert time.monotonic() < deadline, processes.log("worker")
        time.sleep(0.1)
    # The monitor's own test event was let in with its key, and Kafka let the monitor look.
    page = f"http://127.0.0.1:{processes.ports['9103']}/metrics"
    while (figures := httpx.get(page).text).find("canhdich_canary_seconds_count 1.0") < 0:
        assert time.monotonic() < deadline, figures + processes.log("monitor")
        time.sleep(0.1)
    assert "canhdich_canary_refused_total 0.0" in figures
    for port in ("9101", "9102"):
        assert httpx.get(f"http://127.0.0.1:{processes.ports[port]}/metrics").status_code == 200


def test_a_missing_secret_is_said_in_a_sentence(here: tuple[Here, str]) -> None:
    processes, _ = here
    environment = processes.environment("worker")
    environment["DATABASE_URL_FILE"] = str(processes.folder / "absent")
    done = subprocess.run(
        processes.argv("worker", processes.services["worker"]["command"]),
        env=environment,
        cwd=processes.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("worker: DATABASE_URL_FILE names ")
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr

"""`canhdich up` beside another installation: whose intake answers is asked, not believed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from deploy.native.processes import Process
from services.cli import service_commands
from services.cli.service_commands import _Running, _start_until_healthy
from streams.domain.errors import DependencyDown
from tests.unit.intake.door import SETTINGS


class Listener:
    """Answers on a port as an intake, a monitor and a worker do, in the name of an installation."""

    def __init__(self, port: int, installation: str) -> None:
        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                health = json.dumps({"status": "ready", "installation": installation})
                metrics = "# of a worker\ncanhdich_worker_ready 1.0\n"
                self.send_response(200)
                self.end_headers()
                self.wfile.write((health if self.path == "/health/ready" else metrics).encode())

            def log_message(self, *_: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            allow_reuse_address = False

        self._server = Server(("127.0.0.1", port), Answers)
        self.port: int = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Machine:
    """Stands for the processes that `up` starts and stops."""

    def __init__(self) -> None:
        self.started: list[list[int]] = []
        self.listeners: list[Listener] = []

    def start(self, argv: Sequence[str], *, environment: Mapping[str, str], **_: Any) -> None:
        ports = [int(port) for port in argv[-3:]]
        self.started.append(ports)
        for port in ports:
            try:
                self.listeners.append(Listener(port, environment["CANHDICH_INSTALLATION"]))
            except OSError:
                # As the real one, which ends and is started again in vain.
                continue

    def stop(self, *_: Any) -> None:
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine()
    monkeypatch.setattr(service_commands, "start_server", made.start)
    monkeypatch.setattr(service_commands, "stop_server", made.stop)
    nobody = Process(pid=0, started=0, boot="")
    monkeypatch.setattr(_Running, "supervisor", property(lambda _: nobody))
    yield made
    made.stop()


@pytest.fixture
def neighbour() -> Iterator[Listener]:
    """The intake of another installation."""
    listener = Listener(0, "another")
    yield listener
    listener.close()


def chooses(monkeypatch: pytest.MonkeyPatch, taken: int, times: int) -> None:
    """Let `up` take a port for free the first times, as it does in the instant in which another takes it."""
    really_free, left = service_commands._free_port, [taken] * times

    def free_port(wanted: int) -> int:
        return left.pop() if wanted == SETTINGS.intake_port and left else really_free(0)

    monkeypatch.setattr(service_commands, "_free_port", free_port)


def test_the_health_of_another_installation_is_not_taken_for_ours(
    machine: Machine, neighbour: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chooses(monkeypatch, neighbour.port, times=1)
    running = _Running(tmp_path)

    _start_until_healthy(SETTINGS, running, 1)

    assert [ports[0] for ports in machine.started] == [neighbour.port, running.ports.intake]
    assert running.ports.intake != neighbour.port
    assert len(running.ports.installation) == 32


def test_a_port_of_our_own_is_kept(machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chooses(monkeypatch, 0, times=0)

    _start_until_healthy(SETTINGS, _Running(tmp_path), 1)

    assert len(machine.started) == 1


def test_services_whose_port_another_took_meanwhile_move(
    machine: Machine, neighbour: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chooses(monkeypatch, neighbour.port, times=0)
    running = _Running(tmp_path)
    ports = {"intake": neighbour.port, "monitor": neighbour.port, "workers": [neighbour.port]}
    (tmp_path / "ports.json").write_text(json.dumps({**ports, "installation": "ours"}))

    _start_until_healthy(SETTINGS, running, 1, is_started=True)

    assert len(machine.started) == 1
    assert running.ports.intake != neighbour.port


def test_services_of_before_are_believed(machine: Machine, neighbour: Listener, tmp_path: Path) -> None:
    """They do not say whose they are."""
    ports = {"intake": neighbour.port, "monitor": neighbour.port, "workers": [neighbour.port]}
    (tmp_path / "ports.json").write_text(json.dumps(ports))

    _start_until_healthy(SETTINGS, _Running(tmp_path), 1, is_started=True)

    assert machine.started == []


def test_it_does_not_try_for_ever(
    machine: Machine, neighbour: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chooses(monkeypatch, neighbour.port, times=100)

    with pytest.raises(DependencyDown, match="5 times"):
        _start_until_healthy(SETTINGS, _Running(tmp_path), 1)
    assert len(machine.started) == 5

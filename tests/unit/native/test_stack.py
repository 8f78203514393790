from __future__ import annotations

import io
import socket
import stat
from pathlib import Path

import pytest

from deploy.native import stack
from deploy.native.errors import NativeError
from deploy.native.layout import Layout, layout
from deploy.native.ports import HOST, write_ports
from deploy.native.processes import Process
from deploy.native.progress import Progress
from deploy.native.timescale import passwords


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL", "CANHDICH_NATIVE_HOME", "CANHDICH_NATIVE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return layout(tmp_path)


def _started(home: Layout) -> None:
    write_ports(home.ports_file, {"kafka": 9192, "kafka_controller": 9193, "timescale": 5532})
    passwords(home)


def test_the_env_file_names_both_servers_and_is_the_callers_alone(home: Layout) -> None:
    _started(home)
    stack.write_env(home)
    assert home.env_file.read_text() == (
        "KAFKA_BOOTSTRAP=127.0.0.1:9192\n"
        f"DATABASE_URL=postgresql://canhdich:{passwords(home)['canhdich']}@127.0.0.1:5532/canhdich\n"
    )
    assert stat.S_IMODE(home.env_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.passwords_file.stat().st_mode) == 0o600


def test_the_env_file_leaves_out_a_server_that_never_started(home: Layout) -> None:
    write_ports(home.ports_file, {"kafka": 9192})
    stack.write_env(home)
    assert home.env_file.read_text() == "KAFKA_BOOTSTRAP=127.0.0.1:9192\n"


def test_the_env_file_leaves_out_a_server_that_is_given(
    home: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    _started(home)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka.example:9092")
    stack.write_env(home)
    assert home.env_file.read_text().startswith("DATABASE_URL=")


def test_the_env_file_keeps_what_others_have_added(home: Layout) -> None:
    _started(home)
    home.env_file.write_text("KAFKA_BOOTSTRAP=old:1\nINTAKE_URL=http://127.0.0.1:8080\n")
    stack.write_env(home)
    lines = home.env_file.read_text().splitlines()
    assert lines[0] == "KAFKA_BOOTSTRAP=127.0.0.1:9192"
    assert lines[2:] == ["INTAKE_URL=http://127.0.0.1:8080"]


def test_our_own_address_in_the_environment_is_not_a_given_server(
    home: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    _started(home)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9192")
    assert stack.given(home, "kafka") is None


def test_nothing_is_started_for_given_servers(home: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka.example:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://database.example/canhdich")
    out = io.StringIO()
    stack.up(home, progress=Progress(out))
    assert "KAFKA_BOOTSTRAP is set, so none is started" in out.getvalue()
    assert "DATABASE_URL is set, so none is started" in out.getvalue()
    assert [server.given for server in stack.status(home)] == [
        "kafka.example:9092",
        "postgresql://database.example/canhdich",
    ]
    assert not home.kafka.exists()
    assert not home.timescale.exists()


class _Slow:
    """A server before whose first start somebody else takes its port, or whose starts all fail."""

    NAME = "Slow"
    PORTS = ("kafka",)

    def __init__(self, other: socket.socket | None) -> None:
        self.other = other
        self.ports: list[int] = []

    def prepare(self, layout: Layout, progress: Progress) -> None:
        pass

    def start(self, layout: Layout, ports: dict[str, int]) -> None:
        self.ports.append(ports["kafka"])
        if self.other is None:
            raise NativeError("Slow has a fault.")
        if len(self.ports) == 1:
            self.other.bind((HOST, ports["kafka"]))
            self.other.listen()
            raise NativeError("Address already in use")

    def running(self, layout: Layout) -> Process | None:
        return None

    def stop(self, layout: Layout) -> bool:
        return True

    def kill(self, layout: Layout) -> bool:
        return True

    def is_healthy(self, port: int) -> bool:
        return True


def _up(home: Layout, server: _Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stack.SERVERS, "kafka", server)
    monkeypatch.setattr(stack.preflight, "provide", lambda layout, names, progress: None)
    stack.up(home, ("kafka",), Progress(io.StringIO()))


def test_a_port_that_is_taken_before_the_server_has_it_is_chosen_anew(
    home: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        server = _Slow(other)
        _up(home, server, monkeypatch)
    first, second = server.ports
    assert first != second
    assert home.env_file.read_text() == f"KAFKA_BOOTSTRAP={HOST}:{second}\n"


def test_a_server_with_a_fault_of_its_own_is_started_once(
    home: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = _Slow(None)
    with pytest.raises(NativeError, match="Slow has a fault"):
        _up(home, server, monkeypatch)
    assert len(server.ports) == 1


def test_passwords_are_made_once(home: Layout) -> None:
    assert passwords(home) == passwords(home)
    assert passwords(home)["postgres"] != passwords(home)["canhdich"]


def test_wiping_spares_a_shared_cache(home: Layout, tmp_path_factory: pytest.TempPathFactory) -> None:
    shared = tmp_path_factory.mktemp("shared")
    (shared / "jar").touch()
    out = io.StringIO()
    stack.wipe(Layout(home.home, shared), downloads=True, progress=Progress(out))
    assert (shared / "jar").exists()
    assert str(shared) in out.getvalue()


def test_wiping_keeps_the_downloads_unless_told(home: Layout) -> None:
    home.cache.mkdir()
    home.kafka.mkdir()
    stack.wipe(home, progress=Progress(io.StringIO()))
    assert home.cache.exists()
    assert not home.kafka.exists()
    stack.wipe(home, downloads=True, progress=Progress(io.StringIO()))
    assert not home.cache.exists()


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that PostgreSQL's account cannot enter; whatever is started is given, so nothing is."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()

    def can_enter(account: object, path: Path) -> bool:
        return not path.resolve().is_relative_to(checkout)

    monkeypatch.setattr(stack, "can_enter", can_enter)
    monkeypatch.setattr(stack, "ELSEWHERE", tmp_path / "elsewhere")
    monkeypatch.setattr(stack, "DEFAULT_HOME", checkout / ".native")
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "kafka.example:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://database.example/canhdich")
    return checkout


@pytest.mark.parametrize("home", [".native", ".native/test"])
def test_in_a_closed_checkout_native_becomes_a_link_to_an_open_folder(closed: Path, home: str) -> None:
    native = closed / ".native"
    for _ in range(2):
        out = io.StringIO()
        stack.up(Layout(closed / home, native / "cache"), progress=Progress(out))
    assert native.is_symlink()
    assert native.resolve().parent == closed.parent / "elsewhere"
    assert (native / "cache").is_dir()
    assert (closed / home / "env").exists()


def test_a_folder_that_is_there_already_is_never_replaced(closed: Path) -> None:
    native = closed / ".native"
    native.mkdir()
    stack.up(Layout(native, native / "cache"), progress=Progress(io.StringIO()))
    assert not native.is_symlink()


def test_the_home_is_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANHDICH_NATIVE_HOME", str(tmp_path / "a"))
    monkeypatch.setenv("CANHDICH_NATIVE_CACHE", str(tmp_path / "b"))
    assert layout() == Layout(tmp_path / "a", tmp_path / "b")
    assert layout(tmp_path / "c").home == tmp_path / "c"

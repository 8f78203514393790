from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from deploy.native.accounts import caller
from deploy.native.errors import NativeError
from deploy.native.processes import (
    Process,
    any_working_in,
    identify,
    is_alive,
    keep_previous,
    kill_server,
    read_pid_file,
    start_server,
    stop_server,
    tail,
    wait_until_healthy,
)


@pytest.fixture
def servers() -> Iterator[list[Process]]:
    """Servers a test has started: killed when it ends."""
    started: list[Process] = []
    yield started
    for process in started:
        kill_server(process)


def _start(folder: Path, servers: list[Process], script: str) -> Process:
    process = start_server(
        [sys.executable, "-c", script],
        pid_file=folder / "pid",
        log=folder / "log",
        environment={"PATH": os.environ["PATH"]},
        account=caller(),
    )
    servers.append(process)
    return process


SLEEPS = "import time; time.sleep(600)"
STUBBORN = (
    f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); {SLEEPS}"
)


# The first thread ends and becomes a zombie while the second, which has the port, goes on.
HEADLESS = (
    "import ctypes, threading, time\n"
    "threading.Thread(target=time.sleep, args=(600,)).start()\n"
    "ctypes.CDLL(None).pthread_exit(None)"
)


def test_a_program_whose_first_thread_has_ended_is_alive(tmp_path: Path, servers: list[Process]) -> None:
    process = _start(tmp_path, servers, HEADLESS)
    stat = Path(f"/proc/{process.pid}/stat")
    while " Z " not in stat.read_text():
        assert is_alive(process)
    assert is_alive(process)
    kill_server(process)
    assert not is_alive(process)


def test_we_are_alive() -> None:
    me = identify(os.getpid())
    assert me is not None
    assert is_alive(me)


def test_a_process_that_has_ended_is_not_alive_even_before_its_parent_asks() -> None:
    child = subprocess.Popen(["true"])
    # Waits for its end, without taking the zombie away.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert identify(child.pid) is None
    child.wait()


def test_a_started_server_is_found_by_its_pid_file(tmp_path: Path, servers: list[Process]) -> None:
    process = _start(tmp_path, servers, SLEEPS)
    assert read_pid_file(tmp_path / "pid") == process


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_a_number_that_was_given_to_another_process_is_not_the_server(
    tmp_path: Path, change: dict[str, int | str]
) -> None:
    me = identify(os.getpid())
    assert me is not None
    (tmp_path / "pid").write_text(json.dumps(asdict(me) | change))
    assert read_pid_file(tmp_path / "pid") is None


@pytest.mark.parametrize("text", ["", "4711", "[]", '{"pid": 1}', '{"pid": "x", "started": 1, "boot": ""}'])
def test_a_broken_pid_file_is_no_server(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text)
    assert read_pid_file(tmp_path / "pid") is None


def test_a_server_stops_when_asked(tmp_path: Path, servers: list[Process]) -> None:
    process = _start(tmp_path, servers, SLEEPS)
    assert stop_server(process, signal.SIGTERM, 20)
    assert not is_alive(process)


def test_a_server_that_does_not_stop_is_killed(tmp_path: Path, servers: list[Process]) -> None:
    process = _start(tmp_path, servers, STUBBORN)
    wait_until_healthy("It", process, lambda: "ready" in (tmp_path / "log").read_text(), (), 20)
    assert not stop_server(process, signal.SIGTERM, 0.2)
    assert not is_alive(process)


def test_killing_takes_the_children_along(tmp_path: Path, servers: list[Process]) -> None:
    script = (
        "import subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    process = _start(tmp_path, servers, script)
    log = tmp_path / "log"
    wait_until_healthy("It", process, lambda: log.read_text().endswith("\n"), (), 20)
    child = identify(int(log.read_text()))
    assert child is not None
    kill_server(process)
    assert not is_alive(process)
    assert not is_alive(child)


def test_a_server_that_ends_while_starting_shows_its_log(tmp_path: Path, servers: list[Process]) -> None:
    script = "import sys; print('fine so far'); sys.exit('the disk is full')"
    with pytest.raises(NativeError, match="the disk is full"):
        wait_until_healthy("It", _start(tmp_path, servers, script), lambda: False, (tmp_path / "log",), 20)


def test_an_answer_of_somebody_else_does_not_count(tmp_path: Path, servers: list[Process]) -> None:
    process = _start(tmp_path, servers, SLEEPS)
    kill_server(process)
    with pytest.raises(NativeError, match="ended while it was starting"):
        wait_until_healthy("It", process, lambda: True, (), 20)


def test_a_server_that_never_answers_is_an_error(tmp_path: Path, servers: list[Process]) -> None:
    with pytest.raises(NativeError, match="did not answer within 0 s"):
        wait_until_healthy("It", _start(tmp_path, servers, SLEEPS), lambda: False, (), 0.1)


def test_the_working_directory_of_a_living_process_is_seen(tmp_path: Path) -> None:
    assert any_working_in(Path.cwd())
    assert not any_working_in(tmp_path)


def test_the_log_of_the_last_start_is_kept_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for text in ("first", "second"):
        log.write_text(text)
        keep_previous(log)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["second"]


def test_the_tail_names_each_log(tmp_path: Path) -> None:
    long = tmp_path / "long"
    long.write_text("\n".join(f"line {number}" for number in range(50)))
    text = tail(long, tmp_path / "absent", lines=2)
    assert "line 49" in text
    assert "line 47" not in text
    assert text.endswith("(nothing)")


def test_processes_differ_by_each_part() -> None:
    process = Process(1, 2, "3")
    assert replace(process, pid=9) != process

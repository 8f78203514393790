"""Server processes that outlive the command that started them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.native.accounts import Account
from deploy.native.errors import NativeError

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told apart from any other that has had or will have its number.

    Attributes:
        pid: Its number.
        started: When it started, in clock ticks since the machine did.
        boot: Which start of the machine that was.
    """

    pid: int
    started: int
    boot: str


@dataclass(frozen=True, slots=True)
class _Stat:
    state: str
    parent: int
    started: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The program's name, in brackets, may itself hold brackets and spaces.
    fields = text.rpartition(")")[2].split()
    return _Stat(fields[0], int(fields[1]), int(fields[19]))


def _has_other_threads(pid: int) -> bool:
    """Tell whether a zombie (Z) is only the first thread of a program: the others hold its ports and files.

    Else it has ended and only waits for its parent to ask how.
    """
    try:
        return any(thread.name != str(pid) for thread in Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return False


def identify(pid: int) -> Process | None:
    """Identify a living process; None when there is none of this number."""
    stat = _stat(pid)
    if stat is None or (stat.state in "ZX" and not _has_other_threads(pid)):
        return None
    return Process(pid, stat.started, Path("/proc/sys/kernel/random/boot_id").read_text().strip())


def is_alive(process: Process) -> bool:
    """Tell whether this very process still runs, not another that was given its number."""
    return identify(process.pid) == process


def read_pid_file(path: Path) -> Process | None:
    """Read a pid file; None when there is none, or its process is gone, or its number is another's now."""
    try:
        process = Process(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return process if is_alive(process) else None


def start_server(
    argv: Sequence[str | Path],
    *,
    pid_file: Path,
    log: Path,
    environment: Mapping[str, str],
    account: Account,
) -> Process:
    """Start a server in a session of its own.

    Args:
        argv: The program, with its full path, and its arguments.
        pid_file: Gets the process's identity.
        log: Gets what the program prints; an earlier start's is kept beside it as `.previous`.
        environment: All of the program's environment.
        account: Runs as this account.

    Returns:
        The process.

    Raises:
        NativeError: it ended at once.
    """
    keep_previous(log)
    with log.open("wb") as out:
        # The shell puts the server into the background and ends: the server is not our child, so it
        # survives the caller and leaves it no zombie.
        shell = subprocess.run(
            ["/bin/sh", "-c", '"$@" </dev/null >&2 & echo $!', "sh", *argv],
            stdout=subprocess.PIPE,
            stderr=out,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
            check=True,
            **account.run_as(),
        )
    process = identify(int(shell.stdout))
    if process is None:
        raise NativeError(f"{argv[0]} ended as soon as it was started.\n{tail(log)}")
    pid_file.write_text(json.dumps(asdict(process)) + "\n")
    return process


def wait_until_healthy(
    name: str, process: Process, healthy: Callable[[], bool], logs: Sequence[Path], seconds: float
) -> None:
    """Wait until a server answers.

    Raises:
        NativeError: it ended, or did not answer in time; the message holds the end of its logs.
    """
    deadline = time.monotonic() + seconds
    while True:
        # Asked before looking whether it lives, so that an answer of somebody else on its port is not taken
        # for its own once it has ended.
        answered = healthy()
        if not is_alive(process):
            raise NativeError(f"{name} ended while it was starting.\n{tail(*logs)}")
        if answered:
            return
        if time.monotonic() > deadline:
            raise NativeError(
                f"{name} runs (process {process.pid}) but did not answer within {seconds:.0f} s: is the "
                "machine overloaded? Stop it (`python3 -m deploy.native down`) and start again.\n"
                + tail(*logs)
            )
        time.sleep(POLL_SECONDS)


def stop_server(process: Process, how: signal.Signals, seconds: float) -> bool:
    """Ask a server to stop, and kill it when it has not within the time.

    Returns:
        True when it stopped by itself, False when it had to be killed.
    """
    _signal([process], how)
    deadline = time.monotonic() + seconds
    while is_alive(process):
        if time.monotonic() > deadline:
            kill_server(process)
            return False
        time.sleep(POLL_SECONDS)
    return True


def kill_server(process: Process) -> None:
    """Kill a server and all its children (SIGKILL), and wait until all are gone."""
    # Stopped first, so that it starts no further child while its children are counted.
    _signal([process], signal.SIGSTOP)
    family = [process, *_descendants(process.pid)]
    _signal(family, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while left := [member.pid for member in family if is_alive(member)]:
        if time.monotonic() > deadline:
            raise NativeError(
                f"Processes {left} were killed 30 s ago and are still there: is a disk hanging?"
            )
        time.sleep(POLL_SECONDS)


def _signal(processes: Iterable[Process], how: signal.Signals) -> None:
    for process in processes:
        if is_alive(process):
            try:
                os.kill(process.pid, how)
            except ProcessLookupError:
                continue
            except PermissionError:
                raise NativeError(
                    f"Process {process.pid} was started by another account: stop it as that one or as root."
                ) from None


def _descendants(pid: int) -> list[Process]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children.setdefault(stat.parent, []).append(int(entry.name))
    found: list[Process] = []
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            waiting.append(child)
            if process := identify(child):
                found.append(process)
    return found


def any_working_in(directory: Path) -> bool:
    """Tell whether a living process has this working directory; those of other accounts stay unseen."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == directory:
                    return True
    return False


def keep_previous(log: Path) -> None:
    """Put the log of the last start aside, in place of the one before."""
    with contextlib.suppress(FileNotFoundError):
        log.replace(log.with_name(log.name + ".previous"))


def tail(*logs: Path, lines: int = 20) -> str:
    """Read the last lines of logs, indented, each under its path."""
    parts = []
    for log in logs:
        try:
            last = log.read_text(errors="replace").splitlines()[-lines:]
        except FileNotFoundError:
            last = []
        parts += [f"  end of {log}:", *("    " + line for line in last or ["(nothing)"])]
    return "\n".join(parts)

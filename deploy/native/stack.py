"""Start, stop, kill, wipe and look at both servers of an instance."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.native import kafka, preflight, timescale
from deploy.native.accounts import can_enter, server_account
from deploy.native.errors import NativeError
from deploy.native.layout import DEFAULT_HOME, Layout
from deploy.native.ports import HOST, is_free, read_ports, settle_ports
from deploy.native.processes import Process
from deploy.native.progress import Progress


class Server(Protocol):
    """What the modules of both servers offer."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a module's constant
    @property
    def PORTS(self) -> tuple[str, ...]: ...  # noqa: N802 - a module's constant
    def prepare(self, layout: Layout, progress: Progress) -> None: ...
    def start(self, layout: Layout, ports: dict[str, int]) -> None: ...
    def running(self, layout: Layout) -> Process | None: ...
    def stop(self, layout: Layout) -> bool: ...
    def kill(self, layout: Layout) -> bool: ...
    def is_healthy(self, port: int) -> bool: ...


SERVERS: dict[str, Server] = {"kafka": kafka, "timescale": timescale}
# A server is somebody else's business when this variable names one that runs already.
GIVEN_BY = {"kafka": "KAFKA_BOOTSTRAP", "timescale": "DATABASE_URL"}
WAITING = "Another start or stop of this instance is under way; waiting ..."
# Where root's instances live whose own folder PostgreSQL's account cannot enter.
ELSEWHERE = Path("/var/lib/canhdich-native")
_ATTEMPTS = 3


@contextmanager
def locked(path: Path, waiting: str, progress: Progress) -> Iterator[None]:
    """Hold a lock file; a second holder waits, and says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True)
class Status:
    """How one server is.

    Attributes:
        name: "kafka" or "timescale".
        given: The address from the environment when the server is not ours, else None.
        pid: Its process's number; None when it is down or not ours.
        port: The port it was given; None when it never started or is not ours.
        healthy: It answers. Always False for a server that is not ours: nobody asked it.
    """

    name: str
    given: str | None
    pid: int | None
    port: int | None
    healthy: bool


def given(layout: Layout, name: str) -> str | None:
    """Read the address of a server that is not ours from the environment.

    Returns:
        The address; None when there is none, or it is our own server's (a shell that has read the env file).
    """
    address = os.environ.get(GIVEN_BY[name])
    if not address or address == _addresses(layout).get(name):
        return None
    return address


def up(layout: Layout, names: tuple[str, ...] = tuple(SERVERS), progress: Progress | None = None) -> None:
    """Start servers and wait until they answer; those that run already stay as they are.

    Args:
        layout: The instance.
        names: Which, keys of SERVERS.
        progress: Shows what happens; not entered yet; made here when not given.

    Raises:
        NativeError: one of them could not be fetched or started. The other one may run.
    """
    with progress or Progress() as shown:
        layout = _reachable(layout, shown)
        with locked(layout.lock_file, WAITING, shown):
            down_now = tuple(name for name in names if not _is_there(layout, name, shown))
            if down_now:
                preflight.provide(layout, down_now, shown)
            errors = _start(layout, down_now, shown)
            write_env(layout)
            if errors:
                raise NativeError("\n".join(map(str, errors)))


def _start(layout: Layout, names: tuple[str, ...], progress: Progress) -> list[NativeError]:
    """Start servers side by side; why those that could not be started could not."""
    failed: dict[str, NativeError] = {}
    for _ in range(_ATTEMPTS):
        ports = settle_ports(
            layout.ports_file, tuple(port for name in names for port in SERVERS[name].PORTS), progress.say
        )
        with ThreadPoolExecutor() as pool:
            futures = {name: pool.submit(_bring_up, layout, name, ports, progress) for name in names}
        for name, future in futures.items():
            error = future.exception()
            if isinstance(error, NativeError):
                failed[name] = error
            elif error is not None:
                raise error
            else:
                failed.pop(name, None)
        # Another instance may have taken a port between our choice and our start: those choose again.
        names = tuple(
            name
            for name in failed
            if SERVERS[name].running(layout) is None
            and not all(is_free(ports[port]) for port in SERVERS[name].PORTS)
        )
        if not names:
            break
    return list(failed.values())


def _reachable(layout: Layout, progress: Progress) -> Layout:
    """Make the folders where PostgreSQL's account can enter them.

    Root's own folder is closed to others, and a checkout in it is as likely as any: there, `.native` becomes
    a link to a folder that is open. A folder that is there already stays; the preflight says what to do.

    Returns:
        The layout with links followed, as PostgreSQL must be told where its data really is.
    """
    account = server_account()
    for wanted in (layout.home, layout.cache):
        # All of .native at once: several instances and the cache may be in it.
        folder = DEFAULT_HOME if wanted.is_relative_to(DEFAULT_HOME) else wanted
        if not folder.exists() and not can_enter(account, folder):
            place = ELSEWHERE / hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
            _make_open(ELSEWHERE, place)
            folder.symlink_to(place)
            progress.say(
                f"{account.name}, as whom PostgreSQL runs, cannot enter {folder.parent}: "
                f"{folder} is now a link to {place}"
            )
    found = Layout(layout.home.resolve(), layout.cache.resolve())
    _make_open(found.home, found.cache)
    return found


def _make_open(*folders: Path) -> None:
    for folder in folders:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o755)


def _is_there(layout: Layout, name: str, progress: Progress) -> bool:
    server = SERVERS[name]
    if given(layout, name):
        progress.say(f"{server.NAME}: {GIVEN_BY[name]} is set, so none is started here.")
        return True
    process = server.running(layout)
    if process:
        progress.say(f"{server.NAME} is already running (process {process.pid}).")
    return process is not None


def _bring_up(layout: Layout, name: str, ports: dict[str, int], progress: Progress) -> None:
    server = SERVERS[name]
    with locked(
        layout.cache / f"{name}.lock", f"Another instance is fetching {server.NAME}; waiting ...", progress
    ):
        server.prepare(layout, progress)
    progress.show(server.NAME, "starting")
    server.start(layout, ports)
    progress.show(server.NAME, None)
    progress.say(f"{server.NAME} is up on port {ports[name]}.")


def _addresses(layout: Layout) -> dict[str, str]:
    """Give the addresses of our servers that were given a port, by their name."""
    ports = read_ports(layout.ports_file)
    addresses = {}
    if "kafka" in ports:
        addresses["kafka"] = f"{HOST}:{ports['kafka']}"
    if "timescale" in ports and layout.passwords_file.exists():
        addresses["timescale"] = timescale.database_url(layout, ports)
    return addresses


def write_env(layout: Layout) -> None:
    """Write the addresses of our servers to the env file, for the caller's eyes only: it holds a password.

    Lines of other variables, which other programs have added, stay.
    """
    ours = tuple(f"{name}=" for name in GIVEN_BY.values())
    before = layout.env_file.read_text().splitlines() if layout.env_file.exists() else []
    lines = [
        f"{GIVEN_BY[name]}={address}"
        for name, address in _addresses(layout).items()
        if given(layout, name) is None
    ]
    lines += [line for line in before if not line.startswith(ours)]
    part = layout.env_file.with_name("env.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.writelines(line + "\n" for line in lines)
    part.replace(layout.env_file)


def down(layout: Layout, names: tuple[str, ...] = tuple(SERVERS), progress: Progress | None = None) -> None:
    """Stop servers; one that does not stop in time is killed. Data stays."""
    if not layout.home.exists():
        return
    with progress or Progress() as shown, locked(layout.lock_file, WAITING, shown):
        _down(layout, names, shown)


def _down(layout: Layout, names: tuple[str, ...], progress: Progress) -> None:
    for name in names:
        server = SERVERS[name]
        if server.running(layout) is None:
            progress.say(f"{server.NAME} is not running.")
            continue
        progress.show(server.NAME, "stopping")
        clean = server.stop(layout)
        progress.show(server.NAME, None)
        progress.say(
            f"{server.NAME} is stopped." if clean else f"{server.NAME} did not stop in time and was killed."
        )


def kill(layout: Layout, names: tuple[str, ...] = tuple(SERVERS)) -> tuple[str, ...]:
    """Kill servers at once, all their processes, as a power cut would; those that ran are returned."""
    return tuple(name for name in names if SERVERS[name].kill(layout))


def status(layout: Layout) -> list[Status]:
    """Look at both servers."""
    ports = read_ports(layout.ports_file)
    found = []
    for name, server in SERVERS.items():
        process = server.running(layout)
        port = ports.get(name)
        healthy = process is not None and port is not None and server.is_healthy(port)
        found.append(Status(name, given(layout, name), process.pid if process else None, port, healthy))
    return found


def wipe(layout: Layout, downloads: bool = False, progress: Progress | None = None) -> None:
    """Stop both servers and delete all data, ports and passwords.

    Args:
        layout: The instance.
        downloads: Delete the downloads, too; those that instances share (CANHDICH_NATIVE_CACHE) stay.
        progress: Shows what happens; not entered yet; made here when not given.
    """
    if not layout.home.exists():
        return
    with progress or Progress() as shown, locked(layout.lock_file, WAITING, shown):
        _down(layout, tuple(SERVERS), shown)
        folders = [layout.kafka, layout.timescale]
        if downloads and layout.cache.is_relative_to(layout.home):
            folders.append(layout.cache)
        elif downloads:
            shown.say(f"Other instances may use {layout.cache}; delete it yourself when none does.")
        for folder in folders:
            if folder.exists():
                shutil.rmtree(folder)
        for file in (layout.ports_file, layout.passwords_file, layout.env_file):
            file.unlink(missing_ok=True)

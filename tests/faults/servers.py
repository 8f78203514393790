"""Kafka and TimescaleDB of the suite's own, in a folder of their own: killing them disturbs nobody."""

import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import psycopg

from deploy.native import stack, timescale
from deploy.native.layout import Layout, layout
from deploy.native.ports import HIGHEST, HOST, choose_port, read_ports, write_ports
from deploy.native.processes import tail
from deploy.native.progress import Progress

ServerName = Literal["kafka", "timescale"]
ALL: tuple[ServerName, ...] = ("kafka", "timescale")


@dataclass(frozen=True, slots=True)
class Servers:
    """One instance of both servers. Addresses stay the same however often they are killed and started."""

    layout: Layout

    @property
    def kafka_bootstrap(self) -> str:
        """Kafka's address."""
        return f"{HOST}:{read_ports(self.layout.ports_file)['kafka']}"

    @property
    def owner_url(self) -> str:
        """The database from which scratch databases are made, as their owner."""
        return timescale.database_url(self.layout, read_ports(self.layout.ports_file))

    @property
    def superuser_url(self) -> str:
        """The same as superuser."""
        parts = urlsplit(self.owner_url)
        secret = timescale.passwords(self.layout)[timescale.SUPERUSER]
        place = f"{timescale.SUPERUSER}:{secret}@{parts.hostname}:{parts.port}"
        return urlunsplit(parts._replace(netloc=place))

    def start(self, *names: ServerName) -> None:
        """Start servers and wait until they answer."""
        before = read_ports(self.layout.ports_file)
        with _only_our_servers():
            stack.up(self.layout, names, Progress(io.StringIO()))
        if before and before != read_ports(self.layout.ports_file):
            raise RuntimeError(f"another program has taken a port of {before}: the workers know no other")

    def process(self, name: ServerName) -> int:
        """The number of a server's process."""
        process = stack.SERVERS[name].running(self.layout)
        if process is None:
            raise RuntimeError(f"{name} is not running\n{self.logs(20)}")
        return process.pid

    def logs(self, lines: int) -> str:
        """The last lines of what the servers say."""
        kafka, database = self.layout.kafka / "logs", self.layout.timescale / "logs"
        return tail(kafka / "console.log", kafka / "server.log", database / "server.log", lines=lines)

    def stop(self, *names: ServerName) -> None:
        """Stop servers as an administrator would."""
        stack.down(self.layout, names, Progress(io.StringIO()))

    def kill(self, *names: ServerName) -> None:
        """Kill -9 servers with all their processes."""
        killed = stack.kill(self.layout, names)
        if set(killed) != set(names):
            raise RuntimeError(f"to be killed: {names}; running: {killed}")


@contextmanager
def own_servers(home: Path | None = None) -> Iterator[Servers]:
    """Servers in a new folder, deleted afterwards; in a given folder they are left running.

    The downloads are those of the repository's instance (`CANHDICH_NATIVE_CACHE` names others).
    """
    if home is not None:
        home.mkdir(mode=0o755, parents=True, exist_ok=True)
        yield _started(home)
        return
    made = Path(tempfile.mkdtemp(prefix="canhdich-faults-"))
    # Open to the account that PostgreSQL runs as.
    made.chmod(0o755)
    try:
        yield _started(made)
    finally:
        stack.kill(_layout(made))
        shutil.rmtree(made)


def _layout(home: Path) -> Layout:
    return Layout(home.resolve(), layout().cache)


def _started(home: Path) -> Servers:
    servers = Servers(_layout(home))
    if not servers.layout.ports_file.exists():
        write_ports(servers.layout.ports_file, _ports())
    servers.start(*ALL)
    with psycopg.connect(servers.superuser_url, autocommit=True) as connection:
        is_tracked = connection.execute("show track_commit_timestamp").fetchone() == ("on",)
        # The checks compare when a count was committed with when it was announced.
        connection.execute("alter system set track_commit_timestamp = on")
    if not is_tracked:
        servers.stop("timescale")
        servers.start("timescale")
    return servers


def _ports() -> dict[str, int]:
    """Ports that no other instance tries: it would take one while the server that owns it is dead."""
    ports: dict[str, int] = {}
    for name in ("kafka", "kafka_controller", "timescale"):
        # They try every hundredth port, none of which ends on these digits.
        first = 10_000 + 100 * secrets.randbelow((HIGHEST - 10_000) // 200) + secrets.randbelow(20)
        ports[name] = choose_port(first, set(ports.values()))
    return ports


@contextmanager
def _only_our_servers() -> Iterator[None]:
    """Forget the addresses of servers that are not ours: those must live, and none would be started."""
    given = {name: os.environ.pop(name) for name in stack.GIVEN_BY.values() if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(given)

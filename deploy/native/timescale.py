"""TimescaleDB: PostgreSQL 17 with the extension, from a folder of Debian packages of its own.

The extension's library needs a newer C library than the machine may have. So the packages are unpacked into
a folder, and PostgreSQL is started by that folder's own loader with that folder's own libraries. Nothing is
installed, no root, chroot or user namespace is needed: it works the same for root, in a container and for an
ordinary user.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import struct
from pathlib import Path

from deploy.native.accounts import Account, server_account
from deploy.native.commands import fresh_part, run
from deploy.native.debian import RELEASE, find_mirror
from deploy.native.errors import NativeError
from deploy.native.layout import Layout
from deploy.native.ports import HOST
from deploy.native.processes import (
    Process,
    any_working_in,
    kill_server,
    read_pid_file,
    start_server,
    stop_server,
    wait_until_healthy,
)
from deploy.native.progress import Progress

NAME = "TimescaleDB"
PORTS = ("timescale",)
PACKAGES = ("postgresql-17", "postgresql-17-timescaledb")
DATABASE = "canhdich"
OWNER = "canhdich"
SUPERUSER = "postgres"
# Long, as a server that was killed replays its journal first.
START_SECONDS = 300
STOP_SECONDS = 30
MEBIBYTE = 1024 * 1024

# Dropped after unpacking, under usr/: what only other programs of the packages use, and PostgreSQL's
# compiler of queries (LLVM, 150 MB), which is switched off below.
_DROPPED = (
    "share/doc", "share/man", "share/locale", "share/i18n", "share/perl", "share/perl5", "lib/*/perl",
    "lib/*/perl-base", "lib/*/libperl.so*", "lib/*/libLLVM*", "lib/llvm-*", "lib/*/libz3.so*", "lib/*/gconv",
    "lib/postgresql/17/lib/llvmjit*", "lib/postgresql/17/lib/bitcode",
)  # fmt: skip


class Programs:
    """PostgreSQL's programs in the folder."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "usr/lib/postgresql/17/bin"
        loaders = sorted(root.glob("usr/lib/*/ld-linux-*.so.*"))
        if not loaders:
            raise NativeError(
                f"{root} holds no C library. `python3 -m deploy.native wipe --all`, then start again."
            )
        self._loader = loaders[0]

    def argv(self, program: str, *arguments: str | Path) -> list[str | Path]:
        """Write the command that runs a program: the folder's loader, its libraries, the program."""
        path = self.bin / program
        binary = path.with_suffix(".bin") if path.with_suffix(".bin").exists() else path
        return [
            self._loader, "--library-path", self._loader.parent, "--argv0", path, binary, *arguments,
        ]  # fmt: skip

    def wrap(self, program: str) -> None:
        """Put a script in a program's place that runs it as `argv` does: initdb runs `postgres` by path."""
        path = self.bin / program
        path.rename(path.with_suffix(".bin"))
        # The script finds the folder from its own place, as the folder is moved when it is whole.
        up = os.path.relpath(self._loader, self.bin)
        path.write_text(
            "#!/bin/sh\n"
            'here=$(dirname -- "$0")\n'
            f'loader="$here/{up}"\n'
            f'exec "$loader" --library-path "${{loader%/*}}" --argv0 "$0" "$0.bin" "$@"\n'
        )
        path.chmod(0o755)


def prepare(layout: Layout, progress: Progress) -> None:
    """Unpack Debian's PostgreSQL and TimescaleDB into the cache, unless they are there already.

    The folder appears under its name only when it is whole: an interrupted run leaves nothing that looks so.
    """
    root = layout.timescale_root
    if root.is_dir():
        return
    mirror = find_mirror()
    part = fresh_part(root)
    log = root.with_name("mmdebstrap.log")
    progress.say(f"Fetching TimescaleDB from Debian {RELEASE} (once, about 120 MB) ...")

    def watch() -> None:
        steps = [line[3:] for line in log.read_text(errors="replace").splitlines() if line.startswith("I: ")]
        progress.show(
            "TimescaleDB", f"{steps[-1].rstrip('.') if steps else 'starting'}, {_mebibytes(part)} MB"
        )

    run(
        [
            "mmdebstrap", "--variant=extract", "--mode=chrootless", "--format=directory",
            f"--include={','.join(PACKAGES)}", RELEASE, part, mirror,
        ],
        log=log,
        doing="Fetching TimescaleDB with mmdebstrap",
        advice=(
            f"Check the network and that this Debian archive holds {RELEASE}; DEBIAN_MIRROR names another "
            "one, DATABASE_URL a TimescaleDB that runs already. Then start again."
        ),
        watch=watch,
    )  # fmt: skip
    for pattern in _DROPPED:
        for path in part.glob(f"usr/{pattern}"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    Programs(part).wrap("postgres")
    part.chmod(0o755)
    part.rename(root)
    progress.show("TimescaleDB", None)


def _mebibytes(folder: Path) -> int:
    total = 0
    for directory, _, files in os.walk(folder):
        for file in files:
            try:
                total += (Path(directory) / file).lstat().st_size
            except FileNotFoundError:
                continue
    return total // MEBIBYTE


def passwords(layout: Layout) -> dict[str, str]:
    """Read the passwords of both roles, making them the first time; the file is the caller's alone."""
    path = layout.passwords_file
    if not path.exists():
        made = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER)}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(made, out, indent=2)
    content: dict[str, str] = json.loads(path.read_text())
    return content


def database_url(layout: Layout, ports: dict[str, int]) -> str:
    """Write the address of the database, with the owner's password."""
    return f"postgresql://{OWNER}:{passwords(layout)[OWNER]}@{HOST}:{ports['timescale']}/{DATABASE}"


def shared_buffers_mebibytes(memory_bytes: int) -> int:
    """Choose PostgreSQL's own cache: an eighth of the memory, at least 128 and at most 1024 MB."""
    return max(128, min(1024, memory_bytes // MEBIBYTE // 8))


def settings(port: int, memory_bytes: int) -> str:
    """Write `postgresql.conf`.

    Args:
        port: Where it listens, on 127.0.0.1 only.
        memory_bytes: The machine's memory.
    """
    return f"""\
listen_addresses = '{HOST}'
port = {port}
unix_socket_directories = ''
max_connections = 100
password_encryption = 'scram-sha-256'

shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
# Each database with the extension needs workers; tests make databases of their own.
max_worker_processes = 32
jit = off

shared_buffers = {shared_buffers_mebibytes(memory_bytes)}MB
# Not in /dev/shm, which in containers is often too small for parallel queries.
dynamic_shared_memory_type = sysv
# What was acknowledged survives a power cut.
fsync = on
synchronous_commit = on
max_wal_size = 4GB

timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, ymd'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
"""


def _machine_settings(port: int) -> str:
    return settings(port, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _environment(**more: str) -> dict[str, str]:
    # PGTZ and the like of the caller must not reach the server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **more}


def _create_cluster(layout: Layout, programs: Programs, account: Account) -> None:
    """Make the empty database cluster once; an interrupted making is done over."""
    data = layout.timescale / "data"
    if data.exists():
        return
    part = fresh_part(data)
    # initdb reads the superuser's password from a file, which the server's account must be able to read.
    password_file = layout.timescale / "password"
    password_file.unlink(missing_ok=True)
    with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(passwords(layout)[SUPERUSER])
    for path in (password_file, part):
        os.chown(path, account.uid, account.gid)
    try:
        run(
            programs.argv(
                "initdb", "--pgdata", part, "--username", SUPERUSER, "--pwfile", password_file,
                "--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions",
                # PostgreSQL's own C.UTF-8: the same on every machine, whatever its C library.
                "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            ),
            log=layout.timescale / "logs" / "initdb.log",
            doing="Making the database cluster",
            advice="Look at the output above; `python3 -m deploy.native wipe` starts over with empty data.",
            environment={"LC_ALL": "C"},
            account=account,
        )  # fmt: skip
    finally:
        password_file.unlink()
    part.rename(data)


def running(layout: Layout) -> Process | None:
    """Find the running server of this instance; None when it is down."""
    return read_pid_file(layout.timescale / "pid")


def start(layout: Layout, ports: dict[str, int]) -> None:
    """Start PostgreSQL, wait until it answers, and see that database, owner and extension are there.

    Raises:
        NativeError: it ended or did not answer; the message holds the end of its log.
    """
    # Open to the server's account; the data is that account's alone, the logs are the caller's alone.
    layout.timescale.mkdir(exist_ok=True)
    layout.timescale.chmod(0o755)
    logs = layout.timescale / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    programs = Programs(layout.timescale_root)
    account = server_account()
    _create_cluster(layout, programs, account)
    data = layout.timescale / "data"
    conf = data / "postgresql.conf"
    conf.write_text(_machine_settings(ports["timescale"]))
    os.chown(conf, account.uid, account.gid)
    _forget_dead_server(data)
    log = logs / "server.log"
    process = start_server(
        programs.argv("postgres", "-D", data),
        pid_file=layout.timescale / "pid",
        log=log,
        environment=_environment(),
        account=account,
    )
    wait_until_healthy(NAME, process, lambda: is_healthy(ports["timescale"]), (log,), START_SECONDS)
    _create_database(layout, programs, ports["timescale"])


def _forget_dead_server(data: Path) -> None:
    """Delete the lock file of a killed server.

    PostgreSQL does so itself, but not while the number in it belongs to any process: a dead one whose parent
    has not asked for it yet, or, after a restart of a container, another program. All its processes work in
    the data folder, so none there means none left.
    """
    if not any_working_in(data):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _create_database(layout: Layout, programs: Programs, port: int) -> None:
    secret = passwords(layout)
    script = f"""\
select 'create role {OWNER} login' where to_regrole('{OWNER}') is null \\gexec
-- createrole: `canhdich migrate` creates the boards' roles.
alter role {OWNER} createdb createrole password '{secret[OWNER]}';
select 'create database {DATABASE} owner {OWNER}'
where not exists (select from pg_database where datname = '{DATABASE}') \\gexec
\\connect {DATABASE}
set client_min_messages = error;
begin;
create extension if not exists timescaledb;
-- This job fails every time in Debian's build, whose licence, Apache, does not include it.
update _timescaledb_config.bgw_job set scheduled = false
where proc_name = 'policy_job_stat_history_retention' and scheduled;
commit;
"""  # noqa: S608 - names and password are ours: letters, digits, - and _, nothing that would need quoting
    run(
        programs.argv(
            "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1",
            f"--host={HOST}", f"--port={port}", f"--username={SUPERUSER}", "--dbname=postgres",
        ),
        log=layout.timescale / "logs" / "database.log",
        doing="Making the database",
        advice="Look at the output above; `python3 -m deploy.native wipe` starts over with empty data.",
        environment={"PGPASSWORD": secret[SUPERUSER], "PGCONNECT_TIMEOUT": "10"},
        text=script,
    )  # fmt: skip


def stop(layout: Layout) -> bool:
    """Stop the server; True when it did so by itself, False when it had to be killed."""
    process = running(layout)
    # SIGINT is PostgreSQL's fast shutdown: connections are cut, what was committed is written out.
    return process is None or stop_server(process, signal.SIGINT, STOP_SECONDS)


def kill(layout: Layout) -> bool:
    """Kill the server and all its workers as a power cut would; False when it was not running."""
    process = running(layout)
    if process is None:
        return False
    kill_server(process)
    return True


def is_healthy(port: int, timeout: float = 2.0) -> bool:
    """Ask to begin a session: the server asks for a password ("R") once it takes work, else refuses ("E")."""
    parameters = b"user\0" + OWNER.encode() + b"\0database\0" + DATABASE.encode() + b"\0\0"
    try:
        with socket.create_connection((HOST, port), timeout) as connection:
            # Length of it all, protocol 3.0, name-value pairs.
            connection.sendall(struct.pack(">ii", 8 + len(parameters), 3 << 16) + parameters)
            answer = connection.recv(4096)
    except OSError:
        return False
    return answer[:1] == b"R"

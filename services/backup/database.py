"""pg_dump and pg_restore: which, and with what."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit, urlunsplit

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from deploy.native import timescale
from deploy.native.errors import NativeError
from deploy.native.layout import layout
from services.settings import Settings, find_native_env
from streams.domain.errors import ConfigurationError, RefusedAction
from streams.stores import database

BOARDS: Final = "boards"
_ENVIRONMENT: Final = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


def tool(program: str, server_version: str) -> list[str]:
    """The command of a PostgreSQL program that is not older than the server.

    Raises:
        ConfigurationError: there is none on this machine.
    """
    wanted = _major(server_version)
    for argv in _candidates(program, wanted):
        said = subprocess.run([*argv, "--version"], capture_output=True, text=True, check=False).stdout
        if said and _major(said) >= wanted:
            return argv
    raise ConfigurationError(
        f"No {program} of PostgreSQL {wanted} or newer on this machine: apt-get install "
        f"postgresql-client-{wanted} (from PostgreSQL's own archive where Debian has an older one)."
    )


def _candidates(program: str, major: int) -> Iterator[list[str]]:
    if found := shutil.which(program):
        yield [found]
    debian = Path(f"/usr/lib/postgresql/{major}/bin/{program}")
    if debian.exists():
        yield [str(debian)]
    try:
        native = timescale.Programs(layout().timescale_root)
    except NativeError:
        return
    yield [str(part) for part in native.argv(program)]


def _major(version: str) -> int:
    found = re.search(r"\d+", version)
    return int(found[0]) if found else 0


def environment(database_url: str) -> dict[str, str]:
    """The address for a program of PostgreSQL: by its environment, as everybody may read a command line."""
    parts = conninfo_to_dict(database_url)
    found = {
        variable: str(parts[key]) for key, variable in _ENVIRONMENT.items() if parts.get(key) is not None
    }
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "PGCONNECT_TIMEOUT": "10",
        **found,
    }


def dump(database_url: str, server_version: str, snapshot: str, out: IO[bytes]) -> None:
    """Write the database as of a snapshot, in pg_dump's custom format.

    Without grants, which `canhdich migrate` makes, and without the boards' views, of which nothing is stored.

    Raises:
        RefusedAction: pg_dump fails.
    """
    argv = [
        *tool("pg_dump", server_version),
        "--format=custom", "--compress=3", f"--snapshot={snapshot}", f"--exclude-schema={BOARDS}",
        "--no-privileges", "--lock-wait-timeout=60s",
    ]  # fmt: skip
    with subprocess.Popen(
        argv, env=environment(database_url), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for
        assert process.stderr is not None  # noqa: S101 - asked for
        shutil.copyfileobj(process.stdout, out, 1 << 20)
        said = process.stderr.read().decode()
    if process.returncode:
        raise RefusedAction(f"pg_dump failed: {said.strip()}")


def load(admin_url: str, server_version: str, dumped: IO[bytes]) -> None:
    """Bring a dump into an empty database that has the extension; all of it or nothing.

    Raises:
        RefusedAction: pg_restore fails.
        DependencyDown: the server does not answer.
    """
    with database.errors_translated(), database.connect(admin_url) as connection:
        connection.execute("select timescaledb_pre_restore()")
        try:
            said = _run_restore(
                [*tool("pg_restore", server_version), "--single-transaction", "--no-privileges"],
                admin_url,
                dumped,
            )
        finally:
            connection.execute("select timescaledb_post_restore()")
    if said:
        raise RefusedAction(f"pg_restore failed, the database is as before: {said}")


def _run_restore(argv: Sequence[str], admin_url: str, dumped: IO[bytes]) -> str:
    """What pg_restore says when it fails; empty when it has done its work."""
    dbname = str(conninfo_to_dict(admin_url)["dbname"])
    with subprocess.Popen(
        [*argv, f"--dbname={dbname}"],
        env=environment(admin_url),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None  # noqa: S101 - asked for
        # What it says of it follows.
        with suppress(BrokenPipeError):
            shutil.copyfileobj(dumped, process.stdin, 1 << 20)
        _, said = process.communicate()
    return said.decode().strip() or f"exit code {process.returncode}" if process.returncode else ""


def admin_url(configured: Settings) -> str:
    """The database's address as the server's superuser: TimescaleDB's own tables are not the owner's to fill.

    Raises:
        ConfigurationError: nobody said which that is.
    """
    if given := configured.admin_database_url.get_secret_value():
        return given
    parts = urlsplit(configured.database_url.get_secret_value())
    native = find_native_env()
    for where in (layout(), *([layout(native.parent)] if native else [])):
        if where.passwords_file.exists():
            secret = timescale.passwords(where)
            if parts.password == secret[timescale.OWNER]:
                place = f"{timescale.SUPERUSER}:{secret[timescale.SUPERUSER]}@{parts.hostname}:{parts.port}"
                return urlunsplit(parts._replace(netloc=place))
    raise ConfigurationError(
        "A restore needs the server's superuser: set CANHDICH_ADMIN_DATABASE_URL "
        "(postgresql://postgres:password@host:port/database) for this one command."
    )


def make_empty(admin: str, owner: str) -> None:
    """Drop the database, whatever it holds, and make it anew with the extension.

    Raises:
        DependencyDown: the server does not answer.
    """
    parts = urlsplit(admin)
    name = sql.Identifier(parts.path.lstrip("/"))
    with (
        database.errors_translated(),
        database.connect(urlunsplit(parts._replace(path="/postgres"))) as connection,
    ):
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        connection.execute(sql.SQL("create database {} owner {}").format(name, sql.Identifier(owner)))
    with database.errors_translated(), database.connect(admin) as connection:
        connection.execute("create extension if not exists timescaledb")

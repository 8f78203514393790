"""The views that Grafana reads, and the roles that can read them and nothing else.

The schema `boards` is made of schemas/sql/views as a whole, and anew whenever a file of it has changed:
nothing is stored in it (docs/adr/0009-board-views.md).
"""

import hashlib
from typing import Final

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from schemas.sql import query, views
from streams.domain.errors import ConfigurationError

SCHEMA: Final = "boards"
EPIDEMIOLOGISTS: Final = "canhdich_grafana"
"""Reads every view."""
WIDER: Final = "canhdich_grafana_wide"
"""Reads the views whose small counts are suppressed."""
WIDE_PREFIX: Final = "wide_"

_STATEMENT_SECONDS: Final = 10
_CONNECTIONS: Final = 20


def install_views(connection: Connection[TupleRow]) -> bool:
    """Make the boards' views as the files say and let the roles read them; False where they are so already.

    Roles belong to the server, not to a database: where the login may not create them and nobody has, the
    views are made all the same, and `missing_roles` says so.

    Args:
        connection: In autocommit; one transaction.
    """
    wanted = fingerprint()
    missing = [role for role in (EPIDEMIOLOGISTS, WIDER) if not _create_role(connection, role)]
    if missing:
        wanted += f", without {' and '.join(missing)}"
    there = [role for role in (EPIDEMIOLOGISTS, WIDER) if role not in missing]
    with connection.transaction():
        # Two programs that migrate at once: the second finds the work done.
        connection.execute("select pg_advisory_xact_lock(hashtext('canhdich boards'))")
        if there:
            refuse_temporary(connection)
        if installed_fingerprint(connection) == wanted:
            return False
        drop_views(connection)
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SCHEMA)))
        for text in views().values():
            connection.execute(sql.SQL(text))
        _grant(connection, there)
        connection.execute(
            sql.SQL("comment on schema {} is {}").format(sql.Identifier(SCHEMA), sql.Literal(wanted))
        )
    return True


def drop_views(connection: Connection[TupleRow]) -> None:
    """Drop them all: a migration may change what they read."""
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SCHEMA)))


def fingerprint() -> str:
    """Of the files; the schema's comment carries that of the files it was made of."""
    files = "".join(f"{name}\n{text}\n" for name, text in views().items())
    return f"schemas/sql/views {hashlib.sha256(files.encode()).hexdigest()[:16]}"


def installed_fingerprint(connection: Connection[TupleRow]) -> str | None:
    """What the database has; None for nothing."""
    row = connection.execute(query("boards_comment"), {"schema": SCHEMA}).fetchone()
    return None if row is None else str(row[0])


def missing_roles(connection: Connection[TupleRow]) -> list[str]:
    """The roles that nobody has created on this server."""
    roles = [EPIDEMIOLOGISTS, WIDER]
    there = {name for (name,) in connection.execute(query("roles_among"), {"roles": roles})}
    return [role for role in roles if role not in there]


def set_password(connection: Connection[TupleRow], role: str, password: str) -> None:
    """Give a role a password; only its hash leaves this process.

    Raises:
        ConfigurationError: the role is not there, or belongs to somebody else.
    """
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    try:
        connection.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(hashed))
        )
    except (psycopg.errors.UndefinedObject, psycopg.errors.InsufficientPrivilege) as error:
        raise ConfigurationError(
            f"The password of {role} cannot be set: {str(error).splitlines()[0]}. Ask the server's "
            f"administrator to run: {creation(role)}; and to set its password."
        ) from error


def creation(role: str) -> str:
    """What an administrator runs to create a role.

    `public` is on its path for TimescaleDB's functions, which Grafana's macros call; the tables in it are not
    its to read.
    """
    return (
        f"create role {role} login connection limit {_CONNECTIONS}; alter role {role} set "
        f"default_transaction_read_only = on; alter role {role} set statement_timeout = "
        f"'{_STATEMENT_SECONDS}s'; alter role {role} set search_path = {SCHEMA}, public"
    )


def _create_role(connection: Connection[TupleRow], role: str) -> bool:
    """Whether the role is there now."""
    if role not in missing_roles(connection):
        return True
    try:
        with connection.transaction():
            for statement in creation(role).split("; "):
                connection.execute(sql.SQL(statement))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        # Another program created it just now.
        return True
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def refuse_temporary(connection: Connection[TupleRow]) -> None:
    """By default every login may make temporary tables, and functions beside them. The owner still may."""
    if connection.execute(query("may_make_temporary"), {"role": "public"}).fetchone() == (False,):
        return
    database, owner = sql.Identifier(connection.info.dbname), sql.Identifier(connection.info.user)
    connection.execute(sql.SQL("grant temporary on database {} to {}").format(database, owner))
    connection.execute(sql.SQL("revoke temporary on database {} from public").format(database))


def _grant(connection: Connection[TupleRow], roles: list[str]) -> None:
    for role in roles:
        connection.execute(
            sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(SCHEMA), sql.Identifier(role))
        )
        for (view,) in connection.execute(query("views_of_schema"), {"schema": SCHEMA}).fetchall():
            if role == EPIDEMIOLOGISTS or view.startswith(WIDE_PREFIX):
                connection.execute(
                    sql.SQL("grant select on {} to {}").format(
                        sql.Identifier(SCHEMA, view), sql.Identifier(role)
                    )
                )

"""The database's logins and what each may do, brought to what schemas/rights/database.yaml says."""

from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from schemas.rights import DatabaseRights, database_rights
from schemas.sql import query
from streams.stores.views import refuse_temporary

_CONNECTIONS: Final = 40
_GRANT: Final = "grant {} on {} to {}"
_REVOKE: Final = "revoke {} on {} from {}"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """What a role may do with a table and should, or should not."""

    role: str
    table: str
    missing: frozenset[str]
    too_much: frozenset[str]

    def __str__(self) -> str:
        parts = [
            *(f"lacks {privilege}" for privilege in sorted(self.missing)),
            *(f"has {privilege} too much" for privilege in sorted(self.too_much)),
        ]
        return f"{self.role} on {self.table}: {', '.join(parts)}"


def missing_logins(connection: Connection[TupleRow], rights: DatabaseRights | None = None) -> list[str]:
    """The roles of the matrix that the server does not have."""
    wanted = list((rights or database_rights()).roles)
    there = {name for (name,) in connection.execute(query("roles_among"), {"roles": wanted})}
    return [role for role in wanted if role not in there]


def differences(connection: Connection[TupleRow], rights: DatabaseRights | None = None) -> list[Difference]:
    """What the roles that are there have too little or too much; empty when all is as it should be."""
    wanted = rights or database_rights()
    there = [role for role in wanted.roles if role not in missing_logins(connection, wanted)]
    tables: set[str] = set()
    granted: dict[tuple[str, str], frozenset[str]] = {}
    for table, role, privileges in connection.execute(query("granted_rights"), {"roles": there}):
        tables.add(table)
        if role is not None:
            granted[role, table] = frozenset(privileges)
    found = []
    for role in there:
        allowed = wanted.privileges(role)
        for table in sorted(tables):
            due, has = allowed.get(table, frozenset()), granted.get((role, table), frozenset())
            if due != has:
                found.append(Difference(role, table, due - has, has - due))
    return found


def grant_rights(connection: Connection[TupleRow]) -> list[Difference]:
    """Create the logins that are missing, where this login may, and grant exactly the matrix.

    A login is created without a password: nobody can use it until the administrator gives it one.

    Args:
        connection: The owner's, in autocommit; one transaction.

    Returns:
        What was different before.
    """
    rights = database_rights()
    for role in missing_logins(connection, rights):
        _create_login(connection, role)
    with connection.transaction():
        # Two programs that migrate at once: the second finds the work done.
        connection.execute("select pg_advisory_xact_lock(hashtext('canhdich rights'))")
        found = differences(connection, rights)
        tables: dict[tuple[str, str, frozenset[str]], list[str]] = {}
        for one in found:
            tables.setdefault((_GRANT, one.role, one.missing), []).append(one.table)
            tables.setdefault((_REVOKE, one.role, one.too_much), []).append(one.table)
        for (statement, role, privileges), names in tables.items():
            if privileges:
                connection.execute(
                    sql.SQL(statement).format(
                        sql.SQL(", ").join(map(sql.SQL, sorted(privileges))),
                        sql.SQL(", ").join(map(sql.Identifier, names)),
                        sql.Identifier(role),
                    )
                )
        missing = missing_logins(connection, rights)
        database = sql.Identifier(connection.info.dbname)
        refuse_temporary(connection)
        for role in rights.temporary:
            if role not in missing:
                connection.execute(
                    sql.SQL("grant temporary on database {} to {}").format(database, sql.Identifier(role))
                )
    return found


def login_creation(role: str) -> str:
    """What an administrator runs to create a login."""
    return f"create role {role} login connection limit {_CONNECTIONS}"


def _create_login(connection: Connection[TupleRow], role: str) -> None:
    try:
        with connection.transaction():
            connection.execute(sql.SQL(login_creation(role)))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        # Another program created it just now.
        return
    except psycopg.errors.InsufficientPrivilege:
        # `missing_logins` says so.
        return

"""Empty twins of tables in a schema of their own, and the switch that puts them in the tables' place.

Triggers and policies are not copied: there are none on the tables that are rebuilt.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.counts import COUNTERS

LIVE: Final = "public"
SHADOW: Final = "shadow"
_RETIRED: Final = "retired"
_WITH_ZEROS: Final = ("daily_counts", "district_totals")
"""What cancels out leaves a row of zeros there, in the table or in the twin."""


def create(connection: Connection[TupleRow], tables: Iterable[str]) -> None:
    """Create an empty twin of each table, with its keys under their names; other indexes come later.

    What an earlier run left behind is dropped.
    """
    with connection.transaction():
        drop(connection)
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SHADOW)))
        for table in tables:
            _create(connection, table)


def drop(connection: Connection[TupleRow]) -> None:
    """Drop the twins, if there are any."""
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SHADOW)))


def _create(connection: Connection[TupleRow], table: str) -> None:
    live, twin = sql.Identifier(LIVE, table), sql.Identifier(SHADOW, table)
    statement = sql.SQL("create table {} (like {} including all excluding indexes)")
    connection.execute(statement.format(twin, live))
    for (clause,) in connection.execute(query("table_properties"), _named(table)).fetchall():
        connection.execute(sql.SQL("alter table {} {}").format(twin, sql.SQL(clause)))
    for column, interval in connection.execute(query("table_dimensions"), _named(table)).fetchall():
        connection.execute(
            "select create_hypertable(%s::regclass, by_range(%s, %s::interval), "
            "create_default_indexes => false)",
            (f"{SHADOW}.{table}", column, interval),
        )
    for privileges, role in connection.execute(query("table_grants"), _named(table)).fetchall():
        connection.execute(sql.SQL("grant {} on {} to {}").format(sql.SQL(privileges), twin, sql.SQL(role)))


def add_indexes(connection: Connection[TupleRow], tables: Iterable[str]) -> None:
    """Create the twins' other indexes, once they are full, and let the planner look at them."""
    for table in tables:
        for (definition,) in connection.execute(query("table_indexes"), _named(table)).fetchall():
            there = definition.replace(f" ON {LIVE}.{table} ", f" ON {SHADOW}.{table} ", 1)
            connection.execute(sql.SQL(there))
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(SHADOW, table)))


def differs(connection: Connection[TupleRow], table: str) -> bool:
    """Whether the table and its twin do not hold the same multiset of rows.

    A row of zeros is as good as none. By sums of 64-bit hashes: every row is read once and none is sorted.
    The hash of a row adds up those of its columns, so it is hashed once more: else a value moved from one row
    to another would not be seen.
    """
    counters = [sql.SQL("t.{} <> 0").format(sql.Identifier(name)) for name in COUNTERS]
    is_counted = sql.SQL(" or ").join(counters if table in _WITH_ZEROS else [sql.SQL("true")])
    digest = sql.SQL(
        "select count(*), sum(hashint8extended(hash_record_extended(t, 0), 0)) from {} as t where {}"
    )
    live, twin = (
        connection.execute(digest.format(sql.Identifier(schema, table), is_counted)).fetchone()
        for schema in (LIVE, SHADOW)
    )
    return live != twin


def keep_vacuum_away(connection: Connection[TupleRow], tables: Sequence[str]) -> None:
    """Wait until no vacuum works on tables or twins, and let none begin before the transaction ends.

    Readers and writers are not in its way, nor it in theirs. An autovacuum gives way after a second.
    """
    names = [sql.Identifier(schema, table) for table in tables for schema in (LIVE, SHADOW)]
    statement = sql.SQL("lock table {} in share update exclusive mode")
    connection.execute(statement.format(sql.SQL(", ").join(names)))


def switch(connection: Connection[TupleRow], tables: Sequence[str]) -> None:
    """Put the twins in the place of the tables, within the caller's transaction; the old ones are dropped.

    Views are defined anew, so that they read the new tables, and keep their grants.

    Raises:
        LockNotAvailable: somebody reads a table just now (psycopg's own error); try again.
        DependentObjectsStillExist: something other than a view depends on a table (psycopg's own error);
            nothing was changed.
    """
    names = sql.SQL(", ").join(sql.Identifier(LIVE, table) for table in tables)
    # Waiting in the queue would make every later reader wait behind us.
    connection.execute(sql.SQL("lock table {} in access exclusive mode nowait").format(names))
    views = connection.execute(query("dependent_views"), {"schema": LIVE, "tables": list(tables)}).fetchall()
    connection.execute(sql.SQL("create schema {}").format(sql.Identifier(_RETIRED)))
    for table in tables:
        _move(connection, table, LIVE, _RETIRED)
        _move(connection, table, SHADOW, LIVE)
    for view, options, definition in views:
        connection.execute(sql.SQL(f"create or replace view {view} {options} as {definition}"))
    for table in tables:
        connection.execute(sql.SQL("drop table {}").format(sql.Identifier(_RETIRED, table)))
    for schema in (_RETIRED, SHADOW):
        connection.execute(sql.SQL("drop schema {}").format(sql.Identifier(schema)))


def _move(connection: Connection[TupleRow], table: str, source: str, target: str) -> None:
    connection.execute(
        sql.SQL("alter table {} set schema {}").format(sql.Identifier(source, table), sql.Identifier(target))
    )


def _named(table: str) -> dict[str, str]:
    return {"schema": LIVE, "table": table}

"""Data that the code of before wrote: migrated forward, folded on, and the books balance.

The files in upgrades/ were written by that code (tests/upgrade_data.py), not by this one.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection, sql
from psycopg.rows import TupleRow
from yoyo import get_backend, read_migrations

from schemas.sql import MIGRATIONS
from schemas.topics.partitioner import partition_for
from streams.domain.positions import TOPIC
from streams.handlers.fold_cases import FoldCases
from streams.stores.audit import audit
from streams.stores.counts import read_positions
from streams.stores.database import _with_driver, connect, migrate
from streams.stores.ledger import PostgresLedger
from streams.stores.rebuild import rebuild
from streams.stores.rights import grant_rights
from tests.builders import event, records
from tests.conftest import NativeStack, scratch_database
from tests.fakes import RecordingAnnouncements, run
from tests.histories import PARTITIONS

pytestmark = pytest.mark.native

UPGRADES = sorted((Path(__file__).parent / "upgrades").glob("*.json.gz"))


def fill(connection: Connection[TupleRow], tables: dict[str, str]) -> None:
    """Bring rows into their tables, and the numbers of identity columns behind them."""
    for name, rows in tables.items():
        with connection.cursor().copy(sql.SQL("copy {} from stdin").format(sql.Identifier(name))) as copy:
            copy.write(rows)
    for table, column in connection.execute(
        "select table_name::text, column_name::text from information_schema.columns "
        "where table_schema = 'public' and is_identity = 'YES'"
    ).fetchall():
        names = {"table": sql.Literal(table), "column": sql.Literal(column)}
        highest = sql.SQL("select max({}) from {}").format(sql.Identifier(column), sql.Identifier(table))
        connection.execute(
            sql.SQL(
                "select setval(pg_get_serial_sequence({table}, {column}), coalesce(({highest}), 1))"
            ).format(**names, highest=highest)
        )


@pytest.fixture(params=UPGRADES, ids=lambda path: path.name.removesuffix(".json.gz"))
def before(request: pytest.FixtureRequest, native_stack: NativeStack) -> Iterator[tuple[str, dict[str, Any]]]:
    """A database as the code of before left it, and what it had counted."""
    document = json.loads(gzip.decompress(request.param.read_bytes()))
    with scratch_database(native_stack.server_url) as url:
        backend = get_backend(_with_driver(url))
        try:
            known = read_migrations(str(MIGRATIONS)).filter(lambda one: one.id <= document["schema"])
            backend.apply_migrations(backend.to_apply(known))
        finally:
            backend.connection.close()
        with connect(url) as connection:
            fill(connection, document["tables"])
        yield url, document


def totals(connection: Connection[TupleRow]) -> list[dict[str, Any]]:
    row = connection.execute(
        "select jsonb_agg(to_jsonb(dt) order by dt) from district_totals as dt"
    ).fetchone()
    assert row is not None
    found: list[dict[str, Any]] = row[0]
    return found


def test_data_of_the_schema_before_goes_on(before: tuple[str, dict[str, Any]]) -> None:
    url, document = before
    applied = migrate(url)
    assert applied == sorted(path.stem for path in MIGRATIONS.glob("*.sql") if path.stem > document["schema"])
    with connect(url) as connection:
        grant_rights(connection)
        # Columns that came later are beside those that there were.
        old, new = document["district_totals"], totals(connection)
        assert [{name: row[name] for name in known} for row, known in zip(new, old, strict=True)] == old
        assert audit(connection).is_clean

        at = read_positions(connection, TOPIC)[0]
        ledger = PostgresLedger(url, TOPIC)
        try:
            handler = FoldCases(ledger, RecordingAnnouncements(), PARTITIONS)
            subjects = [f"LC-{n}" for n in range(100, 130)]
            values = [event(subject, 900) for subject in subjects]
            mine = [
                value
                for value, subject in zip(values, subjects, strict=True)
                if partition_for(subject.encode(), PARTITIONS) == 0
            ]
            batch = records(mine, at.next_offset, 0, at.last_known_at)
            assert run(handler.handle(batch)) == 0
        finally:
            ledger.close()
        assert audit(connection).is_clean
        counted = connection.execute("select count(*) from cases").fetchone()
        assert counted == (len(document["tables"]["cases"].splitlines()) + len(mine),)
    assert rebuild(url).is_identical


def test_there_is_data_of_before() -> None:
    assert UPGRADES

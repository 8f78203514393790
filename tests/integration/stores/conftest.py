"""A database for the stores' tests: the small catalogue, and nothing else, at the start of each test."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection, sql
from psycopg.rows import TupleRow

import schemas.catalogue as published
from streams.domain.case import Case
from streams.domain.counts import ZERO, Amounts, CountKey
from streams.handlers.fold_cases import DeadLetter
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate
from streams.stores.ledger import PostgresLedger
from streams.stores.tables import case_from_row
from tests.builders import position, small_catalogue
from tests.conftest import NativeStack, scratch_database
from tests.fakes import run
from tests.ledger_contract import LedgerRow, StoredLedger


class PostgresStore:
    """The Store of the ledger's contract over a real database."""

    def __init__(self, database_url: str, connection: Connection[TupleRow]) -> None:
        self.database_url = database_url
        self.connection = connection
        self._ledgers: list[PostgresLedger] = []

    def open(self) -> StoredLedger:
        ledger = PostgresLedger(self.database_url)
        self._ledgers.append(ledger)
        return ledger

    def close(self) -> None:
        """Close what `open` opened."""
        for ledger in self._ledgers:
            ledger.close()

    def load(self, catalogue: published.Catalogue) -> None:
        load(self.connection, catalogue, "test")

    def rows(self) -> list[LedgerRow]:
        found = self.connection.execute(
            "select known_at, subject, event_id, disease, area_id, basis, day::text, via, agent, notified, "
            "suspected, probable, confirmed, discarded, positive, negative, pending, deaths, imported, "
            "hospitalised from count_changes"
        )
        return sorted(((*row[:3], CountKey(*row[3:9]), tuple(row[9:])) for row in found), key=repr)

    def counts(self) -> dict[CountKey, Amounts]:
        found = self.connection.execute(
            "select disease, area_id, basis, day::text, via, agent, notified, suspected, probable, "
            "confirmed, discarded, positive, negative, pending, deaths, imported, hospitalised "
            "from daily_counts"
        )
        counts = {CountKey(*row[:6]): tuple(row[6:]) for row in found}
        return {key: amounts for key, amounts in counts.items() if amounts != ZERO}

    def case(self, subject: str) -> Case:
        row = self.connection.execute(
            "select registers, counted_disease, counted_area_id, counted_onset_day::text, "
            "counted_report_day::text, counted_death_day::text, counted_flags, counted_resolved, "
            "counted_agents from cases where subject = %s",
            (subject,),
        ).fetchone()
        assert row is not None, f"no case {subject}"
        return case_from_row(*row)

    def journal(self) -> list[tuple[Any, int, int, int, int, str, UUID, str | None, bool]]:
        return self.connection.execute(
            "select known_at, kafka_partition, epoch, kafka_offset, load_id, subject, event_id, area_id, "
            "is_parked from case_events order by kafka_partition, epoch, kafka_offset"
        ).fetchall()  # type: ignore[return-value]

    def parked(self) -> set[tuple[str, UUID, str, str]]:
        return set(
            self.connection.execute("select subject, event_id, reason, code from parked_events").fetchall()
        )  # type: ignore[arg-type]

    def dead(self) -> list[DeadLetter]:
        found = self.connection.execute(
            "select epoch, kafka_partition, kafka_offset, known_at, error, problems, record_key, "
            "record_value, standing_value, subject, event_id from dead_letters "
            "order by kafka_partition, epoch, kafka_offset"
        )
        return [DeadLetter(*row[:5], tuple(row[5]), *row[6:]) for row in found]


@pytest.fixture(scope="module")
def small_database_url(native_stack: NativeStack) -> Iterator[str]:
    """A database of this module's own with the schema."""
    with scratch_database(native_stack.server_url) as url:
        migrate(url)
        yield url


@pytest.fixture
def connection(small_database_url: str) -> Iterator[Connection[TupleRow]]:
    """A connection to a database with the small catalogue and nothing else."""
    with connect(small_database_url) as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'public' and tablename not like '%yoyo%'"
        )
        names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in tables)
        connection.execute(sql.SQL("truncate {}").format(names))
        load(connection, small_catalogue(), "test")
        yield connection


@pytest.fixture
def store(small_database_url: str, connection: Connection[TupleRow]) -> Iterator[PostgresStore]:
    """The same database as the ledger's contract sees it, partitions 0 and 1 at offset 0."""
    store = PostgresStore(small_database_url, connection)
    new = {0: position(), 1: position()}
    assert run(store.open().replace_positions(dict.fromkeys(new), new))
    yield store
    store.close()

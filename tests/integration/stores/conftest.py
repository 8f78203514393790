"""A database for the stores' tests: the small catalogue, and nothing else, at the start of each test."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

import schemas.catalogue as published
from streams.domain.case import Case
from streams.domain.counts import ZERO, Amounts, CountKey
from streams.handlers.fold_cases import DeadLetter
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate
from streams.stores.ledger import PostgresLedger
from streams.stores.tables import case_from_row
from tests.builders import START, event, minutes, position, records, small_catalogue
from tests.conftest import NativeStack, scratch_database
from tests.fakes import run
from tests.histories import empty
from tests.ledger_contract import LedgerRow, StoredLedger, fold


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
        ).fetchall()

    def parked(self) -> set[tuple[str, UUID, str, str]]:
        found = self.connection.execute("select subject, event_id, reason, code from parked_events")
        return {(subject, event_id, reason, code) for subject, event_id, reason, code in found}

    def dead(self) -> list[DeadLetter]:
        found = self.connection.execute(
            "select epoch, kafka_partition, kafka_offset, known_at, error, problems, record_key, "
            "record_value, standing_value, subject, event_id from dead_letters "
            "order by kafka_partition, epoch, kafka_offset"
        )
        return [
            DeadLetter(epoch, partition, offset, known_at, error, tuple(problems), *rest)
            for epoch, partition, offset, known_at, error, problems, *rest in found
        ]


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
        empty(connection)
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


LATER = datetime(2026, 2, 1, 1, 0, tzinfo=UTC)
"""When the last part of the history came: after the reform."""

HISTORY = (
    records(
        [
            event("LC-A", 1),
            event(
                "LC-B",
                2,
                area_code="03549",
                onset_on="2023-07-02",
                classification="confirmed",
                lab={"dengue": "positive", "denv1": "positive"},
                hospitalised=True,
            ),
            event("LC-C", 3, disease="rash", area_code="03552", lab={"measles": "positive"}),
            event("LC-D", 4, disease="rash", area_code="106", onset_on=None, lab={"rubella": "positive"}),
            event("LC-E", 5, disease="measles", area_code="12", onset_on="2022-12-30", outcome="dead"),
            event("LC-P", 6, disease="chikungunya"),
            event("LC-Q", 7, area_code="99999"),
        ]
    ),
    records(
        [
            event("LC-A", 8, "updated", START + minutes(5), area_code="03549", died_at="2023-07-08"),
            event("LC-B", 9, "retracted", START + minutes(5)),
            event(
                "LC-C", 10, "updated", START + minutes(5), onset_on="2023-06-30", lab={"rubella": "pending"}
            ),
            event("LC-D", 11, "updated", START + minutes(5), lab={"rubella": "negative"}),
            event("LC-E", 12, "updated", START + minutes(5), origin="imported"),
            event("LC-E", 13, ho_ten="Lò Văn Pâng"),
            event("LC-C", 14, "updated", START + minutes(6), classification="confirmed"),
        ],
        first_offset=7,
        at=START + minutes(60),
    ),
    records(
        [
            event(
                "LC-F",
                15,
                time=LATER,
                area_code="03390",
                onset_on="2026-01-05",
                outcome="dead",
                died_at="2026-01-09T20:00:00+00:00",
            ),
            event("LC-G", 16, time=LATER, area_code="12", onset_on="2026-01-06", classification="discarded"),
            event("LC-H", 17, disease="rash", area_code="03390", outcome="dead"),
        ],
        first_offset=14,
        at=LATER,
    ),
)
"""Batches of partition 0: moves, retractions, corrections, deaths with and without a day, parked events, both
structures of areas."""


@pytest.fixture
def told(store: PostgresStore) -> PostgresStore:
    """The database after the whole history."""
    ledger = store.open()
    for batch in HISTORY:
        fold(ledger, batch)
    return store

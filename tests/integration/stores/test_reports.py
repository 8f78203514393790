"""The ledger of tallies and foci on real TimescaleDB."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

import schemas.catalogue as published
from streams.domain.focus import Focus
from streams.domain.reports import FigureAmounts, FigureChange, FigureKey, ReportKind
from streams.domain.tally import Tally
from streams.handlers.fold_cases import DeadLetter
from streams.stores.catalogue import load
from streams.stores.reports import PostgresReports
from tests.builders import position
from tests.fakes import run
from tests.ledger_contract import StoredLedger
from tests.reports_contract import FigureRow, ReportsContract

pytestmark = pytest.mark.native

TABLES = {"tally": "tallies", "focus": "foci"}


class PostgresReportStore:
    """The store of the contract over a real database."""

    def __init__(self, database_url: str, connection: Connection[TupleRow]) -> None:
        self.connection = connection
        self._database_url = database_url
        self._ledgers: list[PostgresReports] = []

    def open(self, kind: ReportKind) -> StoredLedger:
        ledger = PostgresReports(self._database_url, kind)
        self._ledgers.append(ledger)
        return ledger

    def close(self) -> None:
        """Close what `open` opened."""
        for ledger in self._ledgers:
            ledger.close()

    def load(self, catalogue: published.Catalogue) -> None:
        load(self.connection, catalogue, "test")

    def rows(self) -> list[FigureRow]:
        found = self.connection.execute(
            "select known_at, subject, event_id, load_id, kind, indicator, disease, area_id, "
            "period_start::text, period_end::text, reported, value, targeted, target from figure_changes "
            "order by known_at"
        )
        return [(*row[:4], FigureChange(FigureKey(*row[4:10]), FigureAmounts(*row[10:]))) for row in found]

    def row(self, kind: ReportKind, subject: str) -> Tally | Focus:
        columns = Tally._fields if kind == "tally" else Focus._fields
        days = (
            "day",
            "started_on",
            "ended_on",
            "first_onset_on",
            "last_onset_on",
            "period_start",
            "period_end",
        )
        listed = ", ".join(f"{name}::text" if name in days else name for name in columns)
        row = self.connection.execute(
            f"select {listed} from {TABLES[kind]} where subject = %s",  # type: ignore[arg-type]  # noqa: S608
            (subject,),
        ).fetchone()
        assert row is not None, f"no {kind} {subject}"
        return Tally(*row) if kind == "tally" else Focus(*row)

    def journaled(self) -> list[tuple[str, UUID, str | None, bool]]:
        return self.connection.execute(
            "select subject, event_id, area_id, is_parked from report_events "
            "order by known_at, epoch, kafka_offset"
        ).fetchall()

    def parked(self) -> set[tuple[str, UUID, str, str]]:
        return set(
            self.connection.execute(
                "select subject, event_id, reason, code from parked_reports where folded_at is null"
            ).fetchall()
        )

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


@pytest.fixture
def report_store(small_database_url: str, connection: Connection[TupleRow]) -> Iterator[PostgresReportStore]:
    """A database with the small catalogue, partitions 0 and 1 of both topics at offset 0."""
    store = PostgresReportStore(small_database_url, connection)
    new = {0: position(), 1: position()}
    for kind in ("tally", "focus"):
        assert run(store.open(kind).replace_positions(dict.fromkeys(new), new))
    yield store
    store.close()


class TestPostgresReports(ReportsContract):
    """Keeps the contract."""

    @pytest.fixture
    def store(self, report_store: PostgresReportStore) -> PostgresReportStore:
        return report_store

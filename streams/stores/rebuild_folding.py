"""The journals' events folded again into the shadow, log by log in (epoch, offset) order.

A log may be folded beside others: what belongs together has one subject, so one key, so one partition.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import takewhile
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from psycopg import Connection, Cursor, sql
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.as_of import Place
from streams.domain.calendar import microseconds
from streams.domain.canary import is_canary
from streams.domain.case import CaseEvent
from streams.domain.catalogue import Catalogue
from streams.domain.judging import Parked, ParkedReason, event_with_area, judge, kind_of
from streams.domain.reports import ReportEvent, ReportKind, judge_report, report_event
from streams.stores import shadow
from streams.stores.report_tables import fold_reports, write_parked_reports
from streams.stores.tables import STAGING, Cause, fold_but_counts, fold_events, write_parked

PAGE: Final = 10_000
"""Events folded in one transaction."""

Journal = Literal["case", "tally", "focus"]
"""Whose events: each kind has a topic of its own, so partitions of its own."""


class Log(NamedTuple):
    """One partition of one journal."""

    journal: Journal
    partition: int


class Stretch(NamedTuple):
    """A piece of a log: from a place on, before another."""

    start: Place
    end: Place

    @property
    def offsets(self) -> int:
        """At least how many offsets it has; an epoch's end is not known, so it counts as a page."""
        if self.start >= self.end:
            return 0
        return self.end.offset - self.start.offset if self.start.epoch == self.end.epoch else PAGE


class _Row(NamedTuple):
    """One row of a journal; a report's type is its kind."""

    known_at: datetime
    epoch: int
    kafka_offset: int
    load_id: int
    subject: str
    event_id: UUID
    event_type: str
    event_time: datetime
    data: dict[str, Any]
    area_id: str | None
    is_parked: bool


@contextmanager
def in_schemas(connection: Connection[TupleRow], *schemas: str) -> Iterator[None]:
    """A transaction whose tables are those of some schemas, the first that has one; lost by a crash of the
    server, perhaps: what is not switched to is built anew anyway."""
    with connection.transaction():
        path = sql.SQL(", ").join(map(sql.Identifier, schemas))
        connection.execute(sql.SQL("set local search_path = {}").format(path))
        connection.execute("set local synchronous_commit = off")
        yield


class Folder:
    """Folds on a connection of its own."""

    def __init__(
        self, connection: Connection[TupleRow], advance: Callable[[Journal, int], None], page: int
    ) -> None:
        """
        Args:
            connection: Nobody else uses it meanwhile.
            advance: Called with the number of events of a journal folded since the last call.
            page: Events folded in one transaction.
        """
        self._connection = connection
        self._advance = advance
        self._page = page
        # Read, but judged by a later load than the one they were read for.
        self._ahead: dict[Log, list[_Row]] = {}
        for statement in STAGING:
            connection.execute(sql.SQL(statement))

    def fold(self, log: Log, stretch: Stretch, catalogue: Catalogue, *, with_counts: bool) -> Place:
        """Fold the events of a stretch that a load judged; the place after the last one.

        Args:
            log: Its stretches are to be given one after the other.
            stretch: What to fold.
            catalogue: Of the load; events from the first one on that a later load judged are left.
            with_counts: Add to daily counts and totals, too; else they are to be summed from the ledger.
        """
        place, end = stretch
        while place < end:
            rows = self._ahead.pop(log, None) or self._read_page(log, place, end)
            judged_now = list(takewhile(lambda row: row.load_id <= catalogue.load_id, rows))
            if not rows:
                return end
            if judged_now:
                self._fold(log, judged_now, catalogue, with_counts)
                place = Place(judged_now[-1].epoch, judged_now[-1].kafka_offset + 1)
            if len(judged_now) < len(rows):
                self._ahead[log] = rows[len(judged_now) :]
                return place
        return place

    def _read_page(self, log: Log, place: Place, end: Place) -> list[_Row]:
        rows = self._connection.execute(
            query("journal_page") if log.journal == "case" else query("report_journal_page"),
            {
                "kind": log.journal,
                "partition": log.partition,
                "epoch": place.epoch,
                "next_offset": place.offset,
                "end_epoch": end.epoch,
                "end_offset": end.offset,
                "most": self._page,
            },
        )
        return [_Row(*row) for row in rows]

    def _fold(self, log: Log, rows: Sequence[_Row], catalogue: Catalogue, with_counts: bool) -> None:
        # The shadow alone: where it is gone, nothing may reach the live tables.
        with in_schemas(self._connection, shadow.SHADOW), self._connection.cursor() as cursor:
            if log.journal == "case":
                _fold_cases(cursor, log.partition, rows, catalogue, with_counts)
            else:
                _fold_reports(cursor, log.journal, log.partition, rows, catalogue)
        self._advance(log.journal, sum(not is_canary(row.subject) for row in rows))


def _fold_cases(
    cursor: Cursor[TupleRow], partition: int, rows: Sequence[_Row], catalogue: Catalogue, with_counts: bool
) -> None:
    events: list[tuple[Cause, CaseEvent]] = []
    parked: list[tuple[str, UUID, datetime, ParkedReason, str]] = []
    for row in rows:
        kind, time = kind_of(row.event_type), microseconds(row.event_time)
        if row.is_parked:
            judged, _ = judge(kind, row.subject, row.event_id, time, row.data, catalogue)
            parked.append((row.subject, row.event_id, row.known_at, *_why_parked(row, judged)))
        else:
            event = event_with_area(kind, row.subject, row.event_id, time, row.data, row.area_id)
            events.append((_cause(row, partition), event))
    write_parked(cursor, parked)
    if events and with_counts:
        fold_events(cursor, events, catalogue)
    elif events:
        fold_but_counts(cursor, events, catalogue)


def _fold_reports(
    cursor: Cursor[TupleRow], kind: ReportKind, partition: int, rows: Sequence[_Row], catalogue: Catalogue
) -> None:
    events: list[tuple[Cause, ReportEvent]] = []
    parked: list[tuple[str, UUID, datetime, ParkedReason, str]] = []
    for row in rows:
        time = microseconds(row.event_time)
        if row.area_id is None:
            judged, _ = judge_report(kind, row.subject, row.event_id, time, row.data, catalogue)
            parked.append((row.subject, row.event_id, row.known_at, *_why_parked(row, judged)))
        else:
            event = report_event(kind, row.subject, row.event_id, time, row.data, row.area_id)
            events.append((_cause(row, partition), event))
    write_parked_reports(cursor, kind, parked)
    if events:
        fold_reports(cursor, kind, events)


def _cause(row: _Row, partition: int) -> Cause:
    return Cause(row.known_at, row.event_id, row.epoch, partition, row.kafka_offset)


def _why_parked(row: _Row, judged: object) -> tuple[ParkedReason, str]:
    if isinstance(judged, Parked):
        return judged.reason, judged.code
    # Only where the catalogue of then is not kept; the next load folds it.
    return "unknown_area", str(row.data.get("area_code"))

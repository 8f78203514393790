"""All counts, tallies and foci built again from the journals beside the live ones, compared, switched to.

A journal is folded per partition in (epoch, offset) order; each catalogue load folds again what it changed,
between the events that were judged by the load before it and its own. The same functions fold as in a worker
(streams/stores/tables.py, report_tables.py, catalogue.py); only the schema that they write to is another.

Workers go on meanwhile. Twice they wait for a moment, between two batches: when the comparison's view of live
and rebuilt tables is fixed, and for the switch.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection, Cursor, IsolationLevel, sql
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.as_of import Place
from streams.domain.calendar import microseconds
from streams.domain.canary import is_canary
from streams.domain.case import CaseEvent
from streams.domain.catalogue import Catalogue
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.domain.judging import Parked, ParkedReason, event_with_area, judge, kind_of
from streams.domain.reports import ReportEvent, ReportKind, judge_report, report_event
from streams.stores import database, shadow
from streams.stores.audit import read_sizes
from streams.stores.catalogue import PastLoad, read_loads, read_past_catalogue, refold
from streams.stores.report_audit import read_report_sizes
from streams.stores.report_tables import fold_reports, write_parked_reports
from streams.stores.tables import STAGING, Cause, fold_events, write_parked

TABLES: Final = (
    "cases",
    "count_changes",
    "daily_counts",
    "district_totals",
    "parked_events",
    "tallies",
    "foci",
    "figure_changes",
    "parked_reports",
)
"""What is rebuilt. Identities, journals, positions and dead letters are the stream's own record and stay."""

Journal = Literal["case", "tally", "focus"]
"""Whose events: each kind has a topic of its own, so partitions of its own."""

MOST_DIFFERENCES: Final = 20
"""How many keys that differ are named, of each table."""

_PAGE: Final = 10_000
_SMALL_TAIL: Final = 2_000
_SWITCH_WITHIN: Final = 20.0
_START: Final = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Difference:
    """One key whose row is not the same in the live and in the rebuilt table; None where it has no row."""

    table: str
    key: Mapping[str, Any]
    live: Any
    rebuilt: Any


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found and did.

    Attributes:
        events: Journaled events of cases folded, canaries left out.
        reports: Journaled events of tallies and foci folded.
        differences: The first keys of each table that differ; empty where all is identical.
        is_switched: Whether the rebuilt tables serve now.
        notes: What could not be as it was then.
    """

    events: int
    reports: int
    differences: Sequence[Difference]
    is_switched: bool
    notes: Sequence[str]

    @property
    def is_identical(self) -> bool:
        """Live and rebuilt tables hold the same, the ledger as a multiset."""
        return not self.differences


class _Log(NamedTuple):
    """One partition of one journal."""

    journal: Journal
    partition: int


class _Mark(NamedTuple):
    """How far the journals go: a place after the last event of each log, and the loads so far."""

    places: Mapping[_Log, Place]
    loads: Sequence[PastLoad]

    def tail_after(self, done: Mapping[_Log, Place]) -> int:
        """At least how many offsets are left to fold; an epoch's end is not known, so it counts as a page."""
        return sum(
            place.offset - done.get(log, _START).offset
            if place.epoch == done.get(log, _START).epoch
            else _PAGE
            for log, place in self.places.items()
            if place > done.get(log, _START)
        )


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


def count_events(connection: Connection[TupleRow]) -> int:
    """How many events the journals hold, the canary's left out."""
    events, *_ = read_sizes(connection)
    reports, _ = read_report_sizes(connection)
    return events + reports


def rebuild(
    database_url: str, *, force: bool = False, advance: Callable[[int], None] = lambda _: None
) -> Rebuilt:
    """Build all counts, tallies and foci again from the journals; switch to them where they are identical, or
    where forced.

    Args:
        database_url: The live database. Needs as much free space again as the rebuilt tables take.
        force: Switch also where they differ.
        advance: Called with the number of events folded since the last call.

    Raises:
        DependencyDown: the database does not answer, or readers left no moment for the switch.
        ConfigurationError: another rebuild is running, or no catalogue was ever loaded.
    """
    with (
        database.errors_translated(),
        database.connect(database_url) as connection,
        database.connect(database_url) as reader,
    ):
        for own in (connection, reader):
            # The comparison may take its time.
            own.execute("set statement_timeout = 0")
            own.execute("set idle_in_transaction_session_timeout = 0")
        if connection.execute(query("try_lock_rebuild")).fetchone() != (True,):
            raise ConfigurationError("Another rebuild is running on this database: let it end.")
        try:
            return _Rebuild(connection, reader, advance).run(force)
        finally:
            shadow.drop(connection)


class _Rebuild:
    """One run: `connection` folds, `reader` compares."""

    def __init__(
        self,
        connection: Connection[TupleRow],
        reader: Connection[TupleRow],
        advance: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._advance = advance
        self._places: dict[_Log, Place] = {}
        # Read, but judged by a later load than the present one.
        self._ahead: dict[_Log, list[_Row]] = {}
        self._catalogue: Catalogue | None = None
        self._folded: Counter[Journal] = Counter()
        self._notes: list[str] = []

    def run(self, force: bool) -> Rebuilt:
        mark = self._read_mark()
        if not mark.loads:
            raise ConfigurationError("The database has no catalogue: run `canhdich migrate` first.")
        shadow.create(self._connection, TABLES)
        for statement in STAGING:
            self._connection.execute(sql.SQL(statement))
        self._catch_up(mark)
        shadow.add_indexes(self._connection, TABLES)
        while True:
            differences = self._compare_all()
            if differences and not force:
                return self._rebuilt(differences, is_switched=False)
            with self._workers_waiting():
                mark = self._read_mark()
                assert self._catalogue is not None  # noqa: S101 - there was a load
                if mark.loads[-1].load_id != self._catalogue.load_id:
                    # A load moves what was compared already; it is a matter of a few days, so compare again.
                    continue
                compared = {log: self._places.get(log, _START) for log in mark.places}
                self._catch_up(mark)
                if not differences:
                    differences = _differences(self._connection, compared)
                if differences and not force:
                    return self._rebuilt(differences, is_switched=False)
                self._switch()
                return self._rebuilt(differences, is_switched=True)

    def _rebuilt(self, differences: Sequence[Difference], *, is_switched: bool) -> Rebuilt:
        cases = self._folded["case"]
        return Rebuilt(cases, self._folded.total() - cases, differences, is_switched, self._notes)

    def _compare_all(self) -> list[Difference]:
        """Compare everything, as of one moment at which the rebuilt tables have caught up."""
        while (mark := self._read_mark()).tail_after(self._places) > _SMALL_TAIL:
            self._catch_up(mark)
        self._reader.isolation_level = IsolationLevel.REPEATABLE_READ
        with self._reader.transaction():
            with self._workers_waiting():
                self._catch_up(self._read_mark())
                # The first query fixes what the reader sees.
                count_events(self._reader)
            return _differences(self._reader, {})

    def _read_mark(self) -> _Mark:
        self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with self._connection.transaction():
            places = {
                _Log(journal, partition): Place(*end)
                for statement in (query("journal_ends"), query("report_journal_ends"))
                for journal, partition, *end in self._connection.execute(statement)
            }
            mark = _Mark(places, read_loads(self._connection))
        self._connection.isolation_level = None
        return mark

    @contextmanager
    def _workers_waiting(self) -> Iterator[None]:
        """Workers and catalogue loads wait before their next transaction."""
        self._connection.execute(query("lock_catalogue_for_session"))
        try:
            yield
        finally:
            self._connection.execute(query("unlock_catalogue_for_session"))

    @contextmanager
    def _in_shadow(self) -> Iterator[None]:
        """A transaction whose every table is the rebuilt one, where there is one."""
        with self._connection.transaction():
            self._connection.execute(
                sql.SQL("set local search_path = {}, {}").format(
                    sql.Identifier(shadow.SHADOW), sql.Identifier(shadow.LIVE)
                )
            )
            # What a crash leaves is built anew anyway.
            self._connection.execute("set local synchronous_commit = off")
            yield

    def _catch_up(self, mark: _Mark) -> None:
        """Fold the journals up to a mark, load by load."""
        for past in mark.loads:
            if self._catalogue is not None and past.load_id < self._catalogue.load_id:
                continue
            if self._catalogue is None or past.load_id > self._catalogue.load_id:
                self._load(past)
            for log, end in mark.places.items():
                self._fold_log(log, end)

    def _load(self, past: PastLoad) -> None:
        if not past.is_kept:
            self._notes.append(
                f"What catalogue load {past.load_id} ({past.version}) put in force is not kept: its events "
                "were judged by the catalogue of today."
            )
        before = self._catalogue
        with self._in_shadow():
            self._catalogue = read_past_catalogue(self._connection, past)
            if before is not None:
                with self._connection.cursor() as cursor:
                    refold(cursor, before, self._catalogue, past.known_at)

    def _fold_log(self, log: _Log, end: Place) -> None:
        """Fold a partition's events that the present load judged, up to an end."""
        assert self._catalogue is not None  # noqa: S101 - _catch_up loads first
        load_id = self._catalogue.load_id
        while (place := self._places.get(log, _START)) < end:
            rows = self._ahead.pop(log, None) or self._read_page(log, place, end)
            judged_now = list(takewhile(lambda row: row.load_id <= load_id, rows))
            if not rows:
                self._places[log] = end
            if judged_now:
                self._fold(log, judged_now, self._catalogue)
                self._places[log] = Place(judged_now[-1].epoch, judged_now[-1].kafka_offset + 1)
            if len(judged_now) < len(rows):
                self._ahead[log] = rows[len(judged_now) :]
                return

    def _read_page(self, log: _Log, place: Place, end: Place) -> list[_Row]:
        rows = self._connection.execute(
            query("journal_page") if log.journal == "case" else query("report_journal_page"),
            {
                "kind": log.journal,
                "partition": log.partition,
                "epoch": place.epoch,
                "next_offset": place.offset,
                "end_epoch": end.epoch,
                "end_offset": end.offset,
                "most": _PAGE,
            },
        )
        return [_Row(*row) for row in rows]

    def _fold(self, log: _Log, rows: Sequence[_Row], catalogue: Catalogue) -> None:
        with self._in_shadow(), self._connection.cursor() as cursor:
            if log.journal == "case":
                _fold_cases(cursor, log.partition, rows, catalogue)
            else:
                _fold_reports(cursor, log.journal, log.partition, rows, catalogue)
        number = sum(not is_canary(row.subject) for row in rows)
        self._folded[log.journal] += number
        self._advance(number)

    def _switch(self) -> None:
        """Switch as soon as nobody reads."""
        with self._connection.transaction():
            shadow.keep_vacuum_away(self._connection, TABLES)
            deadline = time.monotonic() + _SWITCH_WITHIN
            while not self._is_switched():
                if time.monotonic() > deadline:
                    raise DependencyDown(
                        f"The tables were read without a pause for {_SWITCH_WITHIN:.0f} s, so they were not "
                        "switched; nothing was changed. Stop long reports and run it again."
                    )
                time.sleep(0.05)

    def _is_switched(self) -> bool:
        """Try to switch; False, and nothing, where somebody reads."""
        try:
            with self._connection.transaction():
                shadow.switch(self._connection, TABLES)
        except psycopg.errors.LockNotAvailable:
            return False
        return True


def _fold_cases(cursor: Cursor[TupleRow], partition: int, rows: Sequence[_Row], catalogue: Catalogue) -> None:
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
    if events:
        fold_events(cursor, events, catalogue)


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


def _differences(connection: Connection[TupleRow], since: Mapping[_Log, Place]) -> list[Difference]:
    """The keys that differ, among what events after some places touched; everything for no places."""
    of_cases = _since({log: place for log, place in since.items() if log.journal == "case"}, not since)
    of_reports = _since({log: place for log, place in since.items() if log.journal != "case"}, not since)
    found = []
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("set local work_mem = '256MB'")
        for table, statement, params in (
            ("count_changes", query("rebuilt_ledger_differences"), of_cases),
            ("daily_counts", query("rebuilt_count_differences"), of_cases),
            ("district_totals", query("rebuilt_total_differences"), of_cases),
            ("cases", query("rebuilt_case_differences"), of_cases),
            ("parked_events", query("rebuilt_parked_differences"), of_cases),
            ("figure_changes", query("rebuilt_figure_differences"), of_reports),
            ("tallies", query("rebuilt_tally_differences"), of_reports),
            ("foci", query("rebuilt_focus_differences"), of_reports),
            ("parked_reports", query("rebuilt_parked_report_differences"), of_reports),
        ):
            for row in cursor.execute(statement, params).fetchall():
                live, rebuilt = row.pop("live"), row.pop("rebuilt")
                found.append(Difference(table, row, live, rebuilt))
    return found


def _since(places: Mapping[_Log, Place], is_all: bool) -> dict[str, Any]:
    return {
        "is_all": is_all,
        "kinds": [log.journal for log in places],
        "partitions": [log.partition for log in places],
        "epochs": [place.epoch for place in places.values()],
        "next_offsets": [place.offset for place in places.values()],
        "most": MOST_DIFFERENCES,
    }

"""All counts, tallies and foci built again from the journals beside the live ones, compared, switched to.

A journal is folded per partition in (epoch, offset) order, partitions side by side (rebuild_parts.py); each
catalogue load folds again what it changed, between the events that were judged by the load before it and its
own. The same functions fold as in a worker (streams/stores/tables.py, report_tables.py, catalogue.py); only
the schema that they write to is another, and the counts are summed from the ledger once it is there.

Workers go on meanwhile. Twice they wait for a moment, between two batches: when the comparison's view of live
and rebuilt tables is fixed, and for the switch.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.as_of import Place
from streams.domain.catalogue import Catalogue
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.stores import database, shadow
from streams.stores.audit import read_sizes
from streams.stores.catalogue import PastLoad, read_loads, read_past_catalogue, refold, show_past_catalogue
from streams.stores.rebuild_folding import PAGE, Folder, Journal, Log, Stretch, in_schemas
from streams.stores.rebuild_parts import Parts
from streams.stores.report_audit import read_report_sizes

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

MOST_DIFFERENCES: Final = 20
"""How many keys that differ are named, of each table."""

# With less to do a process of its own takes longer to start than it saves.
_LEAST_PER_PART: Final = 20_000
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


class _Mark(NamedTuple):
    """How far the journals go: a place after the last event of each log, and the loads so far."""

    places: Mapping[Log, Place]
    loads: Sequence[PastLoad]

    def stretches_after(self, done: Mapping[Log, Place]) -> dict[Log, Stretch]:
        """What is left to fold."""
        return {log: Stretch(done.get(log, _START), end) for log, end in self.places.items()}

    def tail_after(self, done: Mapping[Log, Place]) -> int:
        """At least how many offsets are left to fold."""
        return sum(stretch.offsets for stretch in self.stretches_after(done).values())


def count_events(connection: Connection[TupleRow]) -> int:
    """How many events the journals hold, the canary's left out."""
    events, *_ = read_sizes(connection)
    reports, _ = read_report_sizes(connection)
    return events + reports


def rebuild(
    database_url: str,
    *,
    force: bool = False,
    workers: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> Rebuilt:
    """Build all counts, tallies and foci again from the journals; switch to them where they are identical, or
    where forced.

    Args:
        database_url: The live database. Needs as much free space again as the rebuilt tables take.
        force: Switch also where they differ.
        workers: Most processes that fold side by side, and most of the database's own that compare.
        advance: Called with the number of events folded since the last call.

    Raises:
        DependencyDown: the database does not answer, a process was killed, or readers left no moment for the
            switch.
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
            own.execute("set maintenance_work_mem = '256MB'")
        if connection.execute(query("try_lock_rebuild")).fetchone() != (True,):
            raise ConfigurationError("Another rebuild is running on this database: let it end.")
        if connection.execute(query("try_lock_rebuild_parts")).fetchone() != (True,):
            raise ConfigurationError(
                "Processes of a rebuild that was killed still fold their last page: run it again in a moment."
            )
        try:
            return _Rebuild(database_url, connection, reader, workers, advance).run(force)
        finally:
            shadow.drop(connection)


class _Rebuild:
    """One run: `connection` leads and folds what is little, `reader` compares."""

    def __init__(
        self,
        database_url: str,
        connection: Connection[TupleRow],
        reader: Connection[TupleRow],
        workers: int,
        advance: Callable[[int], None],
    ) -> None:
        self._database_url = database_url
        self._connection = connection
        self._reader = reader
        self._workers = workers
        self._advance = advance
        self._folder = Folder(connection, self._note_progress, PAGE)
        self._parts: Parts | None = None
        self._places: dict[Log, Place] = {}
        self._catalogue: Catalogue | None = None
        self._are_counts_kept = False
        self._folded: Counter[Journal] = Counter()
        self._notes: list[str] = []

    def run(self, force: bool) -> Rebuilt:
        mark = self._read_mark()
        if not mark.loads:
            raise ConfigurationError("The database has no catalogue: run `canhdich migrate` first.")
        shadow.create(self._connection, TABLES)
        self._fold_the_most(mark)
        self._count_and_index()
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
                    differences = _differences(self._connection, compared, self._workers)
                if differences and not force:
                    return self._rebuilt(differences, is_switched=False)
                self._switch()
                return self._rebuilt(differences, is_switched=True)

    def _fold_the_most(self, mark: _Mark) -> None:
        """Fold until little is left, side by side where that is worth while; no counts yet."""
        sizes = {log: stretch.offsets for log, stretch in mark.stretches_after({}).items()}
        number = min(self._workers, len(sizes), sum(sizes.values()) // _LEAST_PER_PART)
        if number < 2:
            self._catch_up(mark)
            return
        with Parts(self._database_url, sizes, number, PAGE, self._note_progress) as self._parts:
            self._catch_up(mark)
            while (mark := self._read_mark()).tail_after(self._places) > _SMALL_TAIL:
                self._catch_up(mark)
        self._parts = None

    def _note_progress(self, journal: Journal, events: int) -> None:
        self._folded[journal] += events
        self._advance(events)

    def _count_and_index(self) -> None:
        """Sum the counts from the ledger; give the other tables their indexes meanwhile."""
        counts = ("daily_counts", "district_totals")
        others = [table for table in TABLES if table not in counts]

        def count() -> None:
            self._sum_counts()
            shadow.add_indexes(self._connection, counts)

        with ThreadPoolExecutor(min(2, self._workers)) as side_by_side:
            done = [
                side_by_side.submit(count),
                side_by_side.submit(shadow.add_indexes, self._reader, others),
            ]
        for one in done:
            one.result()
        self._are_counts_kept = True

    def _sum_counts(self) -> None:
        assert self._catalogue is not None  # noqa: S101 - something was folded
        (past,) = (past for past in self._read_mark().loads if past.load_id == self._catalogue.load_id)
        with in_schemas(self._connection, shadow.SHADOW, shadow.LIVE):
            show_past_catalogue(self._connection, past)
            self._connection.execute("set local work_mem = '256MB'")
            # Catalogue loads added what they moved. By their full names: were the shadow gone, the rest would
            # write to the live tables.
            self._connection.execute("truncate shadow.daily_counts, shadow.district_totals")
            self._connection.execute(query("recompute_daily_counts"))
            self._connection.execute(query("recompute_district_totals"))

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
            return _differences(self._reader, {}, self._workers)

    def _read_mark(self) -> _Mark:
        self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with self._connection.transaction():
            places = {
                Log(journal, partition): Place(*end)
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

    def _catch_up(self, mark: _Mark) -> None:
        """Fold the journals up to a mark, load by load."""
        for past in mark.loads:
            if self._catalogue is not None and past.load_id < self._catalogue.load_id:
                continue
            if self._catalogue is None or past.load_id > self._catalogue.load_id:
                self._load(past)
            self._fold(mark)

    def _load(self, past: PastLoad) -> None:
        if not past.is_kept:
            self._notes.append(
                f"What catalogue load {past.load_id} ({past.version}) put in force is not kept: its events "
                "were judged by the catalogue of today."
            )
        before = self._catalogue
        with in_schemas(self._connection, shadow.SHADOW, shadow.LIVE):
            self._catalogue = read_past_catalogue(self._connection, past)
            if before is not None:
                with self._connection.cursor() as cursor:
                    refold(cursor, before, self._catalogue, past.known_at)

    def _fold(self, mark: _Mark) -> None:
        """Fold the events that the present load judged, up to a mark."""
        assert self._catalogue is not None  # noqa: S101 - _catch_up loads first
        stretches = mark.stretches_after(self._places)
        if self._parts is not None:
            self._places |= self._parts.fold(stretches, self._catalogue)
            return
        for log, stretch in stretches.items():
            self._places[log] = self._folder.fold(
                log, stretch, self._catalogue, with_counts=self._are_counts_kept
            )

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


_COMPARED_WHOLE: Final = ("daily_counts", "district_totals", "parked_events", "parked_reports")
"""What tells nothing of the events behind a row, or is small."""


def _differences(
    connection: Connection[TupleRow], since: Mapping[Log, Place], workers: int
) -> list[Difference]:
    """The keys that differ, among what events after some places touched; everything for no places.

    Whole tables are looked at row by row only where their digests differ.
    """
    of_cases = _since({log: place for log, place in since.items() if log.journal == "case"}, not since)
    of_reports = _since({log: place for log, place in since.items() if log.journal != "case"}, not since)
    whole = _COMPARED_WHOLE if since else TABLES
    found = []
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("set local work_mem = '256MB'")
        cursor.execute(
            "select set_config('max_parallel_workers_per_gather', %s, true)",
            # The session itself takes its share.
            (str(workers - 1),),
        )
        differing = {table for table in whole if shadow.differs(connection, table)}
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
            if table in whole and table not in differing:
                continue
            for row in cursor.execute(statement, params).fetchall():
                live, rebuilt = row.pop("live"), row.pop("rebuilt")
                found.append(Difference(table, row, live, rebuilt))
    return found


def _since(places: Mapping[Log, Place], is_all: bool) -> dict[str, Any]:
    return {
        "is_all": is_all,
        "kinds": [log.journal for log in places],
        "partitions": [log.partition for log in places],
        "epochs": [place.epoch for place in places.values()],
        "next_offsets": [place.offset for place in places.values()],
        "most": MOST_DIFFERENCES,
    }

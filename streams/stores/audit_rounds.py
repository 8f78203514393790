"""The continuous audit: a round looks at what is new and at a slice of everything, in one view of the tables.

New: the cases of the events that were journaled since the last round, the counts that they stand in, and the
totals of these. The slice: so many cases, identities, counts and totals that a sweep over all of them ends in
the time that it is given. Together they leave out nothing: where every identity has its row in the journal,
every case is the fold of its rows, the ledger of every case is what it adds to the counts, every count the
sum of its ledger and every total the sum of its counts, the books balance.

What a round finds it looks at again in a second view; only what is found twice is kept, and stays open until
a later round finds it in order.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from schemas.sql import query
from streams.domain.as_of import Place
from streams.domain.books import Finding, JournaledEvent, case_findings, named, slice_size
from streams.domain.case import Case
from streams.domain.catalogue import Catalogue
from streams.domain.counts import Amounts, CountKey, changes
from streams.stores import database
from streams.stores.audit import event_of_journal
from streams.stores.catalogue import current_load_id, read_catalogue
from streams.stores.counts import one_view, read_positions
from streams.stores.tables import case_from_row

MOST_NEW_EVENTS: Final = 20_000
"""How many new events one round looks at; what is beyond waits for the next."""

MOST_OPEN: Final = 1_000
"""How many findings are kept open at the same time: enough to show what happened."""

_Item = TypeVar("_Item")
_MOST_WAITING: Final = 1_000_000
_BLOCK: Final = 5_000
# Before every (disease, basis, day), in the order of the collation "C".
_BEFORE_ALL: Final = ("", "", "0001-01-01")

Group = tuple[str, str, str | None]
"""(disease, basis, day): some daily counts; the day None for those without one."""

TotalGroup = tuple[str, str, int | None]
"""(disease, basis, year): some district totals; the year None for those without one."""


@dataclass(frozen=True, slots=True)
class Slice:
    """So much of each part of the books: cases, identities, (disease, basis, day), diseases."""

    cases: int = 0
    identities: int = 0
    counts: int = 0
    totals: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the audit goes.

    Attributes:
        round_seconds: From one round to the next.
        sweep_seconds: Within how long everything is looked at once.
        most_new_events: See MOST_NEW_EVENTS.
        least: What a round looks at however small the tables are.
    """

    round_seconds: float = 60.0
    sweep_seconds: float = 6 * 3600.0
    most_new_events: int = MOST_NEW_EVENTS
    least: Slice = Slice(2_000, 10_000, 2_000, 20)


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A finding that is kept until it is in order again."""

    finding_id: int
    finding: Finding
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did.

    Attributes:
        new_events: Journaled events looked at for the first time.
        waiting_events: Journaled events that wait for the next round.
        swept: What of the sweep was looked at.
        found: Found twice.
        resolved: How many findings of before are in order again.
        has_swept: Whether a sweep ended with this round.
        seconds: How long it took.
    """

    new_events: int
    waiting_events: int
    swept: Slice
    found: Sequence[Finding]
    resolved: int
    has_swept: bool
    seconds: float


class _Sweep(NamedTuple):
    """A sweep under way: how much there was at its start, and the cursor of each part that has not ended."""

    sweep_id: int
    sizes: Mapping[str, int]
    cursors: Mapping[str, Any]


@dataclass(slots=True)
class _Scope:
    """What is looked at in one view. Of new cases the counts that they stand in are looked at, too."""

    new_subjects: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    identities: set[tuple[str, UUID]] = field(default_factory=set)
    groups: set[Group] = field(default_factory=set)
    total_groups: set[TotalGroup] = field(default_factory=set)


class Auditor:
    """Audits round by round; holds one connection between rounds."""

    def __init__(self, database_url: str, topic: str, pace: Pace | None = None) -> None:
        """`topic` is the full name of the topic whose journal is audited, prefix included."""
        self._database_url = database_url
        self._topic = topic
        self._pace = pace or Pace()
        self._connection: Connection[TupleRow] | None = None
        self._catalogue: Catalogue | None = None

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def round(self) -> Round | None:
        """One round; None where another auditor is at work.

        Raises:
            DependencyDown: the database does not answer, or a rebuild did not finish its switch in time.
            ConfigurationError: no catalogue was ever loaded.
        """
        with self._connected() as connection:
            if connection.execute(query("try_lock_audit")).fetchone() != (True,):
                return None
            done = self._round(connection)
            connection.execute(query("unlock_audit"))
            return done

    @contextmanager
    def _connected(self) -> Iterator[Connection[TupleRow]]:
        try:
            with database.errors_translated():
                if self._connection is None:
                    self._connection = database.connect(self._database_url)
                    # Plans are made for the arrays at hand: what suits ten cases does not suit ten thousand.
                    self._connection.prepare_threshold = None
                yield self._connection
        except BaseException:
            # With it goes the lock.
            self.close()
            raise

    def _round(self, connection: Connection[TupleRow]) -> Round:
        started = time.monotonic()
        sweep = _open_sweep(connection)
        known = {_identity(one.finding): one for one in read_open_findings(connection)}
        with one_view(connection):
            scope = _Scope()
            places, new_events = self._read_window(connection, scope)
            cursors, swept = self._read_slice(connection, sweep, scope)
            suspects = self._look(connection, scope)
        found: dict[_Identity, Finding] = {}
        if suspects or known:
            with one_view(connection):
                again = _scope_of([*suspects.values(), *(one.finding for one in known.values())])
                seen = self._look(connection, again)
            found = {key: one for key, one in seen.items() if key in suspects or key in known}
        in_order = [one.finding_id for key, one in known.items() if key not in found]
        waiting = sum(_waiting(connection, partition, place) for partition, place in places.items())
        seconds = time.monotonic() - started
        with connection.transaction():
            _save_findings(connection, found, known.keys(), in_order)
            self._save_progress(connection, places, sweep._replace(cursors=cursors))
            connection.execute(query("save_audit_round"), {"seconds": seconds, "waiting_events": waiting})
        return Round(new_events, waiting, swept, list(found.values()), len(in_order), not cursors, seconds)

    def _save_progress(
        self, connection: Connection[TupleRow], places: Mapping[int, Place], sweep: _Sweep
    ) -> None:
        for partition, place in places.items():
            connection.execute(
                query("save_audit_position"),
                {
                    "topic": self._topic,
                    "partition": partition,
                    "epoch": place.epoch,
                    "next_offset": place.offset,
                },
            )
        connection.execute(
            query("save_audit_sweep"), {"sweep_id": sweep.sweep_id, "cursors": Jsonb(sweep.cursors)}
        )
        connection.execute(query("forget_audit_sweeps"))

    def _read_window(self, connection: Connection[TupleRow], scope: _Scope) -> tuple[dict[int, Place], int]:
        """Add the cases of new events to the scope; up to where, and how many events that are."""
        rows = connection.execute(query("audit_positions"), {"topic": self._topic})
        audited = {partition: Place(*place) for partition, *place in rows}
        places: dict[int, Place] = {}
        left = self._pace.most_new_events
        for partition, at in read_positions(connection, self._topic).items():
            # What was folded before the first round is left to the sweep.
            place = audited.get(partition, Place(at.epoch, at.next_offset))
            events = connection.execute(
                query("audit_window"), {**_after(partition, place), "most": left}
            ).fetchall()
            for epoch, offset, subject in events:
                scope.new_subjects.add(subject)
                place = Place(epoch, offset + 1)
            left -= len(events)
            places[partition] = place
        return places, self._pace.most_new_events - left

    def _read_slice(
        self, connection: Connection[TupleRow], sweep: _Sweep, scope: _Scope
    ) -> tuple[dict[str, Any], Slice]:
        """Add the sweep's next slice to the scope; the cursors after it, and how much it is."""
        cursors = dict(sweep.cursors)
        taken = dict.fromkeys(_PARTS, 0)
        for part, read in _PARTS.items():
            if part not in cursors:
                continue
            pace = self._pace
            most = slice_size(
                sweep.sizes[part], pace.round_seconds, pace.sweep_seconds, getattr(pace.least, part)
            )
            taken[part], cursors[part] = read(connection, cursors[part], most, scope)
            if taken[part] < most:
                del cursors[part]
        return cursors, Slice(**taken)

    def _look(self, connection: Connection[TupleRow], scope: _Scope) -> "dict[_Identity, Finding]":
        """Everything that is wrong within a scope."""
        load_id = current_load_id(connection)
        if self._catalogue is None or self._catalogue.load_id != load_id:
            self._catalogue = read_catalogue(connection)
        groups, total_groups = set(scope.groups), set(scope.total_groups)
        findings: list[Finding] = []
        for subjects in _blocks(scope.new_subjects | scope.subjects):
            for subject, books in _read_books(connection, subjects, self._catalogue).items():
                findings += case_findings(subject, *books, self._catalogue)
                if subject in scope.new_subjects:
                    _, stored, ledger = books
                    contributed = changes(None, stored.contribution) if stored is not None else []
                    keys = [*ledger, *(key for key, _ in contributed)]
                    groups.update((key.disease, key.basis, key.day) for key in keys)
                    total_groups.update((key.disease, key.basis, _year(key.day)) for key in keys)
        for identities in _blocks(scope.identities):
            findings += _identity_findings(connection, identities)
        for some in _blocks(groups):
            findings += _daily_findings(connection, some)
        for totals in _blocks(total_groups):
            findings += _total_findings(connection, totals)
        return {_identity(finding): finding for finding in findings}


def read_open_findings(connection: Connection[TupleRow]) -> list[OpenFinding]:
    """What drifted and is not in order again, oldest first."""
    return [
        OpenFinding(finding_id, Finding(kind, tuple(key), stored, recomputed), first, last)
        for finding_id, kind, key, stored, recomputed, first, last in connection.execute(
            query("open_audit_findings")
        )
    ]


_Identity = tuple[str, tuple[str | None, ...]]


def _identity(finding: Finding) -> _Identity:
    return finding.kind, finding.key


def _open_sweep(connection: Connection[TupleRow]) -> _Sweep:
    """The sweep under way, or a new one."""
    row = connection.execute(query("audit_sweep")).fetchone()
    if row is None:
        start = {"cursors": Jsonb(dict.fromkeys(_PARTS))}
        row = connection.execute(query("start_audit_sweep"), start).fetchone()
        assert row is not None  # noqa: S101 - insert … returning one row
    return _Sweep(*row)


def _after(partition: int, place: Place) -> dict[str, int]:
    return {"partition": partition, "epoch": place.epoch, "next_offset": place.offset}


def _waiting(connection: Connection[TupleRow], partition: int, place: Place) -> int:
    params = {**_after(partition, place), "most": _MOST_WAITING}
    ((waiting,),) = connection.execute(query("audit_window_size"), params).fetchall()
    return int(waiting)


def _blocks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while block := list(islice(iterator, _BLOCK)):
        yield block


# The parts of a sweep. Each reads what comes after a cursor (None: from the start) into a scope, and gives
# how much that is and the cursor after it; less than was asked for is the end.


def _read_cases(connection: Connection[TupleRow], after: Any, most: int, scope: _Scope) -> tuple[int, Any]:
    params = {"after": after or "", "most": most}
    subjects = [subject for (subject,) in connection.execute(query("audit_subjects"), params)]
    scope.subjects.update(subjects)
    return len(subjects), subjects[-1] if subjects else after


def _read_identities(
    connection: Connection[TupleRow], after: Any, most: int, scope: _Scope
) -> tuple[int, Any]:
    event_id, subject = after or (UUID(int=0).hex, "")
    params = {"after_event_id": UUID(event_id), "after_subject": subject, "most": most}
    rows = connection.execute(query("audit_identities"), params).fetchall()
    scope.identities.update((subject, event_id) for subject, event_id, journaled in rows if journaled != 1)
    return len(rows), [rows[-1][1].hex, rows[-1][0]] if rows else after


def _read_counts(connection: Connection[TupleRow], after: Any, most: int, scope: _Scope) -> tuple[int, Any]:
    disease, basis, day = after or _BEFORE_ALL
    params = {"disease": disease, "basis": basis, "day": day, "most": most}
    rows = connection.execute(query("audit_groups"), params).fetchall()
    groups = [(disease, basis, day.isoformat()) for disease, basis, day in rows]
    scope.groups.update(groups)
    if after is None:
        dayless = connection.execute(query("audit_dayless_groups")).fetchall()
        scope.groups.update((disease, basis, None) for disease, basis in dayless)
    return len(groups), list(groups[-1]) if groups else after


def _read_totals(connection: Connection[TupleRow], after: Any, most: int, scope: _Scope) -> tuple[int, Any]:
    params = {"after": after or "", "most": most}
    diseases = [disease for (disease,) in connection.execute(query("audit_total_diseases"), params)]
    scope.total_groups.update(connection.execute(query("audit_total_groups"), {"diseases": diseases}))
    return len(diseases), diseases[-1] if diseases else after


_PARTS: Final[Mapping[str, Callable[[Connection[TupleRow], Any, int, _Scope], tuple[int, Any]]]] = {
    "cases": _read_cases,
    "identities": _read_identities,
    "counts": _read_counts,
    "totals": _read_totals,
}


def _scope_of(findings: Iterable[Finding]) -> _Scope:
    """What to look at to find these findings again."""
    scope = _Scope()
    for kind, key, *_ in findings:
        match kind, key:
            case ("state" | "ledger", (str(subject), *_)):
                scope.subjects.add(subject)
            case ("journal", (str(subject), str(event_id))):
                scope.identities.add((subject, UUID(event_id)))
            case ("daily", (str(disease), _, str(basis), day, _, _)):
                scope.groups.add((disease, basis, day))
            case ("totals", (str(disease), _, _, year, str(basis))):
                scope.total_groups.add((disease, basis, None if year is None else int(year)))
            case _:
                raise ValueError(f"a finding of {kind} has no key {key}")
    return scope


_Books = tuple[list[JournaledEvent], Case | None, dict[CountKey, Amounts]]


def _read_books(
    connection: Connection[TupleRow], subjects: list[str], catalogue: Catalogue
) -> dict[str, _Books]:
    """The books of some cases: journaled events, stored state, ledger summed per key."""
    params = {"subjects": subjects}
    journals: dict[str, list[JournaledEvent]] = {}
    journal = connection.execute(query("audit_subject_journal"), params)
    for subject, rows in groupby(journal, key=itemgetter(0)):
        journals[subject] = [
            JournaledEvent(row[1], None if is_parked else event_of_journal(catalogue, *row), has_identity)
            for *row, is_parked, has_identity in rows
        ]
    cases = {
        subject: case_from_row(*row)
        for subject, *row in connection.execute(query("audit_subject_cases"), params)
    }
    ledgers: dict[str, dict[CountKey, Amounts]] = {}
    for subject, *row in connection.execute(query("audit_subject_ledger"), params):
        ledgers.setdefault(subject, {})[CountKey(*row[:6])] = tuple(row[6:])
    return {
        subject: (journals.get(subject, []), cases.get(subject), ledgers.get(subject, {}))
        for subject in subjects
    }


def _identity_findings(
    connection: Connection[TupleRow], identities: Sequence[tuple[str, UUID]]
) -> Iterator[Finding]:
    params = {
        "subjects": [subject for subject, _ in identities],
        "event_ids": [event_id for _, event_id in identities],
    }
    for subject, event_id, has_identity, journaled in connection.execute(
        query("audit_identity_rows"), params
    ):
        # Neither known nor journaled: nobody has heard of it.
        if (has_identity, journaled) not in ((True, 1), (False, 0)):
            yield Finding(
                "journal",
                (subject, str(event_id)),
                {"rows": journaled, "identity": has_identity},
                {"rows": 1, "identity": True},
            )


def _daily_findings(connection: Connection[TupleRow], groups: Sequence[Group]) -> Iterator[Finding]:
    diseases, bases, days = zip(*groups, strict=True)
    params = {"diseases": list(diseases), "bases": list(bases), "days": list(days)}
    for *key, stored, summed in connection.execute(query("audit_group_differences"), params):
        yield Finding("daily", tuple(key), named(stored), named(summed))


def _total_findings(connection: Connection[TupleRow], groups: Sequence[TotalGroup]) -> Iterator[Finding]:
    diseases, bases, years = zip(*groups, strict=True)
    params = {"diseases": list(diseases), "bases": list(bases), "years": list(years)}
    for *key, stored, counted in connection.execute(query("audit_total_differences"), params):
        disease, via, district_id, year, basis = key
        yield Finding(
            "totals",
            (disease, via, district_id, None if year is None else str(year), basis),
            named(stored),
            named(counted),
        )


def _year(day: str | None) -> int | None:
    return None if day is None else int(day[:4])


def _save_findings(
    connection: Connection[TupleRow],
    found: Mapping[_Identity, Finding],
    known: Iterable[_Identity],
    in_order: Sequence[int],
) -> None:
    # Those that are open already come first: they are to be seen again.
    is_open = set(known)
    for key in sorted(found, key=lambda key: key not in is_open)[:MOST_OPEN]:
        kind, parts, stored, recomputed = found[key]
        connection.execute(
            query("save_audit_finding"),
            {
                "kind": kind,
                "key": Jsonb(list(parts)),
                "stored": Jsonb(stored),
                "recomputed": Jsonb(recomputed),
            },
        )
    connection.execute(query("resolve_audit_findings"), {"finding_ids": list(in_order)})

"""The books must balance: ledger sum = counts = group-by of cases = fold of the journal."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import add, itemgetter
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain import canary
from streams.domain.calendar import microseconds
from streams.domain.case import AREA, Case, CaseEvent, contribution_of
from streams.domain.catalogue import Catalogue
from streams.domain.counts import ZERO, Amounts, Contribution, CountKey, changes
from streams.domain.judging import judge, kind_of
from streams.stores.catalogue import read_catalogue
from streams.stores.counts import one_view
from streams.stores.tables import case_from_row

Sums = dict[CountKey, Amounts]


@dataclass(frozen=True, slots=True)
class Audit:
    """Sizes of the tables without canaries, and how many keys of each kind differ from their recomputation.

    `daily`: daily counts that differ from the group-by of cases or from the fold of the journal.
    `totals`: district totals that are not the sum of their daily counts.
    `ledger`: daily counts that are not the sum of their ledger rows.
    `state`: cases whose stored state is not the fold of their journaled events.
    `journal`: identities that do not have exactly one row in the journal.
    """

    events: int
    cases: int
    parked: int
    daily: int
    totals: int
    ledger: int
    state: int
    journal: int

    @property
    def is_clean(self) -> bool:
        """No drift anywhere."""
        return not (self.daily or self.totals or self.ledger or self.state or self.journal)


def audit(connection: Connection[TupleRow], advance: Callable[[int], None] = lambda _: None) -> Audit:
    """Recompute every count from the cases and from the journal, in one consistent view of the tables.

    Args:
        connection: Used for one read-only transaction; the stream goes on meanwhile.
        advance: Called with the number of events folded since the last call.
    """
    before, connection.read_only = connection.read_only, True
    try:
        with one_view(connection):
            catalogue = read_catalogue(connection)
            events, cases, parked = read_sizes(connection)
            from_journal, from_cases, state = _recompute(connection, catalogue, advance)
            stored = {CountKey(*row[:6]): tuple(row[6:]) for row in connection.execute(query("daily_counts"))}
            daily = {
                key
                for key in stored.keys() | from_journal.keys() | from_cases.keys()
                if not (stored.get(key, ZERO) == from_journal.get(key, ZERO) == from_cases.get(key, ZERO))
            }
            (totals,) = connection.execute(query("audit_totals")).fetchone() or (0,)
            (ledger,) = connection.execute(query("audit_ledger")).fetchone() or (0,)
            (journal,) = connection.execute(query("audit_journal_faults")).fetchone() or (0,)
            return Audit(events, cases, parked, len(daily), totals, ledger, state, journal)
    finally:
        connection.read_only = before


def read_sizes(connection: Connection[TupleRow]) -> tuple[int, int, int]:
    """How many events, cases and parked events there are, the canary's left out."""
    row = connection.execute(query("audit_sizes"), {"canaries": canary.PREFIX}).fetchone()
    assert row is not None  # noqa: S101 - a select without from
    events, cases, parked = row
    return events, cases, parked


def _recompute(
    connection: Connection[TupleRow], catalogue: Catalogue, advance: Callable[[int], None]
) -> tuple[Sums, Sums, int]:
    """Sums from the journal, sums from the cases, and how many cases' states differ."""
    from_journal: Sums = {}
    from_cases: Sums = {}
    differing = 0
    with (
        connection.cursor(name="audit_journal") as journal,
        connection.cursor(name="audit_cases") as cases,
    ):
        journal.itersize = cases.itersize = 5_000
        journal.execute(query("audit_journal"))
        cases.execute(query("audit_cases"))
        stored = ((subject, case_from_row(*row)) for subject, *row in cases)
        for folded, found in _side_by_side(_folded(journal, catalogue, advance), stored):
            if folded is None or found is None or folded.registers != found.registers:
                differing += 1
            if folded is not None:
                _add(from_journal, contribution_of(folded, catalogue))
            if found is not None:
                _add(from_cases, found.contribution)
    return from_journal, from_cases, differing


def _folded(
    rows: Iterable[tuple[Any, ...]], catalogue: Catalogue, advance: Callable[[int], None]
) -> Iterator[tuple[str, Case]]:
    for subject, events in groupby(rows, key=itemgetter(0)):
        case = Case()
        number = 0
        for row in events:
            case.apply(event_of_journal(catalogue, *row))
            number += 1
        advance(number)
        yield subject, case


def event_of_journal(
    catalogue: Catalogue,
    subject: str,
    event_id: UUID,
    event_type: str,
    event_time: datetime,
    data: dict[str, Any],
    area_id: str | None,
) -> CaseEvent:
    """The event to fold, from the columns of its row in the journal."""
    time, kind = microseconds(event_time), kind_of(event_type)
    if area_id is not None:
        # Resolved once, from its own event: what was known then stands, whatever the code means today.
        data = {name: value for name, value in data.items() if name != "area_code"}
    judged, _ = judge(kind, subject, event_id, time, data, catalogue)
    if not isinstance(judged, CaseEvent):
        # Journaled as folded, yet the catalogue does not know its codes: drift of the state, not a crash.
        return CaseEvent(subject, event_id, time, kind, ())
    if area_id is not None:
        return CaseEvent(subject, event_id, time, kind, (*judged.writes, (AREA, area_id)))
    return judged


def _side_by_side(
    left: Iterator[tuple[str, Case]], right: Iterator[tuple[str, Case]]
) -> Iterator[tuple[Case | None, Case | None]]:
    """Pair two runs in subject order; the absent side is None."""
    a, b = next(left, None), next(right, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a[0] < b[0]):
            yield a[1] if a else None, None
            a = next(left, None)
        elif a is None or b[0] < a[0]:
            yield None, b[1]
            b = next(right, None)
        else:
            yield a[1], b[1]
            a, b = next(left, None), next(right, None)


def _add(sums: Sums, contribution: Contribution | None) -> None:
    for key, amounts in changes(None, contribution):
        sums[key] = tuple(map(add, sums.get(key, ZERO), amounts))

"""Rows of the cases, the ledger and the counts: read under lock, written set-wise by COPY.

Temporary staging tables and COPY are an order of magnitude faster than a statement per event.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import add
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.catalogue import Catalogue
from streams.domain.counts import COUNTERS, ZERO, Amounts, Contribution, CountChange, CountKey, changes, net
from streams.domain.judging import ParkedReason
from streams.stores.copying import NULL, array_literal, copy_lines, copy_rows, escaped

STAGING = (
    "create temporary table if not exists staged_ids (subject text, event_id uuid, content_hash bytea) "
    "on commit delete rows",
    "create temporary table if not exists staged_cases (like cases including defaults) on commit delete rows",
    "create temporary table if not exists staged_counts (like daily_counts) on commit delete rows",
    "create temporary table if not exists staged_totals (like district_totals) on commit delete rows",
)
"""The temporary tables that folding needs on its connection."""


_COPY_LEDGER = (
    "copy count_changes (known_at, subject, event_id, disease, area_id, basis, day, via, agent, "
    f"{', '.join(COUNTERS)}, epoch, kafka_partition, kafka_offset, load_id) from stdin"
)


class Cause(NamedTuple):
    """What moves a count: an event folded as it comes (with its place in the log), or a catalogue load.

    `event_id` is the event's, also of one that was parked and that a load folds; else the load's own.
    """

    known_at: datetime
    event_id: UUID
    epoch: int | None = None
    partition: int | None = None
    offset: int | None = None
    load_id: int | None = None


LedgerRow = tuple[str, Cause, CountChange]
"""(subject, cause, change)."""


def recount(case: Case, subject: str, cause: Cause, catalogue: Catalogue) -> list[LedgerRow]:
    """Bring a case's contribution up to date; the ledger rows that say how it moved, and why."""
    before, case.contribution = case.contribution, contribution_of(case, catalogue)
    return [(subject, cause, change) for change in changes(before, case.contribution)]


def fold_events(
    cursor: Cursor[TupleRow], events: Sequence[tuple[Cause, CaseEvent]], catalogue: Catalogue
) -> list[LedgerRow]:
    """Fold events in the order given into cases, ledger, counts and totals; the ledger rows."""
    rows = fold_but_counts(cursor, events, catalogue)
    add_to_counts(cursor, (change for *_, change in rows), catalogue)
    return rows


def fold_but_counts(
    cursor: Cursor[TupleRow], events: Sequence[tuple[Cause, CaseEvent]], catalogue: Catalogue
) -> list[LedgerRow]:
    """Fold events in the order given into cases and ledger alone; the ledger rows, whose sums counts are."""
    cases = lock_cases(cursor, {event.subject for _, event in events})
    rows: list[LedgerRow] = []
    for cause, event in events:
        case = cases[event.subject]
        case.apply(event)
        rows.extend(recount(case, event.subject, cause, catalogue))
    write_cases(cursor, cases)
    write_ledger(cursor, rows)
    return rows


def write_moved(
    cursor: Cursor[TupleRow], cases: Mapping[str, Case], rows: Sequence[LedgerRow], catalogue: Catalogue
) -> None:
    """Write cases, the ledger rows that say how they moved, and the counts that these move."""
    write_cases(cursor, cases)
    write_ledger(cursor, rows)
    add_to_counts(cursor, (change for *_, change in rows), catalogue)


def lock_cases(cursor: Cursor[TupleRow], subjects: Iterable[str]) -> dict[str, Case]:
    """The cases of the subjects, locked in key order until the transaction ends; new ones are empty."""
    in_order = sorted(subjects)
    cases = {subject: Case() for subject in in_order}
    cursor.execute(query("lock_cases"), {"subjects": in_order})
    cases.update((subject, case_from_row(*row)) for subject, *row in cursor)
    return cases


def case_from_row(registers: dict[str, list[Any]], *counted: Any) -> Case:
    """A case from its columns: registers, then the eight counted_ columns."""
    disease, area_id, onset_day, report_day, death_day, flags, resolved, agents = counted
    contribution = None
    if disease is not None:
        pairs = tuple((agent, to) for agent, _, to in (pair.partition("=") for pair in resolved))
        contribution = Contribution(
            disease, area_id, onset_day, report_day, death_day, flags, pairs, tuple(agents)
        )
    return Case({name: (stamp, value) for name, (stamp, value) in registers.items()}, contribution)


def write_cases(cursor: Cursor[TupleRow], cases: Mapping[str, Case]) -> None:
    """Insert or replace cases."""
    if not cases:
        return
    copy_rows(
        cursor,
        "copy staged_cases (subject, registers, counted_disease, counted_area_id, counted_onset_day, "
        "counted_report_day, counted_death_day, counted_flags, counted_resolved, counted_agents) from stdin",
        (
            (subject, escaped(orjson.dumps(case.registers).decode()), *_counted(case.contribution))
            for subject, case in cases.items()
        ),
    )
    cursor.execute(query("upsert_staged_cases"))


def _counted(contribution: Contribution | None) -> tuple[str, ...]:
    if contribution is None:
        return (NULL, NULL, NULL, NULL, NULL, NULL, "{}", "{}")
    c = contribution
    return (
        c.disease,
        c.area_id,
        c.onset_day,
        c.report_day,
        c.death_day or NULL,
        str(c.flags),
        array_literal([f"{agent}={disease}" for agent, disease in c.resolved]),
        array_literal(c.agents),
    )


def write_ledger(cursor: Cursor[TupleRow], rows: Iterable[LedgerRow]) -> None:
    """Append signed rows to the count ledger."""
    copy_lines(cursor, _COPY_LEDGER, _ledger_lines(rows))


def _ledger_lines(rows: Iterable[LedgerRow]) -> Iterator[str]:
    known: tuple[str, Cause] | None = None
    for subject, cause, (key, amounts) in rows:
        # The rows of one event follow each other.
        if known is None or cause is not known[1] or subject != known[0]:
            known = subject, cause
            begin = f"{cause.known_at.isoformat()}\t{subject}\t{cause.event_id.hex}\t"
            place = (cause.epoch, cause.partition, cause.offset, cause.load_id)
            end = "\t".join([NULL if value is None else str(value) for value in place])
        yield f"{begin}{_key(key)}\t{_text_of(amounts)}\t{end}"


def write_parked(
    cursor: Cursor[TupleRow], parked: Sequence[tuple[str, UUID, datetime, ParkedReason, str]]
) -> None:
    """List parked events: subject, event id, known_at, reason, code."""
    if parked:
        copy_rows(
            cursor,
            "copy parked_events (subject, event_id, known_at, reason, code) from stdin",
            (
                (subject, event_id.hex, known_at.isoformat(), reason, escaped(code))
                for subject, event_id, known_at, reason, code in parked
            ),
        )


def _key(key: CountKey) -> str:
    disease, area_id, basis, day, via, agent = key
    return f"{disease}\t{area_id}\t{basis}\t{day or NULL}\t{via}\t{agent}"


@lru_cache(maxsize=4_096)
def _text_of(amounts: Amounts) -> str:
    return "\t".join(map(str, amounts))


def add_to_counts(cursor: Cursor[TupleRow], moved: Iterable[CountChange], catalogue: Catalogue) -> None:
    """Add changes to the daily counts and the district totals, each key once and in key order."""
    daily = net(moved)
    if not daily:
        return
    totals: dict[tuple[str, str, str, str, str], Amounts] = {}
    for key, amounts in daily.items():
        if not key.agent:
            year = NULL if key.day is None else key.day[:4]
            total = (key.disease, key.via, catalogue.areas.total_id(key.area_id), year, key.basis)
            totals[total] = tuple(map(add, totals.get(total, ZERO), amounts))
    copy_lines(
        cursor,
        "copy staged_counts from stdin",
        [f"{_key(key)}\t{_text_of(amounts)}" for key, amounts in daily.items()],
    )
    cursor.execute(query("add_staged_counts"))
    copy_rows(
        cursor,
        "copy staged_totals from stdin",
        ((*total, _text_of(amounts)) for total, amounts in totals.items() if amounts != ZERO),
    )
    cursor.execute(query("add_staged_totals"))

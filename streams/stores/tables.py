"""Rows of the cases, the ledger and the counts: read under lock, written set-wise by COPY.

Temporary staging tables and COPY are an order of magnitude faster than a statement per event.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import add
from typing import Any
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.case import Case, contribution_of
from streams.domain.catalogue import Catalogue
from streams.domain.counts import ZERO, Amounts, Basis, Contribution, CountChange, changes, net

STAGING = (
    "create temporary table staged_cases (like cases including defaults) on commit delete rows",
    "create temporary table staged_counts (like daily_counts) on commit delete rows",
    "create temporary table staged_totals (like district_totals) on commit delete rows",
)
"""The temporary tables that `write_cases` and `add_to_counts` need on their connection."""

LedgerRow = tuple[datetime, str, UUID, CountChange]
"""(known_at, subject, event id, change)."""


def recount(
    case: Case, known_at: datetime, subject: str, cause: UUID, catalogue: Catalogue
) -> list[LedgerRow]:
    """Bring a case's contribution up to date; the ledger rows that say how it moved, under its cause's id."""
    before, case.contribution = case.contribution, contribution_of(case, catalogue)
    return [(known_at, subject, cause, change) for change in changes(before, case.contribution)]


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
    with cursor.copy(
        "copy staged_cases (subject, registers, counted_disease, counted_area_id, counted_onset_day, "
        "counted_report_day, counted_death_day, counted_flags, counted_resolved, counted_agents) from stdin"
    ) as copy:
        for subject, case in cases.items():
            c = case.contribution
            registers = orjson.dumps(case.registers).decode()
            if c is None:
                copy.write_row((subject, registers, *([None] * 6), [], []))
            else:
                resolved = [f"{agent}={disease}" for agent, disease in c.resolved]
                copy.write_row((subject, registers, *c[:6], resolved, list(c.agents)))
    cursor.execute(query("upsert_staged_cases"))


def write_ledger(cursor: Cursor[TupleRow], rows: Iterable[LedgerRow]) -> None:
    """Append signed rows to the count ledger."""
    with cursor.copy("copy count_changes from stdin") as copy:
        for known_at, subject, event_id, (key, amounts) in rows:
            copy.write_row((known_at, subject, event_id, *key, *amounts))


def add_to_counts(cursor: Cursor[TupleRow], moved: Iterable[CountChange], catalogue: Catalogue) -> None:
    """Add changes to the daily counts and the district totals, each key once and in key order."""
    daily = net(moved)
    if not daily:
        return
    totals: dict[tuple[str, str, str, int | None, Basis], Amounts] = {}
    with cursor.copy("copy staged_counts from stdin") as copy:
        for key, amounts in daily.items():
            copy.write_row((*key, *amounts))
            if key.agent:
                continue
            year = None if key.day is None else int(key.day[:4])
            total = (key.disease, key.via, catalogue.areas.total_id(key.area_id), year, key.basis)
            totals[total] = tuple(map(add, totals.get(total, ZERO), amounts))
    cursor.execute(query("add_staged_counts"))
    with cursor.copy("copy staged_totals from stdin") as copy:
        for total, amounts in totals.items():
            if amounts != ZERO:
                copy.write_row((*total, *amounts))
    cursor.execute(query("add_staged_totals"))

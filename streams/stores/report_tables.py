"""Rows of tallies, foci and their ledger: read under lock, written set-wise, each as one JSON document.

Reports are few beside cases, so that a document of rows is fast enough and its types are the tables' own.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.calendar import microseconds
from streams.domain.catalogue import Catalogue
from streams.domain.focus import Focus, figures_of_focus, focus_of
from streams.domain.judging import ParkedReason
from streams.domain.reports import (
    FigureChange,
    Figures,
    Report,
    ReportEvent,
    ReportKind,
    figure_changes,
    judge_report,
)
from streams.domain.tally import Tally, figures_of_tally, tally_of
from streams.stores.tables import Cause

FigureRow = tuple[str, Cause, FigureChange]
"""(subject, cause, change)."""

_Stored = tuple[Report, Tally | Focus | None]
"""A report and what of it stands in the ledger: read from its row, never recomputed."""


def fold_reports(
    cursor: Cursor[TupleRow], kind: ReportKind, events: Sequence[tuple[Cause, ReportEvent]]
) -> list[FigureRow]:
    """Fold events of one kind in the order given into its table and the ledger; the ledger rows."""
    stored = _lock(cursor, kind, {event.subject for _, event in events})
    rows: list[FigureRow] = []
    known_at: dict[str, datetime] = {}
    for cause, event in events:
        report, before = stored[event.subject]
        report.apply(event)
        after = tally_of(report) if kind == "tally" else focus_of(report)
        stored[event.subject] = (report, after)
        if after != before:
            known_at[event.subject] = cause.known_at
        rows.extend(
            (event.subject, cause, change) for change in figure_changes(figures_of(before), figures_of(after))
        )
    # An event that loses to a later one moves nothing, but its stamp stands nowhere else: written, too.
    documents = [
        {
            "subject": subject,
            "registers": report.registers,
            "known_at": known_at.get(subject),
            **row._asdict(),
        }
        for subject, (report, row) in stored.items()
        if row is not None
    ]
    statement = query("upsert_tallies") if kind == "tally" else query("upsert_foci")
    cursor.execute(statement, {"rows": orjson.dumps(documents).decode()})
    _write_ledger(cursor, rows)
    return rows


def figures_of(row: Tally | Focus | None) -> Figures:
    """What a tally or a focus contributes."""
    return figures_of_focus(row) if isinstance(row, Focus) else figures_of_tally(row)


def _lock(cursor: Cursor[TupleRow], kind: ReportKind, subjects: Iterable[str]) -> dict[str, _Stored]:
    """The reports of the subjects, locked in key order until the transaction ends; new ones are empty."""
    in_order = sorted(subjects)
    stored: dict[str, _Stored] = {subject: (Report(), None) for subject in in_order}
    cursor.execute(query("lock_tallies") if kind == "tally" else query("lock_foci"), {"subjects": in_order})
    for subject, registers, *row in cursor.fetchall():
        stored[subject] = (
            report_from(registers),
            Tally._make(row) if kind == "tally" else Focus._make(row),
        )
    return stored


def report_from(registers: dict[str, list[Any]]) -> Report:
    """A report from its column."""
    return Report({name: (stamp, value) for name, (stamp, value) in registers.items()})


def _write_ledger(cursor: Cursor[TupleRow], rows: Sequence[FigureRow]) -> None:
    documents = [
        {
            "known_at": cause.known_at,
            "subject": subject,
            "event_id": cause.event_id,
            **change.key._asdict(),
            **change.amounts._asdict(),
            "epoch": cause.epoch,
            "kafka_partition": cause.partition,
            "kafka_offset": cause.offset,
            "load_id": cause.load_id,
        }
        for subject, cause, change in rows
    ]
    if documents:
        cursor.execute(query("insert_figure_changes"), {"rows": orjson.dumps(documents).decode()})


def write_parked_reports(
    cursor: Cursor[TupleRow],
    kind: ReportKind,
    parked: Sequence[tuple[str, UUID, datetime, ParkedReason, str]],
) -> None:
    """List parked events: subject, event id, known_at, reason, code."""
    for subject, event_id, known_at, reason, code in parked:
        cursor.execute(
            query("insert_parked_report"),
            {
                "kind": kind,
                "subject": subject,
                "event_id": event_id,
                "known_at": known_at,
                "reason": reason,
                "code": code,
            },
        )


def fold_parked_reports(cursor: Cursor[TupleRow], catalogue: Catalogue, known_at: datetime) -> int:
    """Fold the parked tallies and foci whose codes the catalogue knows; how many events that is."""
    cursor.execute(query("parked_reports"))
    known: dict[ReportKind, list[ReportEvent]] = {"tally": [], "focus": []}
    for kind, subject, event_id, event_time, data in cursor.fetchall():
        judged, _ = judge_report(kind, subject, event_id, microseconds(event_time), data, catalogue)
        if isinstance(judged, ReportEvent):
            known[judged.kind].append(judged)
    for kind, events in known.items():
        if events:
            causes = [Cause(known_at, event.event_id, load_id=catalogue.load_id) for event in events]
            fold_reports(cursor, kind, list(zip(causes, events, strict=True)))
            cursor.execute(
                query("unpark_reports"),
                {
                    "folded_at": known_at,
                    "kind": kind,
                    "subjects": [event.subject for event in events],
                    "event_ids": [event.event_id for event in events],
                },
            )
    return sum(map(len, known.values()))

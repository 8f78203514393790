"""What the database knows of one event id: where it stands in the journal, and its dead letters."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.calendar import microseconds
from streams.domain.case import CaseEvent
from streams.domain.judging import Parked, event_with_area, kind_of
from streams.domain.receipts import BuriedEvent, Fate, JournaledEvent, overruled_fields
from streams.domain.reports import ReportEvent, report_event


def read_fate(connection: Connection[TupleRow], event_id: UUID, subject: str | None = None) -> Fate:
    """What became of the events with an id (of every subject, or of one).

    Args:
        connection: Used for two queries.
        event_id: The event's id. One id may have been used with several subjects.
        subject: Only of this subject.
    """
    asked = {"event_id": event_id, "subject": subject}
    with connection.cursor(row_factory=dict_row) as cursor:
        journaled = cursor.execute(query("event_receipts"), asked).fetchall()
        buried = cursor.execute(query("event_dead_letters"), asked).fetchall()
    return Fate(event_id, [_journaled(event_id, row) for row in journaled], [_buried(row) for row in buried])


def _journaled(event_id: UUID, row: Mapping[str, Any]) -> JournaledEvent:
    reason = row["parked_reason"]
    overruled: tuple[str, ...] = ()
    is_overruled = False
    if reason is None:
        event = _folded(event_id, row)
        overruled = overruled_fields(
            event, {name: (at, value) for name, (at, value) in row["registers"].items()}
        )
        is_overruled = bool(event.writes) and len(overruled) == len(event.writes)
    return JournaledEvent(
        row["subject"],
        row["event_type"],
        row["known_at"],
        row["source"],
        row["area_id"],
        None if reason is None else Parked(reason, row["parked_code"]),
        overruled,
        is_overruled,
        row["is_counted"],
    )


def _folded(event_id: UUID, row: Mapping[str, Any]) -> CaseEvent | ReportEvent:
    """The event as the fold saw it; which area it named does not matter here."""
    subject, time, data, area_id = (
        row["subject"],
        microseconds(row["event_time"]),
        row["data"],
        row["area_id"],
    )
    if row["kind"] == "case":
        return event_with_area(kind_of(row["event_type"]), subject, event_id, time, data, area_id)
    return report_event(row["kind"], subject, event_id, time, data, area_id)


def _buried(row: Mapping[str, Any]) -> BuriedEvent:
    source = orjson.loads(row["record"]).get("source")
    return BuriedEvent(
        row["dead_letter_id"],
        row["subject"],
        row["known_at"],
        row["error"],
        row["problems"],
        source if isinstance(source, str) else None,
        row["retried_at"],
    )

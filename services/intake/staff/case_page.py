"""A case's history for people: what each event changed, and what of it no longer stands. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from streams.domain.calendar import microseconds
from streams.domain.case import LAB, LAB_PREFIX, RETRACTED, CaseEvent, Stamp
from streams.domain.judging import event_with_area, kind_of


@dataclass(frozen=True, slots=True)
class Change:
    """What an event says of one field.

    Attributes:
        field: Register: a field's name, `area_id`, `lab.<agent>`, `retracted`.
        before: What stood before it, by the order of recording; None: nothing.
        after: What it says; None: back to the default.
        overruled_by: When what stands instead was recorded; None: it stands.
    """

    field: str
    before: Any
    after: Any
    overruled_by: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a case's history.

    Attributes:
        event_id: Its id.
        kind: reported, updated or retracted.
        recorded_at: When its reporter recorded it.
        known_at: When the system learned of it; None: not yet in the journal.
        source: Who sent it, as the event says.
        parked: Why it is not folded; None: it is.
        changes: What it says, in the order of the event.
    """

    event_id: UUID
    kind: str
    recorded_at: datetime
    known_at: datetime | None
    source: str
    parked: str | None
    changes: Sequence[Change]

    @property
    def is_overruled(self) -> bool:
        """Whether anything of it no longer stands."""
        return any(change.overruled_by is not None for change in self.changes)


def history(subject: str, events: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """A case's events, the latest recorded first.

    Args:
        subject: The case's code.
        events: Rows of schemas/sql/queries/case_history.sql.
    """
    rows = [(_folded(subject, row), row) for row in events]
    rows.sort(key=lambda pair: pair[0].stamp)
    written: dict[str, list[tuple[Stamp, Any, datetime]]] = {}
    for event, row in rows:
        if not row["parked_reason"]:
            for name, value in _writes(event):
                written.setdefault(name, []).append((event.stamp, value, row["event_time"]))
    return [_entry(event, row, written) for event, row in reversed(rows)]


def overruled_fields(entries: Iterable[Entry], event_id: UUID) -> list[str]:
    """The fields of an event that do not stand, because something recorded later says otherwise."""
    return [
        change.field
        for entry in entries
        if entry.event_id == event_id
        for change in entry.changes
        if change.overruled_by is not None and entry.parked is None
    ]


def _folded(subject: str, row: Mapping[str, Any]) -> CaseEvent:
    kind = kind_of(row["event_type"])
    return event_with_area(
        kind, subject, row["event_id"], microseconds(row["event_time"]), row["data"], row["area_id"]
    )


def _writes(event: CaseEvent) -> list[tuple[str, Any]]:
    """The registers that an event writes; a report also takes back every retraction before it."""
    writes = list(event.writes)
    return [*writes, (RETRACTED, None)] if event.kind == "reported" else writes


def _entry(
    event: CaseEvent, row: Mapping[str, Any], written: Mapping[str, list[tuple[Stamp, Any, datetime]]]
) -> Entry:
    changes = []
    for name, value in _writes(event):
        others = written.get(name, [])
        before = next((said for stamp, said, _ in reversed(others) if stamp < event.stamp), None)
        after = next(((stamp, said, at) for stamp, said, at in reversed(others)), None)
        if name.startswith(LAB_PREFIX):
            reset = written.get(LAB, [])
            if reset and (after is None or reset[-1][0] > after[0]):
                after = reset[-1]
        if name == RETRACTED and value is None and before is None:
            # Nearly every report: nothing was retracted before it.
            continue
        stands = after is None or after[0] <= event.stamp or after[1] == value
        changes.append(Change(name, before, value, None if stands or after is None else after[2]))
    return Entry(
        event.event_id,
        event.kind,
        row["event_time"],
        row["known_at"],
        row["source"],
        row["parked_reason"],
        changes,
    )

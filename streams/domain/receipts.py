"""What became of an event that somebody sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from streams.domain.case import AREA, LAB, LAB_PREFIX, CaseEvent, Register
from streams.domain.judging import Parked
from streams.domain.reports import ReportEvent


@dataclass(frozen=True, slots=True)
class JournaledEvent:
    """An event in the journal.

    Attributes:
        subject: Of the event.
        event_type: CloudEvents type.
        known_at: When the system learned of it.
        source: Who sent it, as the event says.
        area_id: Where it belongs: the area that it names, else that of its case now; None where neither is
            known.
        parked: Why it is not folded yet; None where it is folded.
        overruled: Fields that it set and a later entry has set again, as in its data (`lab.measles` for one
            agent; `retracted` for a retraction).
        is_overruled: Nothing of what it set stands any more.
        is_counted: Whether its case (its tally, its focus) counts at present.
    """

    subject: str
    event_type: str
    known_at: datetime
    source: str
    area_id: str | None
    parked: Parked | None
    overruled: tuple[str, ...]
    is_overruled: bool
    is_counted: bool


@dataclass(frozen=True, slots=True)
class BuriedEvent:
    """A dead letter of an event; `problems` are {field, code, message_vi, message_en}.

    Attributes:
        dead_letter_id: As `canhdich dead-letters list` shows it.
        subject: Of the event; None where that was not fit to be kept.
        known_at: When the stream read the record.
        error: Which kind of reason.
        problems: Every reason.
        source: Who sent it; None where that was not fit to be kept.
        retried_at: When it was sent again, repaired.
    """

    dead_letter_id: int
    subject: str | None
    known_at: datetime
    error: str
    problems: Sequence[Mapping[str, str]]
    source: str | None
    retried_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fate:
    """All that the database knows of an event id."""

    event_id: UUID
    journaled: Sequence[JournaledEvent]
    buried: Sequence[BuriedEvent]


def overruled_fields(event: CaseEvent | ReportEvent, registers: Mapping[str, Register]) -> tuple[str, ...]:
    """The fields that an event set and that no longer stand, because a later entry set them.

    Args:
        event: As it was folded.
        registers: Of its case, tally or focus now.

    >>> event = CaseEvent("LC-1", UUID(int=1), 0, "updated", (("sex", "male"), ("lab.measles", "positive")))
    >>> later = "1".zfill(16) + "0" * 32
    >>> overruled_fields(event, {"sex": (event.stamp, "male"), "lab.measles": (later, "negative")})
    ('lab.measles',)
    """
    stamp = event.stamp
    found = []
    for name, _ in event.writes:
        latest = registers[name][0] if name in registers else stamp
        if name.startswith(LAB_PREFIX) and LAB in registers:
            latest = max(latest, registers[LAB][0])
        if latest > stamp:
            found.append("area_code" if name == AREA else name)
    return tuple(found)

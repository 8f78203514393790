"""Resolve an event's codes once, by the event itself: fold it, or park it until the catalogue knows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from streams.domain.calendar import local_day
from streams.domain.case import AREA, LAB, LAB_PREFIX, RETRACTED, CaseEvent, Kind
from streams.domain.catalogue import Catalogue

ParkedReason = Literal["unknown_disease", "unknown_area"]


@dataclass(frozen=True, slots=True)
class Parked:
    """Why an event cannot be folded yet, and the code that the catalogue does not know."""

    reason: ParkedReason
    code: str


def judge(
    kind: Kind, subject: str, event_id: UUID, time: int, data: Mapping[str, Any], catalogue: Catalogue
) -> tuple[CaseEvent | Parked, str | None]:
    """What to fold, or why the event is parked; and the id of the area that it names, if it names one.

    Args:
        kind: reported, updated or retracted.
        subject: The case's own code.
        event_id: The event's id.
        time: When the reporter recorded the fact, microseconds since 1970.
        data: The event's fields as JSON has them (days as ISO text); only those present.
        catalogue: What is known of diseases and areas.
    """
    area_id = None
    if kind != "retracted":
        found = area_named(time, data, catalogue)
        if isinstance(found, Parked):
            return found, None
        area_id = found
    return event_with_area(kind, subject, event_id, time, data, area_id), area_id


def area_named(time: int, data: Mapping[str, Any], catalogue: Catalogue) -> str | Parked | None:
    """The id of the area that a report or an update names, None where it names none; or why it is parked.

    Args:
        time: When the reporter recorded the fact, microseconds since 1970.
        data: The event's fields as JSON has them (days as ISO text); only those present.
        catalogue: What is known of diseases and areas.
    """
    disease = data.get("disease")
    if disease is not None and disease not in catalogue.resolves_to:
        return Parked("unknown_disease", disease)
    code = data.get("area_code")
    if code is None:
        return None
    on = data.get("area_on") or data.get("onset_on") or data.get("reported_on") or local_day(time)
    area = catalogue.areas.resolve(code, on)
    return Parked("unknown_area", code) if area is None else area.id


def event_with_area(
    kind: Kind, subject: str, event_id: UUID, time: int, data: Mapping[str, Any], area_id: str | None
) -> CaseEvent:
    """The event to fold, its codes known and its area resolved: once and for all, so also from the journal.

    Args:
        kind: reported, updated or retracted.
        subject: The case's own code.
        event_id: The event's id.
        time: When the reporter recorded the fact, microseconds since 1970.
        data: The event's fields as JSON has them (days as ISO text); only those present.
        area_id: The area that data's `area_code` means; None where it names none.
    """
    if kind == "retracted":
        return CaseEvent(subject, event_id, time, kind, ((RETRACTED, dict(data)),))
    writes: list[tuple[str, Any]] = []
    for name, value in data.items():
        if name == "area_code":
            writes.append((AREA, area_id))
        elif name == "lab":
            if value is None:
                writes.append((LAB, None))
            else:
                writes.extend((LAB_PREFIX + agent, result) for agent, result in value.items())
        elif name != "area_on":
            writes.append((name, value))
    return CaseEvent(subject, event_id, time, kind, tuple(writes))


def kind_of(event_type: str) -> Kind:
    """The kind of a case event from its CloudEvents type.

    >>> kind_of("vn.canhdich.case.reported.v1")
    'reported'
    """
    return _KINDS[event_type]


_KINDS: dict[str, Kind] = {
    "vn.canhdich.case.reported.v1": "reported",
    "vn.canhdich.case.updated.v1": "updated",
    "vn.canhdich.case.retracted.v1": "retracted",
}

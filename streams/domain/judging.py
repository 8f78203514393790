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
    if kind == "retracted":
        return CaseEvent(subject, event_id, time, kind, ((RETRACTED, dict(data)),)), None
    disease = data.get("disease")
    if disease is not None and disease not in catalogue.resolves_to:
        return Parked("unknown_disease", disease), None
    area_id = None
    writes: list[tuple[str, Any]] = []
    for name, value in data.items():
        if name == "area_code":
            if value is not None:
                on = data.get("area_on") or data.get("onset_on") or data.get("reported_on") or local_day(time)
                area = catalogue.areas.resolve(value, on)
                if area is None:
                    return Parked("unknown_area", value), None
                area_id = area.id
            writes.append((AREA, area_id))
        elif name == "lab":
            if value is None:
                writes.append((LAB, None))
            else:
                writes.extend((LAB_PREFIX + agent, result) for agent, result in value.items())
        elif name != "area_on":
            writes.append((name, value))
    return CaseEvent(subject, event_id, time, kind, tuple(writes)), area_id


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

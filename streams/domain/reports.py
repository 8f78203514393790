"""Reports of offices (tallies and foci): the fold, and the signed figures that a report contributes.

Every field is a last-writer-wins register ordered by (time, id), as a case's fields are
(streams/domain/case.py), so the state depends on the set of events alone. A field that an event does
not name stays as it was; one that it sets to null is unknown again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from streams.domain.calendar import local_day
from streams.domain.catalogue import Catalogue
from streams.domain.judging import Parked

ReportKind = Literal["tally", "focus"]
FigureKind = Literal["tally", "outbreak", "food_poisoning"]

AREA: Final = "area_id"
FIRST_EVENT: Final = "first_event"


@dataclass(frozen=True, slots=True)
class ReportEvent:
    """One event as the fold sees it: codes resolved, values as JSON has them (days as ISO text)."""

    kind: ReportKind
    subject: str
    event_id: UUID
    time: int
    writes: tuple[tuple[str, Any], ...]

    @property
    def stamp(self) -> str:
        """The place of this event in the order of writers: time, then id, as 48 hexadecimal digits."""
        return f"{self.time:016x}{self.event_id.hex}"


@dataclass(slots=True)
class Report:
    """The registers of one subject: field → (stamp, value)."""

    registers: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def apply(self, event: ReportEvent) -> None:
        """Fold one event into the registers. Applying it again changes nothing."""
        stamp = event.stamp
        for name, value in event.writes:
            known = self.registers.get(name)
            if known is None or stamp > known[0]:
                self.registers[name] = (stamp, value)
        first = self.registers.get(FIRST_EVENT)
        if first is None or stamp < first[0]:
            self.registers[FIRST_EVENT] = (stamp, local_day(event.time))

    def value(self, name: str) -> Any:
        """The present value of a field; None where it is unknown."""
        known = self.registers.get(name)
        return None if known is None else known[1]


class FigureKey(NamedTuple):
    """Which figure: of a tally its own, of a focus one per number ("ill" …) and "foci" for the focus itself.

    Days are ISO text. A focus stands on one day, its period's start and end.
    """

    kind: FigureKind
    indicator: str
    disease: str
    area_id: str
    period_start: str
    period_end: str


class FigureAmounts(NamedTuple):
    """Signed numbers of a figure: how often it is reported (once or not at all, unless summed), and its sums.

    `reported` tells a reported zero from silence, and of a focus a known number from an unknown one.
    """

    reported: int
    value: int
    targeted: int = 0
    target: int = 0


Figures = Mapping[FigureKey, FigureAmounts]

NOTHING: Final = FigureAmounts(0, 0, 0, 0)


class FigureChange(NamedTuple):
    """A signed change of one figure."""

    key: FigureKey
    amounts: FigureAmounts


def figure_changes(before: Figures, after: Figures) -> list[FigureChange]:
    """The signed rows that lead from one report's figures to the next; empty where nothing moved."""
    rows = []
    for key in (*before, *(key for key in after if key not in before)):
        old, new = before.get(key, NOTHING), after.get(key, NOTHING)
        if old != new:
            rows.append(FigureChange(key, FigureAmounts(*(n - o for n, o in zip(new, old, strict=True)))))
    return rows


def judge_report(
    kind: ReportKind, subject: str, event_id: UUID, time: int, data: Mapping[str, Any], catalogue: Catalogue
) -> tuple[ReportEvent | Parked, str | None]:
    """What to fold, or why the event is parked; and the id of the area that it names.

    A tally's area code is read on the last day of its period, a focus's on the day it began (else of its
    first onset, else of the report): neither has an `area_on`.

    Args:
        kind: tally or focus.
        subject: The report's own code.
        event_id: The event's id.
        time: When the reporter recorded the fact, microseconds since 1970.
        data: The event's fields as JSON has them (days as ISO text); only those present.
        catalogue: What is known of diseases and areas.
    """
    if data["disease"] not in catalogue.resolves_to:
        return Parked("unknown_disease", data["disease"]), None
    if kind == "tally":
        day: str = data["period_end"]
    else:
        day = data.get("started_on") or data.get("first_onset_on") or local_day(time)
    area = catalogue.areas.resolve(data["area_code"], day)
    if area is None:
        return Parked("unknown_area", data["area_code"]), None
    return report_event(kind, subject, event_id, time, data, area.id), area.id


def report_event(
    kind: ReportKind, subject: str, event_id: UUID, time: int, data: Mapping[str, Any], area_id: str
) -> ReportEvent:
    """The event to fold, its area resolved once and for all. Arguments as those of judge_report."""
    writes = tuple((AREA, area_id) if name == "area_code" else (name, value) for name, value in data.items())
    return ReportEvent(kind, subject, event_id, time, writes)

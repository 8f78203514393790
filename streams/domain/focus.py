"""Outbreak foci and food-poisoning events. Every number may be unknown, which is not zero."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from streams.domain.calendar import local_day
from streams.domain.reports import (
    AREA,
    FIRST_EVENT,
    FigureAmounts,
    FigureKey,
    FigureKind,
    Figures,
    Report,
    ReportEvent,
)

NUMBERS: Final = ("exposed", "ill", "hospitalised", "dead", "samples", "positives")
"""The numbers of a focus, in the order of the table columns."""


class Focus(NamedTuple):
    """A focus as it stands; days as ISO text.

    `day` is the day on which it is counted: it began, else its first onset, else its first report.
    """

    kind: FigureKind
    disease: str
    area_id: str
    day: str
    place: str | None
    started_on: str | None
    ended_on: str | None
    exposed: int | None
    ill: int | None
    hospitalised: int | None
    dead: int | None
    samples: int | None
    positives: int | None
    first_onset_on: str | None
    last_onset_on: str | None
    agent: str | None


def focus_of(report: Report) -> Focus:
    """The focus that its registers give."""
    day = report.value("started_on") or report.value("first_onset_on") or report.value(FIRST_EVENT)
    return Focus(
        report.value("kind"),
        report.value("disease"),
        report.value(AREA),
        day,
        *(report.value(name) for name in Focus._fields[4:]),
    )


def by_day(events: Iterable[ReportEvent]) -> list[tuple[str, Focus]]:
    """The focus as it stood at the end of each local day (ISO text) on which something was recorded of it."""
    report, found = Report(), {}
    for event in sorted(events, key=lambda event: event.stamp):
        report.apply(event)
        found[local_day(event.time)] = focus_of(report)
    return list(found.items())


def figures_of_focus(focus: Focus | None) -> Figures:
    """What a focus contributes: itself, and each number that is known; nothing where there is none."""
    if focus is None:
        return {}
    figures = {_key(focus, "foci"): FigureAmounts(1, 1)}
    for name in NUMBERS:
        value: int | None = getattr(focus, name)
        if value is not None:
            figures[_key(focus, name)] = FigureAmounts(1, value)
    return figures


def _key(focus: Focus, indicator: str) -> FigureKey:
    return FigureKey(focus.kind, indicator, focus.disease, focus.area_id, focus.day, focus.day)


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over foci: of the known numbers alone. `unknown` foci are not in it."""

    known_sum: int
    known: int
    unknown: int

    @property
    def is_complete(self) -> bool:
        """Whether every focus gave the number; of no focus at all the sum is complete."""
        return self.unknown == 0


def totals(foci: Iterable[Focus]) -> dict[str, Total]:
    """Per number its sum over foci, and how many of them did not give it.

    >>> one = Focus("food_poisoning", "food_poisoning", "12", "2023-06-02", *[None] * 12)
    >>> totals([one, one._replace(ill=7)])["ill"]
    Total(known_sum=7, known=1, unknown=1)
    """
    listed = list(foci)
    sums = {}
    for name in NUMBERS:
        values = [value for focus in listed if (value := getattr(focus, name)) is not None]
        sums[name] = Total(sum(values), len(values), len(listed) - len(values))
    return sums

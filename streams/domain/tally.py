"""Tallies: aggregate figures of one area and period. Flows may be summed over time, stocks never."""

from typing import Final, NamedTuple

from streams.domain.reports import AREA, FigureAmounts, FigureKey, Figures, Report

STOCKS: Final = frozenset(
    {"isolated_now", "isolated_now_facility", "isolated_now_centre", "isolated_now_home", "patients_managed"}
)
"""Levels at the end of the period: the latest one holds, nothing is ever added up. Every other is a flow."""

COUNTED: Final = {"cases": "notified", "deaths": "deaths"}
"""The indicators that stand in for case reports, and the counter that each is."""


class Tally(NamedTuple):
    """One figure as it stands; days as ISO text, both ends of the period included."""

    indicator: str
    disease: str
    area_id: str
    period_start: str
    period_end: str
    value: int
    target: int | None


def tally_of(report: Report) -> Tally:
    """The figure that a tally's registers give."""
    return Tally(
        report.value("indicator"),
        report.value("disease"),
        report.value(AREA),
        report.value("period_start"),
        report.value("period_end"),
        report.value("value"),
        report.value("target"),
    )


def figures_of_tally(tally: Tally | None) -> Figures:
    """What a tally contributes; nothing where there is none."""
    if tally is None:
        return {}
    key = FigureKey("tally", *tally[:5])
    if tally.target is None:
        return {key: FigureAmounts(1, tally.value)}
    return {key: FigureAmounts(1, tally.value, 1, tally.target)}


def is_counted(indicator: str, period_end: str, since: str | None) -> bool:
    """Whether a tally stands in the answers: `cases` and `deaths` only for the time before case reports.

    Args:
        indicator: Of the tally.
        period_end: Last day of its period.
        since: First day from which the case reports of its disease and province count; None: all of them do.
    """
    return indicator not in COUNTED or (since is not None and period_end < since)

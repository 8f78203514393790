"""What the alarms were worth: outbreaks found, days until then, alerts about nothing."""

import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tests.season.alarms import METHODS, Alarms
from tests.season.simulate import Outbreak, Season

SAME_ALERT = timedelta(days=28)
"""Alarms of one method, disease and commune that are at most so far apart are one alert."""


@dataclass(frozen=True, slots=True)
class Score:
    """One method and one disease.

    Attributes:
        outbreaks: Injected where the method applied.
        detected: Of these, with an alarm in time.
        by_chance: Of these, with an alarm on the same days of the season without them.
        median_days: From the first onset to the first alarm, of those detected; None: none was.
        alerts: Raised in all.
        false_alerts: Of these, without an alarm that an outbreak explains.
        commune_years: Judged (the method applied).
    """

    method: str
    disease: str
    outbreaks: int
    detected: int
    by_chance: int
    median_days: float | None
    alerts: int
    false_alerts: int
    commune_years: int

    @property
    def false_per_commune_year(self) -> float:
        """False alerts of one commune in one year."""
        return self.false_alerts / self.commune_years


def alerts_of(days: Collection[date]) -> Iterator[list[date]]:
    """The alarms of each alert."""
    alert: list[date] = []
    for day in sorted(days):
        if alert and day - alert[-1] > SAME_ALERT:
            yield alert
            alert = []
        alert.append(day)
    if alert:
        yield alert


def first_alarm(outbreak: Outbreak, days: Collection[date]) -> date | None:
    """The first alarm that is about an outbreak."""
    return min((day for day in days if outbreak.holds(day)), default=None)


def scores(season: Season, alarms: Alarms, alarms_without: Alarms) -> list[Score]:
    """Score every method on every disease; one that never applied to a disease is left out.

    Args:
        season: With its outbreaks.
        alarms: On that season.
        alarms_without: On the same season without its outbreaks; at least where they were.

    Raises:
        ValueError: the season has no outbreak of a disease: there is no sensitivity to speak of.
    """
    found = []
    for disease in dict.fromkeys(disease for disease, _ in season.cases):
        outbreaks = [outbreak for outbreak in season.outbreaks if outbreak.disease == disease]
        if not outbreaks:
            raise ValueError(f"The season has no outbreak of {disease}: nothing could be detected.")
        for method in METHODS:
            applied = {
                commune: days for (m, d, commune), days in alarms.items() if (m, d) == (method, disease)
            }
            if applied:
                found.append(_score(method, disease, outbreaks, applied, alarms_without))
    return found


def _score(
    method: str,
    disease: str,
    outbreaks: Sequence[Outbreak],
    applied: dict[int, Collection[date]],
    alarms_without: Alarms,
) -> Score:
    there = [outbreak for outbreak in outbreaks if outbreak.commune in applied]
    waits = []
    by_chance = alerts = false_alerts = 0
    for outbreak in there:
        day = first_alarm(outbreak, applied[outbreak.commune])
        if day is not None:
            waits.append((day - outbreak.first_onset).days)
        without = alarms_without.get((method, disease, outbreak.commune), ())
        by_chance += first_alarm(outbreak, without) is not None
    for commune, days in applied.items():
        here = [outbreak for outbreak in there if outbreak.commune == commune]
        for alert in alerts_of(days):
            alerts += 1
            false_alerts += not any(outbreak.holds(day) for outbreak in here for day in alert)
    return Score(
        method,
        disease,
        len(there),
        len(waits),
        by_chance,
        statistics.median(waits) if waits else None,
        alerts,
        false_alerts,
        len(applied),
    )


def table(listed: Sequence[Score]) -> list[str]:
    """The table of docs/alert-performance.md, in Markdown.

    Raises:
        ValueError: nothing to show.
    """
    if not listed:
        raise ValueError("No scores: no method judged anything.")
    lines = [
        "| disease | method | outbreaks | detected | by chance | median days | alerts | false alerts per "
        "commune-year | communes |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for score in listed:
        days = "–" if score.median_days is None else f"{score.median_days:g}"
        lines.append(
            f"| {score.disease} | {score.method} | {score.outbreaks} "
            f"| {_percent(score.detected, score.outbreaks)} "
            f"| {_percent(score.by_chance, score.outbreaks)} | {days} | {score.alerts} "
            f"| {score.false_per_commune_year:.2f} | {score.commune_years} |"
        )
    return lines


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"

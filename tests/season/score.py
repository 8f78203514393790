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


def table(seasons: Sequence[Sequence[Score]]) -> list[str]:
    """The table over several seasons, in Markdown: all outbreaks together, and from season to season.

    Args:
        seasons: The scores of each season; a method that never applied in one of them has no score there.

    Raises:
        ValueError: nothing to show.
    """
    by_method: dict[tuple[str, str], list[Score]] = {}
    for season in seasons:
        for score in season:
            by_method.setdefault((score.disease, score.method), []).append(score)
    if not by_method:
        raise ValueError("No scores: no method judged anything.")
    lines = [
        "| disease | method | outbreaks | detected | by chance | median days "
        "| false alerts per commune-year |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    order = {method: place for place, method in enumerate(METHODS)}
    diseases = list(dict.fromkeys(disease for disease, _ in by_method))
    for disease, method in sorted(by_method, key=lambda key: (diseases.index(key[0]), order[key[1]])):
        scores = by_method[disease, method]
        outbreaks = sum(score.outbreaks for score in scores)
        false_alerts = sum(s.false_alerts for s in scores) / sum(s.commune_years for s in scores)
        days = [score.median_days for score in scores if score.median_days is not None]
        lines.append(
            f"| {disease} | {method} | {outbreaks} "
            f"| {_percent(sum(s.detected for s in scores), outbreaks)} "
            f"({_range([100 * s.detected / s.outbreaks for s in scores if s.outbreaks], '.0f')}) "
            f"| {_percent(sum(s.by_chance for s in scores), outbreaks)} "
            f"| {f'{statistics.median(days):g} ({_range(days)})' if days else '–'} "
            f"| {false_alerts:.2f} ({_range([s.false_per_commune_year for s in scores], '.2f')}) |"
        )
    return lines


def _range(values: Sequence[float], form: str = "g") -> str:
    return f"{min(values):{form}} to {max(values):{form}}" if values else "–"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"

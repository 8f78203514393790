"""What the detectors say of the stored series: which one judges which week, and the verdict it gives.

Weeks are ISO weeks by their Monday, counts are by day of onset. docs/indicators/detectors.md has the table of
which detector judges by length of history.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.domain.calendar import Period, week_name, week_of
from streams.domain.detectors import MESSAGES, Choice, Reason, SeriesSet, choose
from streams.domain.detectors.base import WEEKLY, Floats
from streams.domain.rules.verdicts import Level, Outcome, Standing, Verdict

RULE_PREFIX: Final = "detector_"
"""The rule of an alert is this and the name of the detector, with underscores."""

LEVEL: Final = Level.ATTENTION
"""Of every alert of a detector, never above it: only the law's criteria and the CDC's own are louder."""

JUDGED_WEEKS: Final = 4
"""The last complete week, and the three before it again for late reports."""

HISTORY_WEEKS: Final = 320
"""Weeks read: more than five years and the window around them, all that the longest detector looks at."""

_WEEK: Final = timedelta(days=7)
_NO_DETECTOR: Final = "none"
_NAMES: Final[Mapping[str, str]] = {
    "ears-c1": "EARS C1",
    "ears-c2": "EARS C2",
    "bayes": "Bayes",
    "farrington-flexible": "Farrington flexible",
}


def last_complete_week(on: date) -> Period:
    """The last ISO week whose Sunday is before a day.

    >>> last_complete_week(date(2026, 7, 27)), last_complete_week(date(2026, 7, 26)).last
    (Period(first=datetime.date(2026, 7, 20), last=datetime.date(2026, 7, 26)), datetime.date(2026, 7, 19))
    """
    return week_of(on - _WEEK)


def first_week_read(on: date) -> date:
    """The Monday with which the history of the weeks judged on a day begins."""
    return last_complete_week(on).first - (HISTORY_WEEKS + JUDGED_WEEKS - 1) * _WEEK


def first_week_judged(on: date) -> date:
    """The Monday of the oldest week that is judged on a day."""
    return last_complete_week(on).first - (JUDGED_WEEKS - 1) * _WEEK


@dataclass(frozen=True, slots=True, eq=False)
class WeeklySeries:
    """Weekly counts of one disease in many areas, up to the last complete week.

    Attributes:
        disease: Which.
        weeks: Monday of each row, datetime64[D], shape (n_weeks,), each a week after the one before.
        area_ids: One for each column.
        counts: Cases by onset that are not discarded, shape (n_weeks, n_areas); NaN: not known.
        late: Of the last JUDGED_WEEKS rows, the cases reported after the week in which that row was the last
            complete one; shape (JUDGED_WEEKS, n_areas).
        is_reconstructed: The history is a sum of old areas or of parts of them, shape (n_areas,).
    """

    disease: str
    weeks: NDArray[np.datetime64]
    area_ids: Sequence[str]
    counts: Floats
    late: NDArray[np.int64]
    is_reconstructed: NDArray[np.bool_]

    def of(self, which: NDArray[np.bool_]) -> "WeeklySeries":
        """Some of the areas: `which` is True for those to keep, shape (n_areas,)."""
        return replace(
            self,
            area_ids=[area_id for area_id, keep in zip(self.area_ids, which.tolist(), strict=True) if keep],
            counts=self.counts[:, which],
            late=self.late[:, which],
            is_reconstructed=self.is_reconstructed[which],
        )


def weekly_series(
    disease: str,
    on: date,
    cells: Mapping[tuple[str, date], int],
    late: Mapping[tuple[str, date], int],
    known_from: Mapping[str, date | None],
    reconstructed: Collection[str],
) -> WeeklySeries:
    """The series that end with the last complete week before a day, filled with zeros where they are known.

    Args:
        disease: Which.
        on: The day of judging.
        cells: (area id, Monday) -> cases; other weeks hold none.
        late: (area id, Monday) -> cases of it that were reported after its turn.
        known_from: For every area to be judged the Monday of the first week with records; None: there are
            none. Weeks before it are not known, which is not zero.
        reconstructed: Areas whose history is not their own alone.
    """
    first = first_week_read(on)
    area_ids = sorted(known_from)
    columns = {area_id: column for column, area_id in enumerate(area_ids)}
    n_weeks = HISTORY_WEEKS + JUDGED_WEEKS
    counts = np.zeros((n_weeks, len(area_ids)))
    for (area_id, monday), cases in cells.items():
        # A count below zero is a fault that the audit finds; here it must not stop the sweep.
        counts[(monday - first).days // 7, columns[area_id]] = max(cases, 0)
    for area_id, column in columns.items():
        known = known_from[area_id]
        unknown = n_weeks if known is None else max(0, (known - first).days // 7)
        counts[:unknown, column] = np.nan
    late_cases = np.zeros((JUDGED_WEEKS, len(area_ids)), np.int64)
    for (area_id, monday), cases in late.items():
        late_cases[(monday - first).days // 7 - HISTORY_WEEKS, columns[area_id]] = cases
    return WeeklySeries(
        disease,
        np.datetime64(first, "D") + 7 * np.arange(n_weeks),
        area_ids,
        counts,
        late_cases,
        np.array([area_id in reconstructed for area_id in area_ids], np.bool_),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What the chosen detector says of some rows of every series; all of shape (n_rows, n_areas).

    Attributes:
        method: Name of the detector; "none" where the history is too short for any.
        history: Rows from the first that is known to the one before.
        upperbound, expected: Cases, NaN where there is none.
        alarm, judged, reason: As a Detection has them.
    """

    method: NDArray[np.str_]
    history: NDArray[np.int64]
    upperbound: Floats
    expected: Floats
    alarm: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    reason: NDArray[np.int8]


def detect(series: WeeklySeries, rows: Sequence[int]) -> Answers:
    """Judge some rows of all series, each by the detector that the length of its history asks for.

    Args:
        series: The series; those with one choice are judged at once.
        rows: Row numbers.
    """
    known = ~np.isnan(series.counts)
    n_weeks, n_areas = series.counts.shape
    first = np.where(known.any(axis=0), known.argmax(axis=0), n_weeks)
    shape = (len(rows), n_areas)
    history = np.maximum(np.asarray(rows, np.int64).reshape(-1, 1) - first, 0)
    answers = Answers(
        np.full(shape, _NO_DETECTOR, "U32"),
        history,
        np.full(shape, np.nan),
        np.full(shape, np.nan),
        np.zeros(shape, np.bool_),
        np.zeros(shape, np.bool_),
        np.full(shape, Reason.HISTORY_TOO_SHORT, np.int8),
    )
    for place, row in enumerate(rows):
        for choice, lengths in _choices(history[place]):
            which = np.flatnonzero(np.isin(history[place], lengths))
            found = choice.detector.detect(
                SeriesSet(series.counts[:, which], WEEKLY, series.weeks), [row], choice.options
            )
            answers.method[place, which] = choice.detector.name
            answers.upperbound[place, which] = found.upperbound[0]
            answers.expected[place, which] = found.expected[0]
            answers.alarm[place, which] = found.alarm[0]
            answers.judged[place, which] = found.judged[0]
            answers.reason[place, which] = found.reason[0]
    return answers


def _choices(history: NDArray[np.int64]) -> list[tuple[Choice, list[int]]]:
    """Each choice with the lengths of history that ask for it."""
    found: dict[str, tuple[Choice, list[int]]] = {}
    for length in np.unique(history).tolist():
        choice = choose(WEEKLY, length)
        if choice is not None:
            found.setdefault(choice.detector.name, (choice, []))[1].append(length)
    return list(found.values())


@cache
def settings_version() -> str:
    """Which detectors with which settings judge: a hash, changed by any change of theirs.

    The least number of cases stands in each verdict's own numbers.
    """
    choices = dict.fromkeys(
        f"{rows}:{choice.detector.name}:{choice.options!r}"
        for rows in range(HISTORY_WEEKS + JUDGED_WEEKS)
        if (choice := choose(WEEKLY, rows)) is not None
    )
    return "detectors-" + sha256("\n".join([LEVEL.value, *choices]).encode()).hexdigest()[:12]


def verdicts(series: WeeklySeries, on: date, least_cases: int) -> dict[str, list[Verdict]]:
    """The verdicts of the last JUDGED_WEEKS weeks of every series, the oldest week first.

    Args:
        series: Up to the last complete week before `on`.
        on: The day of judging.
        least_cases: A week with fewer is never an alert.

    Returns:
        Area id -> verdicts: `alert` (always at LEVEL), `no`, `not_enough_history`, `not_computable`.
    """
    n_weeks = series.counts.shape[0]
    rows = range(n_weeks - JUDGED_WEEKS, n_weeks)
    answers = detect(series, rows)
    return {
        area_id: [
            _verdict(series, answers, row, place, column, on, least_cases) for place, row in enumerate(rows)
        ]
        for column, area_id in enumerate(series.area_ids)
    }


def _verdict(
    series: WeeklySeries, answers: Answers, row: int, place: int, column: int, on: date, least_cases: int
) -> Verdict:
    method = str(answers.method[place, column])
    reason = Reason(int(answers.reason[place, column]))
    count = float(series.counts[row, column])
    cases = 0 if np.isnan(count) else int(count)
    bound = float(answers.upperbound[place, column])
    is_met = bool(answers.alarm[place, column]) and cases >= least_cases
    on_time = cases - int(series.late[place, column])
    monday: date = series.weeks[row].item()
    numbers: dict[str, Any] = {
        "cases": None if np.isnan(count) else cases,
        "upperbound": _number(bound),
        "expected": _number(float(answers.expected[place, column])),
        "weeks_of_history": int(answers.history[place, column]),
        "method": method,
        "reason": reason.name.lower(),
        "late_cases": cases - on_time,
        "least_cases": least_cases,
    }
    outcome = Outcome.NO
    if method == _NO_DETECTOR:
        outcome = Outcome.NOT_ENOUGH_HISTORY
    elif not answers.judged[place, column]:
        outcome = Outcome.NOT_COMPUTABLE
    elif is_met:
        outcome = Outcome.ALERT
    why_vi, why_en = _why(numbers, week_name(monday), reason, outcome)
    return Verdict(
        rule_id=RULE_PREFIX + method.replace("-", "_"),
        rule_version=settings_version(),
        verdict=outcome,
        level=LEVEL if is_met else Level.NONE,
        numbers=numbers,
        why_vi=why_vi,
        why_en=why_en,
        area_id=series.area_ids[column],
        disease=series.disease,
        judged_on=on,
        period_start=monday,
        period_end=monday + timedelta(days=6),
        is_late=is_met and (on_time < least_cases or on_time <= bound),
        is_reconstructed=bool(series.is_reconstructed[column]),
    )


def _number(number: float) -> float | None:
    return round(number, 4) if np.isfinite(number) else None


def _why(numbers: Mapping[str, Any], week: str, reason: Reason, outcome: Outcome) -> tuple[str, str]:
    weeks = numbers["weeks_of_history"]
    if outcome is Outcome.NOT_ENOUGH_HISTORY:
        return (
            f"Tuần {week}: chỉ có {weeks} tuần số liệu nền, chưa đủ cho phương pháp nào.",
            f"Week {week}: {weeks} week(s) of history, too few for any method.",
        )
    message_vi, message_en = MESSAGES[reason]
    if outcome is Outcome.NOT_COMPUTABLE or numbers["upperbound"] is None:
        return f"Tuần {week}: {message_vi}", f"Week {week}: {message_en}"
    cases, bound, expected = numbers["cases"], numbers["upperbound"], numbers["expected"]
    name = _NAMES[numbers["method"]]
    expected_vi = "" if expected is None else f", kỳ vọng {expected:.1f}".replace(".", ",")
    expected_en = "" if expected is None else f", expected {expected:.1f}"
    why_vi = (
        f"Tuần {week}: {cases} ca, ngưỡng {f'{bound:.1f}'.replace('.', ',')}{expected_vi} "
        f"({name}, {weeks} tuần số liệu nền)."
    )
    why_en = (
        f"Week {week}: {cases} case(s), bound {bound:.1f}{expected_en} ({name}, {weeks} weeks of history)."
    )
    if reason is not Reason.MODEL:
        why_vi, why_en = f"{why_vi} {message_vi}", f"{why_en} {message_en}"
    return why_vi, why_en


def worth_judging(series: WeeklySeries, least_cases: int, standing: Collection[str]) -> NDArray[np.bool_]:
    """Which series can raise an alert or take one back, shape (n_areas,).

    Args:
        series: The series.
        least_cases: A week with fewer is never an alert.
        standing: Areas with an open alert of a detector.
    """
    with np.errstate(invalid="ignore"):
        enough = (series.counts[-JUDGED_WEEKS:] >= least_cases).any(axis=0)
    return enough | np.array([area_id in standing for area_id in series.area_ids], np.bool_)


def answered(found: Sequence[Verdict], standing: Sequence[Standing]) -> list[Verdict]:
    """The verdicts, given what stands: a week that was met and is not any more says so.

    Args:
        found: Of one disease and area.
        standing: Its open alerts.
    """
    met = {(alert.rule_id, alert.period_start) for alert in standing}
    return [
        replace(verdict, verdict=Outcome.NO_LONGER_MET)
        if verdict.verdict is Outcome.NO and (verdict.rule_id, verdict.period_start) in met
        else verdict
        for verdict in found
    ]

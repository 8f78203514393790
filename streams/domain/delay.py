"""Reporting delay: from onset to report to the day on which the system knew, and against the law's deadline.

Three days of a case: its onset, its report (`reported_on`, else the day on which the first report was
recorded), and the day on which the first report reached the system. The first two come from the reporter and
hold for imported histories as well; the third is the system's own clock.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal, NamedTuple

from streams.domain.calendar import LOCAL_ZONE, day_of

Stage = Literal["onset_to_report", "report_to_known", "onset_to_known"]
STAGES: Final[tuple[Stage, ...]] = ("onset_to_report", "report_to_known", "onset_to_known")

BACKFILLED_AFTER: Final = timedelta(days=28)
"""A report that reaches the system so long after it was recorded, by its own event time, was not late but
brought in afterwards (an old line list): the system's clock says nothing of how it was reported."""

TRUNCATED_DAYS: Final = 56
"""Of cases younger than this the slowly reported ones may not be known yet; their delays look too short."""

DeadlineCode = Literal["24h", "48h", "weekly", "monthly", "none"]

_HOURS: Final[Mapping[str, int]] = {"24h": 24, "48h": 48}
_LAST_DAY_OF_MONTHLY_LIST: Final = 4
_TUESDAY_OF_NEXT_WEEK: Final = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Deadline:
    """How soon a case diagnosed on these days (both included, None is open) had to be reported."""

    first: date | None
    last: date | None
    code: DeadlineCode


@dataclass(frozen=True, slots=True)
class CaseTimes:
    """When what happened to one case.

    Attributes:
        onset: Day of onset, where it is known.
        reported: Day of the report.
        recorded_at: When the reporter recorded the first report (its event's time); None where only updates
            are known.
        known_at: When that report reached the system.
        diagnosed: ISO day, or ISO instant with offset; None where nobody said.
    """

    onset: date | None
    reported: date
    recorded_at: datetime | None
    known_at: datetime | None
    diagnosed: str | None


def is_backfilled(case: CaseTimes, live_from: date | None) -> bool:
    """Whether the day on which the system knew says nothing of how the case was reported.

    Args:
        case: Its times.
        live_from: The local day of the first event that the system ever knew; None: there is none.
    """
    if case.recorded_at is None or case.known_at is None:
        return True
    if case.known_at - case.recorded_at > BACKFILLED_AFTER:
        return True
    return live_from is not None and case.reported < live_from


def stage_days(case: CaseTimes, live_from: date | None) -> dict[Stage, int | None]:
    """Days of each stage, None where a day is missing or the system's clock does not count.

    A negative number is impossible (a report before the onset): one of the dates is wrong.
    """
    known = None
    if case.known_at is not None and not is_backfilled(case, live_from):
        known = case.known_at.astimezone(LOCAL_ZONE).date()
    return {
        "onset_to_report": _days(case.onset, case.reported),
        "report_to_known": _days(case.reported, known),
        "onset_to_known": _days(case.onset, known),
    }


def _days(first: date | None, last: date | None) -> int | None:
    return None if first is None or last is None else (last - first).days


Verdict = Literal["on_time", "on_time_by_day", "late", "no_diagnosis", "no_deadline"]
"""`on_time_by_day`: within the deadline by whole days; the hours, which nobody knows, might say late."""


def verdict(case: CaseTimes, deadlines: Sequence[Deadline]) -> Verdict:
    """Whether a case was reported within the deadline in force on the day of its diagnosis.

    24 h and 48 h run from the diagnosis. The report's instant is the time of its event where that was
    recorded on the day of the report. Where only days are known, the answer is certain if every instant that
    they allow gives it. If not, the report came at most one (two) calendar days after the diagnosis, and
    that is taken as on time. Weekly lists are due before Wednesday of the week after the diagnosis (QĐ
    97/QĐ-PB 2026, PL I), monthly ones before day 5 of the month after it (TT 54/2015/TT-BYT): days suffice.

    Args:
        case: Its times.
        deadlines: Of its disease, without gaps that matter; at most one holds on any day.
    """
    if case.diagnosed is None:
        return "no_diagnosis"
    diagnosed_on = date.fromisoformat(day_of(case.diagnosed))
    code = next((d.code for d in deadlines if _holds(d, diagnosed_on)), "none")
    if code == "none":
        return "no_deadline"
    if code in _HOURS:
        return _within_hours(case, case.diagnosed, diagnosed_on, _HOURS[code])
    if code == "weekly":
        due = diagnosed_on - timedelta(days=diagnosed_on.weekday()) + _TUESDAY_OF_NEXT_WEEK
    else:
        due = (diagnosed_on.replace(day=1) + timedelta(days=31)).replace(day=_LAST_DAY_OF_MONTHLY_LIST)
    return "on_time" if case.reported <= due else "late"


def _holds(deadline: Deadline, day: date) -> bool:
    return (deadline.first is None or deadline.first <= day) and (
        deadline.last is None or day <= deadline.last
    )


def _within_hours(case: CaseTimes, diagnosed: str, diagnosed_on: date, hours: int) -> Verdict:
    limit = timedelta(hours=hours)
    if len(diagnosed) == 10:
        earliest_start, latest_start = _whole_day(diagnosed_on)
    else:
        earliest_start = latest_start = datetime.fromisoformat(diagnosed)
    earliest_end, latest_end = _whole_day(case.reported)
    if case.recorded_at is not None and case.recorded_at.astimezone(LOCAL_ZONE).date() == case.reported:
        earliest_end = latest_end = case.recorded_at
    if latest_end - earliest_start <= limit:
        return "on_time"
    if earliest_end - latest_start > limit:
        return "late"
    # One (two) calendar days apart: after one more it is late whatever the hours.
    return "on_time_by_day"


def _whole_day(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(), LOCAL_ZONE)
    # The last instant of the day, not the first of the next.
    return start, start + timedelta(days=1, microseconds=-1)


class Spread(NamedTuple):
    """A distribution of whole days: each quantile is a delay that occurred (inverse of the empirical CDF)."""

    n: int
    q1: int
    median: int
    q3: int
    p90: int
    longest: int


def spread(days: Sequence[int]) -> Spread | None:
    """The distribution of some delays; None where there is none.

    >>> spread([3, 0, 1, 1, 9])
    Spread(n=5, q1=1, median=1, q3=3, p90=9, longest=9)
    """
    if not days:
        return None
    ordered = sorted(days)
    # The smallest day that so many percent do not exceed; in whole numbers, where 0.9 would be less.
    places = (-(-percent * len(ordered) // 100) - 1 for percent in (25, 50, 75, 90, 100))
    return Spread(len(ordered), *(ordered[place] for place in places))


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How many cases were reported within the law's deadline.

    Attributes:
        on_time, late: Cases judged.
        by_day: Of those on time, the ones whose hours nobody knows and might say late.
        share: on_time / judged; None where no case was judged.
        lowest: The share if all of the `by_day` cases were late.
        no_diagnosis: Not computable: the day of diagnosis is not known.
        no_deadline: The disease had none on that day.
    """

    on_time: int
    late: int
    by_day: int
    share: float | None
    lowest: float | None
    no_diagnosis: int
    no_deadline: int


def timeliness(verdicts: Iterable[Verdict]) -> Timeliness:
    """Add up verdicts."""
    n = Counter(verdicts)
    on_time = n["on_time"] + n["on_time_by_day"]
    judged = on_time + n["late"]
    return Timeliness(
        on_time,
        n["late"],
        n["on_time_by_day"],
        on_time / judged if judged else None,
        n["on_time"] / judged if judged else None,
        n["no_diagnosis"],
        n["no_deadline"],
    )


def summary(
    cases: Iterable[tuple[CaseTimes, date, Sequence[Deadline]]], live_from: date | None, today: date
) -> dict[str, Any]:
    """Delays and timeliness of some cases, as the command prints them.

    Args:
        cases: Each with the day under which it is grouped, and its disease's deadlines.
        live_from: As is_backfilled.
        today: Up to which reports may have come.
    """
    days: dict[Stage, list[int]] = {stage: [] for stage in STAGES}
    n = missing = impossible = backfilled = recent = 0
    verdicts: list[Verdict] = []
    for case, day, deadlines in cases:
        n += 1
        missing += case.onset is None
        backfilled += is_backfilled(case, live_from)
        recent += day > today - timedelta(days=TRUNCATED_DAYS)
        found = stage_days(case, live_from)
        if any(number is not None and number < 0 for number in found.values()):
            impossible += 1
        for stage, number in found.items():
            if number is not None and number >= 0:
                days[stage].append(number)
        verdicts.append(verdict(case, deadlines))
    shown: dict[str, Any] = {
        "cases": n,
        "missing_onset": missing,
        "impossible": impossible,
        "backfilled": backfilled,
        "recent": recent,
    }
    for stage in STAGES:
        found_spread = spread(days[stage])
        shown[stage] = None if found_spread is None else found_spread._asdict()
    shown["deadline"] = asdict(timeliness(verdicts))
    return shown

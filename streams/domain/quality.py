"""How well the cases of one week, disease and district were reported, and of whom they were: sums that boards
add up further.

The verdicts and the form are those of delay.py and completeness.py; here they are only counted, so that a
board never says another thing than `canhdich delays` and `canhdich completeness`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from streams.domain.calendar import LOCAL_ZONE
from streams.domain.case import Case
from streams.domain.completeness import FieldShare, completeness
from streams.domain.delay import CaseTimes, Deadline, verdict

DELAY_BANDS: Final[tuple[tuple[str, int], ...]] = (
    ("delay_0_1", 1),
    ("delay_2_3", 3),
    ("delay_4_7", 7),
    ("delay_8_14", 14),
    ("delay_15_28", 28),
)
"""Name of each band and the most days from onset to report that belong to it; longer is `delay_29_up`."""

AGE_BANDS: Final[tuple[tuple[str, int], ...]] = (
    ("age_0", 1),
    ("age_1_4", 5),
    ("age_5_9", 10),
    ("age_10_14", 15),
    ("age_15_24", 25),
    ("age_25_44", 45),
    ("age_45_64", 65),
)
"""Name of each band and the age in years at which the next begins; then `age_65_up`, and `age_unknown`."""

AgeAndSex = tuple[str, str]
"""A band of ages, and `male`, `female` or `unknown`."""


class ReportedCase(NamedTuple):
    """A case that counts, as it stands now.

    Attributes:
        times: When what happened.
        deadlines: Of its disease.
        form: Its registers.
        has_severities: Whether its disease's form asks for the severity.
    """

    times: CaseTimes
    deadlines: Sequence[Deadline]
    form: Case
    has_severities: bool


@dataclass(frozen=True, slots=True)
class WeekQuality:
    """Figures of some cases.

    Attributes:
        figures: Cases by name of the figure: `cases`, the verdicts of the deadline (`on_time` holds
            `on_time_by_day`), the bands of the delay, `known_1_week` and `known_4_weeks` (the system knew the
            first report so soon after the end of the week of the report), `complete_forms`, and the sums over
            the forms' fields `fields_asked` and `fields_filled`.
        fields: Of the cases that each field is asked of, how many have it.
        people: Cases by age and sex; those without a case are absent. Their sum is `cases`.
    """

    figures: Mapping[str, int]
    fields: Mapping[str, FieldShare]
    people: Mapping[AgeAndSex, int]


def delay_band(onset: date | None, reported: date) -> str:
    """The band in which the days from onset to report lie.

    >>> delay_band(date(2023, 7, 1), date(2023, 7, 4))
    'delay_2_3'
    >>> delay_band(date(2023, 7, 4), date(2023, 7, 1))
    'delay_unknown'
    """
    days = -1 if onset is None else (reported - onset).days
    if days < 0:
        return "delay_unknown"
    return next((name for name, most in DELAY_BANDS if days <= most), "delay_29_up")


def age_band(years: float | None) -> str:
    """The band of an age in years, fractions included.

    >>> age_band(0.9), age_band(1), age_band(64.5), age_band(65), age_band(None)
    ('age_0', 'age_1_4', 'age_45_64', 'age_65_up', 'age_unknown')
    """
    if years is None:
        return "age_unknown"
    return next((name for name, below in AGE_BANDS if years < below), "age_65_up")


def age_and_sex(case: Case) -> AgeAndSex:
    """Where a case stands among people, by what its registers say now."""
    return age_band(case.value("age_years")), case.value("sex")


def week_quality(cases: Sequence[ReportedCase]) -> WeekQuality:
    """Add up the cases of one week (of their report), disease and district."""
    verdicts = Counter[str](verdict(case.times, case.deadlines) for case in cases)
    bands = Counter(delay_band(case.times.onset, case.times.reported) for case in cases)
    forms = completeness((case.form, case.has_severities) for case in cases)
    names = (*(name for name, _ in DELAY_BANDS), "delay_29_up", "delay_unknown")
    return WeekQuality(
        {
            "cases": len(cases),
            "on_time": verdicts["on_time"] + verdicts["on_time_by_day"],
            "on_time_by_day": verdicts["on_time_by_day"],
            "late": verdicts["late"],
            "no_diagnosis": verdicts["no_diagnosis"],
            "no_deadline": verdicts["no_deadline"],
            **{name: bands[name] for name in names},
            "known_1_week": sum(_is_known_within(case.times, 1) for case in cases),
            "known_4_weeks": sum(_is_known_within(case.times, 4) for case in cases),
            "complete_forms": forms.complete,
            "fields_asked": sum(field.asked for field in forms.fields.values()),
            "fields_filled": sum(field.filled for field in forms.fields.values()),
        },
        forms.fields,
        Counter(age_and_sex(case.form) for case in cases),
    )


def _is_known_within(times: CaseTimes, weeks: int) -> bool:
    if times.known_at is None:
        return False
    end = times.reported - timedelta(days=times.reported.weekday()) + timedelta(days=7 * (weeks + 1))
    return times.known_at.astimezone(LOCAL_ZONE).date() < end


def mondays(first: date, last: date) -> Iterable[date]:
    """The Mondays from one day to another, both included.

    >>> [day.day for day in mondays(date(2023, 7, 2), date(2023, 7, 17))]
    [3, 10, 17]
    """
    day = first + timedelta(days=-first.weekday() % 7)
    while day <= last:
        yield day
        day += timedelta(days=7)

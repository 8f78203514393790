"""The same period in an earlier year, by dates or by ISO weeks with their week 53."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from streams.domain.calendar import Period, month_of, week_of, weeks_in, years_before

Unit = Literal["day", "week", "month", "year"]

Days = tuple[date | None, date | None]
"""The first and the last day of a period; None where it is open."""

Years = tuple[int | None, int | None]

_DAY = timedelta(days=1)


def unit_of(unit: Unit, day: date) -> Period:
    """The whole day, ISO week, month or year in which a day lies."""
    if unit == "day":
        return Period(day, day)
    if unit == "week":
        return week_of(day)
    if unit == "month":
        return month_of(day)
    return Period(date(day.year, 1, 1), date(day.year, 12, 31))


def overlap(one: Period, other: Period) -> Period | None:
    """The days that are in both; None where there are none."""
    first, last = max(one.first, other.first), min(one.last, other.last)
    return Period(first, last) if first <= last else None


def same_week_day(day: date, years: int) -> date:
    """The same day of the same ISO week some ISO years before; of week 52 for a week 53 that is not there.

    >>> same_week_day(date(2026, 12, 28), 1).isocalendar()
    datetime.IsoCalendarDate(year=2025, week=52, weekday=1)
    """
    year, week, weekday = day.isocalendar()
    return date.fromisocalendar(year - years, min(week, weeks_in(year - years)), weekday)


def is_in_weeks(period: Period) -> bool:
    """Whether a period is one of ISO weeks: Monday to Sunday, and neither whole months nor from 1 January on.

    >>> is_in_weeks(Period(date(2023, 7, 3), date(2023, 7, 9)))
    True
    >>> is_in_weeks(Period(date(2024, 1, 1), date(2024, 6, 30)))
    False
    """
    is_whole_weeks = period.first.weekday() == 0 and period.last.weekday() == 6
    is_whole_months = period.first.day == 1 and period.last == month_of(period.last).last
    is_year_to_date = (period.first.month, period.first.day) == (1, 1)
    return is_whole_weeks and not is_whole_months and not is_year_to_date


@lru_cache(maxsize=4096)
def same_period(period: Period, years: int, in_weeks: bool) -> Period:
    """The same period some years before.

    By ISO weeks: the same week numbers and weekdays. By dates: the same months and days, where the last day
    of a month stays the last day of that month, so that a February is compared with the whole of the other.

    >>> same_period(Period(date(2025, 1, 1), date(2025, 2, 28)), 1, in_weeks=False)
    Period(first=datetime.date(2024, 1, 1), last=datetime.date(2024, 2, 29))
    """
    if in_weeks:
        return Period(same_week_day(period.first, years), same_week_day(period.last, years))
    last = years_before(period.last, years)
    if period.last == month_of(period.last).last:
        last = month_of(last).last
    return Period(years_before(period.first, years), last)


def same_unit(unit: Unit, start: date, years: int) -> date:
    """The first day of the same unit some years before: where its row in the earlier period is found."""
    return same_week_day(start, years) if unit == "week" else years_before(start, years)


def unit_after(unit: Unit, start: date, years: int) -> date | None:
    """The first day of the same unit some years later; None where that year has no such week or day."""
    if unit == "week":
        year, week, _ = start.isocalendar()
        return None if week > weeks_in(year + years) else date.fromisocalendar(year + years, week, 1)
    there = years_before(start, -years)
    return there if there.day == start.day else None


def whole_years(days: Days) -> tuple[Years, list[tuple[int, Period]]] | None:
    """A period as whole calendar years, and what of it is missing or too much there.

    Years are taken where that leaves fewer days to be looked at than the period itself has in them.

    Args:
        days: The period.

    Returns:
        The first and the last year (None where the period is open), and signed periods: +1 for days to be
        added to these years, -1 for days to be taken away. None where no year is worth it.

    >>> years, rest = whole_years((date(2026, 1, 1), date(2026, 11, 22)))
    >>> years, [(sign, period.days) for sign, period in rest]
    ((2026, 2026), [(-1, 39)])
    """
    first, last = days
    start, end = _from_year(first), _until_year(last)
    if first is not None and last is not None and first.year == last.year:
        if 2 * Period(first, last).days <= unit_of("year", first).days:
            return None
        start = end = first.year
    if start is not None and end is not None and start > end:
        return None
    rest: list[tuple[int, Period]] = []
    if first is not None and start is not None:
        rest += _between(first, date(start, 1, 1))
    if last is not None and end is not None:
        rest += _between(date(end + 1, 1, 1), last + _DAY)
    return (start, end), rest


def _from_year(first: date | None) -> int | None:
    if first is None:
        return None
    year = unit_of("year", first)
    return first.year if 2 * (first - year.first).days < year.days else first.year + 1


def _until_year(last: date | None) -> int | None:
    if last is None:
        return None
    year = unit_of("year", last)
    return last.year if 2 * (year.last - last).days < year.days else last.year - 1


def _between(start: date, end: date) -> list[tuple[int, Period]]:
    """The days from one day on and before another, to be added; taken away where the other is earlier."""
    if start < end:
        return [(1, Period(start, end - _DAY))]
    return [(-1, Period(end, start - _DAY))] if end < start else []

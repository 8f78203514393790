"""The same period in an earlier year, by dates or by ISO weeks with their week 53."""

from datetime import date
from typing import Literal

from streams.domain.calendar import Period, month_of, week_of, weeks_in, years_before

Unit = Literal["day", "week", "month", "year"]


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

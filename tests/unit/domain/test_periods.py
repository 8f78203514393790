"""The same period in an earlier year: week 53, 29 February, months that end."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.calendar import Period, weeks_in
from streams.domain.periods import (
    is_in_weeks,
    overlap,
    same_period,
    same_unit,
    same_week_day,
    unit_after,
    unit_of,
    whole_years,
)

DAYS = st.dates(date(1995, 1, 1), date(2050, 12, 31))


def period(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("now", "years", "in_weeks", "then"),
    [
        (("2023-01-01", "2023-12-31"), 1, False, ("2022-01-01", "2022-12-31")),
        (("2024-01-01", "2024-02-29"), 1, False, ("2023-01-01", "2023-02-28")),
        (("2025-01-01", "2025-02-28"), 1, False, ("2024-01-01", "2024-02-29")),
        (("2024-02-29", "2024-03-10"), 1, False, ("2023-02-28", "2023-03-10")),
        (("2024-02-29", "2024-02-29"), 4, False, ("2020-02-29", "2020-02-29")),
        (("2020-06-01", "2020-06-24"), 1, False, ("2019-06-01", "2019-06-24")),
        # Week 27 is not on the same dates.
        (("2023-07-03", "2023-07-09"), 1, True, ("2022-07-04", "2022-07-10")),
        # Week 53 of 2026 is compared with week 52 of 2025, and with week 53 of 2020.
        (("2026-12-28", "2027-01-03"), 1, True, ("2025-12-22", "2025-12-28")),
        (("2026-12-28", "2027-01-03"), 6, True, ("2020-12-28", "2021-01-03")),
        # A part of a week keeps its weekdays.
        (("2023-01-01", "2023-01-01"), 1, True, ("2022-01-02", "2022-01-02")),
    ],
)
def test_the_same_period_some_years_before(
    now: tuple[str, str], years: int, in_weeks: bool, then: tuple[str, str]
) -> None:
    assert same_period(period(*now), years, in_weeks) == period(*then)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2023-07-03", "2023-07-09", True),
        ("2023-01-02", "2023-12-31", True),
        ("2023-07-04", "2023-07-10", False),
        # Monday to Sunday, but said by dates: from New Year's Day on, or whole months.
        ("2024-01-01", "2024-06-23", False),
        ("2021-02-01", "2021-02-28", False),
    ],
)
def test_a_period_of_whole_weeks_is_one_of_weeks(first: str, last: str, expected: bool) -> None:
    assert is_in_weeks(period(first, last)) is expected


@given(day=DAYS, years=st.integers(1, 9))
def test_the_same_week_day_is_the_same_week_or_the_last_one(day: date, years: int) -> None:
    year, week, weekday = day.isocalendar()
    then = same_week_day(day, years).isocalendar()
    assert (then.year, then.weekday) == (year - years, weekday)
    assert then.week == week or (week, then.week, weeks_in(year - years)) == (53, 52, 52)


@given(day=DAYS, years=st.integers(1, 9), unit=st.sampled_from(["day", "week", "month", "year"]))
def test_what_comes_after_a_unit_goes_back_to_it(day: date, years: int, unit: str) -> None:
    start = unit_of(unit, day).first  # type: ignore[arg-type]
    after = unit_after(unit, start, years)  # type: ignore[arg-type]
    if after is None:
        _, week, _ = start.isocalendar()
        assert week == 53 if unit == "week" else (start.month, start.day) == (2, 29)
    else:
        assert same_unit(unit, after, years) == start  # type: ignore[arg-type]


@given(one=DAYS, days=st.integers(0, 800), other=DAYS, more=st.integers(0, 800))
def test_an_overlap_is_what_both_hold(one: date, days: int, other: date, more: int) -> None:
    a, b = Period(one, one + timedelta(days)), Period(other, other + timedelta(more))
    both = overlap(a, b)
    if both is None:
        assert a.last < b.first or b.last < a.first
    else:
        assert both.first in a
        assert both.first in b
        assert both.last in a
        assert both.last in b
        assert both.first - timedelta(1) not in a or both.first - timedelta(1) not in b


@given(st.tuples(st.none() | DAYS, st.none() | DAYS), DAYS)
def test_years_and_the_rest_hold_each_day_of_a_period_once_and_no_other(
    days: tuple[date | None, date | None], day: date
) -> None:
    first, last = days
    if first is not None and last is not None and first > last:
        first, last = last, first
    found = whole_years((first, last))
    if found is None:
        assert first is not None
        assert last is not None
        return
    (start, end), rest = found
    held = int((start is None or start <= day.year) and (end is None or day.year <= end))
    held += sum(sign for sign, part in rest if day in part)
    assert held == int((first is None or first <= day) and (last is None or day <= last))
    # No more days are looked at than the period has.
    if first is not None and last is not None:
        assert sum(part.days for _, part in rest) <= Period(first, last).days


@pytest.mark.parametrize(
    ("first", "last", "years", "signs"),
    [
        ("2024-01-01", "2024-12-31", (2024, 2024), []),
        ("2024-01-01", "2024-11-22", (2024, 2024), [-1]),
        ("2024-03-01", "2024-11-22", (2024, 2024), [-1, -1]),
        ("2023-12-30", "2024-12-29", (2024, 2024), [1, -1]),
        ("2022-02-01", "2024-02-01", (2022, 2023), [-1, 1]),
        ("2024-01-01", "2024-06-30", None, []),
        ("2023-12-01", "2024-02-01", None, []),
    ],
)
def test_which_years_are_worth_it(
    first: str, last: str, years: tuple[int, int] | None, signs: list[int]
) -> None:
    asked = period(first, last)
    found = whole_years((asked.first, asked.last))
    assert (None if found is None else found[0]) == years
    assert [sign for sign, _ in (found[1] if found else [])] == signs

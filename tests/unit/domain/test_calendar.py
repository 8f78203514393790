"""Days are Viet Nam's, and instants are exact."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import LOCAL_TIMEZONE
from streams.domain.calendar import (
    day_of,
    instant,
    iso_week,
    local_day,
    microseconds,
    month_of,
    previous_month,
    same_week,
    week_name,
    week_of,
    weeks_in,
    years_before,
)

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS)
def test_an_instant_survives_as_microseconds(at: datetime) -> None:
    assert instant(microseconds(at)) == at


@given(INSTANTS)
def test_the_local_day_is_that_of_the_time_zone_database(at: datetime) -> None:
    expected = at.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date().isoformat()
    assert local_day(microseconds(at)) == expected
    assert day_of(at.isoformat()) == expected
    assert at.astimezone(LOCAL_TIMEZONE).date().isoformat() == expected


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_day_is_its_own_day(day: date) -> None:
    assert day_of(day.isoformat()) == day.isoformat()


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2023-07-04T16:59:59.999999Z", "2023-07-04"),
        ("2023-07-04T17:00:00Z", "2023-07-05"),
        ("2023-07-04T23:59:59-12:00", "2023-07-05"),
        ("2023-12-31T17:00:00+00:00", "2024-01-01"),
        ("2024-02-29T00:00:00+07:00", "2024-02-29"),
    ],
)
def test_around_midnight(value: str, day: str) -> None:
    assert day_of(value) == day


def test_microseconds_are_whole() -> None:
    at = datetime(2023, 7, 4, 1, 2, 3, 456_789, tzinfo=UTC)
    assert microseconds(at) % 1_000_000 == 456_789


DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))


@given(DAYS)
def test_a_week_is_monday_to_sunday(day: date) -> None:
    week = week_of(day)

    assert day in week
    assert (week.first.isoweekday(), week.last.isoweekday(), week.days) == (1, 7, 7)
    year, number, _ = day.isocalendar()
    assert iso_week(year, number) == week
    assert week_name(day) == f"{year}-W{number:02d}"
    assert number <= weeks_in(year)


@given(DAYS, st.integers(-20, 20))
def test_week_53_is_compared_with_week_52(day: date, years: int) -> None:
    year, number, _ = day.isocalendar()
    compared = same_week(year + years, number).first.isocalendar()

    assert compared.year == year + years
    assert compared.week == number or (number, compared.week, weeks_in(year + years)) == (53, 52, 52)


def test_a_week_that_a_year_lacks_is_refused() -> None:
    assert week_name(date(2027, 1, 3)) == "2026-W53"
    assert week_name(date(2027, 1, 4)) == "2027-W01"
    with pytest.raises(ValueError, match="53"):
        iso_week(2025, 53)


@given(DAYS)
def test_a_month_is_whole(day: date) -> None:
    month = month_of(day)

    assert day in month
    assert (month.first.day, month.first.month) == (1, day.month)
    assert (month.last + timedelta(days=1)).day == 1
    assert previous_month(month).last + timedelta(days=1) == month.first


@pytest.mark.parametrize(
    ("day", "before"),
    [("2024-02-29", "2023-02-28"), ("2025-02-28", "2024-02-28"), ("2026-07-20", "2025-07-20")],
)
def test_the_same_day_of_last_year(day: str, before: str) -> None:
    assert years_before(date.fromisoformat(day), 1) == date.fromisoformat(before)

"""Days are Viet Nam's, and instants are exact."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import LOCAL_TIMEZONE
from streams.domain.calendar import day_of, instant, local_day, microseconds

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

"""Which backups are kept: 7 days, 5 weeks, 12 months."""

from datetime import UTC, datetime, timedelta

from services.backup.retention import to_keep

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
"""Noon in Viet Nam, a Sunday."""


def every_night(days: int) -> list[datetime]:
    return [NOON - timedelta(days=back) for back in range(days)]


def test_of_two_years_of_nights_seven_days_five_weeks_and_twelve_months_are_kept() -> None:
    kept = sorted(to_keep(every_night(730)), reverse=True)
    days = [(NOON - at).days for at in kept]
    # Seven nights; Sundays of five weeks (the first is today); the last nights of eleven more months.
    assert days[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert {0, 7, 14, 21, 28} <= set(days)
    assert {(at.year, at.month) for at in kept} == {
        *((2026, month) for month in range(1, 12)),
        (2025, 12),
    }
    assert len(kept) == 7 + 4 + 11


def test_nothing_is_kept_of_nothing() -> None:
    assert to_keep([]) == set()


def test_the_newest_is_kept_whatever_the_numbers() -> None:
    assert to_keep(every_night(3), daily=0, weekly=0, monthly=0) == {NOON}


def test_of_one_day_the_newest_is_kept() -> None:
    times = [NOON, NOON - timedelta(hours=1), NOON - timedelta(hours=2)]
    assert to_keep(times) == {NOON}


def test_days_are_local() -> None:
    # 23:30 and 00:30 in Viet Nam: two days, one in UTC.
    late, early = datetime(2026, 11, 20, 16, 30, tzinfo=UTC), datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
    assert to_keep([late, early], daily=2, weekly=0, monthly=0) == {late, early}


def test_a_pause_does_not_delete_what_was_before_it() -> None:
    # A backup that stopped for a year: what there is stays, as days without one do not count.
    old = [at - timedelta(days=365) for at in every_night(7)]
    assert to_keep([NOON, *old]) >= {NOON, *old[:6]}

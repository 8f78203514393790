"""Which earlier rows a row is compared with: weeks 53, leap days, missing rows, seasons."""

from datetime import date

import numpy as np
import pytest

from streams.domain.detectors.base import SeriesSet
from streams.domain.detectors.reference_rows import most_periods, seasons, windows, year_before, years_back


def weekly(first: str, n_weeks: int) -> SeriesSet:
    dates = np.datetime64(first, "D") + 7 * np.arange(n_weeks)
    return SeriesSet(np.zeros((n_weeks, 1)), 52, dates)


WEEKS = weekly("2014-12-29", 627)
"""2015-W01 to 2026-W53; 2015, 2020 and 2026 have a week 53."""


def iso_week(series: SeriesSet, row: int) -> str:
    assert series.dates is not None
    day: date = series.dates[row].astype(object)
    return "{}-W{:02}".format(*day.isocalendar()[:2])


def test_week_53_is_compared_with_the_nearest_weeks_of_other_years() -> None:
    row = next(row for row in range(627) if iso_week(WEEKS, row) == "2020-W53")

    found = years_back(WEEKS, row, 5)

    assert [iso_week(WEEKS, before) for before in found if before is not None] == [
        "2020-W01",
        "2019-W01",
        "2017-W52",
        "2016-W52",
        "2015-W53",
    ]


def test_rows_told_by_number_go_back_by_the_frequency() -> None:
    assert years_back(SeriesSet(np.zeros((600, 1)), 52), 110, 3) == [58, 6, -46]


def test_a_year_that_the_series_lacks_is_none() -> None:
    assert years_back(WEEKS, 60, 2)[1] is None


@pytest.mark.parametrize(
    ("day", "years", "weekly", "earlier"),
    [
        ("2024-02-29", 1, False, "2023-03-01"),
        ("2024-02-29", 4, False, "2020-02-29"),
        ("2026-12-28", 1, True, "2025-12-29"),
        # 2022-07-03 is a Sunday: the Monday after it is nearer than the one before.
        ("2023-07-03", 1, True, "2022-07-04"),
        # 2021-07-03 is a Saturday.
        ("2023-07-03", 2, True, "2021-07-05"),
        # 2019-07-04 is a Thursday: three days back.
        ("2022-07-04", 3, True, "2019-07-01"),
    ],
)
def test_the_same_day_of_an_earlier_year(day: str, years: int, weekly: bool, earlier: str) -> None:
    assert year_before(date.fromisoformat(day), years, weekly=weekly) == date.fromisoformat(earlier)


def test_windows_by_number_lose_what_lies_before_the_series() -> None:
    series = SeriesSet(np.zeros((600, 1)), 52)

    baseline = windows(series, 105, 2, 3)

    assert (baseline.offsets + 105).tolist() == [0, 1, 2, 3, 4, *range(50, 57)]


def test_windows_by_date_leave_out_what_is_missing() -> None:
    assert WEEKS.dates is not None
    kept = np.delete(np.arange(627), 300)
    series = SeriesSet(WEEKS.counts[kept], 52, WEEKS.dates[kept])
    row = 350

    whole, holed = windows(WEEKS, row + 1, 3, 3), windows(series, row, 3, 3)

    assert whole.offsets.size == 21
    assert holed.offsets.size == 20
    expected = {iso_week(WEEKS, row + 1 + offset) for offset in whole.offsets.tolist()} - {
        iso_week(WEEKS, 300)
    }
    assert {iso_week(series, row + offset) for offset in holed.offsets.tolist()} == expected


def test_windows_of_months_keep_the_day_of_the_month() -> None:
    dates = (np.datetime64("2001-01", "M") + np.arange(60)).astype("datetime64[D]") + 14

    baseline = windows(SeriesSet(np.zeros((60, 1)), 12, dates), 40, 2, 1)

    assert (baseline.offsets + 40).tolist() == [15, 16, 17, 27, 28, 29]


def levels(lags: tuple[int, ...], half_window: int, periods: int, excluded: int) -> dict[int, int]:
    """Offset to season, 1 to periods; R's numbers, because no season is missing in these."""
    found = seasons(lags, half_window, periods, excluded)
    assert found is not None
    season = np.repeat(np.arange(1, found.season_starts.size + 1), found.season_sizes)
    return dict(sorted(zip(found.offsets.tolist(), season.tolist(), strict=True)))


def test_a_year_of_52_weeks_has_nine_seasons_of_five_weeks_and_the_window() -> None:
    season = levels((52, 104), 3, 10, 26)

    assert [season[offset] for offset in range(-55, -48)] == [10] * 7
    assert [season[offset] for offset in range(-100, -55)] == [
        level for level in range(1, 10) for _ in range(5)
    ]
    # The latest half year and this week are no baseline.
    assert max(season) == -27
    assert min(season) == -107


def test_in_a_year_of_53_weeks_the_first_season_is_longer() -> None:
    season = levels((53,), 3, 10, 0)

    assert [offset for offset, level in season.items() if level == 1] == list(range(-49, -43))
    assert [offset for offset, level in season.items() if level == 2] == list(range(-43, -38))


def test_one_season_is_the_windows_alone() -> None:
    assert sorted(levels((52, 104), 1, 1, 1)) == [-105, -104, -103, -53, -52, -51]


def test_rows_right_before_are_baseline_unless_left_out() -> None:
    assert {-3, -2} <= set(levels((52,), 3, 1, 1))


def test_too_many_seasons_write_over_each_other_as_in_r() -> None:
    # Monthly, w = 3, 10 seasons: five rows between the windows, and R's seasons there are 1, 2, 3, 4, 9, 9.
    found = seasons((12,), 3, 10, 0)

    assert found is not None
    between = np.repeat([1, 2, 3, 4, 9, 10], found.season_sizes)
    assert between[np.argsort(found.offsets)][7:13].tolist() == [1, 2, 3, 4, 9, 9]
    assert seasons((10,), 3, 10, 0) is not None
    assert seasons((9,), 3, 10, 0) is None
    assert most_periods((12, 24), 3, 10) == 6
    assert most_periods((52, 104, 157), 3, 10) == 10


def test_nothing_is_left_when_all_windows_are_excluded() -> None:
    found = seasons((52,), 3, 10, 52 + 10)

    assert found is not None
    assert found.current is None

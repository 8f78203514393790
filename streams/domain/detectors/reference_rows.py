"""Which earlier rows a row is compared with, and which season each belongs to."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from streams.domain.detectors.base import MONTHLY, WEEKLY, SeriesSet


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Rows before a row, told by their distance, sorted by season and then by time.

    offsets: row minus the judged row, all below zero, shape (n_rows,).
    season_starts: first place of each season in `offsets`, shape (n_seasons,); no season is empty.
    current: which season is that of the judged row; None where the baseline has no such row.
    """

    offsets: NDArray[np.intp]
    season_starts: NDArray[np.intp]
    current: int | None

    @property
    def season_sizes(self) -> NDArray[np.intp]:
        """Rows of each season."""
        return np.diff(self.season_starts, append=self.offsets.size)

    def from_row(self, row: int) -> "Baseline":
        """Without what lies before the series' first row, seen from `row`."""
        kept = self.offsets + row >= 0
        if kept.all():
            return self
        season = np.repeat(np.arange(self.season_starts.size), self.season_sizes)[kept]
        return _sorted_by_season(self.offsets[kept], season, self.current)


def _sorted_by_season(offsets: NDArray[np.intp], season: NDArray[np.intp], current: int | None) -> Baseline:
    order = np.lexsort((offsets, season))
    seasons, starts = np.unique(season[order], return_index=True)
    places = np.flatnonzero(seasons == current)
    return Baseline(offsets[order], starts, int(places[0]) if places.size else None)


def years_back(series: SeriesSet, row: int, years: int) -> list[int | None]:
    """The rows one, two ... years before a row.

    Args:
        series: The series; with dates, its rows need not be complete.
        row: The judged row.
        years: How many.

    Returns:
        Row numbers, most recent first; below 0 where the year lies before the series (rows told by number),
        None where no row has that date. With dates: the same day of the year (29 February: 1 March), in
        weekly series the nearest day with the row's weekday. So week 53 meets the week that lies nearest in
        other years, and no drift adds up; without dates a year is `frequency` rows.
    """
    if series.dates is None:
        return [row - year * series.frequency for year in range(1, years + 1)]
    day = series.dates[row].astype(object)
    wanted = [year_before(day, year, weekly=series.frequency == WEEKLY) for year in range(1, years + 1)]
    return [_row_of(series.dates, np.datetime64(day, "D")) for day in wanted]


def year_before(day: date, years: int, *, weekly: bool) -> date:
    """The same day some years earlier; if weekly, the nearest day with the same weekday.

    >>> year_before(date(2020, 12, 28), 1, weekly=True)
    datetime.date(2019, 12, 30)
    >>> year_before(date(2024, 2, 29), 1, weekly=False)
    datetime.date(2023, 3, 1)
    """
    try:
        earlier = day.replace(year=day.year - years)
    except ValueError:
        earlier = date(day.year - years, 3, 1)
    if not weekly:
        return earlier
    forward = (day.weekday() - earlier.weekday()) % 7
    return earlier + timedelta(days=forward if forward <= 3 else forward - 7)


def _row_of(dates: NDArray[np.datetime64], day: np.datetime64) -> int | None:
    place = int(np.searchsorted(dates, day))
    return place if place < dates.size and dates[place] == day else None


def windows(series: SeriesSet, row: int, years: int, half_window: int) -> Baseline:
    """The classic baseline: the rows within half a window of the same row of each earlier year.

    With dates every row of a window is looked up by its own date; what the series does not have is left out.

    Returns:
        One season.
    """
    if series.dates is None:
        rows = [
            centre + step
            for centre in years_back(series, row, years)
            if centre is not None
            for step in range(-half_window, half_window + 1)
        ]
    else:
        day = series.dates[row].astype(object)
        weekly = series.frequency == WEEKLY
        rows = []
        for year in range(1, years + 1):
            centre = year_before(day, year, weekly=weekly)
            for step in range(-half_window, half_window + 1):
                found = _row_of(series.dates, _steps_from(centre, step, series.frequency))
                rows += [] if found is None else [found]
    offsets = np.unique(np.array([found - row for found in rows if found >= 0], dtype=np.intp))
    return Baseline(offsets, np.zeros(min(1, offsets.size), dtype=np.intp), 0 if offsets.size else None)


def _steps_from(day: date, steps: int, frequency: int) -> np.datetime64:
    start = np.datetime64(day, "D")
    if frequency == MONTHLY:
        month = start.astype("datetime64[M]") + steps
        return np.datetime64(month, "D") + (day.day - 1)
    return start + steps * (7 if frequency == WEEKLY else 1)


@lru_cache(maxsize=1024)
def seasons(
    lags: tuple[int, ...], half_window: int, periods: int, past_rows_excluded: int
) -> Baseline | None:
    """The flexible baseline: windows around the same row of earlier years, and seasons between them.

    The windows, and the rows right before the judged one, are season `periods`. The rows between two windows
    are cut into periods - 1 blocks in time order, the first ones a row longer where it does not come out
    even.

    Args:
        lags: Rows back to the same row of each earlier year, ascending.
        half_window: Rows on each side.
        periods: Seasons of a year; 1: the windows are all.
        past_rows_excluded: Rows right before the judged one that are left out, so that an outbreak that has
            begun is not its own baseline. The judged row always is.

    Returns:
        The baseline; None where a gap between windows is more than 2 half_window + 1 rows short of `periods`.
        With fewer rows than blocks R writes the empty blocks backwards over their neighbours, and so does
        this: ask for fewer periods (`most_periods`).

    Source:
        Noufaily et al. 2013 (Stat Med 32, 1206); R surveillance 1.20.3, farringtonFlexible.
    """
    now = lags[-1] + half_window
    season = np.zeros(now + 1, dtype=np.intp)
    season[max(now - half_window, 0) :] = periods
    later = now
    for lag in lags:
        centre = now - lag
        season[centre - half_window : centre + half_window + 1] = periods
        if periods > 1:
            between = later - centre - 2 * half_window - 1
            if between < periods - (2 * half_window + 1):
                return None
            length, longer = divmod(between, periods - 1)
            start = centre + half_window + 1
            for block in range(1, periods):
                end = start + length + (1 if block <= longer else 0)
                season[start:end] = block
                if end == start:
                    season[start - 1 : start + 1] = block
                start = end
        later = centre
    season[max(now - past_rows_excluded, 0) :] = 0
    rows = np.flatnonzero(season)
    return _sorted_by_season(rows - now, season[rows], periods)


def most_periods(lags: tuple[int, ...], half_window: int, periods: int) -> int:
    """As many seasons as the shortest gap between windows has room for, at most `periods`.

    >>> most_periods((12, 24, 36), 3, 10)
    6
    """
    gaps = np.diff((0, *lags)) - 2 * half_window - 1
    return max(1, min(periods, int(gaps.min()) + 1))

"""What every detector takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

DAILY, WEEKLY, MONTHLY = 365, 52, 12
"""Rows in a year, by which the grain of a dated series is told."""

LARGEST_COUNT = 1e18
"""Larger counts are refused: squares of their sums would leave the range of floats."""

ANY_COUNT = -1.0
"""An upper bound that even a count of zero exceeds."""

# Numbers held at once by the detectors that gather a window for every row: 32 MB.
_NUMBERS_AT_ONCE = 4_000_000


class Reason(IntEnum):
    """Why a row has the answer that it has. Only the first four are answers; the rest have no alarm."""

    MODEL = 0
    TOO_FEW_CASES = 1
    NEW_DISEASE = 2
    SPARSE = 3
    COUNT_MISSING = 4
    HISTORY_TOO_SHORT = 5
    R_HAS_NO_ANSWER = 6


MESSAGES: dict[Reason, tuple[str, str]] = {
    Reason.MODEL: ("Đã so với ngưỡng của mô hình.", "Compared with the model's threshold."),
    Reason.TOO_FEW_CASES: (
        "Quá ít ca trong các kỳ gần nhất để cảnh báo theo phương pháp này.",
        "Too few cases in the latest rows for an alarm by this method.",
    ),
    Reason.NEW_DISEASE: (
        "Không có ca nào trong toàn bộ số liệu nền: so với ngưỡng cho bệnh mới xuất hiện.",
        "No case in the whole baseline: compared with the threshold for a new disease.",
    ),
    Reason.SPARSE: (
        "Số liệu nền quá thưa cho mô hình: so với ngưỡng Bayes trên các kỳ cùng mùa.",
        "The baseline is too sparse for the model: compared with the Bayes threshold of the same season.",
    ),
    Reason.COUNT_MISSING: ("Thiếu số ca của kỳ này.", "The count of this row is not known."),
    Reason.HISTORY_TOO_SHORT: (
        "Không đủ số liệu nền (hoặc dân số) cho phương pháp này.",
        "Not enough known history (or population) for this method.",
    ),
    Reason.R_HAS_NO_ANSWER: (
        "R không trả lời ở kỳ này (chế độ so sánh với R).",
        "R gives no answer at this row (compatibility mode).",
    ),
}
"""For staff: Vietnamese, English."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesSet:
    """Counts of many series on one time axis, oldest first.

    counts: cases per row, shape (n_times, n_series). Zero is "nobody ill"; NaN is "not known".
    frequency: rows per year (365 daily, 52 weekly, 12 monthly).
    dates: day of each row, datetime64[D], shape (n_times,), ascending; None: rows are told by number alone.
    population: people at risk, shape (n_times, n_series), above zero or NaN; None: not known.
    """

    counts: Floats
    frequency: int
    dates: NDArray[np.datetime64] | None = None
    population: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse what no detector could read.

        Raises:
            ValueError: says which of the four is wrong, and where.
        """
        if self.counts.ndim != 2:
            raise ValueError(f"Counts have axes (time, series); these have {self.counts.ndim} axes.")
        wrong = np.argwhere((self.counts < 0) | (self.counts > LARGEST_COUNT))
        if wrong.size:
            row, column = wrong[0]
            raise ValueError(
                f"Row {row} of series {column} has the count {self.counts[row, column]}; counts are from 0 "
                f"to {LARGEST_COUNT:g}, or NaN where it is not known."
            )
        if self.frequency < 1:
            raise ValueError(f"A series has at least one row per year, not {self.frequency}.")
        if self.dates is not None:
            if self.dates.shape != self.counts.shape[:1]:
                raise ValueError(f"{self.counts.shape[0]} rows of counts, {self.dates.shape} dates.")
            if np.isnat(self.dates).any() or (np.diff(self.dates) <= np.timedelta64(0, "D")).any():
                raise ValueError("Dates ascend and none is missing; sort the rows and merge equal days.")
        if self.population is not None:
            if self.population.shape != self.counts.shape:
                raise ValueError(
                    f"Population has shape {self.population.shape}, counts have {self.counts.shape}."
                )
            if (self.population <= 0).any() or np.isinf(self.population).any():
                raise ValueError("A population is above zero, or NaN where it is not known.")

    def columns(self, which: slice) -> Self:
        """Some of the series, same rows."""
        return replace(
            self,
            counts=self.counts[:, which],
            population=None if self.population is None else self.population[:, which],
        )

    def on_a_grid(self, rows: Rows) -> tuple[Self, Rows]:
        """Put a row of NaN where a dated series has none; windows then measure time, not rows.

        Args:
            rows: Rows of this series.

        Returns:
            The filled series and where the rows went. A series without dates is returned as it is.

        Raises:
            ValueError: dates do not keep the step of the frequency (7 days, 1 day, a month), or the frequency
                is none of 365, 52, 12.
        """
        if self.dates is None:
            return self, rows
        place = self._grid_places(self.dates)
        if place[-1] == place.size - 1:
            return self, rows
        size = int(place[-1]) + 1
        return (
            replace(
                self,
                counts=_scattered(self.counts, place, size),
                dates=self._grid_dates(self.dates[0], size),
                population=None if self.population is None else _scattered(self.population, place, size),
            ),
            place[rows],
        )

    def _grid_places(self, dates: NDArray[np.datetime64]) -> NDArray[np.intp]:
        """Number of steps from the first date to each."""
        if self.frequency == MONTHLY:
            months = dates.astype("datetime64[M]")
            days = dates - months.astype("datetime64[D]")
            steps: NDArray[np.intp] = (months - months[0]).astype(np.intp)
            in_step = (np.diff(steps) > 0).all() and bool((days == days[0]).all())
        elif self.frequency in (DAILY, WEEKLY):
            length = 1 if self.frequency == DAILY else 7
            days_since = (dates - dates[0]).astype(np.intp)
            steps, over = np.divmod(days_since, length)
            in_step = not over.any()
        else:
            raise ValueError(
                f"Dated series are daily (365), weekly (52) or monthly (12), not {self.frequency} per year."
            )
        if not in_step:
            raise ValueError(
                f"The dates do not keep the step of {self.frequency} rows a year: weekly series have one "
                "weekday, monthly ones one day of the month."
            )
        return steps

    def _grid_dates(self, first: np.datetime64, size: int) -> NDArray[np.datetime64]:
        """The dates of every step."""
        if self.frequency == MONTHLY:
            month = first.astype("datetime64[M]")
            day_of_month = first - month.astype("datetime64[D]")
            return np.asarray((month + np.arange(size)).astype("datetime64[D]") + day_of_month)
        return np.asarray(first + (1 if self.frequency == DAILY else 7) * np.arange(size))


def _scattered(values: Floats, place: NDArray[np.intp], size: int) -> Floats:
    filled = np.full((size, values.shape[1]), np.nan)
    filled[place] = values
    return filled


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A detector's answer for the asked rows of every series; all of shape (n_rows, n_series).

    upperbound: the largest count that raises no alarm, as a real number; NaN where there is none, -1 where
        every count raises one. In R's compatibility mode: what R calls upperbound.
    alarm: count > upperbound (R's compatibility mode: R's own rule). False where not judged.
    judged: False where no verdict can be given (`reason` says why).
    expected: cases that the method expects; NaN where it expects none in particular.
    reason: a `Reason` for each.
    """

    upperbound: Floats
    alarm: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    expected: Floats
    reason: NDArray[np.int8]


def judged_by_bound(
    counts: Floats, upperbound: Floats, expected: Floats, reason: NDArray[np.int8]
) -> Detection:
    """The verdict of every method but R's own quirks: alarm where the count exceeds the bound.

    Args:
        counts: Counts of the judged rows, shape (n_rows, n_series).
        upperbound, expected, reason: Same shape. A bound of NaN is no verdict, unless `reason` is
            TOO_FEW_CASES, which is a verdict: no alarm.

    Returns:
        The verdicts; rows with an unknown count keep their bound and are not judged.
    """
    missing = np.isnan(counts)
    reason = np.where(missing & (reason != Reason.HISTORY_TOO_SHORT), Reason.COUNT_MISSING, reason)
    judged = ~missing & (~np.isnan(upperbound) | (reason == Reason.TOO_FEW_CASES))
    with np.errstate(invalid="ignore"):
        alarm = judged & (counts > upperbound)
    return Detection(upperbound, alarm, judged, expected, reason.astype(np.int8))


Options = TypeVar("Options")


@dataclass(frozen=True, slots=True)
class Detector(Generic[Options]):
    """One method: its defaults and the function that runs it.

    name: as on the command line.
    defaults: the published settings.
    run: series, rows, options, r_compat to a detection; pure.
    numbers_per_series: how many numbers `run` holds at once for one series.
    """

    name: str
    defaults: Options
    run: Callable[[SeriesSet, Rows, Options, bool], Detection]
    numbers_per_series: Callable[[SeriesSet, Rows, Options], int]

    def detect(
        self, series: SeriesSet, rows: Any = None, options: Options | None = None, *, r_compat: bool = False
    ) -> Detection:
        """Judge the asked rows of every series, each against the rows before it.

        Args:
            series: The series.
            rows: Row numbers from 0, in any order; None: all of them.
            options: Settings of the method; None: the published ones.
            r_compat: Compute what R `surveillance` 1.20.3 computes, its faults included. Otherwise the
                published method, with an answer also where R has none (docs/indicators/detectors.md).

        Returns:
            One answer per asked row and series. Rows that cannot be judged say so; nothing is left out.

        Raises:
            ValueError: rows outside the series, options out of bounds, dates out of step.
        """
        options = self.defaults if options is None else options
        n_times, n_series = series.counts.shape
        asked = np.arange(n_times) if rows is None else np.asarray(rows, dtype=np.intp)
        if asked.ndim != 1 or (asked.size and not 0 <= asked.min() <= asked.max() < n_times):
            raise ValueError(f"Rows to judge are numbers from 0 to {n_times - 1}.")
        if asked.size == 0 or n_series == 0:
            return _nothing_asked((asked.size, n_series))
        if not r_compat:
            series, asked = series.on_a_grid(asked)
        width = max(1, _NUMBERS_AT_ONCE // max(1, self.numbers_per_series(series, asked, options)))
        parts = [
            self.run(series.columns(slice(first, first + width)), asked, options, r_compat)
            for first in range(0, n_series, width)
        ]
        return parts[0] if len(parts) == 1 else _side_by_side(parts)


def _nothing_asked(shape: tuple[int, int]) -> Detection:
    return Detection(
        np.empty(shape),
        np.empty(shape, np.bool_),
        np.empty(shape, np.bool_),
        np.empty(shape),
        np.empty(shape, np.int8),
    )


def _side_by_side(parts: list[Detection]) -> Detection:
    return Detection(
        np.concatenate([part.upperbound for part in parts], axis=1),
        np.concatenate([part.alarm for part in parts], axis=1),
        np.concatenate([part.judged for part in parts], axis=1),
        np.concatenate([part.expected for part in parts], axis=1),
        np.concatenate([part.reason for part in parts], axis=1),
    )


def gathered(counts: Floats, rows: NDArray[np.intp]) -> Floats:
    """Counts at given rows, NaN where a row lies before the first or after the last.

    Args:
        counts: Shape (n_times, n_series).
        rows: Row numbers, any shape.

    Returns:
        Shape rows.shape + (n_series,).
    """
    outside = (rows < 0) | (rows >= counts.shape[0])
    taken = counts[np.where(outside, 0, rows)]
    taken[outside] = np.nan
    return taken


def known_mean_and_sd(window: Floats, at_least: int) -> tuple[Floats, Floats]:
    """Mean and sample standard deviation of what is known, by two passes.

    Args:
        window: Shape (n_rows, n_window, n_series); NaN is not known.
        at_least: Fewest known counts for an answer, 2 or more.

    Returns:
        Both (n_rows, n_series), NaN where fewer are known. Two passes: a rolling sum leaves 1e-16 where the
        deviation is 0, and raises false alarms by it.
    """
    known = ~np.isnan(window)
    n_known = known.sum(axis=1)
    enough = n_known >= at_least
    n_safe = np.where(enough, n_known, 2)
    mean = np.where(known, window, 0.0).sum(axis=1) / n_safe
    deviation = np.where(known, window - mean[:, None, :], 0.0)
    sd = np.sqrt((deviation * deviation).sum(axis=1) / (n_safe - 1))
    return np.where(enough, mean, np.nan), np.where(enough, sd, np.nan)

"""CUSUM: small rises that last, added up."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from streams.domain.detectors.base import (
    ANY_COUNT,
    Detection,
    Detector,
    Floats,
    Reason,
    Rows,
    SeriesSet,
    judged_by_bound,
)

Transformation = Literal["standard", "rossi", "anscombe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CusumOptions:
    """k: allowance per row, in standard deviations. h: decision limit of the sum. transformation: of counts.

    mean: expected cases per row; None: the mean of the training rows. training: how many rows from the first;
    None: all before the first row asked for; a dated series counts its missing rows. The sum starts at 0
    after them, so a service that asks for the latest row only must set `training`.
    """

    k: float = 1.04
    h: float = 2.26
    transformation: Transformation = "standard"
    mean: float | None = None
    training: int | None = None

    def __post_init__(self) -> None:
        """Refuse settings out of bounds.

        Raises:
            ValueError: names the setting.
        """
        if not (np.isfinite(self.k) and np.isfinite(self.h) and self.h > 0):
            raise ValueError(f"k is a number and h is above zero, not {self.k} and {self.h}.")
        if self.transformation not in ("standard", "rossi", "anscombe"):
            raise ValueError(
                f"Transformations are standard, rossi and anscombe, not {self.transformation!r}."
            )
        if self.mean is not None and not (self.mean > 0 and np.isfinite(self.mean)):
            raise ValueError(f"The expected count is above zero, not {self.mean}.")
        if self.training is not None and self.training < 0:
            raise ValueError(f"The number of training rows is zero or more, not {self.training}.")


def cusum(series: SeriesSet, rows: Rows, options: CusumOptions, r_compat: bool) -> Detection:
    """Add up S = max(0, S + z - k) row by row; alarm at S >= h. The sum is not reset by an alarm.

    The bound is the largest count that keeps S below h: -1 where every count reaches it. R's `upperbound` is
    one
    more: the fewest cases that raise an alarm, 0 where it has none. An unknown count leaves the sum as it
    is (R: no answer ever after). With all training rows zero the expected count is that of Jeffreys' prior,
    1 / (2 n) (R: no answer).

    Source:
        Page 1954; Rossi et al. 1999 (Stat Med 18, 2111); R surveillance 1.20.3, algo.cusum.
    """
    first = int(rows.min()) if options.training is None else options.training
    if first > rows.min():
        raise ValueError(f"Row {rows.min()} is asked for but lies in the {first} training rows.")
    last = int(rows.max())
    expected = _expected(series.counts[:first], options, r_compat)
    bound = np.empty((last + 1 - first, expected.size))
    sums = np.empty_like(bound)
    total = np.zeros(expected.size)
    for step, counts in enumerate(series.counts[first : last + 1]):
        with np.errstate(all="ignore"):
            missing_to_alarm = options.h + options.k - total
            bound[step] = _count_reaching(missing_to_alarm, expected, options.transformation)
            if not r_compat:
                always = missing_to_alarm <= _standardised(np.zeros(1), expected, options.transformation)
                bound[step] = np.where(always, 0.0, bound[step])
            grown = np.maximum(
                0.0, total + _standardised(counts, expected, options.transformation) - options.k
            )
        total = grown if r_compat else np.where(np.isnan(counts), total, grown)
        sums[step] = total
    counts, bound, sums = series.counts[rows], bound[rows - first], sums[rows - first]
    means = np.broadcast_to(expected, bound.shape)
    if r_compat:
        judged = ~np.isnan(sums)
        reason = np.where(judged, Reason.MODEL, Reason.R_HAS_NO_ANSWER).astype(np.int8)
        if options.transformation == "standard":
            bound = np.ceil(bound)
        with np.errstate(invalid="ignore"):
            return Detection(np.maximum(np.nan_to_num(bound), 0.0), sums >= options.h, judged, means, reason)
    bound = np.maximum(np.ceil(bound) - 1.0, ANY_COUNT)
    reason = np.where(np.isnan(bound), Reason.HISTORY_TOO_SHORT, Reason.MODEL).astype(np.int8)
    return judged_by_bound(counts, bound, means, reason)


def _expected(training: Floats, options: CusumOptions, r_compat: bool) -> Floats:
    """Expected cases per row of each series; NaN where nothing is known."""
    if options.mean is not None:
        return np.full(training.shape[1], options.mean)
    known = ~np.isnan(training)
    n_known = known.sum(axis=0)
    total = np.where(known, training, 0.0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if r_compat:
            return np.where(known.all(axis=0), total / n_known, np.nan)
        return np.where(n_known > 0, np.where(total > 0, total, 0.5) / n_known, np.nan)


def _standardised(counts: Floats, mean: Floats, transformation: Transformation) -> Floats:
    if transformation == "standard":
        return (counts - mean) / np.sqrt(mean)
    if transformation == "rossi":
        return (counts - 3.0 * mean + 2.0 * np.sqrt(counts * mean)) / (2.0 * np.sqrt(mean))
    return 1.5 * (np.cbrt(counts * counts) - np.cbrt(mean * mean)) / mean ** (1.0 / 6.0)


def _count_reaching(z: Floats, mean: Floats, transformation: Transformation) -> Floats:
    """The real number whose standardised value is z; of no meaning where even zero has a larger one."""
    root: Floats = np.sqrt(mean)
    if transformation == "standard":
        return root * z + mean
    if transformation == "rossi":
        return 2.0 * z * root + 5.0 * mean - 2.0 * np.sqrt(4.0 * mean * mean + 2.0 * mean * root * z)
    return np.maximum(2.0 / 3.0 * mean ** (1.0 / 6.0) * z + np.cbrt(mean * mean), 0.0) ** 1.5


def _gathered_numbers(series: SeriesSet, rows: Rows, options: CusumOptions) -> int:
    return 4 * int(series.counts.shape[0])


CUSUM = Detector("cusum", CusumOptions(), cusum, _gathered_numbers)

"""RKI and Bayes: a count against the rows before it and the same season of earlier years."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.domain.detectors.base import (
    Detection,
    Detector,
    Floats,
    Reason,
    Rows,
    SeriesSet,
    gathered,
    judged_by_bound,
    known_mean_and_sd,
)
from streams.domain.detectors.quantiles import count_quantile

# Upper 95 % limits of a Poisson count with mean 0, 1 ... 20, after Crow and Gardner 1959 (Biometrika 46,
# 441), to three decimals as the RKI's system rounds them; the figures are those that R surveillance 1.20.3
# answers with.
_LIMITS_0_TO_10 = (3.285, 5.323, 6.686, 8.102, 9.598, 11.177, 12.817, 13.765, 14.921, 16.768, 17.633)
_LIMITS_11_TO_20 = (19.05, 20.335, 21.364, 22.945, 23.762, 25.4, 26.306, 27.735, 28.966, 30.017)
POISSON_LIMITS = np.array([*_LIMITS_0_TO_10, *_LIMITS_11_TO_20])
_NORMAL_ABOVE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonOptions:
    """Which rows are the base, and how sure an alarm is.

    years: earlier years to look at (b). half_window: rows on each side of the same row there, and rows before
    the present one (w). this_year: whether the rows right before count (actY). alpha: error of one verdict
    (Bayes; RKI has its table).
    """

    years: int
    half_window: int
    this_year: bool
    alpha: float = 0.05

    def __post_init__(self) -> None:
        """Refuse settings out of bounds.

        Raises:
            ValueError: names the setting.
        """
        if self.years < 0 or self.half_window < 0:
            raise ValueError("Years back and half window are zero or more.")
        if self.rows_of_base < 2:
            raise ValueError("The base is empty: look at this year's rows or at an earlier year.")
        if not 0.0 < self.alpha < 1.0:
            raise ValueError(f"alpha lies between 0 and 1, not {self.alpha}.")

    @property
    def rows_of_base(self) -> int:
        """How many counts a verdict rests on."""
        return self.years * (2 * self.half_window + 1) + (self.half_window if self.this_year else 0)


def bayes(series: SeriesSet, rows: Rows, options: SeasonOptions, r_compat: bool) -> Detection:
    """Judge each row against the predictive law of a Poisson count with Jeffreys' prior.

    U is the (1 - alpha) quantile of a negative binomial with size (sum of base + 1/2) and probability n / (n
    + 1). An all-zero base is no special case: U is then 0 or 1. One known count is enough for a (wide)
    answer.

    Source:
        Riebler 2004; Höhle 2007 (Comput Stat 22, 571); R surveillance 1.20.3, algo.bayes.
    """
    base, whole = _base(series, rows, options)
    known = ~np.isnan(base)
    n_known = known.sum(axis=1)
    enough = (n_known > 0) & (whole[:, None] | (not r_compat))
    mean = (np.where(known, base, 0.0).sum(axis=1) + 0.5) / np.where(enough, n_known, 1)
    bound = np.full(mean.shape, np.nan)
    bound[enough] = predictive_bound(options.alpha, mean[enough], n_known[enough])
    return _verdict(series.counts[rows], bound, np.where(enough, mean, np.nan), r_compat)


def predictive_bound(alpha: float, mean: Floats, n_known: NDArray[np.intp]) -> Floats:
    """The (1 - alpha) quantile of the next count, given how many were known and their posterior mean.

    Args:
        alpha: Error of one verdict.
        mean: (sum of counts + 1/2) / n_known, shape (n,).
        n_known: Number of counts, one or more, shape (n,).

    Returns:
        Shape (n,): of the Gamma-Poisson predictive law under Jeffreys' prior.
    """
    return count_quantile(1.0 - alpha, mean, 1.0 + 1.0 / n_known)


def rki(series: SeriesSet, rows: Rows, options: SeasonOptions, r_compat: bool) -> Detection:
    """Judge each row against mean + 2 sd of its base above a mean of 20, else against a table.

    Source:
        Altmann 2003, RKI; R surveillance 1.20.3, algo.rki.
    """
    base, whole = _base(series, rows, options)
    at_least = options.rows_of_base if r_compat else options.rows_of_base // 2 + 1
    mean, sd = known_mean_and_sd(base, max(2, at_least))
    if r_compat:
        mean = np.where(whole[:, None], mean, np.nan)
    index = np.where(mean <= _NORMAL_ABOVE, mean, 0.0).astype(np.intp)
    bound = np.where(mean > _NORMAL_ABOVE, mean + 2.0 * sd, POISSON_LIMITS[index])
    bound[np.isnan(mean)] = np.nan
    return _verdict(series.counts[rows], bound, mean, r_compat)


def _base(series: SeriesSet, rows: Rows, options: SeasonOptions) -> tuple[Floats, NDArray[np.bool_]]:
    """The base counts (n_rows, rows_of_base, n_series), and whether the series reaches back far enough."""
    w, years = options.half_window, options.years
    offsets = [np.arange(-w, 0)] if options.this_year else []
    offsets += [np.arange(-w, w + 1) - year * series.frequency for year in range(1, years + 1)]
    wanted = rows[:, None] + np.concatenate(offsets)
    whole = rows - years * series.frequency - w >= 0
    return gathered(series.counts, wanted), whole


def _verdict(counts: Floats, bound: Floats, mean: Floats, r_compat: bool) -> Detection:
    without = Reason.R_HAS_NO_ANSWER if r_compat else Reason.HISTORY_TOO_SHORT
    reason = np.where(np.isnan(bound), without, Reason.MODEL).astype(np.int8)
    return judged_by_bound(counts, bound, mean, reason)


def _gathered_numbers(series: SeriesSet, rows: Rows, options: SeasonOptions) -> int:
    return rows.size * options.rows_of_base


BAYES = Detector("bayes", SeasonOptions(years=0, half_window=6, this_year=True), bayes, _gathered_numbers)
RKI = Detector("rki", SeasonOptions(years=2, half_window=4, this_year=False), rki, _gathered_numbers)

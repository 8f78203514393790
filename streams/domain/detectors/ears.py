"""EARS C1, C2 and C3: a count against the mean and spread of the week (or seven rows) before it."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from streams.domain.detectors.base import (
    ANY_COUNT,
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

_GAP = 2
"""Rows between the baseline of C2 and C3 and the row judged: a slow rise is not its own baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsOptions:
    """alpha: one-sided error of a verdict. baseline: rows of history, 3 or more. min_sigma: floor of sd."""

    alpha: float
    baseline: int = 7
    min_sigma: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings out of bounds.

        Raises:
            ValueError: names the setting.
        """
        if not 0.0 < self.alpha < 1.0:
            raise ValueError(f"alpha lies between 0 and 1, not {self.alpha}.")
        if self.baseline < 3:
            raise ValueError(f"The EARS baseline has 3 rows or more, not {self.baseline}.")
        if not (self.min_sigma >= 0.0 and np.isfinite(self.min_sigma)):
            raise ValueError(f"The smallest standard deviation is zero or more, not {self.min_sigma}.")

    @property
    def z(self) -> float:
        """Normal quantile of 1 - alpha."""
        return float(special.ndtri(1.0 - self.alpha))


def ears_c1(series: SeriesSet, rows: Rows, options: EarsOptions, r_compat: bool) -> Detection:
    """Judge each row against the `baseline` rows right before it: U = mean + z max(sd, min_sigma).

    Source:
        Hutwagner et al. 2003 (J Urban Health 80, i89); R surveillance 1.20.3, earsC(method = "C1").
    """
    return _against_window(series, rows, options, 0, r_compat)


def ears_c2(series: SeriesSet, rows: Rows, options: EarsOptions, r_compat: bool) -> Detection:
    """Judge each row as C1 does, with two rows between the baseline and the row.

    Source:
        Hutwagner et al. 2003; R surveillance 1.20.3, earsC(method = "C2").
    """
    return _against_window(series, rows, options, _GAP, r_compat)


def ears_c3(series: SeriesSet, rows: Rows, options: EarsOptions, r_compat: bool) -> Detection:
    """Add up what the last three C2 scores have above one standard deviation; alarm above z.

    With C2 = (count - mean) / max(sd, min_sigma) and P = what the two rows before add, the published
    statistic P + max(0, C2 - 1) exceeds z where count > mean + sd (z - P + 1); where P alone exceeds z every
    count raises an alarm (-1). A row before that has no score adds nothing; on a flat baseline (sd 0) a count
    above it adds without limit, a count on it adds nothing.

    R's bound is count + sd (z - P), at least 0: there the present count has no influence. `r_compat` has
    that.

    Source:
        Hutwagner et al. 2003; R surveillance 1.20.3, earsC(method = "C3").
    """
    z = options.z
    mean, sd = _baseline(series.counts, rows, options, _GAP, r_compat)
    carried = np.zeros(mean.shape)
    for back in (1, 2):
        before_mean, before_sd = _baseline(series.counts, rows - back, options, _GAP, r_compat)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = (gathered(series.counts, rows - back) - before_mean) / before_sd
        if not r_compat:
            score = np.where(np.isnan(score), 0.0, score)
        carried = carried + np.maximum(score - 1.0, 0.0)
    counts = series.counts[rows]
    if r_compat:
        with np.errstate(invalid="ignore"):
            bound = np.maximum(counts + sd * (z - carried), 0.0)
        return _as_r(counts, bound, mean)
    with np.errstate(invalid="ignore"):
        bound = np.where(carried < z, mean + sd * (z - carried + 1.0), ANY_COUNT)
    bound[np.isnan(mean)] = np.nan
    return judged_by_bound(counts, bound, mean, _reasons(bound))


def _against_window(
    series: SeriesSet, rows: Rows, options: EarsOptions, gap: int, r_compat: bool
) -> Detection:
    mean, sd = _baseline(series.counts, rows, options, gap, r_compat)
    counts = series.counts[rows]
    bound = mean + options.z * sd
    return _as_r(counts, bound, mean) if r_compat else judged_by_bound(counts, bound, mean, _reasons(bound))


def _baseline(
    counts: Floats, rows: Rows, options: EarsOptions, gap: int, r_compat: bool
) -> tuple[Floats, Floats]:
    """Mean and floored sd of each row's baseline; NaN where too little of it is known.

    R wants all of it. The published method does not say; here more than half of it (4 of 7), and 3 at least.
    """
    window = gathered(counts, rows[:, None] - gap - np.arange(options.baseline, 0, -1))
    at_least = options.baseline if r_compat else max(3, options.baseline // 2 + 1)
    mean, sd = known_mean_and_sd(window, at_least)
    return mean, np.maximum(sd, options.min_sigma)


def _reasons(bound: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.where(np.isnan(bound), Reason.HISTORY_TOO_SHORT, Reason.MODEL).astype(np.int8)


def _as_r(counts: Floats, bound: Floats, mean: Floats) -> Detection:
    """R's verdict: NA where the bound or the count is."""
    judged = ~(np.isnan(bound) | np.isnan(counts))
    reason = np.where(judged, Reason.MODEL, Reason.R_HAS_NO_ANSWER).astype(np.int8)
    with np.errstate(invalid="ignore"):
        return Detection(bound, judged & (counts > bound), judged, mean, reason)


def _gathered_numbers(series: SeriesSet, rows: Rows, options: EarsOptions) -> int:
    return rows.size * options.baseline


EARS_C1 = Detector("ears-c1", EarsOptions(alpha=0.001), ears_c1, _gathered_numbers)
EARS_C2 = Detector("ears-c2", EarsOptions(alpha=0.001), ears_c2, _gathered_numbers)
EARS_C3 = Detector("ears-c3", EarsOptions(alpha=0.025), ears_c3, _gathered_numbers)

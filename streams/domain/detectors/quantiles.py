"""Quantiles of counts that always end.

`scipy.stats.nbinom.ppf` searches without bound: it hangs (q 0.99, n 3.2e28, p 0.946) or ends the process
(n 2.1e91, p 0.107). Here the search is bracketed, and above 1e9 a series expansion takes its place.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

_SEARCHED_BELOW = 1e9
"""Means above it are not searched: the distribution function of scipy loses its footing there."""

# Left continuity: a probability that is met but for rounding is met.
_FUZZ = 1.0 - 64.0 * np.finfo(np.float64).eps


def count_quantile(
    probability: float, mean: NDArray[np.float64], dispersion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The smallest count that a Poisson or negative binomial count stays at or below with a probability.

    Args:
        probability: Between 0 and 1, both excluded.
        mean: Expected counts, shape (n,), not negative. NaN and infinity have no quantile.
        dispersion: Variance over mean, shape (n,). At most 1: Poisson; above: negative binomial with
            size mean / (dispersion - 1).

    Returns:
        Whole numbers as floats, shape (n,). NaN where mean is NaN or infinite. Exact below a mean of 1e9;
        above it a Cornish-Fisher expansion, right to about one part in 1e8.

    Raises:
        ValueError: probability is not between 0 and 1.

    >>> count_quantile(0.95, np.array([3.0, 3.0, 1e12]), np.array([1.0, 2.5, 1.0]))
    array([6.00000000e+00, 8.00000000e+00, 1.00000164e+12])
    """
    if not 0.0 < probability < 1.0:
        raise ValueError(f"A quantile needs a probability between 0 and 1, not {probability}.")
    quantile = np.full(mean.shape, np.nan)
    finite = np.isfinite(mean) & np.isfinite(dispersion)
    start = np.zeros(mean.shape)
    start[finite] = _expansion(probability, mean[finite], np.maximum(dispersion[finite], 1.0))
    searched = finite & (mean <= _SEARCHED_BELOW)
    quantile[finite & ~searched] = start[finite & ~searched]
    quantile[searched] = _search(
        probability * _FUZZ, mean[searched], np.maximum(dispersion[searched], 1.0), start[searched]
    )
    return quantile


def _expansion(
    probability: float, mean: NDArray[np.float64], dispersion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cornish-Fisher with the third and fourth cumulants, rounded, never negative."""
    z = float(special.ndtri(probability))
    sigma = np.sqrt(dispersion) * np.sqrt(mean)
    # Skewness of a negative binomial count times sigma, and excess kurtosis times the variance.
    skew = 2.0 * dispersion - 1.0
    kurtosis = 6.0 * dispersion * (dispersion - 1.0) + 1.0
    quantile = mean + sigma * z + skew * (z * z - 1.0) / 6.0
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = kurtosis * (z**3 - 3.0 * z) / 24.0 - skew * skew * (2.0 * z**3 - 5.0 * z) / 36.0
        # Where the spread exceeds the mean the series does not converge: then two terms are the better start.
        quantile = np.where(sigma < mean, quantile + bend / sigma, quantile)
    return np.maximum(np.floor(quantile + 0.5), 0.0)


def _cumulative(
    count: NDArray[np.float64], mean: NDArray[np.float64], dispersion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """P(Y <= count) for whole counts; 0 below zero."""
    poisson = dispersion <= 1.0
    size = mean / np.where(poisson, 1.0, dispersion - 1.0)
    at_least_zero = np.maximum(count, 0.0)
    probability = np.where(
        poisson,
        special.gammaincc(at_least_zero + 1.0, mean),
        special.betainc(size, at_least_zero + 1.0, 1.0 / dispersion),
    )
    # A mean of zero leaves no room for anything but zero.
    probability = np.where(mean > 0.0, probability, 1.0)
    return np.where(count < 0.0, 0.0, probability)


def _search(
    probability: float,
    mean: NDArray[np.float64],
    dispersion: NDArray[np.float64],
    start: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Bracket from the start by doubling steps, then bisect: at most some sixty evaluations each."""
    low = np.full(mean.shape, -1.0)
    high = start.copy()
    step = np.maximum(1.0, np.floor(0.001 * start))
    pending = np.arange(mean.size)
    while pending.size:
        reached = _cumulative(high[pending], mean[pending], dispersion[pending]) >= probability
        beyond = pending[~reached]
        low[beyond] = high[beyond]
        high[beyond] += step[beyond]
        step[beyond] *= 2.0
        pending = beyond
    # The other side, where the start itself was high enough.
    step = np.maximum(1.0, np.floor(0.001 * start))
    pending = np.flatnonzero(low < 0.0)
    while pending.size:
        lower = np.maximum(high[pending] - step[pending], -1.0)
        reached = _cumulative(lower, mean[pending], dispersion[pending]) >= probability
        low[pending[~reached]] = lower[~reached]
        high[pending[reached]] = lower[reached]
        pending = pending[reached]
        step[pending] *= 2.0
    pending = np.flatnonzero(high - low > 1.0)
    while pending.size:
        middle = np.floor((low[pending] + high[pending]) / 2.0)
        reached = _cumulative(middle, mean[pending], dispersion[pending]) >= probability
        high[pending[reached]] = middle[reached]
        low[pending[~reached]] = middle[~reached]
        pending = pending[high[pending] - low[pending] > 1.0]
    return high

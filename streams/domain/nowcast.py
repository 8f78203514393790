"""How many cases of the last periods will be counted once all reports are in.

Right truncation: of a recent week only the quickly reported cases are known. From the reporting triangle
(cases by period of onset and by how many periods later they became known) the reverse-time hazards of the
delay are estimated, and with them what is still to come: Lawless (1994), Adjustments for reporting delays
and the prediction of occurred but not reported events, Canad. J. Statist. 22:15-31; with the generalized
Dirichlet prior and the negative binomial prediction of Höhle and an der Heiden (2014), Bayesian nowcasting
during the STEC O104:H4 outbreak in Germany, 2011, Biometrics 70:993-1002 (in R: surveillance::nowcast,
methods "lawless" and "bayes.trunc").

Ours beyond that: diseases and districts with few cases borrow the delays of all (shrinkage); weeks differ in
their delays more than chance explains, which widens the interval (intra-period correlation); and as many
cases are expected to be taken back as were taken back before, by the signed rows of the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

MIN_POOLED_CASES: Final = 30
"""Fewer cases in the window over all series together say too little of delays: no nowcast."""

MIN_COMPLETE_PERIODS: Final = 4
"""So many periods must be older than the longest delay, and seen from their start."""

_SEED: Final = 1994


@dataclass(frozen=True, slots=True)
class Model:
    """The settings of the estimate.

    Attributes:
        window: Onset periods before the last one whose delays are used.
        uniform_cases: Prior weight per delay of the uniform delay distribution (kappa of the R package).
        pooled_cases: Prior weight, in cases, of the larger group's delays for a smaller group.
        shape: Of the gamma prior of a period's number of cases; its mean is that of the last periods.
            Zero: no prior, the point estimate is Lawless's.
        level: Probability that the interval is to hold.
        draws: From the predictive distribution.
    """

    window: int
    uniform_cases: float = 0.1
    pooled_cases: float = 20.0
    shape: float = 0.25
    level: float = 0.95
    draws: int = 1_000


class Triangle(NamedTuple):
    """What is known of several series at the end of the last period, oldest period first.

    Attributes:
        arrivals: Cases that stand in the counts now, by onset period and by how many periods later they came
            to stand there; shape (n_series, n_periods, longest_delay + 1). Zero where period + delay is in
            the future. Backfilled cases and delays beyond the longest are left out.
        moved: Signed sum of all changes with that delay, shape as `arrivals`: what was counted and taken back
            is in here, and not in `arrivals`.
        counted: Cases that stand in the counts now, backfilled and late ones included; (n_series, n_periods).
        live_from: First period whose delays could be seen from its start (the system was there).
    """

    arrivals: Counts
    moved: Counts
    counted: Counts
    live_from: int = 0


class Nowcast(NamedTuple):
    """The last `longest_delay` periods of every series, oldest first; all of shape (n_series, longest_delay).

    Attributes:
        expected: Cases that will be counted in the end.
        lower, upper: Ends of the central predictive interval, whole cases.
        share_known: Share of the final cases that is expected to be known by now, 0 to 1.
    """

    expected: Floats
    lower: Counts
    upper: Counts
    share_known: Floats


class TooLittle(Exception):
    """The history says too little of delays; the text says what is missing, for operators."""


def nowcast(triangle: Triangle, model: Model, groups: Sequence[NDArray[np.int64]] = ()) -> Nowcast:
    """Predict the final counts of the last periods.

    Args:
        triangle: What is known.
        model: The settings.
        groups: From the largest to the smallest grouping, the number (from 0) of each series' group, shape
            (n_series,); e.g. by disease. Delays are pooled over all series, then over each grouping, then
            taken for each series, each with the one before as its prior.

    Returns:
        Cells of a series that had no case in the window, and has none now, are zero throughout.

    Raises:
        ValueError: shapes do not fit, or a count is negative.
        TooLittle: the delays cannot be estimated.
    """
    _check(triangle, groups)
    n_series, n_periods, width = triangle.arrivals.shape
    longest = width - 1
    first = max(triangle.live_from, n_periods - 1 - model.window, 0)
    if n_periods - longest - first < MIN_COMPLETE_PERIODS:
        raise TooLittle(
            f"the delays of {max(0, n_periods - longest - first)} complete period(s) are known, "
            f"{MIN_COMPLETE_PERIODS} are needed"
        )
    arrivals = triangle.arrivals[:, first:]
    if arrivals.sum() < MIN_POOLED_CASES:
        raise TooLittle(f"{arrivals.sum()} case(s) in the window, {MIN_POOLED_CASES} are needed")

    levels = _levels([np.zeros(n_series, np.int64), *groups, np.arange(n_series)])
    share = _share_known(arrivals, levels, model)
    kept = _share_kept(arrivals, triangle.moved[:, first:], levels, model)
    recent = slice(n_periods - longest, n_periods)
    # The last period has age 0, so ages run backwards.
    share = _Share(share.mean[:, ::-1], share.variance[:, ::-1])
    kept = _Share(kept.mean[:, ::-1], kept.variance[:, ::-1])
    live = triangle.arrivals[:, recent].sum(axis=2)
    return _predict(triangle.counted[:, recent], live, share, kept, model)


def _levels(groupings: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """The groupings, but for those that only repeat the one before: nothing borrows from itself."""
    sizes = [0, *(int(grouping.max()) + 1 for grouping in groupings)]
    return [
        grouping for grouping, before, size in zip(groupings, sizes, sizes[1:], strict=False) if size > before
    ]


class _Share(NamedTuple):
    """A probability per series and age (0 to longest - 1), with what is not known of it."""

    mean: Floats
    variance: Floats


def reverse_hazard_counts(arrivals: Counts) -> tuple[Counts, Counts]:
    """Cases with exactly a delay, and cases with at most it, over the periods old enough to show it.

    Args:
        arrivals: As in Triangle.

    Returns:
        Two arrays of shape (n_series, longest_delay + 1).
    """
    exactly, at_most = _cells(arrivals)
    return exactly.sum(axis=1), at_most.sum(axis=1)


def _cells(arrivals: Counts) -> tuple[Counts, Counts]:
    """The same per period; cells that are in the future are zero in both."""
    _, n_periods, width = arrivals.shape
    seen = np.arange(n_periods)[:, None] + np.arange(width)[None, :] < n_periods
    return arrivals * seen, np.cumsum(arrivals, axis=2) * seen


def _sum_by(group: NDArray[np.int64], values: NDArray[np.generic]) -> Floats:
    sums = np.zeros((int(group.max()) + 1, *values.shape[1:]))
    np.add.at(sums, group, values)
    return sums


def _share_known(arrivals: Counts, levels: Sequence[NDArray[np.int64]], model: Model) -> _Share:
    """Probability that a final case is known by each age: the product of (1 - hazard) of all later delays."""
    width = arrivals.shape[2]
    exactly, at_most = _cells(arrivals)
    # A uniform delay distribution: among delays 0 to d, d + 1 equal chances.
    before_exactly = np.full((1, width), model.uniform_cases)
    before_others = model.uniform_cases * np.arange(width)[None, :]
    correlation: Floats = np.zeros(1)
    hazard: Floats = np.zeros((1, width))
    for number, level in enumerate(levels):
        parent = _parents(levels, number)
        if number > 0:
            before_exactly = model.pooled_cases * hazard[parent]
            before_others = model.pooled_cases * (1 - hazard[parent])
        exact, most = _sum_by(level, exactly.sum(axis=1)), _sum_by(level, at_most.sum(axis=1))
        yes, no = exact + before_exactly, most - exact + before_others
        hazard = np.divide(yes, yes + no, out=np.zeros_like(yes), where=yes + no > 0)
        correlation = _correlation(exactly, at_most, level, hazard, correlation[parent])
        weight = yes + no
    squares = (at_most.astype(float) ** 2).sum(axis=1)
    largest = np.divide(squares, most, out=np.zeros_like(squares), where=most > 0)
    rho = correlation[:, None]
    inflated = 1 + rho * np.maximum(largest - 1, 0)
    variance = hazard * (1 - hazard) * np.minimum(inflated / (weight + 1) + rho, 1)
    stays = 1 - hazard
    mean = _product_after(stays)
    return _Share(mean, np.clip(_product_after(stays * stays + variance) - mean * mean, 0, None))


def _product_after(factors: Floats) -> Floats:
    """The product of all later columns, for each column but the last."""
    return np.asarray(np.cumprod(factors[:, :0:-1], axis=1)[:, ::-1], np.float64)


def _parents(levels: Sequence[NDArray[np.int64]], number: int) -> NDArray[np.int64]:
    """For each group of a level, its group one level up."""
    if number == 0:
        return np.zeros(1, np.int64)
    parent = np.zeros(int(levels[number].max()) + 1, np.int64)
    parent[levels[number]] = levels[number - 1]
    return parent


def _correlation(
    exactly: Counts, at_most: Counts, level: NDArray[np.int64], hazard: Floats, parent: Floats
) -> Floats:
    """How much delays of one period resemble each other, beyond chance: 0 (not at all) to 1, per group.

    Ratio of the excess of the squared deviations over the binomial variance to its largest possible value; a
    group with little to say takes its larger group's.
    """
    own = hazard[level][:, None, 1:]
    n, most = exactly[:, :, 1:], at_most[:, :, 1:]
    spread = own * (1 - own)
    excess = ((n - most * own) ** 2 - most * spread) * (most > 1)
    possible = most * (most - 1) * spread
    found, room = _sum_by(level, excess.sum(axis=(1, 2))), _sum_by(level, possible.sum(axis=(1, 2)))
    some = 100.0
    estimate: Floats = np.clip((found + some * parent) / (room + some), 0, 0.5)
    return estimate


def _share_kept(arrivals: Counts, moved: Counts, levels: Sequence[NDArray[np.int64]], model: Model) -> _Share:
    """Share of the cases counted at each age that still stands at the end, from the complete periods."""
    longest = arrivals.shape[2] - 1
    complete = slice(0, arrivals.shape[1] - longest)
    stood = np.cumsum(moved[:, complete], axis=2).sum(axis=1)[:, :longest]
    stands = np.cumsum(arrivals[:, complete], axis=2).sum(axis=1)[:, :longest]
    mean: Floats = np.ones((1, longest))
    weight = 1.0
    for number, level in enumerate(levels):
        before = mean[_parents(levels, number)]
        all_of, kept = _sum_by(level, np.maximum(stood, stands)), _sum_by(level, stands)
        mean = np.clip((kept + weight * before) / (all_of + weight), 0, 1)
        variance = mean * (1 - mean) / (all_of + weight + 1)
        weight = model.pooled_cases
    return _Share(mean, variance)


def _predict(counted: Counts, live: Counts, share: _Share, kept: _Share, model: Model) -> Nowcast:
    """Final cases = those of now that are not taken back, and those to come.

    With a gamma prior (shape a, rate b) of the number, k cases known and share F known, those to come are
    negative binomial: size a + k, mean (a + k) (1 - F) / (b + F).
    """
    left = live * kept.mean
    usual = left.sum(axis=1) / share.mean.sum(axis=1)
    rate = np.divide(model.shape, usual, out=np.zeros_like(usual), where=usual > 0)[:, None]
    to_come = (model.shape * (usual[:, None] > 0) + left) * (1 - share.mean) / (rate + share.mean)
    expected = counted * kept.mean + to_come
    lower, upper = counted.copy(), counted.copy()
    tails = [(1 - model.level) / 2, (1 + model.level) / 2]
    for series in np.flatnonzero((usual > 0) | (counted.sum(axis=1) > 0)):
        # Each series has the same random numbers: a figure does not depend on what else was asked for.
        rng = np.random.default_rng(_SEED)
        known = _beta(rng, share.mean[series], share.variance[series], model.draws)
        stays = _beta(rng, kept.mean[series], kept.variance[series], model.draws)
        size = live[series] * stays + (model.shape if usual[series] > 0 else 0)
        mean_to_come = rng.standard_gamma(size) * (1 - known) / (rate[series] + known)
        final = rng.binomial(counted[series], stays) + rng.poisson(mean_to_come)
        lower[series], upper[series] = np.quantile(final, tails, axis=0, method="inverted_cdf")
    return Nowcast(expected, lower, upper, share.mean)


def _beta(rng: np.random.Generator, mean: Floats, variance: Floats, draws: int) -> Floats:
    """Draws of shape (draws, n) of the beta distributions with these moments, shape (n,)."""
    widest = mean * (1 - mean)
    is_certain = (variance <= 1e-12) | (widest <= 1e-12)
    total = np.divide(widest, variance, out=np.ones_like(mean), where=~is_certain) - 1
    total = np.where(is_certain, 2.0, np.maximum(total, 1e-2))
    centre = np.where(is_certain, 0.5, mean)
    drawn = rng.beta(centre * total, (1 - centre) * total, size=(draws, len(mean)))
    return np.where(is_certain, mean, np.clip(drawn, 1e-4, 1.0))


def _check(triangle: Triangle, groups: Sequence[NDArray[np.int64]]) -> None:
    arrivals, moved, counted, _ = triangle
    if arrivals.ndim != 3 or arrivals.shape[2] < 2:
        raise ValueError(
            "arrivals has the shape (n_series, n_periods, longest_delay + 1), longest_delay >= 1"
        )
    if moved.shape != arrivals.shape or counted.shape != arrivals.shape[:2]:
        raise ValueError(f"moved {moved.shape} and counted {counted.shape} do not fit {arrivals.shape}")
    if arrivals.size == 0 or arrivals.min() < 0 or counted.min() < 0:
        raise ValueError("arrivals and counted hold at least one number, and none below zero")
    if any(group.shape != arrivals.shape[:1] for group in groups):
        raise ValueError("each grouping names the group of every series")

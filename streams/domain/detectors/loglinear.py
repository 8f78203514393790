"""Quasi-Poisson log-linear models, very many at once, with the start and the stopping rule of R's glm.

The models here have one shape: a level for each group of rows and, if wanted, one slope in time. Then a
weighted least squares step needs no matrix. Within each group time is centred on its weighted mean; what is
left is one division for the slope and one for each level, from sums over the rows of each group. Steps after
the first are
taken as differences, from the residuals, and each centres on the means of the step before: so nothing large
cancels. A dense QR for one model at a time says the same (tests/unit/detectors/test_loglinear.py).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ITERATIONS = 25
TOLERANCE = 1e-8
_EPSILON = float(np.finfo(np.float64).eps)
"""R keeps the mean of a Poisson model with a log link at or above this, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What the models of one batch share: rows sorted by group, and their times.

    group_starts: first row of each group, shape (n_groups,), ascending from 0.
    group_sizes: rows of each group, shape (n_groups,), none of them 0.
    time: one number per row, shape (n_rows,), in any unit; None leaves the slope out.
    """

    group_starts: NDArray[np.intp]
    group_sizes: NDArray[np.intp]
    time: Floats | None

    def without_slope(self) -> Self:
        """The same groups, no slope."""
        return type(self)(self.group_starts, self.group_sizes, None)

    def sums(self, values: Floats) -> Floats:
        """Sum over the rows of each group: (n_models, n_rows) to (n_models, n_groups)."""
        if self.group_starts.size == 1:
            total: Floats = values.sum(axis=1, keepdims=True)
            return total
        return np.add.reduceat(values, self.group_starts, axis=1)

    def spread(self, per_group: Floats) -> Floats:
        """The value of each row's group: (n_models, n_groups) to (n_models, n_rows); one group stays."""
        if self.group_starts.size == 1:
            return per_group
        return np.repeat(per_group, self.group_sizes, axis=1)


class Counts:
    """Counts to be fitted and what every fit of them needs, computed once.

    values: shape (n_models, n_rows); finite, not negative.
    """

    def __init__(self, values: Floats) -> None:
        """Take the counts as they are, without a copy."""
        self.values = values

    def of(self, which: NDArray[np.intp]) -> "Counts":
        """The counts of some of the models."""
        return Counts(self.values[which])

    @cached_property
    def start(self) -> Floats:
        """R's first means: count + 0.1."""
        return self.values + 0.1

    @cached_property
    def log_start(self) -> Floats:
        """Logarithm of R's first means."""
        return np.log(self.start)

    @cached_property
    def first_response(self) -> Floats:
        """First working response times its weight, per prior weight and without offset."""
        return self.start * self.log_start - 0.1

    @cached_property
    def first_deviance(self) -> Floats:
        """Half the deviance of each row at R's first means."""
        return self.values * np.log(np.where(self.values > 0, self.values, 1.0) / self.start) + 0.1

    @cached_property
    def saturated(self) -> Floats:
        """y log y - y: what the deviance has without the model."""
        return special.xlogy(self.values, self.values) - self.values

    @cached_property
    def two_thirds(self) -> Floats:
        """Counts to the power 2/3."""
        return np.cbrt(self.values * self.values)


@dataclass(slots=True, eq=False)
class Fit:
    """Fitted models, axis 0; weights, group_weight and the moments of time belong to the last step solved.

    mean: fitted counts (n_models, n_rows). weights: working weights of the last step (n_models, n_rows).
    level: linear predictor of each group at its time_mean, offset left out (n_models, n_groups).
    group_weight: sum of weights (n_models, n_groups). time_mean: weighted mean time (n_models, n_groups).
    slope, time_spread: per unit of time, and the weighted sum of squares around time_mean (n_models,).
    degrees_of_freedom: rows with a weight less fitted coefficients (n_models,).
    converged: R's rule was met within 25 steps (n_models,). Other models are where they stopped.
    """

    mean: Floats
    weights: Floats
    level: Floats
    group_weight: Floats
    time_mean: Floats
    slope: Floats
    time_spread: Floats
    degrees_of_freedom: Floats
    converged: Bools

    def leverage(self, design: Design) -> Floats:
        """Diagonal of the hat matrix of the last step, (n_models, n_rows), with R's rounding up to 1."""
        with np.errstate(all="ignore"):
            hat = design.spread(1.0 / self.group_weight)
            if design.time is not None:
                centred = design.time - design.spread(self.time_mean)
                hat = hat + centred * centred / self.time_spread[:, None]
            hat = self.weights * hat
            hat[hat > 1.0 - 10.0 * _EPSILON] = 1.0
            return hat

    def dispersion(self, counts: Counts, weights: Floats | None = None) -> Floats:
        """Pearson's, (n_models,); NaN without degrees of freedom.

        weights: by default those of the last step with residuals after it, as R reports it.
        """
        with np.errstate(all="ignore"):
            residual = (counts.values - self.mean) / self.mean
            np.multiply(residual, residual, out=residual)
            pearson = np.vecdot(self.weights if weights is None else weights, residual)
            return np.where(self.degrees_of_freedom > 0, pearson / self.degrees_of_freedom, np.nan)

    def predict(self, group: int, time: Floats) -> tuple[Floats, Floats]:
        """Linear predictor without offset, and its squared standard error for a dispersion of 1.

        Args:
            group: Which level.
            time: Shape (n_models,).

        Returns:
            Both (n_models,). NaN where the group has no weight.
        """
        with np.errstate(all="ignore"):
            ahead = time - self.time_mean[:, group]
            variance = 1.0 / np.where(self.group_weight[:, group] > 0, self.group_weight[:, group], np.nan)
            variance = variance + np.where(self.time_spread > 0, ahead * ahead / self.time_spread, 0.0)
            predictor = self.level[:, group] + self.slope * ahead
        return np.where(np.isnan(variance), np.nan, predictor), variance


def mean_of(predictor: Floats) -> Floats:
    """Mean of a linear predictor, with R's floor."""
    mean: Floats = np.exp(predictor)
    return np.maximum(mean, _EPSILON, out=mean)


def fit(design: Design, counts: Counts, prior: Floats, offset: Floats | None = None) -> Fit:
    """Fit every model by iteratively re-weighted least squares from R's start by R's rule.

    Starts at mean = count + 0.1; stops when the deviance changes by less than 1e-8 of itself + 0.1; 25 steps.

    Args:
        design: The rows' groups and times, common to all models.
        counts: Shape (n_models, n_rows), rows sorted as the design says.
        prior: Prior weights, same shape, not negative; 0 leaves the row out, whatever its count.
        offset: Added to the linear predictor, same shape, finite; None: none.

    Returns:
        The fits. A model without a weighted row is not converged, and its numbers mean nothing.

    Source:
        McCullagh and Nelder 1989, chapter 2; start, stopping rule and dispersion as in R 4.2.2, glm.fit.
    """
    n_models, n_rows = counts.values.shape
    n_groups = design.group_starts.size
    used = np.count_nonzero(prior, axis=1)
    coefficients = np.count_nonzero(design.sums(prior), axis=1) + (0 if design.time is None else 1)
    result = Fit(
        mean=np.full((n_models, n_rows), np.nan),
        weights=np.full((n_models, n_rows), np.nan),
        level=np.full((n_models, n_groups), np.nan),
        group_weight=np.full((n_models, n_groups), np.nan),
        time_mean=np.zeros((n_models, n_groups)),
        slope=np.zeros(n_models),
        time_spread=np.zeros(n_models),
        degrees_of_freedom=(used - coefficients).astype(np.float64),
        converged=np.zeros(n_models, dtype=np.bool_),
    )
    with np.errstate(all="ignore"):
        if design.time is None and offset is None:
            _fit_levels(design, counts, prior, result)
        else:
            _fit_rows(design, counts, prior, offset, result)
    return result


def _converged(deviance: Floats, before: Floats) -> Bools:
    """R's rule."""
    return np.abs(deviance - before) / (np.abs(deviance) + 0.1) < TOLERANCE


def _deviance(
    counts: Counts, prior: Floats, mean: Floats, total_mean: Floats, fitted: Floats, saturated: Floats
) -> Floats:
    """Poisson deviance, 2 (saturated - fitted + total_mean); row by row where these sums are too inexact.

    Args:
        counts, prior, mean: Of each row, (n_models, n_rows); mean may be (n_models, 1).
        total_mean: Sum of prior times mean (n_models,).
        fitted: Sum of prior times count times log mean (n_models,).
        saturated: Sum of prior times (y log y - y) (n_models,).
    """
    deviance = 2.0 * (saturated - fitted + total_mean)
    # Large counts cancel here: where that could reach the stopping rule, add up row by row.
    noise = 4.0 * _EPSILON * (np.abs(saturated) + np.abs(fitted) + total_mean)
    rough = np.flatnonzero(~(noise < 1e-4 * TOLERANCE * (np.abs(deviance) + 0.1)))
    if rough.size:
        y, m = counts.values[rough], np.broadcast_to(mean, counts.values.shape)[rough]
        terms = y * np.log(np.where(y > 0, y, 1.0) / m) - (y - m)
        deviance[rough] = 2.0 * np.vecdot(prior[rough], terms)
    return deviance


def _fit_levels(design: Design, counts: Counts, prior: Floats, result: Fit) -> None:
    """Levels only: all rows of a group have one mean, so the steps need the sums of the groups alone."""
    prior_sum = design.sums(prior)
    present = prior_sum > 0
    count_sum = design.sums(prior * counts.values)
    saturated = np.vecdot(prior, counts.saturated)
    group_weight = np.where(present, design.sums(prior * counts.start), 1.0)
    level = design.sums(prior * counts.first_response) / group_weight
    deviance = 2.0 * np.vecdot(prior, counts.first_deviance)
    mean_before = counts.start
    active = np.arange(prior.shape[0])
    for step in range(ITERATIONS):
        group_mean = mean_of(level)
        next_weight = np.where(present, prior_sum * group_mean, 1.0)
        mean = design.spread(group_mean)
        before = deviance
        deviance = _deviance(
            counts,
            prior,
            mean,
            (prior_sum * group_mean).sum(axis=1),
            np.vecdot(count_sum, np.log(group_mean)),
            saturated,
        )
        converged = _converged(deviance, before)
        stopped = converged | ~np.isfinite(deviance) | (step == ITERATIONS - 1)
        if stopped.any():
            to = active[stopped]
            result.converged[to] = converged[stopped]
            result.mean[to] = mean[stopped]
            result.weights[to] = prior[stopped] * mean_before[stopped]
            result.level[to] = level[stopped]
            result.group_weight[to] = np.where(present, group_weight, 0.0)[stopped]
            going = ~stopped
            if not going.any():
                return
            active, counts, prior = active[going], counts.of(np.flatnonzero(going)), prior[going]
            prior_sum, present, count_sum = prior_sum[going], present[going], count_sum[going]
            saturated, deviance = saturated[going], deviance[going]
            level, next_weight, mean = level[going], next_weight[going], mean[going]
        mean_before, group_weight = mean, next_weight
        level = level + np.where(present, count_sum / group_weight - 1.0, 0.0)


def _fit_rows(design: Design, counts: Counts, prior: Floats, offset: Floats | None, result: Fit) -> None:
    """Levels with a slope, an offset or both: one mean per row."""
    weights = prior * counts.start
    weighted = prior * counts.first_response
    weighted_counts = prior * counts.values
    log_fixed = np.zeros(prior.shape[0])
    if offset is not None:
        weighted -= weights * offset
        log_fixed = np.vecdot(weighted_counts, offset)
    saturated = np.vecdot(prior, counts.saturated)
    count_sum = design.sums(weighted_counts)
    present = design.sums(prior) > 0
    group_weight = np.where(present, design.sums(weights), 1.0)
    level = design.sums(weighted) / group_weight
    n_models = prior.shape[0]
    slope = time_spread = np.zeros(n_models)
    time_mean = centred = np.zeros((n_models, 1))
    if design.time is not None:
        # Rows of a group without weight are centred, too: their means must stay finite.
        middle = design.sums(design.time[None, :]) / design.group_sizes
        time_mean = np.where(present, design.sums(weights * design.time) / group_weight, middle)
        centred = design.time - design.spread(time_mean)
        time_spread = np.vecdot(weights * centred, centred)
        slope = np.vecdot(weighted, centred) / time_spread
    deviance = 2.0 * np.vecdot(prior, counts.first_deviance)
    active = np.arange(n_models)
    for step in range(ITERATIONS):
        predictor = design.spread(level)
        leaning_counts = np.zeros(active.size)
        if design.time is not None:
            leaned = slope[:, None] * centred
            predictor = np.add(leaned, predictor, out=leaned)
            leaning_counts = np.vecdot(weighted_counts, centred)
        mean = mean_of(predictor if offset is None else predictor + offset)
        next_weights = prior * mean
        next_weight = design.sums(next_weights)
        before = deviance
        deviance = _deviance(
            counts,
            prior,
            mean,
            next_weight.sum(axis=1),
            np.vecdot(count_sum, level) + slope * leaning_counts + log_fixed,
            saturated,
        )
        converged = _converged(deviance, before)
        stopped = converged | ~np.isfinite(deviance) | (step == ITERATIONS - 1)
        if stopped.any():
            to = active[stopped]
            result.converged[to] = converged[stopped]
            result.mean[to] = mean[stopped]
            result.weights[to] = weights[stopped]
            result.level[to] = level[stopped]
            result.group_weight[to] = np.where(present, group_weight, 0.0)[stopped]
            result.time_mean[to] = time_mean[stopped]
            result.slope[to] = slope[stopped]
            result.time_spread[to] = time_spread[stopped]
            going = ~stopped
            if not going.any():
                return
            active, counts, prior = active[going], counts.of(np.flatnonzero(going)), prior[going]
            weighted_counts, count_sum, present = weighted_counts[going], count_sum[going], present[going]
            saturated, log_fixed, deviance = saturated[going], log_fixed[going], deviance[going]
            level, slope, time_mean, centred = level[going], slope[going], time_mean[going], centred[going]
            time_spread, leaning_counts = time_spread[going], leaning_counts[going]
            next_weights, next_weight = next_weights[going], next_weight[going]
            offset = None if offset is None else offset[going]
        weights = next_weights
        group_weight = np.where(present, next_weight, 1.0)
        left_over = np.where(present, count_sum - group_weight, 0.0)
        level = level + left_over / group_weight
        if design.time is not None:
            leaning = weights * centred
            leaning_sum = design.sums(leaning)
            shift = np.where(present, leaning_sum / group_weight, 0.0)
            time_spread = np.vecdot(leaning, centred) - np.vecdot(leaning_sum, shift)
            uneven = leaning_counts - leaning_sum.sum(axis=1) - np.vecdot(left_over, shift)
            level = level + slope[:, None] * shift
            slope = slope + uneven / time_spread
            time_mean = time_mean + shift
            centred -= design.spread(shift)

"""Quasi-Poisson log-linear models, very many at once, with the start and the stopping rule of R's glm.

The models here have one shape: a level for each group of rows and, if wanted, one slope in time. Then the
weighted least squares step needs no matrix: within each group, time is centred on its weighted mean, and
what is left is one division for the slope and one for each level. That is as exact as the QR step of R
and costs a few passes over the counts. A dense QR for one model at a time says the same (see the tests).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ITERATIONS = 25
TOLERANCE = 1e-8
_SMALLEST_MEAN = float(np.finfo(np.float64).eps)
"""R keeps the mean of a Poisson model with a log link at or above this."""


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
            return values.sum(axis=1, keepdims=True)
        return np.add.reduceat(values, self.group_starts, axis=1)

    def spread(self, per_group: Floats) -> Floats:
        """The value of each row's group: (n_models, n_groups) to (n_models, n_rows)."""
        if self.group_starts.size == 1:
            return per_group
        return np.repeat(per_group, self.group_sizes, axis=1)


@dataclass(slots=True, eq=False)
class Fit:
    """Fitted models, axis 0; `weights`, `group_weight` and the time moments belong to the last step solved.

    mean: fitted counts (n_models, n_rows). weights: working weights of the last step (n_models, n_rows).
    level: linear predictor of each group at its `time_mean`, offset left out (n_models, n_groups).
    group_weight: sum of `weights` (n_models, n_groups). time_mean: weighted mean time (n_models, n_groups).
    slope, time_spread: per unit of time, and the weighted sum of squares around time_mean (n_models,).
    degrees_of_freedom: rows with a weight less fitted coefficients (n_models,).
    converged: R's rule was met within 25 steps (n_models,). Numbers of other models are where they stopped.
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
        with np.errstate(divide="ignore", invalid="ignore"):
            hat = design.spread(1.0 / self.group_weight)
            if design.time is not None:
                centred = design.time - design.spread(self.time_mean)
                hat = hat + centred * centred / self.time_spread[:, None]
            hat = self.weights * hat
        return np.where(hat > 1.0 - 10.0 * _SMALLEST_MEAN, 1.0, hat)

    def dispersion(self, counts: Floats) -> Floats:
        """Pearson's, (n_models,), as R reports it: last step's weights, residuals after it. NaN without freedom."""
        residual = (counts - self.mean) / self.mean
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(
                self.degrees_of_freedom > 0,
                np.einsum("ij,ij,ij->i", self.weights, residual, residual) / self.degrees_of_freedom,
                np.nan,
            )

    def predict(self, group: int, time: Floats | float) -> tuple[Floats, Floats]:
        """Linear predictor without offset, and its squared standard error for a dispersion of 1, (n_models,) each.

        Infinite error where the group has no weight.
        """
        ahead = time - self.time_mean[:, group]
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = 1.0 / self.group_weight[:, group]
            variance = variance + np.where(self.time_spread > 0, ahead * ahead / self.time_spread, 0.0)
        return self.level[:, group] + self.slope * ahead, variance


def fit(design: Design, counts: Floats, prior: Floats, offset: Floats | None = None) -> Fit:
    """Fit every model by iteratively re-weighted least squares from R's start by R's rule.

    Starts at mean = count + 0.1; stops when the deviance changes by less than 1e-8 of itself + 0.1; 25 steps.

    Args:
        design: The rows' groups and times, common to all models.
        counts: Shape (n_models, n_rows), rows sorted as the design says; finite (0 where prior is 0).
        prior: Prior weights, same shape, not negative; 0 leaves the row out.
        offset: Added to the linear predictor, same shape, finite; None: none.

    Returns:
        The fits. Where a whole group has no weight its level is NaN; where a model has no row at all,
        everything is.

    Source:
        McCullagh and Nelder 1989, chapter 2; start, stopping rule and dispersion as in R 4.2.2, glm.fit.
    """
    n_models, n_rows = counts.shape
    n_groups = design.group_starts.size
    with np.errstate(all="ignore"):
        used = np.count_nonzero(prior > 0, axis=1)
        groups_used = np.count_nonzero(design.sums(prior) > 0, axis=1)
    coefficients = groups_used + (0 if design.time is None else 1)
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
    _iterate(design, counts, prior, offset, result)
    return result


def _iterate(design: Design, counts: Floats, prior: Floats, offset: Floats | None, result: Fit) -> None:
    """Step all models until each has met the rule; finished ones leave the batch."""
    active = np.arange(counts.shape[0])
    mean = counts + 0.1
    predictor = np.log(mean)
    if offset is not None:
        predictor = predictor - offset
    deviance = _deviance(counts, prior, mean)
    # Where a group without weight is centred: any finite time will do, a near one keeps its rows finite.
    middle = 0.0 if design.time is None else design.sums(design.time[None, :]) / design.group_sizes
    with np.errstate(all="ignore"):
        for step in range(ITERATIONS):
            weights = prior * mean
            response = predictor + (counts - mean) / mean
            group_weight = design.sums(weights)
            weighted = weights * response
            level = design.sums(weighted) / group_weight
            if design.time is None:
                time_mean = slope = time_spread = None
                predictor = np.broadcast_to(design.spread(level), mean.shape)
            else:
                time_mean = design.sums(weights * design.time) / group_weight
                centred = design.time - design.spread(np.where(group_weight > 0, time_mean, middle))
                leaning = weights * centred
                time_spread = np.einsum("ij,ij->i", leaning, centred)
                slope = np.einsum("ij,ij->i", leaning, response) / time_spread
                predictor = design.spread(np.where(group_weight > 0, level, 0.0)) + slope[:, None] * centred
            mean = np.exp(predictor if offset is None else predictor + offset)
            np.maximum(mean, _SMALLEST_MEAN, out=mean)
            before, deviance = deviance, _deviance(counts, prior, mean)
            converged = np.abs(deviance - before) / (np.abs(deviance) + 0.1) < TOLERANCE
            stopped = converged | ~np.isfinite(deviance) | (step == ITERATIONS - 1)
            if not stopped.any():
                continue
            to = active[stopped]
            result.converged[to] = converged[stopped]
            result.mean[to] = mean[stopped]
            result.weights[to] = weights[stopped]
            result.level[to] = level[stopped]
            result.group_weight[to] = group_weight[stopped]
            if time_mean is not None and slope is not None and time_spread is not None:
                result.time_mean[to] = time_mean[stopped]
                result.slope[to] = slope[stopped]
                result.time_spread[to] = time_spread[stopped]
            going = ~stopped
            if not going.any():
                return
            active, counts, prior = active[going], counts[going], prior[going]
            mean, predictor, deviance = mean[going], predictor[going], deviance[going]
            if offset is not None:
                offset = offset[going]


def _deviance(counts: Floats, prior: Floats, mean: Floats) -> Floats:
    """Poisson deviance of each model, as R adds it up; the two terms share one mean so that its rounding cancels."""
    positive = np.where(counts > 0, counts, 1.0)
    terms = counts * np.log(positive / mean) - (counts - mean)
    return 2.0 * np.einsum("ij,ij->i", prior, terms)


def mean_of(predictor: Floats) -> Floats:
    """Mean of a linear predictor, with R's floor."""
    return np.maximum(np.exp(predictor), _SMALLEST_MEAN)

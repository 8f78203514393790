"""Thousands of models at once say what a dense QR says for each, step by step."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.domain.detectors import loglinear
from streams.domain.detectors.loglinear import Counts, Design

Floats = NDArray[np.float64]


@dataclass
class Dense:
    """One model by Householder QR: the way R goes."""

    predictor: Floats
    mean: Floats
    hat: Floats
    dispersion: float
    converged: bool
    design: Floats
    inverse: Floats
    coefficients: Floats


def dense_fit(design: Floats, counts: Floats, prior: Floats, offset: Floats) -> Dense:
    used = prior > 0
    x, y, w, o = design[used], counts[used], prior[used], offset[used]
    x = x[:, np.abs(x).sum(axis=0) > 0]
    mean = y + 0.1
    predictor = np.log(mean)

    def deviance(mean: Floats) -> float:
        return float(2 * np.sum(w * (y * np.log(np.where(y > 0, y, 1) / mean) - (y - mean))))

    before = deviance(mean)
    for _ in range(25):
        weights = w * mean
        q, r = np.linalg.qr(np.sqrt(weights)[:, None] * x)
        response = predictor - o + (y - mean) / mean
        coefficients = np.linalg.solve(r, q.T @ (np.sqrt(weights) * response))
        predictor = x @ coefficients + o
        mean = np.maximum(np.exp(predictor), np.finfo(float).eps)
        after = deviance(mean)
        converged = abs(after - before) / (abs(after) + 0.1) < 1e-8
        if converged:
            break
        before = after
    pearson = float(np.sum(weights * ((y - mean) / mean) ** 2) / (y.size - x.shape[1]))
    inverse = np.linalg.inv(r.T @ r)
    return Dense(predictor, mean, (q**2).sum(axis=1), pearson, converged, x, inverse, coefficients)


def batch(seed: int, n_groups: int, *, large: bool = False) -> tuple[Design, Floats, Floats, Floats]:
    random = np.random.default_rng(seed)
    sizes = random.integers(12, 30, n_groups)
    n_rows = int(sizes.sum())
    time = random.permutation(np.arange(-n_rows, 0)).astype(float)
    mean = np.exp(random.uniform(-1, 14 if large else 4, (40, 1)) + 0.01 * time)
    counts = random.negative_binomial(3, 3 / (3 + mean)).astype(float)
    prior = random.choice([0.0, 0.3, 1.0, 1.0], (40, n_rows))
    offset = random.normal(size=(40, n_rows))
    return Design(np.cumsum(sizes) - sizes, sizes, time), counts, prior, offset


def columns(design: Design) -> Floats:
    group = np.repeat(np.arange(design.group_sizes.size), design.group_sizes)
    levels = (group[:, None] == np.arange(design.group_sizes.size)).astype(float)
    return levels if design.time is None else np.column_stack([levels, design.time])


@pytest.mark.parametrize("large", [False, True], ids=["small counts", "large counts"])
@pytest.mark.parametrize("n_groups", [1, 4])
@pytest.mark.parametrize("slope", [True, False], ids=["slope", "levels"])
@pytest.mark.parametrize("offset", [True, False], ids=["offset", "no offset"])
def test_a_batch_is_what_each_model_is_alone(n_groups: int, slope: bool, offset: bool, large: bool) -> None:
    design, counts, prior, offsets = batch(n_groups + 10 * slope, n_groups, large=large)
    design = design if slope else design.without_slope()
    offsets = offsets if offset else np.zeros_like(offsets)

    found = loglinear.fit(design, Counts(counts), prior, offsets if offset else None)

    dispersion = found.dispersion(Counts(counts))
    hat = found.leverage(design)
    predictor, variance = found.predict(n_groups - 1, np.full(40, 5.0))
    for model in range(40):
        used = prior[model] > 0
        alone = dense_fit(columns(design), counts[model], prior[model], offsets[model])
        assert found.converged[model] == alone.converged
        np.testing.assert_allclose(found.mean[model, used], alone.mean, rtol=1e-9)
        np.testing.assert_allclose(hat[model, used], alone.hat, rtol=1e-8, atol=1e-10)
        assert dispersion[model] == pytest.approx(alone.dispersion, rel=1e-9)
        ahead = np.zeros(alone.design.shape[1])
        ahead[ahead.size - 1 - slope] = 1.0
        if slope:
            ahead[-1] = 5.0
        assert predictor[model] == pytest.approx(ahead @ alone.coefficients, rel=1e-8, abs=1e-8)
        assert variance[model] == pytest.approx(ahead @ alone.inverse @ ahead, rel=1e-7)


def test_rows_without_weight_are_not_there() -> None:
    design, counts, prior, _ = batch(3, 3)
    changed = np.where(prior > 0, counts, 1e6)

    ours, other = (loglinear.fit(design, Counts(values), prior) for values in (counts, changed))

    np.testing.assert_allclose(ours.level, other.level, rtol=1e-12)
    np.testing.assert_allclose(ours.slope, other.slope, rtol=1e-9, atol=1e-15)


def test_a_group_without_weight_has_no_prediction_and_spoils_no_other() -> None:
    design, counts, prior, _ = batch(4, 3)
    prior[:, design.group_starts[1] : design.group_starts[2]] = 0.0

    found = loglinear.fit(design, Counts(counts), prior)

    at = np.zeros(40)
    assert found.converged.all()
    assert np.isnan(found.predict(1, at)[0]).all()
    assert np.isfinite(found.predict(0, at)[0]).all()
    assert (found.degrees_of_freedom == (prior > 0).sum(axis=1) - 3).all()


def test_models_of_nothing_but_zeros_do_not_converge_in_25_steps_when_there_are_many_rows() -> None:
    # R's rule: each step divides the mean by e, the deviance must change by less than 1e-9.
    few, many = (
        loglinear.fit(
            Design(np.zeros(1, np.intp), np.array([n]), None), Counts(np.zeros((1, n))), np.ones((1, n))
        )
        for n in (35, 235)
    )

    assert few.converged.all()
    assert not many.converged.any()


def test_a_model_of_one_constant_has_it_as_its_mean() -> None:
    counts = np.full((2, 30), [[7.0], [2e9]])
    design = Design(np.array([0, 10]), np.array([10, 20]), np.arange(30.0))

    found = loglinear.fit(design, Counts(counts), np.ones((2, 30)))

    assert found.converged.all()
    np.testing.assert_allclose(found.mean, counts, rtol=1e-7)


def test_without_a_row_there_is_no_model() -> None:
    found = loglinear.fit(
        Design(np.zeros(1, np.intp), np.array([5]), np.arange(5.0)), Counts(np.ones((1, 5))), np.zeros((1, 5))
    )

    assert np.isnan(found.dispersion(Counts(np.ones((1, 5))))).all()
    assert np.isnan(found.predict(0, np.zeros(1))[0]).all()

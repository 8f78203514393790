"""Quantiles of counts: exact where scipy's are, and there at all where scipy's search never ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from streams.domain.detectors.quantiles import count_quantile

PROBABILITIES = (0.05, 0.5, 0.95, 0.99, 0.999)


@pytest.mark.parametrize("probability", PROBABILITIES)
def test_a_negative_binomial_quantile_is_scipy_s(probability: float) -> None:
    random = np.random.default_rng(1)
    mean = 10.0 ** random.uniform(-9, 5, 300)
    dispersion = 1.0 + 10.0 ** random.uniform(-2, 4, 300)

    ours = count_quantile(probability, mean, dispersion)

    np.testing.assert_array_equal(
        ours, np.maximum(stats.nbinom.ppf(probability, mean / (dispersion - 1), 1 / dispersion), 0)
    )


@pytest.mark.parametrize("probability", PROBABILITIES)
def test_without_overdispersion_it_is_poisson_s(probability: float) -> None:
    mean = 10.0 ** np.random.default_rng(2).uniform(-9, 8, 300)

    np.testing.assert_array_equal(
        count_quantile(probability, mean, np.ones(300)), np.maximum(stats.poisson.ppf(probability, mean), 0)
    )


@pytest.mark.timeout(10)
def test_it_ends_where_scipy_s_hangs_or_aborts() -> None:
    # size 3.2e28 with probability 0.946, size 2.1e91 with 0.107: the two cases known.
    dispersion = np.array([1 / 0.946, 1 / 0.107])
    mean = np.array([3.2e28, 2.1e91]) * (dispersion - 1)

    found = count_quantile(0.99, mean, dispersion)

    np.testing.assert_allclose(found, mean, rtol=1e-6)
    assert (found >= mean).all()


@pytest.mark.parametrize("dispersion", [1.0, 2.5, 50_000.0])
def test_there_is_no_step_where_the_expansion_takes_over(dispersion: float) -> None:
    below, above = count_quantile(0.99, np.array([1e9, 1e9 + 1e-6]), np.full(2, dispersion))

    assert above == pytest.approx(below, rel=1e-8)


@pytest.mark.timeout(60)
@given(
    st.floats(1e-6, 1 - 1e-6),
    st.floats(0, 1e300),
    st.floats(1, 1e15),
)
def test_it_always_ends_with_a_whole_number(probability: float, mean: float, dispersion: float) -> None:
    (found,) = count_quantile(probability, np.array([mean]), np.array([dispersion]))

    assert found >= 0
    assert found == np.floor(found)


@given(st.floats(0.5, 0.999), st.floats(0, 1e8), st.floats(1, 1e4))
def test_it_grows_with_the_mean(probability: float, mean: float, dispersion: float) -> None:
    lower, higher = count_quantile(probability, np.array([mean, mean * 1.1 + 1]), np.full(2, dispersion))

    assert lower <= higher


def test_what_is_no_mean_has_no_quantile() -> None:
    found = count_quantile(0.95, np.array([np.nan, np.inf, 0.0]), np.array([1.0, 2.0, 1.0]))

    np.testing.assert_array_equal(found, [np.nan, np.nan, 0.0])


@pytest.mark.parametrize("probability", [0.0, 1.0, -1.0, np.nan])
def test_what_is_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probability between 0 and 1"):
        count_quantile(probability, np.ones(1), np.ones(1))

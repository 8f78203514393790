"""Bayes and RKI: which rows are the base, and what the bound is."""

import numpy as np
import pytest
from scipy import stats

from streams.domain.detectors import Reason, SeriesSet
from streams.domain.detectors.same_season import BAYES, POISSON_LIMITS, RKI, SeasonOptions

BAYES_2 = SeasonOptions(years=1, half_window=6, this_year=True)


def weeks(n_weeks: int, n_series: int = 1) -> SeriesSet:
    random = np.random.default_rng(5)
    return SeriesSet(random.poisson(6, (n_weeks, n_series)).astype(float), 52)


def test_bayes_is_the_predictive_quantile_of_its_base() -> None:
    series = weeks(80)
    base = np.concatenate([series.counts[73:79, 0], series.counts[79 - 52 - 6 : 79 - 52 + 7, 0]])

    found = BAYES.detect(series, [79], BAYES_2)

    assert base.size == 19
    assert found.upperbound[0, 0] == stats.nbinom.ppf(0.95, base.sum() + 0.5, 19 / 20)
    assert found.expected[0, 0] == pytest.approx((base.sum() + 0.5) / 19)


def test_rki_looks_at_two_years_and_its_table() -> None:
    series = weeks(120)
    base = np.concatenate([series.counts[119 - 52 * y - 4 : 119 - 52 * y + 5, 0] for y in (1, 2)])

    found = RKI.detect(series, [119])

    assert found.upperbound[0, 0] == POISSON_LIMITS[int(base.mean())]


@pytest.mark.parametrize(("mean", "normal"), [(20.0, False), (21.0, True)])
def test_rki_is_normal_above_twenty(mean: float, normal: bool) -> None:
    counts = np.full((120, 1), mean)

    bound = RKI.detect(SeriesSet(counts, 52), [119]).upperbound[0, 0]

    assert bound == (mean if normal else 30.017)


def test_the_table_is_an_upper_poisson_limit() -> None:
    # Crow and Gardner's limits are the narrowest pair: near the equal-tailed ones, never far above.
    equal_tailed = stats.chi2.ppf(0.975, 2 * (np.arange(21) + 1)) / 2

    assert POISSON_LIMITS.shape == (21,)
    assert (np.diff(POISSON_LIMITS) > 0).all()
    assert (np.abs(POISSON_LIMITS - equal_tailed) < 1.2).all()


def test_unknown_counts_are_left_out_of_the_base() -> None:
    series = weeks(120)
    series.counts[60:68] = np.nan
    known = np.concatenate([series.counts[11:20, 0], series.counts[63:72, 0]])
    known = known[~np.isnan(known)]

    ours, r = (RKI.detect(series, [119], r_compat=r_compat) for r_compat in (False, True))

    assert known.size == 13
    assert ours.upperbound[0, 0] == POISSON_LIMITS[int(known.mean())]
    assert not r.judged[0, 0]


@pytest.mark.parametrize("detector", [BAYES, RKI])
def test_without_history_there_is_no_verdict_but_a_reason(detector: type) -> None:
    found = detector.detect(weeks(3), [0])  # type: ignore[attr-defined]

    assert not found.judged[0, 0]
    assert found.reason[0, 0] == Reason.HISTORY_TOO_SHORT


@pytest.mark.parametrize(
    ("years", "half_window", "this_year", "alpha"),
    [(-1, 6, True, 0.05), (0, 6, False, 0.05), (0, 0, True, 0.05), (1, 6, True, 0.0)],
)
def test_settings_out_of_bounds_are_refused(
    years: int, half_window: int, this_year: bool, alpha: float
) -> None:
    with pytest.raises(ValueError, match=r"zero or more|base is empty|alpha"):
        SeasonOptions(years=years, half_window=half_window, this_year=this_year, alpha=alpha)

"""Farrington, published: an answer where R has none; and in R's mode its faults."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.domain.detectors import DETECTORS, Detection, Reason, SeriesSet
from streams.domain.detectors.farrington import (
    FARRINGTON,
    FARRINGTON_FLEXIBLE,
    NOUFAILY_2012,
    FarringtonOptions,
    FlexibleOptions,
)
from streams.domain.detectors.quantiles import count_quantile

Floats = NDArray[np.float64]

DELTA = FlexibleOptions()
MUAN = replace(NOUFAILY_2012, threshold="muan")
MODES = [False, True]


def seasonal(n_weeks: int = 320, n_series: int = 3, mean: float = 12.0, seed: int = 1) -> Floats:
    random = np.random.default_rng(seed)
    rate = mean * np.exp(0.5 * np.sin(2 * np.pi * np.arange(n_weeks) / 52))[:, None]
    return random.negative_binomial(6, 6 / (6 + rate), (n_weeks, n_series)).astype(float)


def mondays(n_weeks: int) -> NDArray[np.datetime64]:
    return np.datetime64("2019-01-07") + 7 * np.arange(n_weeks)


def judge(counts: Floats, options: FlexibleOptions = NOUFAILY_2012, *, r_compat: bool = False) -> Detection:
    """The last row."""
    return FARRINGTON_FLEXIBLE.detect(
        SeriesSet(counts, 52), [counts.shape[0] - 1], options, r_compat=r_compat
    )


def test_a_new_disease_is_flagged_from_its_first_case_whatever_the_rule_of_five() -> None:
    counts = np.zeros((320, 2))
    counts[-1, 1] = 1

    found, r = judge(counts), judge(counts, r_compat=True)

    assert found.alarm[0].tolist() == [False, True]
    assert found.reason[0].tolist() == [Reason.NEW_DISEASE] * 2
    assert found.upperbound[0].tolist() == [0.0, 0.0]
    assert not r.judged.any()


def test_a_disease_known_from_one_case_is_not_new() -> None:
    counts = np.zeros((320, 1))
    counts[100], counts[-1] = 1, 1

    found = judge(counts)

    assert found.reason[0, 0] == Reason.TOO_FEW_CASES
    assert found.judged[0, 0]
    assert not found.alarm[0, 0]


@pytest.mark.parametrize("options", [NOUFAILY_2012, MUAN], ids=["nbPlugin", "muan"])
def test_an_outbreak_on_an_almost_empty_baseline_is_an_alarm(options: FlexibleOptions) -> None:
    # Cases in other seasons only: R's muan bound is far above any count there.
    counts = np.zeros((320, 1))
    counts[[190, 191, 244], 0] = 1
    counts[-2:, 0] = 4

    found = judge(counts, options)

    assert found.alarm[0, 0]
    assert found.upperbound[0, 0] == 0
    assert found.reason[0, 0] == (Reason.SPARSE if options is MUAN else Reason.MODEL)


def test_a_model_that_does_not_converge_is_answered_by_bayes() -> None:
    counts = np.zeros((320, 1))
    counts[-20:, 0] = 3

    found, r = judge(counts), judge(counts, r_compat=True)

    assert not r.judged[0, 0]
    # The first cases lie in the half year that is left out: nothing older is known, so the disease is new.
    assert (found.reason[0, 0], found.alarm[0, 0]) == (Reason.NEW_DISEASE, True)
    counts[60, 0] = 0.001
    assert judge(counts).judged[0, 0]


@pytest.mark.parametrize("options", [NOUFAILY_2012, MUAN, DELTA], ids=["nbPlugin", "muan", "delta"])
def test_an_unknown_week_is_the_same_as_a_date_that_is_missing(options: FlexibleOptions) -> None:
    counts, gone = seasonal(), [110, 158, 215, 300]
    unknown = counts.copy()
    unknown[gone] = np.nan
    kept = np.delete(np.arange(320), gone)

    there = FARRINGTON_FLEXIBLE.detect(SeriesSet(unknown, 52, mondays(320)), [319], options)
    missing = FARRINGTON_FLEXIBLE.detect(SeriesSet(counts[kept], 52, mondays(320)[kept]), [315], options)

    assert there.judged.all()
    np.testing.assert_array_equal(there.upperbound, missing.upperbound)
    np.testing.assert_array_equal(there.alarm, missing.alarm)


def test_in_r_s_mode_a_missing_reference_date_has_no_answer_and_others_shift() -> None:
    counts = seasonal()
    kept = np.delete(np.arange(320), 319 - 104)
    series = SeriesSet(counts[kept], 52, mondays(320)[kept])

    r = FARRINGTON_FLEXIBLE.detect(series, [317, 318], DELTA, r_compat=True)

    assert r.judged[0].all()
    assert not r.judged[1].any()
    assert FARRINGTON_FLEXIBLE.detect(series, [317, 318], DELTA).judged.all()


def test_in_r_s_mode_an_unknown_first_week_of_the_baseline_moves_the_prediction_in_time() -> None:
    known = np.rint(60 * np.exp(-0.004 * np.arange(320)))[:, None]
    known += np.random.default_rng(4).integers(0, 3, known.shape)
    # The first week of the baseline, told by number and, a week earlier, by date.
    first = 319 - 5 * 52 - 3
    holed = known.copy()
    holed[[first, first - 1]] = np.nan
    dates = np.datetime64("2000-01-03") + 7 * np.arange(320)

    def expected(counts: Floats, dates: NDArray[np.datetime64] | None, r_compat: bool) -> float:
        series = SeriesSet(counts, 52, dates)
        return float(FARRINGTON_FLEXIBLE.detect(series, [319], DELTA, r_compat=r_compat).expected[0, 0])

    assert expected(known, dates, True) == pytest.approx(expected(known, None, True), rel=0.02)
    assert expected(holed, None, True) == pytest.approx(expected(holed, None, False), rel=1e-8)
    assert expected(holed, dates, False) == pytest.approx(expected(known, dates, False), rel=0.01)
    # Time is counted a week or more too short: more is expected of the falling disease.
    assert expected(holed, dates, True) > 1.003 * expected(holed, dates, False)


@pytest.mark.parametrize("missing", [0, 2])
def test_unknown_counts_among_the_last_are_left_out_of_the_rule_of_five(missing: int) -> None:
    counts = seasonal()
    counts[-4:] = [[np.nan] * 3] * missing + [[9.0] * 3] * (4 - missing)

    assert judge(counts).judged.all()
    assert judge(counts, r_compat=True).judged.all()
    assert np.isnan(judge(counts, r_compat=True).upperbound).all() == bool(missing)


def test_an_unknown_count_has_a_bound_and_no_verdict() -> None:
    counts = seasonal()
    counts[-1] = np.nan

    found = judge(counts)

    assert np.isfinite(found.upperbound).all()
    assert (found.reason == Reason.COUNT_MISSING).all()
    assert not found.judged.any()


def test_too_few_cases_are_no_alarm_and_have_no_bound() -> None:
    counts = np.zeros((320, 1))
    counts[::40] = 1
    counts[-1] = 4

    found, r = judge(counts), judge(counts, r_compat=True)

    assert (found.reason[0, 0], found.judged[0, 0], found.alarm[0, 0]) == (Reason.TOO_FEW_CASES, True, False)
    assert np.isnan(found.upperbound[0, 0])
    assert np.isnan(r.upperbound[0, 0])
    counts[-1] = 5
    assert judge(counts).alarm[0, 0]


def test_classic_r_says_zero_where_there_are_too_few_cases() -> None:
    counts = np.zeros((320, 1))
    counts[::40] = 1

    ours, r = (FARRINGTON.detect(SeriesSet(counts, 52), [319], r_compat=mode) for mode in MODES)

    assert (ours.judged[0, 0], ours.alarm[0, 0]) == (True, False)
    assert np.isnan(ours.upperbound[0, 0])
    assert r.upperbound[0, 0] == 0.0


def test_a_history_of_three_years_is_used_whole_and_a_shorter_one_is_too_short() -> None:
    three, two = seasonal(3 * 52 + 4), seasonal(3 * 52 + 3)

    assert judge(three).judged.all()
    np.testing.assert_array_equal(
        judge(three).upperbound, judge(three, replace(NOUFAILY_2012, years=3)).upperbound
    )
    assert (judge(two).reason == Reason.HISTORY_TOO_SHORT).all()
    assert judge(two, replace(NOUFAILY_2012, years=2)).judged.all()
    assert not judge(three, r_compat=True).judged.any()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("mean", [1e6, 1e9, 1e12, 1e17])
def test_huge_counts_have_huge_bounds(name: str, mean: float) -> None:
    counts = np.rint(np.random.default_rng(3).normal(mean, mean / 50, (320, 2)))
    counts[-1, 1] *= 2
    rows = list(range(300, 320))

    found = DETECTORS[name].detect(SeriesSet(counts, 52), rows)

    assert found.judged.all()
    assert found.alarm[-1, 1]
    # CUSUM's bound falls as its sum grows.
    assert (found.upperbound < mean * 1.5).all()
    if name not in {"cusum", "ears-c3"}:
        assert (found.upperbound > mean / 2).all()


def test_a_case_after_one_huge_mistake_in_the_past_is_judged() -> None:
    counts = seasonal()
    counts[200] = 1e18
    counts[-1] = 500

    found = judge(counts)

    assert found.judged.all()
    assert np.isfinite(found.upperbound).all()


@pytest.mark.parametrize("r_compat", MODES)
def test_past_outbreaks_weigh_less(r_compat: bool) -> None:
    counts = seasonal(n_series=1)
    counts[319 - 104 - 1 : 319 - 104 + 2] = 150

    weighed, plain = (
        judge(counts, replace(NOUFAILY_2012, reweight=reweight), r_compat=r_compat)
        for reweight in (True, False)
    )

    assert weighed.upperbound[0, 0] < plain.upperbound[0, 0]


@pytest.mark.parametrize("name", ["farrington", "farrington-flexible"])
def test_a_growing_disease_is_expected_to_have_grown(name: str) -> None:
    week = np.arange(320)
    counts = np.random.default_rng(6).poisson(10 * np.exp(0.005 * week + 0.8 * np.sin(2 * np.pi * week / 52)))
    series = SeriesSet(counts[:, None].astype(float), 52)
    detector = DETECTORS[name]

    with_trend, without = (
        detector.detect(series, [319], replace(detector.defaults, trend=trend)) for trend in (True, False)
    )

    assert with_trend.expected[0, 0] > 1.3 * without.expected[0, 0]


def test_r_finds_a_trend_significant_that_is_not() -> None:
    # Large counts: R divides the dispersion by the mean once more.
    counts = np.random.default_rng(11).negative_binomial(8, 8 / (8 + 300), (320, 40)).astype(float)

    ours, r = (judge(counts, DELTA, r_compat=mode).expected[0] for mode in MODES)
    flat = judge(counts, replace(DELTA, trend=False)).expected[0]

    assert np.isclose(ours, flat, rtol=1e-12).sum() > 25
    assert np.isclose(r, flat, rtol=1e-12).sum() < np.isclose(ours, flat, rtol=1e-12).sum()


def test_the_bound_of_muan_is_that_of_the_upper_mean() -> None:
    counts = seasonal()

    plugin, upper = judge(counts).upperbound, judge(counts, MUAN).upperbound

    assert (upper > plugin).all()
    # R's standard error is too small for means above one.
    assert (judge(counts, MUAN, r_compat=True).upperbound <= upper).all()


def test_cases_are_judged_per_head_if_asked() -> None:
    counts = seasonal()
    people = np.full(counts.shape, 1e5)
    people[-1] *= 3
    # A trend would go: it must not lead beyond the largest count seen.
    options = replace(NOUFAILY_2012, population_offset=True, trend=False)
    plain = judge(counts, replace(options, population_offset=False))

    found = FARRINGTON_FLEXIBLE.detect(SeriesSet(counts, 52, None, people), [319], options)

    np.testing.assert_allclose(found.expected, 3 * plain.expected, rtol=1e-6)
    with pytest.raises(ValueError, match="population of every row"):
        judge(counts, options)


def test_an_unknown_population_now_leaves_no_verdict_and_in_the_past_drops_the_row() -> None:
    counts = seasonal()
    people = np.full(counts.shape, 1e5)
    people[-1, 0] = people[200, 1] = np.nan
    options = replace(NOUFAILY_2012, population_offset=True)

    found = FARRINGTON_FLEXIBLE.detect(SeriesSet(counts, 52, None, people), [319], options)

    assert found.reason[0].tolist() == [Reason.HISTORY_TOO_SHORT, Reason.MODEL, Reason.MODEL]
    counts[200, 1] = np.nan
    assert found.upperbound[0, 1] == judge(counts).upperbound[0, 1]


def test_months_get_as_many_seasons_as_there_is_room_for() -> None:
    counts = np.random.default_rng(8).poisson(9, (80, 1)).astype(float)
    options = replace(NOUFAILY_2012, past_rows_excluded=3)
    series = SeriesSet(counts, 12)

    ten, six = (
        FARRINGTON_FLEXIBLE.detect(series, [79], replace(options, periods=periods)) for periods in (10, 6)
    )

    assert ten.judged[0, 0]
    assert ten.upperbound[0, 0] == six.upperbound[0, 0]


def test_week_53_is_judged_and_drifts_no_further_with_dates() -> None:
    n_weeks = 418
    dates = np.datetime64("2018-12-31") + 7 * np.arange(n_weeks)
    counts = seasonal(n_weeks, 1)
    row = int(np.flatnonzero(dates == np.datetime64("2026-12-28"))[0])

    found = FARRINGTON_FLEXIBLE.detect(SeriesSet(counts, 52, dates), [row - 1, row])

    assert found.judged.all()


def test_the_classic_bound_is_the_formula() -> None:
    counts = seasonal(n_series=1)
    options = FarringtonOptions(trend=False, reweight=False, alpha=0.1)
    rows = np.concatenate([319 - 52 * year + np.arange(-3, 4) for year in range(1, 6)])
    base = counts[rows, 0]
    mean = base.mean()
    phi = max(1.0, ((base - mean) ** 2 / mean).sum() / (base.size - 1))
    tau = phi * (1 + 1 / base.size)
    bound = (mean ** (2 / 3) + 1.6448536269514722 * (4 / 9 * mean ** (1 / 3) * tau) ** 0.5) ** 1.5

    found = FARRINGTON.detect(SeriesSet(counts, 52), [319], options)

    # R stops early: not the last digits of the converged mean.
    assert found.expected[0, 0] == pytest.approx(mean, rel=1e-6)
    assert found.upperbound[0, 0] == pytest.approx(bound, rel=1e-4)


def test_the_plug_in_bound_is_the_quantile_of_its_law() -> None:
    counts = seasonal(n_series=1)
    options = replace(NOUFAILY_2012, trend=False, reweight=False, periods=1, past_rows_excluded=3)
    rows = np.concatenate([319 - 52 * year + np.arange(-3, 4) for year in range(1, 6)])
    base = counts[rows, 0]
    phi = max(1.0, ((base - base.mean()) ** 2 / base.mean()).sum() / (base.size - 1))

    found = judge(counts, options)

    assert found.upperbound[0, 0] == count_quantile(0.95, np.array([base.mean()]), np.array([phi]))[0]


@pytest.mark.parametrize(
    "options",
    [
        {"years": 0},
        {"half_window": -1},
        {"alpha": 0.0},
        {"min_cases": -1},
        {"min_cases_rows": 0},
        {"power": "1/3"},
        {"periods": 0},
        {"past_rows_excluded": -1},
        {"threshold": "nb"},
    ],
)
def test_settings_out_of_bounds_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"year|alpha|limit54|Powers|left out|Thresholds"):
        FlexibleOptions(**options)  # type: ignore[arg-type]

"""What holds for every detector and every series: an answer for each row, whatever stands beside it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.domain.detectors import DETECTORS, Detection, Reason, SeriesSet
from streams.domain.detectors.farrington import FlexibleOptions

Floats = NDArray[np.float64]

OPTIONS: list[tuple[str, Any]] = [
    *((name, detector.defaults) for name, detector in DETECTORS.items()),
    ("farrington-flexible", FlexibleOptions(years=3)),
    ("farrington-flexible", FlexibleOptions(years=3, threshold="muan", periods=4, trend_p=1.0)),
]
IDS = [*DETECTORS, "delta", "muan"]
SLOW = settings(max_examples=25, deadline=None)

every_detector = pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)


@st.composite
def series(draw: st.DrawFn, *, n_series: int | None = None, known: bool = False) -> Floats:
    """Counts of any size, with zeros for long, single spikes and holes."""
    n_times = draw(st.integers(1, 230))
    width = draw(st.integers(1, 3)) if n_series is None else n_series
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    mean = 10.0 ** draw(st.sampled_from([-2, -1, 0, 0.5, 1, 2, 4, 9]))
    kind = draw(st.sampled_from(["poisson", "wide", "constant", "zeros", "new"]))
    counts = np.zeros((n_times, width))
    if kind == "poisson":
        counts = random.poisson(mean, counts.shape).astype(float)
    elif kind == "wide":
        counts = np.rint(random.gamma(0.3, mean / 0.3, counts.shape))
    elif kind == "constant":
        counts[:] = np.rint(mean)
    elif kind == "new":
        late = n_times - n_times // 10
        counts[late:] = random.poisson(3, counts[late:].shape)
    for _ in range(draw(st.integers(0, 2))):
        counts[random.integers(n_times)] = 10.0 ** draw(st.integers(0, 17))
    if not known:
        counts[random.random(counts.shape) < draw(st.sampled_from([0, 0, 0.1, 0.9]))] = np.nan
    return counts


def judge(name: str, options: Any, counts: Floats, *, r_compat: bool = False) -> Detection:
    rows = np.arange(max(0, counts.shape[0] - 4), counts.shape[0])
    return DETECTORS[name].detect(SeriesSet(counts, 52), rows, options, r_compat=r_compat)


@every_detector
@SLOW
@given(counts=series(), r_compat=st.booleans())
def test_every_row_has_an_answer_or_a_reason(name: str, options: Any, counts: Floats, r_compat: bool) -> None:
    found = judge(name, options, counts, r_compat=r_compat)

    shape = (min(4, counts.shape[0]), counts.shape[1])
    for answer in (found.upperbound, found.alarm, found.judged, found.expected, found.reason):
        assert answer.shape == shape
    assert not (found.alarm & ~found.judged).any()
    if r_compat:
        return
    unanswered = np.isin(found.reason, [Reason.COUNT_MISSING, Reason.HISTORY_TOO_SHORT])
    assert (found.judged == ~unanswered).all()
    assert not np.isinf(found.upperbound).any()
    assert (~np.isnan(found.upperbound) | unanswered | (found.reason == Reason.TOO_FEW_CASES)).all()
    assert (np.isnan(counts[-4:]) <= unanswered).all()


@every_detector
@SLOW
@given(counts=series())
def test_an_alarm_is_a_count_above_the_bound(name: str, options: Any, counts: Floats) -> None:
    found = judge(name, options, counts)

    assert (found.alarm == (found.judged & (counts[-4:] > found.upperbound))).all()


@every_detector
@SLOW
@given(counts=series(n_series=3), r_compat=st.booleans())
def test_a_series_is_judged_the_same_alone_and_among_others(
    name: str, options: Any, counts: Floats, r_compat: bool
) -> None:
    together = judge(name, options, counts[:, [2, 0, 1]], r_compat=r_compat)

    for place, column in enumerate([2, 0, 1]):
        alone = judge(name, options, counts[:, [column]], r_compat=r_compat)
        np.testing.assert_array_equal(together.alarm[:, place], alone.alarm[:, 0])
        np.testing.assert_allclose(together.upperbound[:, place], alone.upperbound[:, 0], rtol=1e-12)


@every_detector
@SLOW
@given(counts=series(), later=st.integers(1, 60))
def test_what_comes_later_changes_no_verdict(name: str, options: Any, counts: Floats, later: int) -> None:
    row = [counts.shape[0] - 1]
    longer = np.vstack([counts, np.full((later, counts.shape[1]), 77.0)])

    now, then = (DETECTORS[name].detect(SeriesSet(values, 52), row, options) for values in (counts, longer))

    np.testing.assert_array_equal(now.alarm, then.alarm)
    np.testing.assert_array_equal(now.upperbound, then.upperbound)


@every_detector
@SLOW
@given(counts=series(), more=st.integers(1, 1000))
def test_more_cases_never_silence_an_alarm(name: str, options: Any, counts: Floats, more: int) -> None:
    row = [counts.shape[0] - 1]
    higher = counts.copy()
    higher[-1] += more

    now, then = (DETECTORS[name].detect(SeriesSet(values, 52), row, options) for values in (counts, higher))

    assert (now.alarm <= then.alarm).all()


@every_detector
@pytest.mark.parametrize("n_times", [1, 7, 60, 320])
def test_a_series_of_zeros_is_quiet(name: str, options: Any, n_times: int) -> None:
    found = judge(name, options, np.zeros((n_times, 2)))

    assert not found.alarm.any()
    assert not judge(name, options, np.zeros((n_times, 2)), r_compat=True).alarm.any()


@pytest.mark.parametrize("name", ["ears-c1", "ears-c2", "ears-c3"])
@SLOW
@given(counts=series(), factor=st.sampled_from([2.0, 0.5, 64.0]), shift=st.sampled_from([0.0, 8.0]))
def test_ears_has_no_unit_and_no_zero(name: str, counts: Floats, factor: float, shift: float) -> None:
    # Where even zero alarms the bound is -1, whatever the unit.
    counts = np.minimum(counts, 1e6)
    defaults = DETECTORS[name].defaults
    changed = judge(name, defaults, counts * factor + shift).upperbound
    scaled = judge(name, defaults, counts).upperbound
    scaled = np.where(scaled == -1, -1, scaled * factor + shift)

    np.testing.assert_allclose(changed, scaled, rtol=1e-6, atol=1e-6)


@SLOW
@given(counts=series(n_series=2, known=True), factor=st.sampled_from([1e-3, 7.0, 1e4]))
def test_farrington_per_head_has_no_unit_of_people(counts: Floats, factor: float) -> None:
    counts = np.minimum(counts, 1e6)
    people = np.random.default_rng(1).uniform(1e4, 2e4, counts.shape)
    row = [counts.shape[0] - 1]
    options = replace(DETECTORS["farrington-flexible"].defaults, years=3, population_offset=True)

    one, other = (
        DETECTORS["farrington-flexible"].detect(SeriesSet(counts, 52, None, values), row, options)
        for values in (people, people * factor)
    )

    np.testing.assert_array_equal(one.reason, other.reason)
    np.testing.assert_array_equal(one.alarm, other.alarm)

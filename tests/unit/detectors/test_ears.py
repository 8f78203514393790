"""EARS: by the formulas of the paper, with an answer where R has none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streams.domain.detectors import DETECTORS, Detection, Reason, SeriesSet
from streams.domain.detectors.ears import EarsOptions

Z = {"ears-c1": 3.0902323061678132, "ears-c2": 3.0902323061678132, "ears-c3": 1.9599639845400536}


def judge(name: str, counts: list[float], **options: float) -> Detection:
    defaults = DETECTORS[name].defaults
    settings = EarsOptions(**({"alpha": defaults.alpha} | options))
    return DETECTORS[name].detect(SeriesSet(np.array(counts, dtype=float)[:, None], 365), options=settings)


def c2_score(counts: np.ndarray, row: int) -> float:
    base = counts[row - 9 : row - 2]
    return float((counts[row] - base.mean()) / base.std(ddof=1))


@given(arrays.arrays(np.float64, 24, elements=st.integers(0, 50).map(float), fill=st.nothing()))
def test_c3_is_the_sum_of_three_days_above_one_standard_deviation(counts: np.ndarray) -> None:
    for row in range(11, 24):
        if min(counts[r - 9 : r - 2].std(ddof=1) for r in (row, row - 1, row - 2)) == 0:
            continue
        statistic = sum(max(0.0, c2_score(counts, r) - 1) for r in (row, row - 1, row - 2))
        if abs(statistic - Z["ears-c3"]) < 1e-9:
            continue

        verdict = judge("ears-c3", counts.tolist())

        assert verdict.alarm[row, 0] == (statistic > Z["ears-c3"])


def test_c3_needs_the_present_count_only_while_the_days_before_do_not_suffice() -> None:
    calm = [2.0, 3, 2, 3, 2, 3, 2, 2, 2]
    bounds = judge("ears-c3", [*calm, 5, 3, 2]).upperbound[:, 0]
    spread = float(np.std(calm[:7], ddof=1))
    mean = float(np.mean(calm[:7]))

    # The day of the rise must exceed mean + sd by z sd; the two days after it alarm whatever they count.
    assert bounds[9] == pytest.approx(mean + spread * (Z["ears-c3"] + 1))
    carried = (5 - mean) / spread - 1
    assert carried > Z["ears-c3"]
    assert bounds[10] == bounds[11] == -1


@pytest.mark.parametrize("name", ["ears-c1", "ears-c2"])
def test_a_count_above_a_flat_baseline_is_an_alarm_and_one_on_it_is_not(name: str) -> None:
    verdict = judge(name, [7.0] * 12 + [8, 7])

    assert verdict.upperbound[12, 0] == 7.0
    assert verdict.alarm[:12].sum() == 0
    assert verdict.alarm[12, 0]


def test_c3_on_a_flat_baseline_stays_loud_for_two_days_and_is_never_undefined() -> None:
    verdict = judge("ears-c3", [7.0] * 12 + [8, 7, 7, 7])

    assert verdict.alarm[:, 0].tolist() == [False] * 12 + [True, True, True, False]
    assert verdict.judged[6:].all()


def test_a_smallest_spread_keeps_one_case_after_none_quiet() -> None:
    quiet, loud = (judge("ears-c1", [0.0] * 8 + [n], min_sigma=0.5) for n in (1.0, 2.0))

    assert not quiet.alarm[8, 0]
    assert loud.alarm[8, 0]


def test_unknown_counts_are_left_out_while_more_than_half_is_known() -> None:
    nan = np.nan
    four, three = (
        judge("ears-c1", [5.0, 1, 2, 3, 4, nan, nan, nan, 30]),
        judge("ears-c1", [5.0, 1, 2, 3, nan, nan, nan, nan, 30]),
    )

    assert four.upperbound[8, 0] == pytest.approx(2.5 + Z["ears-c1"] * np.std([1, 2, 3, 4], ddof=1))
    assert four.alarm[8, 0]
    assert not three.judged[8, 0]
    assert three.reason[8, 0] == Reason.HISTORY_TOO_SHORT


def test_an_unknown_count_has_a_bound_and_no_verdict() -> None:
    verdict = judge("ears-c2", [1.0, 2, 1, 2, 1, 2, 1, 2, 1, np.nan])

    assert np.isfinite(verdict.upperbound[9, 0])
    assert not verdict.judged[9, 0]
    assert verdict.reason[9, 0] == Reason.COUNT_MISSING


def test_r_s_c3_has_its_bound_above_the_present_count() -> None:
    counts = np.array([2.0, 3, 2, 3, 2, 3, 2, 2, 2, 2, 2, 99])[:, None]

    r = DETECTORS["ears-c3"].detect(SeriesSet(counts, 365), [11], r_compat=True)

    # No alarm on the day of the rise, however high: the fault that the published mode does not have.
    assert r.upperbound[0, 0] > 99
    assert r.judged[0, 0]
    assert judge("ears-c3", counts[:, 0].tolist()).alarm[11, 0]


@pytest.mark.parametrize(
    "options",
    [{"alpha": 0.0}, {"alpha": 1.0}, {"alpha": 0.1, "baseline": 2}, {"alpha": 0.1, "min_sigma": -1}],
)
def test_settings_out_of_bounds_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"alpha|baseline|deviation"):
        EarsOptions(**options)  # type: ignore[arg-type]

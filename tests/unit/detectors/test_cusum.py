"""CUSUM: the sum, its bound, and unknown or all-zero history."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.detectors import DETECTORS, Detection, Reason, SeriesSet
from streams.domain.detectors.cusum import CUSUM, CusumOptions


def judge(counts: list[float], rows: list[int], *, r_compat: bool = False, **options: Any) -> Detection:
    series = SeriesSet(np.array(counts, dtype=float)[:, None], 52)
    return CUSUM.detect(series, rows, replace(CusumOptions(), **options), r_compat=r_compat)


def standardised(count: float, mean: float, transformation: str) -> float:
    scale: dict[str, float] = {
        "standard": (count - mean) / mean**0.5,
        "rossi": (count - 3 * mean + 2 * (count * mean) ** 0.5) / (2 * mean**0.5),
        "anscombe": 1.5 * (count ** (2 / 3) - mean ** (2 / 3)) / mean ** (1 / 6),
    }
    return scale[transformation]


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12),
    st.floats(0.2, 20),
    st.sampled_from(["standard", "rossi", "anscombe"]),
)
def test_it_alarms_where_the_sum_reaches_the_limit(
    counts: list[int], mean: float, transformation: str
) -> None:
    found = judge(
        list(map(float, counts)), list(range(len(counts))), mean=mean, transformation=transformation
    )
    r = judge(
        list(map(float, counts)),
        list(range(len(counts))),
        mean=mean,
        transformation=transformation,
        r_compat=True,
    )

    total = 0.0
    for row, count in enumerate(counts):
        total = max(0.0, total + standardised(count, mean, transformation) - 1.04)
        if abs(total - 2.26) > 1e-9:
            assert found.alarm[row, 0] == r.alarm[row, 0] == (total >= 2.26)


def test_the_sum_begins_after_the_training_rows() -> None:
    counts = [4.0, 4, 4, 4, 9, 9, 9]

    latest = judge(counts, [6], training=4)

    assert latest.alarm[0, 0]
    assert latest.upperbound[0, 0] == judge(counts, [4, 5, 6]).upperbound[2, 0]
    with pytest.raises(ValueError, match="training rows"):
        judge(counts, [3], training=4)


def test_r_s_bound_is_the_count_that_alarms_and_ours_the_last_that_does_not() -> None:
    ours, r = (judge([4.0, 4, 4, 4, 5], [4], r_compat=r_compat) for r_compat in (False, True))

    assert r.upperbound[0, 0] == np.ceil(2 * (2.26 + 1.04) + 4)
    assert ours.upperbound[0, 0] == r.upperbound[0, 0] - 1


def test_an_unknown_count_leaves_the_sum_as_it_is_and_r_without_an_answer_ever_after() -> None:
    counts = [4.0, 4, 4, 4, 8, np.nan, 8]

    ours, r = (judge(counts, [4, 5, 6], r_compat=r_compat) for r_compat in (False, True))

    assert ours.judged[:, 0].tolist() == [True, False, True]
    assert ours.reason[1, 0] == Reason.COUNT_MISSING
    assert ours.upperbound[1, 0] == ours.upperbound[2, 0]
    assert r.judged[:, 0].tolist() == [True, False, False]


def test_a_history_of_zeros_expects_a_case_in_twice_its_length() -> None:
    found = judge([0.0] * 50 + [0, 1, 0], [50, 51, 52])

    assert found.expected[0, 0] == pytest.approx(0.01)
    assert found.alarm[:, 0].tolist()[:2] == [False, True]


def test_without_training_there_is_no_verdict() -> None:
    found = DETECTORS["cusum"].detect(SeriesSet(np.ones((3, 1)), 52))

    assert not found.judged.any()
    assert (found.reason == Reason.HISTORY_TOO_SHORT).all()


@pytest.mark.parametrize(
    "options",
    [{"h": 0.0}, {"k": np.inf}, {"mean": 0.0}, {"transformation": "log"}, {"training": -1}],
)
def test_settings_out_of_bounds_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is|are"):
        CusumOptions(**options)

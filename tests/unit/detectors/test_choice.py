"""The detector is chosen by the history's length alone."""

import numpy as np
import pytest

from streams.domain.detectors import Reason, SeriesSet, choose


@pytest.mark.parametrize("frequency", [365, 52])
def test_what_is_chosen_can_judge(frequency: int) -> None:
    random = np.random.default_rng(1)
    for rows_before in (7, 8, 9, 58, 59, 159, 160, 300):
        counts = random.poisson(8, (rows_before + 1, 1)).astype(float)
        dates = np.datetime64("2019-01-07") + (7 if frequency == 52 else 1) * np.arange(rows_before + 1)
        choice = choose(frequency, rows_before)

        assert choice is not None
        found = choice.detector.detect(SeriesSet(counts, frequency, dates), [rows_before], choice.options)

        assert found.judged[0, 0]
        assert found.reason[0, 0] == Reason.MODEL


def test_a_week_53_on_the_way_does_not_cost_the_third_year() -> None:
    # 2020-W53 lies between: the window of three years ago begins 52 + 52 + 53 + 3 weeks before.
    dates = np.datetime64("2018-12-17") + 7 * np.arange(161)
    counts = np.random.default_rng(2).poisson(8, (161, 1)).astype(float)
    choice = choose(52, 160)

    assert choice is not None
    assert choice.detector.name == "farrington-flexible"
    assert choice.detector.detect(SeriesSet(counts, 52, dates), [160], choice.options).judged[0, 0]


@pytest.mark.parametrize(("frequency", "rows"), [(12, 50), (52, -1)])
def test_other_grains_are_refused(frequency: int, rows: int) -> None:
    with pytest.raises(ValueError, match=r"by the day|zero rows"):
        choose(frequency, rows)

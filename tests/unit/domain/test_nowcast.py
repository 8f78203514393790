"""The nowcast equals R's where it claims to, and its interval holds the truth as often as it says."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.domain.nowcast import Counts, Model, Nowcast, TooLittle, Triangle, nowcast
from tests.nowcast_simulation import SCENARIOS, Outcome, simulate

REFERENCE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "nowcast" / "reference.json").read_text("utf-8")
)


def triangle(arrivals: Counts) -> Triangle:
    """Nothing taken back, nothing backfilled."""
    return Triangle(arrivals, arrivals, arrivals.sum(axis=2))


def known(reference: dict[str, Any]) -> Triangle:
    return triangle(np.array([reference["triangle"]], np.int64))


def steady(cases: int = 10, n_series: int = 1, n_periods: int = 35, longest: int = 8) -> Counts:
    """Half of the rest comes in each period; what is in the future is not there."""
    arrivals = np.zeros((n_series, n_periods, longest + 1), np.int64)
    for period in range(n_periods):
        left = cases
        for delay in range(min(longest + 1, n_periods - period)):
            arrivals[:, period, delay] = came = left if delay == longest else (left + 1) // 2
            left -= came
    return arrivals


# --- As R answers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", REFERENCE, ids=lambda reference: reference["name"])
def test_without_priors_it_is_lawless_as_r_computes_it(reference: dict[str, Any]) -> None:
    found = nowcast(known(reference), Model(reference["window"], 0.0, 0.0, shape=0.0))

    # R's delay distribution begins with age 0, the newest period; ours with the oldest.
    assert found.share_known[0, ::-1] == pytest.approx(reference["delay_cdf_lawless"], rel=1e-12)
    assert found.expected[0] == pytest.approx(reference["point_lawless"], rel=1e-12)


@pytest.mark.parametrize("reference", REFERENCE, ids=lambda reference: reference["name"])
def test_with_the_dirichlet_prior_it_is_bayes_trunc_as_r_computes_it(reference: dict[str, Any]) -> None:
    model = Model(reference["window"], uniform_cases=0.1, shape=reference["prior_shape"])
    found = nowcast(known(reference), model)

    assert found.share_known[0, ::-1] == pytest.approx(reference["delay_cdf_bayes_trunc"], rel=1e-12)
    # Both sample the delays, and R knows no resemblance within a period, which widens ours a little.
    lower, upper = np.array(reference["lower_bayes_trunc"]), np.array(reference["upper_bayes_trunc"])
    assert (np.abs(found.lower[0] - lower) <= np.maximum(1, 0.05 * lower)).all()
    assert (np.abs(found.upper[0] - upper) <= np.maximum(2, 0.05 * upper)).all()


def test_another_window_is_not_r_s_answer() -> None:
    (reference,) = (reference for reference in REFERENCE if reference["name"] == "growing_days")

    found = nowcast(known(reference), Model(reference["window"] - 10, 0.0, 0.0, shape=0.0))

    assert found.expected[0] != pytest.approx(reference["point_lawless"], rel=1e-4)


# --- Known truth -------------------------------------------------------------------------------------------


def too_narrow(outcome: Outcome) -> bool:
    """Whether so low a coverage is no accident where 95 % are promised."""
    return outcome.coverage < 0.93 or outcome.newest_coverage < 0.88


def scenario(name: str) -> Any:
    (found,) = (scenario for scenario in SCENARIOS if scenario.name.startswith(name))
    return found


@pytest.mark.parametrize(
    "name", ["steady, 20 a", "few", "growing", "weeks differ in their delays, 50", "a tenth is taken back"]
)
def test_the_interval_holds_the_truth_as_often_as_it_says(name: str) -> None:
    outcome = simulate(scenario(name), 100)

    assert not too_narrow(outcome), outcome
    assert outcome.coverage < 0.995
    assert abs(outcome.bias) < 0.1


def halved(found: Nowcast) -> tuple[Counts, Counts]:
    """The same interval, half as wide."""
    middle = (found.lower + found.upper) / 2
    half = (found.upper - found.lower) / 4
    return np.ceil(middle - half).astype(np.int64), np.floor(middle + half).astype(np.int64)


def as_if_delays_were_certain(found: Nowcast) -> tuple[Counts, Counts]:
    """What is missing is Poisson: neither the delays nor the number of cases are in doubt."""
    spread = 1.96 * np.sqrt(found.expected * (1 - found.share_known))
    return np.ceil(found.expected - spread).astype(np.int64), np.floor(found.expected + spread).astype(
        np.int64
    )


@pytest.mark.parametrize(
    ("name", "interval"),
    [("steady, 20 a", halved), ("weeks differ in their delays, 50", as_if_delays_were_certain)],
)
def test_an_interval_that_is_too_narrow_is_rejected(name: str, interval: Any) -> None:
    assert too_narrow(simulate(scenario(name), 100, interval=interval))


def test_that_reporting_changed_is_seen_in_the_coverage() -> None:
    """It cannot know; the page says so, and how much."""
    slower = simulate(scenario("reporting became slower"), 40)

    assert too_narrow(slower)
    assert slower.bias < -0.08


def test_the_prediction_without_a_correction_misses() -> None:
    def uncorrected(found: Nowcast) -> tuple[Counts, Counts]:
        return found.lower, found.lower

    assert simulate(scenario("steady, 20 a"), 30, interval=uncorrected).newest_coverage < 0.1


# --- What goes into it -------------------------------------------------------------------------------------


def test_periods_that_are_complete_are_left_as_they_are() -> None:
    found = nowcast(triangle(steady()), Model(window=26))

    assert found.expected[0, 0] == pytest.approx(10, abs=0.1)
    assert (found.lower[0, 0], found.upper[0, 0]) == (10, 10)
    assert found.lower[0, -1] >= 5
    assert found.share_known[0, -1] == pytest.approx(0.5, abs=0.02)
    assert found.expected[0] == pytest.approx([10] * 8, rel=0.1)


def test_what_is_taken_back_is_expected_again() -> None:
    arrivals = steady(20)
    moved = arrivals.copy()
    # Of those counted at once two in twelve went away in the week after.
    moved[:, :, 0] += 2
    moved[:, :-1, 1] -= 2
    counted = arrivals.sum(axis=2)
    counted[:, -1] += 2
    arrivals[:, -1, 0] += 2

    found = nowcast(Triangle(arrivals, moved, counted), Model(window=26))
    without = nowcast(Triangle(arrivals, arrivals, counted), Model(window=26))

    assert found.expected[0, -1] == pytest.approx(20, abs=0.8)
    assert without.expected[0, -1] == pytest.approx(24, abs=0.8)


def test_backfilled_cases_are_counted_and_say_nothing_of_delays() -> None:
    arrivals = steady()
    counted = arrivals.sum(axis=2)
    counted[0, -3] += 7

    found = nowcast(Triangle(arrivals, arrivals, counted), Model(window=26))
    plain = nowcast(triangle(arrivals), Model(window=26))

    assert found.expected[0, -3] == pytest.approx(plain.expected[0, -3] + 7)
    assert found.share_known == pytest.approx(plain.share_known)


def test_periods_before_the_system_was_there_are_left_out() -> None:
    """What was imported at the start seems to have had every delay between its onset and the start."""
    arrivals = steady(n_periods=26)
    arrivals[:, :9] = 0
    for period in range(9):
        arrivals[:, period, 8 - period if period else 8] = 10

    found = nowcast(triangle(arrivals)._replace(live_from=9), Model(window=26))

    assert found.share_known == pytest.approx(
        nowcast(triangle(steady()), Model(window=26)).share_known, abs=0.01
    )
    assert nowcast(triangle(arrivals), Model(window=26)).share_known[0, -1] < 0.4


def test_a_small_series_borrows_the_delays_of_its_group() -> None:
    fast, slow = steady(40), np.zeros_like(steady())
    slow[0, :-8, 8] = 40
    small = np.zeros_like(fast)
    small[0, 20, 0] = 1
    arrivals = np.concatenate([fast, slow, small, small])

    found = nowcast(triangle(arrivals), Model(window=26), [np.array([0, 1, 0, 1])])

    assert found.share_known[2] == pytest.approx(found.share_known[0], abs=0.05)
    assert found.share_known[3, -1] < 0.2


def test_a_figure_does_not_depend_on_the_place_of_its_series() -> None:
    arrivals = np.concatenate([steady(5), steady(9), steady(30)])
    found = nowcast(triangle(arrivals), Model(window=26))
    reversed_ = nowcast(triangle(arrivals[::-1]), Model(window=26))

    for one, other in zip(found, reversed_, strict=True):
        assert one == pytest.approx(other[::-1])


def test_a_series_without_cases_stays_without() -> None:
    arrivals = np.concatenate([steady(20), np.zeros_like(steady())])

    found = nowcast(triangle(arrivals), Model(window=26))

    assert not found.expected[1].any()
    assert not found.upper[1].any()


def test_in_whole_numbers_and_in_order() -> None:
    for found in (
        nowcast(triangle(steady(cases, 2)), Model(window=26), [np.zeros(2, np.int64)]) for cases in (1, 3, 50)
    ):
        assert found.lower.dtype == found.upper.dtype == np.int64
        assert (found.lower <= found.upper).all()
        assert (found.lower <= np.ceil(found.expected)).all()
        assert (np.floor(found.expected) <= found.upper).all()
        assert ((found.share_known > 0) & (found.share_known <= 1)).all()


# --- What it refuses ---------------------------------------------------------------------------------------


def test_too_short_a_history_is_said() -> None:
    with pytest.raises(TooLittle, match=r"the delays of 3 complete period\(s\) are known, 4 are needed"):
        nowcast(triangle(steady(n_periods=11)), Model(window=26))
    with pytest.raises(TooLittle, match=r"of 2 complete"):
        nowcast(triangle(steady())._replace(live_from=25), Model(window=26))
    with pytest.raises(TooLittle, match=r"of 0 complete"):
        nowcast(triangle(steady())._replace(live_from=60), Model(window=26))
    assert nowcast(triangle(steady(n_periods=12)), Model(window=26))


def test_too_few_cases_are_said() -> None:
    arrivals = np.zeros_like(steady())
    arrivals[0, 10:20, 0] = 3
    assert nowcast(triangle(arrivals), Model(window=26))
    arrivals[0, 10, 0] = 2

    with pytest.raises(TooLittle, match=r"29 case\(s\) in the window, 30 are needed"):
        nowcast(triangle(arrivals), Model(window=26))


@pytest.mark.parametrize(
    ("broken", "groups", "message"),
    [
        (triangle(steady())._replace(arrivals=steady()[0]), (), "has the shape"),
        (triangle(steady())._replace(moved=steady()[:, 1:]), (), "do not fit"),
        (triangle(steady())._replace(counted=steady()[..., 0].T), (), "do not fit"),
        (triangle(-steady()), (), "none below zero"),
        (triangle(steady()), [np.zeros(2, np.int64)], "the group of every series"),
        (triangle(steady()[..., :1]), (), "longest_delay >= 1"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(broken: Triangle, groups: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nowcast(broken, Model(window=26), groups)


def test_the_level_is_that_of_the_interval() -> None:
    wide = nowcast(triangle(steady()), Model(window=26))
    narrow = nowcast(triangle(steady()), replace(Model(window=26), level=0.5))

    assert wide.lower[0, -1] < narrow.lower[0, -1] <= narrow.upper[0, -1] < wide.upper[0, -1]

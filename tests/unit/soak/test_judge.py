"""A series that grows is rejected, one that only moves is not."""

import random
from collections.abc import Callable

import pytest

from tests.soak.judge import LEAST_SAMPLES, growth, judge_backlog, judge_memory

SECONDS = [5.0 * n for n in range(360)]
"""Half an hour."""


def series(value: Callable[[float], float], noise: float = 1.5, seed: int = 1) -> list[float]:
    drawn = random.Random(seed)
    return [value(second) + drawn.gauss(0, noise) for second in SECONDS]


@pytest.mark.parametrize(
    "value",
    [
        lambda second: 250.0,
        # Warming up: all of its growth in the first ten minutes.
        lambda second: 180 + 70 * min(1.0, second / 590),
        # An import every minute.
        lambda second: 250 + (60 if second % 60 < 10 else 0),
        lambda second: 250 - second / 100,
    ],
    ids=["flat", "warming up", "peaks", "shrinking"],
)
def test_memory_that_does_not_grow_is_accepted(value: Callable[[float], float]) -> None:
    (verdict,) = judge_memory(SECONDS, {"worker": series(value)})
    assert verdict.is_flat, verdict


@pytest.mark.parametrize(
    "value",
    [
        # A mebibyte and a half a minute; half as fast, but from the beginning; in steps.
        lambda second: 250 + 1.5 * second / 60,
        lambda second: 400 + 2.5 * second / 60,
        lambda second: 200 + 10 * (second // 300),
    ],
    ids=["leak", "slow leak of a large process", "steps"],
)
def test_memory_that_grows_is_rejected(value: Callable[[float], float]) -> None:
    (verdict,) = judge_memory(SECONDS, {"worker": series(value)})
    assert not verdict.is_flat, verdict


def test_each_process_is_judged_by_itself() -> None:
    verdicts = judge_memory(
        SECONDS,
        {"worker": series(lambda _: 250.0), "intake": series(lambda second: 100 + second / 30)},
    )
    assert [verdict.is_flat for verdict in verdicts] == [True, False]


def test_a_backlog_that_comes_and_goes_is_accepted() -> None:
    backlog = series(lambda second: 4_000.0 if second % 60 < 15 else 100.0, noise=50)
    assert judge_backlog(SECONDS, backlog, rate=500).is_flat


def test_a_backlog_that_grows_is_rejected() -> None:
    # A worker that does 490 of 500 a second.
    verdict = judge_backlog(SECONDS, series(lambda second: 10 * second, noise=200), rate=500)
    assert not verdict.is_flat
    assert verdict.growth == pytest.approx(12_000, rel=0.05)


def test_too_few_samples_are_no_evidence() -> None:
    with pytest.raises(ValueError, match="at least 20"):
        growth(SECONDS[: LEAST_SAMPLES + 5], series(lambda _: 1.0)[: LEAST_SAMPLES + 5])

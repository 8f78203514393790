"""A task goes on when a server does not answer, and says since when it sees nothing."""

import threading

import pytest

from services.monitor.metrics import Metrics, Since
from services.monitor.tasks import repeat
from streams.domain.errors import ConfigurationError, DependencyDown


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_task_is_repeated_until_it_is_told_to_stop() -> None:
    clock = Clock()
    metrics, stop = Metrics(clock), threading.Event()
    answers = iter([None, DependencyDown("down"), ConfigurationError("no catalogue"), None])
    ages = []

    def work() -> None:
        clock.now += 10
        ages.append(metrics.registry.get_sample_value("canhdich_monitor_look_age_seconds", {"task": "audit"}))
        answer = next(answers, None)
        if answer is not None:
            raise answer
        if len(ages) == 5:
            stop.set()

    repeat("audit", 0, work, metrics, stop)
    assert ages == [10, 10, 20, 30, 10]
    assert metrics.registry.get_sample_value("canhdich_monitor_failures_total", {"task": "audit"}) == 2


def test_anything_unexpected_is_raised() -> None:
    def work() -> None:
        raise ValueError("a fault of the program")

    with pytest.raises(ValueError, match="a fault"):
        repeat("audit", 0, work, Metrics(), threading.Event())


def test_an_age_grows_and_is_no_number_where_there_is_none() -> None:
    clock = Clock()
    since = Since(clock)
    assert since() != since()
    since.set_age(5)
    clock.now += 7
    assert since() == 12
    since.set_age(None)
    assert since() != since()

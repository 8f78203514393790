"""Waiting for a condition, and making sure that a fault has happened."""

from itertools import count

import psycopg
import pytest

from tests.faults import stream
from tests.faults.faults import must_be
from tests.faults.stream import answered, wait_for


def test_waiting_ends_when_it_is_so_and_a_dead_server_means_not_yet() -> None:
    answers = iter([psycopg.OperationalError("down"), False, True])

    def is_so() -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    wait_for("it", 60, is_so)
    assert list(answers) == []


def test_waiting_gives_up_when_nothing_goes_on() -> None:
    with pytest.raises(TimeoutError, match="never"):
        wait_for("never", 0, lambda: False, lambda: 1)


class Clock:
    """Each look at it takes a second."""

    def __init__(self) -> None:
        self._seconds = count()

    def monotonic(self) -> float:
        return next(self._seconds)

    def sleep(self, _: float) -> None:
        return


def test_waiting_goes_on_as_long_as_something_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "time", Clock())
    looks = count()
    wait_for("the end", 5, lambda: next(looks) == 100, lambda: object())
    with pytest.raises(TimeoutError):
        wait_for("the end", 5, lambda: next(looks) == 200)


def test_what_a_server_says_is_given_on() -> None:
    assert answered(lambda: 0) == 0


def test_a_fault_that_did_not_happen_is_an_error() -> None:
    must_be(True, "it")
    with pytest.raises(RuntimeError, match="did not happen"):
        must_be(False, "it")

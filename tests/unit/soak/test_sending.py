"""The short soak, on a clock of the test: who catches up is well, who cannot keep up is not.

An intake that takes its time stands for the whole pipeline: what it has not acknowledged is the backlog.
"""

import threading
from collections.abc import Callable
from itertools import repeat

import httpx
import orjson
import pytest

from tests.soak.judge import Verdict, judge_backlog
from tests.soak.sending import LARGEST_BATCH, Sending

RATE = 50.0
SECONDS = 60


class Minute(threading.Event):
    """A stop that comes after a minute, its clock, and what was in arrears second by second."""

    def __init__(self) -> None:
        super().__init__()
        # Not 0: nothing may depend on when a machine was started.
        self.now = self.began = 8_000.0
        self.sending: Sending | None = None
        self.seconds: list[float] = []
        self.arrears: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.pass_by(timeout)
        return self.is_set()

    def pass_by(self, seconds: float) -> None:
        """The time goes on; each full second is a sample."""
        end = self.now + seconds
        while (second := self.began + len(self.seconds) + 1) <= min(end, self.began + SECONDS):
            self.now = second
            assert self.sending is not None
            self.seconds.append(second)
            self.arrears.append(self.sending.arrears())
        self.now = end
        if end >= self.began + SECONDS:
            self.set()


def soak(takes: Callable[[float, int], float], status: Callable[[float], int] = lambda _: 202) -> Minute:
    """A minute in which the intake `takes` so many seconds (since the beginning, events) for a batch."""
    minute = Minute()

    def answer(request: httpx.Request) -> httpx.Response:
        since = minute.now - minute.began
        minute.pass_by(takes(since, len(orjson.loads(request.content))))
        return httpx.Response(status(since))

    minute.sending = Sending(repeat(b"{}"), RATE, minute, clock=lambda: minute.now)
    # What was prepared took long, and is not sending.
    minute.now = minute.began = minute.now + 30
    minute.sending.begin()
    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://intake") as client:
        minute.sending.run(client)
    return minute


def judged(minute: Minute) -> Verdict:
    return judge_backlog(minute.seconds, minute.arrears, RATE)


@pytest.mark.parametrize(
    ("takes", "status"),
    [
        (lambda _since, _events: 0.02, lambda _: 202),
        # Slow for each request, whatever is in it: larger batches make up for it.
        (lambda _since, _events: 3.0, lambda _: 202),
        # The machine stood still, in the middle and just before the end.
        (lambda since, _events: 8.0 if 30 < since < 31.5 else 0.02, lambda _: 202),
        (lambda since, _events: 6.0 if 53 < since < 54.5 else 0.02, lambda _: 202),
        (lambda _since, _events: 0.02, lambda since: 503 if 35 < since < 42 else 202),
    ],
    ids=["quick", "slow to answer", "stood still", "stood still at the end", "down for a while"],
)
def test_what_catches_up_keeps_up(
    takes: Callable[[float, int], float], status: Callable[[float], int]
) -> None:
    minute = soak(takes, status)
    assert judged(minute).is_flat, minute.arrears


@pytest.mark.parametrize(
    "takes",
    [
        # Takes 45 of 50 a second; 25; nothing any more.
        lambda _since, events: events / 45,
        lambda _since, events: events / 25,
        lambda since, _events: 0.02 if since < 20 else 100.0,
    ],
    ids=["nine tenths", "half", "stops"],
)
def test_a_pipeline_that_cannot_keep_up_is_rejected(takes: Callable[[float, int], float]) -> None:
    minute = soak(takes)
    verdict = judged(minute)
    assert not verdict.is_flat, minute.arrears
    assert verdict.growth > verdict.allowed


def test_everything_due_is_sent_and_nothing_before_it_is_due() -> None:
    minute = soak(lambda _since, _events: 0.02)
    assert minute.sending is not None
    assert RATE * SECONDS - 100 <= minute.sending.sent <= RATE * SECONDS


def test_batches_grow_with_what_is_due_up_to_what_the_intake_takes() -> None:
    sizes: list[int] = []
    soak(lambda since, events: (sizes.append(events), 15.0 if since < 2 else 0.02)[1])
    assert sizes[0] == 50
    assert LARGEST_BATCH in sizes
    assert max(sizes) == LARGEST_BATCH


def test_a_refusal_ends_the_soak() -> None:
    with pytest.raises(RuntimeError, match="400"):
        soak(lambda _since, _events: 0.02, lambda since: 400 if since > 5 else 202)

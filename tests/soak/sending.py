"""Events on a schedule: a sender that was held up catches up, and says how far behind it is."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final

import httpx
import orjson

BATCH: Final = 50
"""Sent at once as long as the schedule is kept."""
LARGEST_BATCH: Final = 500
"""Sent at once when more is due: one answer after the other must not be what limits the rate."""
_BATCH_TYPE: Final = {"content-type": "application/cloudevents-batch+json"}


class Sending:
    """Posts events to an intake, so many a second by the monotonic clock."""

    def __init__(
        self,
        events: Iterator[bytes],
        rate: float,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`events` are JSON, without end. The first is made here: that takes seconds, and is not sending."""
        self._events = chain([next(events)], events)
        self._rate = rate
        self._stop = stop
        self._clock = clock
        self._started = clock()
        self.sent = self.refused = 0

    def begin(self) -> float:
        """The schedule begins; the clock's time."""
        self._started = self._clock()
        return self._started

    def arrears(self) -> int:
        """How many events are due by now and not acknowledged."""
        return max(0, int(self._rate * (self._clock() - self._started)) - self.sent)

    def run(self, client: httpx.Client) -> None:
        """Send what is due until told to stop.

        Raises:
            RuntimeError: the intake refuses a batch for another reason than that it cannot take it now.
        """
        while not self._stop.is_set():
            due = self.arrears()
            if due < BATCH:
                self._stop.wait((BATCH - due) / self._rate)
                continue
            size = min(due, LARGEST_BATCH)
            batch = orjson.dumps([orjson.loads(event) for event in islice(self._events, size)])
            answer = client.post("/v1/events", content=batch, headers=_BATCH_TYPE)
            while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and not self._stop.wait(1):
                self.refused += 1
                answer = client.post("/v1/events", content=batch, headers=_BATCH_TYPE)
            if answer.status_code == httpx.codes.ACCEPTED:
                self.sent += size
            elif not self._stop.is_set():
                raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")

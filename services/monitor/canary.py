"""The canary: sent through the intake as any program would, looked for in the database.

One reserved case per partition, in turn; each canary retracts it. Nobody ever reports these cases, so they
never count (streams/domain/canary.py); what remains of a canary is a row of the journal and its identity.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count, cycle
from typing import Any
from uuid import UUID

import httpx

from schemas.events import CASE_RETRACTED
from schemas.topics.partitioner import partition_for
from services.monitor.metrics import Metrics
from streams.domain.canary import PREFIX
from streams.domain.errors import DependencyDown
from streams.stores.health import Canary

SOURCE = "/canhdich/monitor"
_ANSWER_SECONDS = 30.0


def canary_subjects(partitions: int) -> list[str]:
    """One subject for each partition of the topic, in the order of the partitions."""
    found: dict[int, str] = {}
    numbers = count()
    while len(found) < partitions:
        subject = f"{PREFIX}{next(numbers)}"
        found.setdefault(partition_for(subject.encode(), partitions), subject)
    return [found[partition] for partition in range(partitions)]


def canary_event(subject: str, sent_at: datetime) -> dict[str, Any]:
    """A canary as the intake takes it; its id is a version 7 UUID of the moment."""
    milliseconds = int(sent_at.timestamp() * 1_000)
    event_id = UUID(
        int=milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    )
    return {
        "specversion": "1.0",
        "id": str(event_id),
        "source": SOURCE,
        "type": CASE_RETRACTED,
        "subject": subject,
        "time": sent_at.isoformat(),
        "data": {"reason": "entered_in_error"},
    }


class CanaryFlight:
    """Sends canaries one after the other and looks where they are."""

    def __init__(
        self,
        intake_url: str,
        partitions: int,
        read: Callable[[list[str]], Mapping[str, Canary]],
        metrics: Metrics,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`read` gives the newest canary of each subject that the database has; `headers` go with each."""
        self._url = f"{intake_url}/v1/events"
        self._subjects = canary_subjects(partitions)
        self._turns = cycle(self._subjects)
        self._read = read
        self._metrics = metrics
        self._clock = clock
        self._headers = dict(headers or {})
        # Sent, taken by Kafka, not seen yet: event id -> (subject, when).
        self._waiting: dict[UUID, tuple[str, datetime]] = {}

    def send(self) -> None:
        """Send the next canary.

        Raises:
            DependencyDown: the intake does not answer, or did not take it.
        """
        sent_at = self._clock()
        subject = next(self._turns)
        event = canary_event(subject, sent_at)
        try:
            answer = httpx.post(self._url, json=event, headers=self._headers, timeout=_ANSWER_SECONDS)
        except httpx.HTTPError as error:
            self._metrics.canary_refused.inc()
            raise DependencyDown(f"The intake does not answer: {type(error).__name__}: {error}") from error
        if answer.status_code != httpx.codes.ACCEPTED:
            self._metrics.canary_refused.inc()
            raise DependencyDown(f"The intake did not take the canary: it answered {answer.status_code}")
        self._waiting[UUID(event["id"])] = (subject, sent_at)
        self._tell_waiting(sent_at)

    def look(self) -> None:
        """See which canaries have arrived.

        Raises:
            DependencyDown: the database does not answer.
        """
        now = self._clock()
        seen = self._read(self._subjects)
        for event_id, (subject, sent_at) in list(self._waiting.items()):
            # In order within a partition: with a later one, it has arrived as well.
            if subject in seen and seen[subject].sent_at >= sent_at:
                del self._waiting[event_id]
                self._metrics.canary_seconds.observe((now - sent_at).total_seconds())
        newest = max((canary.sent_at for canary in seen.values()), default=None)
        self._metrics.canary_age.set_age(None if newest is None else (now - newest).total_seconds())
        self._tell_waiting(now)

    def _tell_waiting(self, now: datetime) -> None:
        oldest = min((sent_at for _, sent_at in self._waiting.values()), default=None)
        self._metrics.canary_waiting.set_age(None if oldest is None else (now - oldest).total_seconds())

    def fly(self, patience_seconds: float, look_every: float = 0.5) -> None:
        """Send one and look for it for a while; what has not arrived by then is looked for next time.

        Raises:
            DependencyDown: the intake or the database does not answer.
        """
        try:
            self.send()
        finally:
            # What is on its way arrives whether the door is open or not.
            deadline = time.monotonic() + patience_seconds
            self.look()
            while self._waiting and time.monotonic() < deadline:
                time.sleep(look_every)
                self.look()

"""The Sender port over Kafka."""

from collections.abc import Sequence

from services.importing.sender import CASE_EVENTS
from streams.stores.broker import Producer, errors_translated


class KafkaSender:
    """Sends to case-events and waits for every acknowledgement."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def deliver(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Send (key, value) records; returns when Kafka has all of them.

        Raises:
            DependencyDown: Kafka did not take all of them; which of them it has is unknown.
        """
        futures = [self._producer.send(CASE_EVENTS, key, value) for key, value in records]
        with errors_translated():
            for future in futures:
                future.get(timeout=60)

"""The Sender port over Kafka."""

from collections.abc import Sequence

from services.importing.sender import CASE_EVENTS
from streams.stores.broker import Producer, errors_translated


class KafkaSender:
    """Sends and waits for every acknowledgement."""

    def __init__(self, producer: Producer, topic: str = CASE_EVENTS) -> None:
        """`topic` is where records go that are for no other."""
        self._producer = producer
        self._topic = topic

    def deliver(self, records: Sequence[tuple[bytes, bytes]], topic: str | None = None) -> None:
        """Send (key, value) records to a topic, by default its own; returns when Kafka has all of them.

        Raises:
            DependencyDown: Kafka did not take all of them; which of them it has is unknown.
        """
        futures = [self._producer.send(topic or self._topic, key, value) for key, value in records]
        with errors_translated():
            for future in futures:
                future.get(timeout=60)

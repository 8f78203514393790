"""(q) What it costs that Kafka writes every batch to the disk before it says yes (`flush.messages=1`).

The same records, into a topic with the setting of one node and into one that leaves writing to the operating
system, which a power cut would lose: one at a time, as an intake with one sender, and as fast as they go, as
an import.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from uuid import uuid4

from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from schemas.topics import load_topics
from services.settings import Settings
from streams.domain.positions import TOPIC
from streams.stores.broker import Producer
from tests.bench.results import Measured, timed

_FLUSH = "flush.messages"
_ONE_BY_ONE = 500


@contextmanager
def _topic(settings: Settings, *, is_flushed: bool) -> Iterator[str]:
    """A topic of its own, deleted afterwards."""
    known = load_topics()[TOPIC]
    config = dict(known.settings["one_node"])
    if not is_flushed:
        del config[_FLUSH]
    name = f"bench-flush-{uuid4().hex[:8]}"
    admin = KafkaAdminClient(**settings.kafka.client_options())
    try:
        admin.create_topics(
            [NewTopic(name, known.partitions, 1, topic_configs=config)], wait_for_metadata=True
        )
        yield name
        admin.delete_topics([name])
    finally:
        admin.close()


def measure(settings: Settings, sent: Sequence[bytes]) -> Iterator[Measured]:
    """Both topics, both ways."""
    for is_flushed in (True, False):
        way = f"{_FLUSH}=1" if is_flushed else "written by the operating system"
        with _topic(settings, is_flushed=is_flushed) as name:
            producer = Producer(settings.kafka)
            producer.send(name, b"first", sent[0]).get(60)
            waits = []
            for value in sent[:_ONE_BY_ONE]:
                started = time.perf_counter()
                producer.send(name, value[:32], value).get(60)
                waits.append(time.perf_counter() - started)
            yield Measured(
                "q",
                f"one record at a time, {way}",
                len(waits),
                sum(waits),
                {"p50_ms": round(median(waits) * 1e3, 1), "p99_ms": round(sorted(waits)[-5] * 1e3, 1)},
            )

            def send_all(producer: Producer = producer, name: str = name) -> None:
                futures = [producer.send(name, value[:32], value) for value in sent]
                for future in futures:
                    future.get(300)

            yield timed("q", f"as fast as they go, {way}", len(sent), send_all)
            producer.close()

"""The EventSink port over Kafka."""

import asyncio
from collections.abc import Sequence

import structlog

from services.intake.ports import Outgoing
from services.intake.threads import Worker, tell
from streams.domain.errors import DependencyDown
from streams.kafka_servers import Servers
from streams.stores.broker import Producer, errors_translated, topic_partitions

_CLOSE_SECONDS = 12.0
_IDLE_CLOSE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class KafkaSink:
    """Implements the EventSink port of services/intake/ports.py; connects at the first send.

    The client blocks while it connects and fetches metadata, so records are handed to it in a thread; that
    Kafka has them is told back without one.
    """

    def __init__(self, servers: Servers, prefix: str, topics: Sequence[str]) -> None:
        self._servers = servers
        self._prefix = prefix
        self._topics = [prefix + topic for topic in topics]
        self._producer = Producer(servers, prefix)
        self._sender = Worker("intake-kafka-send")
        self._checker = Worker("intake-kafka-check")
        self._has_sent = False

    async def send(self, records: Sequence[Outgoing], timeout_seconds: float) -> list[bool]:
        """Send records; for each, whether Kafka has acknowledged it within the timeout."""
        batch = _Batch(len(records))
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._sender.run(self._hand_over, records, batch)
                await batch.settled.wait()
        except TimeoutError:
            batch.faults.add("no answer in time")
        except DependencyDown as error:
            batch.faults.add(type(error.__cause__).__name__)
        finally:
            batch.is_given_up = True
        if batch.faults:
            log.warning(
                "kafka_did_not_acknowledge",
                records=len(records),
                acknowledged=sum(batch.acknowledged),
                faults=sorted(batch.faults),
            )
        # What arrives from now on must not change an answer that is on its way.
        return list(batch.acknowledged)

    async def check(self) -> None:
        """Ask Kafka for each of the topics.

        Raises:
            DependencyDown: Kafka does not answer.
            ConfigurationError: a topic is missing.
        """
        for topic in self._topics:
            await self._checker.run(topic_partitions, self._servers, topic)

    async def close(self) -> None:
        """Let Kafka have what was handed over, and close."""
        # A thread that still tries to connect has nothing to flush and is not worth waiting for.
        patience = _CLOSE_SECONDS if self._has_sent else _IDLE_CLOSE_SECONDS
        await self._sender.finish(lambda: _close(self._producer), patience)
        await self._checker.finish(lambda: None, 0)

    def _hand_over(self, records: Sequence[Outgoing], batch: "_Batch") -> None:
        for index, record in enumerate(records):
            if batch.is_given_up:
                return
            future = self._producer.send(record.topic, record.key, record.value)
            self._has_sent = True
            future.add_callback(batch.tell_acknowledged, index)
            future.add_errback(batch.tell_failed)


def _close(producer: Producer) -> None:
    try:
        with errors_translated():
            producer.close()
    except DependencyDown as error:
        # Whoever sent what is lost now was never told that it is safe.
        log.warning("kafka_not_closed_in_order", error=type(error.__cause__).__name__)


class _Batch:
    """What is known of the records of one send; changed in the loop's thread only."""

    def __init__(self, size: int) -> None:
        self.acknowledged = [False] * size
        self.faults: set[str] = set()
        self.settled = asyncio.Event()
        self.is_given_up = False
        self._left = size
        self._loop = asyncio.get_running_loop()
        if not size:
            self.settled.set()

    def tell_acknowledged(self, index: int, _metadata: object) -> None:
        """Called by Kafka's client in its own thread."""
        tell(self._loop, self._acknowledge, index)

    def tell_failed(self, error: BaseException) -> None:
        """Called by Kafka's client in its own thread."""
        tell(self._loop, self._fail, type(error).__name__)

    def _acknowledge(self, index: int) -> None:
        self.acknowledged[index] = True
        self._count_down()

    def _fail(self, fault: str) -> None:
        self.faults.add(fault)
        self._count_down()

    def _count_down(self) -> None:
        self._left -= 1
        if not self._left:
            self.settled.set()

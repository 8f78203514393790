"""Sends the book's records; whatever happens to the broker, a record is sent again until Kafka has it."""

import math
import threading
import time
from collections.abc import Callable, Sequence

from kafka import KafkaProducer
from kafka.errors import KafkaError

from tests.faults.book import Chunk, Item
from tests.faults.stream import Where


class Feeder:
    """Sends chunks in order, in a thread of its own: what is allowed, never far ahead of what is folded.

    Attributes:
        sent: Records that Kafka has acknowledged.
        allowed: No chunk is begun when so many are sent.
        back_by: Milliseconds taken from the time of every record while they are not 0; Kafka heeds that only
            where the topic keeps the senders' times.
    """

    def __init__(self, where: Where, lead: int, folded: Callable[[], int]) -> None:
        self._where = where
        self._lead = lead
        self._folded = folded
        self._thread: threading.Thread | None = None
        self._producer: KafkaProducer | None = None
        self._failure: BaseException | None = None
        self._is_ended = threading.Event()
        self.sent = 0
        self.allowed = math.inf
        self.back_by = 0

    def start(self, chunks: Sequence[Chunk]) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, args=(chunks,), daemon=True)
        self._thread.start()

    @property
    def is_held(self) -> bool:
        """Whether nothing more is sent for now: all is, or what is allowed.

        Raises:
            RuntimeError: the feeder failed.
        """
        if self._failure is not None:
            raise RuntimeError("the feeder failed") from self._failure
        return self._thread is None or not self._thread.is_alive() or not self._may_send()

    def finish(self) -> None:
        """Wait until everything is sent, as much as that is.

        Raises:
            RuntimeError: the feeder failed.
        """
        self.allowed = math.inf
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._failure is not None:
            raise RuntimeError("the feeder failed") from self._failure

    def send(self, chunks: Sequence[Chunk]) -> None:
        """Send and wait until Kafka has everything."""
        self.start(chunks)
        self.finish()

    def close(self) -> None:
        """Give up what is not sent."""
        self._is_ended.set()
        if self._thread is not None:
            self._thread.join()
        self._drop_producer()

    def _run(self, chunks: Sequence[Chunk]) -> None:
        try:
            for chunk in chunks:
                while not self._may_send() and not self._is_ended.is_set():
                    time.sleep(0.01)
                self._send(chunk)
                self.sent += len(chunk)
        except BaseException as failure:
            self._failure = failure

    def _may_send(self) -> bool:
        return self.sent < self.allowed and self.sent - self._folded() <= self._lead

    def _send(self, chunk: Chunk) -> None:
        waiting: list[Item] = list(chunk)
        while waiting and not self._is_ended.is_set():
            try:
                waiting = self._send_once(waiting)
            except (KafkaError, OSError):
                self._drop_producer()
                time.sleep(0.2)

    def _send_once(self, items: list[Item]) -> list[Item]:
        """The items that Kafka did not acknowledge: some of them may be in its log all the same."""
        if self._producer is None:
            self._producer = KafkaProducer(
                bootstrap_servers=self._where.kafka_bootstrap,
                acks="all",
                linger_ms=5,
                batch_size=128 * 1024,
                request_timeout_ms=5_000,
                delivery_timeout_ms=15_000,
                max_block_ms=5_000,
            )
        stamp = int(time.time() * 1_000) - self.back_by if self.back_by else None
        futures = [
            self._producer.send(self._where.topic, item.value, item.key, None, item.partition, stamp)
            for item in items
        ]
        self._producer.flush(20)
        refused = [item for item, future in zip(items, futures, strict=True) if not future.succeeded()]
        if refused:
            self._drop_producer()
        return refused

    def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=2)
        except (KafkaError, OSError):
            # It gives up before it has ended its thread, which would send what is left at some later time.
            producer._sender.force_close()
            producer._closed = True

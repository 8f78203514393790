"""Kafka by kafka-python: topics, producing, and looking at a partition's log; announcing by aiokafka."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError as AioKafkaError  # type: ignore[import-untyped]
from aiokafka.producer.message_accumulator import BatchBuilder  # type: ignore[import-untyped]
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.topics import Topic
from schemas.topics.partitioner import partition_for
from streams.domain.areas import code_of
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.domain.positions import TOPIC, Touched
from streams.handlers.fold_cases import DeadLetter, Record
from streams.handlers.reconcile import Leadership, LogState
from streams.kafka_servers import KafkaServers, Servers

COUNT_CHANGES = "count-changes"
DEAD_LETTERS = "dead-letters"

_ANSWER_MS = 5_000
_LED_SECONDS = 30.0
_ANNOUNCED_SECONDS = 60.0

log = logging.getLogger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def errors_translated() -> Iterator[None]:
    """Raise DependencyDown instead of what the client raises when Kafka does not answer."""
    try:
        yield
    except (KafkaError, OSError) as error:
        raise DependencyDown(f"Kafka does not answer: {type(error).__name__}: {error}") from error


@contextmanager
def _admin(servers: Servers) -> Iterator[KafkaAdminClient]:
    with errors_translated():
        admin = KafkaAdminClient(**KafkaServers.of(servers).client_options(), bootstrap_timeout_ms=10_000)
        try:
            yield admin
        finally:
            admin.close()


def _described(admin: KafkaAdminClient, name: str) -> dict[str, Any]:
    if name not in set(admin.list_topics()):
        raise ConfigurationError(f"Kafka has no topic {name}: run `canhdich migrate` first.")
    found: dict[str, Any] = admin.describe_topics([name])[0]
    return found


def create_topics(servers: Servers, topics: Iterable[Topic], prefix: str = "") -> list[str]:
    """Create the topics that do not exist yet, for one node or (from 3 brokers on) a cluster; their names.

    Returns when the brokers know them and every partition has a leader.

    Raises:
        DependencyDown: Kafka does not answer, or its brokers do not get to know a topic.
        ConfigurationError: a topic exists with another number of partitions.
    """
    created = []
    with _admin(servers) as admin:
        existing = set(admin.list_topics())
        brokers = len(admin.describe_cluster()["brokers"])
        placement: Literal["one_node", "cluster"] = "cluster" if brokers >= 3 else "one_node"
        for topic in topics:
            name = prefix + topic.name
            if name in existing:
                found = len(_described(admin, name)["partitions"])
                if found != topic.partitions:
                    raise ConfigurationError(
                        f"Topic {name} has {found} partitions, not {topic.partitions}: the number never "
                        "changes. Drain it and move to a new topic."
                    )
                continue
            new = NewTopic(
                name,
                topic.partitions,
                topic.replication[placement],
                topic_configs=dict(topic.settings[placement]),
            )
            try:
                admin.create_topics([new])
                created.append(name)
            except TopicAlreadyExistsError:
                # Another process was quicker.
                continue
        _wait_until_led(admin, created)
    return created


def _wait_until_led(admin: KafkaAdminClient, names: Sequence[str]) -> None:
    """Wait for the brokers: the controller says "created" before they have heard of it."""
    deadline = time.monotonic() + _LED_SECONDS
    while names:
        # Listed first: a topic that a broker has not heard of cannot be described.
        if set(names) <= set(admin.list_topics()) and all(
            partition["leader_id"] >= 0
            for topic in admin.describe_topics(list(names))
            for partition in topic["partitions"]
        ):
            return
        if time.monotonic() > deadline:
            raise DependencyDown(f"Kafka has created {', '.join(names)} but not brought them into service.")
        time.sleep(0.05)


def topic_partitions(servers: Servers, name: str) -> tuple[UUID, int]:
    """A topic's own id and its number of partitions.

    Raises:
        DependencyDown: Kafka does not answer.
        ConfigurationError: there is no such topic.
    """
    with _admin(servers) as admin:
        found = _described(admin, name)
        return UUID(str(found["topic_id"])), len(found["partitions"])


def topic_settings(servers: Servers, name: str) -> dict[str, str]:
    """A topic's configuration in force, by Kafka's names.

    Raises:
        DependencyDown, ConfigurationError: as topic_partitions.
    """
    with _admin(servers) as admin:
        _described(admin, name)
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        configs = admin.describe_configs([resource])["topic"][name]
        return {key: config["value"] for key, config in configs.items()}


def end_offsets(servers: Servers, name: str) -> dict[int, int]:
    """One after the last offset of each partition.

    Raises:
        DependencyDown, ConfigurationError: as topic_partitions.
    """
    _, partitions = topic_partitions(servers, name)
    with errors_translated():
        consumer = KafkaConsumer(
            **KafkaServers.of(servers).client_options(),
            bootstrap_timeout_ms=10_000,
            enable_auto_commit=False,
        )
        try:
            ends = consumer.end_offsets([TopicPartition(name, p) for p in range(partitions)])
            return {tp.partition: offset for tp, offset in ends.items()}
        finally:
            consumer.close()


class Producer:
    """Sends records that count as sent only when every in-sync replica has them (acks=all).

    After an error that the client calls fatal it never sends again; then the next send begins with a new one.
    """

    def __init__(self, servers: Servers, prefix: str = "") -> None:
        self._prefix = prefix
        self._servers = KafkaServers.of(servers)
        self._producer: KafkaProducer | None = None
        self._spoilt: KafkaProducer | None = None

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> Any:
        """Hand a record to the client; the future returned resolves when Kafka has it.

        Raises:
            DependencyDown: Kafka does not answer (also from the future's `get`, as KafkaError).
        """
        with errors_translated():
            producer = self._connected()
            try:
                future = producer.send(self._prefix + topic, value=value, key=key, headers=list(headers))
            except (KafkaError, OSError) as error:
                self._note(producer, error)
                raise
            future.add_errback(lambda error: self._note(producer, error))
            return future

    def _connected(self) -> KafkaProducer:
        spoilt = self._producer
        if spoilt is self._spoilt and spoilt is not None:
            log.warning("Kafka's client gave up for good; beginning with a new one")
            self._producer = self._spoilt = None
            # What it still holds was never acknowledged to anybody.
            threading.Thread(target=spoilt.close, args=(0,), daemon=True).start()
        if self._producer is None:
            self._producer = KafkaProducer(
                **self._servers.client_options(),
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                batch_size=256 * 1024,
                request_timeout_ms=10_000,
                delivery_timeout_ms=30_000,
                max_block_ms=10_000,
                bootstrap_timeout_ms=10_000,
                reconnect_backoff_max_ms=1_000,
                max_request_size=2_000_000,
            )
        return self._producer

    def _note(self, producer: KafkaProducer, error: BaseException) -> None:
        # Those errors that the client may retry it gets over by itself.
        if not getattr(error, "retriable", False):
            self._spoilt = producer

    def flush(self, timeout: float = 60) -> None:
        """Wait until Kafka has everything sent so far.

        Raises:
            DependencyDown: it did not within the timeout.
        """
        if self._producer is not None:
            with errors_translated():
                self._producer.flush(timeout)

    def close(self) -> None:
        """Send what is waiting and close."""
        if self._producer is not None:
            self._producer.close(timeout=10)
            self._producer = None


class KafkaAnnouncements:
    """Implements the Announcements port of streams/handlers/fold_cases.py for records of one topic.

    By aiokafka, on the event loop that calls: an epidemic's batch moves thousands of counts, and handing
    kafka-python that many records took an eighth of a worker's time. Belongs to the loop of its first call.
    """

    def __init__(self, servers: Servers, prefix: str = "", topic: str = TOPIC) -> None:
        """`topic`, whose records are announced, is the name without the prefix."""
        self._servers = KafkaServers.of(servers)
        self._prefix = prefix
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def bury(self, dead: Sequence[DeadLetter]) -> None:
        """Publish dead letters with their headers."""
        if dead:
            async with self._sending() as producer:
                sent = []
                for letter in dead:
                    topic, key, value, headers = _dead_record(letter, self._topic)
                    sent.append(await producer.send(self._prefix + topic, value, key, headers=headers))
                await asyncio.gather(*sent)

    async def publish(self, touched: Iterable[Touched]) -> None:
        """Publish which counts moved."""
        records = sorted(set(touched))
        if records:
            async with self._sending() as producer:
                await _send_touched(producer, self._prefix + COUNT_CHANGES, records)

    async def close(self) -> None:
        """Send what is waiting and close."""
        self._drop()
        await asyncio.gather(*self._closing, return_exceptions=True)

    @asynccontextmanager
    async def _sending(self) -> AsyncIterator[AIOKafkaProducer]:
        """A producer that is connected; after an error the next one begins anew."""
        try:
            async with asyncio.timeout(_ANNOUNCED_SECONDS):
                if self._producer is None:
                    self._producer = await _connected_producer(self._servers)
                yield self._producer
        except (AioKafkaError, OSError, TimeoutError) as error:
            # What it still holds is announced again by whoever tries again.
            self._drop()
            raise DependencyDown(f"Kafka does not answer: {type(error).__name__}: {error}") from error

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(producer.stop())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _connected_producer(servers: Servers) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        **KafkaServers.of(servers).client_options(),
        acks="all",
        linger_ms=5,
        max_batch_size=256 * 1024,
        max_request_size=2_000_000,
        request_timeout_ms=10_000,
    )
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def _send_touched(producer: AIOKafkaProducer, topic: str, touched: Iterable[Touched]) -> None:
    """Send batches made by ourselves: the client's own way takes several times as long for each record."""
    partitions = len(await producer.partitions_for(topic))
    batches: dict[int, BatchBuilder] = {}
    sent = []
    for moved in touched:
        key, value = _touched_record(moved)
        partition = partition_for(key, partitions)
        batch = batches.get(partition)
        if batch is None or batch.append(key=key, value=value, timestamp=None) is None:
            if batch is not None:
                sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = batches[partition] = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    for partition, batch in batches.items():
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)


@lru_cache(maxsize=65_536)
def _touched_record(touched: Touched) -> tuple[bytes, bytes]:
    """Key and value on count-changes; the same counts move again and again."""
    code = code_of(touched.area_id)
    value = {"disease": touched.disease, "area_code": code, "area_id": touched.area_id}
    return f"{touched.disease}|{code}".encode(), orjson.dumps(value)


def _dead_record(
    letter: DeadLetter, topic: str
) -> tuple[str, bytes | None, bytes, Sequence[tuple[str, bytes]]]:
    headers = [
        ("error", letter.error.encode()),
        ("error-detail", orjson.dumps(list(letter.problems))),
        ("topic", topic.encode()),
        ("partition", b"%d" % letter.partition),
        ("offset", b"%d" % letter.offset),
    ]
    if letter.standing is not None:
        headers.append(("standing", letter.standing))
    return DEAD_LETTERS, letter.key, letter.value, headers


class KafkaLog:
    """Implements the Log port of streams/handlers/reconcile.py."""

    def __init__(self, servers: Servers, topic: str) -> None:
        self._servers = KafkaServers.of(servers)
        self._topic = topic
        self._lock = threading.Lock()
        self._admin: KafkaAdminClient | None = None

    async def leaderships(self) -> dict[int, Leadership]:
        """The leadership of every partition now."""
        return await asyncio.to_thread(self._leaderships)

    def _leaderships(self) -> dict[int, Leadership]:
        # One client that stays connected: it is asked before every batch.
        with self._lock, errors_translated():
            try:
                if self._admin is None:
                    self._admin = KafkaAdminClient(
                        **self._servers.client_options(),
                        bootstrap_timeout_ms=_ANSWER_MS,
                        request_timeout_ms=_ANSWER_MS,
                    )
                (topic,) = self._admin.describe_topics([self._topic])
            except BaseException:
                self.close()
                raise
        if topic["error_code"]:
            raise DependencyDown(f"Kafka does not know the topic {self._topic} (error {topic['error_code']})")
        topic_id = UUID(str(topic["topic_id"]))
        return {p["partition_index"]: Leadership(topic_id, p["leader_epoch"]) for p in topic["partitions"]}

    def close(self) -> None:
        """Close the connection that stays."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    async def states(self, next_offsets: Mapping[int, int | None]) -> dict[int, LogState]:
        """What the broker has of each partition, and the record before the offset that is to come next."""
        return await asyncio.to_thread(self._states, next_offsets)

    def _states(self, next_offsets: Mapping[int, int | None]) -> dict[int, LogState]:
        topic_id, _ = topic_partitions(self._servers, self._topic)
        with errors_translated():
            consumer = KafkaConsumer(
                **self._servers.client_options(), bootstrap_timeout_ms=10_000, enable_auto_commit=False
            )
            try:
                at = {TopicPartition(self._topic, p): offset for p, offset in next_offsets.items()}
                first = consumer.beginning_offsets(list(at))
                end = consumer.end_offsets(list(at))
                last = {tp: o - 1 for tp, o in at.items() if o is not None and first[tp] < o <= end[tp]}
                hashes = {tp: record.hash for tp, record in _read_at(consumer, last).items()}
                return {tp.partition: LogState(topic_id, first[tp], end[tp], hashes.get(tp)) for tp in at}
            finally:
                consumer.close()


def _read_at(consumer: KafkaConsumer, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, Record]:
    """The record at one offset per partition."""
    found: dict[TopicPartition, Record] = {}
    if not offsets:
        return found
    consumer.assign(list(offsets))
    for tp, offset in offsets.items():
        consumer.seek(tp, offset)
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while len(found) < len(offsets):
        if datetime.now(UTC) > deadline:
            raise DependencyDown("Kafka did not return the last folded records within 30 s")
        for tp, records in consumer.poll(timeout_ms=1_000, max_records=1_000).items():
            record = records[0]
            if tp not in found and record.offset == offsets[tp]:
                found[tp] = Record(
                    tp.partition, record.offset, instant_of(record.timestamp), record.key, record.value
                )
                consumer.pause(tp)
    return found


def instant_of(timestamp_ms: int) -> datetime:
    """The instant of a Kafka timestamp (milliseconds since 1970), exact."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms)

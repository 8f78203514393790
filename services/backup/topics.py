"""Event topics as files, and back: one JSON line a record, gzipped, in offset order within each partition.

A line is {"p": partition, "o": offset, "t": milliseconds since 1970, "k": key, "v": value,
"h": [[name, value]]}; keys and values in base64, null where there is none.
"""

import gzip
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import IO, Any, Final, Literal
from uuid import UUID

import orjson
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic

from schemas.topics import Topic
from services.backup.manifest import TopicEntry
from streams.domain.errors import ConfigurationError, DependencyDown, RefusedAction
from streams.kafka_servers import KafkaServers
from streams.stores.broker import errors_translated, topic_partitions

_COMPRESSION: Final = 3
_POLL_MS: Final = 1_000
_SILENT_POLLS: Final = 30
_IN_FLIGHT: Final = 20_000
_TIMESTAMPS: Final = "message.timestamp.type"


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it is kept. `at_ms` is the broker's clock."""

    partition: int
    offset: int
    at_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def line(self) -> bytes:
        """As a line of the file."""
        return orjson.dumps(
            {
                "p": self.partition,
                "o": self.offset,
                "t": self.at_ms,
                "k": _text(self.key),
                "v": _text(self.value),
                "h": [[name, _text(value)] for name, value in self.headers],
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )

    @classmethod
    def of_line(cls, line: bytes) -> "Stored":
        """From a line of the file.

        Raises:
            ValueError, KeyError: it is none.
        """
        one = orjson.loads(line)
        headers = tuple((name, _bytes(value) or b"") for name, value in one["h"])
        return cls(one["p"], one["o"], one["t"], _bytes(one["k"]), _bytes(one["v"]), headers)


def _text(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else b64decode(value)


@dataclass(slots=True)
class Digest:
    """Of what a topic holds, however its partitions are mixed: equal for equal records at equal times."""

    records: int = 0
    _partitions: dict[int, Any] = field(default_factory=dict)

    def add(self, record: Stored) -> None:
        """The next record of its partition."""
        self.records += 1
        digest = self._partitions.setdefault(record.partition, hashlib.sha256())
        # Without the offset: in a new topic they begin at nought.
        digest.update(replace(record, offset=0).line())

    def text(self) -> str:
        """The digest of everything so far."""
        parts = sorted((partition, digest.hexdigest()) for partition, digest in self._partitions.items())
        return hashlib.sha256(orjson.dumps(parts)).hexdigest()


@dataclass(frozen=True, slots=True)
class LogBounds:
    """A topic's own id, and by partition its first offset and the one after its last."""

    topic_id: UUID
    first: Mapping[int, int]
    next: Mapping[int, int]

    @property
    def records(self) -> int:
        """How many there are at most."""
        return sum(self.next.values()) - sum(self.first.values())


def bounds(servers: KafkaServers, topic: str) -> LogBounds:
    """How far a topic (full name) goes now.

    Raises:
        DependencyDown: Kafka does not answer.
        ConfigurationError: there is no such topic.
    """
    topic_id, partitions = topic_partitions(servers, topic)
    with errors_translated(), closing(_consumer(servers)) as consumer:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        first, after = consumer.beginning_offsets(places), consumer.end_offsets(places)
        return LogBounds(
            topic_id,
            {tp.partition: offset for tp, offset in first.items()},
            {tp.partition: offset for tp, offset in after.items()},
        )


def read_records(servers: KafkaServers, topic: str, log: LogBounds) -> Iterator[Stored]:
    """Every record within the bounds, in order within each partition.

    Raises:
        DependencyDown: Kafka does not give them.
    """
    with errors_translated(), closing(_consumer(servers)) as consumer:
        waiting = {
            TopicPartition(topic, partition): log.next[partition]
            for partition, first in log.first.items()
            if first < log.next[partition]
        }
        if not waiting:
            return
        consumer.assign(list(waiting))
        for tp in waiting:
            consumer.seek(tp, log.first[tp.partition])
        silent = 0
        while waiting:
            polled = consumer.poll(timeout_ms=_POLL_MS, max_records=5_000)
            silent = 0 if polled else silent + 1
            if silent > _SILENT_POLLS:
                raise DependencyDown(
                    f"Kafka gives no more of {topic}, though {len(waiting)} partitions go on."
                )
            for tp, records in polled.items():
                for record in records:
                    if tp in waiting and record.offset < waiting[tp]:
                        yield Stored(
                            tp.partition,
                            record.offset,
                            record.timestamp,
                            record.key,
                            record.value,
                            tuple(record.headers or ()),
                        )
            for tp in [tp for tp, end in waiting.items() if consumer.position(tp) >= end]:
                del waiting[tp]
                consumer.pause(tp)


def _consumer(servers: KafkaServers) -> KafkaConsumer:
    return KafkaConsumer(
        **servers.client_options(),
        bootstrap_timeout_ms=10_000,
        enable_auto_commit=False,
        auto_offset_reset="none",
    )


def copy_topic(
    servers: KafkaServers, prefix: str, name: str, out: IO[bytes], advance: Callable[[int], None]
) -> TopicEntry:
    """Write a topic's records, as far as it goes now.

    Args:
        servers: Where it is.
        prefix: Before its name.
        name: The topic.
        out: Gets the gzipped lines.
        advance: Is told of records copied.
    """
    log = bounds(servers, prefix + name)
    digest = Digest()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_COMPRESSION, mtime=0) as lines:
        for record in read_records(servers, prefix + name, log):
            lines.write(record.line())
            digest.add(record)
            advance(1)
    return TopicEntry(
        name=name,
        topic_id=log.topic_id,
        partitions=len(log.next),
        first=dict(log.first),
        next=dict(log.next),
        records=digest.records,
        digest=digest.text(),
    )


def records_of(file: IO[bytes]) -> Iterator[Stored]:
    """The records of a file.

    Raises:
        RefusedAction: it is damaged or ends too early.
    """
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as lines:
            for line in lines:
                yield Stored.of_line(line)
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise RefusedAction(f"A copy of a topic is damaged: {type(error).__name__}: {error}") from error


def make_topic(servers: KafkaServers, prefix: str, topic: Topic) -> None:
    """Create a topic whose records keep the times that they are sent with, until `close_topic`.

    Raises:
        DependencyDown: Kafka does not answer.
    """
    with errors_translated(), closing(_admin(servers)) as admin:
        placement: Literal["one_node", "cluster"] = (
            "cluster" if len(admin.describe_cluster()["brokers"]) >= 3 else "one_node"
        )
        settings = {**topic.settings[placement], _TIMESTAMPS: "CreateTime"}
        new = NewTopic(
            prefix + topic.name, topic.partitions, topic.replication[placement], topic_configs=settings
        )
        admin.create_topics([new], wait_for_metadata=True)


def pour(
    servers: KafkaServers, name: str, records: Iterable[Stored], advance: Callable[[int], None]
) -> Digest:
    """Send records to their partitions with their times; the digest of what was sent.

    Raises:
        DependencyDown: Kafka did not take all of them.
    """
    digest = Digest()
    with errors_translated():
        producer = KafkaProducer(
            **servers.client_options(),
            bootstrap_timeout_ms=10_000,
            acks="all",
            enable_idempotence=True,
            linger_ms=20,
            batch_size=256 * 1024,
            max_request_size=2_000_000,
        )
        with closing(producer):
            sent: list[Any] = []
            for record in records:
                sent.append(
                    producer.send(
                        name,
                        record.value,
                        record.key,
                        headers=list(record.headers),
                        partition=record.partition,
                        timestamp_ms=record.at_ms,
                    )
                )
                digest.add(record)
                if len(sent) >= _IN_FLIGHT:
                    _wait(sent, advance)
            _wait(sent, advance)
    return digest


def _wait(sent: list[Any], advance: Callable[[int], None]) -> None:
    for future in sent:
        future.get(timeout=60)
    advance(len(sent))
    sent.clear()


def close_topic(servers: KafkaServers, prefix: str, topic: Topic) -> None:
    """Let the broker's clock say from now on when a record came, as for every event topic.

    Raises:
        DependencyDown: Kafka does not answer.
    """
    wanted = topic.settings["one_node"][_TIMESTAMPS]
    with errors_translated(), closing(_admin(servers)) as admin:
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, prefix + topic.name, configs={_TIMESTAMPS: wanted})]
        )


def delete_topic(servers: KafkaServers, name: str) -> None:
    """Delete an empty topic, and wait until Kafka no longer knows it.

    Raises:
        DependencyDown: Kafka does not answer.
        ConfigurationError: it is not empty.
    """
    if bounds(servers, name).records:
        raise ConfigurationError(f"Topic {name} holds records: it is not deleted.")
    with errors_translated(), closing(_admin(servers)) as admin:
        admin.delete_topics([name])


def _admin(servers: KafkaServers) -> KafkaAdminClient:
    return KafkaAdminClient(**servers.client_options(), bootstrap_timeout_ms=10_000)

"""The stream as seen from outside: what Kafka holds, how far the database is, what the group committed."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from streams.domain.errors import DependencyDown
from streams.stores.broker import end_offsets, topic_partitions

_LOOK_SECONDS = 0.03

PATIENCE_SECONDS = 180
"""How long nothing at all may happen before a run counts as stuck, on a machine however busy."""


@dataclass(frozen=True, slots=True)
class Where:
    """Addresses and names of one run."""

    kafka_bootstrap: str
    database_url: str
    prefix: str

    @property
    def topic(self) -> str:
        """Full name of the topic of case events."""
        return self.prefix + "case-events"

    @property
    def group(self) -> str:
        """The workers' consumer group."""
        return self.prefix + "fold-cases"


@contextmanager
def admin(where: Where) -> Iterator[KafkaAdminClient]:
    """A client for administration."""
    client = KafkaAdminClient(bootstrap_servers=where.kafka_bootstrap)
    try:
        yield client
    finally:
        client.close()


@dataclass(frozen=True, slots=True)
class Folded:
    """How far one partition is folded."""

    topic_id: UUID
    epoch: int
    next_offset: int


def folded(where: Where) -> dict[int, Folded]:
    """The database's positions by partition."""
    with psycopg.connect(where.database_url, connect_timeout=30) as connection:
        rows = connection.execute(
            "select kafka_partition, topic_id, epoch, next_offset from stream_offsets where topic = %s",
            (where.topic,),
        )
        return {partition: Folded(*row) for partition, *row in rows}


def folded_records(where: Where) -> int:
    """How many records are folded now."""
    return sum(found.next_offset for found in folded(where).values())


def end_offsets_of(where: Where) -> dict[int, int]:
    """Where Kafka's log of case events ends, by partition."""
    return end_offsets(where.kafka_bootstrap, where.topic)


class HighWater(threading.Thread):
    """Watches how many records have ever been folded; a wiped database does not bring it down."""

    def __init__(self, where: Where) -> None:
        super().__init__(daemon=True)
        self._where = where
        self._end = threading.Event()
        self.records = 0

    def run(self) -> None:
        """Look until told to end; a database that does not answer is looked at again later."""
        while not self._end.wait(_LOOK_SECONDS):
            try:
                with psycopg.connect(
                    self._where.database_url, autocommit=True, connect_timeout=5
                ) as connection:
                    while not self._end.wait(_LOOK_SECONDS):
                        row = connection.execute(
                            "select coalesce(sum(next_offset), 0) from stream_offsets where topic = %s",
                            (self._where.topic,),
                        ).fetchone()
                        self.records = max(self.records, int(row[0]) if row else 0)
            except psycopg.Error:
                continue

    def end(self) -> None:
        """Stop looking."""
        self._end.set()
        self.join()


_Answer = TypeVar("_Answer")


def answered(ask: Callable[[], _Answer]) -> _Answer:
    """What a server says, which may be about to come back.

    Raises:
        TimeoutError: it does not answer.
    """
    answers: list[_Answer] = []

    def has_answered() -> bool:
        answers.append(ask())
        return True

    wait_for(f"an answer to {ask}", PATIENCE_SECONDS, has_answered)
    return answers[0]


def wait_for(
    what: str,
    seconds: float,
    is_so: Callable[[], bool],
    progress: Callable[[], object] = lambda: None,
    every: float = 0.2,
) -> None:
    """Return when something is so; servers that do not answer count as not yet.

    Args:
        what: It, in words.
        seconds: How long to wait for it, or for anything new in the progress.
        is_so: Tells.
        progress: Another answer than the last one is progress; asked now and then.
        every: Seconds between two looks.

    Raises:
        TimeoutError: it is not so, and nothing goes on.
    """
    before: object = None
    deadline = time.monotonic() + seconds
    while True:
        with suppress(psycopg.Error, KafkaError, OSError, DependencyDown):
            if is_so():
                return
        if time.monotonic() > deadline - seconds / 2:
            with suppress(psycopg.Error, KafkaError, OSError, DependencyDown):
                if (now := progress()) != before:
                    before, deadline = now, time.monotonic() + seconds
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(every)


def wait_until_folded(where: Where) -> None:
    """Return when the database is exactly where Kafka's log ends, and that of this very topic.

    Raises:
        TimeoutError: it did not get there, and for long no nearer; says where it stands.
    """
    ends = answered(lambda: end_offsets_of(where))
    topic_id, _ = answered(lambda: topic_partitions(where.kafka_bootstrap, where.topic))

    def is_folded() -> bool:
        found = folded(where)
        return all(
            p in found and (found[p].topic_id, found[p].next_offset) == (topic_id, end)
            for p, end in ends.items()
        )

    try:
        wait_for("all records folded", PATIENCE_SECONDS, is_folded, lambda: folded(where))
    except TimeoutError as error:
        raise TimeoutError(f"{error}; Kafka ends at {ends}, the database stands at {folded(where)}") from None


def read_topic(where: Where, name: str, starts: Mapping[int, int] | None = None) -> Iterator[Any]:
    """Every record of a topic, from its start (or an offset of each partition) to its present end."""
    ends = answered(lambda: end_offsets(where.kafka_bootstrap, where.prefix + name))
    starts = starts or dict.fromkeys(ends, 0)
    consumer = KafkaConsumer(bootstrap_servers=where.kafka_bootstrap, enable_auto_commit=False)
    try:
        left = {TopicPartition(where.prefix + name, p): end for p, end in ends.items() if end > starts[p]}
        consumer.assign(list(left))
        for tp in left:
            consumer.seek(tp, starts[tp.partition])
        while left:
            for tp, records in consumer.poll(timeout_ms=1_000, max_records=5_000).items():
                yield from records
                if tp in left and records[-1].offset + 1 >= left[tp]:
                    del left[tp]
    finally:
        consumer.close()


def group_members(where: Where) -> int:
    """How many workers Kafka's group has, when it has agreed on them; 0 while it has not."""
    with admin(where) as client:
        group = client.describe_groups([where.group])[where.group]
        return len(group["members"]) if group["group_state"] == "Stable" else 0


def group_offsets(where: Where) -> dict[int, int]:
    """What the workers' group has committed to Kafka, by partition."""
    with admin(where) as client:
        found: Mapping[TopicPartition, Any] = client.list_group_offsets([where.group])[where.group]
        return {tp.partition: committed.offset for tp, committed in found.items() if tp.topic == where.topic}


def set_group_offsets(where: Where, offsets: Mapping[int, int]) -> None:
    """Move the group, which must have no members, to other offsets."""
    wanted = {TopicPartition(where.topic, p): offset for p, offset in offsets.items()}

    def is_set() -> bool:
        with admin(where) as client:
            # A copy: the client takes out of the mapping what it was given.
            done = client.reset_group_offsets(where.group, dict(wanted))
        return all(result["error"].errno == 0 for result in done.values())

    # Members that were killed are counted until their session has ended.
    wait_for("group without members", PATIENCE_SECONDS, is_set)


def set_topic_config(where: Where, name: str, value: str) -> None:
    """Change one setting of the topic of case events."""
    with admin(where) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, where.topic, {name: value})])

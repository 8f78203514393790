"""Worker processes on real Kafka and TimescaleDB, each test with topics and a database of its own."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.catalogue import Catalogue
from schemas.topics.partitioner import partition_for
from services.settings import Settings
from streams.domain.counts import COUNTERS
from streams.domain.positions import TOPIC
from streams.stores.audit import audit
from streams.stores.database import connect
from tests.builders import event, minutes
from tests.conftest import SettingsFactory, environment_of
from tests.truth import Key, truth

PARTITIONS = 12
Sent = tuple[bytes | None, bytes | None, int | None]
"""Key, value, and the partition where it is not the key's own."""


def until(is_so: Callable[[], bool], what: str, seconds: float = 40) -> None:
    """Look again until it is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"after {seconds} s: {what}"
        time.sleep(0.05)


def case_history(number_of_cases: int, seed: int) -> list[bytes]:
    """Reports, corrections, moves, retractions of cases in Lai Châu 2023; each event's id is its own."""
    drawn = random.Random(seed)
    start = datetime(2023, 1, 1, 1, 0, tzinfo=UTC)
    areas = ("03412", "03549", "03478", "106", "108", "109", "12")
    numbers = iter(range(1, 100 * number_of_cases))
    found = []
    for case in range(number_of_cases):
        subject = f"LC-2023-{case:06d}"
        time_of = start + timedelta(hours=drawn.randrange(8_000))
        onset_on = (time_of - timedelta(days=drawn.randrange(8))).date().isoformat()

        def add(kind: str, at: datetime, *, subject: str = subject, **data: Any) -> None:
            found.append(event(subject, next(numbers), kind, at, **data))

        add(
            "reported",
            time_of,
            disease=drawn.choice(("dengue", "measles", "rabies", "rash_fever_susp_measles")),
            area_code=drawn.choice(areas),
            onset_on=drawn.choice((onset_on, None)),
            lab={"measles": drawn.choice(("pending", "positive"))},
        )
        for step in range(drawn.randrange(4)):
            correction = drawn.choice(
                (
                    {"classification": drawn.choice(("probable", "confirmed", "discarded"))},
                    {"area_code": drawn.choice(areas)},
                    {"lab": {"measles": drawn.choice(("positive", "negative"))}},
                    {"outcome": drawn.choice(("recovered", "dead"))},
                    {"died_at": (time_of + timedelta(days=2)).date().isoformat()},
                    {"onset_on": (time_of - timedelta(days=9)).date().isoformat()},
                    {"origin": "imported", "hospitalised": True},
                    {"disease": "dengue"},
                )
            )
            add("updated", time_of + minutes(30 * step + 1), **correction)
        if drawn.random() < 0.1:
            add("retracted", time_of + minutes(200))
    return found


def shuffled_twice(values: Sequence[bytes], seed: int) -> list[bytes]:
    """Every value twice, in any order."""
    again = [*values, *values]
    random.Random(seed).shuffle(again)
    return again


def read_all(bootstrap: str, topic: str) -> list[Any]:
    """Every record of a topic."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        partitions = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Any] = []

        def has_all() -> bool:
            for batch in consumer.poll(timeout_ms=500).values():
                found.extend(batch)
            return len(found) >= int(sum(ends.values()))

        until(has_all, f"{topic} was not read")
        return found
    finally:
        consumer.close()


class Worker:
    """One process of ours; `python -m services.worker` unless another module is named."""

    def __init__(self, settings: Settings, log: Path, module: str = "services.worker") -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                env=environment_of(settings),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text()

    def exit_code(self, seconds: float = 30) -> int:
        """Wait for it to end by itself."""
        return self._process.wait(seconds)

    def terminate(self, seconds: float = 30) -> int:
        """SIGTERM; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(10)


class Installation:
    """Topics, a database, and the workers that a test starts on them."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection[TupleRow],
        catalogue: Catalogue,
        folder: Path,
    ) -> None:
        self.settings = settings
        self.connection = connection
        self.topic = settings.topic_prefix + TOPIC
        self._catalogue = catalogue
        self._folder = folder
        self._workers: list[Worker] = []

    def start(self, module: str = "services.worker", **changes: Any) -> Worker:
        """A worker, or another module of ours; `changes` of its settings."""
        log = self._folder / f"worker-{len(self._workers)}.log"
        worker = Worker(self.settings.model_copy(update=changes), log, module)
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        """End the workers that still run."""
        for worker in self._workers:
            if worker.is_running:
                worker.kill()

    def logs(self) -> str:
        """What the workers said, for a failure."""
        return "\n".join(worker.log for worker in self._workers)

    def send(self, records: Iterable[Sent]) -> None:
        """Put records into Kafka, in this order."""
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka_bootstrap, acks="all", linger_ms=5)
        try:
            futures = [
                producer.send(
                    self.topic,
                    key=key,
                    value=value,
                    partition=partition_for(key or b"", PARTITIONS) if partition is None else partition,
                )
                for key, value, partition in records
            ]
            for future in futures:
                future.get(30)
        finally:
            producer.close()

    def send_events(self, values: Iterable[bytes]) -> None:
        """Put events into Kafka under their subjects."""
        self.send((json.loads(value)["subject"].encode(), value, None) for value in values)

    def ends(self) -> dict[int, int]:
        """Partition -> end offset."""
        consumer = KafkaConsumer(bootstrap_servers=self.settings.kafka_bootstrap)
        try:
            ends = consumer.end_offsets([TopicPartition(self.topic, p) for p in range(PARTITIONS)])
            return {tp.partition: end for tp, end in ends.items()}
        finally:
            consumer.close()

    def positions(self) -> dict[int, tuple[int, int]]:
        """Partition -> epoch and next offset."""
        found = self.connection.execute(
            "select kafka_partition, epoch, next_offset from stream_offsets where topic = %s", (self.topic,)
        )
        return {partition: (epoch, next_offset) for partition, epoch, next_offset in found}

    def folded(self) -> int:
        """How many records are folded."""
        return sum(next_offset for _, next_offset in self.positions().values())

    def until_folded(self, seconds: float = 40) -> None:
        """Wait until everything in Kafka is folded."""
        ends = self.ends()

        def is_folded() -> bool:
            positions = self.positions()
            return all(positions.get(partition, (0, 0))[1] >= end for partition, end in ends.items() if end)

        try:
            until(is_folded, "not all of it is folded", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.positions()} of {ends}\n{self.logs()}") from None

    def topic_records(self, name: str) -> list[Any]:
        """Everything in another topic of ours."""
        return read_all(self.settings.kafka_bootstrap, self.settings.topic_prefix + name)

    def counted(self) -> dict[Key, dict[str, int]]:
        """The district totals as tests/truth.py has them."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(
                "select dt.*, a.kind, a.code, p.code as province from district_totals as dt "
                "inner join areas as a on dt.district_id = a.area_id "
                "inner join areas as p on a.province_id = p.area_id where dt.via = ''"
            )
            rows = cursor.fetchall()
        found = {
            Key(
                row["disease"],
                row["province"],
                None if row["kind"] == "province" else row["code"],
                row["year"],
                row["basis"],
            ): {counter: row[counter] for counter in COUNTERS if row[counter]}
            for row in rows
        }
        return {key: counters for key, counters in found.items() if counters}

    def assert_counted(self, values: Iterable[bytes]) -> None:
        """The counts are those of these events, and the books balance."""
        expected = truth(values, self._catalogue)
        assert self.counted() == {key: dict(counters) for key, counters in expected.counts.items()}
        assert audit(self.connection).is_clean


@pytest.fixture
def installation(
    settings_for: SettingsFactory,
    fresh_database_url: str,
    fresh_topic_prefix: str,
    published_catalogue: Catalogue,
    tmp_path: Path,
) -> Iterator[Installation]:
    """Empty topics, an empty database with the packaged catalogue, no worker yet."""
    with connect(fresh_database_url) as connection:
        found = Installation(
            settings_for(fresh_database_url, fresh_topic_prefix), connection, published_catalogue, tmp_path
        )
        try:
            yield found
        finally:
            found.close()


def identities(values: Iterable[bytes]) -> set[tuple[str, UUID]]:
    """Subject and event id of each event."""
    found = (json.loads(value) for value in values)
    return {(one["subject"], UUID(one["id"])) for one in found}

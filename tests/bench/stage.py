"""Topics filled once, fresh databases, and processes that work on them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson
from pydantic import SecretStr

from schemas.catalogue import Area, Catalogue
from services.demo.scale import generate_events
from services.settings import Settings
from streams.domain.positions import TOPIC
from streams.stores.broker import Producer
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate
from tests.bench.results import FOLDER, say
from tests.conftest import environment_of, scratch_database, scratch_topics

PROVINCES = ("10", "12", "19", "24")
SEED = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """Settings for a database of its own; `last` are the last offsets of what stands in the topic."""

    settings: Settings
    last: Mapping[int, int]

    @property
    def database_url(self) -> str:
        """The address of the database."""
        return self.settings.database_url.get_secret_value()

    @property
    def topic(self) -> str:
        """The full name of the topic of case events."""
        return self.settings.topic_prefix + TOPIC

    @property
    def records(self) -> int:
        """How many records stand in the topic."""
        return sum(offset + 1 for offset in self.last.values())

    @property
    def environment(self) -> dict[str, str]:
        """For processes on this stage."""
        # A worker that was killed must not be waited for.
        return {**environment_of(self.settings), "CANHDICH_SESSION_TIMEOUT_SECONDS": "6"}

    def folded(self, epoch: int = 0) -> int:
        """How many records are folded in an epoch."""
        with connect(self.database_url) as connection:
            row = connection.execute(
                "select coalesce(sum(next_offset), 0)::bigint from stream_offsets where topic = %s "
                "and epoch = %s",
                (self.topic, epoch),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def wait_until_begun(self, epoch: int = 0) -> int:
        """Return when the first batch is committed: starting a process is not measured. Records folded."""
        deadline = time.monotonic() + 120
        while not (folded := self.folded(epoch)):
            assert time.monotonic() < deadline, "no worker began: look at .native/bench/*.log"
            time.sleep(0.02)
        return folded


def communes(catalogue: Catalogue) -> list[Area]:
    """The communes that there were in 2023 and 2024, by code."""
    old = [area for area in catalogue.areas if area.kind == "commune" and area.valid_from is None]
    kept = [area for area in old if area.valid_to is None or area.valid_to >= date(2024, 12, 31)]
    return sorted(kept, key=lambda area: area.code)


def events(number: int, catalogue: Catalogue) -> list[bytes]:
    """What every way takes in: about three events per case, with corrections, moves and retractions."""
    return list(generate_events(number, SEED, catalogue=catalogue, provinces=PROVINCES))


@contextmanager
def filled_topics(settings: Settings, sent: Sequence[bytes]) -> Iterator[tuple[str, dict[int, int]]]:
    """A prefix under which the topics hold the events; the last offset of each partition."""
    with scratch_topics(settings.kafka_bootstrap) as prefix:
        say(f"filling Kafka with {len(sent):,} events ...")
        producer = Producer(settings.kafka_bootstrap, prefix)
        last: dict[int, int] = {}
        for start in range(0, len(sent), 50_000):
            part = sent[start : start + 50_000]
            futures = [producer.send(TOPIC, orjson.loads(raw)["subject"].encode(), raw) for raw in part]
            for future in futures:
                record = future.get(timeout=120)
                last[record.partition] = max(record.offset, last.get(record.partition, -1))
        producer.close()
        yield prefix, last


@contextmanager
def fresh_stage(
    settings: Settings, catalogue: Catalogue, prefix: str, last: Mapping[int, int]
) -> Iterator[Stage]:
    """An empty database with the catalogue, for the records under a prefix."""
    with scratch_database(settings.database_url.get_secret_value()) as database_url:
        migrate(database_url)
        with connect(database_url) as connection:
            load(connection, catalogue, "bench")
        data = (FOLDER / "data").resolve()
        data.mkdir(parents=True, exist_ok=True)
        changed = {
            "topic_prefix": prefix,
            "database_url": SecretStr(database_url),
            "data_directory": data,
            "worker_metrics_port": 0,
        }
        yield Stage(settings.model_copy(update=changed), last)


@contextmanager
def running(
    name: str, argv: Sequence[str], environment: Mapping[str, str], *, expect_end: bool = False
) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python program, killed at the end; what it says goes to .native/bench/NAME.log."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Path(FOLDER / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *argv], env=dict(environment), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
            assert expect_end or process.poll() is None, f"{name} ended: look at {log.name}"
        finally:
            process.kill()
            process.wait()


@contextmanager
def workers(stage: Stage, number: int = 1, **settings: str) -> Iterator["list[subprocess.Popen[bytes]]"]:
    """So many workers on a stage."""
    environment = {**stage.environment, **settings}
    if number == 0:
        yield []
        return
    with (
        running(f"worker-{number}", ("-m", "services.worker"), environment) as process,
        workers(stage, number - 1, **settings) as others,
    ):
        yield [process, *others]


def resident_mib(pid: int) -> float:
    """The memory of a process that is not swapped out, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

"""`make bench`: the fold from Kafka to committed counts, beside baselines of the same run and servers.

BENCH_EVENTS (default 100,000) sets the size. Prints a table and writes JSON lines to .native/bench.jsonl.
Only ratios within one run mean anything.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg

from schemas.catalogue import Catalogue, load_catalogue
from services.demo.scale import generate_events
from services.settings import Settings, load_settings
from services.waiting import wait_until_counted
from streams.handlers.fold_cases import TOPIC
from streams.stores.broker import Producer
from streams.stores.catalogue import load
from streams.stores.copying import copy_rows, escaped
from streams.stores.database import connect, migrate
from tests.conftest import environment_of, scratch_database, scratch_topics

EVENTS = int(os.environ.get("BENCH_EVENTS", "100000"))
SEED = 1
RESULTS = Path(".native") / "bench.jsonl"

_NAIVE_TABLES = """
create table naive_journal (event_id uuid primary key, subject text, event_time timestamptz, data jsonb);
create table naive_cases (subject text primary key, disease text, area text, onset date, n int not null);
create table naive_counts (
    disease text, area text, day date, n int not null, primary key (disease, area, day)
);
"""
# The least that a count per event needs: journal, state, count. Not even correct under corrections.
_NAIVE_STATEMENTS = (
    "insert into naive_journal values (%(id)s, %(subject)s, %(time)s, %(data)s) on conflict do nothing",
    "insert into naive_cases as c values (%(subject)s, %(disease)s, %(area)s, %(onset)s, 1) "
    "on conflict (subject) do update set disease = coalesce(excluded.disease, c.disease), n = c.n + 1",
    "insert into naive_counts as c values (%(disease)s, %(area)s, %(onset)s, 1) "
    "on conflict (disease, area, day) do update set n = c.n + 1",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of storing events."""

    name: str
    events: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds


def timed(name: str, events: int, work: Callable[[], None]) -> Measured:
    """Run once and take the time."""
    print(f"  {name} ({events:,} events) ...", file=sys.stderr, flush=True)
    started = time.perf_counter()
    work()
    return Measured(name, events, time.perf_counter() - started)


def fold_from_kafka(settings: Settings, events: Sequence[bytes], batch_records: int) -> Measured:
    """(a) One Faust worker from its first record to the last committed count."""
    producer = Producer(settings.kafka_bootstrap, settings.topic_prefix)
    futures = [producer.send(TOPIC, orjson.loads(raw)["subject"].encode(), raw) for raw in events]
    last: dict[int, int] = {}
    for future in futures:
        record = future.get(timeout=120)
        last[record.partition] = max(record.offset, last.get(record.partition, -1))
    producer.close()

    database_url = settings.database_url.get_secret_value()
    topic = settings.topic_prefix + TOPIC
    environment = {**environment_of(settings), "CANHDICH_BATCH_RECORDS": str(batch_records)}
    with subprocess.Popen(
        [sys.executable, "-m", "services.worker"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            _wait_for_first_record(database_url, topic)
            return timed(
                f"fold, Faust, batches of {batch_records:,}",
                len(events),
                lambda: wait_until_counted(database_url, topic, last, timeout=3_600),
            )
        finally:
            worker.kill()


def _wait_for_first_record(database_url: str, topic: str) -> None:
    with connect(database_url) as connection:
        while not connection.execute(
            "select 1 from stream_offsets where topic = %s and next_offset > 0", (topic,)
        ).fetchone():
            time.sleep(0.02)


def _parameters(raw: bytes) -> dict[str, Any]:
    event = orjson.loads(raw)
    data = event["data"]
    return {
        "id": event["id"],
        "subject": event["subject"],
        "time": event["time"],
        "data": orjson.dumps(data).decode(),
        "disease": data.get("disease") or "none",
        "area": data.get("area_code") or "none",
        "onset": data.get("onset_on") or "2023-01-01",
    }


def upsert_each(connection: "psycopg.Connection[Any]", events: Iterable[bytes]) -> None:
    """(b) One transaction per event."""
    for raw in events:
        parameters = _parameters(raw)
        with connection.transaction():
            for statement in _NAIVE_STATEMENTS:
                connection.execute(statement, parameters)


def executemany_in_pipeline(
    connection: "psycopg.Connection[Any]", events: Sequence[bytes], size: int = 5_000
) -> None:
    """(c) executemany, which psycopg sends as a pipeline; one transaction per 5,000 events."""
    for start in range(0, len(events), size):
        parameters = [_parameters(raw) for raw in events[start : start + size]]
        with connection.transaction(), connection.cursor() as cursor:
            for statement in _NAIVE_STATEMENTS:
                cursor.executemany(statement, parameters)


def copy_journal(connection: "psycopg.Connection[Any]", events: Sequence[bytes], size: int = 20_000) -> None:
    """(d) The limit of storing the rows: COPY into the journal hypertable, nothing else."""
    for start in range(0, len(events), size):
        rows = []
        for offset, raw in enumerate(events[start : start + size], start):
            event = orjson.loads(raw)
            rows.append(
                (
                    "2026-01-01T00:00:00+00:00",
                    "0",
                    "0",
                    str(offset),
                    "1",
                    event["subject"],
                    event["id"],
                    event["type"],
                    event["time"],
                    event["source"],
                    escaped(orjson.dumps(event["data"]).decode()),
                    r"\N",
                    "f",
                )
            )
        with connection.transaction(), connection.cursor() as cursor:
            copy_rows(
                cursor,
                "copy case_events (known_at, epoch, kafka_partition, kafka_offset, load_id, subject, "
                "event_id, event_type, event_time, source, data, area_id, is_parked) from stdin",
                rows,
            )


def run(settings: Settings, catalogue: Catalogue) -> list[Measured]:
    """Every way, one after the other."""
    events = list(generate_events(EVENTS, SEED, catalogue=catalogue, provinces=("10", "12", "19", "24")))
    server_url = settings.database_url.get_secret_value()
    found = []
    for batch_records in (2_000, 5_000):
        with scratch_topics(settings.kafka_bootstrap) as prefix, scratch_database(server_url) as database_url:
            _prepare(database_url, catalogue)
            own = settings.model_copy(
                update={"topic_prefix": prefix, "database_url": type(settings.database_url)(database_url)}
            )
            found.append(fold_from_kafka(own, events, batch_records))
    with scratch_database(server_url) as database_url:
        _prepare(database_url, catalogue)
        with connect(database_url) as connection:
            connection.execute(_NAIVE_TABLES)
            few, some = events[: EVENTS // 50], events[: EVENTS // 5]
            found.append(timed("upsert, commit each", len(few), lambda: upsert_each(connection, few)))
            found.append(
                timed(
                    "executemany in a pipeline", len(some), lambda: executemany_in_pipeline(connection, some)
                )
            )
            found.append(
                timed("COPY into the journal alone", EVENTS, lambda: copy_journal(connection, events))
            )
    return found


def _prepare(database_url: str, catalogue: Catalogue) -> None:
    migrate(database_url)
    with connect(database_url) as connection:
        load(connection, catalogue, "bench")


def main() -> int:
    """Measure and print."""
    found = run(load_settings(), load_catalogue())
    best = max(found[:2], key=lambda measured: measured.rate)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    print(f"{'way':<36}{'events/s':>12}{'fold is':>12}")
    with RESULTS.open("a") as out:
        for measured in found:
            ratio = best.rate / measured.rate
            print(f"{measured.name:<36}{measured.rate:>12,.0f}{ratio:>11.2f}x")
            line = {"way": measured.name, "events": measured.events, "seconds": measured.seconds, **machine}
            out.write(json.dumps(line) + "\n")
    print(f"Machine: {machine}. Compare within one run only.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

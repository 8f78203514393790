"""(l) From the commit of a count to the alert that stands in the database, at 200 events a second.

Every event is a case of its own, somewhere in the communes of four provinces, of any disease: nearly every
one moves counts that no other moved before. Each twentieth is of a disease of which a single case is an
alert, in a commune of its own: these are timed. A latency begins with the count's `known_at`, Kafka's own
time of the record, which is before the commit of the count; and ends when another connection sees the alert.
"""

import random
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import Catalogue
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.positions import TOPIC
from streams.stores.broker import Producer
from streams.stores.database import connect
from streams.stores.rules import load_packaged_rules
from tests.bench.results import Measured, say
from tests.bench.stage import SEED, Stage, running, workers

RATE = 200
PROVINCES = ("12@2025-07-01", "15@2025-07-01", "19@2025-07-01", "24@2025-07-01")
# `cdc_single_case` in schemas/catalogue/rules/thresholds.yaml.
RULE = "cdc_single_case"
DISEASES = ("anthrax", "diphtheria", "meningococcal", "rabies", "streptococcus_suis")
_TIMED_EACH = 20
_WARM_UP_SECONDS = 10.0
_LOOK_EVERY = 0.02
_PATIENCE = 300.0

Key = tuple[str, str]
"""(disease, area id)."""


def measure(stage: Stage, catalogue: Catalogue, seconds: float) -> Measured:
    """Send for so many seconds, wait for every alert; percentiles in milliseconds.

    Raises:
        AssertionError: an alert did not come.
    """
    keys = _keys(catalogue, int(RATE * seconds))
    expected = {key: subject for subject, key in keys if key[0] in DISEASES}
    with connect(stage.database_url) as connection:
        load_packaged_rules(connection, catalogue, "bench")
    with (
        workers(stage),
        running("watcher", ("-m", "services.watcher"), stage.environment),
        connect(stage.database_url) as connection,
    ):
        _wait_until_swept(connection)
        say(f"(l) {RATE} events a second for {seconds:.0f} s ...")
        started, began = time.perf_counter(), time.time()
        sender = threading.Thread(target=_send, args=(stage, keys, started), daemon=True)
        sender.start()
        seen = _seen(connection, len(expected))
        taken = time.perf_counter() - started
        known = _known(connection, expected.values())
        ((steps,),) = connection.execute("select count(*) from alert_events").fetchall()
    waits = [
        (seen[key] - known[subject]) * 1_000
        for key, subject in expected.items()
        if known[subject] > began + _WARM_UP_SECONDS
    ]
    milliseconds = sorted(waits)
    found = {f"p{p}_ms": round(milliseconds[len(milliseconds) * p // 100], 1) for p in (50, 95, 99)}
    more = {**found, "max_ms": round(milliseconds[-1], 1), "timed": len(milliseconds), "alert_events": steps}
    say(f"(l) {more}")
    return Measured("l", f"count known to alert visible in SQL, {RATE} events/s", len(keys), taken, more)


def _keys(catalogue: Catalogue, number: int) -> list[tuple[str, Key]]:
    """Subject, disease and commune of each event; those that are timed never twice the same."""
    drawn = random.Random(SEED)
    communes = sorted(
        area.id
        for area in catalogue.areas
        if area.kind == "commune" and area.valid_to is None and area.parent_id in PROVINCES
    )
    others = sorted(disease.code for disease in catalogue.diseases if disease.code not in DISEASES)
    alone = [(disease, commune) for commune in communes for disease in DISEASES]
    drawn.shuffle(alone)
    assert number <= len(alone) * _TIMED_EACH, "more seconds than places for single cases"
    return [
        (
            f"BENCH-{n:07d}",
            alone[n // _TIMED_EACH]
            if n % _TIMED_EACH == 0
            else (drawn.choice(others), drawn.choice(communes)),
        )
        for n in range(number)
    ]


def _wait_until_swept(connection: Connection[TupleRow]) -> None:
    """The sweep with which a watcher begins is not measured."""
    deadline = time.monotonic() + _PATIENCE
    while not connection.execute("select 1 from alert_sweeps").fetchall():
        assert time.monotonic() < deadline, "no sweep: look at .native/bench/watcher.log"
        time.sleep(0.1)


def _send(stage: Stage, keys: Sequence[tuple[str, Key]], started: float) -> None:
    """Each event at its own moment."""
    producer = Producer(stage.settings.kafka_bootstrap, stage.settings.topic_prefix)
    for n, (subject, key) in enumerate(keys):
        pause = started + n / RATE - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        producer.send(TOPIC, subject.encode(), _event(n, subject, key))
    producer.close()


def _event(number: int, subject: str, key: Key) -> bytes:
    now = datetime.now(UTC)
    disease, area_id = key
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(UUID(int=number + 1)),
            "source": "/bench/alert-latency",
            "type": "vn.canhdich.case.reported.v1",
            "subject": subject,
            "time": now.isoformat(),
            "datacontenttype": "application/json",
            "data": {
                "disease": disease,
                "area_code": area_id[:5],
                "onset_on": now.astimezone(LOCAL_ZONE).date().isoformat(),
            },
        }
    )


def _seen(connection: Connection[TupleRow], wanted: int) -> dict[Key, float]:
    """When each alert was there (Unix time)."""
    seen: dict[Key, float] = {}
    quiet_since = time.monotonic()
    while len(seen) < wanted:
        rows = connection.execute(
            "select a.disease, a.area_id from alerts as a where a.rule_id = %s", (RULE,)
        ).fetchall()
        now = time.time()
        for key in rows:
            if key not in seen:
                seen[key] = now
                quiet_since = time.monotonic()
        assert time.monotonic() < quiet_since + _PATIENCE, f"{wanted - len(seen)} alerts did not come"
        time.sleep(_LOOK_EVERY)
    return seen


def _known(connection: Connection[TupleRow], subjects: Iterable[str]) -> dict[str, float]:
    rows = connection.execute(
        "select ce.subject, extract(epoch from ce.known_at)::float from case_events as ce "
        "where ce.subject = any(%s)",
        (list(subjects),),
    )
    return dict(rows.fetchall())

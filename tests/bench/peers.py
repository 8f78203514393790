"""(b), (c), (d): the same events stored row by row, in a pipeline, and by COPY alone.

(b) and (c) do the least that a count per event needs: journal, state of the case, count. They are not even
right under corrections, and have neither ledger nor districts' totals nor dead letters: a baseline that is
easier than what the fold does.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import psycopg

from streams.stores.copying import copy_rows, escaped
from streams.stores.database import connect
from tests.bench.results import Measured, timed
from tests.bench.stage import Stage

TABLES = """
create table naive_journal (event_id uuid primary key, subject text, event_time timestamptz, data jsonb);
create table naive_cases (subject text primary key, disease text, area text, onset date, n int not null);
create table naive_counts (
    disease text, area text, day date, n int not null, primary key (disease, area, day)
);
"""
_STATEMENTS = (
    "insert into naive_journal values (%(id)s, %(subject)s, %(time)s, %(data)s) on conflict do nothing",
    "insert into naive_cases as c values (%(subject)s, %(disease)s, %(area)s, %(onset)s, 1) "
    "on conflict (subject) do update set disease = coalesce(excluded.disease, c.disease), n = c.n + 1",
    "insert into naive_counts as c values (%(disease)s, %(area)s, %(onset)s, 1) "
    "on conflict (disease, area, day) do update set n = c.n + 1",
)


def measure(stage: Stage, events: Sequence[bytes]) -> list[Measured]:
    """All three, on one database."""
    few, some = events[: min(10_000, len(events) // 20)], events[: min(200_000, len(events) // 2)]
    found = []
    with connect(stage.database_url) as connection:
        for way, letter, part, work in (
            ("upserts, committed per event", "b", few, _upsert_each),
            ("executemany in a pipeline, 5,000 per commit", "c", some, _executemany_in_pipeline),
        ):
            connection.execute("drop table if exists naive_journal, naive_cases, naive_counts")
            connection.execute(TABLES)
            found.append(timed(letter, way, len(part), lambda work=work, part=part: work(connection, part)))
        found.append(
            timed("d", "COPY into the journal alone", len(events), lambda: _copy_journal(connection, events))
        )
    return found


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


def _upsert_each(connection: "psycopg.Connection[Any]", events: Iterable[bytes]) -> None:
    for raw in events:
        parameters = _parameters(raw)
        with connection.transaction():
            for statement in _STATEMENTS:
                connection.execute(statement, parameters)


def _executemany_in_pipeline(connection: "psycopg.Connection[Any]", events: Sequence[bytes]) -> None:
    # psycopg sends what executemany gets as a pipeline.
    for start in range(0, len(events), 5_000):
        parameters = [_parameters(raw) for raw in events[start : start + 5_000]]
        with connection.transaction(), connection.cursor() as cursor:
            for statement in _STATEMENTS:
                cursor.executemany(statement, parameters)


def _copy_journal(connection: "psycopg.Connection[Any]", events: Sequence[bytes]) -> None:
    for start in range(0, len(events), 20_000):
        rows = []
        for offset, raw in enumerate(events[start : start + 20_000], start):
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

"""(p) How much the intake takes in: single posts, NDJSON, lists; beside it a plain producer of such records.

The intake is a process of its own, Kafka the real one with `flush.messages=1`; no worker folds meanwhile. The
sender runs on the same cores, as everything here; it is made to take little (tests/posting.py). The plain
producer does not judge an event and asks nothing of the database: it is the upper bound.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from streams.domain.positions import TOPIC
from streams.stores.broker import Producer
from tests.bench.results import Measured, say
from tests.bench.stage import Stage
from tests.component.intake.process import running_intake
from tests.posting import post_all

_SINGLE, _LIST = "application/cloudevents+json", "application/cloudevents-batch+json"
_NDJSON = "application/x-ndjson"
_WARM = 200
# As many as the door takes in a list; of NDJSON it takes ten times as many.
_LIST_SIZE = 1_000
_CONNECTIONS = (1, 16)


def measure(stage: Stage, sent: Sequence[bytes], singles: int) -> Iterator[Measured]:
    """Every way, each with events of its own.

    Args:
        stage: An empty database and empty topics.
        sent: Events to send; those after the single ones are sent in bulk, once in every way.
        singles: How many are sent one at a time, by each number of connections.
    """
    left = iter(sent)
    warm = [next(left) for _ in range(_WARM)]
    alone = {connections: [next(left) for _ in range(singles)] for connections in (0, *_CONNECTIONS)}
    rest = list(left)
    third = len(rest) // 3
    with TemporaryDirectory() as folder, running_intake(Path(folder), stage.environment) as intake:
        asyncio.run(post_all(intake.url, warm, _SINGLE, 4, []))
        for connections in _CONNECTIONS:
            way = f"single posts, {connections} at a time"
            yield _posted(way, intake.url, alone[connections], _SINGLE, connections, len(alone[connections]))
        lines = [b"\n".join(part) for part in _parts(rest[:third])]
        yield _posted(f"NDJSON, {_LIST_SIZE:,} lines a post", intake.url, lines, _NDJSON, 2, third)
        lists = [b"[" + b",".join(part) + b"]" for part in _parts(rest[third : 2 * third])]
        yield _posted(f"lists of {_LIST_SIZE:,}", intake.url, lists, _LIST, 2, third)
    yield from _plain(stage, alone[0], rest[2 * third : 3 * third])


def _parts(events: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [events[start : start + _LIST_SIZE] for start in range(0, len(events), _LIST_SIZE)]


def _posted(
    way: str, url: str, bodies: Sequence[bytes], media_type: str, connections: int, events: int
) -> Measured:
    say(f"(p) {way}: {events:,} ...")
    seconds: list[float] = []
    started = time.perf_counter()
    asyncio.run(post_all(url, bodies, media_type, connections, seconds))
    return _measured(way, events, time.perf_counter() - started, seconds)


def _measured(way: str, events: int, whole: float, seconds: Sequence[float]) -> Measured:
    waits = sorted(seconds)
    more = {f"p{share}_ms": round(waits[len(waits) * share // 100] * 1e3, 1) for share in (50, 99) if waits}
    measured = Measured("p", way, events, whole, more)
    say(f"(p) {way}: {measured.rate:,.0f}/s {measured.more}")
    return measured


def _plain(stage: Stage, alone: Sequence[bytes], many: Sequence[bytes]) -> Iterator[Measured]:
    """The same with kafka-python alone."""
    producer = Producer(stage.settings.kafka, stage.settings.topic_prefix)
    keyed = [(orjson.loads(value)["subject"].encode(), value) for value in (*alone, *many)]
    producer.send(TOPIC, *keyed[0]).get(60)
    seconds = []
    begun = time.perf_counter()
    for key, value in keyed[: len(alone)]:
        started = time.perf_counter()
        producer.send(TOPIC, key, value).get(60)
        seconds.append(time.perf_counter() - started)
    yield _measured("plain producer, one record at a time", len(alone), time.perf_counter() - begun, seconds)
    begun = time.perf_counter()
    futures = [producer.send(TOPIC, key, value) for key, value in keyed[len(alone) :]]
    for future in futures:
        future.get(300)
    yield _measured("plain producer, as fast as it goes", len(many), time.perf_counter() - begun, ())
    producer.close()

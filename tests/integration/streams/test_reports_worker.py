"""Tallies and foci through a worker as a process, on real Kafka and TimescaleDB."""

import json
import random
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from schemas.topics import load_topics
from schemas.topics.partitioner import partition_for
from streams.handlers.fold_reports import TOPICS
from streams.stores.broker import COUNT_CHANGES, DEAD_LETTERS
from streams.stores.report_audit import audit_reports
from tests.builders import START, event, minutes
from tests.integration.streams.conftest import Installation, case_history, shuffled_twice, until
from tests.report_builders import focus, tally

pytestmark = pytest.mark.native


class Reports:
    """The topics of tallies and foci of an installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._settings = installation.settings
        self._topics = {kind: self._settings.topic_prefix + name for kind, name in TOPICS.items()}

    def send(self, kind: Any, values: Iterable[bytes], key: bytes | None = None) -> None:
        """Put events into Kafka under their subjects, or under one key."""
        producer = KafkaProducer(bootstrap_servers=self._settings.kafka_bootstrap, acks="all", linger_ms=5)
        partitions = load_topics()[TOPICS[kind]].partitions
        try:
            futures = []
            for value in values:
                used = key or json.loads(value)["subject"].encode()
                place = partition_for(used, partitions)
                futures.append(producer.send(self._topics[kind], key=used, value=value, partition=place))
            for future in futures:
                future.get(30)
        finally:
            producer.close()

    def ends(self) -> dict[tuple[str, int], int]:
        consumer = KafkaConsumer(bootstrap_servers=self._settings.kafka_bootstrap)
        try:
            asked = [TopicPartition(topic, p) for topic in self._topics.values() for p in range(3)]
            return {(tp.topic, tp.partition): end for tp, end in consumer.end_offsets(asked).items() if end}
        finally:
            consumer.close()

    def positions(self) -> dict[tuple[str, int], int]:
        rows = self._installation.connection.execute(
            "select topic, kafka_partition, next_offset from stream_offsets"
        )
        return {(topic, partition): next_offset for topic, partition, next_offset in rows}

    def folded(self) -> int:
        return sum(n for (topic, _), n in self.positions().items() if topic in self._topics.values())

    def until_some_are_folded(self, number: int) -> None:
        try:
            until(lambda: self.folded() > number, "nothing was folded", 120)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.positions()}\n{self._installation.logs()}") from None

    def until_folded(self, seconds: float = 120) -> None:
        ends = self.ends()

        def is_folded() -> bool:
            positions = self.positions()
            return all(positions.get(place, 0) >= end for place, end in ends.items())

        try:
            until(is_folded, "not all of it is folded", seconds)
        except AssertionError as error:
            raise AssertionError(
                f"{error}: {self.positions()} of {ends}\n{self._installation.logs()}"
            ) from None

    def ledger(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """(indicator, area, first day) -> reported, value."""
        rows = self._installation.connection.execute(
            "select indicator, area_id, period_start::text, sum(reported)::int, sum(value)::int "
            "from figure_changes group by 1, 2, 3 having sum(reported) <> 0"
        )
        return {(indicator, area, start): (n, value) for indicator, area, start, n, value in rows}


def tallies(number: int, seed: int) -> list[bytes]:
    """Tallies of weeks and districts, most of them corrected some times; each event's id is its own."""
    drawn = random.Random(seed)
    first = date(2022, 1, 3)
    found = []
    for event_number in range(1, number + 1):
        start = first + timedelta(weeks=drawn.randrange(30))
        found.append(
            tally(
                drawn.choice(("pep_started", "slides_examined")),
                drawn.randrange(1_000),
                event_number,
                START + minutes(drawn.randrange(10_000)),
                disease="rabies",
                area=drawn.choice(("106", "107", "108", "12")),
                start=start.isoformat(),
                end=(start + timedelta(days=6)).isoformat(),
            )
        )
    return found


def expected_ledger(values: Iterable[bytes]) -> dict[tuple[str, str, str], tuple[int, int]]:
    last: dict[tuple[str, str, str], tuple[str, int]] = {}
    for value in values:
        found = json.loads(value)
        data = found["data"]
        key = (data["indicator"], f"{data['area_code']}@start", data["period_start"])
        stamp = found["time"] + found["id"]
        if stamp > last.get(key, ("", 0))[0]:
            last[key] = (stamp, data["value"])
    return {key: (1, value) for key, (_, value) in last.items()}


def test_three_topics_are_folded_by_one_worker(installation: Installation) -> None:
    cases, values = case_history(20, seed=1), tallies(60, seed=2)
    reports = Reports(installation)
    installation.send_events(cases)
    reports.send("tally", shuffled_twice(values, seed=3))
    foci = [focus("OD-1", 1, disease="food_poisoning", ill=14, hospitalised=None), focus("OD-2", 2, ill=7)]
    reports.send("focus", [*foci, foci[0]])
    reports.send("focus", [tally(), event()])
    reports.send("tally", [tally(value=9)], key=b"another key")
    # One identity with another content: the earlier stands.
    reports.send(
        "tally",
        [tally(value=3, number=1_001, disease="rabies"), tally(value=4, number=1_001, disease="rabies")],
    )
    worker = installation.start()
    installation.until_folded(120)
    reports.until_folded()
    installation.assert_counted(cases)
    found = reports.ledger()
    year = ("pep_started", "12@start", "2022-01-01")
    assert {key: n for key, n in found.items() if key[0] in ("pep_started", "slides_examined")} == {
        **expected_ledger(values),
        year: (1, 3),
    }
    assert found["foci", "03412@start", "2023-06-02"] == (2, 2)
    assert found["ill", "03412@start", "2023-06-02"] == (2, 21)
    assert ("hospitalised", "03412@start", "2023-06-02") not in found
    assert audit_reports(installation.connection).is_clean

    letters = installation.topic_records(DEAD_LETTERS)
    headers = [{name: value.decode() for name, value in letter.headers} for letter in letters]
    assert Counter((h["topic"], h["error"]) for h in headers) == {
        ("focus-events", "invalid_event"): 2,
        ("tally-events", "misplaced_record"): 1,
        ("tally-events", "identity_conflict"): 1,
    }
    moved = set(installation.connection.execute("select distinct disease, area_id from figure_changes"))
    announced = {
        (c["disease"], c["area_id"])
        for c in (json.loads(change.value) for change in installation.topic_records(COUNT_CHANGES))
    }
    assert moved <= announced
    assert worker.terminate() == 0


def test_killed_in_between_and_rewound_nothing_is_lost_or_doubled(installation: Installation) -> None:
    values = tallies(400, seed=5)
    sent = shuffled_twice(values, seed=6)
    reports = Reports(installation)
    reports.send("tally", sent[:500])
    worker = installation.start(batch_records=20)
    reports.until_some_are_folded(100)
    worker.kill()
    reports.send("tally", sent[500:])
    installation.start(batch_records=20)
    reports.until_folded()
    assert reports.ledger() == expected_ledger(values)
    assert audit_reports(installation.connection).is_clean

    # The log is not the one that was folded: everything comes again under a new epoch, and moves nothing.
    before = installation.connection.execute("select count(*) from figure_changes").fetchone()
    installation.close()
    installation.connection.execute(
        "update stream_offsets set last_hash = 'x' where topic like '%tally-events'"
    )
    installation.start()
    until(
        lambda: (
            installation.connection.execute(
                "select count(*) from stream_offsets where topic like '%tally-events' and epoch = 1"
            ).fetchone()
            == (3,)
        ),
        "no new epoch",
        120,
    )
    reports.until_folded()
    assert installation.connection.execute("select count(*) from figure_changes").fetchone() == before
    assert reports.ledger() == expected_ledger(values)
    assert audit_reports(installation.connection).is_clean


def test_two_workers_share_the_reports(installation: Installation) -> None:
    values = tallies(200, seed=8)
    reports = Reports(installation)
    first = installation.start()
    reports.send("tally", values[:100])
    reports.until_folded()
    installation.start()
    reports.send("tally", shuffled_twice(values, seed=9))
    reports.until_folded()
    first.terminate()
    reports.send("tally", values)
    reports.until_folded()
    assert reports.ledger() == expected_ledger(values)
    assert audit_reports(installation.connection).is_clean

"""The worker as a process, on real Kafka and TimescaleDB: nothing lost, doubled or swallowed."""

import json
from collections import Counter
from itertools import zip_longest
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata
from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import SecretStr

from schemas.topics import load_topics
from schemas.topics.partitioner import partition_for
from streams.agents.fold_cases import EXIT_UNEXPECTED
from streams.domain.positions import TOPIC
from streams.stores.broker import COUNT_CHANGES, DEAD_LETTERS, create_topics
from streams.stores.database import connect
from tests.builders import event
from tests.contract.records import find_faults
from tests.integration.streams.conftest import (
    PARTITIONS,
    Installation,
    Sent,
    case_history,
    identities,
    shuffled_twice,
    until,
)

pytestmark = pytest.mark.native

GROUP = "fold-cases"
WRONG_PARTITION = (partition_for(b"LC-1", PARTITIONS) + 1) % PARTITIONS
MANY_FIELDS: dict[str, Any] = {f"f{n}": 1 for n in range(5_000)}
POISON: list[Sent] = [
    (b"LC-1", b"\xff\xfe\x00", None),
    (b"LC-1", b"", None),
    (b"LC-1", None, None),
    (None, b"[]", 3),
    (b"LC-1", b"x" * 900_000, None),
    (b"LC-1", event(**MANY_FIELDS), None),
    (b"LC-1", event(zzz="a\x00b").replace(b"zzz", b"\\u0000"), None),
    (b"LC-1", event(zzz=1).replace(b"zzz", b"\\ud800"), None),
    (b"LC-1", event(hamlet="a\x00b"), None),
    (b"LC-1", event(ho_ten="Lò Văn Pâng"), None),
    (b"LC-1", event()[:-1], None),
    (b"Lo Van Pang", event("LC-1"), None),
    (b"\xff" * 100, event("LC-1"), None),
    (b"LC-1", event("LC-1"), WRONG_PARTITION),
]


def test_good_records_are_counted_and_poison_is_put_aside(installation: Installation) -> None:
    values = [*case_history(40, seed=1), event("LC-X", 1, lab={"null": "positive"})]
    conflict = event("LC-X", 1, lab={"null": "negative"})
    parked = event("LC-Y", 2, disease="unheard_of")
    good: list[Sent] = [(json.loads(value)["subject"].encode(), value, None) for value in values]
    mixed = [record for pair in zip_longest(good, POISON) for record in pair if record is not None]
    installation.send(mixed)
    installation.send_events([conflict, parked])
    worker = installation.start()
    installation.until_folded()
    installation.assert_counted(values)

    stored = installation.connection.execute(
        "select kafka_partition, kafka_offset, error from dead_letters order by 1, 2"
    ).fetchall()
    assert len(stored) == len(POISON) + 1
    assert Counter(error for *_, error in stored) == {
        "invalid_event": len(POISON) - 3,
        "misplaced_record": 3,
        "identity_conflict": 1,
    }
    letters = installation.topic_records(DEAD_LETTERS)
    headers = [{name: value.decode() for name, value in letter.headers} for letter in letters]
    assert sorted((int(h["partition"]), int(h["offset"]), h["error"]) for h in headers) == stored
    assert {h["topic"] for h in headers} == {TOPIC}
    assert sum("standing" in h for h in headers) == 1
    for letter in letters:
        for person in ("Pâng".encode(), b"Lo Van Pang"):
            assert person not in letter.value + (letter.key or b"")

    changes = installation.topic_records(COUNT_CHANGES)
    topic = load_topics()[COUNT_CHANGES]
    for change in changes:
        found = {"key": change.key.decode(), "value": json.loads(change.value)}
        assert find_faults(topic, found) == []
    moved = installation.connection.execute("select distinct disease, area_id from count_changes").fetchall()
    announced = {(c["disease"], c["area_id"]) for c in (json.loads(change.value) for change in changes)}
    assert announced == set(moved)

    (parked_events,) = installation.connection.execute("select count(*) from parked_events").fetchone() or (
        0,
    )
    assert parked_events == 1
    assert worker.terminate() == 0


def test_killed_and_terminated_in_the_middle_the_counts_are_the_same(installation: Installation) -> None:
    values = case_history(1_200, seed=2)
    sent = shuffled_twice(values, seed=3)
    installation.send_events(sent)
    small = {"batch_records": 100}

    worker = installation.start(**small)
    until(lambda: installation.folded() > 300, "the first worker folds")
    worker.kill()
    after_kill = installation.folded()

    worker = installation.start(**small)
    until(lambda: installation.folded() > after_kill + 300, "the second worker goes on")
    assert worker.terminate() == 0
    assert installation.folded() < len(sent), "terminated in the middle"

    worker = installation.start()
    installation.until_folded()
    installation.assert_counted(values)
    journaled = installation.connection.execute("select subject, event_id from case_events").fetchall()
    assert len(journaled) == len(values)
    assert set(journaled) == identities(values)
    assert worker.terminate() == 0


def test_two_workers_share_the_partitions_and_outlive_each_other(installation: Installation) -> None:
    values = case_history(1_500, seed=4)
    sent = shuffled_twice(values, seed=5)
    half = len(sent) // 2
    installation.send_events(sent[:half])
    one = installation.start(batch_records=100)
    until(lambda: installation.folded() > 500, "the first worker folds")
    other = installation.start(batch_records=100)
    installation.send_events(sent[half:])
    installation.until_folded()
    assert (one.is_running, other.is_running) == (True, True), installation.logs()
    installation.assert_counted(values)
    one.kill()
    late = case_history(50, seed=6)
    renamed = [value.replace(b"LC-2023", b"LD-2023") for value in late]
    installation.send_events(renamed)
    installation.until_folded()
    installation.assert_counted([*values, *renamed])


def test_a_group_at_the_end_of_a_log_that_was_never_folded_is_ignored(installation: Installation) -> None:
    values = case_history(60, seed=7)
    installation.send_events(values)
    consumer = KafkaConsumer(
        bootstrap_servers=installation.settings.kafka_bootstrap,
        group_id=installation.settings.topic_prefix + GROUP,
        enable_auto_commit=False,
    )
    consumer.assign([TopicPartition(installation.topic, p) for p in range(PARTITIONS)])
    ends = {
        TopicPartition(installation.topic, partition): OffsetAndMetadata(end, "", -1)
        for partition, end in installation.ends().items()
    }
    consumer.commit(ends)
    consumer.close()
    installation.start()
    installation.until_folded()
    installation.assert_counted(values)


def test_a_database_wiped_under_a_worker_is_filled_again(installation: Installation) -> None:
    values = case_history(60, seed=8)
    installation.send_events(values)
    worker = installation.start()
    installation.until_folded()
    counted = installation.counted()
    installation.connection.execute(
        "truncate event_ids, case_events, parked_events, cases, count_changes, daily_counts, "
        "district_totals, stream_offsets, dead_letters"
    )
    # The next record finds the position gone: this worker ends, the next one begins at the beginning.
    more = event("LC-LATE", 1)
    installation.send_events([more])
    assert worker.exit_code() == EXIT_UNEXPECTED, worker.log
    assert installation.folded() == 0
    installation.start()
    installation.until_folded()
    installation.assert_counted([*values, more])
    assert installation.counted() != counted


def test_a_topic_made_anew_is_read_under_a_new_epoch(installation: Installation) -> None:
    values = case_history(40, seed=9)
    installation.send_events(values)
    worker = installation.start()
    installation.until_folded()
    assert worker.terminate() == 0
    before = installation.positions()

    topic = load_topics()[TOPIC]
    admin = KafkaAdminClient(bootstrap_servers=installation.settings.kafka_bootstrap)
    admin.delete_topics([installation.topic])
    until(lambda: installation.topic not in set(admin.list_topics()), "the topic is gone")
    admin.close()
    create_topics(installation.settings.kafka_bootstrap, [topic], installation.settings.topic_prefix)
    # Some that were folded before, and a new one; fewer than before, so the old offsets lie beyond the end.
    new = event("LC-NEW", 1)
    installation.send_events([*values[:10], new])
    installation.start()
    # First the positions, which are beyond the end of the new log, then the records.
    until(lambda: all(epoch == 1 for epoch, _ in installation.positions().values()), "a new epoch")
    installation.until_folded()
    assert set(before) == set(range(PARTITIONS))
    assert {epoch for epoch, _ in before.values()} == {0}
    installation.assert_counted([*values, new])
    found = installation.connection.execute("select subject from case_events where epoch = 1").fetchall()
    assert found == [("LC-NEW",)]


def test_a_worker_that_waits_for_the_database_can_be_told_to_stop(installation: Installation) -> None:
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:1/nothing")
    worker = installation.start(database_url=nowhere)
    until(lambda: "trying again" in worker.log, "it waits for the database")
    assert worker.is_running
    assert worker.terminate(20) == 0, worker.log


def test_told_to_stop_in_the_middle_of_a_transaction_it_ends_soon(installation: Installation) -> None:
    installation.send_events([event("LC-1", 1)])
    worker = installation.start()
    installation.until_folded()
    with connect(installation.settings.database_url.get_secret_value()) as other, other.transaction():
        other.execute("select 1 from stream_offsets for update")
        installation.send_events([event("LC-2", 2), event("LC-3", 3)])
        until(lambda: _someone_waits(installation.connection), "the worker waits for the lock")
        assert worker.terminate(20) == 0, worker.log
    assert installation.folded() == 1
    installation.start()
    installation.until_folded()
    installation.assert_counted([event(f"LC-{n}", n) for n in (1, 2, 3)])


def _someone_waits(connection: Connection[TupleRow]) -> bool:
    found = connection.execute(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    return found.fetchone() is not None

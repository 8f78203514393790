"""Topics, and what Kafka says of a partition's log, on a real broker."""

from dataclasses import replace
from uuid import UUID

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from schemas.topics import load_topics
from schemas.topics.partitioner import partition_for
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.domain.positions import TOPIC, Touched
from streams.handlers.fold_cases import DeadLetter, Record
from streams.handlers.reconcile import LogState
from streams.stores.broker import (
    COUNT_CHANGES,
    DEAD_LETTERS,
    KafkaAnnouncements,
    KafkaLog,
    create_topics,
    instant_of,
    topic_partitions,
)
from tests.builders import START, event
from tests.fakes import run
from tests.integration.streams.conftest import read_all, until

pytestmark = pytest.mark.native

CASES = load_topics()[TOPIC]


def test_topics_are_made_once(kafka_bootstrap: str, topic_prefix: str) -> None:
    again = create_topics(kafka_bootstrap, load_topics().values(), topic_prefix)
    assert again == []
    topic_id, partitions = topic_partitions(kafka_bootstrap, topic_prefix + TOPIC)
    assert partitions == CASES.partitions
    assert topic_id.version == 4 or topic_id != UUID(int=0)


def test_another_number_of_partitions_is_refused(kafka_bootstrap: str, topic_prefix: str) -> None:
    with pytest.raises(ConfigurationError, match=r"12 partitions, not 24: the number never changes"):
        create_topics(kafka_bootstrap, [replace(CASES, partitions=24)], topic_prefix)


def test_a_topic_that_is_not_there_is_named(kafka_bootstrap: str, topic_prefix: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{topic_prefix}nothing: run `canhdich migrate`"):
        topic_partitions(kafka_bootstrap, topic_prefix + "nothing")


def test_the_state_of_a_log(kafka_bootstrap: str, fresh_topic_prefix: str) -> None:
    topic = fresh_topic_prefix + TOPIC
    topic_id, _ = topic_partitions(kafka_bootstrap, topic)
    log = KafkaLog(kafka_bootstrap, topic)
    assert run(log.states({0: None, 1: 0})) == dict.fromkeys((0, 1), LogState(topic_id, 0, 0, None))

    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap, acks="all")
    # The last one is a tombstone.
    sent = [(b"LC-1", event(number=1)), (b"LC-1", event(number=2)), (b"LC-1", None)]
    stamps = [producer.send(topic, key=k, value=v, partition=0).get(10).timestamp for k, v in sent]
    producer.close()
    hashes = [
        Record(0, offset, instant_of(stamp), key, value).hash
        for offset, ((key, value), stamp) in enumerate(zip(sent, stamps, strict=True))
    ]
    assert len(set(hashes)) == 3
    for next_offset in (1, 2, 3):
        found = run(log.states({0: next_offset, 1: None}))
        assert found[0] == LogState(topic_id, 0, 3, hashes[next_offset - 1])
        assert found[1] == LogState(topic_id, 0, 0, None)
    # Nothing to compare with: never read, nothing before it, or beyond the end.
    for incomparable in (None, 0, 9):
        assert run(log.states({0: incomparable}))[0] == LogState(topic_id, 0, 3, None)

    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.delete_records({TopicPartition(topic, 0): 2})
    admin.close()
    assert run(log.states({0: 2}))[0] == LogState(topic_id, 2, 3, None)
    assert run(log.states({0: 3}))[0] == LogState(topic_id, 2, 3, hashes[2])


def test_the_leadership_of_a_log_stays_until_its_topic_is_made_anew(
    kafka_bootstrap: str, fresh_topic_prefix: str
) -> None:
    topic = fresh_topic_prefix + TOPIC
    topic_id, _ = topic_partitions(kafka_bootstrap, topic)
    log = KafkaLog(kafka_bootstrap, topic)
    leading = run(log.leaderships())
    assert leading.keys() == set(range(CASES.partitions))
    assert {leadership.topic_id for leadership in leading.values()} == {topic_id}
    assert run(log.leaderships()) == leading

    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.delete_topics([topic])
    until(lambda: topic not in admin.list_topics(), "the topic is deleted")
    admin.close()
    with pytest.raises(DependencyDown, match=topic):
        run(log.leaderships())
    create_topics(kafka_bootstrap, [CASES], fresh_topic_prefix)
    found = run(log.leaderships())
    log.close()
    assert {leadership.topic_id for leadership in found.values()} == {
        topic_partitions(kafka_bootstrap, topic)[0]
    }
    assert not leading.items() & found.items()


def test_announcements_are_in_kafka_when_they_return(kafka_bootstrap: str, fresh_topic_prefix: str) -> None:
    letter = DeadLetter(
        0, 3, 14, START, "identity_conflict", ({"field": "id", "code": "x"},), b"LC-1", b"{}", b'{"a": 1}'
    )

    async def announce() -> None:
        announcements = KafkaAnnouncements(kafka_bootstrap, fresh_topic_prefix)
        await announcements.bury([letter, replace(letter, offset=15, key=None, standing=None)])
        await announcements.publish([Touched("rabies", "106@start"), Touched("dengue", "03412@start")])
        await announcements.bury([])
        await announcements.publish([])
        await announcements.close()

    run(announce())

    dead = sorted(read_all(kafka_bootstrap, fresh_topic_prefix + DEAD_LETTERS), key=lambda r: r.headers[4])
    assert [(record.key, record.value) for record in dead] == [(b"LC-1", b"{}"), (None, b"{}")]
    assert dead[0].headers == [
        ("error", b"identity_conflict"),
        ("error-detail", b'[{"field":"id","code":"x"}]'),
        ("topic", b"case-events"),
        ("partition", b"3"),
        ("offset", b"14"),
        ("standing", b'{"a": 1}'),
    ]
    assert [name for name, _ in dead[1].headers] == ["error", "error-detail", "topic", "partition", "offset"]

    changes = {record.key: record for record in read_all(kafka_bootstrap, fresh_topic_prefix + COUNT_CHANGES)}
    assert set(changes) == {b"dengue|03412", b"rabies|106"}
    assert changes[b"rabies|106"].value == b'{"disease":"rabies","area_code":"106","area_id":"106@start"}'
    for key, record in changes.items():
        assert record.partition == partition_for(key, load_topics()[COUNT_CHANGES].partitions)


def test_announcements_wait_for_a_broker_that_does_not_answer() -> None:
    async def announce() -> None:
        announcements = KafkaAnnouncements("127.0.0.1:1")
        try:
            await announcements.publish([Touched("dengue", "03412@start")])
        finally:
            await announcements.close()

    with pytest.raises(DependencyDown, match="Kafka does not answer"):
        run(announce())

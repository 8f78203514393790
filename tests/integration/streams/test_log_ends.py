"""Where Kafka's logs end; no long wait for a Kafka that is down."""

import time
from datetime import UTC, datetime

import pytest

from services.log_ends import ask_log_ends
from streams.domain.positions import TOPIC
from streams.stores.broker import Producer, topic_partitions

pytestmark = pytest.mark.native


def test_the_ends_and_when_they_were_asked_for(kafka_bootstrap: str, fresh_topic_prefix: str) -> None:
    topic = fresh_topic_prefix + TOPIC
    producer = Producer(kafka_bootstrap, fresh_topic_prefix)
    try:
        sent = [producer.send(TOPIC, f"LC-{n}".encode(), b"{}").get(timeout=30) for n in range(20)]
    finally:
        producer.close()
    before = datetime.now(UTC)
    ends = ask_log_ends(kafka_bootstrap, topic)
    assert ends is not None
    assert before <= ends.asked_at <= datetime.now(UTC)
    assert ends.topic_id == topic_partitions(kafka_bootstrap, topic)[0]
    expected = dict.fromkeys(range(12), 0)
    for record in sent:
        expected[record.partition] = max(expected[record.partition], record.offset + 1)
    assert ends.offsets == expected


def test_a_topic_that_does_not_exist_has_no_ends(kafka_bootstrap: str) -> None:
    assert ask_log_ends(kafka_bootstrap, "no-such-topic") is None


def test_a_kafka_that_is_down_is_not_waited_for() -> None:
    started = time.monotonic()
    assert ask_log_ends("127.0.0.1:1,127.0.0.1:2", TOPIC) is None
    assert time.monotonic() - started < 5

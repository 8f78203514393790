from collections.abc import Callable

import pytest

Consume = Callable[[str], list[tuple[int, bytes | None, bytes | None]]]


@pytest.fixture
def consume(kafka_bootstrap: str) -> Consume:
    """Reads all that a topic holds now: (partition, key, value), in the order of each partition."""
    # Imported here: tests/conftest.py lets kafka-python be imported only after conftest files are.
    from kafka import KafkaConsumer, TopicPartition

    def read(topic: str) -> list[tuple[int, bytes | None, bytes | None]]:
        consumer = KafkaConsumer(bootstrap_servers=kafka_bootstrap, enable_auto_commit=False)
        try:
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            ends = consumer.end_offsets(partitions)
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            found: list[tuple[int, bytes | None, bytes | None]] = []
            while any(consumer.position(partition) < end for partition, end in ends.items()):
                for partition, records in consumer.poll(timeout_ms=200).items():
                    found.extend((partition.partition, record.key, record.value) for record in records)
            return found
        finally:
            consumer.close()

    return read

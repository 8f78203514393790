"""`python -m tests.bench.plain_loop`: the worker's handler fed by aiokafka itself, for comparison.

All partitions are its own, it commits nothing to the group, and it has none of the worker's care: no check of
who leads, no rebalance, no retry. So it is what the least loop costs.
"""

import asyncio
import gc
from uuid import UUID

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.settings import Settings, load_settings
from streams.domain.calendar import instant
from streams.domain.positions import TOPIC, Position
from streams.handlers.fold_cases import FoldCases, Record
from streams.stores.broker import KafkaAnnouncements, topic_partitions
from streams.stores.ledger import PostgresLedger


def _start(topic_id: UUID) -> Position:
    return Position(topic_id, 0, 0, 0, instant(0), None)


async def fold(settings: Settings) -> None:
    """Fold for ever."""
    topic = settings.topic_prefix + TOPIC
    topic_id, number = topic_partitions(settings.kafka_bootstrap, topic)
    ledger = PostgresLedger(settings.database_url.get_secret_value(), topic)
    announcements = KafkaAnnouncements(settings.kafka_bootstrap, settings.topic_prefix)
    handler = FoldCases(ledger, announcements, number)
    await ledger.replace_positions(dict.fromkeys(range(number)), {p: _start(topic_id) for p in range(number)})
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, p) for p in range(number)])
    folding: asyncio.Task[int] | None = None
    while True:
        fetched = await consumer.getmany(timeout_ms=1_000, max_records=settings.batch_records)
        records = [
            Record(tp.partition, record.offset, instant(record.timestamp * 1_000), record.key, record.value)
            for tp, found in fetched.items()
            for record in found
        ]
        if not records:
            continue
        handler.prepare(records)
        if folding is not None:
            await folding
            handler.prepare(records)
        folding = asyncio.create_task(handler.handle(records))


if __name__ == "__main__":
    # As the worker has it.
    gc.set_threshold(50_000, 20, 100)
    uvloop.run(fold(load_settings()))

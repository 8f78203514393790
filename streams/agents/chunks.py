"""Faust handed the records of a partition in chunks: one Faust event stands for many records.

Whatever Faust does for an event (two tasks, a queue, sensors, an acknowledgement) it does once for a chunk
and not for every record, which is most of what it costs (docs/benchmarks.md). Acknowledging a chunk
acknowledges all of its records; it is folded whole or not at all. Every topic of the app comes so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import faust
from faust.transport.drivers import aiokafka
from faust.types import TP
from faust.types.transports import SchedulingStrategyT
from faust.types.tuples import ConsumerMessage

from streams.domain.calendar import instant
from streams.handlers.fold_cases import Record


def deliver_in_chunks(app: faust.App, most: int, *, buffered: int, agents_seek: bool) -> None:
    """Let the value of every event of the app be a list of records of one partition, in offset order.

    Args:
        app: Before it starts.
        most: Most records of a chunk; it has fewer when no more are there.
        buffered: How many chunks wait in memory before Faust stops fetching.
        agents_seek: The agents seek on every rebalance; otherwise Faust reads on from where the group has
            committed.
    """

    class Chunks(SchedulingStrategyT):  # type: ignore[misc]
        """Cuts what was fetched of each partition into chunks."""

        def iterate(self, records: Mapping[TP, Sequence[Any]]) -> Iterator[tuple[TP, Sequence[Any]]]:
            for tp, fetched in records.items():
                for start in range(0, len(fetched), most):
                    yield tp, fetched[start : start + most]

    app.conf.ConsumerScheduler = Chunks
    app.conf.stream_buffer_maxsize = buffered
    transport = _SoughtTransport if agents_seek else _Transport
    app.transport = transport(app.conf.broker_consumer, app)


def chunk_message(tp: TP, chunk: Sequence[Any], generation_id: int) -> ConsumerMessage:
    """The message of a chunk of aiokafka's records; it stands where the last one does, to read on there."""
    last = chunk[-1]
    return ConsumerMessage(
        tp.topic,
        tp.partition,
        last.offset,
        last.timestamp / 1_000,
        last.timestamp_type,
        headers=None,
        key=None,
        value=[
            Record(tp.partition, record.offset, instant(record.timestamp * 1_000), record.key, record.value)
            for record in chunk
        ],
        checksum=None,
        tp=tp,
        generation_id=generation_id,
    )


class _ConsumerThread(aiokafka.AIOKafkaConsumerThread):  # type: ignore[misc]
    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; False where every partition has been taken away meanwhile.

        Faust would leave all of them out, aiokafka refuse to commit nothing, and Faust end the worker.
        """
        if self.assignment().isdisjoint(offsets):
            return False
        committed: bool = await super()._commit(offsets)
        return committed

    async def _fetch_records(self, consumer: Any, *args: Any, **options: Any) -> Mapping[Any, Sequence[Any]]:
        """Records; none while partitions move, when Faust would drop them.

        A fetch that began before may end after `rewind` has sought: what it took is given back, here, where
        no seek can come in between.
        """
        records: Mapping[Any, Sequence[Any]] = await super()._fetch_records(consumer, *args, **options)
        if self.consumer.flow_active:
            return records
        for partition, fetched in records.items():
            if fetched and partition in consumer.assignment():
                consumer.seek(partition, fetched[0].offset)
        return {}


class _Consumer(aiokafka.Consumer):  # type: ignore[misc]
    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, chunk: Sequence[Any]) -> ConsumerMessage:
        return chunk_message(tp, chunk, self.app.consumer_generation_id)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note nothing: the offsets between two messages are the later chunk's own records."""

    def _new_offset(self, tp: TP) -> int | None:
        """The offset to commit: after the last chunk acknowledged, for they are acknowledged in order.

        Faust would look for the first offset that is missing, which nearly every one is.
        """
        acknowledged = self._acked[tp]
        if not acknowledged:
            return None
        next_offset: int = max(acknowledged) + 1
        acknowledged.clear()
        self._acked_index[tp].clear()
        return next_offset


class _SoughtConsumer(_Consumer):
    async def perform_seek(self) -> None:
        """Stay: the agents have sought to where the database says, on every rebalance (`rewind`).

        Faust would seek to what the group has committed. A batch that was being folded while partitions
        moved is acknowledged after they have, so that may be ahead of the database by then.
        """


class _Transport(aiokafka.Transport):  # type: ignore[misc]
    Consumer = _Consumer


class _SoughtTransport(_Transport):
    Consumer = _SoughtConsumer

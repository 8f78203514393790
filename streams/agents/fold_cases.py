"""The Faust agent that feeds FoldCases. Wiring only; docs/adr/0006-faust-pattern.md says why it looks so.

Faust acknowledges a message whose agent raised, so this agent never raises and never yields: it retries
what a dead server causes for ever, and ends the process on anything else. A process that starts again
reads from where the database says.
"""

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import faust
from aiokafka.errors import IllegalStateError  # type: ignore[import-untyped]
from faust.types import TP

from streams.agents import metrics
from streams.agents.chunks import deliver_in_chunks
from streams.domain.errors import DependencyDown
from streams.handlers.fold_cases import FoldCases, Record
from streams.handlers.reconcile import Leadership, Log, Positions, reconcile
from streams.kafka_servers import MECHANISM, KafkaServers, Servers

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")
_LONGEST_PAUSE = 15.0
_LOOK_AT_LOG_EVERY = 5.0
_CHUNKS_PER_BATCH = 20
# A broker that has just come back may know no topic yet; the leader of the group then gives nobody anything,
# until it asks again.
_LOOK_FOR_PARTITIONS_MS = 5_000

EXIT_UNEXPECTED = 70
"""Exit code after anything unexpected: start the worker again (sysexits.h EX_SOFTWARE)."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What the agent needs beside its ports. Times in seconds."""

    servers: Servers
    topic: str
    group: str
    batch_records: int
    batch_seconds: float
    session_timeout: float
    data_directory: Path


def end_process(reason: str, code: int = EXIT_UNEXPECTED) -> NoReturn:
    """End at once: raising would make Faust restart the agent and skip the batch."""
    log.critical("worker ends: %s", reason)
    logging.shutdown()
    os._exit(code)


async def until_done(app: faust.App, what: str, work: Callable[[], Awaitable[_Result]]) -> _Result:
    """Repeat until the servers answer; ends the process when it is told to stop meanwhile."""
    pause = 0.2
    while True:
        try:
            return await work()
        except DependencyDown as error:
            log.warning("%s: %s; trying again in %.1f s", what, error, pause)
            metrics.RETRIES.inc()
        if app.should_stop:
            # Nothing was acknowledged: the next process folds the same batch.
            end_process(f"stopping while waiting to {what}", code=0)
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        pause = min(_LONGEST_PAUSE, pause * 2)


def new_app(options: WorkerOptions) -> faust.App:
    """A Faust app that loses nothing, without agents yet. Nothing connects before the worker starts."""
    servers = KafkaServers.of(options.servers)
    return faust.App(
        options.group,
        broker=f"kafka://{servers.bootstrap.replace(',', ';')}",
        broker_credentials=_credentials(servers),
        datadir=str(options.data_directory),
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        # A database that is down must not block a rebalance; the fold may be repeated.
        stream_wait_empty=False,
        stream_buffer_maxsize=options.batch_records * 4,
        broker_max_poll_records=options.batch_records,
        broker_commit_interval=2.0,
        broker_session_timeout=options.session_timeout,
        broker_heartbeat_interval=min(3.0, options.session_timeout / 4),
        broker_max_poll_interval=600.0,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=_LOOK_FOR_PARTITIONS_MS,
        producer_acks=-1,
        web_enabled=False,
    )


def _credentials(servers: KafkaServers) -> faust.types.auth.CredentialsT | None:
    """The login as Faust takes it; None for servers that ask for none."""
    context = servers.ssl_context()
    if servers.has_login:
        return faust.SASLCredentials(
            username=servers.user, password=servers.password, ssl_context=context, mechanism=MECHANISM
        )
    return None if context is None else faust.SSLCredentials(context)


def create_app(options: WorkerOptions, handler: FoldCases, positions: Positions, kafka_log: Log) -> faust.App:
    """The Faust app with the agent of one topic, to which `add_fold` may add others."""
    app = new_app(options)
    deliver_in_chunks(app, _chunk_records(options), buffered=_CHUNKS_PER_BATCH * 4, agents_seek=True)
    add_fold(app, options, handler, positions, kafka_log)
    return app


def add_fold(
    app: faust.App, options: WorkerOptions, handler: FoldCases, positions: Positions, kafka_log: Log
) -> None:
    """Let the app fold one topic: its agent, what is done when partitions are assigned, and the watch."""
    topic = app.topic(options.topic, key_serializer="raw", value_serializer="raw")
    chunks = max(1, options.batch_records // _chunk_records(options))
    expected: dict[int, int] = {}
    leaderships: dict[int, Leadership] = {}

    async def check_log(agreed: Mapping[int, Leadership]) -> None:
        """End the process when a log may no longer be the one that was agreed on."""
        _check_leaderships(agreed, await kafka_log.leaderships())

    @app.on_rebalance_complete.connect  # type: ignore[untyped-decorator]
    async def rewind(*_: object, **__: object) -> None:
        """Read on from where the database says, not from where the group says."""
        try:
            assigned = [tp for tp in app.consumer.assignment() if tp.topic == options.topic]
            handler.forget(tp.partition for tp in assigned)
            expected.clear()
            leaderships.clear()
            # Asked before the logs are compared: one that is replaced meanwhile is noticed at the next batch.
            leading = await until_done(app, "ask who leads", kafka_log.leaderships)
            agreed = await until_done(
                app,
                "agree on offsets",
                lambda: reconcile([tp.partition for tp in assigned], positions, kafka_log, handler.announce),
            )
            for tp in assigned:
                offset = agreed[tp.partition].announced_offset
                expected[tp.partition] = offset
                leaderships[tp.partition] = leading[tp.partition]
                await _seek(app, tp, offset)
            metrics.READY.set(1)
            # Of all topics: every one of them comes here.
            metrics.ASSIGNED.set(len(app.consumer.assignment()))
        except IllegalStateError as error:
            # Partitions were taken away meanwhile: this is done again when others have been given.
            log.warning("rebalance: %s; another one is under way", error)
            handler.forget()
        except Exception as error:
            log.exception("rebalance")
            end_process(f"rebalance: {error!r}")

    async def fold(
        stream: Any, batch: Sequence[Any], records: Sequence[Record], agreed: Mapping[int, Leadership]
    ) -> None:
        """Fold a batch and acknowledge it; ends the process on anything unexpected."""
        try:
            await until_done(app, "ask who leads", partial(check_log, agreed))
            await until_done(app, "fold a batch", lambda: handler.handle(records))
            # All of them and in order: one that is left out would be lost at the next commit.
            for event in batch:
                await stream.ack(event)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("fold_cases")
            end_process(f"fold_cases: {error!r}")

    # Named after its topic: of two agents of one name an app keeps the later only.
    @app.agent(topic, name=f"{options.topic}.fold_cases")  # type: ignore[untyped-decorator]
    async def fold_cases(stream: Any) -> None:
        folding: asyncio.Task[None] | None = None
        try:
            async for taken in stream.noack().noack_take(chunks, within=options.batch_seconds):
                batch = _of_generation(app.consumer_generation_id, taken)
                records = [record for event in batch for record in event.value]
                if not records:
                    continue
                _check_gapless(records, expected)
                # Taken now: a rebalance during a wait agrees on a log that these records may not be of.
                agreed = {r.partition: leaderships[r.partition] for r in records}
                # Taken from Faust and judged while the batch before is being committed; folded after it.
                handler.prepare(records)
                if folding is not None:
                    await folding
                    # Again, where what that batch would lead to could not be told.
                    handler.prepare(records)
                if _of_generation(app.consumer_generation_id, batch):
                    folding = asyncio.create_task(fold(stream, batch, records, agreed))
            if folding is not None:
                await folding
        except asyncio.CancelledError:
            if folding is not None:
                folding.cancel()
            raise
        except Exception as error:
            log.exception("fold_cases")
            end_process(f"fold_cases: {error!r}")

    @app.timer(interval=_LOOK_AT_LOG_EVERY)  # type: ignore[untyped-decorator]
    async def watch_log() -> None:
        """Look at the log while no batch comes, too: Faust drops records at offsets that it has read."""
        try:
            await check_log(dict(leaderships))
        except DependencyDown as error:
            log.warning("watch the log: %s", error)
        except Exception as error:
            log.exception("watch_log")
            end_process(f"watch_log: {error!r}")


def _chunk_records(options: WorkerOptions) -> int:
    return max(1, options.batch_records // _CHUNKS_PER_BATCH)


def _of_generation(generation: int, events: Sequence[Any]) -> list[Any]:
    """The events fetched since the last rebalance.

    What was fetched before comes again, from where the database says, or is another worker's by now: folding
    it would skip what lies between.
    """
    return [event for event in events if event.message.generation_id == generation]


def _check_leaderships(agreed: Mapping[int, Leadership], present: Mapping[int, Leadership]) -> None:
    """End the process when a partition's leadership is another: records may have been replaced.

    What was fetched and what is folded may both be of the log before; the next process compares them with
    the log as it is.
    """
    for partition, leadership in agreed.items():
        if present.get(partition) != leadership:
            end_process(
                f"partition {partition}: its log may be another ({leadership} before, "
                f"{present.get(partition)} now)"
            )


def _check_gapless(records: list[Record], expected: dict[int, int]) -> None:
    """Advance the offsets that are to come; a step in either direction ends the process.

    A step means that this process missed records, or that the log was truncated under it; the next
    process compares log and database before it reads.
    """
    for record in records:
        due = expected.get(record.partition)
        if record.offset != due:
            end_process(f"partition {record.partition}: offset {record.offset} came, {due} was due")
        expected[record.partition] = record.offset + 1


async def _seek(app: faust.App, tp: TP, offset: int) -> None:
    consumer = app.consumer
    # Both: Faust's own book of what is read, and aiokafka, which ignores a committed offset of 0.
    await consumer._commit({tp: offset})
    await consumer.seek(tp, offset)

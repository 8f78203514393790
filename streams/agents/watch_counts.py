"""The Faust agent that feeds WatchCounts, and the timer that lets it look at the clock. Wiring only.

As the fold's agent it never raises and never yields (docs/adr/0006-faust-pattern.md). It needs no offsets of
its own: a change that comes again is judged again and adds nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import faust
import orjson

from streams.agents.chunks import deliver_in_chunks
from streams.agents.fold_cases import WorkerOptions, end_process, new_app, until_done
from streams.handlers.watch_counts import WatchCounts

log = logging.getLogger(__name__)

LOOK_AT_CLOCK_EVERY = 20.0
"""Seconds between two looks for what only time does."""

# More than the fold's: of what has just moved, few records of each partition come at a time.
_CHUNKS_PER_BATCH = 80


def create_app(options: WorkerOptions, handler: WatchCounts) -> faust.App:
    """The Faust app of the watcher. Nothing connects before the worker starts."""
    app = new_app(options)
    deliver_in_chunks(
        app,
        max(1, options.batch_records // _CHUNKS_PER_BATCH),
        buffered=_CHUNKS_PER_BATCH * 2,
        agents_seek=False,
    )
    topic = app.topic(options.topic, key_serializer="raw", value_serializer="raw")
    # The handler has one connection, so one thread works for the agent and for the timer, in turn, piece by
    # piece. Of several each would keep as much memory as the largest piece ever took.
    one_thread = ThreadPoolExecutor(1, "watch-counts")

    async def in_turn(work: Callable[[], int]) -> int:
        return await asyncio.get_running_loop().run_in_executor(one_thread, work)

    @app.agent(topic, name=f"{options.topic}.watch_counts")  # type: ignore[untyped-decorator]
    async def watch_counts(stream: Any) -> None:
        try:
            # What moves several times while it waits, or while others are judged, is judged once.
            async for batch in stream.noack().noack_take(_CHUNKS_PER_BATCH, within=options.batch_seconds):
                records = [record for event in batch for record in event.value]
                moved = {key for record in records if (key := _key(record.value)) is not None}

                judge = partial(in_turn, partial(handler.handle, moved))
                events = await until_done(app, "judge what moved", judge)
                for event in batch:
                    await stream.ack(event)
                if events:
                    log.info("%d counts moved: %d steps of alerts", len(moved), events)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("watch_counts")
            end_process(f"watch_counts: {error!r}")

    @app.timer(interval=LOOK_AT_CLOCK_EVERY, on_leader=False)  # type: ignore[untyped-decorator]
    async def look_at_the_clock() -> None:
        async def look() -> int:
            events = 0
            pieces = handler.due()
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                events += await in_turn(piece)
            return events

        try:
            events = await until_done(app, "look at the clock", look)
            if events:
                log.info("time has passed: %d steps of alerts", events)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("look_at_the_clock")
            end_process(f"look_at_the_clock: {error!r}")

    return app


def _key(value: bytes | None) -> tuple[str, str] | None:
    """Disease and area of a record; None for one that our own producers did not write."""
    try:
        change = orjson.loads(value or b"")
        return str(change["disease"]), str(change["area_id"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        # Only a trigger: the next sweep judges whatever it was meant for.
        log.exception("a record of count-changes is not readable: %r", value)
        return None

"""What a worker does, measured at its ports: nothing of the fold knows that it is measured.

The figures are of one process, so a batch that is done again after a crash is counted again; what is counted
in the database is not (services/monitor looks there).
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.logs import MOST_IDS, some_of
from streams.domain.positions import Touched
from streams.handlers.fold_cases import (
    Announcements,
    Batch,
    Committed,
    DeadLetter,
    FoldCases,
    Ledger,
    Record,
    View,
)
from streams.handlers.fold_reports import FoldReports

log = logging.getLogger(__name__)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RECORDS = (1, 3, 10, 30, 100, 300, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


class WorkerMetrics:
    """The figures of one worker. Labels are closed sets: nothing that was sent becomes one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.batch_records = Histogram(
            "canhdich_worker_batch_records",
            "Records of a batch",
            ["topic"],
            buckets=_RECORDS,
            registry=registry,
        )
        self.phase_seconds = Histogram(
            "canhdich_worker_phase_seconds",
            "Time of a batch by phase (decode: validate and judge; commit: the transaction, with reading the "
            "view; announce: until Kafka has dead letters and moved counts)",
            ["topic", "phase"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.events = Counter(
            "canhdich_worker_events",
            "Records done with, by outcome (counted, parked, dead, repeat)",
            ["topic", "outcome"],
            registry=registry,
        )
        self.restarts = Gauge(
            "canhdich_worker_restarts", "Times that this worker had to be started again", registry=registry
        )


class Stopwatch:
    """Where the time of a topic's batches goes."""

    def __init__(
        self, metrics: WorkerMetrics, topic: str, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._clock = clock
        self.metrics = metrics
        self.topic = topic
        self._is_running = False
        self._phases: dict[str, float] = {}
        # Batches judged before their turn, and how long that took: the one that is handled and the next.
        self._ahead: deque[tuple[Sequence[Record], float]] = deque(maxlen=2)

    @contextmanager
    def ahead(self, records: Sequence[Record]) -> Iterator[None]:
        """Decoding of a batch before its turn, while another is being committed."""
        started = self._clock()
        yield
        taken = sum(seconds for known, seconds in self._ahead if known is records)
        others = [(known, seconds) for known, seconds in self._ahead if known is not records]
        self._ahead.clear()
        self._ahead.extend([*others, (records, taken + self._clock() - started)])

    @contextmanager
    def batch(self, records: Sequence[Record]) -> Iterator[None]:
        """The whole of a batch; what no phase was measured in was decoding, as was what was done ahead."""
        if self._is_running:
            # A refused batch is handled again in halves, within itself.
            yield
            return
        self._is_running = True
        self._phases = {"commit": 0.0, "announce": 0.0}
        started = self._clock()
        try:
            yield
        finally:
            self._is_running = False
        elsewhere = sum(self._phases.values())
        ahead = sum(seconds for known, seconds in self._ahead if known is records)
        phases = {**self._phases, "decode": ahead + max(0.0, self._clock() - started - elsewhere)}
        for phase, seconds in phases.items():
            self.metrics.phase_seconds.labels(self.topic, phase).observe(seconds)
        self.metrics.batch_records.labels(self.topic).observe(len(records))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """One call of a port, of a batch or of an assignment (which is no batch's)."""
        started = self._clock()
        try:
            yield
        finally:
            if self._is_running:
                self._phases[name] += self._clock() - started

    def count(self, outcome: str, number: int) -> None:
        """Add records of one outcome."""
        self.metrics.events.labels(self.topic, outcome).inc(number)


class MeasuredLedger:
    """The Ledger port, and what came of the events that went through it. All else is the ledger's own."""

    def __init__(self, ledger: Ledger, stopwatch: Stopwatch) -> None:
        self._ledger = ledger
        self._stopwatch = stopwatch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def view(self, partitions: Iterable[int]) -> View:
        """The catalogue in force and the partitions' positions."""
        with self._stopwatch.phase("commit"):
            return await self._ledger.view(partitions)

    async def commit(self, view: View, batch: Batch) -> Committed:
        """Commit a batch, and count its outcomes once it is committed."""
        with self._stopwatch.phase("commit"):
            committed = await self._ledger.commit(view, batch)
        conflicts = len(committed.dead) - len(batch.dead)
        self._stopwatch.count("counted", committed.journaled - committed.parked)
        self._stopwatch.count("parked", committed.parked)
        self._stopwatch.count("dead", len(committed.dead))
        self._stopwatch.count("repeat", len(batch.entries) - committed.journaled - conflicts)
        log.info(
            "events_folded",
            extra={
                "topic": self._stopwatch.topic,
                "records": len(batch.entries) + len(batch.dead),
                **some_of(
                    {
                        "event_ids": [str(entry.event.id) for entry in batch.entries[: MOST_IDS + 1]],
                        "touched": sorted("|".join(touched) for touched in committed.touched),
                    }
                ),
            },
        )
        return committed

    async def replayed(self, ranges: Mapping[int, tuple[int, int]]) -> Committed:
        """What was announced for offset ranges; these records were folded before."""
        with self._stopwatch.phase("commit"):
            replayed = await self._ledger.replayed(ranges)
        self._stopwatch.count("repeat", sum(last + 1 - first for first, last in ranges.values()))
        return replayed


class MeasuredAnnouncements:
    """The Announcements port."""

    def __init__(self, announcements: Announcements, stopwatch: Stopwatch) -> None:
        self._announcements = announcements
        self._stopwatch = stopwatch

    async def bury(self, dead: Sequence[DeadLetter]) -> None:
        """Publish dead letters."""
        with self._stopwatch.phase("announce"):
            await self._announcements.bury(dead)

    async def publish(self, touched: Iterable[Touched]) -> None:
        """Publish which counts moved."""
        with self._stopwatch.phase("announce"):
            await self._announcements.publish(touched)


class MeasuredFoldCases(FoldCases):
    """A handler whose batches are measured; its ports are to be measured with the same stopwatch."""

    def __init__(self, *args: Any, stopwatch: Stopwatch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stopwatch = stopwatch

    def prepare(self, records: Sequence[Record]) -> None:
        """Judge the batch that is to be handled next."""
        with self._stopwatch.ahead(records):
            super().prepare(records)

    async def handle(self, records: Sequence[Record]) -> int:
        """Fold a batch."""
        with self._stopwatch.batch(records):
            return await super().handle(records)


class MeasuredFoldReports(MeasuredFoldCases, FoldReports):
    """FoldReports, measured."""

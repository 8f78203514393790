"""A measured handler does what the handler does, and every record has one outcome."""

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from services.measuring import (
    MeasuredAnnouncements,
    MeasuredFoldCases,
    MeasuredLedger,
    Stopwatch,
    WorkerMetrics,
)
from streams.domain.errors import DependencyDown
from streams.domain.positions import TOPIC
from streams.handlers.fold_cases import DeadLetter, Record
from tests.builders import event, judged_by, position, records, small_catalogue
from tests.fakes import InMemoryLedger, RecordingAnnouncements, run


class Announcements(RecordingAnnouncements):
    """Fails once when it is told to."""

    fails_next = False

    async def bury(self, dead: Sequence[DeadLetter]) -> None:
        if self.fails_next:
            self.fails_next = False
            raise DependencyDown("Kafka does not answer")
        await super().bury(dead)


class Bench:
    """A measured handler over fakes."""

    def __init__(self) -> None:
        self.ledger = InMemoryLedger(judged_by(small_catalogue()), {0: position()})
        self.announcements = Announcements()
        self.registry = CollectorRegistry()
        stopwatch = Stopwatch(WorkerMetrics(self.registry), TOPIC)
        self.handler = MeasuredFoldCases(
            MeasuredLedger(self.ledger, stopwatch),
            MeasuredAnnouncements(self.announcements, stopwatch),
            1,
            stopwatch=stopwatch,
        )

    def handle(self, batch: list[Record]) -> int:
        return run(self.handler.handle(batch))

    def outcomes(self) -> dict[str, float]:
        return {
            outcome: self.registry.get_sample_value(
                "canhdich_worker_events_total", {"topic": TOPIC, "outcome": outcome}
            )
            or 0
            for outcome in ("counted", "parked", "dead", "repeat")
        }

    def phases(self) -> dict[str, float | None]:
        return {
            phase: self.registry.get_sample_value(
                "canhdich_worker_phase_seconds_count", {"topic": TOPIC, "phase": phase}
            )
            for phase in ("decode", "commit", "announce")
        }


MIXED = records(
    [
        event("LC-1", 1),
        event("LC-1", 1),
        event("LC-1", 1, sex="male"),
        event("LC-2", 2, disease="unheard_of"),
        event("LC-3", 3, ho_ten="x"),
        event("LC-4", 4),
    ]
)


def test_every_record_has_one_outcome() -> None:
    bench = Bench()
    assert bench.handle(MIXED) == 2
    assert bench.outcomes() == {"counted": 2, "parked": 1, "dead": 2, "repeat": 1}
    assert bench.phases() == {"decode": 1, "commit": 1, "announce": 1}
    assert bench.registry.get_sample_value("canhdich_worker_batch_records_sum", {"topic": TOPIC}) == 6
    assert len(bench.ledger.journal) == 3
    assert len(bench.announcements.buried) == 2


def test_what_comes_again_is_a_repeat() -> None:
    bench = Bench()
    bench.handle(MIXED)
    bench.handle(MIXED)
    assert bench.outcomes() == {"counted": 2, "parked": 1, "dead": 2, "repeat": 7}


def test_a_refused_batch_is_one_batch_however_often_it_is_halved() -> None:
    bench = Bench()
    bench.ledger.refused = {"LC-4"}
    bench.handle(MIXED)
    assert bench.phases() == {"decode": 1, "commit": 1, "announce": 1}
    assert bench.outcomes() == {"counted": 1, "parked": 1, "dead": 3, "repeat": 1}


def test_a_batch_that_failed_leaves_no_phase_and_the_next_one_is_measured() -> None:
    bench = Bench()
    bench.announcements.fails_next = True
    with pytest.raises(DependencyDown):
        bench.handle(MIXED)
    assert bench.phases() == {"decode": None, "commit": None, "announce": None}
    bench.handle(MIXED)
    assert bench.phases() == {"decode": 1, "commit": 1, "announce": 1}
    assert sum(bench.outcomes().values()) == 12, "done again: counted again, as repeats"


def test_what_was_decoded_ahead_belongs_to_its_batch() -> None:
    now, registry = 0.0, CollectorRegistry()
    stopwatch = Stopwatch(WorkerMetrics(registry), TOPIC, clock=lambda: now)
    first, second = MIXED[:1], MIXED[1:]
    for batch, seconds in ((first, 3), (second, 5), (second, 7)):
        with stopwatch.ahead(batch):
            now += seconds
    with stopwatch.batch(first):
        now += 1
    decoding = "canhdich_worker_phase_seconds_sum", {"topic": TOPIC, "phase": "decode"}
    assert registry.get_sample_value(*decoding) == 4
    with stopwatch.batch(second):
        pass
    assert registry.get_sample_value(*decoding) == 16


def test_a_batch_that_was_prepared_is_measured_as_one() -> None:
    bench = Bench()
    first, second = MIXED[:3], MIXED[3:]
    bench.handle(first)
    bench.handler.prepare(second)
    bench.handle(second)
    assert bench.phases() == {"decode": 2, "commit": 2, "announce": 2}
    assert bench.outcomes() == {"counted": 2, "parked": 1, "dead": 2, "repeat": 1}

"""The agent's wiring: acknowledged after the handler and in order; anything unexpected ends the process.

The stream and the consumer are fakes; tests/integration/streams has the real ones.
"""

import asyncio
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import faust
import pytest
from aiokafka.errors import IllegalStateError
from faust.types import TP

from streams.agents import fold_cases
from streams.agents.fold_cases import EXIT_UNEXPECTED, WorkerOptions, create_app
from streams.domain.errors import DependencyDown, OutOfStep
from streams.handlers.fold_cases import FoldCases, Record
from streams.handlers.reconcile import Leadership, LogState
from tests.builders import START, TOPIC_ID, event, judged_by, position, records, small_catalogue, uuid
from tests.fakes import FakeLog, InMemoryLedger, RecordingAnnouncements
from tests.fakes_faust import GivenBatches

TOPIC = "test-case-events"
GENERATION = 3


class Ended(BaseException):
    """The process would have ended here."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason, code)
        self.reason = reason
        self.code = code


@pytest.fixture(autouse=True)
def _end_of_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(reason: str, code: int = EXIT_UNEXPECTED) -> NoReturn:
        raise Ended(reason, code)

    monkeypatch.setattr(fold_cases, "end_process", end)


@dataclass
class Message:
    partition: int
    offset: int
    generation_id: int


@dataclass
class Event:
    message: Message
    value: list[Record]


def delivered(batch: Sequence[Record], generation: int = GENERATION) -> list[Event]:
    """Each record a chunk of its own."""
    return [Event(Message(r.partition, r.offset, generation), [r]) for r in batch]


class FakeStream(GivenBatches[Event]):
    """Gives batches, and notes what was acknowledged, and what was folded by then."""

    def __init__(self, batches: Sequence[list[Event]], ledger: InMemoryLedger) -> None:
        super().__init__(batches)
        self._ledger = ledger
        self.acked: list[tuple[int, int]] = []
        self.folded_before_ack: list[int] = []

    async def ack(self, event: Event) -> None:
        self.acked.append((event.message.partition, event.message.offset))
        self.folded_before_ack.append(len(self._ledger.journal))


class FakeConsumer:
    """Partitions 0 and 1, and where reading goes on."""

    def __init__(self) -> None:
        self.committed: dict[TP, int] = {}
        self.sought: dict[TP, int] = {}

    def assignment(self) -> set[TP]:
        return {TP(TOPIC, 0), TP(TOPIC, 1), TP("another", 0)}

    async def _commit(self, offsets: dict[TP, int]) -> bool:
        self.committed |= offsets
        return True

    async def seek(self, partition: TP, offset: int) -> None:
        self.sought[partition] = offset


class Bench:
    """The app over fakes."""

    def __init__(self, folder: Path, handler_type: type[FoldCases] = FoldCases) -> None:
        self.ledger = InMemoryLedger(judged_by(small_catalogue()), {0: position(), 1: position()})
        self.announcements = RecordingAnnouncements()
        handler = handler_type(self.ledger, self.announcements, 1)
        state = LogState(TOPIC_ID, 0, 100, None)
        self.log = FakeLog({0: state, 1: state})
        self.consumer = FakeConsumer()
        options = WorkerOptions("127.0.0.1:1", TOPIC, "test", 10, 0.1, 6.0, folder)
        self.app: faust.App = create_app(options, handler, self.ledger, self.log)
        self.app.consumer = self.consumer
        self.app.consumer_generation_id = GENERATION

    async def rebalance(self) -> None:
        await self.app.on_rebalance_complete.send()

    def run(self, *batches: list[Event], rebalanced: bool = True) -> FakeStream:
        """Rebalance, then give the agent these batches."""
        stream = FakeStream(batches, self.ledger)
        (agent,) = (agent for name, agent in self.app.agents.items() if name.endswith("fold_cases"))

        async def work() -> None:
            if rebalanced:
                await self.rebalance()
            await agent.fun(stream)

        self.stream = stream
        asyncio.run(work())
        return stream


BATCH = records([event("LC-1", 1), event("LC-2", 2), event("LC-3", 3)])


def test_a_batch_is_folded_then_acknowledged_in_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    stream = bench.run(delivered(BATCH[:2]), delivered(BATCH[2:]))
    assert stream.acked == [(0, 0), (0, 1), (0, 2)]
    assert stream.folded_before_ack == [2, 2, 3]
    assert [entry.known_at for entry in bench.ledger.journal] == [r.appended_at for r in BATCH]


def test_reading_goes_on_from_where_the_database_says(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.ledger.stored[0] = position(7, announced_offset=5, last_known_at=START)
    asyncio.run(bench.rebalance())
    expected = {TP(TOPIC, 0): 5, TP(TOPIC, 1): 0}
    assert bench.consumer.committed == expected
    assert bench.consumer.sought == expected


def test_a_server_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    class Interrupted(FoldCases):
        faults = 2

        async def handle(self, records: Sequence[Record]) -> int:
            if self.faults:
                self.faults -= 1
                raise DependencyDown("not now")
            return await super().handle(records)

    bench = Bench(tmp_path, Interrupted)
    stream = bench.run(delivered(BATCH))
    assert stream.acked == [(0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize("error", [ValueError("a bug"), OutOfStep("a gap"), KeyError(3)])
def test_anything_unexpected_ends_the_process_unacknowledged(tmp_path: Path, error: Exception) -> None:
    class Broken(FoldCases):
        async def handle(self, records: Sequence[Record]) -> int:
            raise error

    bench = Bench(tmp_path, Broken)
    with pytest.raises(Ended) as ended:
        bench.run(delivered(BATCH))
    assert ended.value.code == EXIT_UNEXPECTED
    assert bench.stream.acked == []


def test_told_to_stop_while_waiting_it_ends_in_peace_and_unacknowledged(tmp_path: Path) -> None:
    class Down(FoldCases):
        async def handle(self, records: Sequence[Record]) -> int:
            bench.app._stopped.set()
            raise DependencyDown("not now")

    bench = Bench(tmp_path, Down)
    with pytest.raises(Ended) as ended:
        bench.run(delivered(BATCH))
    assert ended.value.code == 0
    assert bench.stream.acked == []


@pytest.mark.parametrize(
    ("batches", "reason"),
    [
        ([BATCH[1:]], "partition 0: offset 1 came, 0 was due"),
        ([[BATCH[0], BATCH[2]]], "partition 0: offset 2 came, 1 was due"),
        ([BATCH[:2], BATCH[:1]], "partition 0: offset 0 came, 2 was due"),
        ([records([event()], partition=5)], "partition 5: offset 0 came, None was due"),
    ],
)
def test_records_out_of_step_end_the_process(
    tmp_path: Path, batches: list[list[Record]], reason: str
) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(Ended) as ended:
        bench.run(*map(delivered, batches))
    assert (ended.value.reason, ended.value.code) == (reason, EXIT_UNEXPECTED)


def test_records_without_an_agreement_end_the_process(tmp_path: Path) -> None:
    with pytest.raises(Ended):
        Bench(tmp_path).run(delivered(BATCH), rebalanced=False)


def test_what_was_fetched_before_a_rebalance_is_neither_folded_nor_acknowledged(tmp_path: Path) -> None:
    """Its partition may be another worker's by now; ours come again from where the database says."""
    bench = Bench(tmp_path)
    stale = delivered(records([event("LC-9", 9)], first_offset=40), GENERATION - 1)
    other = delivered(records([event("LC-8", 8)], first_offset=7, partition=5), GENERATION - 1)
    stream = bench.run(stale, [*other, *delivered(BATCH[:1])], delivered(BATCH[1:]))
    assert stream.acked == [(0, 0), (0, 1), (0, 2)]
    assert [entry.offset for entry in bench.ledger.journal] == [0, 1, 2]


def test_a_rebalance_that_cannot_agree_waits_and_one_that_breaks_ends_the_process(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    answers = iter([DependencyDown("not now"), RuntimeError("a bug")])

    def fail() -> None:
        raise next(answers)

    bench.log._before_answer = fail
    with pytest.raises(Ended) as ended:
        asyncio.run(bench.rebalance())
    assert len(bench.log.asked) == 2
    assert "a bug" in ended.value.reason
    assert bench.consumer.sought == {}


def test_partitions_that_are_taken_away_during_a_rebalance_are_agreed_on_at_the_next(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    seek = bench.consumer.seek

    async def taken_away(partition: TP, offset: int) -> None:
        raise IllegalStateError(f"No current assignment for partition {partition}")

    async def work() -> None:
        bench.consumer.seek = taken_away
        await bench.rebalance()
        bench.consumer.seek = seek
        await bench.rebalance()

    asyncio.run(work())
    assert bench.consumer.sought == {TP(TOPIC, 0): 0, TP(TOPIC, 1): 0}


def another(leadership: Leadership, *, topic: bool) -> Leadership:
    """As after the leader started again, or after the topic was made anew."""
    if topic:
        return replace(leadership, topic_id=uuid(99))
    return replace(leadership, leader_epoch=leadership.leader_epoch + 1)


@pytest.mark.parametrize("topic", [False, True])
def test_a_log_that_may_have_been_replaced_ends_the_process_before_the_batch_is_folded(
    tmp_path: Path, topic: bool
) -> None:
    class Replaced(FoldCases):
        async def handle(self, records: Sequence[Record]) -> int:
            dead = await super().handle(records)
            bench.log.leading[0] = another(bench.log.leading[0], topic=topic)
            return dead

    bench = Bench(tmp_path, Replaced)
    with pytest.raises(Ended) as ended:
        bench.run(delivered(BATCH[:1]), delivered(BATCH[1:]))
    assert "partition 0: its log may be another" in ended.value.reason
    assert bench.stream.acked == [(0, 0)]
    assert len(bench.ledger.journal) == 1


def test_a_batch_is_held_against_the_log_that_it_was_fetched_from(tmp_path: Path) -> None:
    """A rebalance that agrees on another log while the broker is asked does not make the records its own."""
    bench = Bench(tmp_path)
    answer = bench.log.leaderships
    times = 0

    async def rebalance_meanwhile() -> dict[int, Leadership]:
        nonlocal times
        times += 1
        if times == 2:
            bench.log.leading[0] = another(bench.log.leading[0], topic=False)
            await bench.rebalance()
        return await answer()

    bench.log.leaderships = rebalance_meanwhile
    with pytest.raises(Ended):
        bench.run(delivered(BATCH))
    assert bench.ledger.journal == []


def test_a_log_that_is_replaced_while_nothing_comes_ends_the_process(tmp_path: Path) -> None:
    """Faust drops records at offsets that it has read before: no batch would ever come."""
    bench = Bench(tmp_path)
    # Without Faust's clock around it.
    (watch,) = (task for task in map(inspect.unwrap, bench.app._app_tasks) if task.__name__ == "watch_log")

    async def work() -> None:
        await bench.rebalance()
        await watch()
        bench.log.leading[1] = another(bench.log.leading[1], topic=True)
        await watch()

    with pytest.raises(Ended) as ended:
        asyncio.run(work())
    assert "partition 1: its log may be another" in ended.value.reason


def test_faust_is_set_up_not_to_lose_records(tmp_path: Path) -> None:
    conf = Bench(tmp_path).app.conf
    assert conf.topic_allow_declare is False, "topics are made by our own command"
    assert conf.stream_wait_empty is False, "a database outage must not block a rebalance"
    assert conf.consumer_auto_offset_reset == "earliest"
    assert conf.broker_session_timeout == 6.0
    assert conf.consumer_metadata_max_age_ms <= 10_000, "a broker that came back knows no topics at first"
    assert conf.web_enabled is False

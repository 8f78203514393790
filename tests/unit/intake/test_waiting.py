"""Asking servers that may not answer: the advisory questions, the catalogue, the probes, the threads."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from services.intake.advisory import Advisory, CurrentCatalogue
from services.intake.metrics import Metrics
from services.intake.probe import Probe
from services.intake.threads import Worker, tell
from streams.domain.errors import ConfigurationError, DependencyDown
from tests.fakes_intake import FakeKnowledge, small_catalogue


class Clock:
    """A monotonic clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def failing(error: Exception) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        raise error

    return fail


async def hang() -> None:
    await asyncio.Event().wait()


class TestAdvisory:
    @pytest.mark.parametrize(
        "question",
        [failing(DependencyDown("x")), failing(ConfigurationError("x")), hang],
        ids=["is down", "is not set up", "hangs"],
    )
    def test_does_without_an_answer_and_rests_before_asking_again(
        self, question: Callable[[], Awaitable[None]]
    ) -> None:
        clock = Clock()
        asked = 0

        async def ask() -> int:
            nonlocal asked
            asked += 1
            await question()
            return 1

        async def answer() -> int:
            return 1

        async def scenario() -> None:
            advisory = Advisory(
                "identities", Metrics(), patience_seconds=0.01, pause_seconds=5, monotonic=clock
            )
            assert await advisory.ask(ask) is None
            clock.now += 4.9
            assert await advisory.ask(ask) is None
            assert asked == 1
            clock.now += 0.2
            assert await advisory.ask(answer) == 1
            assert await advisory.ask(answer) == 1

        asyncio.run(scenario())

    def test_a_fault_of_our_own_is_not_hidden(self) -> None:
        advisory = Advisory("identities", Metrics())
        with pytest.raises(ZeroDivisionError):
            asyncio.run(advisory.ask(failing(ZeroDivisionError())))


class TestCurrentCatalogue:
    def test_is_read_once_a_minute_and_again_when_a_load_changed_it(self) -> None:
        clock = Clock()
        knowledge = FakeKnowledge(catalogue=small_catalogue(1))

        async def scenario() -> None:
            current = CurrentCatalogue(
                knowledge, Advisory("catalogue", Metrics(), monotonic=clock), monotonic=clock
            )

            async def settled() -> int | None:
                await current.get()
                # The renewal runs beside the request that started it.
                await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
                found = await current.get()
                return None if found is None else found.load_id

            assert await settled() == 1
            knowledge.catalogue = small_catalogue(2)
            clock.now += 59
            assert await settled() == 1
            assert knowledge.questions == 1
            clock.now += 2
            assert await settled() == 2
            assert knowledge.questions == 2
            clock.now += 61
            assert await settled() == 2
            assert knowledge.questions == 3
            await current.close()

        asyncio.run(scenario())

    def test_the_last_one_holds_while_the_database_is_down(self) -> None:
        clock = Clock()
        knowledge = FakeKnowledge(catalogue=small_catalogue(1))

        async def scenario() -> None:
            current = CurrentCatalogue(
                knowledge, Advisory("catalogue", Metrics(), monotonic=clock), monotonic=clock
            )
            await current.get()
            knowledge.is_down = True
            clock.now += 61
            for _ in range(3):
                found = await current.get()
                assert found is not None
                assert found.load_id == 1
            await current.close()

        asyncio.run(scenario())

    def test_a_database_that_hangs_holds_nobody_up_for_long(self) -> None:
        knowledge = FakeKnowledge(catalogue=small_catalogue(1))
        knowledge.hangs = True

        async def scenario() -> None:
            current = CurrentCatalogue(
                knowledge, Advisory("catalogue", Metrics(), patience_seconds=60), patience_seconds=0.01
            )
            async with asyncio.timeout(5):
                assert await current.get() is None
                assert await current.get() is None
            assert knowledge.questions == 1
            await current.close()

        asyncio.run(scenario())


class TestProbe:
    @pytest.mark.parametrize(
        ("check", "fault"),
        [
            (failing(DependencyDown("x")), "no_answer"),
            (failing(ConfigurationError("x")), "not_set_up"),
            (hang, "no_answer"),
        ],
    )
    def test_says_what_is_wrong(self, check: Callable[[], Awaitable[None]], fault: str) -> None:
        async def scenario() -> None:
            probe = Probe(check, patience_seconds=0.01)
            assert await probe.fault() == fault
            await probe.close()

        asyncio.run(scenario())

    def test_asks_again_after_a_while_only_and_never_twice_at_once(self) -> None:
        clock = Clock()
        knowledge = FakeKnowledge()

        async def scenario() -> None:
            probe = Probe(knowledge.check, fresh_seconds=5, patience_seconds=0.01, monotonic=clock)
            assert await probe.fault() is None
            knowledge.is_down = True
            assert await probe.fault() is None
            clock.now += 5
            assert await probe.fault() == "no_answer"
            knowledge.is_down, knowledge.hangs = False, True
            for _ in range(3):
                clock.now += 5
                assert await probe.fault() == "no_answer"
            assert knowledge.questions == 3
            await probe.close()

        asyncio.run(scenario())

    def test_a_fault_of_our_own_is_not_hidden(self) -> None:
        with pytest.raises(ZeroDivisionError):
            asyncio.run(Probe(failing(ZeroDivisionError())).fault())


class TestWorker:
    def test_runs_calls_in_order_in_one_thread_of_its_own(self) -> None:
        ran: list[tuple[int, int]] = []

        def call(number: int) -> int:
            ran.append((number, threading.get_ident()))
            return number * 2

        async def scenario() -> list[int]:
            worker = Worker("test")
            results = await asyncio.gather(*(worker.run(call, n) for n in range(50)))
            await worker.finish(lambda: ran.append((50, threading.get_ident())), 5)
            return results

        assert asyncio.run(scenario()) == [n * 2 for n in range(50)]
        assert [number for number, _ in ran] == list(range(51))
        (thread,) = {thread for _, thread in ran}
        assert thread != threading.get_ident()

    def test_an_exception_goes_to_whoever_waits(self) -> None:
        def fail() -> None:
            raise DependencyDown("x")

        async def scenario() -> int:
            worker = Worker("test")
            with pytest.raises(DependencyDown):
                await worker.run(fail)
            return await worker.run(int, "7")

        assert asyncio.run(scenario()) == 7

    def test_a_call_that_was_given_up_before_its_turn_is_not_made(self) -> None:
        gate = threading.Event()
        ran: list[str] = []

        async def scenario() -> None:
            worker = Worker("test")
            first = asyncio.create_task(worker.run(gate.wait))
            second = asyncio.create_task(worker.run(ran.append, "second"))
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.wait({second})
            gate.set()
            await first
            await worker.run(ran.append, "third")

        asyncio.run(scenario())
        assert ran == ["third"]

    def test_a_thread_that_hangs_does_its_last_call_when_it_no_longer_does(self) -> None:
        gate, closed = threading.Event(), threading.Event()

        async def scenario() -> None:
            worker = Worker("test")
            stuck = asyncio.create_task(worker.run(gate.wait))
            await asyncio.sleep(0)
            await worker.finish(closed.set, 0.01)
            assert not closed.is_set()
            stuck.cancel()

        asyncio.run(scenario())
        gate.set()
        assert closed.wait(5)

    def test_without_a_call_there_is_nothing_to_close(self) -> None:
        async def scenario() -> None:
            await Worker("test").finish(lambda: pytest.fail("closed what was never opened"), 1)

        asyncio.run(scenario())

    def test_what_ends_after_the_loop_is_nobodys_concern(self) -> None:
        loop = asyncio.new_event_loop()
        loop.close()
        tell(loop, print)

"""The watcher's wiring: acknowledged after all that moved is judged; anything unexpected ends the process.

The stream and the handler are fakes; tests/integration/streams has the real ones.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import orjson
import pytest

from streams.agents import watch_counts
from streams.agents.fold_cases import EXIT_UNEXPECTED, WorkerOptions
from streams.agents.watch_counts import create_app
from streams.domain.errors import DependencyDown
from streams.handlers.fold_cases import Record
from streams.handlers.watch_counts import Key
from tests.builders import START
from tests.fakes_faust import GivenBatches

DENGUE, MEASLES = ("dengue", "03390@2025-07-01"), ("measles", "03390@2025-07-01")


class Ended(BaseException):
    """The process would have ended here."""


@pytest.fixture(autouse=True)
def _end_of_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(reason: str, code: int = EXIT_UNEXPECTED) -> NoReturn:
        raise Ended(reason, code)

    monkeypatch.setattr(watch_counts, "end_process", end)


@dataclass
class Event:
    """A chunk of one partition, known by the offset of its last record."""

    value: list[Record]


def chunk(first: int, *moved: Key | bytes) -> Event:
    """Records of count-changes from an offset on; bytes stand for what is no such record."""
    return Event(
        [
            Record(0, first + n, START, None, key if isinstance(key, bytes) else record_of(key))
            for n, key in enumerate(moved)
        ]
    )


def record_of(key: Key) -> bytes:
    return orjson.dumps({"disease": key[0], "area_code": key[1][:5], "area_id": key[1]})


class FakeStream(GivenBatches[Event]):
    """Gives batches, and notes the offsets that were acknowledged, and how much was judged by then."""

    def __init__(self, batches: Sequence[list[Event]], handler: "FakeHandler") -> None:
        super().__init__(batches)
        self._handler = handler
        self.acked: list[int] = []
        self.judged_before_ack: list[int] = []

    async def ack(self, event: Event) -> None:
        self.acked.append(event.value[-1].offset)
        self.judged_before_ack.append(len(self._handler.judged))


class FakeHandler:
    """Notes what it is to judge; raises what it is told to first."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.judged: list[set[Key]] = []
        self.stream: FakeStream | None = None

    def handle(self, moved: Iterable[Key]) -> int:
        if self._errors:
            raise self._errors.pop(0)
        self.judged.append(set(moved))
        return 1

    def due(self) -> Iterable[Callable[[], int]]:
        return iter(())


def run(folder: Path, handler: FakeHandler, *batches: list[Event]) -> FakeStream:
    options = WorkerOptions("127.0.0.1:1", "test-count-changes", "test", 5_000, 0.1, 6.0, folder)
    app = create_app(options, handler)  # type: ignore[arg-type]
    (agent,) = (agent for name, agent in app.agents.items() if name.endswith("watch_counts"))
    stream = handler.stream = FakeStream(batches, handler)
    asyncio.run(agent.fun(stream))
    return stream


def test_what_moved_is_judged_once_for_all_chunks_then_acknowledged_in_order(tmp_path: Path) -> None:
    handler = FakeHandler()
    stream = run(
        tmp_path, handler, [chunk(0, DENGUE, MEASLES, DENGUE), chunk(3, MEASLES)], [chunk(4, DENGUE)]
    )
    assert handler.judged == [{DENGUE, MEASLES}, {DENGUE}]
    assert stream.acked == [2, 3, 4]
    assert stream.judged_before_ack == [1, 1, 2]


def test_what_is_no_record_of_ours_stops_nothing(tmp_path: Path) -> None:
    handler = FakeHandler()
    stream = run(tmp_path, handler, [chunk(0, b"{", b'{"disease":"dengue"}', b"[]", MEASLES)])
    assert handler.judged == [{MEASLES}]
    assert stream.acked == [3]


def test_a_server_that_does_not_answer_is_waited_for_with_the_same(tmp_path: Path) -> None:
    handler = FakeHandler(DependencyDown("not now"))
    stream = run(tmp_path, handler, [chunk(0, DENGUE)])
    assert handler.judged == [{DENGUE}]
    assert stream.acked == [0]


def test_anything_unexpected_ends_the_process_unacknowledged(tmp_path: Path) -> None:
    handler = FakeHandler(ValueError("a bug"))
    with pytest.raises(Ended, match="a bug"):
        run(tmp_path, handler, [chunk(0, DENGUE)])
    assert handler.judged == []
    assert handler.stream is not None
    assert handler.stream.acked == []


def test_records_come_in_chunks_of_which_a_batch_holds_no_more_than_is_judged_at_once(tmp_path: Path) -> None:
    options = WorkerOptions("127.0.0.1:1", "test-count-changes", "test", 5_000, 0.1, 6.0, tmp_path)
    app = create_app(options, FakeHandler())  # type: ignore[arg-type]
    fetched = {"a partition": [SimpleNamespace(offset=n) for n in range(5_000)]}
    chunks = list(app.conf.ConsumerScheduler().iterate(fetched))
    assert sum(len(records) for _, records in chunks) == 5_000
    assert (
        max(len(records) for _, records in chunks) * watch_counts._CHUNKS_PER_BATCH <= options.batch_records
    )

"""Faust gets the records of a partition in chunks, whole and in order."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import faust
import pytest
from faust.exceptions import ConsumerNotStarted
from faust.types import TP

from streams.agents.chunks import _ConsumerThread, chunk_message, deliver_in_chunks
from streams.handlers.fold_cases import Record
from tests.builders import START
from tests.fakes import run


@dataclass
class Fetched:
    """A record as aiokafka has it."""

    offset: int
    key: bytes = b"LC-1"
    value: bytes = b"{}"
    timestamp: int = int(START.timestamp() * 1_000)
    timestamp_type: int = 1


def app_with_chunks(folder: Path, most: int, *, agents_seek: bool = True) -> faust.App:
    app = faust.App("test", datadir=str(folder), broker="kafka://127.0.0.1:1")
    deliver_in_chunks(app, most, buffered=8, agents_seek=agents_seek)
    return app


def test_every_fetched_record_is_in_one_chunk_in_order(tmp_path: Path) -> None:
    chunks = app_with_chunks(tmp_path, 3).conf.ConsumerScheduler()
    one, other = TP("t", 0), TP("t", 1)
    fetched = {one: [Fetched(n) for n in range(7)], other: [Fetched(40)]}
    found = [(tp, [record.offset for record in chunk]) for tp, chunk in chunks.iterate(fetched)]
    assert found == [(one, [0, 1, 2]), (one, [3, 4, 5]), (one, [6]), (other, [40])]


def test_a_chunk_stands_at_its_last_record_and_has_all_of_them() -> None:
    tp = TP("t", 2)
    message = chunk_message(tp, [Fetched(5), Fetched(6, value=b"")], 7)
    assert (message.tp, message.offset, message.generation_id) == (tp, 6, 7)
    assert message.value == [Record(2, 5, START, b"LC-1", b"{}"), Record(2, 6, START, b"LC-1", b"")]


def test_the_app_makes_its_messages_so(tmp_path: Path) -> None:
    consumer = app_with_chunks(tmp_path, 100).transport.Consumer
    stand_in = SimpleNamespace(app=SimpleNamespace(consumer_generation_id=4))
    message = consumer._to_message(stand_in, TP("t", 0), [Fetched(0), Fetched(1)])
    assert (len(message.value), message.generation_id) == (2, 4)


def test_what_is_committed_is_the_end_of_the_last_chunk_and_nothing_stays(tmp_path: Path) -> None:
    consumer = app_with_chunks(tmp_path, 100).transport.Consumer
    tp = TP("t", 0)
    stand_in = SimpleNamespace(_acked={tp: [99, 199, 230]}, _acked_index={tp: {99, 199, 230}})
    assert consumer._new_offset(stand_in, tp) == 231
    assert (stand_in._acked, stand_in._acked_index) == ({tp: []}, {tp: set()})
    assert consumer._new_offset(stand_in, tp) is None


@pytest.mark.parametrize("agents_seek", [False, True])
def test_reading_goes_on_from_what_is_committed_unless_the_agents_seek(
    tmp_path: Path, agents_seek: bool
) -> None:
    tp = TP("t", 0)

    async def seek_to_committed() -> dict[TP, int]:
        return {tp: 41}

    read_on: dict[TP, int] = {}
    stand_in = SimpleNamespace(
        seek_to_committed=seek_to_committed, _read_offset=read_on, _committed_offset={tp: None}
    )
    run(app_with_chunks(tmp_path, 100, agents_seek=agents_seek).transport.Consumer.perform_seek(stand_in))
    assert read_on == ({} if agents_seek else {tp: 41})


def test_nothing_is_committed_of_partitions_that_are_taken_away() -> None:
    class Thread(_ConsumerThread):
        """As after a rebalance, connected to nothing: going on to Faust's own commit would raise."""

        def __init__(self) -> None:
            return

        def assignment(self) -> set[TP]:
            return {TP("t", 0)}

    assert run(Thread()._commit({TP("t", 5): 3})) is False
    with pytest.raises(ConsumerNotStarted):
        run(Thread()._commit({TP("t", 0): 3, TP("t", 5): 3}))


class Fetching:
    """A client of one partition whose fetch ends when flow may have stopped."""

    def __init__(self, partition: TP, offsets: list[int]) -> None:
        self.position = offsets[-1] + 1
        self._closed = False
        self._subscriptions = self
        self._fetcher = self
        self._found = {partition: [Fetched(offset) for offset in offsets], TP("t", 9): [Fetched(4)]}
        self._assigned = {partition}
        self.on_fetched = lambda: None

    def fetch_context(self) -> nullcontext[None]:
        return nullcontext()

    async def fetched_records(self, *_: object, **__: object) -> dict[TP, list[Fetched]]:
        self.on_fetched()
        return self._found

    def assignment(self) -> set[TP]:
        return self._assigned

    def seek(self, partition: TP, offset: int) -> None:
        assert partition in self._assigned
        self.position = offset


@pytest.mark.parametrize(("is_stopped", "position"), [(True, 168), (False, 174)])
def test_what_is_fetched_while_partitions_move_is_given_back(is_stopped: bool, position: int) -> None:
    flow = SimpleNamespace(flow_active=True)

    class Thread(_ConsumerThread):
        def __init__(self) -> None:
            self.consumer = flow

    client = Fetching(TP("t", 8), list(range(168, 174)))
    client.on_fetched = lambda: setattr(flow, "flow_active", not is_stopped)
    records = run(Thread()._fetch_records(client, {TP("t", 8)}, timeout=1.0, max_records=10))
    assert bool(records) is not is_stopped
    assert client.position == position

"""A batch judged ahead is taken over only where it was judged with the view that then came."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from streams.domain.errors import DependencyDown
from streams.handlers.fold_cases import Batch, Committed, FoldCases, Record, View
from tests.builders import START, event, judged_by, minutes, position, records, small_catalogue
from tests.fakes import Faults, FaultyLedger, InMemoryLedger, RecordingAnnouncements, run

CATALOGUE = judged_by(small_catalogue())
EVENTS = [event(f"LC-{n}", n + 1) for n in range(9)]
FIRST, SECOND, THIRD = (records(EVENTS[n : n + 3], first_offset=n) for n in (0, 3, 6))


class CountingFold(FoldCases):
    """Notes the first offset of every batch that it judges."""

    def __init__(self, ledger: InMemoryLedger | FaultyLedger) -> None:
        super().__init__(ledger, RecordingAnnouncements(), 1)
        self.judged: list[int] = []

    def _decode(self, records: Sequence[Record], view: View, announced: Mapping[int, int]) -> Batch:
        batch = super()._decode(records, view, announced)
        self.judged += [record.offset for record in records[:1]]
        return batch


class Overlapping(InMemoryLedger):
    """Has a batch prepared in the middle of each commit, as the agent does."""

    def __init__(self) -> None:
        super().__init__(CATALOGUE, {0: position()})
        self.handler = CountingFold(self)
        self.next_batches: list[list[Record]] = []

    async def commit(self, view: View, batch: Batch) -> Committed:
        if self.next_batches:
            self.handler.prepare(self.next_batches.pop(0))
        return await super().commit(view, batch)


def folded(ledger: InMemoryLedger) -> list[int]:
    return [entry.offset for entry in ledger.journal]


def test_batches_prepared_while_another_is_committed_are_judged_once() -> None:
    ledger = Overlapping()
    run(ledger.handler.handle(FIRST))
    ledger.handler.prepare(SECOND)
    ledger.next_batches = [THIRD]
    run(ledger.handler.handle(SECOND))
    run(ledger.handler.handle(THIRD))
    assert ledger.handler.judged == [0, 3, 6]
    assert folded(ledger) == list(range(9))
    assert ledger.stored[0].last_hash == THIRD[-1].hash


def test_preparing_changes_nothing_by_itself() -> None:
    ledger = Overlapping()
    run(ledger.handler.handle(FIRST))
    before = dict(ledger.stored)
    ledger.handler.prepare(SECOND)
    ledger.handler.prepare(SECOND)
    assert ledger.stored == before
    assert ledger.handler.judged == [0, 3], "asked twice, it is judged once"


@pytest.mark.parametrize("batch", [THIRD, FIRST, records([event()], partition=7)])
def test_what_cannot_be_judged_yet_is_left_to_handle(batch: list[Record]) -> None:
    """A gap, known records, a partition that was never seen."""
    ledger = Overlapping()
    run(ledger.handler.handle(FIRST))
    ledger.handler.prepare(batch)
    run(ledger.handler.handle(SECOND))
    assert folded(ledger) == list(range(6))


def test_a_catalogue_loaded_meanwhile_judges_what_was_prepared() -> None:
    ledger = Overlapping()
    run(ledger.handler.handle(FIRST))
    parked = records([event("LC-9", 99, disease="unheard_of")], first_offset=3)
    ledger.handler.prepare(parked)
    ledger.catalogue = replace(CATALOGUE, load_id=2, resolves_to={**CATALOGUE.resolves_to, "unheard_of": {}})
    run(ledger.handler.handle(parked))
    assert not ledger.parked
    assert ledger.journal[-1].load_id == 2


def test_a_position_moved_meanwhile_judges_what_was_prepared() -> None:
    """known_at never steps back, also where a catalogue load moved it after the batch was prepared."""
    ledger = Overlapping()
    run(ledger.handler.handle(FIRST))
    ledger.handler.prepare(SECOND)
    later = START + minutes(60)
    ledger.stored[0] = replace(ledger.stored[0], last_known_at=later)
    run(ledger.handler.handle(SECOND))
    assert {entry.known_at for entry in ledger.journal[3:]} == {later}


def test_what_was_prepared_is_forgotten_when_partitions_are_given_or_taken() -> None:
    ledger = Overlapping()
    run(ledger.handler.handle(FIRST))
    ledger.handler.prepare(SECOND)
    ledger.handler.forget()
    ledger.stored[0] = replace(ledger.stored[0], epoch=1)
    run(ledger.handler.handle(SECOND))
    assert {entry.epoch for entry in ledger.journal[3:]} == {1}


@pytest.mark.parametrize("failing", range(8))
def test_a_fault_between_prepared_batches_loses_and_doubles_nothing(failing: int) -> None:
    ledger = InMemoryLedger(CATALOGUE, {0: position()})
    handler = CountingFold(FaultyLedger(ledger, Faults(failing, "after")))
    for batch, following in ((FIRST, SECOND), (SECOND, THIRD), (THIRD, None)):
        while True:
            if following is not None:
                handler.prepare(following)
            try:
                run(handler.handle(batch))
            except DependencyDown:
                continue
            break
    assert folded(ledger) == list(range(9))
    assert ledger.stored[0].next_offset == 9

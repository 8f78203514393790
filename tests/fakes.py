"""Hand-written fakes of the stream's ports, held to the laws of the real ones by their contract tests."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from uuid import UUID

import orjson

from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.catalogue import Catalogue
from streams.domain.counts import Amounts, CountChange, CountKey, changes, net
from streams.domain.errors import DependencyDown, RefusedData, ViewMoved
from streams.domain.judging import Parked
from streams.domain.positions import Position, Touched
from streams.handlers.fold_cases import Batch, Committed, DeadLetter, Entry, View, conflict
from streams.handlers.reconcile import Leadership, LogState

_Result = TypeVar("_Result")


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Wait for a port's answer."""
    return asyncio.run(work)


class InMemoryLedger:
    """The Ledger and Positions ports in memory: one object is one database, shared by whoever holds it.

    Attributes:
        catalogue: In force; replace it by one with another load_id to load a catalogue.
        stored: Partition -> position.
        journal: Every event once, in the order of its commit.
        rows: The ledger: (known_at, subject, event id, change).
        cases: Subject -> case.
        dead: Dead letters in the order of their commit.
        refused: Subjects of which the database is to refuse every event.
    """

    def __init__(self, catalogue: Catalogue, positions: Mapping[int, Position]) -> None:
        self.catalogue = catalogue
        self.stored = dict(positions)
        self.journal: list[Entry] = []
        self.rows: list[tuple[Any, str, UUID, CountChange]] = []
        self.cases: dict[str, Case] = {}
        self.dead: list[DeadLetter] = []
        self.refused: set[str] = set()

    @property
    def counts(self) -> dict[CountKey, Amounts]:
        """The daily counts that are not zero."""
        return net(change for *_, change in self.rows)

    @property
    def parked(self) -> set[tuple[str, UUID, str, str]]:
        """Parked events: subject, event id, reason, code."""
        return {
            (entry.event.subject, entry.event.id, entry.judged.reason, entry.judged.code)
            for entry in self.journal
            if isinstance(entry.judged, Parked)
        }

    async def view(self, partitions: Iterable[int]) -> View:
        return View(self.catalogue, await self.positions(partitions))

    async def commit(self, view: View, batch: Batch) -> Committed:
        partitions = {e.partition for e in batch.entries} | {d.partition for d in batch.dead}
        if view.catalogue.load_id != self.catalogue.load_id or any(
            self.stored.get(partition) != view.positions[partition] for partition in partitions
        ):
            raise ViewMoved
        for entry in batch.entries:
            if b"\\u0000" in entry.data_json or entry.event.subject in self.refused:
                raise RefusedData("unsupported Unicode escape sequence")

        entries, conflicts = self._claim(batch.entries)
        self.journal += entries
        rows = [row for entry in entries for row in self._fold(entry)]
        self.rows += rows
        dead = [*batch.dead, *conflicts]
        self.dead += dead
        self.stored |= {partition: batch.positions[partition] for partition in partitions}
        parked = sum(isinstance(entry.judged, Parked) for entry in entries)
        touched = frozenset(Touched(c.key.disease, c.key.area_id) for *_, c in rows)
        return Committed(touched, dead, len(entries), parked)

    async def replayed(self, ranges: Mapping[int, tuple[int, int]]) -> Committed:
        def is_asked(record: Entry | DeadLetter) -> bool:
            first, last = ranges.get(record.partition, (0, -1))
            position = self.stored[record.partition] if record.partition in ranges else None
            return position is not None and position.epoch == record.epoch and first <= record.offset <= last

        events = {(entry.event.subject, entry.event.id) for entry in self.journal if is_asked(entry)}
        return Committed(
            frozenset(
                Touched(change.key.disease, change.key.area_id)
                for _, subject, event_id, change in self.rows
                if (subject, event_id) in events
            ),
            sorted(filter(is_asked, self.dead), key=lambda letter: (letter.partition, letter.offset)),
        )

    async def unannounced(self, partitions: Iterable[int]) -> Committed:
        asked = {partition: self.stored[partition] for partition in partitions}
        return await self.replayed({p: (at.announced_offset, at.next_offset - 1) for p, at in asked.items()})

    async def positions(self, partitions: Iterable[int]) -> dict[int, Position]:
        return {partition: self.stored[partition] for partition in partitions if partition in self.stored}

    async def replace_positions(
        self, expected: Mapping[int, Position | None], positions: Mapping[int, Position]
    ) -> bool:
        if any(self.stored.get(partition) != expected[partition] for partition in positions):
            return False
        self.stored |= positions
        return True

    def _claim(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[DeadLetter]]:
        standing = {(known.event.subject, known.event.id): known for known in self.journal}
        known_before = frozenset(standing)
        new: list[Entry] = []
        conflicts: list[DeadLetter] = []
        for entry in entries:
            identity = (entry.event.subject, entry.event.id)
            first = standing.setdefault(identity, entry)
            if first is entry:
                new.append(entry)
            elif first.event.content_hash != entry.event.content_hash:
                version = _journaled(first) if identity in known_before else first.raw
                conflicts.append(conflict(entry, version))
        return new, conflicts

    def _fold(self, entry: Entry) -> Iterable[tuple[Any, str, UUID, CountChange]]:
        if not isinstance(entry.judged, CaseEvent):
            return
        case = self.cases.setdefault(entry.event.subject, Case())
        case.apply(entry.judged)
        before, case.contribution = case.contribution, contribution_of(case, self.catalogue)
        for change in changes(before, case.contribution):
            yield entry.known_at, entry.event.subject, entry.event.id, change


def _journaled(entry: Entry) -> bytes:
    event = entry.event
    return orjson.dumps(
        {
            "subject": event.subject,
            "id": event.id,
            "type": event.type,
            "time": event.time,
            "source": event.source,
            "data": orjson.loads(entry.data_json),
        }
    )


class RecordingAnnouncements:
    """The Announcements port: what was announced, in the order in which it was."""

    def __init__(self) -> None:
        self.buried: list[DeadLetter] = []
        self.published: list[Touched] = []

    async def bury(self, dead: Sequence[DeadLetter]) -> None:
        self.buried += dead

    async def publish(self, touched: Iterable[Touched]) -> None:
        self.published += touched


class FakeLog:
    """The Log port: says what it was told, after `before_answer` had its turn.

    Attributes:
        asked: The questions after states.
        leading: The leadership of each partition.
    """

    def __init__(
        self, states: Mapping[int, LogState], before_answer: Callable[[], None] = lambda: None
    ) -> None:
        self._states = states
        self._before_answer = before_answer
        self.asked: list[dict[int, int | None]] = []
        self.leading = {partition: Leadership(state.topic_id, 0) for partition, state in states.items()}

    async def leaderships(self) -> dict[int, Leadership]:
        return dict(self.leading)

    async def states(self, next_offsets: Mapping[int, int | None]) -> dict[int, LogState]:
        self.asked.append(dict(next_offsets))
        self._before_answer()
        return {partition: self._states[partition] for partition in next_offsets}


class Faults:
    """Lets one call in a run fail, and notes the order of all of them.

    Attributes:
        calls: Names of the methods that were called.
    """

    def __init__(self, failing: int = -1, when: Literal["before", "after"] = "before") -> None:
        self._failing = failing
        self._when = when
        self.calls: list[str] = []

    async def around(self, name: str, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do the work, but where this call is to fail raise DependencyDown before or after it."""
        fails = len(self.calls) == self._failing
        self.calls.append(name)
        if fails and self._when == "before":
            work.close()
            raise DependencyDown(f"{name} does not answer")
        result = await work
        if fails:
            raise DependencyDown(f"the answer of {name} was lost")
        return result


class FaultyLedger:
    """A ledger whose calls go through Faults."""

    def __init__(self, ledger: InMemoryLedger, faults: Faults) -> None:
        self._ledger = ledger
        self._faults = faults

    async def view(self, partitions: Iterable[int]) -> View:
        return await self._faults.around("view", self._ledger.view(partitions))

    async def commit(self, view: View, batch: Batch) -> Committed:
        return await self._faults.around("commit", self._ledger.commit(view, batch))

    async def replayed(self, ranges: Mapping[int, tuple[int, int]]) -> Committed:
        return await self._faults.around("replayed", self._ledger.replayed(ranges))


class FaultyAnnouncements:
    """Announcements whose calls go through Faults."""

    def __init__(self, announcements: RecordingAnnouncements, faults: Faults) -> None:
        self._announcements = announcements
        self._faults = faults

    async def bury(self, dead: Sequence[DeadLetter]) -> None:
        await self._faults.around("bury", self._announcements.bury(dead))

    async def publish(self, touched: Iterable[Touched]) -> None:
        await self._faults.around("publish", self._announcements.publish(touched))

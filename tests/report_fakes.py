"""A hand-written fake of the ledger of tallies and foci, held to the laws of the real one by the contract."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson

from streams.domain.calendar import microseconds
from streams.domain.catalogue import Catalogue
from streams.domain.errors import RefusedData, ViewMoved
from streams.domain.focus import Focus, figures_of_focus, focus_of
from streams.domain.positions import Position, Touched
from streams.domain.reports import (
    FigureAmounts,
    FigureChange,
    FigureKey,
    Report,
    ReportEvent,
    ReportKind,
    figure_changes,
    judge_report,
)
from streams.domain.tally import Tally, figures_of_tally, tally_of
from streams.handlers.fold_cases import Batch, Committed, DeadLetter, Entry, View, conflict


class InMemoryReports:
    """The Ledger and Positions ports for one kind of report: one object is one database.

    Attributes:
        catalogue: In force; `load` replaces it.
        stored: Partition -> position.
        journal: Every event once, in the order of its commit.
        rows: The ledger: (known_at, subject, event id, load id where no event's commit wrote it, change).
        parked: The events that wait for the catalogue.
        reports: Subject -> report.
        dead: Dead letters in the order of their commit.
    """

    def __init__(self, kind: ReportKind, catalogue: Catalogue, positions: Mapping[int, Position]) -> None:
        self._kind = kind
        self.catalogue = catalogue
        self.stored = dict(positions)
        self.journal: list[Entry] = []
        self.rows: list[tuple[Any, str, UUID, int | None, FigureChange]] = []
        self.parked: list[Entry] = []
        self.reports: dict[str, Report] = {}
        self.dead: list[DeadLetter] = []

    async def view(self, partitions: Iterable[int]) -> View:
        return View(self.catalogue, await self.positions(partitions))

    async def commit(self, view: View, batch: Batch) -> Committed:
        partitions = {e.partition for e in batch.entries} | {d.partition for d in batch.dead}
        if view.catalogue.load_id != self.catalogue.load_id or any(
            self.stored.get(partition) != view.positions[partition] for partition in partitions
        ):
            raise ViewMoved
        if any(b"\\u0000" in entry.data_json for entry in batch.entries):
            raise RefusedData("unsupported Unicode escape sequence")
        standing = {(known.event.subject, known.event.id): known for known in self.journal}
        before = frozenset(standing)
        dead = list(batch.dead)
        rows = []
        for entry in batch.entries:
            identity = (entry.event.subject, entry.event.id)
            first = standing.setdefault(identity, entry)
            if first is not entry:
                if first.event.content_hash != entry.event.content_hash:
                    dead.append(conflict(entry, _journaled(first) if identity in before else first.raw))
                continue
            self.journal.append(entry)
            if isinstance(entry.judged, ReportEvent):
                rows += self._fold(entry.judged, entry.known_at, None)
            else:
                self.parked.append(entry)
        self.dead += dead
        self.stored |= {partition: batch.positions[partition] for partition in partitions}
        return Committed(frozenset(Touched(c.key.disease, c.key.area_id) for c in rows), dead)

    def load(self, catalogue: Catalogue, known_at: Any) -> None:
        """Put a catalogue in force and fold what it knows of what is parked."""
        self.catalogue = catalogue
        for entry in list(self.parked):
            event = entry.event
            judged, _ = judge_report(
                self._kind,
                event.subject,
                event.id,
                microseconds(event.time),
                orjson.loads(entry.data_json),
                catalogue,
            )
            if isinstance(judged, ReportEvent):
                self.parked.remove(entry)
                self._fold(judged, known_at, catalogue.load_id)

    async def replayed(self, ranges: Mapping[int, tuple[int, int]]) -> Committed:
        def is_asked(record: Entry | DeadLetter) -> bool:
            if record.partition not in ranges or self.stored[record.partition].epoch != record.epoch:
                return False
            first, last = ranges[record.partition]
            return first <= record.offset <= last

        events = {(entry.event.subject, entry.event.id) for entry in self.journal if is_asked(entry)}
        return Committed(
            frozenset(
                Touched(change.key.disease, change.key.area_id)
                for _, subject, event_id, _, change in self.rows
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

    def _fold(self, event: ReportEvent, known_at: Any, load_id: int | None) -> list[FigureChange]:
        report = self.reports.get(event.subject)
        before = {} if report is None else self._figures(report)
        report = self.reports.setdefault(event.subject, Report())
        report.apply(event)
        rows = figure_changes(before, self._figures(report))
        self.rows += [(known_at, event.subject, event.event_id, load_id, change) for change in rows]
        return rows

    def row(self, subject: str) -> Tally | Focus:
        """What the registers of a subject give."""
        report = self.reports[subject]
        return tally_of(report) if self._kind == "tally" else focus_of(report)

    def _figures(self, report: Report) -> Mapping[FigureKey, FigureAmounts]:
        if self._kind == "tally":
            return figures_of_tally(tally_of(report))
        return figures_of_focus(focus_of(report))


def _journaled(entry: Entry) -> bytes:
    event = entry.event
    return orjson.dumps({"subject": event.subject, "id": event.id, "data": orjson.loads(entry.data_json)})

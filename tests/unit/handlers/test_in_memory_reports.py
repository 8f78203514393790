"""The fake ledger of tallies and foci keeps the contract that the real one keeps."""

from uuid import UUID

import pytest

import schemas.catalogue as published
from streams.domain.focus import Focus
from streams.domain.judging import Parked
from streams.domain.reports import ReportKind
from streams.domain.tally import Tally
from streams.handlers.fold_cases import DeadLetter
from tests.builders import START, judged_by, minutes, position, small_catalogue
from tests.ledger_contract import StoredLedger
from tests.report_fakes import InMemoryReports
from tests.reports_contract import FigureRow, ReportsContract


class InMemoryReportStore:
    """The store of the contract over one fake of each kind."""

    def __init__(self) -> None:
        catalogue = judged_by(small_catalogue())
        self._ledgers: dict[ReportKind, InMemoryReports] = {
            "tally": InMemoryReports("tally", catalogue, {0: position(), 1: position()}),
            "focus": InMemoryReports("focus", catalogue, {0: position(), 1: position()}),
        }

    def open(self, kind: ReportKind) -> StoredLedger:
        return self._ledgers[kind]

    def load(self, catalogue: published.Catalogue) -> None:
        for ledger in self._ledgers.values():
            load_id = ledger.catalogue.load_id + 1
            ledger.load(judged_by(catalogue, load_id), START + minutes(10_000_000))

    def rows(self) -> list[FigureRow]:
        return [row for ledger in self._ledgers.values() for row in ledger.rows]

    def row(self, kind: ReportKind, subject: str) -> Tally | Focus:
        return self._ledgers[kind].row(subject)

    def journaled(self) -> list[tuple[str, UUID, str | None, bool]]:
        return [
            (entry.event.subject, entry.event.id, entry.area_id, isinstance(entry.judged, Parked))
            for ledger in self._ledgers.values()
            for entry in ledger.journal
        ]

    def parked(self) -> set[tuple[str, UUID, str, str]]:
        return {
            (entry.event.subject, entry.event.id, entry.judged.reason, entry.judged.code)
            for ledger in self._ledgers.values()
            for entry in ledger.parked
            if isinstance(entry.judged, Parked)
        }

    def dead(self) -> list[DeadLetter]:
        letters = [letter for ledger in self._ledgers.values() for letter in ledger.dead]
        return sorted(letters, key=lambda letter: (letter.partition, letter.epoch, letter.offset))


class TestInMemoryReports(ReportsContract):
    @pytest.fixture
    def store(self) -> InMemoryReportStore:
        return InMemoryReportStore()

"""The fake ledger keeps the contract that the real one keeps."""

from typing import Any
from uuid import UUID

import pytest

import schemas.catalogue as published
from streams.domain.case import Case
from streams.domain.counts import Amounts, CountKey
from streams.domain.judging import Parked
from streams.handlers.fold_cases import DeadLetter
from tests.builders import judged_by, position, small_catalogue
from tests.fakes import InMemoryLedger
from tests.ledger_contract import LedgerContract, LedgerRow, StoredLedger


class InMemoryStore:
    """The Store of the contract over one InMemoryLedger."""

    def __init__(self) -> None:
        self._ledger = InMemoryLedger(judged_by(small_catalogue()), {0: position(), 1: position()})

    def open(self) -> StoredLedger:
        return self._ledger

    def load(self, catalogue: published.Catalogue) -> None:
        self._ledger.catalogue = judged_by(catalogue, self._ledger.catalogue.load_id + 1)

    def rows(self) -> list[LedgerRow]:
        rows = [(at, subject, event_id, *change) for at, subject, event_id, change in self._ledger.rows]
        return sorted(rows, key=repr)

    def counts(self) -> dict[CountKey, Amounts]:
        return self._ledger.counts

    def case(self, subject: str) -> Case:
        return self._ledger.cases[subject]

    def journal(self) -> list[tuple[Any, int, int, int, int, str, UUID, str | None, bool]]:
        return [
            (
                e.known_at,
                e.partition,
                e.epoch,
                e.offset,
                e.load_id,
                e.event.subject,
                e.event.id,
                e.area_id,
                isinstance(e.judged, Parked),
            )
            for e in self._ledger.journal
        ]

    def parked(self) -> set[tuple[str, UUID, str, str]]:
        return self._ledger.parked

    def dead(self) -> list[DeadLetter]:
        return sorted(self._ledger.dead, key=lambda letter: (letter.partition, letter.epoch, letter.offset))


class TestInMemoryLedger(LedgerContract):
    @pytest.fixture
    def store(self) -> InMemoryStore:
        return InMemoryStore()

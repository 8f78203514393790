"""The laws of the pages' CaseBook: they hold for the fake and for the real one."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from schemas.catalogue import Catalogue
from services.intake.staff.case_book import DatabaseCaseBook
from services.intake.staff.case_page import history
from services.intake.staff.ports import CaseBook, CaseSearch
from streams.domain.errors import CanhDichError
from streams.stores.ledger import PostgresLedger
from tests import ledger_contract
from tests.builders import position
from tests.demo_store import recorded
from tests.fakes import run
from tests.fakes_staff import FakeCaseBook

START = datetime(2026, 1, 10, 1, 0, tzinfo=UTC)


def event(subject: str, number: int, kind: str = "reported", **data: Any) -> bytes:
    """An event of the contract, a minute after the one before."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"00000000-0000-4000-8000-{number:012}",
            "source": "/facilities/LC-TYT-03549",
            "type": f"vn.canhdich.case.{kind}.v1",
            "subject": subject,
            "time": (START + timedelta(minutes=number)).isoformat(),
            "data": data,
        }
    )


PHONG_THO = {"disease": "dengue", "area_code": "03549"}
EVENTS = [
    event("LC-1", 1, **PHONG_THO, onset_on="2026-01-02", external_ids={"register": "17/2026"}),
    event("LC-2", 2, disease="measles", area_code="03390", onset_on="2026-01-05", age_years=0.5, sex="male"),
    event("LC-1", 3, "updated", classification="confirmed", lab={"denv2": "positive", "dengue": "negative"}),
    event("LC-3", 4, **PHONG_THO, onset_on="2026-01-03"),
    event("LC-3", 5, "retracted", reason="entered_in_error"),
    event("LC_4", 6, **PHONG_THO, died_at="2026-01-08"),
    event("LC-5", 7, disease="unheard_of", area_code="03549"),
    # Of before the reform, in the commune that became part of today's Phong Thổ.
    event("LC-6", 8, disease="dengue", area_code="03589", onset_on="2025-03-01", reported_on="2025-03-02"),
    # As the import of the national system calls its case 77; a chronic case of long ago.
    event("ECDS-77", 9, disease="hfmd", area_code="03589", onset_on="2024-05-05", reported_on="2024-05-06"),
]


class CaseBookContract:
    """A CaseBook that knows EVENTS."""

    book: CaseBook

    def ask(self, *questions: Any) -> list[Any]:
        """Every answer; the book is closed at the end."""

        async def scenario() -> list[Any]:
            try:
                return [await question for question in questions]
            finally:
                await self.book.close()

        return asyncio.run(scenario())

    def found(self, *searches: dict[str, Any]) -> list[list[str]]:
        """The codes of the cases that searches find."""
        asked = []
        for changes in searches:
            most, skip = changes.pop("most", 10), changes.pop("skip", 0)
            plain = {
                "area_codes": None,
                "text": "",
                "disease": None,
                "first": date(2026, 1, 1),
                "last": date(2026, 1, 31),
                "by_onset": False,
            }
            asked.append(self.book.find(CaseSearch(**{**plain, **changes}), most, skip))
        return [[case.subject for case in cases] for cases in self.ask(*asked)]

    def test_finds_by_days_the_latest_first_and_only_what_counts(self) -> None:
        assert self.found(
            {},
            {"by_onset": True},
            {"by_onset": True, "first": date(2026, 1, 2), "last": date(2026, 1, 2)},
            {"disease": "dengue"},
            {"most": 1},
            {"most": 1, "skip": 1},
        ) == [
            ["LC-1", "LC-2", "LC_4"],
            ["LC_4", "LC-2", "LC-1"],
            ["LC-1"],
            ["LC-1", "LC_4"],
            ["LC-1"],
            ["LC-2"],
        ]

    def test_finds_what_lies_in_an_area_today(self) -> None:
        march = {"first": date(2025, 3, 1), "last": date(2025, 3, 31)}
        assert self.found(
            {"area_codes": ("03549",)},
            {"area_codes": ("109",)},
            {"area_codes": ("12",)},
            {"area_codes": ("106", "03549")},
            {"area_codes": ()},
            {"area_codes": ("12",), **march},
        ) == [
            ["LC-1", "LC_4"],
            ["LC-1", "LC_4"],
            ["LC-1", "LC-2", "LC_4"],
            ["LC-1", "LC-2", "LC_4"],
            [],
            ["LC-6"],
        ]

    def test_finds_by_the_beginning_of_the_code_whatever_the_day_and_by_another_id(self) -> None:
        assert self.found(
            {"text": "LC-"},
            {"text": "LC_"},
            {"text": "LC-6"},
            {"text": "LC-", "area_codes": ("106",)},
            {"text": "LC-", "disease": "measles"},
            {"text": "17/2026"},
            {"text": "17/2026", "area_codes": ("106",)},
            {"text": "%"},
        ) == [["LC-1", "LC-2", "LC-3", "LC-6"], ["LC_4"], ["LC-6"], ["LC-2"], ["LC-2"], ["LC-1"], [], []]

    def test_finds_a_case_of_long_ago_among_all_days(self) -> None:
        ever = {"first": date(1990, 1, 1)}
        assert self.found(
            {**ever},
            {**ever, "area_codes": ("12",)},
            {**ever, "area_codes": ("12",), "by_onset": True},
            {**ever, "area_codes": ("12",), "disease": "hfmd"},
            {**ever, "disease": "hfmd"},
            {**ever, "area_codes": ("106",)},
            {**ever, "area_codes": ("12",), "text": "17/2026"},
            # Pages go on where the one before ended.
            {**ever, "most": 2, "skip": 3},
            {**ever, "most": 2, "skip": 3, "area_codes": ("12",)},
            # The code as the national system has it.
            {"text": "77"},
        ) == [
            ["LC-1", "LC-2", "LC_4", "LC-6", "ECDS-77"],
            ["LC-1", "LC-2", "LC_4", "LC-6", "ECDS-77"],
            ["LC_4", "LC-2", "LC-1", "LC-6", "ECDS-77"],
            ["ECDS-77"],
            ["ECDS-77"],
            ["LC-2"],
            ["LC-1"],
            ["LC-6", "ECDS-77"],
            ["LC-6", "ECDS-77"],
            ["ECDS-77"],
        ]

    def test_a_line_of_the_list_says_what_stands(self) -> None:
        search = CaseSearch(None, "LC", None, date(2026, 1, 1), date(2026, 1, 31), by_onset=False)
        (cases,) = self.ask(self.book.find(search, 10, 0))
        first, second, third = cases[0], cases[1], cases[2]
        assert (first.classification, first.result, first.reported_on) == (
            "confirmed",
            "positive",
            "2026-01-10",
        )
        assert (second.age_years, second.sex, second.result, second.area_id) == (
            0.5,
            "male",
            None,
            "03390@2025-07-01",
        )
        assert (third.is_retracted, third.counts) == (True, False)

    def test_reads_state_and_history_and_nothing_of_a_case_that_is_none(self) -> None:
        known, parked, unknown = self.ask(*(self.book.read(name) for name in ("LC-1", "LC-5", "LC-0")))
        assert known.state["lab"] == {"dengue": "negative", "denv2": "positive"}
        assert known.state["area_id"] == "03549@2025-07-01"
        assert known.state["counts"]
        assert [entry.kind for entry in history("LC-1", known.events)] == ["updated", "reported"]
        assert parked.state is None
        assert parked.events[0]["parked_reason"] == "unknown_disease"
        assert unknown is None

    def test_knows_the_catalogue(self) -> None:
        (vocabulary,) = self.ask(self.book.vocabulary())
        assert vocabulary.find_disease("sxh").code == "dengue"


class TestFakeCaseBook(CaseBookContract):
    @pytest.fixture(autouse=True)
    def _book(self, published_catalogue: Catalogue) -> None:
        self.book = FakeCaseBook(published_catalogue, lambda: EVENTS)


@pytest.fixture(scope="module")
def folded_url(database_url: str) -> str:
    """A database in which EVENTS are folded."""
    ledger = PostgresLedger(database_url)
    assert run(ledger.replace_positions({0: None}, {0: position()}))
    ledger_contract.fold(ledger, recorded(EVENTS))
    ledger.close()
    return database_url


@pytest.mark.native
class TestDatabaseCaseBook(CaseBookContract):
    @pytest.fixture(autouse=True)
    def _book(self, folded_url: str) -> None:
        self.book = DatabaseCaseBook(folded_url)


def test_without_a_database_the_form_has_the_packaged_catalogue_and_cases_say_that_nobody_knows() -> None:
    book = DatabaseCaseBook("postgresql://nobody@127.0.0.1:1/none")

    async def scenario() -> None:
        try:
            assert (await book.vocabulary()).find_disease("sxh").code == "dengue"
            with pytest.raises(CanhDichError):
                await book.read("LC-1")
            search = CaseSearch(None, "", None, date(2026, 1, 1), date(2026, 1, 31), by_onset=False)
            with pytest.raises(CanhDichError):
                await book.find(search, 1, 0)
        finally:
            await book.close()

    asyncio.run(scenario())

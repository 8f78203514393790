"""What became of an event, read from the real tables."""

import pytest

from schemas.events import TALLY_REPORTED
from streams.domain.judging import Parked
from streams.domain.receipts import JournaledEvent
from streams.stores.receipts import read_fate
from streams.stores.reports import PostgresReports
from tests.builders import START, event, minutes, position, records, uuid
from tests.fakes import run
from tests.integration.stores.conftest import HISTORY, PostgresStore
from tests.ledger_contract import fold
from tests.report_builders import tally
from tests.reports_contract import fold as fold_reports

pytestmark = pytest.mark.native


def journaled(store: PostgresStore, number: int) -> JournaledEvent:
    """The one event with the id of a number, which has no dead letter."""
    fate = read_fate(store.connection, uuid(number))
    assert fate.event_id == uuid(number)
    assert fate.buried == []
    (found,) = fate.journaled
    return found


def test_counted_and_what_of_it_no_longer_stands(told: PostgresStore) -> None:
    assert journaled(told, 1) == JournaledEvent(
        subject="LC-A",
        event_type="vn.canhdich.case.reported.v1",
        known_at=HISTORY[0][0].appended_at,
        source="/facilities/LC-TYT-03412",
        area_id="03412@start",
        parked=None,
        overruled=("area_code",),
        is_overruled=False,
        is_counted=True,
    )
    assert journaled(told, 8).overruled == ()


def test_a_result_is_overruled_by_the_agent(told: PostgresStore) -> None:
    assert journaled(told, 4).overruled == ("lab.rubella",)


def test_a_retracted_case_no_longer_counts(told: PostgresStore) -> None:
    assert journaled(told, 2).is_counted is False
    assert journaled(told, 9).is_overruled is False


def test_parked_says_for_what(told: PostgresStore) -> None:
    disease, area = journaled(told, 6), journaled(told, 7)
    assert (disease.parked, area.parked) == (
        Parked("unknown_disease", "chikungunya"),
        Parked("unknown_area", "99999"),
    )
    assert (disease.is_counted, disease.overruled, disease.is_overruled) == (False, (), False)


def test_an_older_change_that_comes_late_is_overruled_whole(store: PostgresStore) -> None:
    ledger = store.open()
    fold(
        ledger,
        records(
            [
                event("LC-1", 1),
                event("LC-1", 2, "updated", START + minutes(5), sex="male"),
                event("LC-1", 3, "updated", START + minutes(4), sex="female"),
                event("LC-1", 4, "retracted", START + minutes(1)),
                event("LC-1", 5, time=START + minutes(2), onset_on="2023-07-02"),
            ]
        ),
    )
    assert [journaled(store, n).is_overruled for n in range(1, 6)] == [True, False, True, True, False]
    assert journaled(store, 3).overruled == ("sex",)
    assert journaled(store, 4).overruled == ("retracted",)


def test_a_dead_letter_is_found_by_its_event(told: PostgresStore) -> None:
    fate = read_fate(told.connection, uuid(13))
    assert fate.journaled == []
    (letter,) = fate.buried
    assert (letter.subject, letter.error, letter.source, letter.retried_at) == (
        "LC-E",
        "invalid_event",
        "/facilities/LC-TYT-03412",
        None,
    )
    assert [problem["code"] for problem in letter.problems] == ["unknown_field"]
    assert "Pâng" not in str(fate)


def test_a_conflict_stands_beside_what_counts(store: PostgresStore) -> None:
    fold(store.open(), records([event("LC-1", 1), event("LC-1", 1, onset_on="2023-07-02")]))
    fate = read_fate(store.connection, uuid(1))
    assert [found.subject for found in fate.journaled] == ["LC-1"]
    assert [letter.error for letter in fate.buried] == ["identity_conflict"]


def test_a_tally_that_was_corrected_is_overruled(store: PostgresStore) -> None:
    ledger = PostgresReports(store.database_url, "tally")
    try:
        assert run(ledger.replace_positions({0: None}, {0: position()}))
        corrected = tally(value=7, number=2, time=START + minutes(1))
        fold_reports(ledger, "tally", records([tally(value=10), corrected]))
    finally:
        ledger.close()
    first, second = journaled(store, 1), journaled(store, 2)
    assert (first.event_type, first.is_overruled, first.is_counted) == (TALLY_REPORTED, True, True)
    assert (second.overruled, second.area_id) == ((), "12@start")


def test_one_id_of_two_subjects(store: PostgresStore) -> None:
    fold(store.open(), records([event("LC-1", 1), event("LC-2", 1)]))
    assert [found.subject for found in read_fate(store.connection, uuid(1)).journaled] == ["LC-1", "LC-2"]
    assert [f.subject for f in read_fate(store.connection, uuid(1), "LC-2").journaled] == ["LC-2"]


def test_nothing_is_known_of_what_never_came(told: PostgresStore) -> None:
    fate = read_fate(told.connection, uuid(99))
    assert (fate.journaled, fate.buried) == ([], [])

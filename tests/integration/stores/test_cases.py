"""One case as a person reads it: its state and its history."""

import pytest

from streams.stores.cases import read_case
from tests.builders import START, event, records, uuid
from tests.integration.stores.conftest import HISTORY, PostgresStore
from tests.ledger_contract import fold

pytestmark = pytest.mark.native


def test_state_and_history(told: PostgresStore) -> None:
    case = read_case(told.connection, "LC-A")
    assert case is not None
    assert case.state == {
        "area_id": "03549@start",
        "area_code": "03549",
        "classification": "suspected",
        "counts": True,
        "death_due_to": "this_disease",
        "died_at": "2023-07-08",
        "disease": "dengue",
        "lab": {},
        "onset_on": "2023-07-01",
        "origin": "unknown",
        "outcome": "dead",
        "reported_on": "2023-07-10",
        "retracted": False,
        "sex": "unknown",
        "vaccination": "unknown",
    }
    assert [(e["event_id"], e["known_at"], e["area_id"]) for e in case.events] == [
        (uuid(1), HISTORY[0][0].appended_at, "03412@start"),
        (uuid(8), HISTORY[1][0].appended_at, "03549@start"),
    ]
    first = case.events[0]
    assert first["data"]["area_code"] == "03412"
    assert (first["event_time"], first["source"], first["parked_reason"]) == (
        START,
        "/facilities/LC-TYT-03412",
        None,
    )


def test_a_retracted_case_says_so_and_does_not_count(told: PostgresStore) -> None:
    case = read_case(told.connection, "LC-B")
    assert case is not None
    assert case.state is not None
    assert (case.state["retracted"], case.state["counts"]) == (True, False)


def test_a_case_of_parked_events_has_a_history_and_no_state(told: PostgresStore) -> None:
    case = read_case(told.connection, "LC-P")
    assert case is not None
    assert case.state is None
    assert [e["parked_reason"] for e in case.events] == ["unknown_disease"]


def test_a_case_without_an_area_has_none(store: PostgresStore) -> None:
    fold(store.open(), records([event(kind="updated", sex="male")]))
    case = read_case(store.connection, "LC-1")
    assert case is not None
    assert case.state is not None
    assert "area_code" not in case.state
    assert case.state["counts"] is False


def test_nobody_knows_an_unknown_case(told: PostgresStore) -> None:
    assert read_case(told.connection, "LC-none") is None

"""The books balance, and every way of unbalancing them is seen."""

from dataclasses import replace

import psycopg
import pytest

from streams.stores.audit import Audit, audit
from tests.builders import DISEASES, small_catalogue
from tests.integration.stores.conftest import PostgresStore

pytestmark = pytest.mark.native


def test_a_told_history_has_no_drift(told: PostgresStore) -> None:
    folded: list[int] = []
    found = audit(told.connection, folded.append)
    assert found == Audit(events=16, cases=8, parked=2, daily=0, totals=0, ledger=0, state=0, journal=0)
    assert found.is_clean
    assert sum(folded) == 14


def test_an_empty_database_has_no_drift(store: PostgresStore) -> None:
    assert audit(store.connection) == Audit(0, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("drift", "seen"),
    [
        pytest.param(
            "update daily_counts set notified = notified + 1 "
            "where disease = 'dengue' and area_id = '03549@start' and basis = 'onset' and day = '2023-07-01' "
            "and agent = ''",
            {"daily": 1, "totals": 1, "ledger": 1},
            id="a count",
        ),
        pytest.param(
            "update daily_counts set deaths = deaths + 1 "
            "where basis = 'death' and day is null and disease = 'measles'",
            {"daily": 1, "totals": 1, "ledger": 1},
            id="a count without a day",
        ),
        pytest.param(
            "update daily_counts set positive = positive - 1 "
            "where basis = 'onset' and via = '' and agent = 'measles' and day = '2023-06-30'",
            {"daily": 1, "ledger": 1},
            id="a count of an agent",
        ),
        pytest.param(
            "delete from daily_counts where disease = 'dengue' and basis = 'onset' and day = '2026-01-05'",
            {"daily": 1, "totals": 1, "ledger": 1},
            id="a lost count",
        ),
        pytest.param(
            "delete from count_changes where subject = 'LC-F' and basis = 'onset'",
            {"ledger": 1},
            id="a lost ledger row",
        ),
        pytest.param(
            "insert into count_changes "
            "select * from count_changes where subject = 'LC-E' and basis = 'death'",
            {"ledger": 1},
            id="a ledger row written twice, without a day",
        ),
        pytest.param(
            "update district_totals set notified = notified + 1 "
            "where disease = 'dengue' and district_id = '109@start' and year = 2023 and basis = 'onset'",
            {"totals": 1},
            id="a total",
        ),
        pytest.param(
            "update district_totals set deaths = 0 "
            "where basis = 'death' and year is null and disease = 'measles'",
            {"totals": 1},
            id="a total without a year",
        ),
        pytest.param(
            "delete from district_totals where disease = 'dengue' and basis = 'onset' and year = 2026 "
            "and district_id = '106@2025-07-01'",
            {"totals": 1},
            id="a lost total",
        ),
        pytest.param(
            "update cases set registers = jsonb_set(registers, '{sex}', registers -> 'disease') "
            "where subject = 'LC-A'",
            {"state": 1},
            id="a register",
        ),
        pytest.param(
            "update cases set counted_area_id = '03412@start' where subject = 'LC-F'",
            # On three bases, in the area where it is and in the one where it is not.
            {"daily": 6},
            id="what a case adds to the counts",
        ),
        pytest.param("delete from cases where subject = 'LC-F'", {"daily": 3, "state": 1}, id="a lost case"),
        pytest.param(
            "insert into cases select 'LC-Z', registers from cases where subject = 'LC-B'",
            {"state": 1},
            id="a case from nowhere",
        ),
        pytest.param(
            "delete from case_events where subject = 'LC-F'",
            {"daily": 3, "state": 1, "journal": 1},
            id="a lost event",
        ),
        pytest.param(
            "delete from case_events where subject = 'LC-B' and event_type like '%%retracted%%'",
            # Two agents' rows and the disease's own, on two bases.
            {"daily": 6, "state": 1, "journal": 1},
            id="a lost retraction",
        ),
        pytest.param(
            "insert into case_events select * from case_events where subject = 'LC-G'",
            {"journal": 1},
            id="an event journaled twice",
        ),
        pytest.param("delete from event_ids where subject = 'LC-G'", {"journal": 1}, id="a lost identity"),
        pytest.param(
            "insert into event_ids select event_id, 'LC-Z', content_hash from event_ids "
            "where subject = 'LC-G'",
            {"journal": 1},
            id="an identity of no event",
        ),
        pytest.param(
            "update case_events set data = data || '{\"sex\": \"male\"}' where subject = 'LC-G'",
            {"state": 1},
            id="a changed event",
        ),
        pytest.param(
            "delete from parked_events where subject = 'LC-P'",
            {"state": 1},
            id="an event that is neither folded nor parked",
        ),
    ],
)
def test_drift_is_seen_where_it_is(told: PostgresStore, drift: str, seen: dict[str, int]) -> None:
    assert told.connection.execute(drift, ()).rowcount == 1, "the drift itself went wrong"
    found = audit(told.connection)
    assert not found.is_clean
    kinds = ("daily", "totals", "ledger", "state", "journal")
    assert {kind: getattr(found, kind) for kind in kinds} == {**dict.fromkeys(kinds, 0), **seen}


@pytest.mark.parametrize(
    "dates",
    [
        pytest.param("update areas set valid_to = '2023-06-30' where valid_to is not null", id="unknown now"),
        pytest.param(
            "update areas set code = '03412' where area_id = '03549@start'; "
            "update areas set code = '03549' where area_id = '03412@start'",
            id="another area now",
        ),
    ],
)
def test_the_audit_judges_areas_as_they_were_judged(told: PostgresStore, dates: str) -> None:
    """What a code means was decided once; a catalogue that says otherwise today is no drift."""
    told.connection.execute(dates)
    assert audit(told.connection).is_clean


def test_the_audit_changes_nothing_and_gives_the_connection_back(told: PostgresStore) -> None:
    told.connection.read_only = None
    audit(told.connection)
    assert told.connection.read_only is None
    assert told.connection.isolation_level is None
    told.connection.execute("update cases set counted_flags = counted_flags where subject = 'LC-A'")


def test_the_audit_is_given_back_after_an_error(told: PostgresStore) -> None:
    def fail(_: int) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        audit(told.connection, fail)
    assert told.connection.read_only is None
    assert told.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert audit(told.connection).is_clean


def test_a_catalogue_load_leaves_no_drift(told: PostgresStore) -> None:
    told.load(
        small_catalogue("next", diseases=(*DISEASES, replace(DISEASES[0], code="chikungunya", agents=())))
    )
    found = audit(told.connection)
    assert found.is_clean
    assert (found.events, found.parked) == (16, 1)

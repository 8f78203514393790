"""A catalogue load is an act of its own: what it judges differently moves, with known_at = the load."""

import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

import schemas.catalogue as published
from schemas.sql import query
from streams.domain.counts import COUNTERS, CountKey
from streams.domain.errors import ConfigurationError
from streams.domain.geography import OLDEST, placements
from streams.stores.audit import audit
from streams.stores.catalogue import current_load_id, links_of, load, load_uuid, read_catalogue
from streams.stores.database import connect
from tests.builders import (
    AREAS,
    DISEASES,
    START,
    event,
    judged_by,
    minutes,
    records,
    small_catalogue,
    uuid,
)
from tests.fakes import run
from tests.integration.stores.conftest import PostgresStore
from tests.ledger_contract import fold, notified

pytestmark = pytest.mark.native

CHIKUNGUNYA = replace(DISEASES[0], code="chikungunya", agents=("chikungunya",))
RASH = DISEASES[3]


def known_at(connection: Connection[TupleRow], load_id: int) -> datetime:
    row = connection.execute("select known_at from catalogue_loads where load_id = %s", (load_id,)).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def totals(connection: Connection[TupleRow]) -> dict[tuple[Any, ...], int]:
    """Cases by (disease, district, year), own rows on the basis of onset."""
    found = connection.execute(
        "select disease, district_id, year, notified from district_totals "
        "where basis = 'onset' and via = '' and notified <> 0"
    )
    return {(disease, district_id, year): n for disease, district_id, year, n in found}


def test_a_first_load_reads_back_as_it_was_published(connection: Connection[TupleRow]) -> None:
    found = read_catalogue(connection)
    expected = judged_by(small_catalogue())
    assert set(found.areas) == set(expected.areas)
    assert (found.load_id, found.resolves_to) == (1, expected.resolves_to)
    assert found.case_reports_since == {}


def test_the_same_catalogue_is_loaded_once(connection: Connection[TupleRow]) -> None:
    before = known_at(connection, 1)
    again = load(connection, small_catalogue(), "test")
    assert (again.load_id, again.is_new) == (1, False)
    assert current_load_id(connection) == 1
    assert known_at(connection, 1) == before


def test_without_a_load_it_says_what_to_do(empty_database_url: str) -> None:
    with (
        connect(empty_database_url) as connection,
        pytest.raises(ConfigurationError, match="canhdich migrate"),
    ):
        read_catalogue(connection)


def test_every_area_is_stored_in_every_structure(connection: Connection[TupleRow]) -> None:
    stored = connection.execute(
        "select structure_on::text, area_id, province_id, district_id, commune_id, province_doubt, "
        "district_doubt, commune_doubt from area_geographies"
    ).fetchall()
    expected = placements(judged_by(small_catalogue()).areas, links_of(small_catalogue()))
    assert sorted(stored, key=repr) == sorted(map(tuple, expected), key=repr)
    assert (OLDEST, "03412@start") in {row[:2] for row in stored}


def test_parked_events_of_a_disease_are_folded_when_the_catalogue_learns_it(store: PostgresStore) -> None:
    ledger = store.open()
    fold(
        ledger,
        records(
            [
                event("LC-1", 1, disease="chikungunya"),
                event("LC-2", 2, disease="zika"),
                # Later than the parked report, earlier than it in the case's own order.
                event("LC-1", 3, "updated", START - minutes(1), sex="male", hamlet="bản Nà Hum"),
            ]
        ),
    )
    assert not store.counts()
    loaded = load(store.connection, small_catalogue("next", diseases=(*DISEASES, CHIKUNGUNYA)), "test")
    assert (loaded.load_id, loaded.is_new, loaded.refolded_events, loaded.refolded_cases) == (2, True, 1, 0)
    assert notified(store, disease="chikungunya", area_id="03412@start") == 1
    assert {(row[0], row[1], row[2]) for row in store.rows()} == {
        (known_at(store.connection, 2), "LC-1", uuid(1))
    }
    assert store.case("LC-1").value("hamlet") == "bản Nà Hum"
    assert store.parked() == {("LC-2", uuid(2), "unknown_disease", "zika")}
    assert audit(store.connection).is_clean


def test_parked_events_of_an_area_are_folded_when_the_catalogue_learns_it(store: PostgresStore) -> None:
    fold(store.open(), records([event("LC-1", 1, area_code="03555"), event("LC-2", 2, area_code="03999")]))
    new = replace(AREAS[2], id="03555@start", code="03555", kind="commune", parent_id="109@start")
    store.load(small_catalogue("next", areas=(*AREAS, new)))
    assert notified(store, area_id="03555@start") == 1
    assert totals(store.connection) == {("dengue", "109@start", 2023): 1}
    assert store.parked() == {("LC-2", uuid(2), "unknown_area", "03999")}
    assert audit(store.connection).is_clean


def test_a_parked_retraction_cannot_be_and_a_parked_update_keeps_its_place(store: PostgresStore) -> None:
    """What was parked is folded under its own stamp: a later event that was folded before it still wins."""
    ledger = store.open()
    fold(
        ledger,
        records(
            [
                event("LC-1", 1),
                event("LC-1", 2, "updated", START + minutes(1), disease="chikungunya", sex="male"),
                event("LC-1", 3, "updated", START + minutes(2), disease="measles"),
            ]
        ),
    )
    store.load(small_catalogue("next", diseases=(*DISEASES, CHIKUNGUNYA)))
    assert (notified(store, disease="measles"), notified(store, disease="chikungunya")) == (1, 0)
    assert store.case("LC-1").value("sex") == "male"
    assert audit(store.connection).is_clean


def test_events_repeated_after_they_were_unparked_count_once(store: PostgresStore) -> None:
    ledger = store.open()
    fold(ledger, records([event(disease="chikungunya")]))
    store.load(small_catalogue("next", diseases=(*DISEASES, CHIKUNGUNYA)))
    rows = store.rows()
    fold(ledger, records([event(disease="chikungunya")], first_offset=1))
    assert store.rows() == rows
    # And a redelivery announces what the load has moved.
    assert {touched.disease for touched in run(ledger.replayed({0: (0, 0)})).touched} == {"chikungunya"}


def test_a_syndrome_that_resolves_otherwise_is_counted_anew(told: PostgresStore) -> None:
    before = told.rows()
    other = replace(RASH, resolves_to={"measles": "rubella"})
    loaded = load(told.connection, small_catalogue("next", diseases=(*DISEASES[:3], other)), "test")
    assert loaded.refolded_cases == 1
    moved = [row for row in told.rows() if row not in before]
    assert {(row[0], row[1], row[2]) for row in moved} == {
        (known_at(told.connection, 2), "LC-C", load_uuid(2))
    }
    assert {(row[3].disease, row[3].via) for row in moved} == {("measles", "rash"), ("rubella", "rash")}
    assert notified(told, disease="rubella", via="rash") == 1
    assert audit(told.connection).is_clean


def since(disease: str, day: date) -> tuple[published.CaseReportsSince, ...]:
    return (published.CaseReportsSince(disease, "12", day),)


def test_cases_before_the_switch_over_are_taken_out_and_put_back(told: PostgresStore) -> None:
    before = told.counts()
    told.load(small_catalogue("tallies", case_reports_since=since("dengue", date(2023, 7, 2))))
    taken = {key for key in before if key.disease == "dengue" and not (key.day or "").startswith("2026")}
    assert taken
    assert told.counts() == {key: amounts for key, amounts in before.items() if key not in taken}
    assert {row[2] for row in told.rows() if row[0] == known_at(told.connection, 2)} == {load_uuid(2)}
    assert audit(told.connection).is_clean
    told.load(small_catalogue("no tallies"))
    assert told.counts() == before
    assert audit(told.connection).is_clean
    # The ledger remembers both loads: as of the second one the cases were not counted.
    assert {row[2] for row in told.rows()} >= {load_uuid(2), load_uuid(3)}


def test_a_switch_over_after_the_reform_binds_the_old_province_too(store: PostgresStore) -> None:
    fold(store.open(), records([event()]))
    store.load(small_catalogue("next", case_reports_since=since("dengue", date(2025, 8, 1))))
    assert read_catalogue(store.connection).case_reports_since == {
        ("dengue", "12@start"): "2025-08-01",
        ("dengue", "12@2025-07-01"): "2025-08-01",
    }
    assert not store.counts()
    assert audit(store.connection).is_clean


def test_a_switch_over_in_no_province_is_refused(connection: Connection[TupleRow]) -> None:
    nowhere = (published.CaseReportsSince("dengue", "99", date(2023, 7, 2)),)
    with pytest.raises(ConfigurationError, match="99 is no province on 2023-07-02"):
        load(connection, small_catalogue("next", case_reports_since=nowhere), "test")
    assert current_load_id(connection) == 1


def test_redrawn_surveillance_areas_move_the_totals_and_nothing_else(told: PostgresStore) -> None:
    rows, counts = told.rows(), told.counts()
    assert totals(told.connection)["dengue", "106@2025-07-01", 2026] == 1
    redrawn = [
        replace(area, surveillance_id="109@2025-07-01") if area.id == "03390@2025-07-01" else area
        for area in AREAS
    ]
    told.load(small_catalogue("next", areas=tuple(redrawn)))
    found = totals(told.connection)
    assert ("dengue", "106@2025-07-01", 2026) not in found
    assert found["dengue", "109@2025-07-01", 2026] == 1
    assert (told.rows(), told.counts()) == (rows, counts)
    assert audit(told.connection).is_clean
    # And the fold goes on adding to the totals where they are now.
    late: dict[str, Any] = {
        "time": datetime(2026, 3, 1, tzinfo=UTC),
        "area_code": "03390",
        "onset_on": "2026-02-03",
    }
    fold(told.open(), records([event("LC-X", 99, **late)], 17, at=datetime(2026, 3, 1, tzinfo=UTC)))
    assert totals(told.connection)["dengue", "109@2025-07-01", 2026] == 2
    assert audit(told.connection).is_clean


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ({"diseases": DISEASES[1:]}, r"lacks 1 disease\(s\).* dengue"),
        ({"areas": tuple(area for area in AREAS if area.id != "03552@start")}, r"lacks 1 area.* 03552@start"),
    ],
)
def test_a_catalogue_that_lost_a_code_is_refused(
    told: PostgresStore, lost: dict[str, Any], message: str
) -> None:
    links = tuple(link for link in small_catalogue().links if link.from_id != "03552@start")
    with pytest.raises(ConfigurationError, match=message):
        told.load(small_catalogue("next", links=links, **lost))
    assert current_load_id(told.connection) == 1
    assert audit(told.connection).is_clean


def test_known_at_of_a_load_and_of_what_follows_never_steps_back(store: PostgresStore) -> None:
    ledger = store.open()
    ahead = datetime.now(UTC) + timedelta(hours=1)
    fold(ledger, records([event()], at=ahead))
    store.load(small_catalogue("next"))
    assert known_at(store.connection, 2) == ahead
    fold(ledger, records([event("LC-2", 2)], first_offset=1, at=ahead - timedelta(minutes=5)))
    assert max(row[0] for row in store.rows()) == ahead

    now = datetime.now(UTC)
    store.connection.execute("update stream_offsets set last_known_at = '2023-01-01'")
    store.load(small_catalogue("again"))
    at = known_at(store.connection, 3)
    assert now <= at <= datetime.now(UTC)
    assert {p.last_known_at for p in run(ledger.positions([0, 1])).values()} == {at}


def test_a_load_waits_for_the_batch_under_way(
    store: PostgresStore, small_database_url: str, connection: Connection[TupleRow]
) -> None:
    done: list[int] = []

    def load_it() -> None:
        with connect(small_database_url) as other:
            done.append(load(other, small_catalogue("next"), "test").load_id)

    with connect(small_database_url) as batch:
        with batch.transaction():
            batch.execute(query("lock_catalogue_shared"))
            loading = threading.Thread(target=load_it)
            loading.start()
            deadline = time.monotonic() + 20
            while not _someone_waits(connection):
                assert time.monotonic() < deadline, "the load did not wait"
                time.sleep(0.01)
            assert not done
        loading.join(20)
    assert done == [2]


def _someone_waits(connection: Connection[TupleRow]) -> bool:
    found = connection.execute(
        "select count(*) from pg_locks as l inner join pg_database as d on l.database = d.oid "
        "where d.datname = current_database() and l.locktype = 'advisory' and not l.granted"
    ).fetchone()
    return found is not None and found[0] == 1


def test_a_load_that_fails_changes_nothing(told: PostgresStore) -> None:
    before = told.rows(), told.counts(), told.parked()
    # chikungunya is learnt, and then a link leads nowhere.
    links = (*small_catalogue().links, published.AreaLink("03412@start", "99999@start", "whole", False))
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        told.load(small_catalogue("next", links=links, diseases=(*DISEASES, CHIKUNGUNYA)))
    assert (told.rows(), told.counts(), told.parked()) == before
    assert current_load_id(told.connection) == 1
    told.load(small_catalogue("next", diseases=(*DISEASES, CHIKUNGUNYA)))
    assert told.counts()[CountKey("chikungunya", "03412@start", "onset", "2023-07-01", "", "")][
        COUNTERS.index("notified")
    ]

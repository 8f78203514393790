"""Round by round every way of unbalancing the books is found, and kept until it is mended."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from streams.domain.books import Finding
from streams.domain.errors import DependencyDown
from streams.domain.positions import TOPIC
from streams.stores import audit_rounds
from streams.stores.audit import audit
from streams.stores.audit_rounds import Auditor, Pace, Round, Slice, read_open_findings
from streams.stores.database import connect
from tests.builders import START, event, minutes, records
from tests.fakes import run
from tests.integration.stores.conftest import HISTORY, PostgresStore
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

SMALL = Pace(least=Slice(2, 3, 4, 1))
"""Several rounds a sweep, also over a few cases."""


@pytest.fixture
def auditor(small_database_url: str) -> Iterator[Auditor]:
    auditor = Auditor(small_database_url, TOPIC, SMALL)
    yield auditor
    auditor.close()


def one_round(auditor: Auditor) -> Round:
    done = auditor.round()
    assert done is not None
    return done


def sweep(auditor: Auditor) -> list[Round]:
    """Rounds until a sweep has ended."""
    rounds = [one_round(auditor)]
    while not rounds[-1].has_swept:
        rounds.append(one_round(auditor))
    return rounds


def kept(store: PostgresStore) -> set[tuple[str, tuple[str | None, ...]]]:
    return {(one.finding.kind, one.finding.key) for one in read_open_findings(store.connection)}


def test_nothing_is_found_where_the_books_balance(told: PostgresStore, auditor: Auditor) -> None:
    rounds = sweep(auditor)
    assert [r.found for r in rounds] == [[]] * len(rounds)
    assert len(rounds) > 3, "in one round nothing is incremental"
    assert sum(r.swept.cases for r in rounds) == 10, "eight cases, and two of which every event is parked"
    assert sum(r.swept.identities for r in rounds) == 16
    assert sum(r.swept.totals for r in rounds) == 4
    assert kept(told) == set()


def test_an_empty_database_is_in_order(store: PostgresStore, auditor: Auditor) -> None:
    assert all(not r.found for r in sweep(auditor))
    assert kept(store) == set()


TAMPERING = [
    pytest.param(
        "update daily_counts set notified = notified + 1 where disease = 'dengue' and basis = 'onset' "
        "and area_id = '03549@start' and day = '2023-07-01' and agent = ''",
        {"daily", "totals"},
        id="a daily count changed",
    ),
    pytest.param(
        "update daily_counts set deaths = deaths + 1 "
        "where basis = 'death' and day is null and disease = 'measles'",
        {"daily", "totals"},
        id="a daily count without a day changed",
    ),
    pytest.param(
        "delete from daily_counts where disease = 'dengue' and basis = 'onset' and day = '2026-01-05'",
        {"daily", "totals"},
        id="a daily count deleted",
    ),
    pytest.param(
        "insert into daily_counts select 'zika', area_id, basis, day, via, agent, notified, suspected, "
        "probable, confirmed, discarded, positive, negative, pending, deaths, imported, hospitalised "
        "from daily_counts where disease = 'dengue' and basis = 'onset' and day = '2026-01-05'",
        {"daily", "totals"},
        id="a daily count of a disease that is not in the catalogue",
    ),
    pytest.param(
        "update district_totals set notified = notified + 1 "
        "where disease = 'dengue' and district_id = '109@start' and year = 2023 and basis = 'onset'",
        {"totals"},
        id="a total changed",
    ),
    pytest.param(
        "update district_totals set deaths = 0 "
        "where basis = 'death' and year is null and disease = 'measles'",
        {"totals"},
        id="a total without a year changed",
    ),
    pytest.param(
        "update district_totals set year = 0 "
        "where disease = 'dengue' and district_id = '109@start' and year = 2023 and basis = 'onset'",
        {"totals"},
        id="a total moved to a year that no day has",
    ),
    pytest.param(
        "delete from count_changes where subject = 'LC-F' and basis = 'onset'",
        {"daily", "ledger"},
        id="a ledger row deleted",
    ),
    pytest.param(
        "insert into count_changes select * from count_changes where subject = 'LC-E' and basis = 'death'",
        {"daily", "ledger"},
        id="a ledger row doubled, without a day",
    ),
    pytest.param(
        "update count_changes set subject = 'LC-Z' where subject = 'LC-F' and basis = 'onset'",
        {"ledger"},
        id="a ledger row of another case",
    ),
    pytest.param(
        "update cases set registers = jsonb_set(registers, '{sex}', registers -> 'disease') "
        "where subject = 'LC-A'",
        {"state"},
        id="a case's registers changed",
    ),
    pytest.param(
        "update cases set counted_area_id = '03412@start' where subject = 'LC-F'",
        {"state", "ledger"},
        id="what a case adds to the counts changed",
    ),
    pytest.param("delete from cases where subject = 'LC-F'", {"state", "ledger"}, id="a case deleted"),
    pytest.param(
        "insert into cases select 'LC-Z', registers from cases where subject = 'LC-B'",
        {"state"},
        id="a case from nowhere",
    ),
    pytest.param(
        "delete from case_events where subject = 'LC-F'", {"state", "journal"}, id="a journal row removed"
    ),
    pytest.param(
        "delete from case_events where subject = 'LC-A' and event_type like '%reported%'",
        {"journal", "state"},
        id="one of several journal rows removed",
    ),
    pytest.param(
        "insert into case_events select * from case_events where subject = 'LC-G'",
        {"journal"},
        id="a journal row doubled",
    ),
    pytest.param("delete from event_ids where subject = 'LC-G'", {"journal"}, id="an identity removed"),
    pytest.param(
        "delete from parked_events where subject = 'LC-P'",
        {"state"},
        id="an event that is neither folded nor parked",
    ),
]


TABLES = (
    "cases",
    "case_events",
    "event_ids",
    "parked_events",
    "count_changes",
    "daily_counts",
    "district_totals",
)


def contents(store: PostgresStore) -> dict[str, list[Any]]:
    """Every row of the tables that are audited."""
    statement = "select coalesce(jsonb_agg(to_jsonb(t)), '[]') from {} as t"
    return {table: one(store, sql.SQL(statement).format(sql.Identifier(table))) for table in TABLES}


def put_back(store: PostgresStore, saved: dict[str, list[Any]]) -> None:
    for table, rows in saved.items():
        name = sql.Identifier(table)
        store.connection.execute(sql.SQL("truncate {}").format(name))
        statement = "insert into {} select r.* from jsonb_populate_recordset(null::{}, %s) as r"
        store.connection.execute(sql.SQL(statement).format(name, name), (Jsonb(rows),))


def one(store: PostgresStore, statement: sql.Composed) -> Any:
    row = store.connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(("tampering", "kinds"), TAMPERING)
def test_tampering_is_found_within_one_sweep_and_kept_until_it_is_mended(
    told: PostgresStore, auditor: Auditor, tampering: str, kinds: set[str]
) -> None:
    sweep(auditor)
    saved = contents(told)
    assert told.connection.execute(tampering.encode()).rowcount == 1, "the tampering itself went wrong"
    sweep(auditor)
    found = kept(told)
    assert {kind for kind, _ in found} == kinds
    # The full audit sums over all cases: a row that stands with the wrong one is not missing there.
    assert audit(told.connection).is_clean == (kinds == {"ledger"})

    for _ in range(2):
        assert set(map(identity, one_round(auditor).found)) == found, "whatever the slice of the round"
    assert kept(told) == found

    put_back(told, saved)
    assert one_round(auditor).resolved == len(found)
    assert kept(told) == set()
    resolved = "select count(*) from audit_findings where resolved_at is not null"
    assert told.connection.execute(resolved).fetchone() == (len(found),)


def identity(finding: Finding) -> tuple[str, tuple[str | None, ...]]:
    return finding.kind, finding.key


def test_a_removed_row_without_any_trace_in_the_case_is_found(store: PostgresStore, auditor: Auditor) -> None:
    """What it wrote a later event wrote again, so the fold of the journal is the same without it."""
    fold(
        store.open(),
        records(
            [
                event("LC-1", 1),
                event("LC-1", 2, "updated", START + minutes(1), sex="male"),
                event("LC-1", 3, "updated", START + minutes(2), sex="male"),
            ]
        ),
    )
    store.connection.execute("delete from case_events where event_id::text like '%2'")
    sweep(auditor)
    assert [kind for kind, _ in kept(store)] == ["journal"]


def test_what_drifted_in_new_events_is_found_at_once(told: PostgresStore, auditor: Auditor) -> None:
    """Not by the sweep, which is made too slow to come so far."""
    slow = Auditor(told.database_url, TOPIC, Pace(least=Slice(0, 0, 0, 0), sweep_seconds=1e9))
    try:
        assert one_round(slow).new_events == 0, "what was there before is left to the sweep"
        fold(
            told.open(),
            records([event("LC-N", 20, onset_on="2023-07-08")], first_offset=17, at=START + minutes(10**7)),
        )
        told.connection.execute(
            "update daily_counts set notified = 7 where day = '2023-07-08' and basis = 'onset'"
        )
        done = one_round(slow)
        assert done.new_events == 1
        assert done.swept.cases <= 1
        assert {(f.kind, f.stored.get("notified"), f.recomputed.get("notified")) for f in done.found} == {
            ("daily", 7, 1),
            ("totals", 1, 7),
        }
        assert one_round(slow).new_events == 0
    finally:
        slow.close()


def test_a_window_has_a_limit_and_the_rest_waits(store: PostgresStore) -> None:
    auditor = Auditor(store.database_url, TOPIC, Pace(most_new_events=4, least=Slice(1, 1, 1, 1)))
    try:
        one_round(auditor)
        fold(store.open(), records([event(f"LC-{n}", n) for n in range(1, 11)]))
        rounds = [one_round(auditor) for _ in range(4)]
        assert [(r.new_events, r.waiting_events) for r in rounds] == [(4, 6), (4, 2), (2, 0), (0, 0)]
    finally:
        auditor.close()


def test_what_a_second_look_does_not_see_does_not_count(
    told: PostgresStore, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a fault of the first look would be, or something mended between the two."""
    told.connection.execute("update daily_counts set notified = notified + 1 where basis = 'onset'")
    views = iter(range(100))
    original = audit_rounds.one_view

    def mended_before_the_second(connection: Any) -> Any:
        if next(views) == 1:
            told.connection.execute("update daily_counts set notified = notified - 1 where basis = 'onset'")
        return original(connection)

    monkeypatch.setattr(audit_rounds, "one_view", mended_before_the_second)
    assert one_round(auditor).found == []
    assert kept(told) == set()


def test_no_more_findings_are_kept_than_there_is_room_for(
    told: PostgresStore, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_rounds, "MOST_OPEN", 3)
    told.connection.execute("update daily_counts set notified = notified + 1")
    sweep(auditor)
    first = kept(told)
    assert len(first) == 3
    sweep(auditor)
    assert kept(told) == first, "those that are open stay; they do not change places"


def test_two_auditors_do_not_audit_at_the_same_time(told: PostgresStore, auditor: Auditor) -> None:
    with connect(told.database_url) as other:
        other.execute("select pg_advisory_lock(7303)")
        assert auditor.round() is None
        other.execute("select pg_advisory_unlock(7303)")
        one_round(auditor)


def test_an_auditor_goes_on_after_its_connection_was_lost(told: PostgresStore, auditor: Auditor) -> None:
    one_round(auditor)
    told.connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and query like '%advisory_unlock%'"
    )
    with pytest.raises(DependencyDown):
        auditor.round()
    one_round(auditor)


def test_findings_hold_no_data_of_a_case(told: PostgresStore, auditor: Auditor) -> None:
    told.connection.execute('update cases set registers = \'{"hamlet": ["0", "Nà Hum"]}\'')
    sweep(auditor)
    text = str(told.connection.execute("select stored, recomputed from audit_findings").fetchall())
    assert "hamlet" in text
    assert "Nà Hum" not in text


def test_nothing_is_found_while_workers_fold(store: PostgresStore) -> None:
    """Rounds look at one view each, so work under way is no drift."""
    auditor = Auditor(store.database_url, TOPIC, Pace(least=Slice(5, 5, 5, 2)))
    values = [
        event(f"LC-{n % 40}", n, "reported" if n < 40 else "updated", START + minutes(n % 97), sex="male")
        if n % 3
        else event(f"LC-{n % 40}", n, "updated", START + minutes(n % 89), area_code="03549")
        for n in range(600)
    ]
    failures: list[BaseException] = []

    def work() -> None:
        try:
            ledger = store.open()
            for first in range(0, len(values), 5):
                fold(ledger, records(values[first : first + 5], first_offset=first))
        except BaseException as error:
            failures.append(error)

    folding = threading.Thread(target=work)
    folding.start()
    rounds = []
    try:
        while folding.is_alive():
            rounds.append(one_round(auditor))
        rounds += sweep(auditor)
    finally:
        folding.join()
        auditor.close()
    assert failures == []
    assert sum(r.new_events for r in rounds) > 0, "nothing was folded between two rounds"
    assert [r.found for r in rounds] == [[]] * len(rounds)
    assert audit(store.connection).is_clean


def test_the_history_is_the_one_that_the_numbers_above_are_of(told: PostgresStore) -> None:
    assert sum(map(len, HISTORY)) == 17
    assert run(told.open().positions([0]))[0].next_offset == 17

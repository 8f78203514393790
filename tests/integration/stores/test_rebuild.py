"""Rebuild equals live, and what is not equal is found, while events arrive and readers read."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from streams.domain.counts import COUNTERS
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.stores import rebuild as rebuild_module
from streams.stores.audit import audit
from streams.stores.database import connect
from streams.stores.rebuild import TABLES, count_events, rebuild
from streams.stores.report_audit import audit_reports
from tests.builders import START, event, minutes
from tests.histories import Append, Load, ReadAgain, Step, World, empty, histories
from tests.report_builders import focus, tally

pytestmark = pytest.mark.native


def contents(connection: Connection[TupleRow]) -> dict[str, Counter[str]]:
    """Every row of every table that is rebuilt, but rows of zeros, as a multiset."""
    found = {}
    for table in TABLES:
        rows = connection.execute(sql.SQL("select t::text from {} as t").format(sql.Identifier(table)))
        found[table] = Counter(row for (row,) in rows if not row.endswith(",0" * len(COUNTERS) + ")"))
    return found


def shape(connection: Connection[TupleRow]) -> dict[str, list[Any]]:
    """How the tables are made: columns, indexes, constraints, parameters, chunks' interval, grants."""
    queries = {
        "columns": "select table_name, ordinal_position, column_name, data_type, collation_name, is_nullable "
        "from information_schema.columns where table_schema = 'public' and table_name = any(%s)",
        "indexes": "select tablename, indexname, indexdef from pg_indexes "
        "where schemaname = 'public' and tablename = any(%s)",
        "constraints": "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
        "from pg_constraint where conrelid::regclass::text = any(%s)",
        "parameters": "select relname, reloptions, relpersistence, pg_get_userbyid(relowner) from pg_class "
        "where relnamespace = 'public'::regnamespace and relname = any(%s)",
        "dimensions": "select hypertable_name, column_name, time_interval "
        "from timescaledb_information.dimensions where hypertable_schema = 'public' "
        "and hypertable_name = any(%s)",
        "grants": "select table_name, grantee, privilege_type from information_schema.role_table_grants "
        "where table_schema = 'public' and table_name = any(%s)",
        "schemas": "select nspname from pg_namespace where nspname in ('shadow', 'retired') "
        "and %s::text[] is not null",
    }
    tables = list(TABLES)
    return {
        name: sorted(connection.execute(q, (tables,)).fetchall(), key=repr) for name, q in queries.items()
    }


def grown(world: World, first: int = 1, cases: int = 6) -> None:
    """Cases with corrections, retractions, parked events, an identity used twice, in both partitions; tallies
    and foci with corrections, parked ones, and an event that came too late to count."""
    for n in range(first, first + cases):
        subject = f"LC-{n}"
        both = {"measles": "positive", "rubella": "positive"}
        last = event(subject, 5, "updated", died_at="2023-07-09")
        values = [
            event(subject, 1, disease="rash" if n % 2 else "dengue", area_code="03552"),
            event(subject, 2, "updated", lab=both, onset_on="2023-07-02" if n % 4 else "2023-07-04"),
            event(subject, 1, disease="measles"),
            event(subject, 3, "updated", **({"sex": "male"} if n % 3 else {"disease": "rubella"})),
            event(subject, 4, "updated", area_code="99999"),
            event(subject, 5, "retracted") if n % 7 == 0 else last,
        ]
        day = (date(2022, 1, 1) + timedelta(days=n)).isoformat()
        poisoning = f"OD-{n}"
        values += [
            tally(value=n, number=1, time=START + minutes(2), start=day, end=day, target=20),
            tally(value=n + 7, number=2, time=START + minutes(3), start=day, end=day, target=20),
            tally(value=99, number=3, time=START, start=day, end=day, target=20),
            tally(value=n, number=4, disease="rubella", area="106", start=day, end=day, target=20),
            focus(poisoning, 1, ill=n, hospitalised=None, place="bản Nà Hum"),
            focus(poisoning, 2, START + minutes(1), ill=n + 2, dead=0, started_on="2023-06-03"),
            focus(poisoning, 3, START + minutes(2), area_code="99999"),
        ]
        world.play([Append(value, n) for value in values])
    world.fold_all()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=histories(40, with_reports=True))
def test_rebuild_equals_live_after_any_history(
    small_database_url: str, connection: Connection[TupleRow], steps: list[Step]
) -> None:
    with World(small_database_url, connection) as world:
        world.play(steps)
        before = contents(connection)
        done = rebuild(small_database_url)
        assert (done.differences, done.is_switched, done.notes) == ([], True, [])
        assert done.events + done.reports == count_events(connection)
        assert contents(connection) == before
        world.fold_all()
    assert audit(connection).is_clean
    assert audit_reports(connection).is_clean


@pytest.fixture
def world(small_database_url: str, connection: Connection[TupleRow]) -> Iterator[World]:
    """A database with parked events that loads folded, a redrawn district and a partition read again."""
    with World(small_database_url, connection) as world:
        grown(world)
        world.play([Load(), Load()])
        grown(world, 7)
        world.play([ReadAgain(1), Load(), Load()])
        world.fold_all()
        grown(world, 13)
        yield world


def test_the_tables_are_made_as_before_and_serve_as_before(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    assert connection.execute("select count(*) from parked_events").fetchone() != (0,)
    assert connection.execute("select count(*) from count_changes where load_id > 1").fetchone() != (0,)
    assert connection.execute("select max(epoch) from case_events").fetchone() == (1,)
    assert connection.execute("select count(*) from figure_changes where load_id > 1").fetchone() != (0,)
    folded = "select count(*) from parked_reports where folded_at is not null"
    waiting = "select count(*) from parked_reports where folded_at is null"
    assert (0,) not in (connection.execute(folded).fetchone(), connection.execute(waiting).fetchone())
    connection.execute("grant select on cases to public")
    connection.execute(
        "create view sick with (security_barrier = true) as "
        "select disease, sum(notified) as cases from daily_counts where agent = '' group by disease"
    )
    connection.execute("create view sickest as select max(cases) as most from sick")
    connection.execute("grant select on sick to public")
    before, made, seen = contents(connection), shape(connection), views(connection)

    done = rebuild(small_database_url)
    assert (done.differences, done.is_switched, done.notes) == ([], True, [])
    assert (contents(connection), shape(connection), views(connection)) == (before, made, seen)
    # Sessions opened before the switch, with their prepared statements, go on with the new tables.
    grown(world, 20)
    assert audit(connection).is_clean
    assert views(connection)[0] != seen[0]
    assert rebuild(small_database_url).is_identical
    connection.execute("drop view sickest")
    connection.execute("drop view sick")


def views(connection: Connection[TupleRow]) -> list[Any]:
    """What the views say, and how they are made."""
    return [
        sorted(connection.execute("select disease, cases from sick").fetchall()),
        connection.execute("select most from sickest").fetchall(),
        connection.execute(
            "select relname, reloptions, relacl::text, pg_get_viewdef(oid) from pg_class "
            "where relname in ('sick', 'sickest') order by relname"
        ).fetchall(),
    ]


@pytest.mark.parametrize(
    ("damage", "table", "key"),
    [
        (
            "update count_changes set notified = notified + 1 where subject = 'LC-2' and event_id = "
            "'00000000-0000-0000-0000-000000000001' and basis = 'onset'",
            "count_changes",
            {"subject": "LC-2", "basis": "onset"},
        ),
        ("delete from count_changes where subject = 'LC-4'", "count_changes", {"subject": "LC-4"}),
        (
            "insert into count_changes select * from count_changes where subject = 'LC-8'",
            "count_changes",
            {"subject": "LC-8"},
        ),
        (
            "update count_changes set known_at = known_at + interval '1 second' where subject = 'LC-2'",
            "count_changes",
            {"subject": "LC-2"},
        ),
        ("update count_changes set kafka_offset = 0 where kafka_offset = 1", "count_changes", {}),
        (
            "update daily_counts set deaths = deaths + 1 where disease = 'rubella' and via = ''",
            "daily_counts",
            {"disease": "rubella"},
        ),
        ("update district_totals set pending = pending - 1", "district_totals", {}),
        ("delete from district_totals", "district_totals", {}),
        (
            # Every value is still there, but not with its case.
            "update cases as c set counted_onset_day = o.counted_onset_day from cases as o "
            "where (c.subject, o.subject) in (('LC-2', 'LC-4'), ('LC-4', 'LC-2'))",
            "cases",
            {},
        ),
        (
            """update cases set registers = jsonb_set(registers, '{sex}', '["0", "male"]') """
            "where subject = 'LC-5'",
            "cases",
            {"subject": "LC-5"},
        ),
        ("delete from cases where subject = 'LC-5'", "cases", {"subject": "LC-5"}),
        (
            "update parked_events set code = '00000' where subject = 'LC-1'",
            "parked_events",
            {"subject": "LC-1"},
        ),
    ],
)
def test_damage_is_found_and_nothing_is_switched_unless_forced(
    small_database_url: str,
    connection: Connection[TupleRow],
    world: World,
    damage: str,
    table: str,
    key: dict[str, str],
) -> None:
    sound = contents(connection)
    assert connection.execute(damage.encode()).rowcount > 0
    damaged, made = contents(connection), shape(connection)
    assert damaged != sound

    found = rebuild(small_database_url)
    assert not found.is_identical
    assert not found.is_switched
    assert {difference.table for difference in found.differences} == {table}
    assert all(key.items() <= difference.key.items() for difference in found.differences)
    assert all(difference.live != difference.rebuilt for difference in found.differences)
    assert (contents(connection), shape(connection)) == (damaged, made)

    forced = rebuild(small_database_url, force=True)
    assert (forced.is_identical, forced.is_switched) == (False, True)
    assert (contents(connection), shape(connection)) == (sound, made)
    assert rebuild(small_database_url).is_identical
    assert audit(connection).is_clean
    assert audit_reports(connection).is_clean


REPORT_DAMAGE = {
    # Table and subject -> what is done to it.
    ("tallies", "pep_started|dengue|12|2022-01-02|2022-01-02"): "update tallies set value = value + 1",
    ("tallies", "pep_started|dengue|12|2022-01-03|2022-01-03"): "delete from tallies",
    ("tallies", "pep_started|dengue|12|2022-01-04|2022-01-04"): "update tallies set known_at = 'infinity'",
    ("tallies", "pep_started|rubella|106|2022-01-02|2022-01-02"): "update tallies set registers = "
    """jsonb_set(registers, '{value}', '["0", 1]')""",
    ("foci", "OD-1"): "update foci set hospitalised = 0",
    ("foci", "OD-2"): "delete from foci",
    ("foci", "OD-3"): "update foci set subject = 'OD-NONE'",
    ("figure_changes", "OD-4"): "update figure_changes set value = value + 1",
    ("figure_changes", "OD-5"): "delete from figure_changes",
    ("figure_changes", "OD-6"): "insert into figure_changes select * from figure_changes",
    ("parked_reports", "OD-7"): "update parked_reports set code = '00000'",
    ("parked_reports", "pep_started|rubella|106|2022-01-05|2022-01-05"): "update parked_reports set "
    "folded_at = null",
}


def test_damage_to_tallies_and_foci_is_found_and_mended(
    small_database_url: str, connection: Connection[TupleRow], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_module, "MOST_DIFFERENCES", 100)
    sound = contents(connection)
    for (table, subject), damage in REPORT_DAMAGE.items():
        statement = f"{damage} where subject = '{subject}'"
        assert connection.execute(statement.encode()).rowcount > 0, (table, subject)
    damaged = contents(connection)

    found = rebuild(small_database_url)
    differing = {(difference.table, difference.key["subject"]) for difference in found.differences}
    assert differing == {*REPORT_DAMAGE, ("foci", "OD-NONE")}
    assert not found.is_switched
    assert contents(connection) == damaged

    forced = rebuild(small_database_url, force=True)
    assert (forced.is_identical, forced.is_switched) == (False, True)
    assert contents(connection) == sound
    assert audit_reports(connection).is_clean


def test_at_most_so_many_keys_of_a_table_are_named(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    connection.execute("delete from count_changes")
    found = rebuild(small_database_url)
    assert len(found.differences) == rebuild_module.MOST_DIFFERENCES


def test_events_arrive_meanwhile(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    stop = threading.Event()
    folded_meanwhile = []

    def work() -> None:
        first = 100
        while not stop.is_set():
            grown(world, first, 2)
            first += 2
            folded_meanwhile.append(first)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        results = [rebuild(small_database_url) for _ in range(3)]
    finally:
        stop.set()
        worker.join()
    assert [(done.differences, done.is_switched) for done in results] == [([], True)] * 3
    assert results[0].events < results[2].events
    assert len(folded_meanwhile) > 3
    assert audit(connection).is_clean
    assert rebuild(small_database_url).is_identical


def test_a_load_between_comparison_and_switch_is_folded_and_compared(
    small_database_url: str,
    connection: Connection[TupleRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with World(small_database_url, connection) as world:
        grown(world)
        compare = rebuild_module._differences
        compared = []

        def load_after_the_first(*arguments: Any) -> Any:
            found = compare(*arguments)
            compared.append(bool(arguments[1]))
            if len(compared) == 1:
                world.play([Load(), Load()])
                grown(world, 7)
            return found

        monkeypatch.setattr(rebuild_module, "_differences", load_after_the_first)
        done = rebuild(small_database_url)
    assert (done.differences, done.is_switched) == ([], True)
    # All, all again because of the loads, and what came after that.
    assert compared == [False, False, True]
    assert audit(connection).is_clean


def test_damage_to_what_came_last_is_found(
    small_database_url: str, connection: Connection[TupleRow], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = rebuild_module._differences

    def damaged_after_the_first(*arguments: Any) -> Any:
        found = compare(*arguments)
        if not arguments[1]:
            grown(world, 51, 1)
            connection.execute("update cases set counted_flags = 0 where subject = 'LC-51'")
            connection.execute("delete from count_changes where subject = 'LC-51' and basis = 'onset'")
            connection.execute("update tallies set value = 0 where period_start = '2022-02-21'")
            connection.execute("delete from foci where subject = 'OD-51'")
            connection.execute("delete from figure_changes where subject = 'OD-51'")
        return found

    monkeypatch.setattr(rebuild_module, "_differences", damaged_after_the_first)
    done = rebuild(small_database_url)
    tables = {"cases", "count_changes", "tallies", "foci", "figure_changes"}
    assert {difference.table for difference in done.differences} == tables
    subjects = {difference.key["subject"] for difference in done.differences}
    assert {subject[:5] for subject in subjects} == {"LC-51", "OD-51", "pep_s"}
    assert all(subject.startswith(("LC-51", "OD-51")) or "|2022-02-21|" in subject for subject in subjects)
    assert not done.is_switched


def test_pages_and_loads_meet_in_any_way(
    small_database_url: str, connection: Connection[TupleRow], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in (1, 2, 3, 7):
        monkeypatch.setattr(rebuild_module, "PAGE", page)
        assert rebuild(small_database_url).is_identical


def test_progress_adds_up(small_database_url: str, connection: Connection[TupleRow], world: World) -> None:
    seen: list[int] = []
    done = rebuild(small_database_url, advance=seen.append)
    assert sum(seen) == done.events + done.reports == count_events(connection)
    assert connection.execute("select count(*) from report_events").fetchone() == (done.reports,)
    assert 0 not in (done.events, done.reports)


@contextmanager
def reading(database_url: str, table: str) -> Iterator[None]:
    """Somebody reads a table in a long transaction."""
    with connect(database_url) as reader, reader.transaction():
        reader.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table)))
        yield


def test_a_reader_that_never_ends_stops_the_switch_and_nobody_else(
    small_database_url: str, connection: Connection[TupleRow], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_module, "_SWITCH_WITHIN", 1.0)
    before, made = contents(connection), shape(connection)
    refusals: list[str] = []

    def run_rebuild() -> None:
        try:
            rebuild(small_database_url)
        except DependencyDown as error:
            refusals.append(str(error))

    # The switch must not stand in the queue: every later reader would stand behind it.
    connection.execute("set lock_timeout = '500ms'")
    with reading(small_database_url, "district_totals"):
        running = threading.Thread(target=run_rebuild)
        running.start()
        while running.is_alive():
            connection.execute("select count(*) from district_totals")
            running.join(0.01)
    assert len(refusals) == 1
    assert "without a pause" in refusals[0]
    assert (contents(connection), shape(connection)) == (before, made)
    grown(world, 60, 1)
    assert rebuild(small_database_url).is_switched


def test_the_switch_waits_for_a_reader(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    ended = threading.Event()

    def read() -> None:
        with reading(small_database_url, "cases"):
            started.set()
            ended.wait(10)

    started = threading.Event()
    reader = threading.Thread(target=read)
    reader.start()
    assert started.wait(10)
    threading.Timer(1.0, ended.set).start()
    done = rebuild(small_database_url)
    reader.join()
    assert done.is_switched


def test_the_switch_waits_for_a_vacuum_however_long_it_takes(
    small_database_url: str, connection: Connection[TupleRow], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_module, "_SWITCH_WITHIN", 0.0)
    ended = threading.Event()

    def vacuum() -> None:
        with connect(small_database_url) as other, other.transaction():
            # The lock that a vacuum takes.
            other.execute("lock table cases in share update exclusive mode")
            started.set()
            ended.wait(20)
        ended.set()

    started = threading.Event()
    vacuuming = threading.Thread(target=vacuum)
    vacuuming.start()
    assert started.wait(10)
    waiting = threading.Thread(target=release_when_waited_for, args=(small_database_url, ended))
    waiting.start()
    assert rebuild(small_database_url).is_switched
    waiting.join()
    vacuuming.join()


def release_when_waited_for(database_url: str, ended: threading.Event) -> None:
    """Set the event once somebody waits for a lock on a table."""
    with connect(database_url) as observer:
        while not ended.is_set():
            (waiting,) = observer.execute(
                "select count(*) from pg_locks where not granted and mode = 'ShareUpdateExclusiveLock'"
            ).fetchone() or (0,)
            if waiting:
                ended.set()


def test_what_depends_on_a_table_in_another_way_stops_the_switch(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    connection.execute("create materialized view kept as select count(*) from cases")
    before, made = contents(connection), shape(connection)
    try:
        with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="kept"):
            rebuild(small_database_url)
        assert (contents(connection), shape(connection)) == (before, made)
    finally:
        connection.execute("drop materialized view kept")


def test_only_one_rebuild_runs_at_a_time(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    connection.execute("select pg_advisory_lock(7302)")
    try:
        with pytest.raises(ConfigurationError, match="Another rebuild"):
            rebuild(small_database_url)
    finally:
        connection.execute("select pg_advisory_unlock(7302)")
    assert rebuild(small_database_url).is_identical


def test_what_a_killed_rebuild_left_behind_is_no_hindrance(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    connection.execute("create schema shadow")
    connection.execute("create table shadow.cases (nothing int)")
    assert rebuild(small_database_url).is_identical


def test_a_catalogue_that_is_not_kept_is_said(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    connection.execute("update catalogue_loads set content = null where load_id = 1")
    done = rebuild(small_database_url)
    # Rubella was not known then; the catalogue of today folds at once what was parked.
    assert not done.is_identical
    assert not done.is_switched
    assert "catalogue load 1 (v1)" in done.notes[0]


def test_an_empty_journal_is_rebuilt_too(small_database_url: str, connection: Connection[TupleRow]) -> None:
    with World(small_database_url, connection):
        done = rebuild(small_database_url)
    assert (done.events, done.is_identical, done.is_switched) == (0, True, True)


def test_without_a_catalogue_there_is_nothing_to_rebuild_with(
    small_database_url: str, connection: Connection[TupleRow]
) -> None:
    empty(connection)
    with pytest.raises(ConfigurationError, match="canhdich migrate"):
        rebuild(small_database_url)

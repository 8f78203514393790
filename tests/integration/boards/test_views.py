"""What the boards' logins may read, and what they are refused; how the views are made."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

import schemas.sql
from streams.domain.areas import code_of
from streams.domain.detector_sweep import RULE_PREFIX
from streams.domain.detectors import choose
from streams.stores.database import connect
from streams.stores.rebuild import rebuild
from streams.stores.rules import read_rules
from streams.stores.views import (
    EPIDEMIOLOGISTS,
    WIDER,
    drop_views,
    fingerprint,
    install_views,
    installed_fingerprint,
    missing_roles,
)
from tests.builders import event
from tests.conftest import NativeStack
from tests.integration.boards.conftest import Demo, filled

pytestmark = pytest.mark.native

RELATIONS = """
select format('%I.%I', n.nspname, c.relname) as name
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    and n.nspname not like 'pg_temp%' and n.nspname not like 'pg_toast%'
    and n.nspname not like '\\_timescaledb%' and n.nspname not like 'timescaledb%'
order by 1"""
OF_CASES = {
    "cases", "case_events", "event_ids", "parked_events", "import_rows", "count_changes", "report_events",
    "parked_reports", "recipients", "delivery_attempts", "figure_changes", "snapshots",
}  # fmt: skip
"""Tables that hold single cases, events or people: no view reads them, but for one that counts their rows."""
COUNTING = {"stream_now"}

CASES = {
    **{("105", 3): 2, ("106", 3): 7, ("107", 3): 9},
    **{("105", 5): 6, ("106", 5): 8},
    **{("105", 9): 1, ("106", 9): 2, ("107", 9): 9},
}
"""(District, month of 2023) -> cases: one small count, none, and two of them."""


@pytest.fixture(scope="module")
def demo(native_stack: NativeStack, catalogue_template: str) -> Iterator[Demo]:
    """Not the demo's two years, but a few cases: what is asked here needs no more."""
    sent = [
        event(f"LC-{district}-{month}-{number}", 100 * place + number + 1, area_code=district,
              onset_on=f"2023-{month:02}-10")
        for place, ((district, month), cases) in enumerate(CASES.items())
        for number in range(cases)
    ]  # fmt: skip
    with filled(native_stack, catalogue_template, sent) as database:
        yield database


@pytest.fixture(params=[EPIDEMIOLOGISTS, WIDER])
def login(request: pytest.FixtureRequest, demo: Demo) -> Iterator[Connection[TupleRow]]:
    """A connection of each of the two logins."""
    with demo.login(request.param) as connection:
        yield connection


def test_the_logins_read_their_views_and_nothing_else(demo: Demo) -> None:
    with connect(demo.url) as owner:
        names = [name for (name,) in owner.execute(RELATIONS)]
        assert "public.cases" in names
        for role, prefix in ((EPIDEMIOLOGISTS, "boards."), (WIDER, "boards.wide_")):
            for name in names:
                rights = [
                    right
                    for right in ("select", "insert", "update", "delete", "truncate", "references", "trigger")
                    if not name.endswith("_seq")
                    and owner.execute(
                        "select has_table_privilege(%s, %s, %s)", (role, name, right)
                    ).fetchone() == (True,)
                ]  # fmt: skip
                assert rights == (["select"] if name.startswith(prefix) else []), (role, name)


@pytest.mark.parametrize(
    "statement",
    [
        "select * from public.cases",
        "select * from public.daily_counts",
        "insert into public.diseases values ('x', 'x', 'x', 'x', 1, '{}')",
        "create table boards.x (a int)",
        "create table public.x (a int)",
        "create temporary table x (a int)",
        "create function boards.x() returns int language sql as 'select 1'",
        "create schema x",
        "create role x",
        "set role canhdich",
        "copy (select 1) to program 'true'",
        "select pg_read_file('/etc/passwd')",
        "alter role canhdich_grafana createdb",
    ],
)
def test_everything_else_is_refused(login: Connection[TupleRow], statement: str) -> None:
    # A login may take this off itself: what it has no right to stays refused.
    login.execute("set default_transaction_read_only = off")
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.SyntaxError)):
        login.execute(statement)


def test_a_login_only_reads_and_not_for_long(login: Connection[TupleRow]) -> None:
    settings = [login.execute(f"show {name}").fetchone() for name in (
        "default_transaction_read_only", "statement_timeout", "search_path",
    )]  # fmt: skip
    assert settings == [("on",), ("10s",), ("boards, public",)]


def test_no_view_reads_single_cases(demo: Demo) -> None:
    with connect(demo.url) as owner:
        read = owner.execute(
            "select distinct vu.view_name, vu.table_name from information_schema.view_table_usage as vu "
            "where vu.view_schema = 'boards' and vu.table_schema = 'public'"
        ).fetchall()
    assert len(read) > 10
    assert [pair for pair in read if pair[1] in OF_CASES and pair[0] not in COUNTING] == []
    with demo.login(EPIDEMIOLOGISTS) as grafana:
        assert len(grafana.execute("select * from stream_now").fetchall()) == 1


def test_small_counts_are_suppressed(demo: Demo) -> None:
    with connect(demo.url) as owner, demo.login(WIDER) as wider:
        shown = {
            tuple(row[:3]): tuple(row[3:])
            for row in wider.execute(
                "select district, disease, month_start, is_suppressed, notified, deaths "
                "from wide_district_months"
            )
        }
        true = {
            tuple(row[:3]): tuple(row[3:])
            for row in owner.execute(
                "select district, disease, date_trunc('month', day)::date, sum(notified), sum(deaths) "
                "from boards.daily_counts where structure_on = '2025-07-01' and basis = 'onset' "
                "group by 1, 2, 3 having sum(notified) > 0"
            )
        }
    assert shown.keys() == true.keys()
    assert sorted(notified for notified, _ in true.values()) == sorted(CASES.values())
    assert {notified for _, notified, _ in shown.values() if notified is not None}
    groups: dict[tuple[str, object], list[bool]] = {}
    for key, (is_suppressed, notified, deaths) in shown.items():
        assert notified in (None, true[key][0])
        assert (notified is None) == is_suppressed
        assert notified is None or notified >= 5
        assert deaths is None or deaths >= 5
        groups.setdefault(key[1:], []).append(is_suppressed)
    # One suppressed figure alone could be found by taking the others from the province's total.
    assert {sum(hidden) for hidden in groups.values() if len(hidden) > 1} & {0, 2, 3}
    assert all(sum(hidden) != 1 for hidden in groups.values() if len(hidden) > 1)
    # ... and what is large enough is hidden for that reason only.
    assert any(is_suppressed and true[key][0] >= 5 for key, (is_suppressed, _, _) in shown.items())


def test_every_rule_and_detector_has_a_name(demo: Demo) -> None:
    with connect(demo.url) as connection:
        names = connection.execute("select rule, name_vi, name_en from boards.rules").fetchall()
        rules = {rule.id for rule in read_rules(connection).rules}
    choices = [choose(52, weeks) for weeks in range(400)]
    detectors = {RULE_PREFIX + one.detector.name.replace("-", "_") for one in choices if one is not None}
    assert sorted(rule for rule, *_ in names) == sorted(rules | detectors)
    assert all(vi and en and vi != en for _, vi, en in names)


def test_an_alert_says_what_its_rule_counted(demo: Demo) -> None:
    numbers = {
        "tt15_22_1b": ({"cases": 7, "confirmed": 2}, 7),
        "tt15_16_1a": ({"confirmed": 3}, 3),
        "cdc_any_death": ({"deaths": 1}, 1),
        "qd02_district": ({"areas": 2}, None),
    }
    with connect(demo.url) as connection, connection.transaction(force_rollback=True):
        for rule, (found, _) in numbers.items():
            connection.execute(
                "insert into alerts (alert_id, rule_id, disease, area_id, state, level, verdict, is_met, "
                "cases, raised_at, waiting_since, changed_at, events) values (gen_random_uuid(), %s, "
                "'dengue', "
                "'105@start', 'raised', 'alert', %s, true, 0, now(), now(), now(), 1)",
                (rule, Jsonb({"numbers": found})),
            )
        shown = connection.execute(
            "select rule, observed from boards.alerts where structure_on = '0001-01-01'"
        ).fetchall()
    assert dict(shown) == {rule: observed for rule, (_, observed) in numbers.items()}


def test_areas_are_those_of_the_geographies(demo: Demo) -> None:
    with connect(demo.url) as owner:
        places = owner.execute(
            "select distinct structure_on, province_id, district_id, commune_id from area_geographies"
        ).fetchall()
        districts = set(
            owner.execute("select structure_on, province, district from boards.districts").fetchall()
        )
        communes = set(
            owner.execute("select structure_on, province, commune from boards.communes").fetchall()
        )
        codes = dict(owner.execute("select area_id, code from areas").fetchall())
    assert {(day, code_of(p), code_of(d) if d else "-") for day, p, d, _ in places} <= districts
    assert {(day, code_of(p), code_of(c)) for day, p, _, c in places if c} <= communes
    assert {area_id: code_of(area_id) for area_id in codes} == codes


def test_views_are_made_anew_when_a_file_changed(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(empty_database_url) as connection:
        assert installed_fingerprint(connection) == fingerprint()
        assert not install_views(connection)
        monkeypatch.setattr(schemas.sql, "VIEWS", tmp_path)
        (tmp_path / "010.one.sql").write_text("-- One row.\ncreate view boards.one as select 1 as a;\n")
        assert install_views(connection)
        assert connection.execute("select viewname from pg_views where schemaname = 'boards'").fetchall() == [
            ("one",)
        ]
        (tmp_path / "020.two.sql").write_text(
            "-- One row.\ncreate view boards.two as select b from boards.one;\n"
        )
        with pytest.raises(psycopg.errors.UndefinedColumn):
            install_views(connection)
        # Nothing of it stays: the views of before go on.
        assert connection.execute("select a from boards.one").fetchall() == [(1,)]
        drop_views(connection)
        assert installed_fingerprint(connection) is None


def test_a_view_that_does_not_say_its_rows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas.sql, "VIEWS", tmp_path)
    (tmp_path / "010.one.sql").write_text("create view boards.one as select 1 as a;\n")
    with pytest.raises(ValueError, match=r"010\.one\.sql: the first line must say what a row is"):
        fingerprint()


def test_a_missing_role_is_said(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(demo.url) as connection:
        assert missing_roles(connection) == []
        monkeypatch.setattr("streams.stores.views.WIDER", "nobody_made_this_role")
        assert missing_roles(connection) == ["nobody_made_this_role"]


def test_a_rebuild_leaves_views_and_rights(fresh_database_url: str) -> None:
    question = "select has_table_privilege('canhdich_grafana', 'boards.daily_counts', 'select')"
    assert rebuild(fresh_database_url).is_identical
    with connect(fresh_database_url) as connection:
        assert connection.execute(question).fetchone() == (True,)
        # It reads the tables that the rebuild put in the place of the old ones.
        connection.execute("select * from boards.daily_counts, boards.provinces")

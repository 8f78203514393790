"""From events to verdicts on real TimescaleDB: what the rules are told, and what `canhdich rules` prints."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from typer.testing import CliRunner, Result

from schemas.catalogue import Catalogue
from schemas.catalogue.rules.notices import NoticeRow
from services.cli.main import app
from services.settings import Settings
from streams.domain.errors import ConfigurationError
from streams.domain.rules import Outcome, Standing, Verdict
from streams.handlers.judge_rules import Asked
from streams.stores.area_cases import area_id_of
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from streams.stores.rule_history import PostgresRuleHistory
from streams.stores.rule_judge import rules_judge
from streams.stores.rules import (
    PostgresRules,
    add_notice,
    add_notices,
    end_notice,
    load_packaged_rules,
    load_province_rules,
    read_rules,
)
from tests.builders import event, position, records
from tests.conftest import SettingsFactory
from tests.fakes import run
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

NOW = datetime(2026, 8, 4, 1, 0, tzinfo=UTC)
BINH_LU = "03390@2025-07-01"
"""Made on 2025-07-01 of 03390 (Bình Lư), 03412 (Sơn Bình) and 03413 (Nà Tăm)."""

WEEKS_30 = ("2021-07-26", "2022-07-25", "2023-07-24", "2024-07-22", "2025-07-21")
"""The Mondays of week 30."""


class World:
    """A database that events come to, and somebody who asks what the rules say."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.ledger = PostgresLedger(database_url)
        run(self.ledger.replace_positions({0: None}, {0: position()}))
        self._numbers, self._offset = count(1), 0
        self.at = NOW

    def tell(self, values: Sequence[bytes]) -> None:
        """Fold events, an hour after the last ones."""
        self.at += timedelta(hours=1)
        fold(self.ledger, records(values, self._offset, at=self.at))
        self._offset += len(values)

    def report(self, number: int, onset: str, area_code: str = "03390", **data: Any) -> list[str]:
        """So many new cases alike; their subjects."""
        subjects = [f"LC-{next(self._numbers)}" for _ in range(number)]
        written = {"disease": "hfmd", "reported_on": onset, **data, "area_code": area_code, "onset_on": onset}
        self.tell([event(subject, next(self._numbers), time=self.at, **written) for subject in subjects])
        return subjects

    def update(self, subject: str, kind: str = "updated", **data: Any) -> None:
        """Another event of a case."""
        self.tell([event(subject, next(self._numbers), kind, self.at + timedelta(hours=1), **data)])

    def verdicts(
        self,
        on: str,
        disease: str = "hfmd",
        area_id: str = BINH_LU,
        as_of: datetime | None = None,
        standing: Sequence[Standing] = (),
    ) -> dict[str, list[Verdict]]:
        """What every rule says, about the present and about past periods."""
        found: dict[str, list[Verdict]] = {}
        with rules_judge(self.database_url, as_of) as judge:
            for verdict in judge.judge_all(disease, area_id, date.fromisoformat(on), standing=standing):
                found.setdefault(verdict.rule_id, []).append(verdict)
        return found

    def verdict(self, rule: str, on: str, **asked: Any) -> Verdict:
        """What one rule says of the present period."""
        return self.verdicts(on, **asked)[rule][0]


@pytest.fixture
def world(fresh_database_url: str) -> Iterator[World]:
    """A database with the packaged catalogue and rules, and no event."""
    world = World(fresh_database_url)
    yield world
    world.ledger.close()


@pytest.fixture
def connection(world: World) -> Iterator[Connection[TupleRow]]:
    """A connection to the world's database."""
    with connect(world.database_url) as connection:
        yield connection


def five_years(world: World) -> None:
    """Week 30 of a = [0,1,0,1], b = [1,0,1,2], c = [0,0,2,2], then 5 in the new commune: [1,1,3,5,5]."""
    for code, counts in (("03390", (0, 1, 0, 1)), ("03412", (1, 0, 1, 2)), ("03413", (0, 0, 2, 2))):
        for monday, number in zip(WEEKS_30, counts, strict=False):
            if number:
                world.report(number, monday, code)
    world.report(5, WEEKS_30[4])


def test_a_merged_commune_is_judged_by_the_sum_of_its_parts(world: World) -> None:
    five_years(world)
    world.report(4, "2026-07-20")
    fifth = world.report(1, "2026-07-23", origin="imported")

    early, now = (world.verdict("tt15_22_1b", day) for day in ("2026-07-22", "2026-07-26"))
    assert (early.verdict, early.numbers["cases"]) == (Outcome.NO, 4)
    assert (now.verdict, now.is_reconstructed, now.is_late) == (Outcome.ALERT, True, False)
    assert now.numbers["history"] == [1, 1, 3, 5, 5]
    assert {name: now.numbers[name] for name in ("cases", "local", "from", "to", "reached_on")} == {
        "cases": 5,
        "local": 4,
        "from": 5,
        "to": 7,
        "reached_on": "2026-07-23",
    }
    # A neighbour has no part in it.
    assert world.verdict("tt15_22_1b", "2026-07-26", area_id="03394@2025-07-01").numbers["cases"] == 0

    world.update(fifth[0], classification="discarded")
    assert world.verdict("tt15_22_1b", "2026-07-26").verdict is Outcome.NO
    standing = [Standing("tt15_22_1b", date(2026, 7, 20), date(2026, 7, 26))]
    gone = world.verdicts("2026-08-04", standing=standing)["tt15_22_1b"]
    assert [v.verdict for v in gone] == [Outcome.NO, Outcome.NO_LONGER_MET]


def test_as_of_an_instant_only_what_was_known_counts(world: World) -> None:
    five_years(world)
    world.report(4, "2026-07-20")
    before = world.at + timedelta(minutes=30)
    (late,) = world.report(1, "2026-07-26", reported_on="2026-07-28")
    after = world.at + timedelta(minutes=30)
    world.update(late, "retracted")
    world.report(1, "2021-07-26", "03412")

    known = {at: world.verdict("tt15_22_1b", "2026-07-26", as_of=at) for at in (before, after, None)}
    assert [v.numbers["cases"] for v in known.values()] == [4, 5, 4]
    assert [v.verdict for v in known.values()] == [Outcome.NO, Outcome.ALERT, Outcome.NO]
    assert [v.is_late for v in known.values()] == [False, True, False]
    assert [v.numbers["history"][0] for v in known.values()] == [1, 1, 2]
    past = world.verdicts("2026-07-28", as_of=after)["tt15_22_1b"]
    assert [(v.verdict, v.is_late, v.period_start) for v in past] == [
        (Outcome.NO, False, date(2026, 7, 27)),
        (Outcome.ALERT, True, date(2026, 7, 20)),
    ]


def test_links_are_the_cluster_register(world: World) -> None:
    first, *_ = world.report(2, "2026-07-20", disease="dengue", cluster="O-1")
    (third,) = world.report(1, "2026-07-21", disease="dengue")

    def verdict() -> Verdict:
        return world.verdict("tt15_22_1c", "2026-07-22", disease="dengue")

    assert (verdict().verdict, verdict().numbers["linked"]) == (Outcome.VERIFY_LINK, 2)
    world.update(third, cluster="O-1")
    assert verdict().verdict is Outcome.ALERT
    world.update(first, area_code="03394", area_on="2026-07-20")
    assert (verdict().verdict, verdict().numbers["cases"]) == (Outcome.NO, 2)


def test_a_case_is_confirmed_from_the_day_on_which_it_was(world: World) -> None:
    world.at = datetime(2026, 8, 1, 2, 0, tzinfo=UTC)
    (subject,) = world.report(1, "2026-08-01", disease="plague")
    world.at = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)
    world.update(subject, classification="confirmed")
    found = [
        world.verdict("tt15_22_1a", day, disease="plague").verdict
        for day in ("2026-08-01", "2026-08-02", "2026-08-03")
    ]

    assert found == [Outcome.NO, Outcome.NO, Outcome.ALERT]
    verdict = world.verdict("tt15_16_1a", "2026-08-03", disease="plague")
    assert verdict.verdict is Outcome.NOT_COMPUTABLE


def test_a_syndromes_resolved_case_is_judged_in_both_diseases(world: World) -> None:
    for number, agents in ((3, {"je": "positive"}), (2, {"je": "negative"})):
        world.report(number, "2026-07-20", disease="viral_encephalitis", lab=agents, cluster="O-1")

    found = {
        disease: world.verdict("tt15_22_1c", "2026-07-26", disease=disease).numbers["cases"]
        for disease in ("viral_encephalitis", "je")
    }
    assert found == {"viral_encephalitis": 5, "je": 3}


def test_before_the_first_record_nothing_is_known(world: World) -> None:
    for monday, number in zip(WEEKS_30[2:], (2, 4, 6), strict=True):
        world.report(number, monday, "03412" if monday < "2025-07-01" else "03390")
    world.report(6, "2026-07-20")
    verdict = world.verdict("tt15_22_1b", "2026-07-26")

    assert (verdict.verdict, verdict.numbers["history"]) == (Outcome.ALERT, [2, 4, 6])
    assert "3/5 năm" in verdict.why_vi
    # A disease that is reported years after its onset does not say since when there are records.
    world.report(1, "2015-01-01", "03412", disease="tuberculosis")
    assert world.verdict("tt15_22_1b", "2026-07-26").numbers["history"] == [2, 4, 6]
    # Any other does.
    world.report(1, "2015-01-01", "03549", disease="measles")
    assert world.verdict("tt15_22_1b", "2026-07-26").numbers["history"] == [0, 0, 2, 4, 6]


def test_an_older_case_is_history_a_minute_later(world: World) -> None:
    world.report(1, "2024-07-22")
    seconds = 0.0
    history = PostgresRuleHistory(world.database_url, clock=lambda: seconds)

    def known_from() -> date | None:
        on = date(2026, 8, 1)
        asked = Asked(
            "hfmd",
            BINH_LU,
            on,
            cases_since=on,
            history_since=on,
            left_out=(),
            wants_communes=False,
            wants_deaths=False,
        )
        (found,) = history.facts_of([asked])
        assert found is not None
        return found[1].known_from

    assert known_from() == date(2024, 7, 22)
    world.report(1, "2021-07-26")
    assert known_from() == date(2024, 7, 22)
    seconds = 61.0
    assert known_from() == date(2021, 7, 26)
    history.close()


def test_declared_years_are_left_out(world: World, connection: Connection[TupleRow]) -> None:
    five_years(world)
    world.report(3, "2026-07-20")
    old = NoticeRow("hfmd", "03412", 2024, None, None, "QĐ 1")
    assert add_notices(connection, [old, old], ["hfmd"], "test") == 2

    numbers = world.verdict("tt15_22_1b", "2026-07-26").numbers
    assert (numbers["history"], numbers["left_out"]) == ([1, 1, 3, 5], {"2024": "outbreak_year"})
    for wrong, message in (
        (old, "hfmd: not in the catalogue"),
        (NoticeRow("dengue", "99999", 2024, None, None, "QĐ 1"), "99999: no area had this code in 2024"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            add_notices(
                connection, [NoticeRow("dengue", "03412", 2023, None, None, "QĐ"), wrong], ["dengue"], "test"
            )
    assert connection.execute("select count(*) from outbreak_notices").fetchone() == (1,)


def test_what_the_station_declared_stays_open_until_it_ends(
    world: World, connection: Connection[TupleRow]
) -> None:
    world.report(1, "2026-07-20", disease="dengue")
    add_notice(connection, "dengue", BINH_LU, date(2026, 7, 20), "trạm y tế", "nurse")

    def end(on: str) -> Outcome:
        return world.verdict("tt15_16_3b", on, disease="dengue").verdict

    assert [end(day) for day in ("2026-07-31", "2026-08-01")] == [Outcome.STAYS_OPEN, Outcome.ENDED_PROPOSED]
    assert end_notice(connection, "dengue", BINH_LU, date(2026, 8, 3), "nurse") == date(2026, 7, 20)
    assert end("2026-08-04") is Outcome.NO
    assert end_notice(connection, "dengue", BINH_LU, date(2026, 8, 3), "nurse") is None


def test_districts_and_provinces_until_2025(world: World) -> None:
    for code in ("03390", "03412", "03549", "03550"):
        for year in (2021, 2022, 2023):
            world.report(1, f"{year}-07-05", code)
    for code, number in (("03390", 2), ("03412", 2), ("03549", 2), ("03550", 1)):
        world.report(number, "2024-07-05", code)

    def upper(rule: str, code: str, on: str = "2024-07-31") -> Verdict:
        with connect(world.database_url) as found:
            area_id = area_id_of(found, code, date.fromisoformat(on))
        return world.verdict(rule, on, area_id=area_id)

    tam_duong = upper("qd02_district", "106")
    assert (tam_duong.verdict, tam_duong.numbers["area_ids"]) == (
        Outcome.OUTBREAK,
        ["03390@start", "03412@start"],
    )
    assert upper("qd02_district", "109").verdict is Outcome.NO
    assert upper("qd02_province", "12").verdict is Outcome.NO
    world.report(1, "2024-07-06", "03550")
    assert upper("qd02_province", "12").verdict is Outcome.OUTBREAK
    assert upper("qd02_province", "12", "2025-07-31").verdict is Outcome.NOT_APPLICABLE
    assert upper("qd02_district", "106", "2025-07-31").verdict is Outcome.NOT_APPLICABLE


def test_deaths_of_the_district_call_the_provincial_cdc(world: World) -> None:
    for code in ("03390", "03412"):
        world.report(1, "2024-07-05", code, died_at="2024-07-09")
    world.report(1, "2024-07-05", "03549", died_at="2024-07-09")
    own = world.verdict("tt17_12", "2024-07-31", area_id="03412@start")
    other = world.verdict("tt17_12", "2024-07-31", area_id="03549@start")

    assert (own.numbers["responder"], own.numbers["deaths_in_district"]) == ("provincial_cdc", 2)
    assert (other.numbers["responder"], other.numbers["deaths_in_district"]) == ("district", 1)


def test_an_old_commune_is_read_as_what_it_became(world: World) -> None:
    world.report(3, "2026-07-20", disease="dengue", cluster="O-1")

    assert (
        world.verdict("tt15_22_1c", "2026-07-26", disease="dengue", area_id="03412@start").area_id == BINH_LU
    )
    with pytest.raises(ConfigurationError, match="no single area stands for 03390@2025-07-01 on 2024-01-01"):
        world.verdicts("2024-01-01")
    with pytest.raises(ConfigurationError, match="no such disease"):
        world.verdicts("2026-07-26", disease="martian_flu")


# --- loading ------------------------------------------------------------------------------------------------


def test_rules_are_versioned_and_a_provinces_file_stays(
    world: World, connection: Connection[TupleRow], published_catalogue: Catalogue
) -> None:
    packaged = read_rules(connection)
    watching = PostgresRules(world.database_url)
    assert watching.in_force() is watching.in_force()
    text = f"endemic:\n  - {{disease: dengue, area_id: {BINH_LU}, is_endemic: true, reason: CDC}}\n"
    loaded = load_province_rules(connection, published_catalogue, text, "lc.yaml", "test")

    assert (loaded.load_id, loaded.is_new) == (packaged.load_id + 1, True)
    assert watching.in_force().version == loaded.version
    watching.close()
    assert loaded.version != packaged.version
    assert not load_province_rules(
        connection, published_catalogue, text + "# same\n", "lc.yaml", "test"
    ).is_new
    assert not load_packaged_rules(connection, published_catalogue, "migrate").is_new
    verdict = world.verdict("tt15_22_1b", "2026-07-26", disease="dengue")
    assert (verdict.rule_version, verdict.numbers["endemic"]) == (loaded.version, "yes")
    back = load_province_rules(connection, published_catalogue, "{}", "lc.yaml", "test")
    assert (back.load_id, back.version) == (loaded.load_id + 1, packaged.version)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thresholds: [{id: a}]", "lc.yaml: thresholds 'a'"),
        (
            "endemic: [{disease: hfmd, area_id: 99999@start, is_endemic: true, reason: CDC}]",
            "no commune 99999@start",
        ),
        (
            "endemic: [{disease: hfmd, area_id: 106@start, is_endemic: true, reason: CDC}]",
            "no commune 106@start",
        ),
    ],
)
def test_a_wrong_file_changes_nothing(
    connection: Connection[TupleRow], published_catalogue: Catalogue, text: str, message: str
) -> None:
    before = read_rules(connection).version
    with pytest.raises(ConfigurationError, match=message):
        load_province_rules(connection, published_catalogue, text, "lc.yaml", "test")

    assert read_rules(connection).version == before


def test_without_rules_somebody_is_told(empty_database_url: str) -> None:
    with (
        connect(empty_database_url) as connection,
        pytest.raises(ConfigurationError, match="canhdich migrate"),
    ):
        read_rules(connection)


# --- the command --------------------------------------------------------------------------------------------


@pytest.fixture
def canhdich(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in this process, on some settings."""

    def run_command(configured: Settings, *argv: str) -> Result:
        for module in ("connection", "rules_command"):
            monkeypatch.setattr(f"services.cli.{module}.settings", lambda: configured)
        return CliRunner().invoke(app, [*argv], catch_exceptions=False)

    return run_command


def test_the_command_prints_what_the_rules_say(
    world: World, settings_for: SettingsFactory, tmp_path: Path, canhdich: Callable[..., Result]
) -> None:
    five_years(world)
    world.report(8, "2026-07-20")
    configured = settings_for(world.database_url, "none-")

    def checked(configured: Settings, **options: str) -> dict[str, Any]:
        argv = [text for name, value in options.items() for text in (f"--{name}", value)]
        done = canhdich(configured, "rules", "check", *argv, "--json")
        assert done.exit_code == 0, done.stderr
        return {row["rule"]: row for row in json.loads(done.stdout)}

    rows = checked(configured, area="03390", disease="hfmd", on="2026-07-26")
    weekly = rows["tt15_22_1b"]
    assert (weekly["verdict"], weekly["level"], weekly["numbers"]["to"]) == ("above_band", "above_band", 7)
    assert weekly["why"] == f"{weekly['why_vi']} / {weekly['why_en']}"
    by_old_code = checked(configured, area="03412", disease="hfmd", on="2026-07-26", geography="2025-06-30")
    assert by_old_code["tt15_22_1b"] == weekly
    before = checked(configured, area="03390", disease="hfmd", on="2026-07-26", **{"as-of": "2026-08-01"})
    assert before["tt15_22_1b"]["numbers"]["cases"] == 0

    (tmp_path / "notices.csv").write_text(
        "disease,area_code,year,started_on,ended_on,source\nhfmd,03390,2025,2025-07-22,2025-09-01,QĐ 9\n"
    )
    (tmp_path / "lc.yaml").write_text("settings: {usable_years: 5}\n")
    for file in ("notices.csv", "lc.yaml"):
        done = canhdich(configured, "rules", "load", str(tmp_path / file), "--json")
        assert done.exit_code == 0, done.stderr
    after = checked(configured, area="03390", disease="hfmd", on="2026-07-26")["tt15_22_1b"]
    assert (after["verdict"], after["numbers"]["history"]) == ("not_enough_history", [1, 1, 3, 5])
    assert after["rule_version"] != weekly["rule_version"]

    listed = canhdich(configured, "rules", "list", "--json")
    assert {row["rule"] for row in json.loads(listed.stdout)} == rows.keys()
    shown = canhdich(
        configured, "rules", "check", "--area", "03390", "--disease", "hfmd", "--on", "2026-07-26"
    )
    assert "không đủ số liệu" in shown.stdout


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["check", "--area", "99999", "--disease", "hfmd"], "99999: no area had this code"),
        (["check", "--area", "03390", "--disease", "hfdm"], "hfdm: the rules in force know no such disease"),
        (["check", "--area", "03390", "--disease", "hfmd", "--on", "26/7"], "--on 26/7: a day is written"),
        (["check", "--area", "03390", "--disease", "hfmd", "--as-of", "now"], "--as-of now: an instant"),
        (["load", "wrong.yaml"], "wrong.yaml: the file: rules"),
        (["load", "wrong.csv"], "wrong.csv: line 1: the header must be"),
    ],
)
def test_the_command_says_what_is_wrong(
    scratch_settings: Settings,
    tmp_path: Path,
    canhdich: Callable[..., Result],
    argv: list[str],
    message: str,
) -> None:
    for file in ("wrong.yaml", "wrong.csv"):
        (tmp_path / file).write_text("rules: []\n")
    done = canhdich(
        scratch_settings, "rules", *(str(tmp_path / a) if a.startswith("wrong") else a for a in argv)
    )

    assert done.exit_code == 2
    assert message in done.stderr

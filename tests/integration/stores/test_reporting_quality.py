"""Delays, completeness, silence and nowcasts on a real database, from events folded week by week."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from services.settings import Settings
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.delay import Deadline
from streams.domain.errors import ConfigurationError
from streams.handlers.fold_cases import Record
from streams.stores.boards import refresh_nowcasts
from streams.stores.completeness import read_completeness
from streams.stores.counts import CountsRequest, read_counts
from streams.stores.delay import read_delays
from streams.stores.quality import refresh_reporters
from streams.stores.scope import Scope
from streams.stores.silence import read_regular, read_silence
from streams.stores.triangle import NowcastRequest, read_nowcast
from tests.builders import event
from tests.commands import printed, run
from tests.integration.stores.conftest import PostgresStore
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

BEFORE, AFTER = date(2023, 12, 31), date(2026, 12, 31)
MONDAY = date(2023, 1, 2)
WEEK = timedelta(days=7)
TODAY = date(2026, 11, 22)
DAILY = {"dengue": [Deadline(None, date(2026, 6, 30), "24h"), Deadline(date(2026, 7, 1), None, "48h")]}


def local(day: date, hour: float = 9) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE).astimezone(UTC) + timedelta(hours=hour)


@dataclass
class History:
    """Events, each with when Kafka had it."""

    appended: list[tuple[datetime, bytes]] = field(default_factory=list)

    def add(
        self,
        subject: str,
        known: datetime,
        kind: str = "reported",
        recorded: datetime | None = None,
        source: str | None = None,
        **data: Any,
    ) -> None:
        """One event, recorded when it was appended unless said otherwise."""
        made = json.loads(event(subject, len(self.appended) + 1, kind, recorded or known, **data))
        if source is not None:
            made["source"] = source
        self.appended.append((known, json.dumps(made).encode()))

    def fold_into(self, store: PostgresStore) -> None:
        """All of it, in the order of the appending."""
        self.appended.sort(key=lambda pair: pair[0])
        ledger = store.open()
        batch = [
            Record(0, offset, known, str(json.loads(value)["subject"]).encode(), value)
            for offset, (known, value) in enumerate(self.appended)
        ]
        for first in range(0, len(batch), 500):
            fold(ledger, batch[first : first + 500])


def delays(store: PostgresStore, by: list[Any], scope: Scope | None = None, **changes: Any) -> Any:
    asked = {"basis": "onset", "deadlines": DAILY, "today": TODAY, **changes}
    return read_delays(store.connection, scope or Scope(BEFORE), by, **asked)


# --- Delays -------------------------------------------------------------------------------------------------


@pytest.fixture
def reported(store: PostgresStore) -> PostgresStore:
    """Six cases: with and without an onset, on time and late, imported afterwards, and after the reform."""
    day = date(2023, 7, 4)
    history = History()
    history.add("LC-0", local(MONDAY), onset_on="2023-01-01", area_code="12")
    history.add(
        "LC-1", local(day), onset_on="2023-07-01", diagnosed_at="2023-07-03T10:00:00+07:00", sex="male"
    )
    history.add(
        "LC-2", local(day + 2 * WEEK), onset_on="2023-07-03", diagnosed_at="2023-07-03", area_code="03549"
    )
    history.add("LC-3", local(day), onset_on=None, disease="measles", area_code="106")
    # An old line list: its own times say when it was recorded.
    history.add("LC-4", local(date(2026, 2, 1)), recorded=local(day), onset_on="2023-07-02")
    history.add("LC-4", local(date(2026, 2, 2)), "updated", sex="female", age_years=30)
    history.add(
        "LC-5",
        local(date(2026, 7, 10), hour=10),
        area_code="03390",
        onset_on="2026-07-05",
        diagnosed_at="2026-07-08T11:00:00+07:00",
        reporting_facility="TTYT-106",
    )
    history.add("LC-6", local(day))
    history.add("LC-6", local(day + WEEK), "retracted")
    history.fold_into(store)
    return store


def test_delays_by_disease(reported: PostgresStore) -> None:
    dengue, measles = delays(reported, ["disease"])

    assert (dengue["disease"], dengue["disease_name"], dengue["cases"]) == ("dengue", "Bệnh dengue", 5)
    assert dengue["onset_to_report"] == {"n": 5, "q1": 2, "median": 3, "q3": 5, "p90": 15, "longest": 15}
    assert (dengue["backfilled"], dengue["missing_onset"]) == (1, 0)
    assert dengue["report_to_known"]["n"] == dengue["onset_to_known"]["n"] == 4
    assert dengue["onset_to_known"]["longest"] == 15
    assert (measles["cases"], measles["missing_onset"], measles["onset_to_report"]) == (1, 1, None)


def test_the_deadline_of_the_day(reported: PostgresStore) -> None:
    (dengue,) = delays(reported, ["disease"], Scope(BEFORE, disease="dengue"))

    # LC-1: 23 hours; LC-5: 47 hours, after the change of the law; LC-2: 15 days.
    law = dengue["deadline"]
    assert (law["on_time"], law["late"], law["by_day"], law["no_diagnosis"]) == (2, 1, 0, 2)
    assert law["share"] == pytest.approx(2 / 3)
    (as_before,) = delays(
        reported,
        ["disease"],
        Scope(BEFORE, disease="dengue"),
        deadlines={"dengue": [Deadline(None, None, "24h")]},
    )
    assert as_before["deadline"]["late"] == 2


def test_delays_by_place_facility_and_time(reported: PostgresStore) -> None:
    by_district = delays(reported, ["district"], Scope(AFTER, province="12"))
    assert [(row["district"], row["district_name"], row["cases"]) for row in by_district] == [
        ("106", "surveillance 106@2025-07-01", 4),
        ("109", "surveillance 109@2025-07-01", 1),
        (None, None, 1),
    ]
    by_facility = delays(reported, ["facility"])
    assert [(row["facility"], row["cases"]) for row in by_facility] == [("LC-TYT-03412", 5), ("TTYT-106", 1)]
    weeks = delays(reported, ["week"], Scope(BEFORE, first=date(2023, 6, 1), last=date(2023, 7, 31)))
    assert [(row["week"], row["week_start"], row["cases"]) for row in weeks] == [
        ("2023-W26", date(2023, 6, 26), 2),
        ("2023-W27", date(2023, 7, 3), 2),
    ]
    years = delays(reported, ["year", "month"], basis="report")
    assert [(row["year"], row["month"], row["cases"]) for row in years] == [
        (2023, "2023-01", 1),
        (2023, "2023-07", 4),
        (2026, "2026-07", 1),
    ]


@pytest.mark.parametrize(
    ("scope", "cases"),
    [
        (Scope(BEFORE), 6),
        (Scope(BEFORE, province="12"), 6),
        (Scope(BEFORE, district="109"), 1),
        (Scope(BEFORE, disease="measles"), 1),
        (Scope(BEFORE, first=date(2024, 1, 1)), 1),
        (Scope(BEFORE, last=date(2023, 1, 1)), 1),
    ],
)
def test_every_filter_counts(reported: PostgresStore, scope: Scope, cases: int) -> None:
    (row,) = delays(reported, [], scope)
    (form,) = read_completeness(reported.connection, scope, [], "onset", ())

    assert row["cases"] == form["cases"] == cases


def test_a_code_that_means_nothing_is_an_error(reported: PostgresStore) -> None:
    with pytest.raises(ConfigurationError, match="--province 99"):
        delays(reported, [], Scope(BEFORE, province="99"))
    with pytest.raises(ConfigurationError, match="--disease zika: not in the catalogue"):
        delays(reported, [], Scope(BEFORE, disease="zika"))


def test_no_cases_no_rows(store: PostgresStore) -> None:
    assert delays(store, ["disease"]) == []
    assert read_completeness(store.connection, Scope(BEFORE), [], "onset", ()) == []
    assert read_silence(store.connection, Scope(BEFORE), BEFORE) == []
    assert read_nowcast(store.connection, NowcastRequest(Scope(BEFORE), [], local(BEFORE))) == []


# --- Completeness -------------------------------------------------------------------------------------------


def test_completeness_of_the_present_state(reported: PostgresStore) -> None:
    dengue, measles = read_completeness(reported.connection, Scope(BEFORE), ["disease"], "onset", {"dengue"})

    assert (dengue["disease"], dengue["cases"], dengue["complete"]) == ("dengue", 5, 0)
    # LC-1 by its report, LC-4 by its update.
    assert dengue["fields"]["sex"] == {"asked": 5, "filled": 2, "share": 0.4}
    # LC-0 names the province only.
    assert dengue["fields"]["commune"]["filled"] == 4
    assert dengue["fields"]["severity"]["asked"] == 5
    assert measles["fields"]["severity"]["asked"] == 0
    assert measles["fields"]["onset_on"] == {"asked": 1, "filled": 0, "share": 0.0}


# --- Silence ------------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(store: PostgresStore) -> PostgresStore:
    """A stops after 20 weeks, B goes on, C reports now and then, D's updates go on, E's list came at once."""
    history = History()
    for week in range(30):
        day = MONDAY + week * WEEK + timedelta(days=2)
        if week < 20:
            history.add(f"A-{week}", local(day), source="/facilities/A", onset_on=str(day))
        history.add(f"B-{week}", local(day), reporting_facility="B", onset_on=str(day), area_code="03549")
        if week % 9 == 0:
            history.add(f"C-{week}", local(day), source="/facilities/C", onset_on=str(day))
        history.add(
            "D-0",
            local(day),
            "reported" if week == 0 else "updated",
            source="/facilities/D",
            **({"onset_on": str(day)} if week == 0 else {"severity": str(week)}),
        )
        if week < 15:
            history.add(
                f"E-{week}",
                local(MONDAY + 29 * WEEK),
                reporting_facility="E",
                onset_on=str(day),
                reported_on=str(day),
            )
    history.fold_into(store)
    return store


def test_who_stopped_is_found(stopped: PostgresStore) -> None:
    found = read_silence(stopped.connection, Scope(BEFORE, province="12"), MONDAY + 30 * WEEK)

    assert {row["reporter"]: row["state"] for row in found} == {
        "E": "silent",
        "A": "silent",
        "B": "reporting",
        "D": "reporting",
        "C": "rare",
    }
    # E's list was imported in the last week, but says itself when its cases were reported.
    assert [(row["reporter"], row["silent_weeks"]) for row in found][:2] == [("E", 15), ("A", 10)]
    assert found[1]["last_active"] == MONDAY + 19 * WEEK
    assert (found[1]["district"], found[1]["district_name"]) == ("106", "district 106@start")


def test_silence_is_judged_on_a_day_and_in_a_place(stopped: PostgresStore) -> None:
    early = read_silence(stopped.connection, Scope(BEFORE), MONDAY + 21 * WEEK)
    assert "A" not in {row["reporter"] for row in early if row["state"] == "silent"}
    there = read_silence(stopped.connection, Scope(BEFORE, district="109"), MONDAY + 30 * WEEK)
    assert [row["reporter"] for row in there] == ["B"]
    other = read_silence(stopped.connection, Scope(BEFORE, disease="measles"), MONDAY + 30 * WEEK)
    assert other == []


def test_the_regular_reporters_of_a_period_are_those_of_the_boards(stopped: PostgresStore) -> None:
    """The same from the journal, and as the monitor judged them once it has."""
    scope, on = Scope(BEFORE, province="12"), MONDAY + 30 * WEEK

    def regular(scope: Scope, since: date) -> dict[str, tuple[str, bool]]:
        rows = read_regular(stopped.connection, scope, on + timedelta(days=3), since)
        return {row["reporter"]: (row["state"], row["heard"]) for row in rows}

    wanted = {
        "E": ("silent", False),
        "A": ("silent", True),
        "B": ("reporting", True),
        "D": ("reporting", True),
    }
    elsewhere = Scope(BEFORE, district="109")
    # A's last week is that of its day.
    since = MONDAY + 19 * WEEK + timedelta(days=4)
    assert regular(scope, since) == wanted
    assert regular(elsewhere, since) == {"B": ("reporting", True)}
    refresh_reporters(stopped.connection, on)
    assert regular(scope, since) == wanted
    assert regular(elsewhere, since) == {"B": ("reporting", True)}
    assert regular(scope, since + WEEK)["A"] == ("silent", False)
    # What comes late does not change what was judged: the board shows the same.
    stopped.connection.execute("delete from reporter_weeks where reporter <> 'B'")
    assert set(regular(scope, since)) == {"B"}
    rows = read_regular(stopped.connection, scope, MONDAY, MONDAY - WEEK)
    assert rows == []


# --- Nowcast ------------------------------------------------------------------------------------------------

WEEKS = 45
DELAYS = (0, 0, 0, 0, 1, 1, 2, 3)


@pytest.fixture
def growing(store: PostgresStore) -> PostgresStore:
    """Eight dengue cases a week in each of two districts; in one, one in eight is taken back a week later."""
    history = History()
    for week in range(WEEKS):
        onset = MONDAY + week * WEEK
        for number, delay in enumerate(DELAYS):
            for area in ("03412", "03549"):
                subject = f"LC-{area}-{week}-{number}"
                known = local(onset + delay * WEEK + timedelta(days=3), hour=9 + number)
                history.add(subject, known, area_code=area, onset_on=str(onset + timedelta(days=1)))
                if number == 0 and area == "03549":
                    history.add(subject, known + WEEK, "retracted")
        # A move within the week and the district changes nothing.
        history.add(f"LC-03412-{week}-0", local(onset + 2 * WEEK), "updated", onset_on=str(onset))
    history.fold_into(store)
    return store


def asked(by: list[Any], week: int = 30, **changes: Any) -> NowcastRequest:
    """As of the Tuesday after so many weeks."""
    scope = Scope(
        BEFORE, **{name: changes.pop(name) for name in list(changes) if name in ("disease", "district")}
    )
    return NowcastRequest(scope, by, local(MONDAY + week * WEEK + timedelta(days=1)), **changes)


def test_the_last_weeks_are_completed(growing: PostgresStore) -> None:
    rows = read_nowcast(growing.connection, asked(["district"]))

    assert [row["week_start"] for row in rows[:8]] == [MONDAY + week * WEEK for week in range(22, 30)]
    stays = {row["week"]: row for row in rows if row["district"] == "106"}
    goes = {row["week"]: row for row in rows if row["district"] == "109"}
    assert [row["counted"] for row in stays.values()] == [8, 8, 8, 8, 8, 7, 6, 4]
    assert [row["nowcast"] for row in stays.values()] == pytest.approx([8] * 8, abs=0.6)
    # The newest week still has the one that will be taken back.
    assert [row["counted"] for row in goes.values()] == [7, 7, 7, 7, 7, 6, 5, 4]
    assert [row["nowcast"] for row in goes.values()] == pytest.approx([7] * 8, abs=0.6)
    for row in rows:
        assert row["lower"] <= (8 if row["district"] == "106" else 7) <= row["upper"]
        assert row["why"] is None
    assert stays["2023-W30"]["share_known"] == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("by", [[], ["disease"], ["district"], ["disease", "district"]])
@pytest.mark.parametrize("grain", ["week", "day"])
def test_what_is_counted_is_what_the_counts_say(growing: PostgresStore, by: list[Any], grain: Any) -> None:
    request = asked(by, grain=grain)
    rows = read_nowcast(growing.connection, request)
    ends = request.last_period + (WEEK if grain == "week" else timedelta(days=1))
    as_of = local(ends, hour=0) - timedelta(microseconds=1)
    counts = read_counts(growing.connection, CountsRequest((*by, grain), BEFORE, as_of=as_of))

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in (*by, grain))

    counted = {key(row): row["notified"] for row in counts}
    assert rows
    assert {key(row): row["counted"] for row in rows} == {key(row): counted.get(key(row), 0) for row in rows}


def test_one_disease_is_one_of_the_rows(growing: PostgresStore) -> None:
    every = read_nowcast(growing.connection, asked(["disease", "district"]))
    dengue = read_nowcast(growing.connection, asked(["district"], disease="dengue"))
    measles = read_nowcast(growing.connection, asked(["district"], disease="measles"))

    assert [{**row, "disease": "dengue", "disease_name": "Bệnh dengue"} for row in dengue] == every
    assert measles == []
    only = read_nowcast(growing.connection, asked([], district="109"))
    assert [row["counted"] for row in only] == [row["counted"] for row in every if row["district"] == "109"]


def test_too_short_a_history_is_said(growing: PostgresStore) -> None:
    rows = read_nowcast(growing.connection, asked([], week=12))

    assert [row["counted"] for row in rows] == [15, 15, 15, 15, 15, 13, 11, 8]
    assert {(row["nowcast"], row["lower"], row["upper"], row["share_known"]) for row in rows} == {(None,) * 4}
    assert "complete period(s) are known" in rows[0]["why"]


def stored_nowcasts(store: PostgresStore) -> dict[date, tuple[Any, ...]]:
    found = store.connection.execute(
        "select week_start, counted, nowcast, lower, upper, computed_at from board_nowcasts "
        "where province = '12' and disease = 'dengue'"
    )
    return {row[0]: row[1:] for row in found}


def test_the_boards_keep_the_last_nowcast_of_every_week(growing: PostgresStore) -> None:
    early, late = asked([]).now, asked([], week=36).now
    assert refresh_nowcasts(growing.connection, early) == 8
    first = stored_nowcasts(growing)
    request = NowcastRequest(Scope(early.date(), province="12"), ["disease"], early)
    assert first == {
        row["week_start"]: (row["counted"], row["nowcast"], row["lower"], row["upper"], early)
        for row in read_nowcast(growing.connection, request)
    }
    # Eight of one district and, once what is taken back is gone, seven of the other.
    assert [row[0] for _, row in sorted(first.items())] == [15, 15, 15, 15, 15, 13, 11, 8]
    assert [row[1] for _, row in sorted(first.items())] == pytest.approx([15] * 8, abs=1)

    assert refresh_nowcasts(growing.connection, late) == 8
    second = stored_nowcasts(growing)
    gone = [MONDAY + week * WEEK for week in range(22, 28)]
    assert {week: second[week] for week in gone} == {week: first[week] for week in gone}
    assert {row[-1] for week, row in second.items() if week not in gone} == {late}
    assert sorted(second) == [MONDAY + week * WEEK for week in range(22, 36)]


def test_too_short_a_history_leaves_the_boards_what_is_counted(growing: PostgresStore) -> None:
    assert refresh_nowcasts(growing.connection, asked([], week=12).now) == 8
    assert [row[:4] for _, row in sorted(stored_nowcasts(growing).items())] == [
        (counted, None, None, None) for counted in (15, 15, 15, 15, 15, 13, 11, 8)
    ]


def test_what_was_imported_afterwards_is_no_slow_report(store: PostgresStore) -> None:
    """Live weeks with short delays, and in each one old case that came by a list a month and more later."""
    history = History()
    for week in range(40):
        onset = MONDAY + week * WEEK
        for number in range(4):
            history.add(f"LC-{week}-{number}", local(onset + timedelta(days=2)), onset_on=str(onset))
        history.add(
            f"OLD-{week}",
            local(onset + 5 * WEEK),
            recorded=local(onset + timedelta(days=1)),
            onset_on=str(onset),
        )
    history.fold_into(store)

    rows = read_nowcast(store.connection, asked([], week=38))

    assert [row["counted"] for row in rows] == [5, 5, 5, 4, 4, 4, 4, 4]
    assert [row["nowcast"] for row in rows] == pytest.approx([5, 5, 5, 4, 4, 4, 4, 4], abs=0.2)


def test_an_imported_history_has_days_of_report(store: PostgresStore) -> None:
    """All of it became known in one night; the days of report are its own."""
    history = History()
    for week in range(WEEKS):
        onset = MONDAY + week * WEEK
        for number, delay in enumerate(DELAYS):
            history.add(
                f"LC-{week}-{number}",
                local(date(2026, 11, 1)),
                onset_on=str(onset),
                reported_on=str(onset + delay * WEEK + timedelta(days=3)),
            )
    history.fold_into(store)

    assert read_nowcast(store.connection, asked([])) == []
    rows = read_nowcast(store.connection, asked(["disease"], clock="report"))
    assert [row["counted"] for row in rows] == [8, 8, 8, 8, 8, 7, 6, 4]
    assert [row["nowcast"] for row in rows] == pytest.approx([8] * 8, abs=0.5)
    assert delays(store, [])[0]["report_to_known"] is None
    assert delays(store, [])[0]["onset_to_report"]["median"] == 3


# --- Commands -----------------------------------------------------------------------------------------------


@pytest.fixture
def commands(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> PostgresStore:
    """The commands on this test's database."""
    settings = Settings(kafka_bootstrap="127.0.0.1:1", database_url=SecretStr(store.database_url))
    monkeypatch.setattr("services.cli.connection.settings", lambda: settings)
    return store


COMMANDS = ("delays", "completeness", "silent", "nowcast")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_database_is_no_error(commands: PostgresStore, command: str) -> None:
    assert printed(command) == []
    assert run(command).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["delays", "--by", "colour"], "--by colour: choose from disease, province"),
        (["delays", "--basis", "death"], "--basis death: choose from onset, report"),
        (["delays", "--from", "1/7/2023"], "--from 1/7/2023: a day is written"),
        (["completeness", "--from", "2023-02-01", "--to", "2023-01-01"], "--from is after --to"),
        (["silent", "--on", "yesterday"], "--on yesterday: a day is written"),
        (["nowcast", "--grain", "month"], "--grain month: choose from week, day"),
        (["nowcast", "--clock", "wall"], "--clock wall: choose from known, report"),
        (["nowcast", "--as-of", "noon"], "--as-of noon: an instant is written"),
        (["nowcast", "--province", "99"], "--province 99: no province had this code"),
    ],
)
def test_a_wrong_option_is_refused(commands: PostgresStore, arguments: list[str], message: str) -> None:
    done = run(*arguments)

    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_what_the_commands_print(commands: PostgresStore) -> None:
    history = History()
    for week in range(WEEKS):
        onset = MONDAY + week * WEEK
        for number, delay in enumerate(DELAYS):
            known = local(onset + delay * WEEK + timedelta(days=3))
            history.add(f"LC-{week}-{number}", known, onset_on=str(onset))
    history.fold_into(commands)
    period = ("--province", "12", "--from", "2023-01-01", "--to", "2023-12-31")

    (row,) = printed("delays", *period)
    assert (row["disease"], row["cases"], row["onset_to_known"]["median"]) == ("dengue", 360, 3)
    assert "3 (3–10; 24) 360" in run("delays", *period).stdout
    assert printed("completeness", *period)[0]["fields"]["sex"]["share"] == 0
    assert "360 ca" in run("completeness", *period).stdout
    assert "Giới tính (360)" in run("completeness", *period, "--by", "disease").stdout
    assert [row["state"] for row in printed("silent", "--on", "2024-03-04")] == ["silent"]
    assert "LC-TYT-03412" in run("silent", "--on", "2024-03-04").stdout
    assert printed("silent", "--on", "2023-10-30") == []
    assert [row["state"] for row in printed("silent", "--on", "2023-10-30", "--all")] == ["reporting"]
    at = ("nowcast", "--province", "12", "--as-of", "2023-08-01")
    assert [row["counted"] for row in printed(*at)] == [8, 8, 8, 8, 8, 7, 6, 4]
    assert "2023-W30" in run(*at).stdout
    assert "--clock report" in run("nowcast", "--as-of", "2023-03-01").output

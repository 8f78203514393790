"""From events to alerts of the detectors on real TimescaleDB, and what `canhdich rules detectors` prints."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.settings import Settings
from streams.domain.alerts import Kind, Life
from streams.domain.rules import Outcome, Verdict
from streams.handlers.watch_counts import WatchCounts
from streams.stores.alerts import PostgresAlerts, read_alerts
from streams.stores.database import connect
from streams.stores.deliveries import plan_deliveries
from streams.stores.detector_series import detector_sweep
from tests.builders import event
from tests.conftest import SettingsFactory
from tests.fakes_watch import FakeJudge
from tests.integration.stores.test_rules import BINH_LU, World

pytestmark = pytest.mark.native

TODAY = date(2026, 8, 5)
LAST = date(2026, 7, 27)
"""The Monday of the last complete week."""
WEEK = timedelta(days=7)
DISTRICT = "106@2025-07-01"


class Province(World):
    """A database that histories come to, and a watcher that looks at the clock in it."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        self._subjects = 0
        self.alerts = PostgresAlerts(database_url, Life(), plan_deliveries)
        self.now = datetime(2026, 8, 4, 17, 10, tzinfo=UTC)

    def cases(
        self,
        mondays: Sequence[date],
        code: str = "03390",
        disease: str = "hfmd",
        reported: date | None = None,
    ) -> list[str]:
        """One case with onset on each day, reported then or on another day; their subjects."""
        subjects, values = [], []
        for monday in mondays:
            self._subjects += 1
            subject = f"HX-{self._subjects}"
            subjects.append(subject)
            values.append(
                event(
                    subject,
                    1_000_000 + self._subjects,
                    time=self.at,
                    disease=disease,
                    onset_on=monday.isoformat(),
                    reported_on=(reported or monday).isoformat(),
                    area_code=code,
                )
            )
        self.tell(values)
        return subjects

    def sweep(self) -> int:
        """A watcher that starts on this day and looks once; how many new events the alerts have."""
        with detector_sweep(self.database_url) as detectors:
            handler = WatchCounts(
                FakeJudge({}), self.alerts, lambda changes: None, lambda: self.now, detectors
            )
            events = handler.look_at_the_clock()
        self.now += timedelta(days=1)
        return events

    def check(self, area_id: str = BINH_LU, disease: str = "hfmd") -> list[Verdict]:
        with detector_sweep(self.database_url) as detectors:
            return detectors.check(disease, TODAY)[area_id]


@pytest.fixture
def province(fresh_database_url: str) -> Iterator[Province]:
    """A province without a case; it is 2026-08-05, ten past midnight."""
    province = Province(fresh_database_url)
    yield province
    province.alerts.close()
    province.ledger.close()


@pytest.fixture
def connection(province: Province) -> Iterator[Connection[TupleRow]]:
    """A connection to the province's database."""
    with connect(province.database_url) as opened:
        yield opened


def every_other_week(weeks: int) -> list[date]:
    """Mondays before the last complete week, the oldest so many weeks before it."""
    return [LAST - number * WEEK for number in range(weeks, 1, -2)]


def raised(connection: Connection[TupleRow]) -> dict[str, tuple[str, str, int]]:
    return {
        row["area_id"]: (row["rule_id"], row["level"], row["cases"])
        for row in read_alerts(connection, is_open=False)
    }


def test_an_outbreak_is_one_alert_per_series_and_a_replay_adds_nothing(
    province: Province, connection: Connection[TupleRow]
) -> None:
    """Five years across the reform of 2025 as one history; commune and surveillance area are two series."""
    old = [day for day in every_other_week(290) if day < date(2025, 6, 30)]
    province.cases(old, "03412")
    province.cases([day for day in every_other_week(290) if day >= date(2025, 7, 1)])
    assert province.sweep() == 0

    outbreak = province.cases([LAST] * 12)
    assert province.sweep() == 2

    expected = ("detector_farrington_flexible", "attention", 12)
    assert raised(connection) == {BINH_LU: expected, DISTRICT: expected}
    assert [province.sweep() for _ in range(3)] == [0, 0, 0]
    # The same day again, as after a crash: nothing is kept of the sweep, all is judged again.
    connection.execute("delete from alert_sweeps")
    province.now -= timedelta(days=1)
    assert province.sweep() == 0
    verdict = province.check()[-1]
    assert (verdict.verdict, verdict.is_reconstructed, verdict.is_late) == (Outcome.ALERT, True, False)
    assert verdict.numbers["weeks_of_history"] == 290

    for subject in outbreak[1:]:
        province.update(subject, classification="discarded")
    assert province.sweep() == 2
    kinds = connection.execute("select kind, count(*) from alert_events group by kind order by kind")
    assert kinds.fetchall() == [(Kind.NO_LONGER_MET.value, 2), (Kind.RAISED.value, 2)]
    assert province.sweep() == 0


def test_a_short_history_is_judged_by_ears(province: Province, connection: Connection[TupleRow]) -> None:
    province.cases(every_other_week(30))
    province.cases([LAST] * 9)
    assert province.sweep() == 2
    assert raised(connection)[BINH_LU] == ("detector_ears_c2", "attention", 9)
    assert province.check()[-1].numbers["weeks_of_history"] == 30


def test_a_province_that_has_just_begun_has_no_verdict(province: Province) -> None:
    province.cases([LAST - 3 * WEEK, *[LAST] * 20])
    assert province.sweep() == 0
    assert {verdict.verdict for verdict in province.check()} == {Outcome.NOT_ENOUGH_HISTORY}


def test_a_disease_that_was_never_there_alerts_from_three_cases_on(
    province: Province, connection: Connection[TupleRow]
) -> None:
    """The province's records begin with another disease; weeks without hand-foot-mouth disease are zeros."""
    province.cases([LAST - 300 * WEEK], disease="dengue")
    province.cases([LAST] * 2)
    assert province.sweep() == 0
    province.cases([LAST])
    assert province.sweep() == 2
    assert raised(connection)[BINH_LU] == ("detector_farrington_flexible", "attention", 3)
    assert province.check()[-1].numbers["reason"] == "new_disease"


def test_weeks_before_case_reports_count_are_not_known(
    province: Province, connection: Connection[TupleRow]
) -> None:
    province.cases(every_other_week(290))
    # A Wednesday: its week is not a whole one.
    since = LAST - 20 * WEEK - timedelta(days=5)
    connection.execute(
        "insert into case_reports_since (disease, province_id, since) values ('hfmd', '12@2025-07-01', %s)",
        (since,),
    )
    assert province.check()[-1].numbers["weeks_of_history"] == 20


def test_late_reports_of_the_weeks_before_raise_and_say_that_they_are_late(
    province: Province, connection: Connection[TupleRow]
) -> None:
    province.cases(every_other_week(30))
    onset = LAST - 2 * WEEK
    assert province.sweep() == 0
    province.cases([onset] * 6, reported=onset + timedelta(days=14))
    (discarded,) = province.cases([onset], reported=onset + timedelta(days=14))
    province.update(discarded, classification="discarded")
    assert province.sweep() == 2
    (verdict,) = [verdict for verdict in province.check() if verdict.is_raised]
    assert (verdict.period_start, verdict.is_late) == (onset, True)
    # One more is of the history; the discarded one is no case.
    assert (verdict.numbers["cases"], verdict.numbers["late_cases"]) == (7, 6)
    assert raised(connection)[BINH_LU][2] == 7


def test_reports_within_a_week_after_their_week_are_not_late(province: Province) -> None:
    province.cases(every_other_week(30))
    onset = LAST - 2 * WEEK
    province.cases([onset] * 8, reported=onset + timedelta(days=13))
    (verdict,) = [verdict for verdict in province.check() if verdict.is_raised]
    assert (verdict.numbers["late_cases"], verdict.is_late) == (0, False)


@pytest.fixture
def command(
    province: Province, settings_for: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs `canhdich rules detectors` on the province's database."""
    own: Settings = settings_for(province.database_url, "none-")
    for module in ("connection", "rules_command"):
        monkeypatch.setattr(f"services.cli.{module}.settings", lambda: own)

    def run_command(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["rules", "detectors", *arguments], env={"COLUMNS": "200"})

    return run_command


def test_the_command_shows_what_the_detectors_say(province: Province, command: Callable[..., Result]) -> None:
    province.cases(every_other_week(30))
    province.cases([LAST] * 9)
    asked = ("--disease", "hfmd", "--on", TODAY.isoformat())
    shown = command(*asked, "--area", "03390", "--json")
    assert shown.exit_code == 0, shown.output
    documents = json.loads(shown.stdout)
    assert [document["verdict"] for document in documents] == ["no", "no", "no", "alert"]
    assert documents[-1]["rule"] == "detector_ears_c2"
    table = command(*asked)
    assert table.exit_code == 0
    assert "CHÚ Ý" in table.stdout
    nothing = command("--disease", "dengue", "--on", TODAY.isoformat())
    assert nothing.exit_code == 0
    assert "nothing to judge" in nothing.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--disease", "hfmdd"), "no such disease"),
        (("--disease", "hfmd", "--on", "5/8/2026"), "YYYY-MM-DD"),
        (("--disease", "hfmd", "--on", "2026-08-05", "--area", "99999"), "no area had this code"),
        (("--disease", "hfmd", "--on", "2026-08-05", "--area", "03390"), "no case of hfmd"),
    ],
)
def test_a_wrong_question_is_refused(
    command: Callable[..., Result], arguments: tuple[str, ...], message: str
) -> None:
    refused = command(*arguments)
    assert refused.exit_code == 2
    assert message in " ".join(refused.stderr.split())

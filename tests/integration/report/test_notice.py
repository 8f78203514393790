"""From an outbreak alert to the notice that the station signs, and to the words of the report."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import services.cli.connection
from services.cli import report_command
from services.cli.main import app
from streams.domain.alerts import Life
from streams.domain.rules.verdicts import Level, Outcome
from streams.stores.alerts import PostgresAlerts
from streams.stores.database import connect
from streams.stores.deliveries import plan_deliveries
from tests.conftest import SettingsFactory
from tests.integration.stores.test_alerts import judge
from tests.unit.domain.test_alerts import START, WEEK, verdict

pytestmark = pytest.mark.native

PERIOD = ("--province", "12", "--from", f"{WEEK[0]}", "--to", f"{WEEK[1]}")


@pytest.fixture
def alerts(
    database_url: str, settings_for: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresAlerts]:
    configured = settings_for(database_url, "")
    for module in (services.cli.connection, report_command):
        monkeypatch.setattr(module, "settings", lambda: configured)
    store = PostgresAlerts(database_url, Life(), plan_deliveries)
    judge(store, verdict(7, Outcome.OUTBREAK, Level.OUTBREAK))
    yield store
    store.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


def test_an_outbreak_from_the_alert_to_its_end(
    alerts: PostgresAlerts, database_url: str, tmp_path: Path
) -> None:
    with connect(database_url) as connection:
        ((alert_id,),) = connection.execute("select alert_id from alerts").fetchall()
    short = str(alert_id)[:8]

    unknown = run("notice", "x")
    assert unknown.exit_code == 2
    assert "no alert begins so" in unknown.output
    refused = run("notice", short)
    assert refused.exit_code == 1
    assert "chưa xác định có dịch" in refused.output

    alerts.act(alert_id, "determine", "tram", START, None, START)
    file = tmp_path / "notice.docx"
    result = run("notice", short, "--out", str(file), "--json")
    assert result.exit_code == 0, result.output
    notice = json.loads(result.stdout)
    assert notice["due_at"] == (START + timedelta(hours=24)).isoformat()
    assert "07 trường hợp" in notice["draft"]
    assert file.read_bytes().startswith(b"PK")
    assert run("notice", short, "--end").exit_code == 1

    report = json.loads(run("situation", *PERIOD, "--json").stdout)
    said = {section["key"]: [p["text"] for p in section["paragraphs"]] for section in report["sections"]}
    assert "ổn định" not in said["opening"][0]
    assert said["alerts"][0].startswith("Có dịch: Bệnh Sốt xuất huyết Dengue tại")
    assert "trạm y tế xác định có dịch ngày" in said["alerts"][0]
    before = (START - timedelta(seconds=1)).isoformat()
    then = json.loads(run("situation", *PERIOD, "--as-of", before, "--json").stdout)
    assert "Không có cảnh báo dịch" in json.dumps(then, ensure_ascii=False)

    alerts.act(alert_id, "end", "tram", START + timedelta(days=30), None, START + timedelta(days=30))
    ended = run("notice", short, "--end")
    assert ended.exit_code == 0, ended.output
    assert "kết thúc dịch" in ended.stdout

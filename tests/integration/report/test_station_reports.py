# ruff: noqa: E501 (sentences are shown whole)
"""The reports of a focus and of an outbreak, by the commands, on a database: every figure asked again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docx
import pytest

import services.cli.connection
from schemas.catalogue import Catalogue
from services.cli import report_command
from streams.domain.alerts import Life
from streams.domain.rules.verdicts import Level, Outcome
from streams.stores.alerts import PostgresAlerts
from streams.stores.database import connect
from streams.stores.deliveries import plan_deliveries
from streams.stores.ledger import PostgresLedger
from streams.stores.reports import PostgresReports
from tests import ledger_contract, reports_contract
from tests.builders import event, position
from tests.commands import printed, run
from tests.conftest import SettingsFactory
from tests.demo_store import recorded
from tests.fakes import run as finish
from tests.integration.report.test_situation import asked_again
from tests.integration.stores.test_alerts import judge
from tests.report_builders import focus
from tests.unit.domain.test_alerts import START, verdict

pytestmark = pytest.mark.native

FOCUS = "LC-OD-2026-01"
COMMUNE = "03390"
# 08:00 by the local clock, Monday 20 July 2026: the day on which the alert is raised.
MORNING = START
DAY = timedelta(days=1)


def cases() -> list[bytes]:
    """Five cases of dengue in the commune, four of them of the focus, one of these dead."""
    told = [
        ("2026-07-20", "bản Nà Hum", {"lab": {"dengue": "positive"}, "sex": "male", "age_years": 3}),
        ("2026-07-20", "bản Nà Hum", {"lab": {"dengue": "pending"}, "sex": "female", "age_years": 30}),
        ("2026-07-21", "bản Phìn Hồ", {"outcome": "dead", "sex": "female", "age_years": 70}),
        ("2026-07-22", None, {"sex": "male"}),
    ]
    found = [
        event(
            f"LC-{number}",
            number,
            time=MORNING + number * timedelta(hours=12),
            disease="dengue",
            area_code=COMMUNE,
            onset_on=onset,
            cluster=FOCUS,
            **({} if hamlet is None else {"hamlet": hamlet}),
            **more,
        )
        for number, (onset, hamlet, more) in enumerate(told, 1)
    ]
    alone = event("LC-9", 9, time=MORNING, disease="dengue", area_code=COMMUNE, onset_on="2026-07-19")
    return [alone, *found]


def updates() -> list[bytes]:
    """The focus on Monday, on Wednesday, and its end on Friday."""
    named = {"kind": "outbreak", "disease": "dengue", "area_code": COMMUNE, "started_on": "2026-07-20"}
    return [
        focus(FOCUS, 101, MORNING, **named, place="bản Nà Hum", ill=2, dead=0),
        focus(FOCUS, 102, MORNING + 2 * DAY, **named, ill=5, dead=1, samples=3),
        focus(FOCUS, 103, MORNING + 4 * DAY, **named, ended_on="2026-07-24"),
        focus("LC-NDTP-2026-01", 104, MORNING, area_code=COMMUNE, started_on="2026-07-20"),
    ]


@pytest.fixture(scope="module")
def filled(database_url: str, published_catalogue: Catalogue) -> str:
    """This module's database with cases, foci and an alert of an outbreak."""
    ledger = PostgresLedger(database_url)
    assert finish(ledger.replace_positions({0: None}, {0: position()}))
    ledger_contract.fold(ledger, recorded(cases()))
    ledger.close()
    reports = PostgresReports(database_url, "focus")
    assert finish(reports.replace_positions({0: None}, {0: position()}))
    reports_contract.fold(reports, "focus", recorded(updates()))
    reports.close()
    alerts = PostgresAlerts(database_url, Life(), plan_deliveries)
    judge(alerts, verdict(5, Outcome.OUTBREAK, Level.OUTBREAK))
    alerts.close()
    return database_url


@pytest.fixture
def commands(filled: str, settings_for: SettingsFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    configured = settings_for(filled, "")
    for module in (services.cli.connection, report_command):
        monkeypatch.setattr(module, "settings", lambda: configured)
    return filled


def texts(document: dict[str, Any]) -> dict[str, list[str]]:
    return {section["key"]: [p["text"] for p in section["paragraphs"]] for section in document["sections"]}


def check_figures(document: dict[str, Any]) -> int:
    """Every figure is the answer to its own question; how many there are."""
    answers: dict[str, Any] = {}
    for figure in document["figures"]:
        less = asked_again(figure["minus"], answers) if "minus" in figure else 0
        assert asked_again(figure["query"], answers) - less == figure["value"], figure
    return len(document["figures"])


def test_the_days_of_a_focus(commands: str) -> None:
    days = printed("foci", "--subject", FOCUS)["days"]
    assert [(row["day"], row["ill"], row["dead"], row["samples"], row["ended_on"]) for row in days] == [
        ("2026-07-20", 2, 0, None, None),
        ("2026-07-22", 5, 1, 3, None),
        ("2026-07-24", 5, 1, 3, "2026-07-24"),
    ]
    assert "bị ốm" not in run("foci", "--subject", FOCUS).stdout
    then = (MORNING + DAY).isoformat()
    assert len(printed("foci", "--subject", FOCUS, "--as-of", then)["days"]) == 1


def test_the_daily_report(commands: str, tmp_path: Path) -> None:
    report = printed("report", "focus", FOCUS, "--on", "2026-07-22")
    said = texts(report)
    assert said["focus"][:3] == [
        "Tên bệnh: Bệnh Sốt xuất huyết Dengue.",
        "Địa điểm xảy ra ổ dịch: bản Nà Hum, xã Bình Lư, tỉnh Lai Châu.",
        "Ngày khởi phát trường hợp bệnh đầu tiên: 20/7/2026 (theo các ca bệnh gắn với ổ dịch trong hệ thống).",
    ]
    assert said["numbers"] == [
        "Đến hết ngày 22/7/2026: 05 trường hợp mắc, 01 trường hợp tử vong.",
        "So với số liệu đến hết ngày 20/7/2026: thêm 03 trường hợp mắc, thêm 01 trường hợp tử vong.",
        "Trong hệ thống có 04 trường hợp mắc gắn với ổ dịch này (01 trường hợp tử vong, 02 trường hợp có xét nghiệm, 01 trường hợp dương tính).",
        "Số mắc do đơn vị báo cáo và số ca bệnh gắn với ổ dịch chênh lệch 01 trường hợp.",
    ]
    assert check_figures(report) == 10
    assert report["due_at"] == "2026-07-23T00:00:00+07:00"
    assert "Số ngày chưa có cập nhật từ báo cáo đầu tiên: 01." in report["draft"]
    by_day, linked = report["annexes"]
    assert by_day["rows"][-1] == ["22/7/2026", 5, 1, 3, None]
    assert linked["rows"] == [
        ["20/7/2026", "bản Nà Hum", 2, 0, 2, 1],
        ["21/7/2026", "bản Phìn Hồ", 1, 1, 0, 0],
        ["22/7/2026", "Chưa rõ", 1, 0, 0, 0],
    ]
    assert len(asked_rows(linked["queries"][0])) == 3

    file = tmp_path / "focus.docx"
    assert run("report", "focus", FOCUS, "--on", "2026-07-22", "--out", str(file)).exit_code == 0
    paper = docx.Document(str(file))
    assert paper.paragraphs[0].text.startswith("DỰ THẢO")
    assert "TRẠM Y TẾ XÃ BÌNH LƯ" in paper.tables[0].rows[0].cells[0].text
    assert [cell.text for cell in paper.tables[-1].rows[1].cells] == [
        "20/7/2026",
        "bản Nà Hum",
        "2",
        "0",
        "2",
        "1",
    ]
    text = run("report", "focus", FOCUS, "--on", "2026-07-22").stdout
    assert said["numbers"][0] in text
    assert text.startswith("*DỰ THẢO")


def asked_rows(query: dict[str, Any]) -> list[dict[str, Any]]:
    answers: dict[str, Any] = {}
    asked_again({**query, "column": "*"}, answers)
    (rows,) = answers.values()
    return list(rows)


def test_a_day_without_an_update_and_what_was_known_then(commands: str) -> None:
    silent = printed("report", "focus", FOCUS, "--on", "2026-07-21")
    assert texts(silent)["numbers"][1] == (
        "Ngày 21/7/2026 chưa có cập nhật, số liệu trên là của ngày 20/7/2026."
    )
    check_figures(silent)
    # By Tuesday morning nobody had told of the second case linked to it.
    then = (MORNING + timedelta(hours=20)).isoformat()
    known = printed("report", "focus", FOCUS, "--on", "2026-07-20", "--as-of", then)
    assert texts(known)["numbers"][2].startswith("Trong hệ thống có 01 trường hợp mắc gắn với ổ dịch này")
    check_figures(known)


def test_the_closing_report(commands: str) -> None:
    closing = printed("report", "focus", FOCUS, "--end")
    assert closing["to"] >= "2026-07-24"
    assert "Ngày ổ dịch kết thúc hoạt động: 24/7/2026." in texts(closing)["closing"]
    assert texts(closing)["closing"][7].startswith(
        "Tổng số: 05 trường hợp mắc, 01 trường hợp tử vong, 03 mẫu xét nghiệm, "
    )
    assert check_figures(closing) == 8
    assert closing["due_at"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("focus", FOCUS, "--on", "2026-07-22", "--end"), 1, "no day of its end"),
        (("focus", FOCUS, "--on", "2026-07-25"), 1, "đã kết thúc ngày 24/7/2026"),
        (("focus", FOCUS, "--on", "2026-07-19"), 2, "nothing was recorded of it by"),
        (("focus", FOCUS, "--on", "2090-01-01"), 2, "the day has not come"),
        (("focus", "LC-OD-9"), 2, "No focus LC-OD-9 is known"),
        (("focus", "LC-NDTP-2026-01"), 2, "is a food poisoning"),
        (("outbreak", "x"), 2, "no alert begins so"),
    ],
)
def test_what_cannot_be_reported_is_refused(
    commands: str, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    result = run("report", *arguments)
    assert result.exit_code == code
    assert reason in " ".join(result.output.split())
    assert run("foci", "--subject", FOCUS, "--province", "12").exit_code == 2


def test_groups_of_cases(commands: str) -> None:
    asked = (
        "cases",
        "groups",
        "--area",
        COMMUNE,
        "--disease",
        "dengue",
        "--from",
        "2026-07-01",
        "--to",
        "2026-07-31",
    )
    assert [(row["sex"], row["cases"]) for row in printed(*asked, "--by", "sex")] == [
        ("female", 2),
        ("male", 2),
        ("unknown", 1),
    ]
    (counted,) = printed(
        "counts", "--province", "12", "--disease", "dengue", "--from", "2026-07-01", "--to", "2026-07-31"
    )
    (total,) = printed(*asked)
    assert (total["cases"], total["deaths"], total["positive"], total["pending"]) == (
        counted["notified"],
        counted["deaths"],
        counted["positive"],
        counted["pending"],
    )
    assert printed(*asked, "--cluster", "none") == []
    assert run(*asked, "--cluster", "none").stdout.startswith("Không có ca bệnh nào")
    assert "female" in run(*asked, "--by", "sex,age").stdout
    assert run(*asked, "--by", "moon").exit_code == 2


def test_the_report_of_an_outbreak_and_of_its_end(commands: str, tmp_path: Path) -> None:
    with connect(commands) as connection:
        ((alert_id,),) = connection.execute("select alert_id from alerts").fetchall()
    short = str(alert_id)[:8]
    refused = run("report", "outbreak", short, "--on", "2026-07-23")
    assert (refused.exit_code, "chưa xác định có dịch" in refused.output) == (1, True)

    alerts = PostgresAlerts(commands, Life(), plan_deliveries)
    alerts.act(alert_id, "determine", "tram", MORNING + DAY, None, MORNING + DAY)
    report = printed("report", "outbreak", short, "--on", "2026-07-23")
    said = texts(report)
    assert list(said) == [
        "setting", "outbreak", "measures", "resources", "assessment", "difficulties", "solutions", "requests",
    ]  # fmt: skip
    assert said["outbreak"][:6] == [
        "Từ ngày 20/7/2026 đến ngày 23/7/2026 trên địa bàn xã Bình Lư ghi nhận 04 trường hợp mắc, trong đó có 01 trường hợp tử vong.",
        "Kết quả xét nghiệm: 01 trường hợp dương tính, 01 trường hợp đang chờ kết quả xét nghiệm.",
        "Theo thời gian: trường hợp đầu tiên khởi phát ngày 20/7/2026, trường hợp gần nhất ngày 22/7/2026.",
        "Theo địa điểm: bản Nà Hum: 02; bản Phìn Hồ: 01; chưa rõ thôn, tổ: 01.",
        "Theo giới: nữ: 02; nam: 02.",
        "Theo nhóm tuổi: từ 01 đến 04 tuổi: 01; từ 25 đến 44 tuổi: 01; từ 65 tuổi: 01; chưa rõ tuổi: 01.",
    ]
    assert "Ổ dịch tại bản Nà Hum: kết thúc ngày 24/7/2026." in said["outbreak"]
    assert check_figures(report) == 14
    assert report["due_at"] == (MORNING + 2 * DAY).astimezone(UTC).isoformat()

    ended_at = datetime(2026, 8, 31, 3, tzinfo=UTC)
    alerts.act(alert_id, "end", "tram", ended_at, None, ended_at)
    alerts.close()
    file = tmp_path / "end.docx"
    assert run("report", "outbreak", short, "--end", "--out", str(file)).exit_code == 0
    assert any("xác định hết dịch" in paragraph.text for paragraph in docx.Document(str(file)).paragraphs)

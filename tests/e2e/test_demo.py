"""The demo as a newcomer runs it: every figure of the report, and the commands that it names."""

import json
from typing import Any

import httpx
import pytest

from services.demo.figures import figures_of
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.native


@pytest.fixture(scope="module")
def demo(installation: Installation) -> str:
    """What the demo prints."""
    done = installation.run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _rows(installation: Installation, year: int, *by: str) -> list[dict[str, Any]]:
    dimensions = [word for dimension in by for word in ("--by", dimension)]
    period = ("--from", f"{year}-01-01", "--to", f"{year}-12-31")
    rows: list[dict[str, Any]] = installation.json("counts", "--province", "12", *period, *dimensions)
    return rows


@pytest.mark.parametrize("year", [2022, 2023])
def test_every_figure_equals_the_reports(installation: Installation, demo: str, year: int) -> None:
    rows = {row["disease"]: row for row in _rows(installation, year, "disease")}
    for disease, figures in figures_of(year).items():
        for counter in ("notified", "deaths", "positive", "negative", "pending", "imported"):
            expected = getattr(figures, counter)
            found = rows[disease][counter] if disease in rows else 0
            assert found == expected, (disease, year, counter)


def test_the_three_rabies_deaths_are_one_in_each_district(installation: Installation, demo: str) -> None:
    rows = [row for row in _rows(installation, 2023, "district", "disease") if row["disease"] == "rabies"]
    assert [(row["district"], row["notified"], row["deaths"]) for row in rows] == [
        ("107", 1, 1),
        ("109", 1, 1),
        ("112", 1, 1),
    ]


def test_a_resolved_syndrome_counts_in_both_and_once_in_the_total(
    installation: Installation, demo: str
) -> None:
    by_disease = {row["disease"]: row for row in _rows(installation, 2023, "disease")}
    assert by_disease["measles"]["notified"] == by_disease["measles"]["resolved_from_syndrome"] == 2
    (total,) = _rows(installation, 2023)
    own = sum(row["notified"] - row["resolved_from_syndrome"] for row in by_disease.values())
    assert total["notified"] == own


def test_the_output_is_stamped_and_says_what_is_next(demo: str) -> None:
    assert demo.count("DỮ LIỆU MÔ PHỎNG") >= 2
    assert "no drift" in demo
    assert "What to look at next" in demo
    assert max(map(len, demo.splitlines())) <= 110


def test_the_demo_may_be_run_again(installation: Installation, demo: str) -> None:
    before = _rows(installation, 2023, "disease", "district")
    assert installation.run("demo").returncode == 0
    assert _rows(installation, 2023, "disease", "district") == before


def test_a_case_has_its_history(installation: Installation, demo: str) -> None:
    shown = installation.json("cases", "show", "LC-2023-000001")
    assert shown["events"]
    assert shown["state"]["disease"]


def test_audit_and_doctor_are_content(installation: Installation, demo: str) -> None:
    audit = installation.json("audit")
    assert set(audit["drift"].values()) == {0}
    assert installation.json("doctor")["ok"]


def test_a_posted_event_is_counted(installation: Installation, demo: str) -> None:
    event = {
        "specversion": "1.0",
        "id": "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11",
        "source": "/facilities/LC-TYT-03190",
        "type": "vn.canhdich.case.reported.v1",
        "subject": "LC-2024-000123",
        "time": "2024-07-04T08:12:00+07:00",
        "data": {"disease": "streptococcus_suis", "area_code": "109", "onset_on": "2024-07-01"},
    }
    answer = httpx.post(f"{installation.intake_url}/v1/events", json=event, timeout=30)
    assert answer.status_code == httpx.codes.ACCEPTED
    # The importer waits for what it sent; the same event again is a repeat behind the posted one.
    file = installation.folder / "again.ndjson"
    file.write_bytes(httpx.Request("POST", "http://x", json=event).content + b"\n")
    assert installation.run("import", str(file), "--wait").returncode == 0
    rows = installation.json("counts", "--district", "109", "--from", "2024-01-01", "--to", "2024-12-31")
    assert [row["notified"] for row in rows] == [1]


def test_unknown_codes_and_options_are_usage_errors(installation: Installation, demo: str) -> None:
    assert installation.run("counts", "--province", "99").returncode == 2
    assert installation.run("counts", "--by", "moon").returncode == 2
    assert installation.run("cases", "show", "NO-SUCH-CASE").returncode == 1


def test_a_death_without_a_day_is_said_where_no_row_shows_it(installation: Installation, demo: str) -> None:
    event = {
        "specversion": "1.0",
        "id": "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d12",
        "source": "/facilities/LC-TYT-03190",
        "type": "vn.canhdich.case.reported.v1",
        "subject": "LC-2021-000001",
        "time": "2021-07-04T08:12:00+07:00",
        "data": {"disease": "rabies", "area_code": "109", "outcome": "dead"},
    }
    file = installation.folder / "undated.ndjson"
    file.write_text(json.dumps(event) + "\n")
    assert installation.run("import", str(file), "--wait").returncode == 0
    period = ("--basis", "death", "--from", "2021-01-01", "--to", "2021-12-31")
    shown = installation.run("counts", "--district", "109", *period)
    assert "1 ca tử vong không rõ ngày" in shown.stdout
    rows = installation.json("counts", "--district", "109", *period, "--by", "day")
    assert [(row["day"], row["deaths"]) for row in rows] == [(None, 1)]

"""Tallies and foci through the whole system: posted, imported, corrected, shown, audited."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Installation

pytestmark = pytest.mark.native

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PERIOD = ("--province", "12", "--from", "2023-01-01", "--to", "2023-12-31")
PEP = "pep_started|rabies|12|2024-01-01|2024-12-31"


@pytest.fixture(scope="module")
def demo(installation: Installation) -> str:
    """What the demo prints."""
    done = installation.run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _rows(installation: Installation, *arguments: str) -> dict[tuple[str, str], Any]:
    rows = installation.json("tallies", *arguments)
    return {(row["indicator"], row["disease"]): row for row in rows}


def test_the_reports_figures_are_there(installation: Installation, demo: str) -> None:
    rows = _rows(installation, *PERIOD)
    assert rows["pep_started", "rabies"]["value"] == 1_971
    slides = rows["slides_examined", "malaria"]
    assert (slides["value"], slides["target"], slides["complete"]) == (49_617, 30_000, True)
    assert rows["treatment_doses", "malaria"]["value"] == 14_086
    assert rows["persons_examined", "tuberculosis"]["value"] == 2_241
    before = _rows(installation, "--province", "12", "--from", "2022-01-01", "--to", "2022-12-31")
    assert before["pep_started", "rabies"]["value"] == 1_203
    isolated = _rows(installation, "--province", "12", "--to", "2020-06-30", "--disease", "covid19")
    assert isolated["isolated_total", "covid19"]["value"] == 14_985
    assert isolated["isolated_now", "covid19"]["kind"] == "stock"
    for figure in ("1.971", "1.203", "49.617", "30.000", "14.086"):
        assert figure in demo


def test_food_poisonings_keep_their_unknowns(installation: Installation, demo: str) -> None:
    found = installation.json("foci", *PERIOD, "--kind", "food_poisoning")
    assert [
        (row["commune"], row["exposed"], row["ill"], row["hospitalised"], row["dead"])
        for row in found["foci"]
    ] == [("03403", 21, 14, None, 0), ("03412", 7, 7, 7, 0), ("03463", 4, None, 2, 0)]
    (total,) = found["totals"]
    assert total["ill"] == {"known_sum": 21, "known": 2, "unknown": 1, "reported": 25}
    assert total["hospitalised"] == {"known_sum": 9, "known": 2, "unknown": 1, "reported": 23}
    assert total["dead"]["reported"] == 0
    assert total["incomplete"] == ["ill", "hospitalised"]
    ill = total["notes"][0]
    assert "chưa đầy đủ" in ill["message_vi"]
    assert "are incomplete" in ill["message_en"]
    assert ill["message_en"] in demo.replace("\n", " ")
    text = installation.run("foci", *PERIOD).stdout
    assert "chưa đầy đủ" in text
    assert "known, which is not zero" in text


def test_a_posted_tally_is_stored_and_corrected(installation: Installation, demo: str) -> None:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d21",
        "source": "/facilities/LC-CDC",
        "type": "vn.canhdich.tally.reported.v1",
        "subject": "pep_started|rabies|12|2025-01-01|2025-03-31",
        "time": "2025-04-04T08:12:00+07:00",
        "data": {
            "indicator": "pep_started",
            "disease": "rabies",
            "area_code": "12",
            "period_start": "2025-01-01",
            "period_end": "2025-03-31",
            "value": 410,
        },
    }
    correction = {
        **event,
        "id": "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d22",
        "time": "2025-04-05T08:12:00+07:00",
        "data": {**event["data"], "value": 408},
    }
    for sent in (correction, event, event):
        answer = httpx.post(f"{installation.intake_url}/v1/events", json=sent, timeout=30)
        assert answer.status_code == httpx.codes.ACCEPTED
    file = installation.folder / "reports.ndjson"
    file.write_text(json.dumps(event) + "\n" + json.dumps(correction) + "\n")
    imported = installation.json("import", str(file), "--wait")
    assert (imported["created"], imported["unchanged"]) in ((0, 2), (1, 1), (2, 0))
    (row,) = installation.json("tallies", "--province", "12", "--from", "2025-01-01", "--to", "2025-03-31")
    assert (row["value"], row["tallies"]) == (408, 1)
    changed = {**event, "data": {**event["data"], "value": 1}}
    answer = httpx.post(f"{installation.intake_url}/v1/events", json=changed, timeout=30)
    assert answer.status_code == httpx.codes.CONFLICT


def test_tables_of_tallies_and_foci_are_imported(installation: Installation, demo: str) -> None:
    for name in ("tallies.csv", "foci.csv"):
        shutil.copy(EXAMPLES / name, installation.folder / name)
    first = installation.json("import", "tallies.csv", "--wait")
    assert (first["rows"], first["created"], first["rejected"]) == (3, 3, [])
    assert [skip["reason"] for skip in first["skipped"]] == ["title", "total"]
    again = installation.json("import", "tallies.csv", "--wait")
    assert (again["created"], again["unchanged"]) == (0, 3)
    table = installation.folder / "tallies.csv"
    table.write_text(table.read_text().replace("2.104", "2.105"))
    assert installation.json("import", "tallies.csv", "--wait")["updated"] == 1
    period = ("--province", "12", "--from", "2024-01-01", "--to", "2024-12-31")
    rows = _rows(installation, *period)
    assert rows["pep_started", "rabies"]["value"] == 2_105
    assert rows["slides_examined", "malaria"]["target"] == 50_000

    imported = installation.json("import", "foci.csv", "--wait")
    assert (imported["created"], [one["to"] for one in imported["repaired"]]) == (2, ["03412"])
    found = installation.json("foci", *period)
    assert [(row["subject"], row["ill"], row["hospitalised"]) for row in found["foci"]] == [
        ("LC-NDTP-2024-01", 9, None),
        ("LC-OD-2024-01", 3, 3),
    ]
    # A tally of no anthrax beside no case of it: they agree.
    compared = installation.json("tallies", "--discrepancies", *period)
    assert [(row["disease"], row["tally"], row["difference"]) for row in compared] == [("anthrax", 0, 0)]


def test_the_books_of_the_reports_balance(installation: Installation, demo: str) -> None:
    audit = installation.json("audit")
    assert set(audit["reports"]["drift"].values()) == {0}
    assert audit["reports"]["tallies"] > 10
    rebuilt = installation.json("rebuild")
    assert (rebuilt["identical"], rebuilt["switched"]) == (True, True)
    assert (rebuilt["events"], rebuilt["reports"]) == (audit["events"], audit["reports"]["events"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("tallies", "--province", "99"),
        ("tallies", "--indicator", "moon"),
        ("tallies", "--by", "agent"),
        ("tallies", "--from", "2023-13-01"),
        ("tallies", "--discrepancies", "--by", "month"),
        ("foci", "--kind", "moon"),
        ("foci", "--from", "2023-02-01", "--to", "2023-01-01"),
    ],
)
def test_what_cannot_be_asked_is_a_usage_error(
    installation: Installation, demo: str, arguments: tuple[str, ...]
) -> None:
    assert installation.run(*arguments).returncode == 2

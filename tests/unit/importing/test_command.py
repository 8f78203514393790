"""`canhdich import`: what is refused before anything is read, and what people are shown."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.cli import import_command
from services.cli.import_command import _print
from services.importing.outcome import Candidate, Fault, Outcome, Question, Repair, Skip
from services.importing.run import ImportPlan

app = typer.Typer()
import_command.register(app)


def run(*arguments: str) -> tuple[int, str]:
    """Exit code, and all that was printed."""
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, " ".join(result.output.split())


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    code, output = run(str(tmp_path / "list.csv"))
    assert code == 2
    assert "no such file" in output


def test_an_unknown_kind_of_file_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "list.pdf"
    path.write_bytes(b"%PDF")
    code, output = run(str(path), "--json")
    assert code == 2
    assert "Not a kind of file that is read" in output


@pytest.mark.parametrize("source", ["two words", "0912345678", "x" * 201, ""])
def test_a_source_must_be_a_reference_that_names_nobody(tmp_path: Path, source: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text("case_id,disease\n")
    code, output = run(str(path), "--source", source)
    assert code == 2
    assert "--source" in output


def test_events_have_sources_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text("{}\n")
    code, output = run(str(path), "--source", "/imports/x")
    assert code == 2
    assert "every event carries its own source" in output


def test_people_see_the_sums_and_the_first_rows_that_were_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome = Outcome(rows=70, created=3, updated=2, unchanged=5, parked=1, resent=4)
    outcome.skipped.append(Skip(1, 3, "blank"))
    outcome.repaired.append(Repair(4, "area_code", "3412", "03412", "vi", "en"))
    for row in range(60, 0, -1):
        outcome.reject(row, [Fault("sex", f"[dòng {row}]", "en")])
    _print(ImportPlan("list.csv", False, outcome=outcome))
    shown = capsys.readouterr().out
    for words in (
        "70 dòng",
        "Mới: 3",
        "Cập nhật: 2",
        "Không đổi: 5",
        "Bị từ chối: 60",
        "1 bản ghi",
        "4 bản ghi",
        "3 dòng",
    ):
        assert words in shown
    # The first fifty in the order of the file, with square brackets as they are.
    assert "[dòng 50]" in shown
    assert "[dòng 51]" not in shown
    assert "Còn 10 dòng nữa; thêm --json" in shown


def test_a_preview_has_nothing_to_wait_for(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("case_id,disease\n")
    code, output = run(str(path), "--preview", "--wait")
    assert code == 2
    assert "sends nothing" in output


def test_people_see_that_it_was_a_preview_and_what_waits_for_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = ImportPlan("export.csv", True, "national")
    plan.outcome.reject(5, [Fault("disease", "?", "?", Question("Sởii", (Candidate("measles", "Sởi"),)))])
    plan.outcome.repaired.append(Repair(6, "sex", "", "", "vi", "en"))
    _print(plan)
    shown = capsys.readouterr().out
    for words in ("XEM TRƯỚC", "tệp xuất của hệ thống quốc gia", "1 dòng chờ người xem", "Bỏ trống 1 ô"):
        assert words in shown

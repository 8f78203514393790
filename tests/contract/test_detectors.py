"""The detectors say what R says in its mode, row by row; `canhdich detect` prints it."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from services.cli import detect_command
from streams.domain.detectors import DETECTORS, Reason, choose
from tests.detectors import COMMITTED, alarms_of, detected, deviation, method_of, vector_files

FILES = vector_files()
TOLERANCE = {"ears": 1e-9, "farrington": 1e-8}
FLAT = "syn_constant"
"""Series of one number: whether the trend stays hangs on the last bit, and with it the bound."""

PAGE = Path(__file__).parents[2] / "docs" / "indicators" / "detectors.md"

app = typer.Typer()
app.callback()(lambda: None)
detect_command.register(app)


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_in_its_mode_every_row_is_as_r_has_it(path: Path) -> None:
    document = read(path)
    answer = detected(path, r_compat=True)
    assert answer.upperbound.shape == (len(document["range"]), 1)
    if document["error"] is not None and document["upperbound"] is None:
        # One unknown count in any base stops R as a whole; here only the rows that rest on it have no answer.
        assert not answer.judged.all()
        return
    bounds = [None if np.isnan(bound) else bound for bound in answer.upperbound[:, 0].tolist()]

    found = deviation(document, bounds, alarms_of(answer))

    assert found.alarms == []
    assert found.bounds_missing == []
    if not (path.stem.startswith(FLAT) and "__farr_default" in path.stem):
        assert found.bound <= TOLERANCE.get(method_of(document).split("-")[0], 1e-9)


@pytest.mark.parametrize(
    "path", [path for path in FILES if "__flex" in path.stem], ids=lambda path: path.stem
)
def test_the_expected_count_is_r_s(path: Path) -> None:
    document = read(path)
    theirs = [np.nan if mean is None else float(mean) for mean in document["extra"]["expected"]]
    answered = [bound is not None for bound in document["upperbound"]]

    ours = detected(path, r_compat=True).expected[:, 0]

    # Flat: 7 with a trend that the last bit decides, so not quite 7.
    np.testing.assert_allclose(
        ours[answered], np.array(theirs)[answered], rtol=1e-5 if path.stem.startswith(FLAT) else 1e-8
    )


def test_a_wrong_answer_is_found() -> None:
    document = {"range": [3, 4, 5], "upperbound": [2.0, None, 5.0], "alarm": [True, None, False]}

    found = deviation(document, [2.0, 1.0, 5.1], [True, None, True])

    assert found.bound == pytest.approx(0.02)
    assert (found.bounds_missing, found.alarms) == ([4], [5])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_published_method_leaves_no_row_without_a_word(path: Path) -> None:
    document = read(path)
    answer = detected(path, r_compat=False)
    counts = np.array([np.nan if n is None else n for n in document["observed"]], dtype=np.float64)
    counts = counts[np.array(document["range"]) - 1]

    judged = answer.judged[:, 0]

    assert set(answer.reason[~judged, 0].tolist()) <= {Reason.COUNT_MISSING, Reason.HISTORY_TOO_SHORT}
    assert (answer.reason[np.isnan(counts), 0] > Reason.SPARSE).all()
    assert (answer.alarm[:, 0] == (judged & (counts > answer.upperbound[:, 0]))).all()


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in FILES
        if re.search(r"__(ears_C[12]_default|farr_|flex_impr_nbPlugin|flex_daily|bayes|rki)", path.stem)
        and not path.stem.startswith(FLAT)
    ],
    ids=lambda path: path.stem,
)
def test_where_r_answers_without_a_fault_the_published_method_agrees(path: Path) -> None:
    document = read(path)
    answer = detected(path, r_compat=False)
    # No answer of R's: no alarm, or one drawn without a bound (an unknown count in the last four rows).
    answers = zip(document["upperbound"] or [], document["alarm"] or [], strict=True)
    for place, (bound, alarm) in enumerate(answers):
        few = answer.reason[place, 0] == Reason.TOO_FEW_CASES
        if alarm is None or (bound is None and not few):
            continue
        assert answer.alarm[place, 0] == alarm
        if not few:
            assert answer.upperbound[place, 0] == pytest.approx(float(bound), rel=1e-8, abs=1e-8)


def test_r_leaves_a_new_disease_unflagged_and_we_do_not() -> None:
    path = COMMITTED / "syn_zero_history__flex_impr_nbPlugin_a05.json"
    document = read(path)
    answer = detected(path, r_compat=False)
    first = document["range"].index(441)

    assert document["observed"][440] == 3
    assert document["alarm"][first : first + 27] == [None] * 27
    assert not answer.alarm[:first].any()
    assert answer.judged.all()
    assert answer.alarm[first, 0]
    assert answer.reason[first, 0] == Reason.NEW_DISEASE


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["detect", *arguments])


@pytest.mark.parametrize("label", ["flex_default", "ears_C3_default", "farr_default", "rki3", "bayes1"])
def test_the_command_prints_one_document(label: str) -> None:
    path = COMMITTED / f"syn_leapweek_dates__{label}.json"
    document = read(path)

    done = run("--method", method_of(document), "--input", str(path), "--r-compat", "--json")

    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert list(printed) == ["upperbound", "alarm"]
    found = deviation(document, printed["upperbound"], printed["alarm"])
    assert (found.alarms, found.bounds_missing) == ([], [])
    assert found.bound <= 1e-8


def test_the_command_s_default_is_the_published_method() -> None:
    path = COMMITTED / "syn_leapweek_dates__ears_C3_default.json"

    printed = json.loads(run("--method", "ears-c3", "--input", str(path), "--json").stdout)

    found = deviation(read(path), printed["upperbound"], printed["alarm"])
    assert len(found.alarms) == 33
    assert printed["alarm"] == alarms_of(detected(path, r_compat=False))


def test_what_cannot_be_judged_is_null_and_said_on_standard_error() -> None:
    path = COMMITTED / "syn_missing_na__farr_default.json"

    done = run("--method", "farrington", "--input", str(path), "--json")

    printed = json.loads(done.stdout)
    judged = zip(read(path)["range"], printed["alarm"], strict=True)
    assert [row for row, alarm in judged if alarm is None] == [420, 470, 471, 519]
    assert None not in printed["upperbound"]
    assert "4 rows without a verdict: The count of this row is not known. Rows 420, 470, 471, 519." in (
        done.stderr.replace("\n", " ")
    )


def test_the_help_names_every_detector() -> None:
    assert detect_command.METHODS.split() == list(DETECTORS)


def test_people_get_a_table() -> None:
    done = run("--method", "ears-c1", "--input", str(COMMITTED / "syn_leapweek_dates__ears_C1_default.json"))

    assert "2015-02-16" in done.stdout
    assert "ALARM" in done.stdout


def written(folder: Path, **changes: Any) -> Path:
    document = {"observed": [1, 2, 3, 4, 5, 6, 7, 8, None, 10], "freq": 52, "range": [9, 10], "control": {}}
    path = folder / "series.json"
    path.write_text(json.dumps(document | changes))
    return path


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        ("ears", {}, "no detector 'ears'"),
        ("ears-c1", {"range": [11]}, "range: 11 is not a row from 1 to 10"),
        ("ears-c1", {"range": [0]}, "range: 0 is not a row from 1 to 10"),
        ("ears-c1", {"observed": "many"}, "observed: a list of numbers is needed"),
        ("ears-c1", {"observed": [1, "2"]}, "observed: entry 2 is '2'"),
        ("ears-c1", {"observed": [1, -2], "range": [2]}, "count -2.0"),
        ("ears-c1", {"freq": None}, "freq: rows per year"),
        ("ears-c1", {"control": ["alpha"]}, "control: an object"),
        ("ears-c1", {"control": {"baseline": 2}}, "3 rows or more, not 2"),
        ("ears-c1", {"control": {"alpha": 1}}, "alpha lies between 0 and 1"),
        ("ears-c1", {"epoch_as_date": True, "epoch": [1, 2, 2, 4, 5, 6, 7, 8, 9, 10]}, "Dates ascend"),
        ("ears-c1", {"epoch_as_date": True, "epoch": list(range(10))}, "weekly series have one weekday"),
        ("ears-c1", {"epoch_as_date": True, "epoch": [0.5] * 10}, "whole days"),
        ("farrington", {"control": {"limit54": 5}}, "limit54: cases and rows"),
        ("farrington", {"control": {"powertrans": "3/4"}}, "Powers are 2/3, 1/2, none"),
        ("farrington-flexible", {"control": {"thresholdMethod": "nb"}}, "Thresholds are delta"),
        ("farrington-flexible", {"control": {"populationOffset": True}}, "needs the population"),
        ("farrington-flexible", {"population": [1, 0] * 5}, "population is above zero"),
        ("cusum", {"control": {"trans": "sqrt"}}, "Transformations are"),
        ("rki", {"control": {"b": 0}}, "base is empty"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_file(
    tmp_path: Path, method: str, changes: dict[str, Any], message: str
) -> None:
    done = run("--method", method, "--input", str(written(tmp_path, **changes)), "--json")

    assert done.exit_code == 2
    assert done.stdout == ""
    assert message in " ".join(done.stderr.split())


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_what_is_no_series_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "series.json"
    path.write_text(content)

    assert run("--method", "ears-c1", "--input", str(path)).exit_code == 2


def test_settings_of_another_method_are_named_and_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, control={"noPeriods": 10, "alpha": 0.01, "verbose": False})

    done = run("--method", "ears-c1", "--input", str(path), "--json")

    assert done.exit_code == 0
    assert "ignored: noPeriods." in done.stderr


def test_a_file_without_settings_is_judged_with_r_s(tmp_path: Path) -> None:
    # R's JSON has [] for an empty list, and one number for a range of one.
    path = written(tmp_path, control=[], range=10)

    printed = json.loads(run("--method", "ears-c1", "--input", str(path), "--json").stdout)

    # Known: 3 ... 8.
    assert printed["upperbound"] == [pytest.approx(5.5 + 3.0902323061678132 * 3.5**0.5)]
    assert printed["alarm"] == [False]


def chosen_on_the_page(text: str) -> dict[tuple[int, int], tuple[int, str]]:
    """(frequency, first number of rows) to (last, detector), from the table of the page."""
    table = {}
    for grain, first, last, name in re.findall(
        r"^\| (daily|weekly) \| (\d+) to (\d+|more) \| (?:`([\w-]+)`|none)", text, re.MULTILINE
    ):
        end = 10_000 if last == "more" else int(last)
        table[{"daily": 365, "weekly": 52}[grain], int(first)] = (end, name)
    return table


def test_the_page_says_which_detector_is_chosen() -> None:
    table = chosen_on_the_page(PAGE.read_text("utf-8"))
    for frequency in (365, 52):
        rows = sorted((first, last, name) for (f, first), (last, name) in table.items() if f == frequency)
        assert [first for first, _, _ in rows] == [0, *(last + 1 for _, last, _ in rows[:-1])]
        for first, last, name in rows:
            for number in (first, last):
                choice = choose(frequency, number)
                assert (choice.detector.name if choice else "") == name, (frequency, number)


def test_every_detector_is_on_the_page() -> None:
    headings = re.findall(r"^\| `([\w-]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)

    assert headings == list(DETECTORS)

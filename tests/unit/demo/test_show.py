"""The demo's table: readable, stamped, and unable to call a wrong figure right."""

import io
from typing import Any

import pytest
from rich.console import Console

from services.demo.figures import DISEASES, FIGURES, YEAR, YEAR_BEFORE
from services.demo.show import STAMP, WIDTH, Check, checks, compare, show
from tests.truth import Truth
from tests.unit.demo.rows import COUNTERS, rows_by_agent, rows_by_district

Rows = list[dict[str, Any]]


@pytest.fixture
def rows(counted: Truth) -> Rows:
    return rows_by_district(counted, YEAR)


@pytest.fixture
def rows_before(counted: Truth) -> Rows:
    return rows_by_district(counted, YEAR_BEFORE)


@pytest.fixture
def agents(counted: Truth) -> Rows:
    return rows_by_agent(counted, YEAR)


def _printed(rows: Rows, rows_before: Rows, agents: Rows) -> tuple[str, list[Check]]:
    out = io.StringIO()
    wrong = show(rows, rows_before, agents, Console(file=out, width=WIDTH))
    return out.getvalue(), wrong


def _row(disease: str, district: str | None, **counters: int) -> dict[str, Any]:
    names = {"disease": disease, "disease_name": disease, "district": district, "district_name": district}
    return {**names, **dict.fromkeys(COUNTERS, 0), **counters}


def test_the_demo_matches_the_report(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    text, wrong = _printed(rows, rows_before, agents)
    assert wrong == [] == compare(rows, rows_before, agents)
    assert "✗ " not in text.replace("(✗: số của báo cáo)", "")
    assert all(name in text for name in DISEASES.values())


def test_every_stated_figure_is_checked(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    checked = {(check.disease, check.year) for check in checks(rows, rows_before, agents)}
    assert checked == {(row.disease, row.year) for row in FIGURES if row.stated}


def test_stamped_above_and_below_and_within_the_width(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    lines = _printed(rows, rows_before, agents)[0].splitlines()
    assert STAMP in lines[0]
    assert STAMP in lines[-1]
    assert max(map(len, lines)) <= WIDTH
    assert "\x1b" not in "".join(lines)


def test_a_narrow_pipe_is_widened_so_that_nothing_is_cut(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    out = io.StringIO()
    show(rows, rows_before, agents, Console(file=out, width=60))
    assert out.getvalue() == _printed(rows, rows_before, agents)[0]
    assert "…" not in out.getvalue()


def test_the_tables_in_figures(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    lines = [" ".join(line.split()) for line in _printed(rows, rows_before, agents)[0].splitlines()]
    assert "COVID-19 657 – 0 – 657* – 0* – 0* – ✓ 2/2" in lines
    assert "Sốt xuất huyết Dengue 40 18 0 0* 37 16* 0 2* 3 0* ✓ 7/7" in lines
    assert "Liên cầu lợn . . . 1 2 (1) . . . 3 (1)" in lines
    total = next(line for line in lines if line.startswith("Tổng"))
    assert total.endswith("1.154 (6)")


@pytest.mark.parametrize("counter", ["notified", "deaths", "positive", "negative", "pending"])
def test_a_wrong_count_is_marked_with_both_numbers(
    rows: Rows, rows_before: Rows, agents: Rows, counter: str
) -> None:
    anthrax = next(row for row in rows if row["disease"] == "anthrax")
    right = anthrax[counter]
    anthrax[counter] += 1
    text, wrong = _printed(rows, rows_before, agents)
    assert ("anthrax", YEAR, right, right + 1) in {(c.disease, c.year, c.expected, c.found) for c in wrong}
    assert f"{right + 1} ✗ (báo cáo: {right})" in text


@pytest.mark.parametrize("row", [row for row in FIGURES if row.year == YEAR_BEFORE and row.stated])
def test_a_wrong_count_of_the_year_before_is_found(
    rows: Rows, rows_before: Rows, agents: Rows, row: Any
) -> None:
    rows_before.append(_row(row.disease, "105", notified=1, deaths=1))
    assert {(check.disease, check.year) for check in compare(rows, rows_before, agents)} == {
        (row.disease, YEAR_BEFORE)
    }


def test_a_missing_case_is_found(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    without = [row for row in rows if row["disease"] != "pertussis"]
    assert ("mắc", 7, 0) in {(c.what, c.expected, c.found) for c in compare(without, rows_before, agents)}


def test_a_wrong_agent_is_found(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    for row in agents:
        if row["agent"] in ("measles", "rubella"):
            row["agent"] = {"measles": "rubella", "rubella": "measles"}[row["agent"]]
    wrong = compare(rows, rows_before, agents)
    assert [(c.what, c.expected, c.found) for c in wrong] == [
        ("dương tính sởi", 2, 3),
        ("dương tính rubella", 3, 2),
    ]


def test_a_death_in_another_district_is_found(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    dead = next(row for row in rows if row["disease"] == "streptococcus_suis" and row["deaths"])
    other = next(row for row in rows if row["disease"] == "streptococcus_suis" and not row["deaths"])
    dead["deaths"], other["deaths"] = 0, 1
    assert [check.what for check in compare(rows, rows_before, agents)] == ["tử vong Phong Thổ"]


def test_a_case_at_a_place_that_the_report_does_not_name_is_found(
    rows: Rows, rows_before: Rows, agents: Rows
) -> None:
    next(row for row in rows if row["disease"] == "anthrax")["district"] = "105"
    wrong = [check.what for check in compare(rows, rows_before, agents)]
    assert wrong == ["mắc Sìn Hồ", "số huyện khác có ca"]


def test_a_case_without_a_district_is_found(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    next(row for row in rows if row["disease"] == "hfmd")["district"] = None
    assert [check.what for check in compare(rows, rows_before, agents)] == ["không rõ huyện"]


def test_a_disease_that_the_report_does_not_have_is_found(
    rows: Rows, rows_before: Rows, agents: Rows
) -> None:
    rows.append(_row("chickenpox", "105", notified=1))
    rows_before.append(_row("covid19", "105", notified=4))
    wrong = compare(rows, rows_before, agents)
    assert [(c.disease, c.year, c.expected, c.found) for c in wrong] == [
        ("chickenpox", YEAR, 0, 1),
        ("covid19", YEAR_BEFORE, 0, 4),
    ]
    assert "chickenpox" in _printed(rows, rows_before, agents)[0]


def test_resolved_diseases_are_not_added_to_the_total(rows: Rows, rows_before: Rows, agents: Rows) -> None:
    """A syndrome's measles case stands in measles as well ("of which"): the total counts it once."""
    text = _printed(rows, rows_before, agents)[0]
    of_which = _row("measles", "108", notified=2, positive=2)
    assert _printed([*rows, of_which], rows_before, agents) == (text, [])

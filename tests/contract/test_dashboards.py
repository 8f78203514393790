"""The committed boards are what the code makes, and lead to pages that are there; each check rejects."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from dashboards.__main__ import GENERATED, as_json, differences, generate, write
from dashboards.boards.overview import BOARD as OVERVIEW
from dashboards.framework import DOCS, PostgresQuery, Text, placed

ROOT = Path(__file__).parents[2]
BOARDS = generate()
_PAGE = re.compile(rf"{DOCS}/([\w./-]+)")


def dead_pages(board: str, root: Path = ROOT) -> set[str]:
    """The pages under docs/ that a board's links name in vain."""
    return {page for page in _PAGE.findall(board) if not (root / "docs" / page).exists()}


def without_page(board: dict[str, Any]) -> list[str]:
    """The panels that say no question, or lead to no page of docs/indicators."""
    return [
        panel["title"]
        for panel in board["panels"]
        if "?" not in panel["description"] or f"{DOCS}/indicators/" not in panel["description"]
    ]


def test_the_committed_boards_are_the_generated_ones() -> None:
    assert list(differences()) == []


@pytest.mark.parametrize("change", ["changed", "missing", "extra"])
def test_a_board_that_differs_is_found(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "generated"
    shutil.copytree(GENERATED, folder)
    one = folder / "vi" / "overview.json"
    if change == "changed":
        one.write_text(one.read_text("utf-8").replace("sum(notified)", "sum(deaths)"), "utf-8")
    elif change == "missing":
        one.unlink()
    else:
        (folder / "vi" / "other.json").write_text("{}")

    assert len(list(differences(folder))) == 1
    write(folder)
    assert list(differences(folder)) == []


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_asks_a_question_and_leads_to_a_page(name: str) -> None:
    assert without_page(json.loads(BOARDS[name])) == []
    assert dead_pages(BOARDS[name]) == set()


def test_a_panel_without_question_or_page_is_found() -> None:
    board = json.loads(BOARDS["vi/overview.json"])
    first, second = board["panels"][:2]
    first["description"] = first["description"].replace("?", ".")
    second["description"] = "Why? [x](/elsewhere.md)"

    assert without_page(board) == [first["title"], second["title"]]
    assert dead_pages(f"[x]({DOCS}/indicators/nowhere.md)") == {"indicators/nowhere.md"}


@pytest.mark.parametrize("name", BOARDS)
def test_what_the_sdk_writes_it_reads_back(name: str) -> None:
    again = json.loads(as_json(type(OVERVIEW.build("vi")).from_json(json.loads(BOARDS[name]))))
    board = json.loads(BOARDS[name])
    # The SDK knows no class for the targets; what else is there comes back.
    for one in (again, board):
        for panel in one["panels"]:
            panel["targets"] = []
        for mark in one["annotations"]["list"]:
            mark["target"] = None
    assert again == board


def unnamed(page: str) -> list[str]:
    """Titles of panels that a page does not name as "Vietnamese / English"."""
    found = []
    for name in {name.partition("/")[2] for name in BOARDS}:
        both = (json.loads(BOARDS[f"{language}/{name}"])["panels"] for language in ("vi", "en"))
        found += [f"{vi['title']} / {en['title']}" for vi, en in zip(*both, strict=True)]
    return [title for title in found if title not in page]


def test_the_page_of_the_boards_names_every_panel() -> None:
    page = (ROOT / "docs" / "boards.md").read_text("utf-8")
    assert unnamed(page) == []
    assert unnamed(page.replace("Tuổi và giới / Age and sex", "")) == ["Tuổi và giới / Age and sex"]


def test_a_query_comes_back() -> None:
    query = PostgresQuery("SELECT 1", "time_series", "B", hide=True)
    assert PostgresQuery.from_json(query.to_json()).to_json() == query.to_json()


def test_panels_stand_side_by_side_and_below_each_other() -> None:
    panels = [make("vi") for make in OVERVIEW.panels[:4]]
    for one, (w, h) in zip(panels, ((16, 5), (8, 9), (12, 3), (24, 2)), strict=True):
        assert one.grid_pos is not None
        one.grid_pos.w, one.grid_pos.h = w, h
    found = [one.grid_pos for one in placed(panels)]
    assert [(at.x, at.y) for at in found if at is not None] == [(0, 0), (16, 0), (0, 9), (0, 12)]
    assert [one.id_val for one in panels] == [1, 2, 3, 4]


def test_a_panel_without_a_size_is_refused() -> None:
    one = OVERVIEW.panels[0]("vi")
    one.grid_pos = None
    with pytest.raises(ValueError, match=r"panel\(\) gives a panel its size"):
        placed([one])


def test_a_text_has_both_languages() -> None:
    text = Text("Bệnh", "Disease")
    assert (text("vi"), text("en")) == ("Bệnh", "Disease")

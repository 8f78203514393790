"""The documents agree with the code and with each other; each check is shown to reject."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import Field

from services.settings import Settings
from services.settings_table import TABLE, table

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])
FORM = (
    "Definition and unit",
    "Denominator",
    "Geography",
    "Time basis",
    "Lag and backfill",
    "Missing and zero",
    "Limits",
    "Source and licence",
    "Changes",
)

_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_PATH = re.compile(r"`((?:deploy|docs|schemas|services|streams|tests)/[\w./-]+)`")


def dead_references(page: Path, root: Path = ROOT) -> Iterator[str]:
    """The links of a page that lead nowhere, and the files of this repository that it names in vain."""
    text = page.read_text("utf-8")
    for target in _LINK.findall(text):
        if "://" not in target and not (page.parent / target).exists():
            yield target
    for path in _PATH.findall(text):
        if not (root / path).exists():
            yield path


def dead_references_of_code(root: Path = ROOT) -> list[str]:
    """`file: page` for each page under docs/ that a Python file names in vain."""
    return [
        f"{path.relative_to(root).as_posix()}: {page}"
        for package in ("deploy", "schemas", "services", "streams")
        for path in sorted((root / package).rglob("*.py"))
        for page in re.findall(r"docs/[\w./-]+\.md", path.read_text("utf-8"))
        if not (root / page).exists()
    ]


def out_of_form(page: Path) -> Iterator[str]:
    """The headings of an indicator's form that a page lacks, has in another order, or left empty."""
    found = re.findall(r"^\*\*(.+?)\.\*\* *(.*)$", page.read_text("utf-8"), re.MULTILINE)
    if tuple(heading for heading, _ in found) != FORM:
        yield f"headings {[heading for heading, _ in found]}"
    yield from (f"{heading} is empty" for heading, text in found if not text)


def not_listed(folder: Path) -> Iterator[str]:
    """The pages of a folder that its README.md does not link to."""
    index = _LINK.findall((folder / "README.md").read_text("utf-8"))
    yield from (page.name for page in sorted(folder.glob("*.md")) if page.name not in (*index, "README.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_references_lead_somewhere(page: Path) -> None:
    assert list(dead_references(page)) == []


def test_a_dead_reference_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#part) [b](https://example.org/x) [c](#here) `services/nowhere.py` `services/x.py`"
    )
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "x.py").touch()

    assert list(dead_references(page, tmp_path)) == ["other.md", "services/nowhere.py"]


def test_pages_that_the_code_names_are_there() -> None:
    assert dead_references_of_code() == []


def test_a_page_that_the_code_names_in_vain_is_found(tmp_path: Path) -> None:
    for folder in ("docs", "streams"):
        (tmp_path / folder).mkdir()
    (tmp_path / "docs" / "there.md").touch()
    (tmp_path / "streams" / "x.py").write_text('"""See docs/there.md and docs/adr/0000-gone.md."""')

    assert dead_references_of_code(tmp_path) == ["streams/x.py: docs/adr/0000-gone.md"]


@pytest.mark.parametrize("folder", ["adr", "indicators", "runbook"])
def test_every_page_is_listed(folder: str) -> None:
    assert list(not_listed(ROOT / "docs" / folder)) == []


def test_a_page_that_is_not_listed_is_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("[one](one.md) and two.md")
    for name in ("one.md", "two.md"):
        (tmp_path / name).touch()

    assert list(not_listed(tmp_path)) == ["two.md"]


@pytest.mark.parametrize(
    "page", sorted(set((ROOT / "docs/indicators").glob("*.md")) - {ROOT / "docs/indicators/README.md"})
)
def test_indicators_have_the_form(page: Path) -> None:
    assert list(out_of_form(page)) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("**Denominator.** None.\n", ""),
        ("**Changes.** None.", "**Changes.**"),
        ("**Limits.**", "**Bounds.**"),
        ("**Denominator.** None.\n**Geography.** All.\n", "**Geography.** All.\n**Denominator.** None.\n"),
    ],
)
def test_an_indicator_out_of_form_is_found(tmp_path: Path, good: str, bad: str) -> None:
    text = "".join(f"**{heading}.** None.\n" for heading in FORM).replace(
        "**Geography.** None", "**Geography.** All"
    )
    page = tmp_path / "page.md"
    page.write_text(text)
    assert list(out_of_form(page)) == []
    assert good in text

    page.write_text(text.replace(good, bad))

    assert list(out_of_form(page))


def test_the_table_of_settings_is_the_generated_one() -> None:
    assert TABLE.read_text("utf-8") == table(), "run `make generated`"


def test_another_setting_makes_another_table() -> None:
    class Changed(Settings):
        batch_records: int = Field(9, ge=1, description="Most records folded in one transaction.")

    assert "| `CANHDICH_BATCH_RECORDS` | `9` | whole number, ≥ 1 | Most" in table(Changed)
    assert table(Changed) != table()


def test_a_setting_that_nobody_describes_is_refused() -> None:
    class Silent(Settings):
        colour: str = "red"

    with pytest.raises(ValueError, match="colour has no description"):
        table(Silent)


def test_a_setting_of_an_unknown_type_is_refused() -> None:
    class Odd(Settings):
        numbers: list[int] = Field([], description="Some numbers.")

    with pytest.raises(ValueError, match="numbers: add list"):
        table(Odd)

"""Every query file has its header, says truly who uses it, and is used; each check is shown to reject."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.sql import check_header

ROOT = Path(__file__).parents[2]
QUERIES = Path("schemas/sql/queries")
PACKAGES = ("deploy", "schemas", "services", "streams")

_PARAMETER = re.compile(r"%\((\w+)\)s")


def faults(root: Path) -> list[str]:
    """Everything that is wrong with the query files of a tree and with their uses, one sentence each."""
    files = {path.stem: path.read_text("utf-8") for path in sorted((root / QUERIES).glob("*.sql"))}
    found = []
    uses: dict[str, set[str]] = {name: set() for name in files}
    for path, name in _calls(root, (*PACKAGES, "tests")):
        if name is None:
            found.append(f"{path}: query() takes a literal name, so that its uses can be found")
        elif name not in files:
            found.append(f"{path}: there is no query {name}")
        elif not path.startswith("tests/"):
            uses[name].add(path)
    for name, text in files.items():
        try:
            check_header(name, text)
        except ValueError as error:
            found.append(str(error))
            continue
        _, _, params, used_by = text.splitlines()[:4]
        named = set(used_by.removeprefix("-- used by: ").split(", "))
        if not uses[name]:
            found.append(f"{name}.sql is used nowhere: delete it")
        elif named != uses[name]:
            found.append(f"{name}.sql is used by {', '.join(sorted(uses[name]))}, its header says otherwise")
        for parameter in sorted(set(_PARAMETER.findall(text))):
            if not re.search(rf"\b{parameter}\b", params):
                found.append(f"{name}.sql: its header does not name the parameter {parameter}")
    return found


def _calls(root: Path, packages: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """(file, query name) for each call of schemas.sql.query; None for a name that is not a literal."""
    for path in sorted(path for package in packages for path in (root / package).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        if not any(
            isinstance(node, ast.ImportFrom)
            and node.module == "schemas.sql"
            and any(alias.name == "query" for alias in node.names)
            for node in ast.walk(tree)
        ):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "query":
                name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
                yield path.relative_to(root).as_posix(), name if isinstance(name, str) else None


def test_the_queries_of_this_repository_are_in_order() -> None:
    assert faults(ROOT) == []


GOOD_SQL = """-- name: names
-- returns: the names of some codes
-- params: codes text[]
-- used by: streams/stores/names.py

select c.name_vi
from codes as c
where c.code = any(%(codes)s);
"""
GOOD_PYTHON = "from schemas.sql import query\n\ntext = query('names')\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree in which nothing is wrong."""
    for path, text in (("names.sql", GOOD_SQL), ("names.py", GOOD_PYTHON)):
        folder = tmp_path / (QUERIES if path.endswith(".sql") else Path("streams/stores"))
        folder.mkdir(parents=True)
        (folder / path).write_text(text)
    return tmp_path


def test_a_tree_in_order_has_no_faults(tree: Path) -> None:
    assert faults(tree) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("-- params: codes text[]\n", "", "names.sql: the first four lines must be name"),
        ("-- name: names\n", "-- name: titles\n", "names.sql: its header says 'titles'"),
        ("codes text[]", "none", "names.sql: its header does not name the parameter codes"),
        ("codes text[]", "area_codes text[]", "names.sql: its header does not name the parameter codes"),
        ("stores/names.py", "stores/other.py", "names.sql is used by streams/stores/names.py, its header"),
        ("names.py", "names.py, services/x.py", "names.sql is used by streams/stores/names.py, its header"),
    ],
)
def test_a_bad_query_file_is_rejected(tree: Path, good: str, bad: str, fault: str) -> None:
    assert good in GOOD_SQL
    (tree / QUERIES / "names.sql").write_text(GOOD_SQL.replace(good, bad))

    (found,) = faults(tree)

    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (
            GOOD_PYTHON + "other = query('titles')\n",
            ["streams/stores/names.py: there is no query titles"],
        ),
        (
            GOOD_PYTHON + "other = query('na' + 'mes')\n",
            ["streams/stores/names.py: query() takes a literal name, so that its uses can be found"],
        ),
        ("text = ''\n", ["names.sql is used nowhere: delete it"]),
        ("def query(name): ...\nquery('names')\n", ["names.sql is used nowhere: delete it"]),
    ],
)
def test_a_bad_use_is_rejected(tree: Path, python: str, expected: list[str]) -> None:
    (tree / "streams" / "stores" / "names.py").write_text(python)

    assert faults(tree) == expected


def test_a_query_that_only_tests_use_is_rejected(tree: Path) -> None:
    (tree / "tests").mkdir()
    (tree / "streams" / "stores" / "names.py").rename(tree / "tests" / "test_names.py")

    assert faults(tree) == ["names.sql is used nowhere: delete it"]

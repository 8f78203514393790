"""The linters hold what architecture and style promise: each is shown to reject."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("deploy", "schemas", "services", "streams")

BAD_IMPORTS = {
    "streams/domain/bad.py": ("schemas", "pydantic", "psycopg", "faust", "orjson", "streams.handlers"),
    "streams/handlers/bad.py": ("streams.stores", "streams.agents", "psycopg", "kafka"),
    "streams/stores/bad.py": ("streams.agents", "services", "faust"),
    "streams/agents/bad.py": ("streams.stores", "services"),
    "schemas/bad.py": ("streams", "services", "deploy"),
    "services/bad.py": ("faust",),
    "deploy/bad.py": ("streams", "services", "schemas"),
}
"""Folder -> modules that a file there must not import, each on its own account."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages' code and the linters' settings, to be spoiled."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda folder, names: [
                name for name in names if not (name.endswith(".py") or Path(folder, name).is_dir())
            ],
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_packages_keep_the_arrows(copy: Path) -> None:
    linted = lint_imports(copy)

    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_every_bad_import_is_rejected(copy: Path) -> None:
    for file, modules in BAD_IMPORTS.items():
        (copy / file).write_text("".join(f"import {module}\n" for module in modules))

    linted = lint_imports(copy)

    assert linted.returncode != 0
    for file, modules in BAD_IMPORTS.items():
        importer = file.removesuffix(".py").replace("/", ".")
        for module in modules:
            assert f"{importer} -> {module} (" in linted.stdout, f"{importer} may import {module}"


def strangers(folder: Path, allowed: frozenset[str]) -> list[str]:
    """`file: module` for each import of a folder that is neither allowed nor of the standard library."""
    return [
        f"{path.name}: {module}"
        for path in sorted(folder.rglob("*.py"))
        for module in _imported(ast.parse(path.read_text("utf-8")))
        if module.split(".")[0] not in sys.stdlib_module_names
        and not any(module == name or module.startswith(f"{name}.") for name in allowed)
    ]


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


ALLOWED = [
    (Path("streams/domain"), frozenset({"streams.domain", "numpy", "scipy"})),
    # Runs before the virtual environment exists.
    (Path("deploy/native"), frozenset({"deploy"})),
]


@pytest.mark.parametrize(("folder", "allowed"), ALLOWED)
def test_pure_packages_import_what_is_allowed(folder: Path, allowed: frozenset[str]) -> None:
    assert strangers(ROOT / folder, allowed) == []


@pytest.mark.parametrize(("folder", "allowed"), ALLOWED)
@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("import httpx", "httpx"),
        ("from services.settings import settings", "services.settings"),
        ("def late():\n    import numpyro", "numpyro"),
        ("from .other import thing", ".other"),
    ],
)
def test_a_stranger_is_found(
    tmp_path: Path, folder: Path, allowed: frozenset[str], line: str, module: str
) -> None:
    (tmp_path / "bad.py").write_text(f"import json\n{line}\n")

    assert strangers(tmp_path, allowed) == [f"bad.py: {module}"]


def sqlfluff(folder: Path) -> dict[str, set[str]]:
    """The rules that each SQL file of a folder breaks, by file name; files in style are absent."""
    linted = subprocess.run(
        [sys.executable, "-m", "sqlfluff", "lint", "--format", "json", "--config", "pyproject.toml", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode in (0, 1), linted.stderr
    files = json.loads(linted.stdout)
    found = {Path(file["filepath"]).name: {fault["code"] for fault in file["violations"]} for file in files}
    return {name: rules for name, rules in found.items() if rules}


GOOD_SQL = """select
    c.subject,
    c.registers
from cases as c
where c.subject = %(subject)s;
"""
BAD_SQL = {
    "CP01": ("select\n", "SELECT\n"),
    "CP02": ("cases as c", "Cases as c"),
    "CP05": ("c.subject,\n", "c.subject::TEXT as subject,\n"),
    "AL01": ("cases as c", "cases c"),
    "LT02": ("    c.registers", "  c.registers"),
    "LT05": ("= %(subject)s", "= %(subject)s" + " or c.subject = %(subject)s" * 4),
    "PRS": ("where", "wehre"),
}
"""Rule -> what is put in place of what in a file in style."""


def test_sql_out_of_style_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "good.sql").write_text(GOOD_SQL)
    for rule, (good, bad) in BAD_SQL.items():
        assert good in GOOD_SQL
        (tmp_path / f"{rule}.sql").write_text(GOOD_SQL.replace(good, bad))

    found = sqlfluff(tmp_path)

    assert found.keys() == {f"{rule}.sql" for rule in BAD_SQL}
    assert all(rule in found[f"{rule}.sql"] for rule in BAD_SQL)

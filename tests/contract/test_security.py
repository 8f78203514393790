"""The threat model names a test for each threat, and the test is there; each check rejects."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "docs" / "security" / "threat-model.md"

_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def faults(text: str, root: Path = ROOT) -> Iterator[str]:
    """What is wrong with the table of threats."""
    rows = [line for line in text.splitlines() if line.startswith("| ") and "|---" not in line][1:]
    if not rows:
        yield "there is no threat"
    for row in rows:
        threat, *_, tried = (cell.strip() for cell in row.strip("|").split(" | "))
        named = _TEST.findall(tried)
        if not named:
            yield f"no test tries: {threat}"
        for path, name in named:
            if not (root / path).is_file():
                yield f"{path} is not there"
            elif name and name not in functions(root / path):
                yield f"{path} has no {name}"


def functions(path: Path) -> set[str]:
    """The functions of a file, those of classes included."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_threat_has_its_test() -> None:
    assert list(faults(MODEL.read_text("utf-8"))) == []


def test_a_threat_without_a_test_is_found(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("class A:\n    def test_one(self): ...\n")
    text = """
| threat | what stands against it | tried by |
|---|---|---|
| fire | water | `tests/test_a.py::test_one`, `tests/test_a.py` |
| flood | a dam | nothing |
| theft | a lock | `tests/test_b.py::test_one` |
| rust | paint | `tests/test_a.py::test_two` |
"""
    assert list(faults(text, tmp_path)) == [
        "no test tries: flood",
        "tests/test_b.py is not there",
        "tests/test_a.py has no test_two",
    ]
    assert list(faults("", tmp_path)) == ["there is no threat"]

"""What the documents tell one to type can be typed: read by the programs' own parsers, nothing is run.

Whether the README's commands do what they should is tests/e2e/test_readme.py.
"""

import re
import shlex
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
import typer
from typer.exceptions import TyperException
from typer.main import get_command

from deploy.native.__main__ import parser as native_parser
from services.cli.main import COMMANDS, app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")

TARGETS: Final = frozenset(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
_FENCE = re.compile(r"^ *```(?:sh|text)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ANY_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_BETWEEN = re.compile(r"\s(?:&&|\|\||\||&)\s|;\s")
_ASSIGNMENT = re.compile(r"[A-Z][A-Z_]*=")
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_|]*|<.+>|\$\w+|.*\$.*|.*\*.*")
_OURS = re.compile(r"(?:canhdich|make|deploy/[\w/.-]+\.sh|\.?/?install\.sh|python3?)\b")


def lines(page: str) -> Iterator[tuple[str, bool]]:
    """Commands of a page, and whether each is one to be typed as a whole (a block) or only named."""
    for block in _FENCE.findall(page):
        text = textwrap.dedent(block).replace("\\\n", " ")
        for line in text.splitlines():
            # A line's comment; one in quotes is none.
            for part in _BETWEEN.split(re.sub(r"(?:^|\s)#\s.*$", "", line)):
                yield part.strip(), True
    for span in _SPAN.findall(_ANY_FENCE.sub("", page)):
        if " " in span:
            yield span, False


def words_of(line: str) -> list[str]:
    """A line's words from its program on; empty where it is no command of ours."""
    try:
        words = shlex.split(line)
    except ValueError:
        return []
    if words[:2] == ["sudo", "-u"]:
        del words[:3]
    for place, word in enumerate(words):
        name = word.removeprefix(".venv/bin/")
        if _OURS.fullmatch(name):
            before = words[:place]
            # Behind `docker compose run` or settings; a word within a sentence is none.
            if not before or before[0] == "docker" or all(map(_ASSIGNMENT.match, before)):
                return [name, *words[place + 1 :]]
    return []


def fault(line: str, *, is_whole: bool) -> str | None:
    """Why a line cannot be typed; None where it can, or is no command of ours.

    A command that is only named may lack its arguments. A placeholder stands for any value.
    """
    program, *arguments = words_of(line) or [""]
    if not program:
        return None
    arguments = _plain(arguments)
    if program == "make":
        return _fault_of_make(arguments)
    if program in {"python", "python3"}:
        return _fault_of_module(arguments, is_whole=is_whole)
    if program == "canhdich":
        return _fault_of_canhdich(arguments, is_whole=is_whole)
    is_there = any(
        (folder / program.removeprefix("./")).is_file() for folder in (ROOT, ROOT / "deploy/bundle")
    )
    return None if is_there else f"there is no {program}"


def _plain(arguments: list[str]) -> list[str]:
    """Without the brackets of what may be left out, what stands for more, and redirections."""
    plain = []
    for word in arguments:
        if word in {"…", ">", "<", ">>"}:
            break
        plain.append(word.strip("[]"))
    return plain


def _fault_of_make(arguments: list[str]) -> str | None:
    for word in arguments:
        name = word.split("=")[0]
        if "=" in word and f"$({name}" not in MAKEFILE and f"{name} ?=" not in MAKEFILE:
            return f"the Makefile has no {name}"
        if "=" not in word and word not in TARGETS:
            return f"no rule to make target {word}"
    return None


def _fault_of_module(arguments: list[str], *, is_whole: bool) -> str | None:
    if arguments[:1] != ["-m"]:
        return None
    module, *rest = arguments[1:]
    if module == "deploy.native" and (rest or is_whole):
        try:
            native_parser().parse_args(rest)
        except SystemExit:
            return "deploy.native refuses it"
        return None
    try:
        return None if find_spec(module) else f"no module named {module}"
    except ModuleNotFoundError as error:
        return str(error)


def _fault_of_canhdich(arguments: list[str], *, is_whole: bool) -> str | None:
    command, name, parent = get_command(app), "canhdich", None
    try:
        # To the innermost command: each parses what is its own.
        while True:
            context = command.make_context(name, list(arguments), parent=parent)
            if not hasattr(context.command, "resolve_command"):
                return None
            # As its own invoke() has them.
            rest = [*context._protected_args, *context.args]
            if not rest:
                is_complete = getattr(context.command, "invoke_without_command", False) or not arguments
                return None if is_complete or not is_whole else "Missing command"
            name, command, arguments = context.command.resolve_command(context, rest)
            parent = context
    except TyperException as error:
        said = str(error)
        # A group without a command says how it is used.
        is_missing = said.startswith(("Missing parameter", "Usage:")) or said.endswith(
            "requires an argument."
        )
        if is_missing or isinstance(error, typer.BadParameter):
            # Files of an example are not here, and what a placeholder stands for is not known.
            stands_for_more = "does not exist" in said or any(map(_PLACEHOLDER.fullmatch, arguments))
            return None if stands_for_more or (is_missing and not is_whole) else said
        return said
    except typer.Exit:
        return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_commands_of_a_page_can_be_typed(page: Path) -> None:
    found = {line: fault(line, is_whole=whole) for line, whole in lines(page.read_text("utf-8"))}

    assert {line: why for line, why in found.items() if why} == {}


def test_commands_are_found_where_they_stand() -> None:
    """So that a change of the pages' form cannot leave nothing to look at."""
    found = [words_of(line) for page in PAGES for line, _ in lines(page.read_text("utf-8"))]
    named = {words[1] for words in found if words[:1] == ["canhdich"] and len(words) > 1}

    assert set(COMMANDS) - named == set()
    assert sum(words[:1] == ["make"] for words in found) > 20
    assert ["python3", "-m", "deploy.native", "up", "kafka"] in found


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("```sh\n.venv/bin/canhdich cuonts --province 12\n```\n", "No such command"),
        ("```sh\n  canhdich counts --provnice 12\n```\n", "No such option"),
        ("  ```text\n  canhdich people add anna --role\n  ```\n", "requires an argument"),
        ("```text\ncanhdich restore\n```\n", "Missing parameter"),
        ("```text\ncanhdich up --workers none\n```\n", "valid integer"),
        ("```text\nsudo -u canhdich make dmeo\n```\n", "no rule"),
        ("```text\ncd /opt/canhdich && make up && make dwon\n```\n", "no rule"),
        ("```text\nmake bundle BUNDEL_KEY=release-key\n```\n", "no BUNDEL_KEY"),
        ("```text\npython3 -m deploy.native up kafak\n```\n", "refuses"),
        ("```text\n.venv/bin/python -m deploy.bundel build\n```\n", "bundel"),
        ("```text\ndeploy/compose/perpare.sh\n```\n", "there is no"),
        (
            "```text\ndocker compose run --rm migrate canhdich poeple add anna --role x\n```\n",
            "No such command",
        ),
        ("it is done by `canhdich alerts akc ID`, then\n", "No such command"),
        ("`DATABASE_URL=x .venv/bin/canhdich audit --jsno`\n", "No such option"),
        ("then `BENCH_ONLY=l make bnech` shows\n", "no rule"),
    ],
)
def test_a_wrong_command_is_found(page: str, why: str) -> None:
    (found,) = filter(None, (fault(line, is_whole=whole) for line, whole in lines(page)))

    assert why in found


def test_what_is_no_command_of_ours_is_left_alone() -> None:
    page = "`canhdich`, `make` it so, `restore` a `topic canhdich reads`\n```python\nmake dmeo\n```\n"

    assert [fault(line, is_whole=whole) for line, whole in lines(page) if words_of(line)] == []

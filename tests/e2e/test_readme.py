"""Every command of the README works, in the README's order; the runbook's commands exist and can be typed."""

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from deploy.native.__main__ import parser as native_parser
from services.cli.main import COMMANDS, app
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.native

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
RUNBOOK = sorted((ROOT / "docs" / "runbook").glob("*.md"))

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`((?:canhdich|make) [^`]+)`")


def commands(text: str) -> list[str]:
    """The shell blocks of a page and its inline `canhdich …` and `make …`, in order."""
    found = [
        (match.start(), textwrap.dedent(match[3])) for match in _FENCE.finditer(text) if match[2] == "sh"
    ]
    # Spaces in the place of the fenced blocks keep the positions of the rest.
    prose = _FENCE.sub(lambda match: " " * len(match[0]), text)
    found.extend((match.start(), match[1] + "\n") for match in _SPAN.finditer(prose))
    return [command for _, command in sorted(found)]


def refusals(installation: Installation, scripts: Sequence[str]) -> Iterator[str]:
    """What goes wrong when the commands are run one after the other, `make …` being looked up only."""
    for link in (".venv", "docs"):
        target = Path(sys.prefix) if link == ".venv" else ROOT / link
        (installation.folder / link).unlink(missing_ok=True)
        (installation.folder / link).symlink_to(target)
    environment = {
        **installation.environment,
        "PATH": f"{Path(sys.executable).parent}:{installation.environment['PATH']}",
        "INTAKE_URL": installation.intake_url,
    }
    for script in scripts:
        if script.startswith("make "):
            argv, folder = ["make", "--dry-run", *shlex.split(script)[1:]], ROOT
        else:
            argv, folder = ["bash", "-euo", "pipefail", "-c", script], installation.folder
        done = subprocess.run(
            argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        if done.returncode != 0:
            yield f"{script}exit code {done.returncode}: {done.stdout}{done.stderr}"


# Dozens of commands, one after the other.
@pytest.mark.timeout(900)
def test_every_command_of_the_readme_works(installation: Installation) -> None:
    demo = installation.run("demo")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    (shown,) = re.findall(r"Audit over .*", README)
    assert shown in demo.stdout
    scripts = commands(README)
    without_curl = [script for script in scripts if not script.startswith("curl ")]
    can_curl = shutil.which("curl") is not None

    assert list(refusals(installation, scripts if can_curl else without_curl)) == []

    assert len(without_curl) == len(scripts) - 1
    if not can_curl:
        pytest.skip("curl is not on this machine: the README's POST was not tried; all else passed")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("```sh\n.venv/bin/canhdich counts --province 99\n```\n", "no province had this code"),
        ("```sh\n.venv/bin/canhdich cases show NO-SUCH-CASE\n.venv/bin/canhdich doctor\n```\n", "NO-SUCH"),
        ("```sh\n.venv/bin/canhdich cuonts | cat\n```\n", "No such command"),
        ("| `audit` | recomputes | `canhdich audit --jsno` |\n", "No such option"),
        ("  ```sh\n  make dmeo\n  ```\n", "No rule to make target"),
        ("as in `make dmeo` or so\n", "No rule to make target"),
    ],
)
def test_a_wrong_command_is_rejected(installation: Installation, text: str, reason: str) -> None:
    (refusal,) = refusals(installation, commands(text))

    assert reason in refusal


def test_other_blocks_are_not_taken_for_commands() -> None:
    assert commands("```text\nmake dmeo\n```\n`make` and `canhdich` and ```sql\n") == []


def test_the_readme_shows_every_command() -> None:
    shown = "".join(commands(README))
    for name in COMMANDS:
        assert f"canhdich {name}" in shown


def typed(text: str) -> Iterator[str]:
    """The lines of the shell blocks of a page."""
    for script in commands(text):
        yield from script.splitlines()


def not_typable(line: str, installation: Installation) -> str | None:
    """What is wrong with a line of the runbook, found without changing anything; None when nothing is."""
    words = shlex.split(line)
    if words[0] == "make":
        return next(refusals(installation, [line]), None)
    if ".venv/bin/canhdich" in words or words[0] == "canhdich":
        start = next(place for place, word in enumerate(words) if word.endswith("canhdich"))
        done = CliRunner().invoke(app, [*words[start + 1 :], "--help"])
        return done.output if done.exit_code else None
    if words[:3] == ["python3", "-m", "deploy.native"]:
        try:
            native_parser().parse_args(words[3 : words.index("||") if "||" in words else None])
        except SystemExit as error:
            return str(error.code)
    if words[0] == "psql" and words[3].startswith("select"):
        with psycopg.connect(installation.environment["DATABASE_URL"]) as connection:
            try:
                connection.execute(words[3].encode())
            except psycopg.Error as error:
                return str(error)
    return None


@pytest.mark.parametrize("page", RUNBOOK, ids=lambda page: page.stem)
def test_the_runbook_can_be_typed(page: Path, installation: Installation) -> None:
    wrong = {line: not_typable(line, installation) for line in typed(page.read_text("utf-8"))}

    assert {line: reason for line, reason in wrong.items() if reason} == {}


@pytest.mark.parametrize(
    "line",
    [
        "make dmeo",
        "canhdich dead-letters lsit",
        'DATABASE_URL="$NEW_URL" .venv/bin/canhdich up --wrokers 2',
        "python3 -m deploy.native up kafak || true",
        'psql "$DATABASE_URL" -c "select nothing from stream_offset"',
    ],
)
def test_a_wrong_line_of_the_runbook_is_found(line: str, installation: Installation) -> None:
    assert not_typable(line, installation)

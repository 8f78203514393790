"""A command loads what it needs and no more; the list of commands says what the commands say."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import services.cli
from services.cli.main import COMMANDS, app

_HEAVY = {"aiokafka", "faust", "kafka", "scipy"}
_RUN = """
import sys
from services.cli.main import app
try:
    app()
finally:
    print(*(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


def heavy_of(*arguments: str) -> set[str]:
    """Which of the slow libraries a call imports."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Usage:" in done.stdout
    return _HEAVY & set(done.stderr.split())


@pytest.mark.parametrize("arguments", [("--help",), ("counts", "--help")])
def test_help_and_counts_import_no_slow_library(arguments: tuple[str, ...]) -> None:
    assert heavy_of(*arguments) == set()


def test_a_slow_library_would_be_seen() -> None:
    assert "kafka" in heavy_of("import", "--help")


def test_the_list_says_what_the_commands_say() -> None:
    folder = Path(next(iter(services.cli.__path__)))
    found = {}
    for module in sorted(path.stem for path in folder.glob("*_command*.py")):
        registered = typer.Typer(callback=lambda: None)
        import_module(f"services.cli.{module}").register(registered)
        group = typer.main.get_group(registered)
        found.update({name: (module, command.help) for name, command in group.commands.items()})

    assert found == dict(COMMANDS)


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"])

    assert shown.exit_code == 0
    assert all(f"\n  {name} " in shown.output for name in COMMANDS)


def test_a_mistyped_command_is_refused_with_the_nearest() -> None:
    refused = CliRunner().invoke(app, ["cuonts"])

    assert refused.exit_code == 2
    assert "Did you mean 'counts'?" in refused.output


_WATCHED = """
import sys
from services.cli.main import app
from services.report import charts
charts.begin_drawing = lambda: print("begun", "services.cli.report_command" in sys.modules)
app()
"""


@pytest.mark.parametrize(
    ("arguments", "begun"),
    [
        (("situation", "--out", "report.docx", "--help"), ["begun False"]),
        (("situation", "--format=docx", "--help"), ["begun False"]),
        (("situation", "--out", "report.md", "--help"), []),
        (("publish", "--help"), []),
    ],
)
def test_charts_are_begun_before_the_command_that_wants_them_is_imported(
    arguments: tuple[str, ...], begun: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, "report", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Usage:" in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith("begun")] == begun

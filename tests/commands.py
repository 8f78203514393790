"""Commands of `canhdich`, called within the process."""

import json
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from services.cli.main import app


def run(*arguments: str) -> Result:
    """A command and what came of it."""
    return CliRunner().invoke(app, list(arguments))


def printed(*arguments: str) -> Any:
    """What `--json` prints."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)

"""`canhdich restore`: a backup back onto empty servers, or the database alone where Kafka has survived."""

from pathlib import Path
from typing import Annotated

import typer

from services.backup.run import bring_back, check
from services.cli.output import JsonOption, err, exits, out, print_json
from services.cli.service_commands import running_services
from services.settings import settings
from streams.domain.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("restore", help="Bring a backup back onto empty servers, or the database alone.")(run)


@exits
def run(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The backup's folder.")],
    identity: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File of the secret key, for age.")
    ] = None,
    only_check: Annotated[
        bool, typer.Option("--check", help="Only see whether the backup is whole; change nothing.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop the database that is there, with all that it holds.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Check the backup, then restore it."""
    if only_check:
        manifest = check(folder, identity, _tell)
        if json_output:
            print_json({"whole": True, "made_at": manifest.made_at.isoformat()})
        else:
            out.print(f"Whole; made at {manifest.made_at.isoformat()}.", highlight=False)
        return
    configured = settings()
    if running_services(configured):
        raise ConfigurationError("Services of ours are running: `canhdich down` first.")
    done = bring_back(configured, folder, identity, replace=replace, tell=_tell)
    if json_output:
        print_json({"poured": done.poured, "kept": done.kept, "numbers": done.numbers.model_dump()})
        return
    topics = [f"{name} filled" for name in done.poured] + [f"{name} was still there" for name in done.kept]
    out.print(
        f"{done.numbers.case_events + done.numbers.report_events:,} events and {done.numbers.cases:,} "
        f"cases are back; topics: {', '.join(topics)}. Now: `canhdich up`, and when `canhdich doctor` says "
        "that all is folded, `canhdich audit`.",
        highlight=False,
    )


def _tell(line: str) -> None:
    err.print(line, markup=False, highlight=False)

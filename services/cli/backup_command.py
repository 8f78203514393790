"""`canhdich backup`: database and event topics into a folder; old backups are forgotten."""

from pathlib import Path
from typing import Annotated

import typer

from services.backup.run import backups_in, forget_old, take
from services.cli.output import JsonOption, err, exits, out, print_json
from services.settings import settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backup", help="Copy database and event topics into a folder; forget old backups.")(run)


@exits
def run(
    to: Annotated[
        Path | None, typer.Option(help="Where backups are put; by default CANHDICH_BACKUP_DIRECTORY.")
    ] = None,
    recipient: Annotated[
        str | None,
        typer.Option(help="Encrypt for this key: an age recipient (age1…), or a key of gpg's."),
    ] = None,
    keep_all: Annotated[
        bool,
        typer.Option("--keep-all", help="Delete no old backup (else 7 days, 5 weeks, 12 months are kept)."),
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Make a backup and say what it holds."""
    configured = settings()
    folder = to or configured.backup_folder
    made, manifest = take(configured, folder, recipient, _tell)
    forgotten = [] if keep_all else forget_old(folder)
    if json_output:
        print_json(
            {
                "backup": str(made),
                "bytes": manifest.bytes,
                "encrypted_by": manifest.encrypted_by,
                "numbers": manifest.numbers.model_dump(),
                "topics": {topic.name: topic.records for topic in manifest.topics},
                "forgotten": [str(path) for path in forgotten],
                "kept": len(backups_in(folder)),
            }
        )
        return
    numbers = manifest.numbers
    out.print(
        f"{made}: {manifest.bytes / 1e6:,.1f} MB, {numbers.case_events + numbers.report_events:,} events, "
        f"{numbers.cases:,} cases, {sum(topic.records for topic in manifest.topics):,} records of Kafka; "
        + (f"encrypted by {manifest.encrypted_by}." if manifest.encrypted_by else "NOT ENCRYPTED."),
        highlight=False,
    )
    if forgotten:
        out.print(f"Forgotten: {', '.join(path.name for path in forgotten)}", highlight=False)


def _tell(line: str) -> None:
    err.print(line, markup=False, highlight=False)

"""`canhdich dead-letters list|retry`: review what could not be used; repair it and send it again."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from schemas.events import InvalidEvent
from services.cli.connection import connected
from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json
from services.dead_letters import repaired, resend, value_of
from services.settings import settings
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.stores.dead_letters import read_dead_letters, retry

dead_letters = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(dead_letters, name="dead-letters", help="Records that could not be used.")


@dead_letters.command("list", help="The newest first, with what is wrong.")
@exits
def list_(
    include_retried: Annotated[bool, typer.Option("--all", help="Also those sent again.")] = False,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    json_output: JsonOption = False,
) -> None:
    """Print dead letters; personal identifiers are redacted before they are stored."""
    with connected() as connection:
        rows = read_dead_letters(connection, is_open=not include_retried, most=most)
    if json_output:
        print_json(rows)
        return
    table = Table()
    for title in ("id", "when", "subject", "what is wrong"):
        table.add_column(title)
    for row in rows:
        problems = "\n".join(f"{p['field']}: {p['message_vi']}" for p in row["problems"])
        when = row["known_at"].astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(str(row["dead_letter_id"]), when, row["subject"] or "?", problems)
    out.print(table)


@dead_letters.command("retry", help="Send a record again, repaired.")
@exits
def retry_(
    dead_letter_id: Annotated[int, typer.Argument(help="The id that `list` shows.")],
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A repair, e.g. data.onset_on=2023-07-01 (JSON or text); may be repeated."
        ),
    ] = None,
    removed: Annotated[
        list[str] | None, typer.Option("--remove", help="A field to leave out, e.g. data.ho_ten.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="The whole repaired event as JSON, instead of the stored one.")
    ] = None,
    new_id: Annotated[
        bool, typer.Option("--new-id", help="Give it a new event id (where the old one was used before).")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Repair, validate, send, mark; 1 when it is still not valid."""
    configured = settings()
    with connected() as connection:
        try:
            done = retry(
                connection,
                dead_letter_id,
                lambda topic, stored: resend(
                    configured, topic, _repaired(stored, file, changes or [], removed or [], new_id)
                ),
            )
        except InvalidEvent as invalid:
            problems = [{"field": p.field, "message": p.message_vi} for p in invalid.problems]
            if json_output:
                print_json({"sent": False, "problems": problems})
            for problem in problems:
                err.print(f"{problem['field']}: {problem['message']}", highlight=False)
            return EXIT_FAILED
    if json_output:
        print_json({"sent": done, "problems": []})
    elif done:
        out.print(f"Dead letter {dead_letter_id} was sent again.")
    if not done:
        err.print(f"There is no dead letter {dead_letter_id} that waits to be sent again.")
    return 0 if done else EXIT_FAILED


def _repaired(
    stored: bytes, file: Path | None, changes: list[str], removed: list[str], new_id: bool
) -> bytes:
    try:
        record = stored if file is None else file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"--file: {error}") from error
    values: dict[str, Any] = {}
    for change in changes:
        path, separator, text = change.partition("=")
        if not separator:
            raise ConfigurationError(f"--set {change}: write field=value.")
        values[path] = value_of(path, text)
    return repaired(record, values, removed, has_new_id=new_id)

"""`canhdich cases show SUBJECT`: one case, its state and its history."""

from typing import Annotated

import typer
from rich.table import Table

from services.cli.connection import connected
from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json
from streams.domain.calendar import LOCAL_ZONE
from streams.stores.cases import ShownCase, read_case

cases = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(cases, name="cases", help="Single cases.")


@cases.callback()
def _group() -> None:
    """Single cases."""


@cases.command("show", help="State and history of one case.")
@exits
def show(
    subject: Annotated[str, typer.Argument(help="The case's own code, e.g. LC-2023-000123.")],
    json_output: JsonOption = False,
) -> int:
    """Print a case; exit 1 where no event of it is known."""
    with connected() as connection:
        found = read_case(connection, subject)
    if found is None:
        err.print(f"No event of case {subject} is in the journal (not sent, or not folded yet).")
        return EXIT_FAILED
    if json_output:
        print_json({"state": found.state, "events": found.events})
    else:
        _print(subject, found)
    return 0


def _print(subject: str, found: ShownCase) -> None:
    state = Table(title=subject, show_header=False)
    for name, value in (found.state or {}).items():
        state.add_row(name, str(value))
    out.print(state)
    history = Table(title="Lịch sử / History")
    for title in ("known at", "recorded", "type", "source", "data"):
        history.add_column(title)
    for event in found.events:
        parked = f" [parked: {event['parked_reason']}]" if event["parked_reason"] else ""
        history.add_row(
            event["known_at"].astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M:%S"),
            event["event_time"].astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M"),
            event["event_type"].split(".")[-2] + parked,
            event["source"],
            ", ".join(f"{name}={value}" for name, value in event["data"].items()),
        )
    out.print(history)

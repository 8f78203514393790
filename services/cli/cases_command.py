"""`canhdich cases`: one case, its state and its history; and how many cases a place has by day, hamlet, …."""

from typing import Annotated

import typer
from rich.table import Table

from services.cli import options
from services.cli.connection import connected
from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.case_groups import GROUPED_BY
from streams.stores.area_cases import GroupsRequest, read_case_groups
from streams.stores.cases import ShownCase, read_case

cases = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(cases, name="cases", help="Single cases.")


@cases.callback()
def _group() -> None:
    """Single cases, and groups of them."""


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


@cases.command("groups", help="How many cases of a disease an area has by day, hamlet, sex and age.")
@exits
def groups(
    area: Annotated[str, typer.Option(help="Code of a commune, district or province, e.g. 03390.")],
    disease: Annotated[str, typer.Option(help="Disease code, e.g. dengue.")],
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    cluster: Annotated[
        str | None, typer.Option(help="Only cases with this link, e.g. the code of a focus.")
    ] = None,
    by: options.ByOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this instant (ISO; local time without an offset).")
    ] = None,
    geography: options.GeographyOption = None,
    json_output: JsonOption = False,
) -> None:
    """Print the rows that the reports of a focus and of an outbreak are filled in from."""
    first_day, last_day = options.day("--from", first), options.day("--to", last)
    assert first_day is not None  # noqa: S101 - typer demands both
    assert last_day is not None  # noqa: S101
    request = GroupsRequest(
        disease,
        area,
        options.day("--geography", geography) or last_day,
        first_day,
        last_day,
        cluster,
        options.instant("--as-of", as_of),
    )
    columns = options.choices_of("--by", by, GROUPED_BY)
    with connected() as connection:
        rows = read_case_groups(connection, request, columns)
    if json_output:
        print_json(rows)
        return
    if not rows:
        out.print("Không có ca bệnh nào. / No cases.")
        return
    table = Table()
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*(options.text_of(value) for value in row.values()))
    out.print(table)


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

"""`canhdich rebuild`: every count, tally and focus again from the journals, in a shadow, then switched."""

import os
import time
from typing import Annotated, Any

import typer

from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json, progress_bar
from services.settings import settings
from streams.stores import database
from streams.stores.rebuild import MOST_DIFFERENCES, Difference, Rebuilt, count_events, rebuild


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "rebuild",
        help="Build all counts, tallies and foci again from the journals while the old ones serve, compare, "
        "switch. Exit 1 where they differ. From Kafka alone: give the workers an empty database.",
    )(run)


@exits
def run(
    force: Annotated[
        bool, typer.Option("--force", help="Switch to the rebuilt counts even where they differ.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Most processes that fold side by side; by default one for each core."),
    ] = None,
    json_output: JsonOption = False,
) -> int:
    """Rebuild, compare, switch; 1 where live and rebuilt counts were not identical."""
    database_url = settings().database_url.get_secret_value()
    with database.errors_translated(), database.connect(database_url) as connection:
        total = count_events(connection)
    started = folded = time.monotonic()
    with progress_bar("Folding the journals again", total) as advance:

        def advance_and_note(events: int) -> None:
            nonlocal folded
            folded = time.monotonic()
            advance(events)

        done = rebuild(
            database_url,
            force=force,
            workers=workers or len(os.sched_getaffinity(0)),
            advance=advance_and_note,
        )
    seconds = time.monotonic() - started
    for note in done.notes:
        err.print(note, highlight=False)
    if json_output:
        print_json(
            {
                "events": done.events,
                "reports": done.reports,
                "seconds": round(seconds, 3),
                "folding_seconds": round(folded - started, 3),
                "identical": done.is_identical,
                "switched": done.is_switched,
                "differences": [_document(difference) for difference in done.differences],
                "notes": done.notes,
            }
        )
    else:
        _print(done, seconds)
    return 0 if done.is_identical else EXIT_FAILED


def _print(done: Rebuilt, seconds: float) -> None:
    rate = (done.events + done.reports) / seconds if seconds else 0
    out.print(
        f"{done.events:,} events of cases and {done.reports:,} of tallies and foci folded in {seconds:.1f} s "
        f"({rate:,.0f}/s)."
    )
    if done.is_identical:
        out.print(
            "Identical: cases, counts, totals, tallies, foci, their ledgers and parked events. The rebuilt "
            "tables serve now."
        )
        return
    tables = dict.fromkeys(difference.table for difference in done.differences)
    out.print(f"DIFFERENT in {', '.join(tables)}; at most {MOST_DIFFERENCES} keys of each:")
    for difference in done.differences:
        key = ", ".join(f"{name}={value}" for name, value in difference.key.items())
        out.print(
            f"  {difference.table} {key}: live {difference.live}, rebuilt {difference.rebuilt}",
            markup=False,
            highlight=False,
        )
    out.print(
        "The rebuilt tables serve now (--force)."
        if done.is_switched
        else "Nothing was changed. See docs/runbook/drift.md; `canhdich rebuild --force` puts the rebuilt "
        "counts in force."
    )


def _document(difference: Difference) -> dict[str, Any]:
    return {
        "table": difference.table,
        "key": difference.key,
        "live": difference.live,
        "rebuilt": difference.rebuilt,
    }

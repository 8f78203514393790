"""`canhdich audit`: do the books balance?"""

import typer

from services.cli.output import EXIT_FAILED, JsonOption, exits, out, print_json, progress_bar
from services.settings import settings
from streams.stores import database
from streams.stores.audit import audit
from streams.stores.report_audit import audit_reports


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit", help="Recompute every count from cases and journal; exit 1 on any drift.")(run)


@exits
def run(json_output: JsonOption = False) -> int:
    """Print the audit; 1 when anything drifted."""
    with (
        database.errors_translated(),
        database.connect(settings().database_url.get_secret_value()) as connection,
        progress_bar("Folding the journal again", None) as advance,
    ):
        found = audit(connection, advance)
        reports = audit_reports(connection)
    drift = {kind: getattr(found, kind) for kind in ("daily", "totals", "ledger", "state", "journal")}
    report_drift = {"state": reports.state, "ledger": reports.ledger}
    is_clean = found.is_clean and reports.is_clean
    if json_output:
        print_json(
            {
                "events": found.events,
                "cases": found.cases,
                "parked": found.parked,
                "drift": drift,
                "reports": {
                    "events": reports.events,
                    "tallies": reports.tallies,
                    "foci": reports.foci,
                    "parked": reports.parked,
                    "drift": report_drift,
                },
            }
        )
    else:
        out.print(f"{found.events:,} events, {found.cases:,} cases, {found.parked:,} parked.")
        out.print(
            f"{reports.events:,} events of {reports.tallies:,} tallies and {reports.foci:,} foci, "
            f"{reports.parked:,} parked."
        )
        if is_clean:
            out.print("No drift: ledger = counts = cases = journal.")
        else:
            out.print(
                f"DRIFT: {drift}; tallies and foci: {report_drift}. Nothing was changed; see "
                "docs/runbook/drift.md."
            )
    return 0 if is_clean else EXIT_FAILED

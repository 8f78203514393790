"""`canhdich …`: the command line. Each command is a module with a `register` function."""

import typer

from services.cli import (
    alerts_command,
    areas_command,
    audit_command,
    cases_command,
    completeness_command,
    counts_command,
    dashboards_command,
    dead_letters_command,
    delays_command,
    demo_command,
    detect_command,
    doctor_command,
    foci_command,
    import_command,
    meanings_command,
    nowcast_command,
    populations_command,
    rebuild_command,
    recipients_command,
    report_command,
    rules_command,
    service_commands,
    silent_command,
    snapshots_command,
    tallies_command,
)

app = typer.Typer(
    name="canhdich",
    help="Canh Dịch: watching over epidemics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for module in (
    service_commands,
    import_command,
    meanings_command,
    counts_command,
    populations_command,
    snapshots_command,
    cases_command,
    tallies_command,
    foci_command,
    audit_command,
    rebuild_command,
    dead_letters_command,
    doctor_command,
    demo_command,
    detect_command,
    areas_command,
    rules_command,
    alerts_command,
    recipients_command,
    report_command,
    delays_command,
    completeness_command,
    silent_command,
    nowcast_command,
    dashboards_command,
):
    module.register(app)


def main() -> None:
    """Entry point of the `canhdich` program."""
    app()

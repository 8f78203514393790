"""`canhdich …`: the command line. Each command is a module with a `register` function."""

import typer

from services.cli import (
    audit_command,
    cases_command,
    counts_command,
    dead_letters_command,
    demo_command,
    detect_command,
    doctor_command,
    import_command,
    rebuild_command,
    service_commands,
    snapshots_command,
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
    counts_command,
    snapshots_command,
    cases_command,
    audit_command,
    rebuild_command,
    dead_letters_command,
    doctor_command,
    demo_command,
    detect_command,
):
    module.register(app)


def main() -> None:
    """Entry point of the `canhdich` program."""
    app()

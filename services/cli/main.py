"""`canhdich …`: the command line. Each command is a module with a `register` function.

A module is imported when its command is run or asked for help: all of them together bring in SciPy, the
clients of Kafka and more, which took seconds of every call.
"""

import gc
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "migrate": ("service_commands", "Bring schema, topics and catalogue up to date."),
    "up": ("service_commands", "Start workers, intake and monitor, and wait until they are healthy."),
    "down": ("service_commands", "Stop workers, intake and monitor."),
    "import": (
        "import_command",
        "Send the national export, a line list, tallies, foci (CSV, XLSX) or events (NDJSON).",
    ),
    "meanings": ("meanings_command", "What doubtful names in imported files mean."),
    "counts": ("counts_command", "Counts and deaths per area, disease and time."),
    "populations": ("populations_command", "Populations of areas, by which rates are computed."),
    "snapshots": (
        "snapshots_command",
        "List what was published; `counts --snapshot ID` prints it again.",
    ),
    "cases": ("cases_command", "Single cases."),
    "tallies": (
        "tallies_command",
        "Sums that offices report: exposures vaccinated, slides, persons isolated.",
    ),
    "foci": ("foci_command", "Outbreak foci and food-poisoning events, with their unknowns."),
    "audit": ("audit_command", "Recompute every count from cases and journal; exit 1 on any drift."),
    "rebuild": (
        "rebuild_command",
        "Build all counts, tallies and foci again from the journals while the old ones serve, compare, "
        "switch. Exit 1 where they differ. From Kafka alone: give the workers an empty database.",
    ),
    "dead-letters": ("dead_letters_command", "Records that could not be used."),
    "doctor": ("doctor_command", "Say what is missing, down or out of step."),
    "demo": ("demo_command", "Send the simulated line lists of Lai Châu 2022 and 2023; show the year."),
    "detect": (
        "detect_command",
        "Run one statistical detector over a series file, at the rows of its range.",
    ),
    "areas": ("areas_command", "Areas with their dates: look up, load a decree, unknown codes."),
    "rules": ("rules_command", "The alert rules: check, detectors, list, load."),
    "alerts": ("alerts_command", "Alert inbox and life."),
    "recipients": ("recipients_command", "Who is told of alerts."),
    "report": ("report_command", "The situation report and what was published."),
    "delays": (
        "delays_command",
        "Reporting delays per area, disease and time, and the share within the law.",
    ),
    "completeness": (
        "completeness_command",
        "Share of the national form's fields that cases have filled in.",
    ),
    "silent": ("silent_command", "Facilities that reported regularly and have stopped."),
    "nowcast": ("nowcast_command", "Counts of the last weeks, corrected for reports that are still to come."),
    "people": ("people_command", "Accounts of staff: add, list, disable, enable, reset; the trail."),
    "keys": ("keys_command", "API keys of programs: add, list, revoke."),
    "rights": ("rights_command", "Who may do what in Kafka and in the database."),
    "backup": ("backup_command", "Copy database and event topics into a folder; forget old backups."),
    "restore": ("restore_command", "Bring a backup back onto empty servers, or the database alone."),
    "dashboards": ("dashboards_command", "The boards in a running Grafana."),
}
"""Each command's module in services/cli, and what it does as its `register` says it too."""


AHEAD: Final[Mapping[str, str]] = {"report": "services.report.ahead"}
"""Modules whose `begin(arguments)` is called before a command's own is imported, which takes a second."""


_OBJECTS_BETWEEN_COLLECTIONS: Final = 100_000


class _Later(TyperCommand):
    """Stands for a command whose module is not imported yet."""

    def __init__(self, name: str, module: str, does: str) -> None:
        super().__init__(name, help=does, rich_markup_mode=None)
        self._module = module

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The real command's context, which also runs the real command."""
        if (ahead := AHEAD.get(str(self.name))) is not None:
            import_module(ahead).begin(args)
        registered = typer.Typer(callback=_nothing, pretty_exceptions_enable=False, rich_markup_mode=None)
        import_module(f"services.cli.{self._module}").register(registered)
        command = typer.main.get_group(registered).commands[str(self.name)]
        return command.make_context(info_name, args, parent, **extra)


class _Commands(TyperGroup):
    """All commands."""

    def __init__(self, **attributes: Any) -> None:
        later = {name: _Later(name, module, does) for name, (module, does) in COMMANDS.items()}
        super().__init__(**{**attributes, "commands": later})


def _nothing() -> None: ...


app = typer.Typer(
    name="canhdich",
    cls=_Commands,
    callback=_nothing,
    help="Canh Dịch: watching over epidemics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Entry point of the `canhdich` program."""
    # Modules and rows stay for as long as a command runs: looking for rubbish among them every few hundred
    # objects is a tenth of its time.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    app()

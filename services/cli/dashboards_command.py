"""`canhdich dashboards`: bring boards, data source, alert rules and marks into a Grafana, or compare."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json
from services.settings import settings
from streams.domain.errors import ConfigurationError

if TYPE_CHECKING:
    # Loaded where they are used: the client of Grafana would slow every other command's start.
    from services.grafana.push import Change
    from services.grafana.server import Server

dashboards = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(dashboards, name="dashboards", help="The boards in a running Grafana.")


@dashboards.command("push", help="Bring folders, data source, boards, alert rules and marks into Grafana.")
@exits
def push(
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Write the data source's password again, too.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Make good whatever differs; what is as it is to be is not touched."""
    from services.grafana.push import changes
    from services.grafana.wanted import read_wanted

    done = []
    with _server() as server:
        for change in changes(server, read_wanted(), with_secrets=with_secrets):
            done.append(change)
            if not json_output:
                _show(change, with_diff=is_dry_run)
            if not is_dry_run:
                change.apply()
    if json_output:
        print_json({"dry_run": is_dry_run, "changes": [change.document() for change in done]})
    elif not done:
        out.print("Nothing to do: Grafana holds what the files say.")


@dashboards.command("check", help="Compare a running Grafana with the files; changes nothing.")
@exits
def check(json_output: JsonOption = False) -> int:
    """Print what differs; exit 1 when anything does."""
    from services.grafana.push import changes
    from services.grafana.wanted import read_wanted

    with _server() as server:
        found = list(changes(server, read_wanted()))
    if json_output:
        print_json({"ok": not found, "changes": [change.document() for change in found]})
    else:
        for change in found:
            _show(change, with_diff=True)
        if not found:
            out.print("Grafana holds what the files say.")
    return EXIT_FAILED if found else 0


def _show(change: "Change", *, with_diff: bool) -> None:
    out.print(f"{change.action} {change.kind} {change.name}", markup=False, highlight=False)
    if with_diff:
        for line in change.diff:
            out.print(f"    {line}", markup=False, highlight=False)


@contextmanager
def _server() -> Iterator["Server"]:
    """The server that the settings name.

    Raises:
        ConfigurationError: they name none.
    """
    from services.grafana.server import Server

    configured = settings()
    token = configured.grafana_token.get_secret_value()
    if not configured.grafana_url or not token:
        raise ConfigurationError(
            "Set CANHDICH_GRAFANA_URL, and CANHDICH_GRAFANA_TOKEN to the token of a service account with the "
            "role Admin. Without a running Grafana, deploy/grafana/provisioning loads the same at its start."
        )
    err.print(f"Grafana at {configured.grafana_url}", markup=False, highlight=False)
    server = Server(configured.grafana_url, token)
    try:
        yield server
    finally:
        server.close()

"""`canhdich detect`: one detector over one series file."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.output import JsonOption, exits

METHODS = "ears-c1 ears-c2 ears-c3 farrington farrington-flexible cusum bayes rki"
"""The detectors, as the help names them."""

_INPUT_HELP = "Series file: JSON with observed, freq, range, and if wanted control, epoch, population."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("detect", help="Run one statistical detector over a series file, at the rows of its range.")(
        run
    )


@exits
def run(
    method: Annotated[str, typer.Option(help=f"One of {METHODS}.")],
    input_file: Annotated[
        Path, typer.Option("--input", exists=True, dir_okay=False, readable=True, help=_INPUT_HELP)
    ],
    r_compat: Annotated[
        bool, typer.Option("--r-compat", help="Answer as R surveillance does, its known faults included.")
    ] = False,
    json_output: JsonOption = False,
) -> int:
    """Print the bound and the verdict of every asked row."""
    # Imported here: numpy and scipy take longer to load than other commands to run.
    from services.cli.detection import detect

    detect(method, input_file, r_compat=r_compat, json_output=json_output)
    return 0

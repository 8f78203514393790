"""What every command shares: one JSON document or text on standard output, progress on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, Any, ParamSpec

import orjson
import typer
from rich.console import Console

from streams.domain.errors import ConfigurationError, DependencyDown, RefusedAction

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_DEPENDENCY_DOWN = 3

out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 160)
"""Standard output, for people."""
err = Console(stderr=True, soft_wrap=True)
"""Standard error: progress and errors."""

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

_Parameters = ParamSpec("_Parameters")


def print_json(document: Any) -> None:
    """The one JSON document of a command, on standard output."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


@contextmanager
def progress_bar(description: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error; yields a function that advances it. Silent when not a terminal."""
    # Slow to import, and most commands have none.
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as progress:
        task = progress.add_task(description, total=total)
        yield lambda n: progress.advance(task, n)


def exits(command: Callable[_Parameters, int | None]) -> Callable[_Parameters, None]:
    """Turn what a command returns or raises into the exit codes of the contract (0, 1, 2, 3)."""

    @wraps(command)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        try:
            code = command(*args, **kwargs) or 0
        except DependencyDown as error:
            err.print(str(error), style="red", markup=False, highlight=False)
            err.print("Is the stack up? `canhdich doctor` says what is missing; `make up` starts it.")
            code = EXIT_DEPENDENCY_DOWN
        except ConfigurationError as error:
            err.print(str(error), style="red", markup=False, highlight=False)
            code = EXIT_USAGE
        except RefusedAction as error:
            err.print(str(error), style="red", markup=False, highlight=False)
            code = EXIT_FAILED
        raise typer.Exit(code)

    return run

"""Programs that run for a while and end: downloads, set-up."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.native.accounts import Account
from deploy.native.errors import NativeError
from deploy.native.processes import tail


def fresh_part(whole: Path) -> Path:
    """Make an empty folder beside the one it will be renamed to when it is whole.

    Its name is new each time: a program of an interrupted run may still be writing into an earlier one. Those
    are deleted.
    """
    whole.parent.mkdir(parents=True, exist_ok=True)
    for old in whole.parent.glob(f"{whole.name}.part-*"):
        shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{whole.name}.part-", dir=whole.parent))


def run(
    argv: Sequence[str | Path],
    *,
    log: Path,
    doing: str,
    advice: str,
    environment: Mapping[str, str] | None = None,
    account: Account | None = None,
    text: str = "",
    watch: Callable[[], None] | None = None,
) -> None:
    """Run a program to its end, its output going to a log.

    Args:
        argv: The program and its arguments.
        log: Gets the output, in place of an earlier run's.
        doing: What this is, for the error: "downloading Kafka".
        advice: What to do when it fails.
        environment: Variables added to, or replacing, ours.
        account: Runs as this account; else as the caller.
        text: Its standard input; short.
        watch: Called about twice a second while it runs.

    Raises:
        NativeError: it failed or is not there; the message holds the end of the log and the advice.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("wb") as out:
            program = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd="/",
                **({} if account is None else account.run_as()),
            )
    except FileNotFoundError:
        raise NativeError(f"{argv[0]} is not there ({doing}). {advice}") from None
    with program:
        try:
            code = _finish(program, text, watch)
        except BaseException:
            program.terminate()
            raise
    if code != 0:
        raise NativeError(f"{doing} failed: {argv[0]} ended with {code}.\n{tail(log)}\n{advice}")


def _finish(program: subprocess.Popen[bytes], text: str, watch: Callable[[], None] | None) -> int:
    if program.stdin:
        # A program that ends before it has read all says why in its log.
        with contextlib.suppress(BrokenPipeError), program.stdin:
            program.stdin.write(text.encode())
    while True:
        try:
            return program.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if watch:
                watch()

"""One run of the fault suite as a process of its own, as `make test-faults` does it, and what it said."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deploy.native.errors import NativeError
from deploy.native.layout import REPOSITORY
from tests.conftest import is_required
from tests.faults.servers import own_servers

Said = dict[str, Any]
Findings = list[dict[str, str]]

_SHOWN = 4_000


class Case(NamedTuple):
    """A schedule, and what is done to the workers (see sabotaged_worker)."""

    schedule: str
    sabotage: str = ""


class Suite:
    """A run under way.

    Args:
        case: What to run.
        events: How many events in all.
        batch: Most records of a transaction.
        home: Servers that are kept running; None: new ones.
        outage: Seconds for which the database is stopped.
    """

    def __init__(
        self, case: Case, events: int, batch: int, home: Path | None = None, outage: float = 6
    ) -> None:
        arguments = ["--batch", str(batch), "--outage", str(outage)]
        if home is not None:
            arguments += ["--home", str(home)]
        self._told = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed when it has ended
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults", case.schedule, "--sabotage", case.sabotage, *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "FAULT_EVENTS": str(events), "FAULT_ROUNDS": "1"},
            stdout=subprocess.PIPE,
            # What it tells meanwhile; pytest would give it to whatever test runs just then.
            stderr=self._told,
            text=True,
            # A group of its own, to end it with its workers.
            start_new_session=True,
        )

    def said(self) -> Said:
        """What it said in the end."""
        output, _ = self._process.communicate()
        code = self._process.returncode
        with self._told:
            self._told.seek(0)
            told = self._told.read()[-_SHOWN:]
        assert output, f"exit code {code}, the suite itself failed: {told}"
        said: Said = json.loads(output)
        assert code == bool(said["findings"])
        return said

    def end(self) -> None:
        """Let it end what it has started."""
        self._told.close()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)


def checks(found: Findings) -> set[str]:
    """Which checks found something."""
    return {finding["check"] for finding in found}


@contextmanager
def running_home() -> Iterator[Path]:
    """The folder of running servers that may be killed; skips, or fails, where none can be started."""
    with ExitStack() as stack:
        try:
            servers = stack.enter_context(own_servers())
        except NativeError as error:
            if is_required():
                raise
            pytest.skip(f"The fault suite kills servers and needs some of its own: {error}")
        yield servers.layout.home

"""The intake as a process of its own, as `canhdich up` starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

_START_SECONDS = 60.0


@dataclass(frozen=True)
class IntakeProcess:
    """A running intake.

    Attributes:
        url: Where it listens.
        log: Its log, one JSON object a line.
    """

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; raises ValueError for a line that is no JSON."""
        return [orjson.loads(line) for line in self.log.read_bytes().splitlines()]

    def stop(self, within_seconds: float) -> None:
        """Ask it to end; raises TimeoutExpired when it does not within the time."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(within_seconds)


def command(*arguments: str) -> list[str]:
    """The intake's command line."""
    return [sys.executable, "-m", "services.intake", *arguments]


@contextmanager
def running_intake(directory: Path, settings: Mapping[str, str]) -> Iterator[IntakeProcess]:
    """An intake on a free port that answers; killed at the end where it still runs."""
    log = directory / "intake.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command("--port", "0"), stderr=output, env={**os.environ, **settings})
    try:
        intake = IntakeProcess(process, _url(process, log), log)
        _wait_until_alive(intake)
        yield intake
    finally:
        process.kill()
        process.wait()


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    """What its log says it listens on."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_bytes().splitlines(keepends=True):
            if b'"intake_listens"' in line and line.endswith(b"\n"):
                found = orjson.loads(line)
                return f"http://{found['address']}:{found['port']}"
        time.sleep(0.05)
    raise AssertionError(f"the intake did not start:\n{log.read_text()}")


def _wait_until_alive(intake: IntakeProcess) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            httpx.get(f"{intake.url}/health/live", timeout=5).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline or intake.process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return

"""The suite in its short form: a sound worker passes it, and every mistake put in on purpose fails it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.native.layout import REPOSITORY

# More than everything else in the tests: servers start again and sessions end, whatever the machine.
pytestmark = [pytest.mark.native, pytest.mark.timeout(900)]


def findings(home: Path, schedule: str, *, events: int, sabotage: str = "") -> list[dict[str, str]]:
    """Run a schedule in a process of its own, as `make test-faults` does; what it found."""
    arguments = [schedule, "--home", str(home), "--batch", "100", "--outage", "10", "--sabotage", sabotage]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "FAULT_EVENTS": str(events), "FAULT_ROUNDS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        # A group of its own, with the workers, to end all of it.
        start_new_session=True,
    ) as suite:
        try:
            output, _ = suite.communicate()
        except BaseException:
            os.killpg(suite.pid, signal.SIGKILL)
            raise
    assert output, f"exit code {suite.returncode}, the suite itself failed"
    said: dict[str, Any] = json.loads(output)
    assert suite.returncode == bool(said["findings"])
    found: list[dict[str, str]] = said["findings"]
    return found


def checks(found: list[dict[str, str]]) -> set[str]:
    return {finding["check"] for finding in found}


def test_every_promise_holds_whatever_is_killed(faulty_home: Path) -> None:
    assert findings(faulty_home, "nearly_everything", events=5_000) == []


@pytest.mark.parametrize(
    ("schedule", "mishaps"),
    [
        ("mishaps", "fail_in_the_handler,die_in_the_commit,die_before_announcing"),
        ("killed_in_an_outage", ""),
    ],
)
def test_a_sound_worker_gets_over_what_shows_mistakes(faulty_home: Path, schedule: str, mishaps: str) -> None:
    assert findings(faulty_home, schedule, events=1_500, sabotage=mishaps) == []


@pytest.mark.parametrize(
    ("schedule", "sabotage", "lost"),
    [
        ("killed_in_an_outage", "acknowledge_before_the_commit", "events missing"),
        ("mishaps", "take_and_raise,fail_in_the_handler", "events missing"),
        ("mishaps", "store_positions_first,die_in_the_commit", "events missing"),
        ("mishaps", "forget_identities", "events more than once"),
    ],
)
def test_a_mistake_that_loses_or_doubles_events_is_found(
    faulty_home: Path, schedule: str, sabotage: str, lost: str
) -> None:
    found = findings(faulty_home, schedule, events=1_500, sabotage=sabotage)
    assert {"journal", "counts", "totals"} <= checks(found)
    assert any(finding["check"] == "journal" and lost in finding["text"] for finding in found)


def test_a_ledger_netted_per_batch_is_found_though_every_sum_is_right(faulty_home: Path) -> None:
    found = findings(faulty_home, "mishaps", events=1_500, sabotage="net_the_ledger")
    assert checks(found) == {"ledger"}


def test_a_lost_announcement_is_found_though_every_table_is_right(faulty_home: Path) -> None:
    sabotage = "stay_silent_when_known,die_before_announcing"
    found = findings(faulty_home, "mishaps", events=1_500, sabotage=sabotage)
    assert checks(found) == {"announced"}

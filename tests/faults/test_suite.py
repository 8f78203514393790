"""The suite in its short form: a sound worker passes it, and every mistake put in on purpose fails it."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deploy.native.layout import REPOSITORY

Findings = list[dict[str, str]]

# More than everything else in the tests: servers start again and sessions end, whatever the machine.
pytestmark = [pytest.mark.native, pytest.mark.timeout(900)]


def findings(home: Path, schedule: str, *, events: int, sabotage: str = "") -> Findings:
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
    found: Findings = said["findings"]
    return found


# What goes wrong inside one worker: a schedule, and what is done to the worker. The servers stay as they
# are, so all of it can go on side by side.
Case = tuple[str, str]
SOUND: tuple[Case, ...] = (
    ("mishaps", "fail_in_the_handler,die_in_the_commit,die_before_announcing"),
    ("killed_while_it_hangs", "hang_in_the_commit"),
    ("log_lost_before_the_announcement", "die_before_announcing"),
)
LOSING: dict[Case, str] = {
    ("killed_while_it_hangs", "acknowledge_before_the_commit,hang_in_the_commit"): "events missing",
    ("mishaps", "take_and_raise,fail_in_the_handler"): "events missing",
    ("mishaps", "store_positions_first,die_in_the_commit"): "events missing",
    ("mishaps", "forget_identities"): "events more than once",
}
NETTING: Case = ("mishaps", "net_the_ledger")
SILENT: Case = ("mishaps", "stay_silent_when_known,die_before_announcing")


@pytest.fixture(scope="module")
def found_in(faulty_home: Path) -> dict[Case, Findings]:
    """What is found in workers with mistakes or mishaps."""

    def verdict(case: Case) -> Findings:
        schedule, sabotage = case
        return findings(faulty_home, schedule, events=1_500, sabotage=sabotage)

    cases = [*SOUND, *LOSING, NETTING, SILENT]
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(cases, pool.map(verdict, cases), strict=True))


def checks(found: Findings) -> set[str]:
    return {finding["check"] for finding in found}


def test_every_promise_holds_whatever_is_killed(faulty_home: Path) -> None:
    assert findings(faulty_home, "nearly_everything", events=5_000) == []


@pytest.mark.parametrize("case", SOUND, ids=" ".join)
def test_a_sound_worker_gets_over_what_shows_mistakes(found_in: dict[Case, Findings], case: Case) -> None:
    assert found_in[case] == []


@pytest.mark.parametrize("case", LOSING, ids=" ".join)
def test_a_mistake_that_loses_or_doubles_events_is_found(found_in: dict[Case, Findings], case: Case) -> None:
    found = found_in[case]
    assert {"journal", "counts", "totals"} <= checks(found)
    assert any(LOSING[case] in finding["text"] for finding in found if finding["check"] == "journal")


def test_a_ledger_netted_per_batch_is_found_though_every_sum_is_right(
    found_in: dict[Case, Findings],
) -> None:
    assert checks(found_in[NETTING]) == {"ledger"}


def test_a_lost_announcement_is_found_though_every_table_is_right(
    found_in: dict[Case, Findings],
) -> None:
    assert checks(found_in[SILENT]) == {"announced"}

"""The suite in its short form: a sound worker passes it, and every mistake put in on purpose fails it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deploy.native.layout import REPOSITORY
from tests.faults.schedules import EVERY_FAULT, SHORT_LAST_FAULTS, name_of

Said = dict[str, Any]
Findings = list[dict[str, str]]

# More than everything else in the tests: servers start again and sessions end, whatever the machine.
pytestmark = [pytest.mark.native, pytest.mark.timeout(1_800)]


class Case(NamedTuple):
    """A schedule, and what is done to the workers (see sabotaged_worker)."""

    schedule: str
    sabotage: str = ""


SHORT_FORM = Case("nearly_everything")
# What goes wrong inside one worker. The servers stay as they are, so all of it goes on side by side.
SOUND = (
    Case("mishaps", "fail_in_the_handler,die_in_the_commit,die_before_announcing"),
    Case("killed_while_it_hangs", "hang_in_the_commit"),
    Case("log_lost_before_the_announcement", "die_before_announcing"),
)
LOSING = {
    Case("killed_when_acknowledged", "acknowledge_before_the_commit,hang_in_the_commit"): "events missing",
    Case("mishaps", "take_and_raise,fail_in_the_handler"): "events missing",
    Case("mishaps", "store_positions_first,die_in_the_commit"): "events missing",
    Case("mishaps", "forget_identities"): "events more than once",
}
NETTING = Case("mishaps", "net_the_ledger")
SILENT = Case("mishaps", "stay_silent_when_known,die_before_announcing")

SIDE_BY_SIDE = 4


class Suite:
    """One run in a process of its own, as `make test-faults` does it."""

    def __init__(self, case: Case, arguments: list[str], events: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults", case.schedule, "--sabotage", case.sabotage, *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "FAULT_EVENTS": str(events), "FAULT_ROUNDS": "1"},
            stdout=subprocess.PIPE,
            text=True,
            # A group of its own, to end it with its workers.
            start_new_session=True,
        )

    def said(self) -> Said:
        """What it said in the end."""
        output, _ = self._process.communicate()
        code = self._process.returncode
        assert output, f"exit code {code}, the suite itself failed"
        said: Said = json.loads(output)
        assert code == bool(said["findings"])
        return said

    def end(self) -> None:
        """Let it end what it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def runs(faulty_home: Path) -> Iterator[Mapping[Case, "Future[Said]"]]:
    """Every case, under way or done."""
    suites: list[Suite] = []

    def run(case: Case) -> Said:
        if case == SHORT_FORM:
            # On servers of its own: it kills them.
            suite = Suite(case, ["--batch", "40", "--outage", "6"], events=5_000)
        else:
            suite = Suite(case, ["--batch", "100", "--home", str(faulty_home)], events=1_500)
        suites.append(suite)
        return suite.said()

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        try:
            yield {case: pool.submit(run, case) for case in (SHORT_FORM, *SOUND, *LOSING, NETTING, SILENT)}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for suite in suites:
                suite.end()


def checks(found: Findings) -> set[str]:
    return {finding["check"] for finding in found}


def test_every_promise_holds_whatever_is_killed(runs: Mapping[Case, "Future[Said]"]) -> None:
    said = runs[SHORT_FORM].result()
    due = {name_of(fault) for fault in (*EVERY_FAULT, *SHORT_LAST_FAULTS)}
    assert {happened["fault"] for happened in said["happened"]} == due
    assert all(said["sent"].values()), "some of every kind of record"
    assert said["findings"] == []


@pytest.mark.parametrize("case", SOUND, ids=" ".join)
def test_a_sound_worker_gets_over_what_shows_mistakes(
    runs: Mapping[Case, "Future[Said]"], case: Case
) -> None:
    assert runs[case].result()["findings"] == []


@pytest.mark.parametrize("case", LOSING, ids=" ".join)
def test_a_mistake_that_loses_or_doubles_events_is_found(
    runs: Mapping[Case, "Future[Said]"], case: Case
) -> None:
    found: Findings = runs[case].result()["findings"]
    assert {"journal", "counts", "totals"} <= checks(found)
    assert any(LOSING[case] in finding["text"] for finding in found if finding["check"] == "journal")


def test_a_ledger_netted_per_batch_is_found_though_every_sum_is_right(
    runs: Mapping[Case, "Future[Said]"],
) -> None:
    assert checks(runs[NETTING].result()["findings"]) == {"ledger"}


def test_a_lost_announcement_is_found_though_every_table_is_right(
    runs: Mapping[Case, "Future[Said]"],
) -> None:
    assert checks(runs[SILENT].result()["findings"]) == {"announced"}

"""The checks can fail: every mistake put into a worker on purpose is found, and none in a sound worker."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.suite import Case, Findings, Said, Suite, checks

# More than everything else in the tests: servers start again and sessions end, whatever the machine.
pytestmark = [pytest.mark.native, pytest.mark.timeout(1_800)]

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


@pytest.fixture(scope="module")
def runs(faulty_home: Path) -> Iterator[Mapping[Case, "Future[Said]"]]:
    """Every case, under way or done."""
    suites: list[Suite] = []

    def run(case: Case) -> Said:
        suite = Suite(case, events=1_500, batch=100, home=faulty_home)
        suites.append(suite)
        return suite.said()

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        try:
            yield {case: pool.submit(run, case) for case in (*SOUND, *LOSING, NETTING, SILENT)}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for suite in suites:
                suite.end()


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

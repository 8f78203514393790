"""The fault suite in its short form: every kind of fault once, and a mistake that it must find.

`FAULT_SEED=… pytest tests/e2e/test_faults.py` does the same again. The other mistakes, and 200,000 events:
`make test-faults`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NativeStack
from tests.faults.schedules import EVERY_FAULT, SHORT_LAST_FAULTS, name_of
from tests.faults.suite import Case, Said, Suite, checks, running_home

# Servers start again and sessions end, whatever the machine.
pytestmark = [pytest.mark.native, pytest.mark.timeout(1_800)]


@pytest.fixture(scope="module")
def faulty_home(native_stack: NativeStack) -> Iterator[Path]:
    """The folder of a running instance of these tests' own."""
    with running_home() as home:
        yield home


def said_by(case: Case, home: Path, events: int) -> Said:
    suite = Suite(case, events=events, batch=40, home=home, outage=3)
    try:
        return suite.said()
    finally:
        suite.end()


def test_every_promise_holds_whatever_is_killed(faulty_home: Path) -> None:
    said = said_by(Case("nearly_everything"), faulty_home, events=1_500)
    again = f"FAULT_SEED={said['seed']} does it again"
    assert said["findings"] == [], again
    due = {name_of(fault) for fault in (*EVERY_FAULT, *SHORT_LAST_FAULTS)}
    assert {happened["fault"] for happened in said["happened"]} == due, again
    assert all(said["sent"].values()), "some of every kind of record"


def test_a_worker_that_acknowledges_before_the_commit_is_found(faulty_home: Path) -> None:
    case = Case("killed_when_acknowledged", "acknowledge_before_the_commit,hang_in_the_commit")
    said = said_by(case, faulty_home, events=600)
    assert {"journal", "counts", "totals"} <= checks(said["findings"]), f"FAULT_SEED={said['seed']}"
    assert any("events missing" in finding["text"] for finding in said["findings"])

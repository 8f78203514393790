"""What doctor says of the stream's health, in plain words, and from when on it is a problem."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.cli.doctor_command import (
    audit_check,
    backup_check,
    canary_check,
    dead_letter_check,
    disk_check,
    rights_check,
)
from services.monitor import limits
from services.monitor.looks import DiskUsage
from streams.domain.as_of import LogEnds
from streams.stores.health import StreamHealth, lags
from tests.builders import TOPIC_ID, position, uuid

NOW = datetime(2026, 1, 15, 1, 0, tzinfo=UTC)
WELL: dict[str, Any] = {
    "newest_age": 3.0,
    "journaled": 96,
    "dead": 4,
    "dead_open": 20,
    "parked": 0,
    "round_age": 30.0,
    "sweep_age": 7_300.0,
    "audit_waiting": 0,
    "drift": {},
}


def health(**changes: Any) -> StreamHealth:
    return StreamHealth(**{**WELL, **changes})


@pytest.mark.parametrize(
    ("journaled", "dead", "is_ok"),
    [
        (96, 4, True),
        (95, 5, True),
        (94, 6, False),
        (0, limits.DEAD_LEAST - 1, True),
        (0, 0, True),
        (0, 5, False),
    ],
)
def test_dead_letters(journaled: int, dead: int, is_ok: bool) -> None:
    check = dead_letter_check(health(journaled=journaled, dead=dead))
    assert check.ok is is_ok
    assert f"of the {journaled + dead} events of the last hour {dead} (" in check.found


@pytest.mark.parametrize(
    ("changes", "is_ok", "found"),
    [
        ({}, True, "no drift; last round 30 s ago, the last whole sweep began 2.0 h ago"),
        ({"round_age": None, "sweep_age": None}, True, "no round yet"),
        ({"sweep_age": None}, True, "no drift; last round 30 s ago"),
        ({"round_age": 901.0}, False, "last round 15 min ago"),
        ({"sweep_age": 43_201.0}, False, "began 12.0 h ago"),
        ({"drift": {"daily": 2, "ledger": 1}}, False, "DRIFT: 2 of daily, 1 of ledger"),
    ],
)
def test_the_audit(changes: dict[str, Any], is_ok: bool, found: str) -> None:
    check = audit_check(health(**changes), 6)
    assert check.ok is is_ok
    assert found in check.found


@pytest.mark.parametrize(
    ("age", "interval", "is_ok", "found"),
    [
        (20, 300, True, "was sent 20 s ago"),
        (1_019, 300, True, "17 min ago"),
        (1_021, 300, False, "17 min ago"),
        (1_021, 0, True, "none is sent"),
        (None, 300, True, "none has arrived yet"),
    ],
)
def test_the_canary(age: int | None, interval: float, is_ok: bool, found: str) -> None:
    newest = None if age is None else NOW - timedelta(seconds=age)
    check = canary_check(newest, NOW, interval)
    assert check.ok is is_ok
    assert found in check.found


def test_lag_is_what_the_log_has_beyond_the_position() -> None:
    ends = LogEnds(TOPIC_ID, NOW, {0: 10, 1: 5, 2: 7, 3: 4})
    positions = {0: position(8), 1: position(5), 3: position(4, topic_id=uuid(9)), 4: position(3)}
    assert lags(ends, positions) == {0: 2, 1: 0, 2: 7, 3: 4}
    assert lags(ends, {0: position(12)})[0] == 0, "a log that was cut is nothing that waits"


@pytest.mark.parametrize(
    ("age", "is_made", "is_ok", "found"),
    [
        (None, False, True, "nothing to back up yet"),
        (3_600.0, False, True, "none yet; installed 60 min ago"),
        (93_601.0, False, False, "none yet"),
        (3_600.0, True, True, "the newest was made 60 min ago"),
        (93_599.0, True, True, "26.0 h ago"),
        (93_601.0, True, False, "26.0 h ago"),
    ],
)
def test_the_backup(age: float | None, is_made: bool, is_ok: bool, found: str) -> None:
    check = backup_check(age, is_made, 26)
    assert check.ok is is_ok
    assert found in check.found


@pytest.mark.parametrize(("free", "is_ok"), [(100, True), (10, True), (9, False), (0, False)])
def test_the_disk(free: int, is_ok: bool) -> None:
    assert disk_check("data", DiskUsage(100, free)).ok is is_ok


def test_the_rights() -> None:
    assert rights_check([], []).ok
    missing = rights_check(["canhdich_worker"], [])
    assert (missing.ok, missing.found) == (False, "no login canhdich_worker")
    assert rights_check([], ["a", "b", "c", "d", "e"]).found == "a; b; c and 2 more"

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.native.commands import fresh_part, run
from deploy.native.errors import NativeError


def _shell(script: str, log: Path, text: str = "") -> list[int]:
    watched: list[int] = []
    run(
        ["/bin/sh", "-c", script],
        log=log,
        doing="Fetching it",
        advice="Try again.",
        text=text,
        watch=lambda: watched.append(1),
    )
    return watched


def test_a_slow_program_gets_its_input_and_is_watched(tmp_path: Path) -> None:
    watched = _shell("sleep 1.2; cat", tmp_path / "log", "create database")
    assert (tmp_path / "log").read_text() == "create database"
    assert len(watched) >= 2


def test_a_program_that_does_not_read_its_input_is_no_error(tmp_path: Path) -> None:
    _shell("exit 0", tmp_path / "log", "x" * 1_000_000)


def test_a_failure_shows_the_log_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NativeError, match=r"(?s)Fetching it failed.*ended with 3.*no route.*Try again"):
        _shell("echo no route; exit 3", tmp_path / "log")


def test_a_missing_program_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NativeError, match=r"is not there .*Try again"):
        run([tmp_path / "absent"], log=tmp_path / "log", doing="Fetching it", advice="Try again.")


def test_what_an_interrupted_run_left_is_deleted(tmp_path: Path) -> None:
    first = fresh_part(tmp_path / "root")
    (first / "file").touch()
    second = fresh_part(tmp_path / "root")
    assert [path.name for path in tmp_path.iterdir()] == [second.name]
    assert list(second.iterdir()) == []

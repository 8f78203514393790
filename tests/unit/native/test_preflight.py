from __future__ import annotations

from pathlib import Path

import pytest

from deploy.native import preflight
from deploy.native.layout import Layout, layout
from deploy.native.preflight import Check, checks, java_major, needs, problems


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    for name in ("KAFKA_HOME", "JAVA_HOME", "DEBIAN_MIRROR", "CANHDICH_NATIVE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return layout(tmp_path)


def _java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{version}' >&2\n")
    program.chmod(0o755)
    return folder


def _by_name(found: list[Check], name: str) -> Check:
    return next(check for check in found if check.name.startswith(name))


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_402"', 8),
        ("java: command not found", None),
        ("", None),
    ],
)
def test_the_version_of_java_is_read(text: str, major: int | None) -> None:
    assert java_major(text) == major


@pytest.mark.parametrize("version", ['openjdk version "11.0.2"', "gibberish"])
def test_an_old_or_odd_java_is_refused(
    home: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path / "jdk", version)))
    check = _by_name(needs(home, ("kafka",)), "Java")
    assert not check.ok
    assert "JAVA_HOME" in check.advice


def test_a_new_java_is_accepted(home: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path / "jdk", 'openjdk version "25.0.1" 2025-10-21')))
    assert _by_name(needs(home, ("kafka",)), "Java").ok


def test_missing_programs_are_said_with_what_to_type(
    home: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = needs(home, ("kafka", "timescale"))
    missing = problems(found)
    for package in ("default-jre-headless", "maven", "mmdebstrap"):
        assert f"apt-get install {package}" in missing
        assert package in {check.package for check in found}
    assert "DATABASE_URL" in missing


def test_what_was_fetched_needs_no_fetching_programs(home: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home.home))
    home.timescale_root.mkdir(parents=True)
    assert "mmdebstrap" not in problems(needs(home, ("timescale",)))


def test_a_false_kafka_home_is_said(home: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(home.home))
    assert not _by_name(needs(home, ("kafka",)), "KAFKA_HOME").ok


def test_too_small_a_disk_is_refused(home: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "DISK_FOR_DATA", 10**18)
    assert not _by_name(preflight.room(home, ("kafka",)), "disk for data").ok


def test_a_full_disk_does_not_keep_a_server_down(home: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "DISK_FOR_DATA", 10**18)
    (home.kafka / "data").mkdir(parents=True)
    assert "disk for data" not in {check.name for check in preflight.room(home, ("kafka",))}


def test_checks_are_complete_and_change_nothing(home: Layout) -> None:
    names = {check.name.split(" (")[0] for check in checks(home)}
    assert {"Java", "Maven", "mmdebstrap", "Debian archive", "memory", "ports", "disk for data"} <= names
    assert list(home.home.iterdir()) == []

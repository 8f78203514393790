"""The units that start everything with the machine: systemd itself finds nothing wrong with them."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.native.layout import REPOSITORY

UNITS = sorted((REPOSITORY / "deploy" / "systemd").iterdir())
_FOLDER = "/opt/canhdich"


def verified(folder: Path) -> str:
    """What `systemd-analyze verify` says of the units of a folder; empty when all is well."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on this machine")
    files = sorted(folder.iterdir())
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", *files],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"},
    )
    return done.stdout + done.stderr


def copied(folder: Path, change: tuple[str, str] = ("", "")) -> Path:
    """The units with the programs that this machine has in the place of an installation's."""
    for unit in UNITS:
        text = unit.read_text("utf-8").replace(*change)
        text = re.sub(rf"{_FOLDER}/\.venv/bin/\w+", "/bin/true", text)
        (folder / unit.name).write_text(text)
    return folder


def commands() -> Iterator[str]:
    """What the units start, without the folder."""
    for unit in UNITS:
        for line in unit.read_text("utf-8").splitlines():
            if line.startswith(("ExecStart=", "ExecStop=")):
                yield line.partition("=")[2].removeprefix(f"{_FOLDER}/.venv/bin/")


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    assert verified(copied(tmp_path)) == ""


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("Type=oneshot", "Type=once", "once"),
        ("Persistent=true", "Persistant=true", "Persistant"),
        ("OnCalendar=*-*-* 01:30:00", "OnCalendar=at night", "at night"),
    ],
)
def test_a_wrong_line_is_found(tmp_path: Path, good: str, bad: str, said: str) -> None:
    assert said in verified(copied(tmp_path, (good, bad)))


def test_they_start_what_there_is() -> None:
    assert sorted(commands()) == [
        "canhdich backup",
        "canhdich down",
        "canhdich up",
        "python -m deploy.native down",
        "python -m deploy.native up",
    ]

"""Passwords of logins, from a folder: one file each, for nobody else to read, long enough."""

from pathlib import Path

import pytest

from services.cli.rights_command import passwords_in
from streams.domain.errors import ConfigurationError

LONG = "a-password-of-the-tests"


def put(folder: Path, name: str, text: str = LONG + "\n", mode: int = 0o600) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(mode)


def test_each_login_has_its_own(tmp_path: Path) -> None:
    put(tmp_path, "canhdich_worker")
    put(tmp_path, "canhdich-worker", "another-password-of-them", 0o640)
    assert passwords_in(tmp_path) == {"canhdich_worker": LONG, "canhdich-worker": "another-password-of-them"}
    assert passwords_in(None) == {}


@pytest.mark.parametrize(
    ("name", "text", "mode", "message"),
    [
        ("canhdich_nobody", LONG, 0o600, "canhdich_nobody is for no login; there are canhdich-backup"),
        ("canhdich_worker", LONG, 0o644, "Everybody may read"),
        ("canhdich_worker", "short\n", 0o600, "fewer than 12 characters"),
    ],
)
def test_what_is_not_in_order_is_refused(
    tmp_path: Path, name: str, text: str, mode: int, message: str
) -> None:
    put(tmp_path, name, text, mode)
    with pytest.raises(ConfigurationError, match=message):
        passwords_in(tmp_path)

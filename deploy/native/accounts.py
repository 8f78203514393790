"""The account PostgreSQL runs as: it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from deploy.native.errors import NativeError


class RunAs(TypedDict, total=False):
    """Arguments of `subprocess.run` that choose the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine."""

    name: str
    uid: int
    gid: int

    def run_as(self) -> RunAs:
        """Say it to `subprocess.run`; nothing to say when it is the caller's own."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def caller() -> Account:
    """Name the account this runs as."""
    return Account(str(os.geteuid()), os.geteuid(), os.getegid())


def server_account() -> Account:
    """Choose the account: the caller's own, or, for root, `postgres` where there is one, else `nobody`.

    Raises:
        NativeError: root, on a machine that has neither.
    """
    if os.geteuid() != 0:
        return caller()
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise NativeError(
        "PostgreSQL refuses to run as root, and this machine has neither an account `postgres` nor `nobody`. "
        "Add one (`useradd --system postgres`), or run this as an ordinary user."
    )


def can_enter(account: Account, path: Path) -> bool:
    """Tell whether the account may enter a folder, or the nearest folder above it that exists."""
    while not path.exists():
        path = path.parent
    if account.uid == os.geteuid():
        return os.access(path, os.X_OK)
    # cwd is / because the caller's own folder may be closed to the account, too.
    asked = subprocess.run(["test", "-x", path], cwd="/", check=False, **account.run_as())
    return asked.returncode == 0

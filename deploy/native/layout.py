"""Where everything of one instance lives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_HOME = REPOSITORY / ".native"


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders of one instance.

    Attributes:
        home: Data, logs, ports and passwords; one instance each.
        cache: Kafka's jars and the Debian folder; several instances may share it.
    """

    home: Path
    cache: Path

    @property
    def ports_file(self) -> Path:
        return self.home / "ports.json"

    @property
    def env_file(self) -> Path:
        return self.home / "env"

    @property
    def passwords_file(self) -> Path:
        return self.home / "passwords.json"

    @property
    def lock_file(self) -> Path:
        return self.home / "lock"

    @property
    def kafka(self) -> Path:
        return self.home / "kafka"

    @property
    def timescale(self) -> Path:
        return self.home / "timescale"

    @property
    def kafka_libs(self) -> Path:
        return self.cache / "kafka" / "libs"

    @property
    def timescale_root(self) -> Path:
        return self.cache / "timescale" / "root"


def layout(home: Path | None = None) -> Layout:
    """Find the folders of an instance.

    Args:
        home: The instance's folder; else `CANHDICH_NATIVE_HOME`, else `.native` in the repository.

    Returns:
        Absolute paths with symbolic links followed. The cache is `CANHDICH_NATIVE_CACHE`, else
        `cache` inside the home. Nothing is made.
    """
    chosen = home or Path(os.environ.get("CANHDICH_NATIVE_HOME") or DEFAULT_HOME)
    resolved = chosen.expanduser().resolve()
    cache = os.environ.get("CANHDICH_NATIVE_CACHE")
    return Layout(resolved, Path(cache).expanduser().resolve() if cache else resolved / "cache")

"""The whole system on a database and topics of its own, started by `canhdich up`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NativeStack, scratch_database, scratch_topics

CANHDICH = Path(sys.executable).with_name("canhdich")


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation: its commands, run in a folder of its own as a user would."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str, timeout: float = 600) -> "subprocess.CompletedProcess[str]":
        """Run `canhdich …`; the caller looks at the exit code."""
        return subprocess.run(
            [CANHDICH, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def json(self, *arguments: str, exit_code: int = 0, timeout: float = 600) -> Any:
        """What `canhdich … --json` prints: one document, nothing else."""
        done = self.run(*arguments, "--json", timeout=timeout)
        assert done.returncode == exit_code, done.stderr + done.stdout
        return json.loads(done.stdout)

    @property
    def intake_url(self) -> str:
        """Where the intake listens."""
        ports = json.loads((self.folder / "data" / "services" / "ports.json").read_text())
        return f"http://127.0.0.1:{ports['intake']}"

    def kill_worker(self) -> int:
        """SIGKILL the first worker; its process id."""
        children = json.loads((self.folder / "data" / "services" / "children.json").read_text())
        pid: int = children[0]["pid"]
        os.kill(pid, signal.SIGKILL)
        return pid


@pytest.fixture(scope="module")
def installation(
    native_stack: NativeStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation on an empty database."""
    folder = tmp_path_factory.mktemp("installation")
    with (
        scratch_topics(native_stack.kafka_bootstrap) as prefix,
        scratch_database(native_stack.server_url) as database_url,
    ):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CANHDICH_")},
            "KAFKA_BOOTSTRAP": native_stack.kafka_bootstrap,
            "DATABASE_URL": database_url,
            "CANHDICH_TOPIC_PREFIX": prefix,
            "CANHDICH_DATA_DIRECTORY": str(folder / "data"),
        }
        installed = Installation(folder, environment)
        try:
            started = installed.run("up")
            assert started.returncode == 0, started.stderr
            yield installed
        finally:
            stopped = installed.run("down")
            assert stopped.returncode == 0, stopped.stderr

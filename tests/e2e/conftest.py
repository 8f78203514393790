"""The whole system on a database and topics of its own, started by `canhdich up`."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser import browser as browser
from tests.browser import context as context
from tests.browser import page as page
from tests.browser import playwright as playwright
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
    def ports(self) -> dict[str, Any]:
        """Where the services listen on this machine."""
        ports: dict[str, Any] = json.loads((self.folder / "data" / "services" / "ports.json").read_text())
        return ports

    @property
    def intake_url(self) -> str:
        """Where the intake listens."""
        return f"http://127.0.0.1:{self.ports['intake']}"

    def kill_worker(self) -> int:
        """SIGKILL the first worker; its process id."""
        children = json.loads((self.folder / "data" / "services" / "children.json").read_text())
        pid: int = children[0]["pid"]
        os.kill(pid, signal.SIGKILL)
        return pid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def installed(stack: NativeStack, folder: Path, **settings: str) -> Iterator[Installation]:
    """An installation on an empty database, started; with settings of its own."""
    with (
        scratch_topics(stack.kafka_bootstrap) as prefix,
        scratch_database(stack.server_url) as database_url,
    ):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CANHDICH_")},
            "KAFKA_BOOTSTRAP": stack.kafka_bootstrap,
            "DATABASE_URL": database_url,
            "CANHDICH_TOPIC_PREFIX": prefix,
            "CANHDICH_DATA_DIRECTORY": str(folder / "data"),
            # Not the default, which another installation of the same tests may be about to take.
            "CANHDICH_INTAKE_PORT": str(_free_port()),
            **settings,
        }
        installation = Installation(folder, environment)
        try:
            started = installation.run("up")
            assert started.returncode == 0, started.stderr
            yield installation
        finally:
            stopped = installation.run("down")
            assert stopped.returncode == 0, stopped.stderr


@pytest.fixture(scope="module")
def installation(
    native_stack: NativeStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation on an empty database."""
    with installed(native_stack, tmp_path_factory.mktemp("installation")) as started:
        yield started

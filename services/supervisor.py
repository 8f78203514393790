"""`python -m services.supervisor`: keeps all services running on one machine.

For the native stack only; containers and Kubernetes restart processes themselves. A worker ends itself on
anything unexpected and relies on being started again.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from deploy.native.processes import identify, keep_previous

_LONGEST_PAUSE = 10.0
_STABLE_AFTER = 30.0
_STOP_WITHIN = 20.0


@dataclass
class Child:
    """One supervised process. `environment` is added to the supervisor's own."""

    name: str
    argv: list[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.5
    due: float = 0.0
    restarts: int = 0
    output: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the process; its output goes to the end of its log."""
        if self.output is None:
            keep_previous(self.log)
            self.output = self.log.open("ab")
        self.process = subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.environment, "CANHDICH_RESTARTS": str(self.restarts)},
        )
        self.started = time.monotonic()


class Supervisor:
    """Starts children, and starts again what ended, with growing pauses."""

    def __init__(self, children: list[Child], state_file: Path) -> None:
        self._children = children
        self._state_file = state_file
        self._stop = threading.Event()

    def stop(self, *_: object) -> None:
        """Ask `run` to end."""
        self._stop.set()

    def run(self) -> None:
        """Run until told to stop; then stop every child and wait for it."""
        while not self._stop.is_set():
            changed = False
            now = time.monotonic()
            for child in self._children:
                changed |= self._look_after(child, now)
            if changed:
                self._write_state()
            self._stop.wait(0.2)
        self._stop_all()

    def _look_after(self, child: Child, now: float) -> bool:
        if child.process is not None and child.process.poll() is None:
            return False
        if child.process is not None and child.due == 0.0:
            if now - child.started > _STABLE_AFTER:
                child.pause = 0.5
            print(
                f"{datetime.now(UTC).isoformat(timespec='seconds')} {child.name} ended with code "
                f"{child.process.returncode}; again in {child.pause:.1f} s",
                flush=True,
            )
            child.restarts += 1
            child.due = now + child.pause
            child.pause = min(_LONGEST_PAUSE, child.pause * 2)
        if now < child.due:
            return False
        child.due = 0.0
        child.start()
        return True

    def _stop_all(self) -> None:
        running = [c.process for c in self._children if c.process is not None and c.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _STOP_WITHIN
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _write_state(self) -> None:
        """Say who the children are, so that they can be found should this process be killed."""
        found = [identify(c.process.pid) for c in self._children if c.process is not None]
        part = self._state_file.with_suffix(".part")
        part.write_text(json.dumps([asdict(process) for process in found if process is not None]))
        part.replace(self._state_file)


def children(
    directory: Path, intake_port: int, monitor_port: int, metrics_ports: Sequence[int]
) -> list[Child]:
    """The workers (one per metrics port), the intake, the monitor, the watcher and the notifier."""
    workers = [
        Child(
            f"worker-{number}",
            [sys.executable, "-m", "services.worker"],
            {"CANHDICH_WORKER_METRICS_PORT": str(port), "CANHDICH_DATA_DIRECTORY": str(directory)},
            directory / f"worker-{number}.log",
        )
        for number, port in enumerate(metrics_ports, 1)
    ]
    intake = Child(
        "intake",
        [sys.executable, "-m", "services.intake"],
        {"CANHDICH_INTAKE_PORT": str(intake_port)},
        directory / "intake.log",
    )
    monitor = Child(
        "monitor",
        [sys.executable, "-m", "services.monitor"],
        # It knocks at the intake's door.
        {"CANHDICH_INTAKE_PORT": str(intake_port), "CANHDICH_MONITOR_METRICS_PORT": str(monitor_port)},
        directory / "monitor.log",
    )
    watcher = Child(
        "watcher",
        [sys.executable, "-m", "services.watcher"],
        {"CANHDICH_DATA_DIRECTORY": str(directory)},
        directory / "watcher.log",
    )
    notifier = Child("notifier", [sys.executable, "-m", "services.notify"], {}, directory / "notifier.log")
    return [*workers, intake, monitor, watcher, notifier]


def main() -> int:
    """Arguments: folder for logs and state, the intake's port, the monitor's, one metrics port per worker."""
    directory, *ports = sys.argv[1:]
    intake_port, monitor_port, *metrics_ports = map(int, ports)
    folder = Path(directory)
    supervisor = Supervisor(
        children(folder, intake_port, monitor_port, metrics_ports), folder / "children.json"
    )
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    supervisor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())

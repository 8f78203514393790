"""The workers: real processes, started again when they end, as a supervisor would."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.native.layout import REPOSITORY
from deploy.native.processes import tail
from tests.faults.stream import Where

SESSION_SECONDS = 6
HANGS, ANNOUNCES = "hangs", "announces"
_LOOK_SECONDS = 0.05
_RESTART_PAUSE = 0.3
_STOP_WITHIN = 20.0
_NUMBERS = re.compile(r"\d+")
_DETAILS = re.compile(r"\(.*\)")


def happened(folder: Path, mishap: str) -> Path:
    """The file that tells that a mishap (see sabotaged_worker) has happened to a crew in this folder."""
    return folder / f"{mishap}.happened"


@dataclass
class _Worker:
    log: Path
    process: subprocess.Popen[bytes] | None = None
    is_wanted: bool = True
    due: float = 0.0
    ends: Counter[int] = field(default_factory=Counter)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Crew:
    """A number of workers of one group.

    Args:
        where: What they work on.
        folder: For their logs and files.
        batch_records: Most records per transaction; small, so that many faults hit the middle of one.
        extra: More environment, such as what sabotages them.
    """

    def __init__(self, where: Where, folder: Path, batch_records: int, extra: Mapping[str, str]) -> None:
        self.folder = folder
        self._module = "tests.faults.sabotaged_worker" if extra else "services.worker"
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "KAFKA_BOOTSTRAP": where.kafka_bootstrap,
            "DATABASE_URL": where.database_url,
            "CANHDICH_TOPIC_PREFIX": where.prefix,
            "CANHDICH_BATCH_RECORDS": str(batch_records),
            "CANHDICH_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
            "CANHDICH_DATA_DIRECTORY": str(folder),
            **extra,
        }
        self._workers: list[_Worker] = []
        self._lock = threading.RLock()
        self._end = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def scale(self, number: int) -> None:
        """Start or stop workers until this many are wanted."""
        with self._lock:
            while len(self._workers) < number:
                log = self.folder / f"worker-{len(self._workers) + 1}.log"
                self._workers.append(_Worker(log, is_wanted=False))
            for worker in self._workers[:number]:
                worker.is_wanted = True
            surplus = [worker for worker in self._workers[number:] if worker.is_wanted]
            for worker in surplus:
                worker.is_wanted = False
        _stop(surplus)

    def stop(self) -> int:
        """Stop all as an administrator would; how many were wanted."""
        wanted = self.wanted
        self.scale(0)
        return wanted

    @property
    def wanted(self) -> int:
        """How many are to run."""
        return sum(worker.is_wanted for worker in self._workers)

    def kill(self, rng: random.Random) -> int:
        """Kill -9 one that runs, whichever (waits for one to run); its process's number, which is gone."""
        while True:
            process = self._any_running(rng)
            process.kill()
            # Another code: it ended by itself just before.
            if process.wait() == -signal.SIGKILL:
                return process.pid

    def kill_all(self) -> int:
        """Kill -9 all, none comes back; how many were wanted."""
        with self._lock:
            wanted = [worker for worker in self._workers if worker.is_wanted]
            for worker in wanted:
                worker.is_wanted = False
                if worker.process is not None:
                    worker.process.kill()
                    worker.process.wait()
        return len(wanted)

    @contextmanager
    def one_paused(self, rng: random.Random) -> Iterator[int]:
        """One that runs is stopped (SIGSTOP) meanwhile, of which it knows nothing; its process's number."""
        process = self._any_running(rng)
        process.send_signal(signal.SIGSTOP)
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGCONT)

    def pause_all(self) -> None:
        """Stop all that run (SIGSTOP) until `resume_all`."""
        for worker in self._workers:
            if worker.process is not None and worker.is_running:
                worker.process.send_signal(signal.SIGSTOP)

    def resume_all(self) -> None:
        """Let all go on that `pause_all` stopped."""
        for worker in self._workers:
            if worker.process is not None and worker.is_running:
                worker.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill what runs and watch no more."""
        self._end.set()
        self._watcher.join()
        self.kill_all()

    def ends(self) -> Counter[int]:
        """How often workers ended, by exit code (negative: by that signal)."""
        return sum((worker.ends for worker in self._workers), Counter())

    def reasons(self) -> Counter[str]:
        """Why workers ended themselves, as they said, numbers left out."""
        said: Counter[str] = Counter()
        for worker in self._workers:
            if worker.log.exists():
                for line in worker.log.read_text(errors="replace").splitlines():
                    _, ends, reason = line.partition("worker ends: ")
                    if ends:
                        # The text is a value of a JSON line; what follows it is other fields.
                        reason = reason.partition('",')[0]
                        said[_NUMBERS.sub("n", _DETAILS.sub("", reason)).strip()] += 1
        return said

    def logs(self, lines: int) -> str:
        """The last lines of each worker's log."""
        return tail(*(worker.log for worker in self._workers), lines=lines)

    def _any_running(self, rng: random.Random) -> "subprocess.Popen[bytes]":
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with self._lock:
                running = [w.process for w in self._workers if w.process is not None and w.is_running]
                if running:
                    return rng.choice(running)
            time.sleep(_LOOK_SECONDS)
        raise RuntimeError(f"no worker has run for 30 s\n{self.logs(20)}")

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            with self._lock:
                for worker in self._workers:
                    self._look_after(worker)

    def _look_after(self, worker: _Worker) -> None:
        if worker.is_running:
            return
        if worker.process is not None:
            worker.ends[worker.process.returncode] += 1
            worker.process = None
            worker.due = time.monotonic() + _RESTART_PAUSE
        if worker.is_wanted and time.monotonic() >= worker.due:
            with worker.log.open("ab") as log:
                worker.process = subprocess.Popen(
                    [sys.executable, "-m", self._module],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    env=self._environment,
                )


def _stop(workers: list[_Worker]) -> None:
    processes = [worker.process for worker in workers if worker.process is not None and worker.is_running]
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _STOP_WITHIN
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

"""Progress of several long tasks at once, on one line."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO


def elapsed(seconds: float) -> str:
    """Write a duration as minutes and seconds.

    >>> elapsed(75.9)
    '1:15'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """Shows what each task is doing, while it does it.

    On a terminal one line is rewritten twice a second; elsewhere (a log, CI) a line is added every five
    seconds, only while something is under way.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._lock = threading.Lock()
        self._tasks: dict[str, str] = {}
        self._shown = 0
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._ticker.join()
        with self._lock:
            self._clear()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        with self._lock:
            self._clear()
            self._out.write(text + "\n")
            self._out.flush()

    def show(self, task: str, doing: str | None) -> None:
        """Say what a task is doing now; None: it is done."""
        with self._lock:
            if doing is None:
                self._tasks.pop(task, None)
            else:
                self._tasks[task] = doing

    def _clear(self) -> None:
        if self._shown:
            self._out.write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def _tick(self) -> None:
        while not self._stop.wait(0.5 if self._terminal else 5):
            with self._lock:
                if not self._tasks:
                    continue
                parts = " | ".join(f"{task}: {doing}" for task, doing in self._tasks.items())
                line = f"[{elapsed(time.monotonic() - self._started)}] {parts}"
                if self._terminal:
                    self._clear()
                    self._out.write(line)
                    self._shown = len(line)
                else:
                    self._out.write(line + "\n")
                self._out.flush()

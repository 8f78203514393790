"""Something that is done again and again, in a thread of its own: one that hangs does not stop the others."""

import logging
import os
import threading
from collections.abc import Callable

from services.monitor.metrics import Metrics
from streams.domain.errors import CanhDichError

log = logging.getLogger(__name__)

EXIT_UNEXPECTED = 70
"""Exit code after anything unexpected: start the monitor again (sysexits.h EX_SOFTWARE)."""


def repeat(
    name: str, seconds: float, work: Callable[[], object], metrics: Metrics, stop: threading.Event
) -> None:
    """Do the work now and every so many seconds, until told to stop.

    A server that does not answer is counted and asked again next time.

    Args:
        name: One of metrics.TASKS.
        seconds: From the end of one time to the beginning of the next.
        work: What is done.
        metrics: Where it is told how it went.
        stop: Set to end.
    """
    # Until the first look has seen something its age is that of the process.
    metrics.look_age[name].set_age(0)
    while not stop.is_set():
        try:
            work()
        except CanhDichError as error:
            metrics.failures.labels(name).inc()
            log.warning("%s: %s", name, error)
        else:
            metrics.look_age[name].set_age(0)
        stop.wait(seconds)


def start(
    name: str, seconds: float, work: Callable[[], object], metrics: Metrics, stop: threading.Event
) -> threading.Thread:
    """Repeat the work in a thread; anything unexpected ends the process."""

    def run() -> None:
        try:
            repeat(name, seconds, work, metrics, stop)
        except Exception:
            log.exception("%s: the monitor ends", name)
            logging.shutdown()
            os._exit(EXIT_UNEXPECTED)

    # A thread that waits for a dead server must not keep the process from ending.
    thread = threading.Thread(target=run, name=f"monitor-{name}", daemon=True)
    thread.start()
    return thread

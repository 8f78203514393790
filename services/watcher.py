"""`python -m services.watcher`: judges what moved and what only time has moved; more than one are safe."""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import mode.loop

# The event loop must be chosen before Faust is imported.
mode.loop.use("uvloop")

import faust  # noqa: E402

from services.logs import configure_logging, some_of  # noqa: E402
from services.settings import Settings, load_settings  # noqa: E402
from streams.agents.fold_cases import WorkerOptions  # noqa: E402
from streams.agents.running import run_app  # noqa: E402
from streams.agents.watch_counts import create_app  # noqa: E402
from streams.domain.alerts import Life  # noqa: E402
from streams.domain.errors import CanhDichError, ConfigurationError  # noqa: E402
from streams.handlers.watch_counts import Alerts, Change, Detectors, Judge, Key, WatchCounts  # noqa: E402
from streams.stores.alerts import PostgresAlerts, change_record  # noqa: E402
from streams.stores.broker import COUNT_CHANGES, Producer, errors_translated, topic_partitions  # noqa: E402
from streams.stores.deliveries import plan_deliveries  # noqa: E402
from streams.stores.detector_series import detector_sweep  # noqa: E402
from streams.stores.rule_judge import rules_judge  # noqa: E402

log = logging.getLogger(__name__)

ALERTS = "alerts"
"""The topic, without its prefix."""

GATHER_SECONDS = 0.1
"""How long counts that moved are gathered, from the end of judging those before: reading is by sets.

While much moves, more is gathered: what comes while others are judged is judged together after them.
"""


@contextmanager
def build(settings: Settings) -> Iterator[faust.App]:
    """The Faust app with its real ports.

    Raises:
        DependencyDown, ConfigurationError: Kafka does not answer, or has no topic.
    """
    topic = settings.topic_prefix + COUNT_CHANGES
    topic_partitions(settings.kafka, topic)
    options = WorkerOptions(
        servers=settings.kafka,
        topic=topic,
        group=settings.topic_prefix + "watch-counts",
        batch_records=settings.batch_records,
        batch_seconds=max(GATHER_SECONDS, settings.batch_seconds),
        session_timeout=settings.session_timeout_seconds,
        data_directory=settings.data_directory / "faust-watcher",
    )
    with watch_counts(settings) as handler:
        yield create_app(options, handler)


@contextmanager
def watch_counts(settings: Settings) -> Iterator[WatchCounts]:
    """The handler with its real ports."""
    database_url = settings.database_url.get_secret_value()
    producer = Producer(settings.kafka, settings.topic_prefix)

    def send(changes: Sequence[Change]) -> None:
        futures = [producer.send(ALERTS, *change_record(change)) for change in changes]
        with errors_translated():
            for future in futures:
                future.get(timeout=60)

    alerts = PostgresAlerts(database_url, Life(), plan_deliveries)
    try:
        with rules_judge(database_url) as judge, detector_sweep(database_url) as detectors:
            yield TracedWatchCounts(judge, alerts, send, lambda: datetime.now(UTC), detectors)
    finally:
        alerts.close()
        producer.close()


class TracedWatchCounts(WatchCounts):
    """Logs what it publishes, with the counts whose moving made it judge."""

    def __init__(
        self,
        judge: Judge,
        alerts: Alerts,
        send: Callable[[Sequence[Change]], None],
        clock: Callable[[], datetime],
        detectors: Detectors | None = None,
    ) -> None:
        """As WatchCounts."""
        super().__init__(judge, alerts, self._send_and_log, clock, detectors)
        self._send_on = send
        self._moved: Sequence[Key] = ()

    def handle(self, moved: Iterable[Key]) -> int:
        """Judge what moved."""
        self._moved = sorted(moved)
        try:
            return super().handle(self._moved)
        finally:
            self._moved = ()

    def _send_and_log(self, changes: Sequence[Change]) -> None:
        self._send_on(changes)
        because_of = some_of({"because_of": ["|".join(key) for key in self._moved]})
        for change in changes:
            log.info(
                "alert_%s",
                change.kind,
                extra={
                    "alert_id": str(change.alert_id),
                    "rule": change.rule_id,
                    "count": f"{change.disease}|{change.area_id}",
                    **because_of,
                },
            )


def main() -> int:
    """Run until told to stop; exit codes as the command line's (2: settings, 3: a server is down)."""
    configure_logging("watcher")
    try:
        settings = load_settings()
    except ConfigurationError as error:
        print(f"watcher: {error}", file=sys.stderr)
        return 2
    # Counting comes first: a year that is imported must not wait for what is judged of it.
    os.nice(10)
    try:
        with build(settings) as app:
            return run_app(app)
    except CanhDichError as error:
        print(f"watcher: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())

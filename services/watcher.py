"""`python -m services.watcher`: judges what moved and what only time has moved; more than one are safe."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import mode.loop

# The event loop must be chosen before Faust is imported.
mode.loop.use("uvloop")

import faust  # noqa: E402

from services.settings import Settings, load_settings  # noqa: E402
from streams.agents.fold_cases import WorkerOptions  # noqa: E402
from streams.agents.running import run_app  # noqa: E402
from streams.agents.watch_counts import create_app  # noqa: E402
from streams.domain.alerts import Life  # noqa: E402
from streams.domain.errors import CanhDichError  # noqa: E402
from streams.handlers.watch_counts import Change, WatchCounts  # noqa: E402
from streams.stores.alerts import PostgresAlerts, change_record  # noqa: E402
from streams.stores.broker import COUNT_CHANGES, Producer, errors_translated, topic_partitions  # noqa: E402
from streams.stores.deliveries import plan_deliveries  # noqa: E402
from streams.stores.detector_series import detector_sweep  # noqa: E402
from streams.stores.rule_judge import rules_judge  # noqa: E402

ALERTS = "alerts"
"""The topic, without its prefix."""

GATHER_SECONDS = 0.5
"""How long counts that moved are gathered before they are judged."""


@contextmanager
def build(settings: Settings) -> Iterator[faust.App]:
    """The Faust app with its real ports.

    Raises:
        DependencyDown, ConfigurationError: Kafka does not answer, or has no topic.
    """
    topic = settings.topic_prefix + COUNT_CHANGES
    topic_partitions(settings.kafka_bootstrap, topic)
    options = WorkerOptions(
        bootstrap=settings.kafka_bootstrap,
        topic=topic,
        group=settings.topic_prefix + "watch-counts",
        batch_records=settings.batch_records,
        # What moves several times within it is judged once, and reading is by sets.
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
    producer = Producer(settings.kafka_bootstrap, settings.topic_prefix)

    def send(changes: Sequence[Change]) -> None:
        futures = [producer.send(ALERTS, *change_record(change)) for change in changes]
        with errors_translated():
            for future in futures:
                future.get(timeout=60)

    alerts = PostgresAlerts(database_url, Life(), plan_deliveries)
    try:
        with rules_judge(database_url) as judge, detector_sweep(database_url) as detectors:
            yield WatchCounts(judge, alerts, send, lambda: datetime.now(UTC), detectors)
    finally:
        alerts.close()
        producer.close()


def main() -> int:
    """Run until told to stop; exit codes as the command line's (3: a dependency is down)."""
    settings = load_settings()
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

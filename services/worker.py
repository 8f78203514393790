"""`python -m services.worker`: one Faust worker, configured by the environment."""

import gc
import sys
from dataclasses import replace

import mode.loop

# The event loop must be chosen before Faust is imported.
mode.loop.use("uvloop")

import faust  # noqa: E402
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server  # noqa: E402

from services.logs import configure_logging  # noqa: E402
from services.measuring import (  # noqa: E402
    MeasuredAnnouncements,
    MeasuredFoldCases,
    MeasuredFoldReports,
    MeasuredLedger,
    Stopwatch,
    WorkerMetrics,
)
from services.settings import Settings, load_settings  # noqa: E402
from streams.agents.fold_cases import WorkerOptions, add_fold, create_app  # noqa: E402
from streams.agents.running import run_app  # noqa: E402
from streams.domain.errors import CanhDichError, ConfigurationError  # noqa: E402
from streams.domain.positions import TOPIC  # noqa: E402
from streams.handlers.fold_reports import TOPICS  # noqa: E402
from streams.stores.broker import KafkaAnnouncements, KafkaLog, topic_partitions  # noqa: E402
from streams.stores.ledger import PostgresLedger  # noqa: E402
from streams.stores.reports import PostgresReports  # noqa: E402


def build(settings: Settings, registry: CollectorRegistry | None = None) -> faust.App:
    """The Faust app with its real ports, measured: one agent for cases, one for tallies, one for foci.

    Args:
        settings: In force.
        registry: Where the figures go; None for one of their own.

    Raises:
        DependencyDown, ConfigurationError: Kafka does not answer, or has no topic.
    """
    metrics = WorkerMetrics(registry or CollectorRegistry())
    metrics.restarts.set(settings.restarts)
    topic = settings.topic_prefix + TOPIC
    _, partitions = topic_partitions(settings.kafka, topic)
    ledger = PostgresLedger(settings.database_url.get_secret_value(), topic)
    servers, prefix = settings.kafka, settings.topic_prefix
    options = WorkerOptions(
        servers=servers,
        topic=topic,
        group=settings.topic_prefix + "fold-cases",
        batch_records=settings.batch_records,
        batch_seconds=settings.batch_seconds,
        session_timeout=settings.session_timeout_seconds,
        data_directory=settings.data_directory / "faust",
    )
    stopwatch = Stopwatch(metrics, TOPIC)
    app = create_app(
        options,
        MeasuredFoldCases(
            MeasuredLedger(ledger, stopwatch),
            MeasuredAnnouncements(KafkaAnnouncements(servers, prefix), stopwatch),
            partitions,
            stopwatch=stopwatch,
        ),
        ledger,
        KafkaLog(settings.kafka, topic),
    )
    for kind, name in TOPICS.items():
        report_topic = settings.topic_prefix + name
        _, report_partitions = topic_partitions(settings.kafka, report_topic)
        reports = PostgresReports(settings.database_url.get_secret_value(), kind, report_topic)
        stopwatch = Stopwatch(metrics, name)
        handler = MeasuredFoldReports(
            kind,
            MeasuredLedger(reports, stopwatch),
            MeasuredAnnouncements(KafkaAnnouncements(servers, prefix, name), stopwatch),
            report_partitions,
            stopwatch=stopwatch,
        )
        log = KafkaLog(settings.kafka, report_topic)
        add_fold(app, replace(options, topic=report_topic), handler, reports, log)
    return app


def _look_for_cycles_seldom() -> None:
    """A batch makes tens of thousands of objects and no cycles; looking for some took a tenth of its time."""
    gc.set_threshold(50_000, 20, 100)


def main() -> int:
    """Run until told to stop; exit codes as the command line's (2: settings, 3: a server is down)."""
    configure_logging("worker")
    try:
        settings = load_settings()
    except ConfigurationError as error:
        print(f"worker: {error}", file=sys.stderr)
        return 2
    _look_for_cycles_seldom()
    if settings.worker_metrics_port:
        start_http_server(settings.worker_metrics_port, addr=settings.metrics_host)
    try:
        app = build(settings, REGISTRY)
    except CanhDichError as error:
        print(f"worker: {error}", file=sys.stderr)
        return 3
    return run_app(app)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m services.monitor`: the monitor, configured by the environment."""

import signal
import sys
import threading
from collections.abc import Mapping

from prometheus_client import start_http_server

from schemas.topics import load_topics
from services.logs import configure_logging
from services.monitor.canary import CanaryFlight
from services.monitor.looks import audit_once, look_at_care, look_at_stream, quality_figures
from services.monitor.metrics import Metrics
from services.monitor.tasks import start
from services.settings import Settings, load_settings
from streams.domain.errors import ConfigurationError
from streams.domain.positions import TOPIC
from streams.stores.audit_rounds import Auditor, Pace
from streams.stores.database import Session
from streams.stores.health import Canary, read_canaries

_STREAM_SECONDS = 15.0
_CARE_SECONDS = 60.0
_CANARY_PATIENCE = 60.0


def begin(settings: Settings, metrics: Metrics, stop: threading.Event) -> None:
    """Start everything that the monitor does; each in a thread and with a connection of its own."""
    url = settings.database_url.get_secret_value()
    topic = settings.topic_prefix + TOPIC
    sweep_seconds = settings.audit_sweep_hours * 3_600
    auditor = Auditor(url, topic, Pace(settings.audit_seconds, sweep_seconds))
    session, canaries = Session(url), Session(url)

    def read(subjects: list[str]) -> Mapping[str, Canary]:
        with canaries.transaction() as connection:
            return read_canaries(connection, subjects)

    metrics.sweep_given.set(sweep_seconds)
    metrics.canary_interval.set(settings.canary_seconds)
    start("audit", settings.audit_seconds, lambda: audit_once(auditor, metrics), metrics, stop)
    start(
        "stream",
        _STREAM_SECONDS,
        lambda: look_at_stream(session, settings.kafka, topic, metrics),
        metrics,
        stop,
    )
    metrics.backup_limit.set(settings.backup_age_hours * 3_600)
    places = {"data": settings.data_directory, "backups": settings.backup_folder}
    care = Session(url)
    start("care", _CARE_SECONDS, lambda: look_at_care(care, places, metrics), metrics, stop)
    start("quality", settings.quality_seconds, quality_figures(url, topic), metrics, stop)
    if settings.canary_seconds:
        url, headers = intake_door(settings)
        flight = CanaryFlight(url, load_topics()[TOPIC].partitions, read, metrics, headers=headers)
        patience = min(_CANARY_PATIENCE, settings.canary_seconds)
        start("canary", settings.canary_seconds, lambda: flight.fly(patience), metrics, stop)


def intake_door(settings: Settings) -> tuple[str, dict[str, str]]:
    """Where the canary knocks, and the headers with which it is let in."""
    url = settings.intake_url or f"http://127.0.0.1:{settings.intake_port}"
    key = settings.intake_key.get_secret_value()
    return url, {"Authorization": f"Bearer {key}"} if key else {}


def main() -> int:
    """Run until told to stop; exit codes as the command line's (2: a setting is wrong)."""
    configure_logging("monitor")
    try:
        settings = load_settings()
    except ConfigurationError as error:
        print(f"monitor: {error}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics = Metrics()
    if settings.monitor_metrics_port:
        start_http_server(
            settings.monitor_metrics_port, addr=settings.metrics_host, registry=metrics.registry
        )
    begin(settings, metrics, stop)
    stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())

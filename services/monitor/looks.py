"""What the monitor looks at, and how that becomes figures."""

import logging
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from schemas.catalogue import load_catalogue
from services.log_ends import ask_log_ends
from services.monitor.metrics import Metrics
from streams.domain.books import KINDS
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.delay import Deadline
from streams.domain.errors import DependencyDown
from streams.kafka_servers import Servers
from streams.stores.audit_rounds import Auditor
from streams.stores.backups import backup_age
from streams.stores.boards import refresh_nowcasts, refresh_populations
from streams.stores.counts import read_positions
from streams.stores.database import Session, connect, errors_translated
from streams.stores.health import StreamHealth, lags, read_alert_health, read_stream_health
from streams.stores.quality import refresh_reporters, refresh_weeks, save_look

log = logging.getLogger(__name__)

_LONGEST_LOGGED = 20


class DiskUsage(NamedTuple):
    """In bytes."""

    size: int
    free: int


def audit_once(auditor: Auditor, metrics: Metrics) -> None:
    """One round of the audit.

    Raises:
        DependencyDown, ConfigurationError: as Auditor.round.
    """
    done = auditor.round()
    if done is None:
        # Another monitor is at it; what it finds stands in the database.
        return
    metrics.round_seconds.observe(done.seconds)
    looked_at = {
        "new_events": done.new_events,
        "cases": done.swept.cases,
        "identities": done.swept.identities,
        "counts": done.swept.counts,
        "totals": done.swept.totals,
    }
    for part, number in looked_at.items():
        metrics.audited.labels(part).inc(number)
    for finding in done.found[:_LONGEST_LOGGED]:
        log.error("drift: %s %s", finding.kind, "|".join(str(part) for part in finding.key))
    if len(done.found) > _LONGEST_LOGGED:
        log.error("drift: and %d more", len(done.found) - _LONGEST_LOGGED)


def look_at_stream(session: Session, servers: Servers, topic: str, metrics: Metrics) -> None:
    """How far the stream is and how well it goes: told to Prometheus, and kept for the boards.

    Raises:
        DependencyDown: the database or Kafka does not answer; what can be known without Kafka is told.
        ConfigurationError: the schema is not there.
    """
    ends = ask_log_ends(servers, topic)
    with session.transaction() as connection:
        positions = read_positions(connection, topic)
        health, alerts = read_stream_health(connection, topic), read_alert_health(connection)
        found = None if ends is None else lags(ends, positions)
        save_look(connection, health, None if found is None else sum(found.values()))
    tell_health(health, metrics)
    metrics.watcher_age.set_age(alerts.watcher_age)
    metrics.delivery_waiting.set_age(alerts.delivery_waiting)
    for partition, position in positions.items():
        metrics.folded.labels(str(partition)).set(position.next_offset)
    if found is None:
        # A lag of before would be taken for one of now.
        metrics.lag.clear()
        raise DependencyDown(f"Kafka does not say how long {topic} is: the lag is not known")
    for partition, lag in found.items():
        metrics.lag.labels(str(partition)).set(lag)


def look_at_care(session: Session, places: Mapping[str, Path], metrics: Metrics) -> None:
    """How old the newest backup is, and how much room there is.

    Args:
        session: The database.
        places: Name of a folder in the figures → the folder; it, or one above it, is on the disk to look at.
        metrics: Told.

    Raises:
        DependencyDown, ConfigurationError: the database does not answer, or lacks the schema.
    """
    for name, folder in places.items():
        usage = disk_usage(folder)
        metrics.disk_free.labels(name).set(usage.free)
        metrics.disk_size.labels(name).set(usage.size)
    with session.transaction() as connection:
        age, _ = backup_age(connection)
    metrics.backup_age.set_age(age)


def disk_usage(folder: Path) -> DiskUsage:
    """Of the disk where a folder is, or will be."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    usage = shutil.disk_usage(there)
    return DiskUsage(usage.total, usage.free)


def quality_figures(database_url: str, topic: str) -> Callable[[], None]:
    """What brings the figures of reporting quality up to date, each time it is called.

    Raises (when called):
        DependencyDown, ConfigurationError: the database does not answer, or lacks the schema.
    """
    diseases = load_catalogue().diseases
    deadlines = {
        disease.code: [Deadline(d.valid_from, d.valid_to, d.code) for d in disease.deadlines]
        for disease in diseases
    }
    with_severities = {disease.code for disease in diseases if disease.severities}

    def refresh() -> None:
        with errors_translated(), connect(database_url) as connection:
            refresh_weeks(connection, topic, deadlines, with_severities)
            now = datetime.now(LOCAL_ZONE)
            refresh_reporters(connection, now.date())
            refresh_populations(connection)
            refresh_nowcasts(connection, now)

    return refresh


def tell_health(health: StreamHealth, metrics: Metrics) -> None:
    """Put what the database said into the figures."""
    metrics.newest_age.set_age(health.newest_age)
    metrics.dead_share.set(health.dead_share)
    metrics.dead_recent.set(health.dead)
    metrics.dead_open.set(health.dead_open)
    metrics.parked.set(health.parked)
    metrics.round_age.set_age(health.round_age)
    metrics.sweep_age.set_age(health.sweep_age)
    metrics.audit_waiting.set(health.audit_waiting or 0)
    for kind in KINDS:
        metrics.findings.labels(kind).set(health.drift.get(kind, 0))

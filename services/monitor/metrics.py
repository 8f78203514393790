"""What the monitor tells Prometheus. Labels are closed sets."""

import math
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

TASKS = ("audit", "stream", "quality", "canary", "care")
"""What the monitor does, each by itself."""

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Since:
    """An age that goes on growing while nobody looks: the time since the moment that was told last."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._moment: float | None = None

    def set_age(self, seconds: float | None) -> None:
        """It was so long ago just now; None: never."""
        self._moment = None if seconds is None else self._clock() - seconds

    def __call__(self) -> float:
        """The age in seconds; not a number where there is none."""
        return math.nan if self._moment is None else max(0.0, self._clock() - self._moment)


class Metrics:
    """The figures of the monitor, in a registry of its own."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def age(name: str, documentation: str) -> Since:
            since = Since(clock)
            Gauge(name, documentation, registry=registry).set_function(since)
            return since

        # Audit
        self.findings = Gauge(
            "canhdich_audit_findings",
            "Open findings of the continuous audit, by kind",
            ["kind"],
            registry=registry,
        )
        self.round_age = age("canhdich_audit_round_age_seconds", "Since the audit's last round ended")
        self.sweep_age = age(
            "canhdich_audit_sweep_age_seconds", "Since the audit's last whole sweep over everything began"
        )
        self.sweep_given = Gauge(
            "canhdich_audit_sweep_given_seconds", "Within how long a sweep is to end", registry=registry
        )
        self.round_seconds = Histogram(
            "canhdich_audit_round_seconds",
            "Time that a round of the audit takes",
            buckets=_SECONDS,
            registry=registry,
        )
        self.audit_waiting = Gauge(
            "canhdich_audit_waiting_events",
            "Journaled events that the audit has not looked at yet",
            registry=registry,
        )
        self.audited = Counter(
            "canhdich_audit_looked_at",
            "What the audit has looked at (new_events, cases, identities, counts, totals)",
            ["part"],
            registry=registry,
        )
        # Stream
        self.lag = Gauge(
            "canhdich_lag_records",
            "Records of case-events in Kafka and not folded yet; absent while Kafka does not answer",
            ["partition"],
            registry=registry,
        )
        self.folded = Gauge(
            "canhdich_folded_offset", "Next offset to fold of case-events", ["partition"], registry=registry
        )
        self.newest_age = age(
            "canhdich_newest_event_age_seconds",
            "Since the newest folded record of case-events came to Kafka, canaries included",
        )
        self.dead_share = Gauge(
            "canhdich_dead_letter_share",
            "Which part of the records of the last hour is in the dead letters and was not sent again",
            registry=registry,
        )
        self.dead_recent = Gauge(
            "canhdich_dead_letters_recent",
            "Dead letters of the last hour that were not sent again",
            registry=registry,
        )
        self.dead_open = Gauge(
            "canhdich_dead_letters_open", "Dead letters that were not sent again", registry=registry
        )
        self.parked = Gauge("canhdich_parked_events", "Events that wait for the catalogue", registry=registry)
        # Alerts
        self.watcher_age = age("canhdich_watcher_age_seconds", "Since the watcher last looked")
        self.delivery_waiting = age(
            "canhdich_delivery_waiting_seconds",
            "Since the delivery that waits longest was due; absent: none waits",
        )
        # Canary
        self.canary_age = age("canhdich_canary_age_seconds", "Since the newest canary that arrived was sent")
        self.canary_waiting = age(
            "canhdich_canary_waiting_seconds",
            "Since the oldest canary was sent that Kafka has and the database has not; absent: none",
        )
        self.canary_interval = Gauge(
            "canhdich_canary_interval_seconds",
            "From one canary to the next; 0: none is sent",
            registry=registry,
        )
        self.canary_seconds = Histogram(
            "canhdich_canary_seconds",
            "From sending a canary to seeing it in the database",
            buckets=_SECONDS,
            registry=registry,
        )
        self.canary_refused = Counter(
            "canhdich_canary_refused", "Canaries that the intake did not take", registry=registry
        )
        # Care
        self.backup_age = age(
            "canhdich_backup_age_seconds",
            "Since the newest backup was made; without one, since the installation began",
        )
        self.backup_limit = Gauge(
            "canhdich_backup_age_limit_seconds", "How old the newest backup may be", registry=registry
        )
        self.disk_free = Gauge(
            "canhdich_disk_free_bytes",
            "Free on the disk of the data directory, and of the backups",
            ["place"],
            registry=registry,
        )
        self.disk_size = Gauge("canhdich_disk_bytes", "Size of that disk", ["place"], registry=registry)
        # Itself
        self.look_age = {}
        looks = Gauge(
            "canhdich_monitor_look_age_seconds",
            "Since the monitor's last look that saw something, by task",
            ["task"],
            registry=registry,
        )
        for task in TASKS:
            self.look_age[task] = Since(clock)
            looks.labels(task).set_function(self.look_age[task])
        self.failures = Counter(
            "canhdich_monitor_failures",
            "Looks that saw nothing because a server did not answer, by task",
            ["task"],
            registry=registry,
        )

"""(m) The weekly sweep of the detectors over a store the size of the country, alerts stored, on real servers.

Series are diseases by communes and surveillance areas; nearly all have the five years and more that
Farrington flexible asks for. The target: all of it within ten minutes. The store of services/demo/country.py
has counts and no ledger, so no late reports are found in it; reading them is measured, finding some is not.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from streams.domain.alerts import Life
from streams.domain.rules.verdicts import Verdict
from streams.handlers.sweep_detectors import SweepDetectors
from streams.handlers.watch_counts import WatchCounts
from streams.stores.alerts import PostgresAlerts
from streams.stores.deliveries import plan_deliveries
from streams.stores.detector_series import detector_sweep
from streams.stores.rule_judge import rules_judge
from tests.bench.results import Measured

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTES = 10


class _OnlyDetectors(PostgresAlerts):
    """Alerts of which none is judged by the rules: their sweep is not what is measured."""

    def sweep_keys(self, since: date) -> list[tuple[str, str]]:
        return []


class _Counted:
    """Detectors whose series are counted."""

    def __init__(self, detectors: SweepDetectors) -> None:
        self._detectors = detectors
        self.series = 0
        self.detecting = 0.0

    def sweep(self, on: date) -> Iterator[tuple[str, Mapping[str, Sequence[Verdict]]]]:
        found = iter(self._detectors.sweep(on))
        while True:
            started = time.process_time()
            pair = next(found, None)
            self.detecting += time.process_time() - started
            if pair is None:
                return
            self.series += len(pair[1])
            yield pair


def measure(database_url: str) -> Measured:
    """Sweep a country as the watcher does after midnight."""
    alerts = _OnlyDetectors(database_url, Life(), plan_deliveries)
    try:
        with rules_judge(database_url) as judge, detector_sweep(database_url) as detectors:
            counted = _Counted(detectors)
            watch = WatchCounts(judge, alerts, lambda changes: None, lambda: NOW, counted)
            started, processor = time.perf_counter(), time.process_time()
            raised = watch.look_at_the_clock()
            taken, processor = time.perf_counter() - started, time.process_time() - processor
    finally:
        alerts.close()
    more = {
        "processor_seconds": round(processor, 1),
        "of_which_reading_and_detecting": round(counted.detecting, 1),
        "alert_events": raised,
    }
    return Measured("m", "the detectors' sweep of the country, series", counted.series, taken, more)

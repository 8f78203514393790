"""Let the statistical detectors look at every stored series: one disease at a time, all its areas at once.

Synchronous: the watcher's sweep calls it in a thread.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from time import perf_counter
from typing import Protocol

from streams.domain.detector_sweep import WeeklySeries, verdicts, worth_judging
from streams.domain.errors import ConfigurationError
from streams.domain.rules.verdicts import Verdict
from streams.handlers.judge_rules import Rules

log = logging.getLogger(__name__)

Known = Mapping[str, date]
"""Province id -> day of the first counted case of any disease."""


class SeriesStore(Protocol):
    """The stored counts as weekly series. Every method raises DependencyDown when nobody answers."""

    def diseases(self, on: date) -> list[str]:
        """Diseases with a case in the weeks judged on a day, or with an open alert of a detector."""

    def known_from(self, on: date, left_out: Collection[str]) -> Known:
        """Since when each province has records; some diseases do not say so."""

    def series(self, disease: str, on: date, known_from: Known) -> WeeklySeries:
        """Every commune and surveillance area of the structure of a day with a case of a disease."""

    def standing(self, disease: str) -> set[str]:
        """Areas with an open alert of a detector."""


class SweepDetectors:
    """What the detectors say of the stored series, for whoever asks: the watcher, the command line."""

    def __init__(self, rules: Rules, store: SeriesStore) -> None:
        self._rules = rules
        self._store = store

    def sweep(self, on: date) -> Iterator[tuple[str, dict[str, list[Verdict]]]]:
        """Judge all that can raise an alert on a day or take one back, disease by disease.

        Yields:
            Disease, and area id -> its verdicts of the weeks judged, the oldest first.

        Raises:
            ConfigurationError: no rules are loaded.
            DependencyDown: the database does not answer; sweep again.
        """
        book = self._rules.in_force()
        diseases = [disease for disease in self._store.diseases(on) if disease in book.diseases]
        known_from = self._known_from(on)
        for number, disease in enumerate(diseases, 1):
            started = perf_counter()
            series = self._store.series(disease, on, known_from)
            least = book.settings.detector_cases
            chosen = series.of(worth_judging(series, least, self._store.standing(disease)))
            found = self._verdicts(chosen, on)
            log.info(
                "detectors: %s (%d of %d), %d of %d series judged, %.1f s",
                disease,
                number,
                len(diseases),
                len(chosen.area_ids),
                len(series.area_ids),
                perf_counter() - started,
            )
            yield disease, found

    def check(self, disease: str, on: date) -> dict[str, list[Verdict]]:
        """What the detectors say of every series of one disease on a day.

        Raises:
            ConfigurationError: no rules are loaded, or there is no such disease.
            DependencyDown: the database does not answer.
        """
        if disease not in self._rules.in_force().diseases:
            raise ConfigurationError(f"{disease}: the rules in force know no such disease.")
        return self._verdicts(self._store.series(disease, on, self._known_from(on)), on)

    def _known_from(self, on: date) -> Known:
        diseases = self._rules.in_force().diseases
        return self._store.known_from(on, [code for code, facts in diseases.items() if facts.is_digest_only])

    def _verdicts(self, series: WeeklySeries, on: date) -> dict[str, list[Verdict]]:
        book = self._rules.in_force()
        is_digest_only = book.diseases[series.disease].is_digest_only
        found = verdicts(series, on, book.settings.detector_cases)
        return {
            area_id: [replace(verdict, is_digest_only=is_digest_only) for verdict in of_area]
            for area_id, of_area in found.items()
        }

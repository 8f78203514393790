"""Watch the counts: what moved is judged again, and so is what only time has moved.

Judging is idempotent: the same counts give the same verdicts, and the same verdicts add nothing to an alert.
So a key that comes twice is judged twice and raises nothing twice, and one that is lost is made good by the
next sweep.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from streams.domain.alerts import AlertEvent
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.detector_sweep import answered
from streams.domain.rules.verdicts import Standing, Verdict

SWEEP_DAYS: Final = 62
"""A sweep judges again what had cases in so many days: two whole months, so that month endings are seen."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the cases of an area stand in the structure of a day; None where it is not known."""

    area_id: str
    commune_id: str | None
    district_id: str | None
    province_id: str

    def levels(self) -> list[str]:
        """The areas to judge, the smallest first."""
        known = (self.commune_id, self.district_id, self.province_id)
        return list(dict.fromkeys(area_id for area_id in known if area_id is not None))


@dataclass(frozen=True, slots=True)
class Change:
    """An alert's event as the topic `alerts` tells it."""

    alert_id: UUID
    number: int
    rule_id: str
    disease: str
    area_id: str
    state: str
    kind: str
    at: datetime


class Judge(Protocol):
    """The rules. Raises DependencyDown when the database does not answer."""

    def judge_all(
        self,
        disease: str,
        area_id: str,
        on: date,
        *,
        standing: Sequence[Standing] = (),
        determined_at: datetime | None = None,
    ) -> Sequence[Verdict]:
        """Every rule's answer."""


class Detectors(Protocol):
    """The statistical detectors. Raises DependencyDown when the database does not answer."""

    def sweep(self, on: date) -> Iterator[tuple[str, Mapping[str, Sequence[Verdict]]]]:
        """Per disease the verdicts of each area that may raise an alert or take one back."""


class Alerts(Protocol):
    """Where alerts live. Every method raises DependencyDown when the database does not answer."""

    def judge(
        self,
        disease: str,
        area_id: str,
        at: datetime,
        verdicts: Callable[[Sequence[Standing], datetime | None], Sequence[Verdict]],
    ) -> list[AlertEvent]:
        """Let verdicts become events; returns those that are new."""

    def escalate(self, at: datetime) -> list[AlertEvent]:
        """Escalate what nobody has acknowledged in time."""

    def publish(self, send: Callable[[Sequence[Change]], None]) -> int:
        """Give what is not published yet to `send`; how many."""

    def placed(self, area_ids: Iterable[str], on: date) -> list[Placed]:
        """Where the cases of areas stand on a day."""

    def sweep_keys(self, since: date) -> list[tuple[str, str]]:
        """Disease and area of all that the passing of time may change."""

    def last_sweep(self) -> date | None:
        """The last day that was swept."""

    def swept(self, day: date, judged_keys: int) -> None:
        """Remember that a day is swept."""

    def is_alive(self, at: datetime) -> None:
        """Say that the watcher has just looked."""


class WatchCounts:
    """Judges what moved. Synchronous: an agent calls it in a thread."""

    def __init__(
        self,
        judge: Judge,
        alerts: Alerts,
        send: Callable[[Sequence[Change]], None],
        clock: Callable[[], datetime],
        detectors: Detectors | None = None,
    ) -> None:
        """`send` returns when Kafka has the changes; `clock` gives the present instant.

        Without `detectors` only the rules judge.
        """
        self._judge = judge
        self._alerts = alerts
        self._send = send
        self._clock = clock
        self._detectors = detectors

    def handle(self, moved: Iterable[tuple[str, str]]) -> int:
        """Judge each (disease, area id) that moved once, and the areas that it is part of.

        Returns:
            How many new events the alerts have.

        Raises:
            DependencyDown: a server does not answer; call again with the same.
        """
        now = self._clock()
        events = self._judge_keys(self._keys(moved, now.astimezone(LOCAL_ZONE).date()), now)
        self.publish()
        return events

    def look_at_the_clock(self) -> int:
        """What only time does: escalations, and after midnight the sweep of each day not swept yet.

        Returns:
            How many new events the alerts have.

        Raises:
            DependencyDown: a server does not answer; call again.
        """
        now = self._clock()
        today = now.astimezone(LOCAL_ZONE).date()
        events = len(self._alerts.escalate(now))
        last = self._alerts.last_sweep()
        if last is None or last < today:
            # One sweep makes good all days missed: endings and new weeks are judged by today's facts.
            keys = self._keys(self._alerts.sweep_keys(today - timedelta(days=SWEEP_DAYS)), today)
            events += self._judge_keys(keys, now)
            events += self._sweep_detectors(today)
            self._alerts.swept(today, len(keys))
        self.publish()
        self._alerts.is_alive(now)
        return events

    def publish(self) -> None:
        """Publish what is not published yet, of this process or of one that ended before it did.

        Raises:
            DependencyDown: a server does not answer; call again.
        """
        while self._alerts.publish(self._send):
            pass

    def _sweep_detectors(self, today: date) -> int:
        """The detectors' verdicts of the last complete weeks; what is published is not published again."""
        if self._detectors is None:
            return 0
        events = 0
        for disease, verdicts_of in self._detectors.sweep(today):
            for area_id, found in sorted(verdicts_of.items()):

                def verdicts(
                    standing: Sequence[Standing], _: datetime | None, found: Sequence[Verdict] = found
                ) -> Sequence[Verdict]:
                    return answered(found, standing)

                events += len(self._alerts.judge(disease, area_id, self._clock(), verdicts))
            self.publish()
            # A country takes minutes; the dead man's switch must not ring meanwhile.
            self._alerts.is_alive(self._clock())
        return events

    def _keys(self, moved: Iterable[tuple[str, str]], on: date) -> list[tuple[str, str]]:
        diseases_of: dict[str, set[str]] = {}
        for disease, area_id in moved:
            diseases_of.setdefault(area_id, set()).add(disease)
        keys = {
            (disease, area_id)
            for placed in self._alerts.placed(diseases_of, on)
            for disease in diseases_of[placed.area_id]
            for area_id in placed.levels()
        }
        # In one order, so that two watchers never wait for each other.
        return sorted(keys)

    def _judge_keys(self, keys: Iterable[tuple[str, str]], now: datetime) -> int:
        on = now.astimezone(LOCAL_ZONE).date()
        events = 0
        for disease, area_id in keys:

            def verdicts(
                standing: Sequence[Standing],
                determined_at: datetime | None,
                disease: str = disease,
                area_id: str = area_id,
            ) -> Sequence[Verdict]:
                return self._judge.judge_all(
                    disease, area_id, on, standing=standing, determined_at=determined_at
                )

            events += len(self._alerts.judge(disease, area_id, now, verdicts))
        return events

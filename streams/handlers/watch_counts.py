"""Watch the counts: what moved is judged again, and so is what only time has moved.

Judging is idempotent: the same counts give the same verdicts, and the same verdicts add nothing to an alert.
So a key that comes twice is judged twice and raises nothing twice, and one that is lost is made good by the
next sweep.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import product
from typing import Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

from streams.domain.alerts import AlertEvent
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.detector_sweep import answered
from streams.domain.rules.verdicts import Standing, Verdict
from streams.handlers.judge_rules import Question

SWEEP_DAYS: Final = 62
"""A sweep judges again what had cases in so many days: two whole months, so that month endings are seen."""

KEYS_AT_ONCE: Final = 200
"""Judged in one transaction: enough to read by sets, few enough that alerts come while others wait."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the cases of an area stand in the structure of a day; None where it is not known."""

    area_id: str
    commune_id: str | None
    district_id: str | None
    province_id: str

    def levels(self) -> dict[str, int]:
        """The areas to judge, and how high each stands: a commune 0, a district 1, a province 2."""
        known = (self.commune_id, self.district_id, self.province_id)
        return {area_id: height for height, area_id in enumerate(known) if area_id is not None}


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


Key = tuple[str, str]
"""(disease, area id)."""


class Known(NamedTuple):
    """What is known of a key before it is judged.

    Attributes:
        standing: Its alerts that are raised now.
        determined_at: When the station determined an outbreak there.
        is_open: Whether somebody still has to deal with an alert of it, standing or not.
    """

    standing: Sequence[Standing]
    determined_at: datetime | None
    is_open: bool


Judging = Callable[[Mapping[Key, Known]], Mapping[Key, Sequence[Verdict]]]
"""Given what is known of each key: the verdicts of each."""


class Judge(Protocol):
    """The rules. Raises DependencyDown when the database does not answer."""

    def judge_many(
        self, questions: Sequence[Question], on: date, *, has_moved: bool = False
    ) -> Sequence[Sequence[Verdict]]:
        """The verdicts about each; `has_moved`: only those that a count that moved can change."""


class Detectors(Protocol):
    """The statistical detectors. Raises DependencyDown when the database does not answer."""

    def sweep(self, on: date) -> Iterator[tuple[str, Mapping[str, Sequence[Verdict]]]]:
        """Per disease the verdicts of each area that may raise an alert or take one back."""


class Alerts(Protocol):
    """Where alerts live. Every method raises DependencyDown when the database does not answer."""

    def judge(self, keys: Sequence[Key], at: datetime, verdicts: Judging) -> list[AlertEvent]:
        """Let the verdicts about some keys become events; returns those that are new."""

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

    def handle(self, moved: Iterable[Key]) -> int:
        """Judge each (disease, area id) that moved once, and the areas that it is part of.

        Returns:
            How many new events the alerts have.

        Raises:
            DependencyDown: a server does not answer; call again with the same.
        """
        keys = self._keys(moved, self._today())
        events = sum(self._judge_keys(chunk, has_moved=True) for chunk in _chunks(keys))
        # Once: waiting for Kafka after every chunk takes a fifth of the time. Deliveries do not wait for it.
        self.publish()
        return events

    def due(self) -> Iterator[Callable[[], int]]:
        """What only time does, in pieces: escalations, and after midnight the sweep of days not swept yet.

        Between two pieces what moved may be judged: a country's sweep takes minutes, and nobody should wait
        for it. The pieces, and `handle`, are called one at a time; what comes between two pieces may run
        beside `handle`.

        Yields:
            A piece of work to be called: how many new events the alerts have.

        Raises:
            DependencyDown: a server does not answer; begin again. So do the pieces.
        """
        to_sweep: list[tuple[date, list[Key]]] = []
        yield partial(self._begin, to_sweep)
        for today, keys in to_sweep:
            for chunk in _chunks(keys):
                yield partial(self._sweep_keys, chunk)
            if self._detectors is not None:
                for disease, verdicts_of in self._detectors.sweep(today):
                    for areas in _chunks(sorted(verdicts_of)):
                        found = {(disease, area_id): verdicts_of[area_id] for area_id in areas}
                        yield partial(self._judge_detected, found)
            yield partial(self._end, today, len(keys))

    def look_at_the_clock(self) -> int:
        """All that is due at once.

        Returns:
            How many new events the alerts have.

        Raises:
            DependencyDown: a server does not answer; call again.
        """
        return sum(piece() for piece in self.due())

    def publish(self) -> None:
        """Publish what is not published yet, of this process or of one that ended before it did.

        Raises:
            DependencyDown: a server does not answer; call again.
        """
        while self._alerts.publish(self._send):
            pass

    def _begin(self, to_sweep: list[tuple[date, list[Key]]]) -> int:
        """Escalate, and say what is to be swept."""
        events = len(self._alerts.escalate(self._clock()))
        today = self._today()
        last = self._alerts.last_sweep()
        if last is None or last < today:
            # One sweep makes good all days missed: endings and new weeks are judged by today's facts.
            since = today - timedelta(days=SWEEP_DAYS)
            to_sweep.append((today, self._keys(self._alerts.sweep_keys(since), today)))
        self._looked()
        return events

    def _end(self, today: date, judged_keys: int) -> int:
        self._alerts.swept(today, judged_keys)
        self._looked()
        return 0

    def _judge_keys(self, keys: Sequence[Key], *, has_moved: bool = False) -> int:
        def verdicts(known: Mapping[Key, Known]) -> Mapping[Key, Sequence[Verdict]]:
            questions = [
                Question(*key, known[key].standing, known[key].determined_at, is_open=known[key].is_open)
                for key in keys
            ]
            found = self._judge.judge_many(questions, on, has_moved=has_moved)
            return dict(zip(keys, found, strict=True))

        now = self._clock()
        on = now.astimezone(LOCAL_ZONE).date()
        events = len(self._alerts.judge(keys, now, verdicts))
        # The dead man's switch does not ring while much is judged.
        self._alerts.is_alive(self._clock())
        return events

    def _sweep_keys(self, keys: Sequence[Key]) -> int:
        events = self._judge_keys(keys)
        self.publish()
        return events

    def _judge_detected(self, found: Mapping[Key, Sequence[Verdict]]) -> int:
        """The detectors' verdicts of the last complete weeks."""
        events = self._alerts.judge(
            list(found),
            self._clock(),
            lambda known: {key: answered(found[key], stands.standing) for key, stands in known.items()},
        )
        self._looked()
        return len(events)

    def _looked(self) -> None:
        """What is new is told at once, and the dead man's switch is told that somebody looks."""
        self.publish()
        self._alerts.is_alive(self._clock())

    def _today(self) -> date:
        return self._clock().astimezone(LOCAL_ZONE).date()

    def _keys(self, moved: Iterable[Key], on: date) -> list[Key]:
        diseases_of: dict[str, set[str]] = {}
        for disease, area_id in moved:
            diseases_of.setdefault(area_id, set()).add(disease)
        keys: set[Key] = set()
        heights: dict[str, int] = {}
        for placed in self._alerts.placed(diseases_of, on):
            heights |= placed.levels()
            keys.update(product(diseases_of[placed.area_id], placed.levels()))
        # In one order, so that two watchers never wait for each other; communes first, for most of what
        # must be known at once is about one.
        return sorted(keys, key=lambda key: (heights[key[1]], *key))


_Item = TypeVar("_Item")


def _chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Parts that are judged in one transaction each."""
    for start in range(0, len(items), KEYS_AT_ONCE):
        yield items[start : start + KEYS_AT_ONCE]

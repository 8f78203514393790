"""Hand-written fakes of the watcher's ports."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from itertools import groupby

from streams.domain.alerts import Alert, AlertEvent, Life, escalated, fold_all, judged
from streams.domain.errors import DependencyDown
from streams.domain.rules.verdicts import Verdict
from streams.handlers.judge_rules import Question
from streams.handlers.watch_counts import Change, Judging, Key, Known, Placed


class FakeJudge:
    """Answers what it was told to; counts how often it was asked.

    Attributes:
        verdicts: (disease, area id) -> what every rule answers.
        asked: In the order of the questions.
        open: Of which of them an alert was open.
    """

    def __init__(self, verdicts: dict[tuple[str, str], Sequence[Verdict]]) -> None:
        self.verdicts = verdicts
        self.asked: list[tuple[str, str, date]] = []
        self.open: list[tuple[str, str]] = []

    def judge_many(
        self, questions: Sequence[Question], on: date, *, has_moved: bool = False
    ) -> Sequence[Sequence[Verdict]]:
        self.asked.extend((question.disease, question.area_id, on) for question in questions)
        self.open.extend((question.disease, question.area_id) for question in questions if question.is_open)
        return [self.verdicts.get((question.disease, question.area_id), ()) for question in questions]


class InMemoryAlerts:
    """The Alerts port in memory.

    Attributes:
        events: Of all alerts, in the order in which they came.
        is_down: Every call fails while it is set.
    """

    def __init__(self, places: Iterable[Placed] = (), moving: Iterable[tuple[str, str]] = ()) -> None:
        self.events: list[AlertEvent] = []
        self.published: set[tuple[object, int]] = set()
        self.sweeps: dict[date, int] = {}
        self.alive_at: datetime | None = None
        self.is_down = False
        self._places = {place.area_id: place for place in places}
        self._moving = list(moving)

    @property
    def alerts(self) -> list[Alert]:
        ordered = sorted(self.events, key=lambda event: (str(event.alert_id), event.number))
        return [fold_all(group) for _, group in groupby(ordered, key=lambda event: event.alert_id)]

    def judge(self, keys: Sequence[Key], at: datetime, verdicts: Judging) -> list[AlertEvent]:
        self._answer()
        new = []
        is_open = {(alert.disease, alert.area_id) for alert in self.alerts if alert.is_open}
        for found in verdicts({key: Known([], None, key in is_open) for key in keys}).values():
            for verdict in found:
                known = [
                    alert
                    for alert in self.alerts
                    if (alert.rule_id, alert.disease, alert.area_id) == verdict.key
                ]
                event = judged(sorted(known, key=lambda alert: alert.raised_at), verdict, at, Life())
                if event is not None:
                    self.events.append(event)
                    new.append(event)
        return new

    def escalate(self, at: datetime) -> list[AlertEvent]:
        self._answer()
        new = [event for alert in self.alerts if (event := escalated(alert, at, Life())) is not None]
        self.events.extend(new)
        return new

    def publish(self, send: Callable[[Sequence[Change]], None]) -> int:
        self._answer()
        alerts = {alert.alert_id: alert for alert in self.alerts}
        waiting = [event for event in self.events if (event.alert_id, event.number) not in self.published]
        if waiting:
            send([_change(alerts[event.alert_id], event) for event in waiting])
            self.published.update((event.alert_id, event.number) for event in waiting)
        return len(waiting)

    def placed(self, area_ids: Iterable[str], on: date) -> list[Placed]:
        self._answer()
        return [self._places[area_id] for area_id in area_ids if area_id in self._places]

    def sweep_keys(self, since: date) -> list[tuple[str, str]]:
        self._answer()
        return [*self._moving, *((a.disease, a.area_id) for a in self.alerts if a.is_open)]

    def last_sweep(self) -> date | None:
        self._answer()
        return max(self.sweeps, default=None)

    def swept(self, day: date, judged_keys: int) -> None:
        self._answer()
        self.sweeps.setdefault(day, judged_keys)

    def is_alive(self, at: datetime) -> None:
        self._answer()
        self.alive_at = at

    def _answer(self) -> None:
        if self.is_down:
            raise DependencyDown("the database does not answer")


def _change(alert: Alert, event: AlertEvent) -> Change:
    return Change(
        event.alert_id,
        event.number,
        alert.rule_id,
        alert.disease,
        alert.area_id,
        alert.state.value,
        event.kind.value,
        event.at,
    )

"""What moved is judged once per key and level, what time moves once a day, and nothing is raised twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from streams.domain.alerts import Kind
from streams.domain.errors import DependencyDown
from streams.domain.rules.verdicts import Level, Outcome
from streams.handlers import watch_counts
from streams.handlers.judge_rules import Question
from streams.handlers.watch_counts import Change, Placed, WatchCounts
from tests.fakes_watch import FakeJudge, InMemoryAlerts
from tests.unit.domain.test_alerts import START, verdict

COMMUNE, OLD_COMMUNE = "03390@2025-07-01", "03412@start"
DISTRICT, PROVINCE = "106@2025-07-01", "12@2025-07-01"
PLACES = [
    Placed(COMMUNE, COMMUNE, DISTRICT, PROVINCE),
    Placed(OLD_COMMUNE, COMMUNE, DISTRICT, PROVINCE),
    Placed(DISTRICT, None, DISTRICT, PROVINCE),
    Placed(PROVINCE, None, None, PROVINCE),
]
TODAY = date(2026, 7, 20)


class Watch:
    """A watcher with fakes around it, and a clock to set."""

    def __init__(self) -> None:
        self.judge = FakeJudge({("dengue", COMMUNE): [verdict(5)]})
        self.alerts = InMemoryAlerts(PLACES)
        self.sent: list[Change] = []
        self.now = START
        self.is_kafka_down = False
        self.handler = WatchCounts(self.judge, self.alerts, self._send, lambda: self.now)

    def _send(self, changes: Sequence[Change]) -> None:
        if self.is_kafka_down:
            raise DependencyDown("Kafka does not answer")
        self.sent.extend(changes)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_count_that_moved_is_judged_where_it_stands_and_above(watch: Watch) -> None:
    assert watch.handler.handle([("dengue", COMMUNE)]) == 1
    assert sorted(watch.judge.asked) == sorted(("dengue", a, TODAY) for a in (COMMUNE, DISTRICT, PROVINCE))
    (change,) = watch.sent
    assert (change.kind, change.state, change.area_id) == ("raised", "raised", COMMUNE)


def test_old_and_new_names_of_one_place_are_judged_once(watch: Watch) -> None:
    watch.handler.handle([("dengue", COMMUNE), ("dengue", OLD_COMMUNE), ("dengue", COMMUNE)])
    assert len(watch.judge.asked) == 3


def test_a_case_of_which_only_the_district_is_known_is_judged_there(watch: Watch) -> None:
    watch.handler.handle([("dengue", DISTRICT)])
    assert {area_id for _, area_id, _ in watch.judge.asked} == {DISTRICT, PROVINCE}


def test_an_area_that_nobody_knows_is_left_to_the_sweep(watch: Watch) -> None:
    assert watch.handler.handle([("dengue", "99999@start")]) == 0


def test_a_redelivery_raises_nothing_twice_and_publishes_nothing_twice(watch: Watch) -> None:
    for _ in range(3):
        watch.handler.handle([("dengue", COMMUNE)])
    assert [event.kind for event in watch.alerts.events] == [Kind.RAISED]
    assert len(watch.sent) == 1


def test_the_judge_is_told_where_an_alert_is_open(watch: Watch) -> None:
    watch.handler.handle([("dengue", COMMUNE)])
    assert watch.judge.open == []
    watch.handler.handle([("dengue", COMMUNE)])
    assert watch.judge.open == [("dengue", COMMUNE)]


def test_what_was_not_published_is_published_by_whoever_comes_next(watch: Watch) -> None:
    watch.is_kafka_down = True
    with pytest.raises(DependencyDown):
        watch.handler.handle([("dengue", COMMUNE)])
    assert watch.sent == []
    watch.is_kafka_down = False
    watch.handler.handle([("dengue", COMMUNE)])
    assert [change.kind for change in watch.sent] == ["raised"]


def test_a_database_that_is_down_is_said_and_nothing_is_lost(watch: Watch) -> None:
    watch.alerts.is_down = True
    for work in (lambda: watch.handler.handle([("dengue", COMMUNE)]), watch.handler.look_at_the_clock):
        with pytest.raises(DependencyDown):
            work()
    watch.alerts.is_down = False
    assert watch.handler.handle([("dengue", COMMUNE)]) == 1


def test_each_day_is_swept_once_and_days_missed_at_once(watch: Watch) -> None:
    watch.alerts = InMemoryAlerts(PLACES, moving=[("dengue", OLD_COMMUNE)])
    watch.handler = WatchCounts(watch.judge, watch.alerts, watch._send, lambda: watch.now)
    assert watch.handler.look_at_the_clock() == 1
    for hours in (1, 5, 15):
        watch.now = START + timedelta(hours=hours)
        assert watch.handler.look_at_the_clock() == 0
    assert list(watch.alerts.sweeps) == [TODAY]
    # 00:30 of the next day but one in the province.
    watch.now = datetime.fromisoformat("2026-07-22T00:30:00+07:00")
    watch.handler.look_at_the_clock()
    assert list(watch.alerts.sweeps) == [TODAY, date(2026, 7, 22)]
    assert watch.alerts.alive_at == watch.now


def test_the_sweep_judges_open_alerts_though_nothing_moves(watch: Watch) -> None:
    watch.handler.handle([("dengue", COMMUNE)])
    watch.judge.verdicts["dengue", COMMUNE] = [
        replace(verdict(4), verdict=Outcome.NO_LONGER_MET, level=Level.NONE)
    ]
    assert watch.handler.look_at_the_clock() == 1
    assert [change.kind for change in watch.sent] == ["raised", "no_longer_met"]


def test_what_waits_too_long_is_escalated_by_the_clock(watch: Watch) -> None:
    watch.judge.verdicts["dengue", COMMUNE] = [verdict(20, Outcome.OUTBREAK, Level.OUTBREAK)]
    watch.handler.handle([("dengue", COMMUNE)])
    watch.now = START + timedelta(hours=4)
    assert watch.handler.look_at_the_clock() == 1
    assert watch.sent[-1].kind == "escalated"


def test_a_sweep_that_fails_is_swept_again(watch: Watch) -> None:
    watch.is_kafka_down = True
    watch.handler.handle([])
    watch.alerts = InMemoryAlerts(PLACES, moving=[("dengue", COMMUNE)])
    watch.handler = WatchCounts(watch.judge, watch.alerts, watch._send, lambda: watch.now)
    with pytest.raises(DependencyDown):
        watch.handler.look_at_the_clock()
    watch.is_kafka_down = False
    watch.handler.look_at_the_clock()
    assert [change.kind for change in watch.sent] == ["raised"]
    assert watch.alerts.alive_at == START


def test_alerts_are_told_once_when_all_that_moved_is_judged(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_counts, "KEYS_AT_ONCE", 1)
    told_before: list[int] = []
    judge_many = watch.judge.judge_many

    def judge(questions: Sequence[Question], on: date, *, has_moved: bool = False) -> Sequence[Any]:
        told_before.append(len(watch.sent))
        return judge_many(questions, on, has_moved=has_moved)

    monkeypatch.setattr(watch.judge, "judge_many", judge)
    watch.handler.handle([("dengue", COMMUNE)])
    # The commune, its area, the province.
    assert told_before == [0, 0, 0]
    assert len(watch.sent) == 1


def test_what_moves_during_a_sweep_is_judged_between_its_pieces(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_counts, "KEYS_AT_ONCE", 1)
    watch.judge.verdicts["measles", COMMUNE] = [verdict(5, disease="measles")]
    watch.alerts = InMemoryAlerts(PLACES, moving=[("dengue", COMMUNE)])
    watch.handler = WatchCounts(watch.judge, watch.alerts, watch._send, lambda: watch.now)
    pieces = watch.handler.due()
    next(pieces)()
    # Of three areas one is swept.
    next(pieces)()
    assert [change.disease for change in watch.sent] == ["dengue"]
    watch.handler.handle([("measles", COMMUNE)])
    assert [change.disease for change in watch.sent] == ["dengue", "measles"]
    assert watch.alerts.sweeps == {}
    assert sum(piece() for piece in pieces) == 0
    assert watch.alerts.sweeps == {TODAY: 3}


def test_a_sweep_that_ends_halfway_is_begun_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_counts, "KEYS_AT_ONCE", 1)
    watch.alerts = InMemoryAlerts(PLACES, moving=[("dengue", COMMUNE)])
    watch.handler = WatchCounts(watch.judge, watch.alerts, watch._send, lambda: watch.now)
    pieces = watch.handler.due()
    next(pieces)()
    watch.alerts.is_down = True
    with pytest.raises(DependencyDown):
        next(pieces)()
    watch.alerts.is_down = False
    assert watch.handler.look_at_the_clock() == 1
    assert list(watch.alerts.sweeps) == [TODAY]

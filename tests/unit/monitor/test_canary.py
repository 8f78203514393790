"""The canary is a valid event that moves nothing, and what has not arrived is told."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from schemas.events import CASE_TYPES, DOOR_MAX_AHEAD, parse_event
from schemas.topics.partitioner import partition_for
from services.monitor import canary
from services.monitor.canary import CanaryFlight, canary_event, canary_subjects
from services.monitor.metrics import Metrics
from streams.domain.calendar import microseconds
from streams.domain.canary import is_canary
from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.errors import DependencyDown
from streams.domain.judging import judge, kind_of
from streams.stores.health import Canary
from tests.builders import judged_by, small_catalogue

NOW = datetime(2026, 1, 15, 1, 0, tzinfo=UTC)


def test_there_is_one_subject_for_each_partition() -> None:
    subjects = canary_subjects(12)
    assert [partition_for(subject.encode(), 12) for subject in subjects] == list(range(12))
    assert all(is_canary(subject) for subject in subjects)
    assert len(set(subjects)) == 12


def test_a_canary_is_valid_and_never_counts_in_any_order() -> None:
    catalogue = judged_by(small_catalogue())
    events = []
    for number in range(6):
        sent_at = NOW + timedelta(minutes=number)
        raw = orjson.dumps(canary_event("canary/0", sent_at))
        event = parse_event(raw, now=sent_at, max_ahead=DOOR_MAX_AHEAD, types=CASE_TYPES)
        assert event.id.version == 7
        judged, _ = judge(
            kind_of(event.type),
            event.subject,
            event.id,
            microseconds(event.time),
            orjson.loads(orjson.dumps(event.data)),
            catalogue,
        )
        assert isinstance(judged, CaseEvent)
        events.append(judged)
    random.Random(1).shuffle(events)
    case = Case()
    for one in events:
        case.apply(one)
        assert contribution_of(case, catalogue) is None
    assert len({one.event_id for one in events}) == 6


class Doorway:
    """What the intake answers, and what has arrived in the database, as a test wants them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        self.status: int | None = 202
        self.sent: list[dict[str, Any]] = []
        self.arrived: dict[str, Canary] = {}
        self.is_database_up = True
        self.metrics = Metrics(clock=lambda: self.now.timestamp())
        self.flight = CanaryFlight("http://127.0.0.1:1", 12, self._read, self.metrics, clock=lambda: self.now)
        monkeypatch.setattr(canary.httpx, "post", self._post)

    def _post(
        self, url: str, json: dict[str, Any], headers: dict[str, str], timeout: float
    ) -> httpx.Response:
        assert url == "http://127.0.0.1:1/v1/events"
        assert headers == {}
        if self.status is None:
            raise httpx.ConnectError("refused")
        self.sent.append(json)
        return httpx.Response(self.status)

    def _read(self, subjects: list[str]) -> dict[str, Canary]:
        assert subjects == canary_subjects(12)
        if not self.is_database_up:
            raise DependencyDown("TimescaleDB does not answer")
        return self.arrived

    def arrive(self, event: dict[str, Any]) -> None:
        self.arrived[event["subject"]] = Canary(UUID(event["id"]), datetime.fromisoformat(event["time"]))

    def value(self, name: str) -> float:
        value = self.metrics.registry.get_sample_value(name)
        assert value is not None
        return value


@pytest.fixture
def doorway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Doorway]:
    return Doorway(monkeypatch)


def test_each_partition_has_its_turn(doorway: Doorway) -> None:
    for _ in range(13):
        doorway.flight.send()
    subjects = [event["subject"] for event in doorway.sent]
    assert subjects[:12] == canary_subjects(12)
    assert subjects[12] == subjects[0]


def test_a_canary_that_arrived_is_timed(doorway: Doorway) -> None:
    doorway.flight.send()
    doorway.now += timedelta(seconds=2)
    doorway.arrive(doorway.sent[0])
    doorway.flight.look()
    assert doorway.value("canhdich_canary_seconds_sum") == 2
    assert doorway.value("canhdich_canary_age_seconds") == 2
    assert doorway.value("canhdich_canary_waiting_seconds") != doorway.value(
        "canhdich_canary_waiting_seconds"
    )
    doorway.now += timedelta(seconds=500)
    assert doorway.value("canhdich_canary_age_seconds") == 502, "it grows while nobody looks"


def test_the_oldest_that_has_not_arrived_is_told(doorway: Doorway) -> None:
    for _ in range(3):
        doorway.flight.send()
        doorway.now += timedelta(seconds=100)
    doorway.arrive(doorway.sent[0])
    doorway.arrive(doorway.sent[2])
    doorway.flight.look()
    assert doorway.value("canhdich_canary_waiting_seconds") == 200
    assert doorway.value("canhdich_canary_age_seconds") == 100
    doorway.arrive(doorway.sent[1])
    doorway.flight.look()
    assert doorway.value("canhdich_canary_seconds_count") == 3


def test_a_later_canary_of_a_case_stands_for_the_earlier(doorway: Doorway) -> None:
    for _ in range(13):
        doorway.flight.send()
        doorway.now += timedelta(seconds=1)
    for event in doorway.sent[1:]:
        doorway.arrive(event)
    doorway.flight.look()
    assert doorway.value("canhdich_canary_seconds_count") == 13


def test_an_earlier_one_does_not_stand_for_the_later(doorway: Doorway) -> None:
    doorway.flight.send()
    doorway.arrive(doorway.sent[0])
    for _ in range(12):
        doorway.now += timedelta(seconds=1)
        doorway.flight.send()
    for event in doorway.sent[1:12]:
        doorway.arrive(event)
    doorway.now += timedelta(seconds=30)
    doorway.flight.look()
    assert doorway.value("canhdich_canary_waiting_seconds") == 30


def test_while_the_database_is_down_what_waits_grows_old(doorway: Doorway) -> None:
    doorway.is_database_up = False
    with pytest.raises(DependencyDown):
        doorway.flight.fly(0)
    doorway.now += timedelta(seconds=90)
    assert doorway.value("canhdich_canary_waiting_seconds") == 90


@pytest.mark.parametrize("status", [None, 503, 422, 200])
def test_a_door_that_takes_none_is_told(doorway: Doorway, status: int | None) -> None:
    doorway.flight.send()
    doorway.arrive(doorway.sent[0])
    doorway.status = status
    doorway.now += timedelta(seconds=60)
    with pytest.raises(DependencyDown, match="intake"):
        doorway.flight.fly(0)
    assert doorway.value("canhdich_canary_refused_total") == 1
    assert doorway.value("canhdich_canary_age_seconds") == 60, "it is looked for all the same"

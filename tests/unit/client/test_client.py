"""The Python client against the real application, with fakes behind it and faults in between."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from clients.python import canhdich_client
from clients.python.canhdich_client import Client, NotSent, Refused, new_event, new_id
from streams.domain.alerts import judged
from streams.domain.receipts import Fate, JournaledEvent
from streams.domain.rules.verdicts import Level, Outcome
from tests.fakes_intake import FakeAlertBook
from tests.unit.domain.test_alerts import LIFE, START, verdict
from tests.unit.intake.door import NOW, Doorstep, event


class World(httpx.BaseTransport):
    """A service with fakes behind it, a client of it, and a line between them that may fail.

    Attributes:
        faults: For the requests to come: an answer in the application's place, or an exception; None lets
            the request through.
        is_answer_lost: An exception comes after the application has answered, not before it was asked.
        requests: What was tried.
    """

    def __init__(self, door: Doorstep) -> None:
        self.door = door
        self.faults: list[httpx.Response | Exception | None] = []
        self.is_answer_lost = False
        self.requests: list[httpx.Request] = []
        http = httpx.Client(transport=self, base_url="http://127.0.0.1:8080")
        self.client = Client("", http=http, longest_pause=0.0)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, httpx.Response):
            return fault
        if fault is not None and not self.is_answer_lost:
            raise fault
        path = request.url.raw_path.decode()
        answer = self.door.request(request.method, path, content=request.read(), headers=request.headers)
        if fault is not None:
            raise fault
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def sent(self) -> list[dict[str, Any]]:
        """What Kafka has."""
        return [orjson.loads(record.value) for record in self.door.sink.records]


@pytest.fixture
def world() -> Iterator[World]:
    raised = []
    for disease in ("dengue", "measles", "rabies"):
        alert = judged([], verdict(20, Outcome.OUTBREAK, Level.OUTBREAK, disease=disease), START, LIFE)
        assert alert is not None
        raised.append(alert)
    with Doorstep(alerts=FakeAlertBook(*raised), send_seconds=1.0) as door:
        made = World(door)
        with made.client:
            yield made


def later(status: int = 503, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"title": "later"}, headers=headers)


def test_an_event_is_sent_as_it_is(world: World) -> None:
    made = event(1)
    sent = world.client.send(made)

    assert (sent.event, sent.outcome, sent.warnings) == (made, "accepted", [])
    assert world.sent == [made]


def test_a_warning_is_passed_on(world: World) -> None:
    sent = world.client.send(event(1, data={"disease": "no_such_disease"}))
    assert [warning["code"] for warning in sent.warnings] == ["unknown_disease"]


@pytest.mark.parametrize(
    "faults",
    [
        [httpx.ConnectError("no"), later(), later(429), later(502), httpx.ReadTimeout("no")],
        [later(503, **{"retry-after": "10"}), later(408, **{"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})],
        [httpx.RemoteProtocolError("cut")],
    ],
)
def test_the_same_bytes_are_sent_until_there_is_an_answer(
    world: World, faults: list[httpx.Response | Exception | None]
) -> None:
    world.faults = list(faults)
    assert world.client.send(event(1)).outcome == "accepted"
    assert len(world.requests) == len(faults) + 1
    assert len({request.content for request in world.requests}) == 1
    assert len(world.sent) == 1


def test_an_answer_that_was_lost_makes_a_repeat_under_the_same_id(world: World) -> None:
    world.faults = [httpx.ReadError("cut")]
    world.is_answer_lost = True
    made = event(1)

    assert world.client.send(made).outcome == "accepted"
    assert [found["id"] for found in world.sent] == [made["id"]] * 2


def test_when_no_attempt_is_answered_nobody_knows(world: World) -> None:
    world.door.sink.is_down = True
    with pytest.raises(NotSent, match="answered 503 at 6 attempts"):
        world.client.send(event(1))
    assert len(world.requests) == 6


def test_what_is_wrong_is_told_and_not_tried_again(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.client.send(event(1, data={"sex": "nam"}))
    assert (refused.value.status, len(world.requests)) == (422, 1)
    assert [(error["field"], error["code"]) for error in refused.value.errors] == [
        ("data.sex", "not_allowed")
    ]


def test_another_service_is_told_from_ours(world: World) -> None:
    world.faults = [httpx.Response(200, text="<html>")]
    with pytest.raises(Refused, match="no JSON"):
        world.client.send(event(1))


def test_many_are_sent_in_few_requests_and_answered_in_their_order(world: World) -> None:
    many = [event(n) for n in range(1, canhdich_client.MAX_LINES + 100)]
    many[3] = event(4, data={"sex": "nam"})
    many[-1] = many[-2]
    world.faults = [None, later()]
    sent = list(world.client.send_all(iter(many)))

    assert [one.event for one in sent] == many
    assert {one.outcome for one in sent[:3] + sent[4:-1]} == {"accepted"}
    assert (sent[3].outcome, [error["field"] for error in sent[3].errors]) == ("refused", ["data.sex"])
    assert sent[-1].outcome == "repeat"
    assert len(world.requests) == 3
    assert len(world.sent) == len(many) - 2


def test_long_events_are_spread_over_requests(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    long = [event(n, data={"external_ids": {"x" * 40: "y" * 900}}) for n in range(1, 60)]
    monkeypatch.setattr(canhdich_client, "MAX_BYTES", 10_000)
    assert len(list(world.client.send_all(long))) == 59
    sizes = [len(request.content) for request in world.requests]
    assert max(sizes) < 10_000
    assert len(sizes) == 8


def test_where_every_event_is_wrong_each_is_told(world: World) -> None:
    wrong = [event(n, data={"sex": "nam"}) for n in range(1, canhdich_client.MAX_LINES + 2)]
    assert {one.outcome for one in world.client.send_all(wrong)} == {"refused"}


def test_waits_until_the_stream_has_read_it(world: World) -> None:
    made = event(1)
    assert world.client.receipts(made["id"]) == []
    world.client.send(made)
    assert [receipt.state for receipt in world.client.receipts(made["id"], made["subject"])] == ["accepted"]
    assert world.client.wait(made, seconds=0) is None

    known = JournaledEvent(made["subject"], made["type"], NOW, made["source"], None, None, (), False, True)
    world.door.knowledge.fates[UUID(made["id"])] = Fate(UUID(made["id"]), [known], [])
    receipt = world.client.wait(made, seconds=5)
    assert receipt is not None
    assert (receipt.subject, receipt.state, receipt.is_counted) == (made["subject"], "counted", True)


def test_alerts_come_over_all_pages(world: World) -> None:
    assert len({alert["alert_id"] for alert in world.client.alerts(limit=1)}) == 3
    assert len(world.requests) == 3
    assert [alert["disease"] for alert in world.client.alerts(disease="rabies")] == ["rabies"]


def test_a_new_event_is_valid_and_its_id_grows_with_time(world: World) -> None:
    made = new_event(
        "vn.canhdich.case.reported.v1",
        subject="LC-1",
        source="/facilities/LC-TYT-03190",
        data={"disease": "dengue", "area_code": "12"},
        recorded_at=datetime(2026, 1, 14, 8, 0, tzinfo=UTC),
    )
    assert world.client.send(made).outcome == "accepted"
    ids = [UUID(new_id()) for _ in range(50)]
    assert {(found.version, found.variant) for found in ids} == {(7, "specified in RFC 4122")}
    assert len(set(ids)) == 50
    assert ids[0].int >> 80 <= ids[-1].int >> 80
    with pytest.raises(ValueError, match="offset"):
        new_event("x", subject="1", source="/x", data={}, recorded_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_key_is_sent_with_every_request(world: World) -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json={"alerts": []})

    http = httpx.Client(transport=httpx.MockTransport(answer), base_url="https://canhdich.example")
    with Client("", api_key="secret", http=http) as client:
        assert list(client.alerts()) == []
    assert seen == ["Bearer secret"]

"""The alerts over HTTP: what is shown, what people do, and what is refused."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from jsonschema import Draft202012Validator

from services.intake import asking
from services.intake.openapi import build_openapi
from services.intake.people.person import Role
from streams.domain.alerts import AlertEvent, judged
from streams.domain.rules.verdicts import Level, Outcome
from tests.fakes_intake import FakeAlertBook
from tests.people_fakes import FakePeople, make_person
from tests.unit.domain.test_alerts import LIFE, START, verdict
from tests.unit.intake.door import JSON, Doorstep

COMMUNE = "03390@2025-07-01"


def raised(**changes: Any) -> AlertEvent:
    made = verdict(20, Outcome.OUTBREAK, Level.OUTBREAK, **changes)
    event = judged([], made, START, LIFE)
    assert event is not None
    return event


@pytest.fixture
def event() -> AlertEvent:
    return raised()


@pytest.fixture
def door(event: AlertEvent) -> Iterator[Doorstep]:
    book = FakeAlertBook(event, raised(disease="measles"))
    book.areas = {"12": {COMMUNE}, "15": set()}
    with Doorstep(alerts=book) as made:
        yield made


def act(
    door: Doorstep, event: AlertEvent, body: Any = None, content_type: str = JSON, **given: Any
) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps({"by": "bs.lan", **given})
    path = f"/v1/alerts/{event.alert_id}/actions"
    return door.request("POST", path, content=content, headers={"content-type": content_type})


def is_as_described(response: httpx.Response, model: str) -> None:
    document = build_openapi()
    schema = {"$ref": f"#/components/schemas/{model}", "components": document["components"]}
    Draft202012Validator(schema).validate(response.json())


def codes(response: httpx.Response) -> list[tuple[str, str]]:
    assert response.headers["content-type"] == "application/problem+json"
    is_as_described(response, "Problem")
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("", 2),
        ("?disease=dengue", 1),
        ("?disease=rabies", 0),
        ("?area=12", 2),
        ("?area=15", 0),
        ("?limit=1", 1),
        ("?open=false", 2),
    ],
)
def test_the_inbox(door: Doorstep, asked: str, number: int) -> None:
    response = door.get(f"/v1/alerts{asked}")
    assert response.status_code == 200
    is_as_described(response, "Inbox")
    assert len(response.json()["alerts"]) == number


def test_what_is_settled_is_shown_where_all_are_asked_for(door: Doorstep, event: AlertEvent) -> None:
    assert act(door, event, action="close", note="xong").status_code == 200
    assert [a["disease"] for a in door.get("/v1/alerts").json()["alerts"]] == ["measles"]
    assert len(door.get("/v1/alerts?open=false").json()["alerts"]) == 2


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ("?open=maybe", ("open", "bad_value")),
        ("?limit=0", ("limit", "bad_value")),
        ("?limit=1001", ("limit", "bad_value")),
        ("?area=123456", ("area", "bad_value")),
        ("?area=99", ("area", "unknown_area")),
        ("?disease=%27--", ("disease", "bad_value")),
        ("?name=x", ("", "unknown_field")),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    door: Doorstep, asked: str, fault: tuple[str, str]
) -> None:
    response = door.get(f"/v1/alerts{asked}")
    assert response.status_code == 422
    assert codes(response) == [fault]


def test_one_alert_has_its_history_and_its_text(door: Doorstep, event: AlertEvent) -> None:
    act(door, event, action="acknowledge")
    response = door.get(f"/v1/alerts/{event.alert_id}")
    is_as_described(response, "AlertPage")
    shown = response.json()
    assert [(step["kind"], step["actor"]) for step in shown["events"]] == [
        ("raised", "system"),
        ("acknowledged", "bs.lan"),
    ]
    assert (shown["state"], shown["text_vi"], shown["text_en"]) == (
        "acknowledged",
        "Bệnh: …\n",
        "Disease: …\n",
    )


def test_a_whole_life(door: Doorstep, event: AlertEvent) -> None:
    states = []
    for given in (
        {"action": "acknowledge"},
        {"action": "verify", "note": "đã xác minh tại thôn"},
        {"action": "determine", "instant": START.isoformat()},
        {"action": "end"},
        {"action": "note", "note": "đã ra thông báo"},
        {"action": "close", "note": "hết dịch"},
        {"action": "reopen", "note": "ca mới"},
        {"action": "dismiss", "note": "nhập nhầm bệnh"},
    ):
        response = act(door, event, **given)
        is_as_described(response, "AlertDetail")
        states.append(response.json()["state"])
    assert states == [
        *("acknowledged", "verified", "verified", "verified", "verified"),
        *("closed", "raised", "dismissed"),
    ]
    found = door.get(f"/v1/alerts/{event.alert_id}").json()
    assert found["notice_due_at"] == "2026-07-21T01:00:00+00:00"
    assert [step["number"] for step in found["events"]] == list(range(1, 10))


def test_what_the_state_does_not_allow_is_refused_and_changes_nothing(
    door: Doorstep, event: AlertEvent
) -> None:
    assert act(door, event, action="verify").status_code == 200
    for given in ({"action": "acknowledge"}, {"action": "dismiss"}, {"action": "note", "note": "  "}):
        response = act(door, event, **given)
        assert response.status_code == 409
        assert codes(response) == [("action", "refused")]
    (error,) = response.json()["errors"]
    assert error["message_vi"] == "Hãy ghi lý do."
    assert error["message_en"] == "`note` wants a note that says why."
    assert len(door.alerts.lives[event.alert_id]) == 2


@pytest.mark.parametrize("note", ["gọi 0912 345 678", "bà Lò Thị Pâng, bản Nà Hum", "lan@cdc.example"])
def test_a_note_that_names_a_person_is_refused_and_not_repeated(
    door: Doorstep, event: AlertEvent, note: str
) -> None:
    response = act(door, event, action="note", note=note)
    assert response.status_code == 409
    assert note not in response.text
    assert len(door.alerts.lives[event.alert_id]) == 1


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"action": "explode"}, ("action", "bad_value")),
        ({}, ("action", "missing")),
        ({"action": "verify", "by": ""}, ("by", "bad_value")),
        ({"action": "verify", "by": "bs lan"}, ("by", "bad_value")),
        ({"action": "verify", "note": "x" * 2_001}, ("note", "bad_value")),
        ({"action": "determine", "instant": "2026-07-20T08:00:00"}, ("instant", "bad_value")),
        ({"action": "verify", "password": "s3cret"}, ("", "unknown_field")),
    ],
)
def test_a_field_that_is_wrong_is_named(
    door: Doorstep, event: AlertEvent, given: dict[str, Any], fault: tuple[str, str]
) -> None:
    response = act(door, event, **given)
    assert response.status_code == 422
    assert codes(response) == [fault]
    assert "s3cret" not in response.text
    assert len(door.alerts.lives[event.alert_id]) == 1


def test_a_person_acts_under_their_own_name_alone(event: AlertEvent) -> None:
    people = FakePeople()
    person = people.signed_in(make_person(Role.EPIDEMIOLOGIST, "bs.hoa"))
    with Doorstep(alerts=FakeAlertBook(event), people=people) as door:
        path = f"/v1/alerts/{event.alert_id}/actions"
        headers = {"content-type": JSON, **person}
        forged = door.request("POST", path, json={"action": "verify", "by": "bs.lan"}, headers=headers)
        assert (forged.status_code, codes(forged)) == (403, [("", "not_allowed")])
        assert len(door.alerts.lives[event.alert_id]) == 1
        assert door.request("POST", path, json={"action": "verify"}, headers=headers).status_code == 200
        assert door.alerts.lives[event.alert_id][-1].actor == "bs.hoa"
    assert [(action.username, action.action) for action in people.actions()] == [("bs.hoa", "alert-verify")]


def test_a_reporter_sees_the_alerts_of_their_own_area(event: AlertEvent) -> None:
    people = FakePeople()
    here = people.signed_in(make_person(Role.REPORTER, "tram.1", area_codes=("03390",)))
    there = people.signed_in(make_person(Role.REPORTER, "tram.2", area_codes=("03549",)))
    with Doorstep(alerts=FakeAlertBook(event), people=people) as door:
        for headers, shown, status in ((here, 1, 200), (there, 0, 404)):
            assert len(door.request("GET", "/v1/alerts", headers=headers).json()["alerts"]) == shown
            one = door.request("GET", f"/v1/alerts/{event.alert_id}", headers=headers)
            assert one.status_code == status


def test_the_inbox_goes_on_where_the_page_before_ended(door: Doorstep, event: AlertEvent) -> None:
    seen, path = [], "/v1/alerts?open=false&limit=1"
    for _ in range(3):
        response = door.get(path)
        seen += [alert["alert_id"] for alert in response.json()["alerts"]]
        link = response.headers.get("link")
        if link is None:
            break
        address, _, relation = link.partition(">; ")
        assert (address[0], relation) == ("<", 'rel="next"')
        path = address[1:]
        assert "open=false&limit=1&cursor=" in path
    assert seen == [alert["alert_id"] for alert in door.get("/v1/alerts?open=false").json()["alerts"]]
    assert len(seen) == len(set(seen)) == 2


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "W10",
        # ["raised", "outbreak", "yesterday", …], a list that goes on, and a level that is none
        "WyJyYWlzZWQiLCAib3V0YnJlYWsiLCAieWVzdGVyZGF5IiwgIjEiXQ",
        "WzEsMiwzLDQsNV0",
        "WyJyYWlzZWQiLCAibG91ZCIsICIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwgIjEiXQ",
        "WyJyYWlzZWQiLCAib3V0YnJlYWsiLCAiMDAwMS0wMS0wMVQwMDowMDowMCswMTowMCIsICIxIl0",
        "W1tbW1tbW1tbW1tbW1tbW1tb",
    ],
)
def test_a_cursor_that_was_not_given_out_is_refused(door: Doorstep, cursor: str) -> None:
    response = door.get(f"/v1/alerts?cursor={cursor}")
    assert (response.status_code, codes(response)) == (422, [("cursor", "bad_value")])


def test_nobody_acts_as_the_system(door: Doorstep, event: AlertEvent) -> None:
    response = act(door, event, action="verify", by="system")
    assert response.status_code == 409


def test_an_alert_that_is_not_there(door: Doorstep) -> None:
    for name in (uuid4(), "nothing"):
        assert codes(door.get(f"/v1/alerts/{name}")) == [("", "alert_not_found")]
        body = orjson.dumps({"action": "verify", "by": "bs.lan"})
        answer = door.request(
            "POST", f"/v1/alerts/{name}/actions", content=body, headers={"content-type": JSON}
        )
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", JSON, 400),
        (b"\xff", JSON, 400),
        (b"[]", JSON, 422),
        (b'{"action":"verify","by":"bs.lan"}', "text/plain", 415),
        (b'{"action":"verify","by":"bs.lan"}', "application/cloudevents+json", 415),
        (b'{"note":"' + b"x" * 6_000_000 + b'"}', JSON, 413),
    ],
)
def test_a_body_that_nobody_should_send(
    door: Doorstep, event: AlertEvent, body: bytes, content_type: str, status: int
) -> None:
    response = act(door, event, body, content_type)
    assert response.status_code == status
    assert codes(response)
    assert len(door.alerts.lives[event.alert_id]) == 1


def test_a_database_that_is_down_or_hangs_is_said(
    door: Doorstep, event: AlertEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.05)
    for attribute in ("is_down", "hangs"):
        setattr(door.alerts, attribute, True)
        for response in (
            door.get("/v1/alerts"),
            door.get(f"/v1/alerts/{event.alert_id}"),
            act(door, event, action="verify"),
        ):
            assert response.status_code == 503
            assert response.headers["Retry-After"] == "10"
            assert codes(response) == [("", "database_down")]
        setattr(door.alerts, attribute, False)


def test_another_machine_is_not_served(event: AlertEvent) -> None:
    with Doorstep(alerts=FakeAlertBook(event), client=("10.0.0.7", 50_000)) as door:
        assert door.get("/v1/alerts").status_code == 403
        assert act(door, event, action="verify").status_code == 403
        assert len(door.alerts.lives[event.alert_id]) == 1


def test_the_book_is_closed_with_the_application(event: AlertEvent) -> None:
    book = FakeAlertBook(event)
    with Doorstep(alerts=book):
        assert not book.is_closed
    assert book.is_closed


def test_the_examples_of_the_description_are_taken(door: Doorstep, event: AlertEvent) -> None:
    content = build_openapi()["paths"]["/v1/alerts/{alert_id}/actions"]["post"]["requestBody"]["content"]
    assert set(content) == {JSON}
    for example in content[JSON]["examples"].values():
        # Their instant is after this alert's.
        given = {name: value for name, value in example["value"].items() if name != "instant"}
        assert act(door, event, **given).status_code == 200

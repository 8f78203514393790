"""GET /v1/events/{event_id}: what became of an event."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from jsonschema import Draft202012Validator

from services.intake import receive
from services.intake.people.person import Role
from streams.domain.judging import Parked
from streams.domain.receipts import BuriedEvent, Fate, JournaledEvent
from tests.fakes_intake import FakeKnowledge, small_catalogue
from tests.people_fakes import FakePeople, make_person
from tests.unit.intake.door import Doorstep, event

ID = UUID(int=1)
SUBJECT = event(1)["subject"]
AT = datetime(2023, 7, 4, 1, 12, 3, tzinfo=UTC)
PROBLEM = {"field": "id", "code": "identity_conflict", "message_vi": "…", "message_en": "…"}


def journaled(**changed: Any) -> JournaledEvent:
    told: dict[str, Any] = {
        "subject": SUBJECT,
        "event_type": "vn.canhdich.case.reported.v1",
        "known_at": AT,
        "source": "/facilities/LC-TYT-03549",
        "area_id": "03549@start",
        "parked": None,
        "overruled": (),
        "is_overruled": False,
        "is_counted": True,
    }
    return JournaledEvent(**{**told, **changed})


def buried(subject: str | None = SUBJECT, source: str | None = "/facilities/LC-TYT-03549") -> BuriedEvent:
    return BuriedEvent(17, subject, AT, "identity_conflict", (PROBLEM,), source, None)


def told(door: Doorstep, path: str, status: int = 200, **headers: str) -> list[dict[str, Any]]:
    """The receipts of an answer that is as the description says."""
    response: httpx.Response = door.request("GET", path, headers=headers)
    assert response.status_code == status, response.text
    document = response.json()
    components = door.get("/openapi.json").json()["components"]
    model = "EventReceipts" if status == 200 else "Problem"
    Draft202012Validator(
        {"$ref": f"#/components/schemas/{model}", "components": components},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    ).validate(document)
    return document["events"] if status == 200 else []


@pytest.mark.parametrize(
    ("known", "dead", "state"),
    [
        (journaled(), False, "counted"),
        (journaled(is_counted=False, overruled=("sex",)), False, "counted"),
        (journaled(overruled=("sex",), is_overruled=True), False, "overruled"),
        (journaled(parked=Parked("unknown_area", "99999"), is_counted=False), False, "parked"),
        (journaled(), True, "counted"),
        (None, True, "dead_lettered"),
    ],
)
def test_says_where_an_event_is(door: Doorstep, known: JournaledEvent | None, dead: bool, state: str) -> None:
    fate = Fate(ID, [known] if known else [], [buried()] if dead else [])
    door.knowledge.fates[ID] = fate
    (receipt,) = told(door, f"/v1/events/{ID}")

    assert (receipt["subject"], receipt["id"], receipt["state"]) == (SUBJECT, str(ID), state)
    assert [letter["problems"] for letter in receipt["dead_letters"]] == ([[PROBLEM]] if dead else [])
    if known is not None:
        assert (receipt["overruled"], receipt["is_counted"]) == (list(known.overruled), known.is_counted)
        assert (receipt["known_at"], receipt["type"]) == (AT.isoformat(), known.event_type)
        assert (receipt["parked"] or {}).get("code") == (known.parked.reason if known.parked else None)


def test_accepted_until_the_stream_has_read_it(door: Doorstep) -> None:
    told(door, f"/v1/events/{ID}", 404)
    assert door.post(event(1)).status_code == 202
    assert [r["state"] for r in told(door, f"/v1/events/{ID}")] == ["accepted"]

    door.knowledge.fates[ID] = Fate(ID, [journaled()], [])
    assert [r["state"] for r in told(door, f"/v1/events/{ID}")] == ["counted"]


def test_after_a_restart_an_uncounted_event_is_called_unknown_not_lost() -> None:
    knowledge = FakeKnowledge(catalogue=small_catalogue())
    with Doorstep(knowledge=knowledge) as door:
        assert door.post(event(1)).status_code == 202
    with Doorstep(knowledge=knowledge) as again:
        refusal = again.request("GET", f"/v1/events/{ID}")
        assert (refusal.status_code, refusal.headers["retry-after"]) == (404, "10")
        assert "has not come to it yet" in refusal.json()["message_en"]
        assert "chưa đọc tới" in refusal.json()["message_vi"]
        # What the answer advises: the same again, then it is known here, too.
        assert again.post(event(1)).status_code == 202
        assert [r["state"] for r in told(again, f"/v1/events/{ID}")] == ["accepted"]
        assert "retry-after" not in again.request("GET", f"/v1/alerts/{ID}").headers


def test_the_oldest_of_the_accepted_are_forgotten(door: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "_REMEMBERED", 2)
    for subject in ("LC-A", "LC-B", "LC-C"):
        assert door.post(event(1, subject=subject)).status_code == 202
    assert {r["subject"] for r in told(door, f"/v1/events/{ID}")} == {"LC-B", "LC-C"}
    for number in (2, 3):
        door.post(event(number))
    told(door, f"/v1/events/{ID}", 404)


def test_what_kafka_did_not_acknowledge_is_not_called_accepted(door: Doorstep) -> None:
    door.sink.is_down = True
    assert door.post(event(1)).status_code == 503
    told(door, f"/v1/events/{ID}", 404)


def test_one_id_may_belong_to_several_subjects(door: Doorstep) -> None:
    door.knowledge.fates[ID] = Fate(ID, [journaled(), journaled(subject="LC-OTHER")], [buried(None)])
    assert [r["subject"] for r in told(door, f"/v1/events/{ID}")] == [SUBJECT, "LC-OTHER", None]
    assert [r["subject"] for r in told(door, f"/v1/events/{ID}?subject=LC-OTHER")] == ["LC-OTHER"]
    told(door, f"/v1/events/{ID}?subject=LC-NONE", 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/events/nothing", 404),
        ("/v1/events/%27%20or%201%3D1%20--", 404),
        ("/v1/events/..%2f..%2fetc%2fpasswd", 404),
        (f"/v1/events/{ID}?subject=%27%3B%20drop%20table%20cases%3B--", 422),
        (f"/v1/events/{ID}?subject={'x' * 201}", 422),
        (f"/v1/events/{ID}?subject=", 422),
        (f"/v1/events/{ID}?suject=LC-1", 422),
    ],
)
def test_a_question_without_sense_is_refused(door: Doorstep, path: str, status: int) -> None:
    told(door, path, status)


def test_without_the_database_nobody_can_say() -> None:
    knowledge = FakeKnowledge(catalogue=small_catalogue())
    with Doorstep(knowledge=knowledge) as door:
        door.post(event(1))
        knowledge.is_down = True
        told(door, f"/v1/events/{ID}", 503)


@pytest.mark.parametrize(
    ("role", "facility", "areas", "states"),
    [
        (Role.EPIDEMIOLOGIST, None, (), ["counted", "counted", "dead_lettered", "accepted"]),
        (Role.DEPARTMENT, None, (), ["counted", "counted", "dead_lettered", "accepted"]),
        (Role.REPORTER, "LC-TYT-03549", ("03549",), ["counted", "dead_lettered"]),
        (Role.REPORTER, "LC-TYT-03390", ("03390",), ["counted"]),
        (Role.REPORTER, "LC-TYT-03190", ("03390",), ["counted", "accepted"]),
        (Role.REPORTER, "LC-BV-001", ("106",), ["counted"]),
        (Role.REPORTER, "LC-BV-001", (), []),
    ],
)
def test_a_reporter_sees_the_events_of_their_facility_and_area(
    role: Role, facility: str | None, areas: tuple[str, ...], states: list[str]
) -> None:
    people = FakePeople()
    headers = people.signed_in(make_person(role, facility=facility, area_codes=areas))
    elsewhere = journaled(subject="LC-2", source="/facilities/LC-TYT-03390", area_id="03390@2025-07-01")
    with Doorstep(people=people) as door:
        assert door.post(event(1, subject="LC-3")).status_code == 202
        door.knowledge.fates[ID] = Fate(ID, [journaled(), elsewhere], [buried("LC-4")])
        shown = told(door, f"/v1/events/{ID}", 200 if states else 404, **headers)
    assert [receipt["state"] for receipt in shown] == states

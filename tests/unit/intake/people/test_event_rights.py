"""Which events an account may send: for its areas, for its facility, about its cases."""

from typing import Any

import orjson
import pytest

from services.intake.people.person import Role
from streams.domain.areas import Area, AreaIndex
from streams.domain.catalogue import Catalogue
from tests.fakes_intake import FakeKnowledge
from tests.people_fakes import FakePeople, make_person
from tests.unit.intake.door import Doorstep, event

OWN = "/facilities/LC-TYT-03549"
STATION = make_person(Role.REPORTER, "tram.pt", area_codes=("03549",))
CENTRE = make_person(Role.REPORTER, "ttyt.pt", facility="LC-TTYT-109", area_codes=("109",))
HOSPITAL = make_person(Role.REPORTER, "bv", facility="LC-BV-001")


def catalogue() -> Catalogue:
    """The commune 03549, which kept its code through the reform of 2025-07-01, its neighbour, and another."""
    areas = [Area("12@start", "12", "province", "Lai Châu", "12@start", None, None, None)]
    areas += [
        Area(f"{code}@{since}", code, kind, code, "12@start", district, first, last)  # type: ignore[arg-type]
        for code, since, kind, district, first, last in (
            ("109", "start", "district", "109@start", None, "2025-06-30"),
            ("03549", "start", "commune", "109@start", None, "2025-06-30"),
            ("03549", "2025-07-01", "commune", "109@2025-07-01", "2025-07-01", None),
            ("03562", "2025-07-01", "commune", "109@2025-07-01", "2025-07-01", None),
            ("03390", "2025-07-01", "commune", "106@2025-07-01", "2025-07-01", None),
        )
    ]
    return Catalogue(1, AreaIndex(areas), {"dengue": {}, "streptococcus_suis": {}})


def report(code: str = "03549", number: int = 1, **attributes: Any) -> dict[str, Any]:
    data = {"area_code": code, "onset_on": "2025-09-01"} | attributes.pop("data", {})
    return event(number, **{"source": OWN, "time": "2025-09-02T08:00:00+07:00", "data": data} | attributes)


def update(number: int = 2, subject: str = "LC-2023-000001", **data: Any) -> dict[str, Any]:
    made = report(number=number, subject=subject, type="vn.canhdich.case.updated.v1")
    made["data"] = data
    return made


def retraction(subject: str = "LC-2023-000001") -> dict[str, Any]:
    return update(subject=subject, reason="entered_in_error") | {"type": "vn.canhdich.case.retracted.v1"}


def door_of(people: FakePeople | None = None) -> Doorstep:
    return Doorstep(people=people, knowledge=FakeKnowledge(catalogue=catalogue()))


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("person", "sent", "fault"),
    [
        (STATION, report(), None),
        (STATION, report("03562"), ("data.area_code", "other_area")),
        (STATION, report("109", data={"onset_on": "2025-01-01"}), ("data.area_code", "other_area")),
        (STATION, report("12"), ("data.area_code", "other_area")),
        (STATION, report("99999"), ("data.area_code", "unknown_area")),
        # The code is read on the event's own day; before the reform the commune was the same place.
        (STATION, report(data={"onset_on": "2025-01-01"}), None),
        (STATION, report(source="/facilities/LC-TYT-03562"), ("source", "other_facility")),
        (STATION, report(source="LC-TYT-03549"), ("source", "other_facility")),
        (
            STATION,
            report(data={"reporting_facility": "LC-TYT-03562"}),
            ("data.reporting_facility", "other_facility"),
        ),
        (STATION, report(data={"reporting_facility": "LC-TYT-03549"}), None),
        (STATION, report(data={"disease": "not_a_disease"}), None),
        (CENTRE, report("03562", source="/facilities/LC-TTYT-109"), None),
        (CENTRE, report("109", source="/facilities/LC-TTYT-109", data={"onset_on": "2025-01-01"}), None),
        (CENTRE, report("03390", source="/facilities/LC-TTYT-109"), ("data.area_code", "other_area")),
        (HOSPITAL, report("03390", source="/facilities/LC-BV-001"), None),
        (HOSPITAL, report("03390"), ("source", "other_facility")),
    ],
)
def test_a_new_case(person: Any, sent: dict[str, Any], fault: tuple[str, str] | None) -> None:
    people = FakePeople()
    headers = people.signed_in(person)
    with door_of(people) as door:
        answer = door.post(sent, **headers)
        if fault is None:
            assert answer.status_code == 202
            assert len(door.sink.records) == 1
        else:
            assert answer.status_code == 403
            assert codes(answer) == [fault]
            assert door.sink.records == []


@pytest.mark.parametrize(
    ("owned", "sent", "fault"),
    [
        (("03549@start", set()), update(outcome="recovered"), None),
        (("03549@start", set()), retraction(), None),
        (("03562@2025-07-01", set()), update(outcome="recovered"), "other_case"),
        (("03562@2025-07-01", {"LC-TYT-03549"}), update(outcome="recovered"), "other_case"),
        (("03562@2025-07-01", set()), retraction(), "other_case"),
        (("03562@2025-07-01", set()), report(), "other_case"),
        # To take somebody else's case over is to move it.
        (("03562@2025-07-01", set()), update(area_code="03549", onset_on="2025-09-01"), "other_case"),
        (("03549@start", set()), update(area_code="03562", onset_on="2025-09-01"), "other_area"),
        (("03549@start", set()), update(area_code=None), "other_area"),
        (("gone@start", set()), update(outcome="recovered"), "other_case"),
        # Nobody has said where it lies: whoever reported it may.
        ((None, {"LC-TYT-03549"}), update(outcome="recovered"), None),
        ((None, set()), update(outcome="recovered"), "other_case"),
        (None, update(outcome="recovered"), "unknown_case"),
        (None, retraction(), "unknown_case"),
        (None, update(area_code="03549", onset_on="2025-09-01"), None),
    ],
)
def test_a_case_that_is_known(owned: Any, sent: dict[str, Any], fault: str | None) -> None:
    people = FakePeople()
    if owned is not None:
        people.owned["case", "LC-2023-000001"] = owned
    headers = people.signed_in(STATION)
    with door_of(people) as door:
        answer = door.post(sent, **headers)
        assert answer.status_code == (202 if fault is None else 403)
        assert fault is None or [code for _, code in codes(answer)] == [fault]


@pytest.mark.parametrize(("facilities", "status"), [({"LC-BV-001"}, 202), ({"LC-TYT-03549"}, 403)])
def test_without_areas_ones_own_are_the_cases_that_one_has_reported(
    facilities: set[str], status: int
) -> None:
    people = FakePeople()
    people.owned["case", "LC-2023-000001"] = ("03549@start", facilities)
    headers = people.signed_in(HOSPITAL)
    with door_of(people) as door:
        sent = update(outcome="recovered") | {"source": "/facilities/LC-BV-001"}
        assert door.post(sent, **headers).status_code == status


def test_ones_own_case_goes_on_before_the_stream_has_counted_it() -> None:
    people = FakePeople()
    headers = people.signed_in(STATION)
    with door_of(people) as door:
        assert door.post([report(), update(2, outcome="in_care")], **headers).status_code == 202
        assert door.post(update(3, outcome="recovered"), **headers).status_code == 202
        other = people.signed_in(
            make_person(Role.REPORTER, "b", facility="LC-TYT-03562", area_codes=("03562",))
        )
        sent = update(4, outcome="recovered") | {"source": "/facilities/LC-TYT-03562"}
        answer = door.post(sent, **other)
        assert [code for _, code in codes(answer)] == ["other_case"]


def test_of_lines_each_stands_for_itself() -> None:
    people = FakePeople()
    headers = people.signed_in(STATION)
    body = b"\n".join(orjson.dumps(sent) for sent in (report(), report("03562", 2, subject="LC-2")))
    with door_of(people) as door:
        answer = door.post(body, "application/x-ndjson", **headers)
        assert answer.status_code == 207
        assert [line["outcome"] for line in answer.json()["lines"]] == ["accepted", "refused"]
        assert len(door.sink.records) == 1


FOCUS = {
    "type": "vn.canhdich.focus.reported.v1",
    "subject": "OD-2025-1",
    "data": {"kind": "outbreak", "disease": "dengue", "area_code": "03549", "started_on": "2025-09-01"},
}
TALLY = {
    "type": "vn.canhdich.tally.reported.v1",
    "subject": "cases|dengue|03549|2025-08-01|2025-08-31",
    "data": {
        "indicator": "cases",
        "disease": "dengue",
        "area_code": "03549",
        "period_start": "2025-08-01",
        "period_end": "2025-08-31",
        "value": 3,
        "target": None,
    },
}


@pytest.mark.parametrize("made", [FOCUS, TALLY])
@pytest.mark.parametrize(("area", "status"), [("03549", 202), ("03562", 403)])
def test_tallies_and_foci(made: dict[str, Any], area: str, status: int) -> None:
    people = FakePeople()
    headers = people.signed_in(STATION)
    sent = report() | made
    sent["subject"] = made["subject"].replace("03549", area)
    sent["data"] = made["data"] | {"area_code": area}
    with door_of(people) as door:
        assert door.post(sent, **headers).status_code == status


def test_a_focus_of_somebody_else_is_not_changed() -> None:
    people = FakePeople()
    people.owned["focus", "OD-2025-1"] = ("03562@2025-07-01", set())
    headers = people.signed_in(STATION)
    with door_of(people) as door:
        assert door.post(report() | FOCUS, **headers).status_code == 403


@pytest.mark.parametrize(
    ("role", "status"), [(Role.EPIDEMIOLOGIST, 202), (Role.DEPARTMENT, 403), (Role.ADMINISTRATOR, 403)]
)
def test_other_roles(role: Role, status: int) -> None:
    people = FakePeople()
    people.owned["case", "LC-2023-000001"] = ("03390@2025-07-01", set())
    headers = people.signed_in(make_person(role))
    with door_of(people) as door:
        sent = update(area_code="03549", onset_on="2025-09-01") | {"source": "/facilities/anybody"}
        assert door.post(sent, **headers).status_code == status


def test_when_nobody_can_say_whose_a_case_is_it_is_not_taken() -> None:
    people, knowledge = FakePeople(), FakeKnowledge()
    headers = people.signed_in(STATION)
    with Doorstep(people=people, knowledge=knowledge) as door:
        assert door.post(report(), **headers).status_code == 503
        assert door.sink.records == []


def test_what_was_sent_is_written_down() -> None:
    people = FakePeople()
    headers = people.signed_in(STATION)
    with door_of(people) as door:
        sent = report()
        door.post(sent, **headers)
        door.post(report("03562", 2), **headers)
        (action,) = people.actions()
        assert (action.username, action.action, action.target) == ("tram.pt", "events-sent", sent["id"])
        # A program of this machine is nobody.
        assert door.post(report(number=3)).status_code == 202
        assert len(people.actions()) == 1

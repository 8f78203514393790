"""POST /v1/events: what is accepted, what is refused, and what reaches Kafka."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

import schemas.topics
from tests.fakes_intake import FakeKnowledge, FakeSink, identity, small_catalogue
from tests.report_builders import focus, tally
from tests.unit.intake.door import BATCH, JSON, NOW, ONE, Doorstep, event, parsed

EXAMPLES = Path(schemas.topics.__file__).parent / "examples"
VALID = sorted(EXAMPLES.glob("*-events/*.json"))
# The door finds key and topic itself, so records that are only misplaced are fine here.
INVALID = [
    path
    for path in sorted(EXAMPLES.glob("*-events/invalid/*.json"))
    if path.stem != "key_not_the_subject" and "wrong_topic" not in path.stem
]


def outcomes(document: dict[str, Any]) -> list[str]:
    return [entry["outcome"] for entry in document["events"]]


@pytest.mark.parametrize("content_type", [ONE, JSON, "application/json; charset=utf-8", "Application/JSON"])
def test_one_event_is_in_kafka_as_it_came_when_202_is_answered(door: Doorstep, content_type: str) -> None:
    raw = orjson.dumps(event(), option=orjson.OPT_INDENT_2) + b"\n"
    response = door.post(raw, content_type)
    assert response.status_code == 202
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "accepted": 1,
        "unchanged": 0,
        "repeats": 0,
        "events": [
            {
                "index": 0,
                "subject": "LC-2023-000001",
                "id": "00000000-0000-0000-0000-000000000001",
                "outcome": "accepted",
                "warnings": [],
            }
        ],
    }
    (record,) = door.sink.records
    assert (record.topic, record.key, record.value) == ("case-events", b"LC-2023-000001", raw)


@pytest.mark.parametrize("content_type", [BATCH, JSON])
def test_a_list_is_sent_in_its_order_each_member_as_it_came(door: Doorstep, content_type: str) -> None:
    members = [orjson.dumps(event(n), option=orjson.OPT_INDENT_2) for n in (3, 1, 2)]
    response = door.post(b" [ " + b" ,\n".join(members) + b" ] ", content_type)
    assert response.status_code == 202
    assert response.json()["accepted"] == 3
    assert [record.value for record in door.sink.records] == members


def test_an_empty_list_is_accepted_and_nothing_is_sent(door: Doorstep) -> None:
    response = door.post(b"[ ]", BATCH)
    assert (response.status_code, response.json()["events"], door.sink.records) == (202, [], [])


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_every_published_example_goes_to_its_topic_under_its_key(door: Doorstep, path: Path) -> None:
    example = orjson.loads(path.read_bytes())
    assert door.post(example["value"]).status_code == 202
    (record,) = door.sink.records
    assert (record.topic, record.key.decode()) == (path.parent.name, example["key"])


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_every_published_counterexample_is_refused_with_its_faults(door: Doorstep, path: Path) -> None:
    example = orjson.loads(path.read_bytes())
    response = door.post(example["record"]["value"])
    assert response.status_code == 422
    found = {(error["field"], error["code"]) for error in response.json()["errors"]}
    assert {(fault["field"], fault["code"]) for fault in example["faults"]} <= found
    assert door.sink.records == []


def test_an_invalid_event_is_answered_with_every_fault_in_both_languages(door: Doorstep) -> None:
    broken = event(subject="LC 1", data={"onset_on": "01/07/2023", "area_code": "9"})
    response = door.post(broken)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "/docs#invalid"
    assert (problem["status"], problem["title"]) == (422, "An event is invalid")
    assert problem["detail"] == problem["message_en"]
    assert problem["message_vi"].startswith("Có sự kiện chưa đúng")
    assert {error["field"] for error in problem["errors"]} == {"subject", "data.onset_on", "data.area_code"}
    for error in problem["errors"]:
        assert set(error) == {"index", "field", "code", "message_vi", "message_en"}
        assert error["index"] == 0
        assert error["message_vi"] != error["message_en"]


def test_nothing_of_a_list_is_sent_when_one_event_is_invalid(door: Doorstep) -> None:
    response = door.post([event(1), event(2, data={"sex": "nam"}), event(3), 5, event(4, time="yesterday")])
    assert response.status_code == 422
    assert [(e["index"], e["field"], e["code"]) for e in response.json()["errors"]] == [
        (1, "data.sex", "not_allowed"),
        (3, "", "not_object"),
        (4, "time", "bad_format"),
    ]
    assert door.sink.records == []


def test_no_answer_repeats_an_unknown_field_or_an_identifier(door: Doorstep) -> None:
    secret = event(
        subject="0912345678", data={"ho_ten": "Lò Văn Pâng", "hamlet": "Tẩn Seo Chẻo", "severity": "a@b.vn"}
    )
    secret["Giàng A Súa"] = 1
    text = door.post(secret).text
    for value in ("0912345678", "Pâng", "Chẻo", "a@b.vn", "Giàng"):
        assert value not in text


@pytest.mark.parametrize(
    ("ahead", "status"), [(timedelta(minutes=5), 202), (timedelta(minutes=5, seconds=1), 422)]
)
def test_the_clock_may_be_five_minutes_fast_and_no_more(
    door: Doorstep, ahead: timedelta, status: int
) -> None:
    response = door.post(event(time=(NOW + ahead).isoformat()))
    assert response.status_code == status
    if status == 422:
        (error,) = response.json()["errors"]
        assert (error["field"], error["code"]) == ("time", "in_future")
        assert "clock" in error["message_en"]
        assert "đồng hồ" in error["message_vi"]


class TestWhatIsKnown:
    def test_a_journaled_event_is_unchanged_and_not_sent_again(self) -> None:
        knowledge = FakeKnowledge(
            {identity("LC-2023-000001", str(parsed(event()).id)): parsed(event()).content_hash}
        )
        with Doorstep(knowledge=knowledge) as door:
            # The same content in another spelling.
            response = door.post(event(time="2023-07-04T01:12:00Z", datacontenttype="application/json"))
            assert response.status_code == 202
            assert (response.json()["unchanged"], outcomes(response.json())) == (1, ["unchanged"])
            assert door.sink.records == []

    def test_a_list_sends_only_what_is_new_and_each_event_once(self) -> None:
        knowledge = FakeKnowledge({("LC-2023-000002", parsed(event(2)).id): parsed(event(2)).content_hash})
        with Doorstep(knowledge=knowledge) as door:
            response = door.post([event(1), event(2), event(1), event(2), event(3)])
            assert outcomes(response.json()) == ["accepted", "unchanged", "repeat", "repeat", "accepted"]
            assert [response.json()[key] for key in ("accepted", "unchanged", "repeats")] == [2, 1, 2]
            assert [record.key for record in door.sink.records] == [b"LC-2023-000001", b"LC-2023-000003"]

    def test_one_id_may_stand_for_two_subjects(self, door: Doorstep) -> None:
        response = door.post([event(1), event(1, subject="LC-2023-000009")])
        assert outcomes(response.json()) == ["accepted", "accepted"]

    def test_journaled_with_other_content_is_a_conflict_and_nothing_is_sent(self) -> None:
        knowledge = FakeKnowledge({("LC-2023-000002", parsed(event(2)).id): b"\0" * 32})
        with Doorstep(knowledge=knowledge) as door:
            response = door.post([event(1), event(2)])
            assert response.status_code == 409
            assert response.json()["type"] == "/docs#conflict"
            (error,) = response.json()["errors"]
            assert (error["index"], error["field"], error["code"]) == (1, "id", "identity_conflict")
            assert door.sink.records == []

    def test_two_contents_under_one_identity_in_one_list_are_a_conflict(self, door: Doorstep) -> None:
        response = door.post([event(1), event(1, data={"sex": "male"})])
        assert response.status_code == 409
        assert [error["index"] for error in response.json()["errors"]] == [1]
        assert door.sink.records == []

    def test_what_was_just_acknowledged_is_known_before_the_stream_has_journaled_it(
        self, door: Doorstep
    ) -> None:
        door.knowledge.is_down = True
        assert door.post(event()).status_code == 202
        assert door.post(event(data={"sex": "male"})).status_code == 409
        # Kafka has it, but only the journal proves that it will be counted: the same again is sent again.
        assert outcomes(door.post(event()).json()) == ["accepted"]
        assert len(door.sink.records) == 2

    def test_what_was_not_acknowledged_is_not_remembered(self, door: Doorstep) -> None:
        door.sink.is_down = True
        assert door.post(event()).status_code == 503
        door.sink.is_down = False
        assert door.post(event(data={"sex": "male"})).status_code == 202

    def test_without_the_database_events_are_accepted_all_the_same(self) -> None:
        knowledge = FakeKnowledge({("LC-2023-000001", parsed(event()).id): b"\0" * 32})
        knowledge.is_down = True
        with Doorstep(knowledge=knowledge) as door:
            assert outcomes(door.post(event(data={"disease": "not_a_disease"})).json()) == ["accepted"]
            assert door.metric("canhdich_intake_without_database_total", question="identities") == 1
            assert door.metric("canhdich_intake_without_database_total", question="catalogue") == 1
            # Asked once, then left alone for a while: senders do not wait for a dead database.
            asked = knowledge.questions
            assert door.post(event(2)).status_code == 202
            assert knowledge.questions <= asked + 1


class TestWarnings:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            ({}, []),
            ({"disease": "zika"}, [("data.disease", "unknown_disease")]),
            ({"area_code": "999"}, [("data.area_code", "unknown_area")]),
            ({"area_on": "2025-07-01"}, [("data.area_code", "unknown_area")]),
        ],
    )
    def test_an_unknown_code_is_accepted_with_a_warning(
        self, door: Doorstep, data: dict[str, Any], expected: list[tuple[str, str]]
    ) -> None:
        response = door.post(event(data=data))
        assert response.status_code == 202
        warnings = response.json()["events"][0]["warnings"]
        assert [(warning["field"], warning["code"]) for warning in warnings] == expected
        assert len(door.sink.records) == 1

    def test_a_tally_of_an_unknown_disease_warns_too(self, door: Doorstep) -> None:
        sent = orjson.loads((EXAMPLES / "tally-events" / "flow.json").read_bytes())["value"]
        assert sent["data"]["disease"] not in small_catalogue().resolves_to
        warnings = door.post(sent).json()["events"][0]["warnings"]
        assert [warning["code"] for warning in warnings] == ["unknown_disease"]

    @pytest.mark.parametrize(("area", "expected"), [("12", []), ("99", ["unknown_area"])])
    def test_a_tally_of_an_unknown_area_warns_too(
        self, door: Doorstep, area: str, expected: list[str]
    ) -> None:
        sent = orjson.loads(tally(area=area))
        answer = door.post(sent)
        assert [warning["code"] for warning in answer.json()["events"][0]["warnings"]] == expected
        ((topic, key),) = [(record.topic, record.key) for record in door.sink.records]
        assert (topic, key) == ("tally-events", sent["subject"].encode())

    def test_a_focus_goes_to_the_topic_of_foci(self, door: Doorstep) -> None:
        answer = door.post(orjson.loads(focus(area_code="12")))
        assert answer.json()["events"][0]["warnings"] == []
        assert [record.topic for record in door.sink.records] == ["focus-events"]

    def test_a_retraction_names_no_code(self, door: Doorstep) -> None:
        sent = event(type="vn.canhdich.case.retracted.v1") | {"data": {"reason": "entered_in_error"}}
        assert door.post(sent).json()["events"][0]["warnings"] == []


class TestKafkaFails:
    @pytest.mark.parametrize("fault", ["is_down", "hangs"])
    def test_503_says_when_to_repeat_and_what_is_unconfirmed(self, fault: str) -> None:
        sink = FakeSink()
        setattr(sink, fault, True)
        with Doorstep(sink, send_seconds=0.05) as door:
            response = door.post([event(1), event(2)])
            assert response.status_code == 503
            assert response.headers["retry-after"] == "10"
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert problem["type"] == "/docs#kafka-down"
            assert outcomes(problem) == ["unconfirmed", "unconfirmed"]
            assert [error["code"] for error in problem["errors"]] == ["kafka_down"]
            assert "never counted twice" in problem["detail"]
            assert sink.records == []

    def test_a_part_that_kafka_has_is_named(self) -> None:
        sink = FakeSink()
        sink.refused_keys = {b"LC-2023-000002"}
        knowledge = FakeKnowledge({("LC-2023-000004", parsed(event(4)).id): parsed(event(4)).content_hash})
        with Doorstep(sink, knowledge) as door:
            response = door.post([event(1), event(2), event(3), event(1), event(2), event(4)])
            assert response.status_code == 503
            assert outcomes(response.json()) == [
                "accepted",
                "unconfirmed",
                "accepted",
                "repeat",
                "unconfirmed",
                "unchanged",
            ]
            sink.refused_keys = set()
            assert door.post([event(1), event(2), event(3)]).status_code == 202
            assert {record.key for record in sink.records} == {
                b"LC-2023-000001",
                b"LC-2023-000002",
                b"LC-2023-000003",
            }

    def test_a_fault_of_our_own_is_500_and_says_nothing_of_the_event(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class BrokenSink(FakeSink):
            async def send(self, records: Any, timeout_seconds: float) -> list[bool]:
                raise RuntimeError(f"cannot send {records[0].key}")

        with Doorstep(BrokenSink()) as door:
            response = door.post(event())
            assert response.status_code == 500
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["type"] == "/docs#internal"
            assert "LC-2023" not in response.text
        logged = capsys.readouterr().out
        assert "RuntimeError" in logged
        assert "LC-2023" not in logged

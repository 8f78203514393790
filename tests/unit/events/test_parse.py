"""parse_event: what it accepts, what it refuses and how it says so; content hash, building, redaction."""

import json
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.asyncapi import message_schemas
from schemas.events import (
    CASE_REPORTED,
    CASE_TYPES,
    CASE_UPDATED,
    DOOR_MAX_AHEAD,
    EVENT_TYPES,
    MAX_BYTES,
    STREAM_MAX_AHEAD,
    TALLY_REPORTED,
    Event,
    InvalidEvent,
    Problem,
    build_event,
    parse_event,
    redact,
    redact_key,
    to_json,
)
from schemas.events.fields import ATTRIBUTES, FIELDS
from schemas.events.messages import CODES, IDENTIFIERS, PYDANTIC_CODES, make_problem
from schemas.events.parse import EVENT_MODELS
from tests.strategies import NOW, case_events, to_document

REPORTED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11",
    "source": "/facilities/LC-TYT-03190",
    "type": CASE_REPORTED,
    "subject": "LC-2023-000123",
    "time": "2023-07-04T08:12:00+07:00",
    "datacontenttype": "application/json",
    "data": {
        "disease": "streptococcus_suis",
        "area_code": "109",
        "onset_on": "2023-07-01",
        "reported_on": "2023-07-04",
        "classification": "suspected",
        "lab": {"streptococcus_suis": "pending"},
        "sex": "male",
        "age_years": 34,
    },
}


def parse(document: Any, now: datetime = NOW, **options: Any) -> Event:
    raw = document if isinstance(document, bytes | str) else json.dumps(document)
    return parse_event(raw, now=now, max_ahead=options.pop("max_ahead", DOOR_MAX_AHEAD), **options)


def faults(document: Any, **options: Any) -> set[tuple[str, str]]:
    with pytest.raises(InvalidEvent) as caught:
        parse(document, **options)
    for problem in caught.value.problems:
        assert problem.message_vi.endswith(".")
        assert problem.message_en.endswith(".")
        assert "{" not in problem.message_vi.replace('{"', "")
    return {(problem.field, problem.code) for problem in caught.value.problems}


def reported(**data: Any) -> dict[str, Any]:
    document = deepcopy(REPORTED)
    document["data"].update(data)
    return document


def updated(**data: Any) -> dict[str, Any]:
    return {**REPORTED, "type": CASE_UPDATED, "data": data}


def envelope(**attributes: Any) -> dict[str, Any]:
    return {**REPORTED, **attributes}


class TestTheExampleOfTheContract:
    def test_has_typed_values(self) -> None:
        event = parse(REPORTED)
        assert event.id == UUID("0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11")
        assert event.time == datetime(2023, 7, 4, 1, 12, tzinfo=UTC)
        assert event.time.tzinfo is UTC
        assert event.data == {
            "disease": "streptococcus_suis",
            "area_code": "109",
            "onset_on": date(2023, 7, 1),
            "reported_on": date(2023, 7, 4),
            "classification": "suspected",
            "lab": {"streptococcus_suis": "pending"},
            "sex": "male",
            "age_years": 34.0,
        }
        assert isinstance(event.data["age_years"], float)

    def test_keeps_its_content_hash_for_ever(self) -> None:
        # Hashes are stored: another one for the same content would make every repeat a conflict.
        event = parse(REPORTED)
        assert event.content_hash.hex() == "876895280ca7e237107ae480ba7f30628b2a299ae8d611fdcc9370026fcc8a5e"

    def test_may_leave_the_content_type_out(self) -> None:
        without = {name: value for name, value in REPORTED.items() if name != "datacontenttype"}
        assert parse(without) == parse(REPORTED)

    def test_is_read_from_text_as_from_bytes(self) -> None:
        assert parse(json.dumps(REPORTED)) == parse(json.dumps(REPORTED).encode())


class TestAbsentNullAndPresentDiffer:
    def test_in_the_data(self) -> None:
        assert "hamlet" not in parse(REPORTED).data
        assert parse(reported(hamlet=None)).data["hamlet"] is None

    def test_in_the_hash(self) -> None:
        documents = (REPORTED, reported(hamlet=None), reported(hamlet="x"))
        assert len({parse(document).content_hash for document in documents}) == 3

    def test_every_field_of_an_update_may_be_null(self) -> None:
        data = dict.fromkeys(message_schemas()["CaseUpdatedV1"]["properties"]["data"]["properties"])
        assert len(data) == 31
        assert parse(updated(**data)).data == data

    def test_only_optional_fields_of_a_report_may_be_null(self) -> None:
        assert faults(reported(disease=None, area_code=None, sex=None)) == {
            ("data.disease", "not_null"),
            ("data.area_code", "not_null"),
        }

    def test_an_agents_result_may_be_null(self) -> None:
        assert parse(updated(lab={"dengue": None})).data == {"lab": {"dengue": None}}

    def test_an_update_of_nothing_is_refused(self) -> None:
        assert faults(updated()) == {("data", "empty")}

    def test_an_update_of_an_unknown_field_only_is_not_called_empty(self) -> None:
        assert faults(updated(ho_ten="x")) == {("data.ho_ten", "unknown_field")}


class TestTime:
    @pytest.mark.parametrize(
        "text",
        [
            "2023-07-04T01:12:00Z",
            "2023-07-04t01:12:00z",
            "2023-07-04T01:12:00.000000+00:00",
            "2023-07-03T13:12:00-12:00",
            "2023-07-04T01:12:00-00:00",
            "2023-07-04T01:12:00.0000009Z",
        ],
    )
    def test_one_instant_has_one_content(self, text: str) -> None:
        assert parse(envelope(time=text)) == parse(REPORTED)

    @pytest.mark.parametrize(
        "text",
        [
            "2023-07-04",
            "2023-07-04T01:12:00",
            "2023-07-04 01:12:00Z",
            "2023-07-04T01:12Z",
            "2023-02-30T00:00:00Z",
            "2023-07-04T25:12:00Z",
            "2023-07-04T01:12:60Z",
            "2023-07-04T01:12:00+7",
            "2023-07-04T01:12:00+07",
            "1688433120",
            "20230704T011200Z",
            "0000-01-01T00:00:00Z",
            "2023-07-04T01:12:00Z\n",
            "",
            "９023-07-04T01:12:00Z",
        ],
    )
    def test_any_other_form_is_refused(self, text: str) -> None:
        assert faults(envelope(time=text)) == {("time", "bad_format")}

    def test_a_number_is_no_time(self) -> None:
        assert faults(envelope(time=1688433120)) == {("time", "wrong_type")}

    @pytest.mark.parametrize("max_ahead", [DOOR_MAX_AHEAD, STREAM_MAX_AHEAD])
    def test_may_be_ahead_by_so_much_and_no_more(self, max_ahead: timedelta) -> None:
        latest = NOW + max_ahead
        assert parse(envelope(time=latest.isoformat()), max_ahead=max_ahead).time == latest
        later = (latest + timedelta(microseconds=1)).isoformat()
        assert faults(envelope(time=later), max_ahead=max_ahead) == {("time", "in_future")}

    def test_begins_in_1990(self) -> None:
        assert parse(envelope(time="1990-01-01T00:00:00+07:00"))
        assert faults(envelope(time="1989-12-31T23:59:59+07:00")) == {("time", "too_early")}

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
    def test_beyond_the_calendar_is_refused(self, text: str) -> None:
        assert faults(envelope(time=text)) == {("time", "bad_format")}


class TestDates:
    def test_today_is_the_day_in_viet_nam(self) -> None:
        late = datetime(2023, 7, 4, 17, 30, tzinfo=UTC)
        assert parse(updated(onset_on="2023-07-05") | {"time": "2023-07-04T17:00:00Z"}, now=late)
        early = datetime(2023, 7, 4, 16, 30, tzinfo=UTC)
        assert faults(updated(onset_on="2023-07-05") | {"time": "2023-07-04T16:00:00Z"}, now=early) == {
            ("data.onset_on", "in_future")
        }

    def test_an_instant_in_the_data_may_be_ahead_as_time_may(self) -> None:
        latest = NOW + DOOR_MAX_AHEAD
        assert parse(updated(died_at=latest.isoformat())).data["died_at"] == latest
        later = latest + timedelta(seconds=1)
        assert faults(updated(died_at=later.isoformat())) == {("data.died_at", "in_future")}

    def test_a_day_stays_a_day_and_an_instant_becomes_utc(self) -> None:
        assert parse(updated(died_at="2023-07-08")).data["died_at"] == date(2023, 7, 8)
        assert type(parse(updated(died_at="2023-07-08")).data["died_at"]) is date
        instant = parse(updated(died_at="2023-07-08T03:20:00+07:00")).data["died_at"]
        assert instant == datetime(2023, 7, 7, 20, 20, tzinfo=UTC)
        assert instant.tzinfo is UTC

    @pytest.mark.parametrize(
        "text",
        [
            "04/07/2023",
            "2023-7-4",
            "20230704",
            "2023-W27-2",
            "2023-02-29",
            "2023-07-04T00:00:00Z",
            "",
            "2023-07-04 ",
            "٢٠٢٣-07-04",
            "0000-00-00",
        ],
    )
    def test_any_other_form_is_refused(self, text: str) -> None:
        assert faults(updated(onset_on=text)) == {("data.onset_on", "bad_format")}

    def test_a_serial_number_is_no_date(self) -> None:
        assert faults(updated(onset_on=45111)) == {("data.onset_on", "wrong_type")}

    def test_days_begin_in_1990(self) -> None:
        assert parse(updated(onset_on="1990-01-01", diagnosed_at="1990-01-01"))
        assert faults(
            updated(onset_on="1989-12-31", died_at="1989-12-31T00:00:00Z", diagnosed_at="1989-12-31")
        ) == {
            ("data.onset_on", "too_early"),
            ("data.died_at", "too_early"),
            ("data.diagnosed_at", "too_early"),
        }

    def test_a_death_is_compared_by_its_day_in_viet_nam(self) -> None:
        # 18:00 UTC on the 30th is the 1st at 01:00 in Viet Nam.
        assert parse(updated(onset_on="2023-07-01", died_at="2023-06-30T18:00:00Z"))
        assert faults(updated(onset_on="2023-07-01", died_at="2023-06-30T16:00:00Z")) == {
            ("data.died_at", "impossible_order")
        }

    def test_what_is_odd_but_possible_is_accepted(self) -> None:
        # A carrier sampled and reported before symptoms; dead on arrival; a sample taken after death.
        assert parse(updated(onset_on="2023-07-05", sampled_on="2023-07-01", reported_on="2023-07-02"))
        assert parse(updated(admitted_on="2023-07-05", died_at="2023-07-04", sampled_on="2023-07-06"))
        assert parse(updated(outcome="recovered", died_at="2023-07-04"))

    def test_discharge_before_admission_is_refused(self) -> None:
        assert faults(updated(admitted_on="2023-07-05", discharged_on="2023-07-04")) == {
            ("data.discharged_on", "impossible_order")
        }


class TestStrictTypes:
    @pytest.mark.parametrize(
        ("data", "field", "code"),
        [
            ({"age_years": "34"}, "age_years", "wrong_type"),
            ({"age_years": True}, "age_years", "wrong_type"),
            ({"age_years": -1}, "age_years", "out_of_range"),
            ({"age_years": 130.5}, "age_years", "out_of_range"),
            ({"doses": 1.5}, "doses", "out_of_range"),
            ({"doses": 21}, "doses", "out_of_range"),
            ({"doses": "2"}, "doses", "wrong_type"),
            ({"hospitalised": 1}, "hospitalised", "wrong_type"),
            ({"hospitalised": "true"}, "hospitalised", "wrong_type"),
            ({"sex": "nam"}, "sex", "not_allowed"),
            ({"sex": 1}, "sex", "not_allowed"),
            ({"sex": "Male"}, "sex", "not_allowed"),
            ({"disease": "Dengue"}, "disease", "bad_format"),
            ({"disease": ""}, "disease", "bad_format"),
            ({"disease": "d" * 65}, "disease", "bad_format"),
            ({"area_code": 3412}, "area_code", "wrong_type"),
            ({"area_code": "3412"}, "area_code", "bad_format"),
            ({"area_code": "034120"}, "area_code", "bad_format"),
            ({"area_code": "٠٣٤١٢"}, "area_code", "bad_format"),
            ({"lab": []}, "lab", "wrong_type"),
            ({"lab": {"Dengue": "positive"}}, "lab.Dengue", "bad_format"),
            ({"lab": {"dengue": "POSITIVE"}}, "lab.dengue", "not_allowed"),
            ({"lab": {f"agent_{n}": "pending" for n in range(21)}}, "lab", "too_long"),
            ({"external_ids": {f"system_{n}": "1" for n in range(11)}}, "external_ids", "too_long"),
            ({"external_ids": {"ecds": 12}}, "external_ids.ecds", "wrong_type"),
            ({"external_ids": {"ecds": None}}, "external_ids.ecds", "not_null"),
            ({"external_ids": {"ecds": "x" * 65}}, "external_ids.ecds", "too_long"),
            ({"reporting_facility": "Trạm y tế"}, "reporting_facility", "bad_format"),
            ({"hamlet": 5}, "hamlet", "wrong_type"),
            ({"hamlet": ["x"]}, "hamlet", "wrong_type"),
        ],
    )
    def test_a_value_of_another_type_or_range_is_refused(
        self, data: dict[str, Any], field: str, code: str
    ) -> None:
        assert faults(reported(**data)) == {(f"data.{field}", code)}

    @pytest.mark.parametrize("number", ["2", "2.0", "2e0", "0.2e1"])
    def test_one_number_has_one_content(self, number: str) -> None:
        raw = json.dumps(updated(doses="#", age_years="#")).replace('"#"', number)
        event = parse(raw)
        assert event.data == {"doses": 2, "age_years": 2.0}
        assert type(event.data["doses"]) is int
        assert type(event.data["age_years"]) is float
        assert event == parse(updated(doses=2, age_years=2))

    def test_minus_zero_is_zero(self) -> None:
        assert parse(updated(age_years=-0.0)) == parse(updated(age_years=0))

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 400, "-1e400"])
    def test_a_number_beyond_numbers_is_refused(self, number: str) -> None:
        found = faults(json.dumps(updated(age_years="#")).replace('"#"', number))
        assert found in ({("data.age_years", "out_of_range")}, {("", "not_json")})

    def test_a_number_of_a_thousand_digits_is_refused(self) -> None:
        assert faults(json.dumps(updated(age_years="#")).replace('"#"', "9" * 60_000))

    def test_id_in_upper_case_is_the_same_id(self) -> None:
        assert parse(envelope(id=REPORTED["id"].upper())) == parse(REPORTED)

    @pytest.mark.parametrize(
        "text",
        [
            "0190b1f66e2a7c3e9a583f6f1c1f7d11",
            "{0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11}",
            "urn:uuid:0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11",
            "1",
            "",
        ],
    )
    def test_any_other_form_of_id_is_refused(self, text: str) -> None:
        assert faults(envelope(id=text)) == {("id", "bad_format")}

    @pytest.mark.parametrize("text", ["", "x" * 201, "a b", "/trạm", "<x>", "%zz", "a\u0000b", "a\nb"])
    def test_a_source_that_is_no_uri_reference_is_refused(self, text: str) -> None:
        assert {field for field, _ in faults(envelope(source=text))} == {"source"}

    @pytest.mark.parametrize("text", ["", "x" * 65, "a b", "ca/bệnh", "a|b", "a\u0000"])
    def test_a_subject_outside_its_alphabet_is_refused(self, text: str) -> None:
        assert faults(envelope(subject=text)) == {("subject", "bad_format")}

    def test_area_on_needs_area_code(self) -> None:
        assert parse(updated(area_on="2023-07-01", area_code="03412"))
        assert parse(updated(area_on=None, area_code="03412"))
        assert parse(updated(area_on=None, area_code=None))
        for data in (
            {"area_on": "2023-07-01"},
            {"area_on": None},
            {"area_on": "2023-07-01", "area_code": None},
        ):
            assert faults(updated(**data)) == {("data.area_on", "needs_area_code")}


class TestText:
    def test_is_brought_to_nfc_before_it_is_measured(self) -> None:
        decomposed = "ba\u0309n Na\u0300 Hum"
        assert parse(updated(hamlet=decomposed)) == parse(updated(hamlet="bản Nà Hum"))
        assert parse(updated(hamlet="a\u0302\u0301" * 80)).data["hamlet"] == "ấ" * 80

    def test_has_plain_spaces_and_none_around(self) -> None:
        assert parse(updated(hamlet="\u00a0Tổ\u00a05\u3000")).data["hamlet"] == "Tổ 5"

    @pytest.mark.parametrize(
        "letter",
        [
            "\u0000",
            "\u0001",
            "\t",
            "\n",
            "\r",
            "\u007f",
            "\u0085",
            "\u00ad",
            "\u200b",
            "\u200e",
            "\u202e",
            "\u2028",
            "\u2029",
            "\u2066",
            "\ufeff",
            "\ue000",
            "\uffff",
        ],
    )
    def test_with_hidden_characters_is_refused(self, letter: str) -> None:
        for field in ("hamlet", "severity", "cluster", "death_agent"):
            assert faults(updated(**{field: f"Tổ{letter}5"})) == {(f"data.{field}", "invisible")}

    @pytest.mark.parametrize("escape", ["\\ud800", "\\udc00", "\\ud800\\u0041"])
    def test_with_half_a_surrogate_pair_is_refused(self, escape: str) -> None:
        assert faults(json.dumps(updated(hamlet="#")).replace("#", escape)) == {("", "not_json")}

    def test_half_a_surrogate_pair_in_the_record_itself_is_refused(self) -> None:
        assert faults('{"a": "\ud800"}') == {("", "not_json")}

    @pytest.mark.parametrize(("field", "longest"), [("hamlet", 80), ("severity", 40), ("cluster", 64)])
    def test_has_a_length(self, field: str, longest: int) -> None:
        assert parse(updated(**{field: "ế" * longest}))
        assert faults(updated(**{field: "ế" * (longest + 1)})) == {(f"data.{field}", "too_long")}
        assert faults(updated(**{field: " "})) == {(f"data.{field}", "blank")}


class TestIdentifiersAreRefusedAnywhere:
    PHONE = "0912345678"

    @pytest.mark.parametrize(
        "field",
        [
            "disease",
            "hamlet",
            "severity",
            "cluster",
            "death_agent",
            "occupation",
            "institution_code",
            "reporting_facility",
            "treating_facility",
        ],
    )
    def test_in_the_data(self, field: str) -> None:
        assert faults(reported(**{field: self.PHONE})) == {(f"data.{field}", "identifier")}

    def test_in_the_envelope(self) -> None:
        assert faults(envelope(subject=self.PHONE)) == {("subject", "identifier")}
        assert faults(envelope(subject="Nguyen.Van.A")) == {("subject", "identifier")}
        assert faults(envelope(source="/reporters/" + self.PHONE)) == {("source", "identifier")}
        assert faults(envelope(source="/reporters/%30912345678")) == {("source", "identifier")}
        assert faults(envelope(source="/reporters/Nguyen-Van-A")) == {("source", "identifier")}
        assert faults(envelope(source="mailto:a@b.vn")) == {("source", "identifier")}

    def test_in_keys_and_values_of_objects(self) -> None:
        assert faults(reported(lab={self.PHONE: "pending"})) == {("data.lab", "identifier")}
        assert faults(reported(external_ids={"ecds": self.PHONE})) == {
            ("data.external_ids.ecds", "identifier")
        }
        assert faults(reported(external_ids={self.PHONE: "1"})) == {("data.external_ids.?", "identifier")}

    def test_in_a_retraction(self) -> None:
        data = {"reason": "duplicate", "duplicate_of": self.PHONE}
        document = envelope(type="vn.canhdich.case.retracted.v1", data=data)
        assert faults(document) == {("data.duplicate_of", "identifier")}

    def test_messages_do_not_repeat_them(self) -> None:
        document = reported(hamlet="Lò Văn Pâng", cluster=self.PHONE, ho_ten="Lò Văn Pâng", sex="Lò Văn Pâng")
        document["data"]["lab"] = {"Lò Văn Pâng": "positive", "dengue": self.PHONE}
        document |= {self.PHONE: 1, "id": self.PHONE, "time": self.PHONE, "type": CASE_REPORTED}
        with pytest.raises(InvalidEvent) as caught:
            parse(document)
        said = f"{caught.value!r} {caught.value} {caught.value.problems}"
        assert "Lò" not in said
        assert self.PHONE not in said
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


class TestAllProblemsAreReported:
    def test_of_shape_and_of_meaning_at_once(self) -> None:
        document = reported(sex="nam", age_years="34", onset_on="2033-07-01", hamlet="0912345678", ho_ten="x")
        document |= {"time": "1970-01-01T00:00:00Z", "id": "7", "subject": "a b"}
        assert faults(document) == {
            ("data.sex", "not_allowed"),
            ("data.age_years", "wrong_type"),
            ("data.onset_on", "in_future"),
            ("data.hamlet", "identifier"),
            ("data.ho_ten", "unknown_field"),
            ("time", "too_early"),
            ("id", "bad_format"),
            ("subject", "bad_format"),
        }

    def test_even_where_the_type_is_unknown(self) -> None:
        assert faults(envelope(type="x", id="7", time="1970-01-01T00:00:00Z", foo=1)) == {
            ("type", "unknown_type"),
            ("id", "bad_format"),
            ("time", "too_early"),
            ("foo", "unknown_field"),
        }

    def test_of_an_empty_object(self) -> None:
        assert {
            (name, "missing") for name in ("type", "specversion", "id", "source", "subject", "time", "data")
        } == (faults({}))

    def test_each_names_the_field_as_staff_call_it(self) -> None:
        with pytest.raises(InvalidEvent) as caught:
            parse(reported(age_years="34", classification="nghi ngờ"))
        classification, age = caught.value.problems
        assert classification.message_vi == (
            "Phân loại chẩn đoán: giá trị không có trong danh sách. Phải là một trong: suspected (nghi ngờ), "
            "probable (có thể), confirmed (xác định), discarded (loại trừ)."
        )
        assert age.message_en == (
            "Age in years has the wrong type. "
            "It must be a number from 0 to 130, not in quotes (an infant: such as 0.5)."
        )


class TestTheRecordAsAWhole:
    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"{",
            b"\xff",
            b"\xef\xbb\xbf{}",
            b'{"a":1} x',
            json.dumps(REPORTED).encode("utf-16"),
            b"[" * 60_000,
            b'{"subject":"\xff"}',
            b'{"a":' * 10_000,
            b"nope",
            b'{"a":1,}',
        ],
    )
    def test_that_is_no_json_is_refused(self, raw: bytes) -> None:
        assert faults(raw) == {("", "not_json")}
        assert json.loads(redact(raw)) == {"redacted": True, "bytes": len(raw)}

    @pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"x"', b"true"])
    def test_that_is_no_object_is_refused(self, raw: bytes) -> None:
        assert faults(raw) == {("", "not_object")}
        assert json.loads(redact(raw)) == {"redacted": True, "bytes": len(raw)}

    def test_may_be_64_kb_and_no_more(self) -> None:
        raw = json.dumps(REPORTED)
        assert parse(raw + " " * (MAX_BYTES - len(raw)))
        assert faults(raw + " " * (MAX_BYTES - len(raw) + 1)) == {("", "too_large")}

    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [
            ('"sex": "male"', '"sex": "male", "sex": "female"', "data.sex"),
            ('"sex": "male"', '"sex": "male", "s\\u0065x": null', "data.sex"),
            ('"sex": "male"', '"sex" : "male", "sex"\n: "male"', "data.sex"),
            ('"subject"', '"subject": "LC-1", "subject"', "subject"),
            ('"streptococcus_suis": "pending"', '"dengue": null, "dengue": null', "data.dengue"),
            ('"streptococcus_suis": "pending"', '"dengue": "pending", "dengue": "positive"', "data.dengue"),
        ],
    )
    def test_with_a_key_twice_is_refused(self, old: str, new: str, field: str) -> None:
        raw = json.dumps(REPORTED).replace(old, new)
        assert raw != json.dumps(REPORTED)
        assert faults(raw) == {(field, "duplicate_key")}

    def test_with_a_key_twice_and_another_fault_has_both(self) -> None:
        raw = json.dumps(reported(age_years="34")).replace('"sex": "male"', '"sex": "male", "sex": "female"')
        assert faults(raw) == {("data.sex", "duplicate_key"), ("data.age_years", "wrong_type")}

    def test_with_quotes_in_its_text_is_accepted(self) -> None:
        assert parse(updated(hamlet='bản "Nà": Hum\\')).data["hamlet"] == 'bản "Nà": Hum\\'

    def test_of_a_type_that_does_not_belong_here_is_refused(self) -> None:
        assert parse(REPORTED, types=CASE_TYPES)
        assert faults(REPORTED, types=frozenset({TALLY_REPORTED})) == {("type", "unexpected_type")}


class TestBuild:
    PARTS: ClassVar[dict[str, Any]] = {
        "subject": "LC-2023-000123",
        "type": CASE_REPORTED,
        "data": {"disease": "dengue", "area_code": "03412", "onset_on": date(2023, 7, 1), "age_years": 34},
        "time": datetime(2023, 7, 4, 8, 12, tzinfo=timezone(timedelta(hours=7))),
        "source": "/facilities/LC-TYT-03190",
        "id": UUID("0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11"),
    }

    def test_gives_canonical_json_whose_hash_is_the_content_hash(self) -> None:
        raw = build_event(**self.PARTS)
        event = parse(raw)
        assert raw == to_json(event)
        assert event.content_hash == blake2b(raw, digest_size=32).digest()
        assert raw == (
            b'{"data":{"age_years":34.0,"area_code":"03412","disease":"dengue","onset_on":"2023-07-01"},'
            b'"datacontenttype":"application/json","id":"0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11",'
            b'"source":"/facilities/LC-TYT-03190","specversion":"1.0","subject":"LC-2023-000123",'
            b'"time":"2023-07-04T01:12:00+00:00","type":"vn.canhdich.case.reported.v1"}'
        )

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"data": {"disease": "dengue"}}, "data.area_code"),
            ({"time": datetime(2023, 7, 4)}, "time"),  # noqa: DTZ001  (naive on purpose)
            ({"time": datetime(9000, 1, 1, tzinfo=UTC)}, "time"),
            ({"data": {"disease": object(), "area_code": "12"}}, ""),
            ({"data": {"disease": "\ud800", "area_code": "12"}}, ""),
        ],
    )
    def test_refuses_what_parsing_would_refuse(self, change: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidEvent) as caught:
            build_event(**{**self.PARTS, **change})
        assert [problem.field for problem in caught.value.problems] == [field]

    def test_judges_by_the_given_now(self) -> None:
        early = self.PARTS["time"] - timedelta(hours=1)
        with pytest.raises(InvalidEvent):
            build_event(**self.PARTS, now=early)
        assert build_event(**self.PARTS, now=early, max_ahead=timedelta(hours=1))


class TestRedact:
    def test_leaves_a_valid_record_as_it_is(self) -> None:
        raw = json.dumps(REPORTED, indent=2).encode()
        assert redact(raw) == raw

    def test_hides_unknown_ill_formed_and_identifying_values_and_keeps_the_rest(self) -> None:
        document = reported(ho_ten="Lò Văn Pâng", hamlet="Lò Văn Pâng", sex="nam", onset_on="2033-07-01")
        document |= {"phone": 912345678}
        redacted = json.loads(redact(json.dumps(document).encode()))
        hidden = {"redacted": True}
        expected = reported(ho_ten=hidden, hamlet=hidden, sex=hidden, onset_on="2033-07-01") | {
            "phone": hidden
        }
        assert redacted == expected

    def test_hides_keys_that_identify(self) -> None:
        document = reported(**{"Lò Văn Pâng": 1, "x0912345678": 2})
        raw = redact(json.dumps(document).encode())
        assert "Lò" not in raw.decode()
        assert b"0912345678" not in raw

    def test_hides_all_data_of_an_unknown_type(self) -> None:
        redacted = json.loads(
            redact(json.dumps(envelope(type="Lò Văn Pâng", subject="Lò Văn Pâng")).encode())
        )
        hidden = {"redacted": True}
        assert redacted == envelope(type=hidden, subject=hidden, data=hidden)

    def test_hides_the_value_that_a_second_key_would_hide(self) -> None:
        raw = json.dumps(REPORTED).replace('"sex": "male"', '"sex": "0912345678", "sex": "male"').encode()
        assert b"0912345678" not in redact(raw)

    def test_what_was_redacted_is_never_an_event(self) -> None:
        document = reported(
            hamlet="0912345678", lab={"0912345678": "pending"}, external_ids={"a": "0912345678"}
        )
        with pytest.raises(InvalidEvent) as caught:
            parse(redact(json.dumps(document).encode()))
        assert {problem.field.split(".")[1] for problem in caught.value.problems} == {
            "hamlet",
            "lab",
            "external_ids",
        }

    @given(st.binary(max_size=200))
    def test_takes_any_bytes(self, raw: bytes) -> None:
        assert isinstance(redact(raw), bytes)
        assert isinstance(redact_key(raw), bytes)

    @pytest.mark.parametrize("key", [b"LC-2023-000123", b"dengue|03412"])
    def test_leaves_a_key_that_names_nobody(self, key: bytes) -> None:
        assert redact_key(key) == key

    @pytest.mark.parametrize(
        "key", [b"", b"0912345678", b"Nguyen-Van-A", "Lò Văn Pâng".encode(), b"\xff", b"a\n"]
    )
    def test_hides_any_other_key(self, key: bytes) -> None:
        assert json.loads(redact_key(key)) == {"redacted": True, "bytes": len(key)}

    def test_a_record_full_of_unknown_fields_fits_into_a_dead_letter(self) -> None:
        document = reported(**{f"é{number}": number for number in range(4000)})
        raw = json.dumps(document, ensure_ascii=False).encode()
        assert len(redact(raw)) < 500_000
        with pytest.raises(InvalidEvent) as caught:
            parse(raw)
        assert caught.value.problems[-1].code == "and_more"
        assert "3900" in caught.value.problems[-1].message_vi


class TestMessages:
    def test_every_field_of_every_event_has_its_names(self) -> None:
        for schema in message_schemas().values():
            properties = schema.get("properties", {})
            if "data" in properties:
                assert properties.keys() <= ATTRIBUTES.keys()
                assert properties["data"]["properties"].keys() <= FIELDS.keys()

    def test_every_name_belongs_to_a_field(self) -> None:
        used = {
            name
            for model in message_schemas().values()
            for name in model.get("properties", {}).get("data", {}).get("properties", {})
        }
        assert used == FIELDS.keys()

    @pytest.mark.parametrize("code", sorted(CODES))
    def test_every_code_makes_sentences(self, code: str) -> None:
        problem = make_problem(
            "data.died_at",
            code,
            CASE_REPORTED,
            kind="name",
            other="onset_on",
            other_value="2023-07-01",
            count=3,
        )
        assert problem.code == code
        assert problem.message_vi != problem.message_en
        assert problem.message_en.endswith(".")

    def test_every_fault_of_pydantic_has_a_code(self) -> None:
        assert set(PYDANTIC_CODES.values()) <= CODES.keys()

    def test_every_identifier_has_a_name(self) -> None:
        assert IDENTIFIERS.keys() == {"phone", "identity_number", "email", "name"}

    def test_every_type_has_a_model(self) -> None:
        assert EVENT_MODELS.keys() == EVENT_TYPES


def shuffled(value: Any, draw: Any) -> Any:
    """The same JSON value with its keys in another order."""
    if not isinstance(value, dict):
        return value
    return {name: shuffled(value[name], draw) for name in draw(st.permutations(list(value)))}


@given(parts=case_events(), drawn=st.data())
def test_a_valid_event_has_one_content_however_it_is_spelled(
    parts: dict[str, Any], drawn: st.DataObject
) -> None:
    built = parse(build_event(**parts, now=NOW))
    document = shuffled(to_document(parts), drawn.draw)
    offset = timezone(timedelta(minutes=drawn.draw(st.integers(-14 * 60, 14 * 60))))
    document["time"] = parts["time"].astimezone(offset).isoformat()
    if drawn.draw(st.booleans()):
        document["id"] = document["id"].upper()
    raw = json.dumps(
        document, ensure_ascii=drawn.draw(st.booleans()), indent=drawn.draw(st.sampled_from([None, 0, 3]))
    )
    spelled = parse(raw)
    assert spelled == built
    assert parse(to_json(spelled)) == built
    assert redact(raw.encode()) == raw.encode()


@given(parts=case_events(), other=case_events())
def test_two_contents_have_two_hashes(parts: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = parse(build_event(**parts, now=NOW)), parse(build_event(**other, now=NOW))
    assert (first.content_hash == second.content_hash) == (to_json(first) == to_json(second))


def judged(raw: bytes | str) -> None:
    """Any record either becomes an event or is an InvalidEvent with problems; and can be redacted."""
    problems: tuple[Problem, ...] = ()
    try:
        event = parse_event(raw, now=NOW, max_ahead=STREAM_MAX_AHEAD)
    except InvalidEvent as invalid:
        problems = invalid.problems
    else:
        assert parse_event(to_json(event), now=NOW, max_ahead=STREAM_MAX_AHEAD) == event
        return
    assert problems
    assert all(problem.code in CODES for problem in problems)
    if isinstance(raw, bytes):
        redacted = redact(raw)
        assert redacted == raw or json.loads(redacted) is not None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.one_of(st.binary(), st.text()))
def test_nothing_but_invalid_event_comes_of_any_bytes(raw: bytes | str) -> None:
    judged(raw)


@given(JSON_VALUES)
def test_nothing_but_invalid_event_comes_of_any_json(value: Any) -> None:
    judged(json.dumps(value).encode())


@given(parts=case_events(), drawn=st.data())
def test_nothing_but_invalid_event_comes_of_a_damaged_event(
    parts: dict[str, Any], drawn: st.DataObject
) -> None:
    document = to_document(parts)
    fields = list(FIELDS)
    for _ in range(drawn.draw(st.integers(1, 4))):
        target = drawn.draw(
            st.sampled_from(
                [document, document["data"]] if isinstance(document.get("data"), dict) else [document]
            )
        )
        names = st.sampled_from([*target, *fields]) if target else st.sampled_from(fields)
        name = drawn.draw(st.one_of(names, st.text(max_size=8)))
        if drawn.draw(st.booleans()):
            target.pop(name, None)
        else:
            target[name] = drawn.draw(JSON_VALUES)
    judged(json.dumps(document).encode())


@given(parts=case_events(), drawn=st.data())
def test_nothing_but_invalid_event_comes_of_damaged_bytes(
    parts: dict[str, Any], drawn: st.DataObject
) -> None:
    raw = bytearray(build_event(**parts, now=NOW))
    for _ in range(drawn.draw(st.integers(1, 5))):
        raw[drawn.draw(st.integers(0, len(raw) - 1))] = drawn.draw(st.integers(0, 255))
    judged(bytes(raw))

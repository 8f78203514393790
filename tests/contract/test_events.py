"""The events: every example validates, every bad one is refused for its reason, every schema is shown."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import schemas
from schemas.asyncapi import message_schemas
from schemas.events import EVENT_TYPES, STREAM_MAX_AHEAD, parse_event, to_json
from schemas.events.parse import EVENT_MODELS
from schemas.topics import load_topics
from tests.contract.records import NOW, find_faults

TOPICS = load_topics()
EXAMPLES = Path(schemas.__file__).parent / "topics" / "examples"
GOOD = sorted(EXAMPLES.glob("*/*.json"))
BAD = sorted(EXAMPLES.glob("*/invalid/*.json"))
# Faults that no JSON Schema can express: today, the order of dates, persons, what belongs together.
BEYOND_JSON_SCHEMA = {
    "in_future",
    "too_early",
    "impossible_order",
    "impossible_number",
    "identifier",
    "needs_area_code",
    "empty",
    "needs_duplicate_of",
    "duplicate_of_itself",
    "duplicate_of_not_allowed",
    "subject_mismatch",
    "invisible",
    "unexpected_type",
    "not_subject",
    "not_redacted",
}


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


def message_schema(topic: str, value: dict[str, Any]) -> Any:
    kind = TOPICS[topic].value
    if kind == "event":
        model = EVENT_MODELS.get(value["type"])
        return message_schemas()[model.__name__] if model else {"not": {}}
    names = {"count_change": "CountChangeV1", "alert": "AlertV1", "dead_letter": "RedactedRecord"}
    return message_schemas()[names[kind]]


def satisfies(schema: Any, value: Any) -> bool:
    checker = jsonschema.Draft7Validator.FORMAT_CHECKER
    return bool(jsonschema.Draft7Validator(schema, format_checker=checker).is_valid(value))


@pytest.mark.parametrize("path", GOOD, ids=name)
def test_every_example_validates(path: Path) -> None:
    record = load(path)
    assert find_faults(TOPICS[path.parent.name], record) == []
    assert satisfies(message_schema(path.parent.name, record["value"]), record["value"])


@pytest.mark.parametrize("path", BAD, ids=name)
def test_every_bad_example_is_refused_for_its_reason(path: Path) -> None:
    example = load(path)
    assert set(example) == {"record", "faults"}
    found = find_faults(TOPICS[path.parent.parent.name], example["record"])
    assert sorted(found) == sorted((fault["field"], fault["code"]) for fault in example["faults"])


@pytest.mark.parametrize("path", BAD, ids=name)
def test_the_json_schema_refuses_all_that_it_can(path: Path) -> None:
    example = load(path)
    topic = path.parent.parent.name
    record = example["record"]
    codes = {fault["code"] for fault in example["faults"]}
    refused = not satisfies(message_schema(topic, record["value"]), record["value"])
    if TOPICS[topic].value == "dead_letter":
        refused = not satisfies(message_schemas()["DeadLetterHeaders"], record["headers"])
    assert refused == bool(codes - BEYOND_JSON_SCHEMA)


@pytest.mark.parametrize("path", GOOD, ids=name)
def test_the_json_schema_accepts_the_canonical_form(path: Path) -> None:
    value = load(path)["value"]
    if TOPICS[path.parent.name].value != "event":
        return
    canonical = json.loads(to_json(parse_event(json.dumps(value), now=NOW, max_ahead=STREAM_MAX_AHEAD)))
    assert satisfies(message_schema(path.parent.name, value), canonical)


def test_every_event_type_has_a_good_and_a_bad_example() -> None:
    assert {load(path)["value"].get("type") for path in GOOD} >= EVENT_TYPES
    assert {load(path)["record"]["value"].get("type") for path in BAD} >= EVENT_TYPES


def test_every_field_of_every_event_stands_in_an_example() -> None:
    shown = {
        (load(path)["value"].get("type"), field)
        for path in GOOD
        for field in load(path)["value"].get("data", {})
    }
    for event_type, model in EVENT_MODELS.items():
        fields = message_schemas()[model.__name__]["properties"]["data"]["properties"]
        shown_as_case = {
            field for type_, field in shown if type_ == event_type or "case.reported" in str(type_)
        }
        assert fields.keys() <= shown_as_case


def test_every_model_stands_in_its_own_file() -> None:
    for event_type, model in EVENT_MODELS.items():
        fact = event_type.removeprefix("vn.canhdich.").removesuffix(".v1").replace(".", "_")
        assert model.__module__ == f"schemas.events.{fact}"
        assert model.__name__ == "".join(word.capitalize() for word in fact.split("_")) + "V1"


def test_every_event_type_belongs_to_exactly_one_topic() -> None:
    homes = [event_type for topic in TOPICS.values() for event_type in topic.events]
    assert sorted(homes) == sorted(EVENT_TYPES)

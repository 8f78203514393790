"""Judges a whole record (key, headers, value) by its topic's contract, as the examples are judged."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.events import STREAM_MAX_AHEAD, InvalidEvent, parse_event, redact
from schemas.events.messages import PYDANTIC_CODES
from schemas.topics import VALUE_ADAPTERS, Topic
from schemas.topics.payloads import DEAD_LETTER_HEADERS

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def _faults(adapter: TypeAdapter[Any], value: Any, before: str = "") -> Iterator[tuple[str, str]]:
    try:
        adapter.validate_json(json.dumps(value))
    except ValidationError as error:
        for fault in error.errors():
            yield before + ".".join(map(str, fault["loc"])), PYDANTIC_CODES[fault["type"]]


def find_faults(topic: Topic, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every (field, code) that is wrong with a record `{"key", "value", "headers"}` of this topic."""
    value = record["value"]
    faults: list[tuple[str, str]] = []
    if set(record) != ({"key", "value", "headers"} if topic.headers else {"key", "value"}):
        faults.append(("headers", "not_as_the_topic_says"))
    if topic.value == "event":
        try:
            parse_event(json.dumps(value), now=NOW, max_ahead=STREAM_MAX_AHEAD, types=frozenset(topic.events))
        except InvalidEvent as invalid:
            faults.extend((problem.field, problem.code) for problem in invalid.problems)
        key = value.get("subject")
    elif topic.value == "dead_letter":
        faults.extend(_faults(DEAD_LETTER_HEADERS, record.get("headers"), "headers."))
        raw = json.dumps(value).encode()
        unreadable = set(value) == {"redacted", "bytes"}
        if not unreadable and json.loads(redact(raw)) != value:
            faults.append(("value", "not_redacted"))
        key = record["key"] if record["key"] is None else value.get("subject")
    else:
        faults.extend(_faults(VALUE_ADAPTERS[topic.value], value))
        key = f"{value.get('disease')}|{value.get('area_code')}"
    if record["key"] != key:
        faults.append(("key", "not_subject"))
    return faults

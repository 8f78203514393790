"""The OpenAPI 3.1 description, made from the schemas, the examples and the words that the door works with."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

import schemas.topics
from schemas.events import CASE_REPORTED, DOOR_MAX_AHEAD, InvalidEvent, parse_event
from schemas.events.parse import EVENT_MODELS
from services.intake import documents, problems
from services.intake.body import BATCH, EITHER, LINES, MAX_BODY_BYTES, MAX_EVENTS, MAX_LINES, ONE
from services.intake.openapi_alerts import MODELS, alert_paths
from services.intake.openapi_receipts import receipt_paths
from services.intake.people.visitors import SESSION_COOKIE

_EXAMPLES = Path(schemas.topics.__file__).parent / "examples"
_REF = "#/components/schemas/{model}"
_NOW = datetime(2030, 1, 1, tzinfo=UTC)

_DESCRIPTION = f"""\
Takes case events and answers only when Kafka has them (acks=all).

- **One act**: unless every event of a request is valid and none conflicts, nothing of it is accepted. NDJSON
  (`{LINES}`, at most {MAX_LINES:,} lines) is taken line by line: 202 where every line is safe, 207 where some
  are refused, each with its reasons.
- **Receipts**: `GET /v1/events/{{event_id}}` says what became of an event: accepted, counted, overruled,
  parked or dead-lettered, and why.
- **Lists** go on in pages: the `Link` header of an answer names the next one.
- **Repeating is always safe**, also after a 503, a timeout or a broken connection: an event is known by its
  subject and id, and counts once. After a 503 an event may arrive later all the same.
- The same id and subject with other content is a conflict (409) where this service knows; where it does not
  (the database is down, or both are on their way at once), the stream keeps the first and puts the other
  aside.
- A disease or area code that the catalogue does not know is accepted with a warning: the event is kept and is
  counted when the catalogue learns the code.
- `time` may lie at most {int(DOOR_MAX_AHEAD.total_seconds() // 60)} minutes in the future.
- At most {MAX_EVENTS:,} events and {MAX_BODY_BYTES // 1024 // 1024} MB a request, 64 kB an event.
- **No names, telephone or identity numbers**: what looks like one is refused, and no answer repeats it.
- **Alerts** (`/v1/alerts`): the inbox, and what people do to an alert. `by` is what the caller says it is.
- Programs of this machine need no key as long as the service is not reached from elsewhere; any other sends
  one (`Authorization: Bearer`), and may do what its role may.
"""


@cache
def examples() -> Mapping[str, Mapping[str, Any]]:
    """The published examples of valid events by name, in the order of their topics and names."""
    found = {}
    for path in sorted(_EXAMPLES.glob("*-events/*.json")):
        record = orjson.loads(path.read_bytes())
        found[path.stem] = record["value"]
    return found


@cache
def reported_example() -> Mapping[str, Any]:
    """The first example of a case's report."""
    return next(value for value in examples().values() if value["type"] == CASE_REPORTED)


def invalid_example() -> list[documents.FieldError]:
    """What the door says of a report with two faults."""
    event = reported_example()
    broken = {**event, "data": {**event["data"], "onset_on": "01/07/2023", "area_code": "3190"}}
    try:
        parse_event(orjson.dumps(broken), now=_NOW, max_ahead=DOOR_MAX_AHEAD)
    except InvalidEvent as invalid:
        return [
            {
                "index": 0,
                "field": problem.field,
                "code": problem.code,
                "message_vi": problem.message_vi,
                "message_en": problem.message_en,
            }
            for problem in invalid.problems
        ]
    raise AssertionError("the broken example is valid")


def _outcome(outcome: documents.Outcome) -> documents.EventOutcome:
    event = reported_example()
    return {"index": 0, "subject": event["subject"], "id": event["id"], "outcome": outcome, "warnings": []}


def _receipt(outcome: documents.Outcome) -> documents.Receipt:
    return {
        "accepted": int(outcome == "accepted"),
        "unchanged": int(outcome == "unchanged"),
        "repeats": 0,
        "events": [_outcome(outcome)],
    }


def _bulk(is_some_refused: bool) -> documents.BulkReceipt:
    accepted: documents.LineOutcome = {**_outcome("accepted"), "errors": []}  # type: ignore[typeddict-item]
    refused: documents.LineOutcome = {
        "index": 1,
        "subject": None,
        "id": None,
        "outcome": "refused",
        "warnings": [],
        "errors": [{**error, "index": 1} for error in invalid_example()],
    }
    return {
        "accepted": 1,
        "unchanged": 0,
        "repeats": 0,
        "refused": int(is_some_refused),
        "lines": [accepted, refused] if is_some_refused else [accepted],
    }


def _problems(*kinds: str) -> dict[str, Any]:
    """The entry of one status: the schema, and the very document of each of its kinds."""
    found = {}
    for kind in kinds:
        errors = invalid_example() if kind == "invalid" else ()
        events = [_outcome("unconfirmed")] if kind == "kafka-down" else None
        found[kind] = {"value": problems.problem_document(kind, errors, events)}
    entry: dict[str, Any] = {
        "description": "; ".join(problems.KINDS[kind].title for kind in kinds),
        "content": {
            problems.MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}, "examples": found}
        },
    }
    if problems.passes(kinds[0]):
        entry["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
        }
    return entry


def _json(description: str, model: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in examples.items()}
    content = {"schema": {"$ref": _REF.format(model=model)}, "examples": shown}
    return {"description": description, "content": {"application/json": content}}


def _either(description: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to an event or a list, or to NDJSON."""
    answer = _json(description, "Receipt", examples)
    references = [{"$ref": _REF.format(model=model)} for model in ("Receipt", "BulkReceipt")]
    answer["content"]["application/json"]["schema"] = {"anyOf": references}
    return answer


def _text(description: str, media_type: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}


def _get(operation_id: str, summary: str, responses: Mapping[str, Any]) -> dict[str, Any]:
    refused = {"403": _problems("not-here", "wrong-host"), "500": _problems("internal")}
    return {"get": {"operationId": operation_id, "summary": summary, "responses": {**responses, **refused}}}


def _refusals() -> dict[str, Any]:
    """What every address under /v1 may answer."""
    return {
        "401": _problems("not-signed-in"),
        "403": _problems("not-allowed", "not-here", "wrong-host", "password-to-change", "forged-form"),
        "429": _problems("too-many-attempts"),
        "500": _problems("internal"),
    }


def _post_events() -> dict[str, Any]:
    one = {name: {"value": value} for name, value in examples().items()}
    batch = {"batch": {"summary": "A list", "value": list(examples().values())[:3]}}
    lines = b"\n".join(orjson.dumps(event) for event in list(examples().values())[:3]).decode()
    event, events = _REF.format(model="Event"), _REF.format(model="EventList")
    return {
        "operationId": "postEvents",
        "summary": "Send one event or a list",
        "requestBody": {
            "required": True,
            "content": {
                ONE: {"schema": {"$ref": event}, "examples": one},
                BATCH: {"schema": {"$ref": events}, "examples": batch},
                EITHER: {
                    "schema": {"anyOf": [{"$ref": event}, {"$ref": events}]},
                    "examples": {**one, **batch},
                },
                LINES: {
                    "schema": {
                        "type": "string",
                        "description": "One event a line; a line without anything is passed over.",
                    },
                    "examples": {"lines": {"value": lines}},
                },
            },
        },
        "responses": {
            "202": _either(
                "Kafka has every event",
                {"accepted": _receipt("accepted"), "unchanged": _receipt("unchanged"), "lines": _bulk(False)},
            ),
            "207": _json(
                "NDJSON: Kafka has every event that is not refused",
                "BulkReceipt",
                {"some refused": _bulk(True)},
            ),
            "400": _problems("not-json", "wrong-shape"),
            "408": _problems("too-slow"),
            "409": _problems("conflict"),
            "413": _problems("too-large"),
            "415": _problems("unsupported-media-type"),
            "422": _problems("invalid"),
            "503": _problems("kafka-down", "busy"),
            **_refusals(),
        },
    }


def _readiness(status: str, kafka: documents.State, database: documents.State) -> dict[str, Any]:
    return {
        "status": status,
        "kafka": dependency(kafka, None),
        "database": dependency(database, None),
        "installation": "5f0c2f6e4b0e4c4f9f0d0c9f6f1c7a11",
    }


def dependency(state: documents.State, fault: str | None) -> documents.Dependency:
    """A server's state in words; `fault` as Probe.fault gives it."""
    if state == "up":
        return {"state": state, "message_vi": "Hoạt động bình thường.", "message_en": "Answers."}
    if fault == "not_set_up":
        return {
            "state": state,
            "message_vi": "Chưa được cài đặt xong (thiếu chủ đề hoặc bảng, hoặc sai mật khẩu). Chạy "
            "canhdich migrate; xem canhdich doctor.",
            "message_en": "Answers, but is not set up (a topic or table is missing, or the login is "
            "refused). Run `canhdich migrate`; `canhdich doctor` says more.",
        }
    return {
        "state": state,
        "message_vi": "Không trả lời. Xem canhdich doctor.",
        "message_en": "Does not answer. `canhdich doctor` says more.",
    }


def _component_schemas() -> dict[str, Any]:
    models: dict[str, Any] = {
        **EVENT_MODELS,
        "Receipt": documents.Receipt,
        "BulkReceipt": documents.BulkReceipt,
        "EventReceipts": documents.EventReceipts,
        "Problem": documents.Problem,
        "Readiness": documents.Readiness,
        "Liveness": documents.Liveness,
        **MODELS,
    }
    adapters = [(name, "validation", TypeAdapter(model)) for name, model in models.items()]
    references, definitions = TypeAdapter.json_schemas(adapters, ref_template=_REF)  # type: ignore[arg-type]
    found: dict[str, Any] = dict(definitions["$defs"])
    mapping = {name: references[name, "validation"]["$ref"] for name in EVENT_MODELS}
    found["Event"] = {
        "description": "CloudEvents 1.0, structured JSON.",
        "oneOf": [{"$ref": reference} for reference in mapping.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    found["EventList"] = {
        "type": "array",
        "items": {"$ref": _REF.format(model="Event")},
        "maxItems": MAX_EVENTS,
        "description": "A list of events, accepted or refused as a whole.",
    }
    return found


@cache
def build_openapi() -> dict[str, Any]:
    """The whole document; the same object every time, not to be changed."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Canh Dịch intake",
            "version": version("canhdich"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/events": {"post": _post_events()},
            **receipt_paths(_json, _problems, _refusals()),
            **alert_paths(_json, _problems, _refusals()),
            "/health/live": _get(
                "getLive",
                "Whether the process answers",
                {"200": _json("It does", "Liveness", {"alive": {"status": "alive"}})},
            ),
            "/health/ready": _get(
                "getReady",
                "Whether events can be accepted",
                {
                    "200": _json(
                        "They can; when degraded, known repeats and conflicts are not recognised here",
                        "Readiness",
                        {
                            "ready": _readiness("ready", "up", "up"),
                            "degraded": _readiness("degraded", "up", "down"),
                        },
                    ),
                    "503": _json(
                        "They cannot: Kafka is down", "Readiness", {"down": _readiness("down", "down", "up")}
                    ),
                },
            ),
            "/metrics": _get("getMetrics", "Figures for Prometheus", {"200": _text("Figures", "text/plain")}),
            "/docs": _get("getDocs", "How to send events", {"200": _text("A page", "text/html")}),
            "/openapi.json": _get(
                "getOpenapi",
                "This document",
                {
                    "200": {
                        "description": "It",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            ),
        },
        "security": [{"key": []}, {"session": []}, {}],
        "components": {
            "schemas": _component_schemas(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key. Programs of the service's own machine need none as long as "
                    "it is not reached from elsewhere.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION_COOKIE,
                    "description": "Of the staff's pages; unsafe methods need X-CSRF-Token as well.",
                },
            },
        },
    }

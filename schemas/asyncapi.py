"""Writes the documents of the contract: a JSON Schema per message, and the AsyncAPI document over all topics.

python -m schemas.asyncapi            write schemas/asyncapi.yaml and schemas/json/
python -m schemas.asyncapi --check    write nothing; exit 1 where a file is not what would be written
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from schemas.events.fields import ATTRIBUTES, FIELDS, FOCUS_HOSPITALISED, FieldInfo
from schemas.events.focus_reported import FocusReportedV1
from schemas.events.parse import EVENT_MODELS
from schemas.topics import Topic, load_topics
from schemas.topics.payloads import AlertV1, CountChangeV1, DeadLetterHeaders

_DIRECTORY = Path(__file__).parent
_CONTRACT_VERSION = "1.0.0"
_VALUE_MODELS: Mapping[str, Any] = {"count_change": CountChangeV1, "alert": AlertV1}
_REDACTED_RECORD: dict[str, Any] = {
    "title": "RedactedRecord",
    "description": (
        'The record as it came, with {"redacted": true} for every value that could name a person; '
        "of a record that is no JSON object only its size in bytes."
    ),
    "type": "object",
}
_Json = dict[str, Any]


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema with every reference to `$defs` replaced by what it refers to."""
    if isinstance(schema, list):
        return [_inlined(entry, definitions) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    inlined = {name: _inlined(value, definitions) for name, value in schema.items() if name != "$defs"}
    if "patternProperties" in inlined:
        inlined["additionalProperties"] = False
    return inlined


def _labelled(properties: _Json, infos: Mapping[str, FieldInfo]) -> None:
    for name, schema in properties.items():
        info = infos[name]
        schema["title"] = info.label_en
        schema["x-label-vi"] = info.label_vi
        schema.setdefault("description", f"Must be {info.expected_en}.")


def _model_schema(model: Any) -> _Json:
    raw = TypeAdapter(model).json_schema()
    schema: _Json = _inlined(raw, raw.get("$defs", {}))
    return schema


def _event_schema(model: Any) -> _Json:
    schema = _model_schema(model)
    data = schema["properties"]["data"]
    fields = {**FIELDS, "hospitalised": FOCUS_HOSPITALISED} if model is FocusReportedV1 else FIELDS
    _labelled(data["properties"], fields)
    description = data["description"]
    _labelled(schema["properties"], ATTRIBUTES)
    data["description"] = description
    return schema


def message_schemas() -> dict[str, _Json]:
    """JSON Schema (draft 7) of every message, by the name of its model, such as `CaseReportedV1`."""
    schemas = {model.__name__: _event_schema(model) for model in EVENT_MODELS.values()}
    for model in (*_VALUE_MODELS.values(), DeadLetterHeaders):
        schemas[model.__name__] = _model_schema(model)
    schemas["RedactedRecord"] = _REDACTED_RECORD
    return schemas


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _examples(topic: Topic, event_type: str | None) -> list[_Json]:
    found = []
    for path in sorted((_DIRECTORY / "topics" / "examples" / topic.name).glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if event_type is None or record["value"]["type"] == event_type:
            example = {"name": path.stem, "payload": record["value"]}
            if "headers" in record:
                example["headers"] = record["headers"]
            found.append(example)
    return found


def _messages(topic: Topic) -> Iterator[tuple[str, _Json]]:
    key = {"kafka": {"key": {"type": "string", "description": topic.key}}}
    if topic.value == "event":
        for event_type in topic.events:
            model = EVENT_MODELS[event_type]
            yield (
                model.__name__,
                {
                    "name": event_type,
                    "title": model.__name__,
                    "summary": _first_paragraph(model.__doc__),
                    "contentType": "application/cloudevents+json",
                    "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
                    "bindings": key,
                    "examples": _examples(topic, event_type),
                },
            )
        return
    model = _VALUE_MODELS.get(topic.value)
    message: _Json = {
        "name": topic.value,
        "title": model.__name__ if model else "DeadLetter",
        "summary": _first_paragraph((model or DeadLetterHeaders).__doc__ or ""),
        "contentType": "application/json",
    }
    if topic.headers:
        message["headers"] = {"$ref": "#/components/schemas/DeadLetterHeaders"}
    message["payload"] = {"$ref": f"#/components/schemas/{model.__name__ if model else 'RedactedRecord'}"}
    yield message["title"], message | {"bindings": key, "examples": _examples(topic, None)}


def _channel(topic: Topic, messages: Sequence[str]) -> _Json:
    settings = topic.settings["cluster"]
    return {
        "address": topic.name,
        "title": topic.name,
        "description": topic.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "replicas": topic.replication["cluster"],
                "topicConfiguration": {
                    "cleanup.policy": [settings["cleanup.policy"]],
                    "retention.ms": int(settings["retention.ms"]),
                },
            }
        },
        "x-owner": topic.owner,
        "x-retention": topic.retention,
        "x-settings": {place: dict(values) for place, values in topic.settings.items()},
        "x-replication": dict(topic.replication),
    }


def asyncapi_document(topics: Mapping[str, Topic]) -> _Json:
    """The AsyncAPI 3.0 document over these topics."""
    channels: _Json = {}
    operations: _Json = {}
    messages: _Json = {}
    for topic in topics.values():
        own = dict(_messages(topic))
        messages |= own
        channels[topic.name] = _channel(topic, list(own))
        for action, packages in (("send", topic.producers), ("receive", topic.consumers)):
            for package in packages:
                operations[f"{package.replace('/', '-')}-{action}-{topic.name}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{topic.name}"},
                    "summary": f"{package} {action}s {topic.name}.",
                    "messages": [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in own],
                }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Canh Dịch",
            "version": _CONTRACT_VERSION,
            "description": (
                "The events and topics of the disease-surveillance tracker. Generated from schemas/events "
                "and schemas/topics by `python -m schemas.asyncapi`; what a schema cannot say (dates in "
                "order, personal identifiers, the subject of a tally) is checked by "
                "schemas.events.parse_event."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": message_schemas(), "messages": messages},
    }


def _file_name(model_name: str) -> str:
    """`CaseReportedV1` → `case_reported_v1.json`."""
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in model_name)
    return words.removeprefix("_") + ".json"


class _Dumper(yaml.SafeDumper):
    """Writes every value out: an anchor in a document that people read is a riddle."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def documents() -> dict[str, str]:
    """Every generated file: path below `schemas/` → content."""
    files = {
        f"json/{_file_name(name)}": json.dumps(
            {"$schema": "http://json-schema.org/draft-07/schema#", **schema}, ensure_ascii=False, indent=2
        )
        + "\n"
        for name, schema in message_schemas().items()
    }
    files["asyncapi.yaml"] = yaml.dump(
        asyncapi_document(load_topics()), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110
    )
    return files


def main(arguments: Sequence[str], directory: Path = _DIRECTORY) -> int:
    """Write the files, or with `--check` compare them; returns the exit status."""
    if list(arguments) not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    files = documents()
    extra = {f"json/{path.name}" for path in (directory / "json").glob("*.json")} - files.keys()
    different = sorted(
        name
        for name, content in files.items()
        if not (directory / name).is_file() or (directory / name).read_text(encoding="utf-8") != content
    )
    if arguments:
        for name in sorted(extra) + different:
            print(
                f"schemas/{name} is not what the models say: run python -m schemas.asyncapi", file=sys.stderr
            )
        return 1 if extra or different else 0
    (directory / "json").mkdir(parents=True, exist_ok=True)
    for name in extra:
        (directory / name).unlink()
    for name in different:
        (directory / name).write_text(files[name], encoding="utf-8")
        print(f"wrote schemas/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The AsyncAPI document: generated as committed, valid by AsyncAPI's own schema, complete."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import schemas
from schemas.asyncapi import asyncapi_document, documents, main, message_schemas
from schemas.topics import load_topics

DIRECTORY = Path(schemas.__file__).parent
VENDOR = Path(__file__).parent / "vendor"
ASYNCAPI = jsonschema.Draft7Validator(
    json.loads((VENDOR / "asyncapi-3.0.0.json").read_text(encoding="utf-8"))
)


def document() -> Any:
    return yaml.safe_load((DIRECTORY / "asyncapi.yaml").read_text(encoding="utf-8"))


def resolved(whole: Any, reference: str) -> Any:
    found = whole
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [reference for entry in value for reference in references(entry)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if "$ref" in value else []
    return own + [reference for entry in value.values() for reference in references(entry)]


def test_what_is_committed_is_what_is_generated() -> None:
    assert {f"json/{path.name}" for path in (DIRECTORY / "json").iterdir()} | {
        "asyncapi.yaml"
    } == documents().keys()
    for name, content in documents().items():
        assert (DIRECTORY / name).read_text(encoding="utf-8") == content, (
            f"run python -m schemas.asyncapi ({name})"
        )


def test_the_command_writes_compares_and_cleans_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check"], tmp_path) == 1
    assert "asyncapi.yaml" in capsys.readouterr().err
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "json" / "gone_v1.json").write_text("{}", encoding="utf-8")
    assert main(["--check"], tmp_path) == 1
    assert main([], tmp_path) == 0
    assert not (tmp_path / "json" / "gone_v1.json").exists()
    (tmp_path / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n", encoding="utf-8")
    assert main(["--check"], tmp_path) == 1
    assert main(["--wrong"], tmp_path) == 2


def test_the_official_schema_accepts_the_document() -> None:
    assert [error.message for error in ASYNCAPI.iter_errors(document())] == []


@pytest.mark.parametrize(
    "place",
    [
        "asyncapi",
        "info/title",
        "channels/case-events/messages/CaseReportedV1/$ref",
        "operations/services-intake-send-case-events/action",
    ],
)
def test_the_official_schema_rejects_a_damaged_document(place: str) -> None:
    damaged = document()
    *outer, last = place.split("/")
    target = damaged
    for step in outer:
        target = target[step]
    target[last] = 7
    assert not ASYNCAPI.is_valid(damaged)


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    found = references(whole)
    assert found
    for reference in found:
        assert resolved(whole, reference)


def test_every_topic_message_and_schema_is_referenced() -> None:
    whole = document()
    found = set(references(whole))
    assert whole["channels"].keys() == load_topics().keys()
    for name in whole["channels"]:
        assert f"#/channels/{name}" in found
    for name in whole["components"]["messages"]:
        assert f"#/components/messages/{name}" in found
    for name in whole["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in found
    assert whole["components"]["schemas"].keys() == message_schemas().keys()


def test_every_channel_has_a_sender_and_a_receiver() -> None:
    whole = document()
    for action in ("send", "receive"):
        channels = {o["channel"]["$ref"] for o in whole["operations"].values() if o["action"] == action}
        assert channels == {f"#/channels/{name}" for name in whole["channels"]}


def test_a_topic_that_is_left_out_is_missed() -> None:
    topics = load_topics()
    del topics["case-events"]
    smaller = asyncapi_document(topics)
    assert smaller != asyncapi_document(load_topics())
    assert "CaseReportedV1" not in smaller["components"]["messages"]


@pytest.mark.parametrize("name", sorted(message_schemas()))
def test_every_schema_is_valid_json_schema(name: str) -> None:
    schema = message_schemas()[name]
    jsonschema.Draft7Validator.check_schema(schema)
    assert "$ref" not in json.dumps(schema)
    damaged = deepcopy(schema)
    damaged["type"] = "record"
    with pytest.raises(jsonschema.SchemaError):
        jsonschema.Draft7Validator.check_schema(damaged)


def test_every_message_has_an_example_that_its_schema_accepts() -> None:
    whole = document()
    for message in whole["components"]["messages"].values():
        assert message["examples"]
        schema = resolved(whole, message["payload"]["$ref"])
        for example in message["examples"]:
            jsonschema.validate(example["payload"], schema)


def test_generated_files_name_no_host_but_those_of_the_specifications() -> None:
    for content in documents().values():
        assert set(re.findall(r"https?://([^/\"\s]+)", content)) <= {"json-schema.org"}

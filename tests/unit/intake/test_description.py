"""The OpenAPI document and the pages: complete, true, and without anything from outside."""

import re
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from fastapi.openapi.models import OpenAPI
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError

from schemas.events import EVENT_TYPES
from services.intake.openapi import build_openapi, invalid_example
from services.intake.problems import KINDS
from tests.unit.intake.door import BATCH, JSON, LINES, ONE, Doorstep

METHODS = ("get", "post", "put", "patch", "delete")


def check_references(document: dict[str, Any]) -> None:
    """Refuse a document that refers to something it does not hold."""

    def look(node: Any) -> None:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                target: Any = document
                for step in reference.removeprefix("#/").split("/"):
                    assert step in target, reference
                    target = target[step]
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(document["paths"])
    look(document["components"])


def check_examples(document: dict[str, Any]) -> None:
    """Refuse a document with an example that its own schema refuses."""
    # As the examples hold no references, the components can stand beside each schema.
    for path in document["paths"].values():
        for operation in path.values():
            bodies = [operation.get("requestBody", {"content": {}}), *operation["responses"].values()]
            for body in bodies:
                for content in body["content"].values():
                    schema = {**content["schema"], "components": document["components"]}
                    Draft202012Validator.check_schema(schema)
                    for example in content.get("examples", {}).values():
                        Draft202012Validator(schema).validate(example["value"])


@pytest.fixture
def document(door: Doorstep) -> dict[str, Any]:
    served: dict[str, Any] = door.get("/openapi.json").json()
    return served


class TestOpenapi:
    def test_is_valid_and_whole(self, document: dict[str, Any]) -> None:
        OpenAPI.model_validate(document)
        check_references(document)
        check_examples(document)

    def test_a_reference_to_nothing_is_found(self) -> None:
        document = deepcopy(build_openapi())
        del document["components"]["schemas"]["Receipt"]
        with pytest.raises(AssertionError, match="Receipt"):
            check_references(document)

    def test_a_wrong_example_is_found(self) -> None:
        document = deepcopy(build_openapi())
        content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"][ONE]
        content["examples"]["wrong"] = {"value": {"subject": "LC-2023-000001"}}
        with pytest.raises(ValidationError):
            check_examples(document)

    def test_a_wrong_schema_is_found(self) -> None:
        document = deepcopy(build_openapi())
        content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"][ONE]
        content["schema"] = {"type": "event"}
        with pytest.raises(SchemaError):
            check_examples(document)

    def test_names_every_route_and_no_other(self, door: Doorstep, document: dict[str, Any]) -> None:
        routes = {
            (route.path, method.lower())
            for route in door.app.routes
            if isinstance(route, APIRoute)
            for method in route.methods or ()
        }
        described = {(path, m) for path, item in document["paths"].items() for m in METHODS if m in item}
        # Pages are for people.
        for_programs = {route for route in routes if route[0].startswith(("/v1/", "/health/", "/metrics"))}
        assert for_programs <= described <= routes | {("/openapi.json", "get")}

    def test_names_every_kind_of_refusal_under_its_status(self, document: dict[str, Any]) -> None:
        shown = {
            name: int(status)
            for path in document["paths"].values()
            for operation in path.values()
            for status, response in operation["responses"].items()
            for name in response["content"].get("application/problem+json", {"examples": {}})["examples"]
        }
        responses = document["paths"]["/v1/events"]["post"]["responses"]
        # These answer requests to other addresses, with other methods, and to pages.
        elsewhere = {"not-found", "method-not-allowed", "upload-too-large"}
        assert shown == {name: kind.status for name, kind in KINDS.items() if name not in elsewhere}
        assert "Retry-After" in responses["503"]["headers"]

    def test_takes_what_the_door_takes(self, door: Doorstep, document: dict[str, Any]) -> None:
        content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
        assert set(content) == {ONE, BATCH, JSON, LINES}
        for media_type, body in content.items():
            for example in body["examples"].values():
                value = example["value"]
                body_sent = value.encode() if isinstance(value, str) else value
                assert door.post(body_sent, media_type).status_code == 202

    def test_describes_every_event_and_refuses_unknown_fields(self, document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        mapping = schemas["Event"]["discriminator"]["mapping"]
        assert set(mapping) == EVENT_TYPES
        for reference in mapping.values():
            assert schemas[reference.rpartition("/")[2]]["additionalProperties"] is False

    def test_its_answers_are_the_real_ones(self, door: Doorstep, document: dict[str, Any]) -> None:
        responses = document["paths"]["/v1/events"]["post"]["responses"]
        broken = door.post(b"{").json()
        assert (
            responses["400"]["content"]["application/problem+json"]["examples"]["not-json"]["value"]["title"]
            == (broken["title"])
        )
        assert {error["field"] for error in invalid_example()} == {"data.onset_on", "data.area_code"}
        schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
        Draft202012Validator(schema).validate(broken)
        schema = {"$ref": "#/components/schemas/Receipt", "components": document["components"]}
        example = next(
            iter(document["paths"]["/v1/events"]["post"]["requestBody"]["content"][ONE]["examples"].values())
        )
        Draft202012Validator(schema).validate(door.post(example["value"]).json())


class _Links(HTMLParser):
    """Collects what a page names and what a browser would load or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("href", "src", "action", "data", "srcset"):
                self.links.append(value or "")
            if name == "id" and value:
                self.ids.add(value)


def loaded_from_outside(page: str) -> list[str]:
    """Addresses on other machines that a page links to, and anything that it would load or run."""
    found = _Links(page)
    outside = [link for link in found.links if not link.startswith("/") or link.startswith("//")]
    outside += sorted(found.tags & {"script", "link", "img", "iframe", "object", "embed"})
    return outside + re.findall(r"url\(|@import", page)


class TestPages:
    def test_load_nothing_from_anywhere(self, door: Doorstep) -> None:
        response = door.get("/docs")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert loaded_from_outside(response.text) == []

    @pytest.mark.parametrize(
        "page",
        [
            '<script src="/own.js"></script>',
            '<link rel="stylesheet" href="https://outside.example/x.css">',
            '<a href="//outside.example">x</a>',
            "<style>body { background: url(x) }</style>",
        ],
    )
    def test_the_check_finds_what_is_loaded(self, page: str) -> None:
        assert loaded_from_outside(page) != []

    def test_lead_only_to_pages_that_exist(self, door: Doorstep) -> None:
        links = _Links(door.get("/docs").text).links
        assert links
        for link in links:
            # The staff's pages lead on to where people sign in.
            assert door.get(link).status_code in (200, 303)

    def test_speak_both_languages(self, door: Doorstep) -> None:
        page = door.get("/docs").text
        assert '<html lang="vi">' in page
        assert "gửi" in page
        assert 'lang="en"' in page

    def test_explain_every_problem_where_its_type_points(self, door: Doorstep) -> None:
        page = door.get("/docs").text
        ids = _Links(page).ids
        for body, content_type in ((b"{", JSON), (b"5", JSON), (b"{}", JSON), (b"", "text/plain")):
            address, _, anchor = door.post(body, content_type).json()["type"].partition("#")
            assert address == "/docs"
            assert anchor in ids
        assert set(KINDS) <= ids
        assert "never counted twice" in page

    def test_the_example_on_the_page_is_accepted(self, door: Doorstep) -> None:
        examples = re.findall(r"<pre>(\{.*?\})</pre>", door.get("/docs").text, re.DOTALL)
        (example,) = [text.replace("&quot;", '"') for text in examples]
        assert door.post(orjson.loads(example)).status_code == 202

"""POST /v1/events with NDJSON: each line is an act of its own."""

from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from services.intake.body import MAX_LINES
from services.intake.receive import MAX_ERRORS
from tests.unit.intake.door import LINES, Doorstep, event, parsed


def lines(*members: Any) -> bytes:
    """Members as NDJSON; bytes stand as they are."""
    return b"\n".join(m if isinstance(m, bytes) else orjson.dumps(m) for m in members)


def outcomes(document: dict[str, Any]) -> list[tuple[int, str]]:
    return [(line["index"], line["outcome"]) for line in document["lines"]]


def test_every_line_is_sent_as_it_came(door: Doorstep) -> None:
    sent = [orjson.dumps(event(n)) for n in (1, 2, 3)]
    response = door.post(lines(*sent) + b"\n", LINES)

    assert response.status_code == 202
    document = response.json()
    assert {name: document[name] for name in ("accepted", "unchanged", "repeats", "refused")} == {
        "accepted": 3,
        "unchanged": 0,
        "repeats": 0,
        "refused": 0,
    }
    assert [record.value for record in door.sink.records] == sent


def test_a_line_that_is_wrong_does_not_stop_the_others(door: Doorstep) -> None:
    wrong = event(2, data={"sex": "nam"})
    response = door.post(lines(event(1), b"", wrong, b"{", event(3), event(1)), LINES)

    assert response.status_code == 207
    document = response.json()
    assert outcomes(document) == [
        (0, "accepted"),
        (2, "refused"),
        (3, "refused"),
        (4, "accepted"),
        (5, "repeat"),
    ]
    assert (document["accepted"], document["repeats"], document["refused"]) == (2, 1, 2)
    errors = {line["index"]: line["errors"] for line in document["lines"] if line["errors"]}
    assert [(n, error["index"], error["field"]) for n, e in errors.items() for error in e] == [
        (2, 2, "data.sex"),
        (3, 3, ""),
    ]
    assert [orjson.loads(record.value)["subject"] for record in door.sink.records] == [
        event(1)["subject"],
        event(3)["subject"],
    ]
    assert door.metric("canhdich_intake_events_total", outcome="refused") == 2
    schema = door.get("/openapi.json").json()
    Draft202012Validator(
        {"$ref": "#/components/schemas/BulkReceipt", "components": schema["components"]}
    ).validate(document)


def test_what_is_refused_is_not_repeated(door: Doorstep) -> None:
    named = event(1, data={"ho_ten": "Lò Văn Pâng"}, subject="0912345678")
    response = door.post(lines(named, event(2)), LINES)

    assert response.status_code == 207
    assert "Pâng" not in response.text
    assert "0912345678" not in response.text


def test_a_conflict_is_the_lines_own(door: Doorstep) -> None:
    standing = event(1)
    door.knowledge.hashes[standing["subject"], parsed(standing).id] = parsed(standing).content_hash
    other = event(1, data={"sex": "male"})
    response = door.post(lines(other, standing, event(2), event(2, data={"sex": "male"})), LINES)

    assert response.status_code == 207
    assert outcomes(response.json()) == [(0, "refused"), (1, "unchanged"), (2, "accepted"), (3, "refused")]
    codes = [error["code"] for line in response.json()["lines"] for error in line["errors"]]
    assert codes == ["identity_conflict", "identity_conflict"]
    assert len(door.sink.records) == 1


def test_what_kafka_has_not_is_503_and_all_of_it_is_sent_again(door: Doorstep) -> None:
    door.sink.refused_keys = {event(2)["subject"].encode()}
    response = door.post(lines(event(1), b"{", event(2), event(2)), LINES)

    assert (response.status_code, response.headers["retry-after"]) == (503, "10")
    document = response.json()
    assert [(e["index"], e["outcome"]) for e in document["events"]] == [
        (0, "accepted"),
        (2, "unconfirmed"),
        (3, "unconfirmed"),
    ]
    assert [(error["index"], error["code"]) for error in document["errors"]] == [(1, "not_json")]
    door.sink.refused_keys = set()
    assert door.post(lines(event(1), event(2)), LINES).json()["accepted"] == 2


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "not-json"),
        (b"\n \r\n\n", 400, "not-json"),
        (b"{}\n" * (MAX_LINES + 1), 413, "too-large"),
        (b"x\n" * MAX_LINES, 422, "invalid"),
        (b"\xff\xfe\n" * MAX_ERRORS, 422, "invalid"),
    ],
)
def test_a_body_without_sense_is_refused_whole(door: Doorstep, body: bytes, status: int, kind: str) -> None:
    response = door.post(body, LINES)

    assert (response.status_code, response.json()["type"]) == (status, f"/docs#{kind}")
    assert len(response.json()["errors"]) <= MAX_ERRORS
    assert door.sink.records == []


def test_one_line_cannot_make_the_answer_grow_without_bound(door: Doorstep) -> None:
    flood = {str(n): 0 for n in range(6_000)}
    response = door.post(lines(*[flood] * 50, event(1)), LINES)

    assert response.status_code == 207
    assert response.json()["accepted"] == 1
    assert sum(len(line["errors"]) for line in response.json()["lines"]) <= MAX_ERRORS + 50


def test_carriage_returns_and_spaces_do_not_matter(door: Doorstep) -> None:
    body = b"  " + orjson.dumps(event(1)) + b" \r\n\r\n" + orjson.dumps(event(2)) + b"\r\n"
    assert door.post(body, LINES).status_code == 202
    assert len(door.sink.records) == 2

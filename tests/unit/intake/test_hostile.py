"""POST /v1/events: bodies that nobody should send."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from schemas.events import MAX_BYTES
from services.intake.body import MAX_BODY_BYTES, MAX_EVENTS
from services.intake.receive import MAX_ERRORS
from tests.unit.intake.door import BATCH, JSON, LINES, ONE, Doorstep, event

RAW = orjson.dumps(event())
TAIL = RAW[1:]
BROKEN_UTF8 = RAW.replace(b"/facilities", b"\xff\xfe")


def with_age(number: bytes) -> bytes:
    """An event with an age, written as given."""
    return RAW.replace(b'"2023-07-01"', b'"2023-07-01","age_years":' + number)


def padded(size: int) -> bytes:
    """A valid event of that many bytes."""
    return RAW + b" " * (size - len(RAW))


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        pytest.param(b"", JSON, 400, "not_json", id="empty"),
        pytest.param(b"   ", JSON, 400, "not_json", id="blank"),
        pytest.param(b"subject=1", JSON, 400, "not_json", id="form"),
        pytest.param(RAW[:-1], JSON, 400, "not_json", id="cut off"),
        pytest.param(RAW + RAW, JSON, 400, "not_json", id="two events in a row"),
        pytest.param(b"\xef\xbb\xbf" + RAW, JSON, 400, "not_json", id="byte order mark"),
        pytest.param(RAW.decode().encode("utf-16"), JSON, 400, "not_json", id="utf-16"),
        pytest.param(BROKEN_UTF8, JSON, 400, "not_json", id="not utf-8"),
        pytest.param(b"[" + BROKEN_UTF8 + b"]", JSON, 400, "not_json", id="not utf-8 in a list"),
        pytest.param(b"[" + RAW, JSON, 400, "not_json", id="open list"),
        pytest.param(b"[" + RAW + b",]", JSON, 400, "not_json", id="comma at the end"),
        pytest.param(b"[," + RAW + b"]", JSON, 400, "not_json", id="comma at the start"),
        pytest.param(b"[" + RAW + b" " + RAW + b"]", JSON, 400, "not_json", id="no comma"),
        pytest.param(b"[" + RAW + b"]]", JSON, 400, "not_json", id="closed twice"),
        pytest.param(b"[" + RAW + b"] x", JSON, 400, "not_json", id="something behind"),
        pytest.param(b"[", JSON, 400, "not_json", id="bracket"),
        pytest.param(b"[NaN]", JSON, 400, "not_json", id="nan in a list"),
        pytest.param(b"NaN", JSON, 400, "not_json", id="nan"),
        pytest.param(b"[" * 100_000, JSON, 400, "not_json", id="deep list"),
        pytest.param(b"[" * 5_000 + b"]" * 5_000, JSON, 400, "not_json", id="deep closed list"),
        pytest.param(b'{"a":' * 10_000, JSON, 400, "not_json", id="deep object"),
        pytest.param(b'{"data":' * 900 + b"1" + b"}" * 900, JSON, 400, "not_json", id="deep closed object"),
        pytest.param(b'[{"data":' + b"[" * 500 + b"]" * 500 + b"}]", JSON, 400, "not_json", id="deep member"),
        pytest.param(b"5", JSON, 400, "wrong_shape", id="number"),
        pytest.param(b'"event"', JSON, 400, "wrong_shape", id="text"),
        pytest.param(b"9" * 10_000, JSON, 400, "wrong_shape", id="very long number"),
        pytest.param(b"[" + RAW + b"]", ONE, 400, "wrong_shape", id="list for one"),
        pytest.param(RAW, BATCH, 400, "wrong_shape", id="one for a list"),
        pytest.param(b"{}", JSON, 422, "missing", id="empty object"),
        pytest.param(b"[[]]", JSON, 422, "not_object", id="list in a list"),
        pytest.param(b"[null]", JSON, 422, "not_object", id="null in a list"),
        pytest.param(b"[" + b"9" * 10_000 + b"]", JSON, 400, "not_json", id="very long number in a list"),
        pytest.param(with_age(b"NaN"), JSON, 422, "out_of_range", id="nan as a value"),
        pytest.param(with_age(b"1e999"), JSON, 422, "out_of_range", id="infinite"),
        pytest.param(b'{"subject":"LC-2",' + TAIL, JSON, 422, "duplicate_key", id="key twice"),
        pytest.param(
            b'[{"subject":"LC-2",' + TAIL + b"]", JSON, 422, "duplicate_key", id="key twice in a list"
        ),
        pytest.param(RAW.replace(b"LC-2023", b"\\ud800"), JSON, 400, "not_json", id="half a surrogate pair"),
        pytest.param(RAW.replace(b"LC-2023-000001", b"a\\u0000b"), JSON, 422, "bad_format", id="nul"),
    ],
)
def test_is_refused_and_nothing_is_sent(
    door: Doorstep, body: bytes, content_type: str, status: int, code: str
) -> None:
    response = door.post(body, content_type)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert code in {error["code"] for error in response.json()["errors"]}
    assert door.sink.records == []
    assert door.metric("canhdich_intake_open_bytes") == 0


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(BROKEN_UTF8, id="not utf-8"),
        pytest.param(b"\xef\xbb\xbf" + RAW, id="byte order mark"),
        pytest.param(RAW + RAW, id="two events in a row"),
        pytest.param(b"[" + RAW + b"]", id="a list"),
        pytest.param(b"9" * 10_000, id="very long number"),
        pytest.param(with_age(b"9" * 10_000), id="very long age"),
        pytest.param(with_age(b"-1e999"), id="infinite age"),
        pytest.param(with_age(b"NaN"), id="nan"),
        pytest.param(b'{"data":' * 900 + b"1" + b"}" * 900, id="deep object"),
        pytest.param(b"[" * 100_000, id="deep list"),
        pytest.param(b'{"subject":"LC-2",' + TAIL, id="key twice"),
        pytest.param(RAW.replace(b"LC-2023", b"\\ud800"), id="half a surrogate pair"),
        pytest.param(RAW.replace(b"LC-2023-000001", b"a\\u0000b"), id="nul"),
        pytest.param(RAW.replace(b"LC-2023-000001", b"'; drop table cases; --"), id="sql"),
        pytest.param(RAW.replace(b"LC-2023-000001", b"../../etc/passwd\\n"), id="path"),
        pytest.param(
            RAW.replace(b'"2023-07-01"', b'"2023-07-01","hamlet":"<script>alert(1)</script>"'), id="html"
        ),
        pytest.param(RAW.replace(b'"2023-07-01"', b"\"=cmd|' /C calc'!A0\""), id="formula"),
        pytest.param(padded(MAX_BYTES + 1), id="long"),
    ],
)
def test_a_hostile_line_is_refused_or_kept_as_text_and_the_others_go_on(door: Doorstep, line: bytes) -> None:
    good = [orjson.dumps(event(n)) for n in (7, 8)]
    response = door.post(b"\n".join([good[0], line, good[1]]), LINES)
    outcomes = [told["outcome"] for told in response.json()["lines"]]
    assert (response.status_code, outcomes) in (
        (207, ["accepted", "refused", "accepted"]),
        (202, ["accepted"] * 3),
    )
    sent = [record.value for record in door.sink.records]
    assert sent in (good, [good[0], line, good[1]])
    assert b"drop table" not in b"".join(sent)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"action":"verify","action":"dismiss","note":"x"}', 404),
        (b'{"action":"verify","instant":' + b"9" * 5_000 + b"}", 400),
        (b'{"action":"verify","instant":1e999}', 422),
        (b'{"action":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b'{"action":"verify","note":"\\ud800"}', 400),
        (b'{"action":"verify","note":"\xff"}', 400),
        (b'{"action":"verify","by":"a\\u0000b"}', 422),
        (b'{"action":"verify","by":"\' or 1=1 --"}', 422),
        (b'["verify"]', 422),
        (b"{" + b",".join(b'"%d":1' % n for n in range(20_000)) + b"}", 422),
    ],
)
def test_a_hostile_action_is_refused(door: Doorstep, body: bytes, status: int) -> None:
    path = "/v1/alerts/00000000-0000-0000-0000-000000000000/actions"
    response = door.request("POST", path, content=body, headers={"content-type": JSON})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.json()["errors"]) <= 100


@pytest.mark.parametrize(
    "question",
    [
        "disease='%20or%20'1'%3D'1",
        "disease=x;drop%20table%20alerts",
        "disease=%00",
        "disease=" + "a" * 10_000,
        "area=%EF%BC%91%EF%BC%92",
        "area=12%0a",
        "limit=1e3",
        "limit=" + "9" * 5_000,
        "limit=%EF%BC%99&limit=0",
        "open=%ff%fe",
        "cursor=../../etc/passwd",
        "cursor=" + "A" * 10_000,
        "__proto__=1",
        "&".join(f"x{n}=1" for n in range(2_000)),
    ],
)
def test_a_hostile_question_is_refused(door: Doorstep, question: str) -> None:
    response = door.get(f"/v1/alerts?{question}")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert "drop" not in response.text
    assert len(response.json()["errors"]) <= 100


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        (None, {}),
        ("", {}),
        ("text/plain", {}),
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/cloudevents+xml", {}),
        ("application/json; charset=utf-16", {}),
        ("application/json, application/json", {}),
        (JSON, {"content-encoding": "gzip"}),
    ],
)
def test_another_content_type_is_not_taken(
    door: Doorstep, content_type: str | None, headers: dict[str, str]
) -> None:
    response = door.post(RAW, content_type, **headers)
    assert response.status_code == 415
    assert response.json()["type"] == "/docs#unsupported-media-type"
    assert door.sink.records == []


class TestLimits:
    def test_an_event_of_64_kilobytes_and_no_more(self, door: Doorstep) -> None:
        assert door.post(padded(MAX_BYTES)).status_code == 202
        response = door.post(padded(MAX_BYTES + 1))
        assert response.status_code == 413
        (error,) = response.json()["errors"]
        assert (error["index"], error["code"]) == (0, "too_large")

    def test_a_list_says_which_event_is_too_large(self, door: Doorstep) -> None:
        large = event(2, data={"hamlet": "x" * MAX_BYTES})
        response = door.post([event(1), large, event(3, data={"sex": "nam"})])
        assert response.status_code == 413
        assert [(e["index"], e["code"]) for e in response.json()["errors"]] == [
            (1, "too_large"),
            (2, "not_allowed"),
        ]
        assert door.sink.records == []

    def test_a_thousand_events_and_no_more(self, door: Doorstep) -> None:
        events = [event(n) for n in range(1, MAX_EVENTS + 2)]
        assert door.post(events).status_code == 413
        assert door.sink.records == []
        assert door.post(events[:-1]).json()["accepted"] == MAX_EVENTS

    def test_five_megabytes_and_no_more(self, door: Doorstep) -> None:
        whole = b"[" + b",".join(padded(60_000) for _ in range(80)) + b"]"
        assert door.post(whole + b" " * (MAX_BODY_BYTES - len(whole))).status_code == 202
        too_much = door.post(whole + b" " * (MAX_BODY_BYTES - len(whole) + 1))
        assert too_much.status_code == 413
        assert too_much.json()["type"] == "/docs#too-large"

    def test_five_megabytes_also_when_no_length_is_declared(self, door: Doorstep) -> None:
        taken = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal taken
            while True:
                taken += 1
                yield b" " * 1_000_000

        assert door.post(endless()).status_code == 413
        assert taken == 6
        assert door.metric("canhdich_intake_open_bytes") == 0

    def test_a_body_that_never_ends_is_given_up(self) -> None:
        async def stuck() -> AsyncIterator[bytes]:
            yield b"["
            await asyncio.Event().wait()

        with Doorstep(body_seconds=0.05) as door:
            response = door.post(stuck())
            assert response.status_code == 408
            assert response.json()["type"] == "/docs#too-slow"
            assert door.metric("canhdich_intake_open_bytes") == 0

    def test_too_much_at_the_same_time_is_put_off(self) -> None:
        # Together they are more than is held at a time, so the first has to be answered before the second.
        with Doorstep(max_open_bytes=int(len(RAW) * 1.5), send_seconds=0.05) as door:
            door.sink.hangs = True
            statuses = sorted(response.status_code for response in door.requests(RAW, RAW))
            assert statuses == [503, 503]
            assert door.metric("canhdich_intake_refused_total", reason="busy") == 1
            door.sink.hangs = False
            response = door.post(RAW)
            assert response.status_code == 202

    def test_a_busy_answer_says_when_to_come_again(self) -> None:
        with Doorstep(max_open_bytes=10) as door:
            response = door.post(RAW)
            assert (response.status_code, response.headers["retry-after"]) == (503, "10")
            assert response.json()["type"] == "/docs#busy"
            assert "events" not in response.json()

    def test_the_answer_to_a_flood_of_faults_is_bounded(self, door: Doorstep) -> None:
        flood = orjson.dumps({str(n): 0 for n in range(6_000)})
        response = door.post(b"[" + b",".join([flood] * 50) + b"]")
        assert response.status_code == 422
        assert len(response.json()["errors"]) == MAX_ERRORS

"""From a request's body to the bytes of its events. Nothing here looks into an event."""

import json
from typing import NoReturn

from services.intake.problems import Refused

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_EVENTS = 1_000
MAX_LINES = 10_000
ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EITHER = "application/json"
LINES = "application/x-ndjson"
MEDIA_TYPES = (ONE, BATCH, EITHER, LINES)

_WHITESPACE = " \t\r\n"


def check_media_type(content_type: str | None, content_encoding: str | None) -> str:
    """Which of MEDIA_TYPES a request has.

    Raises:
        Refused: none of them, or another encoding than plain UTF-8.
    """
    media_type, *parameters = [part.strip().lower() for part in (content_type or "").split(";")]
    charsets = [
        part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")
    ]
    if (
        media_type not in MEDIA_TYPES
        or any(charset not in ("utf-8", "utf8", "us-ascii") for charset in charsets)
        or (content_encoding or "identity").strip().lower() != "identity"
    ):
        raise Refused("unsupported-media-type")
    return media_type


def split_body(body: bytes, media_type: str) -> list[bytes]:
    """The bytes of each event, exactly as sent.

    A single event is returned unread. Of a list each member is cut out as it stands, so that whoever judges
    it sees also what a parser would drop, such as a key that stands twice.

    Args:
        body: As sent.
        media_type: One of MEDIA_TYPES, but not LINES.

    Raises:
        Refused: the body is no JSON, has another shape than its media type says, or too many events.
    """
    start = body.lstrip(_WHITESPACE.encode())[:1]
    if start == b"{" and media_type != BATCH:
        return [body]
    if start == b"[" and media_type != ONE:
        return _members(body)
    try:
        json.loads(body.decode(), parse_int=float, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refused("not-json") from None
    raise Refused("wrong-shape")


def split_lines(body: bytes) -> list[tuple[int, bytes]]:
    """The lines of NDJSON that hold something, each with its place from 0; what they hold is not read.

    Raises:
        Refused: there is none, or there are too many.
    """
    blank = _WHITESPACE.encode()
    lines = [(place, line) for place, line in enumerate(body.split(b"\n")) if line.strip(blank)]
    if not lines:
        raise Refused("not-json")
    if len(lines) > MAX_LINES:
        raise Refused("too-large")
    return lines


def _refuse_constant(_name: str) -> NoReturn:
    # Python reads NaN and Infinity, JSON has no such values.
    raise ValueError


# Whole numbers are read as floats because Python refuses to read very long ones.
_scan = json.JSONDecoder(parse_int=float, parse_constant=_refuse_constant).raw_decode


def _members(body: bytes) -> list[bytes]:
    """Cut a JSON array into its members."""
    members: list[bytes] = []
    try:
        text = body.decode()
        position = _skip(text, _skip(text, 0) + 1)
        separator = ","
        if text[position] == "]":
            position, separator = position + 1, "]"
        while separator == ",":
            if len(members) == MAX_EVENTS:
                raise Refused("too-large")
            start = _skip(text, position)
            _, end = _scan(text, start)
            members.append(text[start:end].encode())
            position = _skip(text, end)
            separator = text[position]
            position += 1
        if separator != "]" or _skip(text, position) != len(text):
            raise Refused("not-json")
    except (ValueError, IndexError, RecursionError):
        raise Refused("not-json") from None
    return members


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _WHITESPACE:
        position += 1
    return position

"""Repairing a dead letter and sending it again: the same for the command and for the staff's page. Blocks."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import orjson

from schemas.events import DOOR_MAX_AHEAD, parse_event
from schemas.events.fields import FIELDS, Kind
from services.settings import Settings
from streams.domain.errors import ConfigurationError
from streams.domain.positions import TOPIC
from streams.stores.broker import Producer, errors_translated

_NUMBERS: Final = frozenset({Kind.NUMBER, Kind.WHOLE})
_SEND_SECONDS: Final = 60


class CannotRepair(ConfigurationError):
    """A repair that has no place in the record; its text is "Vietnamese / English"."""


def value_of(path: str, text: str) -> Any:
    """What somebody typed for a field: text, but where the field holds numbers, and for JSON's own signs.

    >>> value_of("data.area_code", "109"), value_of("data.age_years", "34"), value_of("data.onset_on", "null")
    ('109', 34, None)
    """
    info = FIELDS.get(path.rpartition(".")[2])
    is_number = info is not None and info.kind in _NUMBERS
    if is_number or text in ("null", "true", "false") or text[:1] in ('"', "{", "["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def repaired(
    record: bytes, changes: Mapping[str, Any], removed: Iterable[str] = (), *, has_new_id: bool = False
) -> bytes:
    """A record with some of its fields changed.

    Args:
        record: JSON, as stored or as somebody has written it anew.
        changes: Path of a field, such as data.onset_on → its value.
        removed: Paths of fields to leave out; those that are not there are out already.
        has_new_id: Give it an event id of its own: the old one was used for something else.

    Raises:
        CannotRepair: it is no JSON object, or has no such place.
    """
    try:
        event = orjson.loads(record)
    except orjson.JSONDecodeError:
        event = None
    if not isinstance(event, dict):
        raise CannotRepair(
            "Bản ghi không phải JSON: hãy viết lại toàn bộ bản ghi. / The record is no JSON: give the whole "
            "repaired event."
        )
    for path, value in changes.items():
        place, name = _place(event, path)
        place[name] = value
    for path in removed:
        place, name = _place(event, path)
        place.pop(name, None)
    if has_new_id:
        event["id"] = str(uuid4())
    return orjson.dumps(event)


def resend(configured: Settings, topic: str, raw: bytes) -> None:
    """Check a record and let Kafka have it, under its subject.

    Args:
        configured: Where Kafka is.
        topic: From where the dead letter came.
        raw: The whole event.

    Raises:
        InvalidEvent: it is still none; nothing was sent.
        DependencyDown: Kafka has not acknowledged it.
    """
    event = parse_event(raw, now=datetime.now(UTC), max_ahead=DOOR_MAX_AHEAD)
    with closing(Producer(configured.kafka, configured.topic_prefix)) as producer, errors_translated():
        name = topic.removeprefix(configured.topic_prefix) or TOPIC
        producer.send(name, event.subject.encode(), raw).get(timeout=_SEND_SECONDS)


def _place(event: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *parents, name = path.split(".")
    place: Any = event
    for parent in parents:
        place = place.get(parent) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise CannotRepair(f"{path}: bản ghi không có chỗ này. / The record has no such place.")
    return place, name

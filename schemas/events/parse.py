"""Reads one record into an event, or says everything that is wrong with it; writes events the same way."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple, Required
from urllib.parse import unquote
from uuid import UUID

import orjson
from pydantic import Field, TypeAdapter, ValidationError, with_config
from pydantic_core import from_json

from schemas.events.case_reported import CaseReportedV1
from schemas.events.case_retracted import CaseRetractedV1
from schemas.events.case_updated import CaseUpdatedV1
from schemas.events.common import (
    ANY_SUBJECT_PATTERN,
    CASE_RETRACTED,
    CASE_UPDATED,
    DOOR_MAX_AHEAD,
    EARLIEST_DATE,
    EARLIEST_INSTANT,
    EVENT_TYPES,
    FOCUS_REPORTED,
    LOCAL_TIMEZONE,
    MAX_BYTES,
    MAX_PERIOD_AHEAD,
    MAX_PROBLEMS,
    STRICT,
    TALLY_REPORTED,
    Envelope,
    Event,
    EventId,
    Instant,
    InvalidEvent,
    Problem,
)
from schemas.events.fields import ATTRIBUTES, FIELDS, Kind
from schemas.events.focus_reported import FocusReportedV1
from schemas.events.identifiers import find_identifier, find_identifier_cached
from schemas.events.messages import PYDANTIC_CODES, make_problem
from schemas.events.tally_reported import TallyReportedV1

EVENT_MODELS: Mapping[str, Any] = {
    "vn.canhdich.case.reported.v1": CaseReportedV1,
    "vn.canhdich.case.updated.v1": CaseUpdatedV1,
    "vn.canhdich.case.retracted.v1": CaseRetractedV1,
    "vn.canhdich.tally.reported.v1": TallyReportedV1,
    "vn.canhdich.focus.reported.v1": FocusReportedV1,
}


@with_config(STRICT)
class _AnyEvent(Envelope, total=False):
    """The attributes alone, for a record whose type is unknown and whose data nobody can judge."""

    type: Any
    subject: Required[Annotated[str, Field(pattern=ANY_SUBJECT_PATTERN)]]
    data: Required[dict[str, Any]]


_EVENTS: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        CaseReportedV1 | CaseUpdatedV1 | CaseRetractedV1 | TallyReportedV1 | FocusReportedV1,
        Field(discriminator="type"),
    ]
)
_ATTRIBUTES_ONLY: TypeAdapter[Any] = TypeAdapter(_AnyEvent)
_KEY = re.compile(rb"[A-Za-z0-9._/|-]{1,200}")
_EVENT_ID: TypeAdapter[UUID] = TypeAdapter(EventId)
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_FAR_FUTURE = datetime(9000, 1, 1, tzinfo=UTC)
_KINDS: Mapping[str, Kind] = {name: info.kind for name, info in FIELDS.items() if info.kind is not None}
# Looked up once: reaching a member through its class takes longer than the comparison.
_FREE, _DATE, _PERIOD_END, _DATE_OR_INSTANT = Kind.FREE, Kind.DATE, Kind.PERIOD_END, Kind.DATE_OR_INSTANT
_NUMBER, _WHOLE, _LAB = Kind.NUMBER, Kind.WHOLE, Kind.LAB
# Pairs within one event of which the second cannot come before the first.
_DATE_ORDER: Mapping[str, tuple[tuple[str, str], ...]] = {
    "vn.canhdich.case.reported.v1": (("onset_on", "died_at"), ("admitted_on", "discharged_on")),
    "vn.canhdich.case.updated.v1": (("onset_on", "died_at"), ("admitted_on", "discharged_on")),
    "vn.canhdich.case.retracted.v1": (),
    "vn.canhdich.tally.reported.v1": (("period_start", "period_end"),),
    "vn.canhdich.focus.reported.v1": (("started_on", "ended_on"), ("first_onset_on", "last_onset_on")),
}


class _Fault(NamedTuple):
    """A fault before it is put into words."""

    path: tuple[str, ...]
    code: str
    details: dict[str, Any]


def parse_event(
    raw: bytes | str, *, now: datetime, max_ahead: timedelta, types: frozenset[str] | None = None
) -> Event:
    """Read one CloudEvent (structured JSON) and check everything that it alone can be judged by.

    Args:
        raw: The record's value, at most 64 kB of UTF-8.
        now: What counts as now, with its offset: the clock at the door, known_at in the stream (so that a
            replay judges the same).
        max_ahead: How far `time` and the instants in the data may lie after now.
        types: The event types that belong here; None allows all.

    Returns:
        The event with typed values. Free text is in NFC and without outer spaces.

    Raises:
        InvalidEvent: with all its problems. Nothing else is raised, whatever the bytes.
    """
    try:
        content = raw.encode() if isinstance(raw, str) else raw
    except UnicodeEncodeError:
        raise InvalidEvent((make_problem("", "not_json"),)) from None
    event = _sound(content, now, max_ahead, types)
    hashed = blake2b(_canonical(event), digest_size=32).digest()
    return Event(
        event["id"], event["source"], event["type"], event["subject"], event["time"], event["data"], hashed
    )


def _sound(
    raw: bytes, now: datetime, max_ahead: timedelta, types: frozenset[str] | None = None
) -> dict[str, Any]:
    """An event's parts; InvalidEvent where it has any fault."""
    event, faults = _judge(raw, now, max_ahead, types)
    if faults:
        raise InvalidEvent(_problems(faults, event.get("type")))
    return event


def to_json(event: Event) -> bytes:
    """The event's canonical JSON: keys sorted, UTC, no spaces. Its BLAKE2b-256 is the content hash."""
    return _canonical(
        {
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "subject": event.subject,
            "time": event.time,
            "data": event.data,
        }
    )


def build_event(
    *,
    subject: str,
    type: str,
    data: Mapping[str, Any],
    time: datetime,
    source: str,
    id: UUID,
    now: datetime | None = None,
    max_ahead: timedelta = DOOR_MAX_AHEAD,
) -> bytes:
    """Make a record out of its parts, for producers (importers, forms, the demo).

    Args:
        subject: The case's own code.
        type: One of `EVENT_TYPES`.
        data: Only the fields to send; dates may be `date`, instants aware `datetime`.
        time: When the fact was recorded, with its offset.
        source: URI reference of the sender.
        id: The event's own UUID.
        now: What the dates are judged by; None is the clock.
        max_ahead: How far `time` may lie after now.

    Returns:
        The canonical JSON, ready to be sent.

    Raises:
        InvalidEvent: as `parse_event`; a naive `time` or instant counts as badly written.
    """
    try:
        raw = orjson.dumps(
            {
                "specversion": "1.0",
                "id": id,
                "source": source,
                "type": type,
                "subject": subject,
                "time": time,
                "data": data,
            }
        )
    except TypeError:
        raise InvalidEvent((make_problem("", "not_json"),)) from None
    return _canonical(_sound(raw, now or datetime.now(UTC), max_ahead))


def redact(raw: bytes) -> bytes:
    """Take out of a record what may identify a person, for the dead letters.

    Values of unknown fields, values of the wrong form and suspected identifiers become `{"redacted": true}`,
    which no field accepts, so that a redacted record cannot slip back in. What is merely wrong (a date in the
    future, a missing field) stays readable.

    Args:
        raw: The record's value, valid or not.

    Returns:
        The same bytes where nothing had to go, else JSON; of a record that is no JSON object only its size.
    """
    event, faults = _judge(raw, _FAR_FUTURE, timedelta(0), None)
    if not faults:
        return raw
    try:
        document = from_json(raw) if len(raw) <= MAX_BYTES else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return orjson.dumps({"redacted": True, "bytes": len(raw)})
    hidden = {fault.path[:2] for fault in faults if fault.code not in _READABLE and fault.path}
    if event.get("type") not in EVENT_TYPES:
        hidden.add(("data",))
    return orjson.dumps(_without(document, hidden, ()))


def redact_key(key: bytes) -> bytes:
    """The key of a record for the dead letters: as it is if it could be a subject, else only its size."""
    if _KEY.fullmatch(key) and find_identifier(key.decode("ascii")) is None:
        return key
    return orjson.dumps({"redacted": True, "bytes": len(key)})


# Faults of values that have the right form and name nobody.
_READABLE = frozenset(
    {
        "missing",
        "not_null",
        "too_early",
        "in_future",
        "impossible_order",
        "impossible_number",
        "needs_area_code",
        "needs_duplicate_of",
        "duplicate_of_not_allowed",
        "duplicate_of_itself",
        "empty",
        "subject_mismatch",
        "duplicate_key",
    }
)


def _without(document: dict[str, Any], hidden: set[tuple[str, ...]], path: tuple[str, ...]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in document.items():
        known_name = _safe_name(name) or f"redacted_{len(kept)}"
        if (*path, name) in hidden:
            kept[known_name] = {"redacted": True}
        elif name == "data" and not path and isinstance(value, dict):
            kept[known_name] = _without(value, hidden, ("data",))
        else:
            kept[known_name] = value
    return kept


def _canonical(event: Mapping[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "data": event["data"],
            "datacontenttype": "application/json",
            "id": event["id"],
            "source": event["source"],
            "specversion": "1.0",
            "subject": event["subject"],
            "time": event["time"],
            "type": event["type"],
        },
        option=orjson.OPT_SORT_KEYS,
    )


def _safe_name(name: str) -> str | None:
    """A field's name as it may be shown, None where it could itself say who somebody is."""
    if (
        name.isascii()
        and name.replace("_", "").isalnum()
        and len(name) <= 64
        and find_identifier(name) is None
    ):
        return name
    return None


def _problems(faults: list[_Fault], event_type: str | None) -> tuple[Problem, ...]:
    """The faults in words, each once; of thousands of unknown fields only the first, and how many follow."""
    problems = dict.fromkeys(
        make_problem(_dotted(fault.path), fault.code, event_type, **fault.details)
        for fault in faults[:MAX_PROBLEMS]
    )
    if len(faults) > MAX_PROBLEMS:
        problems[make_problem("", "and_more", count=len(faults) - MAX_PROBLEMS)] = None
    return tuple(problems)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(_safe_name(part) or "?" for part in path)


def _judge(
    raw: bytes, now: datetime, max_ahead: timedelta, types: frozenset[str] | None
) -> tuple[dict[str, Any], list[_Fault]]:
    """Validate; give the event's parts (as far as they are sound) and every fault."""
    if len(raw) > MAX_BYTES:
        return {}, [_Fault((), "too_large", {})]
    faults: list[_Fault] = []
    try:
        event = _EVENTS.validate_json(raw)
    except ValidationError as error:
        event = _sound_parts(raw, error, faults)
        if not event:
            return event, faults
        faults.extend(_repeated_keys(raw))
    else:
        if raw.count(b'"') != 2 * _count_strings(event):
            faults.extend(_repeated_keys(raw))
    if types is not None and event.get("type") in EVENT_TYPES and event["type"] not in types:
        faults.append(_Fault(("type",), "unexpected_type", {"types": types}))
    _check_attributes(event, now + max_ahead, faults)
    data = event.get("data")
    if data is not None and "type" in event:
        _check_data(data, event["type"], now, max_ahead, faults)
        _check_together(event, data, faults)
    return event, faults


def _sound_parts(raw: bytes, error: ValidationError, faults: list[_Fault]) -> dict[str, Any]:
    """List the faults that pydantic found; give the parts of the record that have none."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        faults.append(_Fault((), "not_json", {}))
        return {}
    document = from_json(raw)
    if not isinstance(document, dict):
        faults.append(_Fault((), "not_object", {}))
        return {}
    tagged = not found[0]["type"].startswith("union_tag")
    if not tagged:
        faults.append(_Fault(("type",), PYDANTIC_CODES[found[0]["type"]], {}))
        try:
            _ATTRIBUTES_ONLY.validate_json(raw)
            found = []
        except ValidationError as attributes_error:
            found = attributes_error.errors(include_url=False, include_input=False, include_context=False)
    broken: set[tuple[str, ...]] = set()
    for fault in found:
        # The first step of a location is the union's tag.
        path = tuple(str(step) for step in fault["loc"][1 if tagged else 0 :] if step != "[key]")
        code = PYDANTIC_CODES[fault["type"]]
        if code == "wrong_type" and _is_null(document, path):
            code = "not_null"
        broken.add(path[:2])
        if not (path == ("type",) and not tagged):
            faults.append(_Fault(path, code, {}))
    event = {name: value for name, value in document.items() if name in ATTRIBUTES and (name,) not in broken}
    if not tagged:
        event.pop("type", None)
        event.pop("data", None)
    elif isinstance(event.get("data"), dict):
        event["data"] = {name: value for name, value in event["data"].items() if ("data", name) not in broken}
    if "id" in event:
        event["id"] = _EVENT_ID.validate_python(event["id"])
    if "time" in event:
        event["time"] = _INSTANT.validate_python(event["time"])
    # An envelope without any sound part still has its faults reported.
    return event or {"specversion": None}


def _count_strings(event: dict[str, Any]) -> int:
    """How many strings, keys included, the shortest JSON of this content has.

    In JSON every string has two quotes. A key that stands twice, and a quote within a text, bring more: only
    then is the record read again for keys that stand twice.
    """
    count = 2 * len(event) - 1
    data = event["data"]
    for part in (data, data.get("lab"), data.get("external_ids")):
        if part:
            count += len(part) + list(map(type, part.values())).count(str)
    return count


def _is_null(document: dict[str, Any], path: tuple[str, ...]) -> bool:
    value: Any = document
    for step in path:
        value = value[step]
    return value is None


def _repeated_keys(raw: bytes) -> Iterator[_Fault]:
    repeated: dict[str, None] = {}

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                repeated[name] = None
            seen.add(name)

    json.loads(raw, object_pairs_hook=look, parse_int=float)
    for name in repeated:
        yield _Fault((name,) if name in ATTRIBUTES else ("data", name), "duplicate_key", {})


def _check_attributes(event: dict[str, Any], latest: datetime, faults: list[_Fault]) -> None:
    subject = event.get("subject")
    if isinstance(subject, str):
        kind = find_identifier(subject)
        if kind is not None:
            faults.append(_Fault(("subject",), "identifier", {"kind": kind}))
    source = event.get("source")
    if source is not None:
        kind = find_identifier_cached(unquote(source) if "%" in source else source)
        if kind is not None:
            faults.append(_Fault(("source",), "identifier", {"kind": kind}))
    instant = event.get("time")
    if instant is not None:
        event["time"] = _check_instant(instant, latest, ("time",), faults)


def _check_instant(
    instant: datetime, latest: datetime, path: tuple[str, ...], faults: list[_Fault]
) -> datetime | None:
    """The instant in UTC, None where UTC's calendar does not reach."""
    try:
        instant = instant.astimezone(UTC)
    except OverflowError:
        faults.append(_Fault(path, "bad_format", {}))
        return None
    if instant < EARLIEST_INSTANT:
        faults.append(_Fault(path, "too_early", {}))
    elif instant > latest:
        faults.append(_Fault(path, "in_future", {}))
    return instant


def _check_data(
    data: dict[str, Any], event_type: str, now: datetime, max_ahead: timedelta, faults: list[_Fault]
) -> None:
    """Turn the values into their types, in place, and judge each by itself."""
    today = now.astimezone(LOCAL_TIMEZONE).date()
    for name, value in data.items():
        kind = _KINDS.get(name)
        if kind is None or value is None:
            continue
        if kind is _FREE:
            identifier = find_identifier_cached(value)
            if identifier is not None:
                faults.append(_Fault(("data", name), "identifier", {"kind": identifier}))
        elif kind is _DATE or kind is _PERIOD_END or (kind is _DATE_OR_INSTANT and len(value) == 10):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                data[name] = None
                faults.append(_Fault(("data", name), "bad_format", {}))
                continue
            data[name] = day
            if day < EARLIEST_DATE:
                faults.append(_Fault(("data", name), "too_early", {}))
            elif day > today and (kind is not _PERIOD_END or day > today + MAX_PERIOD_AHEAD):
                faults.append(_Fault(("data", name), "in_future", {}))
        elif kind is _NUMBER:
            # Adding zero makes -0.0 plain zero.
            data[name] = float(value) + 0.0
        elif kind is _WHOLE:
            data[name] = int(value)
        elif kind is _DATE_OR_INSTANT:
            try:
                instant = _INSTANT.validate_python(value)
            except ValidationError:
                data[name] = None
                faults.append(_Fault(("data", name), "bad_format", {}))
                continue
            data[name] = _check_instant(instant, now + max_ahead, ("data", name), faults)
        elif kind is _LAB:
            for agent in value:
                identifier = find_identifier_cached(agent)
                if identifier is not None:
                    faults.append(_Fault(("data", name), "identifier", {"kind": identifier}))
        else:
            for system, code in value.items():
                identifier = find_identifier_cached(system) or find_identifier(code)
                if identifier is not None:
                    faults.append(_Fault(("data", name, system), "identifier", {"kind": identifier}))
    if event_type == FOCUS_REPORTED and data.get("hospitalised") is not None:
        data["hospitalised"] = int(data["hospitalised"])


def _local_day(value: date | datetime) -> date:
    return value.astimezone(LOCAL_TIMEZONE).date() if isinstance(value, datetime) else value


def _check_together(event: dict[str, Any], data: dict[str, Any], faults: list[_Fault]) -> None:
    """Judge what fields say about each other: only what cannot be, never what is merely odd."""
    event_type = event["type"]
    for first, second in _DATE_ORDER[event_type]:
        start, end = data.get(first), data.get(second)
        if start is not None and end is not None and _local_day(end) < _local_day(start):
            details = {"other": first, "other_value": _local_day(start).isoformat()}
            faults.append(_Fault(("data", second), "impossible_order", details))
    if "area_on" in data and (
        "area_code" not in data or (data["area_on"] is not None and data["area_code"] is None)
    ):
        faults.append(_Fault(("data", "area_on"), "needs_area_code", {}))
    if event_type == CASE_UPDATED:
        if not data and not any(fault.path[:1] == ("data",) for fault in faults):
            faults.append(_Fault(("data",), "empty", {}))
    elif event_type == CASE_RETRACTED:
        _check_retraction(event, data, faults)
    elif event_type == TALLY_REPORTED:
        _check_tally_subject(event, data, faults)
    elif event_type == FOCUS_REPORTED:
        samples, positives = data.get("samples"), data.get("positives")
        if samples is not None and positives is not None and positives > samples:
            details = {"other": "samples", "other_value": samples}
            faults.append(_Fault(("data", "positives"), "impossible_number", details))


def _check_retraction(event: dict[str, Any], data: dict[str, Any], faults: list[_Fault]) -> None:
    kept = data.get("duplicate_of")
    reason = data.get("reason")
    path = ("data", "duplicate_of")
    if any(fault.path == path for fault in faults):
        return
    if reason == "duplicate" and kept is None:
        faults.append(_Fault(path, "needs_duplicate_of", {}))
    elif reason == "entered_in_error" and kept is not None:
        faults.append(_Fault(path, "duplicate_of_not_allowed", {}))
    elif kept is not None and kept == event.get("subject"):
        faults.append(_Fault(path, "duplicate_of_itself", {}))


def _check_tally_subject(event: dict[str, Any], data: dict[str, Any], faults: list[_Fault]) -> None:
    parts = [data.get(name) for name in ("indicator", "disease", "area_code", "period_start", "period_end")]
    subject = event.get("subject")
    if subject is not None and None not in parts and subject != "|".join(map(str, parts)):
        faults.append(_Fault(("subject",), "subject_mismatch", {}))

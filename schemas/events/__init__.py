"""The events of the contract: their fields, their limits, and how a record becomes an event."""

from schemas.events.common import (
    CASE_REPORTED,
    CASE_RETRACTED,
    CASE_TYPES,
    CASE_UPDATED,
    DOOR_MAX_AHEAD,
    EVENT_TYPES,
    FOCUS_REPORTED,
    FOCUS_TYPES,
    LOCAL_TIMEZONE,
    MAX_BYTES,
    STREAM_MAX_AHEAD,
    TALLY_REPORTED,
    TALLY_TYPES,
    Event,
    InvalidEvent,
    Problem,
)
from schemas.events.identifiers import find_identifier
from schemas.events.parse import build_event, parse_event, redact, redact_key, to_json
from schemas.events.tally_reported import TALLY_FLOWS, TALLY_STOCKS

__all__ = [
    "CASE_REPORTED",
    "CASE_RETRACTED",
    "CASE_TYPES",
    "CASE_UPDATED",
    "DOOR_MAX_AHEAD",
    "EVENT_TYPES",
    "FOCUS_REPORTED",
    "FOCUS_TYPES",
    "LOCAL_TIMEZONE",
    "MAX_BYTES",
    "STREAM_MAX_AHEAD",
    "TALLY_FLOWS",
    "TALLY_REPORTED",
    "TALLY_STOCKS",
    "TALLY_TYPES",
    "Event",
    "InvalidEvent",
    "Problem",
    "build_event",
    "find_identifier",
    "parse_event",
    "redact",
    "redact_key",
    "to_json",
]

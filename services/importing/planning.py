"""A row against the last one of its source and case: the event to send, or nothing. Pure.

Only what the source changed is sent, so that a correction made by hand meanwhile stands. An area's code is
read once, on the day of the event that brings it: a corrected date never moves a case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import orjson

from schemas.events import CASE_REPORTED, CASE_UPDATED, LOCAL_TIMEZONE, InvalidEvent, build_event
from services.importing.codes import CodeFinder
from services.importing.line_list import CaseRow
from services.importing.outcome import BadCell, Fault, Repair, column_fault
from services.importing.vocabulary import EXTERNAL_IDS, LAB

_NAMESPACE = UUID("0d8b2c86-6f0e-4c67-9d1f-5a3f7c1e9b42")
_STEP = timedelta(microseconds=1)
_AREAS = ("area_code", "origin_area_code")
_ANY_CODE = "00"


@dataclass(frozen=True, slots=True)
class Known:
    """The last row of a source and a case.

    Attributes:
        fields: What that row said, with what earlier rows said in columns that it did not have.
        event_id: Of the last event sent.
        event_time: Of the last event sent, UTC.
        given_time: The event time that the row itself gave, None where it gave none.
        rows: Digests of the case's rows in the last file that had any, in order.
        given: Event id that a row gave → digest of that row.
    """

    fields: Mapping[str, Any]
    event_id: UUID
    event_time: datetime
    given_time: datetime | None = None
    rows: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to remember of a case, and the event to send, None where the row says nothing new.

    `changed` names the fields that an update sends, `data` is what the event says.
    """

    known: Known
    event: bytes | None
    is_first: bool
    repairs: tuple[Repair, ...]
    changed: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


class Refused(ValueError):
    """A row that must not be sent."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message_en for fault in faults))
        self.faults = faults


def make_plan(
    row: CaseRow,
    known: Known | None,
    *,
    at: datetime,
    source: str,
    codes: CodeFinder,
    now: datetime,
    rows: tuple[str, ...] = (),
    given: Mapping[str, str] | None = None,
) -> Plan:
    """Compare a row with the last one of its case.

    Args:
        row: What the file says.
        known: What the source said last of this case.
        at: The time of the event, should there be one; moved on where the last one is not before it.
        source: Who says so, a URI reference.
        codes: The catalogue.
        now: The clock, for dates in the future.
        rows: Digests to remember.
        given: Event ids to remember.

    Raises:
        Refused: the row is no case, or contradicts itself.
    """
    before = known.fields if known else {}
    fields = {name: value for name, value in before.items() if not _says(row, name)}
    fields.update(row.values)
    if known and row.event_time in (None, known.given_time):
        at = max(at, known.event_time + _STEP)

    def build(event_type: str, data: Mapping[str, Any], event_id: UUID) -> bytes:
        try:
            return build_event(
                subject=row.case_id, type=event_type, data=data, time=at, source=source, id=event_id, now=now
            )
        except InvalidEvent as invalid:
            raise Refused(*map(column_fault, invalid.problems)) from None

    areas = _find_areas(row, fields, before, at, codes)
    if areas.faults:
        # The rest of the row is judged too: a date that is wrong is why a code has no meaning on it.
        stand_in = {fault.field: _ANY_CODE for fault in areas.faults}
        try:
            build(CASE_REPORTED, _nested({**fields, **stand_in}, fields), row.event_id or _NAMESPACE)
        except Refused as refused:
            wrong = {fault.field for fault in refused.faults}
            kept = () if _area_field(fields) in wrong else areas.faults
            raise Refused(*refused.faults, *kept) from None
        raise Refused(*areas.faults)

    changed = _nested(_changes(before, fields), fields) if known else {}
    if "area_code" in changed or changed.get("area_on"):
        # The day on which the row's code was read may not be among what changed.
        changed.update(area_code=fields.get("area_code"), area_on=_area_day(fields, at))
    else:
        # By itself it says nothing.
        changed.pop("area_on", None)
    if known and not changed:
        known = replace(known, fields=fields, given_time=row.event_time, rows=rows, given=given or {})
        return Plan(known, None, False, areas.repairs)
    content = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
    event_id = row.event_id or uuid5(
        _namespace(source), f"{row.case_id}\n{content}\n{known.event_id if known else ''}"
    )
    # The row as a whole first: a change that is sound by itself may contradict what the row said before.
    whole = _nested(fields, fields)
    if areas.is_named:
        whole["area_on"] = _area_day(fields, at)
    event = build(CASE_REPORTED, whole, event_id)
    if known:
        event = build(CASE_UPDATED, changed, event_id)
    return Plan(
        Known(fields, event_id, at, row.event_time, rows, given or {}),
        event,
        known is None,
        areas.repairs,
        tuple(changed),
        changed if known else whole,
    )


@cache
def _namespace(source: str) -> UUID:
    return uuid5(_NAMESPACE, source)


def _says(row: CaseRow, name: str) -> bool:
    return name in row.said or f"{name.partition('.')[0]}.*" in row.said


@dataclass(frozen=True, slots=True)
class _Areas:
    """What came of a row's areas: whether the case's own was a name, what was mended, what cannot be."""

    is_named: bool
    repairs: tuple[Repair, ...]
    faults: tuple[Fault, ...]


def _find_areas(
    row: CaseRow, fields: dict[str, Any], before: Mapping[str, Any], at: datetime, codes: CodeFinder
) -> _Areas:
    """Put official codes in the place of what the row calls its areas.

    A code that the source gave before is not read again: its dates may have been corrected since.
    """
    is_named = False
    repairs: list[Repair] = []
    faults: list[Fault] = []
    day = date.fromisoformat(_area_day(fields, at))
    for name in _AREAS:
        text = row.values.get(name)
        if not isinstance(text, str):
            continue
        standing = before.get(name)
        is_same_day = name != "area_code" or fields.get("area_on") == before.get("area_on")
        if isinstance(standing, str) and is_same_day and _is_code(text, standing):
            fields[name] = standing
            continue
        try:
            area = codes.area(text, day)
        except BadCell as bad:
            faults.append(bad.fault(name))
            continue
        fields[name] = area.code
        is_named |= area.is_named and name == "area_code"
        if area.note is not None:
            repairs.append(Repair(row.number, name, text, area.code, *area.note))
    return _Areas(is_named, tuple(repairs), tuple(faults))


def _is_code(text: str, code: str) -> bool:
    """Whether a text is the code, perhaps without its leading zeros."""
    return text.isdecimal() and text.zfill(len(code)) == code


def _area_field(fields: Mapping[str, Any]) -> str | None:
    """The field whose day decides what the area code means (the contract's rule); None: the event's time."""
    return next((name for name in ("area_on", "onset_on", "reported_on") if fields.get(name)), None)


def _area_day(fields: Mapping[str, Any], at: datetime) -> str:
    """The ISO day on which the row's area code is read."""
    name = _area_field(fields)
    return fields[name] if name else at.astimezone(LOCAL_TIMEZONE).date().isoformat()


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that are new or have another value; None for those that were emptied."""
    changed = {name: value for name, value in after.items() if name not in before or before[name] != value}
    changed.update((name, None) for name, value in before.items() if name not in after and value is not None)
    return changed


def _nested(flat: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """An event's data out of flat fields. `external_ids` is one register, so it is always sent as a whole."""
    data: dict[str, Any] = {}
    for name, value in flat.items():
        if "." not in name:
            data[name] = value
            continue
        parent, _, part = name.partition(".")
        if parent == LAB and part:
            data.setdefault(LAB, {})[part] = value
        elif parent == EXTERNAL_IDS and part:
            prefix = f"{EXTERNAL_IDS}."
            data[EXTERNAL_IDS] = {
                key.removeprefix(prefix): system_id
                for key, system_id in whole.items()
                if key.startswith(prefix) and system_id is not None
            } or None
        else:
            data[name] = value
    return data

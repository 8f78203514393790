"""Tables of tallies or of foci: a header row of field names, a report a row; what is new becomes an event.

As with line lists, a row is compared with the last one of its source and subject: an equal row sends nothing,
of a changed one the event's id is made from its content and the id before it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import orjson

from schemas.catalogue.matching import normalise
from schemas.events import FOCUS_REPORTED, TALLY_REPORTED, InvalidEvent, build_event, parse_event
from schemas.events.common import DOOR_MAX_AHEAD
from schemas.events.fields import FIELDS, Kind
from schemas.events.focus_reported import FocusReportedData
from schemas.events.tally_reported import TallyReportedData
from services.importing.codes import CodeFinder
from services.importing.line_list import BROKEN_ROW
from services.importing.outcome import (
    BadCell,
    Fault,
    Outcome,
    Rejection,
    Repair,
    Skip,
    column_fault,
)
from services.importing.readers import Cell, FileProblem, Row, Table
from services.importing.sender import Identities, RowStore, Sender, is_parked
from services.importing.values import NULL, text_of, to_date, to_event_id, to_event_time
from services.importing.vocabulary import EVENT_ID, EVENT_TIME, is_total
from streams.domain.catalogue import Catalogue
from streams.domain.reports import ReportKind
from streams.stores.imports import ImportRow

FOCUS_ID: Final = "focus_id"

_NAMESPACE = UUID("4b7c1e0a-52b1-4c55-8f0e-9d2f6a7c3e18")
_STEP = timedelta(microseconds=1)
_TYPES: Mapping[ReportKind, str] = {"tally": TALLY_REPORTED, "focus": FOCUS_REPORTED}
_FIELDS: Mapping[ReportKind, tuple[str, ...]] = {
    "tally": tuple(TallyReportedData.__annotations__),
    "focus": tuple(FocusReportedData.__annotations__),
}
_REQUIRED: Mapping[ReportKind, tuple[str, ...]] = {
    "tally": ("indicator", "disease", "area_code", "period_start", "period_end", "value"),
    "focus": ("kind", "disease", "area_code"),
}
_SUBJECT: tuple[str, ...] = ("indicator", "disease", "area_code", "period_start", "period_end")

_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    FOCUS_ID: ("mã ổ dịch", "mã vụ", "mã vụ ngộ độc"),
    EVENT_ID: ("mã sự kiện", "mã bản ghi"),
    EVENT_TIME: ("thời điểm ghi nhận", "thời gian ghi nhận"),
    "indicator": ("chỉ số",),
    "disease": ("bệnh", "tên bệnh", "mã bệnh"),
    "area_code": ("mã địa bàn", "địa bàn", "mã xã", "mã huyện", "mã tỉnh"),
    "period_start": ("từ ngày",),
    "period_end": ("đến ngày",),
    "value": ("giá trị", "số lượng", "kết quả"),
    "target": ("kế hoạch", "chỉ tiêu"),
    "kind": ("loại",),
    "place": ("địa điểm", "nơi xảy ra"),
    "started_on": ("ngày bắt đầu", "ngày xảy ra"),
    "ended_on": ("ngày kết thúc",),
    "exposed": ("số phơi nhiễm", "số người ăn"),
    "ill": ("số mắc",),
    "hospitalised": ("số nhập viện",),
    "dead": ("số tử vong",),
    "samples": ("số mẫu",),
    "positives": ("số mẫu dương tính",),
    "first_onset_on": ("ngày khởi phát đầu tiên",),
    "last_onset_on": ("ngày khởi phát cuối cùng",),
    "agent": ("tác nhân", "căn nguyên"),
}

_NUMBERS = frozenset({"value", "target", "exposed", "ill", "hospitalised", "dead", "samples", "positives"})
_PLAIN = re.compile(r"\d{1,12}(?:[.,]0+)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:[., \u00a0]\d{3})+")


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What one row says; `values` holds None where a cell is empty or `null`, and lacks columns not there."""

    number: int
    subject: str
    event_id: UUID | None
    event_time: datetime | None
    values: Mapping[str, Any]
    repairs: tuple[Repair, ...] = ()


class ReportTable:
    """A table of tallies or foci with a recognised header; an area without a day is read on `today`."""

    def __init__(
        self, kind: ReportKind, header: Row, columns: Mapping[int, str], codes: CodeFinder, today: date
    ) -> None:
        self.kind = kind
        self._today = today
        self._header = header
        self._columns = columns
        self._codes = codes
        self.ignored_columns = [
            text_of(cell) for index, cell in enumerate(header.cells) if index not in columns and text_of(cell)
        ]

    def read(self, rows: Iterable[Row]) -> Iterator[ReportRow | Rejection | Skip]:
        """Every row of the table, from its first."""
        for row in rows:
            texts = [text_of(cell) for cell in row.cells]
            if not any(texts):
                continue
            if row.number < self._header.number:
                yield Skip(row.number, 1, "title")
            elif row.number > self._header.number:
                if is_total(next(filter(None, texts))):
                    yield Skip(row.number, 1, "total")
                else:
                    yield self._read(row)

    def _read(self, row: Row) -> ReportRow | Rejection:
        if row.is_broken:
            return Rejection(row.number, (BROKEN_ROW,))
        faults: list[Fault] = []
        values: dict[str, Any] = {}
        for index, field in self._columns.items():
            cell = row.cells[index] if index < len(row.cells) else ""
            text = text_of(cell)
            try:
                values[field] = None if text in ("", NULL) else self._convert(field, cell)
            except BadCell as bad:
                faults.append(bad.fault(field))
        # After the dates: a code means what it meant on the last day of the period, or when the focus began.
        repairs = self._place(row.number, values, faults)
        event_id, event_time = values.pop(EVENT_ID, None), values.pop(EVENT_TIME, None)
        subject = values.pop(FOCUS_ID, None)
        missing = [name for name in _REQUIRED[self.kind] if values.get(name) is None]
        if self.kind == "focus" and subject is None:
            missing.insert(0, FOCUS_ID)
        known_faults = {fault.field for fault in faults}
        faults += [_missing(name) for name in missing if name not in known_faults]
        if faults:
            return Rejection(row.number, tuple(faults))
        if self.kind == "tally":
            subject = "|".join(values[name] for name in _SUBJECT)
        return ReportRow(row.number, subject, event_id, event_time, values, tuple(repairs))

    def _convert(self, field: str, cell: Cell) -> Any:
        if field == EVENT_ID:
            return to_event_id(cell)
        if field == EVENT_TIME:
            return to_event_time(cell)
        if field == "disease":
            return self._codes.disease(text_of(cell))
        if field in _NUMBERS:
            return _to_whole(field, cell)
        if field in ("indicator", "kind"):
            return _to_choice(field, text_of(cell))
        if field in FIELDS and FIELDS[field].kind in (Kind.DATE, Kind.PERIOD_END):
            return to_date(field, cell)
        return text_of(cell)

    def _place(self, number: int, values: dict[str, Any], faults: list[Fault]) -> list[Repair]:
        """Put the official code in the place of what the row calls its area."""
        text = values.get("area_code")
        if self.kind == "tally":
            day = values.get("period_end")
        else:
            day = values.get("started_on") or values.get("first_onset_on")
            if day is None and values.get(EVENT_TIME) is not None:
                day = values[EVENT_TIME].date().isoformat()
        if text is None or (day is None and self.kind == "tally"):
            return []
        try:
            area = self._codes.area(text, date.fromisoformat(day) if day else self._today)
        except BadCell as bad:
            faults.append(bad.fault("area_code"))
            return []
        values["area_code"] = area.code
        return [] if area.note is None else [Repair(number, "area_code", text, area.code, *area.note)]


def find_report_table(
    tables: Iterable[Table], codes: CodeFinder, today: date
) -> tuple[Table, ReportTable] | None:
    """The first table with a header of tallies or of foci; None where there is none.

    Raises:
        FileProblem: two columns have the same name, so nobody knows which one holds.
    """
    for table in tables:
        for row in table.first_rows():
            fields = {index: _field_of(text_of(cell)) for index, cell in enumerate(row.cells)}
            named = {field for field in fields.values() if field is not None}
            kind: ReportKind | None = None
            if {"indicator", "value", "period_start", "period_end"} <= named:
                kind = "tally"
            elif {FOCUS_ID, "kind"} <= named:
                kind = "focus"
            if kind is None:
                continue
            known = {*_FIELDS[kind], EVENT_ID, EVENT_TIME, *([FOCUS_ID] if kind == "focus" else [])}
            columns = {index: field for index, field in fields.items() if field in known}
            if len(set(columns.values())) < len(columns):
                raise FileProblem(
                    f"Dòng {row.number}: có một cột lặp lại, không biết lấy cột nào. Xoá hoặc đổi tên một "
                    "cột.",
                    f"Row {row.number}: a column stands there twice. Nobody knows which one holds: delete or "
                    "rename one of them.",
                )
            kept = {index: field for index, field in columns.items() if field is not None}
            return table, ReportTable(kind, row, kept, codes, today)
    return None


def _keys(meanings: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {normalise(text): value for value, texts in meanings.items() for text in (value, *texts)}


_HEADERS = _keys({**dict.fromkeys((*_FIELDS["tally"], *_FIELDS["focus"]), ()), **_SYNONYMS})
_CHOICES = {
    name: _keys({value: (meaning,) for value, meaning in (FIELDS[name].values or {}).items()})
    for name in ("indicator", "kind")
}


def _field_of(header: str) -> str | None:
    return _HEADERS.get(normalise(header))


def _to_choice(field: str, text: str) -> str:
    found = _CHOICES[field].get(normalise(text))
    if found is None:
        info = FIELDS[field]
        listed = ", ".join(info.values or {})
        raise BadCell(
            f"{info.label_vi}: không có trong danh sách. Phải là một trong: {listed}.",
            f"{info.label_en}: not in the list. It must be one of: {listed}.",
        )
    return found


def _to_whole(field: str, cell: Cell) -> int:
    """A whole number; a dot, a comma or a space may part thousands: none of these numbers has decimals.

    >>> _to_whole("value", "49.617"), _to_whole("value", 3.0), _to_whole("value", "12")
    (49617, 3, 12)
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool) and float(cell).is_integer():
        return int(cell)
    text = text_of(cell) if isinstance(cell, str) else ""
    if _THOUSANDS.fullmatch(text):
        return int(re.sub(r"\D", "", text))
    if _PLAIN.fullmatch(text):
        return int(re.split(r"[.,]", text)[0])
    info = FIELDS[field]
    raise BadCell(
        f"{info.label_vi}: không phải là số nguyên. Ghi số nguyên từ 0, hoặc để trống nếu chưa biết.",
        f"{info.label_en}: not a whole number. Write one from 0 on, or nothing where it is not known.",
    )


class ReportImport:
    """One import of the rows of one source."""

    def __init__(
        self,
        kind: ReportKind,
        *,
        source: str,
        store: RowStore,
        identities: Identities,
        sender: Sender,
        catalogue: Catalogue,
        now: datetime,
        outcome: Outcome,
    ) -> None:
        self._kind = kind
        self._source = source
        self._store = store
        self._identities = identities
        self._sender = sender
        self._catalogue = catalogue
        self._now = now
        self._outcome = outcome
        self._namespace = uuid5(_NAMESPACE, source)

    def send_unsent(self) -> None:
        """Send what an earlier import remembered and did not note as sent."""
        unsent = self._store.unsent()
        self._deliver(unsent)
        self._outcome.resent += len(unsent)

    def take(self, rows: Sequence[ReportRow]) -> None:
        """Compare, remember and send some rows, in the order of the file.

        Raises:
            DependencyDown: rows that are remembered and not acknowledged will be sent by the next import.
        """
        self._outcome.rows += len(rows)
        known = self._store.known({row.subject for row in rows})
        given = [(row.subject, row.event_id) for row in rows if row.event_id is not None]
        taken = self._identities.hashes(given) if given else {}
        wave: dict[str, ImportRow] = {}
        for row in rows:
            if row.subject in wave:
                # One event per subject and wave: a remembered row is replaced only after Kafka has its event.
                self._send(wave)
            planned = self._plan(row, known.get(row.subject), taken)
            if planned is not None:
                known[row.subject] = wave[row.subject] = planned
        self._send(wave)

    def _plan(
        self, row: ReportRow, known: ImportRow | None, taken: Mapping[tuple[str, UUID], bytes]
    ) -> ImportRow | None:
        """What is to be remembered and sent of a row; None where nothing is. Counts it."""
        outcome = self._outcome
        before: Mapping[str, Any] = known.content["fields"] if known else {}
        values = {name: value for name, value in row.values.items() if value is not None or before.get(name)}
        fields = {**before, **values}
        if known is not None and fields == before:
            outcome.unchanged += 1
            return None
        at = row.event_time or self._now + timedelta(microseconds=row.number)
        if known is not None:
            at = max(at, known.event_time + _STEP)
        content = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
        event_id = row.event_id or uuid5(
            self._namespace, f"{row.subject}\n{content}\n{known.event_id if known else ''}"
        )
        changed = {n: value for n, value in fields.items() if n not in before or before[n] != value}
        data = {**{name: fields[name] for name in _REQUIRED[self._kind]}, **changed}
        try:
            event = build_event(
                subject=row.subject,
                type=_TYPES[self._kind],
                data=data,
                time=at,
                source=self._source,
                id=event_id,
                now=self._now,
            )
        except InvalidEvent as invalid:
            outcome.reject(row.number, map(column_fault, invalid.problems))
            return None
        standing = taken.get((row.subject, event_id))
        if standing is not None:
            found = parse_event(event, now=self._now, max_ahead=DOOR_MAX_AHEAD)
            if found.content_hash != standing:
                outcome.reject(row.number, (_ID_TAKEN,))
                return None
        outcome.repaired.extend(row.repairs)
        outcome.created += known is None
        outcome.updated += known is not None
        outcome.parked += is_parked(event, self._catalogue)
        return ImportRow(row.subject, {"fields": fields}, event_id, at, event)

    def _send(self, wave: dict[str, ImportRow]) -> None:
        rows = list(wave.values())
        wave.clear()
        if rows:
            self._store.save(rows)
            self._deliver(rows)

    def _deliver(self, rows: Sequence[ImportRow]) -> None:
        if rows:
            self._sender.deliver([(row.subject.encode(), row.event) for row in rows if row.event is not None])
            self._store.mark_sent([replace(row, event=None) for row in rows])


def _missing(name: str) -> Fault:
    if name == FOCUS_ID:
        return Fault(
            name,
            "Mã ổ dịch (focus_id): còn thiếu. Ghi mã riêng của ổ dịch hoặc vụ ngộ độc.",
            "focus_id is missing. Give the focus's own code.",
        )
    info = FIELDS[name]
    return Fault(name, f"{info.label_vi}: còn thiếu.", f"{info.label_en} is missing.")


_ID_TAKEN = Fault(
    EVENT_ID,
    "Mã bản ghi này đã dùng cho một nội dung khác. Để trống ô này (hệ thống tự đặt mã) hoặc ghi mã mới.",
    "This event id was used for other content. Leave the cell empty (an id is made) or give a new id.",
)

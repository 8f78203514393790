"""The case export of the national system (eCDS), 48 columns, as it comes: a case a row, its latest state.

Read are the columns that the contract has a field for. The others, and all that name a person or a house,
are cut off before a row is looked at: no value of theirs is kept, sent, logged or told. Column names are
verbatim from the public source of a tool of Hải Phòng's CDC that imports such exports; the meaning of their
values is that of QĐ 97/QĐ-PB 2026, PL I, Mẫu 01 (a transcription) and of TT 54/2015, form 1.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from schemas.catalogue.matching import normalise
from schemas.events import LOCAL_TIMEZONE, find_identifier
from schemas.events.common import SUBJECT_PATTERN
from schemas.events.identifiers import find_identifier_cached
from services.importing.codes import CodeFinder, Place
from services.importing.line_list import (
    BROKEN_ROW,
    CaseRow,
    LayoutName,
    case_row,
    check_encoding,
    column_name,
    too_wide,
)
from services.importing.outcome import BadCell, Fault, Rejection, Repair, Skip
from services.importing.readers import Cell, FileProblem, Row
from services.importing.values import NULL, convert, text_of, to_event_time
from services.importing.vocabulary import CASE_ID, CHOICES, LAB, is_total

Use = Literal["read", "identity", "unused"]

COLUMNS: tuple[tuple[str, Use], ...] = (
    ("STT", "unused"),
    ("Mã số", "read"),
    ("Họ tên", "identity"),
    ("Ngày sinh", "read"),  # for the age; the day itself is not kept
    ("Nghề nghiệp", "unused"),
    ("Nơi làm việc/ Học tập", "identity"),
    ("Tỉnh (Nơi làm việc)", "unused"),
    ("Xã (Nơi làm việc)", "unused"),
    ("Thôn (Nơi làm việc)", "unused"),
    ("Dân tộc", "unused"),
    ("Giới tính", "read"),
    ("CMND", "identity"),
    ("Điện thoại", "identity"),
    ("Nơi ở hiện nay", "identity"),
    ("Tỉnh", "read"),
    ("Xã", "read"),
    ("Thôn", "read"),
    ("Kinh độ", "identity"),
    ("Vĩ độ", "identity"),
    ("Chẩn đoán chính", "read"),
    ("Phân độ bệnh", "read"),
    ("Chẩn đoán bệnh kèm theo", "unused"),
    ("Tình trạng tiêm chủng", "read"),
    ("Số lần tiêm, uống", "read"),
    ("Phân loại chẩn đoán", "read"),
    ("Lấy mẫu xét nghiệm", "read"),
    ("Ngày lấy mẫu", "read"),
    ("Đơn vị xét nghiệm", "unused"),
    ("Loại xét nghiệm", "read"),
    ("Kết quả", "read"),
    ("Ghi chú", "identity"),  # free text, in which anything may stand
    ("Tình trạng hiện nay", "read"),
    ("Tiền sử dịch tễ", "identity"),
    ("Ngày khởi phát", "read"),
    ("Ngày nhập viện", "read"),
    ("Ngày ra viện/tử vong", "read"),
    ("Biến chứng", "unused"),
    ("Tên người báo cáo", "identity"),
    ("SĐT người báo cáo", "identity"),
    ("Email người báo cáo", "identity"),
    ("Đơn vị báo cáo", "read"),
    ("Tỉnh đơn vị báo cáo", "unused"),
    ("Cơ sở điều trị", "read"),
    ("Trạng thái", "read"),
    ("Thời gian báo cáo", "read"),
    ("Chẩn đoán thay đổi gần nhất", "read"),
    ("Tình trạng thay đổi gần nhất", "read"),
    ("Thời gian sửa", "read"),
)
"""The 48 columns in their order, and what becomes of each."""

DISTRICT = "Huyện"
"""A 49th column, of exports from before districts ended."""

SUBJECT_PREFIX = "ECDS-"
SYSTEM = "external_ids.ecds"

_READ: Mapping[str, str] = {normalise(name): name for name, use in COLUMNS if use == "read"} | {
    normalise(name): DISTRICT for name in (DISTRICT, "Quận/Huyện", "Quận, huyện")
}
_IDENTITY = frozenset(normalise(name) for name, use in COLUMNS if use == "identity")
_KNOWN = frozenset(normalise(name) for name, _ in COLUMNS)
_NEEDED = ("Mã số", "Chẩn đoán chính", "Tỉnh", "Xã", "Thời gian báo cáo")
# So many of the names make a table an export, whichever of them somebody deleted.
_ENOUGH = 20

_DAYS = {"Ngày khởi phát": "onset_on", "Ngày nhập viện": "admitted_on", "Ngày lấy mẫu": "sampled_on"}
# What may be unreadable without the row being refused: the case counts, the value is left out and told.
_SOFT = {
    "Giới tính": "sex",
    "Phân loại chẩn đoán": "classification",
    "Tình trạng tiêm chủng": "vaccination",
    "Số lần tiêm, uống": "doses",
    "Loại xét nghiệm": "test_type",
    "Ngày lấy mẫu": "sampled_on",
    "Ngày nhập viện": "admitted_on",
}
_SOFT_BUT_DAYS = tuple((name, field) for name, field in _SOFT.items() if name not in _DAYS)
_TEXTS = {"Thôn": ("hamlet", 80), "Phân độ bệnh": ("severity", 40)}
_FACILITIES = {"Đơn vị báo cáo": "reporting_facility", "Cơ sở điều trị": "treating_facility"}
_FACILITY_CODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9._/-]{2,30}")
_SUBJECT = re.compile(SUBJECT_PATTERN)
_ARROW = re.compile(r"\s*(?:=>|->|→|➔)\s*")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_LOST = re.compile(r"[0-9](?:[.,][0-9]+)?[eE][+]?[0-9]{1,2}")
_DIGITS_HELD = 15
_DELETED = frozenset(map(normalise, ("đã xóa", "xóa", "đã hủy", "hủy", "hủy bỏ", "ca trùng", "trùng")))
_IN_PATIENT, _OUT_PATIENT = normalise("điều trị nội trú"), normalise("điều trị ngoại trú")
_YES, _NO = normalise("có"), normalise("không")


class NationalExport:
    """An export with a recognised header."""

    name: LayoutName = "national"
    source = "/imports/national"

    def __init__(self, header: Row, codes: CodeFinder) -> None:
        names = [normalise(text_of(cell)) for cell in header.cells]
        self._header_row = header.number
        self._width = max((n for n, name in enumerate(names, 1) if name), default=0)
        self._columns: dict[str, int] = {}
        for index, name in enumerate(names):
            if name in _READ and self._columns.setdefault(_READ[name], index) != index:
                raise FileProblem(
                    f"Dòng {header.number}: cột {_READ[name]} có hai lần, không biết lấy cột nào. Xoá hoặc "
                    "đổi tên một cột.",
                    f"Row {header.number}: the column {_READ[name]} stands there twice. Nobody knows which "
                    "one holds: delete or rename one of them.",
                )
        missing = [name for name in _NEEDED if name not in self._columns]
        if missing:
            raise FileProblem(
                f"Dòng {header.number}: tệp xuất của hệ thống quốc gia thiếu cột {', '.join(missing)}. Xuất "
                "lại với đủ các cột; không cần xoá gì.",
                f"Row {header.number}: an export of the national system without the column(s) "
                f"{', '.join(missing)}. Export it again with all its columns; nothing needs to be deleted.",
            )
        self._codes = codes
        self._said = self._fields_said()
        self.ignored_columns = [
            column_name(index, text_of(cell))
            for index, cell in enumerate(header.cells)
            if names[index] and names[index] not in _READ and names[index] not in _IDENTITY
        ]
        identity = sum(name in _IDENTITY for name in names)
        self.warnings = [
            (
                f"Tệp xuất của hệ thống quốc gia. Bỏ {identity} cột định danh ngay khi đọc (họ tên, số định "
                "danh, điện thoại, địa chỉ, tọa độ, ghi chú…): không lưu, không gửi.",
                f"An export of the national system. {identity} identifying columns (names, numbers, "
                "addresses, coordinates, notes …) were cut off on reading: not kept, not sent.",
            )
        ]

    def _fields_said(self) -> frozenset[str]:
        """The fields that every row says something of, be it that they are empty."""
        given = self._columns
        said = {field for name, field in (_DAYS | _SOFT | _FACILITIES).items() if name in given}
        said |= {field for name, (field, _) in _TEXTS.items() if name in given}
        said |= {"disease", "area_code", "area_on", "reported_on", SYSTEM}
        if "Ngày sinh" in given:
            said.add("age_years")
        if "Kết quả" in given:
            said.add(f"{LAB}.*")
        if {"Tình trạng hiện nay", "Tình trạng thay đổi gần nhất"} & given.keys():
            said |= {"outcome", "hospitalised"}
        if "Ngày ra viện/tử vong" in given:
            said |= {"discharged_on", "died_at"}
        return frozenset(said)

    def read(self, rows: Iterable[Row]) -> Iterator[CaseRow | Rejection | Skip | Repair]:
        """Every row of the table, a value that was left out before its row; not the empty ones."""
        for row in rows:
            first = next((text for cell in row.cells if cell != "" and (text := text_of(cell))), "")
            if not first:
                continue
            if row.number < self._header_row:
                yield Skip(row.number, 1, "title")
            elif row.number > self._header_row:
                yield from self._read(row, first)

    def _read(self, row: Row, first: str) -> Iterator[CaseRow | Rejection | Skip | Repair]:
        if is_total(first):
            yield Skip(row.number, 1, "total")
            return
        if row.is_broken:
            yield Rejection(row.number, (BROKEN_ROW,))
            return
        if any(text_of(cell) for cell in row.cells[self._width :]):
            yield Rejection(row.number, (too_wide(len(row.cells), self._width),))
            return
        # From here on nobody sees the other columns.
        cells = {
            name: cell
            for name, index in self._columns.items()
            if index < len(row.cells) and (cell := row.cells[index]) != ""
        }
        texts = {name: text for name, cell in cells.items() if (text := text_of(cell)) != "" and text != NULL}
        if texts.get("Mã số") == "Mã số" or _is_numbering(texts):
            yield Skip(row.number, 1, "repeated_header")
            return
        if "Mã số" not in texts and "Chẩn đoán chính" not in texts and "Xã" not in texts:
            yield Skip(row.number, 1, "footer")
            return
        reading = _Reading(row.number, cells, texts, self._codes)
        found = reading.row(self._said)
        if isinstance(found, CaseRow):
            yield from reading.left_out
        yield found


class _Reading:
    """One row on its way to its fields."""

    def __init__(
        self, number: int, cells: Mapping[str, Cell], texts: Mapping[str, str], codes: CodeFinder
    ) -> None:
        """Cells and their texts by the column's name; those that are empty are absent."""
        self._number = number
        self._cells = cells
        self._texts = texts
        self._codes = codes
        self._values: dict[str, Any] = {}
        self._faults: list[Fault] = []
        self._unread: set[str] = set()
        self.left_out: list[Repair] = []

    def row(self, said: frozenset[str]) -> CaseRow | Rejection:
        """The row as the planner takes it, or everything that is wrong with it."""
        case_id = self._case_id()
        reported, edited = self._instant("Thời gian báo cáo"), self._instant("Thời gian sửa")
        if _key(self._text("Trạng thái")) in _DELETED:
            self._faults.append(_DELETED_THERE)
        self._take_days(reported)
        self._take_disease()
        self._take_soft()
        self._take_texts()
        self._take_outcome()
        self._take_lab()
        self._take_age()
        self._take_place(reported, edited)
        if self._faults or case_id is None:
            return Rejection(self._number, tuple(self._faults))
        times = [time for time in (reported, edited) if time is not None]
        values = self._values
        values[SYSTEM] = case_id
        if reported is not None:
            values["reported_on"] = reported.astimezone(LOCAL_TIMEZONE).date().isoformat()
        subject = SUBJECT_PREFIX + case_id
        return case_row(
            self._number,
            subject,
            None,
            max(times, default=None),
            values,
            said - self._unread if self._unread else said,
            is_state=True,
        )

    def _text(self, name: str) -> str:
        return self._texts.get(name, "")

    def _fault(self, field: str, bad: BadCell) -> None:
        self._faults.append(bad.fault(field))

    def _leave_out(self, field: str, bad: BadCell | None = None) -> None:
        """Go on without a value: what the case had before stays."""
        self._unread.add(f"{LAB}.*" if field == LAB else field)
        vietnamese, english = (bad.message_vi, bad.message_en) if bad else _LEFT_OUT
        self.left_out.append(
            Repair(
                self._number,
                field,
                "",
                "",
                f"Bỏ qua ô này, ca vẫn được nhập. {vietnamese}",
                f"The value was left out, the case goes on. {english}",
            )
        )

    def _case_id(self) -> str | None:
        text = self._text("Mã số")
        if not text:
            self._faults.append(_NO_CODE)
            return None
        cell = self._cells["Mã số"]
        digits = text.lstrip("0") if text.isdecimal() else text
        is_lost = _LOST.fullmatch(text) or (isinstance(cell, float) and len(digits) > _DIGITS_HELD)
        if is_lost:
            self._faults.append(_CODE_LOST)
            return None
        # A spreadsheet drops leading zeros: with and without them it is the same code.
        code = digits or "0"
        if any(map(find_identifier, {text, code, code.zfill(12) if len(code) == 11 else code})):
            self._faults.append(_CODE_IS_PERSON)
            return None
        if not _SUBJECT.fullmatch(SUBJECT_PREFIX + code):
            self._faults.append(_CODE_FORM)
            return None
        return code

    def _instant(self, name: str) -> datetime | None:
        if not self._text(name):
            return None
        try:
            found = _instant(self._cells[name])
        except BadCell as bad:
            if name == "Thời gian báo cáo":
                self._fault("reported_on", bad)
            else:
                self._leave_out("event_time", bad)
            return None
        return found

    def _take_days(self, reported: datetime | None) -> None:
        for name, field in _DAYS.items():
            if not self._text(name):
                continue
            try:
                check_encoding(self._text(name))
                self._values[field] = convert(field, self._cells[name])
            except BadCell as bad:
                if name in _SOFT:
                    self._leave_out(field, bad)
                else:
                    self._fault(field, bad)
        if reported is None and not self._faults and "onset_on" not in self._values:
            self._faults.append(_NO_DAY)

    def _take_disease(self) -> None:
        text = _latest(self._text("Chẩn đoán thay đổi gần nhất")) or self._text("Chẩn đoán chính")
        if not text:
            self._faults.append(_NO_DISEASE)
            return
        try:
            check_encoding(text)
            self._values["disease"] = self._codes.disease(text)
        except BadCell as bad:
            self._fault("disease", bad)

    def _take_soft(self) -> None:
        for name, field in _SOFT_BUT_DAYS:
            if name not in self._texts:
                continue
            try:
                self._values[field] = convert(field, self._cells[name])
            except BadCell as bad:
                self._leave_out(field, bad)
        for name, field in _FACILITIES.items():
            # Facilities by name are not read: a surgery bears its doctor's.
            code = self._text(name)
            if _is_facility_code(code):
                self._values[field] = code

    def _take_texts(self) -> None:
        for name, (field, longest) in _TEXTS.items():
            text = " ".join(self._text(name).split())
            if not text:
                continue
            if len(text) > longest or not text.isprintable() or find_identifier_cached(text):
                self._leave_out(field)
                continue
            try:
                check_encoding(text)
                self._values[field] = text
            except BadCell as bad:
                self._leave_out(field, bad)

    def _take_outcome(self) -> None:
        status = _latest(self._text("Tình trạng thay đổi gần nhất")) or self._text("Tình trạng hiện nay")
        key = _key(status)
        values = self._values
        if status:
            try:
                values["outcome"] = convert("outcome", status)
            except BadCell as bad:
                self._leave_out("outcome", bad)
        if key == _IN_PATIENT or "admitted_on" in values:
            values["hospitalised"] = True
        elif key == _OUT_PATIENT:
            values["hospitalised"] = False
        if self._text("Ngày ra viện/tử vong"):
            field = "died_at" if values.get("outcome") == "dead" else "discharged_on"
            try:
                values[field] = convert(field, self._cells["Ngày ra viện/tử vong"])
            except BadCell as bad:
                self._leave_out(field, bad)

    def _take_lab(self) -> None:
        disease = self._values.get("disease")
        if disease is None:
            return
        own, *_ = agents = self._codes.own_agents(disease)
        text, sampled = self._text("Kết quả"), _key(self._text("Lấy mẫu xét nghiệm"))
        if not text:
            if sampled in (_YES, _NO):
                self._values[f"{LAB}.{own}"] = "pending" if sampled == _YES else "not_tested"
            return
        found = _result(text)
        agent: str | None = own
        if found is not None and found[1]:
            named = self._codes.agent(found[1])
            agent = named[0] if named is not None and named[0] in agents else None
        if found is None or agent is None:
            self._leave_out(LAB)
        else:
            self._values[f"{LAB}.{agent}"] = found[0]

    def _take_age(self) -> None:
        cell = self._cells.get("Ngày sinh", "")
        if not self._text("Ngày sinh"):
            return
        on = self._values.get("onset_on") or self._values.get("reported_on")
        age = _age(cell, date.fromisoformat(on)) if on else None
        if age is None:
            self._leave_out("age_years")
        else:
            self._values["age_years"] = age

    def _take_place(self, reported: datetime | None, edited: datetime | None) -> None:
        place = Place(self._text("Tỉnh"), self._text(DISTRICT), self._text("Xã"))
        onset, moment = self._values.get("onset_on"), reported or edited
        if onset is not None:
            day = date.fromisoformat(onset)
        elif moment is not None:
            day = moment.astimezone(LOCAL_TIMEZONE).date()
        else:
            # Refused already: there is no day on which to read it.
            return
        try:
            for text in place:
                check_encoding(text)
            found = self._codes.place(place, day)
        except BadCell as bad:
            self._fault("area_code", bad)
            return
        self._values["area_code"] = found.code
        self._values["area_on"] = found.on.isoformat() if found.on else day.isoformat()
        if found.note is not None:
            self.left_out.append(Repair(self._number, "area_code", place.text(), found.code, *found.note))


def recognise_national_export(rows: list[Row], codes: CodeFinder) -> NationalExport | None:
    """Find the header of a national export: most of its column names in one row.

    Raises:
        FileProblem: it is one, but lacks columns without which nothing can be counted, or has one twice.
    """
    for row in rows:
        if len(_KNOWN & {normalise(text_of(cell)) for cell in row.cells}) >= _ENOUGH:
            return NationalExport(row, codes)
    return None


def _is_numbering(texts: Mapping[str, str]) -> bool:
    """Whether a row numbers the columns, "(1) (2) (3) …", as printed tables do."""
    return texts.get("Chẩn đoán chính", "").strip("()").isdecimal() and all(
        text.strip("()").isdecimal() for text in texts.values()
    )


_key = lru_cache(maxsize=16_384)(normalise)


@lru_cache(maxsize=16_384)
def _latest(text: str) -> str:
    """What a value was changed to: of "A → B", B."""
    return _ARROW.split(text)[-1]


@lru_cache(maxsize=16_384)
def _is_facility_code(text: str) -> bool:
    return bool(_FACILITY_CODE.fullmatch(text)) and not find_identifier_cached(text)


@lru_cache(maxsize=16_384)
def _result(text: str) -> tuple[str, str] | None:
    """A laboratory result, and what stands behind it: "Dương tính DENV-2" is (positive, "denv 2")."""
    key = normalise(text)
    words = key.split(" ")
    for end in range(len(words), 0, -1):
        result = CHOICES[LAB].get(" ".join(words[:end]))
        if result is not None:
            return result, " ".join(words[end:])
    return None


def _age(cell: Cell, on: date) -> float | None:
    """Years of age on a day by a date or year of birth: whole ones, under two years tenths.

    >>> on = date(2023, 7, 1)
    >>> _age("01/03/1990", on), _age("15/01/2023", on), _age("1990", on)
    (33.0, 0.5, 33.0)
    """
    text = text_of(cell)
    if _YEAR.fullmatch(text):
        age = float(on.year - int(text))
        return age if 0 <= age <= 130 else None
    try:
        born = date.fromisoformat(convert("onset_on", cell))
    except BadCell:
        return None
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    if not 0 <= years <= 130:
        return None
    return float(years) if years >= 2 else round((on - born) / timedelta(days=365.25), 1)


def _instant(cell: Cell) -> datetime:
    return _instant_of_text(cell) if isinstance(cell, str) else to_event_time(cell).astimezone(UTC)


@lru_cache(maxsize=65_536)
def _instant_of_text(text: str) -> datetime:
    return to_event_time(text).astimezone(UTC)


_LEFT_OUT = (
    "Không đọc được, hoặc giống thông tin định danh. Sửa ở hệ thống quốc gia rồi xuất lại.",
    "It cannot be read, or looks like a person's identifier. Correct it there and export again.",
)
_NO_CODE = Fault(
    CASE_ID,
    "Mã số: còn thiếu. Không có mã thì không nhận ra ca ở lần nhập sau. Xuất lại từ hệ thống quốc gia.",
    "Mã số (the case's code) is missing: the case could not be told again. Export the list anew.",
)
_CODE_LOST = Fault(
    CASE_ID,
    "Mã số: Excel đã đổi mã thành số và làm mất chữ số. Dùng tệp xuất gốc, không mở rồi lưu lại bằng Excel.",
    "Mã số: Excel turned the code into a number and lost digits. Use the export as it came.",
)
_CODE_IS_PERSON = Fault(
    CASE_ID,
    "Mã số: giống số định danh hoặc số điện thoại của một người. Kiểm tra các cột có bị lệch không.",
    "Mã số looks like a person's identity or telephone number. Check whether the columns are out of place.",
)
_CODE_FORM = Fault(
    CASE_ID,
    "Mã số: chỉ gồm A-Z a-z 0-9 . _ / - và không quá 59 ký tự. Kiểm tra các cột có bị lệch không.",
    "Mã số takes A-Z a-z 0-9 . _ / - only, at most 59 of them. Check whether the columns are out of place.",
)
_NO_DISEASE = Fault(
    "disease",
    "Chẩn đoán chính: còn thiếu. Bổ sung ở hệ thống quốc gia rồi xuất lại.",
    "Chẩn đoán chính (the diagnosis) is missing. Add it in the national system and export again.",
)
_NO_DAY = Fault(
    "onset_on",
    "Thiếu cả ngày khởi phát lẫn thời gian báo cáo: không biết ca thuộc ngày nào. Bổ sung rồi xuất lại.",
    "Neither the day of onset nor the time of the report is there: the case has no day. Add one.",
)
_DELETED_THERE = Fault(
    "row",
    "Trạng thái ở hệ thống quốc gia là đã xóa, hủy hoặc trùng; không nhập. Nếu ca đã được đếm ở đây, hãy rút "
    "ca đó (case.retracted).",
    "Its state in the national system is deleted, cancelled or duplicate; not imported. If the case is "
    "counted here, retract it (case.retracted).",
)

"""The line list of the contract: a header of field names, a case a row.

A layout recognises its header in a table's first rows and turns rows into CaseRows; another layout (another
header, other columns) is another class with the same functions, whose recogniser stands in layouts.py.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal, Protocol
from uuid import UUID

import orjson

from schemas.catalogue.matching import normalise
from schemas.events import find_identifier
from services.importing.codes import CodeFinder
from services.importing.outcome import WHOLE_ROW, BadCell, Fault, Rejection, Repair, Skip
from services.importing.readers import Cell, FileProblem, Row, is_damaged
from services.importing.values import (
    NULL,
    convert,
    text_of,
    to_event_id,
    to_event_time,
    to_object,
)
from services.importing.vocabulary import (
    CASE_ID,
    EVENT_ID,
    EVENT_TIME,
    EXTERNAL_IDS,
    HEADER_SYNONYMS,
    HEADERS,
    LAB,
    is_total,
)

LayoutName = Literal["national", "line-list"]

_OBJECTS = (LAB, EXTERNAL_IDS)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """What one row says of one case, before it is compared with what is known.

    Attributes:
        number: The row's number in the file.
        case_id: The case's own code.
        event_id: Given by the file, else None.
        event_time: Given by the file (UTC), else None.
        values: Field → value as JSON has it; `lab.<agent>` and `external_ids.<system>` are fields of their
            own. Areas are as they stand in the file, diseases are codes. Empty cells are absent, None is
            `null`.
        said: The fields that the row has a cell for (`lab.*`: every agent); one that is absent was emptied.
        content_digest: Equal for rows that say the same at the same time (16 hexadecimal digits).
        digest: Equal for rows that say so with the same columns and event id.
        is_state: The row is the case's whole state as of its event time, as a system exports it, so an older
            one says nothing any more; else it is a fact of then.
    """

    number: int
    case_id: str
    event_id: UUID | None
    event_time: datetime | None
    values: Mapping[str, Any]
    said: frozenset[str]
    content_digest: str
    digest: str
    is_state: bool = False


def case_row(
    number: int,
    case_id: str,
    event_id: UUID | None,
    event_time: datetime | None,
    values: Mapping[str, Any],
    said: frozenset[str],
    *,
    is_state: bool = False,
) -> CaseRow:
    """A CaseRow with its digests."""
    content = _digest([values, event_time])
    return CaseRow(
        number,
        case_id,
        event_id,
        event_time,
        values,
        said,
        content,
        _digest([content, event_id, _sorted_json(said)]),
        is_state,
    )


@lru_cache(maxsize=1_024)
def _sorted_json(said: frozenset[str]) -> orjson.Fragment:
    """The same of nearly every row of a file."""
    return orjson.Fragment(orjson.dumps(sorted(said)))


def _digest(content: list[Any]) -> str:
    return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


class Layout(Protocol):
    """Knows where in a table's rows the fields of a case stand."""

    @property
    def name(self) -> LayoutName:
        """Which one it is."""

    @property
    def source(self) -> str:
        """Who says so, where the importer is not told: a URI reference."""

    @property
    def ignored_columns(self) -> list[str]:
        """Columns that nobody reads, by name, or by number where the name itself may identify somebody."""

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """(Vietnamese, English) about the table as a whole."""

    def read(self, rows: Iterable[Row]) -> Iterator[CaseRow | Rejection | Skip | Repair]:
        """Every row of the table, from its first; what was understood otherwise than it stands."""


class LayoutFactory(Protocol):
    """Recognises its layout in the first rows of a table."""

    def __call__(self, rows: list[Row], codes: CodeFinder) -> Layout | None:
        """The layout, None where it is not this one; FileProblem where it is, but cannot be read."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is read: where it stands and which field it gives."""

    index: int
    field: str


class LineList:
    """A line list with a recognised header."""

    name: LayoutName = "line-list"
    source = "/imports/line-list"

    def __init__(self, header: Row, columns: list[_Column], ignored: list[str], codes: CodeFinder) -> None:
        self.ignored_columns = ignored
        self.warnings: list[tuple[str, str]] = []
        self._header = [text_of(cell) for cell in header.cells]
        self._first_name = next(filter(None, self._header))
        self._header_row = header.number
        self._codes = codes
        self._case_id = [column for column in columns if column.field == CASE_ID]
        self._event_id = [column for column in columns if column.field == EVENT_ID]
        self._event_time = [column for column in columns if column.field == EVENT_TIME]
        self._data = [column for column in columns if column.field not in (CASE_ID, EVENT_ID, EVENT_TIME)]
        self._said_by_width: dict[int, frozenset[str]] = {}

    def read(self, rows: Iterable[Row]) -> Iterator[CaseRow | Rejection | Skip]:
        """Every row of the table; empty rows at its end are not worth a word."""
        blank_from, blanks = 0, 0
        for row in rows:
            if not any(text_of(cell) for cell in row.cells):
                blank_from = blank_from or row.number
                blanks += 1
                continue
            if blanks:
                yield Skip(blank_from, blanks, "blank")
                blank_from = blanks = 0
            if row.number < self._header_row:
                yield Skip(row.number, 1, "title")
            elif row.number > self._header_row:
                yield self._read(row)

    def _read(self, row: Row) -> CaseRow | Rejection | Skip:
        cells = row.cells
        first = next(text for text in map(text_of, cells) if text)
        if is_total(first):
            return Skip(row.number, 1, "total")
        if first == self._first_name and [text_of(cell) for cell in cells] == self._header:
            return Skip(row.number, 1, "repeated_header")
        if row.is_broken:
            return Rejection(row.number, (BROKEN_ROW,))
        if any(text_of(cell) for cell in cells[len(self._header) :]):
            return Rejection(row.number, (too_wide(len(cells), len(self._header)),))
        faults: list[Fault] = []
        case_id = self._one(cells, self._case_id, text_of, faults)
        if case_id is None and not faults:
            faults.append(_NO_CASE_ID)
        event_id = self._one(cells, self._event_id, to_event_id, faults)
        event_time = self._one(cells, self._event_time, to_event_time, faults)
        values: dict[str, Any] = {}
        for column in self._data:
            if column.index < len(cells) and column.field not in values:
                try:
                    self._take(column.field, cells[column.index], values)
                except BadCell as bad:
                    faults.append(bad.fault(column.field))
        if faults:
            return Rejection(row.number, tuple(faults))
        return case_row(row.number, case_id, event_id, event_time, values, self._said(len(cells)))

    def _one(self, cells: list[Cell], columns: list[_Column], to: Any, faults: list[Fault]) -> Any:
        """The first cell of these columns that is not empty, converted."""
        for column in columns:
            cell = cells[column.index] if column.index < len(cells) else ""
            if cell == "" or not (text := text_of(cell)) or text == NULL:
                continue
            try:
                check_encoding(text)
                return to(cell)
            except BadCell as bad:
                faults.append(bad.fault(column.field))
                return None
        return None

    def _take(self, field: str, cell: Cell, values: dict[str, Any]) -> None:
        """Put a cell into the values, unless it is empty.

        Raises:
            BadCell: it has no place in its column.
        """
        if cell == "":
            return
        text = text_of(cell)
        if not text:
            return
        check_encoding(text)
        name, _, part = field.partition(".")
        if text == NULL and field not in _OBJECTS:
            values[field] = None
        elif part:
            values[field] = convert(LAB, cell) if name == LAB else text
        elif field in _OBJECTS:
            for key, value in to_object(field, cell).items():
                values.setdefault(f"{field}.{key}", value)
        elif field == "disease":
            values[field] = self._codes.disease(text)
        else:
            values[field] = convert(field, cell)

    def _said(self, width: int) -> frozenset[str]:
        """The fields that a row of so many cells has a cell for; the rest of a short row is not emptied."""
        said = self._said_by_width.get(width)
        if said is None:
            said = frozenset(
                f"{column.field}.*" if column.field in _OBJECTS else column.field
                for column in self._data
                if column.index < width
            )
            self._said_by_width[width] = said
        return said


def recognise_line_list(rows: list[Row], codes: CodeFinder) -> LineList | None:
    """Find the header of a line list: a row with case_id, and with disease or area_code.

    Raises:
        FileProblem: two columns have the same name, so nobody knows which one holds.
    """
    for row in rows:
        names = [_field_of(text_of(cell), codes) for cell in row.cells]
        fields = {field for field, _ in filter(None, names)}
        if CASE_ID in fields and fields & {"disease", "area_code"}:
            return _line_list(row, names, codes)
    return None


def _line_list(row: Row, names: list[tuple[str, bool] | None], codes: CodeFinder) -> LineList:
    columns: list[_Column] = []
    ignored: list[str] = []
    unknown_agents: list[str] = []
    seen: dict[str, str] = {}
    for index, (cell, name) in enumerate(zip(row.cells, names, strict=True)):
        text = text_of(cell)
        if not text:
            continue
        if name is None:
            ignored.append(column_name(index, text))
            continue
        field, is_known = name
        if seen.get(normalise(text)) == field:
            raise FileProblem(
                f"Dòng {row.number}: cột {field} có hai lần, không biết lấy cột nào. Xoá hoặc đổi "
                "tên một cột.",
                f"Row {row.number}: the column {field} stands there twice. Nobody knows which one holds: "
                "delete or rename one of them.",
            )
        seen[normalise(text)] = field
        if not is_known:
            unknown_agents.append(field)
        columns.append(_Column(index, field))
    # Of two columns for one field the more exact name comes first; the other fills its empty cells.
    columns.sort(key=lambda column: _rank(column.field, text_of(row.cells[column.index])))
    layout = LineList(row, columns, ignored, codes)
    if ignored:
        listed = ", ".join(ignored)
        layout.warnings.append(
            (
                f"Bỏ qua {len(ignored)} cột không thuộc mẫu: {listed}. "
                "Không đọc, không gửi giá trị nào của các cột này.",
                f"{len(ignored)} column(s) are not of the line list and were not read: {listed}.",
            )
        )
    if unknown_agents:
        listed = ", ".join(unknown_agents)
        layout.warnings.append(
            (
                f"Tác nhân không có trong danh mục, vẫn nhận: {listed}. Hãy kiểm tra cách viết.",
                f"Agents that the catalogue does not know, accepted all the same: {listed}. Check them.",
            )
        )
    return layout


def _field_of(header: str, codes: CodeFinder) -> tuple[str, bool] | None:
    """The field of a column by its name, and whether the catalogue knows its agent; None: not one of ours."""
    name, separator, part = header.strip().partition(".")
    prefix = name.strip().casefold()
    if separator and prefix == LAB:
        agent = codes.agent(part)
        return (f"{LAB}.{agent[0]}", agent[1]) if agent else None
    if separator and prefix == EXTERNAL_IDS:
        system = part.strip().casefold()
        return (
            (f"{EXTERNAL_IDS}.{system}", True)
            if system.replace("_", "").isalnum() and system.isascii()
            else None
        )
    field = HEADERS.get(normalise(header))
    return (field, True) if field else None


def _rank(field: str, header: str) -> int:
    """Place of a column's name among the names of its field: the contract's own first."""
    key = normalise(header)
    names = [normalise(name) for name in (field, *HEADER_SYNONYMS.get(field, ()))]
    return names.index(key) if key in names else len(names)


def column_name(index: int, text: str) -> str:
    """A column's name as it may be shown: its number where the name may identify somebody."""
    if len(text) <= 60 and find_identifier(text) is None and not is_damaged(text):
        return " ".join(text.split())
    return f"cột {index + 1}"


def check_encoding(text: str) -> None:
    """Raises BadCell where a text was spoilt by a wrong encoding."""
    if is_damaged(text):
        raise BadCell(
            "Chữ bị hỏng do sai bảng mã (không phải UTF-8). Gõ lại ô này, hoặc lưu lại tệp: Excel → "
            "“CSV UTF-8 (Comma delimited)” hoặc .xlsx.",
            "The text is damaged: it is not UTF-8. Type the cell again, or save the file again as "
            "“CSV UTF-8 (Comma delimited)” or .xlsx.",
        )


_NO_CASE_ID = Fault(
    CASE_ID,
    "Mã ca bệnh (case_id): còn thiếu. Ghi mã riêng của ca bệnh; hệ thống không tự đặt mã.",
    "case_id is missing. Give the case's own code; none is ever made up.",
)
BROKEN_ROW = Fault(
    WHOLE_ROW,
    'Dấu ngoặc kép (") không khép nên không tách được các ô. Xoá hoặc thêm dấu cho đủ cặp trong dòng này.',
    'A quotation mark (") is not closed, so the cells cannot be told apart. Remove it or close it.',
)


def too_wide(found: int, expected: int) -> Fault:
    """The fault of a row with more cells than columns."""
    return Fault(
        WHOLE_ROW,
        f"Dòng có {found} ô nhưng chỉ có {expected} cột, nên các ô bị lệch. Giá trị có dấu phân cách thì đặt "
        "trong dấu ngoặc kép.",
        f"The row has {found} cells for {expected} columns, so cells are out of place. Put a value that "
        "holds the separator in quotation marks.",
    )

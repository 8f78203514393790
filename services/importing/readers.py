"""Files as they come from offices: text tables, workbooks, lines. Rows keep the number that Excel shows.

A row that cannot be read never takes others with it: a quotation mark that is never closed spoils its own
line, a byte that is no UTF-8 its own cell. What would fill the memory is refused (workbooks.py).
"""

import codecs
import csv
import io
import os
import unicodedata
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, TextIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from schemas.events import find_identifier
from services.importing.workbooks import UnsafeWorkbook, check_workbook
from streams.domain.errors import ConfigurationError

Cell = str | int | float | bool | date | datetime | time | timedelta
"""An empty cell is the empty text. Text tables have text only."""

FileKind = Literal["text", "workbook", "events"]

DELIMITERS = (",", ";", "\t")
HEADER_WITHIN = 20
"""A header is looked for in this many rows."""

# A row of a text table; the longest that Excel can write is far shorter in practice.
_MAX_LINE = 1_000_000
# Longest record of a text table, in lines: a quoted cell may hold a few line breaks.
_MAX_RECORD_LINES = 50
# So much of a text table tells its encoding: the names of its columns are Vietnamese.
_SAMPLE_BYTES = 256 * 1024
_TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
_EVENT_SUFFIXES = frozenset({".ndjson", ".jsonl"})
_LEGACY_WORKBOOK = b"\xd0\xcf\x11\xe0"
_DAMAGED = frozenset(map(chr, range(0xDC80, 0xDD00))) | {"\ufffd"}


class FileProblem(ConfigurationError):
    """A file that cannot be read as a whole; nothing of it was sent. Its text is "Vietnamese / English"."""

    def __init__(self, message_vi: str, message_en: str) -> None:
        super().__init__(f"{message_vi} / {message_en}")
        self.message_vi = message_vi
        self.message_en = message_en


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file on this machine, or one that somebody sent.

    Attributes:
        name: For messages, and for its ending; it is never opened as a path.
        open: The file from its first byte; may be called again when the last one was left.
    """

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]

    @classmethod
    def at(cls, path: Path) -> "InputFile":
        """A file of the operator's own."""
        return cls(str(path), lambda: path.open("rb"))

    @classmethod
    def of(cls, stream: BinaryIO, name: str) -> "InputFile":
        """A file that somebody sent under a name: a seekable stream, which is not closed."""

        def again() -> AbstractContextManager[BinaryIO]:
            stream.seek(0)
            return nullcontext(stream)

        return cls(safe_name(name), again)

    @property
    def suffix(self) -> str:
        """The ending of its name, such as ".csv"."""
        return PurePosixPath(self.name).suffix.lower()


def safe_name(name: str) -> str:
    """What may be shown of the name of a file that was sent: no folders, nothing invisible, no person.

    >>> safe_name("C:\\\\x\\\\..\\\\ca bệnh.xlsx"), safe_name("../../etc/passwd"), safe_name("..")
    ('ca bệnh.xlsx', 'passwd', 'file')
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"|?*').strip()
    suffix = PurePosixPath(shown).suffix[:10]
    if len(shown) > 100:
        shown = shown[: 100 - len(suffix)] + suffix
    if not shown.strip(".") or find_identifier(PurePosixPath(shown).stem) is not None:
        return f"file{suffix}"
    return shown


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file.

    Attributes:
        number: As Excel shows it, the first row is 1.
        cells: From the first column that the table uses.
        is_broken: The row's quotation marks do not close, so where its cells end is unknown.
    """

    number: int
    cells: list[Cell]
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One way to read a file as a table; a layout says whether it is the right one.

    Attributes:
        name: The sheet's name; empty for a text table.
        rows: Reads it from its start.
        size: About how many rows there are.
    """

    name: str
    rows: Callable[[], Generator[Row, None, None]]
    size: int

    def first_rows(self) -> list[Row]:
        """As many rows as a header is looked for in."""
        with closing(self.rows()) as rows:
            return list(islice(rows, HEADER_WITHIN))


def is_damaged(text: str) -> bool:
    """Whether a text holds a byte that was no UTF-8, or the sign that other programs put in its place."""
    return not text.isascii() and not _DAMAGED.isdisjoint(text)


def kind_of_file(file: InputFile) -> FileKind:
    """What a file is, by its first bytes, then by its name.

    Raises:
        FileProblem: there is no such file, it is empty, or it is of a kind that is not read.
    """
    try:
        with file.open() as opened:
            head = opened.read(4096)
    except FileNotFoundError:
        raise FileProblem(f"{file.name}: không có tệp này.", "There is no such file.") from None
    except OSError as error:
        raise FileProblem(
            f"{file.name}: không đọc được tệp. Kiểm tra đường dẫn và quyền đọc.",
            f"It cannot be read: {error.strerror or error}.",
        ) from None
    suffix = file.suffix
    if not head:
        raise FileProblem(f"{file.name}: tệp trống. Xuất lại rồi gửi lại.", "The file is empty.")
    if head.startswith(b"PK\x03\x04"):
        return "workbook"
    if head.startswith(_LEGACY_WORKBOOK):
        raise FileProblem(
            f"{file.name}: tệp Excel cũ (.xls) hoặc có mật khẩu. Mở tệp, lưu lại thành .xlsx, không "
            "đặt mật khẩu.",
            "An old or protected Excel file. Open it and save it as .xlsx without a password.",
        )
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if suffix in _EVENT_SUFFIXES or (suffix not in _TEXT_SUFFIXES and text.startswith(b"{")):
        return "events"
    if suffix in _TEXT_SUFFIXES:
        return "text"
    if text.startswith(b"["):
        raise FileProblem(
            f"{file.name}: một danh sách JSON. Hãy ghi mỗi bản ghi một dòng (NDJSON).",
            "A JSON list. Write one event a line (NDJSON), as `jq -c '.[]'` does.",
        )
    raise FileProblem(
        f"{file.name}: không phải loại tệp đọc được. Hãy đưa danh sách ca bệnh (.csv, .tsv, .txt, .xlsx) "
        "hoặc bản ghi mỗi dòng một sự kiện (.ndjson, .jsonl).",
        "Not a kind of file that is read. Give a line list (.csv, .tsv, .txt, .xlsx) or one CloudEvent a "
        "line (.ndjson, .jsonl).",
    )


def read_tables(file: InputFile, kind: FileKind) -> Iterator[Table]:
    """Every way to read the file as a table, the likeliest first.

    Raises:
        FileProblem: a workbook that is too large, damaged or protected.
    """
    if kind == "workbook":
        yield from _sheets(file)
        return
    encoding, errors = _encoding(file)
    size = count_lines(file)
    for delimiter in DELIMITERS:
        yield Table("", _text_rows(file, encoding, errors, delimiter), size)


def read_lines(file: InputFile) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, without white space around them, empty ones too."""
    with file.open() as opened:
        for number, line in enumerate(iter(partial(opened.readline, _MAX_LINE), b""), 1):
            _check_length(file, line, number)
            yield number, (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip()


def count_lines(file: InputFile) -> int:
    """About how many lines a file has, for a progress bar."""
    with file.open() as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(1024**2), b"")) + 1


def _check_length(file: InputFile, line: str | bytes, number: int) -> None:
    if len(line) >= _MAX_LINE:
        raise FileProblem(
            f"{file.name}: dòng {number} dài hơn {_MAX_LINE:,} ký tự. Không bảng nào có dòng dài như vậy: "
            "đây không phải bảng, hoặc đã mất dấu xuống dòng. Lưu lại thành .xlsx hoặc “CSV UTF-8”.",
            f"line {number} has more than {_MAX_LINE:,} characters. No row is that long: this is not a "
            "table, or its line ends are lost. Save it again as .xlsx or as “CSV UTF-8”.",
        )


# --- text tables --------------------------------------------------------------------------------


def _encoding(file: InputFile) -> tuple[str, str]:
    """The encoding of a text table, and what becomes of bytes that are wrong in it."""
    with file.open() as opened:
        sample = opened.read(_SAMPLE_BYTES)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    # A text of mostly Latin letters has a zero beside almost every one.
    zeros = sample.count(0)
    if zeros > len(sample) // 4:
        return ("utf-16-be" if sample[::2].count(0) > zeros // 2 else "utf-16-le"), "replace"
    if len(sample) == _SAMPLE_BYTES:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    letters = [letter for letter in sample.decode("utf-8-sig", "surrogateescape") if not letter.isascii()]
    damaged = sum(letter in _DAMAGED for letter in letters)
    if damaged > len(letters) - damaged:
        # Excel's "CSV" of a Vietnamese Windows.
        return "cp1258", "replace"
    # A wrong byte becomes a character that no file can hold, so that it spoils its own cell only.
    return "utf-8-sig", "surrogateescape"


def _text_rows(
    file: InputFile, encoding: str, errors: str, delimiter: str
) -> Callable[[], Generator[Row, None, None]]:
    def rows() -> Generator[Row, None, None]:
        with file.open() as opened:
            text = io.TextIOWrapper(opened, encoding=encoding, errors=errors, newline="")
            try:
                yield from _records(file, text, delimiter)
            finally:
                # The stream may not be ours to close.
                text.detach()

    return rows


def _records(source: InputFile, file: TextIO, delimiter: str) -> Generator[Row, None, None]:
    """Split lines into cells. A record of several lines is one row, as in Excel."""
    ahead: list[str] = []
    number = widest = 0
    while True:
        line = ahead.pop(0) if ahead else file.readline(_MAX_LINE)
        if not line:
            return
        number += 1
        _check_length(source, line, number)
        if '"' not in line:
            text = line.rstrip("\r\n")
            cells = text.split(delimiter) if text else []
            widest = max(widest, len(cells))
            yield Row(number, list(cells))
            continue
        # Most quoted cells end on their own line.
        cells, lines = _record([line], delimiter)
        if not lines:
            ahead.extend(_next_lines(file, _MAX_RECORD_LINES - 1 - len(ahead)))
            cells, lines = _record([line, *ahead], delimiter)
        if not lines or (lines > 1 and len(cells) < widest):
            # Where its cells end is unknown; the lines after it are read for themselves.
            yield Row(number, [line.rstrip("\r\n")], is_broken=True)
            continue
        del ahead[: lines - 1]
        widest = max(widest, len(cells))
        yield Row(number, list(cells))


def _record(lines: list[str], delimiter: str) -> tuple[list[str], int]:
    """The cells of the first record, and how many lines it takes: 0 where its quotes do not close."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error:
        return [], 0


def _next_lines(file: TextIO, number: int) -> Iterator[str]:
    return islice(iter(partial(file.readline, _MAX_LINE), ""), number)


# --- workbooks ----------------------------------------------------------------------------------


def _sheets(file: InputFile) -> Iterator[Table]:
    with file.open() as opened:
        try:
            check_workbook(opened)
        except UnsafeWorkbook as unsafe:
            raise FileProblem(f"{file.name}: {unsafe.message_vi}", unsafe.message_en) from unsafe
        opened.seek(0, os.SEEK_SET)
        try:
            with CalamineWorkbook.from_filelike(opened) as workbook:
                for sheet in workbook.sheets_metadata:
                    if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
                        loaded = workbook.get_sheet_by_name(sheet.name)
                        yield Table(sheet.name, partial(_sheet_rows, loaded), loaded.total_height)
        except CalamineError as error:
            raise FileProblem(
                f"{file.name}: không đọc được tệp Excel này. Mở tệp rồi lưu lại thành .xlsx, không mật khẩu.",
                f"The workbook cannot be read ({type(error).__name__}). Open it and save it again as .xlsx, "
                "without a password.",
            ) from error


def _sheet_rows(sheet: CalamineSheet) -> Generator[Row, None, None]:
    # Rows above the first used one are given as empty rows, so counting from 1 is Excel's number.
    for number, cells in enumerate(sheet.iter_rows(), 1):
        yield Row(number, list(cells))

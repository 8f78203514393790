"""Files as they come from offices: text tables, workbooks, lines. Rows keep the number that Excel shows.

A row that cannot be read never takes others with it: a quotation mark that is never closed spoils its own
line, a byte that is no UTF-8 its own cell.
"""

import codecs
import csv
import lzma
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from streams.domain.errors import ConfigurationError

Cell = str | int | float | bool | date | datetime | time | timedelta
"""An empty cell is the empty text. Text tables have text only."""

FileKind = Literal["text", "workbook", "events"]

DELIMITERS = (",", ";", "\t")
HEADER_WITHIN = 20
"""A header is looked for in this many rows."""

_MAX_WORKBOOK_BYTES = 200 * 1024**2
_MAX_UNPACKED_BYTES = 1024**3
_MAX_ROWS = 1_048_576
# Longest record of a text table, in lines: a quoted cell may hold a few line breaks.
_MAX_RECORD_LINES = 50
# What zipfile raises for archives that are damaged, encrypted, or made in a way that Excel never does.
_BAD_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
_TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
_EVENT_SUFFIXES = frozenset({".ndjson", ".jsonl"})
_LEGACY_WORKBOOK = b"\xd0\xcf\x11\xe0"
_DAMAGED = frozenset(map(chr, range(0xDC80, 0xDD00))) | {"\ufffd"}


class FileProblem(ConfigurationError):
    """A file that cannot be read as a whole; nothing of it was sent."""


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


def kind_of_file(path: Path) -> FileKind:
    """What a file is, by its first bytes, then by its name.

    Raises:
        FileProblem: there is no such file, it is empty, or it is of a kind that is not read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError:
        raise FileProblem(f"{path}: there is no such file.") from None
    except OSError as error:
        raise FileProblem(f"{path}: cannot be read: {error.strerror or error}.") from None
    suffix = path.suffix.lower()
    if not head:
        raise FileProblem(f"{path}: the file is empty.")
    if head.startswith(b"PK\x03\x04"):
        return "workbook"
    if head.startswith(_LEGACY_WORKBOOK):
        raise FileProblem(
            f"{path}: an old or protected Excel file. Open it and save it as .xlsx without a password."
        )
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if suffix in _EVENT_SUFFIXES or (suffix not in _TEXT_SUFFIXES and text.startswith(b"{")):
        return "events"
    if suffix in _TEXT_SUFFIXES:
        return "text"
    if text.startswith(b"["):
        raise FileProblem(f"{path}: a JSON list. Write one event a line (NDJSON), as `jq -c '.[]'` does.")
    raise FileProblem(
        f"{path}: not a kind of file that is read. Give a line list (.csv, .tsv, .txt, .xlsx) "
        "or one CloudEvent a line (.ndjson, .jsonl)."
    )


def read_tables(path: Path, kind: FileKind) -> Iterator[Table]:
    """Every way to read the file as a table, the likeliest first.

    Raises:
        FileProblem: a workbook that is too large, damaged or protected.
    """
    if kind == "workbook":
        yield from _sheets(path)
        return
    encoding, errors = _encoding(path)
    size = count_lines(path)
    for delimiter in DELIMITERS:
        yield Table("", _text_rows(path, encoding, errors, delimiter), size)


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, without white space around them, empty ones too."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            yield number, (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip()


def count_lines(path: Path) -> int:
    """About how many lines a file has, for a progress bar."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1024**2), b"")) + 1


# --- text tables --------------------------------------------------------------------------------


def _encoding(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace"
    # A wrong byte becomes a character that no file can hold, so that it spoils its own cell only.
    return "utf-8-sig", "surrogateescape"


def _text_rows(
    path: Path, encoding: str, errors: str, delimiter: str
) -> Callable[[], Generator[Row, None, None]]:
    def rows() -> Generator[Row, None, None]:
        with path.open(encoding=encoding, errors=errors, newline="") as file:
            yield from _records(file, delimiter)

    return rows


def _records(file: TextIO, delimiter: str) -> Generator[Row, None, None]:
    """Split lines into cells. A record of several lines is one row, as in Excel."""
    ahead: list[str] = []
    number = widest = 0
    while True:
        line = ahead.pop(0) if ahead else file.readline()
        if not line:
            return
        number += 1
        if '"' not in line:
            text = line.rstrip("\r\n")
            cells = text.split(delimiter) if text else []
            widest = max(widest, len(cells))
            yield Row(number, list(cells))
            continue
        ahead.extend(islice(file, _MAX_RECORD_LINES - 1 - len(ahead)))
        reader = csv.reader([line, *ahead], delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
            is_sound = reader.line_num == 1 or len(cells) >= widest
        except csv.Error:
            is_sound = False
        if not is_sound:
            # Where its cells end is unknown; the lines after it are read for themselves.
            yield Row(number, [line.rstrip("\r\n")], is_broken=True)
            continue
        del ahead[: reader.line_num - 1]
        widest = max(widest, len(cells))
        yield Row(number, list(cells))


# --- workbooks ----------------------------------------------------------------------------------


def _sheets(path: Path) -> Iterator[Table]:
    _check_workbook(path)
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            for sheet in workbook.sheets_metadata:
                if sheet.typ != SheetTypeEnum.WorkSheet or sheet.visible != SheetVisibleEnum.Visible:
                    continue
                loaded = workbook.get_sheet_by_name(sheet.name)
                if loaded.total_height > _MAX_ROWS:
                    raise FileProblem(f"{path}: sheet {sheet.name} has more than {_MAX_ROWS} rows. Split it.")
                yield Table(sheet.name, partial(_sheet_rows, loaded), loaded.total_height)
    except CalamineError as error:
        raise FileProblem(
            f"{path}: the workbook cannot be read ({type(error).__name__}). Open it and save it again as "
            ".xlsx, without a password."
        ) from error


def _sheet_rows(sheet: CalamineSheet) -> Generator[Row, None, None]:
    # Rows above the first used one are given as empty rows, so counting from 1 is Excel's number.
    for number, cells in enumerate(sheet.iter_rows(), 1):
        yield Row(number, list(cells))


def _check_workbook(path: Path) -> None:
    """Refuse what would fill the memory: a workbook is a zip archive, and those can unpack to anything."""
    if path.stat().st_size > _MAX_WORKBOOK_BYTES:
        raise FileProblem(
            f"{path}: larger than {_MAX_WORKBOOK_BYTES // 1024**2} MB. Split it, or save it as CSV."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > _MAX_UNPACKED_BYTES:
                raise FileProblem(
                    f"{path}: unpacks to more than {_MAX_UNPACKED_BYTES // 1024**2} MB. Split it, or save it "
                    "as CSV."
                )
            # Sizes that the archive lies about show up as a wrong checksum.
            damaged = archive.testzip()
    except _BAD_ARCHIVE as error:
        raise FileProblem(
            f"{path}: not a sound .xlsx file ({type(error).__name__}). Save it again."
        ) from error
    if damaged is not None:
        raise FileProblem(f"{path}: a part of the workbook is damaged. Save it again.")

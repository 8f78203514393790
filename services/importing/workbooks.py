"""Refuse workbooks that would fill the memory. A workbook is a zip archive of XML, made by anybody.

calamine, which reads them, holds a sheet as a full rectangle and copies a shared text into every cell that
names it: one cell in the last corner, or one long text named a million times, takes more memory than any
machine has. So what an archive really unpacks to, how far its cells reach and how long its texts are is
measured first, in pieces. Formulas are never computed: the value beside them is what Excel stored.
"""

import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 200 * 1024**2
MAX_UNPACKED_BYTES = 1024**3
MAX_MEMBERS = 2_000
MAX_ROWS = 300_000
MAX_COLUMNS = 256
# Of a sheet, cells between its first and last row and column; calamine takes 32 bytes for each.
MAX_CELLS = 20_000_000
# Bytes of all shared texts, each as often as a cell names it.
MAX_TEXT_BYTES = 1024**3

_BLOCK = 1024**2
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_DATA_DESCRIPTOR_OR_NAMES_ONLY = 0x0001
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_SHARED = re.compile(r"xl/sharedStrings\.xml", re.IGNORECASE)
# Excel writes no comments, CDATA or doctypes into sheets; they could hide what is looked for here.
# Only what reaches beyond column BL or row 99999 is worth a look: most cells do not.
_FAR = re.compile(
    rb"""r\s*=\s*["']\s*(?:([A-Za-z]{3,9}|[C-Zc-z][A-Za-z]|[Bb][M-Zm-z])([0-9]{1,12})|[A-Za-z]*([0-9]{6,12}))"""
)
_NEAR_COLUMNS, _NEAR_ROWS = 64, 99_999
_INDEX = re.compile(rb"<(?:\w+:)?v[^>]*>\s*([0-9]{1,9})\s*<")
_ITEM_END = re.compile(rb"</(?:\w+:)?si\s*>|<(?:\w+:)?si\s*/>")
_BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError)


class UnsafeWorkbook(ValueError):
    """Why a workbook is not read, and what to do."""

    def __init__(self, message_vi: str, message_en: str) -> None:
        super().__init__(message_en)
        self.message_vi = message_vi
        self.message_en = message_en


def check_workbook(file: BinaryIO) -> None:
    """Look through an .xlsx file, in pieces, before anything holds it as a whole.

    Raises:
        UnsafeWorkbook: too large, damaged, protected, or made in a way that Excel never does.
    """
    if file.seek(0, os.SEEK_END) > MAX_BYTES:
        raise UnsafeWorkbook(
            f"lớn hơn {MAX_BYTES // 1024**2} MB. Hãy chia nhỏ, hoặc lưu thành CSV.",
            f"larger than {MAX_BYTES // 1024**2} MB. Split it, or save it as CSV.",
        )
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(members)
            _check_contents(file, members)
    except _BAD_ARCHIVE as error:
        if isinstance(error, UnsafeWorkbook):
            raise
        raise UnsafeWorkbook(
            "tệp .xlsx bị hỏng. Hãy xuất hoặc lưu lại.",
            f"not a sound .xlsx file ({type(error).__name__}). Save it again.",
        ) from error


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES or len(members) > MAX_MEMBERS:
        raise _too_much()
    if "xl/workbook.xml" not in {member.filename for member in members}:
        raise UnsafeWorkbook(
            "không phải tệp Excel .xlsx. Mở bằng Excel rồi lưu thành “Excel Workbook (.xlsx)”.",
            "cannot be read: not an .xlsx workbook. Open it in Excel and save it as “Excel Workbook "
            "(.xlsx)”.",
        )
    for member in members:
        if member.flag_bits & _DATA_DESCRIPTOR_OR_NAMES_ONLY:
            raise UnsafeWorkbook(
                "có mật khẩu. Hãy lưu lại không đặt mật khẩu.",
                "protected by a password. Save it again without one.",
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsafeWorkbook(
                "nén theo cách mà Excel không dùng. Hãy lưu lại thành .xlsx.",
                "packed in a way that Excel does not use. Save it again as .xlsx.",
            )


def _too_much() -> UnsafeWorkbook:
    return UnsafeWorkbook(
        f"giải nén ra hơn {MAX_UNPACKED_BYTES // 1024**2} MB. Hãy chia nhỏ, hoặc dùng CSV.",
        f"unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB. Split it, or use CSV.",
    )


def _check_contents(file: BinaryIO, members: list[zipfile.ZipInfo]) -> None:
    unpacked = 0
    shared = _SharedTexts()
    sheets: list[tuple[zipfile.ZipInfo, _Sheet]] = []
    for member in members:
        sheet = _Sheet() if _SHEET.fullmatch(member.filename) else None
        texts = shared if _SHARED.fullmatch(member.filename) else None
        crc = size = 0
        for block in _unpacked(file, member):
            size += len(block)
            unpacked += len(block)
            if unpacked > MAX_UNPACKED_BYTES or size > member.file_size:
                raise _too_much()
            crc = zlib.crc32(block, crc)
            if sheet is not None:
                sheet.take(block)
            elif texts is not None:
                texts.take(block)
        if crc != member.CRC or size != member.file_size:
            raise UnsafeWorkbook(
                "một phần của tệp bị hỏng. Hãy xuất hoặc lưu lại.",
                "a part of the workbook is damaged. Save it again.",
            )
        if sheet is not None:
            sheet.finish()
            sheets.append((member, sheet))
    for member, sheet in sheets:
        # Counted one by one only where it could matter at all.
        if sheet.cells * shared.longest > MAX_TEXT_BYTES:
            _check_texts(file, member, shared)


def _check_texts(file: BinaryIO, member: zipfile.ZipInfo, shared: "_SharedTexts") -> None:
    named, tail = 0, b""
    for block in _unpacked(file, member):
        content = tail + block
        cut = _before_a_cell(content)
        named += shared.bytes_of(_INDEX.findall(content[:cut]))
        tail = content[cut:]
        if named + shared.bytes_of(_INDEX.findall(tail)) > MAX_TEXT_BYTES:
            raise UnsafeWorkbook(
                f"các ô chứa hơn {MAX_TEXT_BYTES // 1024**2} MB chữ. Hãy chia nhỏ, hoặc dùng CSV.",
                f"its cells hold more than {MAX_TEXT_BYTES // 1024**2} MB of text. Split it, or use CSV.",
            )


def _before_a_cell(content: bytes) -> int:
    """Where to cut, so that no value is seen by halves or twice."""
    cut = max(content.rfind(b"<c "), content.rfind(b":c "))
    return cut if cut > 0 else len(content)


def _unpacked(file: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a member really unpacks to, whatever sizes it claims, in pieces."""
    file.seek(member.header_offset)
    magic, name_length, extra_length = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    if magic != b"PK\x03\x04":
        raise zipfile.BadZipFile
    file.seek(name_length + extra_length, os.SEEK_CUR)
    left = member.compress_size
    unpacker = zlib.decompressobj(-15) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while left and (packed := file.read(min(_BLOCK, left))):
        left -= len(packed)
        if unpacker is None:
            yield packed
            continue
        while packed:
            yield unpacker.decompress(packed, _BLOCK)
            packed = unpacker.unconsumed_tail
    if unpacker is not None:
        yield unpacker.flush()


class _SharedTexts:
    """How long the texts are that cells name by number; markup included, so never too short."""

    def __init__(self) -> None:
        self._lengths: list[int] = []
        self._open = 0
        self._tail = b""

    def take(self, block: bytes) -> None:
        """Some bytes of the part that holds them."""
        content = self._tail + block
        _refuse_declarations(content)
        position = 0
        for found in _ITEM_END.finditer(content):
            self._lengths.append(self._open + found.end() - position)
            self._open, position = 0, found.end()
        keep = max(position, len(content) - 64)
        self._open += keep - position
        self._tail = content[keep:]

    @property
    def longest(self) -> int:
        """The length of the longest, in bytes."""
        return max(self._lengths, default=0)

    @cached_property
    def _array(self) -> NDArray[np.int64]:
        return np.array(self._lengths, dtype=np.int64)

    def bytes_of(self, indices: list[bytes]) -> int:
        """How long the texts of these numbers are together."""
        numbers = np.array(indices, dtype="S9").astype(np.int64)
        return int(self._array[numbers[numbers < len(self._array)]].sum())


class _Sheet:
    """How far the cells of a sheet reach, and at most how many there are."""

    def __init__(self) -> None:
        self.cells = 0
        self._tail = b""
        self._columns, self._rows = _NEAR_COLUMNS, 1
        self._rows_begun = 0

    def take(self, block: bytes) -> None:
        """Some bytes of the sheet."""
        content = self._tail + block
        # Cut before a tag, so that none is seen by halves or twice.
        cut = content.rfind(b"<")
        cut = cut if len(content) - cut < _BLOCK and cut > 0 else len(content)
        self._tail, content = content[cut:], content[:cut]
        self._look(content)

    def finish(self) -> None:
        """Look at what is left."""
        self._look(self._tail)

    def _look(self, content: bytes) -> None:
        _refuse_declarations(content)
        for letters, digits, alone in _FAR.findall(content):
            self._columns = max(self._columns, _column(letters))
            self._rows = max(self._rows, int(digits or alone))
        self._rows_begun += content.count(b"<row") + content.count(b":row")
        self.cells += content.count(b"<c ") + content.count(b":c ")
        rows = max(self._rows, self._rows_begun)
        if rows > MAX_ROWS or self._columns > MAX_COLUMNS or rows * self._columns > MAX_CELLS:
            raise UnsafeWorkbook(
                f"một trang tính vượt quá {MAX_ROWS:,} dòng, {MAX_COLUMNS} cột hoặc {MAX_CELLS:,} ô. Xoá "
                "những gì nằm xa ngoài bảng (Ctrl+End cho biết chỗ), chia nhỏ, hoặc dùng CSV.",
                f"a sheet reaches further than {MAX_ROWS:,} rows, {MAX_COLUMNS} columns or {MAX_CELLS:,} "
                "cells. Delete what stands far outside the table (Ctrl+End shows it), split it, or use CSV.",
            )


def _refuse_declarations(content: bytes) -> None:
    if b"<!" in content:
        raise UnsafeWorkbook(
            "trang tính được ghi theo cách mà Excel không bao giờ ghi. Hãy lưu lại thành .xlsx.",
            "its sheets are written as Excel never does. Save it again as .xlsx.",
        )


def _column(letters: bytes) -> int:
    """The number of a column by its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number

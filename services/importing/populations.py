"""The operator's file of populations: CSV in, rows and clear refusals out; areas are looked up by the store.

Columns: `area_code` (text, zeros kept), `area_on` (a day on which the code meant the area; empty: 1 July of
the year), `year`, `population` (people in the middle of the year), `source` (optional). UTF-8 with or
without BOM; `,`, `;` or tab between the columns; thousands may take a dot or a space.
"""

import csv
import re
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from importlib.resources import files
from itertools import zip_longest
from pathlib import Path
from typing import Final

from streams.domain.errors import ConfigurationError
from streams.stores.populations import MOST, Fault, OperatorFile, RowsRefused, Stated

REQUIRED: Final = ("area_code", "year", "population")
COLUMNS: Final = ("area_code", "area_on", "year", "population", "source")
FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2100

_CODE = re.compile(r"\d{2}|\d{3}|\d{5}")
_YEAR = re.compile(r"\d{4}")
_NUMBER = re.compile(r"\d+|\d{1,3}(?:[. ]\d{3})+")
_DAY_FIRST = re.compile(r"\d{1,2}/\d{1,2}/\d{4}")


class _Wrong(Exception):
    """A cell that cannot be read: field, then the sentence in Vietnamese and in English."""


def read_file(path: Path) -> OperatorFile:
    """The rows of an operator's file.

    Raises:
        ConfigurationError: the file cannot be read as a whole.
        RowsRefused: some rows are wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}.") from error
    return OperatorFile(path.name, sha256(content).digest(), read_rows(content, path.name))


def read_packaged() -> tuple[str, list[Stated]]:
    """The figures that come with the package, and the hash of their file."""
    content = (files("schemas.catalogue") / "populations.csv").read_bytes()
    return sha256(content).hexdigest()[:16], read_rows(content, "populations.csv")


def read_rows(content: bytes, name: str) -> list[Stated]:
    """The rows of a file; empty lines are skipped.

    Args:
        content: The file.
        name: What to call it in an error, and the source of rows that name none.

    Raises:
        ConfigurationError: it is no UTF-8 text, its header lacks a column or has an unknown one, or no row.
        RowsRefused: some rows are wrong.
    """
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is no UTF-8 text: save it as 'CSV UTF-8'. ({error})") from error
    first = lines[0] if lines else ""
    delimiter = max(",;\t", key=first.count)
    # Strict: a stray quotation mark is an error, not a swallowed line.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    stated: list[Stated] = []
    faults: list[Fault] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            texts = [cell.strip() for cell in cells]
            if not any(texts):
                continue
            if header is None:
                header = _header(texts, name)
                continue
            values = dict(zip_longest(header, texts, fillvalue=""))
            try:
                stated.append(_stated(reader.line_num, values, name))
            except _Wrong as wrong:
                faults.append(Fault(reader.line_num, *wrong.args))
    except csv.Error as error:
        raise ConfigurationError(f"{name}, line {reader.line_num}: {error}.") from error
    if faults:
        raise RowsRefused(faults)
    if not stated:
        raise ConfigurationError(f"{name} has no rows below its header ({', '.join(COLUMNS)}).")
    return stated


def _header(texts: list[str], name: str) -> list[str]:
    header = [text.lower() for text in texts]
    missing = [column for column in REQUIRED if column not in header]
    unknown = [column for column in header if column not in COLUMNS]
    if missing or unknown or len(set(header)) != len(header):
        raise ConfigurationError(
            f"{name}: its first row must name the columns {', '.join(COLUMNS)} (area_on and source may be "
            f"left out), each once. Missing: {', '.join(missing) or 'none'}. "
            f"Unknown: {', '.join(unknown) or 'none'}."
        )
    return header


def _stated(row: int, values: Mapping[str, str], name: str) -> Stated:
    if values.get(""):
        raise _Wrong("row", "Dòng có nhiều ô hơn tiêu đề.", "The row has more cells than the header.")
    code = values["area_code"]
    if not _CODE.fullmatch(code):
        raise _Wrong(
            "area_code",
            f"Mã {code!r}: tỉnh 2 chữ số, huyện/khu vực 3, xã/phường 5; giữ số 0 ở đầu "
            "(định dạng cột là Văn bản).",
            f"Code {code!r}: a province has 2 digits, a district or surveillance area 3, a commune 5; keep "
            "leading zeros (format the column as text).",
        )
    year_text = values["year"]
    if not _YEAR.fullmatch(year_text) or not FIRST_YEAR <= int(year_text) <= LAST_YEAR:
        raise _Wrong(
            "year",
            f"Năm {year_text!r}: viết bốn chữ số, từ {FIRST_YEAR} đến {LAST_YEAR}.",
            f"Year {year_text!r}: four digits, from {FIRST_YEAR} to {LAST_YEAR}.",
        )
    number = values["population"]
    population = int(re.sub(r"[. ]", "", number)) if _NUMBER.fullmatch(number) else 0
    if not 0 < population <= MOST:
        raise _Wrong(
            "population",
            f"Dân số {number!r}: một số nguyên từ 1 đến {MOST}, ví dụ 489180 hoặc 489.180.",
            f"Population {number!r}: a whole number from 1 to {MOST}, for example 489180 or 489.180.",
        )
    year = int(year_text)
    area_on = _day(values.get("area_on", ""), date(year, 7, 1))
    return Stated(row, code, area_on, year, population, values.get("source") or name)


def _day(text: str, default: date) -> date:
    if not text:
        return default
    try:
        if _DAY_FIRST.fullmatch(text):
            return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a day has no zone
        return date.fromisoformat(text)
    except ValueError as error:
        raise _Wrong(
            "area_on",
            f"Ngày {text!r}: viết 2023-07-01 hoặc 01/07/2023.",
            f"Day {text!r}: write 2023-07-01 or 01/07/2023.",
        ) from error

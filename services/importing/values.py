"""A cell into the value that its field takes, in the form in which JSON has it. Pure.

Every function takes a cell that is not empty and raises BadCell, in words that never repeat the cell.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from schemas.catalogue.matching import normalise
from schemas.events import LOCAL_TIMEZONE
from schemas.events.fields import ATTRIBUTES, FIELDS
from services.importing.outcome import BadCell
from services.importing.readers import Cell
from services.importing.vocabulary import CHOICES, FALSE, LAB, SIGNS, TRUE

NULL = "null"
"""The cell that puts a field back to its default."""

# Day 0 of Excel's calendar (its 1900 is no leap year for us: days before 1900-03-01 never matter here).
_SERIAL_ZERO = date(1899, 12, 30)
_FIRST_SERIAL = (date(1990, 1, 1) - _SERIAL_ZERO).days
_LAST_SERIAL = (date(2100, 1, 1) - _SERIAL_ZERO).days

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?")
_OFFSET = re.compile(r"\s*(Z|z|[+-]\d{2}:?\d{2})$")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
_NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")
_DAY_AND_CLOCK = re.compile(r"[T\s]+")


def text_of(cell: Cell) -> str:
    """A cell as text: NFC, outer white space gone, whole numbers without a fraction.

    >>> text_of(3412.0), text_of("  Thuỷ\\u00a0"), text_of(True)
    ('3412', 'Thuỷ', 'true')
    """
    if isinstance(cell, str):
        if cell.isascii():
            return cell.strip()
        return unicodedata.normalize("NFC", cell.replace("\u00a0", " ")).strip()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell)


@lru_cache(maxsize=16_384)
def _day(text: str) -> date | None:
    """The day of an ISO or day-first text; month-first is never guessed."""
    found = _YEAR_FIRST.fullmatch(text)
    if found:
        year, month, day = map(int, found.groups())
    else:
        found = _DAY_FIRST.fullmatch(text)
        if not found:
            return None
        day, month, year = map(int, found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


@lru_cache(maxsize=16_384)
def _clock(text: str) -> time | None:
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hour, minute, second, fraction = found.groups()
    try:
        return time(int(hour), int(minute), int(second or 0), int((fraction or "").ljust(6, "0")))
    except ValueError:
        return None


def _from_serial(days: float) -> date | datetime | None:
    if not _FIRST_SERIAL <= days < _LAST_SERIAL:
        return None
    day = _SERIAL_ZERO + timedelta(days=int(days))
    seconds = round((days - int(days)) * 86_400)
    if seconds == 0:
        return day
    return datetime.combine(day, time(), LOCAL_TIMEZONE) + timedelta(seconds=seconds)


def _moment_of_text(text: str) -> date | datetime | None:
    """A day, or an instant where a time of day stands beside it (local unless it names an offset)."""
    day = _day(text)
    if day is not None:
        return day
    if _SERIAL.fullmatch(text):
        return _from_serial(float(text.replace(",", ".")))
    parts = _DAY_AND_CLOCK.split(text, maxsplit=1)
    if len(parts) != 2:
        return None
    day = _day(parts[0])
    offset = _OFFSET.search(parts[1])
    clock = _clock(parts[1][: offset.start()] if offset else parts[1])
    if day is None or clock is None:
        return None
    moment = datetime.combine(day, clock, LOCAL_TIMEZONE)
    if offset:
        try:
            moment = moment.replace(tzinfo=datetime.strptime(offset[1].upper(), "%z").tzinfo)
            moment.astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    # Spreadsheets write a bare day as its midnight.
    elif clock == time():
        return day
    return moment


def _moment(cell: Cell) -> date | datetime | None:
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time() else cell.replace(tzinfo=LOCAL_TIMEZONE)
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _from_serial(cell)
    return _moment_of_text(text_of(cell))


def to_date(field: str, cell: Cell) -> str:
    """An ISO day. A time of day beside it is dropped: the field is a day.

    >>> to_date("onset_on", "4/7/2023"), to_date("onset_on", "45111"), to_date("onset_on", "2023-07-04 08:12")
    ('2023-07-04', '2023-07-04', '2023-07-04')
    """
    moment = _moment(cell)
    if moment is None:
        raise BadCell(
            f"{_label(field)}: không đọc được ngày. Ghi ngày/tháng/năm, đủ 4 số của năm (04/07/2023), "
            "hoặc 2023-07-04.",
            f"{_label_en(field)}: not a date that can be read. Write day/month/year with all four digits "
            "of the year (04/07/2023) or 2023-07-04.",
        )
    day = moment.astimezone(LOCAL_TIMEZONE).date() if isinstance(moment, datetime) else moment
    return day.isoformat()


def to_date_or_instant(field: str, cell: Cell) -> str:
    """An ISO day, or an ISO instant in UTC where the cell has a time of day.

    >>> to_date_or_instant("died_at", "04/07/2023 08:12"), to_date_or_instant("died_at", "04/07/2023")
    ('2023-07-04T01:12:00Z', '2023-07-04')
    """
    moment = _moment(cell)
    if moment is None:
        raise BadCell(
            f"{_label(field)}: không đọc được ngày giờ. Ghi 04/07/2023 hoặc 04/07/2023 08:12.",
            f"{_label_en(field)}: not a date or time that can be read. Write 04/07/2023 or 04/07/2023 08:12.",
        )
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return moment.isoformat()


def to_event_time(cell: Cell) -> datetime:
    """The instant at which a row was recorded; a day alone is its first moment."""
    moment = _moment(cell)
    if moment is None:
        raise BadCell(
            "Thời điểm ghi nhận: không đọc được ngày giờ. Ghi 04/07/2023 08:12 hoặc "
            "2023-07-04T08:12:00+07:00.",
            "Time of recording: not a date and time that can be read. Write 04/07/2023 08:12 or "
            "2023-07-04T08:12:00+07:00.",
        )
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), LOCAL_TIMEZONE)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def to_event_id(cell: Cell) -> UUID:
    """The id that the sender gave to the event."""
    text = text_of(cell)
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text.lower():
        info = ATTRIBUTES["id"]
        raise BadCell(
            f"{info.label_vi}: phải là {info.expected_vi}; hoặc để trống, hệ thống tự đặt mã.",
            f"{info.label_en}: must be {info.expected_en}; or leave it empty and an id is made.",
        )
    return found


def to_number(field: str, cell: Cell) -> float:
    """A number with a point or a comma before its decimals.

    >>> to_number("age_years", "0,5"), to_number("age_years", 34)
    (0.5, 34.0)
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell):
        return float(cell)
    text = text_of(cell)
    if not _NUMBER.fullmatch(text):
        info = FIELDS[field]
        expected_vi, expected_en = (
            ("một số, ví dụ 34 hoặc 0,5", "a number such as 34 or 0.5")
            if field == "age_years"
            else (info.expected_vi, info.expected_en)
        )
        raise BadCell(
            f"{info.label_vi}: không phải là số. Phải là {expected_vi}.",
            f"{info.label_en}: not a number. It must be {expected_en}.",
        )
    return float(text.replace(",", "."))


def to_boolean(field: str, cell: Cell) -> bool:
    """Yes or no, in Vietnamese or English, as a number or as a mark."""
    text = text_of(cell).casefold()
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise BadCell(
        f"{_label(field)}: phải là có hoặc không.",
        f"{_label_en(field)}: must be yes or no.",
    )


def to_choice(field: str, cell: Cell) -> str:
    """A value of an enumeration, by its code or in Vietnamese; `lab` for the result of any agent.

    >>> to_choice("sex", "Nữ"), to_choice("lab", "(+)"), to_choice("outcome", "Đang điều trị")
    ('female', 'positive', 'in_care')
    """
    text = text_of(cell)
    value = SIGNS.get(field, {}).get(text) or CHOICES[field].get(normalise(text))
    if value is None:
        info = FIELDS[field]
        listed = ", ".join(f"{value} ({meaning})" for value, meaning in (info.values or {}).items())
        raise BadCell(
            f"{info.label_vi}: giá trị không có trong danh sách. Phải là một trong: {listed}.",
            f"{info.label_en}: not in the list. It must be one of: {', '.join(info.values or {})}.",
        )
    return value


def to_object(field: str, cell: Cell) -> dict[str, str | None]:
    """A JSON object of texts, for a `lab` or an `external_ids` column.

    >>> to_object("lab", '{"measles": "dương tính"}')
    {'measles': 'positive'}
    """
    try:
        found = orjson.loads(text_of(cell))
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, Mapping) or not all(isinstance(v, str | None) for v in found.values()):
        example, column = _EXAMPLES[field]
        raise BadCell(
            f"{_label(field)}: phải là JSON dạng {example}; hoặc dùng cột {column}.",
            f"{_label_en(field)}: must be JSON such as {example}; or use a column {column}.",
        )
    if field == LAB:
        return {name: to_choice(field, value) if value is not None else None for name, value in found.items()}
    return {name: text_of(value) if value is not None else None for name, value in found.items()}


_EXAMPLES = {
    "lab": ('{"measles": "positive"}', "lab.measles"),
    "external_ids": ('{"ecds": "2023-12-000456"}', "external_ids.ecds"),
}


def _label(field: str) -> str:
    return FIELDS[field].label_vi


def _label_en(field: str) -> str:
    return FIELDS[field].label_en


_CONVERTERS: Mapping[str, Any] = {
    **dict.fromkeys(
        ("area_on", "onset_on", "admitted_on", "sampled_on", "reported_on", "discharged_on"), to_date
    ),
    **dict.fromkeys(("diagnosed_at", "died_at"), to_date_or_instant),
    **dict.fromkeys(CHOICES, to_choice),
    "age_years": to_number,
    "doses": to_number,
    "hospitalised": to_boolean,
}


def convert(field: str, cell: Cell) -> Any:
    """The value of a data field; text as it stands where the field takes text or a code.

    Raises:
        BadCell: the cell has no place in this column.
    """
    converter = _CONVERTERS.get(field)
    if converter is None:
        return text_of(cell)
    return _converted_text(field, cell) if isinstance(cell, str) else converter(field, cell)


@lru_cache(maxsize=65_536)
def _converted_text(field: str, text: str) -> Any:
    """Days, ages and choices come again and again."""
    return _CONVERTERS[field](field, text)

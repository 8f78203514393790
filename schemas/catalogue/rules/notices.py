"""Declared outbreaks ("có dịch"): a CSV that people keep; the system adds nothing to it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from schemas.catalogue.errors import CatalogueError, Fault

NOTICE_COLUMNS: Final = ("disease", "area_code", "year", "started_on", "ended_on", "source")


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A declared "có dịch": a disease, a commune by its code in `year` (or on `started_on`), a year."""

    disease: str
    area_code: str
    year: int
    started_on: date | None
    ended_on: date | None
    source: str


def parse_notices(text: str, name: str) -> list[NoticeRow]:
    """The rows of a CSV of declared outbreaks; columns: NOTICE_COLUMNS.

    Raises:
        CatalogueError: names every row that is wrong, and why.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    if tuple(next(lines, ())) != NOTICE_COLUMNS:
        raise CatalogueError([Fault(name, "line 1", f"the header must be {','.join(NOTICE_COLUMNS)}")])
    rows: list[NoticeRow] = []
    faults: list[Fault] = []
    for cells in lines:
        entry = f"line {lines.line_num}"
        if len(cells) != len(NOTICE_COLUMNS):
            faults.append(Fault(name, entry, f"has {len(cells)} values for {len(NOTICE_COLUMNS)} columns"))
            continue
        try:
            rows.append(_notice(dict(zip(NOTICE_COLUMNS, (cell.strip() for cell in cells), strict=True))))
        except ValueError as error:
            faults.append(Fault(name, entry, str(error)))
    if faults:
        raise CatalogueError(faults)
    return rows


def _notice(cells: Mapping[str, str]) -> NoticeRow:
    year = _read("year", cells, int)
    started_on, ended_on = (
        _read("started_on", cells, date.fromisoformat),
        _read("ended_on", cells, date.fromisoformat),
    )
    if year is None:
        year = None if started_on is None else started_on.year
    if year is None or not 1990 <= year <= 2100:
        raise ValueError("year: a year from 1990 to 2100, or a started_on, must be there")
    if started_on is not None and started_on.year != year:
        raise ValueError(f"started_on {started_on} is not in {year}")
    if ended_on is not None and (started_on is None or ended_on < started_on):
        raise ValueError(f"ended_on {ended_on} wants a started_on before it")
    for name in ("disease", "area_code", "source"):
        if not cells[name]:
            raise ValueError(f"{name} is empty")
    return NoticeRow(cells["disease"], cells["area_code"], year, started_on, ended_on, cells["source"])


def _read(name: str, cells: Mapping[str, str], convert: Callable[[str], Any]) -> Any:
    if not cells[name]:
        return None
    try:
        return convert(cells[name])
    except ValueError as error:
        what = "year" if name == "year" else "day, YYYY-MM-DD"
        raise ValueError(f"{name}: {cells[name]!r} is no {what}") from error

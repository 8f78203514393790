"""The table of counts for people, and what to say below it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from services.cli.output import out
from streams.domain.counts import COUNTERS

Row = dict[str, Any]

_LABELS: Final = {
    "disease_name": "Bệnh",
    "agent": "Tác nhân",
    "province_name": "Tỉnh",
    "district_name": "Huyện/khu vực",
    "commune_name": "Xã/phường",
    "day": "Ngày",
    "week": "Tuần",
    "month": "Tháng",
    "year": "Năm",
    "notified": "Mắc",
    "suspected": "Nghi\nngờ",
    "probable": "Có\nthể",
    "confirmed": "Xác\nđịnh",
    "discarded": "Loại\ntrừ",
    "positive": "(+)",
    "negative": "(-)",
    "pending": "Chờ\nXN",
    "deaths": "Tử\nvong",
    "imported": "Ngoại\nlai",
    "hospitalised": "Nằm\nviện",
}
_NONE: Final = "–"

_MARKS: Final = {
    "spread": "chia đều theo số xã / spread equally over communes",
    "interpolated": "nội suy giữa hai năm / interpolated between years",
    "extrapolated": "ngoại suy / extrapolated beyond the known years",
    "carried": "chuyển theo thay đổi địa giới / carried across a change of areas",
    "approximate": "địa giới không trùng khớp / areas do not match exactly",
}


def print_table(rows: Sequence[Row]) -> None:
    """Print rows of counts; columns that say nothing are left out."""
    if not rows:
        out.print("Không có ca bệnh nào. / No cases.")
        return
    shown = [name for name in rows[0] if name in _LABELS and _says_something(name, rows)]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in shown:
        is_counter = name in COUNTERS
        table.add_column(
            _LABELS[name],
            justify="right" if is_counter else "left",
            no_wrap=is_counter,
            overflow="fold",
            min_width=None if is_counter else 8,
        )
    extras = [column for column in _EXTRAS if column in rows[0]]
    for column in extras:
        table.add_column(_EXTRAS[column][0], justify="right", no_wrap=True)
    for row in rows:
        cells = [_cell(name, row) for name in shown]
        table.add_row(*cells, *(_EXTRAS[column][1](row) for column in extras))
    out.print(table)


def remarks(rows: Sequence[Row]) -> list[str]:
    """What to say below a table: of uncertain places, tallies, populations, and comparisons not made."""
    found = []
    approximate = sum(row.get("approximate", 0) for row in rows)
    if approximate:
        found.append(
            f"~ {approximate} ca không chắc thuộc địa bàn ghi ở đây, vì địa giới thay đổi. / {approximate} "
            "case(s) may not belong to the area where they are shown: areas were merged or split."
        )
    tallied = sum(row.get("from_tallies", 0) for row in rows)
    if tallied:
        found.append(
            f"{tallied} ca là số tổng hợp, không có chi tiết. / "
            f"{tallied} case(s) are from tallies, without detail."
        )
    if any(row.get("incidence_unstable") or row.get("case_fatality_unstable") for row in rows):
        found.append(
            "! dưới 20 ca: tỷ suất không ổn định. / fewer than 20 cases: the rate is unstable. "
            "Khoảng tin cậy 95 % / 95 % intervals: --json."
        )
    marks = sorted({mark for row in rows for mark in row.get("population_marks", ())})
    if marks:
        found.append(
            "* dân số ước tính / population estimated: " + "; ".join(_MARKS[mark] for mark in marks) + "."
        )
    found += _notes(rows, "rate_note")
    found += _notes(rows, "comparison_note")
    return found


def _notes(rows: Iterable[Row], column: str) -> list[str]:
    """Each different note once; those of zero before are seen in the table."""
    notes = [row[column] for row in rows if row.get(column) is not None]
    said = dict.fromkeys(f"{n['message_vi']} / {n['message_en']}" for n in notes if n["code"] != "from_zero")
    return list(said)[:_MOST_NOTES] + ([f"… (+{len(said) - _MOST_NOTES})"] if len(said) > _MOST_NOTES else [])


_MOST_NOTES: Final = 6


def _cell(name: str, row: Row) -> str:
    if row[name] is None:
        return "không rõ"
    is_uncertain = name == "notified" and row.get("approximate")
    return f"{row[name]}{' ~' if is_uncertain else ''}"


def _says_something(name: str, rows: Iterable[Row]) -> bool:
    # A terminal is narrow: counters that are zero throughout are left out, but for cases and deaths.
    return name not in COUNTERS or name in ("notified", "deaths") or any(row[name] for row in rows)


def _decimal(value: float | None, digits: int, mark: str = "") -> str:
    """With a comma, as Vietnamese reports print it."""
    return _NONE if value is None else f"{value:.{digits}f}".replace(".", ",") + mark


def _count(value: float | None) -> str:
    if value is None:
        return _NONE
    return str(int(value)) if value == int(value) else _decimal(value, 1)


def _signed(value: float | None) -> str:
    return _NONE if value is None else ("+" if value > 0 else "") + _count(value)


def _percent(row: Row) -> str:
    share = row["change_relative"]
    return _NONE if share is None else f"{100 * share:+.1f}%".replace(".", ",")


def _range(row: Row) -> str:
    return _NONE if row["range_5y"] is None else "–".join(str(value) for value in row["range_5y"])


def _population(row: Row) -> str:
    if row["population"] is None:
        return _NONE
    return f"{row['population']:,}".replace(",", ".") + (" *" if row["population_marks"] else "")


def _incidence(row: Row) -> str:
    return _decimal(row["incidence_per_100k"], 2, " !" if row["incidence_unstable"] else "")


def _fatality(row: Row) -> str:
    value = row["case_fatality"]
    mark = " !" if row["case_fatality_unstable"] else ""
    return _decimal(None if value is None else 100 * value, 2, mark)


_EXTRAS: Final[dict[str, tuple[str, Callable[[Row], str]]]] = {
    "previous_notified": ("Cùng kỳ\nnăm trước", lambda row: _count(row["previous_notified"])),
    "previous_deaths": ("Tử vong\ncùng kỳ", lambda row: _count(row["previous_deaths"])),
    "median_5y": ("Trung vị\n5 năm", lambda row: _count(row["median_5y"])),
    "range_5y": ("Ít nhất–\nnhiều nhất", _range),
    "change": ("Tăng/\ngiảm", lambda row: _signed(row["change"])),
    "change_relative": ("%", _percent),
    "population": ("Dân số", _population),
    "incidence_per_100k": ("/100.000", _incidence),
    "case_fatality": ("Tử vong/\nmắc %", _fatality),
}
"""Column -> heading, and the text of a row's cell."""

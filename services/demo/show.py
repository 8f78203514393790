"""The demo's last page: the table of the year, and each figure beside the report's.

Takes the rows that `canhdich counts --json` gives, so that what is checked is what anybody would see.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.demo.figures import (
    AGENTS,
    CITATION,
    DISEASES,
    DISTRICTS,
    RESOLVED,
    YEAR,
    YEAR_BEFORE,
    YearFigures,
    figures_of,
)

STAMP = "DỮ LIỆU MÔ PHỎNG"
WIDTH = 100
_VERDICTS_WIDTH = 74

Row = Mapping[str, Any]

_COUNTERS: Mapping[str, str] = {
    "notified": "mắc",
    "deaths": "tử vong",
    "positive": "dương tính",
    "negative": "âm tính",
    "pending": "chờ kết quả",
    "imported": "ngoại lai",
}
_SHOWN: Mapping[str, str] = {
    "notified": "Mắc",
    "deaths": "Tử\nvong",
    "positive": "Dương\ntính",
    "negative": "Âm\ntính",
    "pending": "Chờ\nKQ",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One figure of the report beside the one that was counted; `what` says in Vietnamese what it counts."""

    disease: str
    year: int
    what: str
    expected: int
    found: int

    @property
    def matches(self) -> bool:
        """Whether the two are equal."""
        return self.expected == self.found


def compare(rows: Iterable[Row], rows_before: Iterable[Row], rows_by_agent: Iterable[Row]) -> list[Check]:
    """The figures that differ from the report; empty when every one is equal.

    Args:
        rows: Counts of 2023 by disease and district.
        rows_before: The same of 2022.
        rows_by_agent: Counts of 2023 by disease and agent.
    """
    return [check for check in checks(rows, rows_before, rows_by_agent) if not check.matches]


def checks(rows: Iterable[Row], rows_before: Iterable[Row], rows_by_agent: Iterable[Row]) -> list[Check]:
    """Every figure that the report states, and that nothing else was counted. Arguments as in `compare`."""
    found = list(_checks_of_year(YEAR, list(rows), list(rows_by_agent)))
    return found + list(_checks_of_year(YEAR_BEFORE, list(rows_before), None))


def _checks_of_year(year: int, rows: Sequence[Row], by_agent: Sequence[Row] | None) -> Iterable[Check]:
    for disease, figures in figures_of(year).items():
        own = [row for row in rows if row["disease"] == disease]
        for counter, label in _COUNTERS.items():
            if counter in figures.stated:
                yield Check(disease, year, label, getattr(figures, counter), _total(own, counter))
        yield from _district_checks(figures, own)
        if by_agent is not None and "positive_by_agent" in figures.stated:
            for agent, expected in figures.positive_by_agent.items():
                positive = [row for row in by_agent if (row["disease"], row["agent"]) == (disease, agent)]
                label = f"dương tính {AGENTS[agent]}"
                yield Check(disease, year, label, expected, _total(positive, "positive"))
        if any(row["district"] is None for row in own):
            unplaced = _total([row for row in own if row["district"] is None], "notified")
            yield Check(disease, year, "không rõ huyện", 0, unplaced)
    for disease in {row["disease"]: None for row in rows}:
        if disease not in figures_of(year) and disease not in RESOLVED:
            strays = [row for row in rows if row["disease"] == disease]
            yield Check(disease, year, "không có trong báo cáo", 0, _total(strays, "notified"))


def _district_checks(figures: YearFigures, rows: Sequence[Row]) -> Iterable[Check]:
    """Cases and deaths where the report names the district, and none elsewhere where it names them all."""
    splits = (
        ("notified", "cases_by_district", figures.cases_by_district),
        ("deaths", "deaths_by_district", figures.deaths_by_district),
    )
    for counter, name, split in splits:
        if name in figures.stated:
            for code, expected in split.items():
                here = [row for row in rows if row["district"] == code]
                label = f"{_COUNTERS[counter]} {DISTRICTS[code]}"
                yield Check(figures.disease, figures.year, label, expected, _total(here, counter))
    if "places" in figures.stated:
        with_cases = {row["district"] for row in rows if row["notified"]}
        if "cases_by_district" not in figures.stated:
            label = f"số huyện có ca trong {', '.join(DISTRICTS[code] for code in sorted(figures.places))}"
            found = len(with_cases & figures.places)
            yield Check(figures.disease, figures.year, label, len(figures.places), found)
        label = "số huyện khác có ca"
        yield Check(figures.disease, figures.year, label, 0, len(with_cases - figures.places))


def _total(rows: Iterable[Row], counter: str) -> int:
    return sum(int(row[counter]) for row in rows)


def show(
    rows: Sequence[Row],
    rows_before: Sequence[Row],
    rows_by_agent: Sequence[Row],
    console: Console | None = None,
) -> list[Check]:
    """Print the table of the year, the table of districts and the check; return the figures that differ.

    Args:
        rows: Counts of 2023 by disease and district, as `canhdich counts --json` gives them.
        rows_before: The same of 2022.
        rows_by_agent: Counts of 2023 by disease and agent.
        console: Where to print; default: standard output. Its width is set to 100 columns, unless it is a
            narrower terminal.
    """
    out = console or Console()
    if not out.is_terminal or out.width > WIDTH:
        out.width = WIDTH
    found = checks(rows, rows_before, rows_by_agent)
    _print_stamp(out)
    out.print(_table_of_year(rows, rows_before, found))
    out.print("* báo cáo không nêu con số này: số mô phỏng   – không có số liệu năm trước", style="dim")
    out.print(_table_of_districts(rows))
    out.print(_table_of_checks(found))
    out.print(f"Nguồn để đối chiếu: {CITATION}. Phân bố theo huyện mà báo cáo không nêu là số mô phỏng.")
    _print_stamp(out)
    return [check for check in found if not check.matches]


def _print_stamp(console: Console) -> None:
    console.print(f"*** {STAMP} (simulated data) ***", style="bold", justify="center")


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def _table_of_year(rows: Sequence[Row], rows_before: Sequence[Row], found: Sequence[Check]) -> Table:
    title = f"Tỉnh Lai Châu: lũy tích 1/1–31/12/{YEAR}, bên cạnh cùng kỳ năm {YEAR_BEFORE}"
    table = _table(title)
    table.add_column("Bệnh", no_wrap=True)
    for label in _SHOWN.values():
        table.add_column(f"{label}\n{YEAR}", justify="right", vertical="bottom")
        table.add_column(f"\n\n{YEAR_BEFORE}", justify="right", style="dim", vertical="bottom")
    table.add_column("Khớp\nbáo cáo", justify="right")
    for disease, name in DISEASES.items():
        cells = []
        for counter in _SHOWN:
            cells.append(_cell(rows, figures_of(YEAR)[disease], counter))
            before = figures_of(YEAR_BEFORE).get(disease)
            cells.append("–" if before is None else _cell(rows_before, before, counter))
        own = [check for check in found if check.disease == disease]
        matching = sum(check.matches for check in own)
        mark = "✓" if matching == len(own) else "✗"
        table.add_row(name, *cells, f"{mark} {matching}/{len(own)}")
    return table


def _cell(rows: Sequence[Row], figures: YearFigures, counter: str) -> str:
    value = _total([row for row in rows if row["disease"] == figures.disease], counter)
    return f"{_number(value)}{' ' if counter in figures.stated else '*'}"


def _table_of_districts(rows: Sequence[Row]) -> Table:
    table = _table(f"Mắc theo huyện, năm {YEAR} (trong ngoặc: tử vong)")
    table.add_column("Bệnh", no_wrap=True)
    for name in DISTRICTS.values():
        table.add_column("\n".join(name.rsplit(" ", 1)), justify="right")
    table.add_column("Tỉnh", justify="right", style="bold")
    own = [row for row in rows if row["disease"] in DISEASES]
    for disease, name in DISEASES.items():
        table.add_row(name, *_places([row for row in own if row["disease"] == disease]))
    # Diseases that a syndrome resolved to are not in `own`: a total counts a case once.
    table.add_section()
    table.add_row("Tổng", *_places(own), style="bold")
    return table


def _places(rows: Sequence[Row]) -> list[str]:
    by_district = [[row for row in rows if row["district"] == code] for code in DISTRICTS]
    return [_cases_and_deaths(part) for part in (*by_district, rows)]


def _cases_and_deaths(rows: Sequence[Row]) -> str:
    cases, deaths = _total(rows, "notified"), _total(rows, "deaths")
    if not cases:
        return "."
    return f"{_number(cases)} ({_number(deaths)})" if deaths else _number(cases)


def _table_of_checks(found: Sequence[Check]) -> Table:
    table = _table("Đối chiếu từng con số với báo cáo")
    table.add_column("Bệnh", no_wrap=True)
    table.add_column("Số đếm được (✗: số của báo cáo)")
    for disease in {check.disease: None for check in found}:
        verdicts = [_verdict(check) for check in found if check.disease == disease]
        table.add_row(DISEASES.get(disease, disease), _filled(verdicts, _VERDICTS_WIDTH))
    return table


def _verdict(check: Check) -> Text:
    year = "" if check.year == YEAR else f"{check.year}: "
    counted = f"{year}{check.what} {_number(check.found)} "
    if check.matches:
        return Text.assemble(counted, ("✓", "green"))
    return Text.assemble(counted, (f"✗ (báo cáo: {_number(check.expected)})", "bold red"))


def _filled(parts: Sequence[Text], width: int) -> Text:
    """Parts on as few lines as hold them, none broken: a number stays beside its mark."""
    lines = [Text()]
    for part in parts:
        if lines[-1] and lines[-1].cell_len + part.cell_len + 4 > width:
            lines.append(Text())
        lines[-1].append_text(Text(" · ") + part if lines[-1] else part)
    return Text("\n").join(lines)


def _number(value: int) -> str:
    """With a dot between thousands, as Vietnamese reports print it."""
    return f"{value:,}".replace(",", ".")

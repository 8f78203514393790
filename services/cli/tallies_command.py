"""`canhdich tallies`: what offices report as sums, and where that differs from the cases counted."""

from datetime import date
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from schemas.events.fields import FIELDS
from services.cli.connection import connected
from services.cli.options import (
    DiseaseOption,
    DistrictOption,
    FromOption,
    ProvinceOption,
    ToOption,
    choice,
    choices_of,
    day,
    instant,
    today,
)
from services.cli.output import JsonOption, exits, out, print_json
from streams.domain.areas import code_of
from streams.domain.counts import Basis
from streams.domain.errors import ConfigurationError
from streams.domain.geography import geography_on
from streams.stores.counts import CountsRequest, Dimension
from streams.stores.tallies import Discrepancy, read_discrepancies, read_tallies

DIMENSIONS: tuple[Dimension, ...] = ("province", "district", "commune", "day", "week", "month", "year")
_BASES: tuple[Basis, ...] = ("onset", "report")
INDICATORS = dict(FIELDS["indicator"].values or {})
"""Indicator → what it is called in Vietnamese."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tallies", help="Sums that offices report: exposures vaccinated, slides, persons isolated.")(
        tallies
    )


@exits
def tallies(
    province: ProvinceOption = None,
    district: DistrictOption = None,
    disease: DiseaseOption = None,
    indicator: Annotated[
        list[str] | None, typer.Option(help=f"Indicator(s): {', '.join(INDICATORS)}; repeat the option.")
    ] = None,
    first: FromOption = None,
    last: ToOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this instant (ISO; local time without an offset).")
    ] = None,
    geography: Annotated[
        str | None,
        typer.Option(help="Day whose structure of areas is shown, or surveillance; by default that of --to."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Dimension(s): {', '.join(DIMENSIONS)}; repeat the option or separate with commas."
        ),
    ] = None,
    discrepancies: Annotated[
        bool,
        typer.Option(
            "--discrepancies",
            help="Tallies of cases and deaths that do not count, beside the cases of their area and period.",
        ),
    ] = False,
    basis: Annotated[str, typer.Option(help=f"Day of the cases compared: {', '.join(_BASES)}.")] = "onset",
    json_output: JsonOption = False,
) -> None:
    """Print tallies per indicator and disease, or the comparison with case counts."""
    last_day = day("--to", last)
    request = CountsRequest(
        by=choices_of("--by", by or [], DIMENSIONS),
        geography_on=geography_on(geography, last_day, today()),
        basis=choice("--basis", basis, _BASES),
        province=province,
        district=district,
        disease=disease,
        first=day("--from", first),
        last=last_day,
        as_of=instant("--as-of", as_of),
    )
    if request.first is not None and request.last is not None and request.first > request.last:
        raise ConfigurationError("--from is after --to.")
    for name in indicator or []:
        choice("--indicator", name, tuple(INDICATORS))
    with connected() as connection:
        if discrepancies:
            if request.as_of is not None or request.by or indicator:
                raise ConfigurationError("--discrepancies goes with neither --as-of, --by nor --indicator.")
            found = [tally_document(one) for one in read_discrepancies(connection, request)]
        else:
            found = read_tallies(connection, request, indicator or None)
            for row in found:
                row["indicator_name"] = INDICATORS[row["indicator"]]
    if json_output:
        print_json(found)
    elif not found:
        out.print("Không có số liệu tổng hợp nào. / No tallies.")
    elif discrepancies:
        _print_discrepancies(found)
    else:
        _print(found, request.by)


def number(value: int | None) -> str:
    """With a dot between thousands, as Vietnamese reports print it; a dash where it is not known."""
    return "–" if value is None else f"{value:,}".replace(",", ".")


def day_text(value: date | str | None) -> str:
    """dd/mm/yyyy, a dash where it is not known."""
    if value is None:
        return "–"
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{found:%d/%m/%Y}"


def tally_document(one: Discrepancy) -> dict[str, Any]:
    """A tally that does not count, as `--discrepancies --json` prints it."""
    return {
        "subject": one.subject,
        "indicator": one.indicator,
        "indicator_name": INDICATORS[one.indicator],
        "disease": one.disease,
        "disease_name": one.disease_name,
        "area": code_of(one.area.area_id),
        "area_name": one.area.name_vi,
        "first": one.period.first,
        "last": one.period.last,
        "tally": one.value,
        "counted": one.counted,
        "difference": one.difference,
        "case_reports_since": one.case_reports_since,
        "known_at": one.known_at,
    }


_LABELS = {"province_name": "Tỉnh", "district_name": "Huyện/khu vực", "commune_name": "Xã/phường"}
_TIMES = {"day": "Ngày", "week": "Tuần", "month": "Tháng", "year": "Năm"}


def _print(rows: list[dict[str, Any]], by: Any) -> None:
    shown = [f"{name}_name" for name in by if f"{name}_name" in _LABELS]
    shown += [name for name in by if name in _TIMES]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Bệnh", overflow="fold", min_width=8)
    table.add_column("Chỉ số", overflow="fold", min_width=8)
    for name in shown:
        table.add_column({**_LABELS, **_TIMES}[name], overflow="fold")
    for title in ("Giá trị", "Kế hoạch"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Từ – đến")
    for row in rows:
        is_part = row["complete"] is False
        table.add_row(
            row["disease_name"],
            row["indicator_name"],
            *("không rõ" if row.get(name) is None else str(row[name]) for name in shown),
            f"{number(row['value'])}{'*' if is_part else ''}",
            number(row["target"]),
            day_text(row["last"])
            if row["kind"] == "stock"
            else f"{day_text(row['first'])} – {day_text(row['last'])}",
        )
    out.print(table)
    if any(row["complete"] is False for row in rows):
        out.print(
            "* chưa đủ báo cáo cho toàn bộ địa bàn và thời gian được hỏi. / "
            "not all of the area and period asked for was reported."
        )


def _print_discrepancies(rows: list[dict[str, Any]]) -> None:
    table = Table(
        title="Số liệu tổng hợp không dùng để đếm, bên cạnh số đếm từ ca bệnh / tallies beside case counts",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for title in ("Bệnh", "Chỉ số", "Địa bàn", "Từ – đến"):
        table.add_column(title, overflow="fold")
    for title in ("Báo cáo", "Đếm được", "Chênh lệch"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["disease_name"],
            row["indicator_name"],
            row["area_name"],
            f"{day_text(row['first'])} – {day_text(row['last'])}",
            number(row["tally"]),
            number(row["counted"]),
            f"{row['difference']:+}" if row["difference"] else "0",
        )
    out.print(table)

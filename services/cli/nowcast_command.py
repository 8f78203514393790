"""`canhdich nowcast`: how many cases of the last weeks there will be once all reports are in."""

from datetime import UTC, datetime
from typing import Annotated, Any, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from services.cli import options
from services.cli.connection import connected
from services.cli.output import JsonOption, err, exits, out, print_json
from streams.domain.calendar import LOCAL_ZONE
from streams.stores.triangle import Clock, Grain, NowcastRequest, SeriesGrouping, read_nowcast


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nowcast", help="Counts of the last weeks, corrected for reports that are still to come.")(
        nowcast
    )


@exits
def nowcast(
    province: options.ProvinceOption = None,
    district: options.DistrictOption = None,
    disease: options.DiseaseOption = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="What was known at this instant (ISO; local time without an offset); default: now."
        ),
    ] = None,
    grain: Annotated[str, typer.Option(help="Length of a period: week or day.")] = "week",
    clock: Annotated[
        str,
        typer.Option(
            help="When a case came: known, when this system knew it; or report, its day of report (for "
            "histories that were imported afterwards)."
        ),
    ] = "known",
    geography: options.GeographyOption = None,
    by: options.ByOption = None,
    json_output: JsonOption = False,
) -> None:
    """Print the last periods that are over, by onset."""
    now = options.instant("--as-of", as_of) or datetime.now(UTC)
    geography_on = geography or now.astimezone(LOCAL_ZONE).date().isoformat()
    request = NowcastRequest(
        options.scope_of(province, district, disease, None, None, geography_on),
        options.choices_of("--by", by, get_args(SeriesGrouping)),
        now,
        options.choice("--grain", grain, get_args(Grain)),
        options.choice("--clock", clock, get_args(Clock)),
    )
    with connected() as connection:
        rows = read_nowcast(connection, request)
    if json_output:
        print_json(rows)
    else:
        _print_table(rows)
    console = err if json_output else out
    for line in _remarks(request, rows):
        console.print(line, markup=False, highlight=False)


def _remarks(request: NowcastRequest, rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    reasons = {row["why"] for row in rows} - {None}
    if reasons:
        lines.append(
            f"Chưa ước tính được số ca thực: chưa đủ dữ liệu về độ trễ. / No nowcast: {', '.join(reasons)}."
        )
        if request.clock == "known":
            lines.append(
                "Lịch sử nhập sau: thử --clock report. / A history that was imported afterwards: try --clock "
                "report."
            )
    elif rows:
        lines.append(
            "Ước tính, khoảng dự báo 95 %; sai khi độ trễ báo cáo vừa thay đổi. / Estimates with 95 % "
            "prediction intervals; wrong where reporting has just become faster or slower."
        )
    return lines


def _print_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        out.print("Không có ca bệnh nào. / No cases.")
        return
    groups = [name for name in rows[0] if name in options.LABELS]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in groups:
        table.add_column(options.LABELS[name], overflow="fold", min_width=8)
    for title in ("Đã đếm", "Ước tính", "Khoảng 95 %", "Đã biết"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        is_known = row["nowcast"] is not None
        table.add_row(
            *(options.text_of(row[name]) for name in groups),
            str(row["counted"]),
            f"{row['nowcast']:.1f}".replace(".", ",") if is_known else "–",
            f"{row['lower']} – {row['upper']}" if is_known else "–",
            options.percent(row["share_known"]),
        )
    out.print(table)

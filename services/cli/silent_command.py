"""`canhdich silent`: reporters that used to report and have stopped."""

from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from services.cli import options
from services.cli.connection import connected
from services.cli.output import JsonOption, err, exits, out, print_json
from streams.stores.silence import read_regular, read_silence

_STATES = {"silent": "im lặng", "reporting": "có báo cáo", "rare": "ít báo cáo", "gone": "đã ngừng"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("silent", help="Facilities that reported regularly and have stopped.")(silent)


@exits
def silent(
    province: options.ProvinceOption = None,
    district: options.DistrictOption = None,
    disease: options.DiseaseOption = None,
    on: Annotated[
        str | None, typer.Option(help="Judge the whole weeks before this day, YYYY-MM-DD; today by default.")
    ] = None,
    geography: options.GeographyOption = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="All that report by the week, as the boards have them, and whether each was heard since the "
            "week of this day."
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Show the other reporters, too.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Print the silent reporters, those that stopped longest ago first."""
    day = options.day("--on", on) or options.today()
    scope = options.scope_of(province, district, disease, None, on, geography)
    since_day = options.day("--since", since)
    with connected() as connection:
        if since_day is not None:
            _print_regular(read_regular(connection, scope, day, since_day), json_output)
            return
        found = read_silence(connection, scope, day)
    rows = [row for row in found if everyone or row["state"] == "silent"]
    if json_output:
        print_json(rows)
    else:
        _print_table(rows)
    console = err if json_output else out
    for line in _remarks(found):
        console.print(line, markup=False, highlight=False)


def _print_regular(rows: list[dict[str, Any]], json_output: bool) -> None:
    if json_output:
        print_json(rows)
        return
    heard = sum(row["heard"] for row in rows)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in ("Đơn vị", "Huyện/khu vực", "Tình trạng", "Tuần cuối có báo cáo", "Có báo cáo trong kỳ"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            row["reporter"],
            options.text_of(row["district_name"]),
            _STATES[row["state"]],
            str(row["last_active"]),
            "có" if row["heard"] else "không",
        )
    if rows:
        out.print(table)
    out.print(
        f"{heard}/{len(rows)} đơn vị báo cáo thường xuyên có báo cáo. / {heard} of {len(rows)} regular "
        "reporters were heard.",
        markup=False,
        highlight=False,
    )


def _remarks(found: list[dict[str, Any]]) -> list[str]:
    n_silent = sum(row["state"] == "silent" for row in found)
    n_regular = n_silent + sum(row["state"] == "reporting" for row in found)
    lines = [
        f"{n_silent}/{n_regular} đơn vị báo cáo thường xuyên đang im lặng. / {n_silent} of {n_regular} "
        "regular reporters are silent."
    ]
    if n_regular > 1 and n_silent > n_regular / 2:
        lines.append(
            "Quá nửa: kiểm tra đường truyền và hệ thống trước khi gọi từng đơn vị. / More than half: look at "
            "the connection and at this system (`canhdich doctor`) before calling anybody."
        )
    return lines


def _print_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in ("Đơn vị", "Huyện/khu vực", "Tình trạng", "Tuần cuối có báo cáo"):
        table.add_column(title, overflow="fold")
    for title in ("Tuần\nim lặng", "Trước đây\nlâu nhất", "Tuần có\nbáo cáo", "Xác suất"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["reporter"],
            options.text_of(row["district_name"]),
            _STATES[row["state"]],
            str(row["last_active"]),
            str(row["silent_weeks"]),
            str(row["longest_gap"]),
            f"{row['active_weeks']}/{row['history_weeks']}",
            f"{row['chance']:.4f}".replace(".", ","),
        )
    out.print(table)

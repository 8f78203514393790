"""`canhdich delays`: from onset to report to the day on which the system knew, and the law's deadline."""

from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from schemas.catalogue import load_catalogue
from services.cli import options
from services.cli.connection import connected
from services.cli.output import JsonOption, err, exits, out, print_json
from streams.domain.delay import TRUNCATED_DAYS, Deadline
from streams.stores.delay import read_delays
from streams.stores.scope import GROUPINGS

_STAGES = {
    "onset_to_report": "Khởi phát\n→ báo cáo",
    "report_to_known": "Báo cáo\n→ hệ thống",
    "onset_to_known": "Khởi phát\n→ hệ thống",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("delays", help="Reporting delays per area, disease and time, and the share within the law.")(
        delays
    )


@exits
def delays(
    province: options.ProvinceOption = None,
    district: options.DistrictOption = None,
    disease: options.DiseaseOption = None,
    first: options.FromOption = None,
    last: options.ToOption = None,
    basis: options.BasisOption = None,
    geography: options.GeographyOption = None,
    by: options.ByOption = None,
    json_output: JsonOption = False,
) -> None:
    """Print one row per group: by default one per disease."""
    scope = options.scope_of(province, district, disease, first, last, geography)
    deadlines = {
        disease.code: [Deadline(d.valid_from, d.valid_to, d.code) for d in disease.deadlines]
        for disease in load_catalogue().diseases
    }
    with connected() as connection:
        rows = read_delays(
            connection,
            scope,
            options.choices_of("--by", by or ["disease"], GROUPINGS),
            options.choice("--basis", basis or "onset", ("onset", "report")),
            deadlines,
            options.today(),
        )
    if json_output:
        print_json(rows)
    else:
        _print_table(rows)
    console = err if json_output else out
    for line in _remarks(rows):
        console.print(line, markup=False, highlight=False)


def _remarks(rows: list[dict[str, Any]]) -> list[str]:
    recent = sum(row["recent"] for row in rows)
    if not recent:
        return []
    return [
        f"{recent} ca trong {TRUNCATED_DAYS} ngày gần đây: ca báo cáo chậm có thể chưa đến, độ trễ còn bị "
        f"rút ngắn. / {recent} case(s) of the last {TRUNCATED_DAYS} days: slowly reported ones may still "
        "come, delays look too short."
    ]


def _print_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        out.print("Không có ca bệnh nào. / No cases.")
        return
    groups = [name for name in rows[0] if name in options.LABELS]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption="trung vị (tứ phân vị; p90) ngày, số ca")
    for name in groups:
        table.add_column(options.LABELS[name], overflow="fold", min_width=8)
    for title in (
        "Số ca",
        "Thiếu ngày\nkhởi phát",
        *_STAGES.values(),
        "Nhập\nbù",
        "Đúng hạn",
        "Không\ntính được",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        law = row["deadline"]
        judged = law["on_time"] + law["late"]
        share = options.percent(law["share"])
        if law["by_day"]:
            share = f"{options.percent(law['lowest'])} – {share}"
        table.add_row(
            *(options.text_of(row[name]) for name in groups),
            str(row["cases"]),
            str(row["missing_onset"]),
            *(_spread(row[stage]) for stage in _STAGES),
            str(row["backfilled"]),
            f"{share} ({judged})" if judged else "–",
            str(law["no_diagnosis"]),
        )
    out.print(table)


def _spread(found: dict[str, int] | None) -> str:
    if found is None:
        return "–"
    return f"{found['median']} ({found['q1']}–{found['q3']}; {found['p90']}) {found['n']}"

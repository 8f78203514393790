"""`canhdich completeness`: which fields of the national case form are filled in."""

from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from schemas.catalogue import load_catalogue
from schemas.events.fields import FIELDS
from services.cli import options
from services.cli.connection import connected
from services.cli.output import JsonOption, exits, out, print_json
from streams.stores.completeness import read_completeness
from streams.stores.scope import GROUPINGS

_COMMUNE = "Xã/phường nơi ở"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("completeness", help="Share of the national form's fields that cases have filled in.")(
        completeness
    )


@exits
def completeness(
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
    """Print one row per group, or the fields one by one where nothing is grouped."""
    scope = options.scope_of(province, district, disease, first, last, geography)
    with_severities = {disease.code for disease in load_catalogue().diseases if disease.severities}
    with connected() as connection:
        rows = read_completeness(
            connection,
            scope,
            options.choices_of("--by", by, GROUPINGS),
            options.choice("--basis", basis or "onset", ("onset", "report")),
            with_severities,
        )
    if json_output:
        print_json(rows)
    elif not rows:
        out.print("Không có ca bệnh nào. / No cases.")
    elif by:
        _print_groups(rows)
    else:
        _print_fields(rows[0])


def _print_groups(rows: list[dict[str, Any]]) -> None:
    groups = [name for name in rows[0] if name in options.LABELS]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in groups:
        table.add_column(options.LABELS[name], overflow="fold", min_width=8)
    for title in ("Số ca", "Đủ mọi trường", "Trường đã điền"):
        table.add_column(title, justify="right")
    table.add_column("Thiếu nhiều nhất")
    for row in rows:
        table.add_row(
            *(options.text_of(row[name]) for name in groups),
            str(row["cases"]),
            options.percent(row["complete_share"]),
            options.percent(row["filled_share"]),
            _worst(row["fields"]),
        )
    out.print(table)


def _print_fields(row: dict[str, Any]) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Trường")
    for title in ("Cần điền", "Đã điền", "Tỷ lệ"):
        table.add_column(title, justify="right")
    for name, field in row["fields"].items():
        table.add_row(
            _label(name), str(field["asked"]), str(field["filled"]), options.percent(field["share"])
        )
    out.print(table)
    out.print(
        f"{row['cases']} ca; đủ mọi trường: {options.percent(row['complete_share'])}; trường đã điền: "
        f"{options.percent(row['filled_share'])}."
    )


def _worst(fields: dict[str, dict[str, Any]]) -> str:
    missing = {name: field["asked"] - field["filled"] for name, field in fields.items()}
    worst = sorted((name for name in missing if missing[name]), key=lambda name: -missing[name])[:3]
    return ", ".join(f"{_label(name)} ({missing[name]})" for name in worst) or "–"


def _label(name: str) -> str:
    return _COMMUNE if name == "commune" else FIELDS[name].label_vi

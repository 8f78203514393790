"""`canhdich populations`: how many people live in each area: what is stated, and what follows from it."""

import getpass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg import Connection
from psycopg.rows import TupleRow
from rich.table import Table

from services.cli.connection import connected
from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json
from services.importing.populations import FIRST_YEAR, LAST_YEAR, read_file
from streams.domain.areas import code_of
from streams.domain.errors import ConfigurationError
from streams.domain.populations import LEVELS
from streams.stores.boards import refresh_populations
from streams.stores.populations import (
    Fault,
    RowsRefused,
    current_load,
    load_file,
    read_estimates,
    read_stated,
)

group = typer.Typer(help="Populations of areas, by which rates are computed.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="populations")


@group.command("load", help="Put a CSV file in force, in the place of the file before.")
@exits
def load(
    file: Annotated[
        Path, typer.Argument(help="CSV with the columns area_code, area_on, year, population, source.")
    ],
    json_output: JsonOption = False,
) -> int:
    """All rows or none: a file with a wrong row changes nothing."""
    faults: tuple[Fault, ...] = ()
    loaded = None
    try:
        operator_file = read_file(file)
        with connected() as connection:
            loaded = load_file(connection, operator_file, getpass.getuser())
            refresh_populations(connection)
    except RowsRefused as refused:
        faults = refused.faults
    rows = 0 if loaded is None else len(operator_file.rows)
    if json_output:
        rejected = [
            {
                "row": fault.row,
                "field": fault.field,
                "message_vi": fault.message_vi,
                "message_en": fault.message_en,
            }
            for fault in faults
        ]
        print_json({"load": None if loaded is None else loaded.id, "rows": rows, "rejected": rejected})
    else:
        for fault in faults:
            message = f"Dòng / row {fault.row}, {fault.field}: {fault.message_vi} / {fault.message_en}"
            err.print(message, style="red", markup=False, highlight=False)
        if loaded is None:
            err.print(f"Không nạp dòng nào. / Nothing was loaded: {len(faults)} fault(s).")
        else:
            out.print(f"Đã nạp {rows} dòng. / {rows} row(s) in force (load {loaded.id}).")
    return 0 if loaded is not None else EXIT_FAILED


@group.command("show", help="What is stated; with --year: what follows for every area, with marks.")
@exits
def show(
    province: Annotated[str | None, typer.Option(help="Province code, e.g. 12.")] = None,
    year: Annotated[int | None, typer.Option(help="Year of the estimates.")] = None,
    by: Annotated[str, typer.Option(help=f"Areas of the estimates: {', '.join(LEVELS)}.")] = "province",
    json_output: JsonOption = False,
) -> None:
    """Figures of the package and of the operator's file, or estimates of a year in its structure of areas."""
    level = next((level for level in LEVELS if level == by), None)
    if level is None:
        raise ConfigurationError(f"--by {by}: choose from {', '.join(LEVELS)}.")
    if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
        raise ConfigurationError(f"--year {year}: from {FIRST_YEAR} to {LAST_YEAR}.")
    with connected() as connection:
        if year is None:
            rows = _stated(connection, province)
        else:
            rows = read_estimates(connection, level, date(year, 7, 1), province)
        load_in_force = current_load(connection)
    if json_output:
        print_json(rows)
        return
    if load_in_force is not None:
        name = load_in_force.file_name or "gói phần mềm / package"
        out.print(f"{name}, {load_in_force.loaded_at:%d/%m/%Y}", markup=False, highlight=False)
    if not rows:
        out.print("Chưa có dân số nào. / No populations.")
        return
    table = Table()
    for column in rows[0]:
        table.add_column(column, justify="right" if column == "population" else "left")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    out.print(table)


def _stated(connection: Connection[TupleRow], province: str | None) -> list[dict[str, Any]]:
    return [
        {
            "area": code_of(row["area_id"]),
            "area_name": row["name_vi"],
            "valid_from": row["valid_from"],
            "valid_to": row["valid_to"],
            "year": row["year"],
            "population": row["population"],
            "source": row["source"],
            "packaged": row["is_packaged"],
        }
        for row in read_stated(connection)
        if province is None or code_of(row["province_id"]) == province
    ]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)

"""`canhdich counts`: counts by any dimensions, now or as of an instant, in any structure of areas."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, cast, get_args

import typer
from psycopg import Connection
from psycopg.rows import TupleRow
from rich.box import SIMPLE_HEAD
from rich.table import Table

from services.cli.output import JsonOption, err, exits, out, print_json
from services.settings import settings
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.counts import BASES, COUNTERS, Basis
from streams.domain.errors import ConfigurationError
from streams.stores import database
from streams.stores.counts import DIMENSIONS, TIME_DIMENSIONS, CountsRequest, Dimension, read_counts

_LABELS = {
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


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("counts", help="Counts and deaths per area, disease and time.")(counts)


@exits
def counts(
    province: Annotated[str | None, typer.Option(help="Province code, e.g. 12.")] = None,
    district: Annotated[str | None, typer.Option(help="District code, e.g. 109.")] = None,
    disease: Annotated[str | None, typer.Option(help="Disease code, e.g. dengue.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD.")] = None,
    basis: Annotated[str, typer.Option(help=f"What a day means: {', '.join(BASES)}.")] = "onset",
    as_of: Annotated[
        str | None, typer.Option(help="What was known at this instant (ISO; local time without an offset).")
    ] = None,
    geography: Annotated[
        str | None,
        typer.Option(help="Day whose structure of areas is shown; by default that of --to, else today."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Dimension(s): {', '.join(DIMENSIONS)}; repeat the option or separate with commas."
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Print counts; rows of zeros are left out."""
    last_day = _day("--to", last)
    request = CountsRequest(
        by=_dimensions(by or []),
        geography_on=_day("--geography", geography) or last_day or datetime.now(LOCAL_ZONE).date(),
        basis=_basis(basis),
        province=province,
        district=district,
        disease=disease,
        first=_day("--from", first),
        last=last_day,
        as_of=_instant(as_of),
    )
    if request.first is not None and request.last is not None and request.first > request.last:
        raise ConfigurationError("--from is after --to.")
    with (
        database.errors_translated(),
        database.connect(settings().database_url.get_secret_value()) as connection,
    ):
        rows = read_counts(connection, request)
        undated = _undated_deaths(connection, request)
    if undated:
        err.print(
            f"{undated} ca tử vong không rõ ngày, không tính vào khoảng thời gian này. / "
            f"{undated} death(s) without a known day are in no period: left out here."
        )
    if json_output:
        print_json(rows)
    else:
        _print_table(rows, request)


def _dimensions(values: list[str]) -> list[Dimension]:
    dimensions = [part.strip() for value in values for part in value.split(",") if part.strip()]
    for dimension in dimensions:
        if dimension not in DIMENSIONS:
            raise ConfigurationError(f"--by {dimension}: choose from {', '.join(DIMENSIONS)}.")
    return cast(list[Dimension], list(dict.fromkeys(dimensions)))


def _basis(value: str) -> Basis:
    if value not in get_args(Basis):
        raise ConfigurationError(f"--basis {value}: choose from {', '.join(BASES)}.")
    return cast(Basis, value)


def _day(option: str, value: str | None) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ConfigurationError(f"{option} {value}: a day is written YYYY-MM-DD.") from error


def _instant(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise ConfigurationError(
            f"--as-of {value}: an instant is written like 2023-07-04T08:00:00+07:00."
        ) from error
    return (instant if instant.tzinfo else instant.replace(tzinfo=LOCAL_ZONE)).astimezone(UTC)


def _undated_deaths(connection: "Connection[TupleRow]", request: CountsRequest) -> int:
    """Deaths that a period on the death basis cannot hold, where no row shows them."""
    has_period = request.first is not None or request.last is not None
    if request.basis != "death" or not has_period or TIME_DIMENSIONS & set(request.by):
        return 0
    rows = read_counts(connection, replace(request, by=("day",), first=None, last=None))
    return sum(row["deaths"] for row in rows if row["day"] is None)


def _print_table(rows: list[dict[str, Any]], request: CountsRequest) -> None:
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
    for row in rows:
        table.add_row(*("không rõ" if row[name] is None else str(row[name]) for name in shown))
    out.print(table)
    if request.as_of is not None:
        err.print(f"As of {request.as_of.isoformat()}.")


def _says_something(name: str, rows: list[dict[str, Any]]) -> bool:
    # A terminal is narrow: counters that are zero throughout are left out, but for cases and deaths.
    return name not in COUNTERS or name in ("notified", "deaths") or any(row[name] for row in rows)

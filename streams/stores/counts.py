"""Reading counts: any grouping, any geography, now or as of an instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, get_args

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.areas import Area, AreaIndex, code_of
from streams.domain.counts import COUNTERS, Basis
from streams.domain.errors import ConfigurationError

Dimension = Literal["disease", "agent", "province", "district", "commune", "day", "week", "month", "year"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
TIME_DIMENSIONS: Final = frozenset({"day", "week", "month", "year"})


@dataclass(frozen=True, slots=True)
class CountsRequest:
    """What is asked for. Codes are read in the structure of areas in force on `geography_on`."""

    by: Sequence[Dimension]
    geography_on: date
    basis: Basis = "onset"
    province: str | None = None
    district: str | None = None
    disease: str | None = None
    first: date | None = None
    last: date | None = None
    as_of: datetime | None = None


def read_counts(connection: Connection[TupleRow], request: CountsRequest) -> list[dict[str, Any]]:
    """Rows with the dimensions asked for (in the order given, names beside codes) and every counter.

    Rows of zeros are left out. Rows per agent count the cases that are positive for it. A disease that
    a syndrome's cases resolved to includes them; a total over diseases counts each case once.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    with connection.transaction():
        structure_on = _structure_on(connection, request.geography_on)
        names: dict[str, str] = dict(connection.execute(query("area_names")).fetchall())
        diseases: dict[str, str] = dict(connection.execute(query("disease_names")).fetchall())
        if request.disease is not None and request.disease not in diseases:
            raise ConfigurationError(f"--disease {request.disease}: not in the catalogue.")
        areas = AreaIndex(Area(*row) for row in connection.execute(query("catalogue_areas")))
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(
                query("counts"),
                {
                    "as_of": request.as_of,
                    "basis": request.basis,
                    "structure_on": structure_on,
                    "disease": request.disease,
                    "province_id": _area_id(areas, "province", request.province, request.geography_on),
                    "district_id": _area_id(areas, "district", request.district, request.geography_on),
                    "first": request.first,
                    "last": request.last,
                    "by_time": bool(TIME_DIMENSIONS & set(request.by)),
                    **{f"by_{dimension}": dimension in request.by for dimension in DIMENSIONS},
                },
            )
            rows = cursor.fetchall()
    shown = [_shown(row, request.by, names, diseases) for row in rows]
    places = {code: place for place, code in enumerate(diseases)}
    shown.sort(key=lambda row: _sort_key(row, request.by, places))
    return shown


def _structure_on(connection: Connection[TupleRow], day: date) -> date:
    days: list[date] = [structure_on for (structure_on,) in connection.execute(query("structures"))]
    in_force = [structure_on for structure_on in days if structure_on <= day]
    if not in_force:
        raise ConfigurationError("The database has no catalogue of areas: run `canhdich migrate` first.")
    return max(in_force)


def _area_id(
    areas: AreaIndex, kind: Literal["province", "district"], code: str | None, day: date
) -> str | None:
    if code is None:
        return None
    # After 2025-06-30 a district is a surveillance area with the code of the former district.
    kinds = {kind} if kind == "province" else {"district", "surveillance"}
    for area in areas:
        if area.code == code and area.kind in kinds and area.is_valid_on(day.isoformat()):
            return area.id
    raise ConfigurationError(
        f"--{kind} {code}: no {kind} had this code on {day.isoformat()}. "
        "Codes are text with their zeros, and are read in --geography."
    )


def _shown(
    row: dict[str, Any], by: Sequence[Dimension], names: dict[str, str], diseases: dict[str, str]
) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for dimension in by:
        if dimension in ("province", "district", "commune"):
            area_id = row[f"{dimension}_id"]
            shown[dimension] = None if area_id is None else code_of(area_id)
            shown[f"{dimension}_name"] = None if area_id is None else names[area_id]
        elif dimension == "week":
            start: date | None = row["week_start"]
            shown["week"] = None if start is None else _iso_week(start)
            shown["week_start"] = start
        elif dimension == "month":
            month: date | None = row["month_start"]
            shown["month"] = None if month is None else month.isoformat()[:7]
        else:
            shown[dimension] = row[dimension]
            if dimension == "disease":
                shown["disease_name"] = diseases[row["disease"]]
    shown.update((counter, row[counter]) for counter in COUNTERS)
    if "disease" in by:
        # "Of which": these cases stand in their syndrome's row, too.
        shown["resolved_from_syndrome"] = row["resolved_from_syndrome"] or 0
    return shown


def _sort_key(
    row: dict[str, Any], by: Sequence[Dimension], places: dict[str, int]
) -> tuple[tuple[bool, Any], ...]:
    """In the order asked for; diseases as in the report, what is unknown last."""
    key: list[tuple[bool, Any]] = []
    for dimension in by:
        value = row[dimension]
        if value is None:
            key.append((True, ""))
        else:
            key.append((False, places[value] if dimension == "disease" else value))
    return tuple(key)


def _iso_week(start: date) -> str:
    year, week, _ = start.isocalendar()
    return f"{year}-W{week:02d}"

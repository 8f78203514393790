"""The cases of some areas and days, one by one, as they stand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.areas import code_of
from streams.domain.case import Case, state_of
from streams.stores.counts import area_ids_within, names_of_areas, structure_in_force


@dataclass(frozen=True, slots=True)
class ListedCase:
    """One case.

    Attributes:
        subject: Its own code.
        disease: Under which it counts.
        state: Every field's present value, defaults filled in (streams/domain/case.py).
        area_code: Of the area that it was reported in, as it was then.
        commune, district, province: Code and name in the structure asked for; None where not known.
    """

    subject: str
    disease: str
    state: dict[str, Any]
    area_code: str
    commune: tuple[str, str] | None
    district: tuple[str, str] | None
    province: tuple[str, str] | None


def read_line_list(
    connection: Connection[TupleRow],
    *,
    geography_on: date,
    areas: Collection[str] | None,
    disease: str | None,
    first: date,
    last: date,
    most: int,
) -> list[ListedCase]:
    """The cases that count, by day of onset (else of report), then by code.

    Args:
        connection: Used for one transaction.
        geography_on: Day whose structure of areas is shown, and in which `areas` are read.
        areas: Codes of communes, districts or provinces; None: everywhere.
        disease: Only this one.
        first: First day, included.
        last: Last day, included.
        most: How many at most.
    """
    with connection.transaction():
        structure_on = structure_in_force(connection, geography_on)
        asked = {
            "structure_on": structure_on,
            "area_ids": area_ids_within(connection, structure_on, areas),
            "disease": disease,
            "first": first,
            "last": last,
            "most": most,
        }
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query("line_list"), asked).fetchall()
        levels = ("commune", "district", "province")
        names = names_of_areas(connection, (row[f"{level}_id"] for row in rows for level in levels))

    def place(area_id: str | None) -> tuple[str, str] | None:
        return None if area_id is None else (code_of(area_id), names[area_id])

    return [
        ListedCase(
            row["subject"],
            row["disease"],
            state_of(Case({name: (stamp, value) for name, (stamp, value) in row["registers"].items()})),
            code_of(row["area_id"]),
            *(place(row[f"{level}_id"]) for level in levels),
        )
        for row in rows
    ]

"""Which cases a question is about, for every reader that asks cases and journal rather than counts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, get_args

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.areas import code_of
from streams.domain.calendar import week_name, week_of
from streams.domain.errors import ConfigurationError
from streams.stores.counts import (
    area_id_of,
    areas_of_codes,
    names_of_areas,
    sort_key,
    structure_in_force,
)

Grouping = Literal["disease", "province", "district", "commune", "facility", "week", "month", "year"]
GROUPINGS: Final[tuple[Grouping, ...]] = get_args(Grouping)
_AREAS: Final = frozenset({"province", "district", "commune"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Codes are read in the structure of areas in force on `geography_on`; None leaves a filter out."""

    geography_on: date
    province: str | None = None
    district: str | None = None
    disease: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A scope as the queries take it, and the names to show.

    Attributes:
        parameters: For the queries' `structure_on`, `province_id`, `district_id`, `disease`, `first`, `last`.
        diseases: Name of every disease by its code, in the order of the report.
    """

    parameters: Mapping[str, Any]
    diseases: Mapping[str, str]


def resolve(connection: Connection[TupleRow], scope: Scope) -> Resolved:
    """Look up what the codes mean.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    diseases: dict[str, str] = dict(connection.execute(query("disease_names")).fetchall())
    if scope.disease is not None and scope.disease not in diseases:
        raise ConfigurationError(f"--disease {scope.disease}: not in the catalogue.")
    index = areas_of_codes(connection, (scope.province, scope.district))
    return Resolved(
        {
            "structure_on": structure_in_force(connection, scope.geography_on),
            "province_id": area_id_of(index, "province", scope.province, scope.geography_on),
            "district_id": area_id_of(index, "district", scope.district, scope.geography_on),
            "disease": scope.disease,
            "first": scope.first,
            "last": scope.last,
        },
        diseases,
    )


Key = tuple[Any, ...]
"""One value per grouping asked for: an area's id, a code, or the first day of a week or month."""


def key_of(row: Mapping[str, Any], by: Sequence[Grouping]) -> Key:
    """The group of a row that has `disease`, `facility`, `day` and the ids of its areas."""
    return tuple(_VALUE[grouping](row) for grouping in by)


_VALUE: Final[Mapping[Grouping, Callable[[Mapping[str, Any]], Any]]] = {
    "disease": lambda row: row["disease"],
    "province": lambda row: row["province_id"],
    "district": lambda row: row["district_id"],
    "commune": lambda row: row["commune_id"],
    "facility": lambda row: row["facility"],
    "week": lambda row: week_of(row["day"]).first,
    "month": lambda row: row["day"].replace(day=1),
    "year": lambda row: row["day"].year,
}


def names_of_keys(
    connection: Connection[TupleRow], keys: Iterable[Key], by: Sequence[Grouping]
) -> dict[str, str]:
    """The names of the areas in some groups, by their ids."""
    places = [place for place, grouping in enumerate(by) if grouping in _AREAS]
    return names_of_areas(connection, (key[place] for key in keys for place in places)) if places else {}


def shown_key(
    key: Key, by: Sequence[Grouping], areas: Mapping[str, str], diseases: Mapping[str, str]
) -> dict[str, Any]:
    """A group as commands print it: codes with names beside them, weeks by name with their Mondays."""
    shown: dict[str, Any] = {}
    for grouping, value in zip(by, key, strict=True):
        if grouping in _AREAS:
            shown[grouping] = None if value is None else code_of(value)
            shown[f"{grouping}_name"] = None if value is None else areas[value]
        elif grouping == "disease":
            shown["disease"] = value
            shown["disease_name"] = diseases[value]
        elif grouping == "week":
            shown["week"] = week_name(value)
            shown["week_start"] = value
        elif grouping == "month":
            shown["month"] = value.isoformat()[:7]
        else:
            shown[grouping] = value
    return shown


def in_order(keys: Iterable[Key], by: Sequence[Grouping], diseases: Mapping[str, str]) -> list[Key]:
    """Groups in the order asked for: diseases as in the report, what is unknown last."""
    place = {code: number for number, code in enumerate(diseases)}
    return sorted(keys, key=lambda key: sort_key(dict(zip(by, key, strict=True)), by, place))

"""Reading counts: any grouping, any geography, now or as of an instant."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.areas import Area, AreaIndex, code_of
from streams.domain.as_of import Folded, LogEnds, Place, Vector, is_final
from streams.domain.calendar import week_name
from streams.domain.counts import COUNTERS, Basis
from streams.domain.errors import ConfigurationError
from streams.domain.periods import Days, whole_years
from streams.domain.positions import Position

Dimension = Literal["disease", "agent", "province", "district", "commune", "day", "week", "month", "year"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
TIME_DIMENSIONS: Final = frozenset({"day", "week", "month", "year"})
_FINER_THAN_TOTALS: Final = frozenset({"agent", "commune", "day", "week", "month"})


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


@contextmanager
def one_view(connection: Connection[TupleRow]) -> Iterator[None]:
    """One transaction with one view of all counts, whatever is committed meanwhile.

    Raises:
        LockNotAvailable: a rebuild did not finish its switch in time (psycopg's own error).
    """
    before = connection.isolation_level
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            # Locked before the view is fixed: a rebuild's new tables would seem empty to an older view.
            connection.execute(query("lock_counts_shared"))
            yield
    finally:
        connection.isolation_level = before


def read_positions(connection: Connection[TupleRow], topic: str) -> dict[int, Position]:
    """How far each partition is folded; partitions never read are absent."""
    rows = connection.execute(query("positions"), {"topic": topic})
    return {partition: Position(*position) for partition, *position in rows}


def vector_of(
    load_id: int, positions: Mapping[int, Position], tallies: Mapping[int, Position] = MappingProxyType({})
) -> Vector:
    """What positions (of the case events, of the tally events) and the load in force say is counted."""
    return Vector(load_id, _places(positions), _places(tallies))


def _places(positions: Mapping[int, Position]) -> dict[int, Place]:
    return {partition: Place(at.epoch, at.next_offset) for partition, at in positions.items()}


def read_counts_as_of(
    connection: Connection[TupleRow],
    request: CountsRequest,
    topic: str,
    partitions: int,
    ask_log: Callable[[], LogEnds | None],
    read: Callable[[Connection[TupleRow], CountsRequest], list[dict[str, Any]]] | None = None,
) -> tuple[list[dict[str, Any]], bool]:
    """Counts as of `request.as_of`, and whether they are provisional: an event of before may still come.

    Args:
        connection: Used for one transaction.
        request: With `as_of`.
        topic: Full name of the topic, prefix included.
        partitions: How many it has.
        ask_log: Asks Kafka for the ends of the topic's log; None when it does not answer. Called only where
            the database alone does not know.
        read: How to read the rows; default: read_counts.

    Raises:
        ConfigurationError: as read_counts.
    """
    if request.as_of is None:
        raise ValueError("read_counts_as_of wants an instant")
    ends = None
    if not is_final(request.as_of, partitions, _folded(connection, topic), None):
        # Before the counts are read: what is appended after this question does not matter.
        ends = ask_log()
    with one_view(connection):
        is_provisional = not is_final(request.as_of, partitions, _folded(connection, topic), ends)
        return (read or read_counts)(connection, request), is_provisional


def _folded(connection: Connection[TupleRow], topic: str) -> dict[int, Folded]:
    positions = read_positions(connection, topic)
    return {p: Folded(at.topic_id, at.next_offset, at.last_known_at) for p, at in positions.items()}


def read_counts(
    connection: Connection[TupleRow], request: CountsRequest, vector: Vector | None = None
) -> list[dict[str, Any]]:
    """Rows with the dimensions asked for (in the order given, names beside codes) and every counter.

    Rows of zeros are left out. Rows per agent count the cases that are positive for it. A disease that
    a syndrome's cases resolved to includes them; a total over diseases counts each case once.

    `approximate` is how many of the notified cases (on the basis of death: of the deaths) are shown in an
    area that they may not have been in, because a structure of areas does not map exactly on another one;
    `approximate_share` is the part, 0 to 1 by number of communes, of the areas of these cases that lies
    elsewhere, None where there are none. Only the levels that are asked for, by a dimension or a code, count.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        vector: Count only what it holds; None: all that is counted.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    (rows,) = read_counts_of_periods(connection, request, [(request.first, request.last)], vector)
    return rows


def read_counts_of_periods(
    connection: Connection[TupleRow],
    request: CountsRequest,
    periods: Sequence[Days],
    vector: Vector | None = None,
) -> list[list[dict[str, Any]]]:
    """Rows as `read_counts` has them, for each of several periods, by one question to the database.

    Args:
        connection: Used for one transaction.
        request: What is asked for; its own period does not matter.
        periods: At least one.
        vector: Count only what it holds; None: all that is counted.

    Raises:
        ConfigurationError: as read_counts.
    """
    from_ledger = request.as_of is not None or vector is not None
    places = {} if vector is None else vector.places
    with connection.transaction():
        structure_on = structure_in_force(connection, request.geography_on)
        diseases: dict[str, str] = dict(connection.execute(query("disease_names")).fetchall())
        if request.disease is not None and request.disease not in diseases:
            raise ConfigurationError(f"--disease {request.disease}: not in the catalogue.")
        areas = areas_of_codes(connection, (request.province, request.district))
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(
                query("counts"),
                {
                    "from_ledger": from_ledger,
                    "as_of": request.as_of,
                    "load_id": None if vector is None else vector.load_id,
                    "partitions": list(places),
                    "epochs": [place.epoch for place in places.values()],
                    "next_offsets": [place.offset for place in places.values()],
                    "basis": request.basis,
                    "structure_on": structure_on,
                    "disease": request.disease,
                    "province_id": area_id_of(areas, "province", request.province, request.geography_on),
                    "district_id": area_id_of(areas, "district", request.district, request.geography_on),
                    **_reading(request, periods, from_ledger=from_ledger),
                    **{f"by_{dimension}": dimension in request.by for dimension in DIMENSIONS},
                },
                # A plan for any parameters would read every row: most of the conditions are switches.
                prepare=False,
            )
            rows = cursor.fetchall()
        names = _names(connection, rows, request.by)
    disease_order = {code: number for number, code in enumerate(diseases)}
    shown: list[list[dict[str, Any]]] = [[] for _ in periods]
    for row in rows:
        shown[row["period"] - 1].append(_shown(row, request.by, names, diseases))
    for period in shown:
        period.sort(key=lambda row: sort_key(row, request.by, disease_order))
    return shown


def _reading(request: CountsRequest, periods: Iterable[Days], *, from_ledger: bool) -> dict[str, Any]:
    """Which days and which yearly totals of districts, far fewer rows than the days, hold the answers.

    Of the districts whose totals are read the days say only what the years have too much or too little.
    """
    with_totals = not from_ledger and not _FINER_THAN_TOTALS & set(request.by)
    days: list[tuple[int, int, date | None, date | None, bool, bool]] = []
    years: list[tuple[int, int, int, bool]] = []
    for number, (first, last) in enumerate(periods, 1):
        # A death without a day is shown as such wherever days are shown; no period can hold it.
        has_dayless = bool(TIME_DIMENSIONS & set(request.by)) or (first is None and last is None)
        days.append((number, 1, first, last, has_dayless, False))
        if not with_totals:
            continue
        found = whole_years((first, last))
        if found is None:
            days.append((number, 1, first, last, has_dayless, True))
        else:
            (start, end), rest = found
            years.append((number, start or date.min.year, end or date.max.year, has_dayless))
            days += [(number, sign, period.first, period.last, False, True) for sign, period in rest]
    return {**_columns(_DAYS_READ, days), **_columns(_YEARS_READ, years)}


_DAYS_READ: Final = ("numbers", "signs", "firsts", "lasts", "have_dayless", "are_rest")
_YEARS_READ: Final = ("year_numbers", "first_years", "last_years", "years_have_dayless")


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def areas_of_codes(connection: Connection[TupleRow], codes: Iterable[str | None]) -> AreaIndex:
    """The areas that have or had some of these codes; None among them is left out."""
    given = [code for code in codes if code is not None]
    rows = connection.execute(query("areas_of_codes"), {"codes": given}) if given else ()
    return AreaIndex(Area(*row) for row in rows)


def _names(
    connection: Connection[TupleRow], rows: Iterable[Mapping[str, Any]], by: Sequence[Dimension]
) -> dict[str, str]:
    """The names of the areas in some rows, by their ids."""
    columns = [f"{dimension}_id" for dimension in by if dimension in ("province", "district", "commune")]
    return names_of_areas(connection, (row[column] for row in rows for column in columns))


def names_of_areas(connection: Connection[TupleRow], area_ids: Iterable[str | None]) -> dict[str, str]:
    """The names of some areas, by their ids; None among them is left out."""
    wanted = list(set(area_ids) - {None})
    if not wanted:
        return {}
    return dict(connection.execute(query("names_of_areas"), {"area_ids": wanted}).fetchall())


def structure_in_force(connection: Connection[TupleRow], day: date) -> date:
    """The day on which the structure of areas of a day came into force.

    Raises:
        ConfigurationError: the database has no catalogue.
    """
    days: list[date] = [structure_on for (structure_on,) in connection.execute(query("structures"))]
    in_force = [structure_on for structure_on in days if structure_on <= day]
    if not in_force:
        raise ConfigurationError("The database has no catalogue of areas: run `canhdich migrate` first.")
    return max(in_force)


def area_ids_within(
    connection: Connection[TupleRow], structure_on: date, codes: Collection[str] | None
) -> list[str] | None:
    """Ids of the areas, of whatever time, that a structure shows in areas of some codes; None: everywhere.

    Asked once and handed to what looks for cases: beside them a planner guesses how many areas there are.

    Args:
        connection: Used for one query.
        structure_on: Day on which the structure came into force (`structure_in_force`).
        codes: Present codes of communes, districts or provinces; None: everywhere.
    """
    if codes is None:
        return None
    asked = {"structure_on": structure_on, "area_codes": list(codes)}
    return [area_id for (area_id,) in connection.execute(query("areas_within"), asked)]


def area_id_of(
    areas: AreaIndex, kind: Literal["province", "district"], code: str | None, day: date
) -> str | None:
    """The area that a code meant on a day; None for None.

    Args:
        areas: Those with the code, of `areas_of_codes`.
        kind: Of the area; a surveillance area is a district.
        code: As the operator gave it.
        day: When it is read.

    Raises:
        ConfigurationError: no area of this kind had the code on this day.
    """
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
            shown["week"] = None if start is None else week_name(start)
            shown["week_start"] = start
        elif dimension == "month":
            month: date | None = row["month_start"]
            shown["month"] = None if month is None else month.isoformat()[:7]
        else:
            shown[dimension] = row[dimension]
            if dimension == "disease":
                shown["disease_name"] = diseases[row["disease"]]
    shown |= {counter: row[counter] for counter in COUNTERS}
    approximate: int = row["approximate"]
    shown["approximate"] = approximate
    shown["approximate_share"] = round(row["doubts"] / approximate, 4) if approximate else None
    if "disease" in by:
        # "Of which": these cases stand in their syndrome's row, too.
        shown["resolved_from_syndrome"] = row["resolved_from_syndrome"] or 0
    return shown


def sort_key(
    row: Mapping[str, Any], by: Sequence[str], disease_order: Mapping[str, int]
) -> tuple[tuple[bool, Any], ...]:
    """In the order asked for; diseases as in the report, what is unknown last."""
    key: list[tuple[bool, Any]] = []
    for dimension in by:
        value = row.get(dimension)
        if value is None:
            key.append((True, ""))
        else:
            key.append((False, disease_order[value] if dimension == "disease" else value))
    return tuple(key)

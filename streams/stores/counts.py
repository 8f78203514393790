"""Reading counts: any grouping, any geography, now or as of an instant."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, get_args

from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.areas import Area, AreaIndex, code_of
from streams.domain.as_of import Folded, LogEnds, Place, Vector, is_final
from streams.domain.counts import COUNTERS, Basis
from streams.domain.errors import ConfigurationError
from streams.handlers.fold_cases import Position

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


def vector_of(load_id: int, positions: Mapping[int, Position]) -> Vector:
    """What positions and the load in force say is counted."""
    return Vector(load_id, {p: Place(at.epoch, at.next_offset) for p, at in positions.items()})


def read_counts_as_of(
    connection: Connection[TupleRow],
    request: CountsRequest,
    topic: str,
    partitions: int,
    ask_log: Callable[[], LogEnds | None],
) -> tuple[list[dict[str, Any]], bool]:
    """Counts as of `request.as_of`, and whether they are provisional: an event of before may still come.

    Args:
        connection: Used for one transaction.
        request: With `as_of`.
        topic: Full name of the topic, prefix included.
        partitions: How many it has.
        ask_log: Asks Kafka for the ends of the topic's log; None when it does not answer. Called only where
            the database alone does not know.

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
        return read_counts(connection, request), is_provisional


def _folded(connection: Connection[TupleRow], topic: str) -> dict[int, Folded]:
    positions = read_positions(connection, topic)
    return {p: Folded(at.topic_id, at.next_offset, at.last_known_at) for p, at in positions.items()}


def read_counts(
    connection: Connection[TupleRow], request: CountsRequest, vector: Vector | None = None
) -> list[dict[str, Any]]:
    """Rows with the dimensions asked for (in the order given, names beside codes) and every counter.

    Rows of zeros are left out. Rows per agent count the cases that are positive for it. A disease that
    a syndrome's cases resolved to includes them; a total over diseases counts each case once.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        vector: Count only what it holds; None: all that is counted.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    places = {} if vector is None else vector.places
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
                    "from_ledger": request.as_of is not None or vector is not None,
                    "as_of": request.as_of,
                    "load_id": None if vector is None else vector.load_id,
                    "partitions": list(places),
                    "epochs": [place.epoch for place in places.values()],
                    "next_offsets": [place.offset for place in places.values()],
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
    disease_order = {code: number for number, code in enumerate(diseases)}
    shown.sort(key=lambda row: _sort_key(row, request.by, disease_order))
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
    row: dict[str, Any], by: Sequence[Dimension], disease_order: dict[str, int]
) -> tuple[tuple[bool, Any], ...]:
    """In the order asked for; diseases as in the report, what is unknown last."""
    key: list[tuple[bool, Any]] = []
    for dimension in by:
        value = row[dimension]
        if value is None:
            key.append((True, ""))
        else:
            key.append((False, disease_order[value] if dimension == "disease" else value))
    return tuple(key)


def _iso_week(start: date) -> str:
    year, week, _ = start.isocalendar()
    return f"{year}-W{week:02d}"

"""Comparisons read from the database: the same question about earlier years, and what is known of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Final

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.as_of import Vector
from streams.domain.calendar import Period
from streams.domain.comparison import Comparison, Coverage, Mode, Row, compare
from streams.domain.counts import COUNTERS
from streams.domain.errors import ConfigurationError
from streams.domain.periods import Days
from streams.stores.counts import TIME_DIMENSIONS, CountsRequest, Dimension, read_counts_of_periods
from streams.stores.tallies import read_coverage, read_tally_counts

_AREAS: Final[tuple[Dimension, ...]] = ("province", "district", "commune")


def read_all_counts(
    connection: Connection[TupleRow], request: CountsRequest, vector: Vector | None = None
) -> list[Row]:
    """Counts of cases and, for the days before case reports, of the tallies that stand for them.

    Rows as `read_counts` has them, and `from_tallies`: how many of the notified cases (on the basis of death:
    of the deaths) only a tally knows; of those no other counter is known, it is zero.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        vector: Count only what it holds; None: all that is counted.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    (rows,) = read_all_counts_of_periods(connection, request, [(request.first, request.last)], vector)
    return rows


def read_all_counts_of_periods(
    connection: Connection[TupleRow],
    request: CountsRequest,
    periods: Sequence[Days],
    vector: Vector | None = None,
) -> list[list[Row]]:
    """Rows as `read_all_counts` has them, for each of several periods.

    Args:
        connection: Used for one transaction.
        request: What is asked for; its own period does not matter.
        periods: At least one.
        vector: Count only what it holds; None: all that is counted.

    Raises:
        ConfigurationError: as read_all_counts.
    """
    with connection.transaction():
        counted = read_counts_of_periods(connection, request, periods, vector)
        tallied = read_tally_counts(connection, request, periods, vector)
        return [
            _with_tallies(connection, rows, tallies, request)
            for rows, tallies in zip(counted, tallied, strict=True)
        ]


def _with_tallies(
    connection: Connection[TupleRow], counted: Sequence[Row], tallies: Sequence[Row], request: CountsRequest
) -> list[Row]:
    rows = {_key(row, request): {**row, "from_tallies": 0} for row in counted}
    if not tallies:
        return list(rows.values())
    main = "deaths" if request.basis == "death" else "notified"
    for tally in tallies:
        nothing = dict.fromkeys((*COUNTERS, "approximate", "from_tallies"), 0)
        row = rows.setdefault(
            _key(tally, request), {**tally, **nothing, "approximate_share": None, **_resolved(request)}
        )
        for counter in ("notified", "deaths"):
            row[counter] += tally[counter]
        row["from_tallies"] += tally[main]
    return in_order(connection, list(rows.values()), request)


def in_order(connection: Connection[TupleRow], rows: list[Row], request: CountsRequest) -> list[Row]:
    """Rows by the dimensions in the order asked for; diseases as in the report, what is unknown last."""
    order = {code: place for place, (code, _) in enumerate(connection.execute(query("disease_names")))}

    def key(row: Row) -> list[tuple[bool, object]]:
        values = ((dimension, row[dimension]) for dimension in request.by)
        return [
            (value is None, order.get(value, value) if d == "disease" else value or 0) for d, value in values
        ]

    return sorted(rows, key=key)


def period_of(request: CountsRequest, today: date | None, option: str) -> Period:
    """The days that a question is about, up to today.

    Args:
        request: What is asked for.
        today: Local day; None: the period is over.
        option: Who wants to know, for the error.

    Raises:
        ConfigurationError: it has no first day, no last one, or has not begun.
    """
    last = min((day for day in (request.last, today) if day is not None), default=None)
    if request.first is None or last is None:
        raise ConfigurationError(f"{option} wants a period: give --from (and --to, else today).")
    if request.first > last:
        raise ConfigurationError(f"{option}: the period from {request.first} on has not begun.")
    return Period(request.first, last)


def read_compared(
    connection: Connection[TupleRow],
    request: CountsRequest,
    mode: Mode,
    today: date | None,
    vector: Vector | None = None,
) -> list[Row]:
    """Rows of counts with what they are compared with (streams/domain/comparison.py says which columns).

    The earlier periods are counted in the same structure of areas, so the parts of a province that was merged
    are added up.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        mode: With what it is compared.
        today: Local day: of a period that is not over only the days that have come are compared; None: all.
        vector: Count only what it holds; None: all that is counted.

    Raises:
        ConfigurationError: as read_all_counts; the period is open; several dimensions of time.
    """
    return read_compared_ways(connection, request, (mode,), today, vector)[mode]


def read_compared_ways(
    connection: Connection[TupleRow],
    request: CountsRequest,
    modes: Sequence[Mode],
    today: date | None,
    vector: Vector | None = None,
) -> dict[Mode, list[Row]]:
    """Rows as `read_compared` has them, for each of several modes: the counts are read once for all.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        modes: With what it is compared; at least one.
        today: Local day: of a period that is not over only the days that have come are compared; None: all.
        vector: Count only what it holds; None: all that is counted.

    Raises:
        ConfigurationError: as read_compared.
    """
    times = [dimension for dimension in request.by if dimension in TIME_DIMENSIONS]
    if len(times) > 1:
        raise ConfigurationError(
            f"--compare takes one of {', '.join(times)}, not several: leave out the others."
        )
    period = period_of(request, today, "--compare")
    ways = [Comparison(mode, period, request.by, request.basis) for mode in modes]
    farthest = max(ways, key=lambda comparison: len(comparison.years))
    with connection.transaction():
        asked = (period, *map(farthest.earlier, farthest.years))
        days = [(period.first, period.last) for period in asked]
        rows, *earlier = read_all_counts_of_periods(connection, request, days, vector)
        then = dict(zip(farthest.years, earlier, strict=True))
        coverages = _coverages(connection, request, farthest, vector)
        diseases = _diseases(connection, request, farthest, vector)
        return {
            comparison.mode: in_order(
                connection,
                compare(
                    rows, {years: then[years] for years in comparison.years}, comparison, coverages, diseases
                ),
                request,
            )
            for comparison in ways
        }


def _coverages(
    connection: Connection[TupleRow], request: CountsRequest, comparison: Comparison, vector: Vector | None
) -> Callable[[Row], Coverage]:
    """What is known of the place of a row: of the place asked about, else of the row's province."""
    earlier = [comparison.earlier(years) for years in comparison.years]
    years = {year for period in earlier for year in range(period.first.year, period.last.year + 1)}

    @cache
    def of(province: str | None) -> Coverage:
        place = replace(request, province=province)
        return _Remembered(read_coverage(connection, place, vector, years))

    if request.province is None and "province" in request.by:
        return lambda row: of(row["province"])
    return lambda _: of(request.province)


class _Remembered:
    """A coverage that is asked once about each disease and period: each district's row asks the same."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._answers: dict[tuple[str, date, date], bool] = {}

    def is_known(self, disease: str, first: date, last: date) -> bool:
        key = (disease, first, last)
        if key not in self._answers:
            self._answers[key] = self._coverage.is_known(disease, first, last)
        return self._answers[key]


def _diseases(
    connection: Connection[TupleRow], request: CountsRequest, comparison: Comparison, vector: Vector | None
) -> Callable[[Row], Sequence[str]]:
    """The diseases that a row counts: its own, the one asked about, or all with cases there and then."""
    if "disease" in request.by:
        return lambda row: [row["disease"]]
    if request.disease is not None:
        asked = [request.disease]
        return lambda _: asked
    areas = tuple(dimension for dimension in request.by if dimension in _AREAS)
    by_place: dict[tuple[str | None, ...], list[str]] = {}
    period = comparison.period
    by_disease = replace(request, by=(*areas, "disease"), first=period.first, last=period.last)
    for row in read_all_counts(connection, by_disease, vector):
        # Cases that stand here through their syndrome only are in no total.
        if row["notified"] + row["deaths"] > row["resolved_from_syndrome"]:
            by_place.setdefault(tuple(row[area] for area in areas), []).append(row["disease"])
    return lambda row: by_place.get(tuple(row[area] for area in areas), [])


def _key(row: Row, request: CountsRequest) -> tuple[object, ...]:
    return tuple(row[dimension] for dimension in request.by)


def _resolved(request: CountsRequest) -> Row:
    return {"resolved_from_syndrome": 0} if "disease" in request.by else {}

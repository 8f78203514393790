"""Reading tallies: what they add up to, what they say of cases, what is known, where they differ."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.as_of import Vector
from streams.domain.calendar import LOCAL_ZONE, Period, week_name, week_of
from streams.domain.counts import Basis
from streams.domain.coverage import Coverage
from streams.domain.errors import ConfigurationError
from streams.domain.periods import Days
from streams.domain.tally import COUNTED, STOCKS, is_counted
from streams.domain.tally_cover import Claim, Cover, finest_cover
from streams.stores.counts import CountsRequest, Dimension, sort_key
from streams.stores.places import Level, Scope, ShownArea, read_scope

_LEVELS: tuple[Level, ...] = ("province", "district", "commune")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One tally as it stands, with the area that it is about."""

    indicator: str
    disease: str
    area: ShownArea
    period: Period
    value: int
    target: int | None


def read_tallies(
    connection: Connection[TupleRow],
    request: CountsRequest,
    indicators: Sequence[str] | None = None,
    vector: Vector | None = None,
) -> list[Row]:
    """What the tallies say, per indicator and disease, then by the dimensions asked for.

    Flows are added up over the finest complete cover of the area and the period asked for (of the tallies
    there are, where no period is given). A tally that is longer than the day, week, month or year asked for
    stands under None there; so does one of a larger area. Stocks are never added up: of each area the latest
    in the period. `cases` and `deaths` are those that count.

    Args:
        connection: Used for one transaction.
        request: What is asked for; `basis` does not matter.
        indicators: Which; None: all.
        vector: Only what it holds; None: all that is known.

    Returns:
        Rows with `kind` (flow or stock), `value`, `target` (None where not every tally in the row has one),
        `tallies` (how many), `first` and `last` (days that they span), `complete` (flows: whether the area
        and the period asked for are covered as a whole), `known` (flows: the periods that are), and
        `approximate` (the part of the value that may belong to another area than the one shown).

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    with connection.transaction():
        diseases = _disease_names(connection, request.disease)
        if "agent" in request.by:
            return []
        scope = read_scope(connection, request.geography_on, request.province, request.district)
        since = _read_since(connection, request.as_of, vector)
        counted = _read_counted(connection, request, scope, indicators, vector, since)
    figures = _within(counted, (request.first, request.last))
    rows: list[Row] = []
    for (indicator, disease), group in _grouped(figures, lambda f: (f.indicator, f.disease)).items():
        head = {"indicator": indicator, "disease": disease, "disease_name": diseases[disease]}
        if indicator in STOCKS:
            rows += [{**head, "kind": "stock", **row} for row in _stock_rows(group, request, scope)]
        else:
            rows += [{**head, "kind": "flow", **row} for row in _flow_rows(group, request, scope)]
    order = {code: number for number, code in enumerate(diseases)}
    rows.sort(key=lambda row: (order[row["disease"]], row["indicator"], *sort_key(row, request.by, order)))
    return rows


def read_tally_counts(
    connection: Connection[TupleRow],
    request: CountsRequest,
    periods: Sequence[Days],
    vector: Vector | None = None,
) -> list[list[Row]]:
    """The cases and deaths that tallies stand for, by the dimensions asked for: to be added to those counted.

    Only tallies that count, those of the time before case reports: no disease, province and day is in both.
    Rows have the dimensions as `read_counts` names them, then `notified` and `deaths`; those of zeros are
    left out. A tally that is longer than the bucket asked for stands under None, one of a province under a
    district of None. Tallies know no agents, and no cases by the day of death.

    Args:
        connection: Used for one transaction.
        request: What is asked for; its own period does not matter.
        periods: For which days; the rows of each.
        vector: Only what it holds; None: all that is known.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    nothing: list[list[Row]] = [[] for _ in periods]
    if "agent" in request.by:
        return nothing
    with connection.transaction():
        # Most installations have no tally that stands for cases: they pay for one small question.
        since = _read_since(connection, request.as_of, vector)
        if not since:
            return nothing
        diseases = _disease_names(connection, request.disease)
        scope = read_scope(connection, request.geography_on, request.province, request.district)
        wanted = ["deaths"] if request.basis == "death" else list(COUNTED)
        counted = _read_counted(connection, request, scope, wanted, vector, since)
    return [
        _tally_counts(_within(counted, days), replace(request, first=days[0], last=days[1]), scope, diseases)
        for days in periods
    ]


def _tally_counts(
    figures: Sequence[Figure], request: CountsRequest, scope: Scope, diseases: Mapping[str, str]
) -> list[Row]:
    sums: dict[tuple[Any, ...], Row] = {}
    for (indicator, _), group in _grouped(figures, lambda f: (f.indicator, f.disease)).items():
        _, members = _cover(group, request, scope)
        for figure in members:
            dimensions = _dimensions(figure, request.by, diseases)
            row = sums.setdefault(
                tuple(dimensions.values()), {**dimensions, **dict.fromkeys(COUNTED.values(), 0)}
            )
            row[COUNTED[indicator]] += figure.value
    order = {code: number for number, code in enumerate(diseases)}
    rows = [row for row in sums.values() if any(row[counter] for counter in COUNTED.values())]
    return sorted(rows, key=lambda row: sort_key(row, request.by, order))


def read_coverage(
    connection: Connection[TupleRow],
    request: CountsRequest,
    vector: Vector | None = None,
    years: Collection[int] | None = None,
) -> Coverage:
    """What is known of the place that is asked about, from tallies and from case reports.

    Of no place in particular: of every province that has sent anything.

    Args:
        connection: Used for one transaction.
        request: Place, geography, as_of and disease matter; the period and the dimensions do not.
        vector: Only what it holds; None: all that is known.
        years: The calendar years that will be asked about; None: any.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    is_anywhere = request.province is None and request.district is None
    with connection.transaction():
        scope = read_scope(connection, request.geography_on, request.province, request.district)
        since = _read_since(connection, request.as_of, vector)
        reported = connection.execute(
            query("case_years"),
            {
                **_ledger_params(request.as_of, vector, None if vector is None else vector.places),
                "disease": request.disease,
                "province_ids": [part.province_id for part in scope.parts],
                # Which provinces are heard of at all is a matter of every year.
                "years": None if years is None or is_anywhere else sorted(years),
            },
            prepare=False,
        ).fetchall()
        whole = _read_all(connection, request, scope, ["cases"], vector)
    case_years: dict[tuple[str, str], set[int]] = {}
    for disease, province_id, year in reported:
        case_years.setdefault((disease, province_id), set()).add(year)
    claims: dict[str, list[Claim]] = {}
    for figure in whole:
        if figure.value == 0 or _counts(figure, since):
            claims.setdefault(figure.disease, []).append(_claim(figure, scope))
    parts = scope.parts
    if is_anywhere:
        heard_of = {province_id for _, province_id in case_years} | {f.area.own_province_id for f in whole}
        parts = tuple(part for part in parts if part.province_id in heard_of)
    until = request.as_of or datetime.now(LOCAL_ZONE)
    return Coverage(scope.place, parts, until.astimezone(LOCAL_ZONE).date(), since, case_years, claims)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A tally of cases or deaths that does not count, beside what was counted in its area and period.

    `case_reports_since` later than the period's first day: the cases before it are in no count.
    """

    subject: str
    indicator: str
    disease: str
    disease_name: str
    area: ShownArea
    period: Period
    value: int
    known_at: datetime
    case_reports_since: date | None
    counted: int

    @property
    def difference(self) -> int:
        """How many more the tally says than were counted."""
        return self.value - self.counted


def read_discrepancies(connection: Connection[TupleRow], request: CountsRequest) -> list[Discrepancy]:
    """Every tally that is kept for comparison, by disease, indicator and period; those that agree included.

    Args:
        connection: Used for one transaction.
        request: Place, geography, basis, disease and period matter.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        diseases = _disease_names(connection, request.disease)
        scope = read_scope(connection, request.geography_on, request.province, request.district)
        cursor.execute(
            query("tally_discrepancies"),
            {
                "basis": _cohort(request.basis),
                "disease": request.disease,
                "first": request.first,
                "last": request.last,
                "area_ids": list(scope.areas),
            },
        )
        return [
            Discrepancy(
                row["subject"],
                row["indicator"],
                row["disease"],
                diseases[row["disease"]],
                scope.areas[row["area_id"]],
                Period(row["period_start"], row["period_end"]),
                row["value"],
                row["known_at"],
                row["case_reports_since"],
                row["counted"],
            )
            for row in cursor.fetchall()
        ]


def _cohort(basis: Basis) -> Basis:
    if basis == "death":
        raise ConfigurationError(
            "--basis death: a tally of cases has no day of death; compare on onset or report."
        )
    return basis


def _disease_names(connection: Connection[TupleRow], asked: str | None) -> dict[str, str]:
    """Name by code, in the order of the report."""
    diseases: dict[str, str] = dict(connection.execute(query("disease_names")).fetchall())
    if asked is not None and asked not in diseases:
        raise ConfigurationError(f"--disease {asked}: not in the catalogue.")
    return diseases


def _read_since(
    connection: Connection[TupleRow], as_of: datetime | None, vector: Vector | None
) -> dict[tuple[str, str], date]:
    load_id = None if vector is None else vector.load_id
    rows = connection.execute(query("case_reports_since_by"), {"as_of": as_of, "load_id": load_id})
    return {(disease, province_id): day for disease, province_id, day in rows}


def _ledger_params(
    as_of: datetime | None, vector: Vector | None, places: Mapping[int, Any] | None
) -> dict[str, Any]:
    at = places or {}
    return {
        "from_ledger": as_of is not None or vector is not None,
        "as_of": as_of,
        "load_id": None if vector is None else vector.load_id,
        "partitions": list(at),
        "epochs": [place.epoch for place in at.values()],
        "next_offsets": [place.offset for place in at.values()],
    }


def _read_counted(
    connection: Connection[TupleRow],
    request: CountsRequest,
    scope: Scope,
    indicators: Sequence[str] | None,
    vector: Vector | None,
    since: Mapping[tuple[str, str], date],
) -> list[Figure]:
    """The tallies that stand in the answers, of any period."""
    found = _read_all(connection, request, scope, indicators, vector)
    return [figure for figure in found if _counts(figure, since)]


def _within(figures: Iterable[Figure], days: Days) -> list[Figure]:
    first, last = days
    return [
        figure
        for figure in figures
        if (first is None or first <= figure.period.first) and (last is None or figure.period.last <= last)
    ]


def _read_all(
    connection: Connection[TupleRow],
    request: CountsRequest,
    scope: Scope,
    indicators: Sequence[str] | None,
    vector: Vector | None,
) -> list[Figure]:
    rows = connection.execute(
        query("tally_figures"),
        {
            **_ledger_params(request.as_of, vector, None if vector is None else vector.tallies),
            "disease": request.disease,
            "indicators": None if indicators is None else list(indicators),
            "area_ids": list(scope.areas),
        },
    )
    return [
        Figure(indicator, disease, scope.areas[area_id], Period(start, end), value, target)
        for indicator, disease, area_id, start, end, value, target in rows
    ]


def _counts(figure: Figure, since: Mapping[tuple[str, str], date]) -> bool:
    day = since.get((figure.disease, figure.area.own_province_id))
    return is_counted(
        figure.indicator, figure.period.last.isoformat(), None if day is None else day.isoformat()
    )


def _claim(figure: Figure, scope: Scope, key: Any = None) -> Claim:
    period = figure.period
    return Claim(scope.claimant(figure.area, period.first), period.first, period.last, key)


def _cover(figures: Sequence[Figure], request: CountsRequest, scope: Scope) -> tuple[Cover, list[Figure]]:
    """The finest cover by some tallies of one indicator and disease, and the tallies in it."""
    period = Period(
        request.first or min(figure.period.first for figure in figures),
        request.last or max(figure.period.last for figure in figures),
    )
    claims = [_claim(figure, scope, number) for number, figure in enumerate(figures)]
    cover = finest_cover([scope.place], claims, period)
    return cover, [figures[claim.key] for claim in cover.claims]


def _flow_rows(figures: Sequence[Figure], request: CountsRequest, scope: Scope) -> Iterable[Row]:
    cover, members = _cover(figures, request, scope)
    targets: list[Figure] = []
    targeted = [figure for figure in figures if figure.target is not None]
    if targeted:
        # Planned by the year and reported by the month: a plan has a cover of its own.
        target_cover, covered = _cover(targeted, request, scope)
        targets = covered if target_cover.is_complete else []
    by = [dimension for dimension in request.by if dimension != "disease"]
    planned = _grouped(targets, lambda figure: _key(figure, by))
    for key, group in _grouped(members, lambda figure: _key(figure, by)).items():
        plans = [figure.target for figure in planned.get(key, ()) if figure.target is not None]
        yield {
            **_dimensions(group[0], by, {}),
            "value": sum(figure.value for figure in group),
            "target": sum(plans) if plans else None,
            "tallies": len(group),
            "first": min(figure.period.first for figure in group),
            "last": max(figure.period.last for figure in group),
            "complete": cover.is_complete,
            "known": [{"first": period.first, "last": period.last} for period in cover.known],
            "approximate": _approximate(group, request),
        }


def _stock_rows(figures: Sequence[Figure], request: CountsRequest, scope: Scope) -> Iterable[Row]:
    """Of each area of the level asked for the latest level; nothing is added up."""
    asked = [level for level in _LEVELS if level in request.by]
    level = asked[-1] if asked else scope.level
    by = [dimension for dimension in request.by if dimension != "disease"]
    at_level = [figure for figure in figures if figure.area.level == level]
    areas = _grouped(at_level, lambda figure: (figure.area.area_id, *_key(figure, by)))
    for group in areas.values():
        latest = max(group, key=lambda figure: (figure.period.last, figure.period.first))
        shown = _dimensions(latest, by, {})
        yield {
            **({} if level in by else latest.area.shown(level)),
            **shown,
            "value": latest.value,
            "target": latest.target,
            "tallies": 1,
            "first": latest.period.first,
            "last": latest.period.last,
            "complete": None,
            "known": [],
            "approximate": _approximate([latest], request),
        }


def _approximate(figures: Iterable[Figure], request: CountsRequest) -> int:
    levels = [level for level in _LEVELS if level in request.by]
    if request.province is not None:
        levels.append("province")
    if request.district is not None:
        levels.append("district")
    return sum(figure.value for figure in figures if any(figure.area.doubt(level) > 0 for level in levels))


def _key(figure: Figure, by: Sequence[Dimension]) -> tuple[Any, ...]:
    return tuple(_dimensions(figure, by, {}).values())


def _dimensions(figure: Figure, by: Sequence[Dimension], diseases: Mapping[str, str]) -> Row:
    """The columns of the dimensions asked for, named and written as those of counts."""
    row: Row = {}
    first, last = figure.period.first, figure.period.last
    for dimension in by:
        if dimension in ("province", "district", "commune"):
            row |= figure.area.shown(dimension)
        elif dimension == "disease":
            row |= {"disease": figure.disease, "disease_name": diseases[figure.disease]}
        elif dimension == "day":
            row["day"] = first if first == last else None
        elif dimension == "week":
            week = week_of(first)
            is_within = last in week
            row["week"] = week_name(first) if is_within else None
            row["week_start"] = week.first if is_within else None
        elif dimension == "month":
            month = first.isoformat()[:7]
            row["month"] = month if month == last.isoformat()[:7] else None
        elif dimension == "year":
            row["year"] = first.year if first.year == last.year else None
    return row


def _grouped(figures: Iterable[Figure], key: Any) -> dict[Any, list[Figure]]:
    groups: dict[Any, list[Figure]] = {}
    for figure in figures:
        groups.setdefault(key(figure), []).append(figure)
    return groups

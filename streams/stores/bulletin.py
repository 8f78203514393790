"""The facts of the weekly bulletin, read by the questions that `canhdich counts` asks."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from streams.domain.calendar import Period
from streams.domain.comparison import Row
from streams.domain.errors import ConfigurationError
from streams.domain.report.bulletin import BulletinFacts, BulletinLine
from streams.domain.report.facts import Figure, Place, Query
from streams.stores.comparison import read_all_counts
from streams.stores.counts import CountsRequest, Dimension, area_id_of, areas_of_codes
from streams.stores.report_changes import read_labels


def read_bulletin(connection: Connection[TupleRow], request: CountsRequest) -> BulletinFacts:
    """The week `first` to `last` of a province, and its year up to `last`.

    Args:
        connection: Used for one transaction.
        request: Province, week, geography, basis and as_of matter.

    Raises:
        ConfigurationError: the code means nothing in that structure.
    """
    with connection.transaction():
        return _read(_Asked(connection, request))


@dataclass(frozen=True, slots=True)
class _Asked:
    connection: Connection[TupleRow]
    request: CountsRequest

    def rows(self, period: Period, *by: Dimension) -> list[Row]:
        asked = replace(self.request, by=by, first=period.first, last=period.last)
        return read_all_counts(self.connection, asked)

    def query(self, period: Period, column: str, where: dict[str, Any], *by: Dimension) -> Query:
        request = self.request
        options: dict[str, Any] = {
            "province": request.province,
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "geography": request.geography_on.isoformat(),
            "basis": request.basis,
        }
        if by:
            options["by"] = list(by)
        if request.as_of is not None:
            options["as_of"] = request.as_of.isoformat()
        return Query("counts", options, where, column)


def _read(asked: _Asked) -> BulletinFacts:
    request = asked.request
    if request.first is None or request.last is None:
        raise ConfigurationError("A bulletin wants a week.")
    week = Period(request.first, request.last)
    year = Period(date(week.last.year, 1, 1), week.last)
    areas = areas_of_codes(asked.connection, (request.province,))
    area_id = area_id_of(areas, "province", request.province, request.geography_on)
    if area_id is None:
        raise ConfigurationError("A bulletin wants --province.")
    of_week = {row["disease"]: row for row in asked.rows(week, "disease")}
    of_year = {row["disease"]: row for row in asked.rows(year, "disease")}
    deaths: dict[str, list[Place]] = {}
    for row in asked.rows(year, "disease", "district"):
        if row["deaths"]:
            where = {"disease": row["disease"], "district": row["district"]}
            figure = Figure(row["deaths"], asked.query(year, "deaths", where, "disease", "district"))
            deaths.setdefault(row["disease"], []).append(Place(row["district_name"], figure))
    (total,) = asked.rows(week) or [{"notified": 0, "deaths": 0}]
    lines = []
    for code, (label_vi, label_en) in read_labels(asked.connection).items():
        rows = [found[code] for found in (of_year, of_week) if code in found]
        # Those that a syndrome's cases resolved to are told there.
        if all(row["notified"] == row["resolved_from_syndrome"] for row in rows):
            continue

        def counted(rows: dict[str, Row], period: Period, column: str, code: str = code) -> Figure:
            row = rows.get(code)
            query = asked.query(period, column, {"disease": code}, "disease")
            return Figure(0 if row is None else row[column], query)

        lines.append(
            BulletinLine(
                code,
                label_vi,
                label_en,
                counted(of_week, week, "notified"),
                counted(of_week, week, "deaths"),
                counted(of_year, year, "notified"),
                counted(of_year, year, "deaths"),
                tuple(deaths.get(code, ())),
            )
        )
    return BulletinFacts(
        areas[area_id].name_vi,
        week,
        Figure(total["notified"], asked.query(week, "notified", {})),
        Figure(total["deaths"], asked.query(week, "deaths", {})),
        tuple(lines),
    )

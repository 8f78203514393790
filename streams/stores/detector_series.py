"""The stored counts as weekly series for the detectors: all areas of a disease in one reading."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.calendar import week_of
from streams.domain.counts import FLAG
from streams.domain.detector_sweep import (
    RULE_PREFIX,
    WeeklySeries,
    first_week_judged,
    first_week_read,
    last_complete_week,
    weekly_series,
)
from streams.handlers.sweep_detectors import SweepDetectors
from streams.stores.database import Session
from streams.stores.rules import PostgresRules


@contextmanager
def detector_sweep(database_url: str) -> Iterator[SweepDetectors]:
    """The detectors over what stands in a database; to be used by one thread at a time."""
    rules, store = PostgresRules(database_url), PostgresDetectorSeries(database_url)
    try:
        yield SweepDetectors(rules, store)
    finally:
        rules.close()
        store.close()


class PostgresDetectorSeries:
    """Implements the SeriesStore port of streams/handlers/sweep_detectors.py."""

    def __init__(self, database_url: str) -> None:
        self._session = Session(database_url)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def diseases(self, on: date) -> list[str]:
        """Diseases with a case in the weeks judged on a day, or with an open alert of a detector."""
        params = {
            "since": first_week_judged(on),
            "until": last_complete_week(on).last,
            "rule_prefix": RULE_PREFIX,
        }
        with self._session.transaction() as connection:
            return [disease for (disease,) in connection.execute(query("detector_diseases"), params)]

    def known_from(self, on: date, left_out: Collection[str]) -> dict[str, date]:
        """Since when each province has records: its first counted case of any disease but those left out."""
        params = {"on_day": on, "left_out": list(left_out)}
        with self._session.transaction() as connection:
            return dict(connection.execute(query("detector_known_from"), params).fetchall())

    def standing(self, disease: str) -> set[str]:
        """Areas with an open alert of a detector."""
        params = {"disease": disease, "rule_prefix": RULE_PREFIX}
        with self._session.transaction() as connection:
            return {area_id for (area_id,) in connection.execute(query("detector_standing"), params)}

    def series(self, disease: str, on: date, known_from: Mapping[str, date]) -> WeeklySeries:
        """Every commune and surveillance area of the structure of a day with a case of a disease."""
        with self._session.transaction() as connection:
            weeks, late_weeks, reconstructed, since = _read(connection, disease, on)
        cells: dict[tuple[str, date], int] = defaultdict(int)
        province_of: dict[str, str] = {}
        for province_id, district_id, commune_id, monday, cases in weeks:
            for area_id in (district_id, commune_id):
                if area_id is not None:
                    cells[area_id, monday] += cases
                    province_of[area_id] = province_id
        late: dict[tuple[str, date], int] = defaultdict(int)
        for district_id, commune_id, monday, cases in late_weeks:
            for area_id in (district_id, commune_id):
                if area_id in province_of:
                    late[area_id, monday] += cases
        known = {
            area_id: _first_known_week(known_from.get(province_id), since.get(province_id))
            for area_id, province_id in province_of.items()
        }
        return weekly_series(disease, on, cells, late, known, reconstructed)


def _read(
    connection: Connection[TupleRow], disease: str, on: date
) -> tuple[list[TupleRow], list[TupleRow], set[str], dict[str, date]]:
    """Weeks, late weeks, reconstructed areas, province id -> first day on which case reports count."""
    until = last_complete_week(on).last
    params = {"disease": disease, "on_day": on, "until": until}
    weeks = connection.execute(query("detector_weeks"), params | {"since": first_week_read(on)})
    late = connection.execute(
        query("detector_late"),
        params | {"since": first_week_judged(on), "discarded_flag": FLAG["discarded"]},
    )
    reconstructed = connection.execute(query("detector_reconstructed"), {"on_day": on})
    since = connection.execute(query("catalogue_case_reports_since"))
    return (
        weeks.fetchall(),
        late.fetchall(),
        {area_id for (area_id,) in reconstructed},
        {province_id: date.fromisoformat(day) for code, province_id, day in since if code == disease},
    )


def _first_known_week(first_case: date | None, reports_since: date | None) -> date | None:
    """The Monday of the first week that is known: the one with the first case, and a whole one of reports."""
    if first_case is None:
        return None
    monday = week_of(first_case).first
    if reports_since is None:
        return monday
    return max(monday, week_of(reports_since + timedelta(days=6)).first)

"""Which cases of a report's province and period have changed between two instants, from the ledger."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.report.changes import CaseChange, Standing
from streams.stores.counts import CountsRequest, area_id_of, areas_of_codes, structure_in_force


def read_report_changes(
    connection: Connection[TupleRow], request: CountsRequest, since: datetime, until: datetime
) -> list[CaseChange]:
    """Every case that moved in or out of the counts of a province and period, or within them.

    Args:
        connection: Used for one transaction.
        request: Province, geography, basis and period matter; the period has both ends.
        since: What was known then ...
        until: ... beside what was known then.

    Raises:
        ConfigurationError: the code means nothing in that structure.
    """
    with connection.transaction():
        areas = areas_of_codes(connection, (request.province,))
        rows = connection.execute(
            query("report_changes"),
            {
                "structure_on": structure_in_force(connection, request.geography_on),
                "province_id": area_id_of(areas, "province", request.province, request.geography_on),
                "basis": request.basis,
                "first": request.first,
                "last": request.last,
                "since": since,
                "until": until,
            },
        ).fetchall()
    return [_change(subject, list(keys)) for subject, keys in groupby(rows, itemgetter(0))]


def _change(subject: str, keys: Iterable[tuple[Any, ...]]) -> CaseChange:
    before = after = None
    for _, disease, commune, district, day, was, now, dead_was, dead_now, is_within in keys:
        if was:
            before = _standing(disease, commune, district, day, dead_was, is_within)
        if now:
            after = _standing(disease, commune, district, day, dead_now, is_within)
    return CaseChange(subject, before, after)


def _standing(disease: str, commune: str, district: str, day: date, deaths: int, is_within: bool) -> Standing:
    return Standing(disease, commune, district, day, deaths > 0, is_within)


def read_labels(connection: Connection[TupleRow]) -> dict[str, tuple[str, str]]:
    """Disease -> its label in the report and its English name, in the order of the report."""
    rows = connection.execute(query("report_diseases"))
    return {code: (label, name_en) for code, label, name_en, _ in rows}

"""Whether a database holds the demo's invented cases: everything printed from it says so."""

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from services.demo.reports import demo_reports
from services.demo.show import STAMP


def stamp_of(connection: Connection[TupleRow]) -> str | None:
    """The stamp where an event of the demo was ever counted here, by its id; None: no demo."""
    reports = demo_reports()
    known = connection.execute(
        query("identities"),
        {
            "subjects": [report.subject for report in reports],
            "event_ids": [orjson.loads(report.raw)["id"] for report in reports],
        },
    ).fetchone()
    return None if known is None else STAMP

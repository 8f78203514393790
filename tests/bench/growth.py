"""(g) Throughput with many cases stored already: an empty database, and ones filled first.

The filling is made by SQL (growth.sql), not folded: so many reported cases, spread evenly over all communes,
the diseases and 1,000 days, with journal, identities, ledger, counts and totals that agree; a test has the
audit look at it.
"""

from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.rows import TupleRow

from schemas.catalogue import Catalogue
from streams.domain.counts import COUNTERS
from streams.stores.database import connect
from tests.bench.results import say
from tests.bench.stage import communes

_PART = 250_000
_STATEMENTS = Path(__file__).with_name("growth.sql").read_text().split(";\n")
_SUMS = ", ".join(f"sum(cc.{name})::int" for name in COUNTERS)


def fill(database_url: str, topic: str, catalogue: Catalogue, cases: int) -> None:
    """Store so many cases in an empty database, as if another topic had brought them."""
    areas = [area.id for area in communes(catalogue)]
    diseases = sorted(disease.code for disease in catalogue.diseases)
    with connect(database_url) as connection:
        connection.execute("set statement_timeout = 0")
        # It is made again where a crash loses it.
        connection.execute("set synchronous_commit = off")
        for first in range(0, cases, _PART):
            last = min(first + _PART, cases) - 1
            _fill_part(connection, first, last, areas, diseases)
            say(f"    {last + 1:,} cases stored")
        _fill_sums(connection)
        # The topic that they came from is gone: the worker finds another and begins a new epoch.
        connection.execute(
            "insert into stream_offsets select %s, p, %s, 0, ceil((%s - p) / 12.0)::bigint, "
            "ceil((%s - p) / 12.0)::bigint, '2024-06-01', null from generate_series(0, 11) as g (p)",
            (topic, uuid4(), cases, cases),
        )
        for table in (
            "event_ids",
            "case_events",
            "cases",
            "count_changes",
            "daily_counts",
            "district_totals",
        ):
            connection.execute(f"vacuum analyze {table}")


def _fill_part(
    connection: psycopg.Connection[TupleRow], first: int, last: int, areas: list[str], diseases: list[str]
) -> None:
    params = {"first": first, "last": last, "areas": areas, "diseases": diseases}
    with connection.transaction():
        for statement in _STATEMENTS:
            if statement.strip():
                connection.execute(statement, params if "%(" in statement else {})


def _fill_sums(connection: psycopg.Connection[TupleRow]) -> None:
    with connection.transaction():
        connection.execute(
            f"insert into daily_counts select disease, area_id, basis, day, via, agent, {_SUMS} "  # noqa: S608
            "from count_changes as cc group by disease, area_id, basis, day, via, agent"
        )
        connection.execute(
            f"insert into district_totals select cc.disease, cc.via, coalesce(a.district_id, a.province_id), "  # noqa: S608
            f"extract(year from cc.day)::int, cc.basis, {_SUMS} from count_changes as cc "
            "inner join areas as a on cc.area_id = a.area_id where cc.agent = '' group by 1, 2, 3, 4, 5"
        )

"""How long the boards' queries take, on a store the size of the country.

The target: every query of a panel in less than 100 ms at the 95th percentile, all of a board's together in
less than a second: what a browser waits for when it opens one. Measured is the time inside the driver's
`execute`, as the boards' own login, of one province and one year.
"""

import json
import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from dashboards.__main__ import generate
from streams.domain.calendar import LOCAL_ZONE
from streams.stores.boards import refresh_populations
from streams.stores.database import connect
from streams.stores.views import EPIDEMIOLOGISTS, set_password
from tests.bench.counts_speed import PROVINCES
from tests.bench.results import Measured
from tests.grafana import EVERY, Range, choose_all, expand, queries

BOARDS = ("overview", "disease", "area", "alerts", "quality")
YEAR = Range(
    datetime(2024, 1, 1, tzinfo=LOCAL_ZONE),
    datetime(2025, 1, 1, tzinfo=LOCAL_ZONE) - timedelta(milliseconds=1),
)
_PASSWORD = "boards"  # noqa: S105 - of a login on the bench's own server


def _fill_alerts(connection: Connection[TupleRow]) -> None:
    """Two alerts of each commune and year, all but those of the last month closed."""
    connection.execute(_ALERTS)
    connection.execute("analyze alerts")


_ALERTS: Final = """
insert into alerts (
    alert_id, rule_id, disease, area_id, state, level, verdict, is_met, cases, period_start, period_end,
    raised_at, waiting_since, changed_at, events, settled_at
)
select
    gen_random_uuid(), 'tt15_22_1b', d.code, a.area_id,
    case when r.raised_at > '2024-12-01' then 'raised' else 'closed' end,
    (array['attention', 'alert', 'above_band', 'outbreak'])[1 + (random() * 3)::int],
    '{"numbers": {"cases": 7, "mean": 2.5}, "why_vi": "-", "why_en": "-"}', true, 7, r.raised_at::date - 7,
    r.raised_at::date, r.raised_at, r.raised_at, r.raised_at, 2,
    case when r.raised_at <= '2024-12-01' then r.raised_at + interval '20 days' end
from areas as a
cross join (values ('dengue'), ('hfmd')) as d (code)
cross join generate_series(2017, 2024) as year
cross join lateral (
    select make_date(year, 1, 1) + (random() * 365)::int + interval '9 hours' as raised_at
    where a.area_id <> ''
) as r
where a.kind = 'commune' and a.valid_to is not null
on conflict do nothing
"""


def measure(database_url: str, repeats: int = 20) -> Iterator[Measured]:
    """Open every board on every province; the first opening, which fills the caches, is not counted.

    Args:
        database_url: A country's; alerts are added to it.
        repeats: Openings that count.
    """
    with connect(database_url) as connection:
        _fill_alerts(connection)
        refresh_populations(connection)
        set_password(connection, EPIDEMIOLOGISTS, _PASSWORD)
    parts = urlsplit(database_url)
    login = f"{EPIDEMIOLOGISTS}:{_PASSWORD}@{parts.netloc.rpartition('@')[2]}"
    boards = {path: json.loads(text) for path, text in generate().items()}
    with psycopg.connect(urlunsplit(parts._replace(netloc=login)), autocommit=True) as connection:
        for province, size in PROVINCES.items():
            for board in BOARDS:
                yield _open(connection, boards[f"vi/{board}.json"], board, province, size, repeats)


def _open(
    connection: Connection[TupleRow], board: dict[str, Any], name: str, province: str, size: str, repeats: int
) -> Measured:
    wanted = {"province": province, "district": EVERY, "disease": "dengue" if name == "disease" else EVERY}
    chosen = choose_all(
        connection, board, lambda variable, options: (wanted.get(variable, options[0]),), YEAR
    )
    statements = [(query.where, expand(query.sql, chosen, YEAR)) for query in queries(board)]
    times: dict[str, list[float]] = {where: [] for where, _ in statements}
    for _ in range(repeats + 1):
        for where, statement in statements:
            started = time.perf_counter()
            connection.execute(statement, prepare=False).fetchall()
            times[where].append(1_000 * (time.perf_counter() - started))
    slow = {where: _p95(found[1:]) for where, found in times.items()}
    slowest = max(slow, key=lambda where: slow[where])
    together = sum(statistics.median(found[1:]) for found in times.values())
    return Measured(
        "o",
        f"board {name}, {size} province",
        0,
        together / 1_000,
        {
            "together_ms": round(together, 1),
            "slowest_panel_p95_ms": round(slow[slowest], 1),
            "slowest_panel": slowest,
            "queries": len(statements),
        },
    )


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]

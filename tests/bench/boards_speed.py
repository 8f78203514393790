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
from dashboards.boards.quality import FIELDS
from dashboards.framework import AGES
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


def _fill_quality(connection: Connection[TupleRow]) -> None:
    """A year of everything that the monitor writes for boards, in every district of the country."""
    for statement in _QUALITY:
        connection.execute(statement, {"fields": list(FIELDS), "bands": list(AGES)})
    connection.execute(
        "analyze quality_weeks, form_weeks, age_sex_weeks, reporter_weeks, stream_looks, dead_letters, "
        "alert_events"
    )


_QUALITY: Final = (
    """
insert into quality_weeks
select
    date_trunc('week', dc.day)::date, dc.disease, coalesce(a.district_id, a.province_id), sum(dc.notified),
    sum(dc.notified) - sum(dc.notified) / 5, sum(dc.notified) / 3, sum(dc.notified) / 5, 0, 0,
    sum(dc.notified) / 2, sum(dc.notified) - sum(dc.notified) / 2, 0, 0, 0, 0, 0, sum(dc.notified),
    sum(dc.notified), sum(dc.notified) / 2, 14 * sum(dc.notified), 9 * sum(dc.notified)
from daily_counts as dc
inner join areas as a on dc.area_id = a.area_id
where dc.basis = 'report' and dc.agent = '' and dc.day between '2024-01-01' and '2024-12-31'
group by 1, 2, 3
having sum(dc.notified) > 0
on conflict do nothing""",
    """
insert into age_sex_weeks (disease, district_id, week_start, age_band, sex, cases)
select
    qw.disease, qw.district_id, qw.week_start,
    (%(bands)s::text[])[
        1 + abs(hashint4(one * 31 + qw.cases + (qw.week_start - date '2024-01-01')))
            %% cardinality(%(bands)s::text[])
    ],
    case when one %% 2 = 0 then 'male' else 'female' end, count(*)
from quality_weeks as qw
cross join lateral generate_series(1, qw.cases) as one
group by 1, 2, 3, 4, 5
on conflict do nothing""",
    """
insert into form_weeks (week_start, district_id, field, asked, filled)
select qw.week_start, qw.district_id, f.field, sum(qw.cases), sum(qw.cases) / 2
from quality_weeks as qw
cross join unnest(%(fields)s::text[]) as f (field)
group by 1, 2, 3
on conflict do nothing""",
    """
insert into reporter_weeks (judged_on, reporter, district_id, state, last_active, silent_weeks, longest_gap)
select
    monday::date, 'TYT-' || a.code, coalesce(a.district_id, a.province_id),
    case when hashtext(a.code || monday) %% 20 = 0 then 'silent' else 'reporting' end, monday::date - 7, 0, 3
from areas as a
cross join generate_series('2024-01-01'::timestamp, '2024-12-30', '7 days') as monday
where a.kind = 'commune' and a.valid_to is null
on conflict do nothing""",
    """
insert into stream_looks (at, lag_records, newest_age_seconds, dead_share, dead_open, parked, findings)
select minute, 20, 150, 0, 0, 0, 0
from generate_series('2024-12-01'::timestamptz, '2024-12-31', '1 minute') as minute
on conflict do nothing""",
    """
insert into dead_letters (
    topic, epoch, kafka_partition, kafka_offset, known_at, error, problems, record_value, retried_at
)
select
    'case-events', 0, 0, n, '2024-01-01'::timestamptz + n * interval '3 hours',
    (array['invalid_event', 'identity_conflict', 'misplaced_record'])[1 + n %% 3], '[]', '', now()
from generate_series(1, 2900) as n
on conflict do nothing""",
    """
insert into alert_events (alert_id, number, at, actor, kind, data)
select al.alert_id, n, al.raised_at + n * interval '1 hour', 'an',
    (array['acknowledged', case when n %% 3 = 0 then 'dismissed' else 'verified' end])[n], '{}'
from alerts as al
cross join generate_series(1, 2) as n
on conflict do nothing""",
)


def measure(database_url: str, repeats: int = 20) -> Iterator[Measured]:
    """Open every board on every province; the first opening, which fills the caches, is not counted.

    Args:
        database_url: A country's; alerts and a year's figures of quality are added to it.
        repeats: Openings that count.
    """
    with connect(database_url) as connection:
        _fill_alerts(connection)
        _fill_quality(connection)
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

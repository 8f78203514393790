"""The reporting triangle, from the ledger or from the days of report, and the nowcast of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.delay import BACKFILLED_AFTER
from streams.domain.nowcast import Counts, Model, TooLittle, Triangle, nowcast
from streams.stores.delay import live_from
from streams.stores.scope import Key, Resolved, Scope, in_order, names_of_keys, resolve, shown_key

Grain = Literal["week", "day"]
Clock = Literal["known", "report"]
SeriesGrouping = Literal["disease", "district"]


class Span(NamedTuple):
    """How far back, in periods of the grain."""

    longest_delay: int
    window: int


SPANS: Final[dict[Grain, Span]] = {"week": Span(8, 26), "day": Span(28, 84)}


@dataclass(frozen=True, slots=True)
class NowcastRequest:
    """What is asked for.

    Attributes:
        scope: Which cases; its days are not used.
        by: What they are grouped by.
        now: Only what was known (or, by report, reported) in whole periods before this instant.
        grain: Length of a period.
        clock: `known`: a case counts from when the ledger knew it. `report`: from its day of report, as the
            cases stand now; for histories that were imported afterwards.
    """

    scope: Scope
    by: Sequence[SeriesGrouping]
    now: datetime
    grain: Grain = "week"
    clock: Clock = "known"

    @property
    def last_period(self) -> date:
        """First day of the last period that is over."""
        today = self.now.astimezone(LOCAL_ZONE).date()
        if self.grain == "day":
            return today - timedelta(days=1)
        return today - timedelta(days=today.weekday() + 7)


class _Series(NamedTuple):
    """Series by their keys, and what is known of them, in the same order."""

    keys: list[Key]
    triangle: Triangle


def read_nowcast(connection: Connection[TupleRow], request: NowcastRequest) -> list[dict[str, Any]]:
    """The last periods of every series that had a case in the window: what is counted, and what will be.

    `nowcast`, `lower`, `upper` and `share_known` are None, and `why` says what is missing, where the delays
    cannot be estimated.

    Args:
        connection: Used for one transaction.
        request: What is asked for.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    span = SPANS[request.grain]
    # Delays of one disease are shrunk towards those of all: all are read.
    by: list[SeriesGrouping] = [g for g in ("disease", "district") if g in request.by]
    if request.scope.disease is not None and "disease" not in by:
        by.insert(0, "disease")
    with connection.transaction():
        resolved = resolve(connection, request.scope)
        series = _read_series(connection, request, resolved, by, span)
        names = names_of_keys(connection, series.keys, by)
    groups = []
    if "disease" in by and len(by) > 1:
        places = {disease: n for n, disease in enumerate(dict.fromkeys(key[0] for key in series.keys))}
        groups.append(np.array([places[key[0]] for key in series.keys], np.int64))
    found = why = None
    try:
        found = nowcast(series.triangle, Model(window=span.window), groups)
    except TooLittle as reason:
        why = str(reason)
    rows = []
    numbers = {key: number for number, key in enumerate(series.keys)}
    for key in in_order(series.keys, by, resolved.diseases):
        if request.scope.disease is not None and key[0] != request.scope.disease:
            continue
        number = numbers[key]
        counted = series.triangle.counted[number]
        if not counted.any():
            continue
        shown = {
            name: value
            for name, value in shown_key(key, by, names, resolved.diseases).items()
            if name.removesuffix("_name") in request.by
        }
        for place in range(span.longest_delay):
            back = span.longest_delay - 1 - place
            rows.append(
                {
                    **shown,
                    **_period(request, back),
                    "counted": int(counted[-1 - back]),
                    "nowcast": None if found is None else round(float(found.expected[number, place]), 1),
                    "lower": None if found is None else int(found.lower[number, place]),
                    "upper": None if found is None else int(found.upper[number, place]),
                    "share_known": None
                    if found is None
                    else round(float(found.share_known[number, place]), 3),
                    "why": why,
                }
            )
    return rows


def _period(request: NowcastRequest, back: int) -> dict[str, Any]:
    start = request.last_period - back * _step(request.grain)
    if request.grain == "day":
        return {"day": start}
    return shown_key((start,), ("week",), {}, {})


def _step(grain: Grain) -> timedelta:
    return timedelta(days=7 if grain == "week" else 1)


def _read_series(
    connection: Connection[TupleRow],
    request: NowcastRequest,
    resolved: Resolved,
    by: Sequence[SeriesGrouping],
    span: Span,
) -> _Series:
    step = _step(request.grain)
    n_periods = span.window + 1
    first = request.last_period - span.window * step
    last = request.last_period + step - timedelta(days=1)
    parameters = {
        **resolved.parameters,
        "first": first,
        "last": last,
        "by_disease": "disease" in by,
        "by_district": "district" in by,
        "weekly": request.grain == "week",
    }
    live = 0
    if request.clock == "report":
        rows = connection.execute(query("reporting_triangle_by_report"), parameters).fetchall()
    else:
        parameters |= {
            "known_from": _midnight(first),
            "known_before": _midnight(last + timedelta(days=1)),
            "backfilled_after": BACKFILLED_AFTER,
        }
        rows = connection.execute(query("reporting_triangle"), parameters).fetchall()
        since = live_from(connection)
        # The period in which the first event came was not seen from its start.
        live = 0 if since is None or since < first else (since - first) // step + 1
    keys: list[Key] = []
    numbers: dict[Key, int] = {}
    cells = []
    for disease, district_id, onset, known, *amounts in rows:
        key = tuple({"disease": disease, "district": district_id}[grouping] for grouping in by)
        number = numbers.setdefault(key, len(keys))
        if number == len(keys):
            keys.append(key)
        cells.append((number, (onset - first) // step, (known - onset) // step, *amounts))
    shape = (max(1, len(keys)), n_periods)
    arrivals: Counts = np.zeros((*shape, span.longest_delay + 1), np.int64)
    moved, counted = np.zeros_like(arrivals), np.zeros(shape, np.int64)
    for number, period, delay, n_moved, n_arrivals, n_counted in cells:
        counted[number, period] += n_counted
        if 0 <= delay <= span.longest_delay:
            arrivals[number, period, delay] += n_arrivals
            moved[number, period, delay] += n_moved
    return _Series(keys, Triangle(arrivals, moved, counted, live))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL_ZONE).astimezone(UTC)

"""Reporters and the weeks in which they sent anything, judged."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.areas import code_of
from streams.domain.silence import GONE_WEEKS, HISTORY_WEEKS, judge_silence
from streams.stores.counts import names_of_areas
from streams.stores.scope import Scope, resolve

_REGULAR: Final = (
    "reporter",
    "district",
    "district_name",
    "state",
    "last_active",
    "silent_weeks",
    "longest_gap",
)
_ORDER = {"silent": 0, "reporting": 1, "rare": 2, "gone": 3}


def read_silence(connection: Connection[TupleRow], scope: Scope, on: date) -> list[dict[str, Any]]:
    """Every reporter of a scope that sent anything within the last year and a half, the silent ones first.

    Args:
        connection: Used for one transaction.
        scope: Which events are looked at; its days are not used.
        on: The day on which the reporters are judged.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    first = on - timedelta(weeks=HISTORY_WEEKS + GONE_WEEKS + 1)
    with connection.transaction():
        resolved = resolve(connection, replace(scope, first=first - timedelta(days=first.weekday()), last=on))
        rows = connection.execute(query("reporter_weeks"), resolved.parameters).fetchall()
        names = names_of_areas(connection, (district_id for _, district_id, *_ in rows))
    weeks: dict[str, set[date]] = {}
    districts: dict[str, Counter[str]] = {}
    for reporter, district_id, week_start, events in rows:
        weeks.setdefault(reporter, set()).add(week_start)
        counted = districts.setdefault(reporter, Counter())
        if district_id is not None:
            counted[district_id] += events
    shown = []
    for reporter, active in weeks.items():
        found = judge_silence(active, on)
        if found is None:
            continue
        district_id = _most(districts[reporter].items())
        shown.append(
            {
                "reporter": reporter,
                "district": None if district_id is None else code_of(district_id),
                "district_name": None if district_id is None else names[district_id],
                **asdict(found),
                "chance": round(found.chance, 6),
            }
        )
    return sorted(shown, key=lambda row: (_ORDER[row["state"]], -row["silent_weeks"], row["reporter"]))


def read_regular(
    connection: Connection[TupleRow], scope: Scope, on: date, since: date
) -> list[dict[str, Any]]:
    """Those that report by the week (`reporting` or `silent`), as the boards have them.

    They are judged at the end of the last whole week before a day: as the monitor did then, else, where it
    did not (it did not run yet, or not that far back), as read_silence does now.

    Args:
        connection: Used for one transaction.
        scope: Where the reporters are; its days and its disease are not used.
        on: The day on which they are judged.
        since: `heard` is whether a reporter sent anything from the week of this day on.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    monday = on - timedelta(days=on.weekday())
    first_week = since - timedelta(days=since.weekday())
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        resolved = resolve(connection, replace(scope, disease=None, first=None, last=None))
        parameters = {**resolved.parameters, "judged_on": monday}
        judged = cursor.execute(query("judged_reporters"), parameters).fetchall()
        if judged:
            here = [row for row in judged if row["is_here"]]
            names = names_of_areas(connection, (row["district_id"] for row in here))
            rows = [
                {
                    "reporter": row["reporter"],
                    "district": None if row["district_id"] is None else code_of(row["district_id"]),
                    "district_name": None if row["district_id"] is None else names[row["district_id"]],
                    "state": row["state"],
                    "last_active": row["last_active"],
                    "silent_weeks": row["silent_weeks"],
                    "longest_gap": row["longest_gap"],
                }
                for row in here
            ]
        else:
            found = read_silence(connection, replace(scope, disease=None), on)
            rows = [
                {name: row[name] for name in _REGULAR}
                for row in found
                if row["state"] in ("reporting", "silent")
            ]
    return [{**row, "heard": row["last_active"] >= first_week} for row in rows]


def _most(districts: Iterable[tuple[str, int]]) -> str | None:
    """Where most of the events belong; of several the first by id."""
    return min(districts, key=lambda pair: (-pair[1], pair[0]), default=(None, 0))[0]

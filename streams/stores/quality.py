"""The figures of reporting quality, ages and sexes that boards show, kept up to date with the journal."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import orjson
from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.case import Case
from streams.domain.completeness import FieldShare
from streams.domain.delay import CaseTimes, Deadline
from streams.domain.quality import ReportedCase, mondays, week_quality
from streams.domain.silence import GONE_WEEKS, HISTORY_WEEKS, judge_silence
from streams.stores.counts import structure_in_force
from streams.stores.health import StreamHealth

_JUDGED_BACK: Final = timedelta(weeks=104)
_ROWS_AT_ONCE: Final = 5_000
_NEEDED: Final = timedelta(weeks=HISTORY_WEEKS + GONE_WEEKS + 1)
_WEEK: Final = timedelta(days=7)


def refresh_weeks(
    connection: Connection[TupleRow],
    topic: str,
    deadlines: Mapping[str, Sequence[Deadline]],
    with_severities: Collection[str],
) -> int:
    """Compute anew the weeks in which events of since the last time have changed anything; how many.

    All weeks where the catalogue is another: the deadlines and the forms are its.

    Args:
        connection: Used for one transaction.
        topic: Full name of the topic of cases.
        deadlines: By disease.
        with_severities: Diseases whose form asks for the severity.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            known = connection.execute(query("quality_positions"), {"topic": topic}).fetchone()
            is_current = known is not None and known[1]
            statement = query("quality_touched") if is_current else query("quality_all_weeks")
            weeks = [week for (week,) in connection.execute(statement, {"topic": topic})]
            if weeks:
                _replace_weeks(connection, weeks, deadlines, with_severities)
            connection.execute(query("save_quality_positions"), {"topic": topic})
            return len(weeks)
    finally:
        connection.isolation_level = None


def _replace_weeks(
    connection: Connection[TupleRow],
    weeks: Sequence[date],
    deadlines: Mapping[str, Sequence[Deadline]],
    with_severities: Collection[str],
) -> None:
    connection.execute(query("forget_quality_weeks"), {"weeks": weeks})
    with connection.cursor("quality_cases", row_factory=dict_row) as cursor:
        cursor.execute(
            query("quality_cases"),
            {"weeks": weeks, "first": weeks[0], "last": weeks[-1] + timedelta(days=6)},
        )
        # Week by week: of ten years only one week's figures are held at a time.
        for week, rows in groupby(cursor, key=itemgetter("week_start")):
            _insert_week(connection, week, rows, deadlines, with_severities)


def _insert_week(
    connection: Connection[TupleRow],
    week: date,
    cases: Iterable[Mapping[str, Any]],
    deadlines: Mapping[str, Sequence[Deadline]],
    with_severities: Collection[str],
) -> None:
    rows: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    fields: dict[str, dict[str, FieldShare]] = {}
    for (disease, district_id), group in groupby(cases, key=itemgetter("disease", "district_id")):
        found = week_quality(
            [_reported(row, deadlines.get(disease, ()), disease in with_severities) for row in group]
        )
        key = {"week_start": week, "disease": disease, "district_id": district_id}
        rows.append({**key, **found.figures})
        people += [
            {**key, "age_band": band, "sex": sex, "cases": number}
            for (band, sex), number in found.people.items()
        ]
        total = fields.setdefault(district_id, {})
        for field, share in found.fields.items():
            before = total.get(field, FieldShare(0, 0))
            total[field] = FieldShare(before.asked + share.asked, before.filled + share.filled)
    forms = [
        {"week_start": week, "district_id": district_id, "field": field, **share._asdict()}
        for district_id, total in fields.items()
        for field, share in total.items()
        if share.asked
    ]
    _insert(connection, query("insert_quality_weeks"), rows)
    _insert(connection, query("insert_form_weeks"), forms)
    _insert(connection, query("insert_age_sex_weeks"), people)


def _reported(row: Mapping[str, Any], deadlines: Sequence[Deadline], has_severities: bool) -> ReportedCase:
    times = CaseTimes(row["onset"], row["reported"], row["recorded_at"], row["known_at"], row["diagnosed"])
    registers = {name: (stamp, value) for name, (stamp, value) in row["registers"].items()}
    return ReportedCase(times, deadlines, Case(registers), has_severities)


def refresh_reporters(connection: Connection[TupleRow], today: date) -> int:
    """Judge the reporters at the end of each whole week that nobody has judged, and anew at that of the last.

    The first time that of the last two years. A week before the last stays as it was judged then, whatever
    comes late.

    Args:
        connection: Used for one transaction.
        today: The local day.

    Returns:
        How many Mondays were judged.
    """
    this_monday = today - timedelta(days=today.weekday())
    with connection.transaction():
        judged = connection.execute(query("last_reporters_judged")).fetchone()
        last = None if judged is None else judged[0]
        first = this_monday - _JUDGED_BACK if last is None else min(last, this_monday)
        active, districts = _active_weeks(connection, first - _NEEDED, today)
        rows = [row for monday in mondays(first, this_monday) for row in _judged(active, districts, monday)]
        _insert(connection, query("insert_reporter_weeks"), rows)
    return (this_monday - first) // _WEEK + 1


def _active_weeks(
    connection: Connection[TupleRow], first: date, last: date
) -> tuple[dict[str, set[date]], dict[str, Counter[str]]]:
    """The active weeks of each reporter, and how many of its events belong to each district."""
    scope = {"province_id": None, "district_id": None, "disease": None, "first": first, "last": last}
    structure = structure_in_force(connection, last)
    weeks: dict[str, set[date]] = {}
    districts: dict[str, Counter[str]] = {}
    found = connection.execute(query("reporter_weeks"), {**scope, "structure_on": structure})
    for reporter, district_id, week_start, events in found:
        weeks.setdefault(reporter, set()).add(week_start)
        counted = districts.setdefault(reporter, Counter())
        if district_id is not None:
            counted[district_id] += events
    return weeks, districts


def _judged(
    active: Mapping[str, set[date]], districts: Mapping[str, Counter[str]], monday: date
) -> Iterator[dict[str, Any]]:
    for reporter, weeks in active.items():
        found = judge_silence([week for week in weeks if week >= monday - _NEEDED], monday)
        if found is None or found.state not in ("reporting", "silent"):
            continue
        most = min(districts[reporter].items(), key=lambda pair: (-pair[1], pair[0]), default=(None, 0))
        yield {
            "judged_on": monday,
            "reporter": reporter,
            "district_id": most[0],
            "state": found.state,
            "last_active": found.last_active,
            "silent_weeks": found.silent_weeks,
            "longest_gap": found.longest_gap,
        }


def save_look(connection: Connection[TupleRow], health: StreamHealth, lag: int | None) -> None:
    """Keep what was seen of the stream; `lag` is None while Kafka does not say how long its log is."""
    connection.execute(
        query("save_stream_look"),
        {
            "lag_records": lag,
            "newest_age_seconds": health.newest_age,
            "dead_share": health.dead_share,
            "dead_open": health.dead_open,
            "parked": health.parked,
            "findings": sum(health.drift.values()),
            "audit_age_seconds": health.round_age,
        },
    )


def _insert(connection: Connection[TupleRow], statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = orjson.dumps(rows[start : start + _ROWS_AT_ONCE]).decode()
        connection.execute(statement, {"rows": part})

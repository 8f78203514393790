"""A focus day by day, and the facts of the reports that its station owes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.areas import code_of
from streams.domain.case_groups import GroupedBy
from streams.domain.errors import ConfigurationError
from streams.domain.focus import Focus, by_day
from streams.domain.report.facts import Figure, Query
from streams.domain.report.focus import NUMBERS, FocusReportFacts, LinkedCases, Onset
from streams.stores.area_cases import GroupsRequest, read_case_groups
from streams.stores.catalogue import read_catalogue
from streams.stores.counts import names_of_areas
from streams.stores.foci import refolded
from streams.stores.report_changes import read_labels

LINKED_BEFORE = timedelta(days=90)
"""So long before a focus was first reported its linked cases may have fallen ill."""


@dataclass(frozen=True, slots=True)
class FocusHistory:
    """A focus at the end of each local day on which something was recorded of it, the oldest first."""

    subject: str
    days: tuple[tuple[date, Focus], ...]

    def until(self, on: date) -> "FocusHistory":
        """What was recorded up to the end of a day."""
        return replace(self, days=tuple(found for found in self.days if found[0] <= on))

    def rows(self) -> list[dict[str, Any]]:
        """As `canhdich foci --subject` prints them."""
        return [
            {
                "day": day,
                **{
                    name: getattr(focus, name)
                    for name in ("exposed", "ill", "hospitalised", "dead", "samples", "positives")
                },
                "ended_on": focus.ended_on,
            }
            for day, focus in self.days
        ]


def read_focus_history(
    connection: Connection[TupleRow], subject: str, as_of: datetime | None = None
) -> FocusHistory:
    """The days of a focus, from its journal.

    Args:
        connection: Used for one transaction.
        subject: The focus's own code.
        as_of: What was known at this instant; None: all that is known.

    Raises:
        ConfigurationError: nothing is known of it.
    """
    with connection.transaction():
        rows = connection.execute(query("focus_events"), {"subject": subject, "as_of": as_of}).fetchall()
        catalogue = cache(lambda: read_catalogue(connection))
        events = [
            refolded("focus", subject, event_id, event_time, data, area_id, catalogue)
            for event_id, event_time, data, area_id in rows
        ]
    if not events:
        raise ConfigurationError(f"No focus {subject} is known: `canhdich foci` lists them.")
    days = [(date.fromisoformat(day), focus) for day, focus in by_day(events)]
    return FocusHistory(subject, tuple(days))


@dataclass(frozen=True, slots=True)
class FocusReport:
    """What a focus's report is written and tabled from. `linked`: rows by day and hamlet."""

    facts: FocusReportFacts
    commune_id: str
    province_id: str
    history: FocusHistory
    history_query: Query
    linked: list[dict[str, Any]]
    linked_query: Query


def read_focus_report(
    connection: Connection[TupleRow], subject: str, on: date, as_of: datetime | None = None
) -> FocusReport:
    """A focus at the end of a day.

    Args:
        connection: Used for one transaction.
        subject: The focus's own code.
        on: The day that is reported.
        as_of: What was known at this instant; None: all that is known.

    Raises:
        ConfigurationError: nothing was recorded of it by that day, it is a food poisoning, or of no commune.
    """
    with connection.transaction():
        return _read(connection, subject, on, as_of)


def _read(connection: Connection[TupleRow], subject: str, on: date, as_of: datetime | None) -> FocusReport:
    history = read_focus_history(connection, subject, as_of).until(on)
    if not history.days:
        raise ConfigurationError(f"{subject}: nothing was recorded of it by {on.isoformat()}.")
    first_day, _ = history.days[0]
    last_day, focus = history.days[-1]
    if focus.kind != "outbreak":
        raise ConfigurationError(f"{subject} is a food poisoning: the form is that of an outbreak focus.")
    placed = connection.execute(
        query("watched_areas"), {"area_ids": [focus.area_id], "on_day": on}
    ).fetchone()
    if placed is None or placed[1] is None:
        raise ConfigurationError(f"{subject} is of {code_of(focus.area_id)}, which is no commune on {on}.")
    _, commune_id, _, province_id = placed
    names = names_of_areas(connection, (commune_id, province_id))
    asked: dict[str, Any] = {"subject": subject}
    if as_of is not None:
        asked["as_of"] = as_of.isoformat()
    linked = _Linked(connection, subject, focus, code_of(commune_id), first_day, on, as_of)
    rows = linked.rows("day", "hamlet")
    total = next(iter(linked.rows()), None)
    facts = FocusReportFacts(
        subject,
        read_labels(connection)[focus.disease][0],
        focus.place,
        names[commune_id],
        names[province_id],
        on,
        _onset(focus.first_onset_on, rows[:1]),
        _onset(focus.last_onset_on, rows[-1:]),
        first_day,
        last_day,
        history.days[-2][0] if len(history.days) > 1 else None,
        None if focus.ended_on is None else date.fromisoformat(focus.ended_on),
        _silent_days(history, on),
        {name: _total(history, asked, name) for name in NUMBERS},
        {name: _change(history, asked, name) for name in NUMBERS} if last_day == on else {},
        None if total is None else linked.figures(total),
        None if total is None else _difference(history, asked, linked, total),
    )
    return FocusReport(
        facts,
        commune_id,
        province_id,
        history,
        Query("foci", asked, {}, "*"),
        rows,
        linked.query("*", "day", "hamlet"),
    )


def _onset(said: str | None, rows: list[dict[str, Any]]) -> Onset | None:
    if said is not None:
        return Onset(date.fromisoformat(said))
    return Onset(date.fromisoformat(rows[0]["day"]), is_of_cases=True) if rows else None


def _silent_days(history: FocusHistory, on: date) -> int:
    """Days from the first report to `on`, or to the day of the end, without any."""
    ended_on = history.days[-1][1].ended_on
    last = on if ended_on is None else min(on, date.fromisoformat(ended_on))
    reported = {day for day, _ in history.days if day <= last}
    return max(0, (last - history.days[0][0]).days + 1 - len(reported))


def _of_day(asked: Mapping[str, Any], day: date, column: str) -> Query:
    return Query("foci", asked, {"day": day.isoformat()}, column)


def _total(history: FocusHistory, asked: Mapping[str, Any], name: str) -> Figure | None:
    day, focus = history.days[-1]
    value: int | None = getattr(focus, name)
    return None if value is None else Figure(value, _of_day(asked, day, name))


def _change(history: FocusHistory, asked: Mapping[str, Any], name: str) -> Figure | None:
    """Since what stood before the last day; None where there was nothing before."""
    if len(history.days) < 2:
        return None
    (before_day, before), (day, now) = history.days[-2:]
    was, value = getattr(before, name), getattr(now, name)
    if was is None or value is None:
        return None
    return Figure(value - was, _of_day(asked, day, name), minus=_of_day(asked, before_day, name))


@dataclass(frozen=True, slots=True)
class _Linked:
    """The cases that name the focus as their cluster."""

    connection: Connection[TupleRow]
    subject: str
    focus: Focus
    commune: str
    first_reported: date
    on: date
    as_of: datetime | None

    @property
    def first(self) -> date:
        known = [self.first_reported.isoformat(), self.focus.started_on, self.focus.first_onset_on]
        return date.fromisoformat(min(day for day in known if day is not None)) - LINKED_BEFORE

    def rows(self, *by: GroupedBy) -> list[dict[str, Any]]:
        asked = GroupsRequest(
            self.focus.disease, self.commune, self.on, self.first, self.on, self.subject, self.as_of
        )
        return read_case_groups(self.connection, asked, by)

    def query(self, column: str, *by: GroupedBy) -> Query:
        options: dict[str, Any] = {
            "area": self.commune,
            "disease": self.focus.disease,
            "cluster": self.subject,
            "from": self.first.isoformat(),
            "to": self.on.isoformat(),
        }
        if by:
            options["by"] = list(by)
        if self.as_of is not None:
            options["as_of"] = self.as_of.isoformat()
        return Query("cases groups", options, {}, column)

    def figures(self, total: Mapping[str, Any]) -> LinkedCases:
        return LinkedCases(
            *(Figure(total[name], self.query(name)) for name in ("cases", "deaths", "tested", "positive"))
        )


def _difference(
    history: FocusHistory, asked: Mapping[str, Any], linked: _Linked, total: Mapping[str, Any]
) -> Figure | None:
    day, focus = history.days[-1]
    if focus.ill is None or focus.ill == total["cases"]:
        return None
    return Figure(focus.ill - total["cases"], _of_day(asked, day, "ill"), minus=linked.query("cases"))

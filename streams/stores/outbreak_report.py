"""The facts of the reports of an outbreak that a commune's station has determined."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.alerts import Alert
from streams.domain.areas import code_of
from streams.domain.calendar import LOCAL_ZONE, Period
from streams.domain.case_groups import GroupedBy
from streams.domain.errors import ConfigurationError
from streams.domain.periods import same_period
from streams.domain.report.facts import Compared, Comparison, Figure, NotCompared, Query
from streams.domain.report.outbreak import FocusPlace, OutbreakFacts
from streams.stores.alerts import read_alert
from streams.stores.answers import Extras, read_answer
from streams.stores.area_cases import GroupsRequest, read_case_groups
from streams.stores.counts import CountsRequest, names_of_areas
from streams.stores.foci import read_foci
from streams.stores.report_changes import read_labels
from streams.stores.rules import read_rules


@dataclass(frozen=True, slots=True)
class OutbreakReport:
    """What an outbreak's report is written and tabled from. `cases`: rows by day and hamlet."""

    facts: OutbreakFacts
    commune_id: str
    province_id: str
    cases: list[dict[str, Any]]
    cases_query: Query


def read_outbreak_report(connection: Connection[TupleRow], alert_id: UUID, on: date) -> OutbreakReport:
    """An outbreak from the first day that its alert judged to a day.

    Args:
        connection: Used for one transaction.
        alert_id: The alert.
        on: The day that is reported.

    Raises:
        ConfigurationError: there is no such alert, it is of no commune, or judged nothing by then.
    """
    with connection.transaction():
        alert, _ = read_alert(connection, alert_id)
        placed = connection.execute(
            query("watched_areas"), {"area_ids": [alert.area_id], "on_day": on}
        ).fetchone()
        if placed is None or placed[1] is None:
            raise ConfigurationError(
                f"Alert {alert_id} is of {alert.area_id}, not of a commune: only its station reports it."
            )
        _, commune_id, _, province_id = placed
        return _Reader(connection, alert, commune_id, province_id, on).read()


class _Reader:
    def __init__(
        self, connection: Connection[TupleRow], alert: Alert, commune_id: str, province_id: str, on: date
    ) -> None:
        starts = [fact.start for fact in alert.periods if fact.start is not None]
        if not starts or min(starts) > on:
            raise ConfigurationError(f"Alert {alert.alert_id} has judged no day by {on.isoformat()}.")
        self._connection = connection
        self._alert = alert
        self._commune_id = commune_id
        self._province_id = province_id
        self._period = Period(min(starts), on)

    def read(self) -> OutbreakReport:
        alert, connection = self._alert, self._connection
        by_day = self._groups("day", "hamlet")
        (total,) = self._groups() or [dict.fromkeys(_COUNTERS, 0)]
        names = names_of_areas(connection, (self._commune_id, self._province_id))
        rules = {rule.id: rule.citation for rule in read_rules(connection).rules}
        facts = OutbreakFacts(
            read_labels(connection)[alert.disease][0],
            names[self._commune_id],
            names[self._province_id],
            alert.determined_at,
            alert.ended_at,
            self._period,
            *self._totals(total),
            self._comparison(total["cases"]),
            date.fromisoformat(by_day[0]["day"]) if by_day else None,
            date.fromisoformat(by_day[-1]["day"]) if by_day else None,
            self._figures("hamlet"),
            self._figures("sex"),
            self._figures("age"),
            tuple(self._foci()),
            alert.level.value,
            rules.get(alert.rule_id, alert.rule_id),
            Figure(alert.cases, Query("alerts", {}, {"alert_id": str(alert.alert_id)}, "cases")),
        )
        return OutbreakReport(
            facts, self._commune_id, self._province_id, by_day, self._query("*", ("day", "hamlet"))
        )

    def _groups(self, *by: GroupedBy) -> list[dict[str, Any]]:
        period = self._period
        asked = GroupsRequest(
            self._alert.disease, code_of(self._commune_id), period.last, period.first, period.last
        )
        return read_case_groups(self._connection, asked, by)

    def _totals(self, total: dict[str, Any]) -> tuple[Figure, Figure, Figure, Figure, Figure]:
        cases, deaths, positive, negative, pending = (
            Figure(total[name], self._query(name)) for name in _COUNTERS
        )
        return cases, deaths, positive, negative, pending

    def _query(self, column: str, by: Sequence[GroupedBy] = (), where: dict[str, Any] | None = None) -> Query:
        options: dict[str, Any] = {
            "area": code_of(self._commune_id),
            "disease": self._alert.disease,
            "from": self._period.first.isoformat(),
            "to": self._period.last.isoformat(),
        }
        if by:
            options["by"] = list(by)
        return Query("cases groups", options, where or {}, column)

    def _figures(self, by: GroupedBy) -> tuple[tuple[Any, Figure], ...]:
        return tuple(
            (row[by], Figure(row["cases"], self._query("cases", (by,), {by: row[by]})))
            for row in self._groups(by)
        )

    def _comparison(self, cases: int) -> Comparison:
        """Beside the same days of the year before, as `canhdich counts` tells them."""
        period, alert = self._period, self._alert
        before = same_period(period, 1, False)
        asked = CountsRequest(
            ("commune",),
            period.last,
            province=code_of(self._province_id),
            disease=alert.disease,
            first=period.first,
            last=period.last,
        )
        commune = code_of(self._commune_id)
        rows = read_answer(self._connection, asked, Extras(compare="previous-year", today=period.last))
        row = next((row for row in rows if row["commune"] == commune), None)
        if row is None or row["previous_notified"] is None or row["notified"] != cases:
            return NotCompared(before)
        options = {
            "province": code_of(self._province_id),
            "disease": alert.disease,
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "by": ["commune"],
            "compare": "previous-year",
        }
        year = before.first.year if before.first.year == before.last.year else None
        previous, change = (
            Figure(row[column], Query("counts", options, {"commune": commune}, column))
            for column in ("previous_notified", "change")
        )
        return Compared(year, previous, change)

    def _foci(self) -> Iterator[FocusPlace]:
        asked = CountsRequest(
            (), self._period.last, province=code_of(self._province_id), disease=self._alert.disease
        )
        for shown in read_foci(self._connection, asked, "outbreak"):
            ended_on = None if shown.focus.ended_on is None else date.fromisoformat(shown.focus.ended_on)
            if (
                shown.area.commune_id == self._commune_id
                and shown.focus.place is not None
                and shown.focus.day <= self._period.last.isoformat()
                and (ended_on is None or ended_on >= self._period.first)
            ):
                yield FocusPlace(shown.focus.place, ended_on)


_COUNTERS = ("cases", "deaths", "positive", "negative", "pending")


def day_to_report(alert: Alert, now: datetime, is_end: bool) -> date:
    """Today, or the day on which the station determined the end."""
    at = alert.ended_at if is_end and alert.ended_at is not None else now
    return at.astimezone(LOCAL_ZONE).date()

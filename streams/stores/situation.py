"""The facts of a situation report, read by the questions that the commands ask.

Every figure says which question it answers; docs/report.md says which days, places and comparisons are meant.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.alerts import Alert, AlertEvent, Kind, fold_all
from streams.domain.as_of import Folded, LogEnds, Vector, is_final
from streams.domain.calendar import LOCAL_ZONE, Period, week_of
from streams.domain.comparison import Row
from streams.domain.delay import Deadline
from streams.domain.periods import is_in_weeks, same_period
from streams.domain.report.facts import (
    AgentCount,
    AlertFacts,
    Command,
    Compared,
    Comparison,
    DiseaseFacts,
    Estimate,
    Figure,
    FocusFacts,
    FoodPoisoning,
    Forms,
    Laboratory,
    NotCompared,
    OutbreakFocus,
    Place,
    Quality,
    Query,
    Reporters,
    Share,
    SituationFacts,
    TallyFacts,
)
from streams.domain.rules.verdicts import Level
from streams.domain.tally import COUNTED, STOCKS
from streams.stores.comparison import read_all_counts, read_compared_ways
from streams.stores.completeness import read_completeness
from streams.stores.counts import (
    CountsRequest,
    Dimension,
    area_id_of,
    areas_of_codes,
    names_of_areas,
    one_view,
    read_positions,
    structure_in_force,
)
from streams.stores.delay import read_delays
from streams.stores.foci import FociTotal, ShownFocus, read_foci, read_foci_totals
from streams.stores.places import read_scope
from streams.stores.scope import Scope
from streams.stores.silence import read_regular
from streams.stores.tallies import read_tallies

LAST_DAY_OF_DISTRICTS: Final = date(2025, 6, 30)
INCOMPLETE_WEEKS: Final = 8
"""So long after its end a week may still get reports, as the nowcast reckons."""

_EXPOSURES: Final = {"rabies": "pep_started"}
_FOOD: Final = "food_poisoning"


@dataclass(frozen=True, slots=True)
class SituationRequest:
    """What is asked for.

    Attributes:
        province: Its code in the structure of areas of `geography_on`.
        first, last: The period, both days included.
        basis: The day on which a case, and its death, stands.
        as_of: What was known at this instant; None: all that is counted.
        now: Our clock: of a period that is not over only the days that have come are compared.
        deadlines: Disease -> its deadlines.
        agents: Agent -> its Vietnamese and English name.
        with_severities: Diseases whose form asks for the severity.
    """

    province: str
    first: date
    last: date
    geography_on: date
    now: datetime
    basis: Literal["onset", "report"] = "onset"
    as_of: datetime | None = None
    deadlines: Mapping[str, Sequence[Deadline]] = field(default_factory=dict)
    agents: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    with_severities: Collection[str] = ()

    @property
    def today(self) -> date:
        """The local day on which it is read, or was known."""
        return (self.as_of or self.now).astimezone(LOCAL_ZONE).date()

    @property
    def period(self) -> Period:
        """The days that have come."""
        return Period(self.first, min(self.last, self.today))

    def counts(self, *by: Dimension) -> CountsRequest:
        """As a question about counts."""
        return CountsRequest(
            by, self.geography_on, self.basis, self.province, None, None, self.first, self.last, self.as_of
        )


@dataclass(frozen=True, slots=True)
class Table:
    """An annex: rows of counts, and the questions whose answers they are."""

    rows: Sequence[Row]
    queries: Sequence[Query]


@dataclass(frozen=True, slots=True)
class Tables:
    """What a report's annexes print and its charts draw.

    Attributes:
        labels: Disease -> how the report calls it, in Vietnamese and English.
        by_disease, by_district: Rows with previous_notified, previous_deaths, change and median_5y.
        over_time: Rows by disease and week or month (`time`), for the chart.
    """

    labels: Mapping[str, tuple[str, str]]
    by_disease: Table
    by_district: Table
    over_time: Table
    time: Literal["week", "month"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a report is written, tabled and drawn from."""

    facts: SituationFacts
    tables: Tables


WhenTabled = Callable[[Tables], None]
"""Called with the tables before the rest is read: drawing them takes as long as that."""


def read_situation(
    connection: Connection[TupleRow],
    request: SituationRequest,
    is_provisional: bool = False,
    vector: Vector | None = None,
    when_tabled: WhenTabled | None = None,
) -> Situation:
    """All that a situation report says.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        is_provisional: Whether events of before `as_of` may still come.
        vector: Count only what it holds; None: all that is counted. Foci, alerts and the quality of the data
            are as of the instant asked for in any case.
        when_tabled: See there.

    Raises:
        ConfigurationError: a code means nothing in that structure.
    """
    with connection.transaction():
        reader = _Reader(connection, request, vector)
        tables = reader.tables()
        if when_tabled is not None:
            when_tabled(tables)
        return Situation(reader.facts(tables, is_provisional), tables)


def read_situation_as_of(
    connection: Connection[TupleRow],
    request: SituationRequest,
    as_of: datetime,
    topic: str,
    partitions: int,
    ask_log: Callable[[], LogEnds | None],
    when_tabled: WhenTabled | None = None,
) -> tuple[Situation, bool]:
    """The situation in one view of all counts, and whether events of before its instant may still come.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        as_of: Its instant.
        topic: Full name of the topic of case events.
        partitions: How many it has.
        ask_log: Asks Kafka for the ends of the topic's log; None when it does not answer.
        when_tabled: See there.

    Raises:
        ConfigurationError: as read_situation.
    """
    ends = None
    if not is_final(as_of, partitions, _folded(connection, topic), None):
        # Before the counts are read: what is appended after this question does not matter.
        ends = ask_log()
    with one_view(connection):
        is_provisional = not is_final(as_of, partitions, _folded(connection, topic), ends)
        read = read_situation(connection, request, is_provisional, when_tabled=when_tabled)
        return read, is_provisional


def _folded(connection: Connection[TupleRow], topic: str) -> dict[int, Folded]:
    positions = read_positions(connection, topic)
    return {p: Folded(at.topic_id, at.next_offset, at.last_known_at) for p, at in positions.items()}


class _Reader:
    def __init__(
        self, connection: Connection[TupleRow], request: SituationRequest, vector: Vector | None
    ) -> None:
        self._connection = connection
        self._request = request
        self._vector = vector
        rows = connection.execute(query("report_diseases")).fetchall()
        self._labels = {code: (label, name_en) for code, label, name_en, _ in rows}
        self._syndromes = {code for code, _, _, is_syndrome in rows if is_syndrome}
        self._previous = same_period(request.period, 1, is_in_weeks(request.period))

    def tables(self) -> Tables:
        time: Literal["week", "month"] = "month" if self._request.period.days > 92 else "week"
        return Tables(
            self._labels,
            self._table("disease"),
            self._table("disease", "district"),
            Table(self._counts("disease", time), [self._query("counts", "*", by=["disease", time])]),
            time,
        )

    def facts(self, tables: Tables, is_provisional: bool) -> SituationFacts:
        (total,) = self._counts() or [{"notified": 0, "deaths": 0, "approximate": 0, "from_tallies": 0}]
        return SituationFacts(
            self._province_name(),
            self._request.period,
            Figure(total["notified"], self._query("counts", "notified")),
            Figure(total["deaths"], self._query("counts", "deaths")),
            tuple(self._diseases(tables.by_disease.rows, tables.by_district.rows)),
            *self._foci_and_alerts(),
            quality=self._quality(total, is_provisional),
            merged_from=self._merged_from(),
        )

    # Questions -------------------------------------------------------------------------------------------

    def _counts(self, *by: Dimension) -> list[Row]:
        return read_all_counts(self._connection, self._request.counts(*by), self._vector)

    def _table(self, *by: Dimension) -> Table:
        """Rows beside last year's, with the median of five years."""
        ways = read_compared_ways(
            self._connection,
            self._request.counts(*by),
            ("previous-year", "median-5y"),
            self._request.today,
            self._vector,
        )
        medians = {tuple(row[dimension] for dimension in by): row["median_5y"] for row in ways["median-5y"]}
        rows = [
            {**row, "median_5y": medians.get(tuple(row[dimension] for dimension in by))}
            for row in ways["previous-year"]
        ]
        return Table(
            rows,
            [
                self._query("counts", "*", by=[*by], compare="previous-year"),
                self._query("counts", "median_5y", by=[*by], compare="median-5y"),
            ],
        )

    def _query(
        self, command: Command, column: str, where: Mapping[str, Any] | None = None, **options: Any
    ) -> Query:
        request = self._request
        period = options.pop("period", None) or Period(request.first, request.last)
        asked: dict[str, Any] = {
            "province": request.province,
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "geography": request.geography_on.isoformat(),
        }
        if command in ("counts", "delays", "completeness"):
            asked["basis"] = request.basis
        if request.as_of is not None:
            asked["as_of"] = request.as_of.isoformat()
        return Query(command, {**asked, **options}, where or {}, column)

    def _province_name(self) -> str:
        request = self._request
        areas = areas_of_codes(self._connection, (request.province,))
        area_id = area_id_of(areas, "province", request.province, request.geography_on)
        assert area_id is not None  # noqa: S101 - a province is asked for
        return areas[area_id].name_vi

    def _merged_from(self) -> tuple[str, ...]:
        """The provinces whose counts of the earlier period are shown as this one's."""
        scope = read_scope(self._connection, self._request.geography_on, self._request.province, None)
        ids = [
            part.province_id
            for part in scope.parts
            if part.valid_to is not None and part.valid_to >= self._previous.first
        ]
        names = names_of_areas(self._connection, ids)
        return tuple(names[area_id] for area_id in ids) if len(ids) > 1 else ()

    # Diseases --------------------------------------------------------------------------------------------

    def _diseases(self, rows: Sequence[Row], by_district: Sequence[Row]) -> Iterable[DiseaseFacts]:
        by_code = {row["disease"]: row for row in rows}
        agents = {
            code: list(group)
            for code, group in groupby(self._counts("disease", "agent"), lambda row: row["disease"])
        }
        places = self._places(by_district)
        tallies = self._tallies()
        for code, (label_vi, label_en) in self._labels.items():
            row, own_tallies = by_code.get(code), tallies.get(code, [])
            if row is None and not own_tallies:
                continue
            exposures = [t for t in own_tallies if t.indicator == _EXPOSURES.get(code)]
            counted = {name: self._counted(code, row, name) for name in _COUNTERS}
            yield DiseaseFacts(
                code,
                label_vi,
                label_en,
                counted["notified"],
                counted["deaths"],
                self._comparison(code, row, "previous_notified", "change"),
                self._comparison(code, row, "previous_deaths", "change_deaths"),
                Laboratory(
                    counted["positive"],
                    counted["negative"],
                    counted["pending"],
                    tuple(self._agent(code, found) for found in agents.get(code, ()) if found["notified"]),
                ),
                counted["imported"],
                counted["discarded"],
                counted["resolved_from_syndrome"],
                code in self._syndromes,
                tuple(places("notified", code)),
                tuple(places("deaths", code)),
                exposures[0] if exposures else None,
                tuple(tally for tally in own_tallies if tally not in exposures),
            )

    def _counted(self, disease: str, row: Row | None, column: str) -> Figure:
        found = self._query("counts", column, {"disease": disease}, by=["disease"])
        return Figure(0 if row is None else row[column], found)

    def _comparison(self, disease: str, row: Row | None, previous: str, change: str) -> Comparison:
        if row is None or row[previous] is None:
            return NotCompared(self._previous)

        def figure(column: str) -> Figure:
            where = {"disease": disease}
            asked = self._query("counts", column, where, by=["disease"], compare="previous-year")
            return Figure(row[column], asked)

        return Compared(self._year_before(), figure(previous), figure(change))

    def _year_before(self) -> int | None:
        """What "the same period of" is called by; None where it lies in two years."""
        first, last = self._previous.first, self._previous.last
        return first.year if first.year == last.year == self._request.first.year - 1 else None

    def _agent(self, disease: str, row: Row) -> AgentCount:
        code = row["agent"]
        where = {"disease": disease, "agent": code}
        asked = self._query("counts", "notified", where, by=["disease", "agent"])
        name_vi, name_en = self._request.agents.get(code, (code, code))
        return AgentCount(code, name_vi, name_en, Figure(row["notified"], asked))

    def _places(self, by_district: Sequence[Row]) -> "_Places":
        if self._request.last <= LAST_DAY_OF_DISTRICTS:
            return _Places(by_district, "district", self._query)
        return _Places(self._counts("disease", "district", "commune"), "commune", self._query)

    # Tallies ---------------------------------------------------------------------------------------------

    def _tallies(self) -> dict[str, list[TallyFacts]]:
        request = self._request
        now = read_tallies(self._connection, request.counts(), vector=self._vector)
        earlier = replace(request.counts(), first=self._previous.first, last=self._previous.last)
        before = {
            (row["indicator"], row["disease"]): row
            for row in read_tallies(self._connection, earlier, vector=self._vector)
        }
        found: dict[str, list[TallyFacts]] = {}
        stocks: dict[tuple[str, str], int] = {}
        for row in now:
            stocks[row["indicator"], row["disease"]] = stocks.get((row["indicator"], row["disease"]), 0) + 1
        for row in now:
            indicator, disease = row["indicator"], row["disease"]
            # Of a stock that only parts of the province report nothing may be added up.
            if disease == _FOOD or indicator in COUNTED or stocks[indicator, disease] > 1:
                continue
            found.setdefault(disease, []).append(self._tally(row, before.get((indicator, disease))))
        return found

    def _tally(self, row: Row, before: Row | None) -> TallyFacts:
        where = {"indicator": row["indicator"], "disease": row["disease"]}
        asked = self._query("tallies", "value", where)
        comparison: Comparison | None = None
        if row["indicator"] not in STOCKS and not row["indicator"].startswith("isolated"):
            comparison = NotCompared(self._previous)
            if before is not None and before["complete"] and row["complete"]:
                then = self._query("tallies", "value", where, period=self._previous)
                comparison = Compared(
                    self._year_before(),
                    Figure(before["value"], then),
                    Figure(row["value"] - before["value"], asked, minus=then),
                )
        target = row["target"]
        return TallyFacts(
            row["indicator"],
            Figure(row["value"], asked),
            None if target is None else Figure(target, replace(asked, column="target")),
            comparison,
            row["complete"] is not False,
        )

    # Foci and alerts -------------------------------------------------------------------------------------

    def _foci_and_alerts(
        self,
    ) -> tuple[FoodPoisoning | None, tuple[AlertFacts, ...], Figure, tuple[OutbreakFocus, ...]]:
        request = self._request.counts()
        foci = read_foci(self._connection, request)
        totals = read_foci_totals(self._connection, request, foci)
        food = [total for total in totals if total.kind == _FOOD]
        alerts, attention = self._alerts()
        return (
            self._food(food, [shown for shown in foci if shown.focus.kind == _FOOD]) if food else None,
            alerts,
            attention,
            tuple(self._outbreak(shown) for shown in foci if shown.focus.kind == "outbreak"),
        )

    def _food(self, totals: Sequence[FociTotal], foci: Sequence[ShownFocus]) -> FoodPoisoning:
        at_least: set[str] = set()

        def total(name: str) -> Figure | None:
            where = {"kind": _FOOD}
            if all(name in one.reported for one in totals):
                asked = self._query("foci", f"{name}.reported", where)
                return Figure(sum(one.reported[name] for one in totals), asked)
            rows = [one.rows[name] for one in totals]
            if not any(found.known for found in rows):
                return None
            if not all(found.is_complete for found in rows):
                at_least.add(name)
            asked = self._query("foci", f"{name}.known_sum", where)
            return Figure(sum(found.known_sum for found in rows), asked)

        ill, hospitalised, dead = total("ill"), total("hospitalised"), total("dead")
        if "dead" in at_least and dead is not None and dead.value == 0:
            # Some events do not say: nobody knows that there were no deaths.
            dead = None
        incomplete = {name for one in totals for name in one.incomplete if name in one.reported}
        return FoodPoisoning(
            Figure(sum(one.foci for one in totals), self._query("foci", "foci", {"kind": _FOOD})),
            ill,
            hospitalised,
            dead,
            tuple(self._food_event(shown) for shown in foci),
            tuple(name for name in ("ill", "hospitalised", "dead") if name in incomplete),
            tuple(sorted(at_least)),
        )

    def _food_event(self, shown: ShownFocus) -> FocusFacts:
        return FocusFacts(
            shown.area.commune_name or shown.area.name_vi,
            _day(shown.focus.started_on),
            *(self._focus_figure(shown, name) for name in ("exposed", "ill", "hospitalised", "dead")),
        )

    def _focus_figure(self, shown: ShownFocus, name: str) -> Figure | None:
        value: int | None = getattr(shown.focus, name)
        if value is None:
            return None
        return Figure(value, self._query("foci", name, {"subject": shown.subject}))

    def _outbreak(self, shown: ShownFocus) -> OutbreakFocus:
        label_vi, label_en = self._labels[shown.focus.disease]
        return OutbreakFocus(
            label_vi,
            label_en,
            shown.area.commune_name or shown.area.name_vi,
            _day(shown.focus.started_on),
            _day(shown.focus.ended_on),
            self._focus_figure(shown, "ill"),
            self._focus_figure(shown, "dead"),
        )

    def _alerts(self) -> tuple[tuple[AlertFacts, ...], Figure]:
        request = self._request
        areas = areas_of_codes(self._connection, (request.province,))
        rows = self._connection.execute(
            query("report_alerts"),
            {
                "structure_on": structure_in_force(self._connection, request.geography_on),
                "province_id": area_id_of(areas, "province", request.province, request.geography_on),
                "first": request.first,
                "as_of": request.as_of,
            },
        ).fetchall()
        events = [
            AlertEvent(alert_id, number, at, actor, Kind(kind), note, verdict, data)
            for alert_id, number, at, actor, kind, note, verdict, data in rows
        ]
        folded = [fold_all(group) for _, group in groupby(events, attrgetter("alert_id"))]
        found = [alert for alert in folded if _is_of(alert, request.period)]
        attention = [alert for alert in found if alert.level.rank < Level.ALERT.rank]
        shown = [alert for alert in found if alert not in attention]
        shown.sort(key=lambda alert: (-alert.level.rank, alert.raised_at))
        names = names_of_areas(self._connection, (alert.area_id for alert in shown))
        citations: dict[str, str] = {}
        if shown:
            # Rules bring in what reads the catalogue's files, which takes longer than to write a report.
            from streams.stores.rules import read_rules

            citations = {rule.id: rule.citation for rule in read_rules(self._connection).rules}
        counted = Figure(
            len(attention), self._query("alerts", "*", {"alert_id": [str(a.alert_id) for a in attention]})
        )
        return tuple(self._alert(alert, names, citations) for alert in shown), counted

    def _alert(self, alert: Alert, names: Mapping[str, str], citations: Mapping[str, str]) -> AlertFacts:
        label_vi, label_en = self._labels[alert.disease]
        latest = alert.periods[-1]
        period = None
        if latest.start is not None and latest.end is not None:
            period = Period(latest.start, latest.end)
        return AlertFacts(
            str(alert.alert_id),
            label_vi,
            label_en,
            names[alert.area_id],
            alert.level.value,
            alert.state.value,
            alert.is_met,
            citations.get(alert.rule_id, alert.rule_id),
            period,
            Figure(alert.cases, self._query("alerts", "cases", {"alert_id": str(alert.alert_id)})),
            _local_day(alert.determined_at),
            _local_day(alert.ended_at),
        )

    # Quality ---------------------------------------------------------------------------------------------

    def _quality(self, total: Row, is_provisional: bool) -> Quality:
        request = self._request
        quality = Quality(
            approximate=Figure(total["approximate"], self._query("counts", "approximate")),
            from_tallies=Figure(total["from_tallies"], self._query("counts", "from_tallies")),
            is_provisional=is_provisional,
        )
        if self._vector is None and request.as_of is None:
            # They are of the cases as they stand now.
            quality = self._with_forms(self._with_delays(self._with_reporters(quality)))
        return self._with_estimate(quality)

    def _with_reporters(self, quality: Quality) -> Quality:
        """Who should have reported, judged at the end of the period's last whole week."""
        request = self._request
        last = min(request.period.last, request.today - timedelta(days=1))
        on = week_of(last + timedelta(days=1)).first
        if on <= request.first:
            # No week has ended in it.
            return quality
        scope = Scope(request.geography_on, request.province)
        rows = read_regular(self._connection, scope, on, request.first)
        asked = {
            "province": request.province,
            "on": on.isoformat(),
            "since": request.first.isoformat(),
            "geography": request.geography_on.isoformat(),
        }

        def counted(**where: Any) -> Figure:
            matching = [row for row in rows if all(row[name] == value for name, value in where.items())]
            return Figure(len(matching), Query("silent", asked, where, "*"))

        return replace(quality, reporters=Reporters(counted(), counted(heard=True), counted(state="silent")))

    def _with_forms(self, quality: Quality) -> Quality:
        request = self._request
        scope = Scope(request.geography_on, request.province, None, None, request.first, request.last)
        (row,) = read_completeness(self._connection, scope, (), request.basis, request.with_severities) or [
            {"cases": 0, "complete": 0, "asked": 0, "filled": 0}
        ]

        def counted(column: str) -> Figure:
            return Figure(row[column], self._query("completeness", column))

        cases, complete = counted("cases"), counted("complete")
        incomplete = Figure(cases.value - complete.value, cases.query, minus=complete.query)
        filled = Share(counted("filled"), counted("asked")) if row["asked"] else None
        return replace(quality, forms=Forms(cases, incomplete, filled))

    def _with_delays(self, quality: Quality) -> Quality:
        request = self._request
        scope = Scope(request.geography_on, request.province, None, None, request.first, request.last)
        rows = read_delays(self._connection, scope, (), request.basis, request.deadlines, request.today)
        if not rows:
            return quality
        (row,) = rows
        law = row["deadline"]
        return replace(
            quality,
            judged=Figure(
                law["on_time"] + law["late"], self._query("delays", "deadline.on_time+deadline.late")
            ),
            late=Figure(law["late"], self._query("delays", "deadline.late")),
            no_onset=Figure(row["missing_onset"], self._query("delays", "missing_onset")),
        )

    def _with_estimate(self, quality: Quality) -> Quality:
        """The last whole week of the period, where its reports may still be coming."""
        request = self._request
        week = week_of(request.period.last)
        if week.last > request.period.last or week.last >= request.today:
            week = week_of(week.first - timedelta(days=1))
        is_over = request.today - request.period.last > timedelta(weeks=INCOMPLETE_WEEKS)
        if is_over or week.first < request.first or request.basis != "onset":
            return quality
        # As in _alerts: numpy, for periods that are hardly over.
        from streams.stores.triangle import NowcastRequest, read_nowcast

        scope = Scope(request.geography_on, request.province)
        asked = NowcastRequest(scope, (), request.as_of or request.now)
        rows = [row for row in read_nowcast(self._connection, asked) if row["week_start"] == week.first]
        if not rows:
            return quality
        (row,) = rows
        if row["nowcast"] is None:
            return replace(
                quality,
                no_estimate=("chưa đủ dữ liệu về độ trễ báo cáo", "too little is known of the delays"),
            )
        counted = self._query("nowcast", "counted", {"week_start": week.first.isoformat()})
        return replace(
            quality,
            estimate=Estimate(
                week.first,
                week.last,
                Figure(row["counted"], counted),
                round(row["nowcast"]),
                row["lower"],
                row["upper"],
            ),
        )


_COUNTERS: Final = (
    "notified",
    "deaths",
    "positive",
    "negative",
    "pending",
    "imported",
    "discarded",
    "resolved_from_syndrome",
)


class _Places:
    """Where the cases and deaths of each disease were."""

    def __init__(self, rows: Sequence[Row], level: Literal["district", "commune"], ask: Any) -> None:
        self._by_disease: dict[str, list[Row]] = {}
        for row in rows:
            self._by_disease.setdefault(row["disease"], []).append(row)
        self._level = level
        self._ask = ask

    def __call__(self, counter: str, disease: str) -> Iterable[Place]:
        by = ["disease", "district"] + (["commune"] if self._level == "commune" else [])
        for row in self._by_disease.get(disease, ()):
            if row[counter]:
                where = {dimension: row[dimension] for dimension in by}
                asked = self._ask("counts", counter, where, by=by)
                region = row["district_name"] if self._level == "commune" else None
                yield Place(row[f"{self._level}_name"], Figure(row[counter], asked), region)


def _is_of(alert: Alert, period: Period) -> bool:
    """Whether something that it judged lies in a period, else the day on which it was raised."""
    judged = [
        Period(fact.start, fact.end)
        for fact in alert.periods
        if fact.start is not None and fact.end is not None
    ]
    if not judged:
        return alert.raised_at.astimezone(LOCAL_ZONE).date() in period
    return any(one.first <= period.last and period.first <= one.last for one in judged)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _local_day(at: datetime | None) -> date | None:
    return None if at is None else at.astimezone(LOCAL_ZONE).date()

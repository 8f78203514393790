"""A week's figures in some areas, by what `canhdich counts`, `delays`, `completeness` and `silent` ask."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any, Final, Protocol

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import load_catalogue
from services.intake.staff.questions import Questions
from streams.domain.calendar import Period, same_week, week_name, week_of
from streams.domain.delay import Deadline
from streams.stores.comparison import read_all_counts_of_periods
from streams.stores.completeness import read_completeness
from streams.stores.counts import CountsRequest, Dimension, one_view
from streams.stores.delay import read_delays
from streams.stores.scope import Grouping, Scope
from streams.stores.silence import read_silence
from streams.stores.tallies import read_coverage

WEEKS_DRAWN: Final = 12
_AREAS: Final[tuple[Dimension, ...]] = ("province", "district", "commune")
_AREA_GROUPS: Final[tuple[Grouping, ...]] = ("province", "district", "commune")
_TIMEOUT_SECONDS: Final = 20

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WeekDays:
    """A week, and the days that it is compared with.

    Attributes:
        name: ISO, such as 2023-W27.
        whole: All seven days.
        days: Those that have come.
        before: As many days from the Monday of the week before on.
        last_year: As many of the same week of last year (of week 52 where last year had no week 53).
        today: The local day on which it is asked about; areas are those of that day.
    """

    name: str
    whole: Period
    days: Period
    before: Period
    last_year: Period
    today: date

    @property
    def is_over(self) -> bool:
        """Whether all its days have come."""
        return self.days == self.whole


def week_days(day: date, today: date) -> WeekDays:
    """The week in which a day falls.

    Raises:
        ValueError: it has not begun.

    >>> found = week_days(date(2023, 7, 4), date(2023, 7, 5))
    >>> found.name, found.days.days, found.before.first.isoformat(), found.last_year.last.isoformat()
    ('2023-W27', 3, '2023-06-26', '2022-07-06')
    """
    whole = week_of(day)
    if whole.first > today:
        raise ValueError("the week has not begun")
    year, number, _ = whole.first.isocalendar()
    length = (min(whole.last, today) - whole.first).days

    def so_much(first: date) -> Period:
        return Period(first, first + timedelta(days=length))

    return WeekDays(
        week_name(whole.first),
        whole,
        so_much(whole.first),
        so_much(whole.first - timedelta(days=7)),
        so_much(same_week(year - 1, number).first),
        today,
    )


@dataclass(frozen=True, slots=True)
class DiseaseWeek:
    """One disease's week; None is not known, which is not zero.

    Attributes:
        disease: Its code.
        name_vi, name_en: Of the catalogue.
        cases, deaths: Of the week, by day of onset (else of report).
        before, last_year: Cases of the days that are compared.
        weeks: Cases of the last twelve weeks, this one last and up to today.
    """

    disease: str
    name_vi: str
    name_en: str
    cases: int
    deaths: int
    before: int | None
    last_year: int | None
    weeks: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Lateness:
    """How the cases reported in the week were reported, against the law's deadline.

    Attributes:
        cases: All of them.
        on_time, late: Those that can be judged.
        by_disease: Names (vi, en), and how many were late: only diseases with any.
    """

    cases: int
    on_time: int
    late: int
    by_disease: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Gaps:
    """What the forms of the cases reported in the week lack.

    Attributes:
        cases: All of them.
        complete: Those with every field that is asked for.
        fields: Field, and in how many it is missing; most first.
    """

    cases: int
    complete: int
    fields: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class SilentOne:
    """A reporter that used to report and has stopped."""

    reporter: str
    place: str | None
    last_active: date
    weeks: int


@dataclass(frozen=True, slots=True)
class Week:
    """Everything that the page of a week shows."""

    days: WeekDays
    diseases: tuple[DiseaseWeek, ...]
    lateness: Lateness
    gaps: Gaps
    silent: tuple[SilentOne, ...]
    regular: int


class WeekFigures(Protocol):
    """The port."""

    async def read(self, days: WeekDays, areas: Sequence[str] | None, facility: str | None) -> Week:
        """The week in some areas.

        Args:
            days: Which.
            areas: Present codes of communes, former districts or provinces; None: everywhere.
            facility: Of the person: its own silence is told, wherever it reports from.

        Raises:
            CanhDichError: nobody can say now.
        """

    async def close(self) -> None:
        """Ask no more."""


class DatabaseWeek:
    """The WeekFigures port over TimescaleDB."""

    def __init__(self, database_url: str) -> None:
        self._questions = Questions(database_url, "staff-week", _TIMEOUT_SECONDS)

    async def read(self, days: WeekDays, areas: Sequence[str] | None, facility: str | None) -> Week:
        """The week in some areas."""
        return await self._questions.ask(lambda connection: read_week(connection, days, areas, facility))

    async def close(self) -> None:
        """Ask no more."""
        await self._questions.close()


def read_week(
    connection: Connection[TupleRow], days: WeekDays, areas: Sequence[str] | None, facility: str | None
) -> Week:
    """The same, blocking; the connection is in no transaction."""
    last = days.days.last
    own = None if areas is None else frozenset(areas)
    places: tuple[Dimension, ...] = () if own is None else _AREAS
    request = CountsRequest((*places, "disease"), days.today)
    first_drawn = days.whole.first - timedelta(weeks=WEEKS_DRAWN - 1)
    periods = [(period.first, period.last) for period in (days.days, days.before, days.last_year)]
    with one_view(connection):
        now, before, last_year = (
            _by_disease(rows, own) for rows in read_all_counts_of_periods(connection, request, periods)
        )
        by_week = CountsRequest((*places, "disease", "week"), days.today)
        (drawn,) = read_all_counts_of_periods(connection, by_week, [(first_drawn, last)])
        asked = {day.year for day in (first_drawn, last, days.last_year.first, days.last_year.last)}
        coverage = read_coverage(connection, CountsRequest((), days.today), years=asked)
    codes = list(dict.fromkeys((*now, *before, *(row["disease"] for row in drawn if _is_own(row, own)))))
    weeks = _weeks(drawn, own, first_drawn)

    def known(counts: Mapping[str, Row], disease: str, period: Period) -> int | None:
        if disease in counts:
            return int(counts[disease]["notified"])
        return 0 if coverage.is_known(disease, period.first, period.last) else None

    def name_of(disease: str) -> tuple[str, str]:
        return disease_names().get(disease, (disease, disease))

    def in_week(disease: str, monday: date) -> int | None:
        if weeks[disease, monday]:
            return weeks[disease, monday]
        sunday = monday + timedelta(days=6)
        return 0 if coverage.is_known(disease, monday, min(sunday, last)) else None

    diseases = [
        DiseaseWeek(
            code,
            name_of(code)[0],
            name_of(code)[1],
            now[code]["notified"] if code in now else 0,
            now[code]["deaths"] if code in now else 0,
            known(before, code, days.before),
            known(last_year, code, days.last_year),
            tuple(in_week(code, first_drawn + timedelta(weeks=number)) for number in range(WEEKS_DRAWN)),
        )
        for code in codes
    ]
    order = {code: place for place, code in enumerate(disease_names())}
    diseases.sort(key=lambda row: (-row.cases, -(row.before or 0), order.get(row.disease, len(order))))
    scope = Scope(days.today, first=days.days.first, last=last)
    silent, regular = _silent(connection, days, own, facility)
    return Week(
        days,
        tuple(diseases),
        _lateness(connection, scope, own),
        _gaps(connection, scope, own),
        silent,
        regular,
    )


@cache
def disease_names() -> dict[str, tuple[str, str]]:
    """Code → names in Vietnamese and English, in the order of the report."""
    return {disease.code: (disease.name_vi, disease.name_en) for disease in load_catalogue().diseases}


@cache
def _deadlines() -> dict[str, list[Deadline]]:
    return {
        disease.code: [Deadline(d.valid_from, d.valid_to, d.code) for d in disease.deadlines]
        for disease in load_catalogue().diseases
    }


@cache
def _with_severities() -> frozenset[str]:
    return frozenset(disease.code for disease in load_catalogue().diseases if disease.severities)


def _is_own(row: Row, own: Collection[str] | None) -> bool:
    return own is None or any(row.get(level) in own for level in _AREAS)


def _by_disease(rows: Sequence[Row], own: Collection[str] | None) -> dict[str, Row]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        if _is_own(row, own):
            sums = found.setdefault(row["disease"], Counter())
            sums.update(notified=row["notified"], deaths=row["deaths"])
    return {code: {name: sums[name] for name in ("notified", "deaths")} for code, sums in found.items()}


def _weeks(rows: Sequence[Row], own: Collection[str] | None, first: date) -> Counter[tuple[str, date]]:
    """(disease, Monday) → cases."""
    counts: Counter[tuple[str, date]] = Counter()
    for row in rows:
        if _is_own(row, own) and row["week_start"] is not None and row["week_start"] >= first:
            counts[row["disease"], row["week_start"]] += row["notified"]
    return counts


def _lateness(connection: Connection[TupleRow], scope: Scope, own: Collection[str] | None) -> Lateness:
    by: tuple[Grouping, ...] = (*_AREA_GROUPS, "disease")
    rows = read_delays(connection, scope, by, "report", _deadlines(), scope.geography_on)
    mine = [row for row in rows if _is_own(row, own)]
    late: Counter[str] = Counter()
    for row in mine:
        late[row["disease"]] += row["deadline"]["late"]
    names = disease_names()
    return Lateness(
        sum(row["cases"] for row in mine),
        sum(row["deadline"]["on_time"] for row in mine),
        late.total(),
        tuple((*names.get(code, (code, code)), number) for code, number in late.most_common() if number),
    )


def _gaps(connection: Connection[TupleRow], scope: Scope, own: Collection[str] | None) -> Gaps:
    mine = [
        row
        for row in read_completeness(connection, scope, _AREA_GROUPS, "report", _with_severities())
        if _is_own(row, own)
    ]
    missing: Counter[str] = Counter()
    for row in mine:
        for name, field in row["fields"].items():
            missing[name] += field["asked"] - field["filled"]
    return Gaps(
        sum(row["cases"] for row in mine),
        sum(row["complete"] for row in mine),
        tuple((name, number) for name, number in missing.most_common() if number),
    )


def _silent(
    connection: Connection[TupleRow], days: WeekDays, own: Collection[str] | None, facility: str | None
) -> tuple[tuple[SilentOne, ...], int]:
    """The silent ones, and how many report regularly: of provinces and districts, and the own facility.

    A reporter belongs to the district of most of its cases; nobody knows its commune.
    """
    rows: list[dict[str, Any]] = []
    scope, on = Scope(days.today), days.days.last
    if own is None:
        rows = read_silence(connection, scope, on)
    else:
        provinces = sorted(code for code in own if len(code) == 2)
        for province in provinces:
            rows += read_silence(connection, replace(scope, province=province), on)
        if facility or any(len(code) == 3 for code in own):
            heard = {row["reporter"] for row in rows}
            rows += [
                row
                for row in read_silence(connection, scope, on)
                if row["reporter"] not in heard and (row["reporter"] == facility or row["district"] in own)
            ]
    silent = tuple(
        SilentOne(row["reporter"], row["district_name"], row["last_active"], row["silent_weeks"])
        for row in rows
        if row["state"] == "silent"
    )
    return silent, len(silent) + sum(row["state"] == "reporting" for row in rows)

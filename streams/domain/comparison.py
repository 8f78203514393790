"""Counts beside those of earlier years: the same period before, the change, the median of five years.

Nothing is compared with a period that is not known throughout: numbers are None there and a note says why.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from statistics import median
from typing import Any, Final, Literal, Protocol, TypedDict, get_args

from streams.domain.calendar import Period, week_name
from streams.domain.counts import COUNTERS, Basis
from streams.domain.periods import Unit, is_in_weeks, overlap, same_period, same_unit, unit_after, unit_of

Mode = Literal["previous-year", "median-5y"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)

FEWEST_YEARS: Final = 3
"""A median wants this many known years of the five, as the law's endemic thresholds do (TT 15/2026/TT-BYT as
we read it: fewer are "not enough history")."""

Row = dict[str, Any]


class Note(TypedDict):
    """Why a figure is not there, or what to know of it, for programs and for staff."""

    code: str
    message_vi: str
    message_en: str


class Coverage(Protocol):
    """What is known of a place."""

    def is_known(self, disease: str, first: date, last: date) -> bool:
        """Whether the cases of a disease are known on every day of a period."""


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        mode: With the year before, or with the median of the five years before.
        period: The days that were asked for, up to the last one that has come.
        by: Dimensions of the rows, in their order; at most one of time.
        basis: On the basis of death deaths are compared, else notified cases.
    """

    mode: Mode
    period: Period
    by: Sequence[str]
    basis: Basis = "onset"

    @cached_property
    def unit(self) -> Unit | None:
        """The dimension of time."""
        return unit_in(self.by)

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The dimensions that are none of time."""
        return tuple(dimension for dimension in self.by if dimension != self.unit)

    @property
    def years(self) -> range:
        """How many years before, each."""
        return range(1, 2 if self.mode == "previous-year" else 6)

    @cached_property
    def is_in_weeks(self) -> bool:
        """Whether periods are matched by ISO weeks, else by dates."""
        return self.unit == "week" or (self.unit is None and is_in_weeks(self.period))

    @property
    def counter(self) -> str:
        """The counter that is compared."""
        return "deaths" if self.basis == "death" else "notified"

    def earlier(self, years: int) -> Period:
        """The same period some years before."""
        return same_period(self.period, years, self.is_in_weeks)


def unit_in(by: Sequence[str]) -> Unit | None:
    """The dimension of time among some dimensions; None where there is none.

    Raises:
        ValueError: there are several.
    """
    units = [unit for unit in get_args(Unit) if unit in by]
    if len(units) > 1:
        raise ValueError(f"one dimension of time, not {', '.join(units)}")
    return units[0] if units else None


def row_period(row: Row, unit: Unit | None, period: Period) -> Period | None:
    """The days that a row counts: its day, week, month or year as far as asked for; None where not known."""
    if unit is None:
        return period
    start = _start(row, unit)
    return None if start is None else overlap(unit_of(unit, start), period)


def compare(
    rows: Iterable[Row],
    earlier: Mapping[int, Sequence[Row]],
    comparison: Comparison,
    coverage_of: Callable[[Row], Coverage],
    diseases_of: Callable[[Row], Sequence[str]],
) -> list[Row]:
    """The rows with what they are compared with, and rows for what was there before and is no more.

    Args:
        rows: Of the period, by the comparison's dimensions.
        earlier: Years before -> the rows of the same period then, by the same dimensions.
        comparison: What is compared.
        coverage_of: What is known of the place of a row.
        diseases_of: The diseases that a row counts.

    Returns:
        The rows in their order, then the added ones, whose counters are zero. For `previous-year` each has
        previous_from, previous_to, previous_notified, previous_deaths, change, change_relative,
        change_deaths;
        for `median-5y` median_5y, range_5y (least and most), years_5y (those that are known), change,
        change_relative; and comparison_note (None, or why something is None).
    """
    found = list(rows)
    by_key = {years: {_key(row, comparison): row for row in then} for years, then in earlier.items()}
    known = {_key(row, comparison) for row in found}
    for years in comparison.years:
        for row in earlier[years]:
            if comparison.unit is None and _key(row, comparison) in known:
                # Its place is all that it is found by; most are there this year as well.
                continue
            now = _row_of_now(row, years, comparison)
            if now is not None and (key := _key(now, comparison)) not in known:
                known.add(key)
                found.append(now)
    compared = []
    for row in found:
        columns = _columns(row, by_key, comparison, coverage_of(row), diseases_of(row))
        if any(row[counter] for counter in COUNTERS) or columns["change"]:
            compared.append({**row, **columns})
    return compared


def _columns(
    row: Row,
    by_key: Mapping[int, Mapping[tuple[Any, ...], Row]],
    comparison: Comparison,
    coverage: Coverage,
    diseases: Sequence[str],
) -> Row:
    start = _start(row, comparison.unit)
    own = row_period(row, comparison.unit, comparison.period)
    if own is None:
        return _nothing(comparison, NO_DAY)
    places = _places(row, comparison)
    then: dict[int, Row | None] = {}
    unknown: dict[int, list[str]] = {}
    for years in comparison.years:
        period = same_period(own, years, comparison.is_in_weeks)
        gaps = [d for d in diseases if not coverage.is_known(d, period.first, period.last)]
        if gaps:
            unknown[years] = gaps
        else:
            then[years] = by_key[years].get((*places, _start_then(start, years, comparison.unit)))
    if comparison.mode == "previous-year":
        return _beside_last_year(row, own, then, unknown, comparison)
    return _beside_median(row, own, then, unknown, comparison)


def _beside_last_year(
    row: Row,
    own: Period,
    then: Mapping[int, Row | None],
    unknown: Mapping[int, Sequence[str]],
    comparison: Comparison,
) -> Row:
    period = same_period(own, 1, comparison.is_in_weeks)
    columns = {
        **_nothing(comparison, None),
        "previous_from": period.first,
        "previous_to": period.last,
    }
    if unknown:
        return {**columns, "comparison_note": _not_known([period], unknown[1])}
    before = then[1] or dict.fromkeys(COUNTERS, 0)
    change, relative, note = _change(row[comparison.counter], before[comparison.counter])
    return {
        **columns,
        "previous_notified": before["notified"],
        "previous_deaths": before["deaths"],
        "change": change,
        "change_relative": relative,
        "change_deaths": row["deaths"] - before["deaths"],
        "comparison_note": note,
    }


def _beside_median(
    row: Row,
    own: Period,
    then: Mapping[int, Row | None],
    unknown: Mapping[int, Sequence[str]],
    comparison: Comparison,
) -> Row:
    columns = _nothing(comparison, None)
    values = [0 if found is None else found[comparison.counter] for found in then.values()]
    columns["years_5y"] = sorted(_year_of(own, years, comparison) for years in then)
    missing = None
    if unknown:
        periods = [same_period(own, years, comparison.is_in_weeks) for years in sorted(unknown, reverse=True)]
        missing = _not_known(periods, sorted({d for diseases in unknown.values() for d in diseases}))
    if len(values) < FEWEST_YEARS:
        assert missing is not None  # noqa: S101 - of five years some are unknown
        return {**columns, "comparison_note": _too_few(len(values), missing)}
    middle = median(values)
    change, relative, note = _change(row[comparison.counter], middle)
    return {
        **columns,
        "median_5y": middle,
        "range_5y": [min(values), max(values)],
        "change": change,
        "change_relative": relative,
        "comparison_note": note if missing is None else {**missing, "code": "some_years_not_known"},
    }


def _nothing(comparison: Comparison, note: Note | None) -> Row:
    names = (
        ("previous_from", "previous_to", "previous_notified", "previous_deaths")
        if comparison.mode == "previous-year"
        else ("median_5y", "range_5y")
    )
    columns: Row = dict.fromkeys((*names, "change", "change_relative"))
    if comparison.mode == "previous-year":
        columns["change_deaths"] = None
    else:
        columns["years_5y"] = []
    return {**columns, "comparison_note": note}


def _change(now: int, before: float) -> tuple[float, float | None, Note | None]:
    change = now - before
    if before:
        return change, round(change / before, 4), None
    return change, None, _FROM_ZERO if now else None


def _year_of(own: Period, years: int, comparison: Comparison) -> int:
    """The year by which an earlier period is called: that of its ISO week, or of its first day."""
    first = same_period(own, years, comparison.is_in_weeks).first
    return first.isocalendar().year if comparison.is_in_weeks else first.year


def _key(row: Row, comparison: Comparison) -> tuple[Any, ...]:
    return (*_places(row, comparison), _start(row, comparison.unit))


def _start_then(start: date | None, years: int, unit: Unit | None) -> date | None:
    return None if unit is None or start is None else same_unit(unit, start, years)


def _places(row: Row, comparison: Comparison) -> tuple[Any, ...]:
    return tuple([row[dimension] for dimension in comparison.places])


def _start(row: Row, unit: Unit | None) -> date | None:
    """The first day of a row's day, week, month or year; None where it is not known."""
    if unit is None or row[unit] is None:
        return None
    if unit == "month":
        return date.fromisoformat(f"{row['month']}-01")
    if unit == "year":
        return date(row["year"], 1, 1)
    start: date = row["week_start" if unit == "week" else "day"]
    return start


def _row_of_now(row: Row, years: int, comparison: Comparison) -> Row | None:
    """A row of zeros for what an earlier row counted; None where its day or week is not in this year."""
    zeros = {
        name: 0 if isinstance(value, int) and name not in comparison.by else value
        for name, value in row.items()
    }
    zeros["approximate_share"] = None
    unit = comparison.unit
    if unit is None:
        return zeros
    start = _start(row, unit)
    now = None if start is None else unit_after(unit, start, years)
    if now is None or overlap(unit_of(unit, now), comparison.period) is None:
        return None
    if unit == "week":
        zeros |= {"week": week_name(now), "week_start": now}
    else:
        zeros[unit] = {"day": now, "month": now.isoformat()[:7], "year": now.year}[unit]
    return zeros


def _days(period: Period) -> str:
    return f"{period.first:%d/%m/%Y}–{period.last:%d/%m/%Y}"


def _not_known(periods: Sequence[Period], diseases: Sequence[str]) -> Note:
    days = "; ".join(_days(period) for period in periods)
    names = ", ".join(diseases[:5]) + (f" (+{len(diseases) - 5})" if len(diseases) > 5 else "")
    return Note(
        code="not_known",
        message_vi=f"Hệ thống không có đủ số liệu của {days} ({names}): không so sánh với kỳ đó.",
        message_en=f"Not everything is known of {days} ({names}): not compared with it.",
    )


def _too_few(years: int, missing: Note) -> Note:
    return Note(
        code="too_few_years",
        message_vi=f"Chỉ có {years} năm đủ số liệu, cần ít nhất {FEWEST_YEARS}. {missing['message_vi']}",
        message_en=f"Only {years} year(s) are known, {FEWEST_YEARS} are needed. {missing['message_en']}",
    )


NO_DAY: Final = Note(
    code="no_day",
    message_vi="Không rõ ngày: không thuộc kỳ nào, không so sánh và không tính tỷ lệ được.",
    message_en="Without a day it belongs to no period: no comparison, no rate.",
)
_FROM_ZERO: Final = Note(
    code="from_zero",
    message_vi="Kỳ trước là 0: không tính được tỷ lệ thay đổi.",
    message_en="It was zero before: there is no relative change.",
)

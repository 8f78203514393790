"""The years that a count is compared with, and whether a disease is endemic in a commune."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from streams.domain.calendar import Period, iso_week, month, same_week, weeks_in
from streams.domain.rules.context import Context, Endemic, Endemicity, Finding
from streams.domain.rules.verdicts import Outcome


@dataclass(frozen=True, slots=True)
class Years:
    """The usable years, oldest first, with their counts; and why others are left out.

    `asked` is how many years the rule wants.
    """

    counts: dict[int, int]
    left_out: dict[int, str]
    asked: int

    @property
    def share_vi(self) -> str:
        """As a message says it: "3/5 năm"."""
        return f"{len(self.counts)}/{self.asked} năm"

    @property
    def is_all_zero(self) -> bool:
        """Whether there are years, and none had a case."""
        return bool(self.counts) and not any(self.counts.values())

    def numbers(self) -> dict[str, Any]:
        """For the verdict."""
        return {
            "years": list(self.counts),
            "history": list(self.counts.values()),
            "usable_years": len(self.counts),
            "years_asked": self.asked,
            "left_out": {str(year): why for year, why in sorted(self.left_out.items())},
        }


def weekly_years(context: Context, week: date) -> Years:
    """The same ISO week in the years before that of the week that begins on a Monday."""
    iso_year, number, _ = week.isocalendar()
    takes_52 = context.book.settings.week_53 == "week_52"

    def week_in(year: int) -> Period | None:
        if number > weeks_in(year):
            return same_week(year, number) if takes_52 else None
        return iso_week(year, number)

    return _years(context, iso_year, week_in, context.book.settings.history_years)


def monthly_years(context: Context, first: date, asked: int, *, keeps_outbreaks: bool = False) -> Years:
    """The same month in the years before the one that begins on `first`."""
    return _years(
        context, first.year, lambda year: month(year, first.month), asked, keeps_outbreaks=keeps_outbreaks
    )


def _years(
    context: Context,
    present: int,
    period_in: Callable[[int], Period | None],
    asked: int,
    *,
    keeps_outbreaks: bool = False,
) -> Years:
    settings, facts = context.book.settings, context.facts
    further = settings.further_back_years if settings.look_further_back and not keeps_outbreaks else 0
    outbreak_years = frozenset() if keeps_outbreaks else facts.outbreak_years()
    counts: dict[int, int] = {}
    left_out: dict[int, str] = {}
    for year in range(present - 1, present - 1 - asked - further, -1):
        if len(counts) == asked:
            break
        period = period_in(year)
        if period is None:
            left_out[year] = "no_week_53"
        elif not facts.is_known(period):
            left_out[year] = "no_records"
        elif year in outbreak_years:
            left_out[year] = "outbreak_year"
        else:
            counts[year] = facts.in_period(period)
    return Years(dict(sorted(counts.items())), left_out, asked)


def not_enough(years: Years, needed: int, period: Period) -> Finding:
    """Said aloud: too few usable years."""
    return Finding(
        Outcome.NOT_ENOUGH_HISTORY,
        f"không đủ số liệu: có {years.share_vi} dùng được, cần ít nhất {needed}; các thuật toán phát hiện "
        "bất thường vẫn chạy",
        f"not enough history: {len(years.counts)} of {years.asked} years usable, {needed} needed; the "
        "detectors run",
        years.numbers() | {"years_needed": needed},
        period,
        uses_history=True,
    )


def endemicity(context: Context, year: int) -> Endemicity:
    """Whether the disease counts as endemic in the commune when a period of `year` is judged (Art. 2.3).

    The operator's flag decides; else the catalogue's flag for the province and cases in enough of the
    calendar years before, outbreak years included. Several rules ask: it is worked out once per year.
    """
    if year not in context.remembered:
        context.remembered[year] = _endemicity(context, year)
    return context.remembered[year]


def _endemicity(context: Context, year: int) -> Endemicity:
    settings = context.book.settings
    forced = context.book.endemic_communes.get((context.disease.code, context.area.id))
    if forced is not None:
        answer = Endemic.YES if forced else Endemic.NO
        yes_no = "lưu hành" if forced else "không lưu hành"
        return Endemicity(
            answer,
            f"đơn vị tự xác định bệnh {yes_no} tại xã",
            f"the operator says: {'' if forced else 'not '}endemic here",
        )
    if not context.disease.is_endemic_in(context.area.province_id):
        return Endemicity(
            Endemic.NO, "bệnh không lưu hành tại tỉnh (danh mục)", "not endemic in the province (catalogue)"
        )
    with_cases = unknown = 0
    for past in range(year - settings.history_years, year):
        period = Period(date(past, 1, 1), date(past, 12, 31))
        if not context.facts.is_known(period):
            unknown += 1
        elif context.facts.in_period(period) > 0:
            with_cases += 1
    asked, needed = settings.history_years, settings.endemic_years
    share_vi, share_en = f"{with_cases}/{asked} năm có ca bệnh", f"cases in {with_cases} of {asked} years"
    if with_cases >= needed:
        return Endemicity(Endemic.YES, f"bệnh lưu hành: {share_vi}", f"endemic: {share_en}", with_cases)
    if with_cases + unknown >= needed:
        return Endemicity(
            Endemic.UNDECIDED,
            f"chưa xác định được bệnh lưu hành hay không: {share_vi}, {unknown} năm không có số liệu",
            f"endemic or not is undecided: {share_en}, {unknown} without records",
            with_cases,
        )
    return Endemicity(
        Endemic.NO,
        f"bệnh không lưu hành tại xã: {share_vi}, cần {needed}",
        f"not endemic here: {share_en}, {needed} needed",
        with_cases,
    )

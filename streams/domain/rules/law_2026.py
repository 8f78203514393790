"""TT 15/2026/TT-BYT, in force from 2026-07-01: alerts (Art. 22.1), outbreaks (16.1), ends (16.3), duties.

Every function judges one kind of rule: (rule, context) -> finding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from streams.domain.calendar import LOCAL_ZONE, Period, month_of, previous_month, week_name, week_of
from streams.domain.rules.band import Band
from streams.domain.rules.book import Rule
from streams.domain.rules.clocks import death_clocks, notice_due
from streams.domain.rules.context import Context, Endemic, Endemicity, Finding, not_applicable
from streams.domain.rules.facts import CaseFact, largest_cluster, tally
from streams.domain.rules.history import (
    Years,
    endemicity,
    monthly_years,
    not_enough,
    weekly_years,
)
from streams.domain.rules.verdicts import RAISED, Level, Outcome


def wrong_group(context: Context, wanted: Literal["A", "BC"]) -> Finding | None:
    """Why a rule for group A, or for groups B and C, does not speak; None when it does."""
    group = context.group
    if group is None:
        return not_applicable("bệnh không thuộc nhóm nào vào ngày này", "not applicable: no legal group then")
    if group not in wanted:
        wanted_vi = "A" if wanted == "A" else "B, C"
        return not_applicable(
            f"bệnh nhóm {group}; quy định này cho nhóm {wanted_vi}",
            f"not applicable: group {group}, the rule is for group {wanted_vi}",
            group=group,
        )
    return None


# --- group A ------------------------------------------------------------------------------------------------


def group_a_confirmed(rule: Rule, context: Context) -> Finding:
    """One confirmed case; suspected and probable ones do not do (Art. 22.1a; QĐ 02/2016 Art. 2.1)."""
    if (finding := wrong_group(context, "A")) is not None:
        return finding
    period, confirmed, numbers = _confirmed(context)
    if confirmed < rule.numbers["cases"]:
        return Finding(
            Outcome.NO,
            f"chưa có ca bệnh xác định trong {period.days} ngày qua ({numbers['suspected']} ca nghi ngờ, "
            f"{numbers['probable']} ca có thể, {numbers['discarded']} ca đã loại trừ)",
            f"no confirmed case in the last {period.days} days ({numbers['suspected']} suspected, "
            f"{numbers['probable']} probable, {numbers['discarded']} discarded)",
            numbers,
            period,
        )
    return Finding(
        Outcome.OUTBREAK if rule.level is Level.OUTBREAK else Outcome.ALERT,
        f"{confirmed} ca bệnh xác định thuộc nhóm A trong {period.days} ngày qua",
        f"{confirmed} confirmed case(s) of a group A disease in the last {period.days} days",
        numbers,
        period,
    )


def _confirmed(context: Context) -> tuple[Period, int, dict[str, int]]:
    period = context.window(context.book.settings.group_a_days)
    confirmed = sum(c.confirmed_on is not None and c.confirmed_on in period for c in context.facts.cases)
    reported = context.by_report(period)
    others = {
        name: sum(case.classification == name for case in reported)
        for name in ("suspected", "probable", "discarded")
    }
    return period, confirmed, {"confirmed": confirmed, **others}


_NO_GUIDANCE_VI = "không tính được: chưa nạp hướng dẫn của Cục Phòng bệnh cho bệnh này"
_NO_GUIDANCE_EN = "not computable: guidance not loaded"


def group_a_guidance(rule: Rule, context: Context) -> Finding:
    """An outbreak of group A is what the guidance says; without it there is no answer, not a "no"."""
    if (finding := wrong_group(context, "A")) is not None:
        return finding
    guidance = context.book.guidance_on(context.disease.code, context.on)
    period, confirmed, numbers = _confirmed(context)
    if guidance is None:
        return Finding(Outcome.NOT_COMPUTABLE, _NO_GUIDANCE_VI, _NO_GUIDANCE_EN, numbers, period)
    is_met = confirmed >= guidance.outbreak_cases
    sign = "≥" if is_met else "<"
    return Finding(
        Outcome.OUTBREAK if is_met else Outcome.NO,
        f"{confirmed} ca xác định {sign} {guidance.outbreak_cases} ({guidance.citation})",
        f"{confirmed} confirmed {sign} {guidance.outbreak_cases} ({guidance.citation})",
        numbers | {"outbreak_cases": guidance.outbreak_cases},
        period,
    )


def group_a_guidance_end(rule: Rule, context: Context) -> Finding:
    """The end of an outbreak of group A, as the guidance says."""
    if (finding := wrong_group(context, "A")) is not None:
        return finding
    guidance = context.book.guidance_on(context.disease.code, context.on)
    if guidance is None or guidance.quiet_days is None:
        return Finding(Outcome.NOT_COMPUTABLE, _NO_GUIDANCE_VI, _NO_GUIDANCE_EN)
    days = [c.confirmed_on for c in context.facts.cases if c.confirmed_on and c.confirmed_on <= context.on]
    was_open = len(days) >= guidance.outbreak_cases
    return quiet_end(context, max(days, default=None), guidance.quiet_days, was_open=was_open)


def quiet_end(context: Context, last: date | None, days: int, *, was_open: bool) -> Finding:
    """An end that wants so many whole days after the last case without another.

    Args:
        last: Day of the last case; None: there was none.
        days: Quiet days wanted.
        was_open: Whether the criterion for an outbreak was met lately.
    """
    is_declared = any(notice.is_open_on(context.on) for notice in context.facts.notices)
    numbers = {
        "last_case_on": None if last is None else last.isoformat(),
        "quiet_days": 0 if last is None else (context.on - last).days,
        "quiet_days_needed": days,
        "declared": is_declared,
    }
    month_past = last is not None and (context.on - last).days > days + 31
    if not is_declared and (not was_open or month_past):
        return Finding(Outcome.NO, "không có ổ dịch đang mở", "no outbreak to end", numbers)
    if last is None or (context.on - last).days >= days:
        return Finding(
            Outcome.ENDED_PROPOSED,
            f"đã {numbers['quiet_days']} ngày không có ca mới (cần {days}): đề nghị xem xét công bố hết dịch",
            f"{numbers['quiet_days']} days without a new case ({days} needed): the end is proposed",
            numbers,
        )
    return Finding(
        Outcome.STAYS_OPEN,
        f"mới {numbers['quiet_days']} ngày không có ca mới, cần {days}",
        f"{numbers['quiet_days']} days without a new case, {days} needed",
        numbers,
    )


# --- endemic diseases: against their own years --------------------------------------------------------------


def weekly_band(rule: Rule, context: Context) -> Finding:
    """Cases since Monday from mean + 1 SD to mean + 2 SD, both included, of the same week (Art. 22.1b)."""
    week = week_of(context.on)
    week_text = week_name(week.first)

    def outcome(cases: int, band: Band) -> Outcome:
        if cases > band.highest_within(rule.numbers["to_sd"]):
            return Outcome.ABOVE_BAND
        return Outcome.ALERT if cases >= band.lowest_from(rule.numbers["from_sd"]) else Outcome.NO

    def limits(band: Band) -> _Limits:
        lower, upper = rule.numbers["from_sd"], rule.numbers["to_sd"]
        low, high = band.lowest_from(lower), band.highest_within(upper)
        text = f"[{band.limit(lower):g}; {band.limit(upper):g}]"
        return _Limits(
            text,
            {"lower": band.limit(lower), "upper": band.limit(upper), "from": low, "to": high},
            min(low, high + 1),
        )

    question = _Question(
        period=week,
        label_vi=f"tuần {week_text}, từ thứ Hai",
        label_en=f"{week_text}, since Monday",
        limits_vi="khoảng cảnh báo (m + 1 SD đến m + 2 SD)",
        limits_en="band (mean + 1 SD to mean + 2 SD)",
        outcome=outcome,
        limits=limits,
    )
    iso_year = week.first.isocalendar().year
    finding = _against_years(context, question, iso_year, lambda: weekly_years(context, week.first))
    if finding.outcome is Outcome.ABOVE_BAND:
        return replace(finding, level=Level.ABOVE_BAND)
    return finding


def monthly_band(rule: Rule, context: Context) -> Finding:
    """Cases since day 1 strictly above mean + 2 SD of the same month (Art. 16.1b)."""
    month = month_of(context.on)

    def outcome(cases: int, band: Band) -> Outcome:
        is_over = cases > band.highest_within(rule.numbers["over_sd"])
        return Outcome.OUTBREAK if is_over else Outcome.NO

    def limits(band: Band) -> _Limits:
        high, limit = band.highest_within(rule.numbers["over_sd"]), band.limit(rule.numbers["over_sd"])
        return _Limits(f"{limit:g}", {"threshold": limit, "over": high}, high + 1)

    question = _Question(
        period=month,
        label_vi=f"tháng {month.first:%m/%Y}, từ ngày 1",
        label_en=f"{month.first:%Y-%m}, since day 1",
        limits_vi="ngưỡng (vượt quá m + 2 SD)",
        limits_en="threshold (above mean + 2 SD)",
        outcome=outcome,
        limits=limits,
    )
    return _against_years(
        context,
        question,
        month.first.year,
        lambda: monthly_years(context, month.first, context.book.settings.history_years),
    )


@dataclass(frozen=True, slots=True)
class _Limits:
    """For display, for the numbers, and the lowest count that raises."""

    text: str
    numbers: dict[str, float]
    lowest: int


@dataclass(frozen=True, slots=True)
class _Question:
    """What differs between the week and the month."""

    period: Period
    label_vi: str
    label_en: str
    limits_vi: str
    limits_en: str
    outcome: Callable[[int, Band], Outcome]
    limits: Callable[[Band], _Limits]


def _against_years(
    context: Context, question: _Question, year: int, years_of: Callable[[], Years]
) -> Finding:
    if (wrong := wrong_group(context, "BC")) is not None:
        return wrong
    endemic = endemicity(context, year)
    counts = tally(context.by_onset(question.period), question.period.last)
    numbers: dict[str, Any] = counts.numbers() | endemic.numbers()
    if endemic.answer is Endemic.NO:
        return not_applicable(endemic.vi, f"not applicable: {endemic.en}", **numbers)
    needed = context.book.settings.usable_years
    years = years_of()
    if len(years.counts) < needed:
        finding = not_enough(years, needed, question.period)
        return replace(finding, numbers={**numbers, **finding.numbers})
    numbers |= years.numbers()
    if endemic.answer is Endemic.UNDECIDED:
        return Finding(
            Outcome.NOT_ENOUGH_HISTORY,
            f"không đủ số liệu: {endemic.vi}",
            f"not enough history: {endemic.en}",
            numbers,
            question.period,
            uses_history=True,
        )
    band = Band.of(list(years.counts.values()))
    limits = question.limits(band)
    numbers |= {"mean": band.mean, "sd": band.deviation, **limits.numbers}
    # All-zero history and no case: zero would lie in the band.
    outcome = Outcome.NO if counts.cases < 1 else question.outcome(counts.cases, band)
    numbers["reached_on"] = None
    if outcome in RAISED:
        lowest = max(limits.lowest, 1)
        numbers["reached_on"] = _reached_on(context.by_onset(question.period), lowest).isoformat()
    is_late = outcome in RAISED and (
        counts.on_time < 1 or question.outcome(counts.on_time, band) not in RAISED
    )
    zero_vi = "; lịch sử toàn 0" if years.is_all_zero else ""
    zero_en = "; the history is all zero" if years.is_all_zero else ""
    shown = ", ".join(map(str, years.counts.values()))
    return Finding(
        outcome,
        f"{question.label_vi}: {counts.cases} ca ({counts.local} không phải ngoại lai); cùng kỳ "
        f"{years.share_vi}: [{shown}], m = {band.mean:g}, SD = {band.deviation:g}; {question.limits_vi}: "
        f"{limits.text}{zero_vi}",
        f"{question.label_en}: {counts.cases} cases ({counts.local} not imported); same period of "
        f"{len(years.counts)}/{years.asked} years: [{shown}], mean {band.mean:g}, SD {band.deviation:g}; "
        f"{question.limits_en}: {limits.text}{zero_en}",
        numbers,
        question.period,
        is_late=is_late,
        uses_history=True,
    )


def _reached_on(cases: Sequence[CaseFact], number: int) -> date:
    return sorted(case.onset_day for case in cases if case.counts)[number - 1]


# --- diseases that are not endemic: linked cases ------------------------------------------------------------


def weekly_linked(rule: Rule, context: Context) -> Finding:
    """Linked cases recorded within the week (Art. 22.1c); as many without a known link: verify the link."""
    week = week_of(context.on)
    endemic, finding = _not_endemic(context, week.first.isocalendar().year)
    if finding is not None:
        return finding
    cases = context.by_report(week)
    counts = tally(cases, week.last)
    cluster, linked = largest_cluster(cases)
    needed, doubtful = rule.numbers["cases"], context.book.settings.verify_link_cases
    numbers = _linked_numbers(counts.numbers() | endemic.numbers(), cluster, linked, needed)
    label_vi, label_en = f"tuần {week_name(week.first)}", week_name(week.first)
    if linked >= needed:
        outcome, level = Outcome.ALERT, None
        vi = f"{linked} ca liên quan dịch tễ (chùm {cluster}), cần {needed}"
        en = f"{linked} linked cases (cluster {cluster}), {needed} needed"
    elif counts.cases >= doubtful:
        outcome, level = Outcome.VERIFY_LINK, Level.ATTENTION
        vi = f"{counts.cases} ca cùng bệnh, cùng xã, chùm lớn nhất {linked} ca: cần xác minh mối liên quan"
        en = f"{counts.cases} cases, the largest cluster has {linked}: verify the link"
    else:
        outcome, level = Outcome.NO, None
        vi = f"{counts.cases} ca, chùm lớn nhất {linked} ca, cần {needed} ca liên quan"
        en = f"{counts.cases} cases, the largest cluster has {linked}, {needed} linked needed"
    return Finding(
        outcome, f"{label_vi}: {vi}; {endemic.vi}", f"{label_en}: {en}; {endemic.en}", numbers, week, level
    )


def monthly_linked(rule: Rule, context: Context) -> Finding:
    """Linked cases recorded within the calendar month (Art. 16.1c)."""
    month = month_of(context.on)
    endemic, finding = _not_endemic(context, month.first.year)
    if finding is not None:
        return finding
    cases = context.by_report(month)
    cluster, linked = largest_cluster(cases)
    needed = rule.numbers["cases"]
    numbers = _linked_numbers(tally(cases, month.last).numbers() | endemic.numbers(), cluster, linked, needed)
    sign = "≥" if linked >= needed else "<"
    return Finding(
        Outcome.OUTBREAK if linked >= needed else Outcome.NO,
        f"tháng {month.first:%m/%Y}: {linked} ca liên quan dịch tễ {sign} {needed}; {endemic.vi}",
        f"{month.first:%Y-%m}: {linked} linked cases {sign} {needed}; {endemic.en}",
        numbers,
        month,
    )


def _not_endemic(context: Context, year: int) -> tuple[Endemicity, Finding | None]:
    endemic = endemicity(context, year)
    if (wrong := wrong_group(context, "BC")) is not None:
        return endemic, wrong
    if endemic.answer is Endemic.YES:
        return endemic, not_applicable(endemic.vi, f"not applicable: {endemic.en}", **endemic.numbers())
    return endemic, None


def _linked_numbers(numbers: dict[str, Any], cluster: str | None, linked: int, needed: int) -> dict[str, Any]:
    return numbers | {"linked": linked, "cluster": cluster, "linked_needed": needed}


# --- ends ---------------------------------------------------------------------------------------------------

_Status = Literal["over", "at", "below", "unknown"]


def month_end(rule: Rule, context: Context) -> Finding:
    """Whether an outbreak is over: a whole calendar month below the criterion (Art. 16.3b), no part of one.

    An outbreak is open when the criterion was met in a month and no whole month since was below it, or when
    a notice says so. Months before the rule was in force are not judged by it.
    """
    if (finding := wrong_group(context, "BC")) is not None:
        return finding
    current = month_of(context.on)
    declared = [n.started_on for n in context.facts.notices if n.started_on and n.is_open_on(context.on)]
    statuses = {m: _status(rule, context, m) for m in _whole_months(rule, context)}
    is_open, ended_by = bool(declared), None
    for month, (status, _) in statuses.items():
        if status == "over":
            is_open, ended_by = True, None
        elif status == "below" and is_open and not (declared and month.last < min(declared)):
            is_open, ended_by = False, month
    present, present_numbers = _status(rule, context, current)
    last = max(statuses, default=None)
    numbers: dict[str, Any] = {
        "declared": bool(declared),
        "months": [{"month": f"{m.first:%Y-%m}", "status": s, **n} for m, (s, n) in statuses.items()],
        "month_to_date": {"month": f"{current.first:%Y-%m}", "status": present, **present_numbers},
    }
    if present == "over":
        return Finding(
            Outcome.STAYS_OPEN,
            f"tháng {current.first:%m/%Y} đang vượt tiêu chí có dịch",
            f"{current.first:%Y-%m} is above the criterion",
            numbers,
            current,
        )
    if context.book.settings.ending == "rolling_30_days":
        was_open = is_open or (ended_by is not None and ended_by == last)
        return _rolling_end(rule, context, numbers, was_open=was_open or bool(declared))
    if is_open:
        return Finding(
            Outcome.STAYS_OPEN,
            "chưa có tháng dương lịch trọn vẹn nào dưới mức tiêu chí; số lũy tích trong tháng hiện tại không "
            "dùng để kết thúc",
            "no whole calendar month below the criterion yet; month to date never ends an outbreak",
            numbers,
            last or current,
        )
    # What nobody declared is proposed once, in the month after; what was declared until the station ends it.
    if ended_by is not None and (declared or ended_by == last):
        return Finding(
            Outcome.ENDED_PROPOSED,
            f"tháng {ended_by.first:%m/%Y} dưới mức tiêu chí: đề nghị trạm y tế xem xét công bố hết dịch từ "
            f"{ended_by.last + timedelta(days=1):%d/%m/%Y}",
            f"{ended_by.first:%Y-%m} was below the criterion: the end is proposed from "
            f"{ended_by.last + timedelta(days=1)}, the station decides",
            numbers | {"proposed_from": (ended_by.last + timedelta(days=1)).isoformat()},
            ended_by,
        )
    return Finding(
        Outcome.NO, "không có dịch đang mở để kết thúc", "no open outbreak to end", numbers, current
    )


def _whole_months(rule: Rule, context: Context) -> list[Period]:
    months: list[Period] = []
    month = previous_month(month_of(context.on))
    while len(months) < context.book.settings.ending_months and (
        rule.valid_from is None or month.first >= rule.valid_from
    ):
        months.insert(0, month)
        month = previous_month(month)
    return months


def _status(rule: Rule, context: Context, month: Period) -> tuple[_Status, dict[str, Any]]:
    """A month's place by the criterion for an outbreak, and the numbers."""
    if endemicity(context, month.first.year).answer is not Endemic.YES:
        _, linked = largest_cluster(context.by_report(month))
        needed = rule.numbers["linked_cases"]
        numbers = {"linked": linked, "linked_needed": needed}
        return ("over" if linked >= needed else "below"), numbers
    cases = tally(context.by_onset(month), month.last).cases
    return _against_month(rule, context, month, cases)


def _against_month(rule: Rule, context: Context, month: Period, cases: int) -> tuple[_Status, dict[str, Any]]:
    years = monthly_years(context, month.first, context.book.settings.history_years)
    if len(years.counts) < context.book.settings.usable_years:
        return "unknown", {"cases": cases, "usable_years": len(years.counts)}
    band = Band.of(list(years.counts.values()))
    deviations = rule.numbers["over_sd"]
    numbers = {"cases": cases, "over": band.highest_within(deviations), **years.numbers()}
    if cases > band.highest_within(deviations) and cases > 0:
        return "over", numbers
    # A month without a case is below any criterion, also that of an all-zero history.
    if cases < band.lowest_from(deviations) or cases == 0:
        return "below", numbers
    return "at", numbers


def _rolling_end(rule: Rule, context: Context, numbers: dict[str, Any], *, was_open: bool) -> Finding:
    """The other reading of "within a month": the 30 days that end with the day judged."""
    period = context.window(30)
    if endemicity(context, context.on.year).answer is Endemic.YES:
        cases = tally(context.by_onset(period), period.last).cases
        status, found = _against_month(rule, context, month_of(context.on), cases)
    else:
        _, linked = largest_cluster(context.by_report(period))
        needed = rule.numbers["linked_cases"]
        found = {"linked": linked, "linked_needed": needed}
        status = "over" if linked >= needed else "below"
    numbers = numbers | {"rolling_30_days": {"status": status, **found}}
    if not was_open:
        return Finding(
            Outcome.NO, "không có dịch đang mở để kết thúc", "no open outbreak to end", numbers, period
        )
    is_below = status == "below"
    return Finding(
        Outcome.ENDED_PROPOSED if is_below else Outcome.STAYS_OPEN,
        "30 ngày gần nhất dưới mức tiêu chí: đề nghị trạm y tế xem xét công bố hết dịch"
        if is_below
        else "30 ngày gần nhất chưa dưới mức tiêu chí",
        f"the last 30 days are {'' if is_below else 'not '}below the criterion",
        numbers,
        period,
    )


# --- what a person says, and the clocks ---------------------------------------------------------------------


def entered_by_person(rule: Rule, context: Context) -> Finding:
    """A risk assessment is made by people (Art. 21.2, 22.1d)."""
    return Finding(
        Outcome.NOT_COMPUTABLE,
        "không tính được: do người đánh giá nguy cơ nhập",
        "not computable: entered by the person who assesses the risk",
    )


def death_clock(rule: Rule, context: Context) -> Finding:
    """A death is reported within 24 h (Art. 10.2b): both clocks, where their instants are known."""
    period = context.window(rule.numbers["days"])
    deaths = [c for c in context.facts.cases if c.is_death and _death_shown_on(c) in period]
    hours = rule.numbers["hours"]
    clocks = []
    for death in sorted(deaths, key=_death_shown_on):
        due = death_clocks(death.died_at, None, hours).in_facility_due_at
        clocks.append(
            {
                "died_on": None if death.death_day is None else death.death_day.isoformat(),
                "died_at": None
                if death.died_at is None
                else death.died_at.astimezone(LOCAL_ZONE).isoformat(),
                "in_facility_due_at": None if due is None else due.astimezone(LOCAL_ZONE).isoformat(),
                "in_community_due_at": None,
            }
        )
    numbers = {"deaths": len(deaths), "hours": hours, "clocks": clocks}
    if not deaths:
        return Finding(
            Outcome.NO,
            f"không có tử vong trong {period.days} ngày qua",
            f"no death in the last {period.days} days",
            numbers,
            period,
        )
    undated = sum(clock["in_facility_due_at"] is None for clock in clocks)
    return Finding(
        Outcome.DUTY,
        f"{len(deaths)} ca tử vong: báo cáo trong {hours} giờ, tại cơ sở y tế tính từ lúc tử vong, tại cộng "
        f"đồng tính từ khi kết thúc xác minh; {undated} ca chưa biết giờ tử vong",
        f"{len(deaths)} death(s): report within {hours} h, in a facility from the death, in the community "
        f"from the end of verification; {undated} without the hour of death",
        numbers,
        period,
    )


def _death_shown_on(case: CaseFact) -> date:
    return case.death_day or case.report_day


def notice_clock(rule: Rule, context: Context) -> Finding:
    """The notice "có dịch" is due 24 h after the station's own determination (Art. 26.1b)."""
    hours = rule.numbers["hours"]
    if context.determined_at is None:
        return Finding(
            Outcome.NO,
            f"trạm y tế chưa xác định có dịch: {hours} giờ tính từ khi trạm xác định, không từ cảnh báo",
            f"the station has not determined an outbreak: the {hours} h run from its determination",
            {"hours": hours, "determined_at": None, "due_at": None},
        )
    due = notice_due(context.determined_at, hours).astimezone(LOCAL_ZONE)
    determined = context.determined_at.astimezone(LOCAL_ZONE)
    return Finding(
        Outcome.DUTY,
        f"trạm xác định có dịch lúc {determined:%H:%M %d/%m/%Y}: thông báo trước {due:%H:%M %d/%m/%Y}",
        f"determined {determined.isoformat()}: the notice is due {due.isoformat()}",
        {"hours": hours, "determined_at": determined.isoformat(), "due_at": due.isoformat()},
    )

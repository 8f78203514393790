"""QĐ 02/2016/QĐ-TTg and TT 17/2019/TT-BYT Art. 12, in force until 2026-06-30.

Every function judges one kind of rule: (rule, context) -> finding.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from streams.domain.calendar import Period, month, month_of, previous_month
from streams.domain.rules.band import exceeds_mean
from streams.domain.rules.book import Rule
from streams.domain.rules.context import Context, Finding, not_applicable
from streams.domain.rules.facts import CommuneFacts, tally
from streams.domain.rules.history import monthly_years, not_enough
from streams.domain.rules.law_2026 import quiet_end, wrong_group
from streams.domain.rules.verdicts import Outcome


def monthly_mean(rule: Rule, context: Context) -> Finding:
    """Cases of the month strictly above the mean of the same month of 3 years, outbreak years included."""
    if (finding := wrong_group(context, "BC")) is not None:
        return finding
    period = month_of(context.on)
    counts = tally(context.by_onset(period), period.last)
    asked = rule.numbers["years"]
    years = monthly_years(context, period.first, asked, keeps_outbreaks=True)
    if len(years.counts) < asked:
        return not_enough(years, asked, period)
    history = list(years.counts.values())
    is_met = counts.cases > 0 and exceeds_mean(counts.cases, history)
    on_time = counts.on_time > 0 and exceeds_mean(counts.on_time, history)
    sign = ">" if is_met else "≤"
    mean = round(sum(history) / asked, 3)
    shown = ", ".join(map(str, history))
    zero_vi = "; lịch sử toàn 0" if years.is_all_zero else ""
    zero_en = "; the history is all zero" if years.is_all_zero else ""
    return Finding(
        Outcome.OUTBREAK if is_met else Outcome.NO,
        f"tháng {period.first:%m/%Y}: {counts.cases} ca {sign} trung bình {asked} năm [{shown}] = "
        f"{mean:g}{zero_vi}",
        f"{period.first:%Y-%m}: {counts.cases} cases {sign} mean of {asked} years [{shown}] = "
        f"{mean:g}{zero_en}",
        counts.numbers() | years.numbers() | {"mean": mean},
        period,
        is_late=is_met and not on_time,
        uses_history=True,
    )


def quiet_days_end(rule: Rule, context: Context) -> Finding:
    """No new case for the days that the annex gives for the disease."""
    quiet = context.book.quiet_days_on(context.disease.code, context.on)
    if quiet is None:
        return Finding(
            Outcome.NOT_COMPUTABLE,
            "không tính được: chưa nạp số ngày không có ca mới của bệnh này theo phụ lục",
            "not computable: the annex's number of quiet days is not loaded for this disease",
        )
    days = [c.report_day for c in context.facts.cases if c.counts and c.report_day <= context.on]
    last = max(days, default=None)
    was_open = False
    if last is not None:
        if context.disease.group_on(last) == "A":
            was_open = any(c.confirmed_on is not None and c.confirmed_on <= last for c in context.facts.cases)
        else:
            was_open = any(
                _is_known(context, period, rule.numbers["years"])
                and _is_outbreak(
                    context.facts.by_onset, {}, period, rule.numbers["years"], group="B", on=context.on
                )
                for period in (month_of(last), previous_month(month_of(last)))
            )
    return quiet_end(context, last, quiet.days, was_open=was_open)


def outbreak_areas(rule: Rule, context: Context) -> Finding:
    """A district with 2 or more communes with an outbreak; a province with 2 or more such districts."""
    if context.group is None:
        return not_applicable("bệnh không thuộc nhóm nào vào ngày này", "not applicable: no legal group then")
    years, needed = rule.numbers["years"], rule.numbers["areas"]
    period = month_of(context.on)
    if context.group != "A" and not _is_known(context, period, years):
        return Finding(
            Outcome.NOT_ENOUGH_HISTORY,
            f"không đủ số liệu: cần tháng này của {years} năm",
            f"not enough history: the month of {years} years is needed",
            {"years_asked": years},
            period,
            uses_history=True,
        )
    communes = [c for c in context.facts.communes if _has_outbreak(c, context, period, years)]
    if rule.area == "district":
        found = sorted(c.commune_id for c in communes)
        noun_vi, noun_en = "xã có dịch", "communes with an outbreak"
    else:
        districts = {c.district_id for c in communes if c.district_id is not None}
        found = sorted(
            d for d in districts if sum(c.district_id == d for c in communes) >= rule.numbers["communes"]
        )
        noun_vi, noun_en = "huyện có dịch", "districts with an outbreak"
    is_met = len(found) >= needed
    sign = "≥" if is_met else "<"
    return Finding(
        Outcome.OUTBREAK if is_met else Outcome.NO,
        f"{len(found)} {noun_vi} {sign} {needed} trong tháng {period.first:%m/%Y}",
        f"{len(found)} {noun_en} {sign} {needed} in {period.first:%Y-%m}",
        {"areas": len(found), "areas_needed": needed, "area_ids": found},
        period,
        uses_history=True,
    )


def _is_known(context: Context, period: Period, years: int) -> bool:
    """Whether the records reach back to the oldest of the months compared with."""
    return context.facts.is_known(month(period.first.year - years, period.first.month))


def _has_outbreak(commune: CommuneFacts, context: Context, period: Period, years: int) -> bool:
    return _is_outbreak(
        commune.by_onset,
        commune.confirmed_by_onset,
        period,
        years,
        group=context.group,
        on=context.on,
    )


def _is_outbreak(
    by_onset: Mapping[date, int],
    confirmed: Mapping[date, int],
    period: Period,
    years: int,
    *,
    group: str | None,
    on: date,
) -> bool:
    if group == "A":
        return any(n > 0 for day, n in confirmed.items() if day in period and day <= on)
    cases = sum(n for day, n in by_onset.items() if day in period and day <= on)
    history = [
        sum(n for day, n in by_onset.items() if day in month(period.first.year - back, period.first.month))
        for back in range(1, years + 1)
    ]
    return cases > 0 and exceeds_mean(cases, history)


def responder(rule: Rule, context: Context) -> Finding:
    """Who responds (TT 17/2019 Art. 12): commune, district or provincial CDC."""
    group = context.group
    if group not in ("A", "B"):
        return not_applicable(
            "quy định cho bệnh nhóm A và B", "not applicable: for diseases of groups A and B", group=group
        )
    if group == "A":
        return _responder("provincial_cdc", "bệnh nhóm A", "group A", {"group": group})
    window = context.window(context.book.settings.district_death_days)
    district = context.facts.district_deaths
    deaths_in_district = None if district is None else sum(day in window for day in district)
    if deaths_in_district is not None and deaths_in_district >= rule.numbers["deaths"]:
        return _responder(
            "provincial_cdc",
            f"{deaths_in_district} ca tử vong nghi do bệnh này trong huyện trong {window.days} ngày",
            f"{deaths_in_district} deaths suspected of it in the district within {window.days} days",
            {"group": group, "deaths_in_district": deaths_in_district},
        )
    period = month_of(context.on)
    cases = tally(context.by_onset(period), period.last).cases
    deaths = sum(
        c.is_death and (c.death_day or c.report_day) in Period(period.first, context.on)
        for c in context.facts.cases
    )
    # Outbreak years are left out here; QĐ 02/2016 keeps them.
    years = monthly_years(context, period.first, rule.numbers["years"])
    numbers = years.numbers() | {
        "group": group,
        "cases": cases,
        "deaths": deaths,
        "deaths_in_district": deaths_in_district,
    }
    if deaths:
        return _responder("district", f"{deaths} ca tử vong trong tháng", f"{deaths} death(s)", numbers)
    if not years.counts:
        finding = not_enough(years, 1, period)
        return replace(finding, numbers={**finding.numbers, **numbers})
    history = list(years.counts.values())
    if exceeds_mean(cases, history):
        return _responder(
            "district",
            f"{cases} ca trong tháng, trên trung bình của {history}",
            f"{cases} cases in the month, above the mean of {history}",
            numbers,
        )
    return _responder(
        "commune",
        f"{cases} ca trong tháng, không trên trung bình của {history}, không có tử vong",
        f"{cases} cases in the month, not above the mean of {history}, no death",
        numbers,
    )


_RESPONDERS_VI = {"commune": "xã", "district": "huyện", "provincial_cdc": "CDC tỉnh"}


def _responder(who: str, vi: str, en: str, numbers: Mapping[str, object]) -> Finding:
    return Finding(
        Outcome.RESPONDER,
        f"đơn vị xử lý: {_RESPONDERS_VI[who]} ({vi})",
        f"responder: {who} ({en})",
        {"responder": who, **numbers},
        uses_history=True,
    )

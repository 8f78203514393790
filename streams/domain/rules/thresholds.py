"""The CDC's own thresholds: what the law's fixed weeks and months miss, and what the province wants to see.

Every function judges one kind of rule: (rule, context) -> finding. Windows are rolling days that end with
the day judged; cases stand on their day of report ("recorded"), but for the comparison with last year.
"""

from datetime import timedelta

from streams.domain.calendar import Period, years_before
from streams.domain.rules.book import Rule
from streams.domain.rules.context import Context, Endemic, Finding, not_applicable
from streams.domain.rules.facts import tally
from streams.domain.rules.history import endemicity
from streams.domain.rules.verdicts import Outcome


def out_of_scope(rule: Rule, context: Context) -> Finding | None:
    """Why a rule for some diseases does not speak about this one; None when it does."""
    if rule.diseases is not None and context.disease.code not in rule.diseases:
        return not_applicable("ngưỡng này không cho bệnh này", "not applicable: not for this disease")
    if rule.groups is not None and context.group not in rule.groups:
        return not_applicable("ngưỡng này không cho nhóm bệnh này", "not applicable: not for this group")
    if rule.endemic is not None:
        endemic = endemicity(context, context.on.year)
        if rule.endemic != (endemic.answer is Endemic.YES):
            return not_applicable(endemic.vi, f"not applicable: {endemic.en}", **endemic.numbers())
    return None


def cases_in_window(rule: Rule, context: Context) -> Finding:
    """So many cases within so many rolling days, linked or not, across Sundays."""
    period = context.window(rule.numbers["days"])
    counts = tally(context.by_report(period), period.last)
    needed = rule.numbers["cases"]
    is_met = counts.cases >= needed
    sign = "≥" if is_met else "<"
    return Finding(
        Outcome.ALERT if is_met else Outcome.NO,
        f"{counts.cases} ca {sign} {needed} trong {period.days} ngày ({counts.local} không phải ngoại lai)",
        f"{counts.cases} cases {sign} {needed} within {period.days} days ({counts.local} not imported)",
        counts.numbers() | {"cases_needed": needed, "days": period.days},
        period,
    )


def any_case(rule: Rule, context: Context) -> Finding:
    """One case is enough."""
    period = context.window(rule.numbers["days"])
    counts = tally(context.by_report(period), period.last)
    return Finding(
        Outcome.ALERT if counts.cases else Outcome.NO,
        f"{counts.cases} ca trong {period.days} ngày",
        f"{counts.cases} cases within {period.days} days",
        counts.numbers() | {"days": period.days},
        period,
    )


def any_imported(rule: Rule, context: Context) -> Finding:
    """A case infected elsewhere."""
    period = context.window(rule.numbers["days"])
    counts = tally(context.by_report(period), period.last)
    return Finding(
        Outcome.ALERT if counts.imported else Outcome.NO,
        f"{counts.imported} ca ngoại lai trong {period.days} ngày",
        f"{counts.imported} imported cases within {period.days} days",
        counts.numbers() | {"days": period.days},
        period,
    )


def any_death(rule: Rule, context: Context) -> Finding:
    """A death; one without a day stands on its case's day of report."""
    period = context.window(rule.numbers["days"])
    deaths = sum(c.is_death and (c.death_day or c.report_day) in period for c in context.facts.cases)
    return Finding(
        Outcome.ALERT if deaths else Outcome.NO,
        f"{deaths} ca tử vong trong {period.days} ngày",
        f"{deaths} deaths within {period.days} days",
        {"deaths": deaths, "days": period.days},
        period,
    )


def rate_in_window(rule: Rule, context: Context) -> Finding:
    """Cases per 100,000 within so many days: c 100,000 >= rate population, from a least c on."""
    period = context.window(rule.numbers["days"])
    counts = tally(context.by_report(period), period.last)
    population = context.facts.population
    rate, needed = rule.numbers["per_100k"], rule.numbers["cases"]
    numbers = counts.numbers() | {
        "population": population,
        "days": period.days,
        "per_100k_needed": rate,
        "cases_needed": needed,
    }
    if counts.cases < needed:
        return Finding(
            Outcome.NO,
            f"{counts.cases} ca trong {period.days} ngày, chỉ tính tỷ suất từ {needed} ca",
            f"{counts.cases} cases within {period.days} days: a rate is looked at from {needed} cases on",
            numbers,
            period,
        )
    if population is None or population <= 0:
        return Finding(
            Outcome.NOT_COMPUTABLE,
            "không tính được: chưa nạp dân số",
            "not computable: population not loaded",
            numbers,
            period,
        )
    is_met = counts.cases * 100_000 >= rate * population
    shown = round(counts.cases * 100_000 / population, 1)
    return Finding(
        Outcome.ALERT if is_met else Outcome.NO,
        f"{counts.cases} ca trên {population} dân trong {period.days} ngày: {shown:g}/100.000 "
        f"(ngưỡng {rate})",
        f"{counts.cases} cases among {population} within {period.days} days: {shown:g} per 100,000 "
        f"(threshold {rate})",
        numbers | {"rate_per_100k": shown},
        period,
    )


def change_on_last_year(rule: Rule, context: Context) -> Finding:
    """So many per cent more than on the same days of last year, by day of onset."""
    period = context.window(rule.numbers["days"])
    before = Period(years_before(period.first, 1), years_before(period.last, 1))
    counts = tally(context.by_onset(period), period.last)
    if not context.facts.is_known(before):
        return Finding(
            Outcome.NOT_COMPUTABLE,
            "không tính được: không có số liệu cùng kỳ năm trước",
            "not computable: no records of the same days of last year",
            counts.numbers(),
            period,
        )
    last_year = context.facts.in_period(before)
    percent, needed = rule.numbers["percent"], rule.numbers["cases"]
    is_met = counts.cases >= needed and counts.cases * 100 >= last_year * (100 + percent)
    return Finding(
        Outcome.ALERT if is_met else Outcome.NO,
        f"{counts.cases} ca trong {period.days} ngày, cùng kỳ năm trước {last_year} "
        f"(ngưỡng tăng {percent} %, từ {needed} ca)",
        f"{counts.cases} cases within {period.days} days, {last_year} on the same days of last year "
        f"(threshold +{percent} %, from {needed} cases on)",
        counts.numbers()
        | {"last_year": last_year, "percent": percent, "cases_needed": needed, "days": period.days},
        period,
    )


def lab_pending(rule: Rule, context: Context) -> Finding:
    """Cases whose laboratory result is awaited for more than so many days."""
    days = rule.numbers["days"]
    latest = context.on - timedelta(days=days)
    waiting = [
        c.sampled_on or c.report_day
        for c in context.facts.cases
        if c.is_pending and c.counts and c.report_day <= context.on
    ]
    overdue = [since for since in waiting if since < latest]
    return Finding(
        Outcome.ALERT if overdue else Outcome.NO,
        f"{len(overdue)} ca chờ kết quả xét nghiệm quá {days} ngày (tổng số chờ: {len(waiting)})",
        f"{len(overdue)} cases await their laboratory result for more than {days} days ({len(waiting)} wait)",
        {
            "overdue": len(overdue),
            "pending": len(waiting),
            "days": days,
            "oldest_on": min(overdue).isoformat() if overdue else None,
        },
    )


def silent_reporter(rule: Rule, context: Context) -> Finding:
    """Facilities that used to report and have fallen silent."""
    days = rule.numbers["days"]
    silent = context.facts.silent_reporters.get(days)
    if silent is None:
        return Finding(
            Outcome.NOT_COMPUTABLE,
            "không tính được: chưa theo dõi đơn vị báo cáo",
            "not computable: reporters are not watched",
            {"days": days},
        )
    return Finding(
        Outcome.ALERT if silent else Outcome.NO,
        f"{len(silent)} đơn vị không báo cáo quá {days} ngày",
        f"{len(silent)} facilities silent for more than {days} days",
        {"days": days, "silent": sorted(silent)},
    )

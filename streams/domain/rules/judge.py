"""Every rule's verdict about one disease in one area at the end of one day."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from streams.domain.calendar import month_of, week_of
from streams.domain.rules import law_2026, law_before_2026_07, thresholds
from streams.domain.rules.book import Kind, Rule, RuleBook
from streams.domain.rules.context import Context, Finding, not_applicable, not_in_force
from streams.domain.rules.facts import CaseFact, Facts, JudgedArea
from streams.domain.rules.verdicts import RAISED, Level, Outcome, Standing, Verdict

_JUDGES: Final[Mapping[Kind, Callable[[Rule, Context], Finding]]] = {
    "group_a_confirmed": law_2026.group_a_confirmed,
    "weekly_band": law_2026.weekly_band,
    "monthly_band": law_2026.monthly_band,
    "weekly_linked": law_2026.weekly_linked,
    "monthly_linked": law_2026.monthly_linked,
    "monthly_mean": law_before_2026_07.monthly_mean,
    "outbreak_areas": law_before_2026_07.outbreak_areas,
    "entered_by_person": law_2026.entered_by_person,
    "group_a_guidance": law_2026.group_a_guidance,
    "group_a_guidance_end": law_2026.group_a_guidance_end,
    "month_end": law_2026.month_end,
    "quiet_days_end": law_before_2026_07.quiet_days_end,
    "responder": law_before_2026_07.responder,
    "death_clock": law_2026.death_clock,
    "notice_clock": law_2026.notice_clock,
    "cases_in_window": thresholds.cases_in_window,
    "rate_in_window": thresholds.rate_in_window,
    "change_on_last_year": thresholds.change_on_last_year,
    "any_case": thresholds.any_case,
    "any_death": thresholds.any_death,
    "any_imported": thresholds.any_imported,
    "lab_pending": thresholds.lab_pending,
    "silent_reporter": thresholds.silent_reporter,
}

_LATE_KINDS: Final = frozenset({"weekly_band", "monthly_band", "monthly_mean"})
"""Judged by day of onset, so that a late report can push a past period over its criterion."""

_RAISES_NOTHING: Final[frozenset[Kind]] = frozenset(
    {
        "entered_by_person",
        "group_a_guidance_end",
        "month_end",
        "notice_clock",
        "quiet_days_end",
        "responder",
        "silent_reporter",
    }
)
"""Answers that raise nothing, or nothing that a count could: a determination, the passing of time."""

_WANTED_CASES: Final[Mapping[Kind, Callable[[CaseFact], bool]]] = {
    "group_a_confirmed": lambda case: case.confirmed_on is not None,
    "group_a_guidance": lambda case: case.confirmed_on is not None,
    "death_clock": lambda case: case.is_death,
    "any_death": lambda case: case.is_death,
    "any_imported": lambda case: case.is_imported,
    "lab_pending": lambda case: case.is_pending,
}
"""The cases without which a rule raises nothing, where any case will not do."""

_AREAS_VI: Final = {"commune": "xã/phường", "district": "huyện/khu vực", "province": "tỉnh"}


def judge_all(
    book: RuleBook,
    disease: str,
    area: JudgedArea,
    facts: Facts,
    on: date,
    standing: Collection[Standing] = (),
    determined_at: datetime | None = None,
) -> list[Verdict]:
    """Every rule's verdict, in the order of the book; then what is about past periods.

    Past periods are the weeks and months of the last `late_days` that only late reports pushed over their
    criterion, and those of standing alerts, judged again.

    Args:
        book: The rules in force.
        disease: A code that the book knows.
        area: Of any kind; most rules judge communes only, and say so.
        facts: Of this disease in this area.
        on: The last day whose cases count.
        standing: Alerts that are raised now.
        determined_at: When the station determined "có dịch".

    Raises:
        KeyError: the book does not know the disease.
    """
    context = Context(book, book.diseases[disease], area, facts, on, determined_at)
    present: list[Verdict] = []
    past: list[Verdict] = []
    for rule in book.rules:
        finding = _judge(rule, context)
        present.append(_verdict(rule, context, _withdrawn(rule, finding, standing)))
        others = [*_late(rule, context), *_standing(rule, context, finding, standing)]
        past.extend(_verdict(rule, context, other) for other in _once(others))
    return [*present, *past]


def judge_raised(book: RuleBook, disease: str, area: JudgedArea, facts: Facts, on: date) -> list[Verdict]:
    """Of what `judge_all` answers only what raises an alert by counts, in the same order.

    Where no alert is open, nothing else has an effect. Of most counts that move, the few cases show before a
    rule is judged that it raises nothing: a fifth of the time.

    Args:
        book: The rules in force.
        disease: A code that the book knows.
        area: Of any kind.
        facts: Of this disease in this area.
        on: The last day whose cases count.

    Raises:
        KeyError: the book does not know the disease.
    """
    context = Context(book, book.diseases[disease], area, facts, on)
    present: list[Verdict] = []
    past: list[Verdict] = []
    for rule in book.rules:
        if not _may_raise(rule, context):
            continue
        finding = _judge(rule, context)
        if finding.outcome in RAISED:
            present.append(_verdict(rule, context, finding))
        past.extend(_verdict(rule, context, late) for late in _once(list(_late(rule, context))))
    return [*present, *past]


def _may_raise(rule: Rule, context: Context) -> bool:
    """False where the cases are too few, or none of the kind that the rule counts, on any day."""
    if rule.kind in _RAISES_NOTHING:
        return False
    if rule.kind == "outbreak_areas":
        return bool(context.facts.communes)
    needed = rule.numbers.get("cases", 1)
    if rule.kind == "weekly_linked":
        # As many without a known link raise, too.
        needed = min(needed, context.book.settings.verify_link_cases)
    cases, is_wanted = context.facts.cases, _WANTED_CASES.get(rule.kind)
    return len(cases) >= needed and (is_wanted is None or any(is_wanted(case) for case in cases))


def _judge(rule: Rule, context: Context) -> Finding:
    if not rule.is_in_force(context.on):
        return not_in_force(rule, context.on)
    # Since 2025-07-01 a surveillance area stands where a district stood, for the CDC's own rules.
    kind = "district" if context.area.kind == "surveillance" else context.area.kind
    if rule.area != kind:
        return not_applicable(
            f"quy định này xét theo {_AREAS_VI[rule.area]}", f"not applicable: the rule judges a {rule.area}"
        )
    return thresholds.out_of_scope(rule, context) or _JUDGES[rule.kind](rule, context)


def _late(rule: Rule, context: Context) -> Iterator[Finding]:
    """Findings about past weeks or months that hold only thanks to cases reported after their end."""
    if rule.kind not in _LATE_KINDS:
        return
    period_of = week_of if rule.kind == "weekly_band" else month_of
    since = context.on - timedelta(days=context.book.settings.late_days)
    present = period_of(context.on)
    past = {
        period_of(case.onset_day)
        for case in context.facts.cases
        if case.counts
        and case.onset_day < present.first
        and period_of(case.onset_day).last >= since
        and period_of(case.onset_day).last < case.report_day <= context.on
    }
    for period in sorted(past):
        finding = _judge(rule, context.at(period.last))
        if finding.is_late:
            yield finding


def _standing(
    rule: Rule, context: Context, present: Finding, standing: Collection[Standing]
) -> Iterator[Finding]:
    """Standing alerts of other periods, judged again at the end of their own."""
    for alert in standing:
        if alert.rule_id != rule.id or _is_period_of(alert, present):
            continue
        finding = _judge(rule, context.at(min(alert.period_end, context.on)))
        if _is_period_of(alert, finding):
            yield _withdrawn(rule, finding, standing)


def _is_period_of(alert: Standing, finding: Finding) -> bool:
    return finding.period is not None and finding.period.first == alert.period_start


def _withdrawn(rule: Rule, finding: Finding, standing: Collection[Standing]) -> Finding:
    """A "no" about the very period of a standing alert: its basis is gone, the alert is not."""
    is_standing = any(alert.rule_id == rule.id and _is_period_of(alert, finding) for alert in standing)
    if not is_standing or finding.outcome is not Outcome.NO:
        return finding
    return Finding(
        Outcome.NO_LONGER_MET,
        f"không còn đủ căn cứ: {finding.vi}",
        f"no longer met, basis withdrawn: {finding.en}",
        finding.numbers,
        finding.period,
        uses_history=finding.uses_history,
    )


def _once(findings: list[Finding]) -> list[Finding]:
    """One finding per period, the first of them."""
    by_period = {finding.period: finding for finding in reversed(findings)}
    return [by_period[period] for period in dict.fromkeys(finding.period for finding in findings)]


def _verdict(rule: Rule, context: Context, finding: Finding) -> Verdict:
    level = Level.NONE
    if finding.outcome in RAISED:
        level = finding.level or rule.level
    period = finding.period
    return Verdict(
        rule_id=rule.id,
        rule_version=context.book.version,
        verdict=finding.outcome,
        level=level,
        numbers=finding.numbers,
        why_vi=f"{rule.citation}: {finding.vi}",
        why_en=f"{rule.citation}: {finding.en}",
        area_id=context.area.id,
        disease=context.disease.code,
        judged_on=context.on,
        period_start=None if period is None else period.first,
        period_end=None if period is None else period.last,
        is_late=finding.is_late,
        is_reconstructed=finding.uses_history and context.area.is_reconstructed,
        is_digest_only=_is_digest_only(context, finding),
    )


def _is_digest_only(context: Context, finding: Finding) -> bool:
    """The disease is, or every case of the period is of a severity that is."""
    disease = context.disease
    if disease.is_digest_only:
        return True
    if finding.period is None or not disease.digest_only_severities:
        return False
    severities = {c.severity for c in context.by_onset(finding.period) if c.counts}
    severities |= {c.severity for c in context.by_report(finding.period) if c.counts}
    return bool(severities) and severities <= disease.digest_only_severities

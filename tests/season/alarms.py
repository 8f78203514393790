"""On which days each rule and each detector raises an alarm, given what was reported by then."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from schemas.catalogue import load_catalogue
from schemas.catalogue.rules import compose
from streams.domain.detectors import DETECTORS, Detector, SeriesSet, choose
from streams.domain.detectors.cusum import CusumOptions
from streams.domain.rules import Facts, JudgedArea, Outcome, RuleBook, Verdict, book_from
from streams.domain.rules.judge import judge_all
from tests.season.simulate import FIRST_JUDGED, FIRST_WEEK, HISTORY_WEEKS, JUDGED_WEEKS, Season

Alarms = Mapping[tuple[str, str, int], Collection[date]]
"""(method, disease, commune) -> days with an alarm; a key without a day: it judged, and raised none."""

AS_CHOSEN: Final = "as chosen"
JUDGED_RULES: Final = (
    "tt15_22_1b",
    "tt15_16_1b",
    "tt15_22_1c",
    "tt15_16_1c",
    "cdc_cases_in_7_days",
    "cdc_rate_30_days",
    "cdc_change_30_days",
)
VERIFY_LINK: Final = "tt15_22_1c, verify"
METHODS: Final = (*JUDGED_RULES[:3], VERIFY_LINK, *JUDGED_RULES[3:], AS_CHOSEN, *DETECTORS)
"""In the order of the table."""

# What the rules look back on day by day; single cases older than that are in the counts by day alone.
_DAYS_OF_CASES: Final = 100
_PROVINCE: Final = "province"


def packaged_rules() -> RuleBook:
    """The rules that the table is about, as they come with the package."""
    composed = compose(load_catalogue())
    book = book_from(1, composed.version, composed.content)
    return replace(book, rules=tuple(rule for rule in book.rules if rule.id in JUDGED_RULES))


def by_rules(season: Season, only: Collection[tuple[str, int]] | None = None) -> Alarms:
    """Judge each commune on the first day, and at the end of every day with a report of the disease there.

    As the watcher does when counts move. On other days a rule can only cease to hold (but for
    `cdc_change_30_days`, whose last year moves, too: what it would find then is not here).

    Args:
        season: What was reported when.
        only: (disease, commune) to judge; None: all.
    """
    book = packaged_rules()
    found: dict[tuple[str, str, int], set[date]] = {}
    for (disease, commune), cases in season.cases.items():
        if only is not None and (disease, commune) not in only:
            continue
        area = JudgedArea(f"commune-{commune}", "commune", f"Xã {commune}", _PROVINCE)
        by_onset: dict[date, int] = {}
        days = sorted({FIRST_JUDGED, *(c.report_day for c in cases if c.report_day >= FIRST_JUDGED)})
        seen = 0
        for today in days:
            while seen < len(cases) and cases[seen].report_day <= today:
                onset = cases[seen].onset_day
                by_onset[onset] = by_onset.get(onset, 0) + 1
                seen += 1
            since = today - timedelta(days=_DAYS_OF_CASES)
            facts = Facts(
                [case for case in cases[:seen] if case.report_day >= since],
                by_onset,
                known_from=FIRST_WEEK,
                population=season.population[commune],
            )
            for verdict in judge_all(book, disease, area, facts, today):
                for method in _methods_of(verdict):
                    raised = found.setdefault((method, disease, commune), set())
                    if verdict.is_raised and _is_of(verdict, method):
                        raised.add(today)
    return found


def _methods_of(verdict: Verdict) -> Iterator[str]:
    if verdict.verdict is not Outcome.NOT_APPLICABLE:
        yield verdict.rule_id
        if verdict.rule_id == "tt15_22_1c":
            yield VERIFY_LINK


def _is_of(verdict: Verdict, method: str) -> bool:
    return (verdict.verdict is Outcome.VERIFY_LINK) == (method == VERIFY_LINK)


@dataclass(frozen=True, slots=True)
class _Run:
    method: str
    detector: Detector[Any]
    options: Any


def _runs() -> Iterator[_Run]:
    """Every detector with its published settings, and the one that the documented table chooses."""
    chosen = choose(52, HISTORY_WEEKS)
    assert chosen is not None
    yield _Run(AS_CHOSEN, chosen.detector, chosen.options)
    for name, detector in DETECTORS.items():
        # The sum of CUSUM starts with the judged year, not anew in every week.
        options = CusumOptions(training=HISTORY_WEEKS) if name == "cusum" else detector.defaults
        yield _Run(name, detector, options)


def by_detectors(season: Season, only: Collection[tuple[str, int]] | None = None) -> Alarms:
    """Judge every week once, on its Sunday, by onset, with what was reported by then.

    Args:
        season: What was reported when.
        only: (disease, commune) to judge; None: all.
    """
    dates = np.datetime64(FIRST_WEEK) + 7 * np.arange(HISTORY_WEEKS + JUDGED_WEEKS)
    found: dict[tuple[str, str, int], set[date]] = {}
    for disease in dict.fromkeys(disease for disease, _ in season.cases):
        communes = [c for c in range(season.communes) if only is None or (disease, c) in only]
        for run in _runs():
            found.update({(run.method, disease, commune): set() for commune in communes})
        for row in range(HISTORY_WEEKS, HISTORY_WEEKS + JUDGED_WEEKS):
            sunday = FIRST_WEEK + timedelta(days=7 * row + 6)
            counts = season.weekly(disease, sunday)[: row + 1, communes]
            series = SeriesSet(counts, 52, dates[: row + 1])
            for run in _runs():
                alarm = run.detector.detect(series, [row], run.options).alarm[0]
                for column in np.flatnonzero(alarm).tolist():
                    found[run.method, disease, communes[column]].add(sunday)
    return found


def by_all(season: Season, only: Collection[tuple[str, int]] | None = None) -> Alarms:
    """Rules and detectors."""
    return {**by_rules(season, only), **by_detectors(season, only)}

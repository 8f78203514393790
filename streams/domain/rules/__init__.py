"""The rules: the law's own criteria and the CDC's thresholds, judged in whole numbers.

`judge_all` gives every rule's verdict, `judge_raised` those that raise an alert; docs/rules.md says how the
law is read.
"""

from streams.domain.rules.book import RuleBook, Settings, book_from
from streams.domain.rules.clocks import DeathClocks, death_clocks, notice_due
from streams.domain.rules.facts import CaseFact, CommuneFacts, Facts, JudgedArea, Notice, case_fact
from streams.domain.rules.judge import judge_all, judge_raised
from streams.domain.rules.verdicts import RAISED, Level, Outcome, Standing, Verdict

__all__ = [
    "RAISED",
    "CaseFact",
    "CommuneFacts",
    "DeathClocks",
    "Facts",
    "JudgedArea",
    "Level",
    "Notice",
    "Outcome",
    "RuleBook",
    "Settings",
    "Standing",
    "Verdict",
    "book_from",
    "case_fact",
    "death_clocks",
    "judge_all",
    "judge_raised",
    "notice_due",
]

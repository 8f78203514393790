"""What a rule sees when it judges, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from streams.domain.calendar import Period
from streams.domain.rules.book import DiseaseFacts, Group, Rule, RuleBook
from streams.domain.rules.facts import CaseFact, Facts, JudgedArea
from streams.domain.rules.verdicts import Level, Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict before it is put into its envelope. `level` None is the rule's own where it is raised."""

    outcome: Outcome
    vi: str
    en: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    period: Period | None = None
    level: Level | None = None
    is_late: bool = False
    uses_history: bool = False


class Endemic(StrEnum):
    """Whether a disease is endemic in the commune, as far as can be told."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Endemicity:
    """The answer, and why."""

    answer: Endemic
    vi: str
    en: str
    years_with_cases: int | None = None

    def numbers(self) -> dict[str, Any]:
        """For the verdict."""
        return {"endemic": self.answer.value, "years_with_cases": self.years_with_cases}


@dataclass(frozen=True, slots=True)
class Context:
    """One disease in one area at the end of one day.

    Attributes:
        determined_at: When the station determined "có dịch"; None: it has not.
        remembered: What rules have worked out already, by year; the same on every day.
    """

    book: RuleBook
    disease: DiseaseFacts
    area: JudgedArea
    facts: Facts
    on: date
    determined_at: datetime | None = None
    remembered: dict[int, Endemicity] = field(default_factory=dict, compare=False, repr=False)

    @property
    def group(self) -> Group | None:
        """The disease's legal group on the day judged."""
        return self.disease.group_on(self.on)

    def at(self, day: date) -> "Context":
        """The same question at the end of another day."""
        return replace(self, on=day)

    def by_onset(self, period: Period) -> list[CaseFact]:
        """Cases of a period by day of onset, to the end of the day judged."""
        return [c for c in self.facts.cases if c.onset_day in period and c.onset_day <= self.on]

    def by_report(self, period: Period) -> list[CaseFact]:
        """Cases of a period by day of report, to the end of the day judged."""
        return [c for c in self.facts.cases if c.report_day in period and c.report_day <= self.on]

    def window(self, days: int) -> Period:
        """So many rolling days, the day judged the last of them."""
        return Period(self.on - timedelta(days=days - 1), self.on)


def not_applicable(vi: str, en: str, **numbers: Any) -> Finding:
    """The rule does not speak here."""
    return Finding(Outcome.NOT_APPLICABLE, vi, en, numbers)


def not_in_force(rule: Rule, day: date) -> Finding:
    """The rule does not judge on this day."""
    if rule.valid_from is not None and day < rule.valid_from:
        return not_applicable(
            f"chưa có hiệu lực vào {day:%d/%m/%Y} (từ {rule.valid_from:%d/%m/%Y})",
            f"not applicable: in force from {rule.valid_from}",
        )
    return not_applicable(
        f"hết hiệu lực vào {day:%d/%m/%Y} (đến hết {rule.valid_to:%d/%m/%Y})",
        f"not applicable: in force until {rule.valid_to}",
    )

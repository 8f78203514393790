"""What a rule answers: the verdict, the numbers that went into it, and why, in Vietnamese and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final


class Outcome(StrEnum):
    """Every answer that a rule can give; docs/rules.md explains them to staff."""

    ALERT = "alert"
    """The criterion for an alert is met."""
    ABOVE_BAND = "above_band"
    """The week is above mean + 2 SD: the text does not name it, we alert."""
    OUTBREAK = "outbreak"
    """The criterion for "có dịch" is met; the station determines it."""
    VERIFY_LINK = "verify_link"
    """Enough cases, but not known to be linked: find out."""
    DUTY = "duty"
    """A deadline of the law runs."""

    ENDED_PROPOSED = "ended_proposed"
    """The criterion for the end is met; the station decides."""
    STAYS_OPEN = "stays_open"
    """An outbreak is open and its end is not reached."""

    NO = "no"
    """Judged, and not met."""
    NO_LONGER_MET = "no_longer_met"
    """Was met for this period until a case was withdrawn."""
    RESPONDER = "responder"
    """Who responds; nothing is raised."""

    NOT_ENOUGH_HISTORY = "not_enough_history"
    """Too few usable years; the detectors run."""
    NOT_COMPUTABLE = "not_computable"
    """Something that the rule needs is not loaded or is for a person to say."""
    NOT_APPLICABLE = "not_applicable"
    """The rule does not speak about this disease, area or day."""


RAISED: Final = frozenset(
    {Outcome.ALERT, Outcome.ABOVE_BAND, Outcome.OUTBREAK, Outcome.VERIFY_LINK, Outcome.DUTY}
)
"""The answers that open an alert."""


class Level(StrEnum):
    """How loud a verdict is; the order of the members is the order of loudness."""

    NONE = "none"
    ATTENTION = "attention"
    ALERT = "alert"
    ABOVE_BAND = "above_band"
    OUTBREAK = "outbreak"

    @property
    def rank(self) -> int:
        """0 for none to 4 for an outbreak."""
        return _LEVELS.index(self)


_LEVELS: Final = tuple(Level)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's answer about one disease in one area.

    Attributes:
        rule_id: Which rule.
        rule_version: Of the whole rule book that judged (hash of its content).
        numbers: All that went in, ready for JSON.
        judged_on: Cases count to the end of this day.
        period_start, period_end: The whole period judged (a week to its Sunday); None where there is none.
        is_late: Met only thanks to cases reported after the period's end.
        is_reconstructed: The history is the sum of several old communes, or of parts of them.
        is_digest_only: Never to be delivered case by case.
    """

    rule_id: str
    rule_version: str
    verdict: Outcome
    level: Level
    numbers: Mapping[str, Any]
    why_vi: str
    why_en: str
    area_id: str
    disease: str
    judged_on: date
    period_start: date | None = None
    period_end: date | None = None
    is_late: bool = False
    is_reconstructed: bool = False
    is_digest_only: bool = False

    @property
    def is_raised(self) -> bool:
        """Whether it opens (or joins) an alert."""
        return self.verdict in RAISED

    @property
    def key(self) -> tuple[str, str, str]:
        """(rule, disease, area): what an alert is about."""
        return (self.rule_id, self.disease, self.area_id)

    def document(self) -> dict[str, Any]:
        """As `canhdich rules check --json` shows it."""
        return {
            "rule": self.rule_id,
            "verdict": self.verdict.value,
            "level": self.level.value,
            "numbers": dict(self.numbers),
            "why": f"{self.why_vi} / {self.why_en}",
            "why_vi": self.why_vi,
            "why_en": self.why_en,
            "disease": self.disease,
            "area_id": self.area_id,
            "judged_on": self.judged_on.isoformat(),
            "period_start": None if self.period_start is None else self.period_start.isoformat(),
            "period_end": None if self.period_end is None else self.period_end.isoformat(),
            "is_late": self.is_late,
            "is_reconstructed": self.is_reconstructed,
            "is_digest_only": self.is_digest_only,
            "rule_version": self.rule_version,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert that is raised now: judged again for its own period."""

    rule_id: str
    period_start: date
    period_end: date

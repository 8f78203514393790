"""Judge the rules for one disease in one area: gather what is known through the ports; the domain judges.

Synchronous: an agent calls it in a thread of its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from streams.domain.calendar import month_of, previous_month
from streams.domain.errors import ConfigurationError
from streams.domain.rules import Facts, JudgedArea, RuleBook, Standing, Verdict
from streams.domain.rules import judge_all as judge


@dataclass(frozen=True, slots=True)
class Asked:
    """Which facts are wanted.

    Attributes:
        on: The last day whose cases count.
        cases_since: Cases one by one from this day of onset or report on.
        history_since: Counts by day from this day of onset on.
        left_out: Diseases whose first case does not say since when there are records.
        wants_communes: Of a district or province also its communes' cases.
    """

    disease: str
    area_id: str
    on: date
    cases_since: date
    history_since: date
    left_out: Collection[str]
    wants_communes: bool


class Rules(Protocol):
    """The rule book in force."""

    def in_force(self) -> RuleBook:
        """Raises ConfigurationError where none was ever loaded, DependencyDown where nobody answers."""


class RuleHistory(Protocol):
    """What is known of a disease in an area, in one view of the counts."""

    def facts(self, asked: Asked) -> tuple[JudgedArea, Facts]:
        """Everything but population and reporters.

        An area that was not valid on the day is read as the one that it was, or became, then.

        Raises:
            ConfigurationError: there is no such area then.
            DependencyDown: the database does not answer.
        """


class Populations(Protocol):
    """How many people live in an area."""

    def population(self, area_id: str, on: date) -> int | None:
        """None where it is not loaded."""


class Reporters(Protocol):
    """Who reports, and who has fallen silent."""

    def silent(self, area_id: str, on: date, days: int) -> Sequence[str] | None:
        """Codes of facilities that reported before and not within so many days; None where nobody watches."""


class UnknownPopulations:
    """Populations before any are loaded."""

    def population(self, area_id: str, on: date) -> int | None:
        """Not known."""
        return None


class UnwatchedReporters:
    """Reporters before anybody watches them."""

    def silent(self, area_id: str, on: date, days: int) -> Sequence[str] | None:
        """Not known."""
        return None


class JudgeRules:
    """Every rule's verdict, for whoever asks: the command line, the watcher, the sweep."""

    def __init__(
        self,
        rules: Rules,
        history: RuleHistory,
        populations: Populations | None = None,
        reporters: Reporters | None = None,
    ) -> None:
        self._rules = rules
        self._history = history
        self._populations = populations or UnknownPopulations()
        self._reporters = reporters or UnwatchedReporters()

    def judge_all(
        self,
        disease: str,
        area_id: str,
        on: date,
        *,
        standing: Collection[Standing] = (),
        determined_at: datetime | None = None,
    ) -> list[Verdict]:
        """Every rule's verdict at the end of a day; see streams.domain.rules.judge_all.

        Raises:
            ConfigurationError: no rules are loaded, or the disease or the area is not known.
            DependencyDown: the database does not answer.
        """
        book = self._rules.in_force()
        if disease not in book.diseases:
            raise ConfigurationError(f"{disease}: the rules in force know no such disease.")
        area, facts = self._history.facts(_asked(book, disease, area_id, on, standing))
        facts = replace(
            facts,
            population=self._population(book, area, facts, on),
            silent_reporters=self._silent_reporters(book, area, on),
        )
        return judge(book, disease, area, facts, on, standing, determined_at)

    def _population(self, book: RuleBook, area: JudgedArea, facts: Facts, on: date) -> int | None:
        """Asked only where there are cases enough for a rate to be looked at."""
        least = [rule.numbers["cases"] for rule in book.rules if rule.kind == "rate_in_window"]
        if not least or len(facts.cases) < min(least):
            return None
        return self._populations.population(area.id, on)

    def _silent_reporters(self, book: RuleBook, area: JudgedArea, on: date) -> dict[int, Sequence[str]]:
        """Asked only where a rule judges this kind of area by them."""
        silent: dict[int, Sequence[str]] = {}
        if area.kind in ("district", "surveillance"):
            for days in {rule.numbers["days"] for rule in book.rules if rule.kind == "silent_reporter"}:
                codes = self._reporters.silent(area.id, on, days)
                if codes is not None:
                    silent[days] = codes
        return silent


def _asked(book: RuleBook, disease: str, area_id: str, on: date, standing: Collection[Standing]) -> Asked:
    settings = book.settings
    oldest = min([on, *(alert.period_start for alert in standing)])
    month = month_of(oldest)
    for _ in range(settings.ending_months):
        month = previous_month(month)
    windows = [
        settings.group_a_days,
        settings.late_days,
        *(rule.numbers["days"] for rule in book.rules if "days" in rule.numbers),
    ]
    years = settings.history_years + (settings.further_back_years if settings.look_further_back else 0)
    # One year more: the months of an ending and the weeks of late reports may lie in the year before.
    return Asked(
        disease,
        area_id,
        on,
        cases_since=min(month.first, on - timedelta(days=max(windows))),
        history_since=date(month.first.year - years - 1, 1, 1),
        left_out=[code for code, facts in book.diseases.items() if facts.is_digest_only],
        wants_communes=any(rule.kind == "outbreak_areas" and rule.is_in_force(on) for rule in book.rules),
    )

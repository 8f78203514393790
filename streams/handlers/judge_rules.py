"""Judge the rules for one disease in one area: gather what is known through the ports; the domain judges.

Synchronous: an agent calls it in a thread of its own.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from streams.domain.calendar import Period, month_of, previous_month
from streams.domain.errors import ConfigurationError
from streams.domain.rules import Facts, JudgedArea, RuleBook, Standing, Verdict, judge_raised
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
        wants_deaths: Of a commune also the days of death in its district.
        kinds: Of an area of another kind nothing is wanted; None: of every one something is.
    """

    disease: str
    area_id: str
    on: date
    cases_since: date
    history_since: date
    left_out: Collection[str]
    wants_communes: bool
    wants_deaths: bool
    kinds: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One disease in one area to be judged.

    Attributes:
        standing: Its alerts that are raised now.
        determined_at: When the station determined "có dịch".
        is_open: Whether somebody still has to deal with an alert of it.
    """

    disease: str
    area_id: str
    standing: Collection[Standing] = ()
    determined_at: datetime | None = None
    is_open: bool = True


_BY_TIME: Final = "silent_reporter"
"""The one kind of rule that no count moves."""


class Rules(Protocol):
    """The rule book in force."""

    def in_force(self) -> RuleBook:
        """Raises ConfigurationError where none was ever loaded, DependencyDown where nobody answers."""


class RuleHistory(Protocol):
    """What is known of a disease in an area, in one view of the counts."""

    def facts_of(self, asked: Sequence[Asked]) -> Sequence[tuple[JudgedArea, Facts] | None]:
        """Everything but population and reporters, in the order asked; None for a kind that is not wanted.

        An area that was not valid on the day is read as the one that it was, or became, then.

        Args:
            asked: All about the same day.

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
        self._answering_of: tuple[RuleBook, date] | None = None
        self._answering: dict[str, RuleBook] = {}

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
        (verdicts,) = self.judge_many([Question(disease, area_id, standing, determined_at)], on)
        return verdicts

    def judge_many(
        self, questions: Sequence[Question], on: date, *, has_moved: bool = False
    ) -> list[list[Verdict]]:
        """The verdicts about many diseases and areas, in the order asked.

        Args:
            questions: What is judged.
            on: The last day whose cases count.
            has_moved: Only what a count that moved can change is wanted: reporters fall silent by the passing
                of time and are not asked; where no other rule in force judges that kind of area and nothing
                stands, there is no verdict; and where no alert is open, only those that raise one.

        Raises:
            ConfigurationError: no rules are loaded, or a disease or an area is not known.
            DependencyDown: the database does not answer.
        """
        book = self._rules.in_force()
        for question in questions:
            if question.disease not in book.diseases:
                raise ConfigurationError(f"{question.disease}: the rules in force know no such disease.")
        kinds = _kinds_counted(book, on) if has_moved else None
        asked = list(_asked(book, questions, on, kinds))
        verdicts: list[list[Verdict]] = []
        for question, found in zip(questions, self._history.facts_of(asked), strict=True):
            if found is None:
                verdicts.append([])
                continue
            area, facts = found
            facts = replace(
                facts,
                population=self._population(book, area, facts, on),
                silent_reporters={} if has_moved else self._silent_reporters(book, area, on),
            )
            rules = book
            if has_moved and not question.standing:
                rules = self._book_of(book, question.disease, on)
            if has_moved and not question.is_open:
                verdicts.append(judge_raised(rules, question.disease, area, facts, on))
            else:
                verdicts.append(
                    judge(rules, question.disease, area, facts, on, question.standing, question.determined_at)
                )
        return verdicts

    def _book_of(self, book: RuleBook, disease: str, on: date) -> RuleBook:
        """The rules that can answer about a disease, put together once a day."""
        known = self._answering_of
        if known is None or known[0] is not book or known[1] != on:
            self._answering_of, self._answering = (book, on), {}
        if disease not in self._answering:
            self._answering[disease] = _answering(book, disease, on)
        return self._answering[disease]

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


def _kinds_counted(book: RuleBook, on: date) -> set[str]:
    """The kinds of area that a rule in force judges by what is counted there."""
    kinds: set[str] = {rule.area for rule in book.rules if rule.is_in_force(on) and rule.kind != _BY_TIME}
    return kinds | {"surveillance"} if "district" in kinds else kinds


def _answering(book: RuleBook, disease: str, on: date) -> RuleBook:
    """The book without the rules that can only say that they do not apply: most of the time of judging."""
    # Late reports are judged by the rule of their own week or month.
    oldest = on - timedelta(days=book.settings.late_days + 31)
    rules = (
        rule
        for rule in book.rules
        if rule.kind != _BY_TIME
        and (rule.diseases is None or disease in rule.diseases)
        and (rule.valid_from is None or rule.valid_from <= on)
        and (rule.valid_to is None or rule.valid_to >= oldest)
    )
    return replace(book, rules=tuple(rules))


def _asked(
    book: RuleBook, questions: Sequence[Question], on: date, kinds: Collection[str] | None
) -> Iterator[Asked]:
    settings = book.settings
    windows = [
        settings.group_a_days,
        settings.late_days,
        *(rule.numbers["days"] for rule in book.rules if "days" in rule.numbers),
    ]
    # One year more: the months of an ending and the weeks of late reports may lie in the year before.
    years = settings.history_years + (settings.further_back_years if settings.look_further_back else 0) + 1
    left_out = [code for code, facts in book.diseases.items() if facts.is_digest_only]
    in_force = {rule.kind for rule in book.rules if rule.is_in_force(on)}
    since: dict[Period, tuple[date, date]] = {}
    for question in questions:
        month = month_of(min([on, *(alert.period_start for alert in question.standing)]))
        if month not in since:
            first = _months_before(month, settings.ending_months).first
            since[month] = min(first, on - timedelta(days=max(windows))), date(first.year - years, 1, 1)
        cases_since, history_since = since[month]
        yield Asked(
            question.disease,
            question.area_id,
            on,
            cases_since=cases_since,
            history_since=history_since,
            left_out=left_out,
            wants_communes="outbreak_areas" in in_force,
            wants_deaths="responder" in in_force,
            # What stands is judged by the rule that raised it, in force or not.
            kinds=None if question.standing else kinds,
        )


def _months_before(month: Period, number: int) -> Period:
    for _ in range(number):
        month = previous_month(month)
    return month

"""What a situation report is made of: figures with the questions they answer, checked against each other.

A contradiction is refused where the facts are made, so no sentence can hold one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from streams.domain.calendar import Period

Command = Literal[
    "counts", "tallies", "foci", "alerts", "delays", "nowcast", "completeness", "silent", "cases groups"
]


@dataclass(frozen=True, slots=True)
class Query:
    """Where a figure comes from: a command of `canhdich`, the rows of its answer, and their column.

    Attributes:
        command: Its name.
        options: Its options without the dashes, e.g. {"province": "12", "by": ["disease"]}.
        where: Column -> value of the rows that are added up; all rows where it is empty.
        column: What is added up; `*` counts the rows.
    """

    command: Command
    options: Mapping[str, Any]
    where: Mapping[str, Any]
    column: str

    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "command": self.command,
            "options": dict(self.options),
            "where": dict(self.where),
            "column": self.column,
        }


@dataclass(frozen=True, slots=True)
class Figure:
    """A whole number of the report. `minus`: the query's answer less another one's."""

    value: int
    query: Query
    minus: Query | None = None

    def document(self) -> dict[str, Any]:
        """As JSON holds it."""
        found = {"value": self.value, "query": self.query.document()}
        return found if self.minus is None else {**found, "minus": self.minus.document()}


@dataclass(frozen=True, slots=True)
class Share:
    """One figure as a part of another."""

    of: Figure
    whole: Figure

    @property
    def value(self) -> Fraction:
        """0 to 1, or more where a plan is exceeded."""
        return Fraction(self.of.value, self.whole.value)

    def document(self) -> dict[str, Any]:
        """As JSON holds it: the value is in percent, rounded to two decimals."""
        return {
            "value": round(float(self.value * 100), 2),
            "of": self.of.document(),
            "whole": self.whole.document(),
        }


@dataclass(frozen=True, slots=True)
class Place:
    """How many of something were in one area; `name` None: not known where. `region`: see docs/report.md."""

    name: str | None
    count: Figure
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What a figure was in the same period before. `year` None: the period is in two years."""

    year: int | None
    previous: Figure
    change: Figure


@dataclass(frozen=True, slots=True)
class NotCompared:
    """The same period before is not known throughout: the figure stands without a comparison."""

    period: Period


Comparison = Compared | NotCompared


@dataclass(frozen=True, slots=True)
class AgentCount:
    """Cases that are positive for an agent; one case may be so for several."""

    code: str
    name_vi: str
    name_en: str
    count: Figure


@dataclass(frozen=True, slots=True)
class Laboratory:
    """How cases are divided by their results; those without any are in none of the three."""

    positive: Figure
    negative: Figure
    pending: Figure
    agents: tuple[AgentCount, ...] = ()


@dataclass(frozen=True, slots=True)
class TallyFacts:
    """A figure that an office reported as a sum. `is_complete` False: not all of the period is reported."""

    indicator: str
    value: Figure
    target: Figure | None = None
    comparison: Comparison | None = None
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class DiseaseFacts:
    """One disease in the period.

    Attributes:
        places: Where its cases were, every area; empty where the report does not name places.
        death_places: Where its deaths were counted, every area.
        is_syndrome: The laboratory makes other diseases of it.
        resolved: Of the notified cases, those found as cases of a syndrome.

    Raises:
        ValueError: the figures contradict each other; says how.
    """

    code: str
    label_vi: str
    label_en: str
    notified: Figure
    deaths: Figure
    comparison: Comparison
    death_comparison: Comparison
    laboratory: Laboratory
    imported: Figure
    discarded: Figure
    resolved: Figure
    is_syndrome: bool = False
    places: tuple[Place, ...] = ()
    death_places: tuple[Place, ...] = ()
    exposures: TallyFacts | None = None
    tallies: tuple[TallyFacts, ...] = ()

    def __post_init__(self) -> None:
        cases = self.notified.value
        lab = self.laboratory
        results = lab.positive.value + lab.negative.value + lab.pending.value
        for name, value in (
            ("deaths", self.deaths.value),
            ("imported", self.imported.value),
            ("discarded", self.discarded.value),
            ("laboratory results", results),
            ("cases of a syndrome", self.resolved.value),
            *((f"positive for {agent.code}", agent.count.value) for agent in lab.agents),
        ):
            if not 0 <= value <= cases:
                raise ValueError(f"{self.code}: {value} {name} of {cases} cases")
        self._check_places("cases", self.places, self.notified)
        self._check_places("deaths", self.death_places, self.deaths)
        for figure, comparison in (
            (self.notified, self.comparison),
            (self.deaths, self.death_comparison),
        ):
            check_comparison(self.code, figure, comparison)

    def _check_places(self, what: str, places: Sequence[Place], total: Figure) -> None:
        if places and sum(place.count.value for place in places) != total.value:
            raise ValueError(f"{self.code}: the places of {what} do not add up to {total.value}")
        if any(place.count.value <= 0 for place in places):
            raise ValueError(f"{self.code}: a place without {what}")


def check_comparison(what: str, figure: Figure, comparison: Comparison | None) -> None:
    """Refuse a change that is not the difference of its figures.

    Raises:
        ValueError: it is not.
    """
    if isinstance(comparison, Compared) and (
        comparison.change.value != figure.value - comparison.previous.value or comparison.previous.value < 0
    ):
        raise ValueError(
            f"{what}: {figure.value} less {comparison.previous.value} is not {comparison.change.value}"
        )


@dataclass(frozen=True, slots=True)
class FocusFacts:
    """One food poisoning; a number that is not known is None."""

    place: str
    started_on: date | None
    exposed: Figure | None
    ill: Figure | None
    hospitalised: Figure | None
    dead: Figure | None


@dataclass(frozen=True, slots=True)
class FoodPoisoning:
    """The food poisonings of the period; totals are the office's own where it gave them.

    Attributes:
        incomplete: Of the totals, those that the rows do not add up to.
        at_least: Of the totals, those that are sums of rows of which some do not say.
    """

    events: Figure
    ill: Figure | None
    hospitalised: Figure | None
    dead: Figure | None
    rows: tuple[FocusFacts, ...]
    incomplete: tuple[str, ...] = ()
    at_least: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """An alert of the period and where it stands. `level` and `state` as in streams.domain.alerts."""

    alert_id: str
    disease_vi: str
    disease_en: str
    area: str
    level: str
    state: str
    is_met: bool
    rule: str
    period: Period | None
    cases: Figure
    determined_on: date | None
    ended_on: date | None

    @property
    def is_outbreak(self) -> bool:
        """Whether it tells of an outbreak that nobody has dismissed or ended before the period was over."""
        return self.state != "dismissed" and (
            self.determined_on is not None or (self.level == "outbreak" and self.is_met)
        )


@dataclass(frozen=True, slots=True)
class OutbreakFocus:
    """An outbreak focus (ổ dịch) of the period."""

    disease_vi: str
    disease_en: str
    place: str
    started_on: date | None
    ended_on: date | None
    ill: Figure | None
    dead: Figure | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The last weeks of the period, whose reports are still coming in: cases counted and expected."""

    first: date
    last: date
    counted: Figure
    expected: int
    lower: int
    upper: int


@dataclass(frozen=True, slots=True)
class Forms:
    """How far the forms of the period's cases are filled in.

    Attributes:
        cases: Cases that have a form: none where only tallies are known.
        incomplete: Of them, those that lack a field.
        filled: Of all fields that the forms ask for, those that are filled in; None where there is no case.

    Raises:
        ValueError: the figures contradict each other.
    """

    cases: Figure
    incomplete: Figure
    filled: Share | None

    def __post_init__(self) -> None:
        whole = self.filled is not None and self.filled.of.value == self.filled.whole.value
        if not 0 <= self.incomplete.value <= self.cases.value or (
            self.cases.value > 0 and whole == (self.incomplete.value > 0)
        ):
            raise ValueError(f"{self.incomplete.value} incomplete forms of {self.cases.value}: {self.filled}")


@dataclass(frozen=True, slots=True)
class Reporters:
    """Who should have reported in the period, by their own habit, and who did.

    Attributes:
        regular: Reporters that report by the week, judged at the end of the period's last whole week.
        heard: Of them, those that sent anything in its weeks.
        silent: Of them, those that had fallen silent by its end.

    Raises:
        ValueError: the figures contradict each other.
    """

    regular: Figure
    heard: Figure
    silent: Figure

    def __post_init__(self) -> None:
        for name, figure in (("heard", self.heard), ("silent", self.silent)):
            if not 0 <= figure.value <= self.regular.value:
                raise ValueError(f"{figure.value} {name} of {self.regular.value} reporters")


@dataclass(frozen=True, slots=True)
class Quality:
    """What to know of the figures. None: not known.

    Attributes:
        reporters: Who reported, of those who should have.
        forms: How far their forms are filled in.
        judged, late: Cases whose report can be judged against the law's deadline, and those past it.
        no_onset: Cases without a day of onset: they stand on their day of report.
        approximate: Cases whose area is uncertain since areas were merged or split.
        from_tallies: Cases that only a tally knows.
        estimate: None where the period's last weeks are long over.
        no_estimate: Why there is none although they are not, in both languages.
        is_provisional: Events of before the as-of instant may still come.
    """

    reporters: Reporters | None = None
    forms: Forms | None = None
    judged: Figure | None = None
    late: Figure | None = None
    no_onset: Figure | None = None
    approximate: Figure | None = None
    from_tallies: Figure | None = None
    estimate: Estimate | None = None
    no_estimate: tuple[str, str] | None = None
    is_provisional: bool = False


@dataclass(frozen=True, slots=True)
class SituationFacts:
    """All that a situation report says.

    Attributes:
        cases, deaths: Of all diseases, each case once.
        diseases: Those with cases, deaths or tallies now, or cases in the same period before; the
            catalogue's order.
        alerts: Of the levels of the law; those below it are only counted, in `attention`.
        merged_from: The provinces whose figures of before are added up, where it is a merged one.

    Raises:
        ValueError: the totals contradict the diseases.
    """

    province_vi: str
    period: Period
    cases: Figure
    deaths: Figure
    diseases: tuple[DiseaseFacts, ...]
    food_poisoning: FoodPoisoning | None = None
    alerts: tuple[AlertFacts, ...] = ()
    attention: Figure | None = None
    foci: tuple[OutbreakFocus, ...] = ()
    quality: Quality = field(default_factory=Quality)
    merged_from: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, total in (("notified", self.cases), ("deaths", self.deaths)):
            found = sum(getattr(disease, name).value for disease in self.diseases)
            resolved = sum(disease.resolved.value for disease in self.diseases)
            # A case of a syndrome that the laboratory named is in two diseases and once in the total.
            if not found - resolved <= total.value <= found:
                raise ValueError(f"{name}: {total.value} in all, {found} in the diseases")

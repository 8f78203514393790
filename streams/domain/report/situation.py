"""The situation report: paragraphs made of text and figures, derived from the facts alone.

Which sentence is said follows from the figures: what is not known is left out and said in a footnote, and
what the figures contradict cannot be said (docs/report.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from streams.domain.calendar import Period
from streams.domain.report.facts import (
    AlertFacts,
    Compared,
    Comparison,
    DiseaseFacts,
    Figure,
    FocusFacts,
    NotCompared,
    OutbreakFocus,
    Place,
    Quality,
    Share,
    SituationFacts,
    TallyFacts,
)
from streams.domain.report.language import day_text
from streams.domain.report.text import Mark, Part, Parts, Sentences, plain

ABOUT_PERCENT: Final = 5
"""A change of up to this many percent of last year's figure is called "tương đương", as real reports do."""

MOST_PLACES: Final = 3
"""More areas than these are left to the annex."""

_ISOLATION: Final = frozenset(
    {
        "isolated_total",
        "isolated_done",
        "isolated_done_f1",
        "isolated_done_f2",
        "isolated_done_f3",
        "isolated_now",
        "isolated_now_facility",
        "isolated_now_centre",
        "isolated_now_home",
    }
)

SectionKey = Literal["opening", "diseases", "food_poisoning", "alerts", "quality", "closing"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences. `is_item`: one of a list. `disease`: whom it is about."""

    parts: Parts
    is_item: bool = False
    disease: str | None = None

    @property
    def text(self) -> str:
        """Its plain text, references to footnotes as [1]."""
        return plain(self.parts)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report under one heading."""

    key: str
    title: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The text of a report; footnotes are numbered from 1 in their order."""

    sections: tuple[Section, ...]
    footnotes: tuple[Parts, ...]


def write_situation(facts: SituationFacts, sentences: Sentences) -> Report:
    """The situation report in one language."""
    return _Writer(facts, sentences).report()


class _Writer:
    def __init__(self, facts: SituationFacts, sentences: Sentences) -> None:
        self._facts = facts
        self._s = sentences
        self._lang = sentences.lang
        self._footnotes: list[Parts] = []

    def report(self) -> Report:
        sections = (
            self._section("opening", self._opening()),
            self._section("diseases", self._diseases()),
            self._section("food_poisoning", self._food_poisoning()),
            self._section("alerts", self._alerts()),
            self._section("quality", self._quality()),
            self._section("closing", [Paragraph(self._s.say("closing"))]),
        )
        return Report(tuple(s for s in sections if s.paragraphs), tuple(self._footnotes))

    def _section(self, key: SectionKey, paragraphs: Iterable[Paragraph]) -> Section:
        return Section(key, self._s.names["sections"][key], tuple(paragraphs))

    # Opening ---------------------------------------------------------------------------------------------

    def _opening(self) -> list[Paragraph]:
        s, facts = self._s, self._facts
        outbreaks = [alert for alert in facts.alerts if alert.is_outbreak]
        values: dict[str, Any] = {
            "when": self._when(facts.period),
            "province": self._s.place(facts.province_vi),
        }
        if outbreaks or facts.foci:
            state = s.say("unstable", **values)
        elif facts.cases.value == 0:
            state = s.say("no_cases", **values)
        else:
            state = s.say("stable", **values)
        if facts.cases.value == 0:
            return [Paragraph(state)]
        total = s.say("total", cases=s.count("case", facts.cases), deaths=self._of_which_deaths(facts.deaths))
        return [Paragraph((*state, " ", *total, *self._merged()))]

    def _of_which_deaths(self, deaths: Figure) -> Parts:
        if deaths.value == 0:
            return self._s.say("no_deaths")
        return self._s.say("of_which_deaths", deaths=self._s.count("death", deaths))

    def _merged(self) -> Parts:
        names = self._facts.merged_from
        if len(names) < 2:
            return ()
        listed = self._s.listed([(self._s.place(name),) for name in names])
        return (self._footnote(self._s.say("merged", provinces=listed)),)

    # Diseases --------------------------------------------------------------------------------------------

    def _diseases(self) -> list[Paragraph]:
        found = []
        for disease in self._facts.diseases:
            told_by_syndrome = 0 < disease.notified.value == disease.resolved.value
            if told_by_syndrome and not disease.tallies and disease.exposures is None:
                continue
            found.append(self._disease(disease))
        return found

    def _disease(self, disease: DiseaseFacts) -> Paragraph:
        s = self._s
        label = disease.label_vi if self._lang == "vi" else disease.label_en
        said: list[Parts] = []
        if disease.exposures is not None:
            said.append(self._exposures(disease.code, disease.exposures))
        is_counted = disease.notified.value > 0 or isinstance(disease.comparison, Compared)
        if is_counted or not (disease.tallies or disease.exposures):
            said.append(self._found(disease))
            said += self._deaths(disease)
            said += self._imported(disease)
            if 0 < disease.resolved.value < disease.notified.value:
                said.append(s.say("resolved", cases=s.count("case", disease.resolved)))
        said += self._tallies(disease)
        text: list[Part] = [f"{label}: "]
        for number, sentence in enumerate(said):
            text.extend((" ", *sentence) if number else sentence)
        return Paragraph(tuple(text), is_item=True, disease=disease.code)

    def _found(self, disease: DiseaseFacts) -> Parts:
        s = self._s
        comparison, note = self._comparison(disease.comparison, disease.notified, "case", disease.code)
        if disease.notified.value == 0:
            return (*s.say("not_found", disease.code, comparison=comparison), *note)
        if disease.deaths.value == 0:
            deaths = s.say("no_deaths", disease.code)
        elif self._has_one_known_place(disease.death_places):
            deaths = s.say(
                "deaths_at",
                disease.code,
                deaths=s.count("death", disease.deaths),
                place=self._place_of(disease.death_places[0]),
            )
        else:
            deaths = ()
        found = s.say(
            "found",
            disease.code,
            cases=s.count("case", disease.notified),
            kind=self._kind(disease),
            at=self._at(disease.places),
            laboratory=self._laboratory(disease),
            comparison=comparison,
            deaths=deaths,
        )
        return (*found, *note)

    def _kind(self, disease: DiseaseFacts) -> Parts:
        """Cases that are negative, pending or discarded were suspected; a syndrome's name says so."""
        if disease.is_syndrome:
            return ()
        lab = disease.laboratory
        is_suspected = lab.negative.value + lab.pending.value + disease.discarded.value > 0
        return self._s.say("suspected_cases" if is_suspected else "cases_as_such", disease.code)

    def _at(self, places: Sequence[Place]) -> Parts:
        if not 0 < len(places) <= MOST_PLACES or any(place.name is None for place in places):
            return ()
        return self._s.say("at", places=self._place_list(places))

    def _laboratory(self, disease: DiseaseFacts) -> Parts:
        s, lab = self._s, disease.laboratory
        code = disease.code
        items: list[Parts] = []
        if lab.positive.value:
            named = [agent for agent in lab.agents if agent.count.value > 0]
            others = [agent for agent in named if agent.code != code]
            adds_up = sum(agent.count.value for agent in named) == lab.positive.value
            if others and adds_up and len(others) == len(named):
                is_every_case = len(others) == 1 and lab.positive.value == disease.notified.value
                key = "every_case_positive_for" if is_every_case else "positive_for"
                for agent in others:
                    items.append(
                        s.say(
                            key,
                            code,
                            **({} if is_every_case else {"cases": s.count("case", agent.count)}),
                            agent=self._agent(agent.name_vi, agent.name_en),
                        )
                    )
                if is_every_case:
                    return s.say("laboratory_of_all", code, results=items[0])
            elif others:
                listed = s.joined(
                    [
                        s.say(
                            "of_agent",
                            agent=self._agent(agent.name_vi, agent.name_en),
                            cases=s.number(agent.count),
                        )
                        for agent in others
                    ],
                    "; ",
                )
                items.append(
                    s.say("positive_among_them", code, cases=s.count("case", lab.positive), agents=listed)
                )
            else:
                items.append(s.say("positive", code, cases=s.count("case", lab.positive)))
        if lab.negative.value:
            items.append(s.say("negative", code, cases=s.count("case", lab.negative)))
        if lab.pending.value:
            items.append(s.say("pending", code, cases=s.count("case", lab.pending)))
        return s.say("laboratory", code, results=s.joined(items)) if items else ()

    def _agent(self, name_vi: str, name_en: str) -> str:
        return name_vi if self._lang == "vi" else name_en

    def _deaths(self, disease: DiseaseFacts) -> list[Parts]:
        s = self._s
        said: list[Parts] = []
        if disease.deaths.value and not self._has_one_known_place(disease.death_places):
            said.append(
                s.say(
                    "deaths",
                    disease.code,
                    deaths=s.count("death", disease.deaths),
                    places=self._death_places(disease),
                )
            )
        comparison = disease.death_comparison
        if isinstance(comparison, Compared) and (disease.deaths.value or comparison.previous.value):
            values = {"before": self._before(comparison)}
            if comparison.change.value == 0:
                said.append(s.say("deaths_equal", disease.code, **values))
            else:
                key = "deaths_more" if comparison.change.value > 0 else "deaths_fewer"
                change = s.count("case_of_deaths", comparison.change)
                said.append(s.say(key, disease.code, change=change, **values))
        return said

    @staticmethod
    def _has_one_known_place(places: Sequence[Place]) -> bool:
        return len(places) == 1 and places[0].name is not None

    def _death_places(self, disease: DiseaseFacts) -> Parts:
        s, places = self._s, disease.death_places
        if not places or all(place.name is None for place in places):
            return s.say("place_unknown")
        is_one_each = all(place.count.value == 1 for place in places)
        items: list[Parts] = []
        for place in places:
            name = s.say("unknown_place") if place.name is None else (self._short_place(place),)
            items.append(
                name if is_one_each else s.say("place_count", place=name, count=s.number(place.count))
            )
        return s.joined(items)

    def _imported(self, disease: DiseaseFacts) -> list[Parts]:
        s = self._s
        if disease.imported.value == 0:
            return []
        if disease.imported.value == disease.notified.value:
            return [s.say("all_imported", disease.code)]
        return [s.say("some_imported", disease.code, cases=s.count("case", disease.imported))]

    # Comparisons -----------------------------------------------------------------------------------------

    def _comparison(
        self, comparison: Comparison | None, now: Figure, noun: str, disease: str | None = None
    ) -> tuple[Parts, Parts]:
        """The clause, and the reference to the footnote that stands where there is none."""
        s = self._s
        if comparison is None:
            return (), ()
        if isinstance(comparison, NotCompared):
            return (), (self._footnote(s.say("no_baseline", **self._days(comparison.period))),)
        before = self._before(comparison)
        if is_about(now.value, comparison.previous.value):
            return s.say("about_as_many", disease, before=before), ()
        key = "more" if comparison.change.value > 0 else "fewer"
        return s.say(key, disease, change=s.count(noun, comparison.change), before=before), ()

    def _before(self, comparison: Compared) -> Parts:
        if comparison.year is None:
            return self._s.say("last_year")
        return self._s.say("year_before", year=str(comparison.year))

    def _footnote(self, text: Parts) -> Mark:
        if text not in self._footnotes:
            self._footnotes.append(text)
        return Mark(self._footnotes.index(text) + 1)

    # Tallies ---------------------------------------------------------------------------------------------

    def _exposures(self, disease: str, tally: TallyFacts) -> Parts:
        s = self._s
        comparison, note = self._comparison(tally.comparison, tally.value, "case")
        said = s.say("exposures", disease, cases=s.count("case", tally.value), comparison=comparison)
        return (*said, *note, *self._part_of(tally))

    def _tallies(self, disease: DiseaseFacts) -> list[Parts]:
        s = self._s
        by_name = {tally.indicator: tally for tally in disease.tallies}
        said = self._isolation(by_name)
        for name, tally in by_name.items():
            if name in _ISOLATION:
                continue
            comparison, note = self._comparison(tally.comparison, tally.value, name)
            value: Parts = s.count(name, tally.value)
            if tally.target is not None and tally.target.value > 0:
                value = s.say(
                    "of_plan",
                    value=s.number(tally.value),
                    target=s.count(name, tally.target),
                    share=s.share(Share(tally.value, tally.target)),
                )
            said.append(
                (
                    *s.say(
                        "tally",
                        disease.code,
                        name=s.names["indicators"][name],
                        value=value,
                        comparison=comparison,
                    ),
                    *note,
                    *self._part_of(tally),
                )
            )
        return said

    def _part_of(self, tally: TallyFacts) -> Parts:
        return () if tally.is_complete else (self._footnote(self._s.say("tally_incomplete")),)

    def _isolation(self, tallies: dict[str, TallyFacts]) -> list[Parts]:
        s = self._s
        said: list[Parts] = []
        total, done = tallies.get("isolated_total"), tallies.get("isolated_done")
        if total is not None:
            finished: Parts = ()
            if done is not None:
                classes = self._named(tallies, "isolated_done_")
                among = s.say("isolation_classes", classes=classes) if classes else ()
                finished = s.say("isolation_done", done=s.count("case", done.value), classes=among)
            said.append(s.say("isolation", cases=s.count("case", total.value), done=finished))
        now = tallies.get("isolated_now")
        if now is not None:
            where = self._named(tallies, "isolated_now_")
            places = s.say("isolation_places", places=where) if where else ()
            said.append(s.say("isolation_now", cases=s.count("case", now.value), places=places))
        return said

    def _named(self, tallies: dict[str, TallyFacts], prefix: str) -> Parts:
        """ "F1: 43, F2: 700": never added up, they are no partition."""
        names = self._s.names["isolation"]
        return self._s.joined(
            [
                (f"{names[name]}: ", self._s.number(tally.value))
                for name, tally in tallies.items()
                if name.startswith(prefix)
            ]
        )

    # Food poisoning --------------------------------------------------------------------------------------

    def _food_poisoning(self) -> list[Paragraph]:
        s, food = self._s, self._facts.food_poisoning
        if food is None or food.events.value == 0:
            return []
        clauses: list[Parts] = []
        for name, figure in (("ill", food.ill), ("hospitalised", food.hospitalised)):
            if figure is None:
                clauses.append(s.say(f"{name}_unknown"))
            else:
                clause = s.say(f"with_{name}", persons=s.count("person", figure))
                clauses.append(s.say("at_least", clause=clause) if name in food.at_least else clause)
        if food.dead is None:
            clauses.append(s.say("dead_unknown"))
        elif food.dead.value == 0:
            clauses.append(s.say("no_deaths_of_food"))
        else:
            clauses.append(s.say("with_dead", deaths=s.count("death", food.dead)))
        note: Parts = ()
        if food.incomplete:
            numbers = [(s.names["food_numbers"][name],) for name in food.incomplete]
            note = (self._footnote(s.say("food_incomplete", numbers=s.listed(numbers))),)
        total = s.say(
            "food_poisonings",
            when=self._when(self._facts.period),
            events=s.count("event", food.events),
            clauses=s.joined(clauses),
        )
        return [Paragraph((*total, *note)), *(self._food_event(row) for row in food.rows)]

    def _food_event(self, row: FocusFacts) -> Paragraph:
        s = self._s
        numbers = [
            s.say(f"food_{name}", number=s.number(figure)) if figure.value else s.say(f"food_no_{name}")
            for name, figure in (
                ("exposed", row.exposed),
                ("ill", row.ill),
                ("hospitalised", row.hospitalised),
                ("dead", row.dead),
            )
            if figure is not None
        ]
        unknown = [
            (s.names["food_numbers"][name],)
            for name in ("exposed", "ill", "hospitalised", "dead")
            if getattr(row, name) is None
        ]
        if unknown:
            numbers.append(s.say("food_unknown", numbers=s.listed(unknown)))
        on = () if row.started_on is None else s.say("on_day", day=day_text(row.started_on, self._lang))
        place = self._s.place(row.place)
        said = s.say("food_event", place=place[0].upper() + place[1:], on=on, numbers=s.joined(numbers))
        return Paragraph(said, is_item=True)

    # Alerts ----------------------------------------------------------------------------------------------

    def _alerts(self) -> list[Paragraph]:
        s, facts = self._s, self._facts
        said: list[Paragraph] = []
        if not facts.alerts and not facts.foci:
            said.append(Paragraph(s.say("no_alerts")))
        said += [Paragraph(self._alert(alert), is_item=True) for alert in facts.alerts]
        if facts.attention is not None and facts.attention.value:
            said.append(Paragraph(s.say("attention", alerts=s.count("alert", facts.attention))))
        said += [Paragraph(self._focus(focus), is_item=True) for focus in facts.foci]
        return said

    def _alert(self, alert: AlertFacts) -> Parts:
        s = self._s
        state: list[Parts] = [(s.names["states"][alert.state],)]
        if not alert.is_met:
            state.append(s.say("no_longer_met"))
        if alert.determined_on is not None:
            state.append(s.say("determined", day=day_text(alert.determined_on, self._lang)))
        if alert.ended_on is not None:
            state.append(s.say("ended", day=day_text(alert.ended_on, self._lang)))
        period = () if alert.period is None else s.say("in_period", **self._days(alert.period))
        return s.say(
            "alert",
            level=s.names["levels"][alert.level],
            disease=alert.disease_vi if self._lang == "vi" else alert.disease_en,
            place=self._s.place(alert.area),
            period=period,
            cases=s.count("case", alert.cases),
            rule=alert.rule,
            state=s.joined(state, "; "),
        )

    def _focus(self, focus: OutbreakFocus) -> Parts:
        s = self._s
        numbers: list[Parts] = []
        for name, figure in (("ill", focus.ill), ("dead", focus.dead)):
            if figure is not None:
                known = s.say(f"food_{name}", number=s.number(figure))
                numbers.append(known if figure.value else s.say(f"food_no_{name}"))
        on = () if focus.started_on is None else s.say("on_day", day=day_text(focus.started_on, self._lang))
        if focus.ended_on is None:
            state = s.say("focus_active")
        else:
            state = s.say("focus_ended", day=day_text(focus.ended_on, self._lang))
        return s.say(
            "focus",
            disease=focus.disease_vi if self._lang == "vi" else focus.disease_en,
            place=self._s.place(focus.place),
            on=on,
            numbers=s.joined([*numbers, state]),
        )

    # Quality ---------------------------------------------------------------------------------------------

    def _quality(self) -> list[Paragraph]:
        s, quality = self._s, self._facts.quality
        said: list[Parts] = []
        if quality.is_provisional:
            said.append(s.say("provisional"))
        said += self._reporters(quality)
        if quality.judged is not None and quality.late is not None and quality.judged.value:
            if quality.late.value:
                said.append(
                    s.say(
                        "late",
                        late=s.count("case", quality.late),
                        judged=s.count("case", quality.judged),
                        share=s.share(Share(quality.late, quality.judged)),
                    )
                )
            else:
                said.append(s.say("none_late", judged=s.count("case", quality.judged)))
        said += self._forms(quality)
        for name in ("no_onset", "approximate", "from_tallies"):
            figure = getattr(quality, name)
            if figure is not None and figure.value:
                said.append(s.say(name, cases=s.count("case", figure)))
        said += self._estimate(quality)
        return [Paragraph(parts, is_item=True) for parts in said]

    def _reporters(self, quality: Quality) -> list[Parts]:
        s, reporters = self._s, quality.reporters
        if reporters is None:
            return []
        regular = s.count("reporter", reporters.regular)
        if reporters.regular.value == 0:
            return [s.say("reporters_unknown")]
        silent: Parts = ()
        if reporters.silent.value:
            silent = s.say("reporters_silent", silent=s.count("reporter", reporters.silent))
        if reporters.heard.value == reporters.regular.value:
            return [s.say("reporters_all", regular=regular, silent=silent)]
        share = s.share(Share(reporters.heard, reporters.regular))
        heard = s.number(reporters.heard)
        return [s.say("reporters_some", heard=heard, regular=regular, share=share, silent=silent)]

    def _forms(self, quality: Quality) -> list[Parts]:
        s, forms = self._s, quality.forms
        if forms is None:
            return []
        if forms.filled is None:
            # Of no case nothing is missing.
            return [s.say("forms_unknown")] if self._facts.cases.value else []
        cases = s.count("case", forms.cases)
        if forms.incomplete.value == 0:
            return [s.say("forms_all", cases=cases)]
        return [
            s.say(
                "forms_some",
                incomplete=s.count("case", forms.incomplete),
                share=s.share(Share(forms.incomplete, forms.cases)),
                cases=cases,
                filled=s.share(forms.filled),
            )
        ]

    def _estimate(self, quality: Quality) -> list[Parts]:
        s, estimate = self._s, quality.estimate
        if estimate is None:
            if quality.no_estimate is None:
                return []
            return [s.say("no_estimate", why=quality.no_estimate[0 if self._lang == "vi" else 1])]
        query = estimate.counted.query
        whole = [Figure(value, query) for value in (estimate.expected, estimate.lower, estimate.upper)]
        return [
            s.say(
                "estimate",
                **self._days(Period(estimate.first, estimate.last)),
                counted=s.count("case", estimate.counted),
                expected=s.count("case", whole[0]),
                lower=s.number(whole[1]),
                upper=s.number(whole[2]),
            )
        ]

    # Places and days -------------------------------------------------------------------------------------

    def _when(self, period: Period) -> Parts:
        first, last = period.first, period.last
        if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
            return self._s.say("in_year", year=str(first.year))
        return self._s.say("from_to", **self._days(period))

    def _days(self, period: Period) -> dict[str, str]:
        return {"first": day_text(period.first, self._lang), "last": day_text(period.last, self._lang)}

    def _place_of(self, place: Place) -> str:
        name = self._s.place(place.name or "")
        if place.region is None:
            return name
        return plain(self._s.say("within", place=name, region=self._s.place(place.region)))

    def _short_place(self, place: Place) -> str:
        """Names of districts stand alone in a list; a commune keeps its kind, and its region."""
        name = place.name or ""
        bare = name.removeprefix("Huyện ")
        if bare != name and not bare[0].isdigit():
            return bare
        return self._place_of(place)

    def _place_list(self, places: Sequence[Place]) -> Parts:
        return self._s.listed([(self._place_of(place),) for place in places])


def is_about(now: int, before: int) -> bool:
    """Whether a report calls two figures about the same: equal, or apart by at most 5 % of the earlier one.

    >>> is_about(200, 190), is_about(199, 190), is_about(0, 0), is_about(1, 0)
    (False, True, True, False)
    """
    return 100 * abs(now - before) <= ABOUT_PERCENT * before

"""What a health station reports of an outbreak that it has determined, and of its end.

Source:
    TT 15/2026/TT-BYT Art. 26.1d; the eight parts: QĐ 97/QĐ-PB 2026, Phụ lục I, mẫu 04 and 05, as described by
    others (docs/report.md).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from streams.domain.calendar import Period
from streams.domain.errors import RefusedAction
from streams.domain.report.facts import Compared, Comparison, Figure, check_comparison
from streams.domain.report.focus import blank_section
from streams.domain.report.language import day_text
from streams.domain.report.notice import NOTICE_WITHIN, NoticeKind, at_text, in_prose
from streams.domain.report.situation import Paragraph, Section, is_about
from streams.domain.report.text import Parts, Sentences

PARTS: Final = (
    "setting",
    "outbreak",
    "measures",
    "resources",
    "assessment",
    "difficulties",
    "solutions",
    "requests",
)
"""The parts of the form; all but the second are for the station to write, or to write on."""


@dataclass(frozen=True, slots=True)
class FocusPlace:
    """A focus of the outbreak: where, and the day of its end."""

    place: str
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class OutbreakFacts:
    """An outbreak in a commune.

    Attributes:
        period: From the first day that the alert judged to the day that is reported.
        first_onset, last_onset: Of the cases; None: no case.
        places, sexes, ages: The cases by hamlet (None: not known), sex and band of age; each adds up to them.
        level, rule: Of the alert.

    Raises:
        ValueError: the figures contradict each other; says how.
    """

    disease: str
    commune: str
    province: str
    determined_at: datetime | None
    ended_at: datetime | None
    period: Period
    cases: Figure
    deaths: Figure
    positive: Figure
    negative: Figure
    pending: Figure
    comparison: Comparison
    first_onset: date | None
    last_onset: date | None
    places: tuple[tuple[str | None, Figure], ...]
    sexes: tuple[tuple[str, Figure], ...]
    ages: tuple[tuple[str, Figure], ...]
    foci: tuple[FocusPlace, ...]
    level: str
    rule: str
    alert_cases: Figure

    def __post_init__(self) -> None:
        cases = self.cases.value
        results = self.positive.value + self.negative.value + self.pending.value
        if results > cases or self.deaths.value > cases:
            raise ValueError(f"{results} results and {self.deaths.value} deaths of {cases} cases")
        for what, groups in (("place", self.places), ("sex", self.sexes), ("age", self.ages)):
            found = sum(figure.value for _, figure in groups)
            if found != cases:
                raise ValueError(f"{found} cases by {what}, {cases} in all")
        check_comparison(self.disease, self.cases, self.comparison)

    def due_at(self, kind: NoticeKind) -> datetime | None:
        """When the notice is due that goes with the report."""
        since = self.determined_at if kind == "begin" else self.ended_at
        return None if since is None else since + NOTICE_WITHIN


def write_outbreak_report(
    facts: OutbreakFacts, kind: NoticeKind, sentences: Sentences, sections: Mapping[str, str], blank: str
) -> list[Section]:
    """The report of an outbreak, or of its end.

    Args:
        facts: What is known.
        kind: begin or end.
        sentences: With the templates of schemas/report/forms.yaml.
        sections: Their headings.
        blank: What is left for the station to fill in.

    Raises:
        RefusedAction: the station has not determined it.
    """
    if facts.due_at(kind) is None:
        what = ("có dịch", "an outbreak", "determine") if kind == "begin" else ("hết dịch", "the end", "end")
        raise RefusedAction(
            f"Trạm y tế chưa xác định {what[0]}. / The station has not determined {what[1]}: "
            f"`canhdich alerts {what[2]} ID --at INSTANT` records that it has."
        )
    writer = _Writer(facts, sentences, blank)
    known: dict[str, Iterator[Paragraph]] = {
        "setting": writer.setting(),
        "outbreak": writer.outbreak(),
        "assessment": writer.assessment(),
    }
    found = []
    for name in PARTS:
        left = blank_section(name, sentences, sections, blank)
        said = tuple(known.get(name, ()))
        found.append(Section(name, left.title, said if name == "outbreak" else said + left.paragraphs))
    return found


class _Writer:
    def __init__(self, facts: OutbreakFacts, sentences: Sentences, blank: str) -> None:
        self._facts = facts
        self._s = sentences
        self._blank = blank

    def setting(self) -> Iterator[Paragraph]:
        facts, s = self._facts, self._s
        if facts.determined_at is not None:
            yield _item(s.say("outbreak_since", determined=at_text(facts.determined_at)))
        if facts.ended_at is not None:
            yield _item(s.say("outbreak_until", ended=at_text(facts.ended_at)))

    def outbreak(self) -> Iterator[Paragraph]:
        facts, s = self._facts, self._s
        deaths = s.say("no_deaths")
        if facts.deaths.value:
            deaths = s.say("outbreak_of_which", deaths=s.count("death", facts.deaths))
        yield _item(
            s.say(
                "outbreak_cases",
                first=day_text(facts.period.first, "vi"),
                last=day_text(facts.period.last, "vi"),
                commune=in_prose(facts.commune),
                cases=s.count("case", facts.cases),
                comparison=self._comparison(),
                deaths=deaths,
            )
        )
        yield _item(self._laboratory())
        if facts.first_onset is not None and facts.last_onset is not None:
            days = {"first": day_text(facts.first_onset, "vi"), "last": day_text(facts.last_onset, "vi")}
            yield _item(s.say("outbreak_time", **days))
            unknown = str(s.templates["outbreak_no_place"])
            places = self._groups((name or unknown, figure) for name, figure in facts.places)
            yield _item(s.say("outbreak_places", places=places))
            sexes = self._groups((s.names["sex"][name], figure) for name, figure in facts.sexes)
            yield _item(s.say("outbreak_sexes", sexes=sexes))
            ages = self._groups((s.names["age"][name], figure) for name, figure in facts.ages)
            yield _item(s.say("outbreak_ages", ages=ages))
        for focus in facts.foci:
            state = s.say("focus_active")
            if focus.ended_on is not None:
                state = s.say("focus_ended", day=day_text(focus.ended_on, "vi"))
            yield _item(s.say("outbreak_focus", place=focus.place, state=state))
        for name in ("vectors", "animals"):
            yield _item(s.say(f"outbreak_{name}", blank=self._blank))

    def assessment(self) -> Iterator[Paragraph]:
        facts, s = self._facts, self._s
        level = s.names["levels"][facts.level]
        cases = s.count("case", facts.alert_cases)
        yield _item(s.say("outbreak_alert", level=level, cases=cases, rule=facts.rule))

    def _laboratory(self) -> Parts:
        facts, s = self._facts, self._s
        results = [
            s.say(name, cases=s.count("case", figure))
            for name, figure in (
                ("positive", facts.positive),
                ("negative", facts.negative),
                ("pending", facts.pending),
            )
            if figure.value
        ]
        if not results:
            return s.say("outbreak_no_laboratory")
        return s.say("outbreak_laboratory", results=s.joined(results))

    def _comparison(self) -> Parts:
        """As in the situation report; nothing where the same period before is not known."""
        facts, s = self._facts, self._s
        comparison = facts.comparison
        if not isinstance(comparison, Compared):
            return ()
        before = s.say("last_year")
        if comparison.year is not None:
            before = s.say("year_before", year=str(comparison.year))
        if is_about(facts.cases.value, comparison.previous.value):
            return s.say("about_as_many", before=before)
        key = "more" if comparison.change.value > 0 else "fewer"
        return s.say(key, change=s.count("case", comparison.change), before=before)

    def _groups(self, groups: Any) -> Parts:
        s = self._s
        said = [s.say("outbreak_group", name=name, count=s.number(figure)) for name, figure in groups]
        return s.joined(said, "; ")


def _item(parts: Parts) -> Paragraph:
    return Paragraph(parts, is_item=True)

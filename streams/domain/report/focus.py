"""What a health station reports of a focus: every day while it lasts, and when it has ended.

Source:
    TT 15/2026/TT-BYT Art. 26.1d; what the forms ask for: QĐ 97/QĐ-PB 2026, Phụ lục I, mẫu 02 and 03, as
    described by others (docs/report.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import RefusedAction
from streams.domain.report.facts import Figure
from streams.domain.report.language import day_text
from streams.domain.report.notice import in_prose
from streams.domain.report.situation import Paragraph, Section
from streams.domain.report.text import Parts, Sentences

NUMBERS: Final = ("ill", "dead", "samples", "positives")
"""The numbers of a focus that the forms ask for."""

_NOUNS: Final = {"ill": "case", "dead": "case", "samples": "sample", "positives": "sample"}
_BLANK_LINES: Final = 3
_BLANKS_A_LINE: Final = 4


@dataclass(frozen=True, slots=True)
class Onset:
    """The day of an onset. `is_of_cases`: the focus does not say; the cases linked to it do."""

    day: date
    is_of_cases: bool = False


@dataclass(frozen=True, slots=True)
class LinkedCases:
    """The cases that name the focus as their cluster."""

    cases: Figure
    deaths: Figure
    tested: Figure
    positive: Figure


@dataclass(frozen=True, slots=True)
class FocusReportFacts:
    """A focus at the end of a day.

    Attributes:
        place: Within the commune; None: not said.
        on: The day that is reported.
        first_reported_on, updated_on: Days of the first and of the last thing recorded, up to `on`.
        silent_days: Days from the first report to `on`, or to its end, on which nothing was recorded.
        totals: Of NUMBERS what is known at the end of `on`; None: not known, which is not zero.
        before_on: The last day before `updated_on` on which something was recorded; None: there is none.
        changes: What each has changed by since the end of `before_on`; None: not known of both days. Empty
            where nothing was recorded on `on`.
        linked: None where no case is linked to it.
        difference: The ill reported less the cases linked; None where either is not known, or they agree.

    Raises:
        ValueError: the days are in no order, or a number is negative.
    """

    subject: str
    disease: str
    place: str | None
    commune: str
    province: str
    on: date
    first_onset: Onset | None
    last_onset: Onset | None
    first_reported_on: date
    updated_on: date
    before_on: date | None
    ended_on: date | None
    silent_days: int
    totals: Mapping[str, Figure | None]
    changes: Mapping[str, Figure | None]
    linked: LinkedCases | None
    difference: Figure | None

    def __post_init__(self) -> None:
        if not self.first_reported_on <= self.updated_on <= self.on:
            raise ValueError(f"{self.subject}: reported, updated and asked for in no order of time")
        for name, figure in self.totals.items():
            if figure is not None and figure.value < 0:
                raise ValueError(f"{self.subject}: {figure.value} {name}")

    @property
    def due_at(self) -> datetime:
        """When the day is over that the report is of."""
        return datetime.combine(self.on + timedelta(days=1), time(), LOCAL_ZONE)


def write_focus_report(
    facts: FocusReportFacts, is_end: bool, sentences: Sentences, sections: Mapping[str, str], blank: str
) -> list[Section]:
    """The daily report, or the one at the end.

    Args:
        facts: What is known.
        is_end: The closing report.
        sentences: With the templates of schemas/report/forms.yaml.
        sections: Their headings.
        blank: What is left for the station to fill in.

    Raises:
        RefusedAction: the closing report of a focus that has not ended, or the daily one of one that has.
    """
    if is_end and facts.ended_on is None:
        raise RefusedAction(
            f"{facts.subject}: ổ dịch chưa có ngày kết thúc. / The focus has no day of its end: report its "
            "`ended_on` first."
        )
    if not is_end and facts.ended_on is not None and facts.on > facts.ended_on:
        raise RefusedAction(
            f"{facts.subject}: ổ dịch đã kết thúc ngày {day_text(facts.ended_on, 'vi')}. / "
            "The focus has ended: `--end` writes the closing report."
        )
    return list(_Writer(facts, sentences, sections, blank).sections(is_end))


class _Writer:
    def __init__(
        self, facts: FocusReportFacts, sentences: Sentences, sections: Mapping[str, str], blank: str
    ) -> None:
        self._facts = facts
        self._s = sentences
        self._titles = sections
        self._blank = blank

    def sections(self, is_end: bool) -> Iterator[Section]:
        facts, s = self._facts, self._s
        head = [
            s.say("form_disease", disease=facts.disease),
            s.say(
                "form_place",
                place=self._blank if facts.place is None else facts.place,
                commune=in_prose(facts.commune),
                province=in_prose(facts.province),
            ),
            s.say("form_first_onset", day=self._onset(facts.first_onset)),
            s.say("form_entry", blank=self._blank),
            s.say("form_first_report", day=day_text(facts.first_reported_on, "vi")),
        ]
        linked = list(self._linked())
        if is_end and facts.ended_on is not None:
            closing = [
                *head,
                s.say("form_last_onset", day=self._onset(facts.last_onset)),
                s.say("form_ended", day=day_text(facts.ended_on, "vi")),
                s.say("form_totals", numbers=self._numbers(NUMBERS)),
                *linked,
            ]
            yield self._section("closing", closing)
        else:
            on = day_text(facts.on, "vi")
            yield self._section("focus", head)
            numbers = [
                s.say("form_until", on=on, numbers=self._numbers(("ill", "dead"))),
                self._day(("ill", "dead")),
                *linked,
            ]
            yield self._section("numbers", numbers)
            tested = [
                s.say("form_until", on=on, numbers=self._numbers(("samples", "positives"))),
                self._day(("samples", "positives")),
            ]
            yield self._section("laboratory", tested)
        for name in ("measures", "proposals"):
            yield blank_section(name, s, self._titles, self._blank)

    def _section(self, name: str, said: Sequence[Parts]) -> Section:
        items = tuple(Paragraph(parts, is_item=True) for parts in said if parts)
        return Section(name, self._titles[name], items)

    def _onset(self, onset: Onset | None) -> Parts:
        if onset is None:
            return (self._blank,)
        day = day_text(onset.day, "vi")
        return self._s.say("form_day_of_cases", day=day) if onset.is_of_cases else (day,)

    def _numbers(self, names: Sequence[str]) -> Parts:
        s = self._s
        said = []
        for name in names:
            figure = self._facts.totals.get(name)
            number: Any = s.say("form_unknown", blank=self._blank)
            if figure is not None:
                number = s.count(_NOUNS[name], figure)
            said.append(s.say(f"form_{name}", number=number))
        return s.joined(said)

    def _day(self, names: Sequence[str]) -> Parts:
        """What the day has added; nothing is said of a number that is not known of both days."""
        facts, s = self._facts, self._s
        on = day_text(facts.on, "vi")
        if facts.updated_on < facts.on:
            return s.say("form_not_updated", on=on, updated=day_text(facts.updated_on, "vi"))
        if facts.before_on is None:
            return s.say("form_first_day", on=on)
        changes = []
        for name in names:
            change = facts.changes.get(name)
            if change is None:
                continue
            what = plainly(s.templates[f"form_{name}"])
            if change.value == 0:
                changes.append(s.say("form_none", noun=str(s.nouns[_NOUNS[name]]), what=what))
            else:
                counted = s.say(f"form_{name}", number=s.count(_NOUNS[name], change))
                changes.append(s.say("form_more" if change.value > 0 else "form_fewer", what=counted))
        before = day_text(facts.before_on, "vi")
        return s.say("form_day", before=before, changes=s.joined(changes)) if changes else ()

    def _linked(self) -> Iterator[Parts]:
        facts, s = self._facts, self._s
        linked = facts.linked
        if linked is None:
            yield s.say("form_no_linked")
            return
        yield s.say(
            "form_linked",
            cases=s.count("case", linked.cases),
            deaths=s.count("death", linked.deaths),
            tested=s.count("case", linked.tested),
            positive=s.count("case", linked.positive),
        )
        if facts.difference is not None:
            yield s.say("form_differs", cases=s.count("case", facts.difference))


def plainly(template: str) -> str:
    """What a template says beside its number."""
    return template.replace("{number}", "").strip()


def blank_section(name: str, s: Sentences, titles: Mapping[str, str], blank: str) -> Section:
    """A section for the station to write."""
    line = Paragraph(s.say("form_blank", blank=blank * _BLANKS_A_LINE))
    return Section(name, titles[name], (line,) * _BLANK_LINES)

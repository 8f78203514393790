"""The weekly bulletin: the week and the year so far, one short line per disease."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.domain.calendar import Period
from streams.domain.report.facts import Figure, Place
from streams.domain.report.language import day_text
from streams.domain.report.situation import Paragraph
from streams.domain.report.text import Parts, Sentences


@dataclass(frozen=True, slots=True)
class BulletinLine:
    """One disease: cases and deaths of the week and of the year up to its end.

    Raises:
        ValueError: the week has more than the year, or the places of deaths do not add up.
    """

    code: str
    label_vi: str
    label_en: str
    week: Figure
    week_deaths: Figure
    year: Figure
    year_deaths: Figure
    death_places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        # A week that begins in December has days that the year has not: nothing follows from it.
        places = sum(place.count.value for place in self.death_places)
        if self.death_places and places != self.year_deaths.value:
            raise ValueError(f"{self.code}: {places} deaths by place, {self.year_deaths.value} in all")
        if self.year_deaths.value > self.year.value or self.week_deaths.value > self.week.value:
            raise ValueError(f"{self.code}: more deaths than cases")


@dataclass(frozen=True, slots=True)
class BulletinFacts:
    """All that a bulletin says. `cases` and `deaths`: of all diseases in the week, each case once."""

    province_vi: str
    week: Period
    cases: Figure
    deaths: Figure
    lines: tuple[BulletinLine, ...]


def write_bulletin(facts: BulletinFacts, sentences: Sentences) -> list[Paragraph]:
    """The week in one sentence, then a line per disease with cases this year; the catalogue's order."""
    s = sentences
    year, week, _ = facts.week.first.isocalendar()
    days = {"first": day_text(facts.week.first, s.lang), "last": day_text(facts.week.last, s.lang)}
    head = {"number": f"{week}/{year}", "province": s.place(facts.province_vi), **days}
    if facts.cases.value == 0:
        opening = s.say("bulletin_no_cases", **head)
    else:
        deaths = s.say("no_deaths")
        if facts.deaths.value:
            deaths = s.say("of_which_deaths", deaths=s.count("death", facts.deaths))
        opening = s.say("bulletin_opening", cases=s.count("case", facts.cases), deaths=deaths, **head)
    said = [Paragraph(opening)]
    if facts.lines:
        said.append(Paragraph(s.say("bulletin_until", last=days["last"])))
    said += [Paragraph(_line(line, s), is_item=True, disease=line.code) for line in facts.lines]
    return said


def _line(line: BulletinLine, s: Sentences) -> Parts:
    deaths: Parts = ()
    if line.year_deaths.value:
        deaths = s.say(
            "bulletin_deaths", deaths=s.count("short_death", line.year_deaths), at=_at(line.death_places, s)
        )
    week = s.say("bulletin_none")
    if line.week.value:
        week = s.say("bulletin_week", cases=s.count("short_case", line.week))
    return s.say(
        "bulletin_line",
        disease=line.label_vi if s.lang == "vi" else line.label_en,
        week=week,
        year=s.count("short_case", line.year),
        deaths=deaths,
    )


def _at(places: Sequence[Place], s: Sentences) -> Parts:
    if not places or any(place.name is None for place in places):
        return ()
    return s.say("at", places=s.listed([(s.place(place.name or ""),) for place in places]))

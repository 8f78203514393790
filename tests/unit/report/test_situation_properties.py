"""Whatever the figures are, the text says them and nothing else, and is whole."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.domain.report.facts import Compared, DiseaseFacts
from streams.domain.report.language import LANGS
from tests.situations import (
    Said,
    disease,
    flaws,
    read_paragraph,
    section,
    situation,
    tally,
    written,
)

PLACES = ("Huyện Mường Tè", "Huyện Sìn Hồ", "Thành phố Lai Châu", "Xã Bum Tở", "Phường Tân Phong", None)
SMALL = st.integers(0, 12)
ANY = st.one_of(SMALL, st.integers(0, 2_000_000))


def parts(draw: Any, total: int, names: Any) -> dict[str | None, int]:
    """A total divided over some places, none with nothing."""
    found: dict[str | None, int] = {}
    rest = total
    for name in draw(st.lists(st.sampled_from(names), unique=True, min_size=1)):
        if rest == 0:
            break
        found[name] = draw(st.integers(1, rest))
        rest -= found[name]
    if rest and found:
        found[next(reversed(found))] += rest
    return found


@st.composite
def diseases(draw: Any) -> DiseaseFacts:
    """Any figures of a disease that do not contradict each other."""
    cases = draw(ANY)
    deaths = draw(st.integers(0, cases))
    positive = draw(st.integers(0, cases))
    negative = draw(st.integers(0, cases - positive))
    pending = draw(st.integers(0, cases - positive - negative))
    names = draw(st.lists(st.sampled_from(["dengue", "denv1", "measles", "je"]), unique=True))
    agents = {name: draw(st.integers(1, positive)) for name in names} if positive else {}
    exposures = None
    if draw(st.booleans()):
        exposures = tally("pep_started", draw(ANY), draw(st.one_of(st.none(), ANY)))
    return disease(
        cases,
        deaths,
        draw(st.one_of(st.none(), ANY)),
        draw(st.one_of(st.none(), SMALL)),
        lab=(positive, negative, pending),
        agents=agents,
        imported=draw(st.integers(0, cases)),
        discarded=draw(st.integers(0, cases)),
        places=parts(draw, cases, PLACES),
        death_places=parts(draw, deaths, PLACES),
        is_syndrome=draw(st.booleans()),
        exposures=exposures,
        year=draw(st.sampled_from([2022, None])),
    )


def bare(name: str) -> str:
    return (
        name.removeprefix("Huyện ")
        .replace("Thành phố", "thành phố")
        .replace("Xã", "xã")
        .replace("Phường", "phường")
    )


def in_prose(name: str) -> str:
    return name[0].lower() + name[1:]


def expected(facts: DiseaseFacts) -> Said:
    """What a paragraph has to say, from the figures."""
    said = Said(notified=facts.notified.value, deaths=facts.deaths.value)
    if facts.exposures is not None:
        said.exposures = facts.exposures.value.value
        if isinstance(facts.exposures.comparison, Compared):
            change = facts.exposures.comparison.change.value
            before = facts.exposures.comparison.previous.value
            said.exposures_change = None if 100 * abs(change) <= 5 * before else change
            if change == 0:
                said.exposures_change = None
    if isinstance(facts.comparison, Compared):
        change, before = facts.comparison.change.value, facts.comparison.previous.value
        is_about = 100 * abs(change) <= 5 * before
        said.is_about = is_about and facts.notified.value > 0
        said.change = None if is_about else change
    else:
        said.has_footnote = True
    lab = facts.laboratory
    if facts.notified.value:
        for name in ("positive", "negative", "pending"):
            setattr(said, name, getattr(lab, name).value or None)
        named = {agent.name_vi: agent.count.value for agent in lab.agents if agent.code != facts.code}
        said.agents = named
    if facts.deaths.value and not (len(facts.death_places) == 1 and facts.death_places[0].name is None):
        if all(place.name is None for place in facts.death_places):
            said.death_places = {}
        elif len(facts.death_places) == 1:
            place = facts.death_places[0]
            said.death_places = {in_prose(place.name or ""): place.count.value}
        else:
            said.death_places = {
                bare(place.name) if place.name else "chưa rõ địa bàn": place.count.value
                for place in facts.death_places
            }
    if isinstance(facts.death_comparison, Compared) and (
        facts.deaths.value or facts.death_comparison.previous.value
    ):
        said.death_change = facts.death_comparison.change.value
    if 0 < len(facts.places) <= 3 and all(place.name for place in facts.places):
        said.places = [in_prose(place.name or "") for place in facts.places]
    said.all_imported = 0 < facts.imported.value == facts.notified.value
    said.imported = facts.imported.value if 0 < facts.imported.value < facts.notified.value else None
    return said


@given(diseases())
def test_the_text_says_the_figures_and_nothing_else(facts: DiseaseFacts) -> None:
    paragraphs = section(written(situation(facts)), "diseases")
    if not paragraphs:
        assert facts.notified.value == facts.resolved.value
        return
    (text,) = paragraphs
    found, wanted = read_paragraph(text), expected(facts)
    has_cases = facts.notified.value > 0 or isinstance(facts.comparison, Compared)
    if not has_cases and facts.exposures is not None:
        # Nobody asked about cases: only the exposures are known.
        assert (found.notified, found.exposures) == (None, wanted.exposures)
        return
    if facts.exposures is not None and not isinstance(facts.exposures.comparison, Compared):
        wanted.has_footnote = wanted.has_footnote or found.has_footnote
    assert found == wanted


@given(st.lists(diseases(), max_size=4))
def test_the_text_is_whole(facts: list[DiseaseFacts]) -> None:
    for lang in LANGS:
        report = written(situation(*facts), lang)
        for part in report.sections:
            for paragraph in part.paragraphs:
                text = re.sub(r"\[\d+\]", "", paragraph.text)
                assert text.endswith((".", ")"))
                if lang == "vi":
                    assert flaws(text) == []
                else:
                    assert [flaw for flaw in flaws(text) if "as no report" not in flaw] == []


@given(st.lists(diseases(), min_size=1, max_size=4))
def test_the_deaths_of_the_opening_are_those_of_the_diseases(facts: list[DiseaseFacts]) -> None:
    report = written(situation(*facts))
    (opening,) = section(report, "opening")
    listed = sum((read_paragraph(text).deaths or 0) for text in section(report, "diseases"))
    if "không có trường hợp tử vong" in opening:
        assert listed == 0
    elif "trong đó có" in opening:
        found = re.search(r"trong đó có ([\d.]+) trường hợp tử vong", opening)
        assert found is not None
        assert int(found[1].replace(".", "")) == listed

"""Facts of situation reports to test with, and a reader of the Vietnamese sentences that shares no code with
the generator."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schemas.report import load_sentences
from streams.domain.calendar import Period
from streams.domain.report import Report, Sentences, write_situation
from streams.domain.report.facts import (
    AgentCount,
    Compared,
    Comparison,
    DiseaseFacts,
    Figure,
    Laboratory,
    NotCompared,
    Place,
    Query,
    SituationFacts,
    TallyFacts,
)
from streams.domain.report.language import Lang

YEAR = Period(date(2023, 1, 1), date(2023, 12, 31))
BEFORE = Period(date(2022, 1, 1), date(2022, 12, 31))
QUERY = Query("counts", {"province": "12"}, {}, "notified")
VI = Sentences("vi", **load_sentences("vi"))
EN = Sentences("en", **load_sentences("en"))


def figure(value: int) -> Figure:
    """A figure without a question worth asking."""
    return Figure(value, QUERY)


def compared(now: int, before: int | None, year: int | None = 2022) -> Comparison:
    """A comparison with a figure of before; None: not known."""
    if before is None:
        return NotCompared(BEFORE)
    return Compared(year, figure(before), figure(now - before))


def tally(
    indicator: str, value: int, before: int | None = None, target: int | None = None, **changes: Any
) -> TallyFacts:
    """A tally; without `before` it is compared with nothing."""
    comparison = None if before is None else compared(value, before)
    return TallyFacts(
        indicator, figure(value), None if target is None else figure(target), comparison, **changes
    )


def disease(
    notified: int = 3,
    deaths: int = 0,
    before: int | None = 3,
    deaths_before: int | None = 0,
    *,
    code: str = "dengue",
    label: str = "Bệnh Sốt xuất huyết Dengue",
    lab: tuple[int, int, int] = (0, 0, 0),
    agents: Mapping[str, int] | None = None,
    imported: int = 0,
    discarded: int = 0,
    resolved: int = 0,
    places: Mapping[str | None, int] | None = None,
    death_places: Mapping[str | None, int] | None = None,
    region: str | None = None,
    year: int | None = 2022,
    **changes: Any,
) -> DiseaseFacts:
    """Facts of one disease; `lab` is positive, negative, pending."""

    def listed(counts: Mapping[str | None, int] | None) -> tuple[Place, ...]:
        return tuple(Place(name, figure(count), region) for name, count in (counts or {}).items())

    return DiseaseFacts(
        code,
        label,
        code.capitalize(),
        figure(notified),
        figure(deaths),
        compared(notified, before, year),
        compared(deaths, deaths_before, year),
        Laboratory(
            figure(lab[0]),
            figure(lab[1]),
            figure(lab[2]),
            tuple(
                AgentCount(agent, f"tác nhân {agent}", f"agent {agent}", figure(count))
                for agent, count in (agents or {}).items()
            ),
        ),
        figure(imported),
        figure(discarded),
        figure(resolved),
        places=listed(places),
        death_places=listed(death_places),
        **changes,
    )


def situation(*diseases: DiseaseFacts, period: Period = YEAR, **changes: Any) -> SituationFacts:
    """A report of some diseases; their totals follow."""
    cases = sum(found.notified.value - found.resolved.value for found in diseases)
    deaths = sum(found.deaths.value for found in diseases)
    return SituationFacts(
        "Tỉnh Lai Châu",
        period,
        changes.pop("cases", figure(cases)),
        changes.pop("deaths", figure(deaths)),
        diseases,
        **changes,
    )


def written(facts: SituationFacts, lang: Lang = "vi") -> Report:
    """The report."""
    return write_situation(facts, VI if lang == "vi" else EN)


def section(report: Report, key: str) -> list[str]:
    """The texts of the paragraphs of a section; none where it is left out."""
    return [p.text for found in report.sections if found.key == key for p in found.paragraphs]


def sentence(facts: DiseaseFacts, lang: Lang = "vi") -> str:
    """The paragraph of a disease, without its label."""
    (text,) = section(written(situation(facts), lang), "diseases")
    label, _, said = text.partition(": ")
    assert label == (facts.label_vi if lang == "vi" else facts.label_en)
    return said


# Reading the text again ------------------------------------------------------------------------------------


def number(text: str) -> int:
    """A number as Vietnamese prose has it; anything else is an error."""
    if not re.fullmatch(r"0\d|[1-9]\d{1,2}|[1-9]\d{0,2}(\.\d{3})+", text):
        raise ValueError(f"{text!r} is no number as a report writes it")
    return int(text.replace(".", ""))


_N = r"(\d[\d.]*\d)"


@dataclass
class Said:
    """What a paragraph says of one disease. None: it says nothing of it."""

    notified: int | None = None
    positive: int | None = None
    negative: int | None = None
    pending: int | None = None
    agents: dict[str, int] = field(default_factory=dict)
    change: int | None = None
    is_about: bool = False
    deaths: int | None = None
    death_places: dict[str, int] = field(default_factory=dict)
    death_change: int | None = None
    places: list[str] = field(default_factory=list)
    all_imported: bool = False
    imported: int | None = None
    resolved: int | None = None
    exposures: int | None = None
    exposures_change: int | None = None
    has_footnote: bool = False


def read_paragraph(text: str) -> Said:
    """What the Vietnamese paragraph of a disease says, by its words alone."""
    _, _, body = text.partition(": ")
    said = Said(has_footnote="[" in body)
    body = re.sub(r"\[\d+\]", "", body)
    exposures = re.search(
        rf"Lũy tích giám sát phát hiện có {_N} trường hợp đến tiêm phòng dại(.*?)\.(?= [A-ZĐ]|$)", body
    )
    if exposures is not None:
        said.exposures = number(exposures[1])
        said.exposures_change = _change(exposures[2])
        body = body.replace(exposures[0], "")
    found = re.search(rf"Lũy tích(?: giám sát phát hiện)? {_N} trường hợp(.*?)\.(?= [A-ZĐ]|$)", body)
    if found is not None:
        said.notified = number(found[1])
        _read_main(said, found[2])
    elif "Không ghi nhận trường hợp mắc" in body:
        said.notified = said.deaths = 0
        said.change = _change(re.split(r"\.(?= [A-ZĐ]|$)", body)[0])
    deaths = re.search(rf"Ghi nhận {_N} trường hợp tử vong \((.*?)\)\.", body)
    if deaths is not None:
        said.deaths = number(deaths[1])
        said.death_places = _places(deaths[2])
    change = re.search(rf"Số trường hợp tử vong (tăng|giảm) {_N} trường hợp so với cùng kỳ", body)
    if change is not None:
        said.death_change = number(change[2]) * (1 if change[1] == "tăng" else -1)
    elif "Số trường hợp tử vong bằng cùng kỳ" in body:
        said.death_change = 0
    said.all_imported = "Các ca mắc đều là người" in body
    imported = re.search(rf"có {_N} trường hợp mắc từ nơi khác trở về", body)
    if imported is not None:
        said.imported = number(imported[1])
    resolved = re.search(rf"có {_N} trường hợp phát hiện qua giám sát hội chứng", body)
    if resolved is not None:
        said.resolved = number(resolved[1])
    return said


def _read_main(said: Said, rest: str) -> None:
    laboratory = re.search(r" \((.*)\)", rest)
    if laboratory is not None:
        results = laboratory[1]
        for name, words in (("negative", "âm tính"), ("pending", "đang chờ kết quả xét nghiệm")):
            found = re.search(rf"{_N} trường hợp {words}", results)
            if found is not None:
                setattr(said, name, number(found[1]))
        for count, agent in re.findall(rf"{_N} trường hợp dương tính với ([^,)]+)", results):
            said.agents[agent] = number(count)
        if (mixed := re.search(rf"{_N} trường hợp dương tính, gồm ([^,)]+)", results)) is not None:
            said.positive = number(mixed[1])
            for item in mixed[2].split("; "):
                agent, _, count = item.partition(": ")
                said.agents[agent] = number(count)
        elif said.agents:
            said.positive = sum(said.agents.values())
        elif (positive := re.search(rf"{_N} trường hợp dương tính", results)) is not None:
            said.positive = number(positive[1])
        elif (every := re.search(r"(?:đều dương tính với|^thể) (.+)", results)) is not None:
            said.positive = said.notified
            assert said.notified is not None
            said.agents[every[1]] = said.notified
        rest = rest.replace(laboratory[0], "")
    said.change = _change(rest)
    said.is_about = "số mắc tương đương" in rest
    if "không có trường hợp tử vong" in rest:
        said.deaths = 0
    elif (deaths := re.search(rf"có {_N} trường hợp tử vong tại ([^,.]+)", rest)) is not None:
        said.deaths = number(deaths[1])
        said.death_places = {deaths[2]: said.deaths}
    if at := re.match(r"(?: nghi mắc| mắc)? tại ([^(]*?)(?= \(|, (?:tăng|giảm|số mắc|có|không)|$)", rest):
        said.places = re.split(r", | và ", at[1])


def _change(text: str) -> int | None:
    found = re.search(rf"(tăng|giảm) {_N} trường hợp so với cùng kỳ", text)
    return None if found is None else number(found[2]) * (1 if found[1] == "tăng" else -1)


def _places(text: str) -> dict[str, int]:
    if text == "chưa rõ địa bàn":
        return {}
    found = {}
    for item in text.split(", "):
        name, _, count = item.partition(": ")
        found[name] = number(count) if count else 1
    return found


def flaws(text: str) -> list[str]:
    """What no finished sentence has: holes, doubled words and signs, stray blanks."""
    patterns = {
        "a hole": r"[{}*_]|None|\bNaN\b",
        "a sign": r"(?<!\w)[-−+]\d",
        "a doubled word": r"(?i)\b(\w+) \1\b",
        "said twice": r"\b(\w.{10,80})[ ,;]*\1",
        "doubled or stray punctuation": r"[.,;:]{2}|  | [.,;:)]|\( |\(\)|\[\]",
        "an open bracket": r"\([^)]*$|^[^(]*\)",
        "a number as no report writes it": r"(?<![\d./(A-Z-])(?<!năm )(?<!ngày )\b\d(?![\d./]|,\d)\b(?!/)",
    }
    return [name for name, pattern in patterns.items() if re.search(pattern, text)]

"""Whole reports by chance: every sentence of the templates has its turn, none has a flaw, and whatever number
stands in the text is a figure or a day."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from schemas.report import load_forms, load_sentences
from services.report.writing import form_sentences
from streams.domain.report import Mark, Paragraph, Report, Sentences, Shown, SituationFacts, write_situation
from streams.domain.report.bulletin import BulletinFacts, write_bulletin
from streams.domain.report.changes import CaseChange, groups_of, write_changes
from streams.domain.report.facts import Figure, Share
from streams.domain.report.focus import FocusReportFacts, write_focus_report
from streams.domain.report.language import LANGS, Lang
from streams.domain.report.outbreak import OutbreakFacts, write_outbreak_report
from tests.report_strategies import bulletins, case_changes, focus_reports, outbreaks, situations
from tests.situations import QUERY, figure, flaws, number, section, situation
from tests.unit.report.test_changes import LABELS, SINCE

FORMS = load_forms()

# Numbers that are no figures: days, months, weeks and years, laws, classes of contacts.
NAMED = re.compile(
    r"\d{1,2}/\d{1,2}/\d{4}|\d{1,2} [A-Z][a-z]+ \d{4}|\d{1,2}/\d{4}|(năm|In|of|year) \d{4}"
    r"|\d{2} giờ \d{2} phút"
    r"|(TT|Thông tư) 15/2026/TT-BYT|Điều 16\.1b|F[123]\b|COVID-19"
    r"|\b95 ?%|Covid19|(từ|dưới|đến) \d{2}|denv1"
)


def texts_of(facts: FocusReportFacts, sentences: Sentences) -> list[Paragraph]:
    """The daily report, or the closing one of a focus that has ended."""
    is_end = facts.ended_on is not None
    sections = write_focus_report(facts, is_end, sentences, FORMS["sections"], FORMS["blank"])
    return [paragraph for found in sections for paragraph in found.paragraphs]


def outbreak_texts(facts: OutbreakFacts, sentences: Sentences) -> list[Paragraph]:
    """The report, and that of the end where it is determined."""
    found = []
    for kind in ("begin", "end") if facts.ended_at is not None else ("begin",):
        sections = write_outbreak_report(facts, kind, sentences, FORMS["sections"], FORMS["blank"])
        found += [paragraph for one in sections for paragraph in one.paragraphs]
    return found


def faults(paragraphs: Iterable[Paragraph], lang: Lang) -> Iterator[str]:
    """What no text may have: flaws, a number that is no figure, a figure that is not shown as it is."""
    for paragraph in paragraphs:
        text = re.sub(r"\[\d+\]", "", paragraph.text)
        found = [flaw for flaw in flaws(text) if lang == "vi" or "as no report" not in flaw]
        yield from (f"{flaw}: {text}" for flaw in found)
        words = "".join(part if isinstance(part, str) else "…" for part in paragraph.parts)
        rest = NAMED.sub("", words)
        if re.search(r"\d", rest):
            yield f"a number that is no figure: {rest}"
        for part in paragraph.parts:
            if isinstance(part, Shown) and read(part, lang) != abs(value_of(part)):
                yield f"{part.text} is shown for {value_of(part)}"


def read(part: Shown, lang: Lang) -> float:
    """The number that a figure's text tells."""
    if isinstance(part.figure, Share):
        text = part.text.removesuffix("%")
        return float(text.replace(".", "").replace(",", ".") if lang == "vi" else text.replace(",", ""))
    return number(part.text) if lang == "vi" else int(part.text.replace(",", ""))


def value_of(part: Shown) -> float:
    """The number that it should tell: shares in percent, to two decimals."""
    found: Figure | Share = part.figure
    return found.document()["value"] if isinstance(found, Share) else found.value


def paragraphs_of(report: Report) -> list[Paragraph]:
    """All of them, footnotes too."""
    notes = [Paragraph(note) for note in report.footnotes]
    return [paragraph for found in report.sections for paragraph in found.paragraphs] + notes


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (("Có 12 ca.",), "a number that is no figure"),
        (("Có ", Shown("13", figure(12)), " ca."), "13 is shown for 12"),
        (("Bằng ", Shown("12,50%", Share(figure(1), figure(4))), "."), "12,50% is shown for 25.0"),
        (("Ca ca bệnh.",), "a doubled word"),
    ],
)
def test_a_fault_is_found(parts: Any, fault: str) -> None:
    assert [found for found in faults([Paragraph(parts)], "vi") if fault in found]


def test_what_is_no_fault() -> None:
    sound: Any = ("Từ ngày 1/1/2023 có ", Shown("1.971", figure(-1_971)), " ca COVID-19", Mark(2), ".")
    assert list(faults([Paragraph(sound)], "vi")) == []


# The quality of the data, read again ---------------------------------------------------------------------

N = r"(\d[\d.]*\d)"
QUALITY = {
    "heard": rf"^{N} trong số {N} đơn vị báo cáo đều",
    "all_heard": rf"^Tất cả {N} đơn vị báo cáo đều",
    "silent": rf"đến cuối kỳ có {N} đơn vị đã ngừng",
    "late": rf"^{N} trường hợp báo cáo quá thời hạn quy định, bằng .* của {N} trường hợp",
    "none_late": rf"^Không có ca bệnh báo cáo quá thời hạn trong số {N} trường hợp",
    "incomplete": rf"^{N} trường hợp có phiếu báo cáo thiếu ít nhất một mục, bằng .* của {N} trường hợp",
    "complete": rf"^Phiếu báo cáo của {N} trường hợp đã điền đủ",
    "no_onset": rf"^{N} trường hợp chưa có ngày khởi phát",
    "approximate": rf"^{N} trường hợp chưa chắc thuộc địa bàn",
    "from_tallies": rf"^{N} trường hợp chỉ có số tổng hợp",
    "estimate": rf"đã ghi nhận {N} trường hợp, ước tính khi đủ báo cáo là {N} trường hợp .*: {N} đến {N}\)",
}


def read_quality(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """What the sentences of the section say."""
    said = {}
    for text in texts:
        for name, pattern in QUALITY.items():
            if (found := re.search(pattern, text)) is not None:
                assert name not in said
                said[name] = tuple(map(number, found.groups()))
    return said


def expected_quality(facts: SituationFacts) -> dict[str, tuple[int, ...]]:
    """What they have to say, from the figures."""
    quality = facts.quality
    wanted: dict[str, tuple[int, ...]] = {}
    if (reporters := quality.reporters) is not None and reporters.regular.value:
        regular, heard = reporters.regular.value, reporters.heard.value
        wanted |= {"all_heard": (regular,)} if heard == regular else {"heard": (heard, regular)}
        if reporters.silent.value:
            wanted["silent"] = (reporters.silent.value,)
    if quality.judged is not None and quality.late is not None and quality.judged.value:
        judged, late = quality.judged.value, quality.late.value
        wanted |= {"late": (late, judged)} if late else {"none_late": (judged,)}
    if (forms := quality.forms) is not None and forms.cases.value:
        cases, incomplete = forms.cases.value, forms.incomplete.value
        wanted |= {"incomplete": (incomplete, cases)} if incomplete else {"complete": (cases,)}
    for name in ("no_onset", "approximate", "from_tallies"):
        found: Figure | None = getattr(quality, name)
        if found is not None and found.value:
            wanted[name] = (found.value,)
    if (estimate := quality.estimate) is not None:
        wanted["estimate"] = (estimate.counted.value, estimate.expected, estimate.lower, estimate.upper)
    return wanted


# Every template has its turn -----------------------------------------------------------------------------


class Recorded(dict[str, Any]):
    """What was looked up in it."""

    def __init__(self, known: Any) -> None:
        super().__init__(known)
        self.used: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.used.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        if key in self:
            self.used.add(key)
        return found


class Book:
    """Sentences that remember which of them were said."""

    def __init__(self, lang: Lang, given: Any) -> None:
        self.parts = {
            "templates": Recorded(given["templates"]),
            "nouns": Recorded(given["nouns"]),
            **{f"overrides of {code}": Recorded(texts) for code, texts in given["overrides"].items()},
            **{
                f"names of {group}": Recorded(words)
                for group, words in given["names"].items()
                if group != "kinds"
            },
        }
        self.sentences = Sentences(
            lang,
            self.parts["templates"],
            {code: self.parts[f"overrides of {code}"] for code in given["overrides"]},
            self.parts["nouns"],
            {group: self.parts.get(f"names of {group}", words) for group, words in given["names"].items()},
        )

    def never_said(self) -> set[str]:
        """What nobody has looked up, as "templates: closing"."""
        return {f"{part}: {key}" for part, found in self.parts.items() for key in set(found) - found.used}


NEVER = {
    # Said by a weekly bulletin's document, not by its sentences.
    "names of sections: bulletin",
    # Alerts below the law's levels are only counted.
    "names of levels: attention",
    "names of levels: none",
    # Tallies that stand in for counts, or open the paragraph of their disease.
    "nouns: cases",
    "nouns: deaths",
    "nouns: hospitalised",
    "nouns: pep_started",
    "names of indicators: hospitalised",
    "names of indicators: pep_started",
}


# A sentence that a round did not come to is said in one of the next: all are waited for, not hoped for.
ROUNDS = 8
A_ROUND = settings(
    max_examples=100,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_reports_say_every_sentence_and_only_their_figures() -> None:
    books = {lang: Book(lang, load_sentences(lang)) for lang in LANGS}

    @A_ROUND
    @given(situations(), bulletins(), case_changes())
    def write(facts: SituationFacts, week: BulletinFacts, changes: list[CaseChange]) -> None:
        groups = groups_of(changes, SINCE)
        for lang, book in books.items():
            report = write_situation(facts, book.sentences)
            said = paragraphs_of(report)
            said += write_bulletin(week, book.sentences)
            said += write_changes(groups, LABELS, QUERY, book.sentences)
            assert list(faults(said, lang)) == []
            if lang == "vi":
                assert read_quality(section(report, "quality")) == expected_quality(facts)

    for turn in range(ROUNDS):
        seed(turn)(write)()
        if all(book.never_said() <= NEVER for book in books.values()):
            break
    for book in books.values():
        assert book.never_said() == NEVER


def test_forms_say_every_sentence_and_only_their_figures() -> None:
    whole = form_sentences()
    templates, nouns = Recorded(whole.templates), Recorded(whole.nouns)
    recorded = replace(whole, templates=templates, nouns=nouns)

    @A_ROUND
    @given(focus_reports(), outbreaks())
    def write(focus: FocusReportFacts, outbreak: OutbreakFacts) -> None:
        assert list(faults(texts_of(focus, recorded), "vi")) == []
        assert list(faults(outbreak_texts(outbreak, recorded), "vi")) == []

    parts = ((templates, FORMS["templates"]), (nouns, FORMS["nouns"]))
    for turn in range(ROUNDS):
        seed(turn)(write)()
        if all(set(own) <= used.used for used, own in parts):
            break
    for used, own in parts:
        assert set(own) - used.used == set()


def test_a_sentence_that_is_never_said_is_found() -> None:
    given = load_sentences("vi")
    book = Book("vi", {**given, "templates": {**given["templates"], "new": "Mới."}})
    write_situation(situation(), book.sentences)
    assert {"templates: new", "templates: found"} <= book.never_said()
    assert "templates: no_cases" not in book.never_said()


def test_the_reader_of_the_quality_reads_what_is_there() -> None:
    assert read_quality(["09 trong số 12 đơn vị báo cáo đều hằng tuần có báo cáo."]) == {"heard": (9, 12)}

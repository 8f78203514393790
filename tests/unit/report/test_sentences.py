# ruff: noqa: E501 (sentences are shown whole)
"""The files of sentences agree with each other; and the reader of the tests reads what it should."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from schemas.report import agent_names, deadlines, load_sentences
from streams.domain.report.text import plain
from tests.situations import EN, VI, figure, flaws, number, read_paragraph

HOLE = re.compile(r"\{(\w+)\}")


def disagreements(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """Templates, nouns and names that one language lacks, and holes that differ."""
    for part in ("templates", "nouns"):
        yield from (f"{part}: {key}" for key in set(one[part]) ^ set(other[part]))
    for group in set(one["names"]) | set(other["names"]):
        mine, theirs = one["names"].get(group, {}), other["names"].get(group, {})
        yield from (f"names of {group}: {key}" for key in set(mine) ^ set(theirs))
    for key in set(one["templates"]) & set(other["templates"]):
        if set(HOLE.findall(one["templates"][key])) != set(HOLE.findall(other["templates"][key])):
            yield f"holes of {key}"
    for found in (one, other):
        for disease, templates in found["overrides"].items():
            for key, text in templates.items():
                if set(HOLE.findall(text)) != set(HOLE.findall(found["templates"].get(key, ""))):
                    yield f"{disease}: {key}"


def test_both_languages_say_the_same() -> None:
    assert list(disagreements(load_sentences("vi"), load_sentences("en"))) == []


@pytest.mark.parametrize(
    ("part", "key", "value", "found"),
    [
        ("templates", "extra", "x", "templates: extra"),
        ("templates", "closing", "{hole}", "holes of closing"),
        ("nouns", "moon", "trăng", "nouns: moon"),
        ("names", "moons", {"a": "b"}, "names of moons: a"),
        ("overrides", "dengue", {"found": "{cases}"}, "dengue: found"),
    ],
)
def test_a_disagreement_is_found(part: str, key: str, value: Any, found: str) -> None:
    vietnamese = load_sentences("vi")
    changed = {**vietnamese, part: {**vietnamese[part], key: value}}

    assert list(disagreements(changed, load_sentences("en"))) == [found]


def test_a_hole_without_a_value_and_a_value_without_a_hole_are_errors() -> None:
    with pytest.raises(ValueError, match=r"more: nothing for \{change\}"):
        VI.say("more", before="năm 2022")
    with pytest.raises(ValueError, match="closing: no hole for cases"):
        VI.say("closing", cases="3")


def test_numbers_nouns_and_places() -> None:
    assert plain(VI.count("case", figure(3))) == "03 trường hợp"
    assert [plain(EN.count("case", figure(n))) for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]
    assert (VI.place("Huyện Sìn Hồ"), EN.place("Huyện Sìn Hồ")) == ("huyện Sìn Hồ", "Sìn Hồ District")
    assert VI.place("Sìn Hồ") == "Sìn Hồ"
    assert plain(VI.listed([("a",), ("b",), ("c",)])) == "a, b và c"
    assert VI.listed([]) == ()
    assert replace(VI, nouns={}).templates is VI.templates


def test_a_language_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        load_sentences("fr")


def test_names_of_agents_and_deadlines_are_the_catalogues() -> None:
    assert agent_names()["p_vivax"] == ("P. vivax", "Plasmodium vivax")
    assert [code for *_, code in deadlines()["dengue"]] == ["24h", "48h"]


# The reader ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["3", "1971", "-03", "1.97", "01.971", "1,971", "003", ""])
def test_a_number_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        number(text)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("Ghi nhận {deaths}.", "a hole"),
        ("Ghi nhận None ca.", "a hole"),
        ("tăng -03 trường hợp.", "a sign"),
        ("Bệnh Bệnh Dại.", "a doubled word"),
        ("Ghi nhận 03 ca. Ghi nhận 03 ca.", "said twice"),
        ("03 trường hợp  mắc.", "doubled or stray punctuation"),
        ("03 trường hợp,, mắc.", "doubled or stray punctuation"),
        ("03 trường hợp ().", "doubled or stray punctuation"),
        ("03 trường hợp (Sìn Hồ.", "an open bracket"),
        ("tăng 3 trường hợp.", "a number as no report writes it"),
    ],
)
def test_a_flaw_is_found(text: str, flaw: str) -> None:
    assert flaw in flaws(text)


def test_a_sound_sentence_has_no_flaw() -> None:
    assert flaws("Từ ngày 1/1/2023 đến ngày 9/9/2023 có 1.971 ca (COVID-19, cúm A(H5N1)).") == []


def test_the_reader_takes_words_at_their_word() -> None:
    wrong = read_paragraph("Bệnh X: Lũy tích giám sát phát hiện 12 trường hợp mắc, giảm 02 trường hợp so với cùng kỳ năm 2022, có 01 trường hợp tử vong tại huyện A.")  # fmt: skip
    assert (wrong.notified, wrong.change, wrong.deaths, wrong.death_places) == (12, -2, 1, {"huyện A": 1})

"""Diseases, areas and agents are found for certain or not at all, and what is asked back can be answered."""

from datetime import date

import pytest

from schemas.catalogue import Catalogue
from services.importing import codes as codes_module
from services.importing.codes import CodeFinder, FoundArea
from services.importing.outcome import BadCell

BEFORE = date(2023, 7, 4)
AFTER = date(2025, 8, 5)


def refused_area(codes: CodeFinder, text: str, on: date = BEFORE) -> BadCell:
    with pytest.raises(BadCell) as caught:
        codes.area(text, on)
    return caught.value


def refused_disease(codes: CodeFinder, text: str) -> BadCell:
    with pytest.raises(BadCell) as caught:
        codes.disease(text)
    return caught.value


@pytest.mark.parametrize("text", ["dengue", "DENGUE", "Sốt xuất huyết Dengue", "sot xuat huyet", "A90"])
def test_diseases_by_code_name_alias_and_icd10(codes: CodeFinder, text: str) -> None:
    assert codes.disease(text) == "dengue"


def test_a_misspelt_disease_gets_a_suggestion(codes: CodeFinder) -> None:
    bad = refused_disease(codes, "dengu")
    assert '"dengu"' in bad.message_vi
    assert "dengue (Sốt xuất huyết Dengue)" in bad.message_vi
    assert "dengue (Sốt xuất huyết Dengue)" in bad.message_en


def test_suggestions_end_where_everything_is_unknown(published_catalogue: Catalogue) -> None:
    codes = CodeFinder(published_catalogue)
    for number in range(codes_module._MOST_SUGGESTED_FOR):
        refused_disease(codes, f"dengu{number}")
    assert "dengue (" not in refused_disease(codes, "dengu").message_vi


@pytest.mark.parametrize("text", ["Lò Văn Pâng", "0912345678", "lo@example.com", "Pâng nhà bà Ly"])
def test_unknown_words_are_not_repeated(codes: CodeFinder, text: str) -> None:
    for bad in (refused_disease(codes, text), refused_area(codes, text)):
        assert text not in bad.message_vi
        assert text not in bad.message_en


def test_an_area_by_its_code(codes: CodeFinder) -> None:
    assert codes.area("03412", BEFORE) == FoundArea("03412", False, None)
    assert codes.area("109", BEFORE) == FoundArea("109", False, None)
    assert codes.area("12", AFTER) == FoundArea("12", False, None)


def test_lost_zeros_are_put_back_and_reported(codes: CodeFinder) -> None:
    found = codes.area("3412", BEFORE)
    assert (found.code, found.is_named) == ("03412", False)
    assert found.note is not None
    assert "03412" in found.note[0]
    assert "03412" in found.note[1]


@pytest.mark.parametrize(
    "text",
    ["Xã Bình Lư", "Xã Bình Lư, huyện Tam Đường, tỉnh Lai Châu", "Bình Lư - Tam Đường", "Bình Lư; Tam Đường"],
)
def test_an_area_by_its_name(codes: CodeFinder, text: str) -> None:
    assert codes.area(text, BEFORE) == FoundArea("03412", True, None)


def test_a_name_without_accents_is_reported(codes: CodeFinder) -> None:
    found = codes.area("Binh Lu", BEFORE)
    assert (found.code, found.is_named) == ("03412", True)
    assert found.note is not None


def test_a_name_is_read_on_its_day(codes: CodeFinder) -> None:
    assert codes.area("Xã Bình Lư", AFTER).code == "03390"


def test_a_code_of_another_year_says_what_it_is_now(codes: CodeFinder) -> None:
    bad = refused_area(codes, "03412", AFTER)
    for message in (bad.message_vi, bad.message_en):
        assert "Xã Bình Lư" in message
        assert "03390" in message
        assert "area_on" in message


def test_a_code_that_was_not_there_yet(codes: CodeFinder) -> None:
    bad = refused_area(codes, "21548", BEFORE)
    assert "01/07/2025" in bad.message_vi
    assert "536" in bad.message_vi


def test_a_district_after_districts_asks_for_a_commune(codes: CodeFinder) -> None:
    bad = refused_area(codes, "109", AFTER)
    assert "mã xã (5 số)" in bad.message_vi
    assert "commune (5 digits)" in bad.message_en


def test_an_unknown_code_is_repeated_and_explained(codes: CodeFinder) -> None:
    bad = refused_area(codes, "99999")
    assert '"99999"' in bad.message_vi
    assert "5 số (xã)" in bad.message_vi


@pytest.mark.parametrize("text", ["Phong Thổ", "9", "Phong Tho"])
def test_what_may_be_several_areas_is_asked_back(codes: CodeFinder, text: str) -> None:
    bad = refused_area(codes, text)
    assert "mã" in bad.message_vi
    assert "code" in bad.message_en


def test_a_name_outside_the_place_named_after_it(codes: CodeFinder) -> None:
    bad = refused_area(codes, "Xã Bình Lư, huyện Phong Thổ")
    assert "Huyện Phong Thổ" in bad.message_vi


def test_the_same_question_is_answered_the_same_again(codes: CodeFinder) -> None:
    first, second = refused_area(codes, "99998"), refused_area(codes, "99998")
    assert first.message_vi == second.message_vi
    # A cached error must not keep the frames of every row that raised it.
    assert second.__traceback__ is not None
    depth, frame = 0, second.__traceback__
    while frame is not None:
        depth, frame = depth + 1, frame.tb_next
    assert depth <= 3


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("measles", ("measles", True)),
        ("Sởi", ("measles", True)),
        ("P_vivax", ("p_vivax", True)),
        ("denv1", ("denv1", True)),
        ("new_virus", ("new_virus", False)),
        ("vi rút lạ", None),
        ("nguyen_van_an", None),
    ],
)
def test_agents(codes: CodeFinder, text: str, agent: tuple[str, bool] | None) -> None:
    assert codes.agent(text) == agent

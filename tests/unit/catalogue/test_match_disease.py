"""match_disease on the packaged catalogue: what people write for a disease."""

from __future__ import annotations

import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import load_catalogue, matching
from schemas.catalogue.matching import DiseaseIndex, match_disease, normalise, unaccented


@pytest.fixture(scope="module")
def index() -> DiseaseIndex:
    return DiseaseIndex(load_catalogue().diseases)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Thuỷ đậu", "Thủy đậu"),
        ("hoà bình", "hòa bình"),
        ("Bệnh Thuý", "thúy"),
        ("TAY - CHÂN - MIỆNG", "Tay chân miệng"),
        ("Tay–chân—miệng", "tay-chân-miệng"),
        ("viêm não virus", "Viêm não vi rút"),
        ("viêm não vi-rút", "Viêm não virut"),
        ("Cúm A/H5N1", "Cúm A(H5N1)"),
        ("Ðậu mùa", "đậu mùa"),
        ("bệnh bệnh Than", "Than"),
        ("  Ho\u00a0 gà ", "ho gà"),
        ("Phường 01", "phường 1"),
        ("Ea H’leo", "ea h'leo"),
        (unicodedata.normalize("NFD", "Sốt xuất huyết"), "Sốt xuất huyết"),
    ],
)
def test_normalise_makes_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Than", "Thán"), ("Dại", "Dài"), ("Đà", "Da"), ("tả", "ta"), ("Lỵ", "Lị"), ("Phường 1", "Phường 10")],
)
def test_normalise_keeps_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_the_examples_in_the_docstrings() -> None:
    result = doctest.testmod(matching)
    assert result.attempted >= 2
    assert result.failed == 0


def test_normalise_keeps_a_bare_word() -> None:
    assert normalise("bệnh") != ""
    assert normalise(" - ") == ""


VIETNAMESE = (
    "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ -0123456789'"
)


@given(st.text(alphabet=VIETNAMESE + VIETNAMESE.upper()))
def test_normalise_knows_no_composition_no_case_and_nothing_twice(text: str) -> None:
    key = normalise(text)
    assert normalise(unicodedata.normalize("NFD", text)) == key
    assert normalise(text.upper()) == key
    assert normalise(f"  Bệnh -{text} ") == normalise(f"bệnh {text}")


def test_unaccented_leaves_plain_letters() -> None:
    assert unaccented(normalise("Xã Đoàn Kết, thị trấn Ước Lễ")) == "xa doan ket thi tran uoc le"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hfmd", "hfmd"),
        (" HFMD ", "hfmd"),
        ("hepatitis_b", "hepatitis_b"),
        ("Tay - Chân - Miệng", "hfmd"),
        ("Tay chân miệng", "hfmd"),
        ("Bệnh Tay - chân - miệng", "hfmd"),
        ("tay chan mieng", "hfmd"),
        ("Thuỷ đậu", "chickenpox"),
        ("Nhiệt thán", "anthrax"),
        ("Than", "anthrax"),
        ("bệnh Than", "anthrax"),
        ("Sốt xuất huyết", "dengue"),
        ("SXHD", "dengue"),
        ("Covid 19", "covid19"),
        ("Liên cầu lợn", "streptococcus_suis"),
        ("Bệnh do liên cầu lợn ở người", "streptococcus_suis"),
        ("Viêm não vi rút", "viral_encephalitis"),
        ("Viêm não Nhật Bản B", "je"),
        ("Sốt phát ban nghi sởi", "rash_fever_susp_measles"),
        ("Sởi", "measles"),
        ("Measles", "measles"),
        ("H7N9", "influenza_a_h7n9"),
        ("HIV/AIDS", "hiv"),
        ("Rubella", "rubella"),
        # ICD-10
        ("B05", "measles"),
        ("b05.9", "measles"),
        ("A83.0", "je"),
        ("A830", "je"),
        ("A83.2", "viral_encephalitis"),
        ("A05.1", "botulism"),
        ("A05.0", "food_poisoning"),
        ("A91", "dengue"),
        ("A97 - Sốt xuất huyết Dengue", "dengue"),
        ("Cúm A(H5N1) (J09)", "influenza_a_h5n1"),
    ],
)
def test_finds(index: DiseaseIndex, text: str, code: str) -> None:
    assert match_disease(index, text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "bệnh",
        "Bệnh lạ",
        "Thận",  # not Than
        "Dài",  # not Dại: an accent that differs is another word
        "J09",  # four avian influenzas
        "B33",  # two diseases have subcategories of it, none the whole
        "Z99.9",
        "B05 - Sốt xuất huyết Dengue",  # code and name disagree
        "B05 - bệnh lạ",
        "A37, B05",
    ],
)
def test_does_not_guess(index: DiseaseIndex, text: str) -> None:
    assert match_disease(index, text) is None

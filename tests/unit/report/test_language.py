"""Numbers and days exactly as a department writes them."""

from datetime import date
from fractions import Fraction

import pytest

from streams.domain.report.language import cardinal, day_text, percent


@pytest.mark.parametrize(
    ("number", "vietnamese", "english"),
    [
        (0, "00", "0"),
        (3, "03", "3"),
        (10, "10", "10"),
        (999, "999", "999"),
        (1_971, "1.971", "1,971"),
        (1_234_567, "1.234.567", "1,234,567"),
    ],
)
def test_numbers(number: int, vietnamese: str, english: str) -> None:
    assert cardinal(number, "vi") == vietnamese
    assert cardinal(number, "en") == english


def test_a_sentence_has_no_minus() -> None:
    with pytest.raises(ValueError, match="no minus"):
        cardinal(-1, "vi")
    with pytest.raises(ValueError, match="no minus"):
        percent(Fraction(-1, 2), "vi")


@pytest.mark.parametrize(
    ("share", "vietnamese", "english"),
    [
        (Fraction(5557, 10_000), "55,57%", "55.57%"),
        (Fraction(2241, 4000), "56,03%", "56.03%"),
        (Fraction(1, 3), "33,33%", "33.33%"),
        (Fraction(49_617, 30_000), "165,39%", "165.39%"),
        (Fraction(13), "1.300,00%", "1,300.00%"),
        (Fraction(0), "0,00%", "0.00%"),
    ],
)
def test_percentages_are_rounded_half_up(share: Fraction, vietnamese: str, english: str) -> None:
    assert percent(share, "vi") == vietnamese
    assert percent(share, "en") == english


def test_days() -> None:
    assert day_text(date(2023, 1, 1), "vi") == "1/1/2023"
    assert day_text(date(2023, 12, 31), "vi") == "31/12/2023"
    assert day_text(date(2023, 12, 31), "en") == "31 December 2023"

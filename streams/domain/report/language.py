"""Numbers and days as a department writes them in prose; signs are words, never digits."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final, Literal

Lang = Literal["vi", "en"]
LANGS: Final[tuple[Lang, ...]] = ("vi", "en")

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def cardinal(number: int, lang: Lang) -> str:
    """A whole number: Vietnamese pads below ten and puts dots between thousands.

    Raises:
        ValueError: it is negative: a sentence says "giảm", not a minus.

    >>> cardinal(3, "vi"), cardinal(1971, "vi"), cardinal(1971, "en")
    ('03', '1.971', '1,971')
    """
    if number < 0:
        raise ValueError(f"{number}: a sentence has no minus")
    if lang == "vi":
        return f"{number:02d}" if number < 10 else f"{number:,}".replace(",", ".")
    return f"{number:,}"


def percent(share: Fraction, lang: Lang) -> str:
    """A share with two decimals, half up.

    >>> percent(Fraction(5557, 10000), "vi"), percent(Fraction(2241, 4000), "en")
    ('55,57%', '56.03%')
    """
    if share < 0:
        raise ValueError(f"{share}: a sentence has no minus")
    value = Decimal(share.numerator * 100) / Decimal(share.denominator)
    text = f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP):,}%"
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text


def day_text(day: date, lang: Lang) -> str:
    """A day in prose, without zeros before it.

    >>> day_text(date(2023, 1, 1), "vi"), day_text(date(2023, 1, 1), "en")
    ('1/1/2023', '1 January 2023')
    """
    if lang == "vi":
        return f"{day.day}/{day.month}/{day.year}"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

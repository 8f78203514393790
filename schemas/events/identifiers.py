"""Finds what looks like a person's identifier: telephone and identity numbers, e-mail addresses, names.

Made to be quiet on the codes that a register generates (`CASE-000000001`, `2023-12-000456`, UUIDs, digests)
and on names of places: a false alarm stops a lawful report.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

IdentifierKind = Literal["phone", "identity_number", "email", "name"]

_EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[A-Za-z]{2,}")
# UUIDs and hexadecimal digests hold runs of digits by chance.
_OPAQUE = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9a-f]{16,}|[0-9A-F]{16,})"
    r"(?![0-9A-Za-z])"
)
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-")
_SEPARATORS = r"[ ._/()-]"
_NUMBER_ALONE = re.compile(rf"\+?(?:{_SEPARATORS}{{0,2}}[0-9]){{9,14}}")
_GROUPS = re.compile(r"[0-9]+")
_MOBILE = r"0[35789][0-9]{8}"
# Province 001 to 096, century and sex, year of birth, six digits (circular 59/2021/TT-BCA, articles 3 and 4).
_CITIZEN_NUMBER = r"0(?:0[1-9]|[1-8][0-9]|9[0-6])[0-9]{9}"
_PHONE = re.compile(rf"{_MOBILE}|02[0-9]{{9}}|01[2689][0-9]{{8}}")
_INTERNATIONAL = re.compile(r"(?:00)?84([1-9][0-9]{8,9})")
_CITIZEN = re.compile(_CITIZEN_NUMBER)
# A code such as 03190-00012 (commune and serial number) has the digits of a telephone number, not its groups.
_PHONE_GROUPS = frozenset(
    {(10,), (4, 3, 3), (3, 4, 3), (3, 3, 4), (4, 2, 2, 2), (2, 2, 2, 2, 2), (4, 6), (3, 7)}
    | {(11,), (4, 3, 4), (4, 4, 3), (3, 4, 4), (3, 8), (4, 7), (5, 3, 3)}
)
_IDENTITY_GROUPS = frozenset({(9,), (3, 3, 3), (12,), (3, 3, 3, 3), (4, 4, 4), (3, 3, 6), (3, 1, 2, 6)})
_PHONE_WITHIN = re.compile(
    rf"(?<![0-9])(?:{_MOBILE}|\+84[ .-]?[35789](?:[ .-]?[0-9]){{8}}"
    r"|0[35789][0-9]{2}([ .])[0-9]{3}\1[0-9]{3}|0[35789][0-9]([ .])(?:[0-9]{4}\2[0-9]{3}|[0-9]{3}\2[0-9]{4}))"
    r"(?![0-9])"
)
_CITIZEN_WITHIN = re.compile(rf"(?<![0-9]){_CITIZEN_NUMBER}(?![0-9])")

_NAME_HINT = re.compile(r"[\s._/-](?:v[aă]n|th[iị]|[đd][iì]nh|h[uữ]u|a|seo)[\s._/-]", re.IGNORECASE)
_WORD_BREAKS = re.compile(r"[\s._/,;:()-]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Surnames of the Kinh and of the peoples of the north-west (Thái, Mông, Dao, Hà Nhì, La Hủ, Giáy, Khơ Mú,
# Tày, Nùng, Mường, Lự, Mảng, Si La, Lào).
_SURNAMES = _words(
    "bàn bùi bạc cao chang chu chìn chảo chẻo cà cầm cụt cứ dương dừa giàng giá hoang hoàng huỳnh hà hù "
    "hạng hầu hồ hờ kha khoàng khúc kiều ké la liều ly lâm lã lèo lê lìm lò lù lùng lý lưu lương lường "
    "lầu lồ lộc lục lừu lữ lỳ lỷ ma mai moong mào mã mùa mùng mạc nghiêm nguyễn ngô nha nông nùng phan "
    "phàn phìn phù phùng phạm phản pàn pờ quang quàng quách sìn sùng sần sừn tao thàng thào thái thân "
    "thùng toán trang triệu trương trần trịnh tòng tô tôn tăng tạ tẩn tẫn tống tủa vi vàng vì võ vũ "
    "vương vạng vầy vừ xa xeo xin đinh điêu đoàn đào đèo đặng đỗ"
)
_NAME_MIDDLES = frozenset({"văn", "thị", "đình", "hữu"})
# "Giàng A Súa", "Tẩn Seo Chẻo": only with these surnames, and capital, are they parts of a name.
_SHORT_MIDDLES = frozenset({"A", "Seo", "SEO"})
_SHORT_MIDDLE_SURNAMES = _words(
    "chang chảo chẻo cứ dừa giàng hạng hầu hờ ly lý lầu lồ lừu lỳ ma mã mùa phàn phùng sìn sùng thào "
    "tẩn tẫn tủa vàng vừ"
)
_TITLES = _words("ông bà anh chị chú bác cô em cháu bé bn nhà con vợ chồng mẹ bố bệnh nhân hộ")
_AFTER_NAME = frozenset({"tuổi", "t", "sn"})


def _unmarked(word: str) -> str:
    letters = unicodedata.normalize("NFD", word.replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


# Typed without marks, "to" and "ban" are rather a tổ and a bản than the families Tô and Bàn.
_SURNAMES_UNMARKED = frozenset(map(_unmarked, _SURNAMES)) - {"to", "ban", "xa"}
_NAME_MIDDLES_UNMARKED = frozenset(map(_unmarked, _NAME_MIDDLES))
_SHORT_MIDDLE_SURNAMES_UNMARKED = frozenset(map(_unmarked, _SHORT_MIDDLE_SURNAMES))
_TITLES_UNMARKED = frozenset(map(_unmarked, _TITLES))


def _is_name(words: list[str], unmarked: bool) -> bool:
    """Whether the words begin as a surname, a typical middle name and a given name do."""
    if len(words) < 3 or not words[2].isalpha():
        return False
    surname = words[0].lower()
    if words[1].lower() in (_NAME_MIDDLES_UNMARKED if unmarked else _NAME_MIDDLES):
        return surname in (_SURNAMES_UNMARKED if unmarked else _SURNAMES)
    return (
        words[1] in _SHORT_MIDDLES
        and words[2][0].isupper()
        and surname in (_SHORT_MIDDLE_SURNAMES_UNMARKED if unmarked else _SHORT_MIDDLE_SURNAMES)
    )


def _reads_like_name(text: str) -> bool:
    unmarked = text.isascii()
    titles = _TITLES_UNMARKED if unmarked else _TITLES
    words = [word for word in _WORD_BREAKS.split(text) if word]
    for position, word in enumerate(words):
        if word.lower() in titles and _is_name(words[position + 1 :], unmarked):
            return True
    while words and (words[-1].lower() in _AFTER_NAME or not words[-1].isalpha()):
        words.pop()
    return len(words) <= 5 and _is_name(words, unmarked)


def _number_kind(text: str) -> IdentifierKind | None:
    """Kind of a value that consists of one number, spelled with or without separators."""
    groups = tuple(_GROUPS.findall(text))
    digits = "".join(groups)
    if digits.startswith(("84", "0084")):
        international = _INTERNATIONAL.fullmatch(digits)
        if international and _PHONE.fullmatch("0" + international[1]):
            return "phone"
    shape = tuple(map(len, groups))
    if shape in _PHONE_GROUPS and _PHONE.fullmatch(digits):
        # Serial numbers are padded with zeros on the left.
        return None if len(shape) == 2 and groups[1].startswith("0") else "phone"
    if shape in _IDENTITY_GROUPS and (
        _CITIZEN.fullmatch(digits) or (len(digits) == 9 and not digits.startswith("00"))
    ):
        return "identity_number"
    return None


def find_identifier(text: str) -> IdentifierKind | None:
    """Say what kind of personal identifier a value looks like.

    Args:
        text: One value of an event (a subject, a code, free text).

    Returns:
        The kind, or None. A value is refused as a whole number (telephone, nine- or twelve-digit identity
        number), for a telephone or twelve-digit number or an e-mail address within it, or when it reads as a
        Vietnamese personal name. Two-word names are not recognised: too many places are called so.

    >>> find_identifier("0912 345 678"), find_identifier("LC-2023-000123"), find_identifier("Lò Văn Pâng")
    ('phone', None, 'name')
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)
        text = text.translate(_DASHES)
    if _NUMBER_ALONE.fullmatch(text):
        kind = _number_kind(text)
        if kind is not None:
            return kind
    if "@" in text and _EMAIL.search(text):
        return "email"
    if _PHONE_WITHIN.search(text) or _CITIZEN_WITHIN.search(text):
        rest = _OPAQUE.sub("", text)
        if _PHONE_WITHIN.search(rest):
            return "phone"
        if _CITIZEN_WITHIN.search(rest):
            return "identity_number"
    if _NAME_HINT.search(text) and any(map(_reads_like_name, (text, *text.split("/")))):
        return "name"
    return None


# Most values (facilities, agents, hamlets) come again and again; subjects do not and are looked at directly.
find_identifier_cached = lru_cache(maxsize=16_384)(find_identifier)

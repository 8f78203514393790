"""Find the disease or the area that a text in a file means. Pure: the catalogue and the date come in.

A wrong guess is worse than a question: what is not certain comes back as None with candidates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

from schemas.catalogue.models import Area, AreaKind, AreaLink, Disease

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ`´"))
# Letters that keyboards and old fonts put in the place of đ.
_D_LOOKALIKES = str.maketrans("ÐðƉɖ", "đđđđ")
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=65_536)
def _fold_word(word: str) -> str:
    """Move the tone mark to the end of the word, so that its place does not matter."""
    if word.isascii():
        return word.lstrip("0") or "0" if word.isdigit() else word
    letters: list[str] = []
    tones: list[str] = []
    for character in unicodedata.normalize("NFD", word):
        (tones if character in _TONES else letters).append(character)
    return unicodedata.normalize("NFC", "".join(letters)) + "".join(tones)


# "virus" and "virut" are written for "vi rút".
_VI_RUT = f"vi {_fold_word('rút')}"
_WORD_VARIANTS = {_fold_word(word): _VI_RUT for word in ("virus", "virut", "virút")}


_BENH = _fold_word("bệnh")


def normalise(text: str) -> str:
    """Fold a text to a key for comparison; the key is not for display.

    Made equal are composed and decomposed letters, capitals, the place of the tone mark (`Thuỷ` = `Thủy`,
    `hoà` = `hòa`), dashes and other punctuation, runs of space, leading zeros of numbers, `virus` and `vi
    rút`. A leading "bệnh" is dropped. Different letters, accents and tones stay different.

    >>> normalise("Bệnh  Tay - Chân - Miệng") == normalise("tay chân miệng")
    True
    >>> normalise("Thuỷ đậu") == normalise("Thủy đậu"), normalise("Than") == normalise("Thán")
    (True, False)
    """
    folded = unicodedata.normalize("NFC", text).translate(_D_LOOKALIKES).casefold().translate(_APOSTROPHES)
    words = [_fold_word(word) for word in _WORD.findall(unicodedata.normalize("NFC", folded))]
    words = [_WORD_VARIANTS.get(word, word) for word in words]
    while len(words) > 1 and words[0] == _BENH:
        del words[0]
    return " ".join(words)


def unaccented(key: str) -> str:
    """Drop every accent and tone from a normalised key, and write đ as d."""
    letters = unicodedata.normalize("NFD", key)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("đ", "d")


# --- diseases ---------------------------------------------------------------------------------------------

_ICD10 = re.compile(r"\b([A-Za-z]\d{2})(?:\.?(\d{1,2}))?\b")


def disease_keys(disease: Disease) -> frozenset[str]:
    """Every normalised text that means this disease: code, names, report label, aliases."""
    texts = (
        disease.code,
        disease.name_vi,
        disease.name_en,
        disease.report_label_vi,
        *disease.aliases_vi,
    )
    return frozenset(normalise(text) for text in texts)


class DiseaseIndex:
    """Look-up tables for match_disease; build it once per catalogue."""

    def __init__(self, diseases: Iterable[Disease]) -> None:
        self.codes: set[str] = set()
        self.by_key: dict[str, str] = {}
        self.by_plain_key: dict[str, set[str]] = {}
        self.by_icd10: dict[str, set[str]] = {}
        for disease in diseases:
            self.codes.add(disease.code)
            for key in disease_keys(disease):
                self.by_key[key] = disease.code
                self.by_plain_key.setdefault(unaccented(key), set()).add(disease.code)
            for icd10 in disease.icd10:
                self.by_icd10.setdefault(icd10, set()).add(disease.code)


def match_disease(index: DiseaseIndex, text: str) -> str | None:
    """Return the code of the disease that a text means, or None where it is unknown or ambiguous.

    Accepted are the code, the Vietnamese and English names, the report label, the aliases, an ICD-10 code (a
    subcategory falls back to its category: B05.9 is B05), and an ICD-10 code beside a name where both agree
    ("A97 - Sốt xuất huyết Dengue"). A text without accents is accepted where it can mean one disease only.
    """
    stripped = text.strip()
    if stripped.casefold() in index.codes:
        return stripped.casefold()
    named = _disease_by_name(index, stripped)
    if named is not None:
        return named
    coded = list(_ICD10.finditer(stripped))
    if len(coded) != 1:
        return None
    by_icd10 = _disease_by_icd10(index, coded[0][1].upper(), coded[0][2])
    rest = stripped[: coded[0].start()] + stripped[coded[0].end() :]
    if not normalise(rest):
        return by_icd10
    named = _disease_by_name(index, rest)
    return named if by_icd10 in (named, None) else None


def _disease_by_name(index: DiseaseIndex, text: str) -> str | None:
    key = normalise(text)
    if key in index.by_key:
        return index.by_key[key]
    if key == unaccented(key):
        return _only(index.by_plain_key.get(key, set()))
    return None


def _disease_by_icd10(index: DiseaseIndex, category: str, subcategory: str | None) -> str | None:
    exact = f"{category}.{subcategory[0]}" if subcategory else category
    return _only(index.by_icd10.get(exact) or index.by_icd10.get(category) or set())


def _only(codes: set[str]) -> str | None:
    return next(iter(codes)) if len(codes) == 1 else None


# --- areas ------------------------------------------------------------------------------------------------

# Units of the law; a surveillance area is matched only where the caller asks for it.
OFFICIAL: frozenset[AreaKind] = frozenset({"province", "district", "commune"})

_CODE = re.compile(r"(\d{1,5})(?:\.0+)?")
_WIDTHS: dict[AreaKind, int] = {"province": 2, "district": 3, "surveillance": 3, "commune": 5}

# Type words, in full and as people shorten them, with the kinds that bear them.
_TYPES: dict[str, tuple[tuple[str, ...], frozenset[AreaKind]]] = {
    "tỉnh": (("tỉnh", "t"), frozenset({"province"})),
    "thành phố": (("thành phố", "tp", "t p"), frozenset({"province", "district"})),
    "quận": (("quận", "q"), frozenset({"district"})),
    "huyện": (("huyện", "h"), frozenset({"district"})),
    "thị xã": (("thị xã", "tx", "t x"), frozenset({"district"})),
    "thị trấn": (("thị trấn", "tt", "t t"), frozenset({"commune"})),
    "phường": (("phường", "p"), frozenset({"commune"})),
    "xã": (("xã", "x"), frozenset({"commune"})),
    "đặc khu": (("đặc khu", "đk"), frozenset({"commune"})),
    "khu vực": (("khu vực", "kv"), frozenset({"surveillance"})),
}
_PREFIXES = sorted(
    (
        (normalise(spelling), normalise(word), kinds)
        for word, (spellings, kinds) in _TYPES.items()
        for spelling in spellings
    ),
    key=lambda prefix: -len(prefix[0]),
)

Reason = Literal[
    "code",
    "code_repaired",
    "name",
    "name_unaccented",
    "empty",
    "unknown",
    "wrong_period",
    "outside",
    "ambiguous",
    "uncertain",
]


@dataclass(frozen=True, slots=True)
class Match:
    """What a text in an area column means.

    Attributes:
        area: The area, or None where it is not certain.
        candidates: Areas that may have been meant, the likeliest first; empty where `area` is set.
        reason: How the area was found, or why not. `code_repaired` and `name_unaccented` are worth a report.
        message_vi: For staff, without a full stop; "" for a plain match.
        message_en: The same in English.
    """

    area: Area | None
    candidates: tuple[Area, ...]
    reason: Reason
    message_vi: str = ""
    message_en: str = ""


def valid_on(area: Area, on: date) -> bool:
    """Whether the area exists on that day; both its first and its last day count."""
    started = area.valid_from is None or area.valid_from <= on
    return started and (area.valid_to is None or on <= area.valid_to)


def _split_type(key: str) -> tuple[str, str, frozenset[AreaKind]] | None:
    """Split a normalised name into its type, the rest, and the kinds that bear the type."""
    for spelling, word, kinds in _PREFIXES:
        if key.startswith(spelling + " "):
            return word, key[len(spelling) + 1 :], kinds
    return None


class AreaIndex:
    """Look-up tables for match_area; build it once per catalogue."""

    def __init__(self, areas: Iterable[Area], links: Iterable[AreaLink]) -> None:
        self.by_id: dict[str, Area] = {}
        self.by_code: dict[str, list[Area]] = {}
        self.by_name: dict[str, list[Area]] = {}
        self.by_plain_name: dict[str, list[Area]] = {}
        self._after: dict[str, list[AreaLink]] = {}
        self._before: dict[str, list[AreaLink]] = {}
        for area in areas:
            self.by_id[area.id] = area
            self.by_code.setdefault(area.code, []).append(area)
            names = self.names_of(area)
            for name in names:
                self.by_name.setdefault(name, []).append(area)
            for name in {unaccented(name) for name in names}:
                self.by_plain_name.setdefault(name, []).append(area)
        for link in links:
            self._after.setdefault(link.from_id, []).append(link)
            self._before.setdefault(link.to_id, []).append(link)

    @staticmethod
    def names_of(area: Area) -> set[str]:
        """The normalised names by which an area is found: with its type, and without."""
        full = normalise(area.name_vi)
        typed = _split_type(full)
        # A name that is a bare number ("Phường 1") can only be found with its type.
        return {full} if typed is None or typed[1].isdigit() else {full, typed[1]}

    def lies_in(self, area: Area, outer: Area) -> bool:
        """Whether outer is a parent of area at any height, or its surveillance area."""
        if area.surveillance_id == outer.id:
            return True
        current: Area | None = area
        while current is not None and current.parent_id is not None:
            if current.parent_id == outer.id:
                return True
            current = self.by_id.get(current.parent_id)
        return False

    def counterparts(self, area: Area, on: date) -> list[Area]:
        """The areas of that day which area became or was made of, default targets first."""
        if valid_on(area, on):
            return [area]
        later = area.valid_to is not None and area.valid_to < on
        found: dict[str, tuple[bool, Area]] = {}
        open_ids = [area.id]
        while open_ids:
            current = open_ids.pop()
            for link in (self._after if later else self._before).get(current, []):
                other = self.by_id[link.to_id if later else link.from_id]
                if valid_on(other, on):
                    found.setdefault(other.id, (not link.is_default, other))
                else:
                    open_ids.append(other.id)
        return [other for _, other in sorted(found.values(), key=lambda item: (item[0], item[1].id))]


def match_area(
    index: AreaIndex,
    text: str,
    *,
    on: date,
    within: Area | None = None,
    kinds: frozenset[AreaKind] = OFFICIAL,
) -> Match:
    """Find the area that a text means on a day.

    An official code that is valid on that day comes first, then a name, with its type ("xã", "huyện", "TP.")
    or without it. Zeros that a spreadsheet dropped are put back: four digits are a commune's five; shorter
    codes are only repaired where `kinds` leaves one width and they are no code themselves. A text without
    accents is accepted where it can mean one area only. A code or name of another period gives None and, as
    candidates, what it has become by that day (or was made of), then what it meant.

    Args:
        index: Built from the catalogue.
        text: A code or a name as it stands in the file.
        on: The day on which the text is to be read; codes are used again after 2025-07-01.
        within: Only areas inside this one (a province or a district of the same day).
        kinds: The kinds to look for.
    """
    stripped = text.strip()
    if not normalise(stripped):
        return Match(None, (), "empty", "thiếu địa bàn", "the area is missing")
    scope = _Scope(index, stripped, on, within, kinds)
    code = _CODE.fullmatch(stripped)
    return scope.by_code(code[1]) if code else scope.by_name(normalise(stripped))


class _Scope:
    """One question to the index: the text with the day, the outer area and the kinds it is asked for."""

    def __init__(
        self, index: AreaIndex, text: str, on: date, within: Area | None, kinds: frozenset[AreaKind]
    ) -> None:
        self._index = index
        self._text = text
        self._on = on
        self._within = within
        self._kinds = kinds

    def by_code(self, digits: str) -> Match:
        codes = self._readings(digits)
        known = [area for code in codes for area in self._index.by_code.get(code, [])]
        known = [area for area in known if area.kind in self._kinds]
        valid = [area for area in known if valid_on(area, self._on)]
        inside = [area for area in valid if area == self._within or self._is_inside(area)]
        literal = [area for area in self._index.by_code.get(digits, []) if valid_on(area, self._on)]
        if inside and digits not in codes and (len(codes) > 1 or literal):
            # Digits that several widths fit, or that are themselves the code of another kind, are a question.
            return self._ambiguous([*inside, *literal])
        if len(inside) == 1:
            area = inside[0]
            if area.code == digits:
                return Match(area, (), "code")
            return Match(
                area,
                (),
                "code_repaired",
                f'mã "{digits}" thiếu số 0 ở đầu, hiểu là {area.code} ({area.name_vi})',
                f'code "{digits}" lost its leading zeros, read as {area.code} ({area.name_vi})',
            )
        if inside:
            return self._ambiguous(inside)
        if valid:
            return self._outside(valid)
        if known:
            return self._wrong_period(known)
        if literal:
            named = self._listed(literal, "vi"), self._listed(literal, "en")
            return Match(
                None,
                tuple(literal),
                "uncertain",
                f'mã "{digits}" là {named[0]}, không phải cấp địa bàn cần ghi ở đây',
                f'code "{digits}" is {named[1]}, not the kind of area that belongs here',
            )
        return self._unknown(
            f'mã địa bàn "{digits}" không có trong danh mục', f'area code "{digits}" is not in the catalogue'
        )

    def _readings(self, digits: str) -> list[str]:
        """The codes that the digits can stand for: as they are, or else with lost zeros put back."""
        widths = {_WIDTHS[kind] for kind in self._kinds}
        if len(digits) in widths:
            return [digits]
        return [digits.zfill(width) for width in sorted(widths) if width > len(digits)]

    def by_name(self, key: str) -> Match:
        known = self._named(self._index.by_name, key)
        valid = [area for area in known if valid_on(area, self._on)]
        inside = [area for area in valid if self._is_inside(area)]
        # A name of another period is only worth naming where it lay in the same place.
        past = [area for area in known if area not in valid and self._was_inside(area)]
        if len(inside) == 1:
            # "Yên Bái" may be the ward of today or the province that was; a type word or `kinds` tells.
            larger = [area for area in past if area.kind != inside[0].kind]
            if larger and _split_type(key) is None:
                return self._ambiguous([*inside, *larger])
            return Match(inside[0], (), "name")
        if inside:
            return self._ambiguous(inside)
        without_accents = key == unaccented(key)
        plain = self._named(self._index.by_plain_name, unaccented(key))
        weak = [area for area in plain if valid_on(area, self._on) and self._is_inside(area)]
        if len(weak) == 1 and without_accents:
            area = weak[0]
            return Match(
                area,
                (),
                "name_unaccented",
                f'tên không dấu "{self._text}" được hiểu là {area.name_vi} ({area.code})',
                f'"{self._text}" is written without accents, read as {area.name_vi} ({area.code})',
            )
        if not past and not weak and without_accents:
            past = [area for area in plain if not valid_on(area, self._on) and self._was_inside(area)]
        if past:
            return self._wrong_period(past)
        if weak := weak or self._of_another_type(key):
            return Match(
                None,
                tuple(weak),
                "uncertain",
                f'không chắc địa bàn "{self._text}"; có thể là: {self._listed(weak, "vi")}',
                f'area "{self._text}" is not certain; it may be: {self._listed(weak, "en")}',
            )
        if valid:
            return self._outside(valid)
        return self._unknown(
            f'không tìm thấy địa bàn "{self._text}"', f'area "{self._text}" is not in the catalogue'
        )

    def _named(self, names: dict[str, list[Area]], key: str) -> list[Area]:
        found = list(names.get(key, []))
        # "TP Lai Châu" is looked up as "thành phố lai châu".
        typed = _split_type(key)
        if not found and typed is not None:
            word = typed[0] if names is self._index.by_name else unaccented(typed[0])
            found = list(names.get(f"{word} {typed[1]}", []))
        return [area for area in found if area.kind in self._kinds]

    def _of_another_type(self, key: str) -> list[Area]:
        """Areas of the same kind and name whose type differs: "huyện Việt Yên" for "thị xã Việt Yên"."""
        typed = _split_type(key)
        if typed is None:
            return []
        same = self._index.by_plain_name.get(unaccented(typed[1]), [])
        same = [area for area in same if area.kind in self._kinds & typed[2]]
        return [area for area in same if valid_on(area, self._on) and self._is_inside(area)]

    def _is_inside(self, area: Area) -> bool:
        return self._within is None or self._index.lies_in(area, self._within)

    def _was_inside(self, area: Area) -> bool:
        return self._is_inside(area) or any(
            self._is_inside(other) for other in self._index.counterparts(area, self._on)
        )

    def _wrong_period(self, known: list[Area]) -> Match:
        now: list[Area] = []
        for area in known:
            now.extend(other for other in self._index.counterparts(area, self._on) if other not in now)
        meant = known[0]
        if meant.valid_to is not None and meant.valid_to < self._on:
            when_vi, when_en = f"chỉ dùng đến {_day(meant.valid_to)}", f"was used until {meant.valid_to}"
        else:
            when_vi, when_en = f"chỉ dùng từ {_day(meant.valid_from)}", f"is used from {meant.valid_from} on"
        name = f'"{self._text}" ({meant.name_vi}, {meant.code})'
        message_vi = f"{name} {when_vi}, không dùng ngày {_day(self._on)}"
        message_en = f"{name} {when_en}, not on {self._on}"
        if now:
            message_vi += f"; ngày đó là: {self._listed(now, 'vi')}"
            message_en += f"; on that day it is: {self._listed(now, 'en')}"
        return Match(None, (*now, *known), "wrong_period", message_vi, message_en)

    def _ambiguous(self, areas: list[Area]) -> Match:
        return Match(
            None,
            tuple(areas),
            "ambiguous",
            f'"{self._text}" có thể là nhiều địa bàn: {self._listed(areas, "vi")}; hãy ghi mã',
            f'"{self._text}" may be several areas: {self._listed(areas, "en")}; give the code',
        )

    def _outside(self, areas: list[Area]) -> Match:
        outer = self._within.name_vi if self._within else ""
        return Match(
            None,
            tuple(areas),
            "outside",
            f'"{self._text}" không thuộc {outer}, mà là: {self._listed(areas, "vi")}',
            f'"{self._text}" does not lie in {outer}; it is: {self._listed(areas, "en")}',
        )

    def _unknown(self, message_vi: str, message_en: str) -> Match:
        return Match(None, (), "unknown", message_vi, message_en)

    def _listed(self, areas: list[Area], language: Literal["vi", "en"]) -> str:
        """Names with what tells namesakes apart: the code and the area around."""
        texts = []
        for area in areas[:_LISTED]:
            parent = self._index.by_id.get(area.parent_id or "")
            texts.append(f"{area.name_vi} ({area.code}{f', {parent.name_vi}' if parent else ''})")
        more = len(areas) - _LISTED
        if more > 0:
            texts[-1] += f" và {more} địa bàn khác" if language == "vi" else f" and {more} more"
        return ", ".join(texts)


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


_LISTED = 5

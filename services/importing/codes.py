"""What a text in a file means in the catalogue: a disease, an area on a day, an agent. Never guesses."""

import re
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property

from schemas.catalogue import Area, AreaKind, Catalogue
from schemas.catalogue.matching import (
    OFFICIAL,
    AreaIndex,
    DiseaseIndex,
    Match,
    match_area,
    match_disease,
    normalise,
    unaccented,
    valid_on,
)
from schemas.events import find_identifier
from schemas.events.common import AGENT_PATTERN
from schemas.events.messages import make_problem
from services.importing.outcome import BadCell

# What may be repeated in a message: a code, never words, which may be a name in the wrong column.
_CODE_LIKE = re.compile(r"[a-z0-9._/-]{1,40}")
_PARTS = re.compile(r"\s*[,;]\s*|\s+-\s+")
_OUTER: frozenset[AreaKind] = frozenset({"province", "district"})
_AGENT = re.compile(AGENT_PATTERN)
# Looking for what a misspelt disease resembles is slow; with more different ones the file has other troubles.
_MOST_SUGGESTED_FOR = 200


@dataclass(frozen=True, slots=True)
class FoundArea:
    """An area's code, and how it was found.

    Attributes:
        code: Official code.
        is_named: The file gave a name, so the event must say on which day it was read.
        note: (Vietnamese, English) where the text was not understood as it stands.
    """

    code: str
    is_named: bool
    note: tuple[str, str] | None


class CodeFinder:
    """Answers from one catalogue; the same question is looked up once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._diseases = DiseaseIndex(catalogue.diseases)
        self._names = {disease.code: disease.name_vi for disease in catalogue.diseases}
        self._known_diseases: dict[str, str | BadCell] = {}
        self._known_areas: dict[tuple[str, date], FoundArea | BadCell] = {}
        self._suggested_for = 0

    def disease(self, text: str) -> str:
        """The code of the disease that a text means.

        Raises:
            BadCell: no disease, or none for certain; says which it may be.
        """
        found = self._known_diseases.get(text)
        if found is None:
            found = match_disease(self._diseases, text) or self._unknown_disease(text)
            self._known_diseases[text] = found
        if isinstance(found, BadCell):
            # A cached error that is raised again must not keep the frames of every row.
            raise found.with_traceback(None)
        return found

    def area(self, text: str, on: date) -> FoundArea:
        """The area that a code or a name means on a day; "xã, huyện, tỉnh" is read from its end.

        Raises:
            BadCell: no area, or none for certain; says what the code means in another period.
        """
        found = self._known_areas.get((text, on)) or self._by_code(text, on)
        if found is None:
            found = self._find_area(text, on)
            self._known_areas[text, on] = found
        if isinstance(found, BadCell):
            raise found.with_traceback(None)
        return found

    def agent(self, text: str) -> tuple[str, bool] | None:
        """The code of the agent that a column's name gives, and whether the catalogue knows it.

        None where it is neither known nor has the form of a code.
        """
        code = text.strip().casefold()
        found = (
            self._agents.get(code) or self._agents.get(normalise(text)) or match_disease(self._diseases, text)
        )
        if found is not None:
            return found, True
        return (code, False) if _AGENT.fullmatch(code) and find_identifier(code) is None else None

    @cached_property
    def _areas(self) -> AreaIndex:
        return AreaIndex(self._catalogue.areas, self._catalogue.links)

    def _by_code(self, text: str, on: date) -> FoundArea | None:
        """What most rows ask: an official code with all its zeros that is valid on that day."""
        for area in self._areas.by_code.get(text, ()):
            if area.kind in OFFICIAL and valid_on(area, on):
                return FoundArea(area.code, False, None)
        return None

    @cached_property
    def _agents(self) -> dict[str, str]:
        agents = self._catalogue.agents
        return {
            normalise(name): agent.code for agent in agents for name in (agent.name_vi, agent.name_en)
        } | {agent.code: agent.code for agent in agents}

    def _unknown_disease(self, text: str) -> BadCell:
        identifier = _identifier_in("disease", text)
        if identifier is not None:
            return identifier
        shown = _shown(text)
        similar: list[str] = []
        if self._suggested_for < _MOST_SUGGESTED_FOR:
            self._suggested_for += 1
            keys = get_close_matches(
                unaccented(normalise(text)), self._diseases.by_plain_key, n=5, cutoff=0.75
            )
            similar = list(
                dict.fromkeys(code for key in keys for code in sorted(self._diseases.by_plain_key[key]))
            )
        may_be = ", ".join(f"{code} ({self._names[code]})" for code in similar[:3])
        return BadCell(
            f"Bệnh{shown}: không có trong danh mục. "
            + (f"Có phải là: {may_be}? " if may_be else "")
            + "Ghi mã bệnh (ví dụ dengue) hoặc tên bệnh như trong danh mục.",
            f"Disease{shown} is not in the catalogue. "
            + (f"Is it one of: {may_be}? " if may_be else "")
            + "Write a code (such as dengue) or a name of the catalogue.",
        )

    def _find_area(self, text: str, on: date) -> FoundArea | BadCell:
        match = self._match(text, on)
        if match.area is None:
            return _identifier_in("area_code", text) or _no_area(text, match)
        note = (f"Địa bàn: {match.message_vi}.", f"Area: {match.message_en}.") if match.message_vi else None
        return FoundArea(match.area.code, not match.reason.startswith("code"), note)

    def _match(self, text: str, on: date) -> Match:
        match = match_area(self._areas, text, on=on)
        parts = [part for part in _PARTS.split(text) if part]
        if match.area is not None or len(parts) < 2:
            return match
        within: Area | None = None
        for part in reversed(parts[1:]):
            match = match_area(self._areas, part, on=on, within=within, kinds=_OUTER)
            if match.area is None:
                return match
            within = match.area
        return match_area(self._areas, parts[0], on=on, within=within)


def _identifier_in(field: str, text: str) -> BadCell | None:
    kind = find_identifier(text)
    if kind is None:
        return None
    problem = make_problem(f"data.{field}", "identifier", kind=kind)
    return BadCell(problem.message_vi, problem.message_en)


def _no_area(text: str, match: Match) -> BadCell:
    """Why a text is no area on that day. Only a text that the catalogue knows may be repeated."""
    advice_vi = (
        "Ghi mã địa bàn đúng vào ngày đó, hoặc sửa ngày, hoặc thêm cột area_on (ngày mà mã có hiệu lực)."
    )
    advice_en = (
        "Write the code of that day, or correct the date, or add area_on (a day on which the code is valid)."
    )
    if match.reason == "unknown":
        shown = _shown(text)
        return BadCell(
            f"Địa bàn{shown}: không có trong danh mục. Ghi mã hành chính đủ số 0 ở đầu: 5 số (xã), "
            "3 số (huyện) hoặc 2 số (tỉnh).",
            f"Area{shown} is not in the catalogue. Write an official code with its leading zeros: 5 digits "
            "(commune), 3 (district) or 2 (province).",
        )
    if match.reason == "wrong_period":
        if any(area.kind == "surveillance" for area in match.candidates):
            # Ours, not official: no event may name one.
            advice_vi = "Từ 01/07/2025 không còn cấp huyện: ghi mã xã (5 số). " + advice_vi
            advice_en = "There are no districts since 2025-07-01: write a commune (5 digits). " + advice_en
        return BadCell(f"Địa bàn: {match.message_vi}. {advice_vi}", f"Area: {match.message_en}. {advice_en}")
    if match.reason == "ambiguous":
        return BadCell(f"Địa bàn: {match.message_vi}.", f"Area: {match.message_en}.")
    return BadCell(
        f"Địa bàn: {match.message_vi}. Ghi mã hành chính của đúng địa bàn đó.",
        f"Area: {match.message_en}. Write the official code of the right one.",
    )


def _shown(text: str) -> str:
    """A code in quotation marks, nothing for words."""
    return f' "{text}"' if _CODE_LIKE.fullmatch(text) and find_identifier(text) is None else ""

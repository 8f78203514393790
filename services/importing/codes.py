"""What a text in a file means in the catalogue: a disease, an area on a day, an agent. Never guesses."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cached_property
from typing import NamedTuple

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
from schemas.events.common import AGENT_PATTERN, EARLIEST_DATE
from schemas.events.messages import make_problem
from services.importing.outcome import BadCell, Candidate, Question

# What may be repeated in a message: a code, never words, which may be a name in the wrong column.
_CODE_LIKE = re.compile(r"[a-z0-9._/-]{1,40}")
_PARTS = re.compile(r"\s*[,;]\s*|\s+-\s+")
_OUTER: frozenset[AreaKind] = frozenset({"province", "district"})
_AGENT = re.compile(AGENT_PATTERN)
# Looking for what a misspelt disease resembles is slow; with more different ones the file has other troubles.
_MOST_SUGGESTED_FOR = 200
_CANDIDATES = 5
_LONGEST_QUESTION = 200
_PROVINCE, _DISTRICT, _COMMUNE = (frozenset[AreaKind]({kind}) for kind in ("province", "district", "commune"))
# Districts ended and communes were merged.
_REFORM = date(2025, 7, 1)
_LAST_DAY_BEFORE = date(2025, 6, 30)


@dataclass(frozen=True, slots=True)
class FoundArea:
    """An area's code, and how it was found.

    Attributes:
        code: Official code.
        is_named: The file gave a name, so the event must say on which day it was read.
        note: (Vietnamese, English) where the text was not understood as it stands.
        on: A day on which the code means the area, always the same one for the same area; None where the
            day that was asked about is meant.
    """

    code: str
    is_named: bool
    note: tuple[str, str] | None
    on: date | None = None


class Place(NamedTuple):
    """What the columns of an address say, as they stand; empty where there is no such column or cell."""

    province: str
    district: str
    commune: str

    def text(self) -> str:
        """In one line, from the commune outwards."""
        return ", ".join(filter(None, (self.commune, self.district, self.province)))


class CodeFinder:
    """Answers from one catalogue; the same question is looked up once."""

    def __init__(self, catalogue: Catalogue, meanings: Mapping[tuple[str, str], str] | None = None) -> None:
        """`meanings`: (field, meaning_key of a text) → the code that somebody said it means, an area's id."""
        self._catalogue = catalogue
        self._meanings = meanings or {}
        self._diseases = DiseaseIndex(catalogue.diseases)
        self._names = {disease.code: disease.name_vi for disease in catalogue.diseases}
        self._known_diseases: dict[str, str | BadCell] = {}
        self._known_areas: dict[tuple[str, date], FoundArea | BadCell] = {}
        self._known_places: dict[tuple[Place, int], FoundArea | BadCell] = {}
        self._agents_of = {disease.code: disease.agents for disease in catalogue.diseases}
        self._suggested_for = 0

    def disease(self, text: str) -> str:
        """The code of the disease that a text means.

        Raises:
            BadCell: no disease, or none for certain; says which it may be.
        """
        found = self._known_diseases.get(text)
        if found is None:
            found = (
                match_disease(self._diseases, text)
                or self._meanings.get(("disease", meaning_key(text)))
                or self._unknown_disease(text)
            )
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
        found = self._known_areas.get((text, on))
        if found is None:
            found = self._by_code(text, on) or self._find_area(text, on)
            self._known_areas[text, on] = found
        if isinstance(found, BadCell):
            raise found.with_traceback(None)
        return found

    def place(self, place: Place, on: date) -> FoundArea:
        """The area that the columns of an address mean, for a case of that day.

        With a district the address is of the structure before 2025-07-01. Without one it is read in the
        structure since then first, whatever the case's day: the national system shows old cases so. A place
        of before that lies in one of now, whole, is taken for it, and said.

        Raises:
            BadCell: no area, or none for certain, with what it may be.
        """
        # Between two changes of the areas every day gives the same answer.
        key = place, bisect_right(self._changes, on)
        found = self._known_places.get(key)
        if found is None:
            found = self._find_place(place, on)
            self._known_places[key] = found
        if isinstance(found, BadCell):
            raise found.with_traceback(None)
        return found

    def own_agents(self, disease: str) -> tuple[str, ...]:
        """What a laboratory can find of a disease, its own agent first."""
        return self._agents_of[disease]

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
    def _changes(self) -> list[date]:
        """The days on which areas began, and those after which they ended."""
        began = {area.valid_from for area in self._catalogue.areas if area.valid_from}
        ended = {area.valid_to + timedelta(days=1) for area in self._catalogue.areas if area.valid_to}
        return sorted(began | ended | {_REFORM})

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
            _question(text, [Candidate(code, self._names[code]) for code in similar[:_CANDIDATES]]),
        )

    # --- places -----------------------------------------------------------------------------------------

    def _find_place(self, place: Place, on: date) -> FoundArea | BadCell:
        decided = self._areas.by_id.get(self._meanings.get(("area_code", meaning_key(place.text())), ""))
        if decided is not None:
            return self._of_then(place, Match(decided, (), "name"), on)
        if not place.province and not place.district and not place.commune:
            return BadCell("Địa bàn: còn thiếu tỉnh và xã.", "The province and the commune are missing.")
        identifier = _identifier_in("area_code", place.text())
        if identifier is not None:
            return identifier
        old = self._reading(place, min(on, _LAST_DAY_BEFORE))
        if place.district:
            return self._of_then(place, old, on)
        new = self._reading(place, max(on, _REFORM))
        if new.area is None:
            # Of two readings that fail the one that got further has the better candidates.
            further = max(new, old, key=lambda match: [a.kind == "commune" for a in match.candidates[:1]])
            return self._of_then(place, old if old.area else further, on)
        if old.area is None or on >= _REFORM or old.area.kind != "commune":
            return _found(new.area, _note(new))
        if new.area not in self._areas.counterparts(old.area, max(on, _REFORM)):
            return self._doubt(place, [new.area, old.area])
        shown = f"{new.area.name_vi} ({new.area.code})"
        return _found(
            new.area,
            (
                f"Địa bàn: tên có trước và sau 01/07/2025; hiểu là {shown} từ 01/07/2025.",
                f"Area: named so before and after 2025-07-01; read as {shown} since then.",
            ),
        )

    def _of_then(self, place: Place, match: Match, on: date) -> FoundArea | BadCell:
        """An area of the structure before the reform: for a later case, the one that it went into whole."""
        area = match.area
        if area is None:
            return self._doubt(place, list(match.candidates))
        if on < _REFORM or valid_on(area, on):
            return _found(area, _note(match))
        targets = self._areas.counterparts(area, on)
        if area.kind != "district" and len(targets) == 1:
            shown = f"{targets[0].name_vi} ({targets[0].code})"
            return _found(
                targets[0],
                (
                    f"Địa bàn: {area.name_vi} là tên trước 01/07/2025; nay thuộc {shown}.",
                    f"Area: {area.name_vi} is a name of before 2025-07-01; it lies in {shown} now.",
                ),
            )
        # Several areas of now: the case stays with what is known for certain, the area of then.
        return _found(area, _note(match)) if area.kind == "district" else self._doubt(place, targets)

    def _reading(self, place: Place, on: date) -> Match:
        """The address in the structure of one day, from the province inwards."""
        within: Area | None = None
        match = Match(None, (), "empty")
        parts = ((place.province, _PROVINCE), (place.district, _DISTRICT), (place.commune, _COMMUNE))
        for text, kinds in parts:
            if not text:
                continue
            match = match_area(self._areas, text, on=on, within=within, kinds=kinds)
            if match.area is None:
                similar = match.candidates or tuple(self._similar(text, on, within, kinds))
                if kinds != _COMMUNE and place.commune:
                    similar = (*self._communes_in(similar, place.commune, on), *similar)
                return Match(None, similar, match.reason, match.message_vi, match.message_en)
            within = match.area
        return match

    def _communes_in(self, outer: tuple[Area, ...], text: str, on: date) -> Iterator[Area]:
        """What a commune's name means in each of these areas."""
        for area in outer:
            match = match_area(self._areas, text, on=on, within=area, kinds=_COMMUNE)
            if match.area is not None:
                yield match.area

    def _similar(self, text: str, on: date, within: Area | None, kinds: frozenset[AreaKind]) -> list[Area]:
        """Areas of that day and place whose names resemble a text, the likeliest first."""
        if self._suggested_for >= _MOST_SUGGESTED_FOR:
            return []
        self._suggested_for += 1
        names: dict[str, list[Area]] = {}
        for area in self._catalogue.areas:
            if area.kind in kinds and valid_on(area, on):
                if within is not None and not self._areas.lies_in(area, within):
                    continue
                for name in self._areas.names_of(area):
                    names.setdefault(unaccented(name), []).append(area)
        close = get_close_matches(unaccented(normalise(text)), names, n=_CANDIDATES, cutoff=0.8)
        return list(dict.fromkeys(area for name in close for area in names[name]))[:_CANDIDATES]

    def _doubt(self, place: Place, areas: list[Area]) -> BadCell:
        candidates = [Candidate(a.code, self._full_name(a), _day_of(a)) for a in areas[:_CANDIDATES]]
        if not candidates:
            return BadCell(
                "Địa bàn: không tìm thấy tỉnh, huyện hoặc xã này trong danh mục. Sửa tên địa bàn ở hệ thống "
                "quốc gia rồi xuất lại, hoặc ghi mã hành chính.",
                "The province, district or commune is not in the catalogue. Correct it in the national "
                "system and export again, or write an official code.",
            )
        listed = "; ".join(f"{found.name} ({found.code})" for found in candidates)
        return BadCell(
            f"Địa bàn: không chắc chắn. Có phải là: {listed}? Chọn một lần ở trang Nhập tệp hoặc bằng "
            "canhdich meanings set, rồi nhập lại tệp.",
            f"The area is not certain. Is it one of: {listed}? Decide once on the import page or with "
            "canhdich meanings set, then import the file again.",
            _question(place.text(), candidates),
        )

    def _full_name(self, area: Area) -> str:
        """With the areas around it, and until when it was."""
        names = [area.name_vi]
        outer = self._areas.by_id.get(area.parent_id or "")
        while outer is not None:
            names.append(outer.name_vi)
            outer = self._areas.by_id.get(outer.parent_id or "")
        until = f" (đến {area.valid_to:%d/%m/%Y})" if area.valid_to else ""
        return ", ".join(names) + until

    def _find_area(self, text: str, on: date) -> FoundArea | BadCell:
        match = self._match(text, on)
        if match.area is None:
            return _identifier_in("area_code", text) or _no_area(text, match)
        return FoundArea(match.area.code, not match.reason.startswith("code"), _note(match))

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


def meaning_key(text: str) -> str:
    """What makes two spellings of a doubtful text one question."""
    return " ".join(map(normalise, text.split(",")))


def _found(area: Area, note: tuple[str, str] | None) -> FoundArea:
    return FoundArea(area.code, True, note, _day_of(area))


def _day_of(area: Area) -> date:
    """One day of the area's life, the same whenever it is asked for."""
    return area.valid_from or EARLIEST_DATE


def _note(match: Match) -> tuple[str, str] | None:
    return (f"Địa bàn: {match.message_vi}.", f"Area: {match.message_en}.") if match.message_vi else None


def _question(text: str, candidates: list[Candidate]) -> Question | None:
    """A text that resembles nothing may be anything, a name in the wrong column too: it is not kept."""
    fits = candidates and len(text) <= _LONGEST_QUESTION and find_identifier(text) is None
    return Question(" ".join(text.split()), tuple(candidates)) if fits else None


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

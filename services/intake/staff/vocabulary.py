"""The catalogue as people meet it in forms: diseases and places by name or code, and their names on pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property

from schemas.catalogue import Agent, Area, AreaKind, Catalogue, Disease
from schemas.catalogue.matching import (
    OFFICIAL,
    AreaIndex,
    DiseaseIndex,
    match_area,
    match_disease,
    normalise,
    unaccented,
    valid_on,
)
from schemas.events import find_identifier
from schemas.events.common import EARLIEST_DATE
from schemas.events.messages import make_problem
from services.intake.staff.words import Language, say

# "Xã Bình Lư (03390)": as the lists of suggestions write a place.
_LABEL = re.compile(r"(.+?)\s*\((\d{2}|\d{3}|\d{5})\)")
_SEARCHED: frozenset[AreaKind] = frozenset({"commune", "surveillance", "province"})


class Unclear(Exception):
    """A text that means no disease or place for certain; says what to do, in the words of a page."""

    def __init__(self, message_vi: str, message_en: str) -> None:
        super().__init__(message_en)
        self.message_vi = message_vi
        self.message_en = message_en


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place that a text means.

    Attributes:
        area: The place.
        on: A day on which its code means it; None where the day that was asked about is one.
    """

    area: Area
    on: date | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One line of a list of suggestions.

    Attributes:
        value: What the field then holds.
        also: What finds it as well: the same without accents, other names.
    """

    value: str
    also: str


class Vocabulary:
    """One version of the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._disease_index = DiseaseIndex(catalogue.diseases)
        self._diseases = {disease.code: disease for disease in catalogue.diseases}
        self._agents = {agent.code: agent for agent in catalogue.agents}

    # --- diseases ---------------------------------------------------------------------------------------

    @property
    def diseases(self) -> Sequence[Disease]:
        """All of them, in the order of the report."""
        return self._catalogue.diseases

    def disease(self, code: str) -> Disease | None:
        """The disease with a code."""
        return self._diseases.get(code)

    def disease_name(self, code: str, language: Language) -> str:
        """What a disease is called; the code where nobody knows it."""
        found = self._diseases.get(code)
        return code if found is None else found.name_vi if language == "vi" else found.name_en

    def disease_suggestions(self, language: Language) -> list[Suggestion]:
        """Every disease; typed without accents, or by another name, it is found as well."""
        return [
            Suggestion(
                self.disease_name(disease.code, language),
                ", ".join(
                    dict.fromkeys(
                        unaccented(normalise(name))
                        for name in (disease.name_vi, disease.name_en, *disease.aliases_vi)
                    )
                ),
            )
            for disease in self._catalogue.diseases
        ]

    def find_disease(self, text: str) -> Disease:
        """The disease that a text means: name, alias or code, with accents or without.

        Raises:
            Unclear: none, or none for certain; says which it may be.
        """
        # The matching drops a leading "bệnh"; typed without accents it is a word that no name has.
        short = text[5:] if text.casefold().startswith("benh ") else text
        code = match_disease(self._disease_index, text) or match_disease(self._disease_index, short)
        if code is not None:
            return self._diseases[code]
        _refuse_identifier("data.disease", text)
        by_plain_key = self._disease_index.by_plain_key
        keys = get_close_matches(unaccented(normalise(text)), by_plain_key, n=5, cutoff=0.6)
        codes = list(dict.fromkeys(code for key in keys for code in sorted(by_plain_key[key])))[:3]
        raise _unclear(
            "cases.disease_may_be" if codes else "cases.disease_unknown",
            tuple(
                "; ".join(self.disease_name(code, language) for code in codes) for language in ("vi", "en")
            ),
        )

    # --- agents -----------------------------------------------------------------------------------------

    def agents_of(self, disease: str | None) -> Sequence[str]:
        """Codes of what a laboratory may find of a disease, its own agent first."""
        found = self._diseases.get(disease or "")
        return found.agents if found else ()

    def agent_name(self, code: str, language: Language) -> str:
        """What an agent is called; a disease's own agent is called as the disease."""
        agent: Agent | None = self._agents.get(code)
        if agent is None:
            return self.disease_name(code, language)
        return agent.name_vi if language == "vi" else agent.name_en

    # --- places -----------------------------------------------------------------------------------------

    @cached_property
    def _areas(self) -> AreaIndex:
        return AreaIndex(self._catalogue.areas, self._catalogue.links)

    def area(self, area_id: str) -> Area | None:
        """The area with an id."""
        return self._areas.by_id.get(area_id)

    def area_label(self, area_id: str) -> str:
        """Name and code of an area, as forms show and read it."""
        found = self._areas.by_id.get(area_id)
        return area_id.partition("@")[0] if found is None else label_of(found)

    def present(self, code: str, on: date) -> Area | None:
        """What a present code means on a day; an official area before a surveillance area."""
        found = [area for area in self._areas.by_code.get(code, ()) if valid_on(area, on)]
        return min(found, key=lambda area: area.kind == "surveillance", default=None)

    def codes_around(self, area: Area) -> set[str]:
        """The code of an area, and those of the areas in which it lies."""
        outer = (other for other in self._catalogue.areas if self._areas.lies_in(area, other))
        return {area.code, *(other.code for other in outer)}

    def lies_in(self, code: str, outer: Area, on: date) -> bool:
        """Whether the area that a present code means lies in another one of that day."""
        area = self.present(code, on)
        return area is not None and self._areas.lies_in(area, outer)

    def communes_of(self, codes: Sequence[str], on: date) -> list[Area]:
        """The communes of a day in the areas with these present codes, by name."""
        outer = [area for code in codes if (area := self.present(code, on)) is not None]
        found = {
            area.id: area
            for area in self._catalogue.areas
            if area.kind == "commune"
            and valid_on(area, on)
            and any(area.id == other.id or self._areas.lies_in(area, other) for other in outer)
        }
        return sorted(found.values(), key=lambda area: unaccented(normalise(area.name_vi)))

    def place_suggestions(self, areas: Sequence[Area]) -> list[Suggestion]:
        """These areas as a list of suggestions."""
        return [Suggestion(label_of(area), unaccented(normalise(area.name_vi))) for area in areas]

    def search_places(self, text: str, on: date, most: int, own_codes: Sequence[str] = ()) -> list[Area]:
        """Communes of a day whose code begins with a text, or whose name has a word that does.

        Those of the provinces in which the own areas lie come first.
        """
        key = unaccented(normalise(text))
        if not key:
            return []
        around = {code for own in self._own(own_codes, on) for code in self.codes_around(own)}
        near = [area for code in around if (area := self.present(code, on)) and area.kind == "province"]
        found = [area for area in self._catalogue.areas if area.kind == "commune" and valid_on(area, on)]
        named = [(unaccented(normalise(area.name_vi)), area) for area in found]
        hits = [
            (
                not any(self._areas.lies_in(area, province) for province in near),
                not any(own.startswith(key) for own in (area.code, name, name.partition(" ")[2])),
                name,
                area,
            )
            for name, area in named
            if area.code.startswith(text) or f" {key}" in f" {name}"
        ]
        hits.sort(key=lambda hit: hit[:3])
        return [hit[3] for hit in hits[:most]]

    def find_place(self, text: str, on: date, own_codes: Sequence[str] = ()) -> FoundPlace:
        """The place that a text means for a case of a day.

        A line of the suggestions ("Xã Bình Lư (03390)") means that very place, also for a case of before its
        time. A code or a name alone is read on the day; of namesakes the one in the own area is meant.

        Args:
            text: As typed.
            on: The day.
            own_codes: Present codes of the typist's areas.

        Raises:
            Unclear: none, or none for certain; says what it may be, or what it was on another day.
        """
        labelled = _LABEL.fullmatch(text)
        if labelled:
            return self._labelled(labelled[1], labelled[2], on)
        for own in self._own(own_codes, on):
            if own.kind == "commune" and unaccented(normalise(text)) in map(
                unaccented, AreaIndex.names_of(own)
            ):
                return FoundPlace(own, None)
            near = match_area(self._areas, text, on=on, within=own)
            if near.area is not None and near.area.kind == "commune":
                return FoundPlace(near.area, None)
        found = match_area(self._areas, text, on=on)
        if found.area is not None:
            return FoundPlace(found.area, None)
        _refuse_identifier("data.area_code", text)
        raise _unclear("cases.area_unclear", (found.message_vi, found.message_en))

    def find_present_place(self, text: str, today: date) -> Area:
        """A commune, surveillance area or province of today, for a search.

        Raises:
            Unclear: none, or none for certain.
        """
        labelled = _LABEL.fullmatch(text)
        found = match_area(self._areas, labelled[2] if labelled else text, on=today, kinds=_SEARCHED)
        if found.area is None:
            _refuse_identifier("data.area_code", text)
            raise _unclear("cases.area_unclear", (found.message_vi, found.message_en))
        return found.area

    def _labelled(self, name: str, code: str, on: date) -> FoundPlace:
        named = [
            area
            for area in self._areas.by_code.get(code, ())
            if normalise(name) in AreaIndex.names_of(area) and area.kind in OFFICIAL
        ]
        if not named:
            _refuse_identifier("data.area_code", name)
            raise _unclear("cases.label_unknown", (code, code))
        then = next((area for area in named if valid_on(area, on)), None)
        if then is not None:
            return FoundPlace(then, None)
        latest = max(named, key=lambda area: area.valid_from or EARLIEST_DATE)
        return FoundPlace(latest, latest.valid_from or EARLIEST_DATE)

    def _own(self, codes: Sequence[str], on: date) -> Iterator[Area]:
        for code in codes:
            for area in self._areas.by_code.get(code, ()):
                if valid_on(area, on):
                    yield area


def label_of(area: Area) -> str:
    """Name and code of an area.

    >>> label_of(Area("12@start", "12", "province", "Tỉnh Lai Châu", None, None, None, None, None, None))
    'Tỉnh Lai Châu (12)'
    """
    return f"{area.name_vi} ({area.code})"


def _unclear(key: str, found: tuple[str, ...]) -> Unclear:
    return Unclear(say("vi", key, found=found[0]), say("en", key, found=found[1]))


def _refuse_identifier(field: str, text: str) -> None:
    kind = find_identifier(text)
    if kind is not None:
        problem = make_problem(field, "identifier", kind=kind)
        raise Unclear(problem.message_vi, problem.message_en)

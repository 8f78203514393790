"""The areas of a question about tallies or foci: where each lies of its own, and where it is shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.areas import AreaKind, code_of
from streams.domain.coverage import ProvincePart
from streams.domain.errors import ConfigurationError
from streams.domain.tally_cover import Place

Level = Literal["province", "district", "commune"]


class ShownArea(NamedTuple):
    """An area, its own place in its own time, and its place in the structure asked for."""

    area_id: str
    kind: AreaKind
    name_vi: str
    parent_id: str | None
    own_province_id: str
    valid_from: date | None
    valid_to: date | None
    province_id: str
    district_id: str | None
    commune_id: str | None
    province_name: str
    district_name: str | None
    commune_name: str | None
    province_doubt: float
    district_doubt: float
    commune_doubt: float

    @property
    def level(self) -> Level:
        """Its level; a surveillance area is a district."""
        return "district" if self.kind == "surveillance" else self.kind

    def shown(self, level: Level) -> dict[str, Any]:
        """Code and name of where it is shown, None where that is not known."""
        area_id: str | None = getattr(self, f"{level}_id")
        name: str | None = getattr(self, f"{level}_name")
        return {level: None if area_id is None else code_of(area_id), f"{level}_name": name}

    def doubt(self, level: Level) -> float:
        """The share of it that may lie in another area of that level than the one shown."""
        doubt: float = getattr(self, f"{level}_doubt")
        return doubt


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question asks about.

    Attributes:
        areas: By id, all that are shown in it.
        place: It as one place, with the areas in it; the top of a province or district stands above the areas
            of different structures that are shown as it.
        level: Of what was asked for.
        parts: The same, province by province of its own time.
    """

    areas: Mapping[str, ShownArea]
    place: Place
    level: Level
    parts: tuple[ProvincePart, ...]

    def claimant(self, area: ShownArea, first: date) -> str:
        """The id of the place for which a tally of an area speaks.

        A tally of a province (or of the district asked for) that begins before the area was there speaks for
        whatever was shown as it then.
        """
        if area.level == self.level and area.valid_from is not None and first < area.valid_from:
            return _top_id(area, self.level)
        return area.area_id


def read_scope(
    connection: Connection[TupleRow], geography_on: date, province: str | None, district: str | None
) -> Scope:
    """The areas shown in a province or district (codes) in the structure of a day; by default in all.

    Raises:
        ConfigurationError: no area had this code in that structure; says which.
    """
    params = {"geography_on": geography_on, "province": province, "district": district}
    areas = {row[0]: ShownArea(*row) for row in connection.execute(query("report_places"), params)}
    if not areas:
        asked = f"--district {district}" if district is not None else f"--province {province}"
        if province is None and district is None:
            raise ConfigurationError("The database has no catalogue of areas: run `canhdich migrate` first.")
        raise ConfigurationError(
            f"{asked}: no such area in the structure of {geography_on.isoformat()}. "
            "Codes are text with their zeros, and are read in --geography."
        )
    level: Level = "province" if district is None else "district"
    places = _places(areas)
    roots = [area for area in areas.values() if area.parent_id not in areas]
    tops: dict[str, list[ShownArea]] = {}
    for root in roots:
        tops.setdefault(_top_id(root, level), []).append(root)
    children = tuple(
        Place(top_id, children=tuple(places[root.area_id] for root in under))
        for top_id, under in sorted(tops.items())
    )
    return Scope(
        areas,
        children[0] if len(children) == 1 else Place("", children=children),
        level,
        _parts(roots, areas, places),
    )


def _top_id(area: ShownArea, level: Level) -> str:
    return f"{level} {area.province_id if level == 'province' else area.district_id}"


def _places(areas: Mapping[str, ShownArea]) -> dict[str, Place]:
    """Every area with the areas in it, from the smallest up."""
    within: dict[str | None, list[str]] = {}
    for area in areas.values():
        within.setdefault(area.parent_id, []).append(area.area_id)
    places: dict[str, Place] = {}

    def build(area_id: str) -> Place:
        place = places.get(area_id)
        if place is None:
            area = areas[area_id]
            children = tuple(build(child) for child in within.get(area_id, ()))
            place = places[area_id] = Place(area_id, area.valid_from, area.valid_to, children)
        return place

    for area_id in areas:
        build(area_id)
    return places


def _parts(
    roots: Iterable[ShownArea], areas: Mapping[str, ShownArea], places: Mapping[str, Place]
) -> tuple[ProvincePart, ...]:
    by_province: dict[str, list[ShownArea]] = {}
    for root in roots:
        by_province.setdefault(root.own_province_id, []).append(root)
    parts = []
    for province_id, under in sorted(by_province.items()):
        starts = [root.valid_from for root in under]
        ends = [root.valid_to for root in under]
        parts.append(
            ProvincePart(
                province_id,
                None if None in starts else min(day for day in starts if day is not None),
                None if None in ends else max(day for day in ends if day is not None),
                tuple(places[root.area_id] for root in under),
            )
        )
    return tuple(parts)

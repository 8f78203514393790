"""Where every area stands in every structure of areas, so that a series survives a reform."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from streams.domain.areas import Area, AreaIndex, code_of

_AreaId = TypeVar("_AreaId", str, str | None)

OLDEST: Final = "0001-01-01"
"""The day that stands for the structure in force since before our records."""


class Link(NamedTuple):
    """An old area and one of the areas that took over from it; `is_whole` when all of it went there."""

    from_id: str
    to_id: str
    is_whole: bool
    is_default: bool


class Placement(NamedTuple):
    """An area as shown in the structure that came into force on a day.

    `is_approximate` is True where the place is a best guess: split communes carried forward, and
    anything that several old areas were merged into carried backward. A None district or commune is
    not known (a case reported for a district has no commune; a merged commune has no single old one).
    """

    structure_on: str
    area_id: str
    province_id: str
    district_id: str | None
    commune_id: str | None
    is_approximate: bool


def structures(areas: Iterable[Area]) -> list[str]:
    """The days (ISO) on which a structure came into force, oldest first."""
    return sorted({area.valid_from or OLDEST for area in areas})


@dataclass(frozen=True)
class _Links:
    forward: dict[str, Link]
    backward: dict[str, list[Link]]


def placements(index: AreaIndex, links: Iterable[Link]) -> Iterator[Placement]:
    """Every area in every structure.

    Forward an area goes to its default successor, so totals stay equal; backward a merged commune goes
    to the district of most of its predecessors, which its surveillance area names.
    """
    link_list = list(links)
    backward: dict[str, list[Link]] = {}
    for link in link_list:
        backward.setdefault(link.to_id, []).append(link)
    known = _Links({link.from_id: link for link in link_list if link.is_default}, backward)
    areas = list(index)
    for day in structures(areas):
        for area in areas:
            yield _place(area, day, index, known)


def _place(area: Area, day: str, index: AreaIndex, links: _Links) -> Placement:
    if area.is_valid_on(day):
        commune_id = area.id if area.kind == "commune" else None
        return Placement(day, area.id, area.province_id, area.district_id, commune_id, False)
    if area.valid_to is not None and area.valid_to < day:
        return _forward(area, day, index, links)
    return _backward(area, day, index, links)


def _forward(area: Area, day: str, index: AreaIndex, links: _Links) -> Placement:
    link = links.forward.get(area.id)
    if link is None:
        # Nothing took over from it, as far as the catalogue knows: shown as itself.
        return Placement(day, area.id, area.province_id, area.district_id, None, True)
    placed = _place(index[link.to_id], day, index, links)
    return placed._replace(area_id=area.id, is_approximate=placed.is_approximate or not link.is_whole)


def _backward(area: Area, day: str, index: AreaIndex, links: _Links) -> Placement:
    placed = [_place(index[link.from_id], day, index, links) for link in links.backward.get(area.id, ())]
    if not placed:
        return Placement(day, area.id, area.province_id, area.district_id, None, True)
    district_id: str | None
    if area.kind == "province":
        district_id = None
    elif area.district_id is not None and area.kind == "commune":
        # The surveillance area of a commune is named after the district that gave most of it.
        district_id = _backward(index[area.district_id], day, index, links).district_id
    else:
        district_id = _most_frequent((place.district_id for place in placed), area.code)
    province_id = (
        index[district_id].province_id
        if district_id is not None
        else _most_frequent((place.province_id for place in placed), area.code)
    )
    districts = {place.district_id for place in placed}
    provinces = {place.province_id for place in placed}
    commune_id = placed[0].commune_id if len(placed) == 1 else None
    is_approximate = len(districts) > 1 or len(provinces) > 1 or any(p.is_approximate for p in placed)
    return Placement(day, area.id, province_id, district_id, commune_id, is_approximate)


def _most_frequent(area_ids: Iterable[_AreaId], code: str) -> _AreaId:
    """The id that comes most often; of several the one with this code, after which the area is named."""
    times = Counter(area_ids)
    return min(times, key=lambda a: (-times[a], a is None or code_of(a) != code, a or ""))

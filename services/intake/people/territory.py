"""What lies in what today, so that "own area" means the same for a code and for an area of the past."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple


class Place(NamedTuple):
    """Where an area lies in today's structure, as codes; None where that level is not known.

    `district_code` is that of the surveillance area (khu vực), which is the former district's.
    """

    area_id: str
    is_present: bool
    province_code: str
    district_code: str | None
    commune_code: str | None
    name: str = ""


_LENGTHS: Final = {2: "province", 3: "district", 5: "commune"}


class Territory:
    """All areas of one catalogue, placed in the structure of today."""

    def __init__(self, places: Collection[Place]) -> None:
        around: dict[str, frozenset[str]] = {}
        present: dict[str, frozenset[str]] = {}
        for place in places:
            codes = frozenset(
                code for code in (place.province_code, place.district_code, place.commune_code) if code
            )
            around[place.area_id] = codes
            if place.is_present:
                present[place.area_id.partition("@")[0]] = codes
        self._names = {place.area_id.partition("@")[0]: place.name for place in places if place.is_present}
        self._around: Mapping[str, frozenset[str]] = around
        self._present: Mapping[str, frozenset[str]] = present

    def is_present(self, code: str) -> bool:
        """Whether a code names a commune, a surveillance area or a province of today."""
        return len(code) in _LENGTHS and code in self._present

    def name_of(self, code: str) -> str:
        """The name of a present area; the code itself where there is none."""
        return self._names.get(code) or code

    def covers_code(self, own: Iterable[str], code: str) -> bool:
        """Whether the present area with a code is one of those named, or lies in one. Unknown: no."""
        return not self._present.get(code, frozenset()).isdisjoint(own)

    def covers_area(self, own: Iterable[str], area_id: str) -> bool:
        """The same for an area of any time, by its id: it lies where it is shown today. Unknown: no."""
        return not self._around.get(area_id, frozenset()).isdisjoint(own)

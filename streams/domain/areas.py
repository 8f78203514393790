"""Administrative areas with dates: a code means nothing without the day on which it was used."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

AreaKind = Literal["province", "district", "commune", "surveillance"]


@dataclass(frozen=True, slots=True)
class Area:
    """One area in one period of validity. Days are ISO text; None is "since ever" or "until further notice".

    `district_id` is the district (until 2025-06-30) or surveillance area (after it) in which the area's
    cases are totalled; None for a province, whose cases have no known district.
    """

    id: str
    code: str
    kind: AreaKind
    name_vi: str
    province_id: str
    district_id: str | None
    valid_from: str | None
    valid_to: str | None

    def is_valid_on(self, day: str) -> bool:
        """Whether the area existed on an ISO day (both ends of its validity included)."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


def code_of(area_id: str) -> str:
    """The official code within an area's id.

    >>> code_of("03412@start")
    '03412'
    """
    return area_id.partition("@")[0]


class AreaIndex:
    """All areas by id and by (code, day)."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._by_id = {area.id: area for area in areas}
        self._by_code: dict[str, list[Area]] = {}
        for area in self._by_id.values():
            # Surveillance areas borrow the codes of former districts: they are ours, not official,
            # so no event may name one.
            if area.kind != "surveillance":
                self._by_code.setdefault(area.code, []).append(area)

    def __getitem__(self, area_id: str) -> Area:
        return self._by_id[area_id]

    def __contains__(self, area_id: str) -> bool:
        return area_id in self._by_id

    def __iter__(self) -> Iterator[Area]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def resolve(self, code: str, day: str) -> Area | None:
        """The area that an official code meant on an ISO day; None when it meant nothing then."""
        for area in self._by_code.get(code, ()):
            if area.is_valid_on(day):
                return area
        return None

    def total_id(self, area_id: str) -> str:
        """Where the area's cases are totalled: its district, or its province where no district is known."""
        area = self._by_id[area_id]
        return area.district_id or area.province_id

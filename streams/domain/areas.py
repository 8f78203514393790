"""Administrative areas with dates: a code means nothing without the day on which it was used."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

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

    def of_code(self, code: str) -> list[Area]:
        """Every area, surveillance areas too, that ever had a code; the oldest first."""
        found = [area for area in self._by_id.values() if area.code == code]
        return sorted(found, key=lambda area: area.valid_from or "")

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


def similar_codes(index: AreaIndex, code: str, day: str) -> list[Area]:
    """Areas of a day whose code is one slip away: a lost leading zero, a wrong digit, two digits swapped.

    A wrong digit alone has many candidates, so only the last two digits are tried for it: there stand those
    that differ between neighbours.
    """
    swapped = {
        code[:place] + code[place + 1] + code[place] + code[place + 2 :] for place in range(len(code) - 1)
    }
    slips = {
        code[:place] + digit + code[place + 1 :] for place in range(len(code))[-2:] for digit in "0123456789"
    }
    found = [index.resolve(other, day) for other in sorted((swapped | slips | {code.zfill(5)}) - {code})]
    return [area for area in found if area is not None]


@dataclass(frozen=True, slots=True)
class AreaChange:
    """One area whose place or name is another one than before."""

    area: Area
    before: Area


@dataclass(frozen=True, slots=True)
class AreaChanges:
    """What became of the areas between two catalogues.

    Attributes:
        added: New ones.
        ended: Those that have a last day now.
        renamed: Those with another name.
        regrouped: Those that lie in another district, surveillance area or province.
        removed: Those that are gone: nothing referred to them.
        regrouped_cases: How many cases stand on the regrouped ones: their totals move.
    """

    added: tuple[Area, ...] = ()
    ended: tuple[Area, ...] = ()
    renamed: tuple[AreaChange, ...] = ()
    regrouped: tuple[AreaChange, ...] = ()
    removed: tuple[Area, ...] = ()
    regrouped_cases: int = 0


NO_CHANGES: Final = AreaChanges()


def changes_between(before: AreaIndex, after: AreaIndex, cases: Mapping[str, int]) -> AreaChanges:
    """What became of the areas; `cases` is the number of cases that stand on each."""
    kept = [AreaChange(after[area.id], area) for area in before if area.id in after]
    regrouped = tuple(
        change
        for change in kept
        if (change.area.district_id, change.area.province_id)
        != (change.before.district_id, change.before.province_id)
    )
    return AreaChanges(
        added=tuple(area for area in after if area.id not in before),
        ended=tuple(c.area for c in kept if c.area.valid_to != c.before.valid_to and c.area.valid_to),
        renamed=tuple(c for c in kept if c.area.name_vi != c.before.name_vi),
        regrouped=regrouped,
        removed=tuple(area for area in before if area.id not in after),
        regrouped_cases=sum(cases.get(change.area.id, 0) for change in regrouped),
    )

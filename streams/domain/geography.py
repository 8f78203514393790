"""Where every area stands in every structure of areas, so that a series survives a reform."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from streams.domain.areas import Area, AreaIndex, code_of
from streams.domain.errors import ConfigurationError

OLDEST: Final = "0001-01-01"
"""The day that stands for the structure in force since before our records."""

SURVEILLANCE: Final = "surveillance"
"""The word for the structure of today, whose districts are surveillance areas."""

FIRST_SURVEILLANCE_DAY: Final = date(2025, 7, 1)
"""From this day on there are no districts. Source: QĐ 19/2025/QĐ-TTg."""


def geography_on(value: str | None, last: date | None, today: date) -> date:
    """The day whose structure of areas is shown.

    Args:
        value: A day (ISO), or "surveillance": the areas of today, with surveillance areas as districts.
        last: Last day of the period asked for; its structure is shown where no value is given.
        today: Local day.

    Raises:
        ConfigurationError: the value is neither.

    >>> geography_on("surveillance", date(2023, 12, 31), date(2026, 11, 22))
    datetime.date(2026, 11, 22)
    """
    if value is None:
        return last or today
    if value == SURVEILLANCE:
        return max(today, FIRST_SURVEILLANCE_DAY)
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ConfigurationError(
            f"--geography {value}: a day is written YYYY-MM-DD; the word surveillance shows the areas of "
            "today with surveillance areas (khu vực) as districts."
        ) from error


class Link(NamedTuple):
    """An old area and one of the areas that took over from it; `is_whole` when all of it went there.

    `is_verified` is False where which area of the district took it over is a guess.
    """

    from_id: str
    to_id: str
    is_whole: bool
    is_default: bool
    is_verified: bool = True


class Placement(NamedTuple):
    """An area as shown in the structure that came into force on a day.

    A None district or commune is not known (a case reported for a district has no commune; a merged commune
    has no single old one). The doubts are the share of the area, 0 to 1 by number of communes, that lies in
    another province, district or commune than the one shown; 0 where the place is exact or not known.
    """

    structure_on: str
    area_id: str
    province_id: str
    district_id: str | None
    commune_id: str | None
    province_doubt: float = 0.0
    district_doubt: float = 0.0
    commune_doubt: float = 0.0

    @property
    def is_approximate(self) -> bool:
        """Whether any of it is a best guess."""
        return max(self.province_doubt, self.district_doubt, self.commune_doubt) > 0


def structures(areas: Iterable[Area]) -> list[str]:
    """The days (ISO) on which a structure came into force, oldest first."""
    return sorted({area.valid_from or OLDEST for area in areas})


def placements(
    index: AreaIndex, links: Iterable[Link], main_districts: Mapping[str, str] | None = None
) -> Iterator[Placement]:
    """Every area in every structure.

    Forward an area goes to its default successor, so totals stay equal; backward a merged commune goes to
    the district of most of its old communes.

    Args:
        index: Every area.
        links: Every link between areas; each area that ended has one default per kind of successor.
        main_districts: Commune -> the old district that gave most of it, where equal numbers of communes
            left that open and something else (land) decided.
    """
    country = _Country.of(index, links, main_districts or {})
    for day in structures(index):
        structure = _Structure(day, country)
        for area in index:
            yield structure.place(area)


class _Spot(NamedTuple):
    """A place in one structure; a None district or commune is not known."""

    province_id: str
    district_id: str | None
    commune_id: str | None


_Shares = dict[_Spot, float]
"""How an area spreads over a structure; sums to 1 as closely as floats do."""


@dataclass(frozen=True)
class _Country:
    index: AreaIndex
    forward: Mapping[str, list[Link]]
    backward: Mapping[str, list[Link]]
    # The communes that lie in a district, a surveillance area or a province.
    communes: Mapping[str, list[Area]]
    main_districts: Mapping[str, str]

    @classmethod
    def of(cls, index: AreaIndex, links: Iterable[Link], main_districts: Mapping[str, str]) -> "_Country":
        forward: dict[str, list[Link]] = defaultdict(list)
        backward: dict[str, list[Link]] = defaultdict(list)
        for link in links:
            forward[link.from_id].append(link)
            backward[link.to_id].append(link)
        communes: dict[str, list[Area]] = defaultdict(list)
        for area in index:
            if area.kind == "commune":
                communes[area.province_id].append(area)
                if area.district_id is not None:
                    communes[area.district_id].append(area)
        return cls(index, forward, backward, communes, main_districts)

    def default_of(self, area_id: str) -> Link | None:
        """The link to the default successor; an island district that is a commune now goes there."""
        defaults = [link for link in self.forward.get(area_id, ()) if link.is_default]
        return min(defaults, key=lambda link: self.index[link.to_id].kind != "commune", default=None)

    def siblings(self, link: Link) -> int:
        """How many areas of one kind took over from the old area of a link."""
        kind = self.index[link.to_id].kind
        return sum(self.index[other.to_id].kind == kind for other in self.forward[link.from_id])


@dataclass(frozen=True)
class _Structure:
    day: str
    country: _Country
    known: dict[str, _Shares] = field(default_factory=dict)
    counted: dict[str, float] = field(default_factory=dict)

    def place(self, area: Area) -> Placement:
        spot = self.spot(area)
        if area.is_valid_on(self.day):
            return Placement(self.day, area.id, *spot)
        shares = self.shares(area)
        return Placement(
            self.day,
            area.id,
            *spot,
            _doubt(shares, lambda at: at.province_id == spot.province_id),
            0.0
            if spot.district_id is None
            else _doubt(shares, lambda at: at.district_id == spot.district_id),
            0.0 if spot.commune_id is None else _doubt(shares, lambda at: at.commune_id == spot.commune_id),
        )

    def spot(self, area: Area) -> _Spot:
        """Where the area is shown."""
        if area.is_valid_on(self.day):
            return _home(area)
        if self._is_over(area):
            link = self.country.default_of(area.id)
            # Nothing took over from it, as far as the catalogue knows: shown as itself.
            return _home(area, None) if link is None else self.spot(self.country.index[link.to_id])
        return self._earlier_spot(area)

    def shares(self, area: Area) -> _Shares:
        """How the area spreads over the structure, by number of communes."""
        if area.id not in self.known:
            self.known[area.id] = self._shares(area)
        return self.known[area.id]

    def _is_over(self, area: Area) -> bool:
        return area.valid_to is not None and area.valid_to < self.day

    def _shares(self, area: Area) -> _Shares:
        if area.is_valid_on(self.day):
            return {_home(area): 1.0}
        if area.kind in ("district", "surveillance") and (inside := self._inside(area)):
            # More exact than its links: where its communes are.
            return _without_communes(
                _mixed((self._count(commune), self.shares(commune)) for commune in inside)
            )
        index, country = self.country.index, self.country
        if not self._is_over(area):
            links = country.backward.get(area.id, ())
            return _mixed((self._carried(link), self.shares(index[link.from_id])) for link in links)
        default = country.default_of(area.id)
        kind = None if default is None else index[default.to_id].kind
        links = [link for link in country.forward.get(area.id, ()) if index[link.to_id].kind == kind]
        if len(links) == 1 and not links[0].is_verified:
            return _without_communes(self.shares(index[links[0].to_id]))
        return _mixed((1.0, self.shares(index[link.to_id])) for link in links)

    def _inside(self, area: Area) -> list[Area]:
        """The communes of an area at its end nearest to the day of this structure."""
        day = (area.valid_to if self._is_over(area) else area.valid_from) or self.day
        return [commune for commune in self.country.communes.get(area.id, ()) if commune.is_valid_on(day)]

    def _count(self, area: Area) -> float:
        """How many communes of this structure an area holds; 1 where it is of an earlier one."""
        if area.id not in self.counted:
            self.counted[area.id] = self._counted(area)
        return self.counted[area.id]

    def _counted(self, area: Area) -> float:
        if area.is_valid_on(self.day):
            inside = self.country.communes.get(area.id, ())
            return float(max(1, sum(commune.is_valid_on(self.day) for commune in inside)))
        if self._is_over(area):
            return 1.0
        return sum((self._carried(link) for link in self.country.backward.get(area.id, ())), start=0.0) or 1.0

    def _carried(self, link: Link) -> float:
        """How many communes a link brings: those of the old area, shared equally between its successors."""
        return self._count(self.country.index[link.from_id]) / self.country.siblings(link)

    def _earlier_spot(self, area: Area) -> _Spot:
        shares = self.shares(area)
        if not shares:
            # It came from nothing that the catalogue knows: shown as itself.
            return _home(area, None)
        if area.kind == "province":
            return _Spot(_most({at: at.province_id for at in shares}, shares, area.code), None, None)
        if len(shares) == 1:
            (only,) = shares
            return only if area.kind == "commune" else only._replace(commune_id=None)
        by_district = {at: at.district_id for at in shares if at.district_id is not None}
        if not by_district:
            return _Spot(_most({at: at.province_id for at in shares}, shares, area.code), None, None)
        district_id = self._main_district(area, by_district, shares)
        return _Spot(self.country.index[district_id].province_id, district_id, None)

    def _main_district(self, area: Area, by_district: dict[_Spot, str], shares: _Shares) -> str:
        if area.kind in ("surveillance", "district"):
            # It is the one that goes on, or is named after it, whatever was joined to it.
            for district_id in by_district.values():
                if code_of(district_id) == area.code:
                    return district_id
        preferred = None
        if (main := self.country.main_districts.get(area.id)) is not None:
            preferred = self.spot(self.country.index[main]).district_id
        return _most(by_district, shares, code_of(preferred) if preferred is not None else area.code)


def _home(area: Area, commune_id: str | None = "") -> _Spot:
    """Where the area stands in its own structure."""
    if commune_id == "":
        commune_id = area.id if area.kind == "commune" else None
    return _Spot(area.province_id, area.district_id, commune_id)


def _mixed(parts: Iterable[tuple[float, _Shares]]) -> _Shares:
    listed = [part for part in parts if part[1]]
    if not listed:
        return {}
    if all(shares == listed[0][1] for _, shares in listed):
        # Nearly always, and fractions are slow.
        return listed[0][1]
    mixed: dict[_Spot, float] = defaultdict(float)
    for weight, shares in listed:
        for spot, share in shares.items():
            mixed[spot] += weight * share
    total = sum(mixed.values())
    return {spot: weight / total for spot, weight in mixed.items()}


def _without_communes(shares: _Shares) -> _Shares:
    return _mixed((share, {spot._replace(commune_id=None): 1.0}) for spot, share in shares.items())


def _doubt(shares: _Shares, is_shown: Callable[[_Spot], bool]) -> float:
    # Rounded: thirds do not add up to one, and a doubt of nearly nothing would mark what is exact.
    return abs(round(1 - sum(share for spot, share in shares.items() if is_shown(spot)), 9))


def _most(ids: Mapping[_Spot, str], shares: _Shares, code: str) -> str:
    """The id with the greatest share; of equal ones the one with this code, then the lowest."""
    sums: dict[str, float] = defaultdict(float)
    for spot, area_id in ids.items():
        sums[area_id] += shares[spot]
    # Rounded: three thirds of one are as many as another whole.
    return min(sums, key=lambda area_id: (-round(sums[area_id], 9), code_of(area_id) != code, area_id))

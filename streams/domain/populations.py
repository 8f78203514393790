"""How many people live in an area: between the years that are known, below the areas that are known, and
across a change of areas.

Three rules, each marked on what it made:

- **spread**: where only the whole of an area is known, what is left of it after its known parts is shared
  equally between its remaining communes. Communes were drawn to hold a similar number of people, and
  nothing better is known; a town has more. The operator's own figures take its place.
- **interpolated**, **extrapolated**: a figure is the mid-year population of its year; between two years it
  changes evenly, beyond the last (before the first) it goes on as between the two nearest ones, or stays
  where only one is known, for five years at most.
- **carried**: an area of another structure brings its people to where its cases are shown: the default
  successor forward, the district of most of its communes backward; **approximate** where that is a guess.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple

from streams.domain.areas import code_of
from streams.domain.calendar import Period
from streams.domain.geography import OLDEST
from streams.domain.periods import overlap, unit_of

Level = Literal["province", "district", "commune"]
LEVELS: Final[tuple[Level, ...]] = ("province", "district", "commune")
Mark = Literal["spread", "interpolated", "extrapolated", "carried", "approximate"]

FARTHEST: Final = 5
"""Years beyond those known for which a population is still given."""


class Leaf(NamedTuple):
    """An area that has no areas below it, in its own structure and where it is shown.

    `shown` and `doubts` are by level (province, district, commune); a doubt is the share of the area that
    lies elsewhere than shown.
    """

    area_id: str
    province_id: str
    district_id: str | None
    valid_from: str | None
    valid_to: str | None
    shown: tuple[str | None, str | None, str | None]
    doubts: tuple[float, float, float]

    def is_valid_on(self, day: str) -> bool:
        """Whether the area existed on an ISO day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


class Known(NamedTuple):
    """The mid-year population of an area that somebody stated; the area's validity beside it."""

    area_id: str
    valid_from: str | None
    valid_to: str | None
    year: int
    population: int

    @property
    def day(self) -> str:
        """1 July of the year, or the nearest day on which the area existed."""
        day = f"{self.year:04d}-07-01"
        return min(max(day, self.valid_from or day), self.valid_to or day)


class Population(NamedTuple):
    """A number of people, and the rules that made it; no marks where it is as it was stated."""

    value: float
    marks: frozenset[Mark] = frozenset()


class NotKnown(NamedTuple):
    """Why there is no population: which areas lack one, or that the known years are too far away."""

    reason: Literal["no_population", "too_far"]
    area_ids: tuple[str, ...] = ()


Series = Mapping[int, Population]
"""Mid-year populations by their year."""


def at(series: Series, year: int) -> Population | None:
    """The mid-year population of a year; None more than five years beyond those that are known.

    >>> known = {2020: Population(100.0), 2022: Population(120.0)}
    >>> at(known, 2021).value, at(known, 2024).value
    (110.0, 140.0)
    """
    if year in series:
        return series[year]
    years = sorted(series)
    if year < years[0] - FARTHEST or year > years[-1] + FARTHEST:
        return None
    # The known years on both sides, or the two nearest ones.
    before = [known for known in years if known < year][-2:]
    after = [known for known in years if known > year][:2]
    is_between = bool(before and after)
    near = (before[-1], after[0]) if is_between else tuple(before or after)
    marks = frozenset[Mark]().union(*(series[known].marks for known in near))
    mark: Mark = "interpolated" if is_between else "extrapolated"
    first, last = near[0], near[-1]
    slope = 0.0 if first == last else (series[last].value - series[first].value) / (last - first)
    return Population(max(0.0, series[first].value + slope * (year - first)), marks | {mark})


@dataclass(frozen=True, slots=True)
class _Node:
    """An area of one structure: a province, a district, or a leaf (which is its own only leaf)."""

    area_id: str
    children: "tuple[_Node, ...]"
    leaves: frozenset[str]


@dataclass(frozen=True)
class _Structure:
    """The provinces of some days, and what is stated of their areas."""

    provinces: Sequence[_Node]
    stated: Mapping[str, Series]

    def series(self, inside: Set[str]) -> tuple[Series, Set[str]]:
        """The years in which the sum over some leaves is known, and the provinces that lack something."""
        touched = [node for node in self.provinces if not inside.isdisjoint(node.leaves)]
        years = sorted({year for node in touched for year in self._years(node, inside)})
        lacking = {node.area_id for node in touched}
        # What needs no look beyond the stated years of any part is better.
        for is_strict in (True, False):
            found = {}
            for year in years:
                parts = {node.area_id: self._sum(node, inside, year, is_strict) for node in touched}
                known = [part for part in parts.values() if part is not None]
                if len(known) == len(parts):
                    found[year] = _total(known)
                lacking &= {area_id for area_id, part in parts.items() if part is None}
            if found:
                return found, set()
        return {}, lacking

    def _years(self, node: _Node, inside: Set[str]) -> Iterator[int]:
        if not inside.isdisjoint(node.leaves):
            yield from self.stated.get(node.area_id, ())
            for child in node.children:
                yield from self._years(child, inside)

    def _sum(self, node: _Node, inside: Set[str], year: int, is_strict: bool) -> Population | None:
        """The people of a node's leaves that are inside; None where nothing says it."""
        here = inside & node.leaves
        if not here:
            return Population(0.0)
        whole = self._stated(node, year, is_strict)
        if whole is not None:
            return whole if here == node.leaves else self._part(node, whole, here, year, is_strict)
        if not node.children:
            return None
        parts = [self._sum(child, here, year, is_strict) for child in node.children]
        known = [part for part in parts if part is not None]
        return _total(known) if len(known) == len(parts) else None

    def _part(self, node: _Node, whole: Population, here: Set[str], year: int, is_strict: bool) -> Population:
        """Some leaves of an area whose whole is known: its known parts, and equal shares of what is left."""
        stated = list(self._stated_parts(node, year, is_strict))
        parts = [self._sum(part, here, year, is_strict) for part, _ in stated]
        found = [part for part in parts if part is not None]
        rest = node.leaves.difference(*(part.leaves for part, _ in stated))
        if rest_here := here & rest:
            taken = _total([known for _, known in stated])
            left = max(0.0, whole.value - taken.value)
            marks = whole.marks | taken.marks | frozenset[Mark]({"spread"})
            found.append(Population(left * len(rest_here) / len(rest), marks))
        return _total(found)

    def _stated_parts(self, node: _Node, year: int, is_strict: bool) -> Iterator[tuple[_Node, Population]]:
        """The largest areas below a node whose people are known."""
        for child in node.children:
            known = self._stated(child, year, is_strict)
            if known is not None:
                yield child, known
            else:
                yield from self._stated_parts(child, year, is_strict)

    def _stated(self, node: _Node, year: int, is_strict: bool) -> Population | None:
        series = self.stated.get(node.area_id)
        if series is None or (is_strict and not min(series) <= year <= max(series)):
            return None
        return at(series, year)


class Populations:
    """The populations of areas as one structure shows them.

    Args:
        leaves: Every area without areas below it, of every structure, in the provinces that matter.
        known: What was stated.
        structure_on: A day (ISO) on which the structure that is shown is in force.
    """

    def __init__(self, leaves: Sequence[Leaf], known: Iterable[Known], structure_on: str) -> None:
        self._structure_on = structure_on
        self._days = sorted({leaf.valid_from or OLDEST for leaf in leaves} | {OLDEST})
        self._leaves = {leaf.area_id: leaf for leaf in leaves}
        self._shown: dict[tuple[Level, str | None], set[str]] = {}
        for leaf in leaves:
            for level, area_id in zip(LEVELS, leaf.shown, strict=True):
                self._shown.setdefault((level, area_id), set()).add(leaf.area_id)
        self._by_code = {(level, code_of(area)): area for level, area in self._shown if area is not None}
        stated: dict[str, dict[str, dict[int, Population]]] = {}
        for row in known:
            series = stated.setdefault(self._structure_of(row.day), {}).setdefault(row.area_id, {})
            series[row.year] = Population(float(row.population))
        self._structures = {
            day: _Structure(_provinces(leaf for leaf in leaves if leaf.is_valid_on(day)), areas)
            for day, areas in stated.items()
        }
        self._known: dict[tuple[Level, str | None], Series | NotKnown] = {}

    def of(self, level: Level, area_id: str | None, period: Period) -> Population | NotKnown:
        """The mean population of a period: the mid-year populations of its years, weighed by its days in
        each.

        Args:
            level: What the area is.
            area_id: The area, in the structure that is shown; None for all areas together.
            period: The days.
        """
        series = self.series(level, area_id)
        if isinstance(series, NotKnown):
            return series
        parts = []
        for year in range(period.first.year, period.last.year + 1):
            found = at(series, year)
            days = overlap(period, unit_of("year", date(year, 1, 1)))
            assert days is not None  # noqa: S101 - the year is one of the period's
            if found is None:
                return NotKnown("too_far", () if area_id is None else (area_id,))
            parts.append(Population(found.value * days.days / period.days, found.marks))
        return _total(parts)

    def shown(self, level: Level, province_id: str | None = None) -> list[str]:
        """The areas of a level that the structure shows (of one province, or all), ordered by their ids."""
        place = LEVELS.index(level)
        inside = (leaf for leaf in self._leaves.values() if province_id in (None, leaf.shown[0]))
        return sorted({area_id for leaf in inside if (area_id := leaf.shown[place]) is not None})

    def id_of(self, level: Level, code: str) -> str:
        """The area that has a code in the structure that is shown; the code itself where nothing has."""
        return self._by_code.get((level, code), code)

    def series(self, level: Level, area_id: str | None) -> Series | NotKnown:
        """The years for which something is stated of an area (None: of all), as a whole or in parts."""
        key = (level, area_id)
        if key not in self._known:
            self._known[key] = self._series(level, area_id)
        return self._known[key]

    def _series(self, level: Level, area_id: str | None) -> Series | NotKnown:
        place = LEVELS.index(level)
        own = set(self._leaves) if area_id is None else self._shown.get((level, area_id), set())
        found: dict[int, Population] = {}
        missing: set[str] = set()
        shown_day = self._structure_of(self._structure_on)
        # The structure that is shown comes last: what is stated in it stands.
        for day in sorted(self._structures, key=lambda day: (day == shown_day, day)):
            inside = {leaf for leaf in own if self._leaves[leaf].is_valid_on(day)}
            series, lacking = self._structures[day].series(inside)
            missing |= lacking
            marks: set[Mark] = set()
            if any(not self._leaves[leaf].is_valid_on(self._structure_on) for leaf in inside):
                marks.add("carried")
            if area_id is not None and any(self._leaves[leaf].doubts[place] > 0 for leaf in inside):
                marks.add("approximate")
            found.update({year: Population(p.value, p.marks | marks) for year, p in series.items()})
        if found:
            return found
        return NotKnown("no_population", tuple(sorted(missing)) or (() if area_id is None else (area_id,)))

    def _structure_of(self, day: str) -> str:
        return max(first for first in self._days if first <= day)


def _provinces(leaves: Iterable[Leaf]) -> list[_Node]:
    """The areas of one structure as trees: provinces, their districts, their communes."""
    tree: dict[str, dict[str | None, list[_Node]]] = {}
    for leaf in leaves:
        district_id = None if leaf.district_id == leaf.area_id else leaf.district_id
        node = _Node(leaf.area_id, (), frozenset({leaf.area_id}))
        tree.setdefault(leaf.province_id, {}).setdefault(district_id, []).append(node)
    provinces = []
    for province_id, districts in tree.items():
        children = list(districts.pop(None, ()))
        children += [
            _parent(district_id, communes) for district_id, communes in districts.items() if district_id
        ]
        provinces.append(_parent(province_id, children))
    return provinces


def _parent(area_id: str, children: Sequence[_Node]) -> _Node:
    return _Node(area_id, tuple(children), frozenset[str]().union(*(child.leaves for child in children)))


def _total(parts: Sequence[Population]) -> Population:
    marks = frozenset[Mark]().union(*(part.marks for part in parts))
    return Population(sum(part.value for part in parts), marks)

"""Which of several overlapping tallies to add up: the finest complete cover of a place and a period.

Months and the year they make up, communes and their district say the same thing twice. A cover takes tallies
that overlap nowhere: no two of them speak for the same day of the same area. Of all covers the one wins that
leaves the least of the place and the period uncovered; of those that leave equally little, the finest: the
one of the most tallies, then of the smallest areas. So a year stands for itself where a month is missing, and
its months stand for it where none is.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from streams.domain.calendar import Period

_ALWAYS_FROM = date.min.toordinal()
_ALWAYS_TO = date.max.toordinal()


class Claim(NamedTuple):
    """A tally as a cover sees it: it speaks for an area and a period. `key` is the caller's own."""

    area_id: str
    first: date
    last: date
    key: Any = None


@dataclass(frozen=True)
class Place:
    """An area with the areas in it; days are the first and the last of its validity, None for no bound.

    Areas of different structures stand side by side, each for its own time.
    """

    id: str
    valid_from: date | None = None
    valid_to: date | None = None
    children: tuple["Place", ...] = ()

    @cached_property
    def start(self) -> int:
        """The ordinal of its first day."""
        return _ALWAYS_FROM if self.valid_from is None else self.valid_from.toordinal()

    @cached_property
    def end(self) -> int:
        """The ordinal after its last day."""
        return _ALWAYS_TO if self.valid_to is None else self.valid_to.toordinal() + 1

    @cached_property
    def divided(self) -> list[tuple[int, int]]:
        """The spans in which it has areas in it."""
        return _merged((child.start, child.end) for child in self.children)

    def weight(self, start: int, end: int) -> int:
        """How many days of its smallest areas (itself, where it has none) lie in a span of ordinals."""
        start, end = max(start, self.start), min(end, self.end)
        if start >= end:
            return 0
        undivided = end - start
        for first, after in self.divided:
            undivided -= max(0, min(end, after) - max(start, first))
        return undivided + sum(child.weight(start, end) for child in self.children)


@dataclass(frozen=True, slots=True)
class Cover:
    """What a place and a period are made up of.

    Attributes:
        claims: The tallies to add up, by area and day; they overlap nowhere.
        known: The days on which they cover the whole place.
        period: The period asked about.
    """

    claims: tuple[Claim, ...]
    known: tuple[Period, ...]
    period: Period

    @property
    def is_complete(self) -> bool:
        """Whether the whole place is covered on every day."""
        return sum(period.days for period in self.known) == self.period.days


class _Best(NamedTuple):
    """The best cover of a span: what it covers, of how many tallies, how small they are, and which."""

    weight: int = 0
    claims: int = 0
    depth: int = 0
    # A tree of pairs: joined in one step, listed once at the end.
    members: Any = None

    def plus(self, other: "_Best") -> "_Best":
        if not other.claims:
            return self
        if not self.claims:
            return other
        return _Best(
            self.weight + other.weight,
            self.claims + other.claims,
            self.depth + other.depth,
            (self.members, other.members),
        )

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.weight, self.claims, self.depth


_NONE = _Best()


def finest_cover(roots: Sequence[Place], claims: Iterable[Claim], period: Period) -> Cover:
    """The cover of some places, which do not overlap, and a period.

    Args:
        roots: What is asked about, with the areas in it.
        claims: Tallies; those of other areas, and those that reach out of the period, are of no use.
        period: The days asked about.
    """
    start, end = period.first.toordinal(), period.last.toordinal() + 1
    search = _Search(claims, start, end)
    if search.is_empty:
        # Without a tally this is asked of every disease and year, and a province has hundreds of areas.
        return Cover((), (), period)
    best = _NONE
    for root in roots:
        best = best.plus(search.best(root, start, end, 0))
    members = tuple(sorted(_listed(best.members), key=attrgetter("area_id", "first")))
    return Cover(members, _known(roots, members, search.places, start, end), period)


class _Search:
    """One question: every place and span is answered once."""

    def __init__(self, claims: Iterable[Claim], start: int, end: int) -> None:
        self._own: dict[str, list[tuple[int, int, Claim]]] = {}
        for claim in sorted(claims, key=lambda claim: (claim.first, claim.last, repr(claim.key))):
            first, after = claim.first.toordinal(), claim.last.toordinal() + 1
            if start <= first and after <= end:
                self._own.setdefault(claim.area_id, []).append((first, after, claim))
        self._blocks: dict[str, list[tuple[int, int]]] = {}
        self._found: dict[tuple[str, int, int], _Best] = {}
        self.places: dict[str, Place] = {}

    @property
    def is_empty(self) -> bool:
        """Whether none of the tallies is of use."""
        return not self._own

    def best(self, place: Place, start: int, end: int, depth: int) -> _Best:
        """The best cover of a place in a span of ordinals."""
        start, end = max(start, place.start), min(end, place.end)
        if start >= end:
            return _NONE
        key = (place.id, start, end)
        found = self._found.get(key)
        if found is None:
            self.places[place.id] = place
            found = self._found[key] = self._search(place, start, end, depth)
        return found

    def _search(self, place: Place, start: int, end: int, depth: int) -> _Best:
        own = [one for one in self._own.get(place.id, ()) if start <= one[0] and one[1] <= end]
        if not own:
            return self._within(place, start, end, depth)
        blocks = self._blocks_within(place)
        points = {start, end}
        for first, after, _ in own:
            points |= {first, after}
        # A span without a tally of the place's own is its areas' affair. It can be cut, without loss, where
        # none of their tallies reaches across.
        points.update(point for block in blocks for point in block if start < point < end)
        ordered = sorted(points)
        place_of = {point: number for number, point in enumerate(ordered)}
        starting: dict[int, list[tuple[int, Claim]]] = {}
        for first, after, claim in own:
            starting.setdefault(first, []).append((after, claim))
        best: list[_Best | None] = [None] * len(ordered)
        best[0] = _NONE

        def offer(number: int, candidate: _Best) -> None:
            standing = best[number]
            if standing is None or candidate.rank > standing.rank:
                best[number] = candidate

        for number, point in enumerate(ordered[:-1]):
            so_far = best[number]
            assert so_far is not None  # noqa: S101 - the span after every point is offered below
            for after, claim in starting.get(point, ()):
                mine = _Best(place.weight(point, after), 1, depth, claim)
                offer(place_of[after], so_far.plus(mine))
            for later in range(number + 1, len(ordered)):
                offer(later, so_far.plus(self._within(place, point, ordered[later], depth)))
                if not _is_straddled(blocks, ordered[later]):
                    break
        found = best[-1]
        assert found is not None  # noqa: S101 - as above
        return found

    def _within(self, place: Place, start: int, end: int, depth: int) -> _Best:
        best = _NONE
        if self._blocks_within(place):
            for child in place.children:
                best = best.plus(self.best(child, start, end, depth + 1))
        return best

    def _blocks_within(self, place: Place) -> list[tuple[int, int]]:
        """The spans of the tallies of the areas in a place, those that overlap merged into one."""
        known = self._blocks.get(place.id)
        if known is None:
            spans: list[tuple[int, int]] = []
            for child in place.children:
                spans += [(first, after) for first, after, _ in self._own.get(child.id, ())]
                spans += self._blocks_within(child)
            known = self._blocks[place.id] = _merged(spans)
        return known


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans with those that overlap joined, in order; those that only touch stay apart."""
    merged: list[tuple[int, int]] = []
    for first, after in sorted(spans):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], after))
        else:
            merged.append((first, after))
    return merged


def _is_straddled(blocks: Sequence[tuple[int, int]], point: int) -> bool:
    """Whether a point lies inside a block."""
    number = bisect_left(blocks, (point, 0)) - 1
    return number >= 0 and blocks[number][0] < point < blocks[number][1]


def _listed(members: Any) -> list[Claim]:
    listed: list[Claim] = []
    rest = [members]
    while rest:
        one = rest.pop()
        if isinstance(one, Claim):
            listed.append(one)
        elif one is not None:
            rest.extend(one)
    return listed


def _known(
    roots: Sequence[Place], members: Sequence[Claim], places: Mapping[str, Place], start: int, end: int
) -> tuple[Period, ...]:
    """The days on which the members cover all of the roots."""
    points = {start, end}
    for root in roots:
        points |= _bounds(root)
    spans = []
    for claim in members:
        first, after = claim.first.toordinal(), claim.last.toordinal() + 1
        spans.append((first, after, places[claim.area_id]))
        points |= {first, after}
    ordered = sorted(point for point in points if start <= point <= end)
    first_covered: dict[int, int] = {}
    for first, after, place in spans:
        for number in range(bisect_left(ordered, first), bisect_right(ordered, after) - 1):
            covered = place.weight(ordered[number], ordered[number + 1])
            first_covered[number] = first_covered.get(number, 0) + covered
    known: list[Period] = []
    for number, (first, after) in enumerate(pairwise(ordered)):
        wanted = sum(root.weight(first, after) for root in roots)
        if wanted and first_covered.get(number, 0) == wanted:
            known.append(Period(date.fromordinal(first), date.fromordinal(after - 1)))
    return tuple(joined(known))


def _bounds(place: Place) -> set[int]:
    bounds = {place.start, place.end}
    for child in place.children:
        bounds |= _bounds(child)
    return bounds


def joined(periods: Iterable[Period]) -> list[Period]:
    """Periods in order, those that touch or overlap made one."""
    found: list[Period] = []
    for period in sorted(periods):
        if found and period.first <= found[-1].last + timedelta(days=1):
            found[-1] = Period(found[-1].first, max(found[-1].last, period.last))
        else:
            found.append(period)
    return found

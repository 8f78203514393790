"""Whatever is reformed how often: no case is lost, none is shown twice, and provinces add up."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.areas import Area, AreaIndex
from streams.domain.geography import OLDEST, Link, Placement, placements, structures

DAYS = ("2010-01-01", "2015-07-01", "2020-01-01")
ENDS = ("2009-12-31", "2015-06-30", "2019-12-31", None)


@dataclass(frozen=True)
class Country:
    """Areas of one to four structures, each made of the one before, and cases on any of the areas."""

    index: AreaIndex
    links: list[Link]
    cases: dict[str, int]

    def placed(self) -> dict[tuple[str, str], Placement]:
        return {(p.structure_on, p.area_id): p for p in placements(self.index, self.links)}

    def of_structure(self, day: str, kind: str) -> list[Area]:
        return [area for area in self.index if area.kind == kind and (area.valid_from or OLDEST) == day]


@st.composite
def countries(draw: st.DrawFn, *, may_split: bool = True) -> Country:
    """Provinces merge; their communes and districts are drawn anew, a commune now and then in two parts."""
    areas: list[Area] = []
    links: list[Link] = []
    days: list[str | None] = [None, *DAYS[: draw(st.integers(1, 3))]]
    provinces: list[str] = []
    communes: dict[str, list[str]] = {}
    for number, day in enumerate(days):
        last = ENDS[number] if number < len(days) - 1 else None
        at = day or "start"
        if number == 0:
            before = {f"{p:02}": [f"{p}{c:04}" for c in range(draw(st.integers(1, 4)))] for p in range(1, 4)}
            merged = {province: [province] for province in before}
        else:
            merged = {}
            for province in provinces:
                taker = draw(st.sampled_from([*merged, province]))
                merged.setdefault(taker, []).append(province)
        now: dict[str, list[str]] = {}
        for province, sources in merged.items():
            province_id = f"{province}@{at}"
            areas.append(Area(province_id, province, "province", province, province_id, None, day, last))
            if number:
                previous = days[number - 1] or "start"
                links += [Link(f"{source}@{previous}", province_id, True, True) for source in sources]
            old = before[province] if number == 0 else [c for source in sources for c in communes[source]]
            codes = old if number == 0 else draw(st.lists(st.sampled_from(old), min_size=1, unique=True))
            districts = [f"{province}{n}" for n in range(draw(st.integers(1, 3)))]
            for district in districts:
                district_id = f"{district}@{at}"
                areas.append(
                    Area(district_id, district, "district", district, province_id, district_id, day, last)
                )
            for code in codes:
                district_id = f"{draw(st.sampled_from(districts))}@{at}"
                areas.append(Area(f"{code}@{at}", code, "commune", code, province_id, district_id, day, last))
            if number:
                for source in old:
                    # What goes on under its code; so nothing comes from nothing.
                    own = [source] if source in codes else []
                    most = 2 if may_split else 1
                    others = draw(
                        st.lists(
                            st.sampled_from(codes),
                            min_size=1 - len(own),
                            max_size=most - len(own),
                            unique=True,
                        )
                    )
                    takers = list(dict.fromkeys((*own, *others)))
                    links += [
                        Link(f"{source}@{previous}", f"{t}@{at}", len(takers) == 1, t == takers[0])
                        for t in takers
                    ]
            now[province] = codes
        provinces, communes = list(now), now
    index = AreaIndex(areas)
    ids = [area.id for area in areas if area.kind == "commune"]
    return Country(index, links, draw(st.dictionaries(st.sampled_from(ids), st.integers(1, 99), max_size=12)))


@settings(max_examples=30)
@given(countries())
def test_totals_agree_in_every_geography(country: Country) -> None:
    found = country.placed()
    total = sum(country.cases.values())
    for day in structures(country.index):
        for level in ("province_id", "district_id", "commune_id"):
            sums: Counter[str | None] = Counter()
            for area_id, number in country.cases.items():
                sums[getattr(found[day, area_id], level)] += number
            assert sums.total() == total


@settings(max_examples=30)
@given(countries())
def test_what_is_shown_is_of_that_structure_and_holds_together(country: Country) -> None:
    for (day, _), place in country.placed().items():
        index = country.index
        shown = [index[a] for a in (place.province_id, place.district_id, place.commune_id) if a is not None]
        if index[place.area_id].kind != "district" or index[place.area_id].is_valid_on(day):
            # A district without communes has no links here, so it is shown as itself.
            assert all(one.is_valid_on(day) for one in shown), place
        if place.commune_id is not None:
            commune = index[place.commune_id]
            assert (commune.district_id, commune.province_id) == (place.district_id, place.province_id)
        for doubt in (place.province_doubt, place.district_doubt, place.commune_doubt):
            assert 0 <= doubt <= 1


@settings(max_examples=30)
@given(countries())
def test_province_totals_agree_where_provinces_map_whole(country: Country) -> None:
    """A province that others were merged into has, in its structure, the cases that these have in theirs."""
    found = country.placed()
    days = structures(country.index)
    taken_by = {
        link.from_id: link.to_id for link in country.links if country.index[link.to_id].kind == "province"
    }
    for earlier, later in pairwise(days):
        before: Counter[str] = Counter()
        after: Counter[str] = Counter()
        for area_id, number in country.cases.items():
            before[taken_by[found[earlier, area_id].province_id]] += number
            after[found[later, area_id].province_id] += number
        assert before == after


@settings(max_examples=30)
@given(countries(may_split=False))
def test_forward_is_exact_where_nothing_is_split(country: Country) -> None:
    for (day, area_id), place in country.placed().items():
        area = country.index[area_id]
        if area.kind == "commune" and (area.valid_from or OLDEST) <= day:
            assert not place.is_approximate


@settings(max_examples=30)
@given(countries())
def test_backward_is_certain_only_where_all_of_it_came_from_one_district(country: Country) -> None:
    """The doubt is what the links say: recomputed here by following every commune of the day forward."""
    found = country.placed()
    followed: dict[str, list[Link]] = {}
    for link in country.links:
        followed.setdefault(link.from_id, []).append(link)
    day = OLDEST
    given_by: dict[str, Counter[str | None]] = {}
    for commune in country.of_structure(day, "commune"):
        carried = {commune.id: 1.0}
        while carried:
            later: dict[str, float] = {}
            for area_id, weight in carried.items():
                given_by.setdefault(area_id, Counter())[commune.district_id] += weight
                targets = followed.get(area_id, ())
                for link in targets:
                    later[link.to_id] = later.get(link.to_id, 0) + weight / len(targets)
            carried = later
    for area in country.index:
        place = found[day, area.id]
        given = given_by.get(area.id)
        if area.kind == "commune" and given is not None:
            assert place.district_doubt == pytest.approx(1 - given[place.district_id] / given.total())
            assert given[place.district_id] == pytest.approx(max(given.values()))

"""Every area in every structure: nothing is dropped, and what is a guess says so."""

import pytest

from schemas.catalogue import Catalogue
from streams.domain.areas import AreaIndex
from streams.domain.geography import OLDEST, Link, Placement, placements, structures
from tests.builders import judged_by, links_of, small_catalogue

NEW = "2025-07-01"
INDEX = judged_by(small_catalogue()).areas
LINKS = links_of(small_catalogue())


def placed(index: AreaIndex, links: list[Link]) -> dict[tuple[str, str], Placement]:
    return {(p.structure_on, p.area_id): p for p in placements(index, links)}


PLACED = placed(INDEX, LINKS)


def test_the_days_on_which_structures_came_into_force() -> None:
    assert structures(INDEX) == [OLDEST, NEW]


@pytest.mark.parametrize(
    ("area_id", "structure_on", "district_id", "commune_id", "is_approximate"),
    [
        # At home.
        ("03412@start", OLDEST, "106@start", "03412@start", False),
        ("03390@2025-07-01", NEW, "106@2025-07-01", "03390@2025-07-01", False),
        ("106@start", OLDEST, "106@start", None, False),
        ("12@start", OLDEST, None, None, False),
        # Forward: to the default successor, exact where all of it went there.
        ("03412@start", NEW, "106@2025-07-01", "03390@2025-07-01", False),
        ("03549@start", NEW, "109@2025-07-01", "03549@2025-07-01", False),
        ("03552@start", NEW, "109@2025-07-01", "03549@2025-07-01", True),
        ("106@start", NEW, "106@2025-07-01", None, False),
        ("109@start", NEW, "109@2025-07-01", None, True),
        ("12@start", NEW, None, None, False),
        # Backward: the district that the surveillance area is named after; no single old commune.
        ("03390@2025-07-01", OLDEST, "106@start", None, True),
        ("03549@2025-07-01", OLDEST, "109@start", None, False),
        ("106@2025-07-01", OLDEST, "106@start", None, True),
        ("109@2025-07-01", OLDEST, "109@start", None, False),
        ("12@2025-07-01", OLDEST, None, None, False),
    ],
)
def test_where_an_area_is_shown(
    area_id: str, structure_on: str, district_id: str | None, commune_id: str | None, is_approximate: bool
) -> None:
    province_id = "12@start" if structure_on == OLDEST else "12@2025-07-01"
    assert PLACED[structure_on, area_id] == Placement(
        structure_on, area_id, province_id, district_id, commune_id, is_approximate
    )


def test_a_surveillance_area_goes_back_to_the_district_of_its_name_not_to_one_that_gave_a_part() -> None:
    # As in the real catalogue: 106 and 109 both gave communes to 109, and 106 is the smaller code.
    links = [
        *(link for link in LINKS if not link.from_id.startswith("106@")),
        Link("106@start", "106@2025-07-01", False, True),
        Link("106@start", "109@2025-07-01", False, False),
    ]
    found = placed(INDEX, links)
    assert found[OLDEST, "109@2025-07-01"].district_id == "109@start"
    assert found[OLDEST, "03549@2025-07-01"].district_id == "109@start"
    assert found[OLDEST, "109@2025-07-01"].is_approximate


def test_an_area_that_nothing_took_over_from_is_shown_as_itself() -> None:
    found = placed(INDEX, [link for link in LINKS if link.from_id != "03412@start"])
    assert found[NEW, "03412@start"] == Placement(NEW, "03412@start", "12@start", "106@start", None, True)


def test_an_area_that_came_from_nothing_is_shown_as_itself() -> None:
    found = placed(INDEX, [link for link in LINKS if not link.to_id.startswith("03549@")])
    back = found[OLDEST, "03549@2025-07-01"]
    assert (back.province_id, back.district_id, back.is_approximate) == (
        "12@2025-07-01",
        "109@2025-07-01",
        True,
    )


def test_a_merged_province_goes_back_to_the_one_whose_code_it_has() -> None:
    merged = small_catalogue()
    old = next(area for area in merged.areas if area.id == "12@start")
    ten = type(old)("10", "10", "province", "Tỉnh 10", None, None, old.valid_to, None, None, None)
    index = judged_by(small_catalogue(areas=(*merged.areas, ten))).areas
    found = placed(index, [*LINKS, Link("10", "12@2025-07-01", True, True)])
    assert found[OLDEST, "12@2025-07-01"].province_id == "12@start"
    assert found[OLDEST, "12@2025-07-01"].is_approximate
    assert found[NEW, "10"].province_id == "12@2025-07-01"


@pytest.fixture(scope="module")
def country(published_catalogue: Catalogue) -> tuple[AreaIndex, dict[tuple[str, str], Placement]]:
    index = judged_by(published_catalogue).areas
    return index, placed(index, links_of(published_catalogue))


def test_no_area_of_the_country_is_missing_from_any_structure(
    country: tuple[AreaIndex, dict[tuple[str, str], Placement]], published_catalogue: Catalogue
) -> None:
    index, found = country
    days = structures(index)
    assert set(found) == {(day, area.id) for day in days for area in index}
    assert sum(1 for _ in placements(index, links_of(published_catalogue))) == len(found)


def test_areas_of_the_country_are_shown_in_areas_of_the_same_structure(
    country: tuple[AreaIndex, dict[tuple[str, str], Placement]],
) -> None:
    index, found = country
    for place in found.values():
        shown = [index[a] for a in (place.province_id, place.district_id, place.commune_id) if a is not None]
        assert all(area.is_valid_on(place.structure_on) for area in shown), place
        if place.district_id is not None:
            assert index[place.district_id].province_id == place.province_id, place
        if place.commune_id is not None:
            commune = index[place.commune_id]
            assert (commune.province_id, commune.district_id) == (place.province_id, place.district_id), place
        assert (place.district_id is None) == (index[place.area_id].kind == "province"), place


def test_every_surveillance_area_goes_back_to_the_district_it_is_named_after(
    country: tuple[AreaIndex, dict[tuple[str, str], Placement]],
) -> None:
    index, found = country
    wrong = [
        area.id
        for area in index
        if area.kind == "surveillance" and found[OLDEST, area.id].district_id != f"{area.code}@start"
    ]
    assert not wrong

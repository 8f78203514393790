"""Every area in every structure: nothing is dropped, and what is a guess says so."""

from datetime import date

import pytest

from schemas.catalogue import Catalogue
from streams.domain.areas import AreaIndex, code_of
from streams.domain.errors import ConfigurationError
from streams.domain.geography import OLDEST, Link, Placement, geography_on, placements, structures
from streams.stores.catalogue import links_of, main_districts
from tests.builders import judged_by, small_catalogue

NEW = "2025-07-01"
TODAY = date(2026, 11, 22)
INDEX = judged_by(small_catalogue()).areas
LINKS = links_of(small_catalogue())


def placed(
    index: AreaIndex, links: list[Link], main: dict[str, str] | None = None
) -> dict[tuple[str, str], Placement]:
    return {(p.structure_on, p.area_id): p for p in placements(index, links, main)}


PLACED = placed(INDEX, LINKS)


def test_the_days_on_which_structures_came_into_force() -> None:
    assert structures(INDEX) == [OLDEST, NEW]


@pytest.mark.parametrize(
    ("area_id", "structure_on", "district_id", "commune_id", "district_doubt", "commune_doubt"),
    [
        # At home.
        ("03412@start", OLDEST, "106@start", "03412@start", 0, 0),
        ("03390@2025-07-01", NEW, "106@2025-07-01", "03390@2025-07-01", 0, 0),
        ("106@start", OLDEST, "106@start", None, 0, 0),
        ("12@start", OLDEST, None, None, 0, 0),
        # Forward: to the default successor, exact where all of it went there.
        ("03412@start", NEW, "106@2025-07-01", "03390@2025-07-01", 0, 0),
        ("03549@start", NEW, "109@2025-07-01", "03549@2025-07-01", 0, 0),
        ("03552@start", NEW, "109@2025-07-01", "03549@2025-07-01", 1 / 2, 1 / 2),
        ("106@start", NEW, "106@2025-07-01", None, 0, 0),
        # One and a half of its two communes are there.
        ("109@start", NEW, "109@2025-07-01", None, 1 / 4, 0),
        ("12@start", NEW, None, None, 0, 0),
        # Backward: to the district of most communes; no single old commune. Of 2.5, 0.5 are of 109.
        ("03390@2025-07-01", OLDEST, "106@start", None, 1 / 5, 0),
        ("03549@2025-07-01", OLDEST, "109@start", None, 0, 0),
        ("106@2025-07-01", OLDEST, "106@start", None, 1 / 5, 0),
        ("109@2025-07-01", OLDEST, "109@start", None, 0, 0),
        ("12@2025-07-01", OLDEST, None, None, 0, 0),
    ],
)
def test_where_an_area_is_shown(
    area_id: str,
    structure_on: str,
    district_id: str | None,
    commune_id: str | None,
    district_doubt: float,
    commune_doubt: float,
) -> None:
    province_id = "12@start" if structure_on == OLDEST else "12@2025-07-01"
    found = PLACED[structure_on, area_id]
    assert found == Placement(
        structure_on, area_id, province_id, district_id, commune_id, 0, district_doubt, commune_doubt
    )
    assert found.is_approximate == (district_doubt + commune_doubt > 0)


def test_a_surveillance_area_goes_back_to_the_district_of_its_name_not_to_one_that_gave_most() -> None:
    # 03549 is all that 109 holds, and it came from 106 now, but for a part of 03552.
    links = [
        *(link for link in LINKS if link.from_id not in ("03549@start", "03412@start")),
        Link("03412@start", "03549@2025-07-01", True, True),
    ]
    found = placed(INDEX, links)
    assert found[OLDEST, "03549@2025-07-01"].district_id == "106@start"
    assert found[OLDEST, "109@2025-07-01"].district_id == "109@start"
    assert found[OLDEST, "109@2025-07-01"].district_doubt == pytest.approx(2 / 3)


def test_a_tie_goes_to_the_main_district_then_to_the_code() -> None:
    # One commune of each district; neither has the code of the new one's surveillance area.
    links = [
        Link("03412@start", "03390@2025-07-01", True, True),
        Link("03552@start", "03390@2025-07-01", True, True),
    ]
    for main, district_id in ((None, "106@start"), ("106@start", "106@start"), ("109@start", "109@start")):
        found = placed(INDEX, links, main and {"03390@2025-07-01": main})
        assert found[OLDEST, "03390@2025-07-01"].district_id == district_id
        assert found[OLDEST, "03390@2025-07-01"].district_doubt == 0.5
    # The main district breaks ties only: two communes against one.
    links.append(Link("03390@start", "03390@2025-07-01", True, True))
    found = placed(INDEX, links, {"03390@2025-07-01": "109@start"})
    assert found[OLDEST, "03390@2025-07-01"].district_id == "106@start"


def test_an_unverified_successor_is_certain_as_to_the_district_only() -> None:
    links = [link for link in LINKS if link.from_id != "03412@start"]
    one = placed(INDEX, [*links, Link("03412@start", "03390@2025-07-01", False, True, False)])
    assert one[NEW, "03412@start"].commune_id == "03390@2025-07-01"
    assert (one[NEW, "03412@start"].district_doubt, one[NEW, "03412@start"].commune_doubt) == (0, 1)


def test_an_area_that_nothing_took_over_from_is_shown_as_itself() -> None:
    found = placed(INDEX, [link for link in LINKS if link.from_id != "03412@start"])
    assert found[NEW, "03412@start"] == Placement(NEW, "03412@start", "12@start", "106@start", None, 1, 1)


def test_an_area_that_came_from_nothing_is_shown_as_itself() -> None:
    found = placed(INDEX, [link for link in LINKS if not link.to_id.startswith("03549@")])
    back = found[OLDEST, "03549@2025-07-01"]
    assert back == Placement(OLDEST, "03549@2025-07-01", "12@2025-07-01", "109@2025-07-01", None, 1, 1)


def test_a_merged_province_goes_back_to_the_one_whose_code_it_has() -> None:
    merged = small_catalogue()
    old = next(area for area in merged.areas if area.id == "12@start")
    ten = type(old)("10", "10", "province", "Tỉnh 10", None, None, old.valid_to, None, None, None)
    index = judged_by(small_catalogue(areas=(*merged.areas, ten))).areas
    found = placed(index, [*LINKS, Link("10", "12@2025-07-01", True, True)])
    assert found[OLDEST, "12@2025-07-01"].province_id == "12@start"
    assert found[OLDEST, "12@2025-07-01"].province_doubt == pytest.approx(1 / 5)
    assert found[NEW, "10"].province_id == "12@2025-07-01"


@pytest.fixture(scope="module")
def country(published_catalogue: Catalogue) -> tuple[AreaIndex, dict[tuple[str, str], Placement]]:
    index = judged_by(published_catalogue).areas
    return index, placed(index, links_of(published_catalogue), main_districts(published_catalogue))


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
        if area.kind == "surveillance" and code_of(str(found["2025-01-01", area.id].district_id)) != area.code
    ]
    assert not wrong


def test_every_commune_goes_back_to_the_former_district_that_the_catalogue_says_gave_most(
    country: tuple[AreaIndex, dict[tuple[str, str], Placement]], published_catalogue: Catalogue
) -> None:
    _, found = country
    for row in published_catalogue.surveillance:
        back = found["2025-01-01", row.commune_id]
        assert (back.district_id, 1 - back.district_doubt) == (
            row.district_id,
            pytest.approx(row.share, abs=1e-4),
        )


def test_the_six_communes_of_lai_chau_that_straddle_old_districts(
    country: tuple[AreaIndex, dict[tuple[str, str], Placement]],
) -> None:
    index, found = country
    marked = {
        index[place.area_id].name_vi: place.district_doubt
        for place in found.values()
        if place.structure_on == OLDEST
        and place.province_id == "12@start"
        and index[place.area_id].kind == "commune"
        and place.is_approximate
    }
    assert marked == pytest.approx(
        {
            "Phường Đoàn Kết": 1 / 5,
            "Phường Tân Phong": 2 / 5,
            "Xã Sin Suối Hồ": 1 / 3,
            "Xã Hua Bum": 1 / 2,
            "Xã Lê Lợi": 1 / 4,
            "Xã Pa Tần": 1 / 3,
        }
    )


def test_bac_giang_through_all_of_its_structures(
    country: tuple[AreaIndex, dict[tuple[str, str], Placement]],
) -> None:
    _, found = country
    # A ward of the old Yên Dũng.
    assert [found[day, "07702@2025-01-01"].district_id for day in DAYS] == [
        "221@start",
        "221@start",
        "213@2025-01-01",
        "213@2025-07-01",
    ]
    # Chũ came out of Lục Ngạn: exact for a commune; for the whole district only ten of 29 communes.
    assert found["2025-01-01", "07525@start"] == Placement(
        "2025-01-01", "07525@start", "24@start", "224@2025-01-01", "07525@2025-01-01"
    )
    split = found["2025-01-01", "219@start"]
    assert (split.district_id, split.district_doubt) == ("219@2025-01-01", pytest.approx(10 / 29))
    # Who took Lan Giới over is not verified; both candidates became one commune in July 2025.
    assert [found[day, "07303@start"].commune_doubt for day in DAYS] == [0, 0, 0.5, 0]
    assert [found[day, "07303@start"].district_doubt for day in DAYS] == [0, 0, 0, 0]
    # The city took in all of Yên Dũng: 18 of its 34 communes of then lie elsewhere than in the old city.
    assert found[OLDEST, "213@2025-01-01"].district_doubt == pytest.approx(18 / 34)


DAYS = [OLDEST, "2024-02-01", "2025-01-01", NEW]


def test_days_of_the_country(country: tuple[AreaIndex, dict[tuple[str, str], Placement]]) -> None:
    assert structures(country[0]) == DAYS


@pytest.mark.parametrize(
    ("value", "last", "expected"),
    [
        (None, None, TODAY),
        (None, date(2023, 12, 31), date(2023, 12, 31)),
        ("2024-12-31", date(2023, 12, 31), date(2024, 12, 31)),
        ("surveillance", date(2023, 12, 31), TODAY),
    ],
)
def test_which_day_a_geography_means(value: str | None, last: date | None, expected: date) -> None:
    assert geography_on(value, last, TODAY) == expected


def test_surveillance_areas_on_a_clock_that_is_behind() -> None:
    assert geography_on("surveillance", None, date(2024, 5, 1)) == date(2025, 7, 1)


@pytest.mark.parametrize("value", ["", "khu vực", "2024-13-01", "01/01/2025"])
def test_a_geography_that_means_nothing(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"YYYY-MM-DD.*surveillance"):
        geography_on(value, None, TODAY)

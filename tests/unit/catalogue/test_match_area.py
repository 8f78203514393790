"""match_area on the packaged catalogue: codes and names before and after 2025-07-01."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from schemas.catalogue import Area, AreaKind, load_catalogue
from schemas.catalogue.matching import AreaIndex, Match, match_area, valid_on

BEFORE = date(2024, 5, 1)
AFTER = date(2026, 5, 1)
COMMUNE: frozenset[AreaKind] = frozenset({"commune"})
DISTRICT: frozenset[AreaKind] = frozenset({"district"})
PROVINCE: frozenset[AreaKind] = frozenset({"province"})
SURVEILLANCE: frozenset[AreaKind] = frozenset({"surveillance"})

Ask = Callable[..., Match]


@pytest.fixture(scope="module")
def index() -> AreaIndex:
    catalogue = load_catalogue()
    return AreaIndex(catalogue.areas, catalogue.links)


@pytest.fixture
def ask(index: AreaIndex) -> Ask:
    def asked(text: str, on: date, within: str | None = None, **options: frozenset[AreaKind]) -> Match:
        return match_area(index, text, on=on, within=index.by_id[within] if within else None, **options)

    return asked


def _ids(match: Match) -> list[str]:
    return [area.id for area in match.candidates]


@pytest.mark.parametrize(
    ("text", "on", "area_id"),
    [
        ("03412", BEFORE, "03412@start"),
        ("03390", BEFORE, "03390@start"),
        ("03390", AFTER, "03390@2025-07-01"),
        ("03390", date(2025, 6, 30), "03390@start"),
        ("03390", date(2025, 7, 1), "03390@2025-07-01"),
        (" 03412.0 ", BEFORE, "03412@start"),
        ("105", BEFORE, "105@start"),
        ("12", BEFORE, "12@start"),
        ("15", BEFORE, "15@start"),
        ("15", AFTER, "15@2025-07-01"),
    ],
)
def test_code_of_the_day(ask: Ask, text: str, on: date, area_id: str) -> None:
    match = ask(text, on)
    assert match.area is not None
    assert (match.area.id, match.reason, match.candidates, match.message_vi) == (area_id, "code", (), "")


@pytest.mark.parametrize(
    ("text", "kinds", "area_id"),
    [
        ("3412", None, "03412@start"),
        ("3412", COMMUNE, "03412@start"),
        ("4", PROVINCE, "04@start"),
        ("8", DISTRICT, "008@start"),
        ("1", COMMUNE, "00001@start"),
    ],
)
def test_lost_zeros_are_put_back_and_reported(
    ask: Ask, text: str, kinds: frozenset[AreaKind] | None, area_id: str
) -> None:
    match = ask(text, BEFORE, **({"kinds": kinds} if kinds else {}))
    assert match.area is not None
    assert (match.area.id, match.reason) == (area_id, "code_repaired")
    assert match.area.code in match.message_vi
    assert match.area.name_vi in match.message_en


@pytest.mark.parametrize(
    ("text", "kinds", "candidates"),
    [
        ("4", None, ["04@start", "004@start", "00004@start"]),  # province, district and commune fit
        ("80", DISTRICT, ["080@start", "80@start"]),  # 80 is itself a province
    ],
)
def test_short_codes_that_fit_twice_are_a_question(
    ask: Ask, text: str, kinds: frozenset[AreaKind] | None, candidates: list[str]
) -> None:
    match = ask(text, BEFORE, **({"kinds": kinds} if kinds else {}))
    assert (match.area, match.reason, _ids(match)) == (None, "ambiguous", candidates)


def test_code_of_the_wrong_year_names_what_it_became(ask: Ask) -> None:
    match = ask("03412", AFTER)
    assert (match.area, match.reason) == (None, "wrong_period")
    assert _ids(match) == ["03390@2025-07-01", "03412@start"]
    assert "chỉ dùng đến 30/06/2025" in match.message_vi
    assert "Xã Bình Lư (03390, Tỉnh Lai Châu)" in match.message_vi
    assert "was used until 2025-06-30" in match.message_en


def test_lost_zeros_of_the_wrong_year(ask: Ask) -> None:
    assert _ids(ask("3412", AFTER)) == ["03390@2025-07-01", "03412@start"]


def test_code_that_only_exists_later_names_what_it_was_made_of(ask: Ask, index: AreaIndex) -> None:
    new = [
        area
        for code, areas in index.by_code.items()
        for area in areas
        if area.kind == "commune" and len(areas) == 1 and area.valid_from is not None and len(code) == 5
    ]
    assert len(new) == 5
    for area in new:
        match = ask(area.code, BEFORE)
        assert (match.area, match.reason) == (None, "wrong_period")
        assert match.candidates[-1] == area
        assert match.candidates[:-1]
        assert all(valid_on(candidate, BEFORE) for candidate in match.candidates[:-1])
        assert "chỉ dùng từ 01/07/2025" in match.message_vi


def test_old_province_and_district_codes(ask: Ask) -> None:
    assert _ids(ask("10", AFTER)) == ["15@2025-07-01", "10@start"]
    district = ask("106", AFTER)
    assert district.reason == "wrong_period"
    assert _ids(district)[0] == "106@2025-07-01"
    assert _ids(district)[-1] == "106@start"
    found = ask("106", AFTER, kinds=SURVEILLANCE).area
    assert found is not None
    assert found.id == "106@2025-07-01"


@pytest.mark.parametrize(
    ("text", "within", "reason", "candidates"),
    [
        ("99999", None, "unknown", []),
        ("123456", None, "unknown", []),
        ("", None, "empty", []),
        (" - ", None, "empty", []),
        ("Xã Không Có", None, "unknown", []),
        ("03412", "10@start", "outside", ["03412@start"]),
        ("Xã Bình Lư", "10@start", "outside", ["03412@start"]),
    ],
)
def test_not_found(ask: Ask, text: str, within: str | None, reason: str, candidates: list[str]) -> None:
    match = ask(text, BEFORE, within)
    assert (match.area, match.reason, _ids(match)) == (None, reason, candidates)
    assert match.message_vi
    assert match.message_en


def test_code_of_another_kind(ask: Ask) -> None:
    match = ask("105", BEFORE, kinds=COMMUNE)
    assert (match.area, match.reason, _ids(match)) == (None, "uncertain", ["105@start"])


def test_the_outer_area_itself_can_be_meant_by_its_code(ask: Ask) -> None:
    found = ask("12", BEFORE, "12@start").area
    assert found is not None
    assert found.id == "12@start"


@pytest.mark.parametrize(
    ("text", "on", "within", "area_id"),
    [
        ("Xã Bình Lư", BEFORE, "12@start", "03412@start"),
        ("xã  BÌNH LƯ", BEFORE, None, "03412@start"),
        ("Bình Lư", BEFORE, "106@start", "03412@start"),
        ("X. Bình Lư", BEFORE, "12@start", "03412@start"),
        ("Xã Bình Lư", AFTER, "12@2025-07-01", "03390@2025-07-01"),
        ("Xã Bình Lư", AFTER, "106@2025-07-01", "03390@2025-07-01"),
        ("TT. Tam Đường", BEFORE, "12@start", "03390@start"),
        ("Huyện Tam Đường", BEFORE, None, "106@start"),
        ("H.Tam Đường", BEFORE, "12@start", "106@start"),
        ("TP. Lai Châu", BEFORE, "12@start", "105@start"),
        ("TP Lai Châu", BEFORE, "12@start", "105@start"),
        ("Lai Châu", BEFORE, "12@start", "105@start"),
        ("Tỉnh Lai Châu", AFTER, None, "12@2025-07-01"),
        ("TX Việt Yên", BEFORE, "24@start", "222@2024-02-01"),
        ("Phường Đoàn Kết", AFTER, "12@2025-07-01", "03388@2025-07-01"),
        ("Quận 01", BEFORE, None, "760@start"),
        ("Phường 1", BEFORE, "770@start", "27160@start"),
        ("Thành phố Hòa Bình", BEFORE, None, "148@start"),
        ("Thành phố Hoà Bình", BEFORE, None, "148@start"),
        ("Đặc khu Bạch Long Vĩ", AFTER, None, "11948@2025-07-01"),
    ],
)
def test_name_of_the_day(ask: Ask, text: str, on: date, within: str | None, area_id: str) -> None:
    match = ask(text, on, within)
    assert match.area is not None
    assert (match.area.id, match.reason, match.message_en) == (area_id, "name", "")


def test_kinds_tell_namesakes_apart(ask: Ask) -> None:
    both = ask("Tam Đường", BEFORE, "12@start")
    assert (both.area, both.reason) == (None, "ambiguous")
    assert set(_ids(both)) == {"03390@start", "106@start"}
    assert "Thị trấn Tam Đường (03390, Huyện Tam Đường)" in both.message_vi
    district = ask("Tam Đường", BEFORE, "12@start", kinds=DISTRICT).area
    assert district is not None
    assert district.id == "106@start"


def test_a_place_of_that_name_that_was_larger_is_a_question(ask: Ask) -> None:
    match = ask("Yên Bái", AFTER)
    assert (match.area, match.reason) == (None, "ambiguous")
    assert {"04252@2025-07-01", "132@start", "15@start"} <= set(_ids(match))
    for asked in (ask("Phường Yên Bái", AFTER), ask("Yên Bái", AFTER, kinds=COMMUNE)):
        assert asked.area is not None
        assert asked.area.id == "04252@2025-07-01"


def test_a_name_in_many_places_is_a_question(ask: Ask) -> None:
    match = ask("Xã Tân An", BEFORE)
    assert (match.area, match.reason) == (None, "ambiguous")
    assert len(match.candidates) > 5
    assert f"và {len(match.candidates) - 5} địa bàn khác" in match.message_vi


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("Xã Sùng Phài", ["03388@2025-07-01", "03403@start"]),
        ("Thị trấn Tam Đường", ["03390@2025-07-01", "03390@start"]),
        ("thi tran tam duong", ["03390@2025-07-01", "03390@start"]),
    ],
)
def test_name_of_the_wrong_year(ask: Ask, text: str, candidates: list[str]) -> None:
    match = ask(text, AFTER, "12@2025-07-01")
    assert (match.area, match.reason, _ids(match)) == (None, "wrong_period", candidates)


def test_text_without_accents_is_taken_only_where_it_is_unique(ask: Ask) -> None:
    match = ask("xa binh lu", BEFORE, "12@start")
    assert match.area is not None
    assert (match.area.id, match.reason) == ("03412@start", "name_unaccented")
    assert "Xã Bình Lư" in match.message_vi
    many = ask("xa tan an", BEFORE)
    assert (many.area, many.reason) == (None, "uncertain")
    assert len(many.candidates) > 1


def test_text_with_other_accents_is_never_taken(ask: Ask) -> None:
    match = ask("Xã Bình Lừ", BEFORE, "12@start")
    assert (match.area, match.reason, _ids(match)) == (None, "uncertain", ["03412@start"])


def test_another_type_is_a_question(ask: Ask) -> None:
    match = ask("Huyện Sa Pa", BEFORE, "10@start")
    assert (match.area, match.reason, _ids(match)) == (None, "uncertain", ["088@start"])
    match = ask("Xã Đoàn Kết", AFTER, "12@2025-07-01")
    assert (match.area, match.reason, _ids(match)) == (None, "uncertain", ["03388@2025-07-01"])


def test_a_type_that_has_ended_is_of_another_period(ask: Ask) -> None:
    match = ask("Huyện Việt Yên", BEFORE, "24@start")
    assert (match.area, match.reason) == (None, "wrong_period")
    assert _ids(match) == ["222@2024-02-01", "222@start"]


def test_every_area_is_found_by_its_code_and_by_its_name(index: AreaIndex) -> None:
    """Round trip over the country: never another area, and always the area or a question that holds it."""
    certain = 0
    for area in index.by_id.values():
        on = area.valid_to or AFTER
        kinds = frozenset({area.kind})
        coded = match_area(index, area.code, on=on, kinds=kinds)
        assert coded.area == area
        parent = index.by_id[area.parent_id] if area.parent_id else None
        named = match_area(index, area.name_vi, on=on, within=parent, kinds=kinds)
        assert named.area in (area, None)
        assert named.area == area or area in named.candidates
        certain += named.area == area
    assert certain / len(index.by_id) > 0.999


def test_counterparts_go_both_ways(index: AreaIndex) -> None:
    new: Area = index.by_id["03390@2025-07-01"]
    assert [area.id for area in index.counterparts(new, BEFORE)] == [
        "03390@start",
        "03412@start",
        "03413@start",
    ]
    assert index.counterparts(new, AFTER) == [new]

"""The packaged catalogue against what is known of the diseases and of the areas around 2025-07-01."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from schemas import catalogue as package
from schemas.catalogue import Area, Catalogue, Disease, load_catalogue
from schemas.catalogue.matching import valid_on

DIRECTORY = Path(package.__file__).parent
BEFORE = date(2025, 6, 30)
AFTER = date(2025, 7, 1)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def diseases(catalogue: Catalogue) -> dict[str, Disease]:
    return {disease.code: disease for disease in catalogue.diseases}


@pytest.fixture(scope="module")
def areas(catalogue: Catalogue) -> dict[str, Area]:
    return {area.id: area for area in catalogue.areas}


def _children(areas: dict[str, Area]) -> dict[str | None, list[Area]]:
    children: dict[str | None, list[Area]] = defaultdict(list)
    for area in areas.values():
        children[area.parent_id].append(area)
    return children


def _sources(catalogue: Catalogue, areas: dict[str, Area]) -> dict[str, set[str]]:
    """The old districts that every new commune takes communes (or parts of them) from."""
    sources: dict[str, set[str]] = defaultdict(set)
    for link in catalogue.links:
        if areas[link.to_id].kind == "commune":
            old = areas[link.from_id]
            sources[link.to_id].add(old.id if old.kind == "district" else str(old.parent_id))
    return sources


# --- the whole ----------------------------------------------------------------------------------------------


def test_the_version_names_the_content(catalogue: Catalogue) -> None:
    assert re.fullmatch("[0-9a-f]{16}", catalogue.version)
    assert load_catalogue().version == catalogue.version


def test_case_reports_are_counted_from_the_start_by_default(catalogue: Catalogue) -> None:
    assert catalogue.case_reports_since == ()


def test_tables_are_sorted_utf8_with_lf() -> None:
    for name in ("areas.csv", "area_links.csv", "surveillance_areas.csv", "case_reports_since.csv"):
        content = (DIRECTORY / name).read_bytes()
        assert b"\r" not in content
        assert content.endswith(b"\n")
        rows = list(csv.reader(content.decode("utf-8").splitlines()))[1:]
        assert rows == sorted(rows, key=lambda row: row[:2])


# --- diseases -----------------------------------------------------------------------------------------------


def test_every_disease_is_there(catalogue: Catalogue) -> None:
    assert len(catalogue.diseases) == 65
    lines = (DIRECTORY / "frozen_codes.txt").read_text("utf-8").splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) == 65


def test_codes_that_the_event_contract_names(catalogue: Catalogue, diseases: dict[str, Disease]) -> None:
    assert {"streptococcus_suis", "je", "measles", "rabies", "food_poisoning"} <= set(diseases)
    agents = {agent.code for agent in catalogue.agents}
    assert {"measles", "rubella", "je", "p_vivax", "p_falciparum", "denv1"} <= agents
    for disease in catalogue.diseases:
        assert disease.agents[0] == disease.code


def test_syndromes(diseases: dict[str, Disease]) -> None:
    resolving = {code: disease.resolves_to for code, disease in diseases.items() if disease.resolves_to}
    assert resolving == {
        "rash_fever_susp_measles": {"measles": "measles", "rubella": "rubella"},
        "viral_encephalitis": {"je": "je"},
    }


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("covid19", "COVID-19"),
        ("hfmd", "Bệnh Tay - chân - miệng"),
        ("dengue", "Bệnh Sốt xuất huyết Dengue"),
        ("rabies", "Bệnh Dại"),
        ("streptococcus_suis", "Bệnh do liên cầu lợn ở người"),
        ("rash_fever_susp_measles", "Sốt phát ban nghi sởi"),
        ("food_poisoning", "Ngộ độc thực phẩm"),
    ],
)
def test_report_labels(diseases: dict[str, Disease], code: str, label: str) -> None:
    assert diseases[code].report_label_vi == label


def test_the_word_benh_is_never_doubled(catalogue: Catalogue) -> None:
    begin = [disease for disease in catalogue.diseases if disease.name_vi.startswith("Bệnh")]
    assert len(begin) == 14
    assert all(disease.report_label_vi.count("Bệnh") == 1 for disease in begin)
    assert not any("bệnh bệnh" in disease.report_label_vi.casefold() for disease in catalogue.diseases)


def test_the_report_prints_in_its_own_order(catalogue: Catalogue) -> None:
    first = [disease.code for disease in catalogue.diseases[:6]]
    assert first == ["covid19", "hfmd", "rabies", "dengue", "streptococcus_suis", "anthrax"]


def test_digest_only(diseases: dict[str, Disease]) -> None:
    assert {code for code, disease in diseases.items() if disease.digest_only} == {
        "hiv",
        "leprosy",
        "tuberculosis",
    }
    chronic = {code: disease.digest_only_severities for code, disease in diseases.items()}
    assert {code: which for code, which in chronic.items() if which} == {
        "hepatitis_b": ("chronic",),
        "hepatitis_c": ("chronic",),
    }


def test_groups_and_deadlines_have_their_days(diseases: dict[str, Disease]) -> None:
    covid = [(row.valid_from, row.valid_to, row.group) for row in diseases["covid19"].group_history]
    assert covid == [
        (date(2020, 1, 29), date(2023, 10, 19), "A"),
        (date(2023, 10, 20), date(2026, 6, 30), "B"),
        (date(2026, 7, 1), None, "B"),
    ]
    cholera = [(row.valid_to, row.group) for row in diseases["cholera"].group_history]
    assert cholera == [(date(2026, 6, 30), "A"), (None, "B")]
    dengue = [(row.valid_from, row.valid_to, row.code) for row in diseases["dengue"].deadlines]
    assert dengue == [(None, date(2026, 6, 30), "24h"), (date(2026, 7, 1), None, "48h")]
    codes = Counter(disease.deadlines[-1].code for disease in diseases.values())
    assert set(codes) == {"24h", "48h", "weekly", "none"}
    # By the law of 2026-07-01 the list of 24 h has 18 diseases; here also the syndrome reported as measles.
    assert codes["24h"] == 19
    for disease in diseases.values():
        assert disease.deadlines[-1].valid_to is None
        assert not disease.group_history or disease.group_history[-1].valid_to is None


def test_endemic_defaults_say_that_nobody_verified_them(diseases: dict[str, Disease]) -> None:
    assert {disease.endemic.sources for disease in diseases.values()} == {("GK",)}
    dengue = diseases["dengue"].endemic
    assert dengue.default is True
    assert {(row.province_id, row.endemic, row.sources) for row in dengue.provinces} == {
        ("12@start", False, ("LC2023",)),
        ("12@2025-07-01", False, ("LC2023",)),
    }


# --- areas --------------------------------------------------------------------------------------------------


def test_the_country_before_and_after(catalogue: Catalogue) -> None:
    kinds = {
        day: Counter(area.kind for area in catalogue.areas if valid_on(area, day)) for day in (BEFORE, AFTER)
    }
    assert kinds == {
        BEFORE: {"province": 63, "district": 696, "commune": 10_035},
        AFTER: {"province": 34, "commune": 3_321, "surveillance": 696},
    }
    assert not any(valid_on(area, BEFORE) and valid_on(area, AFTER) for area in catalogue.areas)
    # What is of neither day is Bắc Giang before 2025.
    for area in catalogue.areas:
        if not valid_on(area, BEFORE) and not valid_on(area, AFTER):
            assert area.valid_to in (date(2024, 1, 31), date(2024, 12, 31))
            assert _province(catalogue, area) == "24@start"


def _province(catalogue: Catalogue, area: Area) -> str:
    by_id = {area.id: area for area in catalogue.areas}
    while area.parent_id is not None:
        area = by_id[area.parent_id]
    return area.id


@pytest.mark.parametrize(
    ("province", "communes"),
    [
        ("12", "105:7 106:13 107:14 108:22 109:17 110:12 111:10 112:11"),
        ("10", "080:17 082:21 083:16 084:10 085:18 086:14 087:17 088:16 089:22"),
        ("19", "164:32 165:10 167:22 168:14 169:14 170:15 171:27 172:18 173:20"),
        ("24", "213:31 215:17 216:19 217:19 218:24 219:19 220:17 222:17 223:19 224:10"),
    ],
)
def test_districts_of_four_provinces(areas: dict[str, Area], province: str, communes: str) -> None:
    children = _children(areas)
    inside = [area for area in children[f"{province}@start"] if valid_on(area, BEFORE)]
    districts = sorted(inside, key=lambda district: district.code)
    held = {district.code: sum(valid_on(a, BEFORE) for a in children[district.id]) for district in districts}
    assert " ".join(f"{code}:{number}" for code, number in held.items()) == communes


@pytest.mark.parametrize(("province", "communes"), [("12", 38), ("15", 99), ("19", 92), ("24", 99)])
def test_communes_of_four_new_provinces(areas: dict[str, Area], province: str, communes: int) -> None:
    inside = _children(areas)[f"{province}@2025-07-01"]
    assert sum(area.kind == "commune" for area in inside) == communes


@pytest.mark.parametrize(
    ("area_id", "name", "parent"),
    [
        ("03412@start", "Xã Bình Lư", "106@start"),
        ("03390@start", "Thị trấn Tam Đường", "106@start"),
        ("03390@2025-07-01", "Xã Bình Lư", "12@2025-07-01"),
        ("03403@start", "Xã Sùng Phài", "105@start"),
        ("03388@2025-07-01", "Phường Đoàn Kết", "12@2025-07-01"),
        ("05755@start", "Xã Dân Tiến", "170@start"),
        ("05755@2025-07-01", "Xã Dân Tiến", "19@2025-07-01"),
        ("05875@start", "Phường Đắc Sơn", "172@start"),
        ("105@start", "Thành phố Lai Châu", "12@start"),
        ("088@start", "Thị xã Sa Pa", "10@start"),
        ("15@start", "Tỉnh Yên Bái", None),
        ("15@2025-07-01", "Tỉnh Lào Cai", None),
        ("24@start", "Tỉnh Bắc Giang", None),
        ("24@2025-07-01", "Tỉnh Bắc Ninh", None),
    ],
)
def test_places_that_the_reports_name(
    areas: dict[str, Area], area_id: str, name: str, parent: str | None
) -> None:
    area = areas[area_id]
    assert (area.name_vi, area.parent_id) == (name, parent)


def test_retired_codes(areas: dict[str, Area]) -> None:
    for code in ("10", "27", "03403", "03412"):
        assert f"{code}@start" in areas
        assert f"{code}@2025-07-01" not in areas


def test_codes_that_mean_another_place_now(areas: dict[str, Area]) -> None:
    new = [area for area in areas.values() if area.kind == "commune" and valid_on(area, AFTER)]
    old = {area.code: area for area in areas.values() if area.kind == "commune" and valid_on(area, BEFORE)}
    reused = [area for area in new if area.code in old]
    assert len(reused) == 3_316
    assert sum(area.name_vi != old[area.code].name_vi for area in reused) == 2_145


def test_where_old_communes_went(catalogue: Catalogue, areas: dict[str, Area]) -> None:
    targets = {link.from_id: link.to_id for link in catalogue.links if link.is_default}
    assert targets["03412@start"] == "03390@2025-07-01"
    assert targets["03390@start"] == "03390@2025-07-01"
    assert targets["03403@start"] == "03388@2025-07-01"
    assert targets["05875@start"] == "05860@2025-07-01"
    assert (targets["10@start"], targets["15@start"], targets["12@start"]) == (
        "15@2025-07-01",
        "15@2025-07-01",
        "12@2025-07-01",
    )
    provinces = {"12", "15", "19", "24"}
    split = {
        link.from_id
        for link in catalogue.links
        if link.kind == "part"
        and areas[link.from_id].kind == "commune"
        and str(areas[link.to_id].parent_id)[:2] in provinces
    }
    moved = {
        link.from_id
        for link in catalogue.links
        if areas[link.from_id].kind == "commune" and str(areas[link.to_id].parent_id)[:2] in provinces
    }
    assert (len(split), len(moved)) == (3, 1_018)
    assert {areas[str(areas[commune].parent_id)].parent_id for commune in split} == {"19@start"}


def test_new_communes_that_straddle_old_districts(catalogue: Catalogue, areas: dict[str, Area]) -> None:
    straddling = {
        commune: districts for commune, districts in _sources(catalogue, areas).items() if len(districts) > 1
    }
    by_province = Counter(str(areas[commune].parent_id)[:2] for commune in straddling)
    assert {code: by_province[code] for code in ("12", "15", "19", "24")} == {
        "12": 6,
        "15": 12,
        "19": 5,
        "24": 2,
    }
    names = {areas[commune].name_vi for commune in straddling if areas[commune].parent_id == "12@2025-07-01"}
    assert names == {
        "Phường Đoàn Kết",
        "Phường Tân Phong",
        "Xã Sin Suối Hồ",
        "Xã Hua Bum",
        "Xã Lê Lợi",
        "Xã Pa Tần",
    }


def test_six_communes_of_the_four_provinces_tie(catalogue: Catalogue, areas: dict[str, Area]) -> None:
    ties = {row.commune_id for row in catalogue.surveillance if row.tie}
    inside = {area_id for area_id in ties if str(areas[area_id].parent_id)[:2] in {"12", "15", "19", "24"}}
    assert {areas[area_id].name_vi for area_id in inside} == {
        "Xã Nam Dương",
        "Xã Hua Bum",
        "Xã Mỏ Vàng",
        "Xã Tú Lệ",
        "Xã Đại Phúc",
        "Xã Phong Quang",
    }


def test_surveillance_areas(catalogue: Catalogue, areas: dict[str, Area]) -> None:
    lai_chau = {
        area.code: area.name_vi
        for area in areas.values()
        if area.kind == "surveillance" and area.parent_id == "12@2025-07-01"
    }
    assert set(lai_chau) == {"105", "106", "107", "108", "109", "110", "111", "112"}
    assert lai_chau["106"] == "Khu vực Tam Đường"
    assert areas["03390@2025-07-01"].surveillance_id == "106@2025-07-01"
    assert areas["03412@start"].surveillance_id is None
    assert not any("huyện" in name.casefold() for name in lai_chau.values())
    names = Counter((area.parent_id, area.name_vi) for area in areas.values() if area.kind == "surveillance")
    assert max(names.values()) == 1
    sources = _sources(catalogue, areas)
    for row in catalogue.surveillance:
        assert row.district_id is not None
        assert areas[row.district_id].code == areas[row.surveillance_id].code
        assert row.district_id in sources[row.commune_id]
        assert 0 < row.share <= 1


def test_islands_without_communes_are_districts(catalogue: Catalogue, areas: dict[str, Area]) -> None:
    children = _children(areas)
    empty = {area.name_vi for area in areas.values() if area.kind == "district" and not children[area.id]}
    assert empty == {"Huyện Bạch Long Vĩ", "Huyện Cồn Cỏ", "Huyện Hoàng Sa", "Huyện Lý Sơn", "Huyện Côn Đảo"}
    became = {
        link.from_id: areas[link.to_id] for link in catalogue.links if areas[link.to_id].kind == "commune"
    }
    for name in empty:
        district = next(area for area in areas.values() if area.name_vi == name)
        assert became[district.id].name_vi == name.replace("Huyện", "Đặc khu")


@pytest.mark.parametrize(
    ("day", "communes"),
    [
        (
            date(2024, 1, 31),
            "213:16 215:19 216:22 217:21 218:25 219:29 220:17 221:18 222:17 223:25",
        ),
        (
            date(2024, 12, 31),
            "213:16 215:19 216:22 217:21 218:25 219:29 220:17 221:18 222:17 223:25",
        ),
        (
            date(2025, 1, 1),
            "213:31 215:17 216:19 217:19 218:24 219:19 220:17 222:17 223:19 224:10",
        ),
    ],
)
def test_bac_giang_before_and_after_its_own_reforms(areas: dict[str, Area], day: date, communes: str) -> None:
    """209 communes by resolution 938/NQ-UBTVQH15, 192 by resolution 1191/NQ-UBTVQH15."""
    inside = [area for area in areas.values() if valid_on(area, day)]
    districts = sorted((a for a in inside if a.parent_id == "24@start"), key=lambda a: a.code)
    held = Counter(a.parent_id for a in inside)
    assert " ".join(f"{district.code}:{held[district.id]}" for district in districts) == communes


@pytest.mark.parametrize(
    ("code", "day", "name", "parent_code"),
    [
        ("221", date(2024, 12, 31), "Huyện Yên Dũng", "24"),
        ("222", date(2024, 1, 31), "Huyện Việt Yên", "24"),
        ("222", date(2024, 2, 1), "Thị xã Việt Yên", "24"),
        ("224", date(2025, 1, 1), "Thị xã Chũ", "24"),
        ("07525", date(2024, 12, 31), "Thị trấn Chũ", "219"),
        ("07525", date(2025, 1, 1), "Phường Chũ", "224"),
        ("07681", date(2024, 12, 31), "Thị trấn Nham Biền", "221"),
        ("07681", date(2025, 1, 1), "Phường Nham Biền", "213"),
        ("07795", date(2024, 1, 31), "Thị trấn Nếnh", "222"),
        ("07795", date(2024, 2, 1), "Phường Nếnh", "222"),
        ("07684", date(2024, 12, 31), "Xã Lão Hộ", "221"),
    ],
)
def test_codes_of_bac_giang_by_day(
    areas: dict[str, Area], code: str, day: date, name: str, parent_code: str
) -> None:
    (area,) = (area for area in areas.values() if area.code == code and valid_on(area, day))
    assert (area.name_vi, areas[str(area.parent_id)].code) == (name, parent_code)


@pytest.mark.parametrize(
    ("code", "day"),
    [("221", date(2025, 1, 1)), ("224", date(2024, 12, 31)), ("07684", date(2025, 1, 1))],
)
def test_codes_of_bac_giang_that_meant_nothing(areas: dict[str, Area], code: str, day: date) -> None:
    assert not any(area.code == code and valid_on(area, day) for area in areas.values())


def test_what_nobody_verified_says_so(catalogue: Catalogue, areas: dict[str, Area]) -> None:
    links = [link for link in catalogue.links if link.kind == "assumed"]
    assert len({link.from_id for link in links}) == 13
    for link in links:
        ended, taker = areas[link.from_id], areas[link.to_id]
        # Whichever took it over, it was one of the same district.
        assert areas[str(ended.parent_id)].code == areas[str(taker.parent_id)].code


def test_provenance_is_there() -> None:
    text = (DIRECTORY / "areas.PROVENANCE.md").read_text("utf-8")
    for said in (
        "vietnamadminunits 1.0.4",
        "MIT License",
        "QĐ 19/2025/QĐ-TTg",
        "1191/NQ-UBTVQH15",
        "Nham Sơn",
    ):
        assert said in text

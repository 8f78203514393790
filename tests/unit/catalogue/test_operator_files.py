"""An operator's files laid over a catalogue: decrees, catchments, switch-over days; what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schemas.catalogue import Area, Catalogue, OperatorFilesError, digest, with_files
from schemas.catalogue.checks import check_areas
from schemas.catalogue.matching import valid_on

DAY = date(2027, 1, 1)
BEFORE = date(2026, 12, 31)
AREAS = "code,kind,name_vi,parent_code,valid_from\n"
LINKS = "from_code,to_code,on,kind,is_default\n"
DRAWN = "commune_code,surveillance_code,surveillance_name\n"


@pytest.fixture(scope="module")
def catalogue(published_catalogue: Catalogue) -> Catalogue:
    return published_catalogue


def areas_of(catalogue: Catalogue) -> dict[str, Area]:
    return {area.id: area for area in catalogue.areas}


def added(before: Catalogue, after: Catalogue) -> set[str]:
    return areas_of(after).keys() - areas_of(before).keys()


def linked(catalogue: Catalogue, area_id: str) -> list[tuple[str, str, bool]]:
    return [(li.to_id, li.kind, li.is_default) for li in catalogue.links if li.from_id == area_id]


def problems(catalogue: Catalogue, files: dict[str, str]) -> list[tuple[str, int, str, str]]:
    with pytest.raises(OperatorFilesError) as refused:
        with_files(catalogue, files)
    for problem in refused.value.problems:
        assert problem.message_vi
        assert problem.message_en != problem.message_vi
    return [(p.file, p.row, p.column, p.message_en) for p in refused.value.problems]


# --- a decree ---------------------------------------------------------------------------------------------


def test_a_province_that_becomes_a_city_takes_everything_in_it_along(catalogue: Catalogue) -> None:
    directory = Path(__file__).parents[3] / "docs" / "examples" / "dong-nai-2026"
    after = with_files(catalogue, {f.name: f.read_text("utf-8") for f in directory.glob("*.csv")})
    areas = areas_of(after)
    assert areas["75@2025-07-01"].valid_to == date(2026, 4, 29)
    assert areas["75@2026-04-30"].name_vi == "Thành phố Đồng Nai"
    inside = {area.code for area in areas.values() if area.parent_id == "75@2025-07-01"}
    assert {area.code for area in areas.values() if area.parent_id == "75@2026-04-30"} == inside
    assert len(added(catalogue, after)) == len(inside) + 1
    commune = areas["26041@2026-04-30"]
    assert (commune.name_vi, commune.surveillance_id) == ("Phường Trấn Biên", "731@2026-04-30")
    assert linked(after, "26041@2025-07-01") == [("26041@2026-04-30", "whole", True)]
    # Nothing elsewhere is touched.
    assert areas["03390@2025-07-01"] == areas_of(catalogue)["03390@2025-07-01"]


def test_communes_that_merge(catalogue: Catalogue) -> None:
    files = {
        "areas.csv": AREAS + "03390,commune,Xã Bình Lư Mới,12,2027-01-01\n",
        "area_links.csv": LINKS + "03394,03390,2027-01-01,whole,\n",
    }
    after = with_files(catalogue, files)
    areas = areas_of(after)
    assert added(catalogue, after) == {"03390@2027-01-01"}
    assert {a for a in ("03390@2025-07-01", "03394@2025-07-01") if areas[a].valid_to == BEFORE} == {
        "03390@2025-07-01",
        "03394@2025-07-01",
    }
    assert linked(after, "03394@2025-07-01") == [("03390@2027-01-01", "whole", True)]
    assert linked(after, "03390@2025-07-01") == [("03390@2027-01-01", "whole", True)]
    # One commune of 106 and one of 109: the one with more land decides, and it is marked.
    (share,) = (row for row in after.surveillance if row.commune_id == "03390@2027-01-01")
    assert (share.surveillance_id, share.share, share.tie) == ("109@2025-07-01", 0.5, True)
    assert areas["03390@2027-01-01"].surveillance_id == "109@2025-07-01"


def test_a_commune_that_is_split_and_one_with_a_code_of_its_own(catalogue: Catalogue) -> None:
    files = {
        "new.csv": "code,kind,name_vi,parent_code,valid_from,surveillance_code,area_km2\n"
        '3390,commune,Xã Bình Lư,12,01/01/2027,106,"100,5"\n'
        "03999,commune,Xã Bản Bo,12,01/01/2027,106,\n",
        "links.csv": LINKS + "03390,03390,2027-01-01,part,true\n03390,03999,2027-01-01,part,false\n",
    }
    after = with_files(catalogue, files)
    assert linked(after, "03390@2025-07-01") == [
        ("03390@2027-01-01", "part", True),
        ("03999@2027-01-01", "part", False),
    ]
    new = areas_of(after)["03390@2027-01-01"]
    assert (new.area_km2, new.surveillance_id, new.parent_id) == (100.5, "106@2025-07-01", "12@2025-07-01")


def test_two_decrees_after_each_other(catalogue: Catalogue) -> None:
    first = {"areas.csv": AREAS + "12,province,Thành phố Lai Châu,,2027-01-01\n"}
    second = {
        "areas.csv": AREAS + "03390,commune,Phường Bình Lư,12,2028-01-01\n",
    }
    after = with_files(with_files(catalogue, first), second)
    areas = [area for area in after.areas if area.code == "03390"]
    assert [(area.id, area.valid_to) for area in areas] == [
        ("03390@2025-07-01", BEFORE),
        ("03390@2027-01-01", date(2027, 12, 31)),
        ("03390@2028-01-01", None),
        ("03390@start", date(2025, 6, 30)),
    ]
    assert areas[2].surveillance_id == "106@2027-01-01"
    assert not check_areas(after)


def test_a_package_that_has_the_decree_itself_gives_the_same(catalogue: Catalogue) -> None:
    files = {
        "areas.csv": AREAS + "03390,commune,Xã Bình Lư,12,2027-01-01\n",
        "area_links.csv": LINKS + "03394,03390,2027-01-01,whole,\n",
    }
    once = with_files(catalogue, files)
    twice = with_files(once, files)
    assert (twice.areas, twice.links, twice.surveillance) == (once.areas, once.links, once.surveillance)


def test_the_file_wins_over_the_package(catalogue: Catalogue) -> None:
    after = with_files(catalogue, {"names.csv": AREAS + "03390,commune,Xã Bình Lư (sửa),12,2025-07-01\n"})
    assert areas_of(after)["03390@2025-07-01"].name_vi == "Xã Bình Lư (sửa)"
    assert not added(catalogue, after)


def test_the_version_names_package_and_files(catalogue: Catalogue) -> None:
    one = {"a.csv": AREAS + "12,province,Thành phố Lai Châu,,2027-01-01\n"}
    other = {"b.csv": one["a.csv"]}
    versions = {catalogue.version, with_files(catalogue, one).version, with_files(catalogue, other).version}
    assert len(versions) == 3
    assert digest(one) != digest(other)
    assert with_files(catalogue, one).version == with_files(catalogue, dict(one)).version


# --- surveillance areas -----------------------------------------------------------------------------------


def test_catchments_redraw_surveillance_areas(catalogue: Catalogue) -> None:
    rows = DRAWN + "3390;901;Khu vực Bình Lư\n03460;901;\n03388;106;\n".replace(";", ",")
    after = with_files(catalogue, {"khu-vuc.csv": rows})
    areas = areas_of(after)
    assert added(catalogue, after) == {"901@2025-07-01"}
    assert (areas["901@2025-07-01"].kind, areas["901@2025-07-01"].name_vi) == (
        "surveillance",
        "Khu vực Bình Lư",
    )
    drawn = {code: areas[f"{code}@2025-07-01"].surveillance_id for code in ("03390", "03460", "03388")}
    assert drawn == {"03390": "901@2025-07-01", "03460": "901@2025-07-01", "03388": "106@2025-07-01"}
    # What is said of the former district stands: Hua Bum is a tie between two of them.
    (hua_bum,) = (row for row in after.surveillance if row.commune_id == "03460@2025-07-01")
    assert (hua_bum.surveillance_id, hua_bum.district_id, hua_bum.tie) == (
        "901@2025-07-01",
        "107@start",
        True,
    )
    # Old districts lead to the new ones, most communes first.
    assert linked(after, "106@start")[0][1:] == ("part", True) or ("901@2025-07-01", "part", False) in linked(
        after, "106@start"
    )
    assert not check_areas(after)


def test_semicolons_byte_order_mark_and_windows_ends(catalogue: Catalogue) -> None:
    rows = "\ufeffcommune_code;surveillance_code\r\n3390;105\r\n\r\n"
    after = with_files(catalogue, {"khu-vuc.csv": rows})
    assert areas_of(after)["03390@2025-07-01"].surveillance_id == "105@2025-07-01"


def test_every_kind_of_row_names_its_day(catalogue: Catalogue) -> None:
    rows = "commune_code,surveillance_code,on\n03390,105,2026-01-01\n"
    assert (
        areas_of(with_files(catalogue, {"k.csv": rows}))["03390@2025-07-01"].surveillance_id
        == "105@2025-07-01"
    )


# --- case reports -----------------------------------------------------------------------------------------


def test_since_when_case_reports_count(catalogue: Catalogue) -> None:
    after = with_files(catalogue, {"since.csv": "disease,province_code,since\ndengue,12,2024-01-01\n"})
    assert [(r.disease, r.province_code, r.since) for r in after.case_reports_since] == [
        ("dengue", "12", date(2024, 1, 1))
    ]


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "file", "row", "column", "message"),
    [
        ({}, "", 0, "", "no CSV file"),
        ({"x.csv": "hello\n"}, "x.csv", 1, "", "none of those known"),
        ({"x.csv": "code,kind,name_vi,parent_code\n"}, "x.csv", 1, "valid_from", "is missing"),
        ({"x.csv": AREAS.strip() + ",colour\n"}, "x.csv", 1, "colour", "No such column"),
        ({"x.csv": AREAS + "03390,commune\n"}, "x.csv", 2, "", "2 cells"),
        ({"x.csv": AREAS + "03390,commune,,12,2027-01-01\n"}, "x.csv", 2, "name_vi", "empty"),
        ({"x.csv": AREAS + "03390,ward,X,12,2027-01-01\n"}, "x.csv", 2, "kind", "Choose from"),
        ({"x.csv": AREAS + "033900,commune,X,12,2027-01-01\n"}, "x.csv", 2, "code", "no code of 5 digits"),
        ({"x.csv": AREAS + "03390,commune,X,12,2027-13-01\n"}, "x.csv", 2, "valid_from", "no day"),
        ({"x.csv": AREAS + "03390,commune,X,99,2027-01-01\n"}, "x.csv", 2, "parent_code", "means nothing"),
        (
            {"x.csv": AREAS + "03998,commune,X,12,2027-01-01\n"},
            "x.csv",
            2,
            "code",
            "what this area came from",
        ),
        (
            {"x.csv": AREAS + "03390,commune,X,12,2027-01-01\n03390,commune,Y,12,2027-01-01\n"},
            "x.csv",
            3,
            "code",
            "two rows",
        ),
        ({"l.csv": LINKS + "03390,03388,2027-01-01,whole,\n"}, "l.csv", 2, "to_code", "began before"),
        ({"l.csv": LINKS + "03390,03999,2027-01-01,whole,\n"}, "l.csv", 2, "to_code", "means nothing"),
        ({"l.csv": LINKS + "03390,03388,2027-01-01,half,\n"}, "l.csv", 2, "kind", "Choose from"),
        ({"l.csv": LINKS + "03390,03388,2027-01-01,whole,yes\n"}, "l.csv", 2, "is_default", "Choose from"),
        ({"k.csv": DRAWN + "03390,901,\n"}, "k.csv", 2, "surveillance_name", "give its name"),
        ({"k.csv": DRAWN + "03412,105,\n"}, "k.csv", 2, "commune_code", "No commune has the code"),
        ({"k.csv": DRAWN + "03390,105,\n03390,106,\n"}, "k.csv", 3, "commune_code", "twice"),
        ({"k.csv": DRAWN + "03390,901,A\n03388,901,B\n"}, "k.csv", 3, "surveillance_name", "two names"),
        (
            {"s.csv": "disease,province_code,since\nflu,12,2024-01-01\n"},
            "s.csv",
            2,
            "disease",
            "No such disease",
        ),
        (
            {"s.csv": "disease,province_code,since\ndengue,10,2026-01-01\n"},
            "s.csv",
            2,
            "province_code",
            "nothing",
        ),
        (
            {"s.csv": "disease,province_code,since\ndengue,12,2024-01-01\ndengue,12,2025-01-01\n"},
            "s.csv",
            3,
            "disease",
            "two rows",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    catalogue: Catalogue, files: dict[str, str], file: str, row: int, column: str, message: str
) -> None:
    found = problems(catalogue, files)
    assert [(f, r, c) for f, r, c, m in found if message in m] == [(file, row, column)], found


def test_everything_wrong_is_said_at_once(catalogue: Catalogue) -> None:
    rows = AREAS + "03390,ward,X,12,2027-01-01\n03388,commune,Y,12,soon\n"
    assert [(row, column) for _, row, column, _ in problems(catalogue, {"x.csv": rows})] == [
        (2, "kind"),
        (3, "valid_from"),
    ]


def test_what_lay_in_a_split_area_must_be_said(catalogue: Catalogue) -> None:
    """A province that is split: nobody but the operator knows which commune goes where."""
    files = {
        "areas.csv": AREAS + "12,province,Tỉnh A,,2027-01-01\n99,province,Tỉnh B,,2027-01-01\n",
        "area_links.csv": LINKS + "12,12,2027-01-01,part,true\n12,99,2027-01-01,part,false\n",
    }
    found = problems(catalogue, files)
    assert all("which was split" in message for *_, message in found)


def test_what_does_not_hold_together_is_refused(catalogue: Catalogue) -> None:
    # Two defaults.
    files = {
        "areas.csv": AREAS + "03390,commune,A,12,2027-01-01\n03999,commune,B,12,2027-01-01\n",
        "area_links.csv": LINKS + "03390,03390,2027-01-01,part,true\n03390,03999,2027-01-01,part,true\n",
    }
    assert any("has 2 default commune targets" in message for *_, message in problems(catalogue, files))


def test_no_day_is_without_the_country(catalogue: Catalogue) -> None:
    after = with_files(catalogue, {"a.csv": AREAS + "12,province,Thành phố Lai Châu,,2027-01-01\n"})
    for day in (BEFORE, DAY):
        codes = [area.code for area in after.areas if area.kind == "commune" and valid_on(area, day)]
        assert len(codes) == len(set(codes)) == 3_321

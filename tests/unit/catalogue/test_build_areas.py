"""build_areas on a package of two provinces made by hand: the rows, the ties, the names, the refusals."""

from __future__ import annotations

import csv
import importlib.util
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import build_areas
from schemas.catalogue.build_areas import BuildError

OLD_COLUMNS = (
    "province", "provinceCode", "provinceKey", "provinceShort", "provinceLat", "provinceLon",
    "district", "districtCode", "districtKey", "districtType", "districtLat", "districtLon", "districtBounds",
    "ward", "wardCode", "wardKey", "wardLat", "wardLon", "wardBounds",
)  # fmt: skip
NEW_COLUMNS = (
    "province", "provinceCode", "provinceKey", "provinceLat", "provinceLon",
    "ward", "wardCode", "wardKey", "wardLat", "wardLon", "wardAreaKm2",
)  # fmt: skip
SMALL = "21.0,105.0 – 21.1,105.1"
LARGE = "21.0,105.0 – 21.4,105.4"


def _old(
    province: str, district: tuple[str, str, str], ward: tuple[str, str] | None, box: str = SMALL
) -> tuple[Any, ...]:
    kind, name, code = district
    return (
        f"Tỉnh {province}", {"Đông": "01", "Tây": "02"}[province], f"tinh{province}", province, 21.0, 105.0,
        f"{kind} {name}", code, f"d{code}", kind.capitalize(), 21.0, 105.0, LARGE,
        *((ward[0], ward[1], f"w{ward[1]}", 21.0, 105.0, box) if ward else (None,) * 6),
    )  # fmt: skip


def _new(ward: str, code: str, km2: float | None = 10.0) -> tuple[Any, ...]:
    return ("Tỉnh Đông", "01", "tinhĐông", 21.0, 105.0, ward, code, f"w{code}", 21.0, 105.0, km2)


A = ("Huyện", "Bình An", "001")
B = ("Thị Xã", "Bình An", "002")
C = ("Huyện", "Châu Thành", "003")
D = ("Huyện", "Châu Thành", "004")
E = ("Quận", "5", "005")
ISLAND = ("Huyện", "Cồn Nhỏ", "006")

OLD = [
    _old("Đông", A, ("Thị Trấn Một", "00001")),
    _old("Đông", A, ("Xã Hai", "00002")),
    _old("Đông", B, ("Phường Ba", "00003"), LARGE),
    _old("Đông", C, ("Xã Bốn", "00004")),
    _old("Tây", D, ("Xã Năm", "00005")),
    _old("Tây", E, ("Phường 6", "00006")),
    _old("Tây", ISLAND, None),
]
NEW = [
    _new("Xã Một Hai", "00001"),
    _new("Xã Hòa", "00003", 0.0),
    _new("Xã Tư", "00004"),
    _new("Xã Năm", "00005", None),
    _new("Phường Sáu", "00099"),
    _new("Đặc khu Cồn Nhỏ", "00098"),
]
CONVERTER = {
    "DICT_PROVINCE": {"tinhĐông": ["tinhĐông", "tinhTây"]},
    "DICT_PROVINCE_WARD_NO_DIVIDED": {
        "tinhĐông": {
            "w00001": ["tinhĐông_d001_w00001"],
            "w00003": ["tinhĐông_d002_w00003"],
            "w00004": ["tinhĐông_d003_w00004"],
            "w00005": ["tinhTây_d004_w00005"],
            "w00099": ["tinhTây_d005_w00006"],
            "w00098": ["tinhTây_d006_"],
        }
    },
    "DICT_PROVINCE_WARD_DIVIDED": {
        "tinhĐông": {
            "tinhĐông_d001_w00002": [
                {"newWardKey": "w00001", "isDefaultNewWard": True},
                {"newWardKey": "w00003", "isDefaultNewWard": False},
            ]
        }
    },
}


def _package(
    directory: Path,
    converter: dict[str, Any] = CONVERTER,
    version: str = "1.0.4",
    old: Sequence[tuple[Any, ...]] = OLD,
) -> Path:
    package = directory / "vietnamadminunits"
    (package / "data").mkdir(parents=True)
    licence = directory / f"vietnamadminunits-{version}.dist-info" / "licenses" / "LICENSE"
    licence.parent.mkdir(parents=True)
    licence.write_text("MIT License, words of it\n", encoding="utf-8")
    (package / "data" / "converter_2025.json").write_text(json.dumps(converter), encoding="utf-8")
    with closing(sqlite3.connect(package / "data" / "dataset.db")) as connection:
        for table, columns, rows in (
            ("admin_units_legacy", OLD_COLUMNS, old),
            ("admin_units", NEW_COLUMNS, NEW),
        ):
            connection.execute(f"create table {table} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"insert into {table} values ({marks})", rows)  # noqa: S608 (names are ours)
        connection.commit()
    return package


@pytest.fixture
def target(tmp_path: Path) -> Path:
    target = tmp_path / "out"
    target.mkdir()
    assert build_areas.main(["--package", str(_package(tmp_path)), "--target", str(target)]) == 0
    return target


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_areas_of_both_structures(target: Path) -> None:
    areas = {row["id"]: row for row in _rows(target / "areas.csv")}
    assert list(areas) == sorted(areas)
    assert areas["00001@start"]["name_vi"] == "Thị trấn Một"
    assert areas["002@start"]["name_vi"] == "Thị xã Bình An"
    assert areas["00001@start"]["parent_id"] == "001@start"
    assert (areas["00001@start"]["valid_from"], areas["00001@start"]["valid_to"]) == ("", "2025-06-30")
    new = areas["00001@2025-07-01"]
    assert (new["name_vi"], new["parent_id"], new["valid_from"]) == (
        "Xã Một Hai",
        "01@2025-07-01",
        "2025-07-01",
    )
    assert (new["valid_to"], new["area_km2"], new["surveillance_id"]) == ("", "10.0", "001@2025-07-01")
    assert areas["00003@2025-07-01"]["area_km2"] == ""
    assert areas["00005@2025-07-01"]["area_km2"] == ""
    assert areas["006@start"]["kind"] == "district"
    assert "02@start" in areas
    assert "02@2025-07-01" not in areas


def test_surveillance_areas_are_named_apart(target: Path) -> None:
    names = {
        row["code"]: row["name_vi"] for row in _rows(target / "areas.csv") if row["kind"] == "surveillance"
    }
    assert names == {
        "001": "Khu vực huyện Bình An",
        "002": "Khu vực thị xã Bình An",
        "003": "Khu vực huyện Châu Thành (Đông)",
        "004": "Khu vực huyện Châu Thành (Tây)",
        "005": "Khu vực quận 5",
        "006": "Khu vực Cồn Nhỏ",
    }


def test_links(target: Path) -> None:
    links = [tuple(row.values()) for row in _rows(target / "area_links.csv")]
    assert links == sorted(links)
    assert ("00001@start", "00001@2025-07-01", "whole", "true") in links
    assert ("00002@start", "00001@2025-07-01", "part", "true") in links
    assert ("00002@start", "00003@2025-07-01", "part", "false") in links
    assert ("02@start", "01@2025-07-01", "whole", "true") in links
    assert ("006@start", "00098@2025-07-01", "whole", "true") in links
    assert ("006@start", "006@2025-07-01", "whole", "true") in links
    assert ("001@start", "001@2025-07-01", "part", "true") in links
    assert ("001@start", "002@2025-07-01", "part", "false") in links


def test_shares(target: Path) -> None:
    shares = {row["commune_id"]: row for row in _rows(target / "surveillance_areas.csv")}
    whole_and_half = shares["00001@2025-07-01"]
    assert (whole_and_half["surveillance_id"], whole_and_half["share"]) == ("001@2025-07-01", "1.0000")
    one_to_half = shares["00003@2025-07-01"]
    assert (one_to_half["surveillance_id"], one_to_half["share"]) == ("002@2025-07-01", "0.6667")
    assert {row["tie"] for row in shares.values()} == {"false"}


@pytest.mark.parametrize(("box", "winner"), [(LARGE, "003"), (SMALL, "001")])
def test_a_tie_goes_to_more_land_then_to_the_lower_code(tmp_path: Path, box: str, winner: str) -> None:
    converter = json.loads(json.dumps(CONVERTER))
    whole = converter["DICT_PROVINCE_WARD_NO_DIVIDED"]["tinhĐông"]
    whole["w00001"] += whole["w00004"]
    whole["w00004"] = ["tinhĐông_d001_w00002"]
    converter["DICT_PROVINCE_WARD_DIVIDED"] = {}
    old = [*OLD[:3], _old("Đông", C, ("Xã Bốn", "00004"), box), *OLD[4:]]
    built = build_areas.build(_package(tmp_path, converter, old=old))
    row = next(row for row in built.surveillance if row["commune_id"] == "00001@2025-07-01")
    assert (row["surveillance_id"], row["share"], row["tie"]) == (f"{winner}@2025-07-01", "0.5000", "true")


def test_the_same_package_gives_the_same_bytes(target: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    assert len(before) == 4
    assert build_areas.main(["--package", str(tmp_path / "vietnamadminunits"), "--target", str(target)]) == 0
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert all(b"\r" not in content for content in before.values())


def test_the_provenance_names_version_counts_and_licence(target: Path) -> None:
    text = (target / "areas.PROVENANCE.md").read_text(encoding="utf-8")
    assert "vietnamadminunits 1.0.4 (MIT)" in text
    assert "2 provinces, 6 districts, 6 communes" in text
    assert "1 provinces, 6 communes, 6 surveillance areas" in text
    assert "MIT License, words of it" in text


def test_another_version_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = _package(tmp_path, version="2.0.0")
    assert build_areas.main(["--package", str(package), "--target", str(tmp_path)]) == 1
    assert "2.0.0 found, 1.0.4 expected" in capsys.readouterr().err
    assert not (tmp_path / "areas.csv").exists()


def test_a_commune_that_the_converter_does_not_know_is_refused(tmp_path: Path) -> None:
    converter = json.loads(json.dumps(CONVERTER))
    del converter["DICT_PROVINCE_WARD_NO_DIVIDED"]["tinhĐông"]["w00099"]
    with pytest.raises(BuildError, match="does not map exactly"):
        build_areas.build(_package(tmp_path, converter))


def test_a_split_commune_without_one_default_is_refused(tmp_path: Path) -> None:
    converter = json.loads(json.dumps(CONVERTER))
    parts = converter["DICT_PROVINCE_WARD_DIVIDED"]["tinhĐông"]["tinhĐông_d001_w00002"]
    parts[1]["isDefaultNewWard"] = True
    with pytest.raises(BuildError, match="exactly one default"):
        build_areas.build(_package(tmp_path, converter))


@pytest.mark.skipif(
    importlib.util.find_spec(build_areas.PACKAGE) is None,
    reason="needs the extra `catalogue` (vietnamadminunits)",
)
def test_the_committed_files_are_what_the_package_gives(tmp_path: Path) -> None:
    assert build_areas.main(["--target", str(tmp_path)]) == 0
    committed = Path(build_areas.__file__).parent
    for path in tmp_path.iterdir():
        assert (committed / path.name).read_bytes() == path.read_bytes(), (
            f"{path.name}: run build_areas again"
        )

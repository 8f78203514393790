"""Every check between entries accepts the small catalogue and rejects the one thing that it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.catalogue import CatalogueError, load_catalogue
from tests.unit.catalogue.small import write_small

DISEASES = "diseases.yaml"
AREAS = "areas.csv"
LINKS = "area_links.csv"
SHARES = "surveillance_areas.csv"
SINCE = "case_reports_since.csv"

NEW_COMMUNE = "00003@2025-07-01,00003,commune,Xã Ba,01@2025-07-01,2025-07-01,,21.6,105.6,8,002@2025-07-01\n"


def test_the_small_catalogue_is_good(tmp_path: Path) -> None:
    load_catalogue(write_small(tmp_path))


@pytest.mark.parametrize(
    ("file", "old", "new", "entry", "fault"),
    [
        # Codes
        ("frozen_codes.txt", "rash\n", "rash\nrashes\n", "disease 'rashes'", "never renamed or removed"),
        ("frozen_codes.txt", "rash\n", "", "disease 'rash'", "append it"),
        (DISEASES, "- code: rubella\n", "- code: measles\n", "disease 'measles'", "is there twice"),
        (
            DISEASES,
            "  - {code: rubella, ",
            "  - {code: measles, name_vi: sởi, name_en: again}\n  - {code: rubella, ",
            "agent 'measles'",
            "is there twice",
        ),
        ("legal_rules.yaml", "- code: standard", "- code: other", "disease 'measles'", "no rule 'standard'"),
        # Agents and syndromes
        (DISEASES, "agents: [measles]", "agents: []", "disease 'measles'", "its own agent"),
        (
            DISEASES,
            "[rash, measles, rubella]",
            "[measles, rash, rubella]",
            "disease 'rash'",
            "must come first",
        ),
        (
            DISEASES,
            "[rash, measles, rubella]",
            "[rash, measles, rubella, rash]",
            "disease 'rash'",
            "'rash' is there",
        ),
        (DISEASES, "agents: [rubella]", "agents: [rubella, virus]", "disease 'rubella'", "table of agents"),
        (
            DISEASES,
            "  - {code: rubella, ",
            "  - {code: virus, name_vi: vi rút, name_en: virus}\n  - {code: rubella, ",
            "agent 'virus'",
            "belongs to no disease",
        ),
        (DISEASES, "rubella: rubella}", "rubella: mumps}", "disease 'rash'", "no disease 'mumps'"),
        (
            DISEASES,
            "rubella: rubella}",
            "mumps: rubella}",
            "disease 'rash'",
            "'mumps' is not one of its agents",
        ),
        (DISEASES, "rubella: rubella}", "rubella: rash}", "disease 'rash'", "'rash' is a syndrome itself"),
        # References
        (
            DISEASES,
            "digest_only_severities: [chronic]",
            "digest_only_severities: [old]",
            "disease 'rubella'",
            "'old'",
        ),
        (
            DISEASES,
            "icd10: [B06]\n    icd10_sources: [LAW]",
            "icd10: [B06]\n    icd10_sources: [LAV]",
            "disease 'rubella'",
            "no source 'LAV'",
        ),
        (
            DISEASES,
            "text: 24h, sources: [LAW]",
            "text: 24h, sources: [LAV]",
            "disease 'measles'",
            "no source 'LAV'",
        ),
        (
            DISEASES,
            "null, group: B, sources: [LAW]",
            "null, group: B, sources: [X]",
            "disease 'measles'",
            "no source 'X'",
        ),
        (
            DISEASES,
            "{text: 21 days, sources: [GK]}",
            "{text: 21 days, sources: [GL]}",
            "disease 'measles'",
            "no source 'GL'",
        ),
        (
            DISEASES,
            "endemic: false, sources: [LAW]",
            "endemic: false, sources: [X]",
            "disease 'rubella'",
            "no source 'X'",
        ),
        (
            DISEASES,
            "province_id: 01@start",
            "province_id: 001@start",
            "disease 'rubella'",
            "no province '001@start'",
        ),
        (
            DISEASES,
            "provinces: [{",
            "provinces: [{province_id: 01@start, endemic: true, sources: [GK]}, {",
            "disease 'rubella'",
            "province '01@start' is there twice",
        ),
        # Periods
        (
            DISEASES,
            "valid_to: '2026-06-30', group",
            "valid_to: '2026-07-01', group",
            "disease 'measles'",
            "group_history: the period from 2026-07-01",
        ),
        (
            DISEASES,
            "valid_to: '2026-06-30', group",
            "valid_to: null, group",
            "disease 'measles'",
            "never ends",
        ),
        (
            DISEASES,
            "valid_to: '2026-06-30', group",
            "valid_to: '2006-06-30', group",
            "disease 'measles'",
            "group_history: ends on 2006-06-30",
        ),
        (
            DISEASES,
            "valid_to: '2026-06-30', code",
            "valid_to: '2026-07-01', code",
            "disease 'measles'",
            "deadlines: the period",
        ),
        (
            "legal_rules.yaml",
            "valid_to: null",
            "valid_to: '2020-01-01'",
            "rule 'standard'",
            "ends on 2020-01-01",
        ),
        # Names
        (
            DISEASES,
            "aliases_vi: [SPB]",
            "aliases_vi: [bệnh  SỞI]",
            "disease 'rash'",
            "already means 'measles'",
        ),
        (DISEASES, "aliases_vi: [SPB]", "aliases_vi: [Sởi-Đức]", "disease 'rash'", "already means 'rubella'"),
        (DISEASES, "label_vi: Bệnh Sởi", "label_vi: Bệnh bệnh Sởi", "disease 'measles'", 'says "Bệnh" twice'),
        (DISEASES, "label_vi: Bệnh Sởi", "label_vi: '---'", "disease 'measles'", "holds no word"),
        # Case reports since
        (SINCE, "measles,", "mumps,", "mumps, 01", "no disease 'mumps'"),
        (SINCE, ",01,", ",02,", "measles, 02", "no province 02 on 2023-01-01"),
        (
            SINCE,
            "measles,01,2023-01-01\n",
            "measles,01,2023-01-01\nmeasles,01,2024-01-01\n",
            "measles, 01",
            "twice",
        ),
        # Areas
        (AREAS, NEW_COMMUNE, NEW_COMMUNE * 2, "00003@2025-07-01", "is there twice"),
        (AREAS, "00002@start,00002,", "00002@start,00009,", "00002@start", "its id must be 00009@start"),
        (
            AREAS,
            ",Xã Ba,01@2025-07-01,2025-07-01",
            ",Xã Ba,01@2025-07-01,2025-07-02",
            "00003@2025-07-01",
            "its id must be",
        ),
        (
            AREAS,
            "002@start,002,district",
            "002@start,002,commune",
            "002@start",
            "a commune's code has 5 digits",
        ),
        (
            AREAS,
            "Xã Hai,001@start,,2025-06-30",
            "Xã Hai,001@start,,2025-07-01",
            "code 00001",
            "means two things at once",
        ),
        (
            AREAS,
            "Xã Hai,001@start,,2025-06-30,21.5,105.5",
            "Xã Hai,001@start,,2025-06-30,21.5,",
            "00001@start",
            "only one of",
        ),
        (AREAS, "Huyện B,01@start,", "Huyện B,02@start,", "002@start", "its parent 02@start does not exist"),
        (AREAS, "Huyện B,01@start,", "Huyện B,,", "002@start", "names no parent"),
        (AREAS, "Huyện B,01@start,", "Huyện B,001@start,", "002@start", "is a district, not a province"),
        (AREAS, "Huyện B,01@start,", "Huyện B,01@2025-07-01,", "002@start", "not valid in the same period"),
        (
            AREAS,
            "Tỉnh Cũ,,,2025-06-30",
            "Tỉnh Cũ,01@2025-07-01,,2025-06-30",
            "01@start",
            "a province has no parent",
        ),
        # Surveillance areas
        (
            AREAS,
            "105.5,12.5,001@2025-07-01",
            "105.5,12.5,009@2025-07-01",
            "00001@2025-07-01",
            "no surveillance area 009",
        ),
        (
            AREAS,
            "105.5,12.5,001@2025-07-01",
            "105.5,12.5,001@start",
            "00001@2025-07-01",
            "no surveillance area 001@start",
        ),
        (
            AREAS,
            "Khu vực B,01@2025-07-01,2025-07-01,,",
            "Khu vực B,01@2025-07-01,2025-07-01,2030-01-01,",
            "00003@2025-07-01",
            "not valid in the same",
        ),
        (
            AREAS,
            "Huyện B,01@start,,2025-06-30,21.6,105.6,,",
            "Huyện B,01@start,,2025-06-30,21.6,105.6,,001@2025-07-01",
            "002@start",
            "has no surveillance area",
        ),
        (
            AREAS,
            "Khu vực B,01@2025-07-01",
            "Khu vực B,01@start",
            "00003@2025-07-01",
            "lies in another province",
        ),
        (
            SHARES,
            "00003@2025-07-01,002",
            "00003@2025-07-01,001",
            "00003@2025-07-01",
            "002@2025-07-01 in areas.csv",
        ),
        (SHARES, ",002@start,0.6667", ",02@start,0.6667", "00003@2025-07-01", "no district 02@start"),
        (
            SHARES,
            "00003@2025-07-01,002@2025-07-01,002@start,0.6667,false\n",
            "",
            "00003@2025-07-01",
            "missing in surveillance_areas.csv",
        ),
        (SHARES, "00003@2025-07-01,", "00009@2025-07-01,", "00009@2025-07-01", "no such area in areas.csv"),
        (SHARES, "00003@2025-07-01,", "00001@2025-07-01,", "00001@2025-07-01", "is there twice"),
        # Links
        (
            LINKS,
            "00003@start,00003@2025-07-01",
            "00003@start,00009@2025-07-01",
            "00003@start -> 00009@2025-07-01",
            "no area 00009",
        ),
        (
            LINKS,
            "00003@start,00003@2025-07-01",
            "00009@start,00003@2025-07-01",
            "00009@start -> 00003@2025-07-01",
            "no area 00009",
        ),
        (
            LINKS,
            "00003@start,00003@2025-07-01",
            "00003@start,002@2025-07-01",
            "00003@start -> 002@2025-07-01",
            "a commune does not become a surveillance",
        ),
        (
            LINKS,
            "00003@start,00003@2025-07-01",
            "00003@start,00002@start",
            "00003@start -> 00002@start",
            "on the day after",
        ),
        (
            LINKS,
            "00003@start,00003@2025-07-01,whole,true\n",
            "",
            "00003@start",
            "does not say what it became",
        ),
        (
            LINKS,
            "00002@start,00003@2025-07-01",
            "00002@start,00001@2025-07-01",
            "00002@start -> 00001@2025-07-01",
            "is there twice",
        ),
        (
            LINKS,
            "00003@start,00003@2025-07-01,whole,true",
            "00003@start,00003@2025-07-01,whole,false",
            "00003@start",
            "has 0 default commune targets",
        ),
        (
            LINKS,
            "00002@start,00003@2025-07-01,part,false",
            "00002@start,00003@2025-07-01,part,true",
            "00002@start",
            "has 2 default commune targets",
        ),
        (
            LINKS,
            "00002@start,00001@2025-07-01,part,true",
            "00002@start,00001@2025-07-01,whole,true",
            "00002@start",
            "goes whole into one commune, but has 2",
        ),
        (
            LINKS,
            "00003@start,00003@2025-07-01,whole,true",
            "00003@start,00003@2025-07-01,part,true",
            "00003@start",
            "the rest nowhere",
        ),
    ],
)
def test_rejects(tmp_path: Path, file: str, old: str, new: str, entry: str, fault: str) -> None:
    write_small(tmp_path, {file: (old, new)})
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(tmp_path)
    assert any(found.entry == entry and fault in found.fault for found in caught.value.faults), str(
        caught.value
    )


def test_rejects_a_rule_that_is_there_twice(tmp_path: Path) -> None:
    write_small(tmp_path)
    rules = tmp_path / "legal_rules.yaml"
    text = rules.read_text("utf-8")
    rules.write_text(text + text.removeprefix("rules:\n"), encoding="utf-8")
    with pytest.raises(CatalogueError, match="rule 'standard': is there twice"):
        load_catalogue(tmp_path)

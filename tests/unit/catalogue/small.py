"""A catalogue small enough to read: two old districts that became one new province with two communes."""

from __future__ import annotations

from pathlib import Path

DISEASES = """\
sources:
  LAW: a law
  GK: general knowledge, unverified
agents:
  - {code: measles, name_vi: sởi, name_en: measles virus}
  - {code: rubella, name_vi: rubella, name_en: rubella virus}
  - {code: rash, name_vi: tác nhân khác, name_en: another agent}
diseases:
  - code: measles
    name_vi: Sởi
    name_en: Measles
    report_label_vi: Bệnh Sởi
    aliases_vi: []
    agents: [measles]
    resolves_to: {}
    icd10: [B05]
    icd10_sources: [LAW]
    group_history:
      - {valid_from: '2008-07-01', valid_to: '2026-06-30', group: B, sources: [LAW]}
      - {valid_from: '2026-07-01', valid_to: null, group: B, sources: [LAW]}
    deadlines:
      - {valid_from: null, valid_to: '2026-06-30', code: 48h, text: 48h, sources: [LAW]}
      - {valid_from: '2026-07-01', valid_to: null, code: 24h, text: 24h, sources: [LAW]}
    alert_rule: standard
    endemic: {default: true, sources: [GK]}
    digest_only: false
    digest_only_severities: []
    severities: []
    subtypes: []
    classifications: suspected, confirmed
    incubation_days: {text: 7-21, sources: [GK]}
    outbreak_rule: {text: null, sources: []}
    focus_closure: {text: 21 days, sources: [GK]}
    in_provincial_reports: true
  - code: rubella
    name_vi: Rubella
    name_en: Rubella
    report_label_vi: Bệnh Rubella
    aliases_vi: [Sởi Đức]
    agents: [rubella]
    resolves_to: {}
    icd10: [B06]
    icd10_sources: [LAW]
    group_history: []
    deadlines: []
    alert_rule: standard
    endemic:
      default: true
      sources: [GK]
      provinces: [{province_id: 01@start, endemic: false, sources: [LAW]}]
    digest_only: false
    digest_only_severities: [chronic]
    severities: [acute, chronic]
    subtypes: []
    classifications: suspected, confirmed
    incubation_days: {text: 14-21, sources: [GK]}
    outbreak_rule: {text: null, sources: []}
    focus_closure: {text: null, sources: [], remark: not found}
    in_provincial_reports: true
  - code: rash
    name_vi: Sốt phát ban
    name_en: Rash with fever
    report_label_vi: Sốt phát ban
    aliases_vi: [SPB]
    agents: [rash, measles, rubella]
    resolves_to: {measles: measles, rubella: rubella}
    icd10: []
    icd10_sources: [GK]
    group_history: []
    deadlines: []
    alert_rule: standard
    endemic: {default: true, sources: [GK]}
    digest_only: false
    digest_only_severities: []
    severities: []
    subtypes: []
    classifications: suspected
    incubation_days: {text: null, sources: []}
    outbreak_rule: {text: null, sources: []}
    focus_closure: {text: null, sources: []}
    in_provincial_reports: true
"""

RULES = """\
rules:
  - code: standard
    valid_from: '2026-07-01'
    valid_to: null
    source: a law
    texts: {alert: three cases}
"""

AREAS = """\
id,code,kind,name_vi,parent_id,valid_from,valid_to,latitude,longitude,area_km2,surveillance_id
00001@2025-07-01,00001,commune,Xã Một,01@2025-07-01,2025-07-01,,21.5,105.5,12.5,001@2025-07-01
00001@start,00001,commune,Xã Hai,001@start,,2025-06-30,21.5,105.5,,
00002@start,00002,commune,Xã Một,001@start,,2025-06-30,21.4,105.4,,
00003@2025-07-01,00003,commune,Xã Ba,01@2025-07-01,2025-07-01,,21.6,105.6,8,002@2025-07-01
00003@start,00003,commune,Thị trấn Ba,002@start,,2025-06-30,,,,
001@2025-07-01,001,surveillance,Khu vực A,01@2025-07-01,2025-07-01,,21.5,105.5,,
001@start,001,district,Huyện A,01@start,,2025-06-30,21.5,105.5,,
002@2025-07-01,002,surveillance,Khu vực B,01@2025-07-01,2025-07-01,,21.6,105.6,,
002@start,002,district,Huyện B,01@start,,2025-06-30,21.6,105.6,,
01@2025-07-01,01,province,Tỉnh Cũ,,2025-07-01,,21.5,105.5,,
01@start,01,province,Tỉnh Cũ,,,2025-06-30,21.5,105.5,,
"""

LINKS = """\
from_id,to_id,kind,is_default
00001@start,00001@2025-07-01,whole,true
00002@start,00001@2025-07-01,part,true
00002@start,00003@2025-07-01,part,false
00003@start,00003@2025-07-01,whole,true
001@start,001@2025-07-01,part,true
001@start,002@2025-07-01,part,false
002@start,002@2025-07-01,whole,true
01@start,01@2025-07-01,whole,true
"""

SURVEILLANCE = """\
commune_id,surveillance_id,district_id,share,tie
00001@2025-07-01,001@2025-07-01,001@start,1.0000,false
00003@2025-07-01,002@2025-07-01,002@start,0.6667,false
"""

SINCE = """\
disease,province_code,since
measles,01,2023-01-01
"""

FILES = {
    "diseases.yaml": DISEASES,
    "legal_rules.yaml": RULES,
    "frozen_codes.txt": "# codes\nmeasles\nrash\nrubella\n",
    "areas.csv": AREAS,
    "area_links.csv": LINKS,
    "surveillance_areas.csv": SURVEILLANCE,
    "case_reports_since.csv": SINCE,
}


def write_small(directory: Path, changes: dict[str, tuple[str, str]] | None = None) -> Path:
    """Write the small catalogue; `changes`: file → (text found exactly once, its replacement)."""
    for file, text in FILES.items():
        old, new = (changes or {}).get(file, ("", ""))
        if old:
            assert text.count(old) == 1, f"{file}: {old!r} is there {text.count(old)} times"
            text = text.replace(old, new)
        (directory / file).write_text(text, encoding="utf-8", newline="\n")
    return directory

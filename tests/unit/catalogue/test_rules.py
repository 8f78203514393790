"""The files of the alert rules: what is in them is true, and what is wrong in them is said and where."""

from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from schemas.catalogue import Catalogue, CatalogueError
from schemas.catalogue.rules import DIRECTORY, LAW, LAW_KINDS, OWN_KINDS, SettingsRow, compose
from schemas.catalogue.rules.notices import NoticeRow, parse_notices
from streams.domain.rules import Settings, book_from
from streams.domain.rules.book import Kind

THRESHOLD = """
thresholds:
  - id: cdc_own
    kind: cases_in_window
    area: commune
    level: attention
    valid_from: null
    valid_to: '2027-12-31'
    citation: CDC
    name_vi: Ngưỡng
    name_en: Threshold
    numbers: {cases: 3, days: 7}
    diseases: [dengue]
"""
FULL = (
    THRESHOLD
    + """
settings: {look_further_back: true, ending: rolling_30_days}
endemic:
  - {disease: hfmd, area_id: 03390@2025-07-01, is_endemic: true, reason: CDC}
guidance:
  - {disease: plague, valid_from: '2026-08-01', outbreak_cases: 1, citation: CV 1}
quiet_days:
  - {disease: hfmd, valid_from: null, valid_to: '2026-06-30', days: 14, citation: phụ lục}
"""
)


def test_a_province_changes_what_it_names(published_catalogue: Catalogue) -> None:
    packaged = compose(published_catalogue)
    composed = compose(published_catalogue, FULL, "lai-chau.yaml")
    book = book_from(1, composed.version, composed.content)

    assert composed.version != packaged.version
    assert [rule.id for rule in book.rules if rule.kind in OWN_KINDS] == ["cdc_own"]
    assert [rule.id for rule in book.rules if rule.kind in LAW_KINDS][:2] == ["tt15_22_1a", "tt15_22_1b"]
    assert (book.settings.look_further_back, book.settings.ending) == (True, "rolling_30_days")
    assert book.settings.usable_years == 3
    assert book.endemic_communes == {("hfmd", "03390@2025-07-01"): True}
    guidance = book.guidance_on("plague", date(2026, 8, 1))
    assert guidance is not None
    assert (guidance.outbreak_cases, guidance.quiet_days) == (1, None)
    assert book.guidance_on("plague", date(2026, 7, 31)) is None
    quiet = {d: book.quiet_days_on("covid19", d) for d in (date(2023, 10, 19), date(2023, 10, 20))}
    assert [q.days for q in quiet.values() if q] == [28, 8]


def test_without_thresholds_the_packages_stand(published_catalogue: Catalogue) -> None:
    composed = compose(published_catalogue, "settings: {usable_years: 4}", "a.yaml")

    assert composed.content["rules"] == compose(published_catalogue).content["rules"]
    assert composed.content["settings"]["usable_years"] == 4


def test_the_version_names_the_content(published_catalogue: Catalogue) -> None:
    again = compose(published_catalogue, THRESHOLD + "# a remark\n", "other.yaml")

    assert compose(published_catalogue, THRESHOLD, "a.yaml").version == again.version
    assert compose(published_catalogue, THRESHOLD.replace("days: 7", "days: 8")).version != again.version


def test_kinds_and_settings_are_those_of_the_domain() -> None:
    assert set(get_args(Kind)) == LAW_KINDS.keys() | OWN_KINDS.keys()
    assert not LAW_KINDS.keys() & OWN_KINDS.keys()
    mine = {field.name: field.default for field in fields(SettingsRow)}
    assert mine == {field.name: field.default for field in fields(Settings)}


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("kind: cases_in_window", "kind: weekly_band", "rule 'cdc_own': there is no kind 'weekly_band' here"),
        (
            "{cases: 3, days: 7}",
            "{cases: 3}",
            "numbers: a rule of kind cases_in_window has exactly these: cases",
        ),
        ("days: 7}", "days: 7, sd: 1}", "has exactly these: cases, days"),
        ("days: 7}", "days: 0}", "numbers: days are 1 to 366"),
        ("cases: 3", "cases: -3", "thresholds 'cdc_own': numbers.cases: Input should be greater"),
        ("cases: 3", "cases: 2.5", "thresholds 'cdc_own': numbers.cases"),
        ("valid_from: null", "valid_from: '2028-01-01'", "ends on 2027-12-31, before it starts"),
        ("valid_from: null", "valid_from: '2026-02-30'", "thresholds 'cdc_own': valid_from"),
        ("[dengue]", "[dengeu]", "diseases: there is no disease 'dengeu'"),
        ("id: cdc_own", "id: tt15_22_1a", "rule 'tt15_22_1a': is there twice"),
        ("id: cdc_own", "id: CDC-own", "thresholds 'CDC-own': id"),
        ("area: commune", "area: district", "area: a rule of kind cases_in_window judges a commune"),
        ("level: attention", "level: shout", "thresholds 'cdc_own': level"),
        ("    citation: CDC\n", "", "thresholds 'cdc_own': citation: Field required"),
        ("    area: commune\n", "    area: commune\n    sms: true\n", "thresholds 'cdc_own': sms"),
        ("days: 14", "days: 0", "quiet_days 'hfmd': days"),
        ("disease: plague", "disease: plagues", "guidance 'plagues': there is no disease"),
        ("- {disease: hfmd, area_id", "- {disease: hfdm, area_id", "endemic 'hfdm': there is no disease"),
        ("03390@2025-07-01", "03390", "endemic 'hfmd': area_id"),
        ("ending: rolling_30_days", "ending: never", "the file: settings.ending"),
        ("look_further_back: true", "usable_years: 6", "settings: usable_years: no more than history_years"),
        (
            "look_further_back: true",
            "endemic_years: 6",
            "settings: endemic_years: no more than history_years",
        ),
        ("settings:", "setings:", "the file: setings"),
        ("settings:", "settings: {}\nsettings:", "the key 'settings' is there twice"),
        ("name_vi: Ngưỡng", "name_vi: Ngươ\u0303ng", "normalise it to NFC"),
    ],
)
def test_a_bad_file_is_refused(published_catalogue: Catalogue, good: str, bad: str, fault: str) -> None:
    assert good in FULL
    with pytest.raises(CatalogueError) as refused:
        compose(published_catalogue, FULL.replace(good, bad, 1), "lai-chau.yaml")

    assert str(refused.value).startswith("lai-chau.yaml: ")
    assert fault in str(refused.value)


def test_a_commune_is_flagged_once(published_catalogue: Catalogue) -> None:
    row = "  - {disease: hfmd, area_id: 03390@2025-07-01, is_endemic: true, reason: CDC}\n"
    with pytest.raises(CatalogueError, match="commune 03390@2025-07-01 is there twice"):
        compose(published_catalogue, FULL.replace(row, row * 2), "a.yaml")


def test_the_law_that_is_wrong_is_refused(
    published_catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in DIRECTORY.glob("*.yaml"):
        text = file.read_text("utf-8")
        (tmp_path / file.name).write_text(text.replace("{from_sd: 1, to_sd: 2}", "{from_sd: 1}"), "utf-8")
    monkeypatch.setattr("schemas.catalogue.rules.DIRECTORY", tmp_path)

    with pytest.raises(CatalogueError, match=f"{LAW}: rule 'tt15_22_1b': numbers"):
        compose(published_catalogue)


def test_the_days_of_the_law(published_catalogue: Catalogue) -> None:
    rows: dict[str, Any] = {row["id"]: row for row in compose(published_catalogue).content["rules"]}

    for rule_id, row in rows.items():
        expected = {
            "tt15": ("2026-07-01", None),
            "qd02": (None, "2026-06-30"),
            "tt17": (None, "2026-06-30"),
            "cdc": (None, None),
        }[rule_id.partition("_")[0]]
        if rule_id in ("qd02_district", "qd02_province"):
            expected = (None, "2025-06-30")
        assert (row["valid_from"], row["valid_to"]) == expected, rule_id


# --- declared outbreaks -------------------------------------------------------------------------------------


HEADER = "disease,area_code,year,started_on,ended_on,source\n"


def test_notices_are_read() -> None:
    rows = parse_notices(
        f"\ufeff{HEADER}hfmd,03412,2023,,,QĐ 12\nhfmd,03412,,2024-07-20,2024-09-01,QĐ 13\n", "notices.csv"
    )

    assert rows == [
        NoticeRow("hfmd", "03412", 2023, None, None, "QĐ 12"),
        NoticeRow("hfmd", "03412", 2024, date(2024, 7, 20), date(2024, 9, 1), "QĐ 13"),
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("hfmd,03412,,,,QĐ", "year: a year from 1990"),
        ("hfmd,03412,23,,,QĐ", "year: a year from 1990"),
        ("hfmd,03412,two,,,QĐ", "year: 'two' is no year"),
        ("hfmd,03412,2023,2024-01-01,,QĐ", "started_on 2024-01-01 is not in 2023"),
        ("hfmd,03412,2023,,2023-09-01,QĐ", "ended_on 2023-09-01 wants a started_on before it"),
        ("hfmd,03412,2023,2023-09-02,2023-09-01,QĐ", "ended_on 2023-09-01 wants a started_on before it"),
        ("hfmd,03412,2023,20/7/2023,,QĐ", "started_on: '20/7/2023' is no day, YYYY-MM-DD"),
        ("hfmd,,2023,,,QĐ", "area_code is empty"),
        ("hfmd,03412,2023,,,", "source is empty"),
        ("hfmd,03412,2023", "has 3 values for 6 columns"),
    ],
)
def test_a_bad_notice_is_refused(row: str, fault: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        parse_notices(f"{HEADER}hfmd,03412,2022,,,QĐ\n{row}\n", "notices.csv")

    assert str(refused.value).startswith(f"notices.csv: line 3: {fault}")


def test_a_file_of_other_columns_is_refused() -> None:
    with pytest.raises(CatalogueError, match="the header must be disease,area_code"):
        parse_notices("disease,area\n", "notices.csv")

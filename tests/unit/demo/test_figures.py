"""The demo's expected figures are possible, complete and honest about what the report states."""

from dataclasses import fields

import pytest

from schemas.catalogue import Catalogue
from services.demo.figures import (
    AGENTS,
    DISEASES,
    DISTRICTS,
    FIGURES,
    PROVINCE,
    RESOLVED,
    YEAR,
    YEAR_BEFORE,
    YearFigures,
    figures_of,
)

ids = [f"{row.disease}-{row.year}" for row in FIGURES]


@pytest.mark.parametrize("row", FIGURES, ids=ids)
def test_a_row_is_possible(row: YearFigures) -> None:
    assert row.positive + row.negative + row.pending <= row.notified
    assert max(row.deaths, row.imported, row.discarded) <= row.notified
    assert row.discarded <= row.negative
    assert sum(row.deaths_by_district.values()) == row.deaths
    assert sum(row.cases_by_district.values()) in (0, row.notified)
    assert row.cases_by_district.keys() <= DISTRICTS.keys()
    for district, deaths in row.deaths_by_district.items():
        assert deaths <= row.cases_by_district.get(district, row.notified)
    if row.death_agent:
        assert row.deaths <= row.negative - row.discarded
    if row.places:
        assert row.places == row.cases_by_district.keys()


@pytest.mark.parametrize("row", FIGURES, ids=ids)
def test_stated_names_are_attributes(row: YearFigures) -> None:
    assert row.stated <= {field.name for field in fields(row)} | {"positive"}


def test_one_row_per_disease_and_year_but_no_covid_in_2022() -> None:
    assert len(FIGURES) == len({(row.disease, row.year) for row in FIGURES})
    assert list(figures_of(YEAR)) == list(DISEASES)
    assert set(DISEASES) - figures_of(YEAR_BEFORE).keys() == {"covid19"}


def test_the_report_in_its_own_words() -> None:
    """The figures that a reader of the report would look for first, typed a second time."""
    now, before = figures_of(YEAR), figures_of(YEAR_BEFORE)
    notified = {disease: row.notified for disease, row in now.items()}
    assert notified == {
        "covid19": 657,
        "hfmd": 74,
        "rabies": 3,
        "dengue": 40,
        "streptococcus_suis": 3,
        "anthrax": 4,
        "rash_fever_susp_measles": 33,
        "viral_encephalitis": 40,
        "pertussis": 7,
        "malaria": 93,
        "tuberculosis": 200,
    }
    rise = {disease: notified[disease] - row.notified for disease, row in before.items()}
    assert (rise["hfmd"], rise["dengue"], rise["streptococcus_suis"], rise["anthrax"]) == (21, 22, 3, 4)
    assert (rise["pertussis"], rise["malaria"], rise["tuberculosis"]) == (1, -10, 10)
    assert (rise["rash_fever_susp_measles"], rise["viral_encephalitis"]) == (0, 0)
    assert now["rabies"].deaths - before["rabies"].deaths == 2


def test_the_catalogue_knows_every_code(catalogue: Catalogue) -> None:
    diseases = {disease.code: disease for disease in catalogue.diseases}
    by_id = {area.id: area for area in catalogue.areas}
    for row in FIGURES:
        assert set(row.positive_by_agent) <= set(diseases[row.disease].agents), row.disease
        assert row.death_agent is None or row.death_agent in {agent.code for agent in catalogue.agents}
    for resolved, syndrome in RESOLVED.items():
        assert diseases[syndrome].resolves_to[resolved] == resolved
    assert RESOLVED.keys() <= AGENTS.keys()
    districts = {
        area.code
        for area in catalogue.areas
        if area.kind == "district" and area.parent_id and by_id[area.parent_id].code == PROVINCE
    }
    assert districts == DISTRICTS.keys()

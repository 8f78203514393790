"""Which fields the form asks for, and which count as filled."""

from typing import Any
from uuid import UUID

import pytest

from streams.domain.case import Case, CaseEvent
from streams.domain.completeness import FORM, FieldShare, completeness


def case(**fields: Any) -> Case:
    """A case that one event wrote."""
    made = Case()
    made.apply(CaseEvent("LC-1", UUID(int=1), 1, "reported", tuple(fields.items())))
    return made


FULL = {
    "area_id": "03412@start",
    "sex": "female",
    "age_years": 34,
    "occupation": "N01",
    "onset_on": "2023-07-01",
    "classification": "suspected",
    "lab.dengue": "pending",
    "hospitalised": False,
    "vaccination": "unknown",
    "outcome": "in_care",
    "sampled_on": "2023-07-02",
    "test_type": "serology",
}


def asked(fields: dict[str, Any], has_severities: bool = False) -> set[str]:
    return {field.name for field in FORM if field.is_asked(case(**fields), has_severities)}


def missing(fields: dict[str, Any], has_severities: bool = False) -> set[str]:
    found = completeness([(case(**fields), has_severities)])
    return {name for name, share in found.fields.items() if share.asked > share.filled}


def test_a_full_form() -> None:
    found = completeness([(case(**FULL), False)])

    assert (found.cases, found.complete, found.complete_share, found.filled_share) == (1, 1, 1.0, 1.0)


def test_an_empty_one() -> None:
    assert (
        missing({})
        == asked({})
        == {
            "commune",
            "sex",
            "age_years",
            "occupation",
            "onset_on",
            "classification",
            "lab",
            "hospitalised",
            "vaccination",
            "outcome",
        }
    )


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({"area_id": "106@start"}, {"commune"}),
        ({"sex": "unknown"}, {"sex"}),
        ({"outcome": "unknown"}, {"outcome"}),
        # A default that nobody wrote is no answer, and one that was taken back is none either.
        ({"classification": None}, {"classification"}),
        ({"vaccination": "yes"}, {"doses"}),
        ({"vaccination": "yes", "doses": 0}, set()),
        ({"lab.dengue": None, "sampled_on": None, "test_type": None}, {"lab"}),
        ({"lab.dengue": "not_tested", "sampled_on": None, "test_type": None}, set()),
        ({"sampled_on": None}, {"sampled_on"}),
        ({"hospitalised": True}, {"admitted_on", "treating_facility"}),
        (
            {"hospitalised": True, "outcome": "recovered", "admitted_on": "2023-07-02"},
            {"treating_facility", "discharged_on"},
        ),
        ({"outcome": "recovered"}, set()),
        ({"outcome": "dead"}, {"died_at"}),
        ({"outcome": "unknown", "died_at": "2023-07-08"}, set()),
        ({"origin": "imported"}, {"origin_area_code"}),
        ({"origin": "imported", "origin_area_code": "001"}, set()),
    ],
)
def test_what_the_form_lacks(change: dict[str, Any], lacks: set[str]) -> None:
    assert missing({**FULL, **change}) == lacks


def test_severity_is_asked_where_the_disease_has_degrees() -> None:
    assert missing(FULL, has_severities=True) == {"severity"}
    assert missing({**FULL, "severity": "2a"}, has_severities=True) == set()
    assert "severity" not in asked(FULL)


def test_cases_add_up() -> None:
    found = completeness([(case(**FULL), False), (case(**{**FULL, "sex": None}), False)])

    assert (found.cases, found.complete) == (2, 1)
    assert found.complete_share == 0.5
    assert found.fields["sex"] == FieldShare(2, 1)
    assert found.fields["sex"].share == 0.5
    assert found.filled_share == 23 / 24


def test_no_case_has_no_share() -> None:
    found = completeness([])

    assert found.complete_share is None
    assert found.filled_share is None
    assert found.fields["doses"].share is None

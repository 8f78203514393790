"""The independent count itself, held to examples counted by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from schemas.catalogue import CaseReportsSince, Catalogue
from tests.truth import REPORTED, RETRACTED, UPDATED, Key, truth

Make = Callable[..., bytes]
BINH_LU, SIN_HO_TOWN = "03412", "03478"


def event(number: int, time: str, kind: str, subject: str = "A", **data: Any) -> bytes:
    """An event whose id ends in `number`; `time` is local, of 2023 where it has no year."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(UUID(int=7 << 76 | 2 << 62 | number)),
            "source": "/facilities/test",
            "type": kind,
            "subject": subject,
            "time": f"{time}:00+07:00",
            "data": data,
        }
    ).encode()


REPORT = event(1, "2023-03-05T08:00", REPORTED, disease="dengue", area_code=BINH_LU)
HERE = ("dengue", "12", "106")


def test_a_report_counts_on_its_local_day(catalogue: Catalogue) -> None:
    late_evening = event(
        1, "2023-12-31T23:30", REPORTED, disease="dengue", area_code=BINH_LU, onset_on="2023-12-30"
    )
    counts = truth([late_evening], catalogue).counts
    expected = {"notified": 1, "suspected": 1}
    assert counts == {Key(*HERE, 2023, "onset"): expected, Key(*HERE, 2023, "report"): expected}


def test_bases_can_differ_by_a_year(catalogue: Catalogue) -> None:
    case = event(1, "2024-01-02T08:00", REPORTED, disease="dengue", area_code=BINH_LU, onset_on="2023-12-30")
    death = event(2, "2024-01-03T08:00", UPDATED, died_at="2023-12-31T17:30:00Z")
    keys = truth([case, death], catalogue).counts.keys()
    assert keys == {Key(*HERE, 2023, "onset"), Key(*HERE, 2024, "report"), Key(*HERE, 2024, "death")}


def test_reported_on_is_the_day_of_the_first_report_by_time(catalogue: Catalogue) -> None:
    again = event(2, "2022-12-31T08:00", REPORTED, disease="dengue", area_code=BINH_LU)
    update = event(3, "2021-01-01T08:00", UPDATED, age_years=3)
    assert truth([REPORT, again, update], catalogue).cases["A"].reported_on.isoformat() == "2022-12-31"


@pytest.mark.parametrize(
    ("data", "counter", "counted"),
    [
        ({"lab": {"dengue": "positive", "denv1": "pending"}}, "positive", 1),
        ({"lab": {"dengue": "pending", "denv1": "negative"}}, "pending", 1),
        ({"lab": {"dengue": "pending", "denv1": "positive"}}, "pending", 0),
        ({"lab": {"dengue": "negative", "denv1": "not_tested"}}, "negative", 1),
        ({"lab": {"dengue": "inconclusive"}}, "negative", 0),
        ({"outcome": "dead"}, "deaths", 1),
        ({"died_at": "2023-03-05", "outcome": "recovered"}, "deaths", 1),
        ({"outcome": "dead", "death_due_to": "unknown"}, "deaths", 1),
        ({"outcome": "dead", "death_due_to": "other"}, "deaths", 0),
        ({"outcome": "dead", "classification": "discarded"}, "deaths", 0),
        ({"classification": "discarded"}, "discarded", 1),
        ({"classification": "discarded"}, "notified", 1),
        ({"classification": None}, "suspected", 1),
        ({"origin": "imported"}, "imported", 1),
        ({"hospitalised": True}, "hospitalised", 1),
        ({"hospitalised": False, "admitted_on": "2023-03-05"}, "hospitalised", 0),
    ],
)
def test_counters(catalogue: Catalogue, data: dict[str, Any], counter: str, counted: int) -> None:
    counts = truth([REPORT, event(2, "2023-03-06T08:00", UPDATED, **data)], catalogue).counts
    assert counts[Key(*HERE, 2023, "onset")][counter] == counted


def test_the_later_writer_wins_in_any_order(catalogue: Catalogue) -> None:
    later = event(2, "2023-03-07T08:00", UPDATED, classification="confirmed", area_code=SIN_HO_TOWN)
    stale = event(3, "2023-03-06T08:00", UPDATED, classification="probable", area_code=BINH_LU)
    for order in ([REPORT, later, stale], [stale, REPORT, later], [later, stale, REPORT]):
        case = truth(order, catalogue).cases["A"]
        assert (case.fields["classification"], case.district) == ("confirmed", "108")


def test_the_id_decides_between_equal_times(catalogue: Catalogue) -> None:
    high = event(9, "2023-03-06T08:00", UPDATED, sex="female")
    low = event(8, "2023-03-06T08:00", UPDATED, sex="male")
    assert truth([REPORT, high, low], catalogue).cases["A"].fields["sex"] == "female"


def test_each_agent_is_a_register_of_its_own(catalogue: Catalogue) -> None:
    rash = event(1, "2023-03-05T08:00", REPORTED, disease="rash_fever_susp_measles", area_code=BINH_LU)
    rubella = event(2, "2023-03-06T08:00", UPDATED, lab={"rubella": "positive", "measles": "pending"})
    measles = event(3, "2023-03-09T08:00", UPDATED, lab={"measles": "negative"})
    counted = truth([rash, rubella, measles], catalogue)
    key = Key("rash_fever_susp_measles", "12", "106", 2023, "onset")
    assert counted.counts[key]["positive"] == 1
    assert counted.by_agent[key] == {"rubella": 1}
    cleared = event(4, "2023-03-10T08:00", UPDATED, lab={"rubella": None})
    assert truth([rash, rubella, measles, cleared], catalogue).counts[key]["negative"] == 1
    all_cleared = event(5, "2023-03-11T08:00", UPDATED, lab=None)
    assert truth([rash, rubella, measles, all_cleared], catalogue).cases["A"].lab == {}


def test_only_a_later_report_reinstates(catalogue: Catalogue) -> None:
    retraction = event(2, "2023-03-06T08:00", RETRACTED, reason="entered_in_error")
    update = event(3, "2023-03-07T08:00", UPDATED, age_years=3)
    again = event(4, "2023-03-08T08:00", REPORTED, disease="dengue", area_code=BINH_LU)
    assert truth([retraction, REPORT], catalogue).counts == {}
    assert truth([update, retraction, REPORT], catalogue).counts == {}
    assert truth([again, update, retraction, REPORT], catalogue).cases.keys() == {"A"}


def test_repeats_count_once_and_conflicts_are_refused(catalogue: Catalogue) -> None:
    reworded = REPORT.replace(b"2023-03-05T08:00:00+07:00", b"2023-03-05T01:00:00Z")
    assert reworded != REPORT
    assert truth([REPORT, REPORT, reworded], catalogue) == truth([REPORT], catalogue)
    conflict = event(1, "2023-03-05T08:00", REPORTED, disease="hfmd", area_code=BINH_LU)
    with pytest.raises(ValueError, match="two contents under one identity: A"):
        truth([REPORT, conflict], catalogue)
    other_case = event(1, "2023-03-05T08:00", REPORTED, subject="B", disease="hfmd", area_code=BINH_LU)
    assert truth([REPORT, other_case], catalogue).cases.keys() == {"A", "B"}


@pytest.mark.parametrize("data", [{"area_code": "99999"}, {"disease": "unheard_of"}])
def test_no_part_of_an_event_with_an_unknown_code_counts(catalogue: Catalogue, data: dict[str, Any]) -> None:
    parked = event(2, "2023-03-06T08:00", UPDATED, **data, classification="confirmed")
    assert truth([REPORT, parked], catalogue) == truth([REPORT], catalogue)


@pytest.mark.parametrize("data", [{"area_code": None}, {"disease": None}])
def test_a_case_without_area_or_disease_does_not_count(catalogue: Catalogue, data: dict[str, Any]) -> None:
    assert truth([REPORT, event(2, "2023-03-06T08:00", UPDATED, **data)], catalogue).counts == {}


def test_an_area_is_its_own_level(catalogue: Catalogue) -> None:
    district = event(2, "2023-03-06T08:00", REPORTED, subject="B", disease="dengue", area_code="108")
    province = event(3, "2023-03-06T08:00", REPORTED, subject="C", disease="dengue", area_code="12")
    cases = truth([district, province], catalogue).cases
    assert [(case.province, case.district) for case in cases.values()] == [("12", "108"), ("12", None)]


def test_days_after_the_reform_are_refused(catalogue: Catalogue) -> None:
    after = event(1, "2025-07-01T08:00", REPORTED, disease="dengue", area_code="03390")
    with pytest.raises(ValueError, match="before 2025-07-01"):
        truth([after], catalogue)


def test_a_case_without_any_report_is_refused(catalogue: Catalogue) -> None:
    update = event(1, "2023-03-05T08:00", UPDATED, disease="dengue", area_code=BINH_LU)
    with pytest.raises(ValueError, match="but has no day"):
        truth([update], catalogue)


def test_days_that_belong_to_tallies_do_not_count(catalogue: Catalogue) -> None:
    day = truth([REPORT], catalogue).cases["A"].day
    on_the_day = replace(catalogue, case_reports_since=(CaseReportsSince("dengue", "12", day),))
    assert truth([REPORT], on_the_day).cases.keys() == {"A"}
    next_day = day.replace(day=day.day + 1)
    too_early = replace(catalogue, case_reports_since=(CaseReportsSince("dengue", "12", next_day),))
    assert truth([REPORT], too_early) == ({}, {}, {}, {})

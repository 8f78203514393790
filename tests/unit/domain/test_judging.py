"""An event's codes are resolved once, by the event itself."""

from typing import Any

import pytest

from streams.domain.calendar import microseconds
from streams.domain.case import AREA, LAB, RETRACTED, CaseEvent
from streams.domain.judging import Parked, judge, kind_of
from tests.builders import START, judged_by, minutes, small_catalogue, uuid

CATALOGUE = judged_by(small_catalogue())
TIME = microseconds(START)


def judged(kind: Any = "reported", time: int = TIME, **data: Any) -> tuple[CaseEvent | Parked, str | None]:
    return judge(kind, "LC-1", uuid(1), time, data, CATALOGUE)


def writes(**data: Any) -> dict[str, Any]:
    event, _ = judged(**data)
    assert isinstance(event, CaseEvent)
    return dict(event.writes)


def test_fields_become_registers_and_an_area_code_the_areas_id() -> None:
    event, area_id = judged(disease="dengue", area_code="03412", onset_on="2023-07-01", hamlet=None)
    assert area_id == "03412@start"
    assert event == CaseEvent(
        "LC-1",
        uuid(1),
        TIME,
        "reported",
        (("disease", "dengue"), (AREA, "03412@start"), ("onset_on", "2023-07-01"), ("hamlet", None)),
    )


@pytest.mark.parametrize(
    ("data", "area_id"),
    [
        ({"area_on": "2025-07-01", "onset_on": "2023-01-01"}, "03390@2025-07-01"),
        ({"area_on": None, "onset_on": "2025-07-01"}, "03390@2025-07-01"),
        ({"onset_on": "2025-07-01", "reported_on": "2023-01-01"}, "03390@2025-07-01"),
        ({"onset_on": None, "reported_on": "2025-07-01"}, "03390@2025-07-01"),
        ({"reported_on": "2025-07-01"}, "03390@2025-07-01"),
        ({}, "03390@start"),
    ],
)
def test_which_day_a_code_is_read_on(data: dict[str, Any], area_id: str) -> None:
    event, found = judged(area_code="03390", **data)
    assert found == area_id
    assert isinstance(event, CaseEvent)
    assert AREA in dict(event.writes)
    assert "area_on" not in dict(event.writes)


def test_without_any_day_the_local_day_of_the_event_counts() -> None:
    # 17:00 in Greenwich is midnight in Viet Nam.
    midnight = START.replace(year=2025, month=6, day=30, hour=17, minute=0)
    assert judged(time=microseconds(midnight), area_code="03390")[1] == "03390@2025-07-01"
    assert judged(time=microseconds(midnight - minutes(1)), area_code="03390")[1] == "03390@start"


def test_results_are_one_register_per_agent() -> None:
    assert writes(lab={"measles": "positive", "je": None}) == {"lab.measles": "positive", "lab.je": None}
    assert writes(lab=None) == {LAB: None}
    assert writes(lab={}) == {}


def test_a_field_put_back_is_written_as_none() -> None:
    assert writes(disease=None, area_code=None) == {"disease": None, AREA: None}


@pytest.mark.parametrize(
    ("data", "parked"),
    [
        ({"disease": "unheard_of", "area_code": "03412"}, Parked("unknown_disease", "unheard_of")),
        ({"disease": "unheard_of", "area_code": "99999"}, Parked("unknown_disease", "unheard_of")),
        ({"disease": "dengue", "area_code": "99999"}, Parked("unknown_area", "99999")),
        ({"area_code": "03412", "onset_on": "2025-07-01"}, Parked("unknown_area", "03412")),
        ({"area_code": "106", "onset_on": "2025-07-01"}, Parked("unknown_area", "106")),
    ],
)
def test_a_code_that_nobody_knows_parks_the_whole_event(data: dict[str, Any], parked: Parked) -> None:
    assert judged(**data) == (parked, None)


def test_a_retraction_is_one_register() -> None:
    reason: dict[str, Any] = {"reason": "duplicate", "duplicate_of": "LC-2"}
    assert judged("retracted", **reason) == (
        CaseEvent("LC-1", uuid(1), TIME, "retracted", ((RETRACTED, reason),)),
        None,
    )


def test_every_type_of_case_event_has_a_kind() -> None:
    kinds = [kind_of(f"vn.canhdich.case.{kind}.v1") for kind in ("reported", "updated", "retracted")]
    assert kinds == ["reported", "updated", "retracted"]
    with pytest.raises(KeyError):
        kind_of("vn.canhdich.tally.reported.v1")

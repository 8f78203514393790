"""A case's history: what each event changed, and what no longer stands."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.intake.staff.case_page import history, overruled_fields

START = datetime(2026, 1, 10, 1, 0, tzinfo=UTC)


def row(number: int, kind: str, minutes: int, area_id: str | None = None, **data: Any) -> dict[str, Any]:
    """A row of case_history.sql; known in the order of its number."""
    return {
        "event_id": UUID(int=number),
        "event_type": f"vn.canhdich.case.{kind}.v1",
        "event_time": START + timedelta(minutes=minutes),
        "known_at": START + timedelta(days=1, minutes=number),
        "source": "/facilities/A",
        "data": data,
        "area_id": area_id,
        "parked_reason": None,
    }


def test_the_latest_recorded_comes_first_with_what_stood_before_it() -> None:
    rows = [
        row(1, "reported", 0, "03549@2025-07-01", disease="dengue", area_code="03549", outcome="in_care"),
        row(2, "updated", 10, outcome="recovered", lab={"dengue": "positive"}),
    ]
    first, last = history("LC-1", rows)
    assert first.event_id == UUID(int=2)
    assert [(c.field, c.before, c.after, c.overruled_by) for c in first.changes] == [
        ("outcome", "in_care", "recovered", None),
        ("lab.dengue", None, "positive", None),
    ]
    overruled = {c.field: c.overruled_by for c in last.changes}
    assert overruled == {"disease": None, "area_id": None, "outcome": START + timedelta(minutes=10)}
    assert last.is_overruled
    assert not first.is_overruled


def test_an_event_that_arrived_late_is_shown_as_overruled() -> None:
    rows = [
        row(1, "reported", 0, disease="dengue"),
        row(2, "updated", 30, classification="confirmed"),
        row(3, "updated", 20, classification="discarded", sex="male"),
    ]
    entries = history("LC-1", rows)
    assert [entry.event_id.int for entry in entries] == [2, 3, 1]
    assert overruled_fields(entries, UUID(int=3)) == ["classification"]
    assert overruled_fields(entries, UUID(int=2)) == []
    # Before the confirmation stood what was recorded between.
    assert entries[0].changes[0].before == "discarded"


def test_the_same_value_said_again_is_not_overruled() -> None:
    rows = [row(1, "reported", 0, sex="male"), row(2, "updated", 5, sex="male")]
    assert overruled_fields(history("LC-1", rows), UUID(int=1)) == []


def test_a_report_after_a_retraction_takes_it_back() -> None:
    rows = [
        row(1, "reported", 0, disease="dengue"),
        row(2, "retracted", 10, reason="entered_in_error"),
        row(3, "reported", 20, disease="dengue"),
    ]
    entries = history("LC-1", rows)
    assert ("retracted", None) in [(c.field, c.after) for c in entries[0].changes]
    assert overruled_fields(entries, UUID(int=2)) == ["retracted"]
    # The first report of all retracts nothing back.
    assert "retracted" not in [change.field for change in entries[2].changes]


def test_all_results_put_back_overrule_each_of_them() -> None:
    rows = [row(1, "reported", 0, lab={"dengue": "positive"}), row(2, "updated", 5, lab=None)]
    assert overruled_fields(history("LC-1", rows), UUID(int=1)) == ["lab.dengue"]


def test_a_parked_event_overrules_nothing() -> None:
    parked = {**row(2, "updated", 5, disease="unheard_of"), "parked_reason": "unknown_disease"}
    entries = history("LC-1", [row(1, "reported", 0, disease="dengue"), parked])
    assert overruled_fields(entries, UUID(int=1)) == []
    assert entries[0].parked == "unknown_disease"

"""A row against the last one of its case: which event, with which fields, under which id and time."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.importing.codes import CodeFinder
from services.importing.line_list import CaseRow, case_row
from services.importing.planning import Known, Plan, Refused, make_plan

NOW = datetime(2025, 9, 1, 3, 0, tzinfo=UTC)
FIRST = {"disease": "dengue", "area_code": "03412", "onset_on": "2023-07-01", "sex": "male"}


def row(values: dict[str, Any], said: frozenset[str] | None = None, **other: Any) -> CaseRow:
    return case_row(
        other.get("number", 2),
        other.get("case_id", "LC-1"),
        other.get("event_id"),
        other.get("event_time"),
        values,
        frozenset(values) if said is None else said,
    )


def plan(codes: CodeFinder, found: CaseRow, known: Known | None = None, **other: Any) -> Plan:
    arguments: dict[str, Any] = {"at": NOW, "source": "/imports/line-list", "now": NOW, **other}
    return make_plan(found, known, codes=codes, **arguments)


def event(found: Plan) -> dict[str, Any]:
    assert found.event is not None
    document: dict[str, Any] = orjson.loads(found.event)
    return document


def after(codes: CodeFinder, values: dict[str, Any] | None = None) -> Known:
    """What is known after a first row."""
    return plan(codes, row(FIRST if values is None else values)).known


def refused(codes: CodeFinder, found: CaseRow, known: Known | None = None) -> list[str]:
    with pytest.raises(Refused) as caught:
        plan(codes, found, known)
    return [fault.field for fault in caught.value.faults]


def test_the_first_row_of_a_case_is_a_report_of_all_it_says(codes: CodeFinder) -> None:
    found = plan(
        codes, row({**FIRST, "lab.dengue": "positive", "external_ids.ecds": "2023-1", "hamlet": None})
    )
    assert found.is_first
    assert event(found) == {
        "specversion": "1.0",
        "id": str(found.known.event_id),
        "source": "/imports/line-list",
        "type": "vn.canhdich.case.reported.v1",
        "subject": "LC-1",
        "time": "2025-09-01T03:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {**FIRST, "lab": {"dengue": "positive"}, "external_ids": {"ecds": "2023-1"}, "hamlet": None},
    }


def test_an_equal_row_sends_nothing(codes: CodeFinder) -> None:
    known = after(codes)
    found = plan(codes, row(FIRST), known, rows=("a",))
    assert found.event is None
    assert (found.known.event_id, found.known.event_time) == (known.event_id, known.event_time)
    assert found.known.rows == ("a",)


def test_only_what_changed_is_sent(codes: CodeFinder) -> None:
    found = plan(codes, row({**FIRST, "sex": "female", "outcome": "recovered"}), after(codes))
    assert not found.is_first
    assert event(found)["type"] == "vn.canhdich.case.updated.v1"
    assert event(found)["data"] == {"sex": "female", "outcome": "recovered"}


def test_an_emptied_cell_takes_its_value_back_and_a_missing_column_does_not(codes: CodeFinder) -> None:
    rest = {name: value for name, value in FIRST.items() if name != "sex"}
    assert event(plan(codes, row(rest, said=frozenset(FIRST)), after(codes)))["data"] == {"sex": None}
    kept = plan(codes, row(rest), after(codes))
    assert kept.event is None
    assert kept.known.fields == FIRST


def test_results_are_compared_agent_by_agent(codes: CodeFinder) -> None:
    known = after(codes, {**FIRST, "lab.dengue": "pending", "lab.denv1": "positive", "lab.denv2": "negative"})
    now = row(
        {**FIRST, "lab.dengue": "positive", "lab.denv1": "positive"},
        said=frozenset({*FIRST, "lab.dengue", "lab.denv1", "lab.denv2"}),
    )
    assert event(plan(codes, now, known))["data"] == {"lab": {"dengue": "positive", "denv2": None}}
    whole = row({**FIRST, "lab.denv1": "positive"}, said=frozenset({*FIRST, "lab.*"}))
    assert event(plan(codes, whole, known))["data"] == {"lab": {"dengue": None, "denv2": None}}


def test_external_ids_are_one_register_and_sent_whole(codes: CodeFinder) -> None:
    known = after(codes, {**FIRST, "external_ids.ecds": "2023-1", "external_ids.his": "A"})
    changed = row({"external_ids.his": "B"})
    assert event(plan(codes, changed, known))["data"] == {"external_ids": {"ecds": "2023-1", "his": "B"}}
    gone = row({}, said=frozenset({"external_ids.*"}))
    assert event(plan(codes, gone, known))["data"] == {"external_ids": None}


def test_null_is_sent_once(codes: CodeFinder) -> None:
    found = plan(codes, row({**FIRST, "hamlet": None}), after(codes))
    assert event(found)["data"] == {"hamlet": None}
    assert plan(codes, row({**FIRST, "hamlet": None}), found.known).event is None
    # An empty cell says no more than null did.
    assert plan(codes, row(FIRST, said=frozenset({*FIRST, "hamlet"})), found.known).event is None


class TestIds:
    def test_the_same_row_gets_the_same_id(self, codes: CodeFinder) -> None:
        assert (
            plan(codes, row(FIRST)).known.event_id
            == plan(codes, row(FIRST), at=NOW - timedelta(1)).known.event_id
        )

    def test_another_case_content_or_source_gets_another(self, codes: CodeFinder) -> None:
        ids = {
            plan(codes, row(FIRST)).known.event_id,
            plan(codes, row(FIRST, case_id="LC-2")).known.event_id,
            plan(codes, row({**FIRST, "sex": "female"})).known.event_id,
            plan(codes, row(FIRST), source="/imports/other").known.event_id,
        }
        assert len(ids) == 4

    def test_going_back_is_an_event_of_its_own(self, codes: CodeFinder) -> None:
        first = plan(codes, row(FIRST))
        second = plan(codes, row({**FIRST, "sex": "female"}), first.known)
        third = plan(codes, row(FIRST), second.known)
        assert event(third)["data"] == {"sex": "male"}
        assert len({p.known.event_id for p in (first, second, third)}) == 3

    def test_a_given_id_is_kept(self, codes: CodeFinder) -> None:
        assert event(plan(codes, row(FIRST, event_id=UUID(int=7))))["id"] == str(UUID(int=7))


class TestTimes:
    def test_an_event_is_later_than_the_last_one_of_its_row(self, codes: CodeFinder) -> None:
        known = after(codes)
        found = plan(codes, row({**FIRST, "sex": "female"}), known, at=NOW - timedelta(hours=1))
        assert found.known.event_time == NOW + timedelta(microseconds=1)

    def test_so_it_is_where_the_row_gives_the_same_time_again(self, codes: CodeFinder) -> None:
        given = NOW - timedelta(days=300)
        first = plan(codes, row(FIRST, event_time=given), at=given + timedelta(microseconds=5))
        assert first.known.given_time == given
        second = plan(codes, row({**FIRST, "sex": "female"}, event_time=given), first.known, at=given)
        assert second.known.event_time == given + timedelta(microseconds=6)

    def test_another_given_time_holds_even_where_it_is_earlier(self, codes: CodeFinder) -> None:
        given = NOW - timedelta(days=300)
        found = plan(codes, row({**FIRST, "sex": "female"}, event_time=given), after(codes), at=given)
        assert found.known.event_time == given


class TestAreas:
    def test_lost_zeros_are_repaired_and_reported(self, codes: CodeFinder) -> None:
        found = plan(codes, row({**FIRST, "area_code": "3412", "origin_area_code": "3390"}))
        assert event(found)["data"]["area_code"] == "03412"
        assert event(found)["data"]["origin_area_code"] == "03390"
        assert [(r.row, r.field, r.found, r.taken) for r in found.repairs] == [
            (2, "area_code", "3412", "03412"),
            (2, "origin_area_code", "3390", "03390"),
        ]

    def test_a_name_sets_the_day_on_which_it_was_read(self, codes: CodeFinder) -> None:
        found = plan(codes, row({**FIRST, "area_code": "Xã Bình Lư"}))
        assert event(found)["data"]["area_code"] == "03412"
        assert event(found)["data"]["area_on"] == "2023-07-01"

    def test_a_name_and_its_code_are_the_same(self, codes: CodeFinder) -> None:
        known = plan(codes, row({**FIRST, "area_code": "Xã Bình Lư"})).known
        assert plan(codes, row(FIRST), known).event is None

    def test_a_moved_case_says_on_which_day_its_code_was_read(self, codes: CodeFinder) -> None:
        found = plan(codes, row({**FIRST, "area_code": "03391"}), after(codes))
        # Without the day the code would be read on the day of the event, when it meant another place.
        assert event(found)["data"] == {"area_code": "03391", "area_on": "2023-07-01"}

    def test_a_corrected_date_never_moves_a_case(self, codes: CodeFinder) -> None:
        found = plan(codes, row({**FIRST, "onset_on": "2025-08-01"}), after(codes))
        assert event(found)["data"] == {"onset_on": "2025-08-01"}
        short = plan(codes, row({**FIRST, "onset_on": "2025-08-01", "area_code": "3412"}), after(codes))
        assert event(short)["data"] == {"onset_on": "2025-08-01"}

    def test_a_new_day_for_the_code_reads_it_again(self, codes: CodeFinder) -> None:
        known = after(codes, {**FIRST, "area_code": "03390"})
        found = plan(codes, row({**FIRST, "area_code": "03390", "area_on": "2025-08-01"}), known)
        assert event(found)["data"] == {"area_code": "03390", "area_on": "2025-08-01"}
        assert plan(codes, row({"area_on": "2025-08-01"}), found.known).event is None
        # Taking only the day back says nothing.
        assert (
            plan(
                codes, row({**FIRST, "area_code": "03390"}, said=frozenset({*FIRST, "area_on"})), found.known
            ).event
            is None
        )

    def test_the_day_is_the_contracts(self, codes: CodeFinder) -> None:
        after_reform = {"disease": "dengue", "area_code": "03412"}
        assert refused(codes, row(after_reform)) == ["area_code"]
        for field in ("area_on", "onset_on", "reported_on"):
            assert (
                event(plan(codes, row({**after_reform, field: "2023-07-01"})))["data"]["area_code"] == "03412"
            )
        assert refused(codes, row({**after_reform, "area_on": "2025-08-01", "onset_on": "2023-07-01"})) == [
            "area_code"
        ]

    def test_a_wrong_date_is_blamed_before_the_code_that_it_makes_meaningless(
        self, codes: CodeFinder
    ) -> None:
        assert refused(codes, row({**FIRST, "onset_on": "2099-01-01"})) == ["onset_on"]
        # What is wrong by itself is told beside it.
        assert refused(codes, row({**FIRST, "area_code": "99999", "reported_on": "2099-01-01"})) == [
            "reported_on",
            "area_code",
        ]


class TestRefused:
    def test_a_row_that_contradicts_itself(self, codes: CodeFinder) -> None:
        assert refused(codes, row({**FIRST, "died_at": "2023-06-30"})) == ["died_at"]

    def test_a_change_that_contradicts_what_the_row_said_before(self, codes: CodeFinder) -> None:
        assert refused(codes, row({"died_at": "2023-06-30"}), after(codes)) == ["died_at"]

    def test_a_case_that_lost_its_disease_or_its_area(self, codes: CodeFinder) -> None:
        assert refused(codes, row({"area_code": "03412", "onset_on": "2023-07-01"})) == ["disease"]
        assert refused(codes, row({}, said=frozenset({"area_code"})), after(codes)) == ["area_code"]
        assert refused(codes, row({"disease": None}), after(codes)) == ["disease"]

    def test_columns_are_named_as_in_the_file(self, codes: CodeFinder) -> None:
        assert refused(codes, row(FIRST, case_id="LC 1")) == ["case_id"]
        assert refused(codes, row({**FIRST, "external_ids.ecds": "0912345678"})) == ["external_ids.ecds"]
        future = NOW + timedelta(minutes=6)
        with pytest.raises(Refused) as caught:
            plan(codes, row(FIRST, event_time=future), at=future)
        assert [fault.field for fault in caught.value.faults] == ["event_time"]

    def test_identifiers_are_not_repeated(self, codes: CodeFinder) -> None:
        with pytest.raises(Refused) as caught:
            plan(codes, row({**FIRST, "hamlet": "Lò Văn Pâng"}))
        (fault,) = caught.value.faults
        assert "Pâng" not in fault.message_vi + fault.message_en

"""One case under two subjects is found by the code of another system, and never counted twice in silence."""

import pytest

from services.importing.codes import CodeFinder
from streams.domain.catalogue import Catalogue
from tests.unit.importing.offices import CASE, Province, export

CODE = CASE["Mã số"]
OWN = f"ECDS-{CODE}"


@pytest.fixture
def province(judging: Catalogue, codes: CodeFinder) -> Province:
    return Province(judging, codes)


def line_list(case_id: str, code: str = CODE, disease: str = "dengue") -> bytes:
    header = "case_id,disease,area_code,onset_on,external_ids.ecds"
    return f"{header}\n{case_id},{disease},03390,2025-08-01,{code}\n".encode()


def test_a_row_of_the_export_is_the_case_that_somebody_entered(province: Province) -> None:
    province.twins.cases["LC-1"] = ("dengue", {"ecds": CODE})
    first = province.send(export(CASE)).outcome
    assert (first.created, len(first.rejected)) == (1, 0)
    assert [(repair.field, repair.found, repair.taken) for repair in first.repaired] == [
        ("case_id", OWN, "LC-1")
    ]
    (event,) = province.kafka.events
    assert event.subject == "LC-1"
    # The next export says the same, and the one after it changes the case that it found.
    assert province.send(export(CASE)).outcome.unchanged == 1
    changed = CASE | {"Tình trạng hiện nay": "Khỏi", "Thời gian sửa": "03/08/2025 09:00"}
    assert province.send(export(changed)).outcome.updated == 1
    assert {event.subject for event in province.kafka.events} == {"LC-1"}


def test_a_preview_says_the_same(province: Province) -> None:
    province.twins.cases["LC-1"] = ("dengue", {"ecds": CODE})
    preview = province.send(export(CASE), preview=True).outcome
    assert preview.document() == province.send(export(CASE)).outcome.document()


@pytest.mark.parametrize(
    "cases",
    [
        {"LC-1": ("measles", {"ecds": CODE})},
        {"LC-1": ("dengue", {"ecds": CODE}), "LC-2": ("dengue", {"ecds": CODE})},
    ],
)
def test_a_row_whose_case_nobody_can_tell_is_refused(
    province: Province, cases: dict[str, tuple[str, dict[str, str]]]
) -> None:
    province.twins.cases.update(cases)
    outcome = province.send(export(CASE)).outcome
    ((fault,),) = [rejection.faults for rejection in outcome.rejected]
    assert fault.field == "case_id"
    assert "LC-1" in fault.message_vi
    assert "duplicate" in fault.message_en
    assert outcome.rows == 1
    assert not province.kafka.records


def test_a_line_list_names_its_cases_itself(province: Province) -> None:
    province.twins.cases[OWN] = ("dengue", {"ecds": CODE})
    outcome = province.send(line_list("LC-7"), "list.csv").outcome
    assert [rejection.row for rejection in outcome.rejected] == [2]
    assert not province.kafka.records
    assert province.send(line_list(OWN), "list.csv").outcome.created == 1


def test_one_code_at_two_cases_of_one_file(province: Province) -> None:
    outcome = province.send(
        line_list("LC-7") + b"LC-8,dengue,03390,2025-08-01," + CODE.encode(), "list.csv"
    ).outcome
    assert (outcome.created, [rejection.row for rejection in outcome.rejected]) == (1, [3])


def test_cases_that_were_sent_before_stay_and_are_told(province: Province) -> None:
    province.send(export(CASE))
    province.twins.cases["LC-1"] = ("dengue", {"ecds": CODE})
    outcome = province.send(export(CASE)).outcome
    assert (outcome.unchanged, len(outcome.rejected)) == (1, 0)
    assert any("LC-1" in english and OWN in english for _, english in outcome.warnings)


def test_a_case_without_the_code_is_another(province: Province) -> None:
    province.twins.cases["LC-1"] = ("dengue", {"ecds": "2025-12-999999", "hospital": CODE})
    assert province.send(export(CASE)).outcome.created == 1
    (event,) = province.kafka.events
    assert event.subject == OWN

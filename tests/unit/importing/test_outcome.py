"""The summary has the keys of the contract, and says everything that was found."""

from schemas.events import Problem
from services.importing.outcome import Fault, Outcome, Repair, Skip, column_fault


def test_the_document_of_the_contract() -> None:
    outcome = Outcome(rows=4, created=1, updated=1, unchanged=1, parked=1)
    outcome.reject(9, [Fault("sex", "vi 1", "en 1"), Fault("age_years", "vi 2", "en 2")])
    outcome.reject(3, [Fault("disease", "vi 3", "en 3")])
    outcome.skipped.append(Skip(1, 2, "title"))
    outcome.repaired.append(Repair(4, "area_code", "3412", "03412", "vi 4", "en 4"))
    outcome.ignored_columns.append("STT")
    outcome.warnings.append(("vi 5", "en 5"))
    document = outcome.document()
    assert {name: document[name] for name in ("rows", "created", "updated", "unchanged", "parked")} == {
        "rows": 4,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "parked": 1,
    }
    assert document["rejected"] == [
        {"row": 3, "field": "disease", "message": "vi 3", "message_en": "en 3"},
        {
            "row": 9,
            "field": "sex",
            "message": "vi 1",
            "message_en": "en 1",
            "also": [{"field": "age_years", "message": "vi 2", "message_en": "en 2"}],
        },
    ]
    assert [(skip["row"], skip["rows"], skip["reason"]) for skip in document["skipped"]] == [(1, 2, "title")]
    assert document["repaired"][0] == {
        "row": 4,
        "field": "area_code",
        "from": "3412",
        "to": "03412",
        "message": "vi 4",
        "message_en": "en 4",
    }
    assert document["ignored_columns"] == ["STT"]
    assert document["warnings"] == [{"message": "vi 5", "message_en": "en 5"}]


def test_problems_are_named_by_their_columns() -> None:
    names = {
        "subject": "case_id",
        "id": "event_id",
        "time": "event_time",
        "data.onset_on": "onset_on",
        "data.external_ids.ecds": "external_ids.ecds",
        "": "row",
    }
    for path, column in names.items():
        assert column_fault(Problem(path, "x", "vi", "en")) == Fault(column, "vi", "en")

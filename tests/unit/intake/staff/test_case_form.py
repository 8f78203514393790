"""What people type into the form of a case, and the data of the event that it becomes."""

from datetime import date
from typing import Any

import pytest

from schemas.catalogue import Catalogue
from services.intake.staff.case_form import read_change, read_new_case
from services.intake.staff.vocabulary import Unclear, Vocabulary

TODAY = date(2026, 1, 15)
OWN = ("109",)


@pytest.fixture(scope="module")
def vocabulary(published_catalogue: Catalogue) -> Vocabulary:
    return Vocabulary(published_catalogue)


def new(vocabulary: Vocabulary, **fields: str) -> tuple[dict[str, Any], set[str]]:
    reading = read_new_case({"disease": "dengue", "area": "03549", **fields}, vocabulary, OWN, TODAY)
    return reading.data, set(reading.errors)


def test_a_case_as_a_nurse_types_it(vocabulary: Vocabulary) -> None:
    data, errors = new(
        vocabulary,
        disease="sot xuat huyet",
        area="phong tho",
        onset_on="4/1",
        reported_on="14.01.2026",
        sex="female",
        age_years="8 tháng",
        classification="suspected",
        lab="pending",
        test_type="rapid",
        died_at="15/01/2026 06:30",
        hospitalised="yes",
        doses="2",
        register="17/2026",
        hamlet="",
    )
    assert errors == set()
    assert data == {
        "disease": "dengue",
        "area_code": "03549",
        "onset_on": "2026-01-04",
        "reported_on": "2026-01-14",
        "sex": "female",
        "age_years": 0.67,
        "classification": "suspected",
        "lab": {"dengue": "pending"},
        "test_type": "rapid",
        "died_at": "2026-01-14T23:30:00Z",
        "hospitalised": True,
        "doses": 2.0,
        "external_ids": {"register": "17/2026"},
    }


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("sxh", "dengue"),
        ("benh tay chan mieng", "hfmd"),
        ("Bệnh dại", "rabies"),
        ("VIÊM NÃO NHẬT BẢN", "je"),
        ("Japanese encephalitis", "je"),
    ],
)
def test_diseases_by_name_and_alias_with_accents_or_without(
    vocabulary: Vocabulary, typed: str, code: str
) -> None:
    assert vocabulary.find_disease(typed).code == code


def test_every_suggested_disease_is_found_again_in_both_languages(vocabulary: Vocabulary) -> None:
    for language in ("vi", "en"):
        found = [vocabulary.find_disease(s.value).code for s in vocabulary.disease_suggestions(language)]  # type: ignore[arg-type]
        assert found == [disease.code for disease in vocabulary.diseases]


def test_what_is_no_disease_says_what_it_may_be(vocabulary: Vocabulary) -> None:
    with pytest.raises(Unclear) as near:
        vocabulary.find_disease("tay chan mieg")
    assert "Tay - chân - miệng" in near.value.message_vi
    with pytest.raises(Unclear) as far:
        vocabulary.find_disease("qqqq")
    assert "không có trong danh mục" in far.value.message_vi


@pytest.mark.parametrize("field", ["disease", "area"])
def test_a_name_of_a_person_is_refused_and_not_repeated(vocabulary: Vocabulary, field: str) -> None:
    reading = read_new_case(
        {"disease": "dengue", "area": "03549", field: "Lò Văn Pâng"}, vocabulary, OWN, TODAY
    )
    assert set(reading.errors) == {field}
    assert "họ tên" in reading.errors[field][0]
    assert "Pâng" not in "".join(reading.errors[field])


@pytest.mark.parametrize(
    ("typed", "day", "area_id", "on"),
    [
        ("Xã Phong Thổ (03549)", TODAY, "03549@2025-07-01", None),
        # Chosen from today's list for a case of before: the commune of today is meant, and said so.
        ("Xã Phong Thổ (03549)", date(2025, 6, 1), "03549@2025-07-01", date(2025, 7, 1)),
        # A code alone means what it meant on that day.
        ("03549", date(2025, 6, 1), "03549@start", None),
        ("3549", TODAY, "03549@2025-07-01", None),
        ("binh lu", TODAY, "03390@2025-07-01", None),
        ("Mường So", date(2024, 1, 1), "03589@start", None),
        # Of namesakes the own one: there is a Tân Phong in several provinces.
        ("Tân Phong", TODAY, "03408@2025-07-01", None),
    ],
)
def test_places_by_name_and_code_on_the_day(
    vocabulary: Vocabulary, typed: str, day: date, area_id: str, on: date | None
) -> None:
    own = ("12",) if typed == "Tân Phong" else OWN
    found = vocabulary.find_place(typed, day, own)
    assert (found.area.id, found.on) == (area_id, on)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Mường So", "chỉ dùng đến 30/06/2025"),
        ("109", "chỉ dùng đến 30/06/2025"),
        ("Xã Lạ (03549)", "không đi với nhau"),
        ("Chỗ không có", "không tìm thấy"),
    ],
)
def test_a_place_that_is_none_on_the_day_says_why(vocabulary: Vocabulary, typed: str, said: str) -> None:
    with pytest.raises(Unclear) as unclear:
        vocabulary.find_place(typed, TODAY, OWN)
    assert said in unclear.value.message_vi


def test_own_communes_and_a_search_that_begins_in_the_own_province(vocabulary: Vocabulary) -> None:
    own = [area.name_vi for area in vocabulary.communes_of(OWN, TODAY)]
    assert own == ["Xã Dào San", "Xã Khổng Lào", "Xã Phong Thổ", "Xã Sì Lở Lầu", "Xã Sin Suối Hồ"]
    found = vocabulary.search_places("binh", TODAY, 5, OWN)
    assert found[0].code == "03390"
    assert [area.code for area in vocabulary.search_places("0354", TODAY, 9, OWN)]
    assert vocabulary.search_places("  ", TODAY, 5, OWN) == []


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("onset_on", "31/2"),
        ("onset_on", "hôm qua"),
        ("age_years", "ba mươi"),
        # Five months or five years: nobody can say.
        ("age_years", "5t"),
        ("sex", "x"),
        ("doses", "nhiều"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(vocabulary: Vocabulary, field: str, typed: str) -> None:
    _, errors = new(vocabulary, **{field: typed})
    assert errors == {field}


def test_disease_and_place_are_needed(vocabulary: Vocabulary) -> None:
    assert set(read_new_case({"sex": "male"}, vocabulary, OWN, TODAY).errors) == {"disease", "area"}


def change(vocabulary: Vocabulary, form: str, **fields: str) -> tuple[dict[str, Any], set[str]]:
    renamed = {name.replace("was_", "was."): value for name, value in fields.items()}
    reading = read_change(form, renamed, vocabulary, OWN, TODAY, date(2025, 6, 1))
    return reading.data, set(reading.errors)


def test_only_what_changed_is_sent(vocabulary: Vocabulary) -> None:
    data, errors = change(
        vocabulary,
        "outcome",
        outcome="dead",
        was_outcome="in_care",
        died_at="14/01/2026",
        was_died_at="",
        admitted_on="10/01/2026",
        was_admitted_on="10/01/2026",
        discharged_on="",
        was_discharged_on="12/01/2026",
    )
    assert errors == set()
    assert data == {"outcome": "dead", "died_at": "2026-01-14", "discharged_on": None}


def test_a_form_without_a_change_sends_nothing(vocabulary: Vocabulary) -> None:
    data, errors = change(vocabulary, "diagnosis", classification="probable", was_classification="probable")
    assert (data, errors) == ({}, {""})


def test_a_result_goes_to_the_agent_that_was_chosen(vocabulary: Vocabulary) -> None:
    data, _ = change(vocabulary, "lab", lab_agent="denv2", lab="positive", test_type="", was_test_type="")
    assert data == {"lab": {"denv2": "positive"}}


def test_a_move_says_on_which_day_its_code_is_read(vocabulary: Vocabulary) -> None:
    data, _ = change(vocabulary, "place", area="03549", was_area="Xã Bình Lư (03390)")
    assert data == {"area_code": "03549", "area_on": "2025-06-01"}
    data, _ = change(vocabulary, "place", area="Xã Phong Thổ (03549)", was_area="Xã Bình Lư (03390)")
    assert data == {"area_code": "03549", "area_on": "2025-07-01"}


@pytest.mark.parametrize(("form", "name"), [("diagnosis", "disease"), ("place", "area")])
def test_disease_and_place_cannot_be_emptied(vocabulary: Vocabulary, form: str, name: str) -> None:
    _, errors = change(vocabulary, form, **{name: "", f"was_{name}": "x"})
    assert errors == {name}


def test_ids_of_other_systems_stay_when_the_number_in_the_book_changes(vocabulary: Vocabulary) -> None:
    ids = '{"ecds": "2026-1", "register": "17"}'
    data, _ = change(vocabulary, "person", register="18", was_register="17", was_external_ids=ids)
    assert data == {"external_ids": {"ecds": "2026-1", "register": "18"}}
    data, _ = change(vocabulary, "person", register="", was_register="17", was_external_ids=ids)
    assert data == {"external_ids": {"ecds": "2026-1"}}

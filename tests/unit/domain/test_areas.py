"""A code means nothing without the day on which it was used."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.areas import Area, code_of
from tests.builders import judged_by, small_catalogue

INDEX = judged_by(small_catalogue()).areas
DAYS = st.dates(date(1990, 1, 1), date(2040, 1, 1)).map(date.isoformat)


@pytest.mark.parametrize(
    ("code", "day", "area_id"),
    [
        ("03390", "2025-06-30", "03390@start"),
        ("03390", "2025-07-01", "03390@2025-07-01"),
        ("03412", "1990-01-01", "03412@start"),
        ("03412", "2025-06-30", "03412@start"),
        ("03412", "2025-07-01", None),
        ("12", "2025-06-30", "12@start"),
        ("12", "2026-01-01", "12@2025-07-01"),
        ("109", "2025-06-30", "109@start"),
        ("99999", "2025-06-30", None),
        ("3390", "2025-06-30", None),
    ],
)
def test_a_code_means_what_it_meant_on_the_day(code: str, day: str, area_id: str | None) -> None:
    found = INDEX.resolve(code, day)
    assert (found and found.id) == area_id


def test_no_event_can_name_a_surveillance_area() -> None:
    # They borrow the codes of former districts, which meant something else.
    assert "109@2025-07-01" in INDEX
    assert INDEX.resolve("109", "2025-07-01") is None


@given(code=st.sampled_from(sorted({area.code for area in INDEX})), day=DAYS)
def test_what_a_code_meant_existed_on_that_day(code: str, day: str) -> None:
    found = INDEX.resolve(code, day)
    if found is not None:
        assert found.code == code
        assert found.is_valid_on(day)
        assert found.kind != "surveillance"


def test_both_ends_of_a_validity_are_included() -> None:
    area = Area("1@2020-01-01", "1", "commune", "x", "p", None, "2020-01-01", "2020-12-31")
    days = ["2019-12-31", "2020-01-01", "2020-12-31", "2021-01-01"]
    assert [area.is_valid_on(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("area_id", "total_id"),
    [
        ("03412@start", "106@start"),
        ("106@start", "106@start"),
        ("12@start", "12@start"),
        ("03390@2025-07-01", "106@2025-07-01"),
        ("12@2025-07-01", "12@2025-07-01"),
    ],
)
def test_where_an_area_is_totalled(area_id: str, total_id: str) -> None:
    assert INDEX.total_id(area_id) == total_id


def test_an_index_is_a_collection_of_its_areas() -> None:
    assert len(INDEX) == len(list(INDEX)) == len(small_catalogue().areas)
    assert INDEX["12@start"].kind == "province"
    assert "12@1999-01-01" not in INDEX
    with pytest.raises(KeyError):
        INDEX["12@1999-01-01"]


def test_the_code_of_an_id() -> None:
    assert [code_of(area_id) for area_id in ("03412@start", "12@2025-07-01")] == ["03412", "12"]

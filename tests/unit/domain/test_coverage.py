"""What is known, day by day, against a list of days."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.calendar import Period
from streams.domain.coverage import Coverage, ProvincePart
from streams.domain.tally_cover import Claim, Place

TURN = date(2025, 6, 30)
OLD, NEW = Place("12@start", None, TURN), Place("12@2025-07-01", TURN + timedelta(days=1), None)
OTHER = Place("10@start", None, TURN)
TOP = Place("province 12", children=(OLD, OTHER, NEW))
PARTS = (
    ProvincePart("12@start", None, TURN, (OLD,)),
    ProvincePart("10@start", None, TURN, (OTHER,)),
    ProvincePart("12@2025-07-01", TURN + timedelta(days=1), None, (NEW,)),
)
UNTIL = date(2026, 6, 30)


def coverage(**changes: Any) -> Coverage:
    return Coverage(
        **{
            "place": TOP,
            "parts": PARTS,
            "until": UNTIL,
            "since": {},
            "case_years": {},
            "claims": {},
            **changes,
        }
    )


def year(number: int) -> Period:
    return Period(date(number, 1, 1), date(number, 12, 31))


def test_silence_is_not_known() -> None:
    assert coverage().gaps("dengue", date(2022, 1, 1), date(2022, 12, 31)) == [year(2022)]
    assert coverage().known("dengue") == []
    nowhere = coverage(parts=(), case_years={("dengue", "12@start"): {2022}})
    assert nowhere.gaps("dengue", date(2022, 1, 1), date(2022, 12, 31)) == [year(2022)]


def test_a_case_makes_the_year_of_its_province_known() -> None:
    both = {("dengue", "12@start"): {2022}, ("dengue", "10@start"): {2022, 2023}}
    found = coverage(case_years=both)
    assert found.known("dengue") == [year(2022)]
    assert found.is_known("dengue", date(2022, 3, 1), date(2022, 3, 31))
    assert not found.is_known("measles", date(2022, 3, 1), date(2022, 3, 31))


def test_case_reports_that_count_from_a_day_on_are_known_from_it_on_until_today() -> None:
    since = {("dengue", part.province_id): date(2025, 1, 15) for part in PARTS}
    found = coverage(since=since, case_years={("dengue", "12@start"): {2024}})
    assert found.known("dengue") == [Period(date(2025, 1, 15), UNTIL)]
    assert found.gaps("dengue", UNTIL, UNTIL + timedelta(days=2)) == [
        Period(UNTIL + timedelta(days=1), UNTIL + timedelta(days=2))
    ]
    early = coverage(since={("dengue", part.province_id): date(2027, 1, 1) for part in PARTS})
    assert early.known("dengue") == []


def test_a_province_of_its_time_is_asked_of_its_time_only() -> None:
    found = coverage(case_years={("dengue", "12@2025-07-01"): {2025}})
    assert found.known("dengue") == [Period(date(2025, 7, 1), date(2025, 12, 31))]


def test_tallies_and_case_reports_make_up_a_year_together() -> None:
    half = Claim("12@start", date(2025, 1, 1), TURN)
    others = Claim("10@start", date(2025, 1, 1), TURN)
    found = coverage(claims={"dengue": [half, others]}, case_years={("dengue", "12@2025-07-01"): {2025}})
    assert found.is_known("dengue", date(2025, 1, 1), date(2025, 12, 31))
    # Half a year is known as a whole, not day by day.
    assert not found.is_known("dengue", date(2025, 1, 1), date(2025, 3, 31))
    alone = coverage(claims={"dengue": [half]}, case_years={("dengue", "10@start"): {2025}})
    assert alone.known("dengue") == [Period(date(2025, 1, 1), TURN)]


def test_a_tally_of_the_whole_place_speaks_for_all_of_its_parts() -> None:
    found = coverage(claims={"dengue": [Claim("province 12", date(2025, 1, 1), date(2025, 12, 31))]})
    assert found.known("dengue") == [year(2025)]


_spans = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), max_size=4)


@given(_spans, _spans, st.integers(0, 12) | st.none(), st.integers(0, 12), st.integers(0, 5))
def test_every_day_is_a_gap_or_known(
    first: list[tuple[int, int]], second: list[tuple[int, int]], since: int | None, start: int, length: int
) -> None:
    """Daily tallies of two provinces, case reports of one of them from a day on."""
    zero = date(2025, 1, 1)
    days = {
        area: {start + n for start, length in spans for n in range(length + 1)}
        for area, spans in (("12@start", first), ("10@start", second))
    }
    claims = [
        Claim(area, zero + timedelta(days=n), zero + timedelta(days=n)) for area in days for n in days[area]
    ]
    known_since = {} if since is None else {("dengue", "12@start"): zero + timedelta(days=since)}
    found = coverage(claims={"dengue": claims}, since=known_since)
    gaps = found.gaps("dengue", zero + timedelta(days=start), zero + timedelta(days=start + length))
    in_gaps = {day for gap in gaps for day in range((gap.first - zero).days, (gap.last - zero).days + 1)}
    for day in range(start, start + length + 1):
        by_cases = since is not None and day >= since
        is_known = (day in days["12@start"] or by_cases) and day in days["10@start"]
        assert (day in in_gaps) == (not is_known)
    assert sorted(gaps) == gaps


@pytest.mark.parametrize("day", [date(1990, 1, 1), date(2999, 12, 31)])
def test_a_day_at_the_edge_of_time_is_not_known(day: date) -> None:
    assert not coverage(case_years={("dengue", "12@start"): {2022}}).is_known("dengue", day, day)

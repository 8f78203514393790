"""The finest complete cover, against a brute force that tries every set of tallies."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.calendar import Period
from streams.domain.tally_cover import Claim, Cover, Place, finest_cover, joined

DAY_ONE = date(2023, 1, 1)
YEAR = Period(date(2023, 1, 1), date(2023, 12, 31))

PROVINCE = Place(
    "12",
    children=(
        Place("106", children=(Place("03412"), Place("03390"))),
        Place("109", children=(Place("03549"),)),
    ),
)
"""One province, two districts, three communes."""


def month(area: str, number: int) -> Claim:
    """A month's tally of 2023."""
    first = date(2023, number, 1)
    after = date(2023 + number // 12, number % 12 + 1, 1)
    return Claim(area, first, after - timedelta(days=1), (area, number))


def year(area: str) -> Claim:
    """A year's tally of 2023."""
    return Claim(area, YEAR.first, YEAR.last, (area, "year"))


MONTHS = [month("12", number) for number in range(1, 13)]


def keys(cover: Cover) -> set[Any]:
    return {claim.key for claim in cover.claims}


def test_twelve_months_stand_for_their_year() -> None:
    cover = finest_cover([PROVINCE], [year("12"), *MONTHS], YEAR)
    assert keys(cover) == {claim.key for claim in MONTHS}
    assert cover.is_complete


def test_the_year_stands_where_a_month_is_missing() -> None:
    cover = finest_cover([PROVINCE], [year("12"), *MONTHS[1:]], YEAR)
    assert keys(cover) == {("12", "year")}
    assert cover.is_complete


def test_eleven_months_alone_are_known_as_far_as_they_go() -> None:
    cover = finest_cover([PROVINCE], MONTHS[1:], YEAR)
    assert len(cover.claims) == 11
    assert not cover.is_complete
    assert cover.known == (Period(date(2023, 2, 1), date(2023, 12, 31)),)


def test_a_year_is_of_no_use_to_a_question_about_half_of_it() -> None:
    half = Period(date(2023, 1, 1), date(2023, 6, 30))
    assert finest_cover([PROVINCE], [year("12")], half) == Cover((), (), half)
    assert keys(finest_cover([PROVINCE], [year("12"), *MONTHS], half)) == {("12", n) for n in range(1, 7)}


def test_districts_stand_for_their_province_where_all_of_them_reported() -> None:
    claims = [year("12"), year("106"), year("109")]
    assert keys(finest_cover([PROVINCE], claims, YEAR)) == {("106", "year"), ("109", "year")}
    assert keys(finest_cover([PROVINCE], claims[:2], YEAR)) == {("12", "year")}
    # A district reported by the communes of one half, and as a whole.
    mixed = [*claims, year("03412"), *(month("03390", number) for number in range(1, 13))]
    assert keys(finest_cover([PROVINCE], mixed, YEAR)) == {
        ("109", "year"),
        ("03412", "year"),
        *(("03390", number) for number in range(1, 13)),
    }


def test_a_part_is_added_to_nothing_that_holds_it() -> None:
    half = Claim("12", date(2023, 1, 1), date(2023, 6, 30), "half")
    cover = finest_cover([PROVINCE], [half, month("106", 1), month("106", 7)], YEAR)
    assert keys(cover) == {"half", ("106", 7)}
    assert cover.known == (Period(half.first, half.last),)


def test_areas_of_two_structures_each_speak_for_their_time() -> None:
    place = Place(
        "12",
        children=(
            Place("106@start", None, date(2023, 6, 30)),
            Place("109@start", None, date(2023, 6, 30)),
            Place("106@new", date(2023, 7, 1), None),
        ),
    )
    first, second = (YEAR.first, date(2023, 6, 30)), (date(2023, 7, 1), YEAR.last)
    old = [Claim("106@start", *first, "a"), Claim("109@start", *first, "b")]
    new = Claim("106@new", *second, "c")
    assert keys(finest_cover([place], [*old, new, year("12")], YEAR)) == {"a", "b", "c"}
    assert keys(finest_cover([place], [*old[1:], new, year("12")], YEAR)) == {("12", "year")}
    assert finest_cover([place], [*old, new], YEAR).is_complete
    # An area speaks for no time at which it was not there.
    assert keys(finest_cover([place], [*old, Claim("106@new", *first, "early")], YEAR)) == {"a", "b"}


def test_a_day_for_each_day_of_years_is_quick_enough() -> None:
    """Every day and the year in a province, every day in one of its two districts, every month in both."""
    days = [DAY_ONE + timedelta(days=n) for n in range(365)]
    claims = [Claim("12", day, day, ("12", day)) for day in days]
    claims += [Claim("106", day, day, ("106", day)) for day in days]
    claims += [month(area, number) for area in ("12", "106", "109") for number in range(1, 13)]
    claims += [year("12")]
    cover = finest_cover([PROVINCE], claims, Period(days[0], days[-1]))
    assert cover.is_complete
    assert len(cover.claims) == len(days) + 12


@pytest.mark.parametrize("periods", [[], [Period(DAY_ONE, DAY_ONE)]])
def test_joined_periods_of_few(periods: list[Period]) -> None:
    assert joined(periods) == periods


# Against a brute force ------------------------------------------------------------------------------------


def leaves(place: Place, day: date) -> list[str]:
    """The smallest areas of a place on a day."""
    if (place.valid_from and day < place.valid_from) or (place.valid_to and day > place.valid_to):
        return []
    within = [leaf for child in place.children for leaf in leaves(child, day)]
    return within or [place.id]


def days_of(period: Period) -> list[date]:
    return [period.first + timedelta(days=n) for n in range(period.days)]


def all_places(roots: Iterable[Place], depth: int = 0) -> Iterable[tuple[Place, int]]:
    for root in roots:
        yield root, depth
        yield from all_places(root.children, depth + 1)


def brute_force(roots: Sequence[Place], claims: Sequence[Claim], period: Period) -> tuple[int, int, int]:
    """The rank of the best set of tallies: cells covered, tallies, depths."""
    places = {place.id: (place, depth) for place, depth in all_places(roots)}
    useful = []
    for claim in claims:
        place, depth = places.get(claim.area_id, (None, 0))
        inside = period.first <= claim.first and claim.last <= period.last
        if place is None or not inside:
            continue
        if (place.valid_from and claim.first < place.valid_from) or (
            place.valid_to and claim.last > place.valid_to
        ):
            continue
        cells = {
            (leaf, day) for day in days_of(Period(claim.first, claim.last)) for leaf in leaves(place, day)
        }
        useful.append((cells, depth))
    best = (0, 0, 0)
    for chosen in chain.from_iterable(combinations(useful, n) for n in range(1, len(useful) + 1)):
        covered: set[tuple[str, date]] = set().union(*(cells for cells, _ in chosen))
        if len(covered) == sum(len(cells) for cells, _ in chosen):
            best = max(best, (len(covered), len(chosen), sum(depth for _, depth in chosen)))
    return best


TURN = date(2023, 1, 5)
ROOTS = (
    Place(
        "P",
        children=(
            Place("A", children=(Place("a1"), Place("a2"))),
            Place("B", None, TURN),
            Place("C", TURN + timedelta(days=1), None),
        ),
    ),
    Place("Q", None, TURN + timedelta(days=1)),
)
_spans = st.tuples(st.integers(0, 7), st.integers(0, 7)).map(sorted)


@st.composite
def _claims(draw: st.DrawFn) -> list[Claim]:
    spans = draw(
        st.lists(
            st.tuples(st.sampled_from(["P", "A", "a1", "a2", "B", "C", "Q", "elsewhere"]), _spans),
            max_size=9,
            unique_by=repr,
        )
    )
    return [
        Claim(area, DAY_ONE + timedelta(days=first), DAY_ONE + timedelta(days=last), number)
        for number, (area, (first, last)) in enumerate(spans)
    ]


@given(_claims(), _spans, st.randoms(use_true_random=False))
def test_no_set_of_tallies_covers_more_or_is_finer(claims: list[Claim], span: list[int], drawn: Any) -> None:
    period = Period(DAY_ONE + timedelta(days=span[0]), DAY_ONE + timedelta(days=span[1]))
    cover = finest_cover(ROOTS, claims, period)
    depths = {place.id: (place, depth) for place, depth in all_places(ROOTS)}

    cells: list[tuple[str, date]] = []
    for claim in cover.claims:
        assert claim in claims
        place, _ = depths[claim.area_id]
        cells += [
            (leaf, day) for day in days_of(Period(claim.first, claim.last)) for leaf in leaves(place, day)
        ]
    assert len(cells) == len(set(cells)), "two of them speak for the same day and area"
    rank = (len(cells), len(cover.claims), sum(depths[claim.area_id][1] for claim in cover.claims))
    assert rank == brute_force(ROOTS, claims, period)

    known = {day for part in cover.known for day in days_of(part)}
    for day in days_of(period):
        wanted = {(leaf, day) for root in ROOTS for leaf in leaves(root, day)}
        assert (day in known) == (bool(wanted) and wanted <= set(cells))
    assert cover.is_complete == (len(known) == period.days)

    shuffled = list(claims)
    drawn.shuffle(shuffled)
    assert finest_cover(ROOTS, shuffled, period) == cover

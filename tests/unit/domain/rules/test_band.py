"""Whole numbers say what fractions say, at every boundary."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.rules.band import Band, exceeds_mean

HISTORIES = st.lists(st.integers(0, 60), min_size=2, max_size=10)


def sign_against(cases: int, counts: list[int], deviations: int) -> int:
    """-1, 0 or 1: a count below, at or above mean + k sample SD, in fractions and without a root."""
    mean = Fraction(sum(counts), len(counts))
    variance = sum((Fraction(count) - mean) ** 2 for count in counts) / (len(counts) - 1)
    distance = cases - mean
    if distance < 0:
        return -1
    left, right = distance**2, deviations**2 * variance
    return (left > right) - (left < right)


@given(HISTORIES, st.integers(0, 3))
def test_the_bounds_are_where_fractions_turn(counts: list[int], deviations: int) -> None:
    band = Band.of(counts)
    lowest, highest = band.lowest_from(deviations), band.highest_within(deviations)

    assert sign_against(lowest, counts, deviations) >= 0
    assert sign_against(lowest - 1, counts, deviations) < 0
    assert sign_against(highest, counts, deviations) <= 0
    assert sign_against(highest + 1, counts, deviations) > 0


@given(HISTORIES, st.integers(0, 200), st.integers(1, 2))
def test_the_bounds_are_the_inequality_of_the_text(counts: list[int], cases: int, deviations: int) -> None:
    n, total, squares = len(counts), sum(counts), sum(count * count for count in counts)
    distance, spread = n * cases - total, deviations**2 * n * (n * squares - total**2)

    assert (cases >= Band.of(counts).lowest_from(deviations)) == (
        distance >= 0 and distance**2 * (n - 1) >= spread
    )
    assert (cases > Band.of(counts).highest_within(deviations)) == (
        distance >= 0 and distance**2 * (n - 1) > spread
    )


@given(st.lists(st.integers(0, 10**30), min_size=2, max_size=10))
def test_huge_counts_are_exact(counts: list[int]) -> None:
    band = Band.of(counts)

    assert (
        sign_against(band.lowest_from(1), counts, 1) >= 0 > sign_against(band.lowest_from(1) - 1, counts, 1)
    )


@given(st.lists(st.integers(0, 60), min_size=1, max_size=10), st.integers(0, 100))
def test_the_mean_is_exceeded_strictly(counts: list[int], cases: int) -> None:
    assert exceeds_mean(cases, counts) == (cases > Fraction(sum(counts), len(counts)))


def test_the_sample_deviation_is_shown() -> None:
    band = Band.of([1, 1, 3, 5, 5])

    # With the population's SD 1.789 the band would end at 6.58, and 7 would be above it.
    assert (band.mean, band.deviation) == (3, 2)
    assert (band.limit(1), band.limit(2)) == (5, 7)
    assert Band.of([10, 12, 8, 14, 6]).limit(2) == 16.325


@pytest.mark.parametrize("counts", [[], [3], [3, -1]])
def test_what_has_no_deviation_is_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"two years or more|0 or more"):
        Band.of(counts)

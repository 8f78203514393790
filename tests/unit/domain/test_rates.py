"""Intervals beside published values, and laws that any interval keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.rates import case_fatality, incidence


@pytest.mark.parametrize(
    ("cases", "low", "high"),
    [
        # Exact limits of a Poisson count, 95 %: the table of Garwood (1936), as Ulm (Am J Epidemiol
        # 1990;131:373) and GraphPad's documentation (25: 16.18 to 36.90) print them.
        (0, 0.0, 3.689),
        (1, 0.0253, 5.572),
        (5, 1.623, 11.668),
        (10, 4.795, 18.390),
        (20, 12.217, 30.888),
        (25, 16.18, 36.90),
        (100, 81.364, 121.627),
    ],
)
def test_the_interval_of_an_incidence_is_the_published_one(cases: int, low: float, high: float) -> None:
    rate = incidence(cases, 100_000)
    assert rate.value == cases
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=0.006)


@pytest.mark.parametrize(
    ("deaths", "cases", "low", "high"),
    [
        # Method 3, score without continuity correction, of Newcombe (Stat Med 1998;17:857), table I.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_a_case_fatality_is_the_published_one(
    deaths: int, cases: int, low: float, high: float
) -> None:
    rate = case_fatality(deaths, cases)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=0.00006)


def test_the_incidence_of_dengue_in_lai_chau_in_2023() -> None:
    rate = incidence(40, 489_180)
    assert round(rate.value, 2) == 8.18
    assert (round(rate.low, 2), round(rate.high, 2), rate.is_unstable) == (5.84, 11.13, False)


@pytest.mark.parametrize(("cases", "is_unstable"), [(0, True), (19, True), (20, False)])
def test_fewer_than_twenty_cases_are_unstable(cases: int, is_unstable: bool) -> None:
    assert incidence(cases, 1_000).is_unstable is is_unstable
    assert case_fatality(0, cases or 1).is_unstable is is_unstable


@given(cases=st.integers(0, 5_000), people=st.integers(1, 100_000_000), more=st.integers(2, 50))
def test_an_incidence_lies_in_its_interval_and_scales(cases: int, people: int, more: int) -> None:
    rate, among_more = incidence(cases, people), incidence(cases, people * more)
    assert 0 <= rate.low <= rate.value < rate.high
    assert among_more.high == pytest.approx(rate.high / more)


@given(cases=st.integers(1, 5_000), data=st.data())
def test_a_case_fatality_lies_in_its_interval(cases: int, data: st.DataObject) -> None:
    deaths = data.draw(st.integers(0, cases))
    rate = case_fatality(deaths, cases)
    assert -1e-9 <= rate.low <= rate.value + 1e-9
    assert rate.value - 1e-9 <= rate.high <= 1 + 1e-9


@pytest.mark.parametrize(("cases", "people"), [(-1, 100), (1, 0), (0, -5)])
def test_an_impossible_incidence_is_refused(cases: int, people: int) -> None:
    with pytest.raises(ValueError, match="no incidence"):
        incidence(cases, people)


@pytest.mark.parametrize(("deaths", "cases"), [(0, 0), (2, 1), (-1, 3)])
def test_an_impossible_case_fatality_is_refused(deaths: int, cases: int) -> None:
    with pytest.raises(ValueError, match="no case fatality"):
        case_fatality(deaths, cases)

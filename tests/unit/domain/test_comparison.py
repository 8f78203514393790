"""Counts beside earlier years: what is compared with what, and when nothing is."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from streams.domain.calendar import Period
from streams.domain.comparison import Comparison, Mode, Row, compare
from streams.domain.counts import COUNTERS, Basis

YEAR = Period(date(2023, 1, 1), date(2023, 12, 31))


class Known:
    """A place of which some diseases are known in some years."""

    def __init__(self, years: Mapping[str, Collection[int]]) -> None:
        self._years = years

    def is_known(self, disease: str, first: date, last: date) -> bool:
        return {first.year, last.year} <= set(self._years.get(disease, ()))


ALWAYS = Known({disease: range(1990, 2100) for disease in ("dengue", "measles")})


def row(notified: int, deaths: int = 0, **dimensions: Any) -> Row:
    return {
        **dimensions,
        **dict.fromkeys(COUNTERS, 0),
        "notified": notified,
        "deaths": deaths,
        "approximate": 0,
        "approximate_share": None,
    }


def compared(
    rows: Sequence[Row],
    earlier: Mapping[int, Sequence[Row]],
    *by: str,
    mode: Mode = "previous-year",
    period: Period = YEAR,
    known: Known = ALWAYS,
    basis: Basis = "onset",
) -> list[Row]:
    comparison = Comparison(mode, period, by, basis)
    filled = {years: earlier.get(years, []) for years in comparison.years}
    return compare(rows, filled, comparison, lambda _: known, lambda row: [row.get("disease", "dengue")])


def test_beside_the_same_period_of_the_year_before() -> None:
    (found,) = compared([row(40, 1)], {1: [row(18, 3)]})
    assert (found["previous_from"], found["previous_to"]) == (date(2022, 1, 1), date(2022, 12, 31))
    assert (found["previous_notified"], found["previous_deaths"]) == (18, 3)
    assert (found["change"], found["change_relative"], found["change_deaths"]) == (22, 1.2222, -2)
    assert found["comparison_note"] is None


def test_what_was_zero_and_known_is_compared_without_a_share() -> None:
    (found,) = compared([row(4)], {})
    assert (found["previous_notified"], found["change"], found["change_relative"]) == (0, 4, None)
    assert found["comparison_note"]["code"] == "from_zero"


def test_nothing_is_compared_with_a_year_that_is_not_known() -> None:
    known = Known({"dengue": [2023]})
    (found,) = compared([row(657)], {}, known=known)
    assert found["notified"] == 657
    for name in ("previous_notified", "previous_deaths", "change", "change_relative", "change_deaths"):
        assert found[name] is None
    note = found["comparison_note"]
    assert note["code"] == "not_known"
    assert "01/01/2022–31/12/2022 (dengue)" in note["message_vi"]
    assert "01/01/2022–31/12/2022 (dengue)" in note["message_en"]


def test_each_disease_has_its_own_coverage() -> None:
    known = Known({"dengue": [2022], "measles": []})
    rows = [row(5, disease="dengue"), row(7, disease="measles")]
    dengue, measles = compared(rows, {1: [row(2, disease="dengue")]}, "disease", known=known)
    assert (dengue["change"], measles["change"]) == (3, None)


def test_what_is_no_more_has_a_row_of_zeros() -> None:
    rows = [row(5, disease="dengue")]
    before = [row(2, disease="dengue"), row(9, 1, disease="measles")]
    _, gone = compared(rows, {1: before}, "disease")
    assert (gone["disease"], gone["notified"], gone["deaths"]) == ("measles", 0, 0)
    assert (gone["previous_notified"], gone["change"], gone["change_relative"]) == (9, -9, -1.0)


def test_weeks_are_compared_by_their_number_and_week_53_with_week_52() -> None:
    period = Period(date(2026, 12, 14), date(2027, 1, 3))
    rows = [
        row(3, week="2026-W52", week_start=date(2026, 12, 21)),
        row(5, week="2026-W53", week_start=date(2026, 12, 28)),
    ]
    before = [
        row(1, week="2025-W51", week_start=date(2025, 12, 15)),
        row(4, week="2025-W52", week_start=date(2025, 12, 22)),
    ]
    week_52, week_53, week_51 = compared(rows, {1: before}, "week", period=period)
    assert (week_52["previous_notified"], week_53["previous_notified"]) == (4, 4)
    assert (week_53["previous_from"], week_53["previous_to"]) == (date(2025, 12, 22), date(2025, 12, 28))
    assert (week_51["week"], week_51["week_start"], week_51["change"]) == ("2026-W51", date(2026, 12, 14), -1)


def test_a_week_53_of_before_is_compared_with_nothing_where_there_is_none() -> None:
    period = Period(date(2021, 12, 20), date(2022, 1, 2))
    before = [row(4, week="2020-W53", week_start=date(2020, 12, 28))]
    assert compared([], {1: before}, "week", period=period) == []


def test_months_and_years_and_days_find_their_own() -> None:
    months = compared(
        [row(5, month="2023-02")], {1: [row(3, month="2022-02"), row(1, month="2022-11")]}, "month"
    )
    assert [(r["month"], r["change"]) for r in months] == [("2023-02", 2), ("2023-11", -1)]
    (year,) = compared([row(5, year=2023)], {1: [row(3, year=2022)]}, "year")
    assert year["change"] == 2
    leap = Period(date(2024, 2, 28), date(2024, 2, 29))
    rows = [row(1, day=date(2024, 2, 28)), row(2, day=date(2024, 2, 29))]
    days = compared(rows, {1: [row(6, day=date(2023, 2, 28))]}, "day", period=leap)
    assert [r["previous_notified"] for r in days] == [6, 6]


def test_a_month_that_was_asked_for_in_part_is_compared_with_the_same_part() -> None:
    period = Period(date(2023, 1, 10), date(2023, 3, 20))
    (found,) = compared([row(5, month="2023-03")], {1: [row(3, month="2022-03")]}, "month", period=period)
    assert (found["previous_from"], found["previous_to"]) == (date(2022, 3, 1), date(2022, 3, 20))


def test_what_has_no_day_is_compared_with_nothing() -> None:
    rows = [row(0, 2, month=None)]
    (found,) = compared(rows, {1: [row(0, 1, month=None)]}, "month", basis="death")
    assert (found["deaths"], found["change"], found["comparison_note"]["code"]) == (2, None, "no_day")


def test_on_the_basis_of_death_deaths_are_compared() -> None:
    (found,) = compared([row(0, 5)], {1: [row(0, 2)]}, basis="death")
    assert (found["change"], found["change_relative"]) == (3, 1.5)


def test_the_median_of_five_years_with_its_range() -> None:
    earlier = {1: [row(10)], 2: [row(2)], 3: [row(7)], 4: [], 5: [row(8)]}
    (found,) = compared([row(14)], earlier, mode="median-5y")
    assert (found["median_5y"], found["range_5y"]) == (7, [0, 10])
    assert found["years_5y"] == [2018, 2019, 2020, 2021, 2022]
    assert (found["change"], found["change_relative"], found["comparison_note"]) == (7, 1.0, None)
    assert "previous_notified" not in found


def test_years_that_are_not_known_are_left_out_of_the_median_and_named() -> None:
    known = Known({"dengue": [2018, 2020, 2021, 2022]})
    earlier = {1: [row(10)], 2: [row(2)], 3: [row(7)], 4: [row(99)], 5: [row(8)]}
    (found,) = compared([row(14)], earlier, mode="median-5y", known=known)
    assert (found["median_5y"], found["range_5y"], found["years_5y"]) == (
        7.5,
        [2, 10],
        [2018, 2020, 2021, 2022],
    )
    assert found["comparison_note"]["code"] == "some_years_not_known"
    assert "01/01/2019–31/12/2019" in found["comparison_note"]["message_vi"]


def test_two_years_are_too_few_for_a_median() -> None:
    known = Known({"dengue": [2020, 2022]})
    (found,) = compared([row(14)], {1: [row(10)], 3: [row(7)]}, mode="median-5y", known=known)
    assert (found["median_5y"], found["range_5y"], found["change"]) == (None, None, None)
    assert found["years_5y"] == [2020, 2022]
    assert found["comparison_note"]["code"] == "too_few_years"


def test_iso_years_name_the_years_of_weeks() -> None:
    week_1 = Period(date(2024, 12, 30), date(2025, 1, 5))
    rows = [row(3, week="2025-W01", week_start=date(2024, 12, 30))]
    (found,) = compared(rows, {}, "week", mode="median-5y", period=week_1)
    assert found["years_5y"] == [2020, 2021, 2022, 2023, 2024]


def test_several_dimensions_of_time_are_refused() -> None:
    with pytest.raises(ValueError, match="one dimension of time, not week, month"):
        compared([row(1, month="2023-01", week="2023-W01")], {}, "month", "week")

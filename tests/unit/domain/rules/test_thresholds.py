"""The CDC's own thresholds, at and around their numbers."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.rules import CaseFact, Facts, JudgedArea, Level, Outcome, RuleBook, Verdict
from streams.domain.rules.book import Kind, Rule
from tests.rules import AREA, book, case, cases, every_year, facts, judged, packaged_book

ON = "2026-08-10"


def own(kind: Kind, **fields: Any) -> RuleBook:
    """A rule book of one threshold, `own`."""
    rule = Rule("own", kind, "commune", Level.ALERT, None, None, "CDC", "Ngưỡng", "Threshold", {})
    return replace(packaged_book(), rules=(replace(rule, **fields),))


def verdict(
    kind: Kind, numbers: dict[str, int], known: Facts, disease: str = "hfmd", **fields: Any
) -> Verdict:
    return judged(disease, ON, known, own(kind, numbers=numbers, **fields))["own"]


@pytest.mark.parametrize(
    ("days_of_report", "expected"),
    [
        (["2026-08-04", "2026-08-07", "2026-08-10"], Outcome.ALERT),
        (["2026-08-03", "2026-08-07", "2026-08-10"], Outcome.NO),
        (["2026-08-07", "2026-08-10", "2026-08-11"], Outcome.NO),
    ],
)
def test_cases_within_rolling_days(days_of_report: list[str], expected: Outcome) -> None:
    known = facts({}, [case("2026-08-01", day) for day in days_of_report])
    found = verdict("cases_in_window", {"cases": 3, "days": 7}, known)

    assert found.verdict is expected
    assert (found.period_start, found.period_end) == (date(2026, 8, 4), date(2026, 8, 10))


@given(cases=st.integers(0, 400), population=st.integers(1, 3_000_000), rate=st.integers(1, 500))
def test_the_rate_is_exact(cases: int, population: int, rate: int) -> None:
    known = facts({}, [case(ON)] * cases, population=population)
    numbers = {"per_100k": rate, "cases": 1, "days": 30}
    is_met = cases >= 1 and Fraction(cases * 100_000, population) >= rate

    assert verdict("rate_in_window", numbers, known).verdict is (Outcome.ALERT if is_met else Outcome.NO)


def test_a_rate_wants_a_population_and_a_least_number_of_cases() -> None:
    numbers = {"per_100k": 10, "cases": 5, "days": 30}
    without = verdict("rate_in_window", numbers, facts({}, cases(9, ON)))
    few = verdict("rate_in_window", numbers, facts({}, cases(4, ON)))
    enough = verdict("rate_in_window", numbers, facts({}, cases(5, ON), population=1_000))

    assert without.verdict is Outcome.NOT_COMPUTABLE
    assert "population not loaded" in without.why_en
    assert (few.verdict, few.numbers["cases"], few.numbers["cases_needed"]) == (Outcome.NO, 4, 5)
    assert (enough.verdict, enough.numbers["rate_per_100k"]) == (Outcome.ALERT, 500)


@pytest.mark.parametrize(
    ("last_year", "now", "expected"),
    [
        (5, 10, Outcome.ALERT),
        (6, 11, Outcome.NO),
        (6, 12, Outcome.ALERT),
        (0, 10, Outcome.ALERT),
        (0, 9, Outcome.NO),
    ],
)
def test_change_on_the_same_days_of_last_year(last_year: int, now: int, expected: Outcome) -> None:
    numbers = {"percent": 100, "cases": 10, "days": 30}
    known = facts({date(2025, 8, 10): last_year, date(2025, 8, 11): 99}, cases(now, ON))
    found = verdict("change_on_last_year", numbers, known)

    assert (found.verdict, found.numbers["last_year"]) == (expected, last_year)


def test_change_wants_records_of_last_year() -> None:
    numbers = {"percent": 100, "cases": 10, "days": 30}
    known = facts({}, cases(50, ON), known_from=date(2026, 1, 1))

    assert verdict("change_on_last_year", numbers, known).verdict is Outcome.NOT_COMPUTABLE


@pytest.mark.parametrize(
    ("kind", "seen", "expected"),
    [
        ("any_case", case("2026-08-04"), Outcome.ALERT),
        ("any_case", case("2026-08-03"), Outcome.NO),
        ("any_case", case(ON, classification="discarded"), Outcome.NO),
        ("any_imported", case(ON, is_imported=True), Outcome.ALERT),
        ("any_imported", case(ON), Outcome.NO),
        ("any_imported", case(ON, is_imported=True, classification="discarded"), Outcome.NO),
        ("any_death", case("2026-06-01", is_death=True, death_day=date(2026, 8, 4)), Outcome.ALERT),
        ("any_death", case(ON, is_death=True, death_day=date(2026, 8, 3)), Outcome.NO),
        ("any_death", case("2026-08-05", is_death=True), Outcome.ALERT),
        ("any_death", case(ON), Outcome.NO),
    ],
)
def test_one_is_enough(kind: Kind, seen: CaseFact, expected: Outcome) -> None:
    assert verdict(kind, {"days": 7}, facts({}, [seen])).verdict is expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (case("2026-07-01", is_pending=True, sampled_on=date(2026, 7, 26)), Outcome.ALERT),
        (case("2026-07-01", is_pending=True, sampled_on=date(2026, 7, 27)), Outcome.NO),
        (case("2026-07-01", is_pending=True), Outcome.ALERT),
        (case("2026-07-01", sampled_on=date(2026, 7, 1)), Outcome.NO),
        (case("2026-07-01", is_pending=True, classification="discarded"), Outcome.NO),
    ],
)
def test_a_result_awaited_too_long(seen: CaseFact, expected: Outcome) -> None:
    assert verdict("lab_pending", {"days": 14}, facts({}, [seen])).verdict is expected


def test_silent_reporters() -> None:
    by_days = {14: ["TYT-2", "TYT-1"], 30: []}
    known = facts({}, silent_reporters=by_days)
    surveillance_area = JudgedArea("106@2025-07-01", "surveillance", "Tam Đường", AREA.province_id)

    def found(days: int, area: JudgedArea = surveillance_area) -> Verdict:
        rules = own("silent_reporter", numbers={"days": days}, area="district")
        return judged("hfmd", ON, known, rules, area)["own"]

    assert found(14).numbers["silent"] == ["TYT-1", "TYT-2"]
    assert found(14).verdict is Outcome.ALERT
    assert found(30).verdict is Outcome.NO
    assert found(7).verdict is Outcome.NOT_COMPUTABLE
    assert found(14, AREA).verdict is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("scope", "is_judged"),
    [
        ({"diseases": frozenset({"hfmd"})}, True),
        ({"diseases": frozenset({"rabies"})}, False),
        ({"groups": frozenset({"A", "B"})}, True),
        ({"groups": frozenset({"A"})}, False),
        ({"endemic": True}, True),
        ({"endemic": False}, False),
        ({"valid_from": date(2026, 8, 10)}, True),
        ({"valid_from": date(2026, 8, 11)}, False),
        ({"valid_to": date(2026, 8, 10)}, True),
        ({"valid_to": date(2026, 8, 9)}, False),
    ],
)
def test_whom_a_rule_is_for(scope: dict[str, Any], is_judged: bool) -> None:
    found = verdict("any_case", {"days": 7}, facts(every_year(2026), [case(ON)]), **scope)

    assert found.verdict is (Outcome.ALERT if is_judged else Outcome.NOT_APPLICABLE)
    assert found.level is (Level.ALERT if is_judged else Level.NONE)


def test_the_packaged_thresholds_speak() -> None:
    seen = [case(ON, is_imported=True, is_death=True, death_day=date(2026, 8, 10))]
    found = judged("rabies", ON, facts({}, seen), book())

    assert {rule for rule, v in found.items() if v.is_raised} == {
        "cdc_single_case",
        "cdc_any_death",
        "cdc_any_imported",
        "tt15_10_2b",
    }

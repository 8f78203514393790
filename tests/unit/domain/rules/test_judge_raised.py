"""`judge_raised` answers what `judge_all` raises, and leaves out nothing of it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.rules import CaseFact, CommuneFacts, Facts, JudgedArea, judge_all, judge_raised
from streams.domain.rules.book import Guidance
from tests.rules import AREA, book, case, every_year, facts, packaged_book

# Under QĐ 02/2016, in the weeks in which both laws judge what is late, and under TT 15/2026.
DAYS = (date(2025, 6, 20), date(2026, 7, 9), date(2026, 11, 22))
H5N1 = "influenza_a_h5n1"
BOOK = book(
    guidance=(Guidance(H5N1, date(2026, 7, 1), None, 2, 14, "CV 1/PB"),),
    settings={"verify_link_cases": 2},
)


@st.composite
def known(draw: st.DrawFn, on: date) -> Facts:
    """A few cases of the last weeks, some years of history."""
    listed: list[CaseFact] = []
    for _ in range(draw(st.integers(0, 12))):
        reported = on - timedelta(days=draw(st.integers(0, 40)))
        classification = draw(st.sampled_from(("suspected", "confirmed", "discarded")))
        listed.append(
            CaseFact(
                reported - timedelta(days=draw(st.integers(0, 20))),
                reported,
                classification,
                confirmed_on=reported if classification == "confirmed" else None,
                is_imported=draw(st.booleans()),
                cluster=draw(st.sampled_from((None, "a", "b"))),
                is_death=draw(st.booleans()),
                is_pending=draw(st.booleans()),
            )
        )
    by_onset = every_year(on.year) if draw(st.booleans()) else {}
    for one in listed:
        if one.counts:
            by_onset[one.onset_day] = by_onset.get(one.onset_day, 0) + 1
    return facts(by_onset, listed, population=draw(st.sampled_from((None, 3_000))))


@given(data=st.data(), on=st.sampled_from(DAYS), disease=st.sampled_from(sorted(BOOK.diseases)))
def test_what_is_raised_is_what_all_rules_raise(data: st.DataObject, on: date, disease: str) -> None:
    seen = data.draw(known(on))
    everything = judge_all(BOOK, disease, AREA, seen, on)
    assert judge_raised(BOOK, disease, AREA, seen, on) == [v for v in everything if v.is_raised]


@pytest.mark.parametrize(
    ("rule_id", "disease", "seen"),
    [
        (
            "tt15_22_1a",
            H5N1,
            [case("2026-11-20", classification="confirmed", confirmed_on=date(2026, 11, 20))],
        ),
        ("tt15_22_1c", "measles", [case("2026-11-20", cluster="x")] * 3),
        ("tt15_16_1c", "measles", [case("2026-11-20", cluster="x")] * 5),
        ("tt15_10_2b", "measles", [case("2026-11-20", is_death=True)]),
        ("cdc_cases_in_7_days", "measles", [case("2026-11-20")] * 3),
        ("cdc_single_case", "rabies", [case("2026-11-20")]),
        ("cdc_any_death", "measles", [case("2026-11-20", is_death=True)]),
        ("cdc_any_imported", "measles", [case("2026-11-20", is_imported=True)]),
        ("cdc_rate_30_days", "measles", [case("2026-11-20")] * 5),
        ("cdc_change_30_days", "measles", [case("2026-11-20")] * 10),
        ("cdc_lab_pending", "measles", [case("2026-11-01", is_pending=True)]),
    ],
)
def test_the_fewest_cases_that_raise_are_enough(rule_id: str, disease: str, seen: list[CaseFact]) -> None:
    """And one fewer, or none of the kind that is counted, are not."""
    on = date(2026, 11, 22)
    by_onset = {seen[0].onset_day: len(seen)}
    raised = judge_raised(packaged_book(), disease, AREA, facts(by_onset, seen, population=3_000), on)
    assert rule_id in {verdict.rule_id for verdict in raised}
    fewer = judge_raised(packaged_book(), disease, AREA, facts({}, seen[1:], population=3_000), on)
    assert rule_id not in {verdict.rule_id for verdict in fewer}


def test_a_season_above_its_band_is_raised_also_for_a_month_that_is_past() -> None:
    """Reported in November, the cases of October push October over its criterion."""
    on = date(2026, 11, 5)
    seen = [case("2026-10-30", "2026-11-04")] * 9
    history = every_year(2026) | {date(2026, 10, 30): 9}
    raised = judge_raised(packaged_book(), "hfmd", AREA, facts(history, seen), on)
    assert ("tt15_16_1b", date(2026, 10, 1), True) in {(v.rule_id, v.period_start, v.is_late) for v in raised}


def test_districts_with_communes_in_outbreak_are_raised() -> None:
    on = date(2025, 6, 20)
    district = JudgedArea("106@start", "district", "Tam Đường", AREA.province_id)
    communes = [CommuneFacts(name, district.id, {on: 3}, {}) for name in ("a", "b")]
    raised = judge_raised(packaged_book(), "dengue", district, facts({}, communes=communes), on)
    assert [verdict.rule_id for verdict in raised] == ["qd02_district"]
    assert judge_raised(packaged_book(), "dengue", district, facts({}), on) == []

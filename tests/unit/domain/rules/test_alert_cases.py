"""The law's criteria against cases computed by hand, each under its own number.

H: the same week or month of the usable years; m: their mean; s: their sample SD; c: cases to the day judged.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from streams.domain.calendar import LOCAL_ZONE
from streams.domain.rules import (
    CaseFact,
    CommuneFacts,
    JudgedArea,
    Level,
    Notice,
    Outcome,
    Standing,
    death_clocks,
    notice_due,
)
from tests.rules import (
    AREA,
    all_judged,
    book,
    case,
    cases,
    every_year,
    facts,
    in_months,
    in_weeks,
    judged,
)

ENDEMIC, NOT_ENDEMIC = "hfmd", "dengue"
"""Hand, foot and mouth disease is endemic in Lai Châu by the catalogue, dengue is not."""

H1 = [1, 1, 3, 5, 5]
W30 = "2026-07-26"
"""The Sunday of week 30 of 2026; its Monday is 2026-07-20."""


def weekly(history: Sequence[int], c: int, **settings: object) -> Outcome:
    known = facts({**every_year(2026), **in_weeks(2026, 30, history)}, cases(c, "2026-07-20"))
    return judged(ENDEMIC, W30, known, book(settings))["tt15_22_1b"].verdict


def monthly(history: Sequence[int], c: int) -> Outcome:
    known = facts({**every_year(2026), **in_months(2026, 7, history)}, cases(c, "2026-07-09"))
    return judged(ENDEMIC, "2026-07-09", known)["tt15_16_1b"].verdict


# --- E: the week, endemic ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "c", "expected"),
    [
        (H1, 4, Outcome.NO),
        (H1, 5, Outcome.ALERT),
        (H1, 6, Outcome.ALERT),
        (H1, 7, Outcome.ALERT),
        (H1, 8, Outcome.ABOVE_BAND),
        ([2, 4, 4, 6, 4], 5, Outcome.NO),
        ([2, 4, 4, 6, 4], 6, Outcome.ALERT),
        ([2, 4, 4, 6, 4], 7, Outcome.ABOVE_BAND),
    ],
)
def test_e1_e2_both_ends_of_the_band_alert(history: list[int], c: int, expected: Outcome) -> None:
    assert weekly(history, c) is expected


def test_e1_levels_and_numbers() -> None:
    known = facts(
        in_weeks(2026, 30, H1), [*cases(6, "2026-07-21"), *cases(2, "2026-07-22", is_imported=True)]
    )
    seventh = judged(ENDEMIC, "2026-07-21", known)["tt15_22_1b"]
    verdict = judged(ENDEMIC, W30, known)["tt15_22_1b"]

    assert (seventh.verdict, seventh.level) == (Outcome.ALERT, Level.ALERT)
    assert (verdict.verdict, verdict.level) == (Outcome.ABOVE_BAND, Level.ABOVE_BAND)
    assert verdict.numbers == {
        "cases": 8,
        "local": 6,
        "imported": 2,
        "discarded": 0,
        "endemic": "yes",
        "years_with_cases": 5,
        "years": [2021, 2022, 2023, 2024, 2025],
        "history": H1,
        "usable_years": 5,
        "years_asked": 5,
        "left_out": {},
        "mean": 3.0,
        "sd": 2.0,
        "lower": 5.0,
        "upper": 7.0,
        "from": 5,
        "to": 7,
        "reached_on": "2026-07-21",
    }
    assert (verdict.period_start, verdict.period_end) == (date(2026, 7, 20), date(2026, 7, 26))
    assert "5/5 năm" in verdict.why_vi
    assert "TT 15/2026/TT-BYT Điều 22.1b" in verdict.why_en


def test_e2_the_week_to_date_is_judged_every_day() -> None:
    seen = [
        case("2026-07-20"),
        case("2026-07-21"),
        *cases(2, "2026-07-22"),
        *cases(2, "2026-07-23"),
    ]
    known = facts({**every_year(2026), **in_weeks(2026, 30, [2, 4, 4, 6, 4])}, seen)
    by_day = [
        judged(ENDEMIC, f"2026-07-{day}", known)["tt15_22_1b"].verdict for day in (20, 21, 22, 23, 24, 25, 26)
    ]

    assert by_day == [Outcome.NO] * 3 + [Outcome.ALERT] * 4


def test_e2_a_late_case_raises_the_alert_of_its_past_week() -> None:
    on_time = cases(5, "2026-07-22")
    late = case("2026-07-26", report="2026-07-28")
    known = facts({**every_year(2026), **in_weeks(2026, 30, [2, 4, 4, 6, 4])}, [*on_time, late])
    verdicts = [v for v in all_judged(ENDEMIC, "2026-07-28", known) if v.rule_id == "tt15_22_1b"]

    assert [(v.verdict, v.is_late, v.period_start) for v in verdicts] == [
        (Outcome.NO, False, date(2026, 7, 27)),
        (Outcome.ALERT, True, date(2026, 7, 20)),
    ]
    assert judged(ENDEMIC, W30, known)["tt15_22_1b"].is_late
    # A day before it was reported, nothing is said of the past week.
    assert len([v for v in all_judged(ENDEMIC, "2026-07-27", known) if v.rule_id == "tt15_22_1b"]) == 1


def test_e2_a_discarded_case_makes_it_no_longer_met() -> None:
    seen = [*cases(5, "2026-07-22"), case("2026-07-23", classification="discarded")]
    known = facts({**every_year(2026), **in_weeks(2026, 30, [2, 4, 4, 6, 4])}, seen)
    standing = [Standing("tt15_22_1b", date(2026, 7, 20), date(2026, 7, 26))]
    verdict = judged(ENDEMIC, W30, known, standing=standing)["tt15_22_1b"]
    later = [
        v for v in all_judged(ENDEMIC, "2026-08-04", known, standing=standing) if v.rule_id == "tt15_22_1b"
    ]

    assert judged(ENDEMIC, W30, known)["tt15_22_1b"].verdict is Outcome.NO
    assert verdict.verdict is Outcome.NO_LONGER_MET
    assert verdict.numbers["cases"] == 5
    assert verdict.numbers["discarded"] == 1
    assert [(v.verdict, v.period_start) for v in later] == [
        (Outcome.NO, date(2026, 8, 3)),
        (Outcome.NO_LONGER_MET, date(2026, 7, 20)),
    ]


# --- M: the month, endemic --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "c", "expected"),
    [
        ([6, 6, 10, 14, 14], 18, Outcome.NO),
        ([6, 6, 10, 14, 14], 19, Outcome.OUTBREAK),
        ([10, 12, 8, 14, 6], 16, Outcome.NO),
        ([10, 12, 8, 14, 6], 17, Outcome.OUTBREAK),
    ],
)
def test_m1_m2_the_month_must_exceed(history: list[int], c: int, expected: Outcome) -> None:
    assert monthly(history, c) is expected


def test_m2_an_outbreak_from_the_day_that_reached_it() -> None:
    seen = [*cases(16, "2026-07-03"), case("2026-07-09"), *cases(4, "2026-07-20")]
    known = facts({**every_year(2026), **in_months(2026, 7, [10, 12, 8, 14, 6])}, seen)

    assert judged(ENDEMIC, "2026-07-08", known)["tt15_16_1b"].verdict is Outcome.NO
    for day in ("2026-07-09", "2026-07-31"):
        verdict = judged(ENDEMIC, day, known)["tt15_16_1b"]
        assert (verdict.verdict, verdict.level) == (Outcome.OUTBREAK, Level.OUTBREAK)
        assert verdict.numbers["reached_on"] == "2026-07-09"


@pytest.mark.parametrize(
    ("c", "notices", "settings", "expected"),
    [
        (6, [Notice(2023)], {}, Outcome.NO),
        (7, [Notice(2023)], {}, Outcome.OUTBREAK),
        # Wrongly kept, the outbreak would be missed.
        (43, [], {}, Outcome.NO),
        (44, [], {}, Outcome.OUTBREAK),
        (6, [Notice(2023)], {"look_further_back": True}, Outcome.OUTBREAK),
        (5, [Notice(2023)], {"look_further_back": True}, Outcome.NO),
    ],
)
def test_m3_an_outbreak_year_is_left_out(
    c: int, notices: list[Notice], settings: dict[str, object], expected: Outcome
) -> None:
    history = {**every_year(2026), **in_months(2026, 7, [3, 1, 1, 40, 1, 5])}
    known = facts(history, cases(c, "2026-07-09"), notices=notices)
    verdict = judged(ENDEMIC, "2026-07-31", known, book(settings))["tt15_16_1b"]

    assert verdict.verdict is expected
    if notices:
        assert verdict.numbers["left_out"] == {"2023": "outbreak_year"}
        assert verdict.numbers["history"] == ([3, 1, 1, 1, 5] if settings else [1, 1, 1, 5])


# --- N: not endemic ---------------------------------------------------------------------------------------


def test_n1_three_linked_cases_of_a_week() -> None:
    linked = [case(f"2026-07-{day}", cluster="A") for day in (20, 22, 26)]
    pairs = [*cases(2, "2026-07-21", cluster="A"), *cases(2, "2026-07-22", cluster="B")]

    alert = judged(NOT_ENDEMIC, W30, facts({}, linked))
    doubt = judged(NOT_ENDEMIC, W30, facts({}, pairs))
    assert alert["tt15_22_1c"].verdict is Outcome.ALERT
    assert alert["tt15_22_1b"].verdict is Outcome.NOT_APPLICABLE
    assert (doubt["tt15_22_1c"].verdict, doubt["tt15_22_1c"].level) == (Outcome.VERIFY_LINK, Level.ATTENTION)
    assert doubt["tt15_22_1c"].numbers["cases"] == 4
    assert doubt["tt15_22_1c"].numbers["linked"] == 2


@pytest.mark.parametrize("number", [4, 5])
def test_n1_more_than_three_alert_too(number: int) -> None:
    seen = cases(number, "2026-07-20", cluster="A")
    verdicts = judged(NOT_ENDEMIC, W30, facts({}, seen))

    assert verdicts["tt15_22_1c"].verdict is Outcome.ALERT
    assert verdicts["tt15_16_1c"].verdict is (Outcome.OUTBREAK if number == 5 else Outcome.NO)


def test_n2_the_week_ends_on_sunday_the_rolling_window_does_not() -> None:
    seen = [case("2026-07-12", cluster="A"), *cases(2, "2026-07-13", cluster="A")]

    for day in ("2026-07-12", "2026-07-13", "2026-07-19"):
        assert judged(NOT_ENDEMIC, day, facts({}, seen))["tt15_22_1c"].verdict is Outcome.NO
    assert judged(NOT_ENDEMIC, "2026-07-13", facts({}, seen))["cdc_cases_in_7_days"].verdict is Outcome.ALERT
    assert judged(NOT_ENDEMIC, "2026-07-12", facts({}, seen))["cdc_cases_in_7_days"].verdict is Outcome.NO


def _n3(last_of_july: Sequence[CaseFact]) -> list[CaseFact]:
    return [case("2026-07-30", cluster="A"), *last_of_july, *cases(2, "2026-08-01", cluster="A")]


def test_n3_the_month_changes_within_a_cluster() -> None:
    known = facts({}, _n3(cases(2, "2026-07-31", cluster="A")))

    assert judged(NOT_ENDEMIC, "2026-07-31", known)["tt15_16_1c"].verdict is Outcome.NO
    assert judged(NOT_ENDEMIC, "2026-08-31", known)["tt15_16_1c"].verdict is Outcome.NO
    week = judged(NOT_ENDEMIC, "2026-08-02", known)["tt15_22_1c"]
    assert (week.verdict, week.numbers["linked"]) == (Outcome.ALERT, 5)


def test_n3_five_in_july_and_one_discarded_later() -> None:
    four = cases(4, "2026-07-31", cluster="A")
    withdrawn = [*four[:3], case("2026-07-31", cluster="A", classification="discarded")]
    standing = [Standing("tt15_16_1c", date(2026, 7, 1), date(2026, 7, 31))]

    assert judged(NOT_ENDEMIC, "2026-07-31", facts({}, _n3(four)))["tt15_16_1c"].verdict is Outcome.OUTBREAK
    verdicts = all_judged(NOT_ENDEMIC, "2026-08-03", facts({}, _n3(withdrawn)), standing=standing)
    past = [v for v in verdicts if v.rule_id == "tt15_16_1c" and v.period_start == date(2026, 7, 1)]
    assert [(v.verdict, v.numbers["linked"]) for v in past] == [(Outcome.NO_LONGER_MET, 4)]
    # Nothing but the station ends it.
    assert not any(v.verdict is Outcome.ENDED_PROPOSED for v in verdicts)


# --- G: group A -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (case("2026-08-01", is_pending=True), Outcome.NO),
        (case("2026-08-01", classification="probable"), Outcome.NO),
        (case("2026-08-01", classification="confirmed", confirmed_on=date(2026, 8, 3)), Outcome.ALERT),
        (case("2026-08-01", classification="confirmed", confirmed_on=date(2026, 8, 4)), Outcome.NO),
    ],
)
def test_g1_one_confirmed_case_and_no_less(seen: CaseFact, expected: Outcome) -> None:
    assert judged("influenza_a_h5n1", "2026-08-03", facts({}, [seen]))["tt15_22_1a"].verdict is expected


def test_g2_a_discarded_case_is_a_withdrawn_basis() -> None:
    discarded = case("2026-08-01", classification="discarded")
    period = Standing("tt15_22_1a", date(2026, 7, 7), date(2026, 8, 3))
    verdicts = [
        v
        for v in all_judged("influenza_a_h5n1", "2026-08-05", facts({}, [discarded]), standing=[period])
        if v.rule_id == "tt15_22_1a"
    ]

    assert [v.verdict for v in verdicts] == [Outcome.NO, Outcome.NO_LONGER_MET]
    assert "basis withdrawn" in verdicts[1].why_en
    assert verdicts[1].numbers["confirmed"] == 0


def test_g3_covid_19_leaves_group_a() -> None:
    first = case("2023-10-17", classification="confirmed", confirmed_on=date(2023, 10, 19))
    second = case("2023-10-18", "2023-10-20", classification="confirmed", confirmed_on=date(2023, 10, 20))
    before = judged("covid19", "2023-10-19", facts({}, [first]))
    after = judged("covid19", "2023-10-20", facts({}, [second]))

    assert before["qd02_2_1"].verdict is Outcome.OUTBREAK
    assert before["qd02_2_2a"].verdict is Outcome.NOT_APPLICABLE
    assert after["qd02_2_1"].verdict is Outcome.NOT_APPLICABLE
    assert after["qd02_2_2a"].verdict is not Outcome.NOT_APPLICABLE


def test_g3_an_outbreak_of_group_a_is_not_computable_without_guidance() -> None:
    seen = [case("2026-08-01", classification="confirmed", confirmed_on=date(2026, 8, 1))]
    for known in (facts({}, seen), facts({}, [])):
        verdict = judged("influenza_a_h5n1", "2026-08-03", known)["tt15_16_1a"]
        assert verdict.verdict is Outcome.NOT_COMPUTABLE
        assert "not computable: guidance not loaded" in verdict.why_en


# --- S: no spread, no history -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("c", "week", "month"),
    [(2, Outcome.NO, Outcome.NO), (3, Outcome.ALERT, Outcome.NO), (4, Outcome.ABOVE_BAND, Outcome.OUTBREAK)],
)
def test_s1_without_spread(c: int, week: Outcome, month: Outcome) -> None:
    assert weekly([3] * 5, c) is week
    assert monthly([3] * 5, c) is month


FORCED = {(ENDEMIC, AREA.id): True}


def test_s2_no_case_never_alerts() -> None:
    verdicts = judged(ENDEMIC, W30, facts({}), book(endemic=FORCED))

    assert verdicts["tt15_22_1b"].verdict is Outcome.NO
    assert verdicts["tt15_16_1b"].verdict is Outcome.NO


def test_s3_a_commune_without_cases_is_not_endemic() -> None:
    known = facts({}, [case("2026-07-21")])
    verdicts = judged(ENDEMIC, W30, known)

    assert verdicts["tt15_22_1b"].verdict is Outcome.NOT_APPLICABLE
    assert verdicts["tt15_16_1b"].verdict is Outcome.NOT_APPLICABLE
    assert verdicts["tt15_22_1c"].verdict is Outcome.NO
    assert verdicts["tt15_16_1c"].verdict is Outcome.NO


def test_s3_forced_endemic_is_judged_by_the_letter() -> None:
    known = facts({}, [case("2026-07-21")])
    verdicts = judged(ENDEMIC, W30, known, book(endemic=FORCED))

    assert verdicts["tt15_22_1b"].verdict is Outcome.ABOVE_BAND
    assert verdicts["tt15_16_1b"].verdict is Outcome.OUTBREAK
    assert "lịch sử toàn 0" in verdicts["tt15_16_1b"].why_vi
    assert verdicts["tt15_22_1c"].verdict is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("c", "expected"),
    [(3, Outcome.NO), (4, Outcome.ALERT), (5, Outcome.ALERT), (6, Outcome.ABOVE_BAND)],
)
def test_s4_one_year_with_cases(c: int, expected: Outcome) -> None:
    assert weekly([0, 0, 0, 0, 5], c) is expected


# --- Y: fewer than five years -----------------------------------------------------------------------------


@pytest.mark.parametrize(("c", "expected"), [(5, Outcome.NO), (6, Outcome.ALERT), (9, Outcome.ABOVE_BAND)])
def test_y1_three_usable_years(c: int, expected: Outcome) -> None:
    history = in_weeks(2026, 30, [2, 4, 6])
    known = facts(history, cases(c, "2026-07-20"), known_from=min(history))
    verdict = judged(ENDEMIC, W30, known)["tt15_22_1b"]

    assert verdict.verdict is expected
    assert "3/5 năm" in verdict.why_vi
    assert verdict.numbers["left_out"] == {"2021": "no_records", "2022": "no_records"}


def test_y2_two_usable_years_are_not_enough() -> None:
    young = in_weeks(2026, 30, [2, 6])
    by_records = facts(young, cases(9, "2026-07-20"), known_from=min(young))
    by_notices = facts(
        in_weeks(2026, 30, [2, 9, 9, 9, 6]),
        cases(9, "2026-07-20"),
        notices=[Notice(2022), Notice(2023), Notice(2024)],
    )

    for known in (by_records, by_notices):
        verdict = judged(ENDEMIC, W30, known)["tt15_22_1b"]
        assert verdict.verdict is Outcome.NOT_ENOUGH_HISTORY
        assert "không đủ số liệu" in verdict.why_vi
        assert verdict.numbers["history"] == [2, 6]
        assert verdict.numbers["cases"] == 9


def test_y3_a_new_commune_sums_first() -> None:
    old = ([0, 1, 0, 1, 1], [1, 0, 1, 2, 2], [0, 0, 2, 2, 2])
    history = in_weeks(2026, 30, map(sum, zip(*old, strict=True)))
    merged = JudgedArea(AREA.id, "commune", AREA.name_vi, AREA.province_id, parts=3)
    verdict = judged(ENDEMIC, W30, facts(history, cases(5, "2026-07-20")), area=merged)["tt15_22_1b"]

    assert verdict.numbers["history"] == H1
    assert (verdict.numbers["from"], verdict.numbers["to"]) == (5, 7)
    assert verdict.verdict is Outcome.ALERT
    assert verdict.is_reconstructed
    assert not judged(ENDEMIC, W30, facts(history))["tt15_22_1b"].is_reconstructed


# --- W: week 53 -------------------------------------------------------------------------------------------


def test_w1_week_53_is_compared_with_week_52() -> None:
    history = in_weeks(2026, 52, H1)
    known = facts(history, cases(5, "2026-12-28"))
    verdict = judged(ENDEMIC, "2026-12-30", known)["tt15_22_1b"]

    assert (verdict.numbers["history"], verdict.numbers["from"], verdict.numbers["to"]) == (H1, 5, 7)
    assert verdict.verdict is Outcome.ALERT
    assert (verdict.period_start, verdict.period_end) == (date(2026, 12, 28), date(2027, 1, 3))
    without = judged(ENDEMIC, "2026-12-30", known, book({"week_53": "none"}))["tt15_22_1b"]
    assert (without.verdict, without.numbers["usable_years"]) == (Outcome.NOT_ENOUGH_HISTORY, 0)


def test_w2_a_day_in_week_53_and_in_the_next_january() -> None:
    seen = [case("2027-01-02")]
    history = {**in_weeks(2026, 52, H1), **in_months(2027, 1, [2, 2, 2, 2, 2])}
    verdicts = judged(ENDEMIC, "2027-01-02", facts(history, seen))

    week, month = verdicts["tt15_22_1b"], verdicts["tt15_16_1b"]
    assert (week.numbers["cases"], week.numbers["years"]) == (1, [2021, 2022, 2023, 2024, 2025])
    assert (month.numbers["cases"], month.numbers["years"]) == (1, [2022, 2023, 2024, 2025, 2026])
    assert month.numbers["history"] == [2, 2, 2, 2, 2]


def test_w3_the_first_week_of_2027() -> None:
    history = {**every_year(2027), **in_weeks(2027, 1, [1, 2, 3, 4, 5])}
    known = facts({**history, date(2021, 1, 4): 99}, [case("2027-01-02")])
    verdict = judged(ENDEMIC, "2027-01-04", known)["tt15_22_1b"]

    assert verdict.numbers["cases"] == 0
    assert verdict.numbers["years"] == [2022, 2023, 2024, 2025, 2026]
    assert verdict.numbers["history"] == [1, 2, 3, 4, 5]


# --- C: months and ends -----------------------------------------------------------------------------------

_M1 = [6, 6, 10, 14, 14]


def _season(august: int) -> tuple[dict[date, int], list[CaseFact]]:
    seen = [*cases(25, "2026-07-20"), *cases(august, "2026-08-10")]
    return {**every_year(2026), **in_months(2026, 7, _M1), **in_months(2026, 8, _M1)}, seen


def _end(disease: str, on: str, known: object, **settings: object) -> Outcome:
    return judged(disease, on, known, book(settings))["tt15_16_3b"].verdict  # type: ignore[arg-type]


def test_c1_month_to_date_never_ends_an_outbreak() -> None:
    history, seen = _season(9)
    known = facts(history, seen)

    assert _end(ENDEMIC, "2026-07-31", known) is Outcome.STAYS_OPEN
    assert _end(ENDEMIC, "2026-08-01", known) is Outcome.STAYS_OPEN
    assert _end(ENDEMIC, "2026-08-31", known) is Outcome.STAYS_OPEN
    verdict = judged(ENDEMIC, "2026-09-01", known)["tt15_16_3b"]
    assert verdict.verdict is Outcome.ENDED_PROPOSED
    assert verdict.numbers["proposed_from"] == "2026-09-01"
    assert "trạm y tế" in verdict.why_vi
    # Nobody declared it: proposed once, then there is nothing to end.
    assert _end(ENDEMIC, "2026-10-01", known) is Outcome.NO


def test_c1_what_was_declared_is_proposed_until_the_station_ends_it() -> None:
    history, seen = _season(9)
    declared = facts(history, seen, notices=[Notice(2026, date(2026, 7, 20))])
    ended = facts(history, seen, notices=[Notice(2026, date(2026, 7, 20), date(2026, 9, 3))])

    assert _end(ENDEMIC, "2026-08-01", declared) is Outcome.STAYS_OPEN
    assert _end(ENDEMIC, "2026-09-01", declared) is Outcome.ENDED_PROPOSED
    assert _end(ENDEMIC, "2026-11-15", declared) is Outcome.ENDED_PROPOSED
    assert _end(ENDEMIC, "2026-11-15", ended) is Outcome.NO


def test_c1_the_other_reading_counts_thirty_days() -> None:
    history, seen = _season(9)
    known = facts(history, seen)

    assert _end(ENDEMIC, "2026-08-01", known, ending="rolling_30_days") is Outcome.STAYS_OPEN
    # From 22 July to 20 August there are 9, below the threshold of August.
    assert _end(ENDEMIC, "2026-08-20", known, ending="rolling_30_days") is Outcome.ENDED_PROPOSED
    assert _end(ENDEMIC, "2026-08-20", known) is Outcome.STAYS_OPEN


def test_c2_at_the_threshold_it_stays_open() -> None:
    for august, expected in (
        (17, Outcome.ENDED_PROPOSED),
        (18, Outcome.STAYS_OPEN),
        (19, Outcome.STAYS_OPEN),
    ):
        history, seen = _season(august)
        assert _end(ENDEMIC, "2026-09-01", facts(history, seen)) is expected


def test_c3_five_five_four() -> None:
    seen = [
        *cases(5, "2026-07-10", cluster="A"),
        *cases(5, "2026-08-10", cluster="A"),
        *cases(4, "2026-09-10", cluster="A"),
    ]
    ends = [
        _end(NOT_ENDEMIC, day, facts({}, seen))
        for day in ("2026-08-01", "2026-09-01", "2026-10-01", "2026-11-01")
    ]

    assert ends == [Outcome.STAYS_OPEN, Outcome.STAYS_OPEN, Outcome.ENDED_PROPOSED, Outcome.NO]


# --- R: the law changes -----------------------------------------------------------------------------------


def test_r1_the_week_of_the_change_counts_from_its_monday() -> None:
    seen = [*cases(3, "2026-06-29"), *cases(2, "2026-07-01")]
    known = facts({**every_year(2026), **in_weeks(2026, 27, H1)}, seen)
    before, after = judged(ENDEMIC, "2026-06-30", known), judged(ENDEMIC, "2026-07-01", known)

    assert before["tt15_22_1b"].verdict is Outcome.NOT_APPLICABLE
    assert before["qd02_2_2a"].verdict is Outcome.OUTBREAK
    assert after["qd02_2_2a"].verdict is Outcome.NOT_APPLICABLE
    assert (after["tt15_22_1b"].verdict, after["tt15_22_1b"].numbers["cases"]) == (Outcome.ALERT, 5)


@pytest.mark.parametrize(
    ("history", "c", "expected"),
    [
        ([2, 3, 4], 3, Outcome.NO),
        ([2, 3, 4], 4, Outcome.OUTBREAK),
        ([2, 3, 40], 15, Outcome.NO),
        ([2, 3, 40], 16, Outcome.OUTBREAK),
        ([0, 0, 0], 0, Outcome.NO),
        ([0, 0, 0], 1, Outcome.OUTBREAK),
    ],
)
def test_r2_the_mean_of_three_years(history: list[int], c: int, expected: Outcome) -> None:
    # A declared outbreak does not take its year out of this mean; TT 17/2019 leaves it out.
    known = facts(in_months(2024, 7, history), cases(c, "2024-07-09"), notices=[Notice(2023)])
    verdicts = judged(ENDEMIC, "2024-07-09", known)

    assert verdicts["qd02_2_2a"].verdict is expected
    assert verdicts["qd02_2_2a"].numbers["history"] == history
    assert verdicts["tt17_12"].numbers["history"] == history[:2]


def _commune(number: int, district: str, july: int) -> CommuneFacts:
    history = {**in_months(2024, 7, [1, 1, 1]), date(2024, 7, 5): july}
    return CommuneFacts(f"{number:05}@start", district, history, {})


def _upper(kind: str, on: str, communes: Sequence[CommuneFacts]) -> dict[str, Outcome]:
    area = JudgedArea("106@start" if kind == "district" else "12@start", kind, "", "12@start")  # type: ignore[arg-type]
    verdicts = judged(ENDEMIC, on, facts({}, communes=communes), area=area)
    return {rule: verdicts[rule].verdict for rule in ("qd02_district", "qd02_province")}


def test_r3_two_communes_make_a_district_two_districts_a_province() -> None:
    two = [_commune(1, "106@start", 2), _commune(2, "106@start", 2), _commune(3, "106@start", 1)]
    both = [*two, _commune(4, "109@start", 2), _commune(5, "109@start", 2)]
    scattered = [*two, _commune(4, "109@start", 2), _commune(5, "110@start", 2)]

    assert _upper("district", "2024-07-31", two)["qd02_district"] is Outcome.OUTBREAK
    assert _upper("district", "2024-07-31", two[1:])["qd02_district"] is Outcome.NO
    assert _upper("district", "2024-07-04", two)["qd02_district"] is Outcome.NO
    assert _upper("province", "2024-07-31", both)["qd02_province"] is Outcome.OUTBREAK
    assert _upper("province", "2024-07-31", scattered)["qd02_province"] is Outcome.NO


def test_r3_the_upper_levels_end_with_the_districts() -> None:
    both = [_commune(n, district, 9) for n, district in enumerate(("a", "a", "b", "b"))]
    last, first = "2025-06-30", "2025-07-01"

    assert _upper("province", last, both)["qd02_province"] is not Outcome.NOT_APPLICABLE
    for day in (first, "2026-06-30", "2026-07-01"):
        assert set(_upper("province", day, both).values()) == {Outcome.NOT_APPLICABLE}
    commune = [judged(ENDEMIC, day, facts({}))["qd02_2_2a"].verdict for day in ("2026-06-30", "2026-07-01")]
    assert commune == [Outcome.NO, Outcome.NOT_APPLICABLE]


def _responder(known: object, disease: str = ENDEMIC, on: str = "2024-07-31") -> str:
    responder: str = judged(disease, on, known)["tt17_12"].numbers["responder"]  # type: ignore[arg-type]
    return responder


def test_r3_who_responds() -> None:
    history = in_months(2024, 7, [2, 3, 4])
    few, many = cases(3, "2024-07-05"), cases(4, "2024-07-05")
    dead = [case("2024-07-05", is_death=True, death_day=date(2024, 7, 9))]
    two = [date(2024, 7, 2), date(2024, 7, 31)]

    assert _responder(facts(history, few)) == "commune"
    assert _responder(facts(history, many)) == "district"
    assert _responder(facts(history, dead, district_deaths=[date(2024, 7, 9)])) == "district"
    assert _responder(facts(history, dead, district_deaths=two)) == "provincial_cdc"
    assert (
        _responder(facts(history, dead, district_deaths=[date(2024, 7, 1), date(2024, 7, 31)])) == "district"
    )
    assert _responder(facts({}), "plague") == "provincial_cdc"


# --- D: clocks --------------------------------------------------------------------------------------------


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 8, day, hour, minute, tzinfo=LOCAL_ZONE)


def test_d1_a_death_is_reported_within_24_hours() -> None:
    assert death_clocks(_at(3, 14), None).in_facility_due_at == _at(4, 14)
    community = death_clocks(_at(3, 14), _at(5, 9))
    assert community.in_community_due_at == _at(6, 9)
    dated = death_clocks(None, None)
    assert (dated.in_facility_due_at, dated.in_community_due_at) == (None, None)


def test_d1_the_verdict_shows_the_clocks_that_it_knows() -> None:
    timed = case("2026-08-01", is_death=True, death_day=date(2026, 8, 3), died_at=_at(3, 14))
    dated = case("2026-08-01", is_death=True, death_day=date(2026, 8, 2))
    verdict = judged(ENDEMIC, "2026-08-04", facts({}, [timed, dated]))["tt15_10_2b"]

    assert verdict.verdict is Outcome.DUTY
    assert verdict.numbers["clocks"] == [
        {"died_on": "2026-08-02", "died_at": None, "in_facility_due_at": None, "in_community_due_at": None},
        {
            "died_on": "2026-08-03",
            "died_at": "2026-08-03T14:00:00+07:00",
            "in_facility_due_at": "2026-08-04T14:00:00+07:00",
            "in_community_due_at": None,
        },
    ]
    assert judged(ENDEMIC, "2026-08-04", facts({}))["tt15_10_2b"].verdict is Outcome.NO


def test_d2_the_notice_is_due_after_the_stations_determination() -> None:
    raised = judged(ENDEMIC, "2026-08-03", facts({}))["tt15_26_1b"]
    determined = judged(ENDEMIC, "2026-08-04", facts({}), determined_at=_at(4, 8))["tt15_26_1b"]

    assert notice_due(_at(4, 8)) == _at(5, 8)
    assert (raised.verdict, raised.numbers["due_at"]) == (Outcome.NO, None)
    assert (determined.verdict, determined.numbers["due_at"]) == (Outcome.DUTY, "2026-08-05T08:00:00+07:00")


def test_d2_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="wants its offset"):
        notice_due(_at(4, 8).replace(tzinfo=None))


# --- what counts ------------------------------------------------------------------------------------------


def test_a_case_counts_by_onset_in_the_band_and_by_report_in_the_cluster() -> None:
    seen = cases(5, "2026-07-17", report="2026-07-21", cluster="A")
    endemic = facts({**every_year(2026), **in_weeks(2026, 30, H1)}, seen)

    assert judged(ENDEMIC, W30, endemic)["tt15_22_1b"].numbers["cases"] == 0
    assert judged(NOT_ENDEMIC, W30, facts({}, seen))["tt15_22_1c"].numbers["linked"] == 5


def test_suspected_probable_and_confirmed_count_discarded_do_not() -> None:
    seen = [
        case("2026-07-20", cluster="A", classification=kind)
        for kind in ("suspected", "probable", "confirmed", "discarded")
    ]
    verdict = judged(NOT_ENDEMIC, W30, facts({}, seen))["tt15_22_1c"]

    assert (verdict.verdict, verdict.numbers["cases"], verdict.numbers["discarded"]) == (Outcome.ALERT, 3, 1)


@pytest.mark.parametrize("disease", ["hiv", "tuberculosis", "leprosy"])
def test_some_diseases_are_for_the_digest_only(disease: str) -> None:
    assert all(v.is_digest_only for v in judged(disease, W30, facts({}, [case("2026-07-20")])).values())


def test_chronic_hepatitis_is_for_the_digest_only() -> None:
    chronic = case("2026-07-20", cluster="A", severity="chronic")
    acute = case("2026-07-20", cluster="A")

    for seen, is_digest_only in (([chronic] * 3, True), ([chronic, chronic, acute], False)):
        verdict = judged("hepatitis_b", W30, facts({}, seen))["tt15_22_1c"]
        assert (verdict.verdict, verdict.is_digest_only) == (Outcome.ALERT, is_digest_only)


def test_a_disease_without_a_group_is_not_judged_by_the_law() -> None:
    verdicts = judged("food_poisoning", W30, facts({}, cases(9, "2026-07-20", cluster="A")))

    for rule in ("tt15_22_1a", "tt15_22_1b", "tt15_22_1c", "tt15_16_1a", "tt15_16_1b", "tt15_16_1c"):
        assert verdicts[rule].verdict is Outcome.NOT_APPLICABLE


def test_the_laws_rules_judge_communes() -> None:
    province = JudgedArea("12@2025-07-01", "province", "Lai Châu", "12@2025-07-01")
    verdicts = judged(ENDEMIC, W30, facts({}), area=province)

    assert {v.verdict for v in verdicts.values()} == {Outcome.NOT_APPLICABLE}


def test_the_records_began_within_a_year() -> None:
    began = date(2023, 7, 30)
    history = in_weeks(2026, 30, [2, 4, 6])
    verdict = judged(ENDEMIC, W30, facts(history, known_from=began))["tt15_22_1b"]
    later = judged(ENDEMIC, W30, facts(history, known_from=began + timedelta(days=1)))["tt15_22_1b"]

    assert verdict.numbers["years"] == [2023, 2024, 2025]
    assert later.numbers["years"] == [2024, 2025]

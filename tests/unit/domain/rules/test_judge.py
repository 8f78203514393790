"""What the envelope of a verdict says, guidance, quiet days, and what a case is to the rules."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from streams.domain.calendar import microseconds
from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.rules import CaseFact, Notice, Outcome, Standing, case_fact
from streams.domain.rules.book import Guidance, QuietDays
from tests.builders import judged_by, small_catalogue, uuid
from tests.rules import (
    AREA,
    all_judged,
    book,
    case,
    cases,
    every_year,
    facts,
    in_months,
    judged,
    packaged_book,
)

H5N1 = "influenza_a_h5n1"


def confirmed(day: str) -> CaseFact:
    return case(day, classification="confirmed", confirmed_on=date.fromisoformat(day))


def test_every_rule_answers_once() -> None:
    for disease in packaged_book().diseases:
        verdicts = all_judged(disease, "2026-08-10", facts({}, [case("2026-08-10")]))
        assert [v.rule_id for v in verdicts] == [rule.id for rule in packaged_book().rules]
        for verdict in verdicts:
            assert (verdict.level.rank > 0) == verdict.is_raised
            assert verdict.rule_version == packaged_book().version
            assert verdict.key == (verdict.rule_id, disease, AREA.id)
            document = verdict.document()
            assert json.loads(json.dumps(document)) == document
            assert document["why"] == f"{verdict.why_vi} / {verdict.why_en}"


def test_a_disease_that_the_book_does_not_know_is_refused() -> None:
    with pytest.raises(KeyError):
        judged("martian_flu", "2026-08-10", facts({}))


# --- group A with guidance --------------------------------------------------------------------------------


GUIDED = book(guidance=(Guidance(H5N1, date(2026, 7, 1), None, 2, 14, "CV 1/PB"),))


@pytest.mark.parametrize(("number", "expected"), [(1, Outcome.NO), (2, Outcome.OUTBREAK)])
def test_guidance_makes_group_a_computable(number: int, expected: Outcome) -> None:
    known = facts({}, [confirmed("2026-08-03")] * number)

    assert judged(H5N1, "2026-08-03", known, GUIDED)["tt15_16_1a"].verdict is expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2026-08-16", Outcome.STAYS_OPEN),
        ("2026-08-17", Outcome.ENDED_PROPOSED),
        ("2026-12-24", Outcome.NO),
    ],
)
def test_guidance_says_when_it_ends(on: str, expected: Outcome) -> None:
    known = facts({}, [confirmed("2026-08-02"), confirmed("2026-08-03")])

    assert judged(H5N1, on, known, GUIDED)["tt15_16_3a"].verdict is expected


def test_an_end_without_guidance_is_not_computable() -> None:
    silent = book(guidance=(Guidance(H5N1, date(2026, 7, 1), None, 2, None, "CV 1/PB"),))

    for rules in (book(), silent):
        verdict = judged(H5N1, "2026-08-17", facts({}), rules)["tt15_16_3a"]
        assert verdict.verdict is Outcome.NOT_COMPUTABLE


# --- ends by QĐ 02/2016 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2023-09-15", Outcome.STAYS_OPEN),
        ("2023-09-27", Outcome.STAYS_OPEN),
        ("2023-09-28", Outcome.ENDED_PROPOSED),
    ],
)
def test_covid_19_was_quiet_for_28_days(on: str, expected: Outcome) -> None:
    assert judged("covid19", on, facts({}, [confirmed("2023-08-31")]))["qd02_end"].verdict is expected


@pytest.mark.parametrize(
    ("on", "expected"), [("2024-07-16", Outcome.STAYS_OPEN), ("2024-07-17", Outcome.ENDED_PROPOSED)]
)
def test_covid_19_was_quiet_for_8_days_in_group_b(on: str, expected: Outcome) -> None:
    seen = cases(4, "2024-07-09")
    history = {**in_months(2024, 7, [2, 3, 4]), date(2024, 7, 9): 4}

    assert judged("covid19", on, facts(history, seen))["qd02_end"].verdict is expected
    # Three cases did not exceed the mean: there was no outbreak to end.
    few = facts({**history, date(2024, 7, 9): 3}, seen[:3])
    assert judged("covid19", on, few)["qd02_end"].verdict is Outcome.NO


def test_quiet_days_that_are_not_loaded_are_not_guessed() -> None:
    verdict = judged("hfmd", "2024-07-17", facts({}, cases(4, "2024-07-09")))["qd02_end"]
    loaded = book(quiet_days=(QuietDays("hfmd", None, None, 14, "phụ lục"),))

    assert verdict.verdict is Outcome.NOT_COMPUTABLE
    declared = facts({}, cases(4, "2024-07-09"), notices=[Notice(2024, date(2024, 7, 9))])
    assert judged("hfmd", "2024-07-22", declared, loaded)["qd02_end"].verdict is Outcome.STAYS_OPEN
    assert judged("hfmd", "2024-07-23", declared, loaded)["qd02_end"].verdict is Outcome.ENDED_PROPOSED


# --- endemic or not -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("years", "known_from", "endemic"),
    [
        ([2021, 2023, 2025], 2010, "yes"),
        ([2021, 2023], 2010, "no"),
        ([2024, 2025], 2024, "undecided"),
        ([2025], 2025, "undecided"),
        ([2023, 2024, 2025], 2023, "yes"),
        ([2025], 2022, "no"),
        ([2024, 2025], 2022, "undecided"),
        ([], 2023, "no"),
    ],
)
def test_endemic_is_cases_in_three_of_five_years(years: list[int], known_from: int, endemic: str) -> None:
    known = facts(dict.fromkeys([date(year, 5, 1) for year in years], 1), known_from=date(known_from, 1, 1))
    weekly = judged("hfmd", "2026-08-10", known)["tt15_22_1b"]

    assert weekly.numbers["endemic"] == endemic
    expected = {"yes": Outcome.NO, "no": Outcome.NOT_APPLICABLE, "undecided": Outcome.NOT_ENOUGH_HISTORY}
    assert weekly.verdict is expected[endemic]
    # Where it is undecided the linked cases are judged, so that nothing is silent.
    linked = judged("hfmd", "2026-08-10", replace(known, cases=cases(3, "2026-08-10", cluster="A")))
    assert linked["tt15_22_1c"].verdict is (Outcome.NOT_APPLICABLE if endemic == "yes" else Outcome.ALERT)


def test_the_operators_word_goes_before_catalogue_and_history() -> None:
    flags = {("hfmd", AREA.id): False, ("dengue", AREA.id): True, ("dengue", "03549@2025-07-01"): False}
    rules = book(endemic=flags)

    assert (
        judged("hfmd", "2026-08-10", facts(every_year(2026)), rules)["tt15_22_1b"].numbers["endemic"] == "no"
    )
    assert judged("dengue", "2026-08-10", facts({}), rules)["tt15_22_1b"].numbers["endemic"] == "yes"
    assert judged("dengue", "2026-08-10", facts(every_year(2026)))["tt15_22_1b"].numbers["endemic"] == "no"


def test_a_standing_alert_that_is_met_says_so_again() -> None:
    seen = cases(3, "2026-07-21", cluster="A")
    standing = [Standing("tt15_22_1c", date(2026, 7, 20), date(2026, 7, 26))]
    verdicts = [
        v
        for v in all_judged("dengue", "2026-08-10", facts({}, seen), standing=standing)
        if v.rule_id == "tt15_22_1c"
    ]

    assert [(v.verdict, v.period_start) for v in verdicts] == [
        (Outcome.NO, date(2026, 8, 10)),
        (Outcome.ALERT, date(2026, 7, 20)),
    ]


# --- a case as the rules see it -----------------------------------------------------------------------------


CATALOGUE = judged_by(small_catalogue())


def folded(*events: tuple[str, dict[str, Any]]) -> CaseFact | None:
    """A case from what was written, each with its day of writing at noon UTC."""
    found = Case()
    for number, (day, writes) in enumerate(events):
        at = datetime.fromisoformat(day).replace(hour=5, tzinfo=UTC)
        kind = "reported" if number == 0 else "updated"
        found.apply(CaseEvent("LC-1", uuid(number), microseconds(at), kind, tuple(writes.items())))  # type: ignore[arg-type]
    found.contribution = contribution_of(found, CATALOGUE)
    return case_fact(found)


REPORT = {
    "disease": "dengue",
    "area_id": "03412@start",
    "onset_on": "2023-07-01",
    "reported_on": "2023-07-04",
}


@pytest.mark.parametrize(
    ("events", "confirmed_on"),
    [
        ([("2023-07-04", REPORT)], None),
        ([("2023-07-04", {**REPORT, "classification": "confirmed"})], date(2023, 7, 4)),
        # A line list of the past, written years after.
        ([("2026-11-22", {**REPORT, "classification": "confirmed"})], date(2023, 7, 4)),
        ([("2023-07-04", REPORT), ("2023-07-09", {"classification": "confirmed"})], date(2023, 7, 9)),
        (
            [
                (
                    "2026-11-22",
                    {**REPORT, "classification": "confirmed", "diagnosed_at": "2023-07-06T20:00:00Z"},
                )
            ],
            date(2023, 7, 7),
        ),
        (
            [
                ("2023-07-04", {**REPORT, "classification": "confirmed"}),
                ("2023-07-05", {"classification": "discarded"}),
            ],
            None,
        ),
    ],
)
def test_since_when_a_case_is_confirmed(
    events: list[tuple[str, dict[str, Any]]], confirmed_on: date | None
) -> None:
    found = folded(*events)

    assert found is not None
    assert found.confirmed_on == confirmed_on


def test_a_case_with_everything() -> None:
    written = {
        "cluster": "O-1",
        "severity": "chronic",
        "origin": "imported",
        "died_at": "2023-07-05T23:30:00+00:00",
        "lab.dengue": "pending",
        "sampled_on": "2023-07-03",
    }

    assert folded(("2023-07-04", REPORT | written)) == CaseFact(
        onset_day=date(2023, 7, 1),
        report_day=date(2023, 7, 4),
        classification="suspected",
        is_imported=True,
        cluster="O-1",
        severity="chronic",
        is_death=True,
        death_day=date(2023, 7, 6),
        died_at=datetime(2023, 7, 5, 23, 30, tzinfo=UTC),
        is_pending=True,
        sampled_on=date(2023, 7, 3),
    )


def test_a_death_without_an_hour_starts_no_clock() -> None:
    found = folded(("2023-07-04", REPORT | {"died_at": "2023-07-05"}))

    assert found is not None
    assert (found.death_day, found.died_at) == (date(2023, 7, 5), None)


def test_a_retracted_case_is_none() -> None:
    assert folded(("2023-07-04", REPORT), ("2023-07-05", {"retracted": {"reason": "duplicate"}})) is None

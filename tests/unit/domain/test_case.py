"""Laws of the fold: the state depends on the set of events alone, and the ledger sums to the counts."""

import random
from collections.abc import Iterable, Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.case import AREA, RETRACTED, Case, CaseEvent, contribution_of, overall_result, state_of
from streams.domain.catalogue import Catalogue
from streams.domain.counts import (
    COUNTERS,
    FLAG,
    ZERO,
    Amounts,
    Contribution,
    CountChange,
    CountKey,
    changes,
    keys_of,
    net,
)
from tests.domain_strategies import COMMUNES, catalogue, event_lists

CATALOGUE = catalogue()
LATER = 1_700_000_000_000_000


def fold(
    events: Iterable[CaseEvent], known: Catalogue = CATALOGUE
) -> tuple[dict[str, Case], list[CountChange]]:
    """A serial fold: the cases, and the ledger."""
    cases: dict[str, Case] = {}
    ledger: list[CountChange] = []
    for event in events:
        case = cases.setdefault(event.subject, Case())
        case.apply(event)
        before, case.contribution = case.contribution, contribution_of(case, known)
        ledger.extend(changes(before, case.contribution))
    return cases, ledger


def group_by(cases: Iterable[Case]) -> dict[CountKey, Amounts]:
    """Counts straight from the cases."""
    return net(change for case in cases for change in changes(None, case.contribution))


def event(kind: str, time: int = 0, **writes: object) -> CaseEvent:
    """An event of case A; keyword `lab_measles` writes the register lab.measles."""
    named = tuple((name.replace("lab_", "lab."), value) for name, value in writes.items())
    return CaseEvent("A", UUID(int=time % 2**128), LATER + time, kind, named)  # type: ignore[arg-type]


def reported(time: int = 0, **writes: object) -> CaseEvent:
    return event(
        "reported", time, **{"disease": "dengue", AREA: COMMUNES[0].id, "onset_on": "2023-07-01", **writes}
    )


def contribution(*events: CaseEvent) -> Contribution | None:
    cases, _ = fold(events)
    return cases["A"].contribution


@given(events=event_lists(), seed=st.integers())
def test_any_order_gives_the_same_state_and_counts(events: list[CaseEvent], seed: int) -> None:
    shuffled = list(events)
    random.Random(seed).shuffle(shuffled)
    cases, ledger = fold(events)
    again, shuffled_ledger = fold(shuffled)
    assert again == cases
    assert net(shuffled_ledger) == net(ledger)


@given(events=event_lists(), data=st.data())
def test_any_repetition_changes_nothing(events: list[CaseEvent], data: st.DataObject) -> None:
    repeats: Sequence[CaseEvent] = data.draw(st.lists(st.sampled_from(events), max_size=10)) if events else []
    cases, ledger = fold(events)
    again, repeated_ledger = fold([*events, *repeats])
    assert again == cases
    assert repeated_ledger == ledger


@given(events=event_lists())
def test_the_ledger_sums_to_the_group_by_of_the_cases(events: list[CaseEvent]) -> None:
    cases, ledger = fold(events)
    assert net(ledger) == group_by(cases.values())


@given(events=event_lists(), cut=st.integers(0, 25))
def test_no_prefix_of_the_ledger_sums_below_zero(events: list[CaseEvent], cut: int) -> None:
    _, ledger = fold(events[:cut])
    assert all(amount >= 0 for amounts in net(ledger).values() for amount in amounts)


@given(events=event_lists())
def test_districts_sum_to_the_province(events: list[CaseEvent]) -> None:
    cases, _ = fold(events)
    own = [key for key in group_by(cases.values()) if not key.via and not key.agent and key.basis == "onset"]
    counts = group_by(cases.values())
    by_district: dict[str, int] = {}
    for key in own:
        total = CATALOGUE.areas.total_id(key.area_id)
        by_district[total] = by_district.get(total, 0) + counts[key][0]
    assert sum(by_district.values()) == sum(case.contribution is not None for case in cases.values())


@given(events=event_lists(), since=st.dates())
def test_a_catalogue_load_never_makes_a_count_negative(events: list[CaseEvent], since: object) -> None:
    cases, ledger = fold(events)
    after = catalogue(2, {("dengue", "12@start"): str(since)})
    for case in cases.values():
        before, case.contribution = case.contribution, contribution_of(case, after)
        ledger.extend(changes(before, case.contribution))
    assert all(amount >= 0 for amounts in net(ledger).values() for amount in amounts)
    assert net(ledger) == group_by(cases.values())


@given(events=event_lists())
def test_a_retraction_undoes_the_whole_case(events: list[CaseEvent]) -> None:
    cases, ledger = fold(events)
    for subject in list(cases):
        retraction = CaseEvent(
            subject, UUID(int=1), LATER, "retracted", ((RETRACTED, {"reason": "entered_in_error"}),)
        )
        before = cases[subject].contribution
        cases[subject].apply(retraction)
        after = contribution_of(cases[subject], CATALOGUE)
        assert after is None
        ledger.extend(changes(before, after))
    assert net(ledger) == {}


def test_a_later_report_reinstates_and_an_update_does_not() -> None:
    retraction = event("retracted", 10, retracted={"reason": "duplicate", "duplicate_of": "B"})
    assert contribution(reported(), retraction) is None
    assert contribution(reported(), retraction, event("updated", 20, sex="male")) is None
    assert contribution(reported(), retraction, reported(20)) is not None
    assert contribution(reported(20), retraction) is not None
    assert contribution(reported(), reported(5), retraction) is None


def test_a_retraction_that_arrives_first_stands() -> None:
    assert contribution(event("retracted", 10, retracted={"reason": "entered_in_error"}), reported()) is None


def test_a_corrected_date_never_moves_a_case() -> None:
    before = contribution(reported())
    after = contribution(reported(), event("updated", 5, onset_on="2025-08-01"))
    assert before is not None
    assert after is not None
    assert (before.area_id, after.area_id) == (COMMUNES[0].id, COMMUNES[0].id)
    assert after.onset_day == "2025-08-01"


def test_a_late_measles_negative_leaves_a_rubella_positive() -> None:
    found = contribution(
        reported(disease="rash_fever_susp_measles", lab_measles="pending", lab_rubella="pending"),
        event("updated", 10, lab_rubella="positive"),
        event("updated", 20, lab_measles="negative"),
    )
    assert found is not None
    assert found.flags & FLAG["positive"]
    assert not found.flags & (FLAG["negative"] | FLAG["pending"])
    assert found.resolved == (("rubella", "rubella"),)


def test_a_resolved_syndrome_counts_in_both_diseases_and_once_in_the_total() -> None:
    found = contribution(reported(disease="rash_fever_susp_measles", lab_measles="positive"))
    assert found is not None
    onset = [key for key in keys_of(found) if key.basis == "onset" and not key.agent]
    assert [(key.disease, key.via) for key in onset] == [
        ("rash_fever_susp_measles", ""),
        ("measles", "rash_fever_susp_measles"),
    ]


def test_lab_set_to_null_puts_back_what_was_written_before_and_not_after() -> None:
    cases, _ = fold(
        [
            reported(lab_measles="positive", lab_rubella="negative"),
            event("updated", 10, lab=None),
            event("updated", 20, lab_rubella="pending"),
        ]
    )
    # lab_… writes lab.…; the bare `lab` is the reset.
    assert cases["A"].lab == {"rubella": "pending"}


@pytest.mark.parametrize(
    ("writes", "died"),
    [
        ({"outcome": "dead"}, True),
        ({"died_at": "2023-07-09", "outcome": "recovered"}, True),
        ({"outcome": "dead", "classification": "discarded"}, False),
        ({"outcome": "dead", "death_due_to": "other"}, False),
        ({"outcome": "dead", "death_due_to": "unknown"}, True),
        ({"outcome": "recovered"}, False),
    ],
)
def test_which_deaths_count(writes: dict[str, object], died: bool) -> None:
    found = contribution(reported(**writes))
    assert found is not None
    assert bool(found.flags & FLAG["deaths"]) is died


def test_a_death_stands_on_the_cases_own_day_and_on_its_own_on_the_death_basis() -> None:
    found = contribution(reported(died_at="2023-07-09T18:00:00+00:00"))
    assert found is not None
    deaths = {(key.basis, key.day): flags & FLAG["deaths"] for key, flags in keys_of(found).items()}
    assert deaths == {
        ("onset", "2023-07-01"): FLAG["deaths"],
        ("report", "2023-11-15"): FLAG["deaths"],
        ("death", "2023-07-10"): FLAG["deaths"],
    }


def test_a_death_without_a_day_is_on_no_day() -> None:
    found = contribution(reported(outcome="dead"))
    assert found is not None
    assert found.death_day is None


def test_reported_on_defaults_to_the_first_report_and_onset_to_reported_on() -> None:
    day = 86_400_000_000
    found = contribution(
        reported(day, onset_on=None), reported(0, onset_on=None), event("updated", -5 * day, sex="male")
    )
    assert found is not None
    assert (found.onset_day, found.report_day) == ("2023-11-15", "2023-11-15")


@pytest.mark.parametrize(
    ("results", "overall"),
    [
        ({"positive", "pending", "negative"}, "positive"),
        ({"pending", "negative"}, "pending"),
        ({"negative", "inconclusive"}, "negative"),
        ({"inconclusive", "not_tested"}, None),
        (set(), None),
    ],
)
def test_overall_result(results: set[str], overall: str | None) -> None:
    assert overall_result(results) == overall


def test_a_case_without_disease_or_area_does_not_count() -> None:
    assert contribution(event("updated", 0, sex="male")) is None
    assert contribution(reported(), event("updated", 5, disease=None)) is None
    assert contribution(reported(), event("updated", 5, **{AREA: None})) is None


def test_case_reports_before_the_switch_over_do_not_count() -> None:
    since = catalogue(1, {("dengue", "12@start"): "2023-07-02"})
    cases, _ = fold([reported()], since)
    assert cases["A"].contribution is None
    cases, _ = fold([reported(onset_on="2023-07-02")], since)
    assert cases["A"].contribution is not None


def test_state_shows_defaults_and_dead() -> None:
    cases, _ = fold([reported(died_at="2023-07-09")])
    state = state_of(cases["A"])
    assert state["outcome"] == "dead"
    assert state["classification"] == "suspected"
    assert state["retracted"] is False
    assert "lab" in state


def test_moving_a_case_takes_it_from_one_area_and_gives_it_to_the_other() -> None:
    _, ledger = fold([reported(), event("updated", 5, **{AREA: COMMUNES[2].id})])
    notified = COUNTERS.index("notified")
    moved = [(c.key.area_id, c.amounts[notified]) for c in ledger if c.key.basis == "onset"]
    assert moved == [(COMMUNES[0].id, 1), (COMMUNES[0].id, -1), (COMMUNES[2].id, 1)]


def test_net_leaves_out_what_cancels() -> None:
    key = CountKey("dengue", "12@start", "onset", "2023-07-01", "", "")
    one = tuple(1 if name == "notified" else 0 for name in COUNTERS)
    assert net([CountChange(key, one), CountChange(key, tuple(-n for n in one))]) == {}
    assert ZERO not in net([CountChange(key, one)]).values()

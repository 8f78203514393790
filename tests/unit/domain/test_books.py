"""The books of one case: they agree after any history, and each way of disagreeing has its name."""

from dataclasses import replace
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from streams.domain.books import Finding, JournaledEvent, case_findings, slice_size
from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.counts import Amounts, Contribution, CountKey, changes, net
from tests.builders import judged_by, small_catalogue

Ledger = dict[CountKey, Amounts]

CATALOGUE = judged_by(small_catalogue())
SUBJECT = "LC-1"
REPORT = CaseEvent(
    SUBJECT,
    UUID(int=1),
    10,
    "reported",
    (("disease", "dengue"), ("area_id", "03412@start"), ("lab.denv1", "positive")),
)
UPDATE = CaseEvent(SUBJECT, UUID(int=2), 20, "updated", (("sex", "male"), ("area_id", "03549@start")))
RETRACTION = CaseEvent(
    SUBJECT, UUID(int=3), 30, "retracted", (("retracted", {"reason": "entered_in_error"}),)
)
HISTORY = (REPORT, UPDATE)


def books(
    events: tuple[CaseEvent, ...],
) -> tuple[list[JournaledEvent], Case, Ledger]:
    """Journal, case and ledger as the fold writes them."""
    case, moved = Case(), []
    for event in events:
        case.apply(event)
        before, case.contribution = case.contribution, contribution_of(case, CATALOGUE)
        moved += changes(before, case.contribution)
    return [JournaledEvent(event.event_id, event, True) for event in events], case, net(moved)


def found(journal: list[JournaledEvent], case: Case | None, ledger: Ledger) -> list[Finding]:
    return list(case_findings(SUBJECT, journal, case, ledger, CATALOGUE))


@given(st.lists(st.sampled_from(range(3)), unique=True), st.randoms(use_true_random=False))
def test_what_the_fold_writes_agrees_in_any_order(order: list[int], random: Random) -> None:
    journal, case, ledger = books(tuple((REPORT, UPDATE, RETRACTION)[place] for place in order))
    random.shuffle(journal)
    assert found(journal, case if order else None, ledger) == []


def test_a_case_of_parked_events_alone_is_no_case() -> None:
    assert found([JournaledEvent(UUID(int=1), None, True)], None, {}) == []


def test_a_register_that_differs_is_named_without_its_value() -> None:
    journal, case, ledger = books(HISTORY)
    case.registers["sex"] = (case.registers["sex"][0], "female")
    (finding,) = found(journal, case, ledger)
    assert (finding.kind, finding.key) == ("state", (SUBJECT,))
    assert finding.stored == {"exists": True, "differing": ["sex"]}
    assert "male" not in str(finding)


def test_a_contribution_that_is_not_the_one_of_the_registers() -> None:
    journal, case, ledger = books(HISTORY)
    assert case.contribution is not None
    case.contribution = replace_area(case)
    kinds = [finding.kind for finding in found(journal, case, ledger)]
    assert kinds[0] == "state"
    # Two bases, the disease's own row and the agent's, where it was and where it is said to be.
    assert kinds[1:] == ["ledger"] * 8


def replace_area(case: Case) -> Contribution:
    assert case.contribution is not None
    return case.contribution._replace(area_id="03390@start")


def test_a_case_that_is_gone_and_one_that_nobody_reported() -> None:
    journal, case, ledger = books(HISTORY)
    gone = found(journal, None, ledger)
    assert gone[0].kind == "state"
    assert not gone[0].stored["exists"]
    assert {finding.kind for finding in gone[1:]} == {"ledger"}
    nobody = found([], Case(dict(case.registers)), {})
    assert [finding.kind for finding in nobody] == ["state"]


def test_an_empty_case_that_nobody_reported_is_seen() -> None:
    assert [finding.kind for finding in found([], Case(), {})] == ["state"]


def test_a_ledger_row_that_is_missing_or_too_much() -> None:
    journal, case, ledger = books(HISTORY)
    key = min(ledger, key=repr)
    (missing,) = found(journal, case, {k: v for k, v in ledger.items() if k != key})
    assert (missing.kind, missing.key) == ("ledger", (SUBJECT, *key))
    assert missing.stored == {}
    assert missing.recomputed["notified"] == 1
    (doubled,) = found(journal, case, {**ledger, key: tuple(2 * n for n in ledger[key])})
    assert doubled.stored["notified"] == 2


def test_rows_that_cancel_out_are_as_good_as_none() -> None:
    journal, case, ledger = books(HISTORY)
    cancelled = CountKey("dengue", "03412@start", "onset", "1970-01-01", "", "")
    assert cancelled not in ledger
    assert found(journal, case, {**ledger, cancelled: (0,) * 11}) == []


def test_an_event_twice_in_the_journal_or_without_its_identity() -> None:
    journal, case, ledger = books(HISTORY)
    (twice,) = found([*journal, journal[0]], case, ledger)
    assert twice == Finding(
        "journal",
        (SUBJECT, str(UUID(int=1))),
        {"rows": 2, "identity": True},
        {"rows": 1, "identity": True},
    )
    (unknown,) = found([journal[0], replace(journal[1], has_identity=False)], case, ledger)
    assert unknown.stored == {"rows": 1, "identity": False}


@given(st.integers(0, 10**8), st.floats(1, 3_600), st.floats(3_600, 604_800), st.integers(0, 10_000))
def test_slices_of_this_size_make_a_sweep_in_time(
    total: int, round_seconds: float, sweep_seconds: float, least: int
) -> None:
    size = slice_size(total, round_seconds, sweep_seconds, least)
    assert size >= least
    rounds = 0 if total == 0 else -(-total // size)
    assert (rounds - 1) * round_seconds <= sweep_seconds

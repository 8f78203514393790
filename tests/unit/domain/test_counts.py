"""What a case adds to the counts, and signed differences between such contributions."""

from operator import add

from hypothesis import given
from hypothesis import strategies as st

from streams.domain.counts import (
    BASES,
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

DAYS = st.sampled_from(["2023-07-01", "2023-07-02", "2024-01-01"])


@st.composite
def contributions(draw: st.DrawFn) -> Contribution:
    flags = FLAG["notified"] | draw(st.integers(0, 2 ** len(COUNTERS) - 1))
    agents = tuple(sorted(draw(st.sets(st.sampled_from(["measles", "rubella", "denv1"])))))
    resolved = tuple((agent, agent) for agent in agents if agent != "denv1")
    return Contribution(
        draw(st.sampled_from(["rash", "dengue"])),
        draw(st.sampled_from(["03412@start", "12@start"])),
        draw(DAYS),
        draw(DAYS),
        draw(st.none() | DAYS) if flags & FLAG["deaths"] else None,
        flags,
        resolved,
        agents,
    )


def amounts_of(contribution: Contribution | None) -> dict[CountKey, Amounts]:
    return net(changes(None, contribution))


def added(one: dict[CountKey, Amounts], other: dict[CountKey, Amounts]) -> dict[CountKey, Amounts]:
    return net(CountChange(key, amounts) for part in (one, other) for key, amounts in part.items())


DENGUE = Contribution(
    "dengue", "03412@start", "2023-07-01", "2023-07-03", None, FLAG["notified"] | FLAG["suspected"], (), ()
)


@given(contributions() | st.none(), contributions() | st.none())
def test_changes_lead_from_one_contribution_to_the_other(
    before: Contribution | None, after: Contribution | None
) -> None:
    moved = net(changes(before, after))
    assert added(amounts_of(before), moved) == amounts_of(after)


@given(contributions() | st.none(), contributions() | st.none())
def test_each_key_changes_once_and_by_something(
    before: Contribution | None, after: Contribution | None
) -> None:
    rows = changes(before, after)
    assert len({row.key for row in rows}) == len(rows)
    assert all(row.amounts != ZERO for row in rows)
    assert all(-1 <= amount <= 1 for row in rows for amount in row.amounts)


@given(contributions())
def test_nothing_moves_where_nothing_changed(contribution: Contribution) -> None:
    assert changes(contribution, contribution) == []
    assert net([*changes(None, contribution), *changes(contribution, None)]) == {}


@given(contributions())
def test_every_key_stands_on_a_basis_and_deaths_alone_on_that_of_deaths(contribution: Contribution) -> None:
    keys = keys_of(contribution)
    for key, flags in keys.items():
        assert key.basis in BASES
        assert flags == (FLAG["deaths"] if key.basis == "death" else contribution.flags)
    has_deaths = {key.basis for key in keys} >= {"death"}
    assert has_deaths == bool(contribution.flags & FLAG["deaths"])


@given(contributions())
def test_in_a_total_over_diseases_a_case_stands_once_per_basis(contribution: Contribution) -> None:
    own = [key for key in keys_of(contribution) if not key.via and not key.agent]
    assert len(own) == len({key.basis for key in own})
    assert {key.disease for key in own} == {contribution.disease}


def test_two_agents_of_one_disease_resolve_to_it_once() -> None:
    agents = (("vivax", "malaria"), ("falciparum", "malaria"))
    found = keys_of(DENGUE._replace(disease="fever", resolved=agents, agents=("falciparum", "vivax")))
    onset = sorted((key.disease, key.via, key.agent) for key in found if key.basis == "onset")
    assert onset == [
        ("fever", "", ""),
        ("fever", "", "falciparum"),
        ("fever", "", "vivax"),
        ("malaria", "fever", ""),
        ("malaria", "fever", "falciparum"),
        ("malaria", "fever", "vivax"),
    ]


def test_a_reclassification_moves_two_counters_of_the_same_key() -> None:
    confirmed = DENGUE._replace(flags=FLAG["notified"] | FLAG["confirmed"])
    rows = changes(DENGUE, confirmed)
    assert [row.key.basis for row in rows] == ["onset", "report"]
    for row in rows:
        moved = {name: n for name, n in zip(COUNTERS, row.amounts, strict=True) if n}
        assert moved == {"suspected": -1, "confirmed": 1}


def test_a_corrected_onset_moves_the_case_on_one_basis() -> None:
    rows = changes(DENGUE, DENGUE._replace(onset_day="2023-06-30"))
    assert [(row.key.basis, row.key.day, row.amounts[0]) for row in rows] == [
        ("onset", "2023-07-01", -1),
        ("onset", "2023-06-30", 1),
    ]


@given(st.lists(contributions(), max_size=6))
def test_net_is_the_sum(found: list[Contribution]) -> None:
    rows = [row for contribution in found for row in changes(None, contribution)]
    totals: dict[CountKey, Amounts] = {}
    for key, amounts in rows:
        totals[key] = tuple(map(add, totals.get(key, ZERO), amounts))
    assert net(rows) == {key: amounts for key, amounts in totals.items() if amounts != ZERO}


def test_flags_are_the_bits_of_the_columns() -> None:
    everything = sum(FLAG.values())
    (row,) = [row for row in changes(None, DENGUE._replace(flags=everything)) if row.key.basis == "onset"]
    assert row.amounts == (1,) * len(COUNTERS)
    assert [FLAG[name] for name in COUNTERS] == [1 << bit for bit in range(len(COUNTERS))]

"""What a case adds to the counts, and the signed difference between two such contributions."""

from collections.abc import Iterable
from functools import lru_cache
from operator import add, sub
from typing import Final, Literal, NamedTuple

Basis = Literal["onset", "report", "death"]
BASES: Final[tuple[Basis, ...]] = ("onset", "report", "death")

COUNTERS: Final = (
    "notified",
    "suspected",
    "probable",
    "confirmed",
    "discarded",
    "positive",
    "negative",
    "pending",
    "deaths",
    "imported",
    "hospitalised",
)
"""Every counter, in the order of the table columns and of the bits of a `flags` number."""

FLAG: Final = {name: 1 << bit for bit, name in enumerate(COUNTERS)}

Amounts = tuple[int, ...]
"""One signed number per counter, shape (11,), in the order of COUNTERS."""

_AMOUNTS: Final[tuple[Amounts, ...]] = tuple(
    tuple(flags >> bit & 1 for bit in range(len(COUNTERS))) for flags in range(1 << len(COUNTERS))
)
ZERO: Final[Amounts] = _AMOUNTS[0]


class CountKey(NamedTuple):
    """Which count a change belongs to.

    `day` is None where a death has no known day. `via` names the syndrome through which a case counts
    in a disease that it resolved to ("of which"; left out of totals over diseases), else "".
    `agent` is "" for the disease's own row; rows with an agent count the cases positive for it.
    """

    disease: str
    area_id: str
    basis: Basis
    day: str | None
    via: str
    agent: str


class CountChange(NamedTuple):
    """A signed change of one count."""

    key: CountKey
    amounts: Amounts


class Contribution(NamedTuple):
    """All that one case adds to the counts: small enough to store with the case.

    `flags` has the bit of each counter that the case is in. `resolved` are (agent, disease) pairs of a
    syndrome's case whose laboratory result named the disease; `agents` are the positive agents.
    """

    disease: str
    area_id: str
    onset_day: str
    report_day: str
    death_day: str | None
    flags: int
    resolved: tuple[tuple[str, str], ...]
    agents: tuple[str, ...]


def keys_of(contribution: Contribution) -> dict[CountKey, int]:
    """Every count that a contribution stands in, with its flags there."""
    c = contribution
    sides: list[tuple[str, str, tuple[str, ...]]] = [(c.disease, "", c.agents)]
    for disease in dict.fromkeys(disease for _, disease in c.resolved):
        sides.append((disease, c.disease, tuple(agent for agent, to in c.resolved if to == disease)))
    keys: dict[CountKey, int] = {}
    for disease, via, agents in sides:
        for agent in ("", *agents):
            keys[CountKey(disease, c.area_id, "onset", c.onset_day, via, agent)] = c.flags
            keys[CountKey(disease, c.area_id, "report", c.report_day, via, agent)] = c.flags
            if c.flags & FLAG["deaths"]:
                keys[CountKey(disease, c.area_id, "death", c.death_day, via, agent)] = FLAG["deaths"]
    return keys


def changes(before: Contribution | None, after: Contribution | None) -> list[CountChange]:
    """The signed rows that lead from one contribution to the next; empty when nothing moved."""
    if before == after:
        return []
    old = keys_of(before) if before is not None else {}
    new = keys_of(after) if after is not None else {}
    rows = []
    for key, flags in old.items():
        to = new.get(key, 0)
        if to != flags:
            rows.append(CountChange(key, _difference(to, flags)))
    rows.extend(CountChange(key, _AMOUNTS[flags]) for key, flags in new.items() if key not in old)
    return rows


@lru_cache(maxsize=4_096)
def _difference(to: int, flags: int) -> Amounts:
    return tuple(map(sub, _AMOUNTS[to], _AMOUNTS[flags]))


def net(rows: Iterable[CountChange]) -> dict[CountKey, Amounts]:
    """Changes summed per key, those that cancel out left out."""
    sums: dict[CountKey, Amounts] = {}
    for key, amounts in rows:
        known = sums.get(key)
        sums[key] = amounts if known is None else tuple(map(add, known, amounts))
    return {key: amounts for key, amounts in sums.items() if amounts != ZERO}

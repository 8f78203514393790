"""What the books of one case must agree on: its journaled events, its stored state, its ledger rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.catalogue import Catalogue
from streams.domain.counts import COUNTERS, ZERO, Amounts, CountKey, changes

Kind = Literal["state", "ledger", "daily", "totals", "journal"]
KINDS: Final[tuple[Kind, ...]] = ("state", "ledger", "daily", "totals", "journal")


class Finding(NamedTuple):
    """Something that drifted.

    Attributes:
        kind: `state`: a case is not the fold of its journaled events. `ledger`: a case's ledger rows do not
            add up to what it adds to the counts. `daily`: a daily count is not the sum of its ledger rows.
            `totals`: a district total is not the sum of its daily counts. `journal`: an identity that does
            not have exactly one row in the journal.
        key: What drifted: (subject,), (subject, event id), or the parts of a count's key as text.
        stored: What the table says; never the data of a case.
        recomputed: What it should say.
    """

    kind: Kind
    key: tuple[str | None, ...]
    stored: Any
    recomputed: Any


@dataclass(frozen=True, slots=True)
class JournaledEvent:
    """One row of the journal. `event` is None while it is parked."""

    event_id: UUID
    event: CaseEvent | None
    has_identity: bool


def case_findings(
    subject: str,
    journal: Sequence[JournaledEvent],
    stored: Case | None,
    ledger: Mapping[CountKey, Amounts],
    catalogue: Catalogue,
) -> Iterator[Finding]:
    """Everything in which the books of one case disagree.

    Args:
        subject: The case.
        journal: Every journaled event of it, in any order.
        stored: The case as it is stored; None where it is not.
        ledger: The sum of its ledger rows per key; keys whose rows cancel out may be there or not.
        catalogue: In force.
    """
    yield from _journal_findings(subject, journal)
    events = [row.event for row in journal if row.event is not None]
    folded = _fold(events) if events else None
    stored_contribution = stored.contribution if stored is not None else None
    contribution = contribution_of(folded, catalogue) if folded is not None else None
    differing = _differing_registers(stored, folded)
    if stored_contribution != contribution:
        differing.append("counted")
    if differing or (stored is None) != (folded is None):
        yield Finding(
            "state",
            (subject,),
            {"exists": stored is not None, "differing": differing},
            {"exists": folded is not None, "events": len(events)},
        )
    should = dict(changes(None, stored_contribution))
    for key in sorted(ledger.keys() | should.keys(), key=repr):
        if ledger.get(key, ZERO) != should.get(key, ZERO):
            yield Finding(
                "ledger",
                (subject, *key),
                named(ledger.get(key, ZERO)),
                named(should.get(key, ZERO)),
            )


def _journal_findings(subject: str, journal: Sequence[JournaledEvent]) -> Iterator[Finding]:
    times: dict[UUID, int] = {}
    for row in journal:
        times[row.event_id] = times.get(row.event_id, 0) + 1
    without_identity = {row.event_id for row in journal if not row.has_identity}
    for event_id, number in times.items():
        if number > 1 or event_id in without_identity:
            yield Finding(
                "journal",
                (subject, str(event_id)),
                {"rows": number, "identity": event_id not in without_identity},
                {"rows": 1, "identity": True},
            )


def _fold(events: Sequence[CaseEvent]) -> Case:
    case = Case()
    for event in events:
        case.apply(event)
    return case


def _differing_registers(stored: Case | None, folded: Case | None) -> list[str]:
    left = stored.registers if stored is not None else {}
    right = folded.registers if folded is not None else {}
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


def named(amounts: Amounts) -> dict[str, int]:
    """The counters that are not zero, by name.

    >>> named((1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    {'notified': 1, 'suspected': 1}
    """
    return {name: amount for name, amount in zip(COUNTERS, amounts, strict=True) if amount}


def slice_size(total: int, round_seconds: float, sweep_seconds: float, least: int) -> int:
    """How much one round looks at so that a sweep over everything ends in time.

    Args:
        total: How much there is.
        round_seconds: From one round to the next.
        sweep_seconds: Within how long everything is to be looked at.
        least: Never less than this.

    >>> slice_size(1_000_000, 60, 6 * 3600, 2_000)
    2778
    """
    return max(least, ceil(total * round_seconds / sweep_seconds))

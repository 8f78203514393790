"""What the ledger must say of a sequence of arrivals: an account of its own, on top of tests/truth.py.

Shares no code with streams/. After each event the whole case is folded again from all that has arrived of it
(by `truth`), and the event's ledger rows are the difference to what the case counted before.
"""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from schemas.catalogue import Catalogue
from tests.truth import LOCAL, REPORTED, TruthCase, truth

_FIRST_ID = str(UUID(int=0))


class CountKey(NamedTuple):
    """Which daily count; columns as in the tables."""

    disease: str
    area_id: str
    basis: str
    day: dt.date | None
    via: str
    agent: str


Counters = frozenset[tuple[str, int]]
"""Counters that are not zero."""


class LedgerRow(NamedTuple):
    """What one event did to one count."""

    subject: str
    event_id: str
    key: CountKey
    amounts: Counters


class Expected(NamedTuple):
    """Attributes:
    ledger: Every row, with how often it stands there (always once, unless something is wrong).
    counts: The daily counts that are not zero.
    cases: The final state of each case that counts.
    """

    ledger: Counter[LedgerRow]
    counts: dict[CountKey, Counters]
    cases: dict[str, TruthCase]


def expected(arrivals: Iterable[bytes], catalogue: Catalogue) -> Expected:
    """Fold events in the order in which they arrived, each identity once.

    Args:
        arrivals: Events in the order of the stream; only the order within a case matters.
        catalogue: Where areas and agents come from.
    """
    histories: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for raw in arrivals:
        event = json.loads(raw)
        histories[event["subject"]].append(event)
    stages = truth(_stages(histories), catalogue).cases
    resolves_to = {disease.code: disease.resolves_to for disease in catalogue.diseases}
    ledger: Counter[LedgerRow] = Counter()
    counts: dict[CountKey, Counter[str]] = defaultdict(Counter)
    cases = {}
    for subject, events in histories.items():
        before: dict[CountKey, Counter[str]] = {}
        for number, event in enumerate(events):
            case = stages.get(_stage(subject, number))
            after = {} if case is None else _contribution(case, resolves_to[case.disease])
            for key in before.keys() | after.keys():
                change = Counter(after.get(key, {}))
                change.subtract(before.get(key, {}))
                if amounts := _nonzero(change):
                    ledger[LedgerRow(subject, event["id"], key, amounts)] += 1
                    counts[key].update(dict(amounts))
            before = after
        if case is not None:
            cases[subject] = case
    return Expected(ledger, {k: found for k, c in counts.items() if (found := _nonzero(c))}, cases)


def _stage(subject: str, number: int) -> str:
    return f"{subject}|{number}"


def _stages(histories: Mapping[str, list[dict[str, Any]]]) -> Iterable[bytes]:
    """Each case as many times as it has events: first with its first arrival only, at last with all."""
    for subject, events in histories.items():
        for number in range(len(events)):
            arrived = events[: number + 1]
            stage = {"subject": _stage(subject, number)}
            if all(event["type"] != REPORTED for event in arrived):
                # Its report is still under way: it stands on the day of its first event, as if that had
                # been a report that says nothing.
                first = min(arrived, key=lambda event: dt.datetime.fromisoformat(event["time"]))
                arrived = [first | {"type": REPORTED, "id": _FIRST_ID, "data": {}}, *arrived]
            for event in arrived:
                yield json.dumps(event | stage).encode()


def _contribution(case: TruthCase, resolves_to: Mapping[str, str]) -> dict[CountKey, Counter[str]]:
    """Every daily count that a case stands in, with its counters there."""
    fields, results = case.fields, set(case.lab.values())
    classification = fields.get("classification") or "suspected"
    counters = Counter({"notified": 1, classification: 1})
    overall = next((result for result in ("positive", "pending", "negative") if result in results), None)
    if overall is not None:
        counters[overall] = 1
    if fields.get("origin") == "imported":
        counters["imported"] = 1
    if fields.get("hospitalised"):
        counters["hospitalised"] = 1
    is_dead = fields.get("died_at") is not None or fields.get("outcome") == "dead"
    died = is_dead and classification != "discarded" and fields.get("death_due_to") != "other"
    if died:
        counters["deaths"] = 1
    positive = {agent for agent, result in case.lab.items() if result == "positive"}
    sides = [(case.disease, "", positive)]
    for disease in {resolves_to[agent] for agent in positive & resolves_to.keys()}:
        sides.append((disease, case.disease, {a for a in positive if resolves_to.get(a) == disease}))
    rows = {}
    for disease, via, agents in sides:
        for agent in ("", *agents):
            place = (via, agent)
            rows[CountKey(disease, case.area.id, "onset", case.day, *place)] = counters
            rows[CountKey(disease, case.area.id, "report", case.reported_on, *place)] = counters
            if died:
                day = _day(fields.get("died_at"))
                rows[CountKey(disease, case.area.id, "death", day, *place)] = Counter({"deaths": 1})
    return rows


def _day(value: str | None) -> dt.date | None:
    if value is None or len(value) == len("2023-01-01"):
        return None if value is None else dt.date.fromisoformat(value)
    return dt.datetime.fromisoformat(value).astimezone(LOCAL).date()


def _nonzero(counter: Counter[str]) -> Counters:
    return frozenset((name, amount) for name, amount in counter.items() if amount)

"""The peer: the same counts in Quix Streams, as a team that knows Python would write them.

As its documentation has it: the state of a case in its store, the moves keyed anew by what they count
(`group_by`, a topic in between), the sums in its store, and the official PostgreSQL sink, which upserts them,
so that a repeat of a batch writes the same. `COUNTS=all`: the rows of daily_counts, every counter on every
basis, by this repository's own pure functions. `COUNTS=notified`: notified cases by day of onset alone, by a
few lines of its own. Neither validates an event nor keeps a journal, a ledger, identities, dead letters or
districts' totals.
"""

import os
import pickle
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from quixstreams import Application, State
from quixstreams.sinks.community.postgresql import PostgreSQLSink

from streams.domain.calendar import microseconds
from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.catalogue import Catalogue
from streams.domain.counts import COUNTERS, Contribution, changes
from streams.domain.judging import judge, kind_of

Event = dict[str, Any]
Move = dict[str, Any]


def moves_of_every_count(catalogue: Catalogue) -> Callable[[Event, State], list[Move]]:
    """Fold an event into its case; the counts that move, each with how."""

    def moves(event: Event, state: State) -> list[Move]:
        stored = state.get("case", default={"registers": {}, "contribution": None})
        contribution = stored["contribution"]
        if contribution is not None:
            *head, resolved, agents = contribution
            contribution = Contribution(*head, tuple(map(tuple, resolved)), tuple(agents))
        case = Case(
            {name: (stamp, value) for name, (stamp, value) in stored["registers"].items()}, contribution
        )
        time = microseconds(datetime.fromisoformat(event["time"]))
        event_id, data = UUID(event["id"]), event["data"]
        judged, _ = judge(kind_of(event["type"]), event["subject"], event_id, time, data, catalogue)
        found: list[Move] = []
        if isinstance(judged, CaseEvent):
            case.apply(judged)
            before, case.contribution = case.contribution, contribution_of(case, catalogue)
            for key, amounts in changes(before, case.contribution):
                found.append({"key": "|".join(part or "" for part in key), "amounts": amounts, "done": 0})
            contributed = None if case.contribution is None else list(case.contribution)
            state.set("case", {"registers": case.registers, "contribution": contributed})
        return _with_one_done(found, len(COUNTERS))

    return moves


def moves_of_notified(event: Event, state: State) -> list[Move]:
    """The same for notified cases by day of onset alone."""
    case: dict[str, Any] = state.get("case", default={"registers": {}, "key": None})
    stamp, registers, data = [event["time"], event["id"]], case["registers"], event["data"]
    if event["type"].endswith("retracted.v1"):
        data = {"retracted": True}
    elif event["type"].endswith("reported.v1"):
        data = {**data, "retracted": False}
    for name in ("disease", "area_code", "onset_on", "retracted"):
        if name in data and (name not in registers or registers[name][0] < stamp):
            registers[name] = [stamp, data[name]]
    values = {name: value for name, (_, value) in registers.items()}
    before, case["key"] = case["key"], None
    if not values.get("retracted") and values.get("disease") and values.get("area_code"):
        day = values.get("onset_on") or event["time"][:10]
        case["key"] = "|".join((values["disease"], values["area_code"], day))
    state.set("case", case)
    moved = [(before, -1), (case["key"], 1)] if before != case["key"] else []
    return _with_one_done([{"key": key, "amounts": [n], "done": 0} for key, n in moved if key], 1)


def _with_one_done(moves: list[Move], counters: int) -> list[Move]:
    """Every event is told once in `done`, also one that moves nothing: so the bench sees how far it is."""
    moves = moves or [{"key": "none", "amounts": [0] * counters, "done": 0}]
    moves[0]["done"] = 1
    return moves


def count(move: Move, state: State) -> dict[str, Any]:
    """Add a move to its count."""
    amounts = [a + b for a, b in zip(state.get("amounts", default=[0] * 11), move["amounts"], strict=False)]
    done = state.get("done", default=0) + move["done"]
    state.set("amounts", amounts)
    state.set("done", done)
    return {"counts_in": move["key"], "done": done, **dict(zip(COUNTERS, amounts, strict=False))}


def main() -> None:
    """Run until killed."""
    app = Application(
        broker_address=os.environ["KAFKA_BOOTSTRAP"],
        consumer_group=os.environ["GROUP"],
        auto_offset_reset="earliest",
        state_dir=os.environ["STATE"],
        commit_interval=1.0,
    )
    sink = PostgreSQLSink(
        host=os.environ["PGHOST"],
        port=int(os.environ["PGPORT"]),
        dbname=os.environ["PGDATABASE"],
        user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
        table_name="quix_counts",
        primary_key_columns="counts_in",
        upsert_on_primary_key=True,
        include_metadata=False,
    )
    moves = moves_of_notified
    if os.environ["COUNTS"] == "all":
        # Written by the bench a moment before, on this machine.
        moves = moves_of_every_count(pickle.loads(Path(os.environ["CATALOGUE"]).read_bytes()))  # noqa: S301
    events = app.dataframe(app.topic(os.environ["TOPIC"], key_deserializer="str", value_deserializer="json"))
    keyed = events.apply(moves, stateful=True, expand=True).group_by("key")
    keyed.apply(count, stateful=True).sink(sink)
    app.run()


if __name__ == "__main__":
    main()

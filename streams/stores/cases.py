"""Reading one case: its present state and its history."""

from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.areas import code_of
from streams.domain.case import AREA, Case, state_of


@dataclass(frozen=True, slots=True)
class ShownCase:
    """`state` is None for a case whose every event is parked."""

    state: dict[str, Any] | None
    events: list[dict[str, Any]]


def read_case(connection: Connection[TupleRow], subject: str) -> ShownCase | None:
    """State and history of a case; None where no event of it is known."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        events = cursor.execute(query("case_history"), {"subject": subject}).fetchall()
        row = cursor.execute(query("case_state"), {"subject": subject}).fetchone()
    if not events:
        return None
    if row is None:
        return ShownCase(None, events)
    state = state_of(Case({name: (stamp, value) for name, (stamp, value) in row["registers"].items()}))
    if AREA in state:
        state["area_code"] = code_of(state[AREA])
    state["counts"] = row["is_counted"]
    return ShownCase(state, events)

"""Reporting delays of the cases that count, group by group."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.delay import CaseTimes, Deadline, summary
from streams.stores.scope import Grouping, Key, Scope, in_order, key_of, names_of_keys, resolve, shown_key


def live_from(connection: Connection[TupleRow]) -> date | None:
    """The local day of the first event that the system knew; None where it knows none."""
    row = connection.execute(query("first_known_at")).fetchone()
    return None if row is None else row[0].astimezone(LOCAL_ZONE).date()


def read_delays(
    connection: Connection[TupleRow],
    scope: Scope,
    by: Sequence[Grouping],
    basis: Literal["onset", "report"],
    deadlines: Mapping[str, Sequence[Deadline]],
    today: date,
) -> list[dict[str, Any]]:
    """One row per group that has a case: streams.domain.delay.summary says what is in it.

    A case belongs to its own disease only, also where the laboratory named another.

    Args:
        connection: Used for one transaction.
        scope: Which cases.
        by: What they are grouped by.
        basis: The day under which a case stands.
        deadlines: By disease.
        today: Up to which reports may have come.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    groups: dict[Key, list[tuple[CaseTimes, date, Sequence[Deadline]]]] = {}
    with connection.transaction():
        resolved = resolve(connection, scope)
        live = live_from(connection)
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(query("case_times"), {**resolved.parameters, "basis": basis})
            for row in cursor:
                case = CaseTimes(
                    row["onset"], row["reported"], row["recorded_at"], row["known_at"], row["diagnosed"]
                )
                groups.setdefault(key_of(row, by), []).append(
                    (case, row["day"], deadlines.get(row["disease"], ()))
                )
        names = names_of_keys(connection, groups, by)
    return [
        {**shown_key(key, by, names, resolved.diseases), **summary(groups[key], live, today)}
        for key in in_order(groups, by, resolved.diseases)
    ]

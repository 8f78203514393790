"""Completeness of the cases that count, group by group."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.case import Case
from streams.domain.completeness import completeness
from streams.stores.scope import Grouping, Key, Scope, in_order, key_of, names_of_keys, resolve, shown_key


def read_completeness(
    connection: Connection[TupleRow],
    scope: Scope,
    by: Sequence[Grouping],
    basis: Literal["onset", "report"],
    with_severities: Collection[str],
) -> list[dict[str, Any]]:
    """One row per group that has a case: `cases`, `complete`, fields `asked` and `filled`, shares, fields.

    Args:
        connection: Used for one transaction.
        scope: Which cases.
        by: What they are grouped by.
        basis: The day under which a case stands.
        with_severities: Diseases whose form asks for the severity.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    groups: dict[Key, list[tuple[Case, bool]]] = {}
    with connection.transaction():
        resolved = resolve(connection, scope)
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(query("case_forms"), {**resolved.parameters, "basis": basis})
            for row in cursor:
                registers = {name: (stamp, value) for name, (stamp, value) in row["registers"].items()}
                groups.setdefault(key_of(row, by), []).append(
                    (Case(registers), row["disease"] in with_severities)
                )
        names = names_of_keys(connection, groups, by)
    shown = []
    for key in in_order(groups, by, resolved.diseases):
        found = completeness(groups[key])
        shown.append(
            {
                **shown_key(key, by, names, resolved.diseases),
                "cases": found.cases,
                "complete": found.complete,
                "asked": sum(field.asked for field in found.fields.values()),
                "filled": sum(field.filled for field in found.fields.values()),
                "complete_share": _rounded(found.complete_share),
                "filled_share": _rounded(found.filled_share),
                "fields": {
                    name: {"asked": field.asked, "filled": field.filled, "share": _rounded(field.share)}
                    for name, field in found.fields.items()
                },
            }
        )
    return shown


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)

"""Review of dead letters, and marking those that were repaired and sent again."""

from collections.abc import Callable
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query


def read_dead_letters(
    connection: Connection[TupleRow], *, is_open: bool = True, most: int = 100, before: int | None = None
) -> list[dict[str, Any]]:
    """The newest dead letters first, records redacted; by default those not retried yet.

    Args:
        connection: Used for one query.
        is_open: Only those not retried.
        most: How many at most.
        before: Only those older than the one with this id.
    """
    return _read(connection, is_open=is_open, most=most, before=before, dead_letter_id=None)


def read_dead_letter(connection: Connection[TupleRow], dead_letter_id: int) -> dict[str, Any] | None:
    """One of them, retried or not; None where there is none of this id."""
    found = _read(connection, is_open=False, most=1, before=None, dead_letter_id=dead_letter_id)
    return found[0] if found else None


def _read(connection: Connection[TupleRow], **asked: Any) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("dead_letters"), asked).fetchall()


def retry(connection: Connection[TupleRow], dead_letter_id: int, send: Callable[[str, bytes], None]) -> bool:
    """Send a dead letter's record again and mark it; False where there is none of this id, or it was retried.

    Args:
        connection: Used for one transaction.
        dead_letter_id: Which.
        send: Gets topic and redacted record; must not return before Kafka has what it makes of it.
    """
    with connection.transaction():
        row = connection.execute(query("dead_letter"), {"dead_letter_id": dead_letter_id}).fetchone()
        if row is None or row[2] is not None:
            return False
        topic, record, _ = row
        send(topic, bytes(record))
        # Marked after it was sent: sent twice is a repeat, marked without being sent would be a loss.
        connection.execute(query("mark_retried"), {"dead_letter_id": dead_letter_id})
        return True

"""What the database says for a backup, and of the backups that were made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow, class_row

from schemas.sql import query


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows there are."""

    case_events: int
    report_events: int
    cases: int


@dataclass(frozen=True, slots=True)
class View(Counted):
    """The database at one moment; `snapshot` is what pg_dump takes to see the same."""

    snapshot: str
    made_at: datetime
    postgres: str
    timescaledb: str
    size_bytes: int
    schema_version: str
    owner: str


@contextmanager
def one_view(connection: Connection[TupleRow]) -> Iterator[View]:
    """A view that stays as it is, for this connection and for whoever takes its snapshot, until left."""
    before = connection.isolation_level
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction(), connection.cursor(row_factory=class_row(View)) as cursor:
            # The dump may take longer than a transaction of ours may stand idle.
            cursor.execute("set local idle_in_transaction_session_timeout = 0")
            found = cursor.execute(query("backup_view")).fetchone()
            assert found is not None  # noqa: S101 - a select without from
            yield found
    finally:
        connection.isolation_level = before


def read_all_positions(connection: Connection[TupleRow]) -> dict[str, dict[int, int]]:
    """Topic (full name) → partition → the offset that is to be folded next."""
    found: dict[str, dict[int, int]] = {}
    for topic, partition, next_offset in connection.execute(query("all_positions")):
        found.setdefault(topic, {})[partition] = next_offset
    return found


def read_counted(connection: Connection[TupleRow]) -> Counted:
    """How many events and cases there are."""
    with connection.cursor(row_factory=class_row(Counted)) as cursor:
        found = cursor.execute(query("backup_counts")).fetchone()
    assert found is not None  # noqa: S101 - a select without from
    return found


def is_empty(connection: Connection[TupleRow]) -> bool:
    """Whether the database has no table yet."""
    return connection.execute(query("public_tables")).fetchone() == (0,)


def read_extension(connection: Connection[TupleRow]) -> str | None:
    """The version of TimescaleDB in this database; None where it is not there."""
    row = connection.execute(query("extension_version")).fetchone()
    return None if row is None else str(row[0])


def save_backup(
    connection: Connection[TupleRow], made_at: datetime, folder: str, size: int, encrypted_by: str | None
) -> None:
    """Remember that a backup was made; `size` in bytes."""
    connection.execute(
        query("insert_backup"),
        {"made_at": made_at, "folder": folder, "bytes": size, "encrypted_by": encrypted_by},
    )


def backup_age(connection: Connection[TupleRow]) -> tuple[float | None, bool]:
    """Seconds since the newest backup, and that there is one; without one, since the installation began."""
    row = connection.execute(query("backup_age")).fetchone()
    assert row is not None  # noqa: S101 - a select without from
    return row[0], row[1]

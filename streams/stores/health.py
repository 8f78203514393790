"""What the database tells about itself and about how far the stream is."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.handlers.fold_cases import TOPIC


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """`now` is the server's clock; `next_offsets` the next offset to fold, by partition."""

    now: datetime
    postgres: str
    timescaledb: str | None
    catalogue_version: str | None
    parked: int
    dead_letters: int
    next_offsets: dict[int, int]


def read_health(connection: Connection[TupleRow], topic: str = TOPIC) -> DatabaseHealth:
    """Ask the server."""
    row = connection.execute(query("database_health")).fetchone()
    assert row is not None  # noqa: S101 - a select without from
    positions = connection.execute(query("positions"), {"topic": topic})
    next_offsets = {partition: next_offset for partition, _, _, next_offset, *_ in positions}
    now, postgres, timescaledb, catalogue_version, parked, dead_letters = row
    return DatabaseHealth(now, postgres, timescaledb, catalogue_version, parked, dead_letters, next_offsets)

"""What the database tells about itself, about how far the stream is, and about how well it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain import canary
from streams.domain.as_of import LogEnds
from streams.domain.positions import TOPIC, Position

RECENT: Final = timedelta(hours=1)
"""The window of the dead-letter share."""


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """`now` is the server's clock."""

    now: datetime
    postgres: str
    timescaledb: str | None
    catalogue_version: str | None


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """How well the stream goes. Ages in seconds by the server's clock; None where there is nothing of it.

    Attributes:
        newest_age: Since the newest folded record came to Kafka, canaries included.
        journaled: Events journaled within RECENT, canaries left out.
        dead: Dead letters of the topic within RECENT that were not sent again.
        dead_open: Dead letters of all time that were not sent again.
        parked: Events that wait for the catalogue.
        round_age: Since the continuous audit's last round ended.
        sweep_age: Since its last whole sweep began: what was wrong before was found.
        audit_waiting: Journaled events that it has not looked at yet.
        drift: How many findings of each kind are open.
    """

    newest_age: float | None
    journaled: int
    dead: int
    dead_open: int
    parked: int
    round_age: float | None
    sweep_age: float | None
    audit_waiting: int | None
    drift: Mapping[str, int]

    @property
    def dead_share(self) -> float:
        """Which part of what came within RECENT is in the dead letters; 0 where nothing came."""
        came = self.journaled + self.dead
        return self.dead / came if came else 0.0


@dataclass(frozen=True, slots=True)
class AlertHealth:
    """How well alerts are raised and told. Seconds by the server's clock.

    Attributes:
        watcher_age: Since the watcher last looked; None: it never has.
        delivery_waiting: Since the delivery that waits longest was due; None: none waits.
    """

    watcher_age: float | None
    delivery_waiting: float | None


@dataclass(frozen=True, slots=True)
class Canary:
    """A canary event that was folded; `sent_at` by the clock of who sent it."""

    event_id: UUID
    sent_at: datetime


def read_health(connection: Connection[TupleRow]) -> DatabaseHealth:
    """Ask the server about itself."""
    row = connection.execute(query("database_health")).fetchone()
    assert row is not None  # noqa: S101 - a select without from
    return DatabaseHealth(*row)


def read_stream_health(connection: Connection[TupleRow], topic: str = TOPIC) -> StreamHealth:
    """Ask the server about one topic (full name)."""
    params = {"topic": topic, "window": RECENT, "canaries": canary.PREFIX}
    row = connection.execute(query("stream_health"), params).fetchone()
    assert row is not None  # noqa: S101 - a select without from
    newest_age, journaled, dead, dead_open, parked, round_age, sweep_age, waiting = row
    drift: dict[str, int] = dict(connection.execute(query("open_audit_kinds")).fetchall())
    return StreamHealth(newest_age, journaled, dead, dead_open, parked, round_age, sweep_age, waiting, drift)


def read_alert_health(connection: Connection[TupleRow]) -> AlertHealth:
    """Ask the server about watcher and notifier."""
    row = connection.execute(query("alert_health")).fetchone()
    assert row is not None  # noqa: S101 - a select without from
    return AlertHealth(*row)


def read_canaries(connection: Connection[TupleRow], subjects: Sequence[str]) -> dict[str, Canary]:
    """The newest folded canary of each subject; subjects without one are absent."""
    rows = connection.execute(query("newest_canaries"), {"subjects": list(subjects)})
    return {subject: Canary(event_id, sent_at) for subject, event_id, sent_at in rows}


def lags(ends: LogEnds, positions: Mapping[int, Position]) -> dict[int, int]:
    """How many records of each partition are in Kafka and not folded yet.

    A partition whose topic was made anew under the old name is read from its start.
    """
    found = {}
    for partition, end in ends.offsets.items():
        at = positions.get(partition)
        folded = at.next_offset if at is not None and at.topic_id == ends.topic_id else 0
        found[partition] = max(0, end - folded)
    return found

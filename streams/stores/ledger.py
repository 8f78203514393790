"""The ledger in TimescaleDB: one transaction per batch, set-based reads and writes.

Source of the shape: docs/adr/0003-per-event-ledger-and-known-at.md. Temporary staging tables and COPY are
an order of magnitude faster than a statement per event.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from schemas.sql import query
from streams.domain.case import CaseEvent
from streams.domain.catalogue import Catalogue
from streams.domain.errors import ViewMoved
from streams.domain.judging import Parked
from streams.domain.positions import TOPIC, Position, Touched
from streams.handlers.fold_cases import Batch, Committed, DeadLetter, Entry, View, conflict
from streams.stores.catalogue import current_load_id, read_catalogue
from streams.stores.copying import NULL, copy_rows, escaped
from streams.stores.database import Session
from streams.stores.tables import STAGING, Cause, fold_events, write_parked


class PostgresLedger:
    """Implements the Ledger port of streams/handlers/fold_cases.py; one batch at a time."""

    def __init__(self, database_url: str, topic: str = TOPIC) -> None:
        self._session = Session(database_url, on_connect=STAGING)
        self._assignments = Session(database_url)
        self._topic = topic
        self._catalogue: Catalogue | None = None

    async def view(self, partitions: Iterable[int]) -> View:
        """The catalogue in force and the partitions' positions."""
        return await asyncio.to_thread(self._view, sorted(partitions))

    async def commit(self, view: View, batch: Batch) -> Committed:
        """Journal, fold and count a batch in one transaction."""
        return await asyncio.to_thread(self._commit, view, batch)

    async def replayed(self, ranges: Mapping[int, tuple[int, int]]) -> Committed:
        """What was announced for offset ranges of the present epochs."""
        return await asyncio.to_thread(self._replayed, ranges)

    async def positions(self, partitions: Iterable[int]) -> dict[int, Position]:
        """The stored positions; partitions never read are absent."""
        return await asyncio.to_thread(self._positions, sorted(partitions))

    async def replace_positions(
        self, expected: Mapping[int, Position | None], positions: Mapping[int, Position]
    ) -> bool:
        """Store positions where the stored ones are still the expected ones; False otherwise."""
        return await asyncio.to_thread(self._replace_positions, expected, positions)

    async def unannounced(self, partitions: Iterable[int]) -> Committed:
        """What is folded of these partitions and perhaps not announced."""
        return await asyncio.to_thread(self._unannounced, sorted(partitions))

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
        self._assignments.close()

    def _positions(self, partitions: list[int]) -> dict[int, Position]:
        # A session of its own: assignments happen while a batch may be under way on the other one.
        with self._assignments.transaction() as connection:
            return lock_positions(connection, self._topic, partitions)

    def _replace_positions(
        self, expected: Mapping[int, Position | None], positions: Mapping[int, Position]
    ) -> bool:
        with self._assignments.transaction() as connection, connection.cursor() as cursor:
            stored = lock_positions(connection, self._topic, sorted(positions))
            if any(stored.get(p) != expected[p] for p in positions):
                return False
            save_positions(cursor, self._topic, positions)
            return True

    def _view(self, partitions: list[int]) -> View:
        with self._session.transaction() as connection:
            connection.execute(query("lock_catalogue_shared"))
            load_id = current_load_id(connection)
            if self._catalogue is None or self._catalogue.load_id != load_id:
                self._catalogue = read_catalogue(connection)
            positions = lock_positions(connection, self._topic, partitions)
        return View(self._catalogue, positions)

    def _commit(self, view: View, batch: Batch) -> Committed:
        with self._session.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(query("lock_catalogue_shared"))
            if current_load_id(connection) != view.catalogue.load_id:
                raise ViewMoved
            partitions = sorted({e.partition for e in batch.entries} | {d.partition for d in batch.dead})
            current = lock_positions(connection, self._topic, partitions)
            if any(current.get(p) != view.positions[p] for p in partitions):
                raise ViewMoved

            entries, conflicts = _claim(cursor, batch.entries)
            dead = [*batch.dead, *conflicts]
            _write_journal(cursor, entries)
            rows = fold_events(
                cursor,
                [
                    (Cause(e.known_at, e.event.id, e.epoch, e.partition, e.offset), e.judged)
                    for e in entries
                    if isinstance(e.judged, CaseEvent)
                ],
                view.catalogue,
            )
            for letter in dead:
                cursor.execute(query("insert_dead_letter"), _dead_letter_params(letter, self._topic))
            save_positions(cursor, self._topic, {p: batch.positions[p] for p in partitions})
        touched = frozenset(Touched._make(moved) for moved in {change.key[:2] for _, _, change in rows})
        return Committed(touched, dead, len(entries), sum(isinstance(e.judged, Parked) for e in entries))

    def _replayed(self, ranges: Mapping[int, tuple[int, int]]) -> Committed:
        with self._session.transaction() as connection:
            positions = lock_positions(connection, self._topic, sorted(ranges))
            return _read_again(connection, self._topic, positions, ranges)

    def _unannounced(self, partitions: list[int]) -> Committed:
        with self._assignments.transaction() as connection:
            positions = lock_positions(connection, self._topic, partitions)
            ranges = {p: (at.announced_offset, at.next_offset - 1) for p, at in positions.items()}
            return _read_again(connection, self._topic, positions, ranges)


def _read_again(
    connection: Connection[TupleRow],
    topic: str,
    positions: Mapping[int, Position],
    ranges: Mapping[int, tuple[int, int]],
) -> Committed:
    """What the commits of offset ranges of the present epochs gave to announce."""
    params = {
        "topic": topic,
        "partitions": list(ranges),
        "epochs": [positions[p].epoch for p in ranges],
        "firsts": [first for first, _ in ranges.values()],
        "lasts": [last for _, last in ranges.values()],
    }
    touched = connection.execute(query("replayed_changes"), params).fetchall()
    dead = connection.execute(query("replayed_dead_letters"), params).fetchall()
    return Committed(
        frozenset(Touched(*row) for row in touched),
        [
            DeadLetter(epoch, partition, offset, known_at, error, tuple(problems), *rest)
            for epoch, partition, offset, known_at, error, problems, *rest in dead
        ],
    )


def lock_positions(
    connection: Connection[TupleRow], topic: str, partitions: Sequence[int]
) -> dict[int, Position]:
    """The positions of partitions, locked until the transaction ends; unknown partitions are absent."""
    rows = connection.execute(query("lock_positions"), {"topic": topic, "partitions": list(partitions)})
    return {partition: Position(*position) for partition, *position in rows}


def save_positions(cursor: Cursor[TupleRow], topic: str, positions: Mapping[int, Position]) -> None:
    """Store how far each partition is folded and announced."""
    cursor.execute(
        query("save_positions"),
        {
            "topic": topic,
            "partitions": list(positions),
            "topic_ids": [p.topic_id for p in positions.values()],
            "epochs": [p.epoch for p in positions.values()],
            "next_offsets": [p.next_offset for p in positions.values()],
            "announced_offsets": [p.announced_offset for p in positions.values()],
            "last_known_ats": [p.last_known_at for p in positions.values()],
            "last_hashes": [p.last_hash for p in positions.values()],
        },
    )


def _claim(cursor: Cursor[TupleRow], entries: Sequence[Entry]) -> tuple[list[Entry], list[DeadLetter]]:
    """The entries whose identity is new, and a dead letter for each that was used with other content."""
    first: dict[tuple[str, UUID], Entry] = {}
    again: list[Entry] = []
    for entry in entries:
        identity = (entry.event.subject, entry.event.id)
        if identity in first:
            again.append(entry)
        else:
            first[identity] = entry
    if not first:
        return [], []
    copy_rows(
        cursor,
        "copy staged_ids (subject, event_id, content_hash) from stdin",
        (
            (subject, event_id.hex, r"\\x" + entry.event.content_hash.hex())
            for (subject, event_id), entry in first.items()
        ),
    )
    cursor.execute(query("claim_staged_ids"))
    if cursor.rowcount == len(first) and not again:
        return list(first.values()), []

    new = set(cursor.fetchall())
    known = [entry for identity, entry in first.items() if identity not in new]
    standing = _content_hashes(cursor, known)
    standing |= {identity: first[identity].event.content_hash for identity in new}
    conflicts = []
    for entry in (*known, *again):
        identity = (entry.event.subject, entry.event.id)
        if entry.event.content_hash != standing[identity]:
            version = first[identity].raw if identity in new else _standing_event(cursor, *identity)
            conflicts.append(conflict(entry, version))
    return [entry for identity, entry in first.items() if identity in new], conflicts


def _content_hashes(cursor: Cursor[TupleRow], entries: Sequence[Entry]) -> dict[tuple[str, UUID], bytes]:
    if not entries:
        return {}
    cursor.execute(
        query("identities"),
        {"subjects": [e.event.subject for e in entries], "event_ids": [e.event.id for e in entries]},
    )
    return {(subject, event_id): content_hash for subject, event_id, content_hash in cursor.fetchall()}


def _standing_event(cursor: Cursor[TupleRow], subject: str, event_id: UUID) -> bytes:
    cursor.execute(query("journaled_event"), {"subject": subject, "event_id": event_id})
    row = cursor.fetchone()
    names = ("subject", "id", "type", "time", "source", "data")
    # An identity without its journal row would be drift; the audit says so, the batch goes on.
    return b"" if row is None else orjson.dumps(dict(zip(names, row, strict=True)))


def _write_journal(cursor: Cursor[TupleRow], entries: Sequence[Entry]) -> None:
    if not entries:
        return
    copy_rows(
        cursor,
        "copy case_events (known_at, epoch, kafka_partition, kafka_offset, load_id, subject, event_id, "
        "event_type, event_time, source, data, area_id, is_parked) from stdin",
        (
            (
                e.known_at.isoformat(),
                str(e.epoch),
                str(e.partition),
                str(e.offset),
                str(e.load_id),
                e.event.subject,
                e.event.id.hex,
                e.event.type,
                e.event.time.isoformat(),
                escaped(e.event.source),
                escaped(e.data_json.decode()),
                e.area_id or NULL,
                "t" if isinstance(e.judged, Parked) else "f",
            )
            for e in entries
        ),
    )
    write_parked(
        cursor,
        [
            (e.event.subject, e.event.id, e.known_at, e.judged.reason, e.judged.code)
            for e in entries
            if isinstance(e.judged, Parked)
        ],
    )


def _dead_letter_params(letter: DeadLetter, topic: str) -> dict[str, Any]:
    return {
        "topic": topic,
        "epoch": letter.epoch,
        "partition": letter.partition,
        "offset": letter.offset,
        "known_at": letter.known_at,
        "error": letter.error,
        "problems": Jsonb(list(letter.problems)),
        "key": letter.key,
        "value": letter.value,
        "standing": letter.standing,
        "subject": letter.subject,
        "event_id": letter.event_id,
    }

"""The ledger of tallies and foci in TimescaleDB: one transaction per batch, as streams/stores/ledger.py."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

import orjson
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from schemas.sql import query
from streams.domain.errors import ViewMoved
from streams.domain.judging import Parked
from streams.domain.positions import Position, Touched
from streams.domain.reports import ReportEvent, ReportKind
from streams.handlers.fold_cases import Batch, Committed, DeadLetter, Entry, View, conflict
from streams.handlers.fold_reports import TOPICS
from streams.stores.catalogue import current_load_id
from streams.stores.ledger import PostgresLedger, lock_positions, save_positions
from streams.stores.report_tables import fold_reports, write_parked_reports
from streams.stores.tables import Cause


class PostgresReports(PostgresLedger):
    """Implements the Ledger port for one kind of report; one batch at a time."""

    def __init__(self, database_url: str, kind: ReportKind, topic: str | None = None) -> None:
        """`topic` is the full name, prefix included; None: the kind's own without a prefix."""
        super().__init__(database_url, topic or TOPICS[kind])
        self._kind = kind

    def _commit(self, view: View, batch: Batch) -> Committed:
        with self._session.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(query("lock_catalogue_shared"))
            if current_load_id(connection) != view.catalogue.load_id:
                raise ViewMoved
            partitions = sorted({e.partition for e in batch.entries} | {d.partition for d in batch.dead})
            current = lock_positions(connection, self._topic, partitions)
            if any(current.get(p) != view.positions[p] for p in partitions):
                raise ViewMoved

            entries, conflicts = self._claim(cursor, batch.entries)
            dead = [*batch.dead, *conflicts]
            self._write_journal(cursor, entries)
            rows = fold_reports(
                cursor,
                self._kind,
                [
                    (Cause(e.known_at, e.event.id, e.epoch, e.partition, e.offset), e.judged)
                    for e in entries
                    if isinstance(e.judged, ReportEvent)
                ],
            )
            for letter in dead:
                problems = Jsonb(list(letter.problems))
                cursor.execute(
                    query("insert_dead_letter"),
                    {**asdict(letter), "topic": self._topic, "problems": problems},
                )
            save_positions(cursor, self._topic, {p: batch.positions[p] for p in partitions})
        touched = frozenset(Touched(c.key.disease, c.key.area_id) for *_, c in rows)
        return Committed(touched, dead, len(entries), sum(isinstance(e.judged, Parked) for e in entries))

    def _replayed(self, ranges: Mapping[int, tuple[int, int]]) -> Committed:
        with self._session.transaction() as connection:
            positions = lock_positions(connection, self._topic, sorted(ranges))
            return self._read_again(connection, positions, ranges)

    def _unannounced(self, partitions: list[int]) -> Committed:
        with self._assignments.transaction() as connection:
            positions = lock_positions(connection, self._topic, partitions)
            ranges = {p: (at.announced_offset, at.next_offset - 1) for p, at in positions.items()}
            return self._read_again(connection, positions, ranges)

    def _read_again(
        self,
        connection: Connection[TupleRow],
        positions: Mapping[int, Position],
        ranges: Mapping[int, tuple[int, int]],
    ) -> Committed:
        """What the commits of offset ranges of the present epochs gave to announce."""
        params = {
            "kind": self._kind,
            "topic": self._topic,
            "partitions": list(ranges),
            "epochs": [positions[p].epoch for p in ranges],
            "firsts": [first for first, _ in ranges.values()],
            "lasts": [last for _, last in ranges.values()],
        }
        touched = connection.execute(query("replayed_figure_changes"), params).fetchall()
        dead = connection.execute(query("replayed_dead_letters"), params).fetchall()
        return Committed(
            frozenset(Touched(*row) for row in touched),
            [
                DeadLetter(epoch, partition, offset, known_at, error, tuple(problems), *rest)
                for epoch, partition, offset, known_at, error, problems, *rest in dead
            ],
        )

    def _claim(
        self, cursor: Cursor[TupleRow], entries: Iterable[Entry]
    ) -> tuple[list[Entry], list[DeadLetter]]:
        """The entries whose identity is new, and a dead letter for each that was used with other content."""
        first: dict[tuple[str, UUID], Entry] = {}
        again: list[Entry] = []
        for entry in entries:
            identity = (entry.event.subject, entry.event.id)
            if first.setdefault(identity, entry) is not entry:
                again.append(entry)
        if not first:
            return [], []
        identities = {
            "subjects": [subject for subject, _ in first],
            "event_ids": [event_id for _, event_id in first],
            "content_hashes": [entry.event.content_hash for entry in first.values()],
        }
        new = set(cursor.execute(query("claim_report_ids"), identities).fetchall())
        standing = {
            (subject, event_id): bytes(content_hash)
            for subject, event_id, content_hash in cursor.execute(query("identities"), identities).fetchall()
        }
        known = [entry for identity, entry in first.items() if identity not in new]
        conflicts = []
        for entry in (*known, *again):
            identity = (entry.event.subject, entry.event.id)
            if entry.event.content_hash != standing[identity]:
                version = first[identity].raw if identity in new else self._standing(cursor, *identity)
                conflicts.append(conflict(entry, version))
        return [entry for identity, entry in first.items() if identity in new], conflicts

    def _standing(self, cursor: Cursor[TupleRow], subject: str, event_id: UUID) -> bytes:
        cursor.execute(query("journaled_report"), {"subject": subject, "event_id": event_id})
        row = cursor.fetchone()
        names = ("subject", "id", "kind", "time", "source", "data")
        # An identity without its journal row would be drift; the audit says so, the batch goes on.
        return b"" if row is None else orjson.dumps(dict(zip(names, row, strict=True)))

    def _write_journal(self, cursor: Cursor[TupleRow], entries: Sequence[Entry]) -> None:
        documents = [
            {
                "known_at": e.known_at,
                "epoch": e.epoch,
                "kafka_partition": e.partition,
                "kafka_offset": e.offset,
                "load_id": e.load_id,
                "kind": self._kind,
                "subject": e.event.subject,
                "event_id": e.event.id,
                "event_time": e.event.time,
                "source": e.event.source,
                "data": orjson.Fragment(e.data_json),
                "area_id": e.area_id,
                "is_parked": isinstance(e.judged, Parked),
            }
            for e in entries
        ]
        if documents:
            cursor.execute(query("insert_report_events"), {"rows": orjson.dumps(documents).decode()})
        write_parked_reports(
            cursor,
            self._kind,
            [
                (e.event.subject, e.event.id, e.known_at, e.judged.reason, e.judged.code)
                for e in entries
                if isinstance(e.judged, Parked)
            ],
        )

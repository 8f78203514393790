"""In memory: the rows that sources sent, the identities that the fold claimed, and Kafka."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from schemas.events import STREAM_MAX_AHEAD, Event, parse_event
from streams.domain.errors import DependencyDown
from streams.stores.imports import ExternalId, ImportRow, Twin


class Crash(Exception):
    """The process ended here."""


class MemoryRows:
    """Implements the RowStore port; what it gives out has been through JSON, as a database's would have."""

    def __init__(self, table: dict[str, tuple[ImportRow, bytes, bool]] | None = None) -> None:
        self.table = {} if table is None else table
        self.saves: list[int] = []
        self.before_save: Callable[[], None] = lambda: None
        self.before_mark: Callable[[], None] = lambda: None

    def known(self, subjects: Iterable[str]) -> dict[str, ImportRow]:
        return {s: self.table[s][0] for s in subjects if s in self.table}

    def unsent(self) -> list[ImportRow]:
        return [
            ImportRow(row.subject, row.content, row.event_id, row.event_time, event)
            for row, event, is_sent in (self.table[s] for s in sorted(self.table))
            if not is_sent
        ]

    def save(self, rows: Sequence[ImportRow]) -> None:
        self.before_save()
        assert len({row.subject for row in rows}) == len(rows), "one row per case and save"
        self.saves.append(len(rows))
        for row in rows:
            content: Mapping[str, Any] = orjson.loads(orjson.dumps(row.content))
            stored = ImportRow(row.subject, content, row.event_id, row.event_time)
            if row.event is None:
                _, event, is_sent = self.table[row.subject]
                self.table[row.subject] = (stored, event, is_sent)
            else:
                assert row.subject not in self.table or self.table[row.subject][2], (
                    "its event was not sent yet"
                )
                self.table[row.subject] = (stored, row.event, False)

    def mark_sent(self, rows: Sequence[ImportRow]) -> None:
        self.before_mark()
        for row in rows:
            stored, event, is_sent = self.table[row.subject]
            self.table[row.subject] = (stored, event, is_sent or stored.event_id == row.event_id)


class MemoryIdentities:
    """Implements the Identities port."""

    def __init__(self) -> None:
        self.claimed: dict[tuple[str, UUID], bytes] = {}

    def hashes(self, identities: Sequence[tuple[str, UUID]]) -> dict[tuple[str, UUID], bytes]:
        return {identity: self.claimed[identity] for identity in identities if identity in self.claimed}


class MemoryTwins:
    """Implements the Twins port.

    Attributes:
        cases: Case → its disease and its codes by system.
    """

    def __init__(self) -> None:
        self.cases: dict[str, tuple[str, dict[str, str]]] = {}

    def carrying(self, ids: Collection[ExternalId]) -> dict[ExternalId, list[Twin]]:
        found: dict[ExternalId, list[Twin]] = {}
        for subject, (disease, codes) in self.cases.items():
            for key in codes.items():
                if key in ids:
                    found.setdefault(key, []).append(Twin(subject, disease))
        return found


class MemoryKafka:
    """Implements the Sender port; takes only events that the stream would take, under their key."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.records: list[tuple[bytes, bytes]] = []
        self.topics: list[str] = []
        self.fails_after: int | None = None

    def deliver(self, records: Sequence[tuple[bytes, bytes]], topic: str | None = None) -> None:
        for record in records:
            if self.fails_after is not None and len(self.records) >= self.fails_after:
                raise DependencyDown("Kafka does not answer")
            self.records.append(record)
            self.topics.append(topic or "case-events")

    @property
    def events(self) -> list[Event]:
        """Every event sent, in the order of sending."""
        events = []
        for key, value in self.records:
            event = parse_event(value, now=self._now, max_ahead=STREAM_MAX_AHEAD)
            assert key == event.subject.encode()
            events.append(event)
        return events

"""The rows that each source has sent, so that an equal row is not sent again and a crash loses none."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads

from schemas.sql import query
from streams.domain.errors import ConfigurationError
from streams.stores.database import connect, errors_translated


@dataclass(frozen=True, slots=True)
class ImportRow:
    """The last row of a source and a case, and the event that it became.

    Attributes:
        subject: The case's own code.
        content: What the row said, as its importer needs it for the next comparison (JSON).
        event_id: Of the last event sent for the case.
        event_time: Of that event, UTC.
        event: That event as JSON; None where it is not asked for, and on saving: nothing new to be sent.
    """

    subject: str
    content: Mapping[str, Any]
    event_id: UUID
    event_time: datetime
    event: bytes | None = None


ExternalId = tuple[str, str]
"""A system's name, and the code that it has given to a case."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A case that counts and carries a code of another system; `disease` is a code of the catalogue."""

    subject: str
    disease: str | None


class PostgresTwins:
    """Cases by the codes of other systems. Reads all of `cases` once, when first asked about a code.

    There is no index for it: one over the registers would make every update of a case slower.
    """

    def __init__(self, database_url: str, system: str, prefix: str) -> None:
        """The subjects of cases that came from `system` are `prefix` and its code."""
        self._database_url = database_url
        self._system = system
        self._prefix = prefix
        self._carried: dict[ExternalId, list[Twin]] | None = None

    def carrying(self, ids: Collection[ExternalId]) -> dict[ExternalId, list[Twin]]:
        """The cases that carry each of these codes; codes that none carries are absent."""
        if not ids:
            return {}
        with errors_translated(), connect(self._database_url) as connection:
            if self._carried is None:
                self._carried = self._read(connection)
            own = {self._prefix + code: (system, code) for system, code in ids if system == self._system}
            namesakes = connection.execute(query("import_namesakes"), {"subjects": list(own)}).fetchall()
        found: dict[ExternalId, list[Twin]] = {}
        for key in ids:
            if key in self._carried:
                found[key] = list(self._carried[key])
        for subject, disease in namesakes:
            known = found.setdefault(own[subject], [])
            if all(twin.subject != subject for twin in known):
                known.append(Twin(subject, disease))
        return found

    def _read(self, connection: Connection[TupleRow]) -> dict[ExternalId, list[Twin]]:
        carried: dict[ExternalId, list[Twin]] = {}
        rows = connection.execute(query("import_twins"), {"system": self._system, "prefix": self._prefix})
        for subject, disease, external_ids in rows:
            for system, code in external_ids.items():
                carried.setdefault((system, code), []).append(Twin(subject, disease))
        return carried


class PostgresImports:
    """The table import_rows of one source; holds the source's lock until it is closed.

    With `reads_only` there is no lock: nothing may be saved.
    """

    def __init__(self, database_url: str, source: str, *, reads_only: bool = False) -> None:
        self._source = source
        self._connection = connect(database_url)
        set_json_loads(orjson.loads, self._connection)
        if not reads_only and not self._has_locked():
            self._connection.close()
            raise ConfigurationError(
                f"Một lần nhập khác của nguồn {source} đang chạy. Hãy chờ xong rồi bắt đầu lại. / Another "
                f"import from source {source} is running. Wait until it has ended, then start again."
            )

    def _has_locked(self) -> bool:
        with errors_translated():
            row = self._connection.execute(query("import_lock"), {"source": self._source}).fetchone()
        return row is not None and bool(row[0])

    def close(self) -> None:
        """Give the lock back."""
        self._connection.close()

    def known(self, subjects: Iterable[str]) -> dict[str, ImportRow]:
        """The last row of each of these cases; cases that this source never sent are absent."""
        with errors_translated():
            rows = self._connection.execute(
                query("import_known"), {"source": self._source, "subjects": list(subjects)}
            )
            return {row[0]: ImportRow(*row) for row in rows}

    def unsent(self) -> list[ImportRow]:
        """The rows whose event may not have reached Kafka: at most those of one `save`."""
        with errors_translated():
            rows = self._connection.execute(query("import_unsent"), {"source": self._source}).fetchall()
        return [
            ImportRow(subject, content, event_id, event_time, orjson.dumps(event))
            for subject, content, event_id, event_time, event in rows
        ]

    def save(self, rows: Sequence[ImportRow]) -> None:
        """Store rows of different cases in one transaction; those with an event as not sent yet.

        Raises:
            DependencyDown: nothing of it is stored.
        """
        new = [row for row in rows if row.event is not None]
        seen = [row for row in rows if row.event is None]
        with errors_translated(), self._connection.transaction(), self._connection.cursor() as cursor:
            if new:
                cursor.execute(query("import_save_rows"), self._params(new))
            if seen:
                cursor.execute(query("import_save_contents"), self._params(seen))

    def mark_sent(self, rows: Sequence[ImportRow]) -> None:
        """Note that Kafka has acknowledged the events of these rows."""
        with errors_translated():
            self._connection.execute(
                query("import_mark_sent"),
                {
                    "source": self._source,
                    "subjects": [row.subject for row in rows],
                    "event_ids": [row.event_id for row in rows],
                },
            )

    def _params(self, rows: Sequence[ImportRow]) -> dict[str, Any]:
        # One JSON document: an array of JSON texts is quoted text by text, which takes half of an import.
        document = orjson.dumps(
            [
                {
                    "subject": row.subject,
                    "content": row.content,
                    "event_id": row.event_id,
                    "event_time": row.event_time,
                    "event": None if row.event is None else orjson.Fragment(row.event),
                }
                for row in rows
            ]
        )
        return {"source": self._source, "rows": document.decode()}


class PostgresIdentities:
    """The identities that the fold has claimed."""

    def __init__(self, database_url: str) -> None:
        self._connection = connect(database_url)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def hashes(self, identities: Sequence[tuple[str, UUID]]) -> dict[tuple[str, UUID], bytes]:
        """Content hash of each known (subject, event id) among these."""
        with errors_translated():
            rows = self._connection.execute(
                query("identities"),
                {
                    "subjects": [s for s, _ in identities],
                    "event_ids": [event_id for _, event_id in identities],
                },
            ).fetchall()
        return {(subject, event_id): bytes(content_hash) for subject, event_id, content_hash in rows}

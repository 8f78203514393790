"""The Knowledge port over TimescaleDB."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from services.intake.ports import Identity
from services.intake.threads import Worker
from streams.domain.catalogue import Catalogue
from streams.domain.errors import DependencyDown
from streams.domain.receipts import Fate
from streams.stores.catalogue import current_load_id, read_catalogue
from streams.stores.database import Session
from streams.stores.receipts import read_fate

# Senders wait for these answers: a statement that takes longer is not worth having.
_BOUNDS = ("set statement_timeout = '5s'", "set lock_timeout = '1s'")

_CLOSE_SECONDS = 2.0


class DatabaseKnowledge:
    """Implements the Knowledge port of services/intake/ports.py; connects when first asked.

    Identities have a connection of their own, so that reading a whole catalogue does not hold them up.
    """

    def __init__(self, database_url: str) -> None:
        self._identities = Session(database_url, _BOUNDS)
        self._catalogue = Session(database_url, _BOUNDS)
        self._identities_worker = Worker("intake-identities")
        self._catalogue_worker = Worker("intake-catalogue")

    async def known_hashes(self, identities: Sequence[Identity]) -> Mapping[Identity, bytes]:
        """The content hashes under which identities are in the journal."""
        return await self._identities_worker.run(self._known_hashes, identities)

    async def fate(self, event_id: UUID, subject: str | None) -> Fate:
        """What became of the events with an id, of every subject or of one."""
        return await self._identities_worker.run(self._fate, event_id, subject)

    async def newer_catalogue(self, load_id: int | None) -> Catalogue | None:
        """The catalogue in force; None where that is still the load named."""
        return await self._catalogue_worker.run(self._newer_catalogue, load_id)

    async def check(self) -> None:
        """Ask which catalogue is in force."""
        await self._catalogue_worker.run(self._check)

    async def close(self) -> None:
        """Give the connections up; one that hangs is left to the end of the process."""
        await self._identities_worker.finish(self._identities.close, _CLOSE_SECONDS)
        await self._catalogue_worker.finish(self._catalogue.close, _CLOSE_SECONDS)

    def _known_hashes(self, identities: Sequence[Identity]) -> dict[Identity, bytes]:
        parameters = {
            "subjects": [subject for subject, _ in identities],
            "event_ids": [event_id for _, event_id in identities],
        }
        with _transaction(self._identities) as connection:
            rows = connection.execute(query("identities"), parameters).fetchall()
        return {(subject, event_id): bytes(content_hash) for subject, event_id, content_hash in rows}

    def _fate(self, event_id: UUID, subject: str | None) -> Fate:
        with _transaction(self._identities) as connection:
            return read_fate(connection, event_id, subject)

    def _newer_catalogue(self, load_id: int | None) -> Catalogue | None:
        with _transaction(self._catalogue) as connection:
            if current_load_id(connection) == load_id:
                return None
            return read_catalogue(connection)

    def _check(self) -> None:
        with _transaction(self._catalogue) as connection:
            current_load_id(connection)


@contextmanager
def _transaction(session: Session) -> Iterator[Connection[TupleRow]]:
    try:
        with session.transaction() as connection:
            yield connection
    except psycopg.Error as error:
        # What the stores do not translate (a missing permission, say) is no reason to refuse events either.
        raise DependencyDown(f"TimescaleDB refuses the question: {type(error).__name__}") from error

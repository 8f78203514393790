"""Published reports: each a snapshot that keeps the document to the letter, with its hash."""

from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow

from services.report.document import Document
from streams.domain.errors import ConfigurationError
from streams.stores.answers import read_answer
from streams.stores.situation import SituationRequest
from streams.stores.snapshots import Snapshot, keep_snapshot, read_snapshots

REPORT = "report"
"""The kind of a snapshot whose document is a report's, as services/report/document.py makes it."""


def publish_report(
    connection: Connection[TupleRow], topic: str, label: str, request: SituationRequest, document: Document
) -> Snapshot | None:
    """Keep a report, within the `one_view` in which it was read; None where the books do not balance.

    The counts by disease are added up again from the ledger, up to the vector that is kept.
    """
    with connection.transaction() as kept:
        snapshot = keep_snapshot(
            connection, topic, label, REPORT, _settings(document), orjson.dumps(document).decode()
        )
        asked = request.counts("disease", "district")
        if read_answer(connection, asked) == read_answer(connection, asked, vector=snapshot.vector):
            return snapshot
        kept.force_rollback = True
    return None


def published_reports(connection: Connection[TupleRow]) -> list[Snapshot]:
    """Every published report, the newest first."""
    return [snapshot for snapshot in read_snapshots(connection) if snapshot.kind == REPORT]


def document_of(snapshot: Snapshot) -> Document:
    """What was published.

    Raises:
        ConfigurationError: the snapshot is of something else.
    """
    if snapshot.kind != REPORT:
        raise ConfigurationError(
            f"Snapshot {snapshot.id} holds {snapshot.kind}, not a report: `canhdich report list` lists those."
        )
    document: Document = orjson.loads(snapshot.document)
    return document


def _settings(document: Document) -> dict[str, Any]:
    names = ("kind", "lang", "province", "from", "to", "basis", "geography", "as_of", "read_at")
    return {name: document[name] for name in names}

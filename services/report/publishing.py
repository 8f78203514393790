"""Published reports: each a snapshot that keeps the document to the letter, with its hash."""

from hashlib import sha256
from typing import Any, Final

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow

from services.report.document import Document
from services.report.writing import written_situation
from services.settings import Settings
from streams.domain.errors import ConfigurationError, RefusedAction
from streams.domain.positions import TOPIC
from streams.domain.report.language import Lang
from streams.stores.answers import read_answer
from streams.stores.counts import one_view
from streams.stores.situation import SituationRequest, read_situation
from streams.stores.snapshots import Snapshot, keep_snapshot, read_snapshots

REPORT = "report"
"""The kind of a snapshot whose document is a report's, as services/report/document.py makes it."""

_READ_BY_PEOPLE: Final = ("sections", "footnotes", "annexes", "charts")
"""What of a document says the figures; the rest says when they were read."""


def publish_situation(
    connection: Connection[TupleRow],
    configured: Settings,
    request: SituationRequest,
    lang: Lang,
    label: str,
    by: str | None = None,
    seen: Document | None = None,
) -> Snapshot:
    """Write the situation report of all that is counted now, and keep it.

    Args:
        connection: In autocommit, in no transaction.
        configured: Which topic.
        request: What is asked for; its as-of instant is None.
        lang: Of the text.
        label: What to call it; not empty.
        by: Username of who publishes it; None: somebody at the command line.
        seen: What somebody has read and wants published; None: whatever it says.

    Raises:
        ConfigurationError: no label, or such a period or province is none; says why.
        RefusedAction: the books do not balance, or the report says something else than what was read.
    """
    if not label.strip():
        raise ConfigurationError("A published report wants a name, e.g. 'Năm 2023'.")
    with one_view(connection):
        read = read_situation(connection, request)
        document = written_situation(connection, request, read, lang)
        if seen is not None and any(document[part] != seen[part] for part in _READ_BY_PEOPLE):
            raise RefusedAction(
                "Số liệu đã thay đổi từ khi lập báo cáo này, nên chưa công bố. Hãy lập lại, đọc, rồi công "
                "bố. / The figures have changed since this report was written, so it was not published. "
                "Have it written again, read it, then publish it."
            )
        topic = configured.topic_prefix + TOPIC
        kept = publish_report(connection, topic, label.strip(), request, document, by)
    if kept is None:
        raise RefusedAction(
            "KHÔNG công bố: sổ cái và số đếm lệch nhau; hãy báo cho quản trị hệ thống. / NOT published: "
            "ledger and counts differ; run `canhdich audit`, see docs/runbook/drift.md."
        )
    return kept


def publish_report(
    connection: Connection[TupleRow],
    topic: str,
    label: str,
    request: SituationRequest,
    document: Document,
    by: str | None = None,
) -> Snapshot | None:
    """Keep a report, within the `one_view` in which it was read; None where the books do not balance.

    The counts by disease are added up again from the ledger, up to the vector that is kept.
    """
    with connection.transaction() as kept:
        settings = {**_settings(document), "published_by": by}
        snapshot = keep_snapshot(connection, topic, label, REPORT, settings, orjson.dumps(document).decode())
        asked = request.counts("disease", "district")
        if read_answer(connection, asked) == read_answer(connection, asked, vector=snapshot.vector):
            return snapshot
        kept.force_rollback = True
    return None


def published_reports(connection: Connection[TupleRow]) -> list[Snapshot]:
    """Every published report, the newest first, without its document."""
    return read_snapshots(connection, REPORT, has_documents=False)


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


def is_unchanged(snapshot: Snapshot) -> bool:
    """Whether what is kept still has the hash that it was published under."""
    return sha256(snapshot.document.encode()).hexdigest() == snapshot.sha256


def _settings(document: Document) -> dict[str, Any]:
    names = ("kind", "lang", "province", "from", "to", "basis", "geography", "as_of", "read_at")
    return {name: document[name] for name in names}

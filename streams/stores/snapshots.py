"""What was published, exactly as it was counted: vector of offsets, catalogue, settings, document.

Source: docs/adr/0004-snapshots-by-offset-vector.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from schemas.sql import query
from streams.domain.as_of import Place, Vector
from streams.domain.errors import ConfigurationError
from streams.stores.catalogue import current_load_id, read_loads, show_past_catalogue
from streams.stores.counts import CountsRequest, one_view, read_counts, read_positions, vector_of

COUNTS: Final = "counts"
"""The kind of a snapshot whose document is the JSON of counts, its settings {"request", "provisional"}."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was published once.

    Attributes:
        id: Its own.
        taken_at: When, by the database's clock.
        label: What its maker called it.
        kind: What it is; says how to read `settings` and `document`.
        catalogue_version: Of the load that was in force.
        positions: [{"topic", "topic_id", "partition", "epoch", "next_offset"}]: what was counted.
        vector: The same as the ledger is filtered by it.
        settings: All that was asked.
        document: As it was published, to the letter.
        sha256: Of the document in UTF-8, hexadecimal.
    """

    id: UUID
    taken_at: datetime
    label: str
    kind: str
    catalogue_version: str
    positions: Sequence[Mapping[str, Any]]
    vector: Vector
    settings: Mapping[str, Any]
    document: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Reprint:
    """A snapshot printed again: the document as published, and why to doubt it.

    `differs` is True where counting again gives another document; `notes` say what could not be as then.
    """

    document: str
    differs: bool
    notes: Sequence[str]


def publish_counts(
    connection: Connection[TupleRow],
    topic: str,
    label: str,
    request: CountsRequest,
    is_provisional: bool | None = None,
) -> Snapshot | None:
    """Count, and keep what is published; None, and nothing is kept, where the books do not balance.

    Args:
        connection: Used for one transaction.
        topic: Full name of the topic, prefix included.
        label: What to call it.
        request: What is asked for.
        is_provisional: What the rows are to say of themselves; None: nothing.

    Raises:
        ConfigurationError: as read_counts.
    """
    with one_view(connection):
        document = document_of(read_counts(connection, request), is_provisional)
        vector = vector_of(current_load_id(connection), read_positions(connection, topic))
        if document_of(read_counts(connection, request, vector), is_provisional) != document:
            return None
        settings = {"request": _request_to_json(request), "provisional": is_provisional}
        return keep_snapshot(connection, topic, label, COUNTS, settings, document)


def keep_snapshot(
    connection: Connection[TupleRow],
    topic: str,
    label: str,
    kind: str,
    settings: Mapping[str, Any],
    document: str,
) -> Snapshot:
    """Keep what is published, within the `one_view` in which all of its counts were read."""
    snapshot_id = uuid4()
    positions = [
        {
            "topic": topic,
            "topic_id": str(at.topic_id),
            "partition": partition,
            "epoch": at.epoch,
            "next_offset": at.next_offset,
        }
        for partition, at in read_positions(connection, topic).items()
    ]
    connection.execute(
        query("insert_snapshot"),
        {
            "snapshot_id": snapshot_id,
            "label": label,
            "kind": kind,
            "load_id": current_load_id(connection),
            "positions": Jsonb(positions),
            "settings": Jsonb(dict(settings)),
            "document": document,
            "sha256": sha256(document.encode()).digest(),
        },
    )
    return read_snapshot(connection, snapshot_id)


def read_snapshots(connection: Connection[TupleRow]) -> list[Snapshot]:
    """Every snapshot, the newest first."""
    return [_snapshot(*row) for row in connection.execute(query("snapshots"), {"snapshot_id": None})]


def read_snapshot(connection: Connection[TupleRow], snapshot_id: UUID) -> Snapshot:
    """One snapshot.

    Raises:
        ConfigurationError: there is none of this id.
    """
    row = connection.execute(query("snapshots"), {"snapshot_id": snapshot_id}).fetchone()
    if row is None:
        raise ConfigurationError(f"There is no snapshot {snapshot_id}: `canhdich snapshots` lists them.")
    return _snapshot(*row)


@contextmanager
def as_published(connection: Connection[TupleRow], snapshot: Snapshot) -> Iterator[Sequence[str]]:
    """A transaction in which the catalogue reads as it did for the snapshot; yields what is not as then.

    Within it, `read_counts(connection, request, snapshot.vector)` counts what was counted then.
    """
    with one_view(connection):
        notes = []
        if snapshot.vector.load_id != current_load_id(connection):
            (past,) = (load for load in read_loads(connection) if load.load_id == snapshot.vector.load_id)
            show_past_catalogue(connection, past)
            if not past.is_kept:
                notes.append(
                    f"What catalogue load {past.load_id} ({past.version}) put in force is not kept: names, "
                    "order and places of areas are those of today."
                )
        yield notes


def reprint_counts(connection: Connection[TupleRow], snapshot: Snapshot) -> Reprint:
    """Print published counts again, and count them again to be sure.

    Raises:
        ConfigurationError: the snapshot is of another kind.
    """
    if snapshot.kind != COUNTS:
        raise ConfigurationError(
            f"Snapshot {snapshot.id} is a {snapshot.kind}, not counts. Counts of what it counted are asked "
            "for with --by, --province, ..."
        )
    request = _request_from_json(snapshot.settings["request"])
    with as_published(connection, snapshot) as notes:
        rows = read_counts(connection, request, snapshot.vector)
    again = document_of(rows, snapshot.settings["provisional"])
    return Reprint(snapshot.document, again != snapshot.document, notes)


def document_of(rows: Sequence[Mapping[str, Any]], is_provisional: bool | None) -> str:
    """The JSON of counts; each row says whether it is provisional, unless that is None."""
    marked = rows if is_provisional is None else [{**row, "provisional": is_provisional} for row in rows]
    return orjson.dumps(marked).decode()


def _snapshot(
    snapshot_id: UUID,
    taken_at: datetime,
    label: str,
    kind: str,
    load_id: int,
    catalogue_version: str,
    positions: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    document: str,
    digest: bytes,
) -> Snapshot:
    vector = Vector(load_id, {at["partition"]: Place(at["epoch"], at["next_offset"]) for at in positions})
    return Snapshot(
        snapshot_id,
        taken_at,
        label,
        kind,
        catalogue_version,
        positions,
        vector,
        settings,
        document,
        digest.hex(),
    )


def _request_to_json(request: CountsRequest) -> dict[str, Any]:
    asked: dict[str, Any] = orjson.loads(orjson.dumps(asdict(request)))
    return asked


def _request_from_json(asked: Mapping[str, Any]) -> CountsRequest:
    values = dict(asked)
    for name in ("geography_on", "first", "last"):
        values[name] = None if values[name] is None else date.fromisoformat(values[name])
    values["as_of"] = None if values["as_of"] is None else datetime.fromisoformat(values["as_of"])
    return CountsRequest(**values)

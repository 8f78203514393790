"""What was published, exactly as it was counted: vector of offsets, catalogue, settings, document.

Source: docs/adr/0004-snapshots-by-offset-vector.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
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
from streams.domain.positions import TOPIC
from streams.handlers.fold_reports import TOPICS
from streams.stores.answers import NO_EXTRAS, Extras, read_answer
from streams.stores.catalogue import current_load_id, read_loads, show_past_catalogue
from streams.stores.counts import CountsRequest, one_view, read_positions, vector_of
from streams.stores.populations import current_load

COUNTS: Final = "counts"
"""The kind of a snapshot whose document is the JSON of counts.

Its settings are {"request", "extras", "provisional", "columns"}: the columns are those that came after the
first snapshots.
"""

LATER_COLUMNS: Final = ("approximate", "approximate_share", "from_tallies")
"""What rows of counts had not when the first snapshots were made."""


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
    extras: Extras = NO_EXTRAS,
) -> Snapshot | None:
    """Count, and keep what is published; None, and nothing is kept, where the books do not balance.

    Args:
        connection: Used for one transaction.
        topic: Full name of the topic, prefix included.
        label: What to call it.
        request: What is asked for.
        is_provisional: What the rows are to say of themselves; None: nothing.
        extras: What is asked for beside counts.

    Raises:
        ConfigurationError: as read_answer.
    """
    with one_view(connection):
        if extras.rates and (load := current_load(connection)) is not None:
            # Rates printed again are divided by what people were thought to live there then.
            extras = replace(extras, population_load_id=load.id)
        document = document_of(read_answer(connection, request, extras), is_provisional)
        vector = vector_of(
            current_load_id(connection),
            read_positions(connection, topic),
            read_positions(connection, _tallies_beside(topic)),
        )
        if document_of(read_answer(connection, request, extras, vector), is_provisional) != document:
            return None
        settings = {
            "request": _to_json(request),
            "extras": _to_json(extras),
            "provisional": is_provisional,
            "columns": list(LATER_COLUMNS),
        }
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
            "topic": name,
            "topic_id": str(at.topic_id),
            "partition": partition,
            "epoch": at.epoch,
            "next_offset": at.next_offset,
        }
        for name in (topic, _tallies_beside(topic))
        for partition, at in read_positions(connection, name).items()
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


def read_snapshots(
    connection: Connection[TupleRow], kind: str | None = None, *, has_documents: bool = True
) -> list[Snapshot]:
    """Every snapshot, or those of a kind, the newest first.

    Args:
        connection: Used for one statement.
        kind: None: all of them.
        has_documents: False leaves the documents empty: those of some years are many megabytes.
    """
    asked = {"snapshot_id": None, "kind": kind, "has_documents": has_documents}
    return [_snapshot(*row) for row in connection.execute(query("snapshots"), asked)]


def read_snapshot(connection: Connection[TupleRow], snapshot_id: UUID) -> Snapshot:
    """One snapshot.

    Raises:
        ConfigurationError: there is none of this id.
    """
    asked = {"snapshot_id": snapshot_id, "kind": None, "has_documents": True}
    row = connection.execute(query("snapshots"), asked).fetchone()
    if row is None:
        raise ConfigurationError(f"There is no snapshot {snapshot_id}: `canhdich snapshots` lists them.")
    return _snapshot(*row)


@contextmanager
def as_published(connection: Connection[TupleRow], snapshot: Snapshot) -> Iterator[Sequence[str]]:
    """A transaction in which the catalogue reads as it did for the snapshot; yields what is not as then.

    Within it, `read_answer(connection, request, extras, snapshot.vector)` counts what was counted then.
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
        rows = read_answer(connection, request, _extras_of(snapshot), snapshot.vector)
    absent = set(LATER_COLUMNS) - set(snapshot.settings.get("columns", ()))
    rows = [{name: value for name, value in row.items() if name not in absent} for row in rows]
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
    places: dict[bool, dict[int, Place]] = {False: {}, True: {}}
    for at in positions:
        is_tallies = at["topic"].endswith(TOPICS["tally"])
        places[is_tallies][at["partition"]] = Place(at["epoch"], at["next_offset"])
    vector = Vector(load_id, places[False], places[True])
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


def _tallies_beside(topic: str) -> str:
    """The full name of the topic of tallies that stands beside a topic of case events."""
    return topic.removesuffix(TOPIC) + TOPICS["tally"]


def _to_json(asked: CountsRequest | Extras) -> dict[str, Any]:
    values: dict[str, Any] = orjson.loads(orjson.dumps(asdict(asked)))
    return values


def _extras_of(snapshot: Snapshot) -> Extras:
    """What was asked for beside counts; the first snapshots had nothing beside."""
    values = dict(snapshot.settings.get("extras", {}))
    if values.get("today") is not None:
        values["today"] = date.fromisoformat(values["today"])
    return Extras(**values)


def _request_from_json(asked: Mapping[str, Any]) -> CountsRequest:
    values = dict(asked)
    for name in ("geography_on", "first", "last"):
        values[name] = None if values[name] is None else date.fromisoformat(values[name])
    values["as_of"] = None if values["as_of"] is None else datetime.fromisoformat(values["as_of"])
    return CountsRequest(**values)

"""The outbox: who is to be told, what became of it, and whether the chain is alive."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.alerts import Alert, AlertEvent, Life, Loudness
from streams.domain.canary import PREFIX
from streams.domain.recipients import (
    DeliveryKind,
    Recipient,
    Told,
    pause_after,
    plan,
    recipient_from,
)
from streams.domain.rules.verdicts import Level
from streams.stores.counts import areas_of_codes
from streams.stores.database import Session

MOST_AT_ONCE = 500
"""Deliveries in one message at most: a digest longer than that comes in parts."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is due for one recipient, to be told in one message.

    Attributes:
        ids: Of the deliveries, in the order in which they were planned.
        alerts: One row per alert's event, the loudest first: schemas/sql/queries/delivered_alerts.sql.
        attempts: How often the oldest was tried already.
    """

    recipient: Recipient
    kind: DeliveryKind
    ids: tuple[UUID, ...]
    alerts: tuple[dict[str, Any], ...]
    attempts: int


def plan_deliveries(
    connection: Connection[TupleRow], changes: Sequence[tuple[Alert, AlertEvent]], life: Life
) -> None:
    """Write who is to be told of alerts' events, in the events' own transaction.

    Args:
        connection: In that transaction.
        changes: Each event with the alert as it left it, in their order.
        life: The cool-down.
    """
    loud = [(alert, event) for alert, event in changes if event.loudness is not Loudness.SILENT]
    everybody = active_recipients(connection) if loud else []
    if not everybody:
        return
    keys = sorted({(alert.disease, alert.area_id) for alert, _ in loud})
    params = {"diseases": [disease for disease, _ in keys], "area_ids": [area_id for _, area_id in keys]}
    around = {
        area_id: {area_id, district_id, province_id} - {None}
        for area_id, district_id, province_id in connection.execute(query("areas_around"), params)
    }
    since = min(event.at for _, event in loud) - life.cool_down
    told: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for disease, area_id, recipient_id, level, cases, at in connection.execute(
        query("told_at_once"), params | {"since": since}
    ):
        told[disease, area_id].append(Told(recipient_id, Level(level), cases, at))
    rows = []
    for alert, event in loud:
        heard = told[alert.disease, alert.area_id]
        for delivery in plan(alert, event, everybody, around[alert.area_id], heard, life):
            if delivery.kind is DeliveryKind.IMMEDIATE:
                heard.append(Told(delivery.recipient_id, delivery.level, alert.cases, event.at))
            rows.append(
                {
                    "delivery_id": delivery.id,
                    "alert_id": delivery.alert_id,
                    "number": delivery.number,
                    "recipient_id": delivery.recipient_id,
                    "kind": delivery.kind.value,
                    "level": delivery.level.value,
                    "cases": alert.cases,
                    "planned_at": event.at,
                    "due_at": delivery.due_at,
                }
            )
    with connection.cursor() as cursor:
        cursor.executemany(query("insert_delivery"), rows)


def active_recipients(connection: Connection[TupleRow]) -> list[Recipient]:
    """Everybody who is told."""
    return [recipient_from(document) for (document,) in connection.execute(query("active_recipients"))]


def load_recipients(
    connection: Connection[TupleRow], recipients: Sequence[Recipient], loaded_by: str
) -> list[str]:
    """Tell these people, and nobody else, from now on; the ids of those who are told no longer."""
    with connection.transaction():
        for recipient in recipients:
            connection.execute(
                query("upsert_recipient"),
                {
                    "recipient_id": recipient.id,
                    "document": orjson.dumps(recipient.document()).decode(),
                    "loaded_by": loaded_by,
                },
            )
        kept = [recipient.id for recipient in recipients]
        retired = [row[0] for row in connection.execute(query("retire_recipients"), {"kept": kept})]
        connection.execute(query("drop_deliveries"), {"recipient_ids": retired})
    return retired


def area_ids(connection: Connection[TupleRow], code: str, on: date) -> list[str]:
    """The ids of the areas that have a code on a day; several levels never share one."""
    return [area.id for area in areas_of_codes(connection, [code]) if area.is_valid_on(on.isoformat())]


def disease_codes(connection: Connection[TupleRow]) -> set[str]:
    """The codes of the catalogue."""
    return {code for code, _ in connection.execute(query("disease_names"))}


def read_deliveries(
    connection: Connection[TupleRow], *, is_waiting: bool = False, most: int = 200
) -> list[dict[str, Any]]:
    """The newest deliveries first, with what became of them."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("deliveries"), {"is_waiting": is_waiting, "most": most}).fetchall()


def read_told(connection: Connection[TupleRow], alert: Alert) -> dict[str, Any]:
    """What a message would say of an alert as it stands: its row of delivered_alerts.sql."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            query("delivered_alerts"), {"alert_ids": [alert.alert_id], "numbers": [alert.events]}
        ).fetchone()
    assert row is not None  # noqa: S101 - the alert was read from its events
    return row


class PostgresOutbox:
    """Implements the Outbox port of services/notify/deliver.py."""

    def __init__(self, database_url: str) -> None:
        self._session = Session(database_url)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def deliver(self, at: datetime, tell: Callable[[Claimed], str | None]) -> bool:
        """Claim what is due for one recipient, tell it, and record what came of it; False: nothing is due.

        Recorded after it was told: who ends in between tells it again, with the same ids.

        Args:
            at: Now.
            tell: Sends one message; returns None when the receiver accepted it, else why not.

        Raises:
            DependencyDown: the database does not answer.
        """
        with self._session.transaction() as connection:
            claimed = _claim(connection, at)
            if claimed is None:
                return False
            error = tell(claimed)
            connection.execute(
                query("record_attempts"),
                {
                    "delivery_ids": list(claimed.ids),
                    "at": at,
                    "error": error,
                    "next_attempt_at": at + pause_after(claimed.attempts + 1),
                },
            )
        return True

    def is_alive(self, name: str, at: datetime) -> None:
        """Say that a process of the chain has just done its work."""
        with self._session.transaction() as connection:
            connection.execute(query("sign_of_life"), {"name": name, "at": at})

    def signs_of_life(self) -> dict[str, datetime]:
        """When each process of the chain last did its work, and when the newest canary was sent."""
        with self._session.transaction() as connection:
            # The subjects that begin with the prefix, and no other.
            between = {"first_canary": PREFIX, "after_canaries": PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)}
            return dict(connection.execute(query("signs_of_life"), between).fetchall())


def _claim(connection: Connection[TupleRow], at: datetime) -> Claimed | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("claim_deliveries"), {"at": at, "most": MOST_AT_ONCE}).fetchall()
        if not rows:
            return None
        alerts = cursor.execute(
            query("delivered_alerts"),
            {
                "alert_ids": [row["alert_id"] for row in rows],
                "numbers": [row["number"] for row in rows],
            },
        ).fetchall()
    return Claimed(
        recipient_from(rows[0]["recipient"]),
        DeliveryKind(rows[0]["kind"]),
        tuple(row["delivery_id"] for row in rows),
        tuple(alerts),
        min(row["attempts"] for row in rows),
    )

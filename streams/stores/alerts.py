"""Alerts in TimescaleDB: what is judged and what people do becomes events, one transaction each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

from schemas.sql import query
from streams.domain.alerts import (
    Action,
    Alert,
    AlertEvent,
    Kind,
    Life,
    Precision,
    acted,
    end_proposed,
    escalated,
    fold,
    fold_all,
    judged,
)
from streams.domain.areas import code_of
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.domain.rules.verdicts import Outcome, Standing, Verdict
from streams.handlers.watch_counts import Change, Placed
from streams.stores.database import Session
from streams.stores.rules import add_notice, end_notice

Planner = Callable[[Connection[TupleRow], Alert, AlertEvent], None]
"""Called in the transaction of an alert's event, after it: writes who is to be told."""


class PostgresAlerts:
    """Implements the Alerts port of streams/handlers/watch_counts.py."""

    def __init__(self, database_url: str, life: Life, plan: Planner) -> None:
        """`plan` writes the deliveries of an event in the event's own transaction."""
        self._session = Session(database_url)
        self._life = life
        self._plan = plan

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def judge(
        self,
        disease: str,
        area_id: str,
        at: datetime,
        verdicts: Callable[[Sequence[Standing], datetime | None], Sequence[Verdict]],
    ) -> list[AlertEvent]:
        """Let verdicts become events of the alerts of a disease and area; the same twice add nothing.

        Args:
            disease: Which.
            area_id: Where.
            at: When it is judged.
            verdicts: Judges, given what stands and when the station determined an outbreak; called once,
                while nobody else judges this disease and area.

        Raises:
            DependencyDown: the database does not answer.
        """
        with self._session.transaction() as connection:
            alerts = _locked_alerts(connection, disease, area_id)
            standing = [s for alert in alerts if (s := _standing(alert)) is not None]
            determined = [a.determined_at for a in alerts if a.is_open and a.determined_at and not a.ended_at]
            events = []
            for verdict in verdicts(standing, max(determined, default=None)):
                for number, event in _changes(alerts, verdict, at, self._life):
                    self._save(connection, alerts, number, event)
                    events.append(event)
            return events

    def act(
        self,
        alert_id: UUID,
        action: Action,
        actor: str,
        at: datetime,
        note: str | None = None,
        instant: datetime | None = None,
    ) -> Alert:
        """Record what a person does to an alert; the alert after it.

        Raises:
            RefusedAction: not possible from its state.
            ConfigurationError: there is no such alert.
            DependencyDown: the database does not answer.
        """
        with self._session.transaction() as connection:
            alerts, number = _locked_alert(connection, alert_id)
            event = acted(alerts[number], action, actor, at, note, instant)
            self._save(connection, alerts, number, event)
            alert = alerts[number]
            if event.kind is Kind.DETERMINED:
                source = f"Trạm Y tế xác định, cảnh báo {alert.alert_id}"
                add_notice(connection, alert.disease, alert.area_id, _day(alert.determined_at), source, actor)
            elif event.kind is Kind.ENDED:
                end_notice(connection, alert.disease, alert.area_id, _day(alert.ended_at), actor)
            return alert

    def escalate(self, at: datetime) -> list[AlertEvent]:
        """Escalate what nobody has acknowledged in time.

        Raises:
            DependencyDown: the database does not answer.
        """
        patience = min(self._life.escalate_after.values(), default=None)
        if patience is None:
            return []
        with self._session.transaction() as connection:
            waiting = connection.execute(query("waiting_alerts"), {"since": at - patience}).fetchall()
        events = []
        for alert_id, *_ in waiting:
            with self._session.transaction() as connection:
                alerts, number = _locked_alert(connection, alert_id)
                event = escalated(alerts[number], at, self._life)
                if event is not None:
                    self._save(connection, alerts, number, event)
                    events.append(event)
        return events

    def publish(self, send: Callable[[Sequence[Change]], None], most: int = 1_000) -> int:
        """Give what the topic `alerts` has not had yet to `send`, which returns when Kafka has it; how many.

        Raises:
            DependencyDown: a server does not answer.
        """
        with self._session.transaction() as connection:
            rows = connection.execute(query("unpublished_alert_events"), {"most": most}).fetchall()
        changes = [Change(*row) for row in rows]
        if changes:
            send(changes)
            with self._session.transaction() as connection, connection.cursor() as cursor:
                cursor.executemany(
                    query("mark_alert_event_published"),
                    [{"alert_id": change.alert_id, "number": change.number} for change in changes],
                )
        return len(changes)

    def placed(self, area_ids: Iterable[str], on: date) -> list[Placed]:
        """Where the cases of areas stand on a day."""
        with self._session.transaction() as connection:
            rows = connection.execute(query("watched_areas"), {"area_ids": list(area_ids), "on_day": on})
            return [Placed(*row) for row in rows]

    def sweep_keys(self, since: date) -> list[tuple[str, str]]:
        """Disease and area of all that the passing of time may change."""
        with self._session.transaction() as connection:
            return connection.execute(query("sweep_keys"), {"since": since}).fetchall()

    def last_sweep(self) -> date | None:
        """The last day that was swept."""
        with self._session.transaction() as connection:
            row = connection.execute(query("last_alert_sweep")).fetchone()
            return None if row is None else row[0]

    def swept(self, day: date, judged_keys: int) -> None:
        """Remember that a day is swept."""
        with self._session.transaction() as connection:
            connection.execute(query("save_alert_sweep"), {"swept_on": day, "judged": judged_keys})

    def is_alive(self, at: datetime) -> None:
        """Say that the watcher has just looked; the dead man's switch asks."""
        with self._session.transaction() as connection:
            connection.execute(query("sign_of_life"), {"name": "watcher", "at": at})

    def _save(
        self, connection: Connection[TupleRow], alerts: list[Alert], number: int | None, event: AlertEvent
    ) -> None:
        alert = fold(None if number is None else alerts[number], event)
        if number is None:
            alerts.append(alert)
        else:
            alerts[number] = alert
        connection.execute(query("upsert_alert"), _row(alert))
        connection.execute(query("insert_alert_event"), _event_row(event))
        self._plan(connection, alert, event)


def _changes(
    alerts: list[Alert], verdict: Verdict, at: datetime, life: Life
) -> Iterator[tuple[int | None, AlertEvent]]:
    """What a verdict does: the number of the alert (None: a new one) and its event."""
    if verdict.verdict is Outcome.ENDED_PROPOSED:
        for number, alert in enumerate(alerts):
            event = end_proposed(alert, verdict, at)
            if event is not None:
                yield number, event
        return
    numbers = [n for n, a in enumerate(alerts) if (a.rule_id, a.disease, a.area_id) == verdict.key]
    event = judged([alerts[n] for n in numbers], verdict, at, life)
    if event is not None:
        yield next((n for n in numbers if alerts[n].alert_id == event.alert_id), None), event


def _standing(alert: Alert) -> Standing | None:
    if not alert.is_open or not alert.is_met:
        return None
    latest = alert.periods[-1]
    if latest.start is None or latest.end is None:
        return None
    return Standing(alert.rule_id, latest.start, latest.end)


def _locked_alerts(connection: Connection[TupleRow], disease: str, area_id: str) -> list[Alert]:
    """All alerts of a disease and area, oldest first; nobody else judges or changes them meanwhile."""
    key = {"disease": disease, "area_id": area_id}
    connection.execute(query("lock_alert_key"), key)
    return list(_folded(connection.execute(query("alert_events_of_key"), key)))


def _locked_alert(connection: Connection[TupleRow], alert_id: UUID) -> tuple[list[Alert], int]:
    """The alerts of an alert's disease and area, and its number among them."""
    row = connection.execute(query("alert_key"), {"alert_id": alert_id}).fetchone()
    if row is None:
        raise ConfigurationError(f"There is no alert {alert_id}: `canhdich alerts` lists them.")
    alerts = _locked_alerts(connection, *row)
    return alerts, next(n for n, alert in enumerate(alerts) if alert.alert_id == alert_id)


def _folded(rows: Iterable[Sequence[Any]]) -> Iterator[Alert]:
    for _, events in groupby(map(_event, rows), key=lambda event: event.alert_id):
        yield fold_all(events)


def _event(row: Sequence[Any]) -> AlertEvent:
    alert_id, number, at, actor, kind, note, verdict, data = row
    return AlertEvent(alert_id, number, at, actor, Kind(kind), note, verdict, data)


def _row(alert: Alert) -> dict[str, Any]:
    latest = alert.periods[-1]
    return {
        "alert_id": alert.alert_id,
        "rule_id": alert.rule_id,
        "disease": alert.disease,
        "area_id": alert.area_id,
        "state": alert.state.value,
        "level": alert.level.value,
        "verdict": orjson.dumps(alert.verdict).decode(),
        "is_met": alert.is_met,
        "cases": alert.cases,
        "period_start": latest.start,
        "period_end": latest.end,
        "raised_at": alert.raised_at,
        "waiting_since": alert.waiting_since,
        "changed_at": alert.changed_at,
        "events": alert.events,
        "settled_at": alert.settled_at,
        "determined_at": alert.determined_at,
        "ended_at": alert.ended_at,
        "end_proposed_at": alert.end_proposed_at,
        "escalated_at": alert.escalated_at,
    }


def _event_row(event: AlertEvent) -> dict[str, Any]:
    return {
        "alert_id": event.alert_id,
        "number": event.number,
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind.value,
        "note": event.note,
        "verdict": None if event.verdict is None else orjson.dumps(event.verdict).decode(),
        "data": orjson.dumps(event.data).decode(),
    }


def _day(at: datetime | None) -> date:
    if at is None:
        raise ValueError("a determination has its instant")
    return at.astimezone(LOCAL_ZONE).date()


@contextmanager
def _dicts(connection: Connection[TupleRow]) -> Iterator[Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        yield cursor


def read_alerts(
    connection: Connection[TupleRow],
    *,
    is_open: bool = True,
    disease: str | None = None,
    area_id: str | None = None,
    most: int = 500,
) -> list[dict[str, Any]]:
    """Alerts, those that wait and the loudest first.

    Args:
        connection: Used for one query.
        is_open: Only those that somebody still has to deal with.
        disease: Only of this disease.
        area_id: Only of this area, or within this district or province.
        most: How many at most.
    """
    with _dicts(connection) as cursor:
        rows: list[dict[str, Any]] = cursor.execute(
            query("alerts"), {"is_open": is_open, "disease": disease, "area_id": area_id, "most": most}
        ).fetchall()
    return rows


def read_alert(connection: Connection[TupleRow], alert_id: UUID) -> tuple[Alert, list[AlertEvent]]:
    """An alert and its history.

    Raises:
        ConfigurationError: there is no such alert.
    """
    events = [_event(row) for row in connection.execute(query("alert_events"), {"alert_id": alert_id})]
    if not events:
        raise ConfigurationError(f"There is no alert {alert_id}: `canhdich alerts` lists them.")
    return fold_all(events), events


def read_precision(connection: Connection[TupleRow]) -> list[Precision]:
    """How often each rule was right, by what people said of its alerts."""
    return [Precision(*row) for row in connection.execute(query("alert_precision"))]


def change_record(change: Change) -> tuple[bytes, bytes]:
    """Key and value of a change on the topic `alerts`."""
    code = code_of(change.area_id)
    value = {
        "alert_id": str(change.alert_id),
        "rule": change.rule_id,
        "disease": change.disease,
        "area_code": code,
        "area_id": change.area_id,
        "on": change.at.astimezone(LOCAL_ZONE).date().isoformat(),
        "state": change.state,
        "known_at": change.at.isoformat(),
    }
    return f"{change.disease}|{code}".encode(), orjson.dumps(value)

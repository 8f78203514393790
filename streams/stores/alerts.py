"""Alerts in TimescaleDB: what is judged and what people do becomes events, one transaction each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
    AlertPlace,
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
from streams.handlers.watch_counts import Change, Judging, Key, Known, Placed
from streams.stores.copying import array_literal
from streams.stores.database import Session
from streams.stores.rules import add_notice, end_notice

Planner = Callable[[Connection[TupleRow], Sequence[tuple[Alert, AlertEvent]], Life], None]
"""Called in the transaction of events: writes who is to be told. Alerts are as their events left them."""


class UnknownAlert(ConfigurationError):
    """There is no such alert."""

    def __init__(self, alert_id: UUID) -> None:
        super().__init__(f"There is no alert {alert_id}: `canhdich alerts` lists them.")


class PostgresAlerts:
    """Implements the Alerts port of streams/handlers/watch_counts.py."""

    def __init__(
        self, database_url: str, life: Life, plan: Planner, on_connect: tuple[str, ...] = ()
    ) -> None:
        """`plan` writes the deliveries of events in their own transaction; `on_connect` are statements."""
        self._session = Session(database_url, on_connect)
        self._life = life
        self._plan = plan

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def judge(self, keys: Sequence[Key], at: datetime, verdicts: Judging) -> list[AlertEvent]:
        """Let verdicts become events of the alerts of some keys; the same twice add nothing.

        Args:
            keys: (disease, area id), each once, in the order in which everybody goes through them.
            at: When they are judged.
            verdicts: Judges, given for each key what stands and when the station determined an outbreak;
                called once, while nobody else judges these keys.

        Raises:
            DependencyDown: the database does not answer.
        """
        with self._session.transaction() as connection:
            alerts = _locked_alerts(connection, keys)
            known = {key: _known(alerts[key]) for key in keys}
            changes = []
            for key, found in verdicts(known).items():
                for verdict in found:
                    for number, event in _changes(alerts[key], verdict, at, self._life):
                        changes.append((_applied(alerts[key], number, event), event))
            self._save(connection, changes)
            return [event for _, event in changes]

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
            UnknownAlert: there is none.
            DependencyDown: the database does not answer.
        """
        with self._session.transaction() as connection:
            alerts, number = _locked_alert(connection, alert_id)
            event = acted(alerts[number], action, actor, at, note, instant)
            alert = _applied(alerts, number, event)
            self._save(connection, [(alert, event)])
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
                    self._save(connection, [(_applied(alerts, number, event), event)])
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

    def _save(self, connection: Connection[TupleRow], changes: Sequence[tuple[Alert, AlertEvent]]) -> None:
        """Write events, what their alerts have become, and who is to be told."""
        latest = {alert.alert_id: alert for alert, _ in changes}
        with connection.cursor() as cursor:
            cursor.executemany(query("upsert_alert"), [_row(alert) for alert in latest.values()])
            cursor.executemany(query("insert_alert_event"), [_event_row(event) for _, event in changes])
        self._plan(connection, changes, self._life)


def _applied(alerts: list[Alert], number: int | None, event: AlertEvent) -> Alert:
    """An alert after an event, put into its place among those of its key."""
    alert = fold(None if number is None else alerts[number], event)
    if number is None:
        alerts.append(alert)
    else:
        alerts[number] = alert
    return alert


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


def _known(alerts: Sequence[Alert]) -> Known:
    determined = [a.determined_at for a in alerts if a.is_open and a.determined_at and not a.ended_at]
    return Known(
        [standing for alert in alerts if (standing := _standing(alert)) is not None],
        max(determined, default=None),
        any(alert.is_open for alert in alerts),
    )


def _locked_alerts(connection: Connection[TupleRow], keys: Sequence[Key]) -> dict[Key, list[Alert]]:
    """All alerts of some keys, oldest first; nobody else judges or changes them meanwhile."""
    params = {
        "diseases": array_literal([disease for disease, _ in keys]),
        "area_ids": array_literal([area_id for _, area_id in keys]),
    }
    connection.execute(query("lock_alert_keys"), params)
    alerts: dict[Key, list[Alert]] = {key: [] for key in keys}
    rows = connection.execute(query("alert_events_of_keys"), params)
    for _, events in groupby(map(_event, rows), key=lambda event: event.alert_id):
        alert = fold_all(events)
        alerts[alert.disease, alert.area_id].append(alert)
    return alerts


def _locked_alert(connection: Connection[TupleRow], alert_id: UUID) -> tuple[list[Alert], int]:
    """The alerts of an alert's disease and area, and its number among them."""
    row = connection.execute(query("alert_key"), {"alert_id": alert_id}).fetchone()
    if row is None:
        raise UnknownAlert(alert_id)
    key = (row[0], row[1])
    alerts = _locked_alerts(connection, [key])[key]
    return alerts, next(n for n, alert in enumerate(alerts) if alert.alert_id == alert_id)


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


def read_alerts(
    connection: Connection[TupleRow],
    *,
    is_open: bool = True,
    disease: str | None = None,
    area_id: str | None = None,
    most: int = 500,
    after: AlertPlace | None = None,
) -> list[dict[str, Any]]:
    """Alerts, those that wait and the loudest first.

    Args:
        connection: Used for one query.
        is_open: Only those that somebody still has to deal with.
        disease: Only of this disease.
        area_id: Only of this area, or within this district or province.
        most: How many at most.
        after: Only those that stand further down than this place.
    """
    asked: dict[str, object] = {
        "is_open": is_open,
        "disease": disease,
        "area_id": area_id,
        "most": most,
    }
    place: tuple[object, ...] = (None,) * len(AlertPlace._fields) if after is None else after
    asked |= {f"after_{name}": value for name, value in zip(AlertPlace._fields, place, strict=True)}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("alerts"), asked).fetchall()


def alert_ids_beginning(connection: Connection[TupleRow], text: str) -> list[UUID]:
    """The ids that begin with a text; two where there are more."""
    rows = connection.execute(query("alert_ids_beginning"), {"beginning": text.lower()})
    return [alert_id for (alert_id,) in rows]


def read_alert(connection: Connection[TupleRow], alert_id: UUID) -> tuple[Alert, list[AlertEvent]]:
    """An alert and its history.

    Raises:
        UnknownAlert: there is none.
    """
    events = [_event(row) for row in connection.execute(query("alert_events"), {"alert_id": alert_id})]
    if not events:
        raise UnknownAlert(alert_id)
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

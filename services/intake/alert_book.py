"""The AlertBook port over TimescaleDB."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.ports import KnownAlert
from services.intake.threads import Worker
from services.notify.message import LANGUAGES, alert_text
from streams.domain.alerts import Action, Alert, AlertPlace, Life
from streams.domain.calendar import LOCAL_ZONE
from streams.stores.alerts import PostgresAlerts, UnknownAlert, read_alert, read_alerts
from streams.stores.database import Session
from streams.stores.deliveries import area_ids, plan_deliveries, read_told

# People wait for these answers.
_BOUNDS = ("set statement_timeout = '10s'", "set lock_timeout = '5s'")
_CLOSE_SECONDS = 2.0


class DatabaseAlerts:
    """Implements the AlertBook port of services/intake/ports.py; connects when first asked.

    Reading has a connection of its own: an action may have to wait until a judgement has ended.
    """

    def __init__(self, database_url: str, link: str, clock: Callable[[], datetime]) -> None:
        """`link` is where alerts can be looked at; `clock` gives an aware datetime."""
        self._link = link
        self._clock = clock
        self._reading = Session(database_url, _BOUNDS)
        self._alerts = PostgresAlerts(database_url, Life(), plan_deliveries, _BOUNDS)
        self._readers = Worker("intake-alerts-read")
        self._actors = Worker("intake-alerts-act")

    async def inbox(
        self,
        *,
        is_open: bool,
        disease: str | None,
        area_code: str | None,
        most: int,
        after: AlertPlace | None = None,
    ) -> Sequence[Mapping[str, Any]] | None:
        """Alerts, those that wait and the loudest first; None where no area has the code at present."""
        return await self._readers.run(self._inbox, is_open, disease, area_code, most, after)

    async def read(self, alert_id: UUID) -> KnownAlert | None:
        """One alert with its history and its text; None where there is none."""
        return await self._readers.run(self._read, alert_id)

    async def act(
        self, alert_id: UUID, action: Action, actor: str, note: str | None, instant: datetime | None
    ) -> Alert | None:
        """Record what a person does now; the alert after it, None where there is none."""
        return await self._actors.run(self._act, alert_id, action, actor, note, instant)

    async def close(self) -> None:
        """Give the connections up; one that hangs is left to the end of the process."""
        await self._readers.finish(self._reading.close, _CLOSE_SECONDS)
        await self._actors.finish(self._alerts.close, _CLOSE_SECONDS)

    def _inbox(
        self,
        is_open: bool,
        disease: str | None,
        area_code: str | None,
        most: int,
        after: AlertPlace | None,
    ) -> list[dict[str, Any]] | None:
        with self._reading.transaction() as connection:
            area_id = None
            if area_code is not None:
                found = area_ids(connection, area_code, self._clock().astimezone(LOCAL_ZONE).date())
                if not found:
                    return None
                (area_id, *_) = found
            return read_alerts(
                connection, is_open=is_open, disease=disease, area_id=area_id, most=most, after=after
            )

    def _read(self, alert_id: UUID) -> KnownAlert | None:
        with self._reading.transaction() as connection:
            try:
                alert, events = read_alert(connection, alert_id)
            except UnknownAlert:
                return None
            row = read_told(connection, alert)
        texts = (alert_text(row, language, self._link) for language in LANGUAGES)
        return KnownAlert(alert, events, row["area_name"], *texts)

    def _act(
        self, alert_id: UUID, action: Action, actor: str, note: str | None, instant: datetime | None
    ) -> Alert | None:
        try:
            return self._alerts.act(alert_id, action, actor, self._clock(), note, instant)
        except UnknownAlert:
            return None

"""Hand-written fakes of the intake's ports, held to the laws of the real ones by tests/integration/intake."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.ports import Identity, KnownAlert, Outgoing
from streams.domain.alerts import Action, Alert, AlertEvent, AlertPlace, acted, fold_all
from streams.domain.areas import Area, AreaIndex
from streams.domain.catalogue import Catalogue
from streams.domain.errors import DependencyDown
from streams.domain.receipts import Fate

# As in the brokers' settings.
MAX_RECORD_BYTES = 1024 * 1024


class FakeSink:
    """An EventSink in memory.

    Attributes:
        records: What "Kafka" has, in the order of arrival.
        is_down: Nothing is acknowledged.
        hangs: Nothing is acknowledged, and only the timeout ends the wait.
        refused_keys: Records with these keys are never acknowledged.
        is_closed: Whether close was called.
    """

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.is_down = False
        self.hangs = False
        self.refused_keys: set[bytes] = set()
        self.is_closed = False

    async def send(self, records: Sequence[Outgoing], timeout_seconds: float) -> list[bool]:
        """Keep the records, or do as the attributes say."""
        if self.hangs:
            try:
                async with asyncio.timeout(timeout_seconds):
                    await asyncio.Event().wait()
            except TimeoutError:
                return [False] * len(records)
        return [self._keep(record) for record in records]

    def _keep(self, record: Outgoing) -> bool:
        if self.is_down or record.key in self.refused_keys or len(record.value) > MAX_RECORD_BYTES:
            return False
        self.records.append(record)
        return True

    async def check(self) -> None:
        """Raise when down, hang when hanging."""
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_down:
            raise DependencyDown("the fake Kafka is down")

    async def close(self) -> None:
        """Remember that it was called."""
        self.is_closed = True


class FakeKnowledge:
    """A Knowledge port in memory.

    Attributes:
        hashes: Identities in the "journal" and their content hashes.
        catalogue: The one in force; None before the first load.
        fates: Event id -> what became of its events.
        is_down: Every question fails.
        hangs: Every question waits for ever.
        questions: How often something was asked.
    """

    def __init__(
        self, hashes: Mapping[Identity, bytes] | None = None, catalogue: Catalogue | None = None
    ) -> None:
        self.hashes = dict(hashes or {})
        self.catalogue = catalogue
        self.fates: dict[UUID, Fate] = {}
        self.is_down = False
        self.hangs = False
        self.questions = 0
        self.is_closed = False

    async def known_hashes(self, identities: Sequence[Identity]) -> Mapping[Identity, bytes]:
        """What of these is in the journal."""
        await self.check()
        return {identity: self.hashes[identity] for identity in identities if identity in self.hashes}

    async def fate(self, event_id: UUID, subject: str | None) -> Fate:
        """What was put down in `fates`, as far as it is of the subject asked for."""
        await self.check()
        known = self.fates.get(event_id, Fate(event_id, (), ()))
        return Fate(
            event_id,
            [event for event in known.journaled if subject in (None, event.subject)],
            [letter for letter in known.buried if subject in (None, letter.subject)],
        )

    async def newer_catalogue(self, load_id: int | None) -> Catalogue | None:
        """The catalogue, unless it is the load named."""
        await self.check()
        if self.catalogue is None:
            raise DependencyDown("the fake database has no catalogue")
        return None if self.catalogue.load_id == load_id else self.catalogue

    async def check(self) -> None:
        """Raise when down, hang when hanging."""
        self.questions += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_down:
            raise DependencyDown("the fake database is down")

    async def close(self) -> None:
        """Remember that it was called."""
        self.is_closed = True


def small_catalogue(
    load_id: int = 1, diseases: Sequence[str] = ("streptococcus_suis", "dengue")
) -> Catalogue:
    """Two diseases; the province 12 and its district 109, which ended on 2025-06-30."""
    return Catalogue(
        load_id,
        AreaIndex(
            [
                Area("12@start", "12", "province", "Tỉnh Lai Châu", "12@start", None, None, None),
                Area(
                    "109@start",
                    "109",
                    "district",
                    "Huyện Phong Thổ",
                    "12@start",
                    "109@start",
                    None,
                    "2025-06-30",
                ),
            ]
        ),
        {disease: {} for disease in diseases},
    )


def identity(subject: str, event_id: str) -> Identity:
    """An identity from text."""
    return subject, UUID(event_id)


class FakeAlertBook:
    """An AlertBook in memory.

    Attributes:
        lives: Alert id -> its events.
        areas: Code -> the ids of the areas that lie in it.
        area_names: What areas are called, by their ids; the others by these.
        now: The instant of what is done.
        is_down: Every question fails.
        hangs: Every question waits for ever.
    """

    def __init__(self, *raised: AlertEvent) -> None:
        self.lives = {event.alert_id: [event] for event in raised}
        self.areas: dict[str, set[str]] = {}
        self.area_names: dict[str, str] = {}
        self.now = max((event.at for event in raised), default=None)
        self.is_down = False
        self.hangs = False
        self.is_closed = False

    async def inbox(
        self,
        *,
        is_open: bool,
        disease: str | None,
        area_code: str | None,
        most: int,
        after: AlertPlace | None = None,
    ) -> list[dict[str, Any]] | None:
        """Rows of the alerts asked for."""
        await self._answer()
        if area_code is not None and area_code not in self.areas:
            return None
        alerts = [
            alert
            for alert in map(fold_all, self.lives.values())
            if (alert.is_open or not is_open)
            and disease in (None, alert.disease)
            and (area_code is None or alert.area_id in self.areas[area_code])
        ]
        placed = sorted(((_place(alert), alert) for alert in alerts), key=lambda pair: pair[0].order)
        further = [alert for place, alert in placed if after is None or place.order > after.order]
        return [
            _row(alert) | {"area_name": self.area_names.get(alert.area_id, alert.area_id)}
            for alert in further[:most]
        ]

    async def read(self, alert_id: UUID) -> KnownAlert | None:
        """One of them."""
        await self._answer()
        if alert_id not in self.lives:
            return None
        events = self.lives[alert_id]
        alert = fold_all(events)
        name = self.area_names.get(alert.area_id, alert.area_id)
        return KnownAlert(alert, tuple(events), name, "Bệnh: …\n", "Disease: …\n")

    async def act(
        self, alert_id: UUID, action: Action, actor: str, note: str | None, instant: datetime | None
    ) -> Alert | None:
        """Apply an action as the store does."""
        await self._answer()
        if alert_id not in self.lives:
            return None
        assert self.now is not None
        events = self.lives[alert_id]
        events.append(acted(fold_all(events), action, actor, self.now, note, instant))
        return fold_all(events)

    async def close(self) -> None:
        """Remember that it was called."""
        self.is_closed = True

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_down:
            raise DependencyDown("the fake database is down")


def _place(alert: Alert) -> AlertPlace:
    return AlertPlace(alert.state.value, alert.level.value, alert.raised_at, alert.alert_id)


def _row(alert: Alert) -> dict[str, Any]:
    """As schemas/sql/queries/alerts.sql gives it."""
    return {
        "alert_id": alert.alert_id,
        "rule_id": alert.rule_id,
        "disease": alert.disease,
        "disease_name": alert.disease,
        "area_id": alert.area_id,
        "area_code": alert.area_id.partition("@")[0],
        "area_name": alert.area_id,
        "state": alert.state.value,
        "level": alert.level.value,
        "is_met": alert.is_met,
        "cases": alert.cases,
        "period_start": alert.periods[-1].start,
        "period_end": alert.periods[-1].end,
        "raised_at": alert.raised_at,
        "changed_at": alert.changed_at,
        "settled_at": alert.settled_at,
        "determined_at": alert.determined_at,
        "notice_due_at": alert.notice_due_at,
        "ended_at": alert.ended_at,
        "end_proposed_at": alert.end_proposed_at,
        "escalated_at": alert.escalated_at,
        "verdict": alert.verdict,
    }

"""What the door needs of others, as Protocols; the adapters are kafka.py, database.py and alert_book.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from streams.domain.alerts import Action, Alert, AlertEvent, AlertPlace
from streams.domain.catalogue import Catalogue
from streams.domain.receipts import Fate

Identity = tuple[str, UUID]
"""(subject, event id): what an event is known by."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record for Kafka; `topic` without the prefix."""

    topic: str
    key: bytes
    value: bytes


class EventSink(Protocol):
    """Where accepted events go."""

    async def send(self, records: Sequence[Outgoing], timeout_seconds: float) -> list[bool]:
        """Send records, those of one key in the order given; returns within about the timeout.

        Returns:
            For each record, in the same order, whether Kafka has acknowledged it (acks=all) by then. False
            says that nobody knows: the record may still arrive, so the sender is to repeat it. Never raises
            for a server that does not answer.
        """

    async def check(self) -> None:
        """Ask whether a record could be sent now.

        Raises:
            CanhDichError: it could not; says why.
        """

    async def close(self) -> None:
        """Let Kafka have what was handed over, within about ten seconds, and give the connection up."""


class Knowledge(Protocol):
    """What the database knows. Every method raises CanhDichError when it cannot say."""

    async def known_hashes(self, identities: Sequence[Identity]) -> Mapping[Identity, bytes]:
        """The content hashes under which identities are in the journal; unknown identities are absent."""

    async def fate(self, event_id: UUID, subject: str | None) -> Fate:
        """What became of the events with an id, of every subject or of one."""

    async def newer_catalogue(self, load_id: int | None) -> Catalogue | None:
        """The catalogue in force; None where that is still the load named (None names no load)."""

    async def check(self) -> None:
        """Ask whether the database answers and has its tables."""

    async def close(self) -> None:
        """Give the connections up."""


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert with its history, the name of its area, and what it says as plain text."""

    alert: Alert
    events: Sequence[AlertEvent]
    area_name: str
    text_vi: str
    text_en: str


class AlertBook(Protocol):
    """The alerts and their lives. Every method raises CanhDichError when it cannot say."""

    async def inbox(
        self,
        *,
        is_open: bool,
        disease: str | None,
        area_code: str | None,
        most: int,
        after: AlertPlace | None = None,
    ) -> Sequence[Mapping[str, Any]] | None:
        """Rows of schemas/sql/queries/alerts.sql, in the order of AlertPlace, only those further down than
        `after`; None where no area has the code at present."""

    async def read(self, alert_id: UUID) -> KnownAlert | None:
        """One alert; None where there is none."""

    async def act(
        self, alert_id: UUID, action: Action, actor: str, note: str | None, instant: datetime | None
    ) -> Alert | None:
        """Record what a person does now; the alert after it, None where there is none.

        Raises:
            RefusedAction: it is not possible from its state, or something is missing.
        """

    async def close(self) -> None:
        """Give the connections up."""

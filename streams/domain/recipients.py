"""Who is told what, when: planned for each event of an alert, in its own transaction.

A high level is told at once, what is low or minor in the digest; quiet hours hold back everything but an
outbreak; and nobody hears the same twice within the cool-down.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from streams.domain.alerts import Alert, AlertEvent, Kind, Life, Loudness
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.rules.verdicts import Level

Channel = Literal["email", "webhook", "chat"]

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:canhdich:deliveries")

_ALWAYS_NEW: Final = frozenset({Kind.ESCALATED, Kind.DETERMINED, Kind.ENDED, Kind.ENDED_PROPOSED})
"""Told again whatever was told before: each asks for another thing to be done."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who is told, by one channel.

    Attributes:
        id: Names the row; never re-used for somebody else.
        address: An e-mail address, or a URL; `env:NAME` and `file:PATH` name where a secret one stands.
        area_ids: Areas of any level that the recipient answers for; None is everywhere.
        diseases: Codes; None is all.
        least_level: Below it the recipient hears nothing.
        quiet_from, quiet_to: Local times between which only an outbreak is told; None is never quiet.
        digest_at: Local time of the daily digest; None wants none.
    """

    id: str
    name: str
    channel: Channel
    address: str
    area_ids: frozenset[str] | None
    diseases: frozenset[str] | None
    least_level: Level
    language: Literal["vi", "en"]
    quiet_from: time | None = None
    quiet_to: time | None = None
    digest_at: time | None = None

    def answers_for(self, disease: str, area_ids: Collection[str]) -> bool:
        """Whether an alert is the recipient's, by its disease and the areas that its own lies in."""
        is_there = self.area_ids is None or not self.area_ids.isdisjoint(area_ids)
        return is_there and (self.diseases is None or disease in self.diseases)

    def document(self) -> dict[str, Any]:
        """Ready for JSON; `recipient_from` reads it."""
        return {
            "id": self.id,
            "name": self.name,
            "channel": self.channel,
            "address": self.address,
            "area_ids": None if self.area_ids is None else sorted(self.area_ids),
            "diseases": None if self.diseases is None else sorted(self.diseases),
            "least_level": self.least_level.value,
            "language": self.language,
            "quiet_from": _text(self.quiet_from),
            "quiet_to": _text(self.quiet_to),
            "digest_at": _text(self.digest_at),
        }


def recipient_from(document: Mapping[str, Any]) -> Recipient:
    """A recipient from its document."""
    areas, diseases = document["area_ids"], document["diseases"]
    return Recipient(
        id=document["id"],
        name=document["name"],
        channel=document["channel"],
        address=document["address"],
        area_ids=None if areas is None else frozenset(areas),
        diseases=None if diseases is None else frozenset(diseases),
        least_level=Level(document["least_level"]),
        language=document["language"],
        quiet_from=_time(document["quiet_from"]),
        quiet_to=_time(document["quiet_to"]),
        digest_at=_time(document["digest_at"]),
    )


class DeliveryKind(StrEnum):
    """How a delivery leaves."""

    IMMEDIATE = "immediate"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Told:
    """What a recipient was told at once of a disease in an area, or is about to be."""

    recipient_id: str
    level: Level
    cases: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one recipient. The id is the same however often it is planned or sent.

    Attributes:
        due_at: Not before.
    """

    id: UUID
    alert_id: UUID
    number: int
    recipient_id: str
    kind: DeliveryKind
    level: Level
    due_at: datetime


def plan(
    alert: Alert,
    event: AlertEvent,
    recipients: Iterable[Recipient],
    area_ids: Collection[str],
    told: Sequence[Told],
    life: Life,
) -> list[Delivery]:
    """The deliveries of an event.

    Args:
        alert: After the event.
        event: What happened.
        recipients: Everybody.
        area_ids: The alert's area and all that it lies in.
        told: What recipients were told at once of this disease and area, at any time.
        life: The cool-down.
    """
    if event.loudness is Loudness.SILENT:
        return []
    planned = []
    for recipient in recipients:
        if alert.level.rank < recipient.least_level.rank:
            continue
        if not recipient.answers_for(alert.disease, area_ids):
            continue
        kind = DeliveryKind.DIGEST
        due_at = None if recipient.digest_at is None else _next(recipient.digest_at, event.at)
        if event.loudness is Loudness.IMMEDIATE and not _has_heard(recipient, alert, event, told, life):
            kind, due_at = DeliveryKind.IMMEDIATE, _after_quiet_hours(recipient, alert.level, event.at)
        if due_at is not None:
            delivery_id = uuid5(_NAMESPACE, f"{event.alert_id}|{event.number}|{recipient.id}")
            planned.append(
                Delivery(delivery_id, event.alert_id, event.number, recipient.id, kind, alert.level, due_at)
            )
    return planned


def _has_heard(
    recipient: Recipient, alert: Alert, event: AlertEvent, told: Sequence[Told], life: Life
) -> bool:
    """Whether the recipient was told of this level, and nearly as many cases, within the cool-down."""
    if event.kind in _ALWAYS_NEW:
        return False
    return any(
        before.recipient_id == recipient.id
        and before.level.rank >= alert.level.rank
        and alert.cases < life.louder_at * max(before.cases, 1)
        and event.at - before.at <= life.cool_down
        for before in told
    )


def _after_quiet_hours(recipient: Recipient, level: Level, at: datetime) -> datetime:
    quiet_from, quiet_to = recipient.quiet_from, recipient.quiet_to
    if level is Level.OUTBREAK or quiet_from is None or quiet_to is None:
        return at
    now = at.astimezone(LOCAL_ZONE).time()
    # From 22:00 to 06:00 is quiet unless it is from 06:00 to 22:00.
    ends_today = quiet_from <= quiet_to
    is_quiet = quiet_from <= now < quiet_to if ends_today else not quiet_to <= now < quiet_from
    return _next(quiet_to, at) if is_quiet else at


def _next(wanted: time, at: datetime) -> datetime:
    """The first instant after `at` at which the clocks of the province show a time."""
    local = at.astimezone(LOCAL_ZONE)
    today = local.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: 5 s, doubled each time, 10 minutes at most.

    >>> [int(pause_after(n).total_seconds()) for n in (1, 2, 7, 8, 100)]
    [5, 10, 320, 600, 600]
    """
    return timedelta(seconds=min(600, 5 * 2 ** min(attempts - 1, 10)))


def _text(value: time | None) -> str | None:
    return None if value is None else value.strftime("%H:%M")


def _time(value: str | None) -> time | None:
    return None if value is None else time.fromisoformat(value)

"""Send what is due, and tell the outside watchdog that the chain is alive."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.logs import some_of
from services.notify.channels import Send, resolved
from services.notify.message import compose
from streams.domain.recipients import Channel
from streams.stores.deliveries import Claimed

log = logging.getLogger(__name__)

NOTIFIER: Final = "notifier"
WATCHER: Final = "watcher"
CANARY: Final = "canary"


class Outbox(Protocol):
    """Where deliveries wait. Every method raises DependencyDown when the database does not answer."""

    def deliver(self, at: datetime, tell: Callable[[Claimed], str | None]) -> bool:
        """Claim what is due for one recipient, tell it, record what came of it; False: nothing is due."""

    def is_alive(self, name: str, at: datetime) -> None:
        """Say that a process of the chain has just done its work."""

    def signs_of_life(self) -> dict[str, datetime]:
        """When each process of the chain last did its work."""


def deliver_due(
    outbox: Outbox, channels: Mapping[Channel, Send], link: str, clock: Callable[[], datetime]
) -> int:
    """Send all that is due now, one message per recipient and kind; how many messages were tried.

    Raises:
        DependencyDown: the database does not answer.
    """

    def tell(claimed: Claimed) -> str | None:
        recipient = claimed.recipient
        try:
            address = resolved(recipient.address)
        except LookupError as error:
            reason: str | None = str(error)
        else:
            reason = channels[recipient.channel](address, compose(claimed, link))
        if reason is None:
            log.info(
                "told %s by %s of %d",
                recipient.id,
                recipient.channel,
                len(claimed.ids),
                extra=some_of({"alert_ids": sorted({str(alert["alert_id"]) for alert in claimed.alerts})}),
            )
        else:
            log.warning(
                "%s by %s, attempt %d: %s", recipient.id, recipient.channel, claimed.attempts + 1, reason
            )
        return reason

    tried = 0
    while outbox.deliver(clock(), tell):
        tried += 1
    outbox.is_alive(NOTIFIER, clock())
    return tried


def silent(signs: Mapping[str, datetime], now: datetime, patience: Mapping[str, timedelta]) -> list[str]:
    """Who of the chain has not been heard of in time; empty when all are alive.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> silent({"watcher": now}, now, {"watcher": timedelta(minutes=2), "canary": timedelta(minutes=9)})
    ['canary']
    """
    return [name for name, limit in patience.items() if name not in signs or now - signs[name] > limit]

"""What is due goes out by its channel; the heartbeat stops when anything in the chain is silent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.notify.deliver import CANARY, NOTIFIER, WATCHER, deliver_due, silent
from services.notify.message import Message
from streams.domain.recipients import DeliveryKind, Recipient
from streams.stores.deliveries import Claimed
from tests.unit.notify.test_message import NURSE, ROW

NOW = datetime(2026, 8, 3, tzinfo=UTC)
PATIENCE = {
    NOTIFIER: timedelta(minutes=2),
    WATCHER: timedelta(minutes=5),
    CANARY: timedelta(minutes=15),
}


class FakeOutbox:
    """Holds claims; those that are not accepted stay for the next round."""

    def __init__(self, *recipients: Recipient) -> None:
        self.waiting = [
            Claimed(recipient, DeliveryKind.IMMEDIATE, (UUID(int=number),), (ROW,), 0)
            for number, recipient in enumerate(recipients)
        ]
        self.reasons: list[str | None] = []
        self.signs: dict[str, datetime] = {}
        self._round: list[Claimed] | None = None

    def deliver(self, at: datetime, tell: Callable[[Claimed], str | None]) -> bool:
        if self._round is None:
            self._round, self.waiting = self.waiting, []
        if not self._round:
            self._round = None
            return False
        claimed = self._round.pop(0)
        self.reasons.append(tell(claimed))
        if self.reasons[-1] is not None:
            self.waiting.append(claimed)
        return True

    def is_alive(self, name: str, at: datetime) -> None:
        self.signs[name] = at

    def signs_of_life(self) -> dict[str, datetime]:
        return self.signs


def deliver(outbox: FakeOutbox, answer: str | None = None) -> list[tuple[str, str]]:
    sent: list[tuple[str, str]] = []

    def send(name: str) -> Callable[[str, Message], str | None]:
        def to(address: str, message: Message) -> str | None:
            sent.append((name, address))
            return answer

        return to

    channels = {"email": send("email"), "webhook": send("webhook"), "chat": send("chat")}
    deliver_due(outbox, channels, "https://x.example/alerts", lambda: NOW)  # type: ignore[arg-type]
    return sent


def test_each_goes_by_its_channel() -> None:
    webhook = replace(NURSE, id="b", channel="webhook", address="https://b.example")
    outbox = FakeOutbox(NURSE, webhook)
    assert deliver(outbox) == [("email", "a@b.example"), ("webhook", "https://b.example")]
    assert outbox.waiting == []
    assert outbox.signs == {NOTIFIER: NOW}


def test_what_is_not_accepted_stays_and_does_not_hold_up_others() -> None:
    outbox = FakeOutbox(NURSE, replace(NURSE, id="b"))
    assert len(deliver(outbox, "HTTP 503")) == 2
    assert outbox.reasons == ["HTTP 503", "HTTP 503"]
    assert len(outbox.waiting) == 2
    deliver(outbox)
    assert outbox.waiting == []


def test_a_secret_address_that_is_not_there_is_the_reason() -> None:
    outbox = FakeOutbox(replace(NURSE, channel="chat", address="env:NO_SUCH_VARIABLE"))
    assert deliver(outbox) == []
    assert outbox.reasons == ["the environment variable NO_SUCH_VARIABLE is not set"]


@pytest.mark.parametrize("name", list(PATIENCE))
def test_whoever_is_silent_for_too_long_stops_the_heartbeat(name: str) -> None:
    signs = dict.fromkeys(PATIENCE, NOW)
    assert silent(signs, NOW, PATIENCE) == []
    signs[name] = NOW - PATIENCE[name]
    assert silent(signs, NOW, PATIENCE) == []
    signs[name] -= timedelta(seconds=1)
    assert silent(signs, NOW, PATIENCE) == [name]
    del signs[name]
    assert silent(signs, NOW, PATIENCE) == [name]

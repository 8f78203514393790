"""What the door needs of others, as Protocols; the adapters are kafka.py and database.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from streams.domain.catalogue import Catalogue

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

    async def newer_catalogue(self, load_id: int | None) -> Catalogue | None:
        """The catalogue in force; None where that is still the load named (None names no load)."""

    async def check(self) -> None:
        """Ask whether the database answers and has its tables."""

    async def close(self) -> None:
        """Give the connections up."""

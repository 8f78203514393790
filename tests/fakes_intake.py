"""Hand-written fakes of the intake's ports, held to the laws of the real ones by tests/integration/intake."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from services.intake.ports import Identity, Outgoing
from streams.domain.areas import Area, AreaIndex
from streams.domain.catalogue import Catalogue
from streams.domain.errors import DependencyDown

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
        is_down: Every question fails.
        hangs: Every question waits for ever.
        questions: How often something was asked.
    """

    def __init__(
        self, hashes: Mapping[Identity, bytes] | None = None, catalogue: Catalogue | None = None
    ) -> None:
        self.hashes = dict(hashes or {})
        self.catalogue = catalogue
        self.is_down = False
        self.hangs = False
        self.questions = 0
        self.is_closed = False

    async def known_hashes(self, identities: Sequence[Identity]) -> Mapping[Identity, bytes]:
        """What of these is in the journal."""
        await self.check()
        return {identity: self.hashes[identity] for identity in identities if identity in self.hashes}

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

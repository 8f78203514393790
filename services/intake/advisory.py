"""Asking the database, whose silence must never stop the door: the stream decides anyway."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from services.intake.metrics import Metrics
from services.intake.ports import Knowledge
from streams.domain.catalogue import Catalogue
from streams.domain.errors import CanhDichError

_Answer = TypeVar("_Answer")

log = structlog.get_logger(__name__)


class Advisory:
    """One question to the database; after a failure it rests for a while, so that senders do not wait."""

    def __init__(
        self,
        question: str,
        metrics: Metrics,
        *,
        patience_seconds: float = 2.0,
        pause_seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._question = question
        self._metrics = metrics
        self._patience = patience_seconds
        self._pause = pause_seconds
        self._monotonic = monotonic
        self._silent_until = float("-inf")

    async def ask(self, call: Callable[[], Awaitable[_Answer]]) -> _Answer | None:
        """The answer; None when there is none within the patience, or was none a moment ago."""
        if self._monotonic() >= self._silent_until:
            try:
                async with asyncio.timeout(self._patience):
                    return await call()
            except (CanhDichError, TimeoutError) as error:
                self._silent_until = self._monotonic() + self._pause
                log.warning("database_does_not_answer", question=self._question, error=type(error).__name__)
        self._metrics.without_answer.labels(self._question).inc()
        return None


class CurrentCatalogue:
    """The catalogue in force, kept for a minute and renewed behind the requests' back."""

    def __init__(
        self,
        knowledge: Knowledge,
        advisory: Advisory,
        *,
        fresh_seconds: float = 60.0,
        patience_seconds: float = 2.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._knowledge = knowledge
        self._advisory = advisory
        self._fresh = fresh_seconds
        self._patience = patience_seconds
        self._monotonic = monotonic
        self._catalogue: Catalogue | None = None
        self._renew_at = float("-inf")
        self._renewal: asyncio.Task[None] | None = None

    async def get(self) -> Catalogue | None:
        """The catalogue as last read, None where it never could be; waits only before the first reading."""
        if self._renewal is None and self._monotonic() >= self._renew_at:
            self._renewal = asyncio.create_task(self._renew())
        if self._catalogue is None and self._renewal is not None:
            await asyncio.wait({self._renewal}, timeout=self._patience)
        return self._catalogue

    async def close(self) -> None:
        """Stop a renewal that is under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait({self._renewal})

    async def _renew(self) -> None:
        try:
            await self._advisory.ask(self._read)
        finally:
            self._renewal = None

    async def _read(self) -> None:
        load_id = None if self._catalogue is None else self._catalogue.load_id
        newer = await self._knowledge.newer_catalogue(load_id)
        self._catalogue = newer or self._catalogue
        self._renew_at = self._monotonic() + self._fresh

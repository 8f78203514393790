"""Whether a server answers, asked at most every few seconds however often somebody wants to know."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from streams.domain.errors import CanhDichError, ConfigurationError


class Probe:
    """Remembers a check's result for a while; a check that hangs counts as failed and is not asked twice."""

    def __init__(
        self,
        check: Callable[[], Awaitable[None]],
        *,
        fresh_seconds: float = 5.0,
        patience_seconds: float = 3.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._check = check
        self._fresh = fresh_seconds
        self._patience = patience_seconds
        self._monotonic = monotonic
        self._asked_at = float("-inf")
        self._asked: asyncio.Task[None] | None = None

    async def fault(self) -> str | None:
        """None when the server answers as it should; else `no_answer` or `not_set_up`."""
        if self._asked is None or (self._asked.done() and self._monotonic() >= self._asked_at + self._fresh):
            self._asked_at = self._monotonic()
            self._asked = asyncio.create_task(self._run())
        done, _ = await asyncio.wait({self._asked}, timeout=self._patience)
        if not done:
            return "no_answer"
        error = self._asked.exception()
        if error is None:
            return None
        if isinstance(error, CanhDichError):
            return "not_set_up" if isinstance(error, ConfigurationError) else "no_answer"
        raise error

    async def close(self) -> None:
        """Stop a check that is under way."""
        if self._asked is not None:
            self._asked.cancel()
            await asyncio.wait({self._asked})

    async def _run(self) -> None:
        await self._check()

"""Of Faust what the agents' tests share."""

from collections.abc import AsyncIterator, Sequence
from typing import Generic, Self, TypeVar

EventT = TypeVar("EventT")


class GivenBatches(Generic[EventT]):
    """A stream that gives these batches, none larger than is asked for."""

    def __init__(self, batches: Sequence[list[EventT]]) -> None:
        self._batches = batches

    def noack(self) -> Self:
        return self

    async def noack_take(self, most: int, within: float) -> AsyncIterator[list[EventT]]:
        for batch in self._batches:
            assert len(batch) <= most
            yield batch

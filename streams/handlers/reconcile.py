"""Make the database's offsets and Kafka's log agree when partitions are assigned.

The database is the truth of what was folded. If the log is not the one that was folded (truncated by a
power cut, topic made anew), the partition is read again from its start under a new epoch; repeats fall out
by their identity.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from streams.domain.positions import Position
from streams.handlers.fold_cases import Committed

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LogState:
    """What the broker has of a partition.

    Attributes:
        topic_id: Kafka's own id of the topic.
        first_offset: Smallest offset that is still there.
        end_offset: One after the largest.
        last_hash: Of the record before the position's next offset; None where there is none.
    """

    topic_id: UUID
    first_offset: int
    end_offset: int
    last_hash: bytes | None


@dataclass(frozen=True, slots=True)
class Leadership:
    """Under whom a partition's log is written.

    A log is cut or made anew only when its leader starts again, another one takes over, or the topic is
    deleted: then its records may be others from some offset on, and one of these two is another, too.
    """

    topic_id: UUID
    leader_epoch: int


class Log(Protocol):
    """Kafka's side."""

    async def leaderships(self) -> dict[int, Leadership]:
        """The leadership of every partition now; DependencyDown when Kafka does not answer."""

    async def states(self, next_offsets: Mapping[int, int | None]) -> dict[int, LogState]:
        """The state of each partition; DependencyDown when Kafka does not answer."""


class Positions(Protocol):
    """The database's side."""

    async def positions(self, partitions: Iterable[int]) -> dict[int, Position]:
        """The stored positions; partitions never read are absent."""

    async def replace_positions(
        self, expected: Mapping[int, Position | None], positions: Mapping[int, Position]
    ) -> bool:
        """Store positions if the stored ones are still the expected ones; False, and nothing, otherwise."""

    async def unannounced(self, partitions: Iterable[int]) -> Committed:
        """What is folded of these partitions and perhaps not announced."""


def reconciled(position: Position | None, log: LogState) -> Position:
    """Where to go on reading: the stored position, or the start under a new epoch.

    A record before the first offset that is still there cannot be compared; then the topic's id decides.
    """
    if position is None:
        return Position(log.topic_id, 0, log.first_offset, log.first_offset, NEVER, None)
    can_compare = position.last_hash is not None and position.next_offset > log.first_offset
    is_same_log = (
        position.topic_id == log.topic_id
        and position.next_offset <= log.end_offset
        and (not can_compare or position.last_hash == log.last_hash)
    )
    if not is_same_log:
        return Position(
            log.topic_id, position.epoch + 1, log.first_offset, log.first_offset, position.last_known_at, None
        )
    # Records deleted before they were folded are gone; whoever deleted them is told by the gap.
    next_offset = max(position.next_offset, log.first_offset)
    announced = min(max(position.announced_offset, log.first_offset), next_offset)
    return replace(position, next_offset=next_offset, announced_offset=announced)


async def reconcile(
    partitions: Iterable[int],
    positions: Positions,
    log: Log,
    announce: Callable[[Committed], Awaitable[None]],
) -> dict[int, Position]:
    """The positions from which to read newly assigned partitions, stored where they changed.

    Args:
        partitions: Which.
        positions: The database's side.
        log: Kafka's side.
        announce: Gets what was folded of records that will not come again from where they stood: whoever
            folded them may have ended before he announced it, and by their identity they are known.

    Raises:
        DependencyDown: a server does not answer; call again.
    """
    wanted = sorted(partitions)
    while True:
        stored = await positions.positions(wanted)
        states = await log.states({p: stored[p].next_offset if p in stored else None for p in wanted})
        agreed = {p: reconciled(stored.get(p), states[p]) for p in wanted}
        changed = {p: agreed[p] for p in wanted if agreed[p] != stored.get(p)}
        gone = [p for p in changed if p in stored and _skips_unannounced(stored[p], agreed[p])]
        if gone:
            await announce(await positions.unannounced(gone))
        # A batch that was under way may have moved a position meanwhile: look again.
        if not changed or await positions.replace_positions({p: stored.get(p) for p in changed}, changed):
            return agreed


def _skips_unannounced(stored: Position, agreed: Position) -> bool:
    """Whether records that are folded but perhaps not announced are not read again under their offsets."""
    is_read_again = agreed.epoch == stored.epoch and agreed.announced_offset == stored.announced_offset
    return stored.announced_offset < stored.next_offset and not is_read_again

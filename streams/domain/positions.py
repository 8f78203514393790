"""How far the case events are folded, and which counts that moved.

Apart from the fold itself: whoever only reads counts needs neither the events' models nor the ledger.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

TOPIC: Final = "case-events"


@dataclass(frozen=True, slots=True)
class Position:
    """How far one partition is folded (`next_offset`) and announced, and since which (re)start (`epoch`)."""

    topic_id: UUID
    epoch: int
    next_offset: int
    announced_offset: int
    last_known_at: datetime
    last_hash: bytes | None


class Touched(NamedTuple):
    """A count that moved: the key of a record on count-changes."""

    disease: str
    area_id: str

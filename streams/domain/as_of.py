"""Is what we know as of an instant final, or may an event that Kafka had by then still come?"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""How far the broker's clock may be behind ours; `canhdich doctor` complains beyond it."""


class Place(NamedTuple):
    """A place in one partition's log, in the order of reading: the epoch first."""

    epoch: int
    offset: int


class Vector(NamedTuple):
    """What was counted at a moment: the events before a place in each partition, and the loads up to one.

    A partition that is absent had no event counted. `places` are those of the case events, `tallies` those of
    the tally events.
    """

    load_id: int
    places: Mapping[int, Place]
    tallies: Mapping[int, Place] = MappingProxyType({})


class Folded(NamedTuple):
    """How far one partition is folded."""

    topic_id: UUID
    next_offset: int
    last_known_at: datetime


class LogEnds(NamedTuple):
    """One after the last offset of each partition, as Kafka said.

    `asked_at` is our clock just before the question: what is appended later is stamped later, by a broker
    whose clock is less than CLOCK_TOLERANCE behind ours.
    """

    topic_id: UUID
    asked_at: datetime
    offsets: Mapping[int, int]


def is_final(as_of: datetime, partitions: int, folded: Mapping[int, Folded], ends: LogEnds | None) -> bool:
    """Whether no event that is yet to be folded can have a known_at up to `as_of`.

    known_at never runs back within a partition, so a partition is through once it knows something later than
    `as_of`, or once it is folded to an end of its log that was read after `as_of`.

    Args:
        as_of: The instant asked about.
        partitions: How many partitions the topic has.
        folded: By partition, read from the database after Kafka was asked; never folded ones are absent.
        ends: What Kafka said; None where it does not answer.
    """
    return all(_is_through(as_of, partition, folded.get(partition), ends) for partition in range(partitions))


def _is_through(as_of: datetime, partition: int, folded: Folded | None, ends: LogEnds | None) -> bool:
    if folded is not None and folded.last_known_at > as_of:
        return True
    if ends is None or partition not in ends.offsets or ends.asked_at <= as_of + CLOCK_TOLERANCE:
        return False
    if folded is None:
        return ends.offsets[partition] == 0
    # Another topic of the same name has other offsets: the worker reads it from the start.
    return folded.topic_id == ends.topic_id and folded.next_offset >= ends.offsets[partition]

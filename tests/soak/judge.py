"""Whether what was sampled stays as it was: memory flat, the backlog not growing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import theilslopes

WARM_UP: Final = 1 / 3
"""This part of a run is not judged: caches fill, catalogues are read, connections are opened."""
LEAST_SAMPLES: Final = 20
"""Fewer after the warm-up say nothing."""
MEMORY_SHARE: Final = 0.08
"""A process may end the judged part so much larger than it began it, by the slope through all samples,"""
MEMORY_LEAST_MIB: Final = 12.0
"""or so much: a garbage collector's tide."""
BACKLOG_SECONDS: Final = 20.0
"""The backlog may grow by what so many seconds bring: a batch, an import that has just begun,"""
BACKLOG_SHARE: Final = 0.05
"""but in a short run only by this part of what is due meanwhile: slower by more than that is too slow."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the samples of one thing say.

    Attributes:
        name: Of what was sampled.
        first: The level at which the judged part begins, by the slope.
        growth: By how much it grows until the end, by the slope.
        allowed: How much may be.
    """

    name: str
    first: float
    growth: float
    allowed: float

    @property
    def is_flat(self) -> bool:
        """Whether it does not grow."""
        return self.growth <= self.allowed


def growth(seconds: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Level at the beginning of the judged part, and growth until its end, by the Theil-Sen slope.

    The median of all slopes between two samples: single peaks, of an import or a query, do not move it.

    Raises:
        ValueError: too few samples.
    """
    judged = np.asarray(seconds) >= seconds[0] + WARM_UP * (seconds[-1] - seconds[0])
    at, value = np.asarray(seconds)[judged], np.asarray(values, dtype=float)[judged]
    if len(at) < LEAST_SAMPLES:
        raise ValueError(f"{len(at)} samples after the warm-up; at least {LEAST_SAMPLES} are needed")
    slope, intercept, *_ = theilslopes(value, at)
    return float(intercept + slope * at[0]), float(slope * (at[-1] - at[0]))


def judge_memory(seconds: Sequence[float], mebibytes: Mapping[str, Sequence[float]]) -> list[Verdict]:
    """Of each process, by its name."""
    found = []
    for name, values in mebibytes.items():
        first, grown = growth(seconds, values)
        found.append(
            Verdict(f"memory of {name}, MiB", first, grown, max(MEMORY_LEAST_MIB, MEMORY_SHARE * first))
        )
    return found


def judge_backlog(seconds: Sequence[float], events: Sequence[float], rate: float) -> Verdict:
    """Whether the pipeline keeps up with so many events a second.

    How many were sent is no measure of that: a machine that stood still for some seconds has sent less,
    and is well when it catches up; an intake that holds its sender up makes the lag in Kafka look small.

    Args:
        seconds: When sampled, by the monotonic clock.
        events: What was due by then and is not folded: not yet acknowledged, and acknowledged but lagging.
        rate: Events due a second.

    Raises:
        ValueError: too few samples.
    """
    first, grown = growth(seconds, events)
    judged_seconds = (1 - WARM_UP) * (seconds[-1] - seconds[0])
    allowed = rate * min(BACKLOG_SECONDS, BACKLOG_SHARE * judged_seconds)
    return Verdict("backlog, events", first, grown, allowed)

"""Mean and sample standard deviation as the law compares with them, in whole numbers throughout."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, sqrt


@dataclass(frozen=True, slots=True)
class Band:
    """The counts of the usable years, oldest first; S is their sum, Q the sum of their squares.

    With n years, c >= mean + k SD exactly when n c - S >= 0 and (n c - S)^2 (n - 1) >= k^2 n (n Q - S^2).
    The bounds below are the whole numbers at which that turns, so no rounding is near a boundary.
    """

    counts: tuple[int, ...]

    @classmethod
    def of(cls, counts: Sequence[int]) -> "Band":
        """The band of some years.

        Raises:
            ValueError: fewer than two years (one year has no SD), or a negative count.
        """
        if len(counts) < 2:
            raise ValueError(f"A standard deviation wants two years or more, not {len(counts)}.")
        if min(counts) < 0:
            raise ValueError(f"A year's count is 0 or more, not {min(counts)}.")
        return cls(tuple(counts))

    @property
    def total(self) -> int:
        """S: the sum over the years."""
        return sum(self.counts)

    def lowest_from(self, deviations: int) -> int:
        """The smallest whole c >= mean + `deviations` SD.

        >>> Band.of([1, 1, 3, 5, 5]).lowest_from(1), Band.of([2, 4, 4, 6, 4]).lowest_from(1)
        (5, 6)
        """
        # n c - S must reach the smallest r >= 0 with r^2 (n - 1) >= spread.
        spread = -(-self._spread(deviations) // (len(self.counts) - 1))
        root = 0 if spread == 0 else isqrt(spread - 1) + 1
        return -(-(self.total + root) // len(self.counts))

    def highest_within(self, deviations: int) -> int:
        """The greatest whole c <= mean + `deviations` SD; a greater c exceeds it.

        >>> Band.of([1, 1, 3, 5, 5]).highest_within(2), Band.of([6, 6, 10, 14, 14]).highest_within(2)
        (7, 18)
        """
        root = isqrt(self._spread(deviations) // (len(self.counts) - 1))
        return (self.total + root) // len(self.counts)

    @property
    def mean(self) -> float:
        """For display only."""
        return round(self.total / len(self.counts), 3)

    @property
    def deviation(self) -> float:
        """Sample SD (n - 1), for display only."""
        years = len(self.counts)
        return round(sqrt(self._spread(1) / (years - 1)) / years, 3)

    def limit(self, deviations: int) -> float:
        """Mean + `deviations` SD, for display only."""
        years = len(self.counts)
        return round((self.total + sqrt(self._spread(deviations) / (years - 1))) / years, 3)

    def _spread(self, deviations: int) -> int:
        years = len(self.counts)
        squares = sum(count * count for count in self.counts)
        return deviations * deviations * years * (years * squares - self.total * self.total)


def exceeds_mean(cases: int, counts: Sequence[int]) -> bool:
    """Whether a count is strictly above the mean of some years.

    >>> exceeds_mean(3, [2, 3, 4]), exceeds_mean(4, [2, 3, 4])
    (False, True)
    """
    return cases * len(counts) > sum(counts)

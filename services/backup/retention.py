"""Which backups are kept."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from streams.domain.calendar import LOCAL_ZONE

DAILY: Final = 7
WEEKLY: Final = 5
MONTHLY: Final = 12


def to_keep(
    made_at: Iterable[datetime], daily: int = DAILY, weekly: int = WEEKLY, monthly: int = MONTHLY
) -> set[datetime]:
    """The backups to keep: the newest of each of the last so many days, weeks and months that have one.

    Days, weeks (Monday to Sunday) and months are local. The newest one is always kept.
    """
    newest_first = sorted(set(made_at), reverse=True)
    kept = set(newest_first[:1])
    periods: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (daily, lambda at: at.date()),
        (weekly, lambda at: at.isocalendar()[:2]),
        (monthly, lambda at: (at.year, at.month)),
    )
    for number, period_of in periods:
        seen: set[object] = set()
        for at in newest_first:
            period = period_of(at.astimezone(LOCAL_ZONE))
            if period not in seen and len(seen) < number:
                seen.add(period)
                kept.add(at)
    return kept

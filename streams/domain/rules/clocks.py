"""The 24 hours of the law: from which instant they run, and when they end."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class DeathClocks:
    """Until when a death has to be reported (Art. 10.2b), both ways that the law counts.

    None where the instant that starts the clock is not known: a date alone starts none.
    """

    in_facility_due_at: datetime | None
    in_community_due_at: datetime | None


def death_clocks(died_at: datetime | None, verified_at: datetime | None, hours: int = 24) -> DeathClocks:
    """The clocks of one death: in a facility from the death, in the community from the end of verification.

    Raises:
        ValueError: an instant without its offset.
    """
    return DeathClocks(_due(died_at, hours), _due(verified_at, hours))


def notice_due(determined_at: datetime, hours: int = 24) -> datetime:
    """When the notice "có dịch" (or "hết dịch") is due: after the station's own determination (Art. 26.1b).

    Never after our alert: the station may determine later, or not at all.

    Raises:
        ValueError: an instant without its offset.
    """
    return _after(determined_at, hours)


def _due(started_at: datetime | None, hours: int) -> datetime | None:
    return None if started_at is None else _after(started_at, hours)


def _after(started_at: datetime, hours: int) -> datetime:
    if started_at.tzinfo is None:
        raise ValueError(f"{started_at.isoformat()}: an instant wants its offset, e.g. +07:00.")
    return started_at + timedelta(hours=hours)

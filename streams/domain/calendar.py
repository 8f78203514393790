"""Days as the province counts them: Viet Nam's civil time, UTC+7 without summer time since 1975."""

from datetime import UTC, date, datetime, timedelta, timezone

LOCAL_ZONE = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_PER_DAY = 86_400_000_000
_LOCAL_OFFSET = 7 * 3_600_000_000


def microseconds(instant: datetime) -> int:
    """Whole microseconds since 1970-01-01T00:00Z, exact (no float on the way)."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(microseconds_since_epoch: int) -> datetime:
    """The UTC instant of a number of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds_since_epoch)


def local_day(microseconds_since_epoch: int) -> str:
    """The local calendar day (ISO text) in which an instant falls.

    >>> local_day(microseconds(datetime(2023, 7, 4, 17, 0, tzinfo=UTC)))
    '2023-07-05'
    """
    days = (microseconds_since_epoch + _LOCAL_OFFSET) // _MICROSECONDS_PER_DAY
    return date.fromordinal(_EPOCH_ORDINAL + days).isoformat()


def day_of(day_or_instant: str) -> str:
    """The local day of a register value that is a day or an instant with offset (both ISO text).

    >>> day_of("2023-07-04"), day_of("2023-07-04T20:00:00Z")
    ('2023-07-04', '2023-07-05')
    """
    if len(day_or_instant) == 10:
        return day_or_instant
    return datetime.fromisoformat(day_or_instant).astimezone(LOCAL_ZONE).date().isoformat()

"""Days as the province counts them: Viet Nam's civil time, UTC+7 without summer time since 1975.

Weeks are ISO 8601 weeks (Monday to Sunday, week 1 holds the year's first Thursday).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

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


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def days(self) -> int:
        """How many days that is."""
        return (self.last - self.first).days + 1


def week_of(day: date) -> Period:
    """The ISO week, Monday to Sunday, in which a day falls."""
    monday = day - timedelta(days=day.weekday())
    return Period(monday, monday + timedelta(days=6))


def weeks_in(iso_year: int) -> int:
    """52, or 53 for a long year (28 December is always in the last week).

    >>> [year for year in range(2015, 2033) if weeks_in(year) == 53]
    [2015, 2020, 2026, 2032]
    """
    return date(iso_year, 12, 28).isocalendar().week


@lru_cache(maxsize=4_096)
def iso_week(iso_year: int, week: int) -> Period:
    """The days of an ISO week.

    Raises:
        ValueError: the year has no such week.

    >>> iso_week(2026, 53)
    Period(first=datetime.date(2026, 12, 28), last=datetime.date(2027, 1, 3))
    """
    monday = date.fromisocalendar(iso_year, week, 1)
    return Period(monday, monday + timedelta(days=6))


def same_week(iso_year: int, week: int) -> Period:
    """The week of another ISO year with which a week is compared: week 53 with week 52 where there is no 53.

    >>> same_week(2025, 53) == iso_week(2025, 52), same_week(2020, 53) == iso_week(2020, 53)
    (True, True)
    """
    return iso_week(iso_year, min(week, weeks_in(iso_year)))


def week_name(day: date) -> str:
    """The ISO name of a day's week.

    >>> week_name(date(2027, 1, 2))
    '2026-W53'
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def month_of(day: date) -> Period:
    """The calendar month in which a day falls."""
    return month(day.year, day.month)


@lru_cache(maxsize=4_096)
def month(year: int, number: int) -> Period:
    """A calendar month by its year and number (1 to 12).

    >>> month(2024, 2).last
    datetime.date(2024, 2, 29)
    """
    first = date(year, number, 1)
    following = date(year + number // 12, number % 12 + 1, 1)
    return Period(first, following - timedelta(days=1))


def previous_month(period: Period) -> Period:
    """The calendar month before the one that begins on `period.first`."""
    return month_of(period.first - timedelta(days=1))


def years_before(day: date, years: int) -> date:
    """The same day of an earlier year; 28 February for a 29th that the year has not.

    >>> years_before(date(2024, 2, 29), 1)
    datetime.date(2023, 2, 28)
    """
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)

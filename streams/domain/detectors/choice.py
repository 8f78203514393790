"""Which detector judges a series, by how much history it has."""

from dataclasses import dataclass, replace
from typing import Any

from streams.domain.detectors.base import DAILY, WEEKLY, Detector
from streams.domain.detectors.ears import EARS_C1, EARS_C2, EarsOptions
from streams.domain.detectors.farrington import FARRINGTON_FLEXIBLE, NOUFAILY_2012, YEARS_FOR_TREND
from streams.domain.detectors.same_season import BAYES, SeasonOptions

_WEEKS_IN_LONGEST_YEAR = 53

# Five in a hundred verdicts wrong would be hundreds of alarms a week over a country: nobody reads those.
_ALPHA = 0.005

# With a flat baseline of zeros a single case would exceed mean + z sd; half a case of spread asks for two.
_EARS = EarsOptions(alpha=0.001, min_sigma=0.5)

_ONE_YEAR_BACK = SeasonOptions(years=1, half_window=6, this_year=True, alpha=_ALPHA)

_SEASONS_AND_TREND = replace(NOUFAILY_2012, alpha=_ALPHA)


@dataclass(frozen=True, slots=True)
class Choice:
    """A detector and the settings to run it with."""

    detector: Detector[Any]
    options: Any


def choose(frequency: int, rows_before: int) -> Choice | None:
    """Choose the detector for the latest row of a series; docs/indicators/detectors.md has this as a table.

    Args:
        frequency: 365 daily, 52 weekly.
        rows_before: Rows from the first that is known to the one before the judged row; gaps included.

    Returns:
        The choice; None where the history is too short for any: then the law's own criteria speak alone.

    Raises:
        ValueError: another frequency, or a negative number of rows.

    >>> choose(52, 6) is None
    True
    >>> [choose(52, rows).detector.name for rows in (7, 9, 59, 300)]
    ['ears-c1', 'ears-c2', 'bayes', 'farrington-flexible']
    """
    if frequency not in (DAILY, WEEKLY):
        raise ValueError(
            f"Series are watched by the day (365) or by the week (52), not {frequency} per year."
        )
    if rows_before < 0:
        raise ValueError(f"A history has zero rows or more, not {rows_before}.")
    if rows_before < _EARS.baseline:
        return None
    if rows_before < _EARS.baseline + 2:
        return Choice(EARS_C1, _EARS)
    if frequency == DAILY or rows_before < _weeks_for(1, _ONE_YEAR_BACK.half_window):
        return Choice(EARS_C2, _EARS)
    if rows_before < _weeks_for(YEARS_FOR_TREND, _SEASONS_AND_TREND.half_window):
        return Choice(BAYES, _ONE_YEAR_BACK)
    return Choice(FARRINGTON_FLEXIBLE, _SEASONS_AND_TREND)


def _weeks_for(years: int, half_window: int) -> int:
    """Weeks that hold the whole window of so many years ago, a week 53 on the way included."""
    return 52 * (years - 1) + _WEEKS_IN_LONGEST_YEAR + half_window

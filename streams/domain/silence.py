"""Which reporters have fallen silent: those that reported often enough for their silence to mean something.

A facility that reports a case every few months is quiet most of the time, and nobody is to call it. One that
reported in nearly every week and has not for three has stopped, or cannot send.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import exp, lgamma
from typing import Final, Literal

HISTORY_WEEKS: Final = 52
"""So far back the habit of a reporter is looked at, from its last active week."""

MIN_ACTIVE_WEEKS: Final = 8
"""A reporter active in fewer weeks of its history has no habit to break."""

MIN_ACTIVE_SHARE: Final = 0.5
"""Nor has one that was active in a smaller share of them: it reports when there is something, not by the
week."""

UNLIKELY: Final = 0.003
"""A silence is a cry when its chance, by the reporter's own habit, is below this."""

GONE_WEEKS: Final = 26
"""A reporter silent for longer is not news: closed, merged, or renamed."""

State = Literal["reporting", "silent", "rare", "gone"]

_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Silence:
    """One reporter, judged.

    Attributes:
        state: `silent`: call it; `reporting`: nothing unusual; `rare`: it reports too seldom to tell; `gone`:
            silent for more than GONE_WEEKS.
        last_active: Monday of the last week with a report.
        silent_weeks: Whole weeks since then.
        active_weeks, history_weeks: In how many weeks of its history it reported.
        longest_gap: The most whole weeks without a report before, within the history.
        chance: Of so long a silence, if it still reported as often as before: 0 to 1.
    """

    state: State
    last_active: date
    silent_weeks: int
    active_weeks: int
    history_weeks: int
    longest_gap: int
    chance: float


def judge_silence(active: Collection[date], on: date) -> Silence | None:
    """Judge one reporter at the end of the last whole week before a day.

    Silent is who (1) reported in at least MIN_ACTIVE_WEEKS weeks of its history and in MIN_ACTIVE_SHARE of
    them, (2) has been quiet for longer than ever in it, and (3) whose silence has a chance below UNLIKELY:
    each week reports with an unknown probability (Jeffreys' prior, its history as data), so after a active
    and q quiet weeks s silent ones have the beta-binomial chance B(a + 1/2, q + 1/2 + s) / B(a + 1/2, q +
    1/2). (2) keeps a facility that is quiet in every low season from being called each year.

    Args:
        active: Mondays of the weeks in which it sent anything; later ones than the last whole week are left
            out.
        on: The day on which it is judged.

    Returns:
        None where it has sent nothing by then.

    Raises:
        ValueError: a day that is no Monday.

    >>> weeks = [date(2023, 1, 2) + n * timedelta(days=7) for n in range(20)]
    >>> judge_silence(weeks, date(2023, 6, 5)).silent_weeks
    2
    """
    if any(week.weekday() for week in active):
        raise ValueError("weeks are named by their Mondays")
    this_week = on - timedelta(days=on.weekday())
    weeks = sorted(week for week in set(active) if week < this_week)
    if not weeks:
        return None
    last = weeks[-1]
    history = [week for week in weeks if week > last - HISTORY_WEEKS * _WEEK]
    n_history = (last - history[0]) // _WEEK + 1
    n_active = len(history)
    longest = max(((b - a) // _WEEK - 1 for a, b in pairwise(history)), default=0)
    silent = (this_week - last) // _WEEK - 1
    chance = _chance(silent, n_active, n_history - n_active)
    state: State = "reporting"
    if silent > GONE_WEEKS:
        state = "gone"
    elif n_active < MIN_ACTIVE_WEEKS or n_active < MIN_ACTIVE_SHARE * n_history:
        state = "rare"
    elif silent > longest and chance < UNLIKELY:
        state = "silent"
    return Silence(state, last, silent, n_active, n_history, longest, chance)


def _chance(silent: int, n_active: int, n_quiet: int) -> float:
    a, q = n_active + 0.5, n_quiet + 0.5
    return exp(lgamma(q + silent) - lgamma(q) + lgamma(a + q) - lgamma(a + q + silent))

"""Who reported every week and stopped is found; who reports now and then is left in peace."""

import random
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

import pytest

from streams.domain.silence import Silence, judge_silence

WEEK = timedelta(days=7)
START = date(2023, 1, 2)


def mondays(numbers: Iterable[int]) -> list[date]:
    return [START + number * WEEK for number in numbers]


def judged(numbers: Iterable[int], on_week: int) -> Silence:
    found = judge_silence(mondays(numbers), START + on_week * WEEK)
    assert found is not None
    return found


def test_who_reported_every_week_and_stopped() -> None:
    found = judged(range(30), on_week=33)

    assert (found.state, found.silent_weeks, found.last_active) == ("silent", 3, START + 29 * WEEK)
    assert (found.active_weeks, found.history_weeks, found.longest_gap) == (30, 30, 0)
    assert found.chance == pytest.approx(0.5 * 1.5 * 2.5 / (31 * 32 * 33))


def test_the_running_week_is_not_yet_silence() -> None:
    assert judged(range(30), on_week=30).silent_weeks == 0
    # The Sunday of the first week without a report.
    found = judge_silence(mondays(range(30)), START + 31 * WEEK - timedelta(days=1))
    assert found is not None
    assert (found.state, found.silent_weeks) == ("reporting", 0)


def test_one_missed_week_is_no_cry() -> None:
    assert judged(range(52), on_week=53).state == "reporting"


def test_no_longer_than_it_ever_was_is_no_cry() -> None:
    numbers = [*range(20), *range(26, 40)]

    assert judged(numbers, on_week=46).longest_gap == 6
    assert judged(numbers, on_week=46).state == "reporting"
    assert judged(numbers, on_week=47).state == "silent"


@pytest.mark.parametrize(
    "numbers", [range(0, 60, 3), range(0, 60, 9), range(7), [0], [*range(4), *range(40, 44)]]
)
def test_who_reports_rarely_is_left_in_peace(numbers: Iterable[int]) -> None:
    last = max(numbers)

    assert {judged(numbers, on_week=last + weeks).state for weeks in range(1, 27)} == {"rare"}


def test_every_second_week_takes_longer_to_be_missed() -> None:
    found = [judged(range(0, 52, 2), on_week=51 + weeks).state for weeks in range(1, 12)]

    assert found.index("silent") in range(5, 11)


def test_who_is_gone_for_half_a_year_is_no_news() -> None:
    assert judged(range(30), on_week=56).state == "silent"
    assert judged(range(30), on_week=57).state == "gone"


def test_only_the_last_year_is_its_habit() -> None:
    long_ago = [0, 1, 2, 30]
    found = judged([*long_ago, *range(60, 112)], on_week=115)

    assert (found.history_weeks, found.longest_gap, found.state) == (52, 0, "silent")


def test_later_reports_are_not_known_on_that_day() -> None:
    assert judged([*range(20), 40], on_week=24) == judged(range(20), on_week=24)
    assert judge_silence(mondays([5]), START + 5 * WEEK) is None
    assert judge_silence([], START) is None


def test_another_day_than_a_monday_is_refused() -> None:
    with pytest.raises(ValueError, match="Mondays"):
        judge_silence([date(2023, 1, 3)], date(2023, 6, 5))


@pytest.mark.parametrize("share", [0.95, 0.8, 0.6])
def test_false_cries_are_few_and_stops_are_found(share: float) -> None:
    """Twenty reporters for three years each, then silence."""
    rng = random.Random(5)
    cries, found = 0, 0
    for _ in range(20):
        numbers = [number for number in range(156) if rng.random() < share]
        states = [judged(numbers, on_week).state == "silent" for on_week in range(60, 156)]
        cries += sum(now and not before for before, now in pairwise(states))
        found += any(judged(numbers, max(numbers) + weeks).state == "silent" for weeks in range(1, 11))

    # Per reporter and year.
    assert cries / (20 * 96 / 52) < 0.15
    assert found >= 17

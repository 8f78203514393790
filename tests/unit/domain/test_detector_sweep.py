"""Which detector judges which week, what its verdict says, and what is never an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from streams.domain.detector_sweep import (
    HISTORY_WEEKS,
    JUDGED_WEEKS,
    LEVEL,
    WeeklySeries,
    answered,
    detect,
    first_week_judged,
    first_week_read,
    last_complete_week,
    settings_version,
    verdicts,
    weekly_series,
    worth_judging,
)
from streams.domain.rules.verdicts import Level, Outcome, Standing

ON = date(2026, 7, 29)
LAST = date(2026, 7, 20)
"""The Monday of the last complete week."""
AREA = "03390@2025-07-01"
ROWS = range(HISTORY_WEEKS, HISTORY_WEEKS + JUDGED_WEEKS)
WEEK = timedelta(days=7)


def series(
    *latest: int,
    weeks: int = 300,
    before: int | Mapping[date, int] = 0,
    late: Mapping[tuple[str, date], int] | None = None,
    area_id: str = AREA,
) -> WeeklySeries:
    """One series: the last counts of `latest` are the last complete weeks, those before are `before` each.

    weeks: how many before the last one are known.
    """
    known_from = LAST - weeks * WEEK
    mondays = [LAST - number * WEEK for number in range(weeks + 1)]
    if isinstance(before, int):
        cells = {(area_id, monday): before for monday in mondays if monday >= first_week_read(ON)}
    else:
        cells = {(area_id, monday): cases for monday, cases in before.items()}
    cells |= {(area_id, LAST - number * WEEK): cases for number, cases in enumerate(reversed(latest))}
    return weekly_series("hfmd", ON, cells, late or {}, {area_id: known_from}, ())


def last(found: WeeklySeries, least_cases: int = 3) -> tuple[str, Outcome]:
    verdict = verdicts(found, ON, least_cases)[AREA][-1]
    return verdict.rule_id, verdict.verdict


@pytest.mark.parametrize("weekday", range(7))
def test_a_week_is_judged_when_it_is_over(weekday: int) -> None:
    week = last_complete_week(date(2026, 7, 27) + timedelta(days=weekday))
    assert (week.first, week.last) == (LAST, date(2026, 7, 26))


def test_the_rows_end_with_the_last_complete_week() -> None:
    found = series(9)
    assert found.weeks[-1].item() == LAST
    assert found.weeks[0].item() == first_week_read(ON)
    assert found.weeks[HISTORY_WEEKS].item() == first_week_judged(ON) == LAST - 3 * WEEK


@pytest.mark.parametrize(
    ("weeks", "rule"),
    [
        (6, "detector_none"),
        (7, "detector_ears_c1"),
        (9, "detector_ears_c2"),
        (58, "detector_ears_c2"),
        (59, "detector_bayes"),
        (160, "detector_farrington_flexible"),
        (2_000, "detector_farrington_flexible"),
    ],
)
def test_the_length_of_history_chooses_the_detector(weeks: int, rule: str) -> None:
    """The table of docs/indicators/detectors.md."""
    outcome = Outcome.NOT_ENOUGH_HISTORY if weeks < 7 else Outcome.ALERT
    assert last(series(40, weeks=weeks, before=2)) == (rule, outcome)
    if weeks >= 7:
        assert last(series(2, weeks=weeks, before=2)) == (rule, Outcome.NO)


def test_series_of_all_lengths_are_judged_at_once_as_each_alone() -> None:
    lengths = (3, 7, 20, 100, 300)
    parts = [series(12, weeks=weeks, before=1, area_id=f"{weeks:05d}@start") for weeks in lengths]
    together = WeeklySeries(
        "hfmd",
        parts[0].weeks,
        [part.area_ids[0] for part in parts],
        np.concatenate([part.counts for part in parts], axis=1),
        np.concatenate([part.late for part in parts], axis=1),
        np.concatenate([part.is_reconstructed for part in parts]),
    )
    found = verdicts(together, ON, 3)
    for part in parts:
        assert found[part.area_ids[0]] == verdicts(part, ON, 3)[part.area_ids[0]]


def test_an_alert_says_its_numbers_and_its_level() -> None:
    (*_, verdict) = verdicts(series(40, before=2), ON, 3)[AREA]
    assert (verdict.verdict, verdict.level, LEVEL) == (Outcome.ALERT, Level.ATTENTION, Level.ATTENTION)
    assert (verdict.period_start, verdict.period_end) == (LAST, date(2026, 7, 26))
    assert verdict.rule_version == settings_version()
    numbers = verdict.numbers
    assert (numbers["cases"], numbers["method"], numbers["weeks_of_history"], numbers["reason"]) == (
        40,
        "farrington-flexible",
        300,
        "model",
    )
    assert 1 < numbers["expected"] < 3 < numbers["upperbound"] < 40
    assert "40 ca" in verdict.why_vi
    assert "W30" in verdict.why_vi
    assert "Farrington flexible, 300 weeks" in verdict.why_en
    assert not verdict.is_late


def test_unknown_weeks_are_no_zeros() -> None:
    found = series(5, weeks=30)
    assert np.isnan(found.counts[:-31]).all()
    assert (found.counts[-31:-1] == 0).all()


def test_a_place_without_any_record_has_no_verdict() -> None:
    nothing = weekly_series("hfmd", ON, {}, {}, {AREA: None}, ())
    assert {v.verdict for v in verdicts(nothing, ON, 3)[AREA]} == {Outcome.NOT_ENOUGH_HISTORY}
    assert verdicts(nothing, ON, 3)[AREA][-1].numbers["cases"] is None


def test_a_new_disease_after_years_of_zeros_is_an_alert_from_the_least_number_on() -> None:
    """R leaves it unflagged; docs/indicators/detectors.md: `NEW_DISEASE`, the bound is one case a week."""
    assert [last(series(cases)) for cases in (1, 2, 3)] == [
        ("detector_farrington_flexible", outcome) for outcome in (Outcome.NO, Outcome.NO, Outcome.ALERT)
    ]
    (*_, verdict) = verdicts(series(3), ON, 3)[AREA]
    assert (verdict.numbers["reason"], verdict.numbers["upperbound"]) == ("new_disease", 1.0)
    assert "No case in the whole baseline" in verdict.why_en


def test_fewer_than_the_least_number_are_never_an_alert() -> None:
    assert last(series(2), least_cases=2) == ("detector_farrington_flexible", Outcome.ALERT)
    assert last(series(2), least_cases=3) == ("detector_farrington_flexible", Outcome.NO)


def test_the_three_weeks_before_are_judged_again() -> None:
    found = verdicts(series(30, 2, 2, 2, before=2), ON, 3)[AREA]
    assert [verdict.verdict for verdict in found] == [Outcome.ALERT, *[Outcome.NO] * 3]
    assert [verdict.period_start for verdict in found] == [LAST - number * WEEK for number in (3, 2, 1, 0)]


@pytest.mark.parametrize(("late", "is_late"), [(0, False), (5, False), (28, True), (30, True)])
def test_what_only_late_reports_pushed_over_is_late(late: int, is_late: bool) -> None:
    found = series(30, 2, 2, 2, before=2, late={(AREA, LAST - 3 * WEEK): late})
    (first, *rest) = verdicts(found, ON, 3)[AREA]
    assert (first.is_late, first.numbers["late_cases"]) == (is_late, late)
    assert not any(verdict.is_late for verdict in rest)


def test_a_sum_of_old_areas_says_so() -> None:
    found = replace(series(40, before=2), is_reconstructed=np.array([True]))
    assert all(verdict.is_reconstructed for verdict in verdicts(found, ON, 3)[AREA])
    assert not any(verdict.is_reconstructed for verdict in verdicts(series(40), ON, 3)[AREA])


def test_a_count_below_zero_does_not_stop_the_sweep() -> None:
    assert last(series(-4, before=1)) == ("detector_farrington_flexible", Outcome.NO)


@pytest.mark.parametrize(
    ("latest", "standing", "is_worth"),
    [
        ((0, 0, 0, 2), (), False),
        ((3, 0, 0, 0), (), True),
        ((9, 0, 0, 0, 0), (), False),
        ((0,), (AREA,), True),
    ],
)
def test_only_what_can_change_an_alert_is_judged(
    latest: Sequence[int], standing: Sequence[str], is_worth: bool
) -> None:
    found = series(*latest)
    which = worth_judging(found, 3, standing)
    assert which.tolist() == [is_worth]
    assert found.of(which).area_ids == ([AREA] if is_worth else [])


def test_no_series_is_no_verdict() -> None:
    nothing = series(0).of(np.array([False]))
    assert verdicts(nothing, ON, 3) == {}
    assert detect(nothing, ROWS).alarm.shape == (JUDGED_WEEKS, 0)


def test_a_week_that_stands_and_is_not_met_any_more_says_so() -> None:
    found = verdicts(series(2, before=2), ON, 3)[AREA]
    standing = Standing("detector_farrington_flexible", LAST, LAST + timedelta(days=6))
    assert [verdict.verdict for verdict in answered(found, [standing])] == [
        *[Outcome.NO] * 3,
        Outcome.NO_LONGER_MET,
    ]
    other = replace(standing, rule_id="tt15_22_1b")
    assert answered(found, [other]) == found

"""The simulated season and its table: laws that hold of any season, and seasons that cannot be scored."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.season.alarms import METHODS, VERIFY_LINK, by_all, by_detectors, by_rules
from tests.season.score import Score, alerts_of, scores, table
from tests.season.simulate import (
    DISEASES,
    FIRST_JUDGED,
    LONGEST_DELAY,
    DiseaseModel,
    Outbreak,
    Season,
    simulate,
)

DENGUE, HFMD, MEASLES = DISEASES
RULES_OF_ENDEMIC = ("tt15_22_1b", "tt15_16_1b", "cdc_rate_30_days", "cdc_change_30_days")
RULES_OF_OTHERS = (
    "tt15_22_1c",
    "tt15_16_1c",
    "cdc_cases_in_7_days",
    "cdc_rate_30_days",
    "cdc_change_30_days",
)
FROM_COUNTS = tuple(method for method in METHODS if not method.startswith(("tt15", "cdc")))


def test_the_same_seed_is_the_same_season() -> None:
    model = replace(HFMD, outbreaks=1)
    assert simulate(5, 2, [model]) == simulate(5, 2, [model])
    assert simulate(5, 2, [model]) != simulate(6, 2, [model])


def test_the_season_without_outbreaks_lacks_their_cases_and_no_other() -> None:
    season, without = simulate(5, 3, [replace(DENGUE, outbreaks=3)])

    for outbreak in season.outbreaks:
        key = (outbreak.disease, outbreak.commune)
        assert len(season.cases[key]) - len(without.cases[key]) == outbreak.cases
        more = list(season.cases[key])
        for case in without.cases[key]:
            more.remove(case)
        assert (min(c.onset_day for c in more), max(c.onset_day for c in more)) == (
            outbreak.first_onset,
            outbreak.last_onset,
        )
    assert without.outbreaks == []


def test_more_outbreaks_than_communes_are_refused() -> None:
    with pytest.raises(ValueError, match="4 outbreaks of measles want as many communes"):
        simulate(1, 3, [replace(MEASLES, outbreaks=4)])


def test_a_case_is_not_known_before_its_report() -> None:
    season, _ = simulate(5, 2, [replace(DENGUE, outbreaks=2)])
    before, after = date(2027, 3, 7), date(2027, 3, 7) + timedelta(days=LONGEST_DELAY)

    known = season.weekly("dengue", before)
    later = season.weekly("dengue", after)

    assert (known <= later).all()
    assert known.sum() == sum(case.report_day <= before for cases in season.cases.values() for case in cases)
    assert known.sum() < later.sum()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (replace(HFMD, per_100k=60.0), (*RULES_OF_ENDEMIC, *FROM_COUNTS)),
        (replace(MEASLES, per_100k=0.0, outbreaks_before=0.0), (*RULES_OF_OTHERS, *FROM_COUNTS)),
    ],
    ids=["endemic", "not endemic"],
)
def test_an_enormous_outbreak_is_seen_by_every_method_that_applies(
    model: DiseaseModel, expected: tuple[str, ...]
) -> None:
    enormous = replace(model, outbreaks=2, sizes=(400, 400))
    season, without = simulate(11, 2, [enormous])

    found = scores(season, by_all(season), by_all(without))

    seen = {score.method: (score.outbreaks, score.detected) for score in found}
    assert {method: seen[method] for method in expected} == dict.fromkeys(expected, (2, 2))
    assert set(seen) - {VERIFY_LINK} == set(expected)


def test_without_cases_nobody_is_alarmed() -> None:
    nothing = replace(MEASLES, per_100k=0.0, outbreaks=0, outbreaks_before=0.0)
    season, _ = simulate(1, 2, [nothing])

    alarms = by_all(season)

    assert alarms
    assert not any(alarms.values())


def test_with_an_outbreak_nowhere_near_every_alert_is_false() -> None:
    _, season = simulate(3, 2, [replace(HFMD, outbreaks=1, per_100k=60.0)])
    elsewhere = replace(
        season, outbreaks=[Outbreak("hfmd", 99, FIRST_JUDGED, FIRST_JUDGED + timedelta(days=9), 5)]
    )
    alarms = by_all(season)

    found = scores(elsewhere, alarms, alarms)

    assert sum(score.alerts for score in found) > 0
    assert [score.false_alerts for score in found] == [score.alerts for score in found]


def test_asking_for_some_communes_answers_as_for_all() -> None:
    season, _ = simulate(3, 2, [replace(HFMD, outbreaks=1, per_100k=30.0)])
    for judged in (by_rules, by_detectors):
        everywhere, one = judged(season), judged(season, {("hfmd", 1)})
        assert one == {key: days for key, days in everywhere.items() if key[2] == 1}


def test_a_season_without_outbreaks_is_refused() -> None:
    _, without = simulate(3, 1, [replace(HFMD, outbreaks=1)])
    with pytest.raises(ValueError, match="no outbreak of hfmd"):
        scores(without, {}, {})


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="No scores"):
        table([])


def test_alarms_close_to_each_other_are_one_alert() -> None:
    first = date(2027, 2, 1)
    days = [first + timedelta(days=after) for after in (0, 28, 57, 60)]
    assert list(alerts_of(days)) == [days[:2], days[2:]]
    assert list(alerts_of([])) == []


def test_scores_by_hand() -> None:
    day = date(2027, 5, 1)
    outbreak = Outbreak("dengue", 0, day, day + timedelta(days=20), 9)
    season = Season([1000, 1000, 1000], {("dengue", c): [] for c in range(3)}, [outbreak])
    method = "ears-c1"
    alarms = {
        (method, "dengue", 0): {day - timedelta(days=90), day + timedelta(days=5), day + timedelta(days=9)},
        (method, "dengue", 1): {day + timedelta(days=5)},
        (method, "dengue", 2): set(),
    }
    too_late = {(method, "dengue", 0): {outbreak.last_onset + timedelta(days=15)}}
    in_time = {(method, "dengue", 0): {outbreak.last_onset + timedelta(days=14)}}

    expected = Score(method, "dengue", 1, 1, 0, 5, 3, 2, 3)
    assert scores(season, alarms, too_late) == [expected]
    assert scores(season, alarms, in_time) == [replace(expected, by_chance=1)]
    other = replace(expected, detected=0, median_days=None, false_alerts=3)
    assert table([[expected]])[2:] == [
        "| dengue | ears-c1 | 1 | 100 % (100 to 100) | 0 % | 5 (5 to 5) | 0.67 (0.67 to 0.67) |"
    ]
    assert table([[expected], [other]])[2:] == [
        "| dengue | ears-c1 | 2 | 50 % (0 to 100) | 0 % | 5 (5 to 5) | 0.83 (0.67 to 1.00) |"
    ]

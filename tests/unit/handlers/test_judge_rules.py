"""What the handler asks of its ports, and when it does not ask."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from streams.domain.errors import ConfigurationError
from streams.domain.rules import Facts, JudgedArea, Outcome, RuleBook, Standing
from streams.handlers.judge_rules import Asked, JudgeRules, Question
from streams.stores.rule_judge import RememberedPeople
from tests.rules import AREA, book, cases, facts

ON = date(2026, 8, 10)
DISTRICT = JudgedArea("106@2025-07-01", "surveillance", "Tam Đường", AREA.province_id)


class KnownRules:
    """The Rules port with one book."""

    def __init__(self, rules: RuleBook) -> None:
        self.rules = rules

    def in_force(self) -> RuleBook:
        return self.rules


class KnownHistory:
    """The RuleHistory port with one area; remembers what it was asked."""

    def __init__(self, area: JudgedArea, known: Facts) -> None:
        self.area, self.known = area, known
        self.asked: list[Asked] = []

    def facts_of(self, asked: Sequence[Asked]) -> list[tuple[JudgedArea, Facts] | None]:
        self.asked.extend(asked)
        return [
            None
            if question.kinds is not None and self.area.kind not in question.kinds
            else (self.area, self.known)
            for question in asked
        ]


class KnownPeople:
    """The Populations and the Reporters port; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def population(self, area_id: str, on: date) -> int | None:
        self.asked.append(("population", area_id, on))
        return 4_000

    def silent(self, area_id: str, on: date, days: int) -> Sequence[str] | None:
        self.asked.append(("silent", area_id, on, days))
        return ["TYT-1"]


def asked(rules: RuleBook, on: date = ON, standing: Sequence[Standing] = ()) -> Asked:
    history = KnownHistory(AREA, facts({}))
    JudgeRules(KnownRules(rules), history).judge_all("hfmd", "03412@start", on, standing=standing)
    (question,) = history.asked
    return question


def test_the_facts_reach_as_far_back_as_the_rules_look() -> None:
    question = asked(book())

    assert (question.disease, question.area_id, question.on) == ("hfmd", "03412@start", ON)
    # Twelve whole months before this one; and five years before the oldest of them.
    assert question.cases_since == date(2025, 8, 1)
    assert question.history_since <= date(2020, 1, 1)
    assert not question.wants_communes
    assert asked(book(), date(2025, 6, 30)).wants_communes
    assert set(question.left_out) == {"hiv", "leprosy", "tuberculosis"}


def test_settings_and_standing_alerts_reach_further() -> None:
    further = asked(book({"look_further_back": True, "ending_months": 24}))
    standing = asked(book(), standing=[Standing("tt15_22_1b", date(2024, 1, 1), date(2024, 1, 7))])
    wide = replace(book().rules[-1], numbers={"days": 366})

    assert (further.cases_since, further.history_since) == (date(2024, 8, 1), date(2013, 1, 1))
    assert standing.cases_since == date(2023, 1, 1)
    assert asked(book(rules=(wide,), settings={"ending_months": 1})).cases_since == date(2025, 8, 9)


@pytest.mark.parametrize(("number", "is_asked"), [(4, False), (5, True)])
def test_a_population_is_asked_where_a_rate_may_be_reached(number: int, is_asked: bool) -> None:
    people = KnownPeople()
    history = KnownHistory(AREA, facts({}, cases(number, "2026-08-10")))
    verdicts = JudgeRules(KnownRules(book()), history, people, people).judge_all("hfmd", AREA.id, ON)
    (rate,) = [v for v in verdicts if v.rule_id == "cdc_rate_30_days"]

    assert people.asked == ([("population", AREA.id, ON)] if is_asked else [])
    assert rate.verdict is (Outcome.ALERT if is_asked else Outcome.NO)


def test_reporters_are_asked_for_districts_only() -> None:
    people = KnownPeople()
    rules = KnownRules(book())
    verdicts = JudgeRules(rules, KnownHistory(DISTRICT, facts({})), people, people).judge_all(
        "hfmd", "106", ON
    )

    assert people.asked == [("silent", DISTRICT.id, ON, 21)]
    assert [v.rule_id for v in verdicts if v.is_raised] == ["cdc_silent_reporter"]


def test_without_people_the_rules_say_what_is_missing() -> None:
    seen = facts({}, cases(5, "2026-08-10"))
    verdicts = JudgeRules(KnownRules(book()), KnownHistory(AREA, seen)).judge_all("hfmd", AREA.id, ON)
    silent = JudgeRules(KnownRules(book()), KnownHistory(DISTRICT, seen)).judge_all("hfmd", AREA.id, ON)

    missing = {v.rule_id for v in (*verdicts, *silent) if v.verdict is Outcome.NOT_COMPUTABLE}
    assert missing == {"cdc_rate_30_days", "cdc_silent_reporter", "tt15_22_1d"}


def test_a_disease_that_the_rules_do_not_know_is_said() -> None:
    with pytest.raises(ConfigurationError, match="hfdm: the rules in force know no such disease"):
        JudgeRules(KnownRules(book()), KnownHistory(AREA, facts({}))).judge_all("hfdm", AREA.id, ON)


def test_people_are_remembered_for_a_day() -> None:
    people = KnownPeople()
    remembered = RememberedPeople(people, people)
    for on in (ON, ON, date(2026, 8, 11)):
        assert remembered.population(AREA.id, on) == 4_000
        assert [remembered.silent(DISTRICT.id, on, days) for days in (14, 21)] == [["TYT-1"], ["TYT-1"]]

    assert len(people.asked) == 2 * 3


def moved(
    area: JudgedArea, known: Facts, standing: Sequence[Standing] = (), *, is_open: bool = True
) -> tuple[list[Any], KnownPeople]:
    people = KnownPeople()
    handler = JudgeRules(KnownRules(book()), KnownHistory(area, known), people, people)
    question = Question("hfmd", area.id, standing, is_open=is_open)
    (verdicts,) = handler.judge_many([question], ON, has_moved=True)
    return verdicts, people


def test_a_count_that_moved_makes_nobody_silent_and_no_district_is_judged_for_it() -> None:
    verdicts, people = moved(DISTRICT, facts({}))
    assert verdicts == []
    assert people.asked == []


def test_what_stands_is_judged_though_no_rule_in_force_judges_such_an_area() -> None:
    standing = Standing("qd02_district", date(2025, 6, 2), date(2025, 6, 30))
    verdicts, people = moved(DISTRICT, facts({}), [standing])
    assert {verdict.rule_id for verdict in verdicts} == {rule.id for rule in book().rules}
    assert people.asked == []


@pytest.mark.parametrize("number", [0, 3, 12])
def test_a_count_that_moved_is_answered_as_if_every_rule_were_asked(number: int) -> None:
    """Only answers that change nothing are left out."""
    known = facts({}, cases(number, "2026-08-10"))
    verdicts, _ = moved(AREA, known)
    people = KnownPeople()
    handler = JudgeRules(KnownRules(book()), KnownHistory(AREA, known), people, people)
    everything = handler.judge_all("hfmd", AREA.id, ON)
    silent = {Outcome.NOT_APPLICABLE}
    assert [v for v in verdicts if v.verdict not in silent] == [
        v for v in everything if v.verdict not in silent
    ]
    assert len(verdicts) < len(everything)


@pytest.mark.parametrize(("number", "raised"), [(0, 0), (3, 2), (12, 4)])
def test_where_no_alert_is_open_a_count_that_moved_gets_only_what_raises_one(
    number: int, raised: int
) -> None:
    known = facts({}, cases(number, "2026-08-10"))
    everything, _ = moved(AREA, known)
    verdicts, _ = moved(AREA, known, is_open=False)
    assert verdicts == [verdict for verdict in everything if verdict.is_raised]
    assert len(verdicts) == raised

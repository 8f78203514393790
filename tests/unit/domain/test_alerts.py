"""The life of an alert: what is raised, joined, reopened, told; and what never happens twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.alerts import (
    OPEN,
    Action,
    Alert,
    AlertEvent,
    Kind,
    Life,
    Loudness,
    Precision,
    State,
    acted,
    end_proposed,
    escalated,
    fold,
    fold_all,
    judged,
)
from streams.domain.errors import RefusedAction
from streams.domain.rules.verdicts import Level, Outcome, Verdict

LIFE = Life()
START = datetime(2026, 7, 20, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = (date(2026, 7, 20), date(2026, 7, 26))
NEXT_WEEK = (date(2026, 7, 27), date(2026, 8, 2))


def verdict(
    cases: int,
    outcome: Outcome = Outcome.ALERT,
    level: Level = Level.ALERT,
    period: tuple[date | None, date | None] = WEEK,
    **changes: Any,
) -> Verdict:
    made = Verdict(
        rule_id="tt15_22_1b",
        rule_version="0123456789abcdef",
        verdict=outcome,
        level=level,
        numbers={"cases": cases},
        why_vi="vì",
        why_en="because",
        area_id="03390@2025-07-01",
        disease="dengue",
        judged_on=WEEK[0],
        period_start=period[0],
        period_end=period[1],
    )
    return replace(made, **changes)


class Book:
    """The alerts of one rule, disease and area, as a store keeps them."""

    def __init__(self) -> None:
        self.events: dict[Any, list[AlertEvent]] = {}

    @property
    def alerts(self) -> list[Alert]:
        return [fold_all(events) for events in self.events.values()]

    def judge(self, made: Verdict, at: datetime, life: Life = LIFE) -> AlertEvent | None:
        event = judged(self.alerts, made, at, life)
        if event is not None:
            self.events.setdefault(event.alert_id, []).append(event)
        return event

    def act(self, action: Action, at: datetime, note: str | None = "lý do", **more: Any) -> Alert:
        alert = self.alerts[-1]
        self.events[alert.alert_id].append(acted(alert, action, "bs.lan", at, note, **more))
        return self.alerts[-1]


def kinds(book: Book) -> list[list[Kind]]:
    return [[event.kind for event in events] for events in book.events.values()]


def test_a_criterion_that_is_met_raises_one_alert_however_often_it_is_judged() -> None:
    book = Book()
    event = book.judge(verdict(5), START)
    assert event is not None
    assert (event.kind, event.loudness) == (Kind.RAISED, Loudness.IMMEDIATE)
    for hours in range(5):
        assert book.judge(verdict(5), START + timedelta(hours=hours)) is None
    (alert,) = book.alerts
    assert (alert.state, alert.cases, alert.level, alert.is_met) == (State.RAISED, 5, Level.ALERT, True)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.NO,
        Outcome.NOT_COMPUTABLE,
        Outcome.NOT_APPLICABLE,
        Outcome.NOT_ENOUGH_HISTORY,
        Outcome.RESPONDER,
    ],
)
def test_what_is_not_met_raises_nothing_and_ends_nothing(outcome: Outcome) -> None:
    book = Book()
    assert book.judge(verdict(0, outcome, Level.NONE), START) is None
    book.judge(verdict(5), START)
    assert book.judge(verdict(0, outcome, Level.NONE, NEXT_WEEK), START + 7 * DAY) is None
    assert book.alerts[0].is_met


def test_new_cases_join_the_open_alert_and_so_do_those_of_the_next_week() -> None:
    book = Book()
    book.judge(verdict(5), START)
    joined = book.judge(verdict(6), START + DAY)
    assert joined is not None
    assert (joined.kind, joined.loudness) == (Kind.JOINED, Loudness.DIGEST)
    book.judge(verdict(5, period=NEXT_WEEK), START + 7 * DAY)
    assert kinds(book) == [[Kind.RAISED, Kind.JOINED, Kind.JOINED]]
    assert [(fact.start, fact.size) for fact in book.alerts[0].periods] == [(WEEK[0], 6), (NEXT_WEEK[0], 5)]


def test_a_higher_level_is_told_at_once() -> None:
    book = Book()
    book.judge(verdict(7), START)
    event = book.judge(verdict(8, Outcome.ABOVE_BAND, Level.ABOVE_BAND), START + DAY)
    assert event is not None
    assert (event.kind, event.loudness) == (Kind.JOINED, Loudness.IMMEDIATE)


def test_twice_the_cases_are_told_at_once() -> None:
    book = Book()
    book.judge(verdict(5), START)
    loudnesses = []
    for cases in range(6, 12):
        event = book.judge(verdict(cases), START + DAY)
        assert event is not None
        loudnesses.append(event.loudness)
    assert loudnesses == [Loudness.DIGEST] * 4 + [Loudness.IMMEDIATE, Loudness.DIGEST]


@pytest.mark.parametrize("name", ["confirmed", "deaths", "overdue"])
def test_rules_that_name_their_cases_otherwise_are_told_of_as_well(name: str) -> None:
    book = Book()
    book.judge(verdict(0, numbers={name: 1, "days": 7}), START)
    event = book.judge(verdict(0, numbers={name: 2, "days": 7}), START + DAY)
    assert event is not None
    assert (event.kind, event.loudness) == (Kind.JOINED, Loudness.IMMEDIATE)
    assert book.alerts[-1].cases == 2


@pytest.mark.parametrize("numbers", [{"silent": ["A"], "days": 7}, {"areas": 1}])
def test_one_more_facility_or_area_is_news_even_after_the_first_was_dealt_with(
    numbers: dict[str, Any],
) -> None:
    book = Book()
    book.judge(verdict(0, numbers=numbers), START)
    book.act("close", START + DAY)
    assert book.judge(verdict(0, numbers=numbers), START + DAY) is None
    more: dict[str, Any] = {**numbers, "silent": ["A", "B"]} if "silent" in numbers else {"areas": 2}
    event = book.judge(verdict(0, numbers=more), START + DAY)
    assert event is not None
    assert event.kind is Kind.REOPENED
    assert book.alerts[-1].cases == 0


def test_a_withdrawn_case_leaves_the_alert_standing_and_says_so() -> None:
    book = Book()
    book.judge(verdict(5), START)
    event = book.judge(verdict(4, Outcome.NO_LONGER_MET, Level.NONE), START + DAY)
    assert event is not None
    assert event.kind is Kind.NO_LONGER_MET
    (alert,) = book.alerts
    assert (alert.is_open, alert.is_met, alert.cases) == (True, False, 5)
    assert book.judge(verdict(4, Outcome.NO_LONGER_MET, Level.NONE), START + DAY) is None


def test_what_goes_to_and_fro_is_an_event_each_time_and_is_told_once() -> None:
    """Hysteresis is for the notification; the verdict stays the letter of the law."""
    book = Book()
    told = []
    for hour in range(48):
        made = verdict(5) if hour % 2 == 0 else verdict(4, Outcome.NO_LONGER_MET, Level.NONE)
        event = book.judge(made, START + timedelta(hours=hour))
        assert event is not None
        told.append(event.loudness)
    assert told.count(Loudness.IMMEDIATE) == 1
    assert len(book.alerts) == 1


def test_what_goes_to_and_fro_is_told_again_after_the_cool_down() -> None:
    book = Book()
    book.judge(verdict(5), START)
    book.judge(verdict(4, Outcome.NO_LONGER_MET, Level.NONE), START + DAY)
    event = book.judge(verdict(5), START + LIFE.cool_down + timedelta(seconds=1))
    assert event is not None
    assert (event.kind, event.loudness) == (Kind.MET_AGAIN, Loudness.IMMEDIATE)


@pytest.mark.parametrize("action", ["close", "dismiss"])
def test_what_somebody_has_dealt_with_does_not_come_back(action: Action) -> None:
    book = Book()
    book.judge(verdict(5), START)
    book.act(action, START + DAY)
    for days in range(2, 30):
        assert book.judge(verdict(5), START + days * DAY) is None
    assert not book.alerts[0].is_open


def test_something_new_reopens_within_the_cool_down_and_raises_another_after_it() -> None:
    book = Book()
    book.judge(verdict(5), START)
    book.act("close", START + DAY)
    event = book.judge(verdict(6), START + DAY + LIFE.cool_down)
    assert event is not None
    assert (event.kind, event.loudness) == (Kind.REOPENED, Loudness.IMMEDIATE)
    assert book.alerts[0].state is State.RAISED

    book.act("close", START + 2 * DAY)
    event = book.judge(verdict(7), START + 3 * DAY + LIFE.cool_down)
    assert event is not None
    assert event.kind is Kind.RAISED
    assert len(book.alerts) == 2


def test_a_closed_alert_does_not_come_back_for_what_an_older_one_was_closed_for() -> None:
    book = Book()
    book.judge(verdict(5), START)
    book.act("close", START + DAY)
    book.judge(verdict(3, period=NEXT_WEEK), START + 20 * DAY)
    book.act("close", START + 21 * DAY)
    assert len(book.alerts) == 2
    assert book.judge(verdict(5, is_late=True), START + 22 * DAY) is None


def test_a_late_case_of_a_past_week_raises_an_alert_marked_late() -> None:
    book = Book()
    event = book.judge(verdict(6, is_late=True), START + 9 * DAY)
    assert event is not None
    assert event.kind is Kind.RAISED
    assert book.alerts[0].verdict["is_late"]
    assert book.judge(verdict(6, is_late=True), START + 10 * DAY) is None


def test_a_rolling_window_that_moves_on_with_the_same_cases_says_nothing_new() -> None:
    book = Book()
    for days in range(7):
        window = (WEEK[0] + days * DAY, WEEK[0] + (days + 6) * DAY)
        event = book.judge(verdict(3, period=window), START + days * DAY)
        assert (event is None) == (days > 0)


def test_a_rule_without_a_period_is_judged_by_its_cases_alone() -> None:
    book = Book()
    book.judge(verdict(1, period=(None, None)), START)
    assert book.judge(verdict(1, period=(None, None)), START + DAY) is None
    event = book.judge(verdict(2, period=(None, None)), START + DAY)
    assert event is not None
    assert (event.kind, event.loudness) == (Kind.JOINED, Loudness.IMMEDIATE)


def test_digest_only_diseases_and_low_levels_are_never_told_at_once() -> None:
    for changes in ({"is_digest_only": True}, {"level": Level.ATTENTION}):
        book = Book()
        told = {
            event.loudness
            for cases in range(3, 60)
            if (event := book.judge(replace(verdict(cases), **changes), START + cases * DAY)) is not None
        }
        assert told == {Loudness.DIGEST}
        assert escalated(book.alerts[0], START + 365 * DAY, LIFE) is None


def test_an_alert_that_nobody_acknowledges_is_escalated_once() -> None:
    book = Book()
    book.judge(verdict(20, Outcome.OUTBREAK, Level.OUTBREAK), START)
    (alert,) = book.alerts
    patience = LIFE.escalate_after[Level.OUTBREAK]
    assert escalated(alert, START + patience - timedelta(seconds=1), LIFE) is None
    event = escalated(alert, START + patience, LIFE)
    assert event is not None
    assert event.loudness is Loudness.IMMEDIATE
    assert escalated(fold(alert, event), START + 2 * patience, LIFE) is None
    acknowledged = fold(alert, acted(alert, "acknowledge", "bs.lan", START, None))
    assert escalated(acknowledged, START + patience, LIFE) is None


def test_the_end_of_an_outbreak_is_proposed_once_and_again_after_new_cases() -> None:
    book = Book()
    month = (date(2026, 7, 1), date(2026, 7, 31))
    outbreak = verdict(20, Outcome.OUTBREAK, Level.OUTBREAK, month)
    book.judge(outbreak, START)
    ending = replace(verdict(0, Outcome.ENDED_PROPOSED, Level.NONE), rule_id="tt15_16_3")
    event = end_proposed(book.alerts[0], ending, START + 40 * DAY)
    assert event is not None
    book.events[event.alert_id].append(event)
    assert book.alerts[0].is_open
    assert end_proposed(book.alerts[0], ending, START + 41 * DAY) is None
    book.judge(replace(outbreak, numbers={"cases": 21}), START + 41 * DAY)
    assert end_proposed(book.alerts[0], ending, START + 42 * DAY) is not None


def test_the_end_of_a_weekly_alert_is_nobodys_proposal() -> None:
    book = Book()
    book.judge(verdict(5), START)
    assert end_proposed(book.alerts[0], verdict(0, Outcome.ENDED_PROPOSED, Level.NONE), START) is None


def test_the_clock_for_the_notice_starts_at_the_stations_own_determination() -> None:
    """D2: raised 3/8 22:10, determined 4/8 08:00, so the notice is due 5/8 08:00 (local time)."""
    book = Book()
    raised = datetime.fromisoformat("2026-08-03T22:10:00+07:00")
    book.judge(verdict(20, Outcome.OUTBREAK, Level.OUTBREAK), raised)
    determined = datetime.fromisoformat("2026-08-04T08:00:00+07:00")
    alert = book.act("determine", determined + timedelta(hours=1), instant=determined)
    assert alert.notice_due_at == datetime.fromisoformat("2026-08-05T08:00:00+07:00")
    assert alert.state is State.VERIFIED
    alert = book.act("end", determined + 30 * DAY)
    assert alert.ended_at == determined + 30 * DAY


@pytest.mark.parametrize(
    ("state", "action", "is_possible"),
    [
        *[(state, "acknowledge", state == "raised") for state in State],
        *[(state, "verify", state in ("raised", "acknowledged")) for state in State],
        *[(state, "dismiss", state in OPEN) for state in State],
        *[(state, "close", state in OPEN) for state in State],
        *[(state, "determine", state in OPEN) for state in State],
        *[(state, "reopen", state not in OPEN) for state in State],
        *[(state, "note", True) for state in State],
    ],
)
def test_what_people_can_do_from_each_state(state: State, action: Action, is_possible: bool) -> None:
    book = Book()
    book.judge(verdict(5), START)
    alert = replace(book.alerts[0], state=state)
    if is_possible:
        assert fold(alert, acted(alert, action, "bs.lan", START, "lý do")).events == 2
    else:
        with pytest.raises(RefusedAction, match=state):
            acted(alert, action, "bs.lan", START, "lý do")


@pytest.mark.parametrize(
    ("action", "note", "instant", "match"),
    [
        ("dismiss", None, None, "note"),
        ("close", "  ", None, "note"),
        ("determine", None, START + DAY, "future"),
        ("determine", None, datetime(2026, 7, 1), "offset"),  # noqa: DTZ001 - what is refused
        ("end", None, START, "determined before"),
    ],
)
def test_what_is_missing_is_said(
    action: Action, note: str | None, instant: datetime | None, match: str
) -> None:
    book = Book()
    book.judge(verdict(5), START)
    with pytest.raises(RefusedAction, match=match):
        acted(book.alerts[0], action, "bs.lan", START, note, instant)


def test_events_out_of_order_are_refused() -> None:
    book = Book()
    event = book.judge(verdict(5), START)
    assert event is not None
    with pytest.raises(ValueError, match="event 1 after 1"):
        fold(book.alerts[0], event)
    with pytest.raises(ValueError, match="begins with a verdict"):
        fold(None, replace(event, kind=Kind.NOTED))
    with pytest.raises(ValueError, match="at least one"):
        fold_all([])


def test_precision_is_the_share_of_what_people_have_judged() -> None:
    assert Precision("r", verified=54, dismissed=22, open=9).share == pytest.approx(54 / 76)
    assert Precision("r", 0, 0, 9).share is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12), st.booleans()), max_size=30))
def test_any_series_of_verdicts_leaves_at_most_one_alert_open(
    steps: Sequence[tuple[int, int, bool]],
) -> None:
    book = Book()
    at = START
    for week, cases, is_closed in steps:
        at += DAY
        period = (WEEK[0] + 7 * week * DAY, WEEK[1] + 7 * week * DAY)
        made = verdict(cases, period=period)
        if cases < 3:
            made = replace(made, verdict=Outcome.NO_LONGER_MET, level=Level.NONE)
        book.judge(made, at)
        assert book.judge(made, at) is None
        if is_closed and any(alert.is_open for alert in book.alerts):
            number = next(n for n, alert in enumerate(book.alerts) if alert.is_open)
            alert = book.alerts[number]
            book.events[alert.alert_id].append(acted(alert, "close", "bs.lan", at, "xong"))
            assert book.judge(made, at) is None
        assert sum(alert.is_open for alert in book.alerts) <= 1

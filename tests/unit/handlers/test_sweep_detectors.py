"""The detectors' sweep through the watcher: what becomes an alert, and what a repeat adds."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from streams.domain.alerts import Kind
from streams.domain.calendar import week_of
from streams.domain.detector_sweep import WeeklySeries, last_complete_week, weekly_series
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.domain.rules import RuleBook
from streams.domain.rules.verdicts import Level
from streams.handlers.sweep_detectors import SweepDetectors
from streams.handlers.watch_counts import WatchCounts
from tests.fakes_watch import FakeJudge, InMemoryAlerts
from tests.rules import packaged_book

COMMUNE, QUIET = "03390@2025-07-01", "03549@2025-07-01"
WEDNESDAY = datetime.fromisoformat("2026-07-29T00:10:00+07:00")
WEEK = timedelta(days=7)


class FakeRules:
    """A rule book in force."""

    def __init__(self, book: RuleBook) -> None:
        self.book = book

    def in_force(self) -> RuleBook:
        return self.book


class InMemorySeries:
    """The SeriesStore port over counts that a test sets: (disease, area id, Monday) -> cases."""

    def __init__(self, alerts: InMemoryAlerts) -> None:
        self.cells: dict[tuple[str, str, date], int] = {}
        self.known_since = date(2015, 1, 1)
        self.fails_at: str | None = None
        self.left_out: Collection[str] = ()
        self._alerts = alerts

    def diseases(self, on: date) -> list[str]:
        return sorted({disease for disease, _, _ in self.cells})

    def known_from(self, on: date, left_out: Collection[str]) -> Mapping[str, date]:
        self.left_out = left_out
        return {"12@2025-07-01": self.known_since}

    def standing(self, disease: str) -> set[str]:
        return {a.area_id for a in self._alerts.alerts if a.disease == disease and a.is_open}

    def series(self, disease: str, on: date, known_from: Mapping[str, date]) -> WeeklySeries:
        if disease == self.fails_at:
            raise DependencyDown("the database does not answer")
        cells = {(area, monday): n for (d, area, monday), n in self.cells.items() if d == disease}
        known = dict.fromkeys((COMMUNE, QUIET), week_of(known_from["12@2025-07-01"]).first)
        last = last_complete_week(on).first
        return weekly_series(disease, on, {k: n for k, n in cells.items() if k[1] <= last}, {}, known, ())


class Watch:
    """A watcher with the detectors, fakes around it, and a clock to set."""

    def __init__(self) -> None:
        self.alerts = InMemoryAlerts()
        self.store = InMemorySeries(self.alerts)
        self.now = WEDNESDAY
        self.rules = FakeRules(packaged_book())
        self.sweep = SweepDetectors(self.rules, self.store)
        self.handler = WatchCounts(
            FakeJudge({}), self.alerts, lambda changes: None, lambda: self.now, self.sweep
        )

    def kinds(self) -> list[Kind]:
        return [event.kind for event in self.alerts.events]

    def monday(self) -> date:
        return last_complete_week(self.now.date()).first


@pytest.fixture
def watch() -> Watch:
    watch = Watch()
    watch.store.cells = {("hfmd", COMMUNE, watch.monday()): 9, ("hfmd", QUIET, watch.monday()): 1}
    return watch


def test_an_outbreak_in_the_last_week_is_one_alert_of_attention(watch: Watch) -> None:
    assert watch.handler.look_at_the_clock() == 1
    (alert,) = watch.alerts.alerts
    assert (alert.rule_id, alert.disease, alert.area_id) == ("detector_farrington_flexible", "hfmd", COMMUNE)
    assert (alert.level, alert.cases) == (Level.ATTENTION, 9)


def test_a_replay_raises_nothing_twice(watch: Watch) -> None:
    watch.handler.look_at_the_clock()
    watch.alerts.sweeps.clear()
    assert watch.handler.look_at_the_clock() == 0
    for days in (1, 2):
        watch.now = WEDNESDAY + timedelta(days=days)
        assert watch.handler.look_at_the_clock() == 0
    assert watch.kinds() == [Kind.RAISED]


def test_the_detectors_run_once_a_day(watch: Watch) -> None:
    watch.handler.look_at_the_clock()
    watch.store.fails_at = "hfmd"
    watch.now = WEDNESDAY + timedelta(hours=20)
    watch.handler.look_at_the_clock()
    watch.now = WEDNESDAY + timedelta(days=1)
    with pytest.raises(DependencyDown):
        watch.handler.look_at_the_clock()


def test_a_sweep_that_broke_off_is_done_again_and_adds_what_was_missing(watch: Watch) -> None:
    watch.store.cells["dengue", COMMUNE, watch.monday()] = 9
    watch.store.fails_at = "hfmd"
    with pytest.raises(DependencyDown):
        watch.handler.look_at_the_clock()
    assert watch.alerts.sweeps == {}
    assert watch.alerts.alive_at == WEDNESDAY
    watch.store.fails_at = None
    assert watch.handler.look_at_the_clock() == 1
    assert watch.kinds() == [Kind.RAISED, Kind.RAISED]
    assert list(watch.alerts.sweeps) == [WEDNESDAY.date()]


def test_late_reports_of_an_older_week_raise_and_another_week_joins(watch: Watch) -> None:
    watch.store.cells = {("hfmd", COMMUNE, watch.monday() - 3 * WEEK): 9}
    watch.handler.look_at_the_clock()
    watch.now += timedelta(days=7)
    watch.store.cells["hfmd", COMMUNE, watch.monday()] = 12
    assert watch.handler.look_at_the_clock() == 1
    assert watch.kinds() == [Kind.RAISED, Kind.JOINED]


def test_an_open_alert_is_judged_though_its_cases_are_gone(watch: Watch) -> None:
    watch.handler.look_at_the_clock()
    watch.store.cells["hfmd", COMMUNE, watch.monday()] = 0
    found = dict(watch.sweep.sweep(watch.now.date()))
    assert list(found["hfmd"]) == [COMMUNE]


def test_the_least_number_is_a_setting(watch: Watch) -> None:
    book = watch.rules.book
    watch.rules.book = replace(book, settings=replace(book.settings, detector_cases=10))
    assert watch.handler.look_at_the_clock() == 0


def test_what_is_told_in_digests_only_stays_so_and_dates_no_records(watch: Watch) -> None:
    code = next(code for code, facts in packaged_book().diseases.items() if facts.is_digest_only)
    watch.store.cells = {(code, COMMUNE, watch.monday()): 9}
    found = dict(watch.sweep.sweep(watch.now.date()))
    assert all(verdict.is_digest_only for verdict in found[code][COMMUNE])
    assert code in watch.store.left_out


def test_check_shows_every_series_and_refuses_an_unknown_disease(watch: Watch) -> None:
    assert list(watch.sweep.check("hfmd", watch.now.date())) == [COMMUNE, QUIET]
    with pytest.raises(ConfigurationError, match="no such disease"):
        watch.sweep.check("hfmdd", watch.now.date())

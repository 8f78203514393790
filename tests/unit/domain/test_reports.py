"""Tallies and foci: a report is the set of its events, and its figures are signed differences."""

import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import TALLY_FLOWS, TALLY_STOCKS
from streams.domain.focus import NUMBERS, Focus, figures_of_focus, focus_of, totals
from streams.domain.judging import Parked
from streams.domain.reports import (
    NOTHING,
    FigureAmounts,
    FigureKey,
    Report,
    ReportEvent,
    figure_changes,
    judge_report,
    report_event,
)
from streams.domain.tally import COUNTED, STOCKS, figures_of_tally, is_counted, tally_of
from tests.builders import judged_by, small_catalogue

CATALOGUE = judged_by(small_catalogue())
TALLY = {
    "indicator": "cases",
    "disease": "dengue",
    "area_code": "12",
    "period_start": "2025-01-01",
    "period_end": "2025-12-31",
    "value": 3,
}
FOCUS: dict[str, Any] = {"kind": "outbreak", "disease": "dengue", "area_code": "03412"}
_DAY = 86_400_000_000


def judged(kind: Any, data: dict[str, Any], time: int = 0) -> tuple[Any, str | None]:
    return judge_report(kind, "X", UUID(int=1), time, data, CATALOGUE)


def test_the_domains_stocks_are_those_of_the_schema() -> None:
    assert STOCKS == TALLY_STOCKS
    assert set(COUNTED) <= TALLY_FLOWS


@pytest.mark.parametrize(
    ("kind", "data", "time", "area_id"),
    [
        ("tally", TALLY, 0, "12@2025-07-01"),
        ("tally", {**TALLY, "period_end": "2025-06-30"}, 0, "12@start"),
        ("focus", {**FOCUS, "started_on": "2023-06-02"}, 2_000 * _DAY, "03412@start"),
        ("focus", {**FOCUS, "first_onset_on": "2023-06-02"}, 21_000 * _DAY, "03412@start"),
        ("focus", FOCUS, 19_000 * _DAY, "03412@start"),
    ],
)
def test_a_code_is_read_on_the_reports_own_day(
    kind: Any, data: dict[str, Any], time: int, area_id: str
) -> None:
    event, found = judged(kind, data, time)
    assert found == area_id
    assert isinstance(event, ReportEvent)
    assert dict(event.writes)["area_id"] == area_id
    assert "area_code" not in dict(event.writes)


@pytest.mark.parametrize(
    ("kind", "data", "time", "parked"),
    [
        ("tally", {**TALLY, "disease": "zika"}, 0, Parked("unknown_disease", "zika")),
        ("tally", {**TALLY, "area_code": "109"}, 0, Parked("unknown_area", "109")),
        ("focus", FOCUS, 21_000 * _DAY, Parked("unknown_area", "03412")),
        ("focus", {**FOCUS, "started_on": "2025-07-02"}, 0, Parked("unknown_area", "03412")),
    ],
)
def test_what_the_catalogue_does_not_know_is_parked(
    kind: Any, data: dict[str, Any], time: int, parked: Parked
) -> None:
    assert judged(kind, data, time) == (parked, None)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 5),
            st.fixed_dictionaries(
                {},
                optional={
                    **{name: st.none() | st.integers(0, 9) for name in NUMBERS},
                    "started_on": st.sampled_from([None, "2023-06-01", "2023-06-02"]),
                    "agent": st.sampled_from([None, "muscarin"]),
                },
            ),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda one: one[:2],
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_and_any_repeat_give_the_same_focus(
    drawn: list[tuple[int, int, dict[str, Any]]], order: random.Random
) -> None:
    events = [
        report_event("focus", "X", UUID(int=number), time * _DAY, {**FOCUS, **data}, "03412@start")
        for time, number, data in drawn
    ]
    sent = [*events, *events]
    order.shuffle(sent)
    report = Report()
    rows = []
    for event in sent:
        before = figures_of_focus(focus_of(report) if report.registers else None)
        report.apply(event)
        after = figures_of_focus(focus_of(report))
        rows += figure_changes(before, after)
        assert figure_changes(after, after) == []
    expected = Report()
    for event in sorted(events, key=lambda event: event.stamp):
        expected.apply(event)
    assert report.registers == expected.registers
    sums: dict[FigureKey, FigureAmounts] = {}
    for key, amounts in rows:
        sums[key] = FigureAmounts(*(a + b for a, b in zip(sums.get(key, NOTHING), amounts, strict=True)))
    assert {key: a for key, a in sums.items() if a != NOTHING} == figures_of_focus(focus_of(report))


def test_a_tallys_figure_has_a_target_or_none() -> None:
    report = Report()
    report.apply(report_event("tally", "X", UUID(int=1), 0, {**TALLY, "target": 0}, "12@start"))
    ((key, amounts),) = figures_of_tally(tally_of(report)).items()
    assert key == FigureKey("tally", "cases", "dengue", "12@start", "2025-01-01", "2025-12-31")
    assert amounts == FigureAmounts(1, 3, 1, 0)
    report.apply(report_event("tally", "X", UUID(int=2), 1, {**TALLY, "target": None}, "12@start"))
    assert figures_of_tally(tally_of(report))[key] == FigureAmounts(1, 3)
    assert figures_of_tally(None) == figures_of_focus(None) == {}


def test_totals_of_no_foci_are_complete() -> None:
    assert all(total.is_complete and total.known_sum == 0 for total in totals([]).values())
    one = Focus("outbreak", "dengue", "12", "2023-06-02", *[None] * 12)
    found = totals([one._replace(ill=0), one])["ill"]
    assert (found.known_sum, found.known, found.unknown, found.is_complete) == (0, 1, 1, False)


@pytest.mark.parametrize(
    ("indicator", "period_end", "since", "expected"),
    [
        ("cases", "2022-12-31", "2023-01-01", True),
        ("deaths", "2022-12-31", "2023-01-01", True),
        ("cases", "2023-01-01", "2023-01-01", False),
        ("cases", "2022-12-31", None, False),
        ("pep_started", "2023-12-31", "2023-01-01", True),
        ("hospitalised", "2023-12-31", None, True),
    ],
)
def test_cases_and_deaths_count_before_the_switch_alone(
    indicator: str, period_end: str, since: str | None, expected: bool
) -> None:
    assert is_counted(indicator, period_end, since) is expected

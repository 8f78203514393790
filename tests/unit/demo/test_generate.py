"""The demo's histories end as the report, and are as untidy on the way as real ones."""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from schemas.catalogue import Catalogue
from schemas.events import (
    CASE_REPORTED,
    CASE_RETRACTED,
    CASE_TYPES,
    CASE_UPDATED,
    LOCAL_TIMEZONE,
    parse_event,
)
from services.demo.figures import FIGURES, YearFigures, figures_of
from services.demo.generate import DemoEvent, demo_events, repeat_and_shuffle
from tests.truth import Truth, truth
from tests.unit.demo.rows import differences

Content = dict[str, Any]
Histories = dict[str, list[Content]]


@pytest.fixture(scope="module")
def histories(events: list[DemoEvent]) -> Histories:
    """Contents by subject, in the order of posting."""
    found: Histories = defaultdict(list)
    for event in events:
        found[event.subject].append(json.loads(event.raw))
    return found


@pytest.mark.parametrize("basis", ["onset", "report"])
def test_every_figure_is_met(counted: Truth, basis: str) -> None:
    assert differences(counted, FIGURES, basis) == []


def test_deaths_by_day_of_death_fall_into_the_same_year(counted: Truth) -> None:
    deaths: Counter[tuple[str, int | None]] = Counter()
    for key, counters in counted.counts.items():
        if key.basis == "death":
            deaths[key.disease, key.year] += counters["deaths"]
    assert deaths == {(row.disease, row.year): row.deaths for row in FIGURES if row.deaths}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed_meets_every_figure_too(catalogue: Catalogue, seed: int) -> None:
    other = demo_events(seed, catalogue=catalogue)
    assert differences(truth((event.raw for event in other), catalogue), FIGURES) == []


def _one_more(name: str) -> Callable[[YearFigures], YearFigures]:
    return lambda row: replace(row, **{name: getattr(row, name) + 1})


ALTERATIONS: dict[str, Callable[[YearFigures], YearFigures]] = {
    **{
        name: _one_more(name)
        for name in ("notified", "deaths", "negative", "pending", "imported", "discarded")
    },
    "positive_by_agent": lambda row: replace(row, positive_by_agent={**row.positive_by_agent, "measles": 9}),
    "cases_by_district": lambda row: replace(row, cases_by_district={"105": row.notified + 1}),
    "deaths_by_district": lambda row: replace(row, deaths_by_district={"105": row.deaths + 1}),
    "places": lambda row: replace(row, places=frozenset({"105", "999"})),
}


@pytest.mark.parametrize("name", ALTERATIONS)
@pytest.mark.parametrize("row", FIGURES, ids=lambda row: f"{row.disease}-{row.year}")
def test_an_altered_figure_is_found(counted: Truth, row: YearFigures, name: str) -> None:
    altered = [ALTERATIONS[name](row) if other is row else other for other in FIGURES]
    found = differences(counted, altered)
    assert any(text.startswith(f"{row.disease} {row.year} {name}: ") for text in found), found


def test_a_figure_left_out_is_found(counted: Truth) -> None:
    assert differences(counted, FIGURES[1:]) == [f"{('covid19', 2023)}: not expected at all"]


@pytest.mark.parametrize("kind", [CASE_RETRACTED, CASE_UPDATED])
def test_the_figures_need_the_corrections(events: list[DemoEvent], catalogue: Catalogue, kind: str) -> None:
    kept = [event.raw for event in events if json.loads(event.raw)["type"] != kind]
    assert differences(truth(kept, catalogue), FIGURES)


def test_every_event_is_valid_at_its_own_time(events: list[DemoEvent]) -> None:
    """Judged by a clock that shows the event's time: so no date in an event is later than the event."""
    for event in events:
        now = dt.datetime.fromisoformat(json.loads(event.raw)["time"])
        parsed = parse_event(event.raw, now=now, max_ahead=dt.timedelta(0), types=CASE_TYPES)
        assert parsed.subject == event.subject


def test_every_time_is_before_march_2024(events: list[DemoEvent]) -> None:
    times = [dt.datetime.fromisoformat(json.loads(event.raw)["time"]) for event in events]
    assert dt.datetime(2022, 1, 1, tzinfo=LOCAL_TIMEZONE) <= min(times)
    assert max(times) < dt.datetime(2024, 3, 1, tzinfo=LOCAL_TIMEZONE)


def test_ids_are_unique_and_carry_the_time(events: list[DemoEvent]) -> None:
    contents = [json.loads(event.raw) for event in events]
    assert len({content["id"] for content in contents}) == len(events)
    for content in contents:
        identity = UUID(content["id"])
        assert identity.version == 7
        time = dt.datetime.fromisoformat(content["time"])
        assert identity.int >> 80 == int(time.timestamp() * 1000)


def test_the_seed_decides_every_byte(events: list[DemoEvent], catalogue: Catalogue) -> None:
    assert demo_events(catalogue=catalogue) == events
    assert demo_events(99, catalogue=catalogue) != events
    assert [event.order for event in events] == list(range(len(events)))


def test_both_encephalitis_deaths_are_negatives_attributed_to_another_virus(counted: Truth) -> None:
    dead = [
        case
        for case in counted.cases.values()
        if case.disease == "viral_encephalitis" and case.fields.get("outcome") == "dead"
    ]
    assert [case.lab for case in dead] == [{"je": "negative"}] * 2
    assert {case.fields["death_agent"] for case in dead} == {
        figures_of(2023)["viral_encephalitis"].death_agent
    }
    assert all(case.fields.get("classification") != "discarded" for case in dead)


def test_tuberculosis_without_a_smear_is_not_tested(counted: Truth) -> None:
    cases = [
        case for case in counted.cases.values() if case.disease == "tuberculosis" and case.day.year == 2023
    ]
    results = Counter(case.lab["tuberculosis"] for case in cases)
    assert results == {"positive": 157, "not_tested": 43}


def test_a_retracted_case_counts_only_when_it_was_reported_again(
    histories: Histories, counted: Truth
) -> None:
    retracted = {
        subject
        for subject, posts in histories.items()
        if any(post["type"] == CASE_RETRACTED for post in posts)
    }
    reports = {
        subject: sum(post["type"] == CASE_REPORTED for post in histories[subject]) for subject in retracted
    }
    reinstated = {subject for subject, count in reports.items() if count > 1}
    assert len(reinstated) >= 2
    assert reinstated <= counted.cases.keys()
    assert not (retracted - reinstated) & counted.cases.keys()
    duplicates = [
        post["data"]["duplicate_of"]
        for subject in retracted - reinstated
        for post in histories[subject]
        if post["data"].get("reason") == "duplicate"
    ]
    assert len(duplicates) >= 5
    assert counted.cases.keys() >= set(duplicates)


def _updates(posts: list[Content], name: str) -> bool:
    return any(post["type"] == CASE_UPDATED and name in post["data"] for post in posts)


def _first(posts: list[Content]) -> Content:
    report = min((p for p in posts if p["type"] == CASE_REPORTED), key=lambda post: str(post["time"]))
    data: Content = report["data"]
    return data


def _is_late_entry(posts: list[Content]) -> bool:
    for post in posts:
        recorded_on = dt.datetime.fromisoformat(post["time"]).astimezone(LOCAL_TIMEZONE).date()
        if post["data"].get("reported_on", recorded_on.isoformat()) < recorded_on.isoformat():
            return True
    return False


def _is_late_report(posts: list[Content]) -> bool:
    data = _first(posts)
    if "onset_on" not in data or "reported_on" not in data or data["disease"] == "tuberculosis":
        return False
    days = dt.date.fromisoformat(data["reported_on"]) - dt.date.fromisoformat(data["onset_on"])
    return days > dt.timedelta(days=14)


def _is_out_of_order(posts: list[Content]) -> bool:
    times = [post["time"] for post in posts]
    return times != sorted(times)


def _later_negative(posts: list[Content]) -> bool:
    """A measles-negative after a rubella-positive, in an event of its own."""
    labs = [post["data"].get("lab") for post in sorted(posts, key=lambda post: str(post["time"]))]
    return {"rubella": "positive"} in labs and {"measles": "negative"} in labs[
        labs.index({"rubella": "positive"}) :
    ]


LIFELIKE: dict[str, tuple[int, Callable[[list[Content]], bool]]] = {
    "age corrected": (20, lambda posts: _updates(posts, "age_years")),
    "onset corrected": (20, lambda posts: _updates(posts, "onset_on")),
    "disease corrected": (3, lambda posts: _updates(posts, "disease")),
    "moved": (30, lambda posts: _updates(posts, "area_code")),
    "admission taken back": (3, lambda posts: any(p["data"].get("hospitalised", 0) is None for p in posts)),
    "result days after the sample": (100, lambda posts: _updates(posts, "sampled_on")),
    "reported late": (10, _is_late_report),
    "entered late": (10, _is_late_entry),
    "reported without reported_on": (100, lambda posts: "reported_on" not in _first(posts)),
    "without a date of onset": (50, lambda posts: "onset_on" not in _first(posts)),
    "posted out of order": (30, _is_out_of_order),
    "an update before its report": (3, lambda posts: posts[0]["type"] != CASE_REPORTED),
    "a second agent answered later": (1, _later_negative),
}


@pytest.mark.parametrize("what", LIFELIKE)
def test_histories_are_lifelike(histories: Histories, what: str) -> None:
    fewest, is_so = LIFELIKE[what]
    assert sum(is_so(posts) for posts in histories.values()) >= fewest


def test_some_cases_move_to_another_district(
    histories: Histories, counted: Truth, catalogue: Catalogue
) -> None:
    by_id = {area.id: area for area in catalogue.areas}
    district_of = {
        area.code: by_id[area.parent_id].code
        for area in catalogue.areas
        if area.kind == "commune" and area.parent_id and area.valid_from is None
    }
    moved = [
        subject
        for subject, case in counted.cases.items()
        if district_of[_first(histories[subject])["area_code"]] != case.district
    ]
    assert len(moved) >= 10


def test_repeats_and_any_order_count_the_same(
    events: list[DemoEvent], catalogue: Catalogue, counted: Truth
) -> None:
    sent = repeat_and_shuffle(events, 5)
    assert len(sent) == len(events) + round(0.15 * len(events))
    assert [event.order for event in sent] != sorted(event.order for event in sent)
    assert truth((event.raw for event in sent), catalogue) == counted
    assert repeat_and_shuffle(events, 5) == sent != repeat_and_shuffle(events, 6)


def test_a_repeat_in_other_words_has_the_same_content(events: list[DemoEvent]) -> None:
    now = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    by_order: dict[int, set[bytes]] = defaultdict(set)
    for event in repeat_and_shuffle(events, 5):
        by_order[event.order].add(event.raw)
    reworded = [spellings for spellings in by_order.values() if len(spellings) > 1]
    assert len(reworded) > len(events) // 20
    for spellings in reworded:
        parsed = [parse_event(raw, now=now, max_ahead=dt.timedelta(0)) for raw in spellings]
        assert len({event.content_hash for event in parsed}) == 1

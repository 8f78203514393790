"""The demo's tallies and foci: valid events, the report's figures, and a check that sees what differs."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from rich.console import Console

from schemas.events import STREAM_MAX_AHEAD, TALLY_STOCKS, parse_event
from services.demo.reports import FOCI, TALLIES, demo_reports, show_reports
from streams.domain.focus import focus_of, totals
from streams.domain.reports import Report, report_event

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rows_of(year: int) -> list[dict[str, Any]]:
    """What `canhdich tallies` gives of a year."""
    return [
        {
            "indicator": figure.indicator,
            "disease": figure.disease,
            "first": figure.period[0],
            "value": figure.value,
            "target": figure.target,
        }
        for figure in TALLIES
        if figure.year == year and figure.indicator != "cases"
    ]


def compared() -> list[dict[str, Any]]:
    return [
        {
            "indicator": figure.indicator,
            "disease": figure.disease,
            "first": figure.period[0],
            "tally": figure.value,
        }
        for figure in TALLIES
        if figure.indicator == "cases"
    ]


def foci() -> dict[str, Any]:
    return {
        "foci": [
            {
                "subject": figure.subject,
                "commune_name": "Xã",
                **dict.fromkeys(("exposed", "ill", "hospitalised", "dead")),
                **figure.known,
            }
            for figure in FOCI
        ],
        "totals": [{"notes": [{"message_vi": "chưa đầy đủ", "message_en": "incomplete"}]}],
    }


def shown(*arguments: Any) -> tuple[list[str], str]:
    console = Console(width=120, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        differing = show_reports(*arguments, console)
    return differing, capture.get()


def test_the_same_seed_gives_the_same_valid_events() -> None:
    events = demo_reports()
    assert events == demo_reports()
    assert len({event.raw for event in events}) == len(events)
    for event in events:
        parsed = parse_event(event.raw, now=NOW, max_ahead=STREAM_MAX_AHEAD)
        assert (parsed.subject, parsed.type.split(".")[2]) == (event.subject, event.kind)


def test_the_last_word_of_every_event_is_the_reports_figure() -> None:
    parsed = [parse_event(e.raw, now=NOW, max_ahead=STREAM_MAX_AHEAD) for e in demo_reports()]
    last = {event.subject: event.data["value"] for event in parsed if "value" in event.data}
    assert last["pep_started|rabies|12|2023-01-01|2023-12-31"] == 1_971
    assert last["pep_started|rabies|12|2022-01-01|2022-12-31"] == 1_203
    assert last["slides_examined|malaria|12|2023-01-01|2023-12-31"] == 49_617
    assert len(last) == len(TALLIES)
    # Isolation is no partition: only who is still isolated is, by where.
    now = {figure.indicator: figure.value for figure in TALLIES if figure.indicator in TALLY_STOCKS}
    assert now.pop("isolated_now") == sum(now.values()) == 14_985 - 14_923


def test_the_known_values_of_the_food_poisonings_are_21_and_9() -> None:
    reports: dict[str, Report] = {}
    for number, demo in enumerate(event for event in demo_reports() if event.kind == "focus"):
        event = parse_event(demo.raw, now=NOW, max_ahead=STREAM_MAX_AHEAD)
        data = {k: v.isoformat() if isinstance(v, date) else v for k, v in event.data.items()}
        report = reports.setdefault(event.subject, Report())
        report.apply(report_event("focus", event.subject, event.id, number, data, "12"))
    found = totals(focus_of(report) for report in reports.values())
    sums = {name: (total.known_sum, total.unknown) for name, total in found.items()}
    assert sums["ill"] == (21, 1)
    assert sums["hospitalised"] == (9, 1)
    assert sums["dead"] == (0, 0)


def test_what_is_as_reported_is_shown_without_a_fault() -> None:
    differing, text = shown(rows_of(2023), rows_of(2022), compared(), foci())
    assert differing == []
    assert "1.971" in text
    assert "1.203" in text
    assert "49.617" in text
    assert "30.000" in text
    assert "incomplete" in text
    assert "DỮ LIỆU MÔ PHỎNG" in text
    assert "✗" not in text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda rows, before, found: rows.pop(), "báo cáo"),
        (lambda rows, before, found: before[0].update(value=1_204), "1.204"),
        (lambda rows, before, found: found["foci"].pop(), "không có"),
        (lambda rows, before, found: found["foci"][0].update(hospitalised=0), "nhập viện"),
    ],
)
def test_what_differs_is_named(change: Any, named: str) -> None:
    rows, before, found = rows_of(2023), rows_of(2022), foci()
    change(rows, before, found)
    differing, _ = shown(rows, before, compared(), found)
    assert len(differing) == 1
    assert named in differing[0]

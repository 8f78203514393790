"""Delays by stage, imported histories, and the deadlines of the law with their dates."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.calendar import LOCAL_ZONE
from streams.domain.delay import (
    CaseTimes,
    Deadline,
    Spread,
    is_backfilled,
    spread,
    stage_days,
    summary,
    timeliness,
    verdict,
)

LIVE = date(2023, 1, 1)
TODAY = date(2024, 6, 1)

# Dengue, as the catalogue has it.
DENGUE = [Deadline(None, date(2026, 6, 30), "24h"), Deadline(date(2026, 7, 1), None, "48h")]
CHICKENPOX = [Deadline(None, date(2026, 6, 30), "monthly"), Deadline(date(2026, 7, 1), None, "weekly")]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE).astimezone(UTC)


def case(**changes: Any) -> CaseTimes:
    """Ill on the 1st, reported and recorded on the 4th, known a minute later."""
    values: dict[str, Any] = {
        "onset": date(2023, 7, 1),
        "reported": date(2023, 7, 4),
        "recorded_at": local("2023-07-04T08:00"),
        "known_at": local("2023-07-04T08:01"),
        "diagnosed": None,
        **changes,
    }
    return CaseTimes(**values)


def test_three_stages() -> None:
    late = case(recorded_at=local("2023-07-06T08:00"), known_at=local("2023-07-06T23:59"))

    assert stage_days(case(), LIVE) == {"onset_to_report": 3, "report_to_known": 0, "onset_to_known": 3}
    assert stage_days(late, LIVE) == {"onset_to_report": 3, "report_to_known": 2, "onset_to_known": 5}


def test_the_day_on_which_the_system_knew_is_the_local_one() -> None:
    after_midnight = case(known_at=local("2023-07-05T00:30"))

    assert stage_days(after_midnight, LIVE)["report_to_known"] == 1


def test_a_missing_onset_leaves_the_other_stage() -> None:
    assert stage_days(case(onset=None), LIVE) == {
        "onset_to_report": None,
        "report_to_known": 0,
        "onset_to_known": None,
    }


@pytest.mark.parametrize(
    "backfilled",
    [
        # An old line list whose own times say when it was recorded.
        case(known_at=local("2026-11-22T08:00")),
        # Imported on the first day, without times of its own.
        case(
            reported=date(2022, 12, 31),
            recorded_at=local("2023-01-01T09:00"),
            known_at=local("2023-01-01T09:00"),
        ),
        # Only updates are known: its report is still under way.
        case(recorded_at=None, known_at=None),
    ],
)
def test_an_imported_history_is_no_late_report(backfilled: CaseTimes) -> None:
    found = stage_days(backfilled, LIVE)

    assert is_backfilled(backfilled, LIVE)
    assert found["report_to_known"] is None
    assert found["onset_to_known"] is None
    assert found["onset_to_report"] is not None


def test_a_report_entered_late_is_a_late_report() -> None:
    """Paper typed in afterwards, by the event's own time: lawful, expected, and late."""
    typed = case(recorded_at=local("2023-09-01T08:00"), known_at=local("2023-09-01T08:01"))
    offline = case(known_at=local("2023-07-04T08:00") + timedelta(days=28))

    assert stage_days(typed, LIVE)["report_to_known"] == 59
    assert stage_days(offline, LIVE)["report_to_known"] == 28


def test_quantiles_are_delays_that_occurred() -> None:
    assert spread([4, 0, 1, 2, 3, 5, 6, 7, 8, 100]) == Spread(10, 2, 4, 7, 8, 100)
    assert spread([7]) == Spread(1, 7, 7, 7, 7, 7)
    assert spread([]) is None


# --- Deadlines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("diagnosed", "recorded", "expected"),
    [
        ("2023-07-04T08:00:00+07:00", "2023-07-05T08:00", "on_time"),
        ("2023-07-04T08:00:00+07:00", "2023-07-05T08:01", "late"),
        # The offset is the sender's own.
        ("2023-07-04T01:00:00Z", "2023-07-05T08:00", "on_time"),
        ("2023-07-04T00:59:00Z", "2023-07-05T08:00", "late"),
        # Confirmed by the laboratory after the report.
        ("2023-07-06T08:00:00+07:00", "2023-07-05T08:00", "on_time"),
        # From 2026-07-01 the same disease has 48 hours.
        ("2026-06-30T23:59:00+07:00", "2026-07-02T08:00", "late"),
        ("2026-07-01T00:00:00+07:00", "2026-07-03T00:00", "on_time"),
        ("2026-07-01T00:00:00+07:00", "2026-07-03T00:01", "late"),
    ],
)
def test_hours_run_from_the_diagnosis(diagnosed: str, recorded: str, expected: str) -> None:
    at = local(recorded)
    found = case(diagnosed=diagnosed, recorded_at=at, reported=at.astimezone(LOCAL_ZONE).date())

    assert verdict(found, DENGUE) == expected


@pytest.mark.parametrize(
    ("diagnosed", "reported", "expected"),
    [
        ("2023-07-04", "2023-07-04", "on_time"),
        # Between one minute and 48 hours: by the day rule.
        ("2023-07-04", "2023-07-05", "on_time_by_day"),
        ("2023-07-04", "2023-07-06", "late"),
        # The hour of the diagnosis alone decides some of it: 25 hours at least, 23 at most.
        ("2023-07-04T23:00:00+07:00", "2023-07-06", "late"),
        ("2023-07-04T23:00:00+07:00", "2023-07-05", "on_time_by_day"),
        ("2026-07-01", "2026-07-02", "on_time"),
        ("2026-07-01", "2026-07-03", "on_time_by_day"),
        ("2026-07-01", "2026-07-04", "late"),
    ],
)
def test_where_only_days_are_known(diagnosed: str, reported: str, expected: str) -> None:
    # Recorded on another day than that of the report: the hour of the report is not known.
    day = date.fromisoformat(reported)
    found = case(diagnosed=diagnosed, reported=day, recorded_at=local("2026-12-01T08:00"))

    assert verdict(found, DENGUE) == expected


# Hypothesis draws local times and wants its bounds without a zone.
_WHEN = datetime(2023, 1, 1), datetime(2027, 1, 1)  # noqa: DTZ001


@given(
    st.datetimes(*_WHEN),
    st.timedeltas(timedelta(0), timedelta(days=5)),
)
def test_days_alone_never_say_what_the_hours_deny(diagnosed: datetime, elapsed: timedelta) -> None:
    """Certain by days is what it is by hours; on time by the day rule may be either."""
    start = diagnosed.replace(tzinfo=LOCAL_ZONE)
    end = start + elapsed
    exact = verdict(
        case(diagnosed=start.isoformat(), reported=end.date(), recorded_at=end.astimezone(UTC)), DENGUE
    )
    by_day = verdict(case(diagnosed=start.date().isoformat(), reported=end.date(), recorded_at=None), DENGUE)

    assert exact in ("on_time", "late")
    assert by_day in (exact, "on_time_by_day")


@pytest.mark.parametrize(
    ("diagnosed", "reported", "expected"),
    [
        # Monthly until 2026-06-30: before day 5 of the next month.
        ("2026-01-31", "2026-02-04", "on_time"),
        ("2026-01-01", "2026-02-05", "late"),
        ("2025-12-15", "2026-01-04", "on_time"),
        ("2026-06-30", "2026-07-04", "on_time"),
        # Weekly since: before Wednesday of the next week. 2026-07-01 is a Wednesday.
        ("2026-07-01", "2026-07-07", "on_time"),
        ("2026-07-01", "2026-07-08", "late"),
        ("2026-07-05", "2026-07-07", "on_time"),
        ("2026-07-06", "2026-07-14", "on_time"),
    ],
)
def test_lists_are_due_on_a_day(diagnosed: str, reported: str, expected: str) -> None:
    assert verdict(case(diagnosed=diagnosed, reported=date.fromisoformat(reported)), CHICKENPOX) == expected


def test_what_cannot_be_computed_is_said() -> None:
    assert verdict(case(), DENGUE) == "no_diagnosis"
    assert verdict(case(diagnosed="2023-07-04"), []) == "no_deadline"
    assert verdict(case(diagnosed="2023-07-04"), [Deadline(None, None, "none")]) == "no_deadline"
    assert verdict(case(diagnosed="2023-07-04"), [Deadline(date(2026, 7, 1), None, "24h")]) == "no_deadline"


def test_timeliness_adds_up() -> None:
    found = timeliness(["on_time", "on_time_by_day", "late", "late", "no_diagnosis", "no_deadline"])

    assert (found.on_time, found.late, found.by_day) == (2, 2, 1)
    assert (found.share, found.lowest) == (0.5, 0.25)
    assert (found.no_diagnosis, found.no_deadline) == (1, 1)
    assert timeliness(["no_diagnosis"]).share is None


# --- Together ----------------------------------------------------------------------------------------------


def test_a_summary_counts_what_it_leaves_out() -> None:
    impossible = case(onset=date(2023, 7, 5))
    recent = case(
        onset=date(2024, 5, 30),
        reported=date(2024, 5, 31),
        recorded_at=local("2024-05-31T08:00"),
        known_at=local("2024-05-31T08:00"),
    )
    cases = [case(), case(onset=None), case(known_at=local("2026-11-22T08:00")), impossible, recent]

    found = summary([(each, each.onset or each.reported, DENGUE) for each in cases], LIVE, TODAY)

    assert found["cases"] == 5
    assert found["missing_onset"] == 1
    assert found["impossible"] == 1
    assert found["backfilled"] == 1
    assert found["recent"] == 1
    assert found["onset_to_report"] == {"n": 3, "q1": 1, "median": 3, "q3": 3, "p90": 3, "longest": 3}
    assert found["report_to_known"]["n"] == 4
    assert found["onset_to_known"]["n"] == 2
    assert found["deadline"]["no_diagnosis"] == 5


def test_the_truncated_days_end_with_today() -> None:
    days = [TODAY - timedelta(days=n) for n in (0, 55, 56, 300)]

    assert summary([(case(), day, DENGUE) for day in days], LIVE, TODAY)["recent"] == 2

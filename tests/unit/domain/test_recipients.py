"""Who is told what, when: levels, places, quiet hours, digests, and nobody twice within the cool-down."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest

from streams.domain.alerts import Alert, AlertEvent, Kind, Life, Loudness, fold_all
from streams.domain.recipients import (
    Delivery,
    DeliveryKind,
    Recipient,
    Told,
    pause_after,
    plan,
    recipient_from,
)
from streams.domain.rules.verdicts import Level, Outcome
from tests.unit.domain.test_alerts import START, verdict

LIFE = Life()
COMMUNE, PROVINCE = "03390@2025-07-01", "12@2025-07-01"
PLACES = frozenset({COMMUNE, "106@2025-07-01", PROVINCE})
NURSE = Recipient("nurse", "Trạm Y tế", "email", "a@b.example", None, None, Level.ATTENTION, "vi")
NIGHT = datetime.fromisoformat("2026-07-20T23:30:00+07:00")


def alert_with(
    level: Level = Level.ALERT, cases: int = 5, at: datetime = START, loudness: Loudness = Loudness.IMMEDIATE
) -> tuple[Alert, AlertEvent]:
    outcome = Outcome.OUTBREAK if level is Level.OUTBREAK else Outcome.ALERT
    event = AlertEvent(
        uuid4(),
        1,
        at,
        "system",
        Kind.RAISED,
        verdict=verdict(cases, outcome, level).document(),
        data={"loudness": loudness.value},
    )
    return fold_all([event]), event


def planned(
    recipient: Recipient, made: tuple[Alert, AlertEvent], told: Sequence[Told] = ()
) -> list[Delivery]:
    return plan(*made, [recipient], PLACES, told, LIFE)


def test_what_is_loud_is_told_at_once_and_what_is_silent_to_nobody() -> None:
    (delivery,) = planned(NURSE, alert_with())
    assert (delivery.kind, delivery.due_at) == (DeliveryKind.IMMEDIATE, START)
    assert planned(NURSE, alert_with(loudness=Loudness.SILENT)) == []


def test_planned_twice_it_is_one_delivery() -> None:
    made = alert_with()
    assert planned(NURSE, made) == planned(NURSE, made)


@pytest.mark.parametrize(
    ("recipient", "is_told"),
    [
        (replace(NURSE, area_ids=frozenset({COMMUNE})), True),
        (replace(NURSE, area_ids=frozenset({PROVINCE, "x"})), True),
        (replace(NURSE, area_ids=frozenset({"15@2025-07-01"})), False),
        (replace(NURSE, diseases=frozenset({"dengue"})), True),
        (replace(NURSE, diseases=frozenset({"rabies"})), False),
        (replace(NURSE, least_level=Level.ALERT), True),
        (replace(NURSE, least_level=Level.ABOVE_BAND), False),
    ],
)
def test_each_hears_of_his_own_places_diseases_and_levels(recipient: Recipient, is_told: bool) -> None:
    assert bool(planned(recipient, alert_with())) == is_told


def test_the_digest_comes_at_its_time_to_those_who_want_it() -> None:
    minor = alert_with(loudness=Loudness.DIGEST)
    assert planned(NURSE, minor) == []
    # START is 08:00 in the province.
    (delivery,) = planned(replace(NURSE, digest_at=time(7, 0)), minor)
    assert delivery.kind is DeliveryKind.DIGEST
    assert delivery.due_at == datetime.fromisoformat("2026-07-21T07:00:00+07:00")
    (delivery,) = planned(replace(NURSE, digest_at=time(8, 30)), minor)
    assert delivery.due_at == datetime.fromisoformat("2026-07-20T08:30:00+07:00")


@pytest.mark.parametrize(
    ("quiet", "at", "due"),
    [
        ((time(22), time(6)), "2026-07-20T21:59:59+07:00", "2026-07-20T21:59:59+07:00"),
        ((time(22), time(6)), "2026-07-20T22:00:00+07:00", "2026-07-21T06:00:00+07:00"),
        ((time(22), time(6)), "2026-07-21T05:59:00+07:00", "2026-07-21T06:00:00+07:00"),
        ((time(22), time(6)), "2026-07-21T06:00:00+07:00", "2026-07-21T06:00:00+07:00"),
        ((time(12), time(13)), "2026-07-20T12:30:00+07:00", "2026-07-20T13:00:00+07:00"),
        ((time(12), time(13)), "2026-07-20T13:30:00+07:00", "2026-07-20T13:30:00+07:00"),
    ],
)
def test_quiet_hours_put_off_what_is_not_an_outbreak(quiet: tuple[time, time], at: str, due: str) -> None:
    recipient = replace(NURSE, quiet_from=quiet[0], quiet_to=quiet[1])
    (delivery,) = planned(recipient, alert_with(at=datetime.fromisoformat(at)))
    assert delivery.due_at == datetime.fromisoformat(due)


def test_quiet_hours_never_hold_back_an_outbreak() -> None:
    recipient = replace(NURSE, quiet_from=time(22), quiet_to=time(6))
    (delivery,) = planned(recipient, alert_with(Level.OUTBREAK, at=NIGHT))
    assert delivery.due_at == NIGHT


def test_nobody_hears_the_same_twice_within_the_cool_down() -> None:
    """Several rules speak of one disease in one place: the first is told, the others wait for the digest."""
    told = [Told("nurse", Level.ALERT, 5, START - timedelta(days=1))]
    assert planned(NURSE, alert_with(), told) == []
    (delivery,) = planned(replace(NURSE, digest_at=time(7)), alert_with(), told)
    assert delivery.kind is DeliveryKind.DIGEST


@pytest.mark.parametrize(
    "told",
    [
        Told("nurse", Level.ATTENTION, 5, START),
        Told("nurse", Level.ALERT, 2, START),
        Told("nurse", Level.ALERT, 5, START - LIFE.cool_down - timedelta(seconds=1)),
        Told("doctor", Level.ALERT, 5, START),
    ],
    ids=["a lower level", "half the cases", "long ago", "somebody else"],
)
def test_what_is_more_or_long_ago_is_told_again(told: Told) -> None:
    (delivery,) = planned(NURSE, alert_with(), [told])
    assert delivery.kind is DeliveryKind.IMMEDIATE


def test_an_escalation_is_told_whatever_was_told_before() -> None:
    alert, event = alert_with()
    escalation = replace(event, number=2, kind=Kind.ESCALATED, verdict=None)
    (delivery,) = planned(NURSE, (alert, escalation), [Told("nurse", Level.ALERT, 5, START)])
    assert delivery.kind is DeliveryKind.IMMEDIATE


def test_a_recipient_survives_being_stored() -> None:
    full = replace(
        NURSE,
        area_ids=frozenset({PROVINCE}),
        diseases=frozenset({"dengue", "rabies"}),
        quiet_from=time(22),
        quiet_to=time(6),
        digest_at=time(7),
    )
    for recipient in (NURSE, full):
        assert recipient_from(recipient.document()) == recipient


def test_the_pause_grows_to_ten_minutes() -> None:
    pauses = [pause_after(attempts) for attempts in range(1, 40)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=5)
    assert pauses[-1] == timedelta(minutes=10)

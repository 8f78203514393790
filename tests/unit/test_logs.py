"""Lines of JSON; one event is followed by its id from the door to the message about its alert."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog
from prometheus_client import CollectorRegistry

from services.logs import configure_logging, some_of
from services.measuring import (
    MeasuredAnnouncements,
    MeasuredFoldCases,
    MeasuredLedger,
    Stopwatch,
    WorkerMetrics,
)
from services.notify.deliver import deliver_due
from services.watcher import TracedWatchCounts
from streams.domain.positions import TOPIC
from streams.domain.recipients import DeliveryKind
from streams.stores.deliveries import Claimed
from tests.builders import START, judged_by, position, records, small_catalogue
from tests.builders import event as record
from tests.fakes import InMemoryLedger, RecordingAnnouncements, run
from tests.fakes_watch import FakeJudge, InMemoryAlerts
from tests.unit.handlers.test_watch_counts import COMMUNE, PLACES, verdict
from tests.unit.intake.door import Doorstep, event
from tests.unit.notify.test_deliver import FakeOutbox
from tests.unit.notify.test_message import NURSE, ROW


@contextmanager
def logged(service: str, *, with_tracebacks: bool = True) -> Iterator[list[dict[str, Any]]]:
    """What a service writes, line by line; filled when the context ends."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    text, lines = io.StringIO(), []
    configure_logging(service, with_tracebacks=with_tracebacks)
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(text)
    try:
        yield lines
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()
        lines.extend(map(json.loads, text.getvalue().splitlines()))


def fold(event_id: UUID) -> set[tuple[str, str]]:
    """A worker's part: the event is folded; the counts that moved."""
    stopwatch = Stopwatch(WorkerMetrics(CollectorRegistry()), TOPIC)
    announced = RecordingAnnouncements()
    handler = MeasuredFoldCases(
        MeasuredLedger(InMemoryLedger(judged_by(small_catalogue()), {0: position()}), stopwatch),
        MeasuredAnnouncements(announced, stopwatch),
        1,
        stopwatch=stopwatch,
    )
    run(handler.handle(records([record(number=event_id.int)])))
    return {(touched.disease, touched.area_id) for touched in announced.published}


def of(lines: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [line for line in lines if line["event"].startswith(name)]
    return found


def test_an_event_is_followed_from_the_door_to_the_message_of_its_alert() -> None:
    event_id = UUID(int=7)
    with logged("intake", with_tracebacks=False) as intake, Doorstep() as door:
        assert door.post(event(event_id.int)).status_code == 202
    with logged("worker") as worker:
        moved = fold(event_id)
    alerts = InMemoryAlerts(PLACES)
    judge = FakeJudge({("dengue", COMMUNE): [verdict(5)]})
    with logged("watcher") as watcher:
        handler = TracedWatchCounts(judge, alerts, lambda changes: None, lambda: START + timedelta(hours=1))
        handler.handle({("dengue", COMMUNE)})
    (alert,) = alerts.alerts
    outbox = FakeOutbox()
    outbox.waiting = [
        Claimed(NURSE, DeliveryKind.IMMEDIATE, (UUID(int=1),), ({**ROW, "alert_id": alert.alert_id},), 0)
    ]
    with logged("notifier") as notifier:
        deliver_due(outbox, {NURSE.channel: lambda *_: None}, "https://x.example", lambda: START)

    accepted = of(intake, "events_accepted")
    assert accepted["event_ids"] == [str(event_id)]
    folded = of(worker, "events_folded")
    assert folded["event_ids"] == [str(event_id)]
    assert set(folded["touched"]) == {"|".join(key) for key in moved} != set()
    raised = of(watcher, "alert_")
    assert raised["because_of"] == [f"dengue|{COMMUNE}"]
    assert raised["alert_id"] == str(alert.alert_id)
    assert of(notifier, "told")["alert_ids"] == [raised["alert_id"]]
    for line, service in ((accepted, "intake"), (folded, "worker"), (raised, "watcher")):
        assert line["service"] == service
        assert line["timestamp"].endswith("Z")
        assert line["level"] == "info"


def test_of_a_long_list_the_number_is_told() -> None:
    assert some_of({"event_ids": list(range(20))}) == {"event_ids": list(range(20))}
    assert some_of({"event_ids": list(range(21))}) == {"event_ids_number": 21}


@pytest.mark.parametrize("with_tracebacks", [True, False])
def test_an_exceptions_message_is_logged_where_it_may(with_tracebacks: bool) -> None:
    with logged("worker", with_tracebacks=with_tracebacks) as lines:
        try:
            int("LC-2023-000001")
        except ValueError:
            logging.getLogger("ours").exception("it failed")
    (line,) = lines
    assert ("LC-2023-000001" in str(line)) is with_tracebacks
    assert ("ValueError" in str(line)) is True


def test_a_client_does_not_tell_addresses() -> None:
    with logged("notifier") as lines:
        logging.getLogger("httpx").info("POST https://chat.example/secret")
        logging.getLogger("kafka").info("connecting")
    assert lines == []


def test_the_fold_of_other_events_names_them() -> None:
    with logged("worker") as lines:
        fold(UUID(int=8))
    assert of(lines, "events_folded")["event_ids"] == [str(UUID(int=8))]

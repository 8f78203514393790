"""Alerts and deliveries in real TimescaleDB: one transaction each, nothing twice, whatever is repeated."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from threading import Thread
from uuid import uuid4

import pytest
from click.testing import Result
from psycopg import Connection
from psycopg.rows import TupleRow
from typer.testing import CliRunner

from services.cli.main import app
from streams.domain.alerts import Action, Kind, Life, Precision, State, fold_all
from streams.domain.errors import ConfigurationError, RefusedAction
from streams.domain.recipients import DeliveryKind, Recipient
from streams.domain.rules.verdicts import Level, Outcome, Standing, Verdict
from streams.handlers.watch_counts import Change, Judging, Key, Known
from streams.stores.alerts import PostgresAlerts, change_record, read_alert, read_alerts, read_precision
from streams.stores.database import connect
from streams.stores.deliveries import (
    Claimed,
    PostgresOutbox,
    active_recipients,
    load_recipients,
    plan_deliveries,
    read_deliveries,
)
from streams.stores.health import AlertHealth, read_alert_health
from streams.stores.rules import read_rules
from tests.conftest import SettingsFactory
from tests.unit.domain.test_alerts import START, WEEK, verdict

pytestmark = pytest.mark.native

DENGUE, COMMUNE = "dengue", "03390@2025-07-01"
KEY = (DENGUE, COMMUNE)
HOUR = timedelta(hours=1)
Stands = Mapping[Key, Known]
NURSE = Recipient("nurse", "Trạm Y tế", "email", "a@b.example", None, None, Level.ATTENTION, "vi")
EVERYBODY = (
    NURSE,
    Recipient(
        "province",
        "Sở Y tế",
        "webhook",
        "http://x.example",
        frozenset({"12@2025-07-01"}),
        None,
        Level.ALERT,
        "en",
        digest_at=time(7),
    ),
    Recipient(
        "elsewhere",
        "Tỉnh khác",
        "email",
        "c@d.example",
        frozenset({"15@2025-07-01"}),
        None,
        Level.ATTENTION,
        "vi",
    ),
)


@pytest.fixture
def connection(fresh_database_url: str) -> Iterator[Connection[TupleRow]]:
    with connect(fresh_database_url) as opened:
        yield opened


@pytest.fixture
def alerts(fresh_database_url: str) -> Iterator[PostgresAlerts]:
    store = PostgresAlerts(fresh_database_url, Life(), plan_deliveries)
    yield store
    store.close()


@pytest.fixture
def outbox(fresh_database_url: str) -> Iterator[PostgresOutbox]:
    store = PostgresOutbox(fresh_database_url)
    yield store
    store.close()


def judge(alerts: PostgresAlerts, *verdicts: Verdict, at: datetime = START) -> list[Kind]:
    events = alerts.judge([KEY], at, _just(*verdicts))
    return [event.kind for event in events]


def _just(*verdicts: Verdict) -> Judging:
    return lambda known: dict.fromkeys(known, verdicts)


def tell_nobody(claimed: Claimed) -> str | None:
    pytest.fail(f"{claimed} is told")


def all_told(outbox: PostgresOutbox, at: datetime) -> list[Claimed]:
    told: list[Claimed] = []

    def tell(claimed: Claimed) -> None:
        told.append(claimed)

    while outbox.deliver(at, tell):
        pass
    return told


def test_the_same_verdicts_twice_are_one_event(
    alerts: PostgresAlerts, connection: Connection[TupleRow]
) -> None:
    assert judge(alerts, verdict(5)) == [Kind.RAISED]
    assert judge(alerts, verdict(5), at=START + HOUR) == []
    (row,) = read_alerts(connection)
    assert (row["state"], row["level"], row["cases"], row["area_name"]) == (
        "raised",
        "alert",
        5,
        "Xã Bình Lư",
    )
    assert row["verdict"]["numbers"] == {"cases": 5}


def test_the_row_is_what_its_events_make_of_it(
    alerts: PostgresAlerts, connection: Connection[TupleRow]
) -> None:
    judge(alerts, verdict(5))
    judge(alerts, verdict(8, Outcome.ABOVE_BAND, Level.ABOVE_BAND), at=START + HOUR)
    judge(alerts, verdict(4, Outcome.NO_LONGER_MET, Level.NONE), at=START + 2 * HOUR)
    (row,) = read_alerts(connection)
    alerts.act(row["alert_id"], "acknowledge", "bs.lan", START + 3 * HOUR)
    alerts.act(row["alert_id"], "dismiss", "bs.lan", START + 4 * HOUR, "nhập nhầm")
    (row,) = read_alerts(connection, is_open=False)
    alert, events = read_alert(connection, row["alert_id"])
    assert fold_all(events) == alert
    assert [event.kind for event in events] == [
        "raised",
        "joined",
        "no_longer_met",
        "acknowledged",
        "dismissed",
    ]
    shown = {name: getattr(alert, name) for name in ("level", "is_met", "cases", "raised_at", "settled_at")}
    assert {name: row[name] for name in shown} == shown
    assert row["state"] == alert.state == State.DISMISSED
    assert read_alerts(connection) == []


def test_two_watchers_at_once_raise_one_alert(
    fresh_database_url: str, connection: Connection[TupleRow]
) -> None:
    def watch() -> None:
        store = PostgresAlerts(fresh_database_url, Life(), plan_deliveries)
        for cases in range(5, 25):
            judge(store, verdict(cases))
        store.close()

    watchers = [Thread(target=watch) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join()
    (row,) = read_alerts(connection)
    _, events = read_alert(connection, row["alert_id"])
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert events[-1].number >= 20


def test_what_stands_is_judged_again_for_its_own_period(alerts: PostgresAlerts) -> None:
    judge(alerts, verdict(5))
    seen: list[Known] = []

    def look(known: Stands) -> dict[Key, list[Verdict]]:
        seen.append(known[KEY])
        return {KEY: [verdict(4, Outcome.NO_LONGER_MET, Level.NONE)]}

    alerts.judge([KEY], START, look)
    alerts.judge([KEY], START, look)
    # What is no longer met stands no more, and is still somebody's to deal with.
    assert seen == [Known([Standing("tt15_22_1b", *WEEK)], None, True), Known([], None, True)]


def test_what_somebody_has_closed_is_not_open(
    alerts: PostgresAlerts, connection: Connection[TupleRow]
) -> None:
    seen: list[Known] = []

    def look(known: Stands) -> dict[Key, list[Verdict]]:
        seen.append(known[KEY])
        return {}

    alerts.judge([KEY], START, look)
    judge(alerts, verdict(5))
    (row,) = read_alerts(connection)
    alerts.act(row["alert_id"], "dismiss", "bs.lan", START + HOUR, "nhập nhầm")
    alerts.judge([KEY], START + HOUR, look)
    assert seen == [Known([], None, False), Known([], None, False)]


def test_a_determination_declares_the_outbreak_and_its_end_ends_it(
    alerts: PostgresAlerts, connection: Connection[TupleRow]
) -> None:
    judge(alerts, verdict(20, Outcome.OUTBREAK, Level.OUTBREAK))
    (row,) = read_alerts(connection)
    determined = START + HOUR
    alert = alerts.act(row["alert_id"], "determine", "tram.y.te", START + 2 * HOUR, instant=determined)
    assert alert.notice_due_at == determined + 24 * HOUR
    notices = "select disease, area_id, year, started_on::text, ended_on::text from outbreak_notices"
    assert connection.execute(notices).fetchall() == [(DENGUE, COMMUNE, 2026, "2026-07-20", None)]
    known: list[datetime | None] = []

    def look(now: Stands) -> dict[Key, list[Verdict]]:
        known.append(now[KEY].determined_at)
        return {}

    alerts.judge([KEY], START, look)
    assert known == [determined]
    alerts.act(row["alert_id"], "end", "tram.y.te", START + 800 * HOUR)
    assert connection.execute(notices).fetchall() == [(DENGUE, COMMUNE, 2026, "2026-07-20", "2026-08-22")]


def test_what_is_not_possible_changes_nothing(
    alerts: PostgresAlerts, connection: Connection[TupleRow]
) -> None:
    judge(alerts, verdict(5))
    (row,) = read_alerts(connection)
    with pytest.raises(RefusedAction):
        alerts.act(row["alert_id"], "dismiss", "bs.lan", START)
    with pytest.raises(ConfigurationError, match="no alert"):
        alerts.act(uuid4(), "verify", "bs.lan", START)
    assert read_alert(connection, row["alert_id"])[0].events == 1


def test_escalation_is_once(alerts: PostgresAlerts) -> None:
    judge(alerts, verdict(20, Outcome.OUTBREAK, Level.OUTBREAK))
    assert alerts.escalate(START + 3 * HOUR) == []
    assert [event.kind for event in alerts.escalate(START + 4 * HOUR)] == [Kind.ESCALATED]
    assert alerts.escalate(START + 5 * HOUR) == []


def test_precision_keeps_what_was_said_before_an_alert_was_closed(
    alerts: PostgresAlerts, connection: Connection[TupleRow]
) -> None:
    lives: list[tuple[str, tuple[Action, ...]]] = [
        ("r", ("verify", "close")),
        ("r", ("verify", "close")),
        ("r", ("dismiss",)),
        ("s", ()),
    ]
    for number, (rule_id, actions) in enumerate(lives):
        at = START + 30 * number * 24 * HOUR
        alerts.judge([KEY], at, _just(replace(verdict(5 + number), rule_id=rule_id)))
        (row,) = read_alerts(connection)
        for action in actions:
            alerts.act(row["alert_id"], action, "bs.lan", at, "lý do")
    assert read_precision(connection) == [Precision("r", 2, 1, 0), Precision("s", 0, 0, 1)]


def test_every_event_is_published_until_kafka_has_it(alerts: PostgresAlerts) -> None:
    judge(alerts, verdict(5))
    seen: list[Change] = []

    def fail(changes: Sequence[Change]) -> None:
        seen.extend(changes)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        alerts.publish(fail)
    again: list[Change] = []
    assert alerts.publish(again.extend) == 1
    assert again == seen
    assert alerts.publish(again.extend) == 0
    key, value = change_record(seen[0])
    assert key == b"dengue|03390"
    assert b'"state":"raised"' in value


def test_the_outbox_holds_what_was_planned_in_the_same_transaction(
    alerts: PostgresAlerts, outbox: PostgresOutbox, connection: Connection[TupleRow]
) -> None:
    load_recipients(connection, EVERYBODY, "tests")
    assert active_recipients(connection) == sorted(EVERYBODY, key=lambda recipient: recipient.id)
    judge(alerts, replace(verdict(5), rule_version=read_rules(connection).version))
    told = all_told(outbox, START)
    assert sorted(claimed.recipient.id for claimed in told) == ["nurse", "province"]
    (alert,) = told[0].alerts
    assert (alert["disease_vi"], alert["province_name"]) == ("Sốt xuất huyết Dengue", "Tỉnh Lai Châu")
    assert alert["citation"] == "TT 15/2026/TT-BYT Điều 22.1b"
    assert all_told(outbox, START + HOUR) == []


def test_what_is_not_accepted_waits_and_is_told_once(
    alerts: PostgresAlerts, outbox: PostgresOutbox, connection: Connection[TupleRow]
) -> None:
    load_recipients(connection, [NURSE], "tests")
    judge(alerts, verdict(5))
    at, attempts = START, 0
    while at < START + timedelta(minutes=10):
        attempts += outbox.deliver(at, lambda claimed: "connection refused")
        at += timedelta(seconds=1)
    assert attempts == 7
    (row,) = read_deliveries(connection, is_waiting=True)
    assert (row["attempts"], row["last_error"]) == (7, "connection refused")
    told = all_told(outbox, at + timedelta(minutes=10))
    assert len(told) == 1
    assert told[0].ids == (row["delivery_id"],)
    assert read_deliveries(connection, is_waiting=True) == []


def test_who_ends_before_it_is_recorded_tells_it_again_under_the_same_id(
    alerts: PostgresAlerts, outbox: PostgresOutbox, connection: Connection[TupleRow]
) -> None:
    load_recipients(connection, [NURSE], "tests")
    judge(alerts, verdict(5))
    told: list[Claimed] = []

    def killed(claimed: Claimed) -> str | None:
        told.append(claimed)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(START, killed)
    told += all_told(outbox, START)
    assert len(told) == 2
    assert told[0].ids == told[1].ids


def test_two_notifiers_never_tell_the_same(
    alerts: PostgresAlerts, fresh_database_url: str, connection: Connection[TupleRow]
) -> None:
    load_recipients(connection, EVERYBODY, "tests")
    judge(alerts, verdict(5))
    first, second = PostgresOutbox(fresh_database_url), PostgresOutbox(fresh_database_url)
    told: list[str] = []

    def tell_both(claimed: Claimed) -> None:
        told.append(claimed.recipient.id)
        assert second.deliver(START, lambda other: told.append(other.recipient.id))  # type: ignore[func-returns-value]

    assert first.deliver(START, tell_both)
    assert sorted(told) == ["nurse", "province"]
    assert not first.deliver(START, tell_nobody)
    first.close()
    second.close()


def test_a_storm_is_one_message_per_recipient(
    alerts: PostgresAlerts, outbox: PostgresOutbox, connection: Connection[TupleRow]
) -> None:
    load_recipients(connection, [NURSE], "tests")
    for disease in ("dengue", "measles", "rabies", "cholera"):
        alerts.judge([(disease, COMMUNE)], START, _just(replace(verdict(5), disease=disease)))
    (claimed,) = all_told(outbox, START)
    assert {alert["disease"] for alert in claimed.alerts} == {"dengue", "measles", "rabies", "cholera"}


def test_the_digest_gathers_a_day(
    alerts: PostgresAlerts, outbox: PostgresOutbox, connection: Connection[TupleRow]
) -> None:
    load_recipients(connection, [replace(NURSE, digest_at=time(7))], "tests")
    judge(alerts, verdict(5))
    judge(alerts, verdict(6), at=START + HOUR)
    judge(alerts, verdict(7), at=START + 2 * HOUR)
    assert [claimed.kind for claimed in all_told(outbox, START + 3 * HOUR)] == [DeliveryKind.IMMEDIATE]
    (digest,) = all_told(outbox, START + 23 * HOUR)
    assert (digest.kind, len(digest.ids)) == (DeliveryKind.DIGEST, 2)


def test_who_is_told_no_longer_is_not_told_what_waits(
    alerts: PostgresAlerts, outbox: PostgresOutbox, connection: Connection[TupleRow]
) -> None:
    load_recipients(connection, [NURSE], "tests")
    judge(alerts, verdict(5))
    assert load_recipients(connection, [], "tests") == ["nurse"]
    assert not outbox.deliver(START, tell_nobody)
    load_recipients(connection, [NURSE], "tests")
    assert not outbox.deliver(START, tell_nobody)


def test_signs_of_life(outbox: PostgresOutbox, alerts: PostgresAlerts) -> None:
    assert outbox.signs_of_life() == {}
    outbox.is_alive("notifier", START)
    alerts.is_alive(START)
    alerts.is_alive(START + HOUR)
    assert outbox.signs_of_life() == {"notifier": START, "watcher": START + HOUR}


def test_what_the_monitor_is_told_of_watcher_and_deliveries(
    alerts: PostgresAlerts, outbox: PostgresOutbox, connection: Connection[TupleRow]
) -> None:
    assert read_alert_health(connection) == AlertHealth(None, None)
    ago = datetime.now(UTC) - timedelta(minutes=20)
    load_recipients(connection, [NURSE], "tests")
    judge(alerts, verdict(5), at=ago)
    alerts.is_alive(ago)
    health = read_alert_health(connection)
    assert health.watcher_age == pytest.approx(1_200, abs=120)
    assert health.delivery_waiting == pytest.approx(1_200, abs=120)
    assert all_told(outbox, datetime.now(UTC))
    assert read_alert_health(connection).delivery_waiting is None


def test_the_command_prints_the_text_to_paste_and_refuses_a_note_about_a_person(
    alerts: PostgresAlerts,
    fresh_database_url: str,
    settings_for: SettingsFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configured = settings_for(fresh_database_url, "")
    for module in ("connection", "alerts_command"):
        monkeypatch.setattr(f"services.cli.{module}.settings", lambda: configured)

    def canhdich(*argv: str) -> Result:
        return CliRunner().invoke(app, ["alerts", *argv])

    judge(alerts, verdict(20, Outcome.OUTBREAK, Level.OUTBREAK))
    (row,) = json.loads(canhdich("--json").stdout)
    short = row["alert_id"][:8]
    text = canhdich("text", short)
    assert text.exit_code == 0, text.output
    assert "Nơi: Xã Bình Lư, " in text.stdout
    assert (
        "Cases: 20 cases" in json.loads(canhdich("text", short, "--language", "en", "--json").stdout)["text"]
    )
    assert canhdich("text", short, "--language", "fr").exit_code == 2
    refused = canhdich("note", short, "--note", "gọi 0912 345 678")
    assert refused.exit_code == 1
    assert "0912" not in refused.output
    assert canhdich("note", short, "--note", "đã gọi trạm", "--by", "bs.lan").exit_code == 0

"""What the database tells about the stream: shares of the last hour, canaries, the audit's progress."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from services.monitor.canary import canary_event, canary_subjects
from streams.domain.positions import TOPIC
from streams.stores.audit_rounds import Auditor, Pace, Slice
from streams.stores.health import RECENT, Canary, read_canaries, read_health, read_stream_health
from tests.builders import event, records
from tests.integration.stores.conftest import PostgresStore
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

(SUBJECT,) = canary_subjects(1)


def test_an_empty_database_says_so(store: PostgresStore) -> None:
    health = read_stream_health(store.connection)
    assert (health.journaled, health.dead, health.dead_open, health.parked) == (0, 0, 0, 0)
    assert health.dead_share == 0
    assert (health.round_age, health.sweep_age, health.audit_waiting) == (None, None, None)
    assert health.drift == {}
    assert read_canaries(store.connection, [SUBJECT]) == {}
    assert read_health(store.connection).catalogue_version == "small"


def test_the_share_is_of_the_last_hour_without_canaries_and_without_what_was_sent_again(
    store: PostgresStore,
) -> None:
    now = datetime.now(UTC)
    ledger = store.open()
    old = now - RECENT - timedelta(minutes=5)
    fold(ledger, records([event("LC-1", 1), event("LC-1", 2, ho_ten="x")], at=old))
    lately = [
        event("LC-2", 3),
        event("LC-3", 4, ho_ten="x"),
        event("LC-4", 5, ho_ten="x"),
        event("LC-5", 6, disease="unheard_of"),
        event("LC-6", 7),
        orjson.dumps(canary_event(SUBJECT, now - timedelta(minutes=1))),
    ]
    fold(ledger, records(lately, first_offset=2, at=now - timedelta(minutes=1)))
    health = read_stream_health(store.connection)
    assert (health.journaled, health.dead, health.dead_open, health.parked) == (3, 2, 3, 1)
    assert health.dead_share == 2 / 5
    assert health.newest_age is not None
    assert 50 < health.newest_age < 300

    store.connection.execute("update dead_letters set retried_at = now() where kafka_offset = 3")
    again = read_stream_health(store.connection)
    assert (again.dead, again.dead_open) == (1, 2)
    assert read_stream_health(store.connection, "another-topic").dead == 0


def test_the_newest_canary_of_each_subject(store: PostgresStore) -> None:
    start = datetime(2026, 1, 15, 1, 0, tzinfo=UTC)
    sent = [canary_event(SUBJECT, start + timedelta(seconds=n)) for n in range(3)]
    fold(store.open(), records([orjson.dumps(one) for one in sent], at=start))
    newest = read_canaries(store.connection, [SUBJECT, "canary/none"])
    assert {subject: str(canary.event_id) for subject, canary in newest.items()} == {SUBJECT: sent[2]["id"]}
    assert newest[SUBJECT] == Canary(newest[SUBJECT].event_id, start + timedelta(seconds=2))
    assert store.counts() == {}
    assert store.rows() == []

    store.connection.execute("delete from cases")
    assert read_canaries(store.connection, [SUBJECT]) == {}, "journaled, but not folded"


def test_the_audit_says_how_far_it_is_and_what_it_found(store: PostgresStore) -> None:
    ledger = store.open()
    fold(ledger, records([event("LC-1", 1)]))
    auditor = Auditor(store.database_url, TOPIC, Pace(most_new_events=2, least=Slice(100, 100, 100, 100)))
    try:
        auditor.round()
        fold(ledger, records([event(f"LC-{n}", n) for n in range(2, 7)], first_offset=1))
        store.connection.execute("delete from count_changes where subject = 'LC-1' and basis = 'onset'")
        auditor.round()
    finally:
        auditor.close()
    health = read_stream_health(store.connection)
    assert health.round_age is not None
    assert health.sweep_age is not None
    assert health.round_age <= health.sweep_age < 300
    assert health.audit_waiting == 3
    assert health.drift == {"ledger": 1, "daily": 1}

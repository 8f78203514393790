"""The queries of Grafana's alert rules, over the boards' views, before and after something is wrong."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import Connection
from psycopg.rows import TupleRow

from tests.conftest import NativeStack, scratch_database

pytestmark = pytest.mark.native

RULES = Path(__file__).parents[3] / "deploy" / "grafana" / "provisioning" / "alerting" / "rules.yaml"

TROUBLE = """
insert into alerts (alert_id, rule_id, disease, area_id, state, level, verdict, is_met, cases, raised_at,
  waiting_since, changed_at, events)
select md5(v.level)::uuid, v.level, 'dengue', a.area_id, 'raised', v.level, '{}', true, 3,
  now() - interval '5 hours', now() - interval '5 hours', now(), 1
from (values ('outbreak'), ('alert')) as v (level), (select area_id from areas where kind = 'commune' and
  valid_to is null order by area_id limit 1) as a;
insert into reporter_weeks values (current_date, 'TYT-1', null, 'silent', current_date - 70, 9, 1),
  (current_date, 'TYT-2', null, 'reporting', current_date - 7, 0, 1);
insert into stream_looks values (now() - interval '10 minutes', 12000, 5, 0, 0, 0, 0, 5);
insert into audit_findings (kind, key, first_seen_at, last_seen_at) values ('daily', '[]', now(), now());
insert into audit_rounds (ended_at, seconds, waiting_events) values (now() - interval '1 hour', 1, 0);
insert into stream_offsets values ('case-events', 0, gen_random_uuid(), 0, 7, 7, now() - interval '1 hour');
insert into dead_letters (
  topic, epoch, kafka_partition, kafka_offset, known_at, error, problems, record_value
)
select 'case-events', 0, 0, n, now() - interval '1 minute', 'invalid_event', '[]', ''
from generate_series(1, 6) as n;
insert into alert_events (alert_id, number, at, actor, kind, data)
select alert_id, 1, now(), 'system', 'raised', '{}' from alerts;
insert into recipients values ('r', true, '{}', now(), 'test');
insert into alert_deliveries (
  delivery_id, alert_id, number, recipient_id, kind, level, cases, planned_at, due_at, next_attempt_at
)
select
  gen_random_uuid(), alert_id, 1, 'r', 'immediate', 'outbreak', 3, now(), now() - interval '20 minutes', now()
from alerts;
"""


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def database(native_stack: NativeStack, catalogue_template: str) -> Iterator[str]:
    with scratch_database(native_stack.server_url, catalogue_template) as url:
        yield url


@pytest.fixture
def connection(database: str) -> Iterator[Connection[TupleRow]]:
    """The whole test in one transaction that is rolled back."""
    with psycopg.connect(database) as connection:
        yield connection
        connection.rollback()


def ringing(connection: Connection[TupleRow]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows over the threshold of each rule that has any, asked as Grafana asks."""
    found = {}
    connection.execute("set local search_path = boards")
    for rule in rules():
        query, condition = rule["data"]
        over = condition["model"]["conditions"][0]["evaluator"]["params"][0]
        cursor = connection.execute(query["model"]["rawSql"].encode())
        assert cursor.description is not None
        numbers = [place for place, column in enumerate(cursor.description) if column.type_code == 701]
        texts = [place for place, column in enumerate(cursor.description) if column.type_code == 25]
        # Grafana wants one number; all else is a label, and no two rows have the same.
        number_only = len(numbers) == 1 and len(numbers) + len(texts) == len(cursor.description)
        assert number_only, f"{rule['uid']}: {[(c.name, c.type_code) for c in cursor.description]}"
        rows = cursor.fetchall()
        labels = [tuple(row[place] for place in texts) for row in rows]
        assert len(set(labels)) == len(labels)
        if rows_over := [row for row in rows if row[numbers[0]] is not None and row[numbers[0]] > over]:
            found[rule["uid"]] = rows_over
    connection.execute("set local search_path = public")
    return found


def test_nothing_rings_for_nothing(connection: Connection[TupleRow]) -> None:
    connection.execute(
        "insert into stream_looks values (now(), 3, 5, 0, 0, 0, 0, 5); "
        "insert into audit_rounds (ended_at, seconds, waiting_events) values (now(), 1, 0); "
        "insert into stream_offsets values ('case-events', 0, gen_random_uuid(), 0, 7, 7, now())"
    )
    assert set(ringing(connection)) == {"watchdog"}


def test_a_system_that_never_ran_rings(connection: Connection[TupleRow]) -> None:
    assert set(ringing(connection)) == {"watchdog", "stream-silent", "monitor-blind", "audit-late"}


def test_each_rule_rings_for_its_trouble(connection: Connection[TupleRow]) -> None:
    connection.execute(TROUBLE.encode())

    found = ringing(connection)

    assert set(found) == {rule["uid"] for rule in rules()}
    ((*labels, alerts),) = found["outbreak-open"]
    assert (labels[0], alerts) == ("dengue", 1)
    # The alert has waited 5 hours: too long for an outbreak, not for the other.
    assert found["alert-unanswered"] == [(1.0,)]
    assert found["reporters-silent"][0][-1] == 1.0
    assert found["drift"] == [(1.0,)]
    assert found["lag"] == [(12_000.0,)]
    assert found["dead-letters"] == [(1.0,)]
    assert not isinstance(found["deliveries-late"][0][0], Decimal)

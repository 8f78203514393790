"""What docs/security/data-protection.md has administrators type to erase a case, typed."""

import re
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from kafka import KafkaAdminClient, TopicPartition
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from services.backup.run import take
from services.backup.topics import bounds, read_records
from streams.domain.positions import TOPIC
from streams.stores.database import connect
from streams.stores.rebuild import rebuild
from tests.integration.backup.test_drill import EVENTS, Machine, empty, running, silent

__all__ = ["empty", "running"]

pytestmark = pytest.mark.native

PAGE = Path(__file__).parents[3] / "docs" / "security" / "data-protection.md"
SUBJECTS = [orjson.loads(value)["subject"] for value in EVENTS]
ERASED = max(SUBJECTS, key=SUBJECTS.count)
OTHERS = [value for value, subject in zip(EVENTS, SUBJECTS, strict=True) if subject != ERASED]


def statements() -> list[str]:
    """The page's SQL, for one case."""
    blocks = re.findall(r"^ *```sql\n(.*?)^ *```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [block.replace(":'subject'", f"'{ERASED}'").replace("%", "%%") for block in blocks]


def tables_with(connection: Connection[TupleRow], text: str) -> set[str]:
    """Tables of ours that hold a text anywhere."""
    names = connection.execute(
        "select table_name from information_schema.tables "
        "where table_schema = 'public' and table_type = 'BASE TABLE'"
    ).fetchall()
    asked = sql.SQL("select exists (select from {} as t where strpos(t::text, %s) > 0)")
    return {
        name
        for (name,) in names
        if connection.execute(asked.format(sql.Identifier(name)), (text,)).fetchone() == (True,)
    }


def test_an_erased_case_is_nowhere_and_nothing_else_is_missing(
    running: Machine, empty: Machine, tmp_path: Path
) -> None:
    running.send(EVENTS[len(EVENTS) // 2 :])
    running.fold()
    running.assert_counted(EVENTS)
    url = running.settings.database_url.get_secret_value()
    kafka, topic = running.settings.kafka, running.settings.topic_prefix + TOPIC
    place, rows = statements()

    with connect(url) as connection:
        assert tables_with(connection, ERASED) >= {"event_ids", "case_events", "cases", "count_changes"}
        ((named, partition, folded),) = connection.execute(place).fetchall()
        connection.execute(rows)
    done = rebuild(url, force=True)
    assert done.is_switched
    running.assert_counted(OTHERS)

    assert named == topic
    with closing(KafkaAdminClient(**kafka.client_options())) as admin:
        admin.delete_records({TopicPartition(topic, partition): folded})
    keys = [record.key for record in read_records(kafka, topic, bounds(kafka, topic))]
    assert ERASED.encode() not in keys
    assert 0 < len(keys) < len(OTHERS)

    # Workers that start again read nothing twice and miss nothing.
    running.fold()
    running.assert_counted(OTHERS)
    with connect(url) as connection:
        assert tables_with(connection, ERASED) == set()

    # What is kept is whole: the journal is in the database, and only in part in Kafka.
    backup, _ = take(running.settings, tmp_path / "backups", None, silent)
    running.without_topics()
    empty.restore(backup)
    empty.fold()
    empty.assert_counted(OTHERS)
    with connect(empty.settings.database_url.get_secret_value()) as connection:
        assert tables_with(connection, ERASED) == set()

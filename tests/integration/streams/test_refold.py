"""Everything again from the Kafka topic alone: an empty database is all that a worker needs."""

from collections import Counter
from typing import Any

import pytest
from psycopg import Connection, sql
from psycopg.rows import TupleRow
from pydantic import SecretStr

from schemas.catalogue import Catalogue
from streams.stores.audit import audit
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate
from streams.stores.rebuild import TABLES, rebuild
from tests.builders import event
from tests.conftest import NativeStack, scratch_database
from tests.integration.streams.conftest import Installation, case_history, shuffled_twice

pytestmark = pytest.mark.native

JOURNAL = ("case_events", "event_ids")


def contents(connection: Connection[TupleRow]) -> dict[str, Counter[str]]:
    """Every row, known_at and place in the log included; counts that are zero again left out."""
    found = {}
    for table in (*TABLES, *JOURNAL):
        rows = connection.execute(sql.SQL("select t::text from {} as t").format(sql.Identifier(table)))
        found[table] = Counter(row for (row,) in rows if not row.endswith(",0" * 11 + ")"))
    found["dead_letters"] = Counter(
        str(row)
        for row in connection.execute(
            "select kafka_partition, kafka_offset, known_at, error, record_value, standing_value "
            "from dead_letters"
        )
    )
    return found


def test_a_wiped_database_refolded_from_kafka_is_the_same_to_the_row(
    installation: Installation, native_stack: NativeStack, published_catalogue: Catalogue
) -> None:
    values = case_history(60, seed=5)
    installation.start()
    installation.send_events(shuffled_twice(values, seed=5))
    installation.until_folded()
    more: list[bytes] = [
        event("LC-X", 1, lab={"measles": "positive"}),
        event("LC-X", 1, lab={"measles": "negative"}),
        event("LC-Y", 2, disease="unheard_of"),
        event("LC-Z", 3, ho_ten="Lò Văn Pâng"),
    ]
    installation.send_events(more)
    installation.until_folded()
    live = contents(installation.connection)
    assert installation.connection.execute("select count(*) from dead_letters").fetchone() == (2,)
    installation.close()

    # Kafka's own group stands at the end of every partition: where to read is the database's to say.
    with scratch_database(native_stack.server_url) as empty_url:
        migrate(empty_url)
        with connect(empty_url) as connection:
            load(connection, published_catalogue, "test")
            ends: Any = installation.ends()
            worker = installation.start(database_url=SecretStr(empty_url))
            installation.connection = connection
            installation.until_folded()
            assert installation.folded() == sum(ends.values())
            worker.terminate()
            assert contents(connection) == live
            assert audit(connection).is_clean
        again = rebuild(empty_url)
        assert (again.is_identical, again.events) == (True, len(live["event_ids"]))

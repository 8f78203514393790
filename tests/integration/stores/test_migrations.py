"""Migrations keep what was there: an older schema with data becomes what the program would have written."""

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from streams.stores.database import migrate
from streams.stores.rebuild import rebuild
from tests.builders import event
from tests.histories import Append, Load, ReadAgain, World

pytestmark = pytest.mark.native

UNDO_0002 = """
drop table snapshots;
alter table catalogue_loads drop column content;
alter table count_changes drop column epoch, drop column kafka_partition, drop column kafka_offset,
    drop column load_id;
delete from _yoyo_migration where migration_id = '0002.time-travel';
"""


def test_0002_says_of_every_ledger_row_where_it_came_from(
    small_database_url: str, connection: Connection[TupleRow]
) -> None:
    with World(small_database_url, connection) as world:
        for n in range(1, 7):
            world.play(
                [
                    Append(event(f"LC-{n}", 1, disease="rash" if n % 2 else "dengue"), n),
                    Append(event(f"LC-{n}", 2, "updated", lab={"rubella": "positive"}), n),
                    Append(event(f"LC-{n}", 3, "updated", disease="rubella"), n),
                ]
            )
        world.fold_all()
        # Loads fold what was parked, resolve rashes, and take cases of dengue away.
        world.play([Load(), Load(), ReadAgain(0), Load(), Load()])
        world.play([Append(event("LC-9", 1), 20)])
        world.fold_all()
    rows = "select c::text from count_changes as c order by 1"
    contents = "select load_id, content from catalogue_loads order by load_id"
    written, kept = connection.execute(rows).fetchall(), connection.execute(contents).fetchall()
    assert connection.execute("select count(distinct load_id) from count_changes").fetchone() != (0,)

    connection.execute(UNDO_0002)
    assert migrate(small_database_url) == ["0002.time-travel"]
    assert connection.execute(rows).fetchall() == written
    found = connection.execute(contents).fetchall()
    assert [content for _, content in found[:-1]] == [None] * (len(kept) - 1)
    assert found[-1] == kept[-1]
    assert rebuild(small_database_url, force=True).is_switched

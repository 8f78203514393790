"""`python -m tests.upgrade_data FOLDER`: what the code of now writes, for upgrade tests of later versions.

Run before a release's schema changes, against the servers that run; the file is named after the newest
migration and kept. tests/integration/stores/test_upgrade.py migrates every one of them.
"""

import gzip
import json
import sys
from pathlib import Path

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from services.settings import load_settings
from streams.stores.audit import audit
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate
from tests.builders import event, small_catalogue
from tests.conftest import scratch_database
from tests.histories import Append, Load, World
from tests.report_builders import focus, tally

_REFERENCES = (
    "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint "
    "where contype = 'f' and connamespace = 'public'::regnamespace and conrelid <> confrelid"
)


def play(database_url: str, connection: Connection[TupleRow]) -> None:
    """Cases with corrections, moves, a retraction, a parked event; a tally, a focus; two catalogues."""
    load(connection, small_catalogue(), "test")
    with World(database_url, connection) as world:
        for n in range(1, 9):
            world.play(
                [
                    Append(event(f"LC-{n}", 1, disease="rash" if n % 2 else "dengue"), n),
                    Append(event(f"LC-{n}", 2, "updated", lab={"rubella": "positive"}), n),
                    Append(event(f"LC-{n}", 3, "updated", area_code="03549"), n),
                ]
            )
        world.play([Append(event("LC-3", 4, "retracted"), 9), Append(event("LC-X", 1, area_code="99999"), 9)])
        world.play([Append(tally("pep_started", 7, 21), 10), Append(focus("OD-1", 22), 10)])
        world.fold_all()
        world.play([Load()])
        world.fold_all()
    if not audit(connection).is_clean:
        raise RuntimeError("the books do not balance")


def tables_of(connection: Connection[TupleRow]) -> dict[str, str]:
    """The rows of every table that has some, as COPY gives them; what is referred to comes first."""
    names = {name for (name,) in connection.execute(
        "select tablename from pg_tables where schemaname = 'public' and tablename not like '%yoyo%'"
    )}  # fmt: skip
    needs: dict[str, set[str]] = {name: set() for name in names}
    for table, needed in connection.execute(_REFERENCES):
        if table in names and needed in names:
            needs[table].add(needed)
    found: dict[str, str] = {}
    done: set[str] = set()
    while done < names:
        for name in sorted(name for name in names - done if needs[name] <= done):
            statement = sql.SQL("copy (select * from {}) to stdout").format(sql.Identifier(name))
            with connection.cursor().copy(statement) as copy:
                rows = b"".join(map(bytes, copy)).decode()
            if rows:
                found[name] = rows
            done.add(name)
    return found


def main() -> int:
    """Write the file."""
    with scratch_database(load_settings().database_url.get_secret_value()) as url:
        migrate(url)
        with connect(url) as connection:
            play(url, connection)
            schema = connection.execute("select max(migration_id) from _yoyo_migration").fetchone()
            totals = connection.execute(
                "select jsonb_agg(to_jsonb(dt) order by dt) from district_totals as dt"
            ).fetchone()
            assert schema is not None
            assert totals is not None
            document = {"schema": schema[0], "tables": tables_of(connection), "district_totals": totals[0]}
    content = json.dumps(document, ensure_ascii=False).encode()
    (Path(sys.argv[1]) / f"{document['schema']}.json.gz").write_bytes(gzip.compress(content, mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())

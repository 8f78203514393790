"""What the boards show beside counts and no query can work out: populations of every year, and nowcasts.

All of it follows from other tables and may be made again at any time.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final, NamedTuple

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.areas import code_of
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.populations import FARTHEST, NotKnown, at
from streams.stores.catalogue import current_load_id
from streams.stores.populations import current_load, read_populations
from streams.stores.scope import Scope
from streams.stores.triangle import NowcastRequest, read_nowcast

_LEVELS: Final = ("province", "district")


class _ShownPopulation(NamedTuple):
    structure_on: date
    area_id: str
    year: int
    population: float


def refresh_populations(connection: Connection[TupleRow]) -> int:
    """Write the population of every province and district, of every year that is known or follows, in every
    structure of areas; how many rows, 0 where they were made of what is in force already.

    Args:
        connection: In autocommit; one transaction. Readers see all of the old rows or all of the new ones.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("lock table board_populations in exclusive mode")
        load = current_load(connection)
        version = f"{None if load is None else load.id}/{current_load_id(connection)}"
        if cursor.execute(query("board_version"), {"name": "populations"}).fetchone() == (version,):
            return 0
        cursor.execute(query("upsert_board_version"), {"name": "populations", "version": version})
        rows = list(_shown_populations(connection))
        cursor.execute("delete from board_populations")
        with cursor.copy(
            "copy board_populations (structure_on, area_id, year, population) from stdin"
        ) as copy:
            for row in rows:
                copy.write_row(row)
    return len(rows)


def _shown_populations(connection: Connection[TupleRow]) -> Iterator[_ShownPopulation]:
    load = current_load(connection)
    if load is None:
        return
    # Of the other provinces nothing is known.
    provinces = connection.execute(query("populated_provinces"), {"population_load_id": load.id}).fetchall()
    for structure_on, province_id in provinces:
        populations = read_populations(connection, structure_on, province_id, load.id)
        for level in _LEVELS:
            for area_id in populations.shown(level, province_id):
                series = populations.series(level, area_id)
                if isinstance(series, NotKnown):
                    continue
                for year in range(min(series) - FARTHEST, max(series) + FARTHEST + 1):
                    found = at(series, year)
                    if found is not None and found.value > 0:
                        yield _ShownPopulation(structure_on, area_id, year, found.value)


def refresh_nowcasts(connection: Connection[TupleRow], now: datetime) -> int:
    """Write the nowcast of the last weeks of every disease of every province that counts; how many rows.

    Weeks that are complete by now keep the last nowcast that was made of them.

    Args:
        connection: In autocommit.
        now: An instant with its zone.
    """
    today = now.astimezone(LOCAL_ZONE).date()
    written = 0
    provinces = connection.execute(query("provinces_with_counts"), {"day": today}).fetchall()
    for (province_id,) in provinces:
        scope = Scope(geography_on=today, province=code_of(province_id))
        request = NowcastRequest(scope=scope, by=("disease",), now=now)
        rows = read_nowcast(connection, request)
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany(
                query("upsert_board_nowcast"),
                [
                    {
                        "province": code_of(province_id),
                        "computed_at": now,
                        **{
                            name: row[name]
                            for name in ("disease", "week_start", "counted", "nowcast", "lower", "upper")
                        },
                    }
                    for row in rows
                ],
            )
        written += len(rows)
    return written

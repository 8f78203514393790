"""Several processes rebuild what a single one does; where one fails or is killed nothing is changed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import active_children
from random import Random

import orjson
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from services.demo.scale import generate_events
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.stores import rebuild as rebuild_module
from streams.stores.audit import audit
from streams.stores.database import connect
from streams.stores.rebuild import count_events, rebuild
from streams.stores.rebuild_parts import Parts
from tests.builders import small_catalogue
from tests.histories import Append, Load, ReadAgain, World
from tests.integration.stores.test_rebuild import contents, grown, shape

pytestmark = pytest.mark.native


@pytest.fixture(scope="module")
def world(small_database_url: str) -> Iterator[World]:
    """Both partitions of each journal with corrections, moves, retractions, identities used twice, parked
    events that loads folded, and a partition read again. No test changes it."""
    values = list(generate_events(1_000, 3, catalogue=small_catalogue()))
    draw = Random(3)
    other = [{**orjson.loads(value), "source": "/another"} for value in draw.sample(values, 100)]
    values += draw.sample(values, 200) + [orjson.dumps(value) for value in other]
    draw.shuffle(values)
    appended = [Append(value, 10 + place // 20) for place, value in enumerate(values)]
    with connect(small_database_url) as connection, World(small_database_url, connection) as world:
        grown(world)
        world.play([*appended[:600], Load(), Load()])
        grown(world, 7)
        world.play([*appended[600:], ReadAgain(1), Load(), Load()])
        grown(world, 13)
        yield world


@pytest.fixture
def side_by_side(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Processes of their own however little there is to do; how many there were, of each rebuild."""
    numbers: list[int] = []

    class Noted(Parts):
        def __enter__(self) -> "Noted":
            super().__enter__()
            numbers.append(len(active_children()))
            return self

    monkeypatch.setattr(rebuild_module, "_LEAST_PER_PART", 1)
    monkeypatch.setattr(rebuild_module, "Parts", Noted)
    return numbers


@pytest.fixture
def connection(small_database_url: str, world: World) -> Iterator[Connection[TupleRow]]:
    """A connection to the world's database."""
    with connect(small_database_url) as connection:
        yield connection


def test_several_processes_make_what_one_makes(
    small_database_url: str, connection: Connection[TupleRow], side_by_side: list[int]
) -> None:
    live, made = contents(connection), shape(connection)
    assert all(live[table] for table in ("parked_events", "parked_reports", "figure_changes"))
    for what in (
        "select count(*) from count_changes where load_id > 1",
        "select count(*) from dead_letters",
        "select max(epoch) from case_events",
    ):
        assert connection.execute(what.encode()).fetchone() != (0,), what
    total = count_events(connection)
    for workers in (1, 8):
        told: list[int] = []
        done = rebuild(small_database_url, workers=workers, advance=told.append)
        assert (done.differences, done.is_switched, done.notes) == ([], True, [])
        assert sum(told) == done.events + done.reports == total
        assert (contents(connection), shape(connection)) == (live, made)
    # A process for each partition of each journal at most.
    assert side_by_side == [6]
    assert active_children() == []
    assert audit(connection).is_clean


def test_one_that_fails_ends_all_and_changes_nothing(
    small_database_url: str, connection: Connection[TupleRow], side_by_side: list[int]
) -> None:
    live, made = contents(connection), shape(connection)
    spoil = "update case_events set event_type = %s || event_type where subject = 'LC-14'"
    connection.execute(spoil, ("unheard-of.",))
    with pytest.raises(RuntimeError, match="unheard-of"):
        rebuild(small_database_url, workers=2)
    assert active_children() == []
    assert (contents(connection), shape(connection)) == (live, made)
    connection.execute(
        "update case_events set event_type = replace(event_type, 'unheard-of.', '') where subject = 'LC-14'"
    )
    assert rebuild(small_database_url, workers=2).is_identical
    assert side_by_side == [2, 2]


def test_one_that_is_killed_ends_all_and_changes_nothing(
    small_database_url: str, connection: Connection[TupleRow], side_by_side: list[int]
) -> None:
    live, made = contents(connection), shape(connection)

    def kill_one(_: int) -> None:
        pid = active_children()[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(DependencyDown, match="signal 9"):
        rebuild(small_database_url, workers=2, advance=kill_one)
    assert active_children() == []
    assert (contents(connection), shape(connection)) == (live, made)


KILLED = """
import os, signal, sys
from streams.stores import rebuild

if __name__ == "__main__":
    rebuild._LEAST_PER_PART = 1
    rebuild.rebuild(sys.argv[1], workers=2, advance=lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_where_the_leading_process_is_killed_the_others_end_by_themselves(
    small_database_url: str, connection: Connection[TupleRow]
) -> None:
    live = contents(connection)
    done = subprocess.run([sys.executable, "-c", KILLED, small_database_url], check=False)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while connection.execute("select 1 from pg_locks where objid = 7304").fetchone() is not None:
        assert time.monotonic() < deadline, "a process of the killed rebuild is still there"
    assert connection.execute("select to_regclass('shadow.cases')").fetchone() != (None,)
    assert contents(connection) == live
    assert rebuild(small_database_url).is_identical


def test_another_rebuild_waits_for_the_processes_of_one_that_was_killed(
    small_database_url: str, connection: Connection[TupleRow]
) -> None:
    connection.execute("select pg_advisory_lock_shared(7304)")
    with pytest.raises(ConfigurationError, match="last page"):
        rebuild(small_database_url)

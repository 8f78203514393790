"""What was published is printed again to the letter, whatever came after it."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from psycopg import Connection
from psycopg.errors import CheckViolation
from psycopg.rows import TupleRow

from streams.domain.counts import BASES
from streams.domain.errors import ConfigurationError
from streams.domain.positions import TOPIC
from streams.stores.counts import CountsRequest, one_view, read_counts
from streams.stores.database import connect
from streams.stores.snapshots import (
    Snapshot,
    as_published,
    keep_snapshot,
    publish_counts,
    read_snapshot,
    read_snapshots,
    reprint_counts,
)
from tests.builders import event
from tests.histories import (
    APPENDED_FROM,
    Append,
    Folded,
    Load,
    Publish,
    ReadAgain,
    Step,
    World,
    as_counted,
    counted_by,
    histories,
    request,
)

pytestmark = pytest.mark.native

ALL = CountsRequest(by=("disease", "district"), geography_on=date(2023, 7, 31))


def publish(connection: Connection[TupleRow], asked: CountsRequest = ALL, label: str = "Tuần 27") -> Snapshot:
    """Publish, and the books balance."""
    kept = publish_counts(connection, TOPIC, label, asked)
    assert kept is not None
    return kept


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=histories())
def test_a_snapshot_counts_exactly_what_was_folded_when_it_was_taken(
    small_database_url: str, connection: Connection[TupleRow], steps: list[Step]
) -> None:
    taken: list[tuple[Snapshot, Sequence[Folded]]] = []

    def take(world: World) -> None:
        taken.append((publish(connection), list(world.folded)))

    with World(small_database_url, connection, take) as world:
        world.play([*steps, Publish()])
        world.fold_all()
        # Whatever is still to come comes: every other catalogue, too.
        world.play([Load()] * 5)
    for snapshot, folded in taken:
        assert reprint_counts(connection, snapshot).differs is False
        for basis in BASES:
            with as_published(connection, snapshot) as notes:
                found = read_counts(connection, request(basis), snapshot.vector)
            assert (as_counted(found), list(notes)) == (counted_by(folded, basis), [])


@pytest.fixture
def world(small_database_url: str, connection: Connection[TupleRow]) -> Iterator[World]:
    """A world with two cases folded; a third is in Kafka, in the partition that lags."""
    with World(small_database_url, connection) as world:
        values = [event("LC-1", 1), event("LC-2", 2, disease="measles", area_code="03552")]
        late = next(f"LC-{n}" for n in range(3, 99) if partition_of(f"LC-{n}") != partition_of("LC-1"))
        world.play([Append(value, 0) for value in values])
        world.fold_all()
        world.play([Append(event(late, 3), 0)])
        yield world


def partition_of(subject: str) -> int:
    return Append(event(subject), 0).partition


def test_what_lagged_is_not_in_the_snapshot_and_corrections_and_loads_do_not_change_it(
    connection: Connection[TupleRow], world: World
) -> None:
    before = publish(connection)
    world.fold_all()
    after_lag = publish(connection)
    world.play(
        [
            Append(event("LC-1", 4, "updated", disease="measles"), 1),
            Append(event("LC-2", 5, "retracted"), 1),
            Append(event("LC-9", 6, disease="rubella"), 1),
        ]
    )
    world.fold_all()
    # Folds what was parked, moves a commune to another district, takes cases away, renames a disease.
    world.play([Load()] * 4)
    world.play([ReadAgain(0), ReadAgain(1)])
    world.fold_all()

    assert [(row["disease"], row["district"], row["notified"]) for row in orjson.loads(before.document)] == [
        ("dengue", "106", 1),
        ("measles", "109", 1),
    ]
    assert len(orjson.loads(after_lag.document)) == 2
    assert orjson.loads(after_lag.document)[0]["notified"] == 2
    assert publish(connection).document not in (before.document, after_lag.document)
    for snapshot in (before, after_lag):
        again = reprint_counts(connection, snapshot)
        assert (again.document, again.differs, list(again.notes)) == (snapshot.document, False, [])


def test_a_partition_that_is_read_again_is_counted_as_far_as_it_ever_was(
    connection: Connection[TupleRow], world: World
) -> None:
    before = publish(connection)
    world.play([ReadAgain(0, is_new=True), ReadAgain(1, is_new=True)])
    at_the_start_of_a_new_epoch = publish(connection)
    assert at_the_start_of_a_new_epoch.document == before.document
    world.play([Append(event(f"LC-{n}", n), 1) for n in range(100, 110)])
    world.fold_all()
    assert publish(connection).document != before.document
    for snapshot in (before, at_the_start_of_a_new_epoch):
        again = reprint_counts(connection, snapshot)
        assert (again.document, again.differs) == (before.document, False)


def test_another_question_is_answered_from_what_was_counted_then(
    connection: Connection[TupleRow], world: World
) -> None:
    snapshot = publish(connection)
    world.fold_all()
    world.play([Load()] * 4)
    with as_published(connection, snapshot):
        rows = read_counts(connection, replace(ALL, by=("commune",)), snapshot.vector)
    assert [(row["commune"], row["notified"]) for row in rows] == [("03412", 1), ("03552", 1)]


def test_plans_made_before_do_not_read_the_catalogue_of_today(
    connection: Connection[TupleRow], world: World
) -> None:
    snapshot = publish(connection)
    world.play([Load()] * 4)
    for _ in range(10):
        read_counts(connection, ALL, snapshot.vector)
    assert reprint_counts(connection, snapshot).differs is False


def test_snapshots_are_listed_the_newest_first(connection: Connection[TupleRow], world: World) -> None:
    first, second = publish(connection, label="Tuần 27"), publish(connection, label="Tuần 28")
    assert read_snapshots(connection) == [second, first]
    assert first.label == "Tuần 27"
    assert first.catalogue_version == "v1"
    assert first.settings["request"]["by"] == ["disease", "district"]
    assert first.sha256 == sha256(first.document.encode()).hexdigest()
    assert [(at["topic"], at["partition"], at["epoch"]) for at in first.positions] == [
        (TOPIC, 0, 0),
        (TOPIC, 1, 0),
        ("tally-events", 0, 0),
        ("tally-events", 1, 0),
    ]
    assert sum(at["next_offset"] for at in first.positions) == 2


def test_a_question_with_days_and_an_instant_is_kept_as_it_was(
    connection: Connection[TupleRow], world: World
) -> None:
    asked = replace(
        ALL, by=("day",), basis="report", province="12", disease="dengue", first=date(2023, 7, 1),
        last=date(2023, 7, 31), as_of=APPENDED_FROM + timedelta(minutes=1),
    )  # fmt: skip
    kept = publish_counts(connection, TOPIC, "x", asked, is_provisional=True)
    assert kept is not None
    assert orjson.loads(kept.document)[0]["provisional"] is True
    world.fold_all()
    again = reprint_counts(connection, kept)
    assert (again.document, again.differs) == (kept.document, False)


def test_counts_that_the_ledger_does_not_sum_to_are_not_published(
    connection: Connection[TupleRow], world: World
) -> None:
    for table in ("daily_counts", "district_totals"):
        connection.execute(f"update {table} set notified = notified + 1 where disease = 'measles'")  # noqa: S608
    assert publish_counts(connection, TOPIC, "x", ALL) is None
    assert read_snapshots(connection) == []


def test_a_ledger_that_was_edited_afterwards_is_noticed(
    connection: Connection[TupleRow], world: World
) -> None:
    snapshot = publish(connection)
    connection.execute("delete from count_changes where disease = 'measles'")
    again = reprint_counts(connection, snapshot)
    assert (again.document, again.differs) == (snapshot.document, True)


def test_a_catalogue_that_is_not_kept_is_said(connection: Connection[TupleRow], world: World) -> None:
    connection.execute("update catalogue_loads set content = null")
    snapshot = publish(connection)
    world.play([Load()] * 4)
    again = reprint_counts(connection, snapshot)
    # The commune stands in another district by now.
    assert again.differs
    assert "catalogue load 1 (v1)" in again.notes[0]


def test_the_view_is_fixed_only_when_a_switch_is_over(
    small_database_url: str, connection: Connection[TupleRow], world: World
) -> None:
    """A view from before it would find the new tables empty."""
    found: list[int] = []

    def count() -> None:
        with connect(small_database_url) as other, one_view(other):
            found.extend(row["notified"] for row in read_counts(other, replace(ALL, by=())))

    with connection.transaction():
        connection.execute("lock table daily_counts in access exclusive mode")
        connection.execute("update daily_counts set notified = 10 * notified where agent = ''")
        connection.execute("update district_totals set notified = 10 * notified")
        counting = threading.Thread(target=count)
        counting.start()
        with connect(small_database_url) as observer:
            while observer.execute("select from pg_locks where not granted").fetchone() is None:
                assert counting.is_alive()
    counting.join()
    assert found == [20]


def test_what_never_was_cannot_be_printed_again(connection: Connection[TupleRow], world: World) -> None:
    with pytest.raises(ConfigurationError, match="canhdich snapshots"):
        read_snapshot(connection, UUID(int=1))


def test_another_kind_of_document_is_kept_but_not_printed_as_counts(
    connection: Connection[TupleRow], world: World
) -> None:
    with one_view(connection):
        kept = keep_snapshot(
            connection, TOPIC, "Tuần 27", "situation_report", {"format": "md"}, "# Báo cáo\n"
        )
    assert (kept.kind, kept.document, kept.settings) == ("situation_report", "# Báo cáo\n", {"format": "md"})
    with pytest.raises(ConfigurationError, match="situation_report"):
        reprint_counts(connection, kept)


def test_a_document_that_was_edited_is_refused_by_the_database(
    connection: Connection[TupleRow], world: World
) -> None:
    publish(connection)
    with pytest.raises(CheckViolation):
        connection.execute("update snapshots set document = '[]'")

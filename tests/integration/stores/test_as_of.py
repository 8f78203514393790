"""Counts as of an instant: whatever the order of folding, those of what was known by then."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from psycopg import Connection
from psycopg.rows import TupleRow

from streams.domain.as_of import LogEnds
from streams.domain.counts import BASES
from streams.domain.positions import TOPIC
from streams.stores.counts import read_counts, read_counts_as_of
from tests.builders import TOPIC_ID, event
from tests.histories import (
    APPENDED_FROM,
    PARTITIONS,
    Append,
    Step,
    World,
    as_counted,
    counted_by,
    histories,
    request,
)

pytestmark = pytest.mark.native

on_a_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@on_a_database
@given(steps=histories())
def test_as_of_every_instant_the_counts_are_those_of_what_was_known_by_then(
    small_database_url: str, connection: Connection[TupleRow], steps: list[Step]
) -> None:
    with World(small_database_url, connection) as world:
        world.play(steps)
    for instant in sorted({entry.known_at for entry in world.folded}):
        known = [entry for entry in world.folded if entry.known_at <= instant]
        for basis in BASES:
            found = read_counts(connection, request(basis, as_of=instant))
            assert as_counted(found) == counted_by(known, basis), (instant, basis)


AS_OF = APPENDED_FROM + timedelta(minutes=5)
LATER = APPENDED_FROM + timedelta(minutes=30)


def never_asked() -> LogEnds:
    raise AssertionError("the database knows; Kafka was asked all the same")


def test_final_without_kafka_once_every_partition_is_past_the_instant(
    small_database_url: str, connection: Connection[TupleRow]
) -> None:
    with World(small_database_url, connection) as world:
        world.play([Append(event(f"LC-{n}", n), minute) for n, minute in enumerate(range(10), 1)])
        world.fold_all()
        rows, is_provisional = read_counts_as_of(
            connection, request("onset", as_of=AS_OF), TOPIC, PARTITIONS, never_asked
        )
    assert (sum(row["notified"] for row in rows), is_provisional) == (6, False)


def test_provisional_while_kafka_does_not_answer_or_has_more(
    small_database_url: str, connection: Connection[TupleRow]
) -> None:
    with World(small_database_url, connection) as world:
        world.play([Append(event("LC-1", 1), 0)])
        world.fold_all()
        end = {
            partition: int(partition == Append(event("LC-1"), 0).partition) for partition in range(PARTITIONS)
        }
        answers = {
            "silence": None,
            "all folded": LogEnds(TOPIC_ID, LATER, end),
            "one is left": LogEnds(TOPIC_ID, LATER, {p: offset + 1 for p, offset in end.items()}),
            "asked too early": LogEnds(TOPIC_ID, AS_OF, end),
        }
        found = {
            name: read_counts_as_of(
                connection, request("onset", as_of=AS_OF), TOPIC, PARTITIONS, lambda answer=answer: answer
            )[1]
            for name, answer in answers.items()
        }
    assert found == {"silence": True, "all folded": False, "one is left": True, "asked too early": True}


def test_kafka_is_asked_before_the_counts_are_read(
    small_database_url: str, connection: Connection[TupleRow]
) -> None:
    """What is folded between the question and the count is in the count that is called final."""
    with World(small_database_url, connection) as world:
        world.play([Append(event("LC-1", 1), 0)])

        def ask() -> LogEnds:
            world.fold_all()
            return LogEnds(
                TOPIC_ID, LATER, {p: 1 if p == Append(event("LC-1"), 0).partition else 0 for p in (0, 1)}
            )

        rows, is_provisional = read_counts_as_of(
            connection, request("onset", as_of=AS_OF), TOPIC, PARTITIONS, ask
        )
    assert (sum(row["notified"] for row in rows), is_provisional) == (1, False)

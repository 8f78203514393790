"""Where to read on from when partitions are assigned: every way in which log and database can disagree."""

from dataclasses import replace
from uuid import UUID

import pytest

from streams.domain.errors import DependencyDown
from streams.domain.positions import Position, Touched
from streams.handlers.fold_cases import Committed, FoldCases
from streams.handlers.reconcile import NEVER, LogState, reconcile, reconciled
from tests.builders import START, TOPIC_ID, event, judged_by, position, records, small_catalogue
from tests.fakes import FakeLog, InMemoryLedger, RecordingAnnouncements, run

LAST = b"last record's hash"
OTHER_TOPIC = UUID(int=8)
DENGUE = Touched("dengue", "03412@start")
MEASLES = Touched("measles", "03412@start")


def log(
    first_offset: int = 0,
    end_offset: int = 20,
    last_hash: bytes | None = LAST,
    topic_id: UUID = TOPIC_ID,
) -> LogState:
    return LogState(topic_id, first_offset, end_offset, last_hash)


FOLDED = position(10, announced_offset=7, last_known_at=START, last_hash=LAST)


def restarted(first_offset: int = 0, topic_id: UUID = TOPIC_ID) -> Position:
    """FOLDED, read again from the first offset that is there."""
    return Position(topic_id, 1, first_offset, first_offset, START, None)


@pytest.mark.parametrize(
    ("stored", "state", "agreed"),
    [
        pytest.param(None, log(), position(), id="never read"),
        pytest.param(
            None, log(first_offset=4), position(4, announced_offset=4), id="never read, the oldest are gone"
        ),
        pytest.param(FOLDED, log(), FOLDED, id="the same"),
        pytest.param(FOLDED, log(end_offset=10), FOLDED, id="the same, all of it folded"),
        pytest.param(FOLDED, log(end_offset=9), restarted(), id="truncated below what was folded"),
        pytest.param(FOLDED, log(last_hash=b"another"), restarted(), id="the last record is another one"),
        pytest.param(FOLDED, log(last_hash=None), restarted(), id="the last record is not there"),
        pytest.param(
            FOLDED, log(topic_id=OTHER_TOPIC), restarted(0, OTHER_TOPIC), id="the topic was made anew"
        ),
        pytest.param(
            FOLDED,
            log(first_offset=2, topic_id=OTHER_TOPIC),
            restarted(2, OTHER_TOPIC),
            id="made anew, its oldest are gone",
        ),
        pytest.param(
            position(10, announced_offset=7, last_known_at=START),
            log(last_hash=b"another"),
            position(10, announced_offset=7, last_known_at=START),
            id="no hash was stored: the topic's id decides",
        ),
        pytest.param(
            FOLDED,
            log(first_offset=9),
            position(10, announced_offset=9, last_known_at=START, last_hash=LAST),
            id="deleted after they were folded, before they were announced",
        ),
        pytest.param(
            FOLDED,
            log(first_offset=10, last_hash=None),
            position(10, announced_offset=10, last_known_at=START, last_hash=LAST),
            id="the last folded record was deleted: cannot be compared",
        ),
        pytest.param(
            FOLDED,
            log(first_offset=15, last_hash=None),
            position(15, announced_offset=15, last_known_at=START, last_hash=LAST),
            id="deleted before they were folded",
        ),
        pytest.param(position(), log(end_offset=0, last_hash=None), position(), id="nothing there yet"),
    ],
)
def test_where_to_read_on(stored: Position | None, state: LogState, agreed: Position) -> None:
    assert reconciled(stored, state) == agreed
    # Agreeing again changes nothing: the log has not moved.
    last_hash = state.last_hash if agreed.next_offset == FOLDED.next_offset else None
    again = LogState(state.topic_id, state.first_offset, max(state.end_offset, agreed.next_offset), last_hash)
    assert reconciled(agreed, again) == agreed


def test_known_at_goes_on_over_a_restart() -> None:
    assert reconciled(FOLDED, log(topic_id=OTHER_TOPIC)).last_known_at == START
    assert reconciled(None, log()).last_known_at == NEVER


def ledger(**stored: Position) -> InMemoryLedger:
    return InMemoryLedger(judged_by(small_catalogue()), {int(p[1:]): at for p, at in stored.items()})


async def ignore(_: Committed) -> None:
    """An announcement that the test is not about."""


def test_only_what_changed_is_stored() -> None:
    positions = ledger(p0=FOLDED, p1=FOLDED)
    kafka = FakeLog({0: log(), 1: log(end_offset=3), 2: log()})
    agreed = run(reconcile([2, 0, 1], positions, kafka, ignore))
    assert agreed == {0: FOLDED, 1: restarted(), 2: position()}
    assert positions.stored == agreed
    assert kafka.asked == [{0: 10, 1: 10, 2: None}]


def test_nothing_assigned_is_nothing_to_agree_on() -> None:
    assert run(reconcile([], ledger(), FakeLog({}), ignore)) == {}


def test_a_batch_that_commits_meanwhile_is_not_undone() -> None:
    """A zombie's batch moves the position between reading it and storing the new one."""
    positions = ledger(p0=FOLDED)
    moved = position(12, announced_offset=10, last_known_at=START, last_hash=b"twelfth")

    def commit() -> None:
        positions.stored[0] = moved

    kafka = FakeLog({0: log(topic_id=OTHER_TOPIC)}, before_answer=commit)
    agreed = run(reconcile([0], positions, kafka, ignore))
    assert agreed == positions.stored == {0: restarted(topic_id=OTHER_TOPIC)}
    # The first answer was thrown away: it was about a position that had moved.
    assert kafka.asked == [{0: 10}, {0: 12}]


def test_a_partition_first_read_by_two_at_once_is_stored_once() -> None:
    positions = ledger()
    other = position(3, last_known_at=START, last_hash=LAST)

    def read_by_another() -> None:
        positions.stored[0] = other

    kafka = FakeLog({0: log()}, before_answer=read_by_another)
    assert run(reconcile([0], positions, kafka, ignore)) == {0: other}


@pytest.mark.parametrize(
    ("state", "announced"),
    [
        pytest.param(log(topic_id=OTHER_TOPIC), {DENGUE, MEASLES}, id="the topic was made anew"),
        pytest.param(log(end_offset=1), {DENGUE, MEASLES}, id="truncated"),
        pytest.param(log(first_offset=2), {DENGUE, MEASLES}, id="deleted before they were announced"),
        pytest.param(log(), set(), id="the same: they are read again, and announced then"),
    ],
)
def test_what_was_folded_of_a_log_that_is_gone_is_announced_before_it_is_forgotten(
    state: LogState, announced: set[Touched]
) -> None:
    """Whoever folded offsets 1 and 2 ended before he announced them."""
    positions = ledger(p0=position())
    moved = [event("LC-1", 1, disease="rabies"), event("LC-2", 2), event("LC-3", 3, disease="measles")]
    run(FoldCases(positions, RecordingAnnouncements(), 1).handle(records(moved)))
    positions.stored[0] = replace(positions.stored[0], announced_offset=1)
    state = replace(state, last_hash=positions.stored[0].last_hash)
    stored_when_announced = []

    async def announce(committed: Committed) -> None:
        stored_when_announced.append((committed.touched, positions.stored[0].epoch))

    run(reconcile([0], positions, FakeLog({0: state}), announce))
    assert stored_when_announced == ([(announced, 0)] if announced else [])


def test_a_log_that_is_gone_is_forgotten_only_after_what_was_folded_of_it_is_announced() -> None:
    positions = ledger(p0=FOLDED)

    async def fail(_: Committed) -> None:
        raise DependencyDown("Kafka does not answer")

    with pytest.raises(DependencyDown):
        run(reconcile([0], positions, FakeLog({0: log(topic_id=OTHER_TOPIC)}), fail))
    assert positions.stored == {0: FOLDED}

"""As of an instant: final only when nothing that Kafka had by then can still come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.as_of import CLOCK_TOLERANCE, Folded, LogEnds, is_final

T = datetime(2023, 7, 4, 12, 0, tzinfo=UTC)
TOPIC, OTHER_TOPIC = UUID(int=1), UUID(int=2)
SECOND = timedelta(seconds=1)


def folded(next_offset: int, last_known_at: datetime) -> Folded:
    return Folded(TOPIC, next_offset, last_known_at)


def ends(offsets: Mapping[int, int], asked_at: datetime = T + timedelta(hours=1)) -> LogEnds:
    return LogEnds(TOPIC, asked_at, offsets)


def test_final_without_kafka_once_every_partition_knows_something_later() -> None:
    assert is_final(T, 2, {0: folded(5, T + SECOND), 1: folded(3, T + SECOND)}, None)


@pytest.mark.parametrize(
    "lagging",
    [
        pytest.param({1: folded(3, T)}, id="another record of the same instant may follow"),
        pytest.param({1: folded(3, T - SECOND)}, id="known only before"),
        pytest.param({}, id="never folded"),
    ],
)
def test_one_partition_that_lags_makes_it_provisional(lagging: Mapping[int, Folded]) -> None:
    assert not is_final(T, 2, {0: folded(5, T + SECOND), **lagging}, None)


@pytest.mark.parametrize(
    ("position", "log_ends", "expected"),
    [
        pytest.param(folded(3, T - SECOND), ends({0: 3}), True, id="folded to the end"),
        pytest.param(folded(4, T - SECOND), ends({0: 3}), True, id="more came after the question"),
        pytest.param(folded(2, T - SECOND), ends({0: 3}), False, id="one record is left"),
        pytest.param(folded(2, T + SECOND), ends({0: 3}), True, id="what is left is later"),
        pytest.param(None, ends({0: 0}), True, id="an empty partition"),
        pytest.param(None, ends({0: 1}), False, id="never folded, not empty"),
        pytest.param(folded(3, T - SECOND), ends({1: 3}), False, id="Kafka does not name the partition"),
        pytest.param(
            folded(3, T - SECOND), ends({0: 3}, T + CLOCK_TOLERANCE), False, id="the broker may be behind us"
        ),
        pytest.param(
            folded(3, T - SECOND), ends({0: 3}, T + CLOCK_TOLERANCE + SECOND), True, id="surely after it"
        ),
        pytest.param(folded(3, T - SECOND), ends({0: 3}, T - SECOND), False, id="an instant to come"),
        pytest.param(
            Folded(OTHER_TOPIC, 3, T - SECOND), ends({0: 3}), False, id="another topic of the same name"
        ),
    ],
)
def test_kafka_decides_where_the_database_does_not_know(
    position: Folded | None, log_ends: LogEnds, expected: bool
) -> None:
    assert is_final(T, 1, {} if position is None else {0: position}, log_ends) is expected


@dataclass
class Partition:
    """A log by its append times, and how much of it is folded."""

    log: list[datetime]
    done: int
    later: list[datetime] = field(default_factory=list)

    def known_ats(self) -> list[datetime]:
        """known_at of every record, also of those that come later."""
        latest = datetime.min.replace(tzinfo=UTC)
        found = []
        for appended_at in (*self.log, *self.later):
            latest = max(latest, appended_at)
            found.append(latest)
        return found


_instants = st.integers(-5, 5).map(lambda n: T + n * timedelta(minutes=1))


@st.composite
def partitions(draw: st.DrawFn, asked_at: datetime) -> Partition:
    """A partition whose clock may step back before it was asked; what comes later is stamped later."""
    log = draw(st.lists(_instants.filter(lambda at: at <= asked_at), max_size=4))
    later = draw(st.lists(st.integers(0, 9).map(lambda n: asked_at + n * SECOND), max_size=2))
    return Partition(log, draw(st.integers(0, len(log))), later)


@given(data=st.data(), asked_at=_instants, answers=st.booleans())
def test_what_is_called_final_never_changes(data: st.DataObject, asked_at: datetime, answers: bool) -> None:
    logs = data.draw(st.lists(partitions(asked_at), min_size=1, max_size=3))
    positions = {
        number: folded(log.done, log.known_ats()[log.done - 1]) for number, log in enumerate(logs) if log.done
    }
    said = LogEnds(TOPIC, asked_at, {n: len(log.log) for n, log in enumerate(logs)}) if answers else None
    if is_final(T, len(logs), positions, said):
        assert all(known_at > T for log in logs for known_at in log.known_ats()[log.done :])

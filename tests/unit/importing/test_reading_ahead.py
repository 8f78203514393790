"""Rows are read while those before them are sent; what a row's digest is made of never changes."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.importing.line_list import case_row
from services.importing.run import one_ahead


def test_the_next_is_read_while_one_is_worked_on_and_no_more() -> None:
    read: list[int] = []
    is_read = threading.Condition()

    def source() -> Iterator[int]:
        for number in range(4):
            with is_read:
                read.append(number)
                is_read.notify()
            yield number

    taken = []
    with closing(one_ahead(source())) as numbers:
        for number in numbers:
            with is_read:
                # As far as one ahead without anybody asking for it.
                assert is_read.wait_for(lambda: len(read) >= min(len(taken) + 2, 4), timeout=60)
            assert read == list(range(min(len(taken) + 2, 4)))
            taken.append(number)
    assert taken == [0, 1, 2, 3]


def test_what_cannot_be_read_is_raised_after_what_could() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    taken = []
    with closing(one_ahead(source())) as numbers, pytest.raises(OSError, match="the disk is gone"):
        taken.extend(iter(numbers))
    assert taken == [1]


def test_whoever_stops_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with closing(one_ahead(iter(range(9)))) as numbers:
        assert next(numbers) == 0
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize(
    ("event_id", "event_time", "values", "said", "digests"),
    [
        (
            UUID(int=7),
            datetime(2025, 8, 10, 3, 30, tzinfo=UTC),
            {"disease": "dengue", "lab.dengue": "positive", "age_years": 3.5, "hamlet": "Bản Cốc"}
            | {"hospitalised": True, "severity": None},
            {"disease", "lab.*", "age_years", "hamlet"},
            ("cb6472e90293a412", "d644b5e1195b0729"),
        ),
        (None, None, {"disease": "dengue"}, set(), ("4e1641e3836898d3", "d37ab5314132d0de")),
    ],
)
def test_digests_are_those_that_earlier_imports_remember(
    event_id: UUID | None,
    event_time: datetime | None,
    values: dict[str, Any],
    said: set[str],
    digests: tuple[str, str],
) -> None:
    row = case_row(5, "LC-1", event_id, event_time, values, frozenset(said))
    assert (row.content_digest, row.digest) == digests

"""The order of effects: committed, then announced; redelivered, announced again and folded once."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics.partitioner import partition_for
from streams.domain.counts import COUNTERS
from streams.domain.errors import DependencyDown, OutOfStep
from streams.domain.positions import Touched
from streams.handlers.fold_cases import Batch, Committed, FoldCases, Record, View
from tests.builders import START, event, judged_by, minutes, position, records, small_catalogue, spread, uuid
from tests.fakes import (
    Faults,
    FaultyAnnouncements,
    FaultyLedger,
    InMemoryLedger,
    RecordingAnnouncements,
    run,
)

CATALOGUE = judged_by(small_catalogue())
DENGUE = Touched("dengue", "03412@start")
MEASLES = Touched("measles", "03412@start")


class Bench:
    """A handler over an in-memory database; `restart` is a new process on the same one."""

    def __init__(self, partitions: int = 1) -> None:
        self.partitions = partitions
        self.ledger = InMemoryLedger(CATALOGUE, {p: position() for p in range(partitions)})
        self.announcements = RecordingAnnouncements()
        self.handler = FoldCases(self.ledger, self.announcements, partitions)

    def restart(self, faults: Faults | None = None) -> FoldCases:
        """A handler that remembers nothing, its calls going through faults."""
        faults = faults or Faults()
        self.handler = FoldCases(
            FaultyLedger(self.ledger, faults),
            FaultyAnnouncements(self.announcements, faults),
            self.partitions,
        )
        return self.handler

    def handle(self, batch: Sequence[Record]) -> int:
        return run(self.handler.handle(batch))

    @property
    def notified(self) -> int:
        """Cases by day of onset."""
        place = COUNTERS.index("notified")
        return sum(
            amounts[place]
            for key, amounts in self.ledger.counts.items()
            if key.basis == "onset" and not key.via and not key.agent
        )

    def facts(self) -> tuple[object, ...]:
        """All that must not depend on how records came: cases, counts, ledger, dead letters, positions."""
        ledger = self.ledger
        return (
            ledger.cases,
            ledger.counts,
            Counter((at, subject, event_id, change) for at, subject, event_id, change in ledger.rows),
            [(e.known_at, e.partition, e.offset) for e in sorted(ledger.journal, key=lambda e: e.offset)],
            sorted((d.partition, d.offset, d.error, d.known_at) for d in ledger.dead),
            {p: (at.next_offset, at.last_hash, at.last_known_at) for p, at in ledger.stored.items()},
        )


MIXED = records(
    [
        event(),
        event("LC-2", 2, disease="measles"),
        event(disease="measles"),
        event("LC-1", 3, "updated", START + minutes(1), area_code="03549"),
        event("LC-3", 4, disease="unheard_of"),
        event("LC-2", 5, "retracted", START + minutes(2)),
    ]
)
"""A case that moves, a conflict of identities, a parked event, a retraction."""


def test_the_order_is_commit_then_dead_letters_then_counts() -> None:
    bench = Bench()
    faults = Faults()
    run(bench.restart(faults).handle(MIXED))
    assert faults.calls == ["view", "commit", "bury", "publish"]


def test_nothing_is_announced_that_is_not_committed() -> None:
    bench = Bench()
    with pytest.raises(DependencyDown):
        run(bench.restart(Faults(1)).handle(MIXED))
    assert bench.announcements.published == []
    assert bench.announcements.buried == []
    assert not bench.ledger.journal


def test_an_announcement_that_failed_is_made_when_the_batch_comes_again() -> None:
    bench = Bench()
    with pytest.raises(DependencyDown):
        run(bench.restart(Faults(3)).handle(MIXED))
    assert bench.ledger.journal, "committed before it is announced"
    assert bench.announcements.published == []
    rows = list(bench.ledger.rows)
    run(bench.restart().handle(MIXED))
    assert bench.ledger.rows == rows
    assert set(bench.announcements.published) == {DENGUE, MEASLES, Touched("dengue", "03549@start")}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("failing", range(9))
def test_a_fault_at_any_call_changes_nothing_in_the_end(
    failing: int, when: Literal["before", "after"]
) -> None:
    calm = Bench()
    calm.handle(MIXED[:4])
    calm.handle(MIXED[4:])

    bench = Bench()
    handler = bench.restart(Faults(failing, when))
    for batch in (MIXED[:4], MIXED[4:]):
        while True:
            try:
                run(handler.handle(batch))
            except DependencyDown:
                continue
            break
    assert bench.facts() == calm.facts()
    assert set(bench.announcements.published) == set(calm.announcements.published)
    assert {d.offset for d in bench.announcements.buried} == {d.offset for d in calm.announcements.buried}


def test_a_redelivered_batch_is_announced_again_and_folded_once() -> None:
    bench = Bench()
    bench.handle(MIXED)
    once = bench.facts()
    published, buried = list(bench.announcements.published), list(bench.announcements.buried)
    run(bench.restart().handle(MIXED))
    assert bench.facts() == once
    assert Counter(bench.announcements.published) == Counter(published * 2)
    assert [letter.offset for letter in bench.announcements.buried] == [
        letter.offset for letter in buried * 2
    ]


def test_a_batch_that_is_half_known_folds_the_other_half() -> None:
    bench = Bench()
    bench.handle(MIXED[:3])
    bench.restart()
    dead = bench.handle(MIXED)
    assert dead == 1
    calm = Bench()
    calm.handle(MIXED)
    assert bench.facts() == calm.facts()


def test_what_two_processes_in_a_row_did_not_announce_is_still_announced_by_the_third() -> None:
    diseases = ("dengue", "measles", "rubella", "rash")
    batch = records([event(f"LC-{n}", n + 1, disease=disease) for n, disease in enumerate(diseases)])
    bench = Bench()
    # Each ends between its commit and its announcements; the second finds half of its batch known.
    for end, size in (("bury", 2), ("replayed", 3)):
        rest = batch[bench.ledger.stored[0].announced_offset : size]
        faults = Faults(2)
        with pytest.raises(DependencyDown):
            run(bench.restart(faults).handle(rest))
        assert faults.calls[-2:] == ["commit", end]
    bench.restart()
    bench.handle(batch[bench.ledger.stored[0].announced_offset :])
    assert {touched.disease for touched in bench.announcements.published} == set(diseases)


def test_a_missing_record_is_never_skipped() -> None:
    bench = Bench()
    with pytest.raises(OutOfStep, match="offset 1 came, 0 was due"):
        bench.handle(MIXED[1:])
    with pytest.raises(OutOfStep, match="offset 2 came, 1 was due"):
        bench.handle([MIXED[0], MIXED[2]])
    assert bench.facts() == Bench().facts()


def test_a_partition_without_a_position_is_not_folded() -> None:
    bench = Bench()
    bench.ledger.stored.clear()
    with pytest.raises(OutOfStep, match="partition 0: the database has no position"):
        bench.handle(MIXED)


def test_a_zombie_folds_nothing_and_announces_the_same() -> None:
    bench = Bench()
    bench.handle(MIXED[:2])
    zombie = bench.handler
    run(bench.restart().handle(MIXED[2:]))
    after = bench.facts()
    bench.announcements.published.clear()
    run(zombie.handle(MIXED[2:]))
    assert bench.facts() == after
    # LC-1 moved from one commune to the other, LC-2 was retracted.
    assert set(bench.announcements.published) == {DENGUE, MEASLES, Touched("dengue", "03549@start")}


def test_a_catalogue_loaded_between_two_batches_judges_the_second() -> None:
    bench = Bench()
    bench.handle(MIXED[:1])
    bench.ledger.catalogue = replace(
        CATALOGUE, load_id=2, resolves_to={**CATALOGUE.resolves_to, "unheard_of": {}}
    )
    bench.handle(MIXED[1:])
    assert [entry.load_id for entry in bench.ledger.journal] == [1, 2, 2, 2, 2]
    assert not bench.ledger.parked


def test_forgetting_reads_the_view_again() -> None:
    bench = Bench()
    faults = Faults()
    handler = bench.restart(faults)
    run(handler.handle(MIXED[:1]))
    run(handler.handle(MIXED[1:2]))
    handler.forget()
    run(handler.handle(MIXED[2:]))
    assert faults.calls.count("view") == 2


def test_what_a_commit_knew_is_not_remembered_past_a_rebalance() -> None:
    """The rebalance found another log and began an epoch: offsets that were folded are to be folded again."""
    bench = Bench()

    class Rebalanced(InMemoryLedger):
        async def commit(self, view: View, batch: Batch) -> Committed:
            committed = await super().commit(view, batch)
            handler.forget()
            self.stored[0] = replace(self.stored[0], epoch=1, next_offset=0)
            return committed

    handler = FoldCases(Rebalanced(CATALOGUE, bench.ledger.stored), bench.announcements, 1)
    ledger = handler._ledger
    assert isinstance(ledger, Rebalanced)
    run(handler.handle(MIXED[:2]))
    run(handler.handle(records([event("LC-9", 9)])))
    assert [(entry.epoch, entry.event.subject) for entry in ledger.journal][-1] == (1, "LC-9")


@pytest.mark.parametrize(
    ("record", "error", "code"),
    [
        (Record(0, 0, START, b"LC-1", b"\xff\x00{"), "invalid_event", "not_json"),
        (Record(0, 0, START, b"LC-1", b"[]"), "invalid_event", "not_object"),
        (Record(0, 0, START, b"LC-1", None), "invalid_event", "not_json"),
        (Record(0, 0, START, b"LC-1", b""), "invalid_event", "not_json"),
        (Record(0, 0, START, b"LC-1", b"0" * 1_000_000), "invalid_event", "too_large"),
        (Record(0, 0, START, b"LC-1", event(time=START + minutes(11))), "invalid_event", "in_future"),
        (Record(0, 0, START, b"LC-1", event(onset_on="2023-07-11")), "invalid_event", "in_future"),
        (Record(0, 0, START, b"LC-1", event(ho_ten="Lò Văn Pâng")), "invalid_event", "unknown_field"),
        (Record(0, 0, START, b"0912345678", event("0912345678")), "invalid_event", "identifier"),
        (Record(0, 0, START, b"LC-2", event("LC-1")), "misplaced_record", "key_is_not_subject"),
        (Record(0, 0, START, None, event("LC-1")), "misplaced_record", "key_is_not_subject"),
    ],
)
def test_a_record_that_is_no_event_is_dead_lettered(record: Record, error: str, code: str) -> None:
    bench = Bench()
    assert bench.handle([record, *records([event("LC-9", 9)], first_offset=1)]) == 1
    (letter,) = bench.announcements.buried
    assert (letter.partition, letter.offset, letter.error) == (0, 0, error)
    assert code in {problem["code"] for problem in letter.problems}
    assert all(problem["message_vi"] and problem["message_en"] for problem in letter.problems)
    for person in (b"0912345678", "Pâng".encode()):
        assert person not in letter.value + (letter.key or b"")
    assert bench.notified == 1


@pytest.mark.parametrize(
    ("value", "identity"),
    [
        (event(onset_on="2023-07-11"), ("LC-1", uuid(1))),
        (event("0912345678"), (None, uuid(1))),
        (event().replace(str(uuid(1)).encode(), b"x" * 36), ("LC-1", None)),
        (b"[]", (None, None)),
        (b"", (None, None)),
    ],
)
def test_a_dead_letter_is_found_by_what_its_record_is_known_by(
    value: bytes, identity: tuple[str | None, UUID | None]
) -> None:
    bench = Bench()
    bench.handle([Record(0, 0, START, b"LC-1", value)])
    (letter,) = bench.announcements.buried
    assert (letter.subject, letter.event_id) == identity


def test_the_limit_of_the_future_is_ten_minutes_after_the_record() -> None:
    bench = Bench()
    in_time = event("LC-1", 1, time=START + minutes(10))
    assert bench.handle([Record(0, 0, START, b"LC-1", in_time)]) == 0


def test_a_record_in_a_partition_that_is_not_its_keys_is_dead_lettered() -> None:
    bench = Bench(partitions=2)
    wrong = 1 - partition_for(b"LC-1", 2)
    assert bench.handle([Record(wrong, 0, START, b"LC-1", event())]) == 1
    (letter,) = bench.announcements.buried
    assert (letter.error, letter.problems[0]["code"]) == ("misplaced_record", "wrong_partition")
    assert (letter.subject, letter.event_id) == ("LC-1", uuid(1))
    right = Record(partition_for(b"LC-1", 2), 0, START, b"LC-1", event())
    assert bench.handle([right]) == 0
    assert bench.notified == 1


def test_a_record_with_thousands_of_faults_makes_a_letter_that_can_be_sent() -> None:
    bench = Bench()
    fields: dict[str, Any] = {f"f{n}": 1 for n in range(5_000)}
    unknown = event(**fields)
    assert len(unknown) < 64 * 1024
    bench.handle([Record(0, 0, START, b"LC-1", unknown)])
    (letter,) = bench.announcements.buried
    size = len(letter.value) + len(json.dumps(letter.problems, ensure_ascii=False).encode())
    assert size < 500_000, "Kafka takes a million bytes"


@pytest.mark.parametrize("place", range(7))
def test_one_value_that_the_database_refuses_does_not_stop_the_others(place: int) -> None:
    values = [event(f"LC-{n}", n + 1) for n in range(7)]
    bench = Bench()
    bench.ledger.refused = {f"LC-{place}"}
    assert bench.handle(records(values)) == 1
    (letter,) = bench.announcements.buried
    assert (letter.offset, letter.error) == (place, "refused_by_database")
    assert letter.problems[0]["code"] == "refused_by_database"
    assert bench.notified == 6
    assert bench.ledger.stored[0].next_offset == 7
    assert bench.ledger.dead == [letter]
    # The whole batch again: known by now.
    run(bench.restart().handle(records(values)))
    assert bench.notified == 6
    assert [again.offset for again in bench.announcements.buried] == [place, place]


def test_a_refused_record_among_known_ones_is_found_too() -> None:
    batch = records([event(f"LC-{n}", n + 1) for n in range(5)])
    bench = Bench()
    bench.handle(batch[:3])
    bench.ledger.refused = {"LC-4"}
    bench.restart()
    assert bench.handle(batch) == 1
    assert bench.notified == 4


_KINDS = st.sampled_from(["reported", "reported", "updated", "retracted"])
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "disease": st.sampled_from(["dengue", "rash", "unheard_of"]),
    "area_code": st.sampled_from(["03412", "03549", "12", "99999"]),
    "onset_on": st.sampled_from([None, "2023-07-01", "2023-07-02"]),
    "lab": st.sampled_from([None, {"measles": "positive"}, {"measles": "negative", "rubella": "positive"}]),
    "outcome": st.sampled_from(["dead", "recovered", None]),
    "classification": st.sampled_from(["confirmed", "discarded"]),
}


@st.composite
def values(draw: st.DrawFn) -> bytes:
    """An event of one of five cases; few ids, so that repeats and conflicts are common; some no events."""
    if draw(st.integers(0, 9)) == 0:
        return draw(
            st.sampled_from([event(ho_ten="Lò Văn Pâng"), event("LC-2", time=START + minutes(60 * 24))])
        )
    kind = draw(_KINDS)
    data = {} if kind == "retracted" else draw(st.fixed_dictionaries({}, optional=_FIELDS))
    if kind == "updated" and not data:
        data = {"sex": "male"}
    if kind == "reported":
        data = {name: value for name, value in data.items() if value is not None or name == "onset_on"}
    return event(
        draw(st.sampled_from([f"LC-{n}" for n in range(5)])),
        draw(st.integers(1, 12)),
        kind,
        START + minutes(draw(st.integers(-3, 3))),
        **data,
    )


def _in_two_partitions(drawn: list[bytes]) -> list[Record]:
    return spread(drawn, 2)


@given(batch=st.lists(values(), min_size=1, max_size=25).map(_in_two_partitions), data=st.data())
def test_any_split_with_any_redelivery_gives_the_same(batch: list[Record], data: st.DataObject) -> None:
    calm = Bench(2)
    calm.handle(batch)

    bench = Bench(2)
    done = 0
    while done < len(batch):
        first = data.draw(st.integers(0, done), label="first")
        last = data.draw(st.integers(done + 1, len(batch)), label="last")
        if data.draw(st.booleans(), label="new process"):
            bench.restart()
        bench.handle(batch[first:last])
        done = last
    assert bench.facts() == calm.facts()
    assert set(bench.announcements.published) == set(calm.announcements.published)


@given(
    batch=st.lists(values(), min_size=1, max_size=25).map(_in_two_partitions),
    ends=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["before", "after"])), max_size=6),
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=5),
)
def test_processes_that_end_anywhere_lose_no_announcement(
    batch: list[Record], ends: list[tuple[int, Literal["before", "after"]]], sizes: list[int]
) -> None:
    calm = Bench(2)
    calm.handle(batch)

    bench = Bench(2)
    size = cycle(sizes)
    # For each ledger row, what had been announced before it was written.
    silence: list[int] = []
    for faults in (*(Faults(*end) for end in ends), Faults()):
        # A new process: from where the database says that everything is announced.
        starts = {partition: at.announced_offset for partition, at in bench.ledger.stored.items()}
        rest = [record for record in batch if record.offset >= starts[record.partition]]
        handler = bench.restart(faults)
        with suppress(DependencyDown):
            while rest:
                taken = next(size)
                announced = len(bench.announcements.published)
                try:
                    run(handler.handle(rest[:taken]))
                finally:
                    silence += [announced] * (len(bench.ledger.rows) - len(silence))
                rest = rest[taken:]
    assert bench.facts() == calm.facts()
    for (*_, change), announced in zip(bench.ledger.rows, silence, strict=True):
        assert Touched(change.key.disease, change.key.area_id) in bench.announcements.published[announced:]
    assert {(d.partition, d.offset) for d in bench.announcements.buried} == {
        (d.partition, d.offset) for d in calm.announcements.buried
    }

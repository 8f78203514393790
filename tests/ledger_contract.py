"""What every Ledger and Positions must do; the fake and the real one are held to the same tests.

A class that inherits from LedgerContract gives the fixture `store`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

import orjson
import pytest

import schemas.catalogue as published
from schemas.topics.partitioner import partition_for
from streams.domain.case import Case, state_of
from streams.domain.counts import COUNTERS, Amounts, CountKey
from streams.domain.errors import RefusedData, ViewMoved
from streams.domain.positions import Position, Touched
from streams.handlers.fold_cases import Batch, Committed, DeadLetter, Ledger, Record, View, decode
from streams.handlers.reconcile import Positions
from tests.builders import DISEASES, START, event, minutes, position, records, small_catalogue, uuid
from tests.fakes import run

DENGUE_03412 = Touched("dengue", "03412@start")
NOTIFIED = COUNTERS.index("notified")
LedgerRow = tuple[Any, str, UUID, CountKey, Amounts]


class StoredLedger(Ledger, Positions, Protocol):
    """Both ports, as one object has them."""


class Store(Protocol):
    """One database with the small catalogue and partitions 0 and 1 at offset 0, and what stands in it."""

    def open(self) -> StoredLedger:
        """Another object on the same database: another worker."""

    def load(self, catalogue: published.Catalogue) -> None:
        """Put a catalogue in force."""

    def rows(self) -> list[LedgerRow]:
        """The ledger, sorted."""

    def counts(self) -> dict[CountKey, Amounts]:
        """The daily counts that are not zero."""

    def case(self, subject: str) -> Case:
        """A case as stored."""

    def journal(self) -> list[tuple[Any, int, int, int, int, str, UUID, str | None, bool]]:
        """known_at, partition, epoch, offset, load, subject, event id, area, is parked; in offset order."""

    def parked(self) -> set[tuple[str, UUID, str, str]]:
        """Subject, event id, reason, code."""

    def dead(self) -> list[DeadLetter]:
        """Dead letters, by partition, epoch and offset."""


def judged(view: View, batch: Sequence[Record], partition_count: int = 1) -> Batch:
    """A batch that begins where everything before it was announced."""
    firsts: dict[int, int] = {}
    for record in batch:
        firsts.setdefault(record.partition, record.offset)
    return decode(batch, view, partition_count, firsts)


def fold(ledger: Ledger, batch: Sequence[Record], partition_count: int = 1) -> Committed:
    """View, judge and commit."""
    view = run(ledger.view({record.partition for record in batch}))
    return run(ledger.commit(view, judged(view, batch, partition_count)))


def notified(store: Store, **key: Any) -> int:
    """Cases by day of onset over the counts whose key has these fields."""
    wanted = {"basis": "onset", "via": "", "agent": "", **key}
    return sum(
        amounts[NOTIFIED]
        for found, amounts in store.counts().items()
        if all(getattr(found, name) == value for name, value in wanted.items())
    )


class LedgerContract:
    """The laws of the ports."""

    def test_a_first_batch_is_journaled_folded_and_counted(self, store: Store) -> None:
        batch = records(
            [event(), event("LC-2", 2, disease="measles"), event(number=3, kind="updated", sex="male")]
        )
        committed = fold(store.open(), batch)
        assert committed.touched == {DENGUE_03412, Touched("measles", "03412@start")}
        assert not committed.dead
        assert [(row[1:4], row[5:7]) for row in store.journal()] == [
            ((0, 0, 0), ("LC-1", uuid(1))),
            ((0, 0, 1), ("LC-2", uuid(2))),
            ((0, 0, 2), ("LC-1", uuid(3))),
        ]
        assert state_of(store.case("LC-1"))["sex"] == "male"
        assert (notified(store, disease="dengue"), notified(store, disease="measles")) == (1, 1)
        assert {(row[1], row[2]) for row in store.rows()} == {("LC-1", uuid(1)), ("LC-2", uuid(2))}

    def test_a_batch_moves_its_positions_and_no_others(self, store: Store) -> None:
        ledger = store.open()
        batch = records([event(), event("LC-2", 2)])
        fold(ledger, batch)
        stored = run(ledger.positions([0, 1, 2]))
        assert stored == {
            0: position(2, announced_offset=0, last_known_at=batch[1].appended_at, last_hash=batch[1].hash),
            1: position(),
        }
        assert run(ledger.view([0, 1])).positions == stored

    def test_a_repeat_in_the_same_batch_counts_once(self, store: Store) -> None:
        committed = fold(store.open(), records([event(), event(), event("LC-2", 2), event()]))
        assert committed.dead == []
        assert notified(store) == 2
        assert len(store.journal()) == 2

    def test_a_repeat_in_a_later_batch_moves_nothing_but_the_position(self, store: Store) -> None:
        ledger = store.open()
        fold(ledger, records([event()]))
        rows, journal = store.rows(), store.journal()
        committed = fold(ledger, records([event()], first_offset=1))
        assert committed == Committed(frozenset(), [])
        assert (store.rows(), store.journal()) == (rows, journal)
        assert run(ledger.positions([0]))[0].next_offset == 2

    def test_a_commit_says_how_many_events_are_new_and_how_many_parked(self, store: Store) -> None:
        ledger = store.open()
        unknown = event("LC-3", 3, disease="unheard_of")
        first = fold(ledger, records([event(), event(), event(sex="male"), event("LC-2", 2), unknown]))
        assert (first.journaled, first.parked, len(first.dead)) == (3, 1, 1)
        again = fold(ledger, records([event(), unknown, event("LC-4", 4)], first_offset=5))
        assert (again.journaled, again.parked) == (1, 0)

    def test_the_same_id_of_another_case_is_another_event(self, store: Store) -> None:
        fold(store.open(), records([event("LC-1", 1), event("LC-2", 1)]))
        assert notified(store) == 2

    def test_of_two_contents_in_one_batch_the_first_offset_wins(self, store: Store) -> None:
        first, second = event(), event(disease="measles")
        committed = fold(store.open(), records([first, second, first]))
        assert (notified(store, disease="dengue"), notified(store, disease="measles")) == (1, 0)
        (letter,) = committed.dead
        assert (letter.offset, letter.error, letter.subject, letter.event_id) == (
            1,
            "identity_conflict",
            "LC-1",
            uuid(1),
        )
        assert letter.value == second
        assert letter.standing == first
        assert store.dead() == [letter]

    def test_of_two_contents_in_two_batches_the_first_offset_wins(self, store: Store) -> None:
        ledger = store.open()
        fold(ledger, records([event()]))
        committed = fold(ledger, records([event(disease="measles"), event("LC-2", 2)], first_offset=1))
        assert (notified(store, disease="dengue"), notified(store, disease="measles")) == (2, 0)
        (letter,) = committed.dead
        assert (letter.offset, letter.error) == (1, "identity_conflict")
        assert letter.standing is not None
        standing = orjson.loads(letter.standing)
        assert (standing["id"], standing["data"]["disease"]) == (str(uuid(1)), "dengue")
        assert store.dead() == [letter]

    def test_every_version_that_loses_is_kept(self, store: Store) -> None:
        ledger = store.open()
        fold(ledger, records([event()]))
        versions = [event(disease="measles"), event(disease="rubella"), event(disease="rash")]
        committed = fold(ledger, records(versions, first_offset=1))
        assert sorted(letter.offset for letter in committed.dead) == [1, 2, 3]

    def test_a_record_that_is_no_event_is_kept_redacted(self, store: Store) -> None:
        ledger = store.open()
        batch = [
            Record(0, 0, START, b"LC-1", b"not JSON"),
            Record(0, 1, START, b"LC-1", None),
            Record(0, 2, START, None, event(ho_ten="Giàng A Súa")),
        ]
        committed = fold(ledger, batch)
        assert [letter.error for letter in committed.dead] == ["invalid_event"] * 3
        assert "Súa" not in repr(committed.dead)
        assert store.dead() == list(committed.dead)
        assert run(ledger.positions([0]))[0].next_offset == 3

    def test_a_zombie_is_refused(self, store: Store) -> None:
        zombie, worker = store.open(), store.open()
        batch = records([event(), event("LC-2", 2)])
        old_view = run(zombie.view([0]))
        fold(worker, batch)
        rows = store.rows()
        with pytest.raises(ViewMoved):
            run(zombie.commit(old_view, judged(old_view, batch)))
        assert store.rows() == rows
        # With a fresh view the zombie goes on where the worker ended.
        fold(zombie, records([event("LC-3", 3)], first_offset=2))
        assert notified(store) == 3

    def test_workers_on_two_partitions_do_not_disturb_each_other(self, store: Store) -> None:
        one, other = store.open(), store.open()
        of = {partition_for(f"LC-{n}".encode(), 2): f"LC-{n}" for n in range(20)}
        views = run(one.view([0])), run(other.view([1]))
        for ledger, view, partition in ((one, views[0], 0), (other, views[1], 1)):
            batch = records([event(of[partition])], partition=partition)
            run(ledger.commit(view, judged(view, batch, 2)))
        assert notified(store) == 2

    def test_a_catalogue_loaded_meanwhile_refuses_the_batch(self, store: Store) -> None:
        ledger = store.open()
        # So far ahead that the load, which is never before any event, does not move the position.
        ahead = position(last_known_at=START + minutes(60 * 24 * 365 * 50))
        assert run(ledger.replace_positions({0: position()}, {0: ahead}))
        batch = records([event()])
        view = run(ledger.view([0]))
        store.load(
            small_catalogue("next", diseases=(*DISEASES, replace(DISEASES[0], code="dengue_2", agents=())))
        )
        with pytest.raises(ViewMoved):
            run(ledger.commit(view, judged(view, batch)))
        assert not store.journal()
        assert fold(ledger, batch).touched == {DENGUE_03412}
        assert [row[4] for row in store.journal()] == [2]

    def test_replayed_names_what_was_announced(self, store: Store) -> None:
        ledger = store.open()
        moved = [
            event(),
            b'{"no": "event"',
            event(),
            event(disease="rash"),
            event("LC-2", 2, disease="measles"),
        ]
        batch = [
            Record(0, offset, START, b"LC-2" if offset == 4 else b"LC-1", value)
            for offset, value in enumerate(moved)
        ]
        committed = fold(ledger, batch)
        assert len(committed.dead) == 2
        again = run(ledger.replayed({0: (0, 4)}))
        assert again.touched == committed.touched
        assert list(again.dead) == sorted(committed.dead, key=lambda letter: letter.offset)
        assert run(store.open().replayed({0: (0, 4)})) == again

    def test_replayed_keeps_to_its_offsets_and_partitions(self, store: Store) -> None:
        ledger = store.open()
        fold(
            ledger,
            records([event(), event("LC-2", 2, disease="measles"), event("LC-3", 3, disease="rubella")]),
        )
        assert run(ledger.replayed({0: (1, 1)})).touched == {Touched("measles", "03412@start")}
        assert run(ledger.replayed({1: (0, 2)})).touched == frozenset()
        assert run(ledger.replayed({0: (0, 0), 1: (0, 9)})).touched == {DENGUE_03412}

    def test_replayed_names_both_sides_of_a_move(self, store: Store) -> None:
        ledger = store.open()
        fold(ledger, records([event()]))
        moved = event(number=2, kind="updated", time=START + minutes(1), area_code="03549")
        committed = fold(ledger, records([moved], first_offset=1))
        assert committed.touched == {DENGUE_03412, Touched("dengue", "03549@start")}
        assert run(ledger.replayed({0: (1, 1)})).touched == committed.touched

    def test_unannounced_is_what_was_folded_since_the_last_announcement(self, store: Store) -> None:
        ledger = store.open()
        fold(ledger, records([event(), event("LC-2", 2, disease="measles")]))
        broken = Record(0, 3, START, None, b"?")
        committed = fold(ledger, [*records([event("LC-3", 3, disease="rubella")], first_offset=2), broken])
        before = run(ledger.positions([0]))
        assert run(ledger.replace_positions(before, {0: replace(before[0], announced_offset=2)}))
        found = run(ledger.unannounced([0, 1]))
        assert found.touched == committed.touched == {Touched("rubella", "03412@start")}
        assert list(found.dead) == list(committed.dead)
        all_announced = replace(before[0], announced_offset=4)
        assert run(ledger.replace_positions(run(ledger.positions([0])), {0: all_announced}))
        assert run(ledger.unannounced([0, 1])) == Committed(frozenset(), [])

    def test_an_event_with_a_code_nobody_knows_is_parked(self, store: Store) -> None:
        ledger = store.open()
        committed = fold(
            ledger,
            records([event(disease="chikungunya"), event("LC-2", 2, area_code="99999"), event("LC-2", 3)]),
        )
        assert committed.touched == {DENGUE_03412}
        assert not committed.dead
        assert store.parked() == {
            ("LC-1", uuid(1), "unknown_disease", "chikungunya"),
            ("LC-2", uuid(2), "unknown_area", "99999"),
        }
        assert [(row[6], row[7], row[8]) for row in store.journal()] == [
            (uuid(1), None, True),
            (uuid(2), None, True),
            (uuid(3), "03412@start", False),
        ]
        assert notified(store) == 1
        assert run(ledger.replayed({0: (0, 2)})).touched == {DENGUE_03412}

    def test_a_code_means_what_it_meant_on_the_events_own_day(self, store: Store) -> None:
        late = START + minutes(3 * 365 * 24 * 60)
        new: dict[str, Any] = {"time": late, "area_code": "03390", "onset_on": "2026-07-01"}
        fold(store.open(), records([event(area_code="03390"), event("LC-2", 2, **new)], at=late))
        assert [row[7] for row in store.journal()] == ["03390@start", "03390@2025-07-01"]

    def test_known_at_never_steps_back(self, store: Store) -> None:
        ledger = store.open()
        fold(ledger, records([event()], at=START + minutes(10)))
        fold(ledger, records([event("LC-2", 2), event("LC-3", 3)], first_offset=1, at=START))
        fold(ledger, records([event("LC-4", 4)], first_offset=3, at=START + minutes(20)))
        late, later = START + minutes(10), START + minutes(20)
        assert [row[0] for row in store.journal()] == [late, late, late, later]
        assert {row[0] for row in store.rows()} == {late, later}
        assert run(ledger.positions([0]))[0].last_known_at == later

    def test_ledger_rows_are_written_per_event_also_within_a_batch(self, store: Store) -> None:
        retraction = event(number=2, kind="retracted", time=START + minutes(1))
        committed = fold(store.open(), records([event(), retraction]))
        assert committed.touched == {DENGUE_03412}
        assert store.counts() == {}
        moved = {row[2]: row[4][NOTIFIED] for row in store.rows() if row[3].basis == "onset"}
        assert moved == {uuid(1): 1, uuid(2): -1}

    def test_a_death_without_a_day_is_added_and_taken_away(self, store: Store) -> None:
        ledger = store.open()
        values = [event(outcome="dead"), event("LC-2", 2, outcome="dead")]
        fold(ledger, records(values))
        key = CountKey("dengue", "03412@start", "death", None, "", "")
        assert store.counts()[key][COUNTERS.index("deaths")] == 2
        dated = event(number=3, kind="updated", time=START + minutes(1), died_at="2023-07-08")
        fold(ledger, records([dated], first_offset=2))
        assert store.counts()[key][COUNTERS.index("deaths")] == 1
        assert store.counts()[key._replace(day="2023-07-08")][COUNTERS.index("deaths")] == 1

    def test_a_resolved_syndrome_is_kept_with_its_agents(self, store: Store) -> None:
        fold(
            store.open(), records([event(disease="rash", lab={"measles": "positive", "rubella": "negative"})])
        )
        contribution = store.case("LC-1").contribution
        assert contribution is not None
        assert (contribution.resolved, contribution.agents) == ((("measles", "measles"),), ("measles",))
        assert notified(store, disease="measles", via="rash") == 1

    def test_agents_are_kept_whatever_they_are_called(self, store: Store) -> None:
        ledger = store.open()
        fold(ledger, records([event(lab={"null": "positive", "none": "positive", "0": "positive"})]))
        contribution = store.case("LC-1").contribution
        assert contribution is not None
        assert contribution.agents == ("0", "none", "null")
        fold(ledger, records([event(number=2, kind="retracted", time=START + minutes(1))], first_offset=1))
        assert store.counts() == {}

    def test_free_text_is_kept_as_it_is(self, store: Store) -> None:
        ledger = store.open()
        hamlet = 'bản "Nà\\Hum" \\N {a,b} 100% \\.'
        fold(ledger, records([event(hamlet=hamlet)]))
        assert state_of(store.case("LC-1"))["hamlet"] == hamlet
        fold(ledger, records([event(number=2, kind="updated", time=START + minutes(1), sex="male")], 1))
        assert state_of(store.case("LC-1"))["hamlet"] == hamlet

    def test_a_new_epoch_folds_repeats_once_and_its_own_records_after_them(self, store: Store) -> None:
        ledger = store.open()
        fold(ledger, records([event(), event("LC-2", 2)]))
        before = run(ledger.positions([0]))
        restarted = {0: replace(before[0], epoch=1, next_offset=0, announced_offset=0, last_hash=None)}
        assert run(ledger.replace_positions(before, restarted))
        fold(ledger, records([event(), event("LC-2", 2), event("LC-3", 3)]))
        assert run(ledger.replayed({0: (0, 1)})).touched == frozenset(), "nothing of another epoch"
        assert [(row[2], row[3], row[5]) for row in store.journal()] == [
            (0, 0, "LC-1"),
            (0, 1, "LC-2"),
            (1, 2, "LC-3"),
        ]
        assert notified(store) == 3

    def test_the_same_unreadable_record_of_two_epochs_is_two_dead_letters(self, store: Store) -> None:
        ledger = store.open()
        broken = [Record(0, 0, START, None, b"?")]
        fold(ledger, broken)
        before = run(ledger.positions([0]))
        restarted = {0: replace(before[0], epoch=1, next_offset=0, announced_offset=0, last_hash=None)}
        assert run(ledger.replace_positions(before, restarted))
        fold(ledger, broken)
        assert [(letter.epoch, letter.offset) for letter in store.dead()] == [(0, 0), (1, 0)]
        assert [letter.epoch for letter in run(ledger.replayed({0: (0, 0)})).dead] == [1]

    def test_positions_are_replaced_only_when_they_are_as_expected(self, store: Store) -> None:
        ledger = store.open()
        known: dict[int, Position | None] = {**run(ledger.positions([0, 1])), 2: None}
        new = {0: position(5), 1: position(6), 2: position(7)}
        assert not run(ledger.replace_positions({**known, 1: position(1)}, new))
        assert not run(ledger.replace_positions({**known, 1: None}, new))
        assert not run(ledger.replace_positions({**known, 2: position()}, new))
        assert run(ledger.positions([0, 1, 2])) == {0: position(), 1: position()}
        assert run(ledger.replace_positions(known, new))
        assert run(ledger.positions([0, 1, 2])) == new

    def test_a_value_that_the_database_refuses_changes_nothing(self, store: Store) -> None:
        ledger = store.open()
        view = run(ledger.view([0]))
        batch = judged(view, records([event(), event("LC-2", 2)]))
        # No event has such a text: schemas/events bans it. The database is the second line.
        poisoned = replace(batch.entries[1], data_json=b'{"disease": "dengue", "hamlet": "a\\u0000b"}')
        with pytest.raises(RefusedData):
            run(ledger.commit(view, replace(batch, entries=[batch.entries[0], poisoned])))
        assert not store.journal()
        assert run(ledger.positions([0]))[0].next_offset == 0
        run(ledger.commit(view, batch))
        assert notified(store) == 2

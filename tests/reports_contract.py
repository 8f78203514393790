"""What the ledger of tallies and foci must do; the fake and the real one are held to the same tests.

A class that inherits from ReportsContract gives the fixture `store`.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Protocol
from uuid import UUID

import orjson
import pytest

import schemas.catalogue as published
from streams.domain.errors import RefusedData, ViewMoved
from streams.domain.focus import Focus
from streams.domain.positions import Touched
from streams.domain.reports import FigureAmounts, FigureChange, FigureKey, ReportKind
from streams.domain.tally import Tally
from streams.handlers.fold_cases import Committed, DeadLetter, Record
from streams.handlers.fold_reports import decode_reports
from tests.builders import DISEASES, START, minutes, position, records, small_catalogue, uuid
from tests.fakes import run
from tests.ledger_contract import StoredLedger
from tests.report_builders import focus, tally

FigureRow = tuple[Any, str, UUID, int | None, FigureChange]
"""known_at, subject, event id, the load that folded it (None: when it came), change."""

PEP = "pep_started|dengue|12|2022-01-01|2022-12-31"
PEP_KEY = FigureKey("tally", "pep_started", "dengue", "12@start", "2022-01-01", "2022-12-31")


class ReportStore(Protocol):
    """One database with the small catalogue and partitions 0 and 1 of both topics at offset 0."""

    def open(self, kind: ReportKind) -> StoredLedger:
        """Another object on the same database: another worker."""

    def load(self, catalogue: published.Catalogue) -> None:
        """Put a catalogue in force."""

    def rows(self) -> list[FigureRow]:
        """The ledger, in any order."""

    def row(self, kind: ReportKind, subject: str) -> Tally | Focus:
        """What is stored of a subject."""

    def journaled(self) -> list[tuple[str, UUID, str | None, bool]]:
        """Subject, event id, area, is parked; in the order of arrival."""

    def parked(self) -> set[tuple[str, UUID, str, str]]:
        """Subject, event id, reason, code."""

    def dead(self) -> list[DeadLetter]:
        """Dead letters by partition, epoch and offset."""


def fold(ledger: StoredLedger, kind: ReportKind, batch: Sequence[Record]) -> Committed:
    """View, judge and commit."""
    view = run(ledger.view({record.partition for record in batch}))
    firsts = {record.partition: record.offset for record in reversed(batch)}
    return run(ledger.commit(view, decode_reports(kind, batch, view, 1, firsts)))


def sums(rows: Sequence[FigureRow]) -> dict[FigureKey, FigureAmounts]:
    """The ledger summed per figure, those that are not reported left out."""
    found: dict[FigureKey, FigureAmounts] = {}
    for *_, (key, amounts) in rows:
        known = found.get(key, FigureAmounts(0, 0))
        found[key] = FigureAmounts(*(a + b for a, b in zip(known, amounts, strict=True)))
    return {key: amounts for key, amounts in found.items() if any(amounts)}


class ReportsContract:
    """The laws of the ports."""

    def test_a_tally_is_journaled_stored_and_entered_once(self, store: ReportStore) -> None:
        committed = fold(store.open("tally"), "tally", records([tally(value=1_203, target=1_500)] * 2))
        assert committed == Committed(frozenset({Touched("dengue", "12@start")}), [])
        assert store.row("tally", PEP) == Tally(
            "pep_started", "dengue", "12@start", "2022-01-01", "2022-12-31", 1_203, 1_500
        )
        assert store.journaled() == [(PEP, uuid(1), "12@start", False)]
        assert store.rows() == [
            (START, PEP, uuid(1), None, FigureChange(PEP_KEY, FigureAmounts(1, 1_203, 1, 1_500)))
        ]

    def test_a_correction_writes_the_difference_under_its_own_event(self, store: ReportStore) -> None:
        ledger = store.open("tally")
        fold(ledger, "tally", records([tally(value=10), tally(value=7, number=2, time=START + minutes(1))]))
        assert {(row[2], row[4].amounts.value) for row in store.rows()} == {(uuid(1), 10), (uuid(2), -3)}
        assert sums(store.rows()) == {PEP_KEY: FigureAmounts(1, 7)}

    def test_the_latest_by_time_and_id_holds_whatever_came_last(self, store: ReportStore) -> None:
        late = tally(value=7, number=2, time=START + minutes(1))
        committed = fold(store.open("tally"), "tally", records([late, tally(value=10)]))
        assert len(store.rows()) == 1
        assert sums(store.rows()) == {PEP_KEY: FigureAmounts(1, 7)}
        assert committed.touched == {Touched("dengue", "12@start")}
        # What lost is known all the same: were it not, a third between the two would win.
        between = tally(value=99, number=3, time=START + minutes(0.5))
        fold(store.open("tally"), "tally", records([between], first_offset=2))
        assert sums(store.rows()) == {PEP_KEY: FigureAmounts(1, 7)}

    def test_of_two_times_that_are_equal_the_greater_id_holds(self, store: ReportStore) -> None:
        fold(store.open("tally"), "tally", records([tally(value=7, number=9), tally(value=10, number=8)]))
        assert sums(store.rows())[PEP_KEY].value == 7

    def test_a_field_that_is_not_named_stays_and_null_takes_it_away(self, store: ReportStore) -> None:
        ledger = store.open("tally")
        fold(
            ledger,
            "tally",
            records([tally(target=30), tally(value=11, number=2, time=START + minutes(1))]),
        )
        assert sums(store.rows())[PEP_KEY] == FigureAmounts(1, 11, 1, 30)
        last = tally(value=11, number=3, time=START + minutes(2), target=None)
        fold(ledger, "tally", records([last], first_offset=2))
        assert sums(store.rows())[PEP_KEY] == FigureAmounts(1, 11)

    def test_zero_is_a_report(self, store: ReportStore) -> None:
        fold(store.open("tally"), "tally", records([tally(value=0)]))
        assert sums(store.rows()) == {PEP_KEY: FigureAmounts(1, 0)}

    def test_a_focus_contributes_itself_and_the_numbers_that_are_known(self, store: ReportStore) -> None:
        fold(
            store.open("focus"),
            "focus",
            records([focus(exposed=7, ill=7, hospitalised=None, dead=0, place='bản "Nà" Hum')]),
        )
        found = store.row("focus", "OD-1")
        assert isinstance(found, Focus)
        assert (found.day, found.exposed, found.hospitalised, found.dead, found.samples, found.place) == (
            "2023-06-02",
            7,
            None,
            0,
            None,
            'bản "Nà" Hum',
        )
        assert {key.indicator: amounts for key, amounts in sums(store.rows()).items()} == {
            "foci": FigureAmounts(1, 1),
            "exposed": FigureAmounts(1, 7),
            "ill": FigureAmounts(1, 7),
            "dead": FigureAmounts(1, 0),
        }

    def test_a_daily_update_moves_a_focus(self, store: ReportStore) -> None:
        ledger = store.open("focus")
        fold(ledger, "focus", records([focus(ill=4, hospitalised=2)]))
        update = focus(number=2, time=START + minutes(1), started_on="2023-06-01", ill=9, hospitalised=None)
        fold(ledger, "focus", records([update], first_offset=1))
        assert {(key.indicator, key.period_start, a.value) for key, a in sums(store.rows()).items()} == {
            ("foci", "2023-06-01", 1),
            ("ill", "2023-06-01", 9),
        }

    def test_of_two_contents_the_first_offset_wins(self, store: ReportStore) -> None:
        ledger = store.open("tally")
        fold(ledger, "tally", records([tally(value=10)]))
        same, other = tally(value=10), tally(value=11)
        committed = fold(ledger, "tally", records([other, same], first_offset=1))
        (letter,) = committed.dead
        assert (letter.offset, letter.error, letter.subject) == (1, "identity_conflict", PEP)
        assert letter.standing is not None
        assert orjson.loads(letter.standing)["data"]["value"] == 10
        assert store.dead() == [letter]
        assert sums(store.rows())[PEP_KEY].value == 10
        within = fold(
            ledger,
            "tally",
            records([tally("deaths", 1, 5), tally("deaths", 2, 5)], first_offset=3),
        )
        (letter,) = within.dead
        assert letter.standing == tally("deaths", 1, 5)

    def test_what_belongs_in_another_topic_or_is_no_event_is_put_aside(self, store: ReportStore) -> None:
        bad = [tally(), focus(), Record(0, 2, START, None, b"?").value or b""]
        batch = [*records(bad[:2]), Record(0, 2, START + minutes(1), b"?", bad[2])]
        committed = fold(store.open("focus"), "focus", batch)
        assert [(letter.offset, letter.error) for letter in committed.dead] == [
            (0, "invalid_event"),
            (2, "invalid_event"),
        ]
        assert [subject for subject, *_ in store.journaled()] == ["OD-1"]

    def test_a_catalogue_load_folds_what_it_knows_of_the_parked(self, store: ReportStore) -> None:
        tallies, foci = store.open("tally"), store.open("focus")
        fold(
            tallies,
            "tally",
            records(
                [tally(disease="chikungunya", value=3), tally(number=2, area="99999"), tally("cases", 5, 3)]
            ),
        )
        committed = fold(foci, "focus", records([focus(disease="chikungunya", ill=4)]))
        assert committed.touched == frozenset()
        assert {(subject, reason, code) for subject, _, reason, code in store.parked()} == {
            ("pep_started|chikungunya|12|2022-01-01|2022-12-31", "unknown_disease", "chikungunya"),
            ("pep_started|dengue|99999|2022-01-01|2022-12-31", "unknown_area", "99999"),
            ("OD-1", "unknown_disease", "chikungunya"),
        }
        before = store.rows()
        assert [row[1].partition("|")[0] for row in before] == ["cases"]
        chikungunya = replace(DISEASES[0], code="chikungunya", agents=())
        store.load(small_catalogue("next", diseases=(*DISEASES, chikungunya)))
        after = [row for row in store.rows() if row not in before]
        assert {(row[1], row[2], row[3]) for row in after} == {
            ("pep_started|chikungunya|12|2022-01-01|2022-12-31", uuid(1), 2),
            ("OD-1", uuid(1), 2),
        }
        # All of it is known at the load, which is after every event that came before it.
        (known_at,) = {row[0] for row in after}
        assert known_at >= max(row[0] for row in before)
        assert {code for *_, code in store.parked()} == {"99999"}

    def test_a_code_means_what_it_meant_at_the_end_of_the_period(self, store: ReportStore) -> None:
        late = START + minutes(3 * 365 * 24 * 60)
        old = tally(area="03390")
        new = tally(number=2, area="03390", start="2025-01-01", end="2025-12-31", time=late)
        fold(store.open("tally"), "tally", records([old, new], at=late))
        assert [area for *_, area, _ in store.journaled()] == ["03390@start", "03390@2025-07-01"]

    def test_what_was_announced_is_announced_again(self, store: ReportStore) -> None:
        ledger = store.open("tally")
        fold(
            ledger, "tally", records([tally(), tally("deaths", 0, 2, disease="measles"), b'{"subject": "x"}'])
        )
        again = run(ledger.replayed({0: (1, 2)}))
        assert again.touched == {Touched("measles", "12@start")}
        assert [letter.offset for letter in again.dead] == [2]
        assert run(ledger.unannounced([0])).touched == {
            Touched("dengue", "12@start"),
            Touched("measles", "12@start"),
        }

    def test_a_view_that_moved_commits_nothing(self, store: ReportStore) -> None:
        first, second = store.open("tally"), store.open("tally")
        view = run(second.view([0]))
        fold(first, "tally", records([tally()]))
        late = decode_reports("tally", records([tally("deaths", 4, 2)]), view, 1, {0: 0})
        with pytest.raises(ViewMoved):
            run(second.commit(view, late))
        assert [subject for subject, *_ in store.journaled()] == [PEP]
        current = run(second.view([0]))
        store.load(small_catalogue("next"))
        with pytest.raises(ViewMoved):
            run(second.commit(current, decode_reports("tally", records([tally()], 1), current, 1, {0: 1})))

    def test_the_two_topics_have_positions_of_their_own(self, store: ReportStore) -> None:
        fold(store.open("tally"), "tally", records([tally(), tally("deaths", 0, 2)]))
        assert run(store.open("tally").positions([0]))[0].next_offset == 2
        assert run(store.open("focus").positions([0]))[0] == position()

    def test_a_new_epoch_folds_repeats_once(self, store: ReportStore) -> None:
        ledger = store.open("tally")
        fold(ledger, "tally", records([tally()]))
        before = run(ledger.positions([0]))
        restarted = {0: replace(before[0], epoch=1, next_offset=0, announced_offset=0, last_hash=None)}
        assert run(ledger.replace_positions(before, restarted))
        fold(ledger, "tally", records([tally(), tally(value=4, number=2, time=START + minutes(1))]))
        assert sums(store.rows()) == {PEP_KEY: FigureAmounts(1, 4)}
        assert len(store.journaled()) == 2

    def test_a_value_that_the_database_refuses_changes_nothing(self, store: ReportStore) -> None:
        ledger = store.open("focus")
        view = run(ledger.view([0]))
        batch = decode_reports("focus", records([focus(), focus("OD-2", 2)]), view, 1, {0: 0})
        poisoned = replace(batch.entries[1], data_json=b'{"place": "a\\u0000b"}')
        with pytest.raises(RefusedData):
            run(ledger.commit(view, replace(batch, entries=[batch.entries[0], poisoned])))
        assert not store.journaled()

    @pytest.mark.parametrize("seed", range(5))
    def test_any_order_and_any_repeat_give_the_same_figures(self, store: ReportStore, seed: int) -> None:
        drawn = random.Random(seed)
        months = [(date(2022, m, 1), date(2022, m, 28)) for m in (1, 2, 3)]
        values = [
            tally(
                "pep_started",
                drawn.randrange(5),
                number,
                START + minutes(drawn.randrange(4)),
                start=start.isoformat(),
                end=end.isoformat(),
            )
            for number, (start, end) in enumerate(drawn.choices(months, k=20), 1)
        ]
        sent = [*values, *values]
        drawn.shuffle(sent)
        ledger = store.open("tally")
        for place in range(0, 40, 7):
            fold(ledger, "tally", records(sent[place : place + 7], first_offset=place))
        last: dict[str, tuple[str, int]] = {}
        for value in values:
            event = orjson.loads(value)
            stamp = event["time"] + event["id"]
            if stamp > last.get(event["subject"], ("", 0))[0]:
                last[event["subject"]] = (stamp, event["data"]["value"])
        expected = {subject: FigureAmounts(1, value) for subject, (_, value) in last.items()}
        found = {
            f"{key.indicator}|{key.disease}|12|{key.period_start}|{key.period_end}": amounts
            for key, amounts in sums(store.rows()).items()
        }
        assert found == expected

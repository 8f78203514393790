"""A file again, a changed file, a case on several lines, a crash at any point: each event once, none lost."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from schemas.events import CASE_REPORTED, CASE_UPDATED
from services.importing import sender as sender_module
from services.importing.codes import CodeFinder
from services.importing.line_list import CaseRow, case_row
from services.importing.outcome import Outcome
from services.importing.sender import CHUNK, CaseImport
from streams.domain.catalogue import Catalogue
from streams.domain.errors import DependencyDown
from tests.unit.importing.fakes import Crash, MemoryIdentities, MemoryKafka, MemoryRows

NOW = datetime(2024, 6, 1, 5, 0, tzinfo=UTC)


@dataclass(slots=True)
class Office:
    """One source with its remembered rows, and Kafka; every import is a new process a minute later."""

    codes: CodeFinder
    catalogue: Catalogue
    source: str = "/imports/line-list"
    store: MemoryRows = field(default_factory=MemoryRows)
    identities: MemoryIdentities = field(default_factory=MemoryIdentities)
    kafka: MemoryKafka = field(default_factory=lambda: MemoryKafka(NOW + timedelta(days=1)))
    now: datetime = NOW

    def importer(self, outcome: Outcome) -> CaseImport:
        self.now += timedelta(minutes=1)
        return CaseImport(
            source=self.source,
            store=self.store,
            identities=self.identities,
            sender=self.kafka,
            codes=self.codes,
            catalogue=self.catalogue,
            now=self.now,
            outcome=outcome,
        )

    def send(self, *rows: CaseRow, chunk: int = CHUNK) -> Outcome:
        """One import of a file of these rows."""
        outcome = Outcome()
        importer = self.importer(outcome)
        importer.send_unsent()
        for first in range(0, len(rows), chunk):
            importer.take(rows[first : first + chunk])
        importer.finish()
        assert outcome.rows == outcome.created + outcome.updated + outcome.unchanged + len(outcome.rejected)
        return outcome

    @property
    def sent(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(subject, kind, fields but for the report's disease and area) of every event sent."""
        return [
            (
                event.subject,
                "reported" if event.type == CASE_REPORTED else "updated",
                {name: value for name, value in event.data.items() if name not in ("disease", "area_code")},
            )
            for event in self.kafka.events
        ]


@pytest.fixture
def office(codes: CodeFinder, judging: Catalogue) -> Office:
    return Office(codes, judging)


def row(case: int | str, number: int = 2, **values: Any) -> CaseRow:
    """A row of a case with some fields; `event_id` and `event_time` are given apart."""
    event_id, event_time = values.pop("event_id", None), values.pop("event_time", None)
    cells = {"disease": "dengue", "area_code": "03412", **values}
    said = frozenset({"disease", "area_code", "hamlet", "sex"})
    return case_row(number, f"LC-{case}", event_id, event_time, cells, said)


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    """(created, updated, unchanged, rejected)"""
    return outcome.created, outcome.updated, outcome.unchanged, len(outcome.rejected)


class TestAgain:
    def test_the_same_file_again_sends_nothing(self, office: Office) -> None:
        rows = [row(case, case, hamlet=f"bản {case}") for case in range(20)]
        assert counts(office.send(*rows)) == (20, 0, 0, 0)
        assert counts(office.send(*rows)) == (0, 0, 20, 0)
        assert counts(office.send(*reversed(rows))) == (0, 0, 20, 0)
        assert len(office.kafka.records) == 20

    def test_a_changed_row_is_an_update_of_what_changed(self, office: Office) -> None:
        office.send(row(1, sex="male", hamlet="bản Hai"), row(2, sex="male"))
        assert counts(office.send(row(1, sex="female", hamlet="bản Hai"), row(2, sex="male"))) == (0, 1, 1, 0)
        assert office.sent[-1] == ("LC-1", "updated", {"sex": "female"})

    def test_another_source_reports_for_itself(self, office: Office) -> None:
        office.send(row(1))
        other = Office(office.codes, office.catalogue, "/imports/hospital", kafka=office.kafka)
        assert counts(other.send(row(1))) == (1, 0, 0, 0)
        assert len({event.id for event in office.kafka.events}) == 2

    def test_refused_rows_block_nobody_and_are_refused_again(self, office: Office) -> None:
        rows = [row(1), row(2, hamlet="Lò Văn Pâng"), row(3, area_code="99999"), row(4)]
        assert counts(office.send(*rows)) == (2, 0, 0, 2)
        assert counts(office.send(*rows)) == (0, 0, 2, 2)
        assert "LC-2" not in office.store.table
        assert counts(office.send(row(1), row(2, hamlet="bản Hai"), row(3), row(4))) == (2, 0, 2, 0)

    def test_a_refused_change_leaves_what_was_known(self, office: Office) -> None:
        office.send(row(1, sex="male"))
        assert counts(office.send(row(1, sex="male", died_at="2099-01-01"))) == (0, 0, 0, 1)
        assert counts(office.send(row(1, sex="male"))) == (0, 0, 1, 0)
        assert len(office.kafka.records) == 1

    def test_an_event_that_the_catalogue_in_force_does_not_know_counts_as_parked(
        self, office: Office
    ) -> None:
        without = {code: to for code, to in office.catalogue.resolves_to.items() if code != "dengue"}
        office.catalogue = Catalogue(1, office.catalogue.areas, without)
        outcome = office.send(row(1), row(2, disease="measles"))
        assert (outcome.created, outcome.parked) == (2, 1)


class TestOneCaseOnSeveralLines:
    FILE = (
        row(1, 2, sex="male"),
        row(2, 3),
        row(1, 4, sex="female"),
        row(1, 5, sex="male", hamlet="bản Hai"),
    )

    def test_each_line_is_compared_with_the_one_before(self, office: Office) -> None:
        assert counts(office.send(*self.FILE)) == (2, 2, 0, 0)
        assert [(s, k, d) for s, k, d in office.sent if s == "LC-1"] == [
            ("LC-1", "reported", {"sex": "male"}),
            ("LC-1", "updated", {"sex": "female"}),
            ("LC-1", "updated", {"sex": "male", "hamlet": "bản Hai"}),
        ]
        times = [event.time for event in office.kafka.events if event.subject == "LC-1"]
        assert times == sorted(set(times))

    @pytest.mark.parametrize("chunk", [1, 2, 3, 100])
    def test_the_file_again_sends_nothing(self, office: Office, chunk: int) -> None:
        office.send(*self.FILE, chunk=chunk)
        before = len(office.kafka.records)
        for _ in range(3):
            assert counts(office.send(*self.FILE, chunk=chunk)) == (0, 0, 4, 0)
        assert len(office.kafka.records) == before

    def test_equal_lines_are_one(self, office: Office) -> None:
        assert counts(office.send(row(1), row(1), row(1))) == (1, 0, 2, 0)
        assert counts(office.send(row(1), row(1), row(1))) == (0, 0, 3, 0)
        assert counts(office.send(row(1))) == (0, 0, 1, 0)
        assert counts(office.send(row(1), row(1))) == (0, 0, 2, 0)

    def test_a_line_more_is_sent(self, office: Office) -> None:
        office.send(*self.FILE)
        more = (*self.FILE, row(1, 6, sex="female", hamlet="bản Hai"))
        assert counts(office.send(*more)) == (0, 1, 4, 0)
        assert office.sent[-1] == ("LC-1", "updated", {"sex": "female"})
        assert counts(office.send(*more)) == (0, 0, 5, 0)

    def test_where_the_last_lines_are_gone_the_one_before_holds(self, office: Office) -> None:
        office.send(*self.FILE)
        fewer = self.FILE[:3]
        assert counts(office.send(*fewer)) == (0, 1, 2, 0)
        assert office.sent[-1] == ("LC-1", "updated", {"sex": "female", "hamlet": None})
        assert counts(office.send(*fewer)) == (0, 0, 3, 0)

    def test_a_line_changed_in_the_middle_starts_anew_from_there(self, office: Office) -> None:
        office.send(*self.FILE)
        changed = (*self.FILE[:2], row(1, 4, sex="unknown"), self.FILE[3])
        assert counts(office.send(*changed)) == (0, 2, 2, 0)
        assert counts(office.send(*changed)) == (0, 0, 4, 0)
        assert office.sent[-1][2] == {"sex": "male", "hamlet": "bản Hai"}

    def test_a_refused_line_among_them_is_as_if_it_were_not_there(self, office: Office) -> None:
        broken = (self.FILE[0], row(1, 3, hamlet="Lò Văn Pâng"), *self.FILE[2:])
        assert counts(office.send(*broken)) == (1, 2, 0, 1)
        for _ in range(2):
            assert counts(office.send(*broken)) == (0, 0, 3, 1)

    def test_one_code_copied_down_a_column_is_refused_at_last(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sender_module, "_MOST_ROWS_OF_A_CASE", 5)
        outcome = office.send(*(row(1, n, hamlet=f"bản {n}") for n in range(9)))
        assert counts(outcome) == (1, 4, 0, 4)
        assert {fault.field for rejection in outcome.rejected for fault in rejection.faults} == {"case_id"}

    @pytest.mark.parametrize("seed", range(20))
    def test_any_file_twice_sends_nothing_the_second_time(self, office: Office, seed: int) -> None:
        rng = random.Random(seed)
        files = [
            [
                row(
                    rng.randrange(4),
                    number,
                    sex=rng.choice(("male", "female", "unknown")),
                    hamlet=rng.choice((f"bản {rng.randrange(3)}", "Lò Văn Pâng", None)),
                )
                for number in range(rng.randrange(1, 12))
            ]
            for _ in range(4)
        ]
        for file in files:
            chunk = rng.randrange(1, 8)
            first = office.send(*file, chunk=chunk)
            sent = len(office.kafka.records)
            again = office.send(*file, chunk=rng.randrange(1, 8))
            assert len(office.kafka.records) == sent, "the second time"
            assert counts(again) == (0, 0, len(file) - len(first.rejected), len(first.rejected))
            for subject, last in {r.case_id: r for r in file if r.values["hamlet"] != "Lò Văn Pâng"}.items():
                fields = office.store.known([subject])[subject].content["fields"]
                assert {name: fields.get(name) for name in ("sex", "hamlet")} == {
                    name: last.values.get(name) for name in ("sex", "hamlet")
                }


class TestTimesAndIds:
    def test_equal_given_times_gain_a_microsecond_a_row(self, office: Office) -> None:
        given = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
        office.send(
            *(row(case, case, event_time=given) for case in range(4)), row(0, 5, event_time=given, sex="male")
        )
        assert [event.time - given for event in office.kafka.events] == [
            timedelta(microseconds=n) for n in range(5)
        ]

    def test_a_time_is_fixed_once(self, office: Office) -> None:
        given = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
        rows = [
            row(1, event_time=given, sex="male"),
            row(1, event_time=given + timedelta(days=1), sex="female"),
        ]
        office.send(*rows)
        for _ in range(2):
            assert counts(office.send(*rows)) == (0, 0, 2, 0)
        # Facts with times of their own are not taken back by a file without them.
        assert counts(office.send(rows[0])) == (0, 0, 1, 0)
        assert len(office.kafka.records) == 2

    def test_a_given_id_says_one_thing(self, office: Office) -> None:
        one, two = UUID(int=1), UUID(int=2)
        assert counts(office.send(row(1, event_id=one), row(1, event_id=two, sex="male"))) == (1, 1, 0, 0)
        assert [event.id for event in office.kafka.events] == [one, two]
        assert counts(office.send(row(1, event_id=one), row(1, event_id=two, sex="male"))) == (0, 0, 2, 0)
        # In another order, beside other rows.
        assert counts(office.send(row(1, event_id=two, sex="male"), row(1, event_id=one))) == (0, 0, 2, 0)
        clash = office.send(row(1, event_id=one, sex="female"), row(1, event_id=two, sex="male"))
        assert counts(clash) == (0, 0, 1, 1)
        assert clash.rejected[0].faults[0].field == "event_id"

    def test_a_given_id_twice_in_one_file_with_other_content_is_refused(self, office: Office) -> None:
        outcome = office.send(row(1, 2, event_id=UUID(int=1)), row(1, 3, event_id=UUID(int=1), sex="male"))
        assert counts(outcome) == (1, 0, 0, 1)
        assert outcome.rejected[0].row == 3

    def test_a_given_id_that_the_fold_knows_with_other_content_is_refused(self, office: Office) -> None:
        office.identities.claimed["LC-1", UUID(int=1)] = b"x" * 32
        outcome = office.send(row(1, event_id=UUID(int=1)), row(2, event_id=UUID(int=1)))
        assert counts(outcome) == (1, 0, 0, 1)
        assert outcome.rejected[0].faults[0].field == "event_id"

    def test_a_given_id_that_the_fold_knows_with_this_content_is_sent_again_harmlessly(
        self, office: Office
    ) -> None:
        at = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
        office.send(row(1, event_id=UUID(int=1), event_time=at))
        (event,) = office.kafka.events
        office.identities.claimed["LC-1", UUID(int=1)] = event.content_hash
        office.store.table.clear()
        assert counts(office.send(row(1, event_id=UUID(int=1), event_time=at))) == (1, 0, 0, 0)
        assert len({e.content_hash for e in office.kafka.events}) == 1


class TestCrashes:
    """The process ends at some point; the same command is run again."""

    ROWS = tuple(row(case, case, hamlet=f"bản {case}") for case in range(6))

    def break_save(self, office: Office) -> None:
        office.store.before_save = self.crash

    def break_kafka(self, office: Office) -> None:
        office.kafka.fails_after = len(office.kafka.records) + 2

    def break_mark(self, office: Office) -> None:
        office.store.before_mark = self.crash

    def crash(self) -> None:
        raise Crash

    def mend(self, office: Office) -> None:
        office.store.before_save = office.store.before_mark = lambda: None
        office.kafka.fails_after = None

    @pytest.mark.parametrize("where", ["break_save", "break_kafka", "break_mark"])
    @pytest.mark.parametrize("chunk", [2, 4, 100])
    def test_nothing_is_lost_and_nothing_counts_twice(self, office: Office, where: str, chunk: int) -> None:
        office.send(*self.ROWS[:2])
        breaks: Callable[[Office], None] = getattr(self, where)
        breaks(office)
        with pytest.raises((Crash, DependencyDown)):
            office.send(*self.ROWS, chunk=chunk)
        self.mend(office)
        again = office.send(*self.ROWS, chunk=chunk)
        assert again.created + again.resent + again.unchanged >= len(self.ROWS)
        # However often it was sent: one identity per case, always with the same content.
        identities = {(event.subject, event.id) for event in office.kafka.events}
        assert len(identities) == len(self.ROWS)
        assert len({event.content_hash for event in office.kafka.events}) == len(self.ROWS)
        assert {event.subject for event in office.kafka.events} == {r.case_id for r in self.ROWS}
        assert office.store.unsent() == []
        assert counts(office.send(*self.ROWS)) == (0, 0, 6, 0)

    @pytest.mark.parametrize("where", ["break_save", "break_kafka", "break_mark"])
    def test_several_lines_of_a_case(self, office: Office, where: str) -> None:
        lines = TestOneCaseOnSeveralLines.FILE
        breaks: Callable[[Office], None] = getattr(self, where)
        breaks(office)
        with pytest.raises((Crash, DependencyDown)):
            office.send(*lines)
        self.mend(office)
        office.send(*lines)
        known = office.store.known(["LC-1"])["LC-1"].content["fields"]
        assert (known["sex"], known["hamlet"]) == ("male", "bản Hai")
        assert last_writer_wins(office) == {"sex": "male", "hamlet": "bản Hai"}
        assert counts(office.send(*lines)) == (0, 0, 4, 0)

    def test_an_unsent_change_is_sent_before_the_next_one_takes_its_place(self, office: Office) -> None:
        office.send(row(1, sex="male"))
        self.break_mark(office)
        with pytest.raises(Crash):
            office.send(row(1, sex="female"))
        self.mend(office)
        outcome = office.send(row(1, sex="female", hamlet="bản Hai"))
        assert (outcome.resent, outcome.updated) == (1, 1)
        assert office.sent[-1] == ("LC-1", "updated", {"hamlet": "bản Hai"})
        assert last_writer_wins(office) == {"sex": "female", "hamlet": "bản Hai"}


def last_writer_wins(office: Office, subject: str = "LC-1") -> dict[str, Any]:
    """What the fold makes of the events of a case: sex and hamlet."""
    state: dict[str, Any] = {}
    for event in sorted(office.kafka.events, key=lambda event: (event.time, event.id.int)):
        if event.subject == subject:
            assert event.type in (CASE_REPORTED, CASE_UPDATED)
            state.update({name: event.data[name] for name in ("sex", "hamlet") if name in event.data})
    return state


def test_a_wave_has_one_row_per_case_and_waits_for_kafka(office: Office) -> None:
    rows: Sequence[CaseRow] = [row(n % 3, n, hamlet=f"bản {n}") for n in range(9)]
    office.send(*rows)
    # The fake store refuses a second row of a case in a save, and a row whose event was not sent.
    assert office.store.saves == [3, 3, 3]

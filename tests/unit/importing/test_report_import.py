"""Tables of tallies and foci: rows become events, equal rows nothing, wrong cells a word each."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schemas.events import Event
from services.importing.codes import CodeFinder
from services.importing.events import EventImport
from services.importing.outcome import Outcome, Rejection, Skip
from services.importing.readers import FileProblem, InputFile, read_tables
from services.importing.reports import ReportImport, ReportRow, find_report_table
from streams.domain.catalogue import Catalogue
from streams.domain.errors import DependencyDown
from tests.report_builders import focus, tally
from tests.unit.importing.fakes import MemoryIdentities, MemoryKafka, MemoryRows

NOW = datetime(2024, 6, 1, 5, 0, tzinfo=UTC)
TALLIES = "indicator;disease;area_code;period_start;period_end;value;target\n"
FOCI = "focus_id,kind,disease,area_code,started_on,exposed,ill,hospitalised,place,event_time,event_id\n"
PEP = "pep_started|rabies|12|2023-01-01|2023-12-31"


class Office:
    """Imports tables into memory; what it sent and remembers stays from import to import."""

    def __init__(self, codes: CodeFinder, judging: Catalogue, folder: Path) -> None:
        self._codes = codes
        self._judging = judging
        self._file = folder / "table.csv"
        self.store = MemoryRows()
        self.kafka = MemoryKafka(NOW)
        self.identities = MemoryIdentities()

    def take(self, text: str) -> Outcome:
        self._file.write_text(text)
        found = find_report_table(
            read_tables(InputFile.at(self._file), "text"), self._codes, date(2024, 6, 1)
        )
        assert found is not None, "not recognised"
        table, reports = found
        outcome = Outcome()
        importer = ReportImport(
            reports.kind,
            source="/offices/LC-CDC",
            store=self.store,
            identities=self.identities,
            sender=self.kafka,
            catalogue=self._judging,
            now=NOW,
            outcome=outcome,
        )
        importer.send_unsent()
        rows = []
        for row in reports.read(table.rows()):
            if isinstance(row, ReportRow):
                rows.append(row)
            elif isinstance(row, Rejection):
                outcome.rejected.append(row)
            elif isinstance(row, Skip):
                outcome.skipped.append(row)
        importer.take(rows)
        return outcome

    @property
    def sent(self) -> list[Event]:
        return self.kafka.events


@pytest.fixture
def office(codes: CodeFinder, judging: Catalogue, tmp_path: Path) -> Office:
    return Office(codes, judging, tmp_path)


def faults(outcome: Outcome) -> dict[str, str]:
    return {fault.field: fault.message_en for row in outcome.rejected for fault in row.faults}


def test_a_row_becomes_an_event_once(office: Office) -> None:
    row = TALLIES + "pep_started;Bệnh dại;12;01/01/2023;31/12/2023;1.971;\n"
    assert office.take(row).created == 1
    (event,) = office.sent
    assert event.subject == PEP
    assert (event.data["value"], event.data["disease"], "target" in event.data) == (1_971, "rabies", False)
    assert office.take(row).unchanged == 1
    corrected = office.take(row.replace("1.971", "1975"))
    assert (corrected.updated, corrected.unchanged) == (1, 0)
    first, second = office.sent
    assert second.time > first.time
    assert second.data["value"] == 1_975
    # Back to what it was: another event, since the one before it is another.
    assert office.take(row).updated == 1
    assert len({event.id for event in office.sent}) == 3


def test_the_header_may_be_in_vietnamese_under_a_title(office: Office) -> None:
    text = (
        "Báo cáo năm 2023\n\nChỉ số;Bệnh;Địa bàn;Từ ngày;Đến ngày;Giá trị;Kế hoạch;Ghi chú\n"
        "số lam xét nghiệm;Sốt rét;Tỉnh Lai Châu;01/01/2023;31/12/2023;49.617;30.000;x\n"
        "Tổng cộng;;;;;49.617;;\n"
    )
    outcome = office.take(text)
    assert (outcome.created, [skip.reason for skip in outcome.skipped]) == (1, ["title", "total"])
    (event,) = office.sent
    assert event.subject == "slides_examined|malaria|12|2023-01-01|2023-12-31"
    assert (event.data["value"], event.data["target"]) == (49_617, 30_000)


def test_a_target_that_is_emptied_is_taken_back(office: Office) -> None:
    row = TALLIES + "slides_examined;malaria;12;2023-01-01;2023-12-31;5;30\n"
    office.take(row)
    office.take(row.replace(";30\n", ";\n"))
    assert [event.data.get("target", "absent") for event in office.sent] == [30, None]


def test_two_rows_of_one_subject_follow_each_other(office: Office) -> None:
    row = "pep_started;rabies;12;2023-01-01;2023-12-31;{};\n"
    outcome = office.take(TALLIES + row.format(1) + row.format(2))
    assert (outcome.created, outcome.updated) == (1, 1)
    assert [event.data["value"] for event in office.sent] == [1, 2]
    assert office.sent[0].time < office.sent[1].time


def test_a_focus_keeps_its_unknowns_and_only_changes_are_sent(office: Office) -> None:
    row = "NDTP-1,food_poisoning,food_poisoning,3412,02/06/2023,7,{},,bản Nà Hum,{},\n"
    outcome = office.take(FOCI + row.format(4, "2023-06-03 08:00"))
    (repair,) = outcome.repaired
    assert (repair.found, repair.taken) == ("3412", "03412")
    office.take(FOCI + row.format(7, "2023-06-04 08:00"))
    first, second = office.sent
    assert first.data["exposed"] == 7
    assert "hospitalised" not in first.data
    assert second.data == {
        "kind": "food_poisoning",
        "disease": "food_poisoning",
        "area_code": "03412",
        "ill": 7,
    }
    assert second.time == datetime(2023, 6, 4, 1, 0, tzinfo=UTC)


def test_an_id_of_its_own_is_kept_and_not_used_for_two_contents(office: Office) -> None:
    event_id = UUID(int=7)
    row = f"NDTP-1,food_poisoning,food_poisoning,03412,02/06/2023,7,{{}},,,,{event_id}\n"
    office.take(FOCI + row.format(4))
    (event,) = office.sent
    assert event.id == event_id
    office.identities.claimed["NDTP-1", event_id] = event.content_hash
    assert list(faults(office.take(FOCI + row.format(5)))) == ["event_id"]


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ("moon;rabies;12;2023-01-01;2023-12-31;1;", "indicator", "must be one of"),
        ("cases;moon sickness;12;2023-01-01;2023-12-31;1;", "disease", "not in the catalogue"),
        ("cases;rabies;99;2023-01-01;2023-12-31;1;", "area_code", "not in the catalogue"),
        ("cases;rabies;12;2023-13-01;2023-12-31;1;", "period_start", "not a date"),
        ("cases;rabies;12;2023-12-31;2023-01-01;1;", "period_end", "before"),
        ("cases;rabies;12;2023-01-01;2023-12-31;;", "value", "is missing"),
        ("cases;rabies;12;2023-01-01;2023-12-31;1,5;", "value", "not a whole number"),
        ("cases;rabies;12;2023-01-01;2023-12-31;-1;", "value", "not a whole number"),
        ("cases;rabies;12;2023-01-01;2023-12-31;1.97;", "value", "not a whole number"),
        ("cases;rabies;;2023-01-01;2023-12-31;1;", "area_code", "is missing"),
        ('cases;"rabies;12;2023-01-01;2023-12-31;1;', "row", "not closed"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_sent(office: Office, row: str, field: str, words: str) -> None:
    found = faults(office.take(TALLIES + row + "\n"))
    assert words in found[field]
    assert office.sent == []


def test_a_focus_without_a_code_is_refused(office: Office) -> None:
    found = faults(office.take(FOCI + ",outbreak,anthrax,03412,02/06/2023,,,,,,\n"))
    assert list(found) == ["focus_id"]


def test_a_column_that_stands_twice_is_refused(office: Office) -> None:
    with pytest.raises(FileProblem, match="twice"):
        office.take("indicator;value;giá trị;period_start;period_end\nx;1;2;3;4\n")


@pytest.mark.parametrize("text", ["case_id,disease\nLC-1,dengue\n", "a,b\n1,2\n"])
def test_other_tables_are_not_taken_for_reports(codes: CodeFinder, tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text)
    assert find_report_table(read_tables(InputFile.at(file), "text"), codes, date(2024, 6, 1)) is None


def test_what_kafka_did_not_take_is_sent_by_the_next_import(office: Office) -> None:
    rows = "".join(f"cases;rabies;12;2023-0{n}-01;2023-0{n}-28;{n};\n" for n in (1, 2, 3))
    office.kafka.fails_after = 1
    with pytest.raises(DependencyDown):
        office.take(TALLIES + rows)
    office.kafka.fails_after = None
    outcome = office.take(TALLIES + rows)
    assert (outcome.resent, outcome.unchanged) == (3, 3)
    assert {event.data["value"] for event in office.sent} == {1, 2, 3}
    assert len({event.id for event in office.sent}) == 3


def test_lines_go_to_the_topic_of_their_type(judging: Catalogue) -> None:
    kafka, outcome = MemoryKafka(NOW), Outcome()
    importer = EventImport(
        identities=MemoryIdentities(), sender=kafka, catalogue=judging, now=NOW, outcome=outcome
    )
    lines: list[Any] = [tally(), focus(number=2), tally(number=3, disease="moon"), tally(value=11)]
    importer.take(list(enumerate(lines, 1)))
    assert (outcome.created, outcome.parked) == (3, 1)
    assert [fault.field for row in outcome.rejected for fault in row.faults] == ["id"]
    assert sorted(kafka.topics) == ["focus-events", "tally-events", "tally-events"]

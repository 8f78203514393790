"""A line list of 1,000 rows of which 37 are broken, each in another way, without servers."""

from pathlib import Path

import pytest

from services.importing.codes import CodeFinder
from services.importing.layouts import find_layout
from services.importing.line_list import CaseRow
from services.importing.outcome import Outcome, Rejection
from services.importing.readers import InputFile, kind_of_file, read_tables
from services.importing.sender import CaseImport
from streams.domain.catalogue import Catalogue
from tests.importing_files import BROKEN, ROWS, expected_rejections, line_list_with_37_broken_rows
from tests.unit.importing.fakes import MemoryIdentities, MemoryKafka, MemoryRows
from tests.unit.importing.test_case_import import NOW

# The file's dates go into autumn 2025.
TODAY = NOW.replace(year=2025, month=12)


class Import:
    """Imports files into one memory."""

    def __init__(self, codes: CodeFinder, judging: Catalogue, folder: Path) -> None:
        self.path = folder / "list.csv"
        self.kafka = MemoryKafka(TODAY)
        self._codes, self._judging = codes, judging
        self._store = MemoryRows()

    def send(self, content: bytes) -> Outcome:
        self.path.write_bytes(content)
        outcome = Outcome()
        file = InputFile.at(self.path)
        table, layout = find_layout(file, read_tables(file, kind_of_file(file)), self._codes)
        importer = CaseImport(
            source="/imports/line-list",
            store=self._store,
            identities=MemoryIdentities(),
            sender=self.kafka,
            codes=self._codes,
            catalogue=self._judging,
            now=TODAY,
            outcome=outcome,
        )
        rows = list(layout.read(table.rows()))
        importer.take([row for row in rows if isinstance(row, CaseRow)])
        importer.finish()
        refused = [row for row in rows if isinstance(row, Rejection)]
        outcome.rejected.extend(refused)
        outcome.rows += len(refused)
        return outcome


@pytest.fixture
def importer(codes: CodeFinder, judging: Catalogue, tmp_path: Path) -> Import:
    return Import(codes, judging, tmp_path)


def test_963_go_and_each_of_the_37_is_named(importer: Import) -> None:
    assert len(BROKEN) == 37
    content = line_list_with_37_broken_rows()
    outcome = importer.send(content)
    document = outcome.document()
    assert (document["rows"], document["created"], document["parked"]) == (ROWS, ROWS - 37, 0)
    assert [(fault["row"], fault["field"]) for fault in document["rejected"]] == expected_rejections()
    for fault in document["rejected"]:
        # What is wrong, and what to do, in both languages; nobody is named.
        assert len(fault["message"]) > 30
        assert len(fault["message_en"]) > 30
        for secret in ("Pâng", "Súa", "012085000123", "0912345678", "lo.van.pang"):
            assert secret not in fault["message"] + fault["message_en"]
    assert len({event.subject for event in importer.kafka.events}) == ROWS - 37

    again = importer.send(content)
    assert (again.created, again.updated, again.unchanged, len(again.rejected)) == (0, 0, ROWS - 37, 37)
    assert len(importer.kafka.records) == ROWS - 37


def test_the_rows_mended_are_the_only_ones_sent(importer: Import) -> None:
    importer.send(line_list_with_37_broken_rows())
    mended = importer.send(line_list_with_37_broken_rows(frozenset(range(1, ROWS + 1))))
    assert (mended.rows, mended.created, mended.unchanged, mended.rejected) == (ROWS, 37, ROWS - 37, [])

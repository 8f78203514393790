"""One import of one file, from its bytes to what became of every row; or a preview, which sends nothing.

The command and the pages of the intake call `run_import` with the same ports; a preview takes the same way as
an import, but for what it remembers and sends, so that it tells what would come of it.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal, TypeVar

import orjson

from schemas.events import LOCAL_TIMEZONE
from services.importing.codes import CodeFinder
from services.importing.events import EventImport
from services.importing.layouts import find_layout
from services.importing.line_list import CaseRow, Layout, LayoutName
from services.importing.outcome import Outcome, Rejection, Repair, Skip
from services.importing.readers import (
    FileProblem,
    InputFile,
    Table,
    count_lines,
    kind_of_file,
    read_lines,
    read_tables,
)
from services.importing.reports import ReportImport, ReportRow, ReportTable, find_report_table
from services.importing.sender import CHUNK, CaseImport, Identities, RowStore, Sender
from services.importing.twins import TwinCheck, Twins
from streams.domain.catalogue import Catalogue
from streams.domain.reports import ReportKind
from streams.handlers.fold_reports import TOPICS
from streams.stores.imports import ImportRow

Content = Literal["national", "line-list", "tally", "focus", "events"]
"""What a file holds."""

REPORT_SOURCES: dict[ReportKind, str] = {"tally": "/imports/tallies", "focus": "/imports/foci"}
_LAYOUTS: dict[Content, LayoutName] = {"national": "national", "line-list": "line-list"}
_Item = TypeVar("_Item")
_Row = TypeVar("_Row", CaseRow, ReportRow)
_Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """What an import needs beside the file.

    Attributes:
        store: The rows that a source sent: (source, whether they are only read) → a store, closed after use.
        identities: The identities that the fold has claimed.
        sender: Kafka; None is enough for a preview.
        codes: Looks texts up in the published catalogue.
        catalogue: The catalogue in force, which says what would be parked.
        twins: Finds the cases that carry a code of another system.
    """

    store: Callable[[str, bool], AbstractContextManager[RowStore]]
    identities: Identities
    sender: Sender | None
    codes: CodeFinder
    catalogue: Catalogue
    twins: Twins


@dataclass(slots=True)
class ImportPlan:
    """What an import did, or a preview would do.

    Attributes:
        name: The file's, as it may be shown.
        content: What it holds; None until that is known.
        source: Under which the rows are remembered; empty for events, which carry their own.
        is_preview: Nothing was remembered or sent.
        outcome: What became of every row; up to the break where one happened.
    """

    name: str
    is_preview: bool
    content: Content | None = None
    source: str = ""
    outcome: Outcome = field(default_factory=Outcome)

    def document(self, *, each_row: bool = False) -> dict[str, Any]:
        """As `--json` prints it: the outcome, and what it is the outcome of."""
        document = {
            "file": self.name,
            "kind": self.content,
            "source": self.source or None,
            "preview": self.is_preview,
            **self.outcome.document(),
        }
        if each_row:
            document["each_row"] = [
                {
                    "row": result.row,
                    "outcome": result.what,
                    "case": result.subject or None,
                    "fields": result.fields,
                }
                for result in self.outcome.each_row()
            ]
        return document


def run_import(
    plan: ImportPlan,
    file: InputFile,
    ports: Ports,
    *,
    content: Content | None = None,
    source: str | None = None,
    now: datetime | None = None,
    progress: Callable[[int], AbstractContextManager[_Progress]],
) -> ImportPlan:
    """Read a file, compare it with what its source sent before, and send what is new.

    Args:
        plan: Filled in as it goes, so that it tells how far an import came that broke off.
        file: A path of the operator's, or a stream that somebody sent (`InputFile.of`).
        ports: See there.
        content: What the file must hold; None: recognised by its bytes and column names.
        source: Who keeps this table, in the place of the layout's own.
        now: The clock.
        progress: Takes about how many rows there are, gives a function that is told of each chunk.

    Raises:
        FileProblem: nothing of the file can be read; nothing was sent.
        DependencyDown: it stopped after some rows; the same file again goes on from there.
    """
    ready = _Run(plan, file, ports, now or datetime.now(UTC), progress)
    kind = kind_of_file(file)
    if (kind == "events") != (content == "events") and content is not None:
        raise FileProblem(
            f"{file.name}: không phải tệp loại {content}. Chọn đúng loại, hoặc để tự nhận biết.",
            f"Not a file of {content}.",
        )
    if kind == "events":
        ready.events()
        return plan
    # Once: a workbook takes its time.
    tables = list(read_tables(file, kind))
    reports = None
    if content in (None, "tally", "focus"):
        today = ready.now.astimezone(LOCAL_TIMEZONE).date()
        reports = find_report_table(tables, ports.codes, today)
        if content is not None and (reports is None or reports[1].kind != content):
            raise FileProblem(
                f"{file.name}: không thấy dòng tên cột của bảng loại {content}.",
                f"No row of column names of a table of kind {content}.",
            )
    if reports is not None:
        ready.reports(*reports, source)
    else:
        layout = _LAYOUTS[content] if content is not None else None
        ready.cases(*find_layout(file, tables, ports.codes, layout), source)
    return plan


class _Run:
    """One run of one file."""

    def __init__(
        self,
        plan: ImportPlan,
        file: InputFile,
        ports: Ports,
        now: datetime,
        progress: Callable[[int], AbstractContextManager[_Progress]],
    ) -> None:
        self.now = now
        self._plan = plan
        self._outcome = plan.outcome
        self._file = file
        self._ports = ports
        if not plan.is_preview and ports.sender is None:
            raise ValueError("an import needs a sender")
        self._sender: Sender = _Nowhere() if plan.is_preview or ports.sender is None else ports.sender
        self._progress = progress

    def events(self) -> None:
        """NDJSON."""
        self._plan.content = "events"
        importer = EventImport(
            identities=self._ports.identities,
            sender=self._sender,
            catalogue=self._ports.catalogue,
            now=self.now,
            outcome=self._outcome,
        )
        with self._progress(count_lines(self._file)) as advance:
            for lines in _chunks(read_lines(self._file)):
                importer.take([(number, line) for number, line in lines if line])
                advance(len(lines))

    def cases(self, table: Table, layout: Layout, source: str | None) -> None:
        """A line list, or the national export."""
        used = source or layout.source
        self._plan.content, self._plan.source = layout.name, used
        outcome = self._outcome
        outcome.ignored_columns.extend(layout.ignored_columns)
        outcome.warnings.extend(layout.warnings)
        with self._ports.store(used, self._plan.is_preview) as store:
            remembered = self._store(store)
            twins = TwinCheck(self._ports.twins, remembered, outcome)
            importer = CaseImport(
                source=used,
                store=remembered,
                identities=self._ports.identities,
                sender=self._sender,
                codes=self._ports.codes,
                catalogue=self._ports.catalogue,
                now=self.now,
                outcome=outcome,
            )
            importer.send_unsent()
            with (
                self._progress(table.size) as advance,
                closing(table.rows()) as rows,
                closing(one_ahead(_chunks(layout.read(rows)))) as chunks,
            ):
                for chunk in chunks:
                    importer.take(twins.take(_kept(chunk, CaseRow, outcome)))
                    advance(len(chunk))
                importer.finish()

    def reports(self, table: Table, reports: ReportTable, source: str | None) -> None:
        """Tallies, or foci."""
        used = source or REPORT_SOURCES[reports.kind]
        self._plan.content, self._plan.source = reports.kind, used
        outcome = self._outcome
        outcome.ignored_columns.extend(reports.ignored_columns)
        # What one office keeps of cases and of reports is remembered apart: the subjects are others.
        with self._ports.store(f"{used}#{reports.kind}", self._plan.is_preview) as store:
            importer = ReportImport(
                reports.kind,
                source=used,
                store=self._store(store),
                identities=self._ports.identities,
                sender=_ToTopic(self._sender, TOPICS[reports.kind]),
                catalogue=self._ports.catalogue,
                now=self.now,
                outcome=outcome,
            )
            importer.send_unsent()
            with self._progress(table.size) as advance, closing(table.rows()) as rows:
                for chunk in _chunks(reports.read(rows)):
                    importer.take(_kept(chunk, ReportRow, outcome))
                    advance(len(chunk))

    def _store(self, store: RowStore) -> RowStore:
        return _Overlay(store) if self._plan.is_preview else store


class _Nowhere:
    """The Sender port of a preview."""

    def deliver(self, records: Sequence[tuple[bytes, bytes]], topic: str | None = None) -> None:
        """Send nothing."""


class _ToTopic:
    """The Sender port for another topic than the cases'."""

    def __init__(self, sender: Sender, topic: str) -> None:
        self._sender = sender
        self._topic = topic

    def deliver(self, records: Sequence[tuple[bytes, bytes]], topic: str | None = None) -> None:
        """Send to it, unless another one is named."""
        self._sender.deliver(records, topic or self._topic)


class _Overlay:
    """The RowStore port of a preview: reads what is remembered, keeps what would be for itself."""

    def __init__(self, store: RowStore) -> None:
        self._store = store
        self._rows: dict[str, ImportRow] = {}

    def known(self, subjects: Iterable[str]) -> dict[str, ImportRow]:
        """The last row of each of these cases."""
        asked = set(subjects)
        # Through JSON, as a table gives it back.
        here = {
            subject: replace(row, content=orjson.loads(orjson.dumps(row.content)))
            for subject in asked
            if (row := self._rows.get(subject)) is not None
        }
        return self._store.known(asked - here.keys()) | here

    def unsent(self) -> list[ImportRow]:
        """None that a preview would send."""
        return []

    def save(self, rows: Sequence[ImportRow]) -> None:
        """Keep them until the preview ends."""
        self._rows.update((row.subject, row) for row in rows)

    def mark_sent(self, rows: Sequence[ImportRow]) -> None:
        """Nothing was sent."""


def _kept(
    chunk: Iterable[_Row | Rejection | Skip | Repair], kept: type[_Row], outcome: Outcome
) -> list[_Row]:
    """The rows to compare; the others are noted."""
    rows: list[_Row] = []
    for row in chunk:
        if isinstance(row, kept):
            rows.append(row)
        elif isinstance(row, Skip):
            outcome.skipped.append(row)
        elif isinstance(row, Repair):
            outcome.repaired.append(row)
        elif isinstance(row, Rejection):
            outcome.rows += 1
            outcome.rejected.append(row)
    return rows


def one_ahead(chunks: Iterator[_Item]) -> Generator[_Item, None, None]:
    """The same chunks; while one is worked on, which mostly waits for others, the next is read."""
    with ThreadPoolExecutor(1, "import-reader") as reader:
        following = reader.submit(next, chunks, None)
        while (chunk := following.result()) is not None:
            following = reader.submit(next, chunks, None)
            yield chunk


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk

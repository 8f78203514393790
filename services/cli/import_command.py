"""`canhdich import FILE`: cases, tallies, foci or events from a file into Kafka, and what became of them."""

import gc
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table as Grid
from rich.text import Text

from schemas.catalogue import load_catalogue
from schemas.events import LOCAL_TIMEZONE, find_identifier
from schemas.events.common import SOURCE_PATTERN
from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json, progress_bar
from services.importing.codes import CodeFinder
from services.importing.events import EventImport
from services.importing.kafka import KafkaSender
from services.importing.line_list import CaseRow, find_layout
from services.importing.outcome import Outcome, Rejection, Skip
from services.importing.readers import FileKind, Table, count_lines, kind_of_file, read_lines, read_tables
from services.importing.reports import ReportImport, ReportRow, ReportTable, find_report_table
from services.importing.sender import CASE_EVENTS, CHUNK, CaseImport
from services.settings import Settings, settings
from services.waiting import wait_until_counted
from streams.domain.catalogue import Catalogue
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.domain.reports import ReportKind
from streams.handlers.fold_reports import TOPICS
from streams.stores import database
from streams.stores.broker import Producer, end_offsets, topic_partitions
from streams.stores.catalogue import read_catalogue
from streams.stores.imports import PostgresIdentities, PostgresImports

LINE_LIST_SOURCE = "/imports/line-list"
REPORT_SOURCES: Mapping[ReportKind, str] = {"tally": "/imports/tallies", "focus": "/imports/foci"}

_SHOWN = 50
_QUIET_SECONDS = 30.0

_TOPICS = (CASE_EVENTS, *TOPICS.values())

_Item = TypeVar("_Item")
_Row = TypeVar("_Row", CaseRow, ReportRow)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", help="Send a line list, tallies or foci (CSV, XLSX) or events (NDJSON) to Kafka.")(
        import_file
    )


@exits
def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="Line list, tallies or foci (.csv .tsv .txt .xlsx) or events (.ndjson .jsonl)."),
    ],
    wait: Annotated[bool, typer.Option("--wait", help="Return when all of it is counted.")] = False,
    json_output: JsonOption = False,
    source: Annotated[
        str | None,
        typer.Option(
            help="Who keeps this table. A row is compared with the last one of its source and case, so give "
            f"the same name every time. [default: {', '.join((LINE_LIST_SOURCE, *REPORT_SOURCES.values()))}]"
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Longest --wait, seconds.")] = 600,
) -> int:
    """Import, wait if asked, tell what became of every row; 1 where rows were rejected."""
    kind = kind_of_file(file)
    if source is not None:
        _check_source(source, kind)
    configured = settings()
    # Before anything is read or remembered: the addresses are right, and no topic is made by accident.
    for topic in _TOPICS:
        topic_partitions(configured.kafka_bootstrap, configured.topic_prefix + topic)
    outcome = Outcome()
    try:
        if kind == "events":
            _import_events(configured, file, outcome)
        else:
            _import_table(configured, file, kind, source, outcome)
    except DependencyDown:
        err.print(
            f"It stopped after row or line {outcome.rows}. Run the same command again: what has arrived is "
            "not counted twice, what has not is sent."
        )
        raise
    try:
        if wait:
            _wait(configured, timeout)
    finally:
        # Whether or not it was counted in time, what became of the rows is known.
        if json_output:
            print_json(outcome.document())
        else:
            _print(file, outcome)
    return EXIT_FAILED if outcome.rejected else 0


def _check_source(source: str, kind: FileKind) -> None:
    if kind == "events":
        raise ConfigurationError("--source is for line lists: every event carries its own source.")
    if len(source) > 200 or not re.match(SOURCE_PATTERN, source) or find_identifier(source):
        raise ConfigurationError(
            "--source must be a URI reference of at most 200 characters that names no person, such as "
            f"{LINE_LIST_SOURCE} or /facilities/LC-TYT-03190."
        )


def _import_events(configured: Settings, file: Path, outcome: Outcome) -> None:
    with _connections(configured) as (identities, sender, catalogue):
        importer = EventImport(
            identities=identities,
            sender=sender,
            catalogue=catalogue,
            now=datetime.now(UTC),
            outcome=outcome,
        )
        with progress_bar("Đọc và gửi", count_lines(file)) as advance:
            for lines in _chunks(read_lines(file)):
                written = [(number, line) for number, line in lines if line]
                importer.take(written)
                advance(len(lines))


def _import_table(
    configured: Settings, file: Path, kind: FileKind, source: str | None, outcome: Outcome
) -> None:
    published = load_catalogue()
    codes = CodeFinder(published)
    reports = find_report_table(read_tables(file, kind), codes, datetime.now(LOCAL_TIMEZONE).date())
    if reports is None:
        _import_line_list(configured, file, kind, source or LINE_LIST_SOURCE, codes, outcome)
    else:
        _import_reports(configured, *reports, source, outcome)


def _import_reports(
    configured: Settings, table: Table, reports: ReportTable, source: str | None, outcome: Outcome
) -> None:
    outcome.ignored_columns.extend(reports.ignored_columns)
    used = source or REPORT_SOURCES[reports.kind]
    # What one office keeps of cases and of reports is remembered apart: the subjects are others.
    remembered = f"{used}#{reports.kind}"
    with (
        _connections(configured, TOPICS[reports.kind]) as (identities, sender, catalogue),
        closing(PostgresImports(configured.database_url.get_secret_value(), remembered)) as store,
    ):
        importer = ReportImport(
            reports.kind,
            source=used,
            store=store,
            identities=identities,
            sender=sender,
            catalogue=catalogue,
            now=datetime.now(UTC),
            outcome=outcome,
        )
        importer.send_unsent()
        with progress_bar("Đọc và gửi", table.size) as advance, closing(table.rows()) as rows:
            for chunk in _chunks(reports.read(rows)):
                importer.take(_kept(chunk, ReportRow, outcome))
                advance(len(chunk))


def _import_line_list(
    configured: Settings, file: Path, kind: FileKind, source: str, codes: CodeFinder, outcome: Outcome
) -> None:
    table, layout = find_layout(file, read_tables(file, kind), codes)
    # The catalogue stays to the end: looking through it for garbage takes a tenth of a large import.
    gc.freeze()
    outcome.ignored_columns.extend(layout.ignored_columns)
    outcome.warnings.extend(layout.warnings)
    for vietnamese, english in layout.warnings:
        err.print(f"{vietnamese} / {english}", markup=False, highlight=False, style="yellow")
    with (
        _connections(configured) as (identities, sender, catalogue),
        closing(PostgresImports(configured.database_url.get_secret_value(), source)) as store,
    ):
        importer = CaseImport(
            source=source,
            store=store,
            identities=identities,
            sender=sender,
            codes=codes,
            catalogue=catalogue,
            now=datetime.now(UTC),
            outcome=outcome,
        )
        importer.send_unsent()
        with progress_bar("Đọc và gửi", table.size) as advance, closing(table.rows()) as rows:
            for chunk in _chunks(layout.read(rows)):
                importer.take(_kept(chunk, CaseRow, outcome))
                advance(len(chunk))
            importer.finish()


def _kept(chunk: Iterable[_Row | Rejection | Skip], kept: type[_Row], outcome: Outcome) -> list[_Row]:
    """The rows to compare; the others are noted."""
    rows: list[_Row] = []
    for row in chunk:
        if isinstance(row, kept):
            rows.append(row)
        elif isinstance(row, Skip):
            outcome.skipped.append(row)
        elif isinstance(row, Rejection):
            outcome.rows += 1
            outcome.rejected.append(row)
    return rows


@contextmanager
def _connections(
    configured: Settings, topic: str = CASE_EVENTS
) -> Iterator[tuple[PostgresIdentities, KafkaSender, Catalogue]]:
    database_url = configured.database_url.get_secret_value()
    with database.errors_translated(), database.connect(database_url) as connection:
        catalogue = read_catalogue(connection)
    producer = Producer(configured.kafka_bootstrap, configured.topic_prefix)
    with closing(PostgresIdentities(database_url)) as identities, closing(producer):
        yield identities, KafkaSender(producer, topic), catalogue


def _wait(configured: Settings, timeout: float) -> None:
    """Return when all that Kafka has now is counted: rows that were sent before may still be on their way."""
    for topic in _TOPICS:
        _wait_for(configured, configured.topic_prefix + topic, timeout)


def _wait_for(configured: Settings, topic: str, timeout: float) -> None:
    last_offsets = {
        partition: end - 1 for partition, end in end_offsets(configured.kafka_bootstrap, topic).items() if end
    }
    watch = _Watch(_QUIET_SECONDS)
    with closing(watch), progress_bar("Đang tính", None) as advance:

        def step(records: int) -> None:
            watch.saw_a_step()
            advance(records)

        wait_until_counted(
            configured.database_url.get_secret_value(), topic, last_offsets, timeout=timeout, advance=step
        )


class _Watch:
    """Says so when nothing was counted for a while, once per pause."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer = self._start()

    def saw_a_step(self) -> None:
        """Wait as long again."""
        self._timer.cancel()
        self._timer = self._start()

    def close(self) -> None:
        """Say nothing any more."""
        self._timer.cancel()

    def _start(self) -> threading.Timer:
        timer = threading.Timer(self._seconds, self._speak)
        timer.daemon = True
        timer.start()
        return timer

    def _speak(self) -> None:
        err.print(
            f"Đã {self._seconds:.0f} giây chưa tính thêm được bản ghi nào; vẫn chờ. Dữ liệu đã an toàn trong "
            f"Kafka. / Nothing was counted for {self._seconds:.0f} s; still waiting. What was sent is safe "
            "in Kafka. Is a worker running? `canhdich up` starts it, `canhdich doctor` looks.",
            style="yellow",
        )


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _print(file: Path, outcome: Outcome) -> None:
    _say(
        f"{file.name}: {outcome.rows} dòng. Mới: {outcome.created}. Cập nhật: {outcome.updated}. "
        f"Không đổi: {outcome.unchanged}. Bị từ chối: {len(outcome.rejected)}."
    )
    if outcome.parked:
        _say(
            f"{outcome.parked} bản ghi chưa được tính vì danh mục chưa có mã bệnh hoặc mã địa bàn của chúng."
        )
    if outcome.resent:
        _say(f"{outcome.resent} bản ghi của lần nhập trước bị ngắt đã được gửi lại.")
    if outcome.skipped:
        _say(f"Bỏ qua {sum(skip.rows for skip in outcome.skipped)} dòng tiêu đề, dòng trống, dòng cộng.")
    if outcome.repaired:
        _say(f"Đã sửa {len(outcome.repaired)} ô (ví dụ thêm số 0 ở đầu mã địa bàn).")
    if outcome.rejected:
        _print_rejected(outcome)


def _say(text: str) -> None:
    """A sentence for people, as it stands."""
    out.print(text, markup=False, highlight=False)


def _print_rejected(outcome: Outcome) -> None:
    grid = Grid(title="Dòng bị từ chối: sửa trong tệp rồi nhập lại cả tệp, dòng cũ không bị tính hai lần")
    grid.add_column("Dòng", justify="right")
    grid.add_column("Cột")
    grid.add_column("Lý do và cách sửa", overflow="fold")
    for rejection in outcome.in_order()[:_SHOWN]:
        for fault in rejection.faults:
            grid.add_row(str(rejection.row), fault.field, Text(fault.message_vi))
    out.print(grid)
    if len(outcome.rejected) > _SHOWN:
        _say(f"Còn {len(outcome.rejected) - _SHOWN} dòng nữa; thêm --json để xem tất cả.")

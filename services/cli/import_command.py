"""`canhdich import FILE`: cases, tallies, foci or events from a file into Kafka, and what became of them."""

import gc
import re
import threading
from collections.abc import Mapping
from contextlib import closing
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from schemas.events import find_identifier
from schemas.events.common import SOURCE_PATTERN
from services.cli.output import EXIT_FAILED, JsonOption, err, exits, out, print_json, progress_bar
from services.importing.line_list import LineList
from services.importing.national import NationalExport
from services.importing.opening import TOPICS, check_topics, keep_questions, open_ports
from services.importing.outcome import Outcome
from services.importing.readers import FileKind, InputFile, kind_of_file
from services.importing.run import REPORT_SOURCES, Content, ImportPlan, run_import
from services.settings import Settings, settings
from services.waiting import wait_until_counted
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.stores.broker import end_offsets

_SHOWN = 50
_QUIET_SECONDS = 30.0
_DEFAULT_SOURCES = (NationalExport.source, LineList.source, *REPORT_SOURCES.values())


class ContentOption(StrEnum):
    """What a file may hold."""

    AUTO = "auto"
    NATIONAL = "national"
    LINE_LIST = "line-list"
    TALLIES = "tallies"
    FOCI = "foci"
    EVENTS = "events"


_CONTENTS: Mapping[ContentOption, Content | None] = {
    ContentOption.AUTO: None,
    ContentOption.NATIONAL: "national",
    ContentOption.LINE_LIST: "line-list",
    ContentOption.TALLIES: "tally",
    ContentOption.FOCI: "focus",
    ContentOption.EVENTS: "events",
}
_CONTENTS_VI: Mapping[Content | None, str] = {
    "national": "tệp xuất của hệ thống quốc gia",
    "line-list": "danh sách ca bệnh",
    "tally": "số tổng hợp",
    "focus": "ổ dịch",
    "events": "bản ghi (NDJSON)",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "import",
        help="Send the national export, a line list, tallies, foci (CSV, XLSX) or events (NDJSON).",
    )(import_file)


@exits
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="National export, line list, tallies, foci (.csv .tsv .txt .xlsx), events (.ndjson .jsonl)."
        ),
    ],
    wait: Annotated[bool, typer.Option("--wait", help="Return when all of it is counted.")] = False,
    json_output: JsonOption = False,
    source: Annotated[
        str | None,
        typer.Option(
            help="Who keeps this table. A row is compared with the last one of its source and case, so give "
            f"the same name every time. [default: {', '.join(_DEFAULT_SOURCES)}]"
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Longest --wait, seconds.")] = 600,
    kind: Annotated[
        ContentOption, typer.Option(help="What the file must hold; else it is recognised by its columns.")
    ] = ContentOption.AUTO,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Tell what would become of every row; send nothing."),
    ] = False,
    each_row: Annotated[
        bool,
        typer.Option("--each-row", help="With --json: what became of every row."),
    ] = False,
) -> int:
    """Import, wait if asked, tell what became of every row; 1 where rows were rejected."""
    opened = InputFile.at(file)
    found = kind_of_file(opened)
    if source is not None:
        _check_source(source, found)
    if preview and wait:
        raise ConfigurationError("--preview sends nothing, so there is nothing to --wait for.")
    configured = settings()
    # Before anything is read or remembered: the addresses are right, and no topic is made by accident.
    if not preview:
        check_topics(configured)
    plan = ImportPlan(file.name, preview)
    outcome = plan.outcome
    try:
        with open_ports(configured, is_preview=preview) as ports:
            # The catalogue stays to the end: looking through it for garbage takes a tenth of a large import.
            gc.freeze()
            run_import(
                plan,
                opened,
                ports,
                content=_CONTENTS[kind],
                source=source,
                progress=partial(progress_bar, "Xem trước" if preview else "Đọc và gửi"),
            )
    except DependencyDown:
        err.print(
            f"It stopped after row or line {outcome.rows}. Run the same command again: what has arrived is "
            "not counted twice, what has not is sent."
        )
        raise
    _say_warnings(outcome)
    if not preview:
        keep_questions(configured, outcome)
    try:
        if wait:
            _wait(configured, timeout)
    finally:
        # Whether or not it was counted in time, what became of the rows is known.
        if json_output:
            print_json(plan.document(each_row=each_row))
        else:
            _print(plan)
    return EXIT_FAILED if outcome.rejected else 0


def _say_warnings(outcome: Outcome) -> None:
    for vietnamese, english in outcome.warnings:
        err.print(f"{vietnamese} / {english}", markup=False, highlight=False, style="yellow")


def _check_source(source: str, kind: FileKind) -> None:
    if kind == "events":
        raise ConfigurationError("--source is for line lists: every event carries its own source.")
    if len(source) > 200 or not re.match(SOURCE_PATTERN, source) or find_identifier(source):
        raise ConfigurationError(
            "--source must be a URI reference of at most 200 characters that names no person, such as "
            f"{LineList.source} or /facilities/LC-TYT-03190."
        )


def _wait(configured: Settings, timeout: float) -> None:
    """Return when all that Kafka has now is counted: rows that were sent before may still be on their way."""
    for topic in TOPICS:
        _wait_for(configured, configured.topic_prefix + topic, timeout)


def _wait_for(configured: Settings, topic: str, timeout: float) -> None:
    last_offsets = {
        partition: end - 1 for partition, end in end_offsets(configured.kafka, topic).items() if end
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


def _print(plan: ImportPlan) -> None:
    outcome = plan.outcome
    if plan.is_preview:
        _say("XEM TRƯỚC: chưa gửi, chưa lưu gì. / PREVIEW: nothing was sent or kept.")
    held = f" ({_CONTENTS_VI[plan.content]})" if plan.content else ""
    _say(
        f"{plan.name}{held}: {outcome.rows} dòng. Mới: {outcome.created}. Cập nhật: {outcome.updated}. "
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
    left_out = sum(not repair.taken for repair in outcome.repaired)
    if len(outcome.repaired) > left_out:
        _say(
            f"Đã hiểu lại {len(outcome.repaired) - left_out} ô (ví dụ thêm số 0 ở đầu mã, tên địa bàn cũ); "
            "thêm --json để xem."
        )
    if left_out:
        _say(f"Bỏ trống {left_out} ô không đọc được hoặc giống thông tin định danh; ca vẫn được nhập.")
    if outcome.doubtful:
        _say(
            f"{outcome.doubtful} dòng chờ người xem: tên bệnh hoặc địa bàn chưa chắc chắn. "
            "canhdich meanings list --open liệt kê, canhdich meanings set trả lời; rồi nhập lại tệp."
        )
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

"""`canhdich import` on real servers with a real worker: counted once, told exactly, whatever comes again."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest

from schemas.catalogue import Catalogue
from schemas.events import CASE_REPORTED
from services.demo.national_export import counts_of, national_days
from services.demo.scale import generate_events
from services.settings import Settings
from streams.stores.broker import end_offsets
from streams.stores.database import connect
from tests.conftest import environment_of
from tests.importing_files import ROWS, expected_rejections, line_list_with_37_broken_rows

pytestmark = pytest.mark.native

_COMMAND = "from services.cli.main import main; main()"


class System:
    """The commands of one database and its topics, with a worker."""

    def __init__(self, settings: Settings) -> None:
        self.environment = environment_of(settings)
        self._settings = settings
        self._topic = settings.topic_prefix + "case-events"

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start `canhdich import …`."""
        return subprocess.Popen(
            [sys.executable, "-c", _COMMAND, "import", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error of `canhdich import …`."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=200)
        return process.returncode, out, err

    def import_file(self, path: Path, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        """The summary of `canhdich import … --json`."""
        code, out, err = self.run(str(path), "--json", *arguments)
        assert code == exit_code, err
        summary: dict[str, Any] = json.loads(out)
        return summary

    def records(self) -> int:
        """How many records the topic has."""
        return sum(end_offsets(self._settings.kafka_bootstrap, self._topic).values())

    def rows(self, statement: str, *params: Any) -> list[Any]:
        """Rows of the database."""
        with connect(self._settings.database_url.get_secret_value()) as connection:
            return connection.execute(statement, params).fetchall()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def system(scratch_settings: Settings) -> Iterator[System]:
    """A worker that folds what the tests of this module send."""
    system = System(scratch_settings)
    worker = subprocess.Popen(
        [sys.executable, "-m", "services.worker"],
        env=system.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield system
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=30)


def summed(summary: dict[str, Any]) -> tuple[int, int, int, int]:
    """(created, updated, unchanged, rejected)"""
    return summary["created"], summary["updated"], summary["unchanged"], len(summary["rejected"])


def write(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_37_broken_rows_of_1000(system: System, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(line_list_with_37_broken_rows())
    arguments = ("--wait", "--source", "/imports/broken")
    summary = system.import_file(path, *arguments, exit_code=1)
    assert summary["rows"] == ROWS
    assert summed(summary) == (ROWS - 37, 0, 0, 37)
    assert [(fault["row"], fault["field"]) for fault in summary["rejected"]] == expected_rejections()
    # Counted when the command returns.
    counted = "select count(*) from cases where subject like 'LC-2023-%%' and counted_disease is not null"
    assert system.rows(counted) == [(ROWS - 37,)]

    records = system.records()
    again = system.import_file(path, *arguments, exit_code=1)
    assert summed(again) == (0, 0, ROWS - 37, 37)
    assert [(fault["row"], fault["field"]) for fault in again["rejected"]] == expected_rejections()
    assert system.records() == records
    assert system.rows("select count(*) from dead_letters") == [(0,)]


def test_a_correction_moves_what_it_corrects_and_nothing_else(system: System, tmp_path: Path) -> None:
    header = "case_id;disease;area_code;onset_on;sex;lab.dengue"
    arguments = ("--wait", "--source", "/imports/corrected")
    path = write(
        tmp_path / "list.csv",
        [header, "MV-1;dengue;3412;04/07/2023;nam;chờ kết quả", "MV-2;dengue;03391;04/07/2023;nữ;"],
    )
    first = system.import_file(path, *arguments)
    assert summed(first) == (2, 0, 0, 0)
    assert [(repair["row"], repair["to"]) for repair in first["repaired"]] == [(2, "03412")]
    # The case moves to another commune, by a code that means something else since 2025-07-01.
    write(
        path,
        [header, "MV-1;dengue;03390;04/07/2023;nam;(+)", "MV-2;dengue;03391;04/07/2023;nữ;"],
    )
    assert summed(system.import_file(path, *arguments)) == (0, 1, 1, 0)
    assert summed(system.import_file(path, *arguments)) == (0, 0, 2, 0)
    events = system.rows("select data from case_events where subject = 'MV-1' order by event_time")
    assert [data for (data,) in events] == [
        {
            "disease": "dengue",
            "area_code": "03412",
            "onset_on": "2023-07-04",
            "sex": "male",
            "lab": {"dengue": "pending"},
        },
        {"area_code": "03390", "area_on": "2023-07-04", "lab": {"dengue": "positive"}},
    ]
    places = system.rows(
        "select subject, counted_area_id from cases where subject like 'MV-%%' order by subject"
    )
    assert places == [("MV-1", "03390@start"), ("MV-2", "03391@start")]


def test_a_workbook(system: System, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["B2"] = "DANH SÁCH CA BỆNH"
    for row, cells in enumerate(
        [
            ("STT", "Mã ca bệnh", "Họ và tên", "Bệnh", "Mã xã", "Ngày khởi phát", "Tuổi"),
            (1, "XL-1", "Lò Văn Pâng", "Sởi", 3412, 45111, 0.5),
            (2, "XL-2", "Giàng A Súa", "Sởi", "Xã Bình Lư", "04/07/2023", None),
            (3, "XL-3", "Vàng Thị Mỷ", "Sởi", 99999, 45111, 3),
            ("Tổng cộng", None, None, 3, None, None, None),
        ],
        4,
    ):
        for column, cell in enumerate(cells, 2):
            sheet.cell(row, column, cell)
    path = tmp_path / "list.xlsx"
    book.save(path)
    summary = system.import_file(path, "--wait", "--source", "/imports/workbook", exit_code=1)
    assert summed(summary) == (2, 0, 0, 1)
    assert [(fault["row"], fault["field"]) for fault in summary["rejected"]] == [(7, "area_code")]
    assert summary["ignored_columns"] == ["STT", "Họ và tên"]
    assert [(skip["row"], skip["reason"]) for skip in summary["skipped"]] == [
        (1, "blank"),
        (2, "title"),
        (3, "blank"),
        (8, "total"),
    ]
    rows = system.rows("select data from case_events where subject like 'XL-%%' order by subject")
    assert [data for (data,) in rows] == [
        {"disease": "measles", "area_code": "03412", "onset_on": "2023-07-04", "age_years": 0.5},
        {"disease": "measles", "area_code": "03412", "area_on": "2023-07-04", "onset_on": "2023-07-04"},
    ]
    stored = system.rows(
        "select event::text || content::text from import_rows where source = '/imports/workbook'"
    )
    assert len(stored) == 2
    assert not any("Pâng" in text or "Súa" in text for (text,) in stored)


def test_two_days_of_the_national_export(
    system: System, published_catalogue: Catalogue, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    for day in national_days(published_catalogue, 11, 200):
        path.write_text(day.csv(";"), "utf-8-sig")
        records = system.records()
        preview = system.import_file(path, "--preview", "--each-row", exit_code=1)
        assert (preview["preview"], preview["kind"]) == (True, "national")
        assert system.records() == records
        summary = system.import_file(path, "--wait", "--each-row", exit_code=1)
        assert summary == preview | {"preview": False}
        doubtful = {row["row"] for row in summary["rejected"] if "candidates" in row}
        results = {row["row"]: row["outcome"] for row in summary["each_row"]}
        assert results | dict.fromkeys(doubtful, "doubtful") == day.expected
        cases = system.rows(
            """select counted_disease, counted_area_id, count(*),
                      count(*) filter (where registers -> 'outcome' ->> 1 = 'dead')
               from cases where subject like 'ECDS-%%' and counted_disease is not null
               group by 1, 2 order by 1, 2"""
        )
        assert cases == sorted(
            (disease, f"{area}@2025-07-01", n, dead) for disease, area, n, _, dead in counts_of(day)
        )
        kept = system.rows(
            "select coalesce(string_agg(event::text || content::text, ''), '') from import_rows"
            " union all select coalesce(string_agg(data::text, ''), '') from case_events"
            " union all select coalesce(string_agg(text, ''), '') from import_meanings"
        )
        assert not [secret for secret in day.secrets if any(secret in text for (text,) in kept)]
    asked = system.rows("select text, waiting_rows from import_meanings where code is null")
    assert asked
    assert all(rows > 0 for _, rows in asked)


def test_events_twice_and_shuffled(system: System, published_catalogue: Catalogue, tmp_path: Path) -> None:
    events = list(generate_events(500, 4_711, catalogue=published_catalogue))
    reported = sum(CASE_REPORTED.encode() in event for event in events)
    lines = events * 2
    random.Random(1).shuffle(lines)
    bad = b'{"specversion": "1.0"}'
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join([*lines, b"", bad]) + b"\n")
    summary = system.import_file(path, "--wait", exit_code=1)
    assert summary["rows"] == 1_001
    assert summed(summary) == (reported, 500 - reported, 500, 1)
    assert summary["rejected"][0]["row"] == 1_002
    assert system.rows("select count(*) from event_ids where subject like 'S4711-%%'") == [(500,)]
    again = system.import_file(path, "--wait", exit_code=1)
    assert summed(again) == (0, 0, 1_000, 1)


def test_an_import_that_was_killed_is_finished_by_the_next(system: System, tmp_path: Path) -> None:
    cases = 20_000
    lines = [f"KL-{n:05d},dengue,03412,2023-0{1 + n % 9}-11,bản {n % 50}" for n in range(cases)]
    path = write(tmp_path / "list.csv", ["case_id,disease,area_code,onset_on,hamlet", *lines])
    arguments = (str(path), "--json", "--source", "/imports/killed")
    before = system.records()
    with system.start(*arguments) as process:
        deadline = time.monotonic() + 60
        while system.records() == before:
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.kill()
        process.communicate()
    assert system.records() < before + cases, "it was to be killed in the middle"
    summary = system.import_file(path, "--wait", *arguments[2:])
    assert summary["created"] + summary["unchanged"] == cases
    assert system.rows(
        "select count(*) from import_rows where source = '/imports/killed' and sent_at is null"
    ) == [(0,)]
    assert system.rows(
        "select count(*), count(distinct subject) from event_ids where subject like 'KL-%%'"
    ) == [(cases, cases)]
    assert system.rows(
        "select count(*) from cases where subject like 'KL-%%' and counted_disease = 'dengue'"
    ) == [(cases,)]
    assert system.rows("select count(*) from dead_letters") == [(0,)]


def test_an_event_id_taken_by_another_source_is_refused(system: System, tmp_path: Path) -> None:
    event_id = UUID(int=77)
    line = f"ID-1,{event_id},dengue,03412,2023-07-04"
    path = write(tmp_path / "list.csv", ["case_id,event_id,disease,area_code,onset_on", line])
    assert summed(system.import_file(path, "--wait", "--source", "/imports/one")) == (1, 0, 0, 0)
    other = system.import_file(path, "--wait", "--source", "/imports/two", exit_code=1)
    assert summed(other) == (0, 0, 0, 1)
    assert other["rejected"][0]["field"] == "event_id"


def test_without_a_worker_it_waits_no_longer_than_it_was_told(
    settings_for: Any, fresh_database_url: str, fresh_topic_prefix: str, tmp_path: Path
) -> None:
    idle = System(settings_for(fresh_database_url, fresh_topic_prefix))
    path = write(tmp_path / "list.csv", ["case_id,disease,area_code", "NW-1,dengue,12"])
    code, out, err = idle.run(str(path), "--wait", "--timeout", "1", "--json")
    assert code == 3
    # What was sent is known all the same.
    assert summed(json.loads(out)) == (1, 0, 0, 0)
    assert "not counted" in err
    assert idle.import_file(path)["unchanged"] == 1


def test_servers_that_are_down(system: System, tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", ["case_id,disease,area_code", "DN-1,dengue,12"])
    broken = System.__new__(System)
    broken.environment = {**system.environment, "DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none"}
    code, out, err = broken.run(str(path), "--json")
    assert (code, out) == (3, "")
    assert "TimescaleDB does not answer" in err

"""What the pages are made of: charts, spreadsheets, long work, what is kept for people."""

import asyncio
import csv
import io
import re
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.staff.chart import week_bars
from services.intake.staff.line_lists import counts_csv, line_list_csv
from services.intake.staff.long_work import KEEP, MOST_KEPT, MOST_OF_A_PERSON, LongWork, Run, Shelf
from services.intake.staff.spreadsheet import csv_bytes, safe_cell
from services.intake.staff.week_figures import week_days
from services.intake.staff.week_pages import asked_week
from streams.domain.errors import DependencyDown
from streams.stores.line_list import ListedCase

NOW = datetime(2026, 1, 15, 1, tzinfo=UTC)


# --- charts ---------------------------------------------------------------------------------------------


def heights(svg: str) -> list[float]:
    return [float(height) for height in re.findall(r'<rect [^>]* height="([^"]+)"', svg)]


def test_bars_are_as_high_as_the_counts() -> None:
    assert heights(week_bars([14, 28, 0, 7], "x")) == [14.0, 28.0, 1.0, 7.0]
    assert len(heights(week_bars([1, None, 2], "x"))) == 2
    assert heights(week_bars([0, 0], "x")) == [1.0, 1.0]
    assert heights(week_bars([1, 1_000], "x"))[0] == 2.0


def test_a_chart_needs_no_script_and_says_what_it_shows() -> None:
    svg = str(week_bars([1], '"><script>'))
    assert "<script" not in svg
    assert "style=" not in svg
    assert 'role="img"' in svg


# --- spreadsheets ---------------------------------------------------------------------------------------


@given(st.text(max_size=20))
def test_no_text_begins_a_formula(text: str) -> None:
    assert not safe_cell(text).lstrip(" \u00a0\ufeff").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("text", ["=1+1", "+84", "-2", "@SUM(1)", " =1", "\t=1", "\ufeff=1", "＝1"])
def test_a_formula_is_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["LC-2023-000001", "bản Nà Hum", "2023-07-01", "a=b", ""])
def test_other_texts_stay(text: str) -> None:
    assert safe_cell(text) == text


def test_a_line_list_names_nobody_and_runs_nothing() -> None:
    state = {
        "onset_on": "2023-07-01",
        "hamlet": '=HYPERLINK("http://x.example";"x")',
        "external_ids": {"ecds": "2023-12-000456"},
        "lab": {"dengue": "positive", "denv1": "negative"},
        "age_years": 34.0,
    }
    case = ListedCase(
        "-LC-1", "dengue", state, "03391", ("03391", "Xã Bình Lư"), None, ("12", "Tỉnh Lai Châu")
    )
    content = line_list_csv([case], ";").decode("utf-8-sig")
    assert "2023-12-000456" not in content
    (row,) = csv.DictReader(io.StringIO(content), delimiter=";")
    assert row["case_id"] == "'-LC-1"
    assert row["hamlet"].startswith("'=")
    assert (row["lab.dengue"], row["lab.denv1"]) == ("positive", "negative")
    assert (row["commune_name"], row["district_code"], row["age_years"]) == ("Xã Bình Lư", "", "34.0")
    assert row["disease_name"] == "Sốt xuất huyết Dengue"


def test_counts_keep_the_zeros_of_codes() -> None:
    row = {"commune": "03391", "commune_name": "Xã Bình Lư", "notified": 3, "deaths": 0}
    content = counts_csv([row], ["commune"]).decode("utf-8-sig")
    (read,) = csv.DictReader(io.StringIO(content))
    assert (read["commune"], read["notified"], read["deaths"], read["pending"]) == ("03391", "3", "0", "")


def test_excel_knows_that_it_is_utf_8() -> None:
    assert csv_bytes(["ấ"], []) == b"\xef\xbb\xbf" + "ấ\r\n".encode()


# --- weeks ----------------------------------------------------------------------------------------------


def test_a_week_that_runs_is_compared_with_as_many_days() -> None:
    days = week_days(date(2026, 1, 14), date(2026, 1, 14))
    assert (days.name, days.is_over) == ("2026-W03", False)
    assert (days.days.days, days.before.days, days.last_year.days) == (3, 3, 3)
    assert days.last_year.first == date(2025, 1, 13)


def test_a_53rd_week_is_compared_with_the_last_of_the_year_before() -> None:
    assert week_days(date(2026, 12, 30), date(2027, 2, 1)).last_year.first == date(2025, 12, 22)


def test_a_week_to_come_is_none() -> None:
    with pytest.raises(ValueError, match="begun"):
        week_days(date(2026, 1, 26), date(2026, 1, 14))
    assert asked_week("2026-W40", date(2026, 1, 14)) == date(2026, 1, 12)
    assert asked_week("2025-W53", date(2026, 1, 14)) == date(2026, 1, 12)


# --- long work ------------------------------------------------------------------------------------------


def test_work_is_done_beside_the_loop_one_after_the_other() -> None:
    order: list[str] = []
    first, second, third = Run[int](), Run[int](), Run[int]()

    async def main() -> None:
        work, begun, gate, last = LongWork("test"), threading.Event(), threading.Event(), threading.Event()

        def wait(run: Run[int]) -> int:
            order.append("first")
            run.total = 4
            run.advance(1)
            begun.set()
            assert gate.wait(30)
            return 1

        def fail(_run: Run[int]) -> int:
            order.append("second")
            raise DependencyDown("down")

        def break_down(_run: Run[int]) -> int:
            raise KeyError("a name")

        work.start(wait, first)
        work.start(fail, second)
        work.start(break_down, third)
        work.start(lambda _run: last.set(), Run[None]())
        assert await asyncio.to_thread(begun.wait, 30)
        assert (first.state, first.percent, second.state) == ("running", 25, "waiting")
        gate.set()
        assert await asyncio.to_thread(last.wait, 30)
        await work.close()

    asyncio.run(main())
    assert order == ["first", "second"]
    assert (first.state, first.result) == ("done", 1)
    assert (second.state, str(second.fault)) == ("failed", "down")
    assert (third.state, third.fault) == ("failed", None)


@dataclass
class Thing:
    is_busy: bool = False
    is_closed: bool = False

    def close(self) -> None:
        self.is_closed = True


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def test_each_finds_their_own_and_nobody_elses() -> None:
    shelf, mine, other = Shelf[Thing](Clock()), uuid4(), uuid4()
    key = shelf.put(mine, thing := Thing())
    assert key is not None
    assert shelf.get(mine, key) is thing
    assert shelf.get(other, key) is None
    assert list(shelf.of(mine)) == [key]
    assert not shelf.of(other)


def test_what_nobody_looks_at_is_given_up() -> None:
    clock = Clock()
    shelf, owner = Shelf[Thing](clock), uuid4()
    idle, busy = Thing(), Thing(is_busy=True)
    key, busy_key = shelf.put(owner, idle), shelf.put(owner, busy)
    assert key is not None
    assert busy_key is not None
    clock.now += KEEP
    assert shelf.get(owner, key) is idle
    clock.now += KEEP + timedelta(seconds=1)
    assert shelf.get(owner, key) is None
    assert idle.is_closed
    assert shelf.get(owner, busy_key) is busy
    shelf.close()
    assert busy.is_closed


def test_the_oldest_makes_room_unless_it_is_busy() -> None:
    shelf, owner = Shelf[Thing](Clock()), uuid4()
    things = [Thing() for _ in range(MOST_OF_A_PERSON + 1)]
    keys = [shelf.put(owner, thing) for thing in things]
    assert things[0].is_closed
    assert len(shelf.of(owner)) == MOST_OF_A_PERSON
    assert keys[0] not in shelf.of(owner)
    for thing in things:
        thing.is_busy = True
    assert shelf.put(owner, Thing()) is None


def test_there_is_room_for_so_many_only() -> None:
    shelf = Shelf[Thing](Clock())
    keys = [shelf.put(uuid4(), Thing()) for _ in range(MOST_KEPT + 1)]
    assert keys[-1] is None
    assert None not in keys[:-1]

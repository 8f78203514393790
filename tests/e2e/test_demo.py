"""The demo as a newcomer runs it: every figure of the report, its commands, and a case in the form."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect

from services.demo.figures import figures_of
from streams.domain.calendar import LOCAL_ZONE
from tests.browser import CHROMIUM, DESKTOP, FLAGS, KEPT, PATIENCE_MS
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.native


@pytest.fixture(scope="module")
def demo(installation: Installation) -> str:
    """What the demo prints."""
    done = installation.run("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _rows(installation: Installation, year: int, *by: str) -> list[dict[str, Any]]:
    dimensions = [word for dimension in by for word in ("--by", dimension)]
    period = ("--from", f"{year}-01-01", "--to", f"{year}-12-31")
    rows: list[dict[str, Any]] = installation.json("counts", "--province", "12", *period, *dimensions)
    return rows


@pytest.mark.parametrize("year", [2022, 2023])
def test_every_figure_equals_the_reports(installation: Installation, demo: str, year: int) -> None:
    rows = {row["disease"]: row for row in _rows(installation, year, "disease")}
    for disease, figures in figures_of(year).items():
        for counter in ("notified", "deaths", "positive", "negative", "pending", "imported"):
            expected = getattr(figures, counter)
            found = rows[disease][counter] if disease in rows else 0
            assert found == expected, (disease, year, counter)


def test_the_three_rabies_deaths_are_one_in_each_district(installation: Installation, demo: str) -> None:
    rows = [row for row in _rows(installation, 2023, "district", "disease") if row["disease"] == "rabies"]
    assert [(row["district"], row["notified"], row["deaths"]) for row in rows] == [
        ("107", 1, 1),
        ("109", 1, 1),
        ("112", 1, 1),
    ]


def test_a_resolved_syndrome_counts_in_both_and_once_in_the_total(
    installation: Installation, demo: str
) -> None:
    by_disease = {row["disease"]: row for row in _rows(installation, 2023, "disease")}
    assert by_disease["measles"]["notified"] == by_disease["measles"]["resolved_from_syndrome"] == 2
    (total,) = _rows(installation, 2023)
    own = sum(row["notified"] - row["resolved_from_syndrome"] for row in by_disease.values())
    assert total["notified"] == own


def test_the_output_is_stamped_and_says_what_is_next(demo: str) -> None:
    assert demo.count("DỮ LIỆU MÔ PHỎNG") >= 2
    assert "no drift" in demo
    assert "What to look at next" in demo
    assert max(map(len, demo.splitlines())) <= 110


def test_the_demo_may_be_run_again(installation: Installation, demo: str) -> None:
    before = _rows(installation, 2023, "disease", "district")
    assert installation.run("demo").returncode == 0
    assert _rows(installation, 2023, "disease", "district") == before


def test_a_case_has_its_history(installation: Installation, demo: str) -> None:
    shown = installation.json("cases", "show", "LC-2023-000001")
    assert shown["events"]
    assert shown["state"]["disease"]


def test_audit_and_doctor_are_content(installation: Installation, demo: str) -> None:
    audit = installation.json("audit")
    assert set(audit["drift"].values()) == {0}
    assert installation.json("doctor")["ok"]


def test_a_posted_event_is_counted(installation: Installation, demo: str) -> None:
    event = {
        "specversion": "1.0",
        "id": "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11",
        "source": "/facilities/LC-TYT-03190",
        "type": "vn.canhdich.case.reported.v1",
        "subject": "LC-2024-000123",
        "time": "2024-07-04T08:12:00+07:00",
        "data": {"disease": "streptococcus_suis", "area_code": "109", "onset_on": "2024-07-01"},
    }
    answer = httpx.post(f"{installation.intake_url}/v1/events", json=event, timeout=30)
    assert answer.status_code == httpx.codes.ACCEPTED
    # The importer waits for what it sent; the same event again is a repeat behind the posted one.
    file = installation.folder / "again.ndjson"
    file.write_bytes(httpx.Request("POST", "http://x", json=event).content + b"\n")
    assert installation.run("import", str(file), "--wait").returncode == 0
    rows = installation.json("counts", "--district", "109", "--from", "2024-01-01", "--to", "2024-12-31")
    assert [row["notified"] for row in rows] == [1]


def test_unknown_codes_and_options_are_usage_errors(installation: Installation, demo: str) -> None:
    assert installation.run("counts", "--province", "99").returncode == 2
    assert installation.run("counts", "--by", "moon").returncode == 2
    assert installation.run("cases", "show", "NO-SUCH-CASE").returncode == 1


def test_a_death_without_a_day_is_said_where_no_row_shows_it(installation: Installation, demo: str) -> None:
    event = {
        "specversion": "1.0",
        "id": "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d12",
        "source": "/facilities/LC-TYT-03190",
        "type": "vn.canhdich.case.reported.v1",
        "subject": "LC-2021-000001",
        "time": "2021-07-04T08:12:00+07:00",
        "data": {"disease": "rabies", "area_code": "109", "outcome": "dead"},
    }
    file = installation.folder / "undated.ndjson"
    file.write_text(json.dumps(event) + "\n")
    assert installation.run("import", str(file), "--wait").returncode == 0
    period = ("--basis", "death", "--from", "2021-01-01", "--to", "2021-12-31")
    shown = installation.run("counts", "--district", "109", *period)
    assert "1 ca tử vong không rõ ngày" in shown.stdout
    rows = installation.json("counts", "--district", "109", *period, "--by", "day")
    assert [(row["day"], row["deaths"]) for row in rows] == [(None, 1)]


@dataclass(frozen=True, slots=True)
class Station:
    """A health station's account in a running installation, and what the database says of its cases."""

    installation: Installation
    username: str
    password: str

    @property
    def form(self) -> str:
        """The address of the form for a new case."""
        return f"{self.installation.intake_url}/cases/new"

    def sign_in(self, page: Page) -> None:
        """Open the intake and sign in, by the keyboard alone; it leads to the form."""
        page.goto(self.installation.intake_url)
        for typed, key in ((self.username, "Tab"), (self.password, "Enter")):
            page.keyboard.type(typed)
            page.keyboard.press(key)
        page.wait_for_url(re.compile("/(cases/new|account)$"))

    def events_of(self, disease: str) -> list[tuple[str, datetime]]:
        """Code and time of recording of every event about a disease that was reported today."""
        with psycopg.connect(self.installation.environment["DATABASE_URL"]) as connection:
            return connection.execute(
                "select subject, event_time from case_events "
                "where data ->> 'disease' = %s and data ->> 'onset_on' = %s",
                (disease, TODAY.isoformat()),
            ).fetchall()

    def folded(self, disease: str) -> list[tuple[str, datetime]]:
        """The same, when there is one: Kafka has what was sent, and the worker comes to it."""
        deadline = time.monotonic() + PATIENCE_MS / 1_000
        while not (events := self.events_of(disease)):
            assert time.monotonic() < deadline, f"no event about {disease} was folded"
            time.sleep(0.1)
        return events

    def counted(self, disease: str) -> list[tuple[str, int]]:
        """Commune and number of today's cases of a disease, as `canhdich counts` prints them."""
        period = ("--from", TODAY.isoformat(), "--to", TODAY.isoformat(), "--by", "commune")
        rows = self.installation.json("counts", "--district", "109", "--disease", disease, *period)
        return [(row["commune"], row["notified"]) for row in rows]


TODAY = datetime.now(LOCAL_ZONE).date()


def report(page: Page, disease: str) -> None:
    """Report a case of today by the keyboard alone; the disease has the focus."""
    expect(page.locator("#f-disease")).to_be_focused()
    for typed in (disease, "Xã Phong Thổ (03549)", "", f"{TODAY:%d/%m/%Y}", ""):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    # A list of choices: Enter would open it.
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("34")
    page.keyboard.press("Enter")


@pytest.fixture(scope="module")
def station(installation: Installation, demo: str, browser: Browser) -> Station:
    """As the README says: made at the command line, the password replaced in the browser."""
    rights = ("--role", "reporter", "--facility", "LC-TYT-03549", "--area", "109")
    made = installation.json("people", "add", "tram.phong-tho", *rights)
    handed = Station(installation, made["username"], made["one_time_password"])
    context = browser.new_context(**DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    handed.sign_in(page)
    # Nothing else can be done before the password is one's own.
    expect(page.locator("#f-old")).to_be_focused()
    chosen = "một câu dài dễ nhớ"
    for typed, key in ((handed.password, "Tab"), (chosen, "Tab"), (chosen, "Enter")):
        page.keyboard.type(typed)
        page.keyboard.press(key)
    expect(page.get_by_role("status")).to_contain_text("Đã lưu")
    context.close()
    return Station(installation, handed.username, chosen)


@contextmanager
def device(playwright: Playwright, profile: Path) -> Iterator[BrowserContext]:
    """The browser of one PC, opened and closed again."""
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=FLAGS, **DESKTOP
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def test_a_case_typed_into_the_form_is_counted(station: Station, page: Page) -> None:
    station.sign_in(page)
    report(page, "than")
    page.wait_for_url("**/cases/LC-TYT-03549-*")
    # The page asks by itself until the stream has it.
    expect(page.get_by_role("status")).to_contain_text("Ca đã được tính.")
    ((subject, _),) = station.folded("anthrax")
    assert f"/cases/{subject}?" in page.url
    assert station.counted("anthrax") == [("03549", 1)]
    page.goto(f"{station.installation.intake_url}/week")
    expect(page.get_by_role("row", name=re.compile("^Than")).get_by_role("cell").first).to_have_text("1")


def test_a_case_kept_on_the_device_is_counted_once(
    station: Station, playwright: Playwright, tmp_path: Path
) -> None:
    with device(playwright, tmp_path / "profile") as context:
        page = context.pages[0]
        station.sign_in(page)
        page.evaluate(KEPT)
        context.set_offline(True)
        page.goto(station.form)
        report(page, "Sởi")
        expect(page.locator("#f--done")).to_contain_text("Đã lưu trên máy này, chờ gửi")

    with device(playwright, tmp_path / "profile") as context:
        page = context.pages[0]
        context.set_offline(True)
        page.goto(station.form)
        expect(page.locator("#queue-list li")).to_contain_text("chờ gửi")
        assert station.events_of("measles") == []
        lost: list[int] = []

        def lose_the_answer(route: Route) -> None:
            lost.append(route.fetch().status)
            route.abort()

        context.set_offline(False)
        page.route(
            "**/cases/new", lambda r: lose_the_answer(r) if r.request.method == "POST" else r.continue_()
        )
        # Whoever closes the browser has signed out; what waits is sent when they are back.
        with page.expect_event("requestfailed", lambda request: request.method == "POST"):
            station.sign_in(page)
        assert lost == [202]
        page.unroute_all()
        page.reload()
        expect(page.locator("#queue")).to_be_hidden()
        expect(page.locator("#queue-badge")).to_be_hidden()
    ((subject, _),) = station.folded("measles")
    assert subject.startswith("LC-TYT-03549-")
    assert station.counted("measles") == [("03549", 1)]


def test_a_device_that_is_ten_minutes_fast_reports_at_the_right_time(station: Station, page: Page) -> None:
    page.clock.set_system_time(datetime.now(UTC) + timedelta(minutes=10))
    station.sign_in(page)
    page.evaluate(KEPT)
    page.context.set_offline(True)
    page.goto(station.form)
    report(page, "Dại")
    expect(page.locator("#f--done")).to_contain_text("Đã lưu trên máy này, chờ gửi")
    recorded = datetime.now(UTC)
    page.context.set_offline(False)
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 202):
        page.goto(station.form)
    expect(page.locator("#queue")).to_be_hidden()
    ((_, at),) = station.folded("rabies")
    assert abs(at - recorded) < timedelta(minutes=2)
    assert station.counted("rabies") == [("03549", 1)]

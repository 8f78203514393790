"""The form without a line: kept on the device, sent once when the line is back."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from services.intake.people.person import Role
from services.intake.ports import Outgoing
from tests.browser import CHROMIUM, DESKTOP, FLAGS, KEPT, PATIENCE_MS, LiveApp
from tests.people_fakes import make_person

NURSE = make_person(Role.REPORTER, "lan", name="Trạm Y tế Phong Thổ", area_codes=("109",))
COLLEAGUE = make_person(Role.REPORTER, "hoa", name="Hoa", area_codes=("109",))
READ_STORE = """async () => {
  const open = indexedDB.open("canhdich");
  await new Promise(done => { open.onsuccess = done });
  const read = name => new Promise(done => {
    const request = open.result.transaction(name).objectStore(name).getAll();
    request.onsuccess = () => done(request.result);
  });
  const [keys, items] = [await read("keys"), await read("items")];
  return {
    extractable: keys.map(key => key.extractable),
    texts: items.map(item => JSON.stringify(item) + new TextDecoder().decode(item.box)),
  };
}"""


def open_form(live: LiveApp, page: Page) -> None:
    """Open the form and wait until it is kept for the time without a line."""
    page.goto(f"{live.url}/cases/new")
    page.evaluate(KEPT)


def report(page: Page, disease: str = "Dại", onset_on: str = "3/1/2026") -> None:
    page.locator("#f-disease").fill(disease)
    page.locator("#f-area").fill("Xã Phong Thổ (03549)")
    page.locator("#f-onset_on").fill(onset_on)
    page.keyboard.press("Enter")


def line_is_back(page: Page, *, waiting: bool = False) -> None:
    """What the browser says when it notices; on request with the answer to the first report that is sent."""
    notice = "dispatchEvent(new Event('online'))"
    if not waiting:
        page.evaluate(notice)
        return
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.evaluate(notice)


Open = Callable[[], BrowserContext]


@pytest.fixture
def open_profile(playwright: Playwright, tmp_path: Path) -> Iterator[Open]:
    """Opens the browser of one PC, with the profile that it has."""
    opened: list[BrowserContext] = []

    def open_again() -> BrowserContext:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, args=FLAGS, **DESKTOP
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context

    yield open_again
    opened[-1].close()


def test_cases_reported_without_a_line_survive_a_closed_browser_and_are_sent_once(
    live: LiveApp, open_profile: Open
) -> None:
    context = open_profile()
    live.sign_in(context, NURSE)
    page = context.pages[0]
    open_form(live, page)

    live.stop()
    page.goto(f"{live.url}/cases/new")
    report(page)
    expect(page.locator("#f--done")).to_contain_text(
        "Đã lưu trên máy này, chờ gửi: Dại, Xã Phong Thổ (03549)"
    )
    expect(page.locator("#f-disease")).to_be_focused()
    report(page, "Sởi")
    expect(page.locator("#queue-list li")).to_have_count(2)
    expect(page.locator("#queue-badge")).to_have_text("2 ca chờ gửi")
    store = page.evaluate(READ_STORE)
    assert store["extractable"] == [False]
    assert not any("Phong" in text or "03549" in text or "onset" in text for text in store["texts"])
    # Pages that need the line say so.
    page.goto(f"{live.url}/cases")
    expect(page.get_by_text("Trang này cần mạng")).to_be_visible()
    context.close()

    context = open_profile()
    page = context.pages[0]
    page.goto(f"{live.url}/cases/new")
    expect(page.locator("#queue-list li")).to_have_count(2)
    expect(page.locator("#queue-list li").first).to_contain_text("chờ gửi")
    live.start()
    # Whoever closes the browser has signed out: nothing is sent in the name of whoever comes next.
    line_is_back(page)
    live.sign_in(context, COLLEAGUE)
    page.goto(f"{live.url}/cases/new")
    expect(page.locator("#queue-list li")).to_have_text(re.compile("^Báo cáo của người khác .*: 2$"))
    assert live.events() == []

    live.sign_in(context, NURSE)
    page.goto(f"{live.url}/cases/new")
    live.wait_for_events(page, 2)
    expect(page.locator("#queue")).to_be_hidden()
    assert [event["data"]["disease"] for event in live.events()] == ["rabies", "measles"]
    # The second time the same.
    page.reload()
    line_is_back(page)
    page.wait_for_load_state("networkidle")
    assert len(live.events()) == 2


def test_a_lost_answer_makes_no_second_case(live: LiveApp, page: Page) -> None:
    live.sign_in(page.context, NURSE)
    open_form(live, page)
    live.loses_answers = True
    report(page)
    expect(page.locator("#queue-list li")).to_have_count(1)
    live.loses_answers = False
    line_is_back(page)
    expect(page.locator("#queue")).to_be_hidden()
    first, *others = [record.value for record in live.sink.records]
    # Word for word the same, the time too: the stream counts it once.
    assert others
    assert set(others) == {first}


def test_a_clock_that_is_ten_minutes_fast_is_set_right_once(live: LiveApp, page: Page) -> None:
    page.clock.set_system_time(datetime.now(UTC) + timedelta(minutes=10))
    live.sign_in(page.context, NURSE)
    open_form(live, page)
    live.stop()
    page.goto(f"{live.url}/cases/new")
    report(page)
    expect(page.locator("#queue-list li")).to_have_count(1)
    recorded = datetime.now(UTC)
    live.start()
    live.loses_answers = True
    line_is_back(page, waiting=True)
    live.loses_answers = False
    line_is_back(page)
    expect(page.locator("#queue")).to_be_hidden()
    times = {event["time"] for event in live.events()}
    assert len(times) == 1
    off = datetime.fromisoformat(times.pop()) - recorded
    assert abs(off) < timedelta(minutes=2)


def test_what_the_server_refuses_waits_to_be_mended(live: LiveApp, page: Page) -> None:
    live.sign_in(page.context, NURSE)
    open_form(live, page)
    page.context.set_offline(True)
    report(page, onset_on="31/2")
    expect(page.locator("#queue-list li")).to_have_count(1)
    page.context.set_offline(False)
    line_is_back(page)
    waiting = page.locator("#queue-list li")
    expect(waiting).to_contain_text("bị từ chối")
    expect(waiting).to_contain_text("Ngày khởi phát: không đọc được ngày")
    page.reload()
    waiting.get_by_role("button", name="Sửa").click()
    expect(page.locator("#f-onset_on")).to_have_value("31/2")
    expect(page.locator("#f-onset_on-error")).to_contain_text("không đọc được ngày")
    page.locator("#f-onset_on").fill("3/1/2026")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/LC-TYT-03549-*")
    assert [event["data"]["onset_on"] for event in live.events()] == ["2026-01-03"]
    page.goto(f"{live.url}/cases/new")
    expect(page.locator("#queue")).to_be_hidden()


def test_a_change_that_newer_information_overrules_is_shown(live: LiveApp, page: Page) -> None:
    live.sign_in(page.context, NURSE)
    open_form(live, page)
    report(page)
    page.wait_for_url("**/cases/LC-TYT-03549-*")
    subject = live.events()[0]["subject"]
    live.stop()
    page.get_by_text("Diễn biến, tử vong", exact=True).click()
    page.locator("#outcome-outcome").select_option("in_care")
    page.locator("#outcome").get_by_role("button").click()
    expect(page.locator("#outcome--done")).to_contain_text("Chưa có mạng")
    newer = {
        **live.events()[0],
        "id": "00000000-0000-4000-8000-000000000001",
        "type": "vn.canhdich.case.updated.v1",
        "time": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
        "data": {"outcome": "recovered"},
    }
    live.sink.records.append(Outgoing("case-events", subject.encode(), orjson.dumps(newer)))
    live.start()
    line_is_back(page, waiting=True)
    page.goto(f"{live.url}/cases/new")
    waiting = page.locator("#queue-list li")
    expect(waiting).to_contain_text("Đã ghi nhận, bị thay thế bởi thông tin mới hơn: Tình trạng hiện nay")
    waiting.get_by_role("link").click()
    expect(page.get_by_text(re.compile("Đã ghi nhận, bị thay thế"))).to_be_visible()
    expect(page.locator(".history s")).to_have_text("đang điều trị")


def test_signing_out_warns_of_what_waits_and_wipes_it_with_its_key(live: LiveApp, page: Page) -> None:
    live.sign_in(page.context, NURSE)
    open_form(live, page)
    live.stop()
    report(page)
    expect(page.locator("#queue-list li")).to_have_count(1)
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.get_by_role("button", name="Đăng xuất").click()
    assert "Còn 1 ca chưa gửi" in asked.value.message
    assert len(page.evaluate(READ_STORE)["texts"]) == 1
    said: list[str] = []

    def agree(dialog: object) -> None:
        said.append(dialog.message)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", agree)
    page.get_by_role("button", name="Đăng xuất").click()
    page.wait_for_url("**/offline")
    assert "phiên làm việc ở máy chủ sẽ đóng khi có mạng" in said[1]
    assert page.evaluate(READ_STORE) == {"extractable": [], "texts": []}
    # Nor is the form there any more.
    page.wait_for_load_state("networkidle")
    page.goto(f"{live.url}/cases/new")
    expect(page.get_by_text("Trang này cần mạng")).to_be_visible()
    # With the line the session ends, too.
    live.start()
    page.goto(f"{live.url}/offline")
    page.wait_for_function("() => !localStorage.getItem('canhdich-sign-out')")
    page.goto(f"{live.url}/cases/new")
    expect(page).to_have_url(re.compile("/sign-in"))

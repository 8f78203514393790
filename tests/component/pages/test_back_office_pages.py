"""Alerts, week, import, dead letters, downloads and report in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from schemas.catalogue import Catalogue
from services.intake.people.person import Role
from tests.browser import DESKTOP, PATIENCE_MS, LiveApp
from tests.fakes_back_office import FakeBackOffice, FakeDeadLetters, FakeImports
from tests.fakes_intake import FakeAlertBook
from tests.people_fakes import make_person
from tests.unit.importing.offices import CASE, export
from tests.unit.intake.staff.test_back_office import letter, raised


@pytest.fixture(scope="module")
def office(published_catalogue: Catalogue) -> FakeBackOffice:
    return FakeBackOffice(dead_letters=FakeDeadLetters(letter()), imports=FakeImports(published_catalogue))


@pytest.fixture(scope="module")
def alerts() -> FakeAlertBook:
    return FakeAlertBook(raised(), raised(disease="measles"))


@pytest.fixture(scope="module")
def desk(published_catalogue: Catalogue, office: FakeBackOffice, alerts: FakeAlertBook) -> Iterator[LiveApp]:
    """One intake for this module's tests."""
    with LiveApp(published_catalogue, office=office.ports(), alerts=alerts) as app:
        app.alerts = alerts
        yield app


def sign_in(desk: LiveApp, page: Page) -> None:
    desk.sign_in(page.context, make_person(Role.EPIDEMIOLOGIST, "minh", name="BS. Minh"))


def test_a_file_goes_from_the_page_to_kafka(desk: LiveApp, office: FakeBackOffice, page: Page) -> None:
    sign_in(desk, page)
    page.goto(f"{desk.url}/import")
    doubtful = CASE | {"Mã số": "2025-12-000002", "Xã": "Xã Bình Lừ"}
    bad = CASE | {"Mã số": "2025-12-000003", "Ngày khởi phát": "41/08/2025"}
    content = export(CASE, doubtful, bad)
    page.get_by_label("Tệp").set_input_files({"name": "xuat.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Xem trước").click()
    # The script asks for the rest by itself.
    expect(page.get_by_text("Xem trước: chưa gửi gì.")).to_be_visible()
    page.locator("fieldset").get_by_role("radio").first.check()
    page.get_by_role("button", name="Ghi lựa chọn").click()
    expect(page.get_by_role("button", name="Gửi 2 ca")).to_be_visible()
    page.get_by_role("button", name="Gửi 2 ca").click()
    expect(page.get_by_text("Vài giây nữa sẽ được đếm.")).to_be_visible()
    assert len(office.imports.kafka.records) == 2
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải dòng bị từ chối").click()
    assert "onset_on" in download.value.path().read_text("utf-8-sig")


def test_an_alert_is_dealt_with_and_its_text_copied(desk: LiveApp, alerts: FakeAlertBook, page: Page) -> None:
    sign_in(desk, page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=desk.url)
    page.goto(f"{desk.url}/alerts")
    page.get_by_role("link", name="Sởi").click()
    page.get_by_role("button", name="Sao chép").click()
    expect(page.get_by_text("Đã sao chép.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Bệnh: …\n"
    page.get_by_label("Ghi chú, lý do").fill("Ca nghi ngờ, đã loại trừ bằng xét nghiệm.")
    page.get_by_role("button", name="Bác bỏ").click()
    expect(page.get_by_text("đã bác bỏ")).to_be_visible()
    assert [events[-1].actor for events in alerts.lives.values() if len(events) > 1] == ["minh"]


def test_a_report_is_written_published_and_compared_without_scripts(desk: LiveApp, browser: Browser) -> None:
    context = browser.new_context(**DESKTOP, java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = context.new_page()
        sign_in(desk, page)
        page.goto(f"{desk.url}/report")
        page.get_by_label("Từ ngày").fill("1/12/2025")
        page.get_by_label("Đến ngày").fill("31/12/2025")
        page.get_by_role("button", name="Lập báo cáo").click()
        # The page comes again by itself until it is there.
        expect(page.get_by_text("Ghi nhận 04 trường hợp mắc.")).to_be_visible()
        page.get_by_label("Tên báo cáo").fill("Tháng 12 năm 2025")
        page.get_by_role("button", name="Công bố").click()
        expect(page.get_by_text("Đã công bố “Tháng 12 năm 2025”")).to_be_visible()
        page.get_by_role("link", name="Mở bản đã công bố").click()
        page.get_by_role("link", name="Thay đổi từ đó đến nay").click()
        expect(page.get_by_text("03 trường hợp chuyển từ huyện A sang huyện Sìn Hồ.")).to_be_visible()
    finally:
        context.close()

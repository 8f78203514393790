"""The pages of cases in a real browser, with their scripts."""

import re

from playwright.sync_api import Page, expect

from services.intake.people.person import Role
from tests.browser import LiveApp
from tests.people_fakes import make_person

NURSE = make_person(Role.REPORTER, "lan", name="Trạm Y tế Phong Thổ", area_codes=("109",))


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"#f-{name}").fill(value)


def test_a_case_is_reported_with_the_keyboard_alone_and_its_page_says_that_it_counts(
    live: LiveApp, page: Page
) -> None:
    live.sign_in(page.context, NURSE)
    page.goto(f"{live.url}/cases/new")
    keyboard = page.keyboard
    # The disease has the focus.
    for typed in ("sot xuat huyet", "phong tho", "", "4/1/2026", ""):
        keyboard.type(typed)
        keyboard.press("Tab")
    # The sex is chosen from a list.
    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    keyboard.type("8 tháng")
    keyboard.press("Enter")
    page.wait_for_url("**/cases/LC-TYT-03549-*")
    expect(page.get_by_role("status")).to_contain_text("Hệ thống đã nhận. Ca đã được tính.")
    (event,) = live.events()
    assert event["data"] == {
        "disease": "dengue",
        "area_code": "03549",
        "onset_on": "2026-01-04",
        "sex": "male",
        "age_years": 0.67,
        "classification": "suspected",
    }
    # Made on the device: version 7.
    assert event["id"][14] == "7"
    assert event["id"] in page.url


def test_errors_stand_beside_their_fields_and_what_was_typed_stays(live: LiveApp, page: Page) -> None:
    live.sign_in(page.context, NURSE)
    page.goto(f"{live.url}/cases/new")
    fill(page, disease="Dại", area="Xã Phong Thổ (03549)", onset_on="31/2", hamlet="nhà ông Lò Văn Pâng")
    page.get_by_role("button", name="Gửi báo cáo ca bệnh").click()
    error = page.locator("#f-onset_on-error")
    expect(error).to_contain_text("không đọc được ngày")
    expect(page.locator("#f-onset_on")).to_be_focused()
    expect(page.locator("#f-onset_on")).to_have_value("31/2")
    fill(page, onset_on="3/1/2026")
    page.keyboard.press("Enter")
    expect(page.locator("#f-hamlet-error")).to_contain_text("họ tên người")
    expect(error).to_be_hidden()
    fill(page, hamlet="")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/LC-TYT-03549-*")
    assert [event["data"]["onset_on"] for event in live.events()] == ["2026-01-03"]


def test_a_case_is_changed_and_taken_back_on_its_page(live: LiveApp, page: Page) -> None:
    live.sign_in(page.context, NURSE)
    page.goto(f"{live.url}/cases/new")
    fill(page, disease="Dại", area="Xã Phong Thổ (03549)")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/LC-TYT-03549-*")
    page.get_by_text("Diễn biến, tử vong", exact=True).click()
    page.locator("#outcome-outcome").select_option("dead")
    page.locator("#outcome-died_at").fill("4/1/2026")
    page.locator("#outcome").get_by_role("button").click()
    page.wait_for_url(re.compile(f"event=(?!{live.events()[0]['id']})"))
    expect(page.locator(".history li.new")).to_contain_text("tử vong")
    assert live.events()[1]["data"] == {"outcome": "dead", "died_at": "2026-01-04"}
    page.get_by_text("Rút ca", exact=True).first.click()
    page.get_by_role("button", name="Rút ca này").click()
    expect(page.locator("#retract-confirm-error")).to_contain_text("Hãy đánh dấu")
    page.locator("#retract-reason").select_option("entered_in_error")
    page.get_by_label("Tôi chắc chắn").check()
    page.get_by_role("button", name="Rút ca này").click()
    expect(page.get_by_text("Ca đã rút, không được tính.")).to_be_visible()
    assert len(live.events()) == 3

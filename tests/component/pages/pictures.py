"""`python -m tests.component.pages.pictures`: the pictures of the case pages for docs/pages.md."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from schemas.catalogue import load_catalogue
from services.intake.people.person import Role
from tests.browser import CHROMIUM, DESKTOP, FLAGS, PATIENCE_MS, PHONE, LiveApp
from tests.component.pages.test_offline import open_form, report
from tests.people_fakes import make_person

FOLDER = Path(__file__).parents[3] / "docs/pages"
NURSE = make_person(Role.REPORTER, "lan", name="Trạm Y tế Phong Thổ", area_codes=("109",))


def take_pictures(live: LiveApp, page: Page, save: Callable[[str], None]) -> None:
    """Every page of cases, as a nurse meets them."""
    open_form(live, page)
    save("new")
    report(page, "Bệnh lạ", "31/2")
    expect(page.locator("#f-onset_on-error")).to_be_visible()
    save("errors")
    page.goto(f"{live.url}/cases/new")
    report(page, "Sốt xuất huyết Dengue", "3/11/2026")
    page.wait_for_url("**/cases/LC-TYT-03549-*")
    page.get_by_text("Kết quả xét nghiệm", exact=True).click()
    page.locator("#lab-lab").select_option("positive")
    page.locator("#lab").get_by_role("button").click()
    expect(page.locator(".history > li")).to_have_count(2)
    page.get_by_text("Diễn biến, tử vong", exact=True).click()
    save("case")
    page.goto(f"{live.url}/cases")
    save("find")
    live.stop()
    page.goto(f"{live.url}/cases")
    save("offline")
    page.goto(f"{live.url}/cases/new")
    report(page, "Tay - chân - miệng", "3/11/2026")
    expect(page.locator("#queue-list li")).to_have_count(1)
    save("queue")


def main() -> None:
    """Write `docs/pages/<page>-<screen>.png`."""
    FOLDER.mkdir(exist_ok=True)
    screens: Mapping[str, Mapping[str, Any]] = {"phone": PHONE, "desktop": DESKTOP}
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for screen, options in screens.items():
            context = browser.new_context(**options)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()

            def save(name: str, page: Page = page, screen: str = screen) -> None:
                page.screenshot(path=FOLDER / f"{name}-{screen}.png", full_page=screen == "phone")

            with LiveApp(load_catalogue()) as live:
                live.sign_in(context, NURSE)
                take_pictures(live, page, save)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()

"""Signing in, one's own account, and what an administrator does: as people do it, page by page."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest

from services.intake.people import accounts
from services.intake.people.accounts import COMMAND_LINE, Wanted
from services.intake.people.person import Role
from services.intake.people.secrets import KEY_PREFIX
from services.intake.people.visitors import SESSION_COOKIE, VISIT_COOKIE
from tests.people_fakes import FakePeople, make_person
from tests.unit.intake.door import NOW, Doorstep, event
from tests.unit.intake.people.browser import Browser

PASSWORD = "một câu dài dễ nhớ"  # noqa: S105
REPORTER = make_person(Role.REPORTER, "tram.pt", area_codes=("03549",))
ADMINISTRATOR = make_person(Role.ADMINISTRATOR, "quan.tri")


@pytest.fixture
def door() -> Iterator[Doorstep]:
    """A door with a reporter and an administrator who know their passwords."""
    people = FakePeople()
    for person in (REPORTER, ADMINISTRATOR):
        people.add(person, accounts.hasher().hash(PASSWORD))
    with Doorstep(people=people) as made:
        yield made


@pytest.fixture
def browser(door: Doorstep) -> Browser:
    return Browser(door)


def administrator_at(door: Doorstep) -> Browser:
    browser = Browser(door)
    assert browser.sign_in("quan.tri", PASSWORD).status_code == 303
    return browser


def acts(door: Doorstep) -> list[str]:
    return [action.action for action in door.people.actions()]


class TestSigningIn:
    def test_leads_to_where_one_wanted_to_go(self, browser: Browser) -> None:
        assert browser.get("/account").headers["location"] == "/sign-in?next=/account"
        browser.get("/sign-in?next=/account")
        answer = browser.post("/sign-in", {"username": " Tram.PT ", "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert "tram.pt" in browser.get("/account").text

    def test_the_cookie_is_for_the_server_alone_and_new_each_time(self, browser: Browser) -> None:
        browser.get("/sign-in")
        browser.cookies[SESSION_COOKIE] = "set-by-somebody-else"
        browser.get("/sign-in")
        answer = browser.post("/sign-in", {"username": "tram.pt", "password": PASSWORD})
        (line,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION_COOKIE}=")]
        assert "HttpOnly" in line
        assert "SameSite=Lax" in line
        assert browser.cookies[SESSION_COOKIE] != "set-by-somebody-else"
        assert VISIT_COOKIE not in browser.cookies

    @pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example"])
    def test_never_leads_elsewhere(self, browser: Browser, back: str) -> None:
        browser.get("/sign-in", **{})
        answer = browser.post("/sign-in", {"username": "tram.pt", "password": PASSWORD, "next": back})
        assert answer.headers["location"] == "/"

    @pytest.mark.parametrize(
        ("username", "password"), [("tram.pt", "wrong"), ("nobody", PASSWORD), ("", ""), ("tram.pt", "")]
    )
    def test_says_the_same_whatever_is_wrong(self, browser: Browser, username: str, password: str) -> None:
        answer = browser.sign_in(username, password)
        assert answer.status_code == 422
        assert "Sai tên đăng nhập, mật khẩu hoặc mã xác thực." in answer.text
        assert SESSION_COOKIE not in browser.cookies

    def test_an_unknown_name_is_hashed_as_a_known_one_and_not_written_down(
        self, door: Doorstep, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hasher, hashed = accounts.hasher(), []

        class Counting:
            def verify(self, hash_: str, password: str) -> bool:
                hashed.append(password)
                return hasher.verify(hash_, password)

        monkeypatch.setattr(accounts, "hasher", Counting)
        monkeypatch.setattr(accounts, "_hash_of_nobody", lambda: hasher.hash("x"))
        browser.sign_in("tram.pt", "wrong")
        browser.sign_in("my secret typed here", "wrong")
        assert hashed == ["wrong", "wrong"]
        assert [(a.action, a.username, a.target) for a in door.people.actions()] == [
            ("sign-in-failed", "", ""),
            ("sign-in-failed", "tram.pt", "tram.pt"),
        ]

    def test_a_disabled_account_does_not_come_in(self, door: Doorstep, browser: Browser) -> None:
        admin = administrator_at(door)
        admin.get(f"/people/{REPORTER.id}")
        signed_in = Browser(door)
        signed_in.sign_in("tram.pt", PASSWORD)
        form = {"name": "Trạm", "role": "reporter", "facility": "LC-TYT-03549", "is_disabled": "yes"}
        assert admin.post(f"/people/{REPORTER.id}", form).status_code == 303
        assert browser.sign_in("tram.pt", PASSWORD).status_code == 422
        assert signed_in.get("/account").headers["location"] == "/sign-in?next=/account"

    def test_too_many_failures_pause_even_the_right_password(self, door: Doorstep, browser: Browser) -> None:
        for _ in range(5):
            assert browser.sign_in("tram.pt", "wrong").status_code == 422
        answer = browser.sign_in("tram.pt", PASSWORD)
        assert answer.status_code == 429
        assert "chờ 16 giây" in answer.text
        # Nobody can tell from it whether there is such an account.
        for _ in range(5):
            browser.sign_in("nobody", "wrong")
        assert "chờ 16 giây" in browser.sign_in("nobody", "wrong").text
        # An administrator's reset ends the pause.
        admin = administrator_at(door)
        admin.get(f"/people/{REPORTER.id}")
        answer = admin.post(f"/people/{REPORTER.id}/reset")
        (one_time,) = re.findall(r"<code>(\w{4}-\w{4}-\w{4}-\w{4})</code>", answer.text)
        assert browser.sign_in("tram.pt", one_time).headers["location"] == "/account"

    def test_one_address_cannot_try_many_accounts(self, browser: Browser) -> None:
        statuses = [browser.sign_in(f"somebody{number}", "wrong").status_code for number in range(22)]
        assert statuses == [422] * 21 + [429]

    def test_signing_out_ends_the_session_and_clears_the_device(
        self, door: Doorstep, browser: Browser
    ) -> None:
        browser.sign_in("tram.pt", PASSWORD)
        kept = dict(browser.cookies)
        browser.get("/account")
        answer = browser.post("/sign-out")
        assert answer.headers["clear-site-data"] == '"cache", "storage"'
        browser.cookies = kept
        assert browser.get("/account").status_code == 303
        assert acts(door)[0] == "signed-out"


class TestHandedPassword:
    def test_has_to_be_replaced_before_anything_else(self, door: Doorstep, browser: Browser) -> None:
        wanted = Wanted(Role.EPIDEMIOLOGIST, None, ())
        one_time = accounts.add_person(
            door.people, COMMAND_LINE, "bs.lan", "Bs. Lan", wanted, "vi", "2026-01-15"
        )
        assert browser.sign_in("bs.lan", one_time).headers["location"] == "/account"
        session = {"cookie": f"{SESSION_COOKIE}={browser.cookies[SESSION_COOKIE]}"}
        assert browser.get("/account/second-factor").headers["location"] == "/account"
        refused = door.get("/v1/alerts", **session)
        assert (refused.status_code, refused.json()["type"]) == (403, "/docs#password-to-change")
        browser.get("/account")
        form = {"old": one_time, "new": PASSWORD, "again": PASSWORD}
        assert browser.post("/account/password", form).headers["location"] == "/account?changed"
        assert door.get("/v1/alerts", **session).status_code == 200

    @pytest.mark.parametrize(
        ("old", "new", "again", "said"),
        [
            ("wrong", "a new sentence", "a new sentence", "Sai tên đăng nhập, mật khẩu"),
            (PASSWORD, "short", "short", "quá ngắn, cần ít nhất 10"),
            (PASSWORD, "matkhau123", "matkhau123", "quá dễ đoán"),
            (PASSWORD, "aaaaaaaaaaaa", "aaaaaaaaaaaa", "quá dễ đoán"),
            (PASSWORD, "tram.pt tram.pt", "tram.pt tram.pt", "không được chứa tên đăng nhập"),
            (PASSWORD, PASSWORD, PASSWORD, "trùng mật khẩu cũ"),
            (PASSWORD, "x" * 5 + "abcdefgh" * 40, "x" * 5 + "abcdefgh" * 40, "quá dài"),
            (PASSWORD, "a new sentence", "another one here", "không giống nhau"),
        ],
    )
    def test_a_password_that_is_no_good(
        self, browser: Browser, old: str, new: str, again: str, said: str
    ) -> None:
        browser.sign_in("tram.pt", PASSWORD)
        browser.get("/account")
        answer = browser.post("/account/password", {"old": old, "new": new, "again": again})
        assert answer.status_code == 422
        assert said in answer.text

    def test_changing_it_ends_every_other_session(self, door: Doorstep, browser: Browser) -> None:
        other = Browser(door)
        other.sign_in("tram.pt", PASSWORD)
        browser.sign_in("tram.pt", PASSWORD)
        browser.get("/account")
        browser.post(
            "/account/password", {"old": PASSWORD, "new": "a new sentence", "again": "a new sentence"}
        )
        assert other.get("/account").status_code == 303
        assert browser.get("/account").status_code == 200


class TestSecondFactor:
    def enrol(self, browser: Browser) -> tuple[str, list[str]]:
        browser.sign_in("tram.pt", PASSWORD)
        page = browser.get("/account/second-factor").text
        assert 'src="data:image/svg+xml' in page
        (secret,) = re.findall(r'name="secret" value="(\w{32})"', page)
        code = pyotp.TOTP(secret).at(NOW)
        page = browser.post("/account/second-factor", {"code": code}).text
        codes = re.findall(r"<li><code>([\w-]+)</code></li>", page)
        assert len(codes) == 8
        return secret, codes

    def test_is_asked_for_after_the_password_and_each_code_is_good_once(
        self, door: Doorstep, browser: Browser
    ) -> None:
        secret, recovery = self.enrol(browser)
        again = Browser(door)
        answer = again.sign_in("tram.pt", PASSWORD)
        assert answer.headers["location"] == "/sign-in/code?next=/"
        waiting = again.cookies[SESSION_COOKIE]
        # The password alone opens nothing.
        assert again.get("/account").status_code == 303
        again.get("/sign-in/code")
        # Of the step that the enrolment used up.
        used = pyotp.TOTP(secret).at(NOW)
        assert again.post("/sign-in/code", {"code": used}).status_code == 422
        code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=30))
        assert again.post("/sign-in/code", {"code": code}).headers["location"] == "/"
        assert again.cookies[SESSION_COOKIE] != waiting
        assert again.get("/account").status_code == 200
        third = Browser(door)
        third.sign_in("tram.pt", PASSWORD)
        third.get("/sign-in/code")
        assert third.post("/sign-in/code", {"code": code}).status_code == 422
        assert third.post("/sign-in/code", {"code": recovery[0].upper()}).status_code == 303
        fourth = Browser(door)
        fourth.sign_in("tram.pt", PASSWORD)
        fourth.get("/sign-in/code")
        assert fourth.post("/sign-in/code", {"code": recovery[0]}).status_code == 422
        assert "Còn 7 mã khôi phục" in third.get("/account").text

    def test_guessing_codes_is_paused_as_guessing_passwords(self, door: Doorstep, browser: Browser) -> None:
        self.enrol(browser)
        again = Browser(door)
        again.sign_in("tram.pt", PASSWORD)
        again.get("/sign-in/code")
        statuses = [again.post("/sign-in/code", {"code": "000000"}).status_code for _ in range(6)]
        assert statuses == [422] * 5 + [429]

    def test_a_wrong_first_code_switches_nothing_on(self, door: Doorstep, browser: Browser) -> None:
        browser.sign_in("tram.pt", PASSWORD)
        browser.get("/account/second-factor")
        assert browser.post("/account/second-factor", {"code": "000000"}).status_code == 422
        assert "Chưa bật" in browser.get("/account").text

    def test_is_switched_off_with_the_password(self, door: Doorstep, browser: Browser) -> None:
        self.enrol(browser)
        browser.get("/account")
        assert browser.post("/account/second-factor/remove", {"password": "wrong"}).status_code == 422
        assert browser.post("/account/second-factor/remove", {"password": PASSWORD}).status_code == 303
        assert Browser(door).sign_in("tram.pt", PASSWORD).headers["location"] == "/"
        assert acts(door)[:2] == ["signed-in", "second-factor-removed"]


class TestAdministration:
    def test_an_account_is_made_and_its_password_shown_once(self, door: Doorstep) -> None:
        admin = administrator_at(door)
        admin.get("/people")
        form = {"username": "Tram.MuongSo", "name": "Trạm Mường So", "role": "reporter", "areas": "03562"}
        answer = admin.post("/people", form)
        assert answer.status_code == 422
        assert "Người báo cáo phải có đơn vị" in answer.text
        assert 'value="Trạm Mường So"' in answer.text
        answer = admin.post("/people", form | {"facility": "LC-TYT-03562"})
        (one_time,) = re.findall(r"<code>(\w{4}-\w{4}-\w{4}-\w{4})</code>", answer.text)
        assert one_time not in admin.get("/people").text
        account = door.people.account_of_name("tram.muongso")
        assert account is not None
        assert account.person.area_codes == ("03562",)
        assert Browser(door).sign_in("tram.muongso", one_time).status_code == 303
        assert door.people.actions()[1].detail["role"] == "reporter"

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"username": "tram.pt"}, "đã có người dùng"),
            ({"username": "Trạm"}, "không hợp lệ"),
            ({"username": "key.robot"}, "không hợp lệ"),
            ({"role": "king"}, "Hãy chọn vai trò"),
            ({"areas": "03549 99999"}, "mang mã: 99999"),
            ({"areas": "LC"}, "mang mã: LC"),
            ({"facility": "LC TYT"}, "Mã đơn vị"),
            ({"name": " "}, "Cần có tên hiển thị"),
            ({"username": "<script>"}, "“&lt;script&gt;” không hợp lệ"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, door: Doorstep, changed: dict[str, str], said: str) -> None:
        admin = administrator_at(door)
        admin.get("/people")
        form = {"username": "new", "name": "New", "role": "reporter", "facility": "X", "areas": ""} | changed
        answer = admin.post("/people", form)
        assert answer.status_code == 422
        assert said in answer.text
        assert len(door.people.accounts()) == 2

    def test_the_last_administrator_stays(self, door: Doorstep) -> None:
        admin = administrator_at(door)
        admin.get(f"/people/{ADMINISTRATOR.id}")
        form = {"name": "Q", "role": "administrator", "is_disabled": "yes"}
        assert "quản trị cuối cùng" in admin.post(f"/people/{ADMINISTRATOR.id}", form).text
        form = {"name": "Q", "role": "epidemiologist"}
        assert "quản trị cuối cùng" in admin.post(f"/people/{ADMINISTRATOR.id}", form).text

    def test_a_change_of_rights_holds_at_once(self, door: Doorstep, browser: Browser) -> None:
        browser.sign_in("tram.pt", PASSWORD)
        assert browser.get("/people").status_code == 403
        admin = administrator_at(door)
        admin.get(f"/people/{REPORTER.id}")
        admin.post(f"/people/{REPORTER.id}", {"name": "T", "role": "administrator"})
        assert browser.get("/people").status_code == 200

    def test_a_key_lets_a_program_in_until_it_is_revoked(self, door: Doorstep) -> None:
        admin = administrator_at(door)
        admin.get("/keys")
        form = {
            "name": "benh-vien",
            "role": "reporter",
            "facility": "LC-TYT-03549",
            "areas": "109",
            "endpoint": "post_events",
            "days": "30",
        }
        page = admin.post("/keys", form).text
        (key,) = re.findall(rf"<code>({KEY_PREFIX}[\w-]+)</code>", page)
        assert key not in admin.get("/keys").text
        authorization = {"authorization": f"Bearer {key}"}
        own = event(source="/facilities/LC-TYT-03549")
        assert door.post(own, **authorization).status_code == 202
        # Its scope is the one endpoint, its name is its own, and it opens no page.
        assert door.get("/v1/alerts", **authorization).status_code == 403
        assert door.post(event(2), **authorization).status_code == 403
        assert door.get("/account", **authorization).status_code == 403
        (revoke,) = re.findall(r'action="(/keys/[\w-]+/revoke)"', admin.get("/keys").text)
        admin.post(revoke)
        assert door.post(own, **authorization).status_code == 401
        assert "Đã thu hồi" in admin.get("/keys").text

    @pytest.mark.parametrize("days", ["0", "-1", "4000", "x", ""])
    def test_a_key_does_not_last_for_ever(self, door: Doorstep, days: str) -> None:
        admin = administrator_at(door)
        admin.get("/keys")
        answer = admin.post("/keys", {"name": "k", "role": "department", "days": days})
        assert answer.status_code == 422
        assert "từ 1 đến 3650 ngày" in answer.text

    def test_the_trail_says_who_did_what(self, door: Doorstep, browser: Browser) -> None:
        browser.sign_in("tram.pt", PASSWORD)
        page = administrator_at(door).get("/trail").text
        assert re.search(r'data-label="Ai">tram\.pt</td>\s*<td[^>]*>Đăng nhập</td>', page)
        assert browser.get("/trail").status_code == 403


def test_the_language_is_the_persons(browser: Browser) -> None:
    assert "<h1>Đăng nhập</h1>" in browser.get("/sign-in").text
    browser.sign_in("tram.pt", PASSWORD)
    browser.get("/account")
    browser.post("/account/language", {"language": "en"})
    assert "<h1>My account</h1>" in browser.get("/account").text


def test_without_the_database_nobody_is_told_a_lie(door: Doorstep, browser: Browser) -> None:
    browser.sign_in("tram.pt", PASSWORD)
    door.people.is_down = True
    answer = browser.get("/account")
    assert answer.status_code == 503
    assert "Cơ sở dữ liệu không trả lời" in answer.text
    assert browser.post("/sign-in", {"username": "tram.pt", "password": PASSWORD}).status_code == 503

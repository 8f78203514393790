"""Who somebody is taken for: cookies, keys, hosts, proxies; and what a page of somebody else cannot do."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.intake.people import accounts
from services.intake.people.accounts import COMMAND_LINE, Wanted
from services.intake.people.person import Role
from services.intake.people.ports import ApiKey
from services.intake.people.secrets import hash_of
from services.intake.people.site import Site
from services.intake.people.visitors import SESSION_COOKIE, VISIT_COOKIE
from streams.domain.errors import ConfigurationError
from tests.people_fakes import FakePeople, make_person
from tests.unit.intake.door import NOW, SETTINGS, Doorstep, event
from tests.unit.intake.people.browser import Browser

PUBLIC = SETTINGS.model_copy(
    update={"public_url": "https://canhdich.example", "proxy_addresses": "10.0.0.0/24, 127.0.0.1"}
)
PASSWORD = "a sentence to remember"  # noqa: S105
HERE = {"host": "canhdich.example"}


def public_door(client: str = "10.0.0.2", people: FakePeople | None = None) -> Doorstep:
    return Doorstep(people=people, settings=PUBLIC, client=(client, 50_000))


def key_of(people: FakePeople, role: Role = Role.EPIDEMIOLOGIST, **options: Any) -> str:
    _, text = accounts.add_key(
        people, COMMAND_LINE, "robot", Wanted(role, None, ()), None, 30, NOW, "2026-01-15", **options
    )
    return text


def is_signed_in(answer: httpx.Response) -> bool:
    return answer.status_code == 200


class TestSessions:
    @pytest.mark.parametrize(
        ("idle", "age", "is_good"),
        [
            (timedelta(minutes=59), timedelta(hours=1), True),
            (timedelta(minutes=60), timedelta(hours=1), False),
            (timedelta(minutes=1), timedelta(hours=12) - timedelta(seconds=1), True),
            (timedelta(minutes=1), timedelta(hours=12), False),
        ],
    )
    def test_end_when_idle_and_in_any_case(self, idle: timedelta, age: timedelta, is_good: bool) -> None:
        people = FakePeople()
        headers = people.signed_in(
            make_person(Role.EPIDEMIOLOGIST),
            last_seen_at=NOW - idle,
            expires_at=NOW - age + timedelta(hours=12),
        )
        with Doorstep(people=people) as door:
            assert is_signed_in(door.get("/account", **headers)) == is_good

    def test_an_idle_one_goes_on_when_it_is_used(self) -> None:
        people = FakePeople()
        headers = people.signed_in(make_person(Role.EPIDEMIOLOGIST), last_seen_at=NOW - timedelta(minutes=30))
        with Doorstep(people=people) as door:
            door.get("/account", **headers)
        assert people.accounts()[0].last_seen_at == NOW

    def test_an_ended_one_is_no_program_of_this_machine(self) -> None:
        with Doorstep() as door:
            assert door.get("/v1/alerts").status_code == 200
            cookie = f"{SESSION_COOKIE}=of-yesterday"
            assert door.get("/v1/alerts", cookie=cookie).status_code == 401
            # Nor is a browser in which nobody has signed in.
            assert door.get("/v1/alerts", **{"sec-fetch-site": "none"}).status_code == 401
            assert door.post(event(), **{"sec-fetch-site": "same-origin"}).status_code == 401


class TestForgedForms:
    def signed_in(self) -> tuple[FakePeople, dict[str, str]]:
        people = FakePeople()
        return people, people.signed_in(make_person(Role.EPIDEMIOLOGIST))

    @pytest.mark.parametrize(
        "changed",
        [
            {"x-csrf-token": None},
            {"x-csrf-token": "0" * 64},
            {"x-csrf-token": "ă"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://127.0.0.1:9999"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ],
    )
    def test_do_nothing(self, changed: dict[str, str | None]) -> None:
        people, headers = self.signed_in()
        sent = {name: value for name, value in (headers | changed).items() if value is not None}
        with Doorstep(people=people) as door:
            answer = door.request("POST", "/account/language", headers=_bytes(sent), data={"language": "en"})
            assert (answer.status_code, answer.json()["type"]) == (403, "/docs#forged-form")
            assert door.post(event(), **_plain(sent)).status_code == 403
            assert people.accounts()[0].person.language == "vi"
            assert door.sink.records == []

    def test_a_form_of_ours_is_taken_by_field_and_by_header(self) -> None:
        people, headers = self.signed_in()
        token = headers.pop("x-csrf-token")
        headers |= {"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"}
        with Doorstep(people=people) as door:
            form = {"language": "en", "csrf": token}
            answer = door.request("POST", "/account/language", headers=headers, data=form)
            assert answer.status_code == 303
            assert door.post(event(), **headers, **{"x-csrf-token": token}).status_code == 202

    def test_another_visits_token_is_worth_nothing(self) -> None:
        people, headers = self.signed_in()
        other = people.signed_in(make_person(Role.REPORTER))
        with Doorstep(people=people) as door:
            sent = headers | {"x-csrf-token": other["x-csrf-token"]}
            assert door.post(event(), **sent).status_code == 403

    @pytest.mark.parametrize(
        ("first", "is_taken"),
        [
            ('Content-Disposition: form-data; name="csrf"\r\n\r\n{token}\r\n', True),
            ('Content-Disposition: form-data; name="other"\r\n\r\n{token}\r\n', False),
            ('Content-Disposition: form-data; name="csrf"\r\n\r\n' + "0" * 64 + "\r\n", False),
        ],
    )
    def test_of_a_form_with_a_file_only_the_first_field_is_read(self, first: str, is_taken: bool) -> None:
        people, headers = self.signed_in()
        token = headers.pop("x-csrf-token")
        read: list[int] = []

        async def body() -> Any:
            yield (f"--xyz\r\n{first}--xyz\r\n").format(token=token).encode()
            read.append(1)
            yield b"x" * 1_000_000

        headers["content-type"] = "multipart/form-data; boundary=xyz"
        with Doorstep(people=people) as door:
            answer = door.request("POST", "/account/language", headers=headers, content=body())
            # The route takes no files, and says so: it was asked.
            assert (answer.status_code == 422) == is_taken

    def test_nobody_is_signed_in_by_somebody_elses_form(self) -> None:
        people = FakePeople()
        people.add(make_person(Role.REPORTER, "attacker"), accounts.hasher().hash(PASSWORD))
        with Doorstep(people=people) as door:
            form = {"username": "attacker", "password": PASSWORD}
            answer = door.request("POST", "/sign-in", data=form)
            assert answer.status_code == 403
            browser = Browser(door)
            browser.get("/sign-in")
            assert browser.post("/sign-in", form | {"csrf": "0" * 64}).status_code == 403
            browser.get("/sign-in")
            browser.cookies[VISIT_COOKIE] = "the attacker's own"
            assert browser.post("/sign-in", form).status_code == 403

    def test_a_form_too_large_to_be_one_is_not_read(self) -> None:
        people, headers = self.signed_in()
        del headers["x-csrf-token"]
        with Doorstep(people=people) as door:
            form = {"csrf": "x" * 300_000}
            assert door.request("POST", "/account/language", headers=headers, data=form).status_code == 413


def _plain(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value.isascii()}


def _bytes(headers: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}


class TestBehindAProxy:
    def test_programs_need_a_key(self) -> None:
        people = FakePeople()
        with public_door(people=people) as door:
            refused = door.post(event(), **HERE)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert door.post(event(), authorization="Bearer cd_wrong", **HERE).status_code == 401
            assert door.post(event(), authorization="Basic eDp5", **HERE).status_code == 401
            key = key_of(people)
            assert door.post(event(), authorization=f"Bearer {key}", **HERE).status_code == 202
            # By the service's name inside the network: a key is no cookie that a strange page could use.
            assert door.post(event(2), authorization=f"Bearer {key}", host="intake:8080").status_code == 202

    def test_programs_of_this_machine_as_well(self) -> None:
        with public_door("127.0.0.1") as door:
            assert door.post(event(), **HERE).status_code == 401
            assert door.get("/metrics").status_code == 200
            assert door.get("/metrics", **{"x-forwarded-for": "198.51.100.7"}).status_code == 403

    @pytest.mark.parametrize("host", ["evil.example", "10.0.0.2", "", "canhdich.example:8443"])
    def test_only_its_own_name_is_served(self, host: str) -> None:
        with public_door() as door:
            assert door.get("/sign-in", host=host).json()["type"] == "/docs#wrong-host"
            assert door.get("/health/ready", host=host).status_code == 200

    def test_cookies_travel_over_https_only(self) -> None:
        people = FakePeople()
        people.add(make_person(Role.REPORTER, "tram.pt"), accounts.hasher().hash(PASSWORD))
        with public_door(people=people) as door:
            browser = Browser(door, host="canhdich.example", origin="https://canhdich.example")
            answer = browser.sign_in("tram.pt", PASSWORD)
            assert answer.status_code == 303
            assert answer.headers["strict-transport-security"] == "max-age=63072000"
            session = next(c for c in answer.headers.get_list("set-cookie") if "__Host-canhdich=" in c)
            assert session.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
            assert is_signed_in(browser.get("/account"))

    def test_a_name_without_the_prefix_is_not_believed(self) -> None:
        people = FakePeople()
        headers = people.signed_in(make_person(Role.EPIDEMIOLOGIST))
        with public_door(people=people) as door:
            assert door.get("/account", **headers, **HERE).status_code == 303

    @pytest.mark.parametrize(
        ("client", "forwarded", "address"),
        [
            ("10.0.0.2", "198.51.100.7", "198.51.100.7"),
            # What the client itself wrote stands before what the proxy wrote.
            ("10.0.0.2", "1.2.3.4, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.2", "198.51.100.7, 10.0.0.9", "198.51.100.7"),
            ("10.0.0.2", "", "10.0.0.2"),
            ("203.0.113.5", "198.51.100.7", "203.0.113.5"),
        ],
    )
    def test_whose_address_is_held_against_whom(self, client: str, forwarded: str, address: str) -> None:
        with public_door(client) as door:
            extra = {"x-forwarded-for": forwarded} if forwarded else {}
            Browser(door, host="canhdich.example", **extra).sign_in("nobody", "wrong")
            assert [action.address for action in door.people.actions()] == [address]


class TestKeys:
    @pytest.mark.parametrize(
        ("changed", "is_good"),
        [
            ({}, True),
            ({"expires_at": NOW}, False),
            ({"revoked_at": NOW - timedelta(days=1)}, False),
        ],
    )
    def test_expire_and_are_revoked(self, changed: dict[str, Any], is_good: bool) -> None:
        people = FakePeople()
        good = {"expires_at": NOW + timedelta(seconds=1), "revoked_at": None} | changed
        key = ApiKey(
            UUID(int=1),
            hash_of("cd_x"),
            "k",
            Role.DEPARTMENT,
            None,
            (),
            None,
            created_at=NOW,
            created_by="x",
            **good,
        )
        people.add_key(key, COMMAND_LINE.did("key-added", "k"))
        with Doorstep(people=people) as door:
            answer = door.get("/v1/alerts", authorization="Bearer cd_x")
            assert answer.status_code == (200 if is_good else 401)
        assert (people.api_keys()[0].last_used_at == NOW) == is_good

    def test_a_key_made_beforehand_is_taken_once(self) -> None:
        people, text = FakePeople(), "cd_" + "0123456789abcdef" * 3
        assert key_of(people, text=text) == text
        assert key_of(people, text=text) == text
        assert len(people.api_keys()) == 1
        accounts.revoke_key(people, COMMAND_LINE, people.api_keys()[0].id, NOW)
        with pytest.raises(accounts.Unfit, match="revoked"):
            key_of(people, text=text)
        with pytest.raises(accounts.Unfit, match="at least 40"):
            key_of(people, text="cd_short")


@pytest.mark.parametrize(
    "path", ["/v1/alerts", "/health/live", "/sign-in", "/metrics", "/nowhere", "/account"]
)
def test_every_answer_has_security_headers(path: str) -> None:
    with Doorstep() as door:
        headers = door.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"public_url": "http://canhdich.example"}, "must be an https origin"),
        ({"public_url": "https://canhdich.example/under/a/path"}, "must be an https origin"),
        ({"public_url": "https://"}, "must be an https origin"),
        ({"intake_host": "0.0.0.0"}, "needs CANHDICH_PUBLIC_URL"),  # noqa: S104
        ({"proxy_addresses": "10.0.0.1/8"}, "CANHDICH_PROXY_ADDRESSES"),
        ({"proxy_addresses": "caddy"}, "CANHDICH_PROXY_ADDRESSES"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changed: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        Site.of(SETTINGS.model_copy(update=changed))


def test_with_a_public_url_it_may_listen_anywhere() -> None:
    changed = {"public_url": "https://canhdich.example:443/", "intake_host": "0.0.0.0"}  # noqa: S104
    assert Site.of(SETTINGS.model_copy(update=changed)).origin == "https://canhdich.example"


def test_people_are_refused_by_a_page_and_programs_by_a_document() -> None:
    people = FakePeople()
    headers = people.signed_in(make_person(Role.DEPARTMENT))
    with Doorstep(people=people) as door:
        page = door.get("/people", accept="text/html", **headers)
        assert (page.status_code, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
        assert "không có quyền làm việc đó" in page.text
        assert door.get("/people", **headers).json()["type"] == "/docs#not-allowed"
        missing = door.get("/people/nobody/nothing", accept="text/html", **headers)
        assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
        # A script would put the page of signing in into the middle of another one.
        swapped = door.get("/people", **{"hx-request": "true"})
        assert (swapped.status_code, swapped.headers["hx-redirect"]) == (401, "/sign-in?next=/people")

"""Every page that people see: how it is arrived at. The tests look at each, and the pictures show each.

A row of rights.yaml stands here, as what answers with a page, or among NO_PAGE: tests/contract/test_pages.py.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import orjson
import pyotp
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect

from schemas.catalogue import Catalogue
from services.intake.people.accounts import RECOVERY_CODES
from services.intake.people.person import Language, Person, Role
from services.intake.people.ports import ApiKey, StaffAction
from services.intake.people.secrets import hash_of
from services.intake.ports import Outgoing
from services.intake.staff.words import say
from streams.domain.calendar import LOCAL_ZONE
from tests.browser import DESKTOP, KEPT, PATIENCE_MS, PHONE, LiveApp, no_faults
from tests.fakes_back_office import SNAPSHOT_ID, FakeBackOffice, FakeDeadLetters, FakeImports
from tests.fakes_intake import FakeAlertBook
from tests.people_fakes import TERRITORY, make_person
from tests.unit.importing.offices import CASE, export
from tests.unit.intake.staff.test_back_office import letter, raised

PASSWORD: Final = "một câu dài dễ nhớ"  # noqa: S105 - of accounts in memory
TOTP: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# What the pages hash themselves is as slow as it should be; these are only compared.
_QUICK: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_IDS: Final = UUID("8f7d3c52-5a0e-4f0e-9f57-1d0a6c1f6b11")
_NAMES: Final = {"109@2025-07-01": "Khu vực Phong Thổ", "03562@2025-07-01": "Xã Pa Tần"}
_CASE: Final = "LC-TYT-03549-BCDFGHJK"


@dataclass(frozen=True, slots=True)
class Screen:
    """A window, and the language of whoever sits before it."""

    name: str
    window: Mapping[str, Any]
    language: Language

    @property
    def suffix(self) -> str:
        """Of the pictures' names."""
        return f"{self.name}-{self.language}"


SCREENS: Final = (Screen("phone", PHONE, "vi"), Screen("desktop", DESKTOP, "en"))
"""Each language once, each window once; the narrow one with the longer words."""


class World:
    """An intake with accounts, cases, alerts, a dead letter and keys. Use as a context."""

    def __init__(self, catalogue: Catalogue, language: Language) -> None:
        self.language: Language = language
        self.now = datetime.now(UTC)
        self.office = FakeBackOffice(dead_letters=FakeDeadLetters(letter()), imports=FakeImports(catalogue))
        self.alert = raised(
            why_vi="Có 20 ca trong 7 ngày, gấp 3 lần mức thường.",
            why_en="20 cases in 7 days, thrice the usual.",
        )
        alerts = FakeAlertBook(
            self.alert,
            raised(disease="measles", why_vi="Ca sởi đầu tiên.", why_en="The first case of measles."),
        )
        alerts.area_names["03390@2025-07-01"] = "Xã Bình Lư"
        self.live = LiveApp(catalogue, office=self.office.ports(), alerts=alerts)
        self.people = {person.username: person for person in self._people()}
        self.live.people.clock = self.now - timedelta(minutes=10)
        self.live.people.places = [place._replace(name=_NAMES.get(place.area_id, "")) for place in TERRITORY]
        for username, person in self.people.items():
            self.live.people.add(
                person,
                _QUICK.hash(PASSWORD),
                must_change_password=username == "tram.moi",
                is_disabled=username == "da.nghi",
            )
        minh = self.people["bs.minh"]
        codes = [hash_of(str(number)) for number in range(RECOVERY_CODES)]
        added = StaffAction(minh.id, minh.username, "second-factor-added", minh.username, "127.0.0.1")
        self.live.people.set_totp(minh.id, TOTP, codes, added)
        for key in self.keys():
            self.live.people.add_key(key, self.did("key-added", key.name, role=key.role.value))
        self.live.people.record(self.did("person-added", "tram.moi", role="reporter"))
        self.live.people.record(self.did("person-disabled", "da.nghi", role="reporter"))
        self.event_ids = [uuid5(_IDS, str(number)) for number in range(5)]
        for event in self._events():
            record = Outgoing("case-events", event["subject"].encode(), orjson.dumps(event))
            self.live.sink.records.append(record)

    def __enter__(self) -> "World":
        self.live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.__exit__(*error)

    def _people(self) -> Iterator[Person]:
        def make(role: Role, username: str, name: str, **rights: Any) -> Person:
            return make_person(role, username, name=name, language=self.language, **rights)

        yield make(Role.REPORTER, "tram.phong-tho", "Trạm Y tế xã Phong Thổ", area_codes=("109",))
        yield make(Role.REPORTER, "tram.moi", "Trạm Y tế xã Bình Lư", facility="LC-TYT-03390")
        yield make(Role.REPORTER, "da.nghi", "Bệnh viện tỉnh", facility="LC-BV-001")
        yield make(Role.EPIDEMIOLOGIST, "bs.lan", "BS. Lan")
        yield make(Role.EPIDEMIOLOGIST, "bs.minh", "BS. Minh")
        yield make(Role.EPIDEMIOLOGIST, "ks.hung", "KS. Hùng")
        yield make(Role.DEPARTMENT, "so.y-te", "Phòng Nghiệp vụ Y")
        yield make(Role.ADMINISTRATOR, "quan-tri", "Quản trị hệ thống")

    def keys(self) -> Iterator[ApiKey]:
        """One in force, one revoked."""
        made = ApiKey(
            uuid5(_IDS, "benh-vien"),
            hash_of("benh-vien"),
            "benh-vien",
            Role.REPORTER,
            "LC-BV-001",
            ("109",),
            ("post_events",),
            self.now + timedelta(days=365),
            self.now - timedelta(days=30),
            "quan-tri",
            last_used_at=self.now - timedelta(hours=2),
        )
        yield made
        old = uuid5(_IDS, "thu-nghiem")
        yield replace(
            made, id=old, key_hash=hash_of("old"), name="thu-nghiem", revoked_at=self.now - timedelta(days=3)
        )

    def did(self, action: str, target: str, **detail: str) -> StaffAction:
        """What the administrator did."""
        return StaffAction(None, "quan-tri", action, target, "127.0.0.1", detail)

    def _events(self) -> Iterator[dict[str, Any]]:
        def day(before: int) -> str:
            return (self.now.astimezone(LOCAL_ZONE).date() - timedelta(days=before)).isoformat()

        def event(number: int, subject: str, kind: str, before: int, **data: Any) -> dict[str, Any]:
            return {
                "specversion": "1.0",
                "id": str(self.event_ids[number]),
                "source": "/facilities/LC-TYT-03549",
                "type": f"vn.canhdich.case.{kind}.v1",
                "subject": subject,
                "time": (self.now - timedelta(days=before)).isoformat(),
                "data": data,
            }

        report = {"area_code": "03549", "reported_on": day(3), "classification": "suspected"}
        yield event(
            0, _CASE, "reported", 3, disease="dengue", onset_on=day(5), sex="female", age_years=34, **report
        )
        yield event(1, _CASE, "updated", 2, lab={"dengue": "positive"}, classification="confirmed")
        yield event(2, _CASE, "updated", 1, outcome="in_care", hospitalised=True)
        yield event(
            3, "LC-TYT-03549-LMNPQRST", "reported", 3, disease="hfmd", onset_on=day(4), age_years=2, **report
        )
        yield event(4, "LC-TYT-03549-VWXZBCDF", "reported", 3, disease="rabies", onset_on=day(6), **report)


@dataclass(frozen=True, slots=True)
class Stage:
    """A browser before a world, in which somebody arrives at a page."""

    world: World
    page: Page

    def sign_in(self, username: str) -> None:
        """Give the browser somebody's session."""
        self.world.live.sign_in(self.page.context, self.world.people[username])

    def goto(self, path: str, username: str = "") -> None:
        """Open an address, as somebody who has signed in."""
        if username:
            self.sign_in(username)
        self.page.goto(self.world.live.url + path)

    def say(self, key: str, **values: object) -> str:
        """What the page says."""
        return say(self.world.language, key, **values)

    def submit(self, action: str, **fields: str) -> None:
        """Fill in the form that goes there, and press its button."""
        form = self.page.locator(f"form[action='{action}']").first
        for name, value in fields.items():
            field = form.locator(f"[name='{name}']")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        with self.page.expect_navigation():
            form.get_by_role("button").last.click()

    def send_unchecked(self, form: str) -> None:
        """Send a form past the browser's own checks and the page's scripts."""
        with self.page.expect_navigation():
            self.page.locator(form).evaluate("form => form.submit()")

    def sign_in_by_password(self, username: str, password: str = PASSWORD) -> None:
        """As people do."""
        self.goto("/sign-in")
        self.submit("/sign-in", username=username, password=password)

    def open_all(self) -> None:
        """Open everything that can be folded."""
        for summary in self.page.locator("summary").all():
            summary.click()

    def settle(self, text: str) -> None:
        """Wait until long work says this."""
        expect(self.page.get_by_text(text)).to_be_visible()


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as people meet it.

    Attributes:
        name: Of its pictures.
        what: It is, in a few words.
        endpoints: Rows of rights.yaml that answer with it on the way there.
        arrive: Makes the browser show it.
        is_variant: Another of the same kind is shown on both screens: the phone is enough.
        has_worker: It needs the service worker.
    """

    name: str
    what: str
    endpoints: tuple[str, ...]
    arrive: Callable[[Stage], None]
    is_variant: bool = False
    has_worker: bool = False

    @property
    def screens(self) -> tuple[Screen, ...]:
        """Where it is looked at."""
        return SCREENS[:1] if self.is_variant else SCREENS


def _at(path: str, username: str) -> Callable[[Stage], None]:
    return lambda stage: stage.goto(path, username)


def _code(stage: Stage) -> None:
    stage.sign_in_by_password("bs.minh")
    expect(stage.page.locator("#code")).to_be_visible()


def _wrong_code(stage: Stage) -> None:
    _code(stage)
    stage.submit("/sign-in/code", code="000000")


def _account_errors(stage: Stage) -> None:
    stage.goto("/account", "bs.minh")
    stage.submit("/account/second-factor/remove", password="wrong")  # noqa: S106
    stage.submit("/account/password", old=PASSWORD, new="quá ngắn", again="quá ngắn")


def _recovery(stage: Stage) -> None:
    stage.goto("/account/second-factor", "ks.hung")
    secret = stage.page.locator("[name=secret]").input_value()
    stage.submit("/account/second-factor", code=pyotp.TOTP(secret).now())


def _person(stage: Stage) -> None:
    stage.goto(f"/people/{stage.world.people['tram.phong-tho'].id}", "quan-tri")


def _person_errors(stage: Stage) -> None:
    _person(stage)
    stage.submit(f"/people/{stage.world.people['tram.phong-tho'].id}", areas="99999")


def _person_added(stage: Stage) -> None:
    stage.goto(f"/people/{stage.world.people['da.nghi'].id}", "quan-tri")
    stage.submit(f"/people/{stage.world.people['da.nghi'].id}/reset")
    stage.submit(
        "/people",
        username="tram.pa-tan",
        name="Trạm Y tế xã Pa Tần",
        role="reporter",
        facility="LC-TYT-03562",
        areas="03562",
    )


def _key_added(stage: Stage) -> None:
    stage.goto("/keys", "quan-tri")
    key = next(stage.world.keys())
    # Somebody else was quicker.
    stage.world.live.people.revoke_key(key.id, stage.world.now, stage.world.did("key-revoked", key.name))
    stage.submit(f"/keys/{key.id}/revoke")
    stage.submit("/keys", name="phong-kham", role="reporter", facility="LC-PK-002", areas="109")


def _case(stage: Stage) -> None:
    stage.goto(f"/cases/{_CASE}", "tram.phong-tho")
    stage.open_all()


def _case_sent(stage: Stage) -> None:
    stage.goto(f"/cases/{_CASE}?event={stage.world.event_ids[2]}", "tram.phong-tho")


def _case_errors(stage: Stage) -> None:
    _case(stage)
    stage.send_unchecked("#outcome")


def _report_errors_of_case(stage: Stage) -> None:
    stage.goto("/cases/new", "tram.phong-tho")
    stage.page.locator("#f-disease").fill("Bệnh lạ")
    stage.page.locator("#f-onset_on").fill("31/2")
    stage.page.locator("#f-hamlet").fill("nhà ông Lò Văn Pâng")
    stage.send_unchecked("#f")


def _queue(stage: Stage) -> None:
    stage.goto("/cases/new", "tram.phong-tho")
    stage.page.evaluate(KEPT)
    stage.page.context.set_offline(True)
    stage.page.reload()
    stage.page.locator("#f-disease").fill("Sốt xuất huyết Dengue")
    stage.page.locator("#f-area").fill("Xã Phong Thổ (03549)")
    stage.page.keyboard.press("Enter")
    expect(stage.page.locator("#queue-list li")).to_have_count(1)


def _alert(stage: Stage) -> None:
    stage.goto(f"/alerts/{stage.world.alert.alert_id}", "bs.lan")


def _alert_errors(stage: Stage) -> None:
    _alert(stage)
    with stage.page.expect_navigation():
        stage.page.locator("button[value=dismiss]").click()


def _preview(stage: Stage) -> None:
    stage.goto("/import", "bs.lan")
    doubtful = CASE | {"Mã số": "2025-12-000002", "Xã": "Xã Bình Lừ"}
    bad = CASE | {"Mã số": "2025-12-000003", "Ngày khởi phát": "41/08/2025"}
    file = {"name": "xuat-2025-08.csv", "mimeType": "text/csv", "buffer": export(CASE, doubtful, bad)}
    stage.page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    stage.page.get_by_role("button", name=stage.say("import.to_preview")).click()
    stage.settle(stage.say("import.nothing_sent"))


def _imported(stage: Stage) -> None:
    _preview(stage)
    with stage.page.expect_navigation():
        stage.page.locator("form[action$='/send'] button").click()
    stage.settle(stage.say("import.sent"))


def _import_errors(stage: Stage) -> None:
    stage.goto("/import", "bs.lan")
    stage.send_unchecked("form[action='/import']")


def _dead_letter_errors(stage: Stage) -> None:
    stage.goto("/dead-letters/1", "bs.lan")
    stage.send_unchecked("main form")


def _download_errors(stage: Stage) -> None:
    for form in ("counts", "line-list"):
        stage.goto("/downloads", "tram.phong-tho")
        stage.submit(f"/downloads/{form}.csv", **{"from": "41/1/2026"})


def _report_errors(stage: Stage) -> None:
    stage.goto("/report", "so.y-te")
    stage.submit("/report", **{"from": "31/12/2025", "to": "1/12/2025", "as_of": "hôm qua"})


def _report_written(stage: Stage) -> None:
    stage.goto("/report", "bs.lan")
    stage.submit("/report", **{"from": "1/12/2025", "to": "31/12/2025"})
    stage.settle("Ghi nhận 04 trường hợp mắc.")


def _report_without_name(stage: Stage) -> None:
    _report_written(stage)
    stage.send_unchecked("form[action$='/publish']")


def _down(stage: Stage) -> None:
    stage.world.office.week.is_down = True
    try:
        stage.goto("/week", "bs.lan")
    finally:
        stage.world.office.week.is_down = False


_NOBODY: Final = UUID(int=77)

GALLERY: Final = (
    Shown("sign-in", "Sign in", ("sign_in_page",), lambda stage: stage.goto("/sign-in")),
    Shown(
        "sign-in-wrong",
        "Wrong name or password",
        ("sign_in",),
        lambda stage: stage.sign_in_by_password("tram.phong-tho", "sai"),
        is_variant=True,
    ),
    Shown("code", "The second factor", ("code_page",), _code),
    Shown("code-wrong", "A wrong code", ("check_code",), _wrong_code, is_variant=True),
    Shown(
        "account-first",
        "The first thing after signing in with a one-time password",
        ("account",),
        _at("/account", "tram.moi"),
        is_variant=True,
    ),
    Shown("account", "One's account", ("account",), _at("/account", "bs.minh")),
    Shown(
        "account-errors",
        "A password that is refused",
        ("change_password", "remove_second_factor"),
        _account_errors,
        is_variant=True,
    ),
    Shown(
        "second-factor",
        "Set up the second factor",
        ("second_factor_page",),
        _at("/account/second-factor", "bs.lan"),
    ),
    Shown("recovery", "Recovery codes, shown once", ("add_second_factor",), _recovery, is_variant=True),
    Shown("people", "Accounts", ("people_page",), _at("/people", "quan-tri")),
    Shown(
        "person-added",
        "A one-time password, shown once",
        ("add_person", "reset_person"),
        _person_added,
        is_variant=True,
    ),
    Shown("person", "One account", ("person_page",), _person),
    Shown("person-errors", "Rights that make no sense", ("change_person",), _person_errors, is_variant=True),
    Shown("keys", "API keys", ("keys_page",), _at("/keys", "quan-tri")),
    Shown("key-added", "A key, shown once", ("add_key", "revoke_key"), _key_added, is_variant=True),
    Shown("trail", "The trail", ("trail_page",), _at("/trail", "quan-tri")),
    Shown("new", "Report a case", ("new_case",), _at("/cases/new", "tram.phong-tho")),
    Shown(
        "errors",
        "What is wrong stands beside its field",
        ("send_case",),
        _report_errors_of_case,
        is_variant=True,
    ),
    Shown("queue", "Without a line: kept on the device", ("new_case",), _queue, has_worker=True),
    Shown("offline", "A page that needs the line", ("offline_page",), lambda stage: stage.goto("/offline")),
    Shown("case", "A case, its forms, its history", ("show_case",), _case),
    Shown("case-sent", "After a report or a change", ("show_case",), _case_sent, is_variant=True),
    Shown("case-errors", "A change that changes nothing", ("change_case",), _case_errors, is_variant=True),
    Shown(
        "case-unknown",
        "A case that is not there, or not theirs",
        ("show_case",),
        _at("/cases/LC-0", "tram.phong-tho"),
        is_variant=True,
    ),
    Shown("find", "Find a case", ("find_cases",), _at("/cases", "tram.phong-tho")),
    Shown(
        "find-none",
        "Nothing found",
        ("find_cases",),
        _at("/cases?disease=qqq&area=qqq&from=41/1", "tram.phong-tho"),
        is_variant=True,
    ),
    Shown("alerts", "Inbox of alerts", ("alerts_page",), _at("/alerts", "bs.lan")),
    Shown("alert", "One alert", ("alert_page",), _alert),
    Shown("alert-errors", "A dismissal without a reason", ("alert_action",), _alert_errors, is_variant=True),
    Shown("week", "The week of one's areas", ("week_page",), _at("/week", "tram.phong-tho")),
    Shown("import", "Import a file", ("import_page",), _at("/import", "bs.lan")),
    Shown("import-preview", "The preview of a file", ("import_job",), _preview),
    Shown("imported", "A file that was sent", ("import_job",), _imported, is_variant=True),
    Shown("import-errors", "An upload without a file", ("import_upload",), _import_errors, is_variant=True),
    Shown(
        "import-gone",
        "An upload that is no longer there",
        ("import_job",),
        _at(f"/import/{_NOBODY}", "bs.lan"),
        is_variant=True,
    ),
    Shown("dead-letters", "Dead letters", ("dead_letters_page",), _at("/dead-letters", "bs.lan")),
    Shown("dead-letter", "One dead letter", ("dead_letter_page",), _at("/dead-letters/1", "bs.lan")),
    Shown(
        "dead-letter-errors",
        "Still no valid event",
        ("dead_letter_retry",),
        _dead_letter_errors,
        is_variant=True,
    ),
    Shown("downloads", "Downloads", ("downloads_page",), _at("/downloads", "tram.phong-tho")),
    Shown(
        "downloads-errors",
        "A day that is none",
        ("download_counts", "download_line_list"),
        _download_errors,
        is_variant=True,
    ),
    Shown("report", "Have a report written", ("report_page",), _at("/report", "so.y-te")),
    Shown("report-errors", "A period that is none", ("report_write",), _report_errors, is_variant=True),
    Shown("report-written", "A written report", ("report_job",), _report_written),
    Shown(
        "report-publish-errors",
        "A report to be published without a name",
        ("report_publish",),
        _report_without_name,
        is_variant=True,
    ),
    Shown(
        "report-published",
        "A published report",
        ("report_published",),
        _at(f"/report/published/{SNAPSHOT_ID}", "so.y-te"),
    ),
    Shown(
        "report-changes",
        "What has changed since it was published",
        ("report_changes",),
        _at(f"/report/changes?since={SNAPSHOT_ID}", "so.y-te"),
    ),
    Shown(
        "report-gone",
        "A report that is no longer kept",
        ("report_job",),
        _at(f"/report/{_NOBODY}", "so.y-te"),
        is_variant=True,
    ),
    Shown("not-found", "No such page", (), _at("/nowhere", "tram.phong-tho")),
    Shown("forbidden", "Not with this account", (), _at("/people", "tram.phong-tho"), is_variant=True),
    Shown("database-down", "The database does not answer", (), _down, is_variant=True),
    Shown("docs", "How to send events, for programmers", ("get_docs",), lambda stage: stage.goto("/docs")),
)

NO_PAGE: Final[Mapping[str, str]] = {
    "get_home": "goes on to the first page of a role",
    "start_sign_on": "goes on to the identity provider",
    "finish_sign_on": "goes on to the home page, or back to sign_in_page, which says why",
    "sign_out": "goes on to sign_in_page",
    "choose_language": "goes back",
    "change_language": "goes back to account",
    "find_places": "a list of suggestions inside new_case",
    "import_preview": "goes on to import_job",
    "import_send": "goes on to import_job",
    "import_meanings": "goes on to import_job; what is refused stands on the page of import_upload",
    "import_rows": "a file",
    "report_file": "a file",
    "report_published_file": "a file",
    "static_file": "a file",
    "service_worker": "a script",
    "session_state": "for scripts",
    "get_live": "for programs",
    "get_ready": "for programs",
    "get_metrics": "for programs",
    "openapi": "for programs",
    "post_events": "for programs",
    "get_event": "for programs",
    "get_alerts": "for programs",
    "get_alert": "for programs",
    "post_action": "for programs",
}
"""Rows of rights.yaml that show nothing of their own -> what they do."""


@contextmanager
def visited(browser: Browser, world: World, screen: Screen, shown: Shown) -> Iterator[Page]:
    """A page of the gallery in a window of its own."""
    context = browser.new_context(
        **screen.window,
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
        service_workers="allow" if shown.has_worker else "block",
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        with no_faults(context):
            page = context.new_page()
            world.live.answered_with_pages.clear()
            shown.arrive(Stage(world, page))
            yield page
    finally:
        context.close()


def picture_names() -> set[str]:
    """The files of docs/pages."""
    return {f"{shown.name}-{screen.suffix}.png" for shown in GALLERY for screen in shown.screens}

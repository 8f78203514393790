"""The pages beside the case form, without a server: what is shown, what is done, and for whom."""

import asyncio
import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from fastapi import Request

from schemas.catalogue import Catalogue
from services.importing import workbooks
from services.intake.people.person import Language, Role
from services.intake.problems import Refused
from services.intake.staff.alert_pages import notice_clock
from services.intake.staff.report_desk import Asked
from services.intake.staff.uploads import read_upload
from streams.domain.alerts import AlertEvent, Kind, judged
from streams.domain.errors import ConfigurationError, DependencyDown
from streams.domain.rules.verdicts import Level, Outcome
from tests.fakes_back_office import SNAPSHOT_ID, FakeBackOffice, FakeDeadLetters, FakeImports
from tests.fakes_intake import FakeAlertBook
from tests.people_fakes import make_person
from tests.unit.domain.test_alerts import LIFE, START, verdict
from tests.unit.importing.offices import CASE, export
from tests.unit.intake.door import Doorstep

FORM = "application/x-www-form-urlencoded"


class Visitor:
    """Somebody who has signed in, with a browser that follows redirects by hand."""

    def __init__(self, door: Doorstep, role: Role, *areas: str, language: Language = "vi") -> None:
        username = ".".join((role.value, *areas, language))
        self.person = make_person(role, username, area_codes=areas, language=language)
        self.headers = {**door.people.signed_in(self.person), "accept": "text/html"}
        self._door = door

    def get(self, path: str) -> httpx.Response:
        return self._door.request("GET", path, headers=self.headers)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self._door.request("POST", path, headers=self.headers, data=fields)

    def upload(self, content: bytes, name: str = "export.csv") -> httpx.Response:
        return self._door.request("POST", "/import", headers=self.headers, files={"file": (name, content)})

    def settled(self, path: str) -> httpx.Response:
        """A page, once the work that it tells of is over."""
        for _ in range(2_000):
            page = self.get(path)
            if 'hx-trigger="every 1s"' not in page.text:
                return page
            self._door.pass_time(0.01)
        raise AssertionError("the work has not ended")


def raised(**changes: Any) -> AlertEvent:
    event = judged([], verdict(20, Outcome.OUTBREAK, Level.OUTBREAK, **changes), START, LIFE)
    assert event is not None
    return event


def letter(number: int = 1, **changes: Any) -> dict[str, Any]:
    record = {
        "specversion": "1.0",
        "id": "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11",
        "source": "/facilities/LC-TYT-03549",
        "type": "vn.canhdich.case.reported.v1",
        "subject": "LC-2023-000123",
        "time": "2023-07-04T08:12:00+07:00",
        "data": {"disease": "dengue", "area_code": "109", "onset_on": "2023-07-41", "ho_ten": "[redacted]"},
    }
    problems = [
        {
            "field": "data.onset_on",
            "code": "bad_date",
            "message_vi": "Không phải ngày.",
            "message_en": "No day.",
        },
        {
            "field": "data.ho_ten",
            "code": "unknown",
            "message_vi": "Trường lạ.",
            "message_en": "Unknown field.",
        },
    ]
    return {
        "dead_letter_id": number,
        "topic": "case-events",
        "kafka_partition": 3,
        "kafka_offset": 41,
        "known_at": datetime(2026, 1, 10, 3, tzinfo=UTC),
        "error": "invalid",
        "problems": problems,
        "subject": "LC-2023-000123",
        "event_id": UUID(record["id"]),  # type: ignore[arg-type]
        "record": orjson.dumps(record).decode(),
        "standing": None,
        "retried_at": None,
    } | changes


@pytest.fixture
def event() -> AlertEvent:
    return raised()


@pytest.fixture
def office(published_catalogue: Catalogue) -> FakeBackOffice:
    return FakeBackOffice(dead_letters=FakeDeadLetters(letter()), imports=FakeImports(published_catalogue))


@pytest.fixture
def door(event: AlertEvent, office: FakeBackOffice) -> Iterator[Doorstep]:
    book = FakeAlertBook(event, raised(disease="measles"))
    book.areas = {"106": {"03390@2025-07-01"}, "109": set()}
    with Doorstep(alerts=book, office=office) as made:
        yield made


@pytest.fixture
def staff(door: Doorstep) -> Visitor:
    return Visitor(door, Role.EPIDEMIOLOGIST)


# --- alerts ---------------------------------------------------------------------------------------------


def test_the_inbox_is_limited_to_ones_own_areas(door: Doorstep, staff: Visitor) -> None:
    assert staff.get("/alerts").text.count('class="card ') == 2
    assert Visitor(door, Role.REPORTER, "106").get("/alerts").text.count('class="card ') == 2
    assert 'class="card ' not in Visitor(door, Role.REPORTER, "109").get("/alerts").text


def test_somebody_elses_alert_is_not_even_there(door: Doorstep, event: AlertEvent) -> None:
    path = f"/alerts/{event.alert_id}"
    assert Visitor(door, Role.REPORTER, "106").get(path).status_code == 200
    neighbour = Visitor(door, Role.REPORTER, "109")
    elsewhere, nowhere = neighbour.get(path), neighbour.get(f"/alerts/{uuid4()}")
    assert (elsewhere.status_code, nowhere.status_code) == (404, 404)
    assert len(elsewhere.text) == len(nowhere.text)


def test_who_acts_is_who_has_signed_in(door: Doorstep, staff: Visitor, event: AlertEvent) -> None:
    path = f"/alerts/{event.alert_id}"
    answer = staff.post(path, action="acknowledge", by="giam.doc", actor="giam.doc", note="")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    step = door.alerts.lives[event.alert_id][-1]
    assert (step.kind, step.actor) == (Kind.ACKNOWLEDGED, staff.person.username)
    (action, *_) = door.people.actions()
    assert (action.action, action.target) == ("alert-acknowledge", str(event.alert_id))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"action": "dismiss", "note": " "}, "Hãy ghi lý do."),
        ({"action": "close", "note": "đã gọi 0912 345 678"}, "số điện thoại"),
        ({"action": "reopen", "note": "lại"}, "không làm được việc này"),
        ({"action": "determine", "at": "hôm qua"}, "ghi ngày và giờ"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_lost(
    door: Doorstep, staff: Visitor, event: AlertEvent, fields: dict[str, str], says: str
) -> None:
    answer = staff.post(f"/alerts/{event.alert_id}", **fields)
    assert answer.status_code in (409, 422)
    assert says in answer.text
    assert len(door.alerts.lives[event.alert_id]) == 1
    assert not door.people.actions()


def test_the_clock_of_a_determined_outbreak_is_shown(
    door: Doorstep, staff: Visitor, event: AlertEvent
) -> None:
    path = f"/alerts/{event.alert_id}"
    assert "Điều 26.1b" not in staff.get(path).text
    # The page's clock stands half a year before the book's.
    determined = START - timedelta(hours=1)
    staff.post(path, action="determine", at=f"{determined + timedelta(hours=7):%Y-%m-%dT%H:%M}")
    page = staff.get(path).text
    assert re.search(r"còn \d{4}:\d{2} giờ", page)
    assert "Điều 26.1b" in page


# --- my area's week -------------------------------------------------------------------------------------


def test_the_week_is_asked_for_ones_own_areas(door: Doorstep, office: FakeBackOffice) -> None:
    page = Visitor(door, Role.REPORTER, "03549", language="en").get("/week?week=2025-W50")
    assert office.week.asked == [(("03549",), "LC-TYT-03549")]
    assert "2025-W50" in page.text
    assert "<svg" in page.text
    # Not known is not zero.
    assert ">?<" in page.text
    Visitor(door, Role.DEPARTMENT).get("/week")
    assert office.week.asked[-1] == (None, None)


def test_a_database_that_is_down_is_said_on_a_page(staff: Visitor, office: FakeBackOffice) -> None:
    office.week.is_down = True
    answer = staff.get("/week")
    assert answer.status_code == 503
    assert "<html" in answer.text


# --- import ---------------------------------------------------------------------------------------------


def test_a_file_is_previewed_then_sent(staff: Visitor, office: FakeBackOffice) -> None:
    bad = CASE | {"Mã số": "2025-12-000002", "Ngày khởi phát": "41/08/2025"}
    address = staff.upload(export(CASE, bad)).headers["location"]
    preview = staff.settled(address)
    assert "Xem trước: chưa gửi gì." in preview.text
    assert "Lò Văn Pâng" not in preview.text
    assert not office.imports.kafka.records
    assert staff.post(f"{address}/send").headers["location"] == address
    assert "Vài giây nữa sẽ được đếm." in staff.settled(address).text
    assert len(office.imports.kafka.records) == 1

    rejected = list(csv.reader(io.StringIO(staff.get(f"{address}/rows").content.decode("utf-8-sig"))))
    assert [row[:4] for row in rejected[1:]] == [["3", "bị từ chối", "", "onset_on"]]
    everything = staff.get(f"{address}/rows?which=all").text
    assert "ECDS-2025-12-000001" in everything
    assert "Lò Văn Pâng" not in everything


def test_a_doubtful_name_is_decided_and_the_file_previewed_again(
    staff: Visitor, office: FakeBackOffice
) -> None:
    address = staff.upload(export(CASE | {"Xã": "Xã Bình Lừ"})).headers["location"]
    page = staff.settled(address).text
    answers = re.findall(r'name="answer.0" value="([^"]+)"', page)
    assert answers
    import_id = address.rpartition("/")[2]
    fields = {
        "import": import_id,
        "field.0": "area_code",
        "text.0": "Xã Bình Lừ, Tỉnh Lai Châu",
        "answer.0": answers[0],
    }
    assert staff.post("/import/meanings", **fields).headers["location"] == address
    (decided,) = office.imports.decided
    assert decided[3] == staff.person.username
    assert "Gửi 1 ca" in staff.settled(address).text
    assert staff.post("/import/meanings", **fields | {"answer.0": "xx|"}).status_code == 422


def test_a_file_that_is_none_is_refused_in_the_persons_language(door: Doorstep, staff: Visitor) -> None:
    page = staff.settled(staff.upload(b"%PDF-1.7", "../../etc/x.pdf").headers["location"]).text
    assert "không phải loại tệp đọc được" in page
    assert "etc" not in page
    english = Visitor(door, Role.EPIDEMIOLOGIST, language="en")
    assert (
        "Not a kind of file that is read"
        in english.settled(english.upload(b"x", "y.pdf").headers["location"]).text
    )


def test_a_zip_bomb_is_refused_before_it_is_unpacked(staff: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 1024**2)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 4 * 1024**2)
    page = staff.settled(staff.upload(bomb.getvalue(), "bom.xlsx").headers["location"]).text
    assert "giải nén ra hơn" in page


def test_an_import_that_breaks_off_can_go_on(staff: Visitor, office: FakeBackOffice) -> None:
    address = staff.upload(export(CASE)).headers["location"]
    staff.settled(address)
    office.imports.fault = DependencyDown("Kafka is down")
    staff.post(f"{address}/send")
    page = staff.settled(address).text
    assert "không bị đếm hai lần" in page
    assert "Kafka is down" not in page
    office.imports.fault = None
    staff.post(f"{address}/send")
    assert "Đã gửi." in staff.settled(address).text


def test_pages_are_served_while_a_file_is_read(staff: Visitor, office: FakeBackOffice) -> None:
    office.imports.go.clear()
    address = staff.upload(export(CASE)).headers["location"]
    page = staff.get(address).text
    assert 'hx-trigger="every 1s"' in page
    assert '<meta http-equiv="refresh"' in page
    assert staff.get("/week").status_code == 200
    # A second click while it runs begins nothing.
    staff.post(f"{address}/send")
    office.imports.go.set()
    assert "Xem trước: chưa gửi gì." in staff.settled(address).text
    assert not office.imports.kafka.records


def test_an_upload_is_its_senders_alone(door: Doorstep, staff: Visitor) -> None:
    address = staff.upload(export(CASE)).headers["location"]
    door.people.add(other := make_person(Role.EPIDEMIOLOGIST, "other"))
    headers = {**door.people.signed_in(other), "accept": "text/html"}
    for path in (address, f"{address}/rows"):
        assert door.request("GET", path, headers=headers).status_code == 404
    assert door.request("POST", f"{address}/send", headers=headers).status_code == 404


def test_an_upload_without_a_file_or_too_large_is_refused(door: Doorstep, staff: Visitor) -> None:
    assert staff.upload(b"", "").status_code == 422
    headers = staff.headers | {
        "content-length": str(300 * 1024**2),
        "content-type": "multipart/form-data; boundary=x",
    }
    answer = door.request("POST", "/import", headers=headers, content=b"")
    assert answer.status_code == 413


@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEPARTMENT, Role.ADMINISTRATOR])
def test_only_epidemiologists_import(door: Doorstep, role: Role) -> None:
    visitor = Visitor(door, role)
    assert visitor.get("/import").status_code == 403
    assert visitor.upload(export(CASE)).status_code == 403


# --- dead letters ---------------------------------------------------------------------------------------


def test_a_dead_letter_is_repaired_and_sent_again(
    door: Doorstep, staff: Visitor, office: FakeBackOffice
) -> None:
    assert "Không phải ngày." in staff.get("/dead-letters").text
    page = staff.get("/dead-letters/1").text
    assert "2023-07-41" in page
    still = staff.post("/dead-letters/1", **{"set.data.onset_on": "2023-07-41", "remove.data.ho_ten": "1"})
    assert still.status_code == 422
    assert not office.dead_letters.sent
    done = staff.post("/dead-letters/1", **{"set.data.onset_on": "2023-07-01", "remove.data.ho_ten": "1"})
    assert done.status_code == 303
    (raw,) = office.dead_letters.sent
    data = {"disease": "dengue", "area_code": "109", "onset_on": "2023-07-01"}
    assert orjson.loads(raw)["data"] == data
    assert [action.action for action in door.people.actions()] == ["dead-letter-sent-again"]
    assert "đã gửi lại" in staff.get("/dead-letters/1").text


def test_a_record_that_is_no_json_is_written_anew(staff: Visitor, office: FakeBackOffice) -> None:
    office.dead_letters.letters[2] = letter(2, record="{{{", problems=[])
    answer = staff.post("/dead-letters/2", whole="")
    assert answer.status_code == 422
    assert "không phải JSON" in answer.text
    whole = orjson.loads(letter()["record"])
    del whole["data"]["ho_ten"]
    whole["data"]["onset_on"] = "2023-07-01"
    assert staff.post("/dead-letters/2", whole=orjson.dumps(whole).decode(), new_id="1").status_code == 303
    assert orjson.loads(office.dead_letters.sent[0])["id"] != whole["id"]


@pytest.mark.parametrize("number", ["0", "x", "9" * 30, "-1"])
def test_no_such_dead_letter(staff: Visitor, number: str) -> None:
    assert staff.get(f"/dead-letters/{number}").status_code == 404


# --- downloads ------------------------------------------------------------------------------------------


def test_a_line_list_is_limited_and_noted(door: Doorstep, office: FakeBackOffice) -> None:
    nurse = Visitor(door, Role.REPORTER, "03549")
    answer = nurse.get("/downloads/line-list.csv?from=01/12/2025&to=31/12/2025&separator=%3B&disease=dengue")
    assert answer.headers["content-disposition"].startswith("attachment;")
    (wanted,) = office.lists.asked
    assert (wanted.areas, wanted.disease, wanted.separator) == (("03549",), "dengue", ";")
    (action,) = door.people.actions()
    assert (action.action, action.detail["from"]) == ("line-list-taken", "2025-12-01")


@pytest.mark.parametrize("asked", ["", "from=2025-12-02&to=2025-12-01", "from=x&to=2025-12-01", "disease=x"])
def test_a_period_that_is_none(staff: Visitor, office: FakeBackOffice, asked: str) -> None:
    assert staff.get(f"/downloads/line-list.csv?{asked}").status_code == 422
    assert not office.lists.asked


def test_too_many_cases_are_said_and_not_noted(
    door: Doorstep, staff: Visitor, office: FakeBackOffice
) -> None:
    office.lists.has_too_many = True
    answer = staff.get("/downloads/line-list.csv?from=2025-12-01&to=2025-12-31")
    assert answer.status_code == 422
    assert "100,000" in answer.text
    assert not door.people.actions()


def test_the_department_takes_counts_and_no_line_list(door: Doorstep) -> None:
    department = Visitor(door, Role.DEPARTMENT)
    assert "line-list.csv" not in department.get("/downloads").text
    period = "from=2025-12-01&to=2025-12-31"
    assert department.get(f"/downloads/line-list.csv?{period}").status_code == 403
    assert department.get(f"/downloads/counts.csv?{period}&level=commune").text == "commune"


# --- report ---------------------------------------------------------------------------------------------


def test_a_report_is_written_read_and_fetched(staff: Visitor, office: FakeBackOffice) -> None:
    asked = {
        "province": "12",
        "from": "2025-12-01",
        "to": "2025-12-31",
        "as_of": "02/01/2026 08:00",
        "lang": "vi",
    }
    address = staff.post("/report", **asked).headers["location"]
    assert "Ghi nhận 04 trường hợp mắc." in staff.settled(address).text
    (wanted,) = office.reports.asked
    assert wanted.as_of == datetime(2026, 1, 2, 1, tzinfo=UTC)
    file = staff.get(f"{address}/file?form=md")
    assert file.content == b"md"
    assert "filename*=UTF-8''b%C3%A1o%20c%C3%A1o.md" in file.headers["content-disposition"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"province": "99"}, "province"),
        ({"from": "2026-02-01"}, "from"),
        ({"to": "2025-11-30"}, "to"),
        ({"as_of": "mai"}, "as_of"),
    ],
)
def test_a_report_that_cannot_be_asked_for(
    staff: Visitor, office: FakeBackOffice, changes: dict[str, str], field: str
) -> None:
    asked = {"province": "12", "from": "2025-12-01", "to": "2025-12-31"} | changes
    answer = staff.post("/report", **asked)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert not office.reports.asked


def test_a_report_that_fails_says_why(staff: Visitor, office: FakeBackOffice) -> None:
    office.reports.fault = ConfigurationError("no such province")
    address = staff.post("/report", **{"province": "12", "from": "2025-12-01", "to": "2025-12-31"}).headers[
        "location"
    ]
    assert "no such province" in staff.settled(address).text
    assert staff.get(f"{address}/file").status_code == 404


def written(staff: Visitor, **changes: str) -> str:
    """The address of a report that is there."""
    asked = {"province": "12", "from": "2025-12-01", "to": "2025-12-31"} | changes
    address: str = staff.post("/report", **asked).headers["location"]
    staff.settled(address)
    return address


def test_what_was_read_is_published_once_by_whoever_may(
    door: Doorstep, staff: Visitor, office: FakeBackOffice
) -> None:
    address = written(staff)
    assert f'action="{address}/publish"' in staff.get(address).text
    assert staff.post(f"{address}/publish", label="").status_code == 422
    assert staff.post(f"{address}/publish", label="x" * 121).status_code == 422
    for _ in range(2):
        assert staff.post(f"{address}/publish", label="Tháng 12").headers["location"] == address
        page = staff.settled(address).text
        assert "Đã công bố “Tháng 12” lúc 05/01/2026 09:00." in page
        # Once is enough.
        assert '/publish"' not in page
    (snapshot,) = [known for known in office.reports.kept if known.label == "Tháng 12"]
    assert snapshot.settings["published_by"] == staff.person.username
    assert door.people.actions()[0].action == "report-publish"
    assert "Tháng 12" in staff.get("/report").text


def test_a_report_that_says_something_else_by_now_is_not_published(
    staff: Visitor, office: FakeBackOffice
) -> None:
    address = written(staff)
    office.reports.cases += 1
    kept = len(office.reports.kept)
    staff.post(f"{address}/publish", label="Tháng 12")
    page = staff.settled(address).text
    assert "Chưa công bố được. Số liệu đã thay đổi." in page
    assert "The figures have changed" not in page
    assert len(office.reports.kept) == kept
    # What was read is still there, and may be tried again.
    assert "Ghi nhận 04 trường hợp mắc." in page
    assert f'action="{address}/publish"' in page


def test_a_report_of_the_past_and_one_of_somebody_else_are_not_published(
    door: Doorstep, staff: Visitor, office: FakeBackOffice
) -> None:
    kept = len(office.reports.kept)
    address = written(staff, as_of="02/01/2026 08:00")
    page = staff.get(address).text
    assert "Chỉ công bố được báo cáo lập từ tất cả số liệu" in page
    assert '<form method="post" action="/report' not in page
    assert staff.post(f"{address}/publish", label="a").headers["location"] == address
    department = Visitor(door, Role.DEPARTMENT)
    own = written(department)
    assert '/publish"' not in department.get(own).text
    assert department.post(f"{own}/publish", label="a").status_code == 403
    other = Visitor(door, Role.EPIDEMIOLOGIST, language="en")
    assert other.post(f"{written(staff)}/publish", label="a").status_code == 404
    assert len(office.reports.kept) == kept


def test_what_was_published_is_read_and_fetched_again(staff: Visitor, office: FakeBackOffice) -> None:
    assert f'href="/report/published/{SNAPSHOT_ID}"' in staff.get("/report").text
    address = f"/report/published/{SNAPSHOT_ID}"
    page = staff.get(address).text
    assert "Năm 2023" in page
    assert "Ghi nhận 04 trường hợp mắc." in page
    assert "ab" * 32 in page
    assert "khớp</span>" in page
    assert "Ghi nhận 04 trường hợp mắc." in staff.get(f"{address}/file?form=md").text
    assert staff.get(f"{address}/file").content.startswith(b"PK")
    office.reports.is_altered = True
    assert "không khớp mã SHA-256" in staff.get(address).text
    for missing in (address.replace(str(SNAPSHOT_ID), str(uuid4())), "/report/published/x"):
        assert staff.get(missing).status_code == 404
        assert staff.get(f"{missing}/file").status_code == 404


def test_what_has_changed_since_a_report(staff: Visitor, office: FakeBackOffice) -> None:
    office.reports.publish(
        Asked("12", date(2023, 1, 1), date(2023, 12, 31), None, "vi"),
        "Sửa",
        "minh",
        office.reports.write(Asked("12", date(2023, 1, 1), date(2023, 12, 31), None, "vi")).document,
    )
    newer = office.reports.kept[-1].id
    page = staff.get(f"/report/changes?since={SNAPSHOT_ID}&until={newer}").text
    assert "03 trường hợp chuyển từ huyện A sang huyện Sìn Hồ." in page
    assert "Sửa" in page
    assert "Hiện tại, 15/01/2026 07:00" in staff.get(f"/report/changes?since={SNAPSHOT_ID}&until=").text
    refused = staff.get(f"/report/changes?since={newer}&until={SNAPSHOT_ID}")
    assert refused.status_code == 422
    assert "Thời điểm sau lại ở trước." in refused.text
    for asked in ("", "?since=x", f"?since={uuid4()}", f"?since={newer}&until={uuid4()}"):
        assert staff.get(f"/report/changes{asked}").status_code == 404


def test_an_upload_is_bounded_by_what_comes_whatever_was_declared() -> None:
    pieces = [
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n',
        *[b"a" * 64 * 1024] * 4,
        b"\r\n--x--\r\n",
    ]

    async def send(most: int) -> int:
        waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        waiting.append({"type": "http.request", "body": b"", "more_body": False})

        async def receive() -> Any:
            return waiting.pop(0)

        headers = [(b"content-type", b"multipart/form-data; boundary=x")]
        scope = {"type": "http", "method": "POST", "path": "/import", "headers": headers}
        sent = await read_upload(Request(scope, receive), most)
        assert sent.file is not None
        size = sent.file.size
        await sent.file.close()
        return size or 0

    assert asyncio.run(send(256 * 1024)) == 256 * 1024
    with pytest.raises(Refused, match="upload-too-large"):
        asyncio.run(send(128 * 1024))


def test_the_clock_of_a_notice() -> None:
    due = START + timedelta(hours=24)
    over = notice_clock(due, None, due + timedelta(minutes=61))
    assert over is not None
    assert (over.left, over.is_over) == ("1:01", True)
    assert notice_clock(due, due, due) is None
    assert notice_clock(None, None, due) is None

"""The pages of cases without a browser's scripts, and what scripts ask for."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import httpx
import orjson
import pytest

from schemas.catalogue import Catalogue
from services.intake import create_app
from services.intake.people.person import Person, Role
from services.intake.staff.static_files import static_url, static_version
from tests.builders import judged_by
from tests.fakes_intake import FakeAlertBook, FakeKnowledge, FakeSink
from tests.fakes_staff import FakeCaseBook
from tests.people_fakes import FakePeople, make_person
from tests.unit.intake.door import SETTINGS

NOW = datetime(2026, 1, 15, 1, 0, tzinfo=UTC)
NURSE = make_person(Role.REPORTER, "lan", area_codes=("109",))
CDC = make_person(Role.EPIDEMIOLOGIST, "minh", language="en")


class Desk:
    """Somebody at a browser without scripts. Use as a context."""

    def __init__(self, catalogue: Catalogue, person: Person | None) -> None:
        self.sink, self.people = FakeSink(), FakePeople()
        self.cases = FakeCaseBook(catalogue, lambda: [r.value for r in self.sink.records], lambda: NOW)
        self._app = create_app(
            SETTINGS,
            sink=self.sink,
            knowledge=FakeKnowledge(catalogue=judged_by(catalogue)),
            alerts=FakeAlertBook(),
            people=self.people,
            cases=self.cases,
            clock=lambda: NOW,
        )
        self._runner = asyncio.Runner()
        self._lifespan = self._app.router.lifespan_context(self._app)
        self.sit_down(person)

    def sit_down(self, person: Person | None) -> None:
        """Somebody else signs in."""
        self._headers = self.people.signed_in(person) if person else {}

    def __enter__(self) -> Self:
        self._runner.run(self._lifespan.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._lifespan.__aexit__(None, None, None))
        self._runner.close()

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._runner.run(self._request("GET", path, headers=headers))

    def post(self, path: str, accept: str = "text/html", **fields: str) -> httpx.Response:
        renamed = {name.replace("was_", "was."): value for name, value in fields.items()}
        return self._runner.run(self._request("POST", path, data=renamed, headers={"accept": accept}))

    def report(self, **fields: str) -> httpx.Response:
        """Fill in the form as the page gives it, and send it."""
        hidden = dict(re.findall(r'name="(form_id|subject)" value="([^"]+)"', self.get("/cases/new").text))
        form = {"disease": "sot xuat huyet", "area": "phong tho", "onset_on": "4/1"}
        return self.post("/cases/new", **{**form, **hidden, **fields})

    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(record.value) for record in self.sink.records]

    def identities(self) -> set[tuple[str, str]]:
        """What the stream counts: the same event sent twice is one."""
        return {(event["subject"], event["id"]) for event in self.events()}

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=("127.0.0.1", 50_000))
        options["headers"] = {**self._headers, **options.get("headers", {})}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            return await client.request(method, path, **options)


@pytest.fixture
def desk(published_catalogue: Catalogue) -> Iterator[Desk]:
    with Desk(published_catalogue, NURSE) as made:
        yield made


def test_a_form_becomes_the_contracts_event_and_leads_to_the_case(desk: Desk) -> None:
    answer = desk.report(sex="female", age_years="8 tháng", lab="pending")
    assert answer.status_code == 303
    (event,) = desk.events()
    assert event["source"] == "/facilities/LC-TYT-03549"
    assert event["type"] == "vn.canhdich.case.reported.v1"
    assert event["time"] == "2026-01-15T01:00:00+00:00"
    assert re.fullmatch(r"LC-TYT-03549-[BCDFGHJKLMNPQRSTVWXZ]{8}", event["subject"])
    assert event["data"] == {
        "disease": "dengue",
        "area_code": "03549",
        "onset_on": "2026-01-04",
        "sex": "female",
        "age_years": 0.67,
        "lab": {"dengue": "pending"},
    }
    page = desk.get(answer.headers["location"])
    assert page.status_code == 200
    for said in ("Hệ thống đã nhận.", "Ca đã được tính.", "Xã Phong Thổ (03549)", "0.67", "chưa có kết quả"):
        assert said in page.text
    assert [action.action for action in desk.people.actions()] == ["case-sent"]


def test_a_case_that_is_not_folded_yet_is_said_to_be_received(desk: Desk) -> None:
    desk.cases.is_behind = True
    page = desk.get(desk.report().headers["location"])
    assert page.status_code == 200
    assert "Hệ thống đã nhận." in page.text
    assert "hx-get" in page.text
    assert "hx-get" not in desk.get(f"{page.url.raw_path.decode()}&look=8").text
    assert desk.get("/cases/LC-nowhere?event=00000000-0000-0000-0000-000000000001").status_code == 404


def test_the_same_form_sent_twice_is_one_event_and_a_corrected_one_a_second(desk: Desk) -> None:
    ids = {"form_id": str(UUID(int=7)), "subject": "LC-7"}
    places = [desk.report(**ids).headers["location"] for _ in range(2)]
    assert places[0] == places[1]
    assert len(desk.identities()) == 1
    desk.report(**ids, onset_on="5/1")
    assert [subject for subject, _ in desk.identities()] == ["LC-7", "LC-7"]


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(desk: Desk) -> None:
    answer = desk.report(onset_on="31/2", hamlet="nhà ông Lò Văn Pâng", age_years="34", died_at="3/1")
    assert answer.status_code == 422
    assert desk.events() == []
    assert 'value="31/2"' in answer.text
    assert 'value="34"' in answer.text
    assert re.search(r'id="f-onset_on-error">[^<]*không đọc được ngày', answer.text)
    desk.report(onset_on="5/1", died_at="3/1")
    answer = desk.report(onset_on="5/1", died_at="3/1", hamlet="nhà ông Lò Văn Pâng")
    # What the door itself finds: the same words as for /v1/events.
    assert re.search(r'id="f-died_at-error">[^<]*điều này không thể có', answer.text)
    assert re.search(r'id="f-hamlet-error">[^<]*Hệ thống không nhận dữ liệu định danh', answer.text)
    assert desk.events() == []


def test_without_kafka_nothing_that_was_typed_is_lost(desk: Desk) -> None:
    desk.sink.is_down = True
    answer = desk.report(hamlet="bản Vàng Bó")
    assert answer.status_code == 503
    assert "chưa xác nhận" in answer.text
    assert 'value="bản Vàng Bó"' in answer.text


def test_somebody_elses_area_is_refused_by_name(desk: Desk) -> None:
    answer = desk.report(area="Xã Bình Lư (03390)")
    assert answer.status_code == 422
    assert re.search(r'id="f-area-error">[^<]*không thuộc đơn vị', answer.text)


def test_a_case_is_changed_and_only_what_changed_is_sent(desk: Desk) -> None:
    place = desk.report(sex="female").headers["location"].partition("?")[0]
    form = {"form": "outcome", "form_id": str(UUID(int=9)), "outcome": "dead", "was_outcome": "unknown"}
    answer = desk.post(place, **form, died_at="14/1 ", was_died_at="")
    assert answer.status_code == 303
    assert desk.events()[1]["data"] == {"outcome": "dead", "died_at": "2026-01-14"}
    page = desk.get(place).text
    assert "tử vong" in page
    nothing = desk.post(place, form="diagnosis", form_id=str(UUID(int=9)))
    assert nothing.status_code == 422
    assert "Chưa có gì thay đổi" in nothing.text
    assert desk.post(place, form="nonsense", form_id=str(UUID(int=9))).status_code == 422


def test_the_history_names_who_sent_an_event_to_those_who_may_ask_back(desk: Desk) -> None:
    def senders() -> set[str]:
        return set(re.findall(r"<p><strong>[^<]+</strong> · [0-9/: ]+ · ([^<]+?) ?<", desk.get(place).text))

    desk.sit_down(make_person(Role.REPORTER, "hoa", name="Nguyễn Thị Hoa", area_codes=("109",)))
    place = desk.report(subject="LC-1").headers["location"].partition("?")[0]
    desk.sit_down(CDC)
    form = {"form": "outcome", "form_id": str(UUID(int=9)), "outcome": "recovered", "was_outcome": "unknown"}
    desk.post(place, **form)
    assert senders() == {"minh · minh", "LC-TYT-03549 · Nguyễn Thị Hoa"}
    # The department sees the case and its facility, and no names of staff.
    desk.sit_down(make_person(Role.DEPARTMENT))
    assert senders() == {"minh", "LC-TYT-03549"}
    # Names are no part of what is sent.
    assert "Hoa" not in "".join(record.value.decode() for record in desk.sink.records)


def test_retracting_needs_a_reason_and_a_confirmation(desk: Desk) -> None:
    place = desk.report().headers["location"].partition("?")[0]
    form = {"form": "retract", "form_id": str(UUID(int=9))}
    refused = desk.post(place, **form)
    assert refused.status_code == 422
    assert re.search(r'id="retract-reason-error">Lý do rút', refused.text)
    assert re.search(r'id="retract-confirm-error">Hãy đánh dấu', refused.text)
    refused = desk.post(place, **form, reason="duplicate", confirm="yes")
    assert re.search(r'id="retract-duplicate_of-error">[^<]*mã của ca được giữ lại', refused.text)
    assert desk.post(place, **form, reason="entered_in_error", confirm="yes").status_code == 303
    assert "Ca đã rút" in desk.get(place).text
    assert "Lý do rút" not in desk.get("/cases").text


def test_cases_are_found_by_code_by_the_number_in_the_book_by_disease_and_day(desk: Desk) -> None:
    desk.report(subject="LC-1", form_id=str(UUID(int=1)), register="17/2026")
    desk.report(subject="LC-2", form_id=str(UUID(int=2)), disease="soi", area="si lo lau")
    listed = desk.get("/cases").text
    assert listed.index("LC-1") < listed.index("LC-2")
    assert desk.get("/cases?q=LC-2").headers["location"] == "/cases/LC-2"
    both = desk.get("/cases?q=LC-").text
    assert "LC-1" in both
    assert "LC-2" in both
    found = desk.get("/cases?q=17/2026").text
    assert "LC-1" in found
    assert "LC-2" not in found
    found = desk.get("/cases?disease=soi").text
    assert ">LC-1<" not in found
    assert ">LC-2<" in found
    found = desk.get("/cases?area=Xã Phong Thổ (03549)&days=onset&from=4/1/2026&to=4/1/2026").text
    assert ">LC-1<" in found
    assert ">LC-2<" not in found
    assert "Không có ca nào" in desk.get("/cases?from=1/1/2020&to=1/2/2020").text


def test_a_case_of_long_ago_is_found_by_choice_and_by_its_number_anyhow(desk: Desk) -> None:
    desk.report(subject="LC-1", onset_on="1/3/2025", reported_on="2/3/2025", register="17/2025", area="03549")
    assert ">LC-1<" not in desk.get("/cases").text
    assert ">LC-1<" in desk.get("/cases?within=year").text
    ever = desk.get("/cases?within=all").text
    assert ">LC-1<" in ever
    assert "Mọi ngày đến 15/01/2026" in ever
    assert '<option value="all" selected' in ever
    assert ">LC-1<" in desk.get("/cases?q=17/2025").text
    # Days that were typed hold, whatever was chosen; what is no choice is the shortest.
    assert ">LC-1<" not in desk.get("/cases?within=all&from=1/1/2026").text
    assert ">LC-1<" not in desk.get("/cases?q=17/2025&from=1/1/2026&to=15/1/2026").text
    assert ">LC-1<" not in desk.get("/cases?within=century").text


@pytest.mark.parametrize(
    "query", ["disease=qqq", "area=qqq", "from=31/2", "from=2/1/2026&to=1/1/2026", "area=Lò Văn Pâng"]
)
def test_a_search_that_cannot_be_understood_says_so(desk: Desk, query: str) -> None:
    answer = desk.get(f"/cases?{query}")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    # Said once, and nowhere as an error's words.
    assert "Pâng" not in "".join(re.findall(r'class="error"[^>]*>([^<]*)', answer.text))


def test_cases_of_other_areas_are_neither_listed_nor_shown_nor_changed(desk: Desk) -> None:
    desk.sit_down(CDC)
    place = desk.report(area="Xã Bình Lư (03390)", subject="LC-9").headers["location"].partition("?")[0]
    assert desk.get(place).status_code == 200
    desk.sit_down(NURSE)
    assert desk.get(place).status_code == 404
    assert "LC-9" not in desk.get("/cases").text
    assert desk.get("/cases?q=LC-9").status_code == 200
    form = {"form": "outcome", "form_id": str(UUID(int=9)), "outcome": "dead", "was_outcome": "unknown"}
    assert desk.post(place, **form).status_code == 404
    # More than what is theirs was asked for: what is theirs of it.
    desk.report(subject="LC-10")
    assert "LC-10" in desk.get("/cases?area=12").text
    assert "LC-10" not in desk.get("/cases?area=03390").text


def test_without_the_database_the_form_works_and_the_rest_says_so(desk: Desk) -> None:
    desk.cases.is_down = True
    assert desk.report().status_code == 303
    answer = desk.get("/cases", accept="text/html")
    assert answer.status_code == 503


def test_scripts_are_told_where_the_case_is_and_what_is_overruled(desk: Desk) -> None:
    place = desk.report(subject="LC-1").headers["location"].partition("?")[0]
    newer = {"event_id": str(UUID(int=21)), "time": "2026-01-15T00:50:00Z", "form": "outcome"}
    older = {"event_id": str(UUID(int=22)), "time": "2026-01-15T00:40:00Z", "form": "outcome"}
    desk.post(place, "application/json", **newer, outcome="recovered", was_outcome="unknown")
    # The report itself was recorded at 01:00, but said nothing of the outcome.
    answer = desk.post(place, "application/json", **older, outcome="in_care", was_outcome="unknown")
    assert answer.status_code == 202
    assert answer.json() == {
        "subject": "LC-1",
        "location": f"/cases/LC-1?event={UUID(int=22)}",
        "overruled": ["Tình trạng hiện nay"],
        "warnings": [],
    }
    again = desk.post(place, "application/json", **older, outcome="in_care", was_outcome="unknown")
    assert again.status_code == 202
    assert len(desk.identities()) == 3
    other = desk.post(place, "application/json", **older, outcome="dead", was_outcome="unknown")
    assert other.status_code == 422
    assert "mã sự kiện mới" in other.json()["errors"][0]["message_vi"]
    wrong = desk.post(place, "application/json", **{**older, "event_id": "no"}, outcome="dead")
    assert wrong.status_code == 422


def test_scripts_get_errors_by_field_in_both_languages(desk: Desk) -> None:
    answer = desk.post("/cases/new", "application/json", disease="", area="03549", subject="LC-1")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "disease"
    assert error["message_en"].startswith("Disease is missing")
    desk.sink.is_down = True
    ids = {"event_id": str(UUID(int=1)), "subject": "LC-1"}
    assert desk.post("/cases/new", "application/json", disease="soi", area="03549", **ids).status_code == 503


def test_suggestions_of_places_begin_with_ones_own(desk: Desk) -> None:
    lines = re.findall(r'value="([^"]+)"', desk.get("/places?area=binh").text)
    assert lines[0] == "Xã Dào San (03571)"
    assert lines[5] == "Xã Bình Lư (03390)"


def test_the_language_is_the_persons_else_the_one_that_was_chosen(desk: Desk) -> None:
    assert 'lang="vi"' in desk.get("/cases/new").text
    desk.sit_down(CDC)
    assert "Send the case report" in desk.get("/cases/new").text
    desk.sit_down(None)
    answer = desk.get("/language/en?back=//elsewhere.example/")
    assert answer.headers["location"] == "/"
    assert "language=en" in answer.headers["set-cookie"]
    assert "This page needs the line" in desk.get("/offline", cookie="language=en").text
    assert desk.get("/language/fr").status_code == 404


def test_the_session_tells_scripts_who_it_is_and_what_time_it_is(desk: Desk) -> None:
    known = desk.get("/session.json").json()
    assert known["person"] == str(NURSE.id)
    assert known["now"] == NOW.timestamp() * 1_000
    assert known["csrf"]
    desk.sit_down(None)
    assert desk.get("/session.json").json() == {"person": None, "csrf": "", "now": known["now"]}


def test_static_files_are_kept_for_ever_and_packed(desk: Desk) -> None:
    answer = desk.get(static_url("style.css"), **{"accept-encoding": "gzip"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert desk.get("/static/of-yesterday/style.css").headers["cache-control"] == "no-cache"
    assert desk.get(f"/static/{static_version()}/%2e%2e/rendering.py").status_code == 404
    assert desk.get(f"/static/{static_version()}/nothing.css").status_code == 404
    with pytest.raises(KeyError):
        static_url("nothing.css")


def test_pages_let_nothing_foreign_in_and_are_kept_by_nobody(desk: Desk) -> None:
    answer = desk.get("/cases/new", **{"accept-encoding": "gzip"})
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*(src=|application/json))|\sstyle=|\son[a-z]+=", answer.text)
    # Of packed pages that differ in nothing but chance the lengths differ: see BREACH.
    packed = {"accept-encoding": "gzip"}
    sizes = {int(desk.get("/offline", **packed).headers["content-length"]) for _ in range(9)}
    assert len(sizes) > 1
    worker = desk.get("/service-worker.js")
    assert "connect-src 'self'" in worker.headers["content-security-policy"]
    assert worker.headers["cache-control"] == "no-cache"

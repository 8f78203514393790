"""The matrix of rights.yaml against the application: every route has a row, every cell is tried."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.routing import Route

from schemas.catalogue import Catalogue
from services.intake.people.person import Role
from services.intake.people.rights import RIGHTS_FILE, Right, Rights, read_rights, rights
from services.intake.people.rights_table import PAGE, with_table
from streams.domain.alerts import AlertEvent, Life, judged
from streams.domain.errors import ConfigurationError
from streams.domain.receipts import Fate, JournaledEvent
from streams.domain.rules.verdicts import Level, Outcome
from tests.builders import judged_by
from tests.fakes_back_office import FakeBackOffice, FakeImports
from tests.fakes_intake import FakeAlertBook, FakeKnowledge, FakeSink
from tests.fakes_staff import FakeCaseBook
from tests.people_fakes import FakePeople, make_person
from tests.unit.domain.test_alerts import START, verdict
from tests.unit.intake.door import NOW, Doorstep, event

OWN, FOREIGN = "03549", "03390"
AREAS = (OWN, FOREIGN)


def faults(endpoints: Mapping[str, str], matrix: Rights) -> list[str]:
    """Routes without a row, and rows without a route; `endpoints` is name -> path."""
    rows = matrix.public | matrix.matrix.keys()
    return [
        f"{path}: the route {name} has no row" for name, path in endpoints.items() if name not in rows
    ] + [f"the row {name} has no route" for name in sorted(rows - endpoints.keys())]


def raised(area_id: str) -> AlertEvent:
    """An alert in an area."""
    found = judged([], verdict(20, Outcome.OUTBREAK, Level.OUTBREAK, area_id=area_id), START, Life())
    assert found is not None
    return found


class World:
    """An intake with a case, an alert and a receipt in somebody's own area, and the same in another."""

    def __init__(self, catalogue: Catalogue) -> None:
        sink = FakeSink()
        cases = FakeCaseBook(catalogue, lambda: [record.value for record in sink.records], lambda: NOW)
        self.subjects = {code: f"LC-{code}" for code in AREAS}
        self.alerts = {code: raised(f"{code}@2025-07-01") for code in AREAS}
        self.receipts = {code: UUID(int=n + 1_000) for n, code in enumerate(AREAS)}
        book = FakeAlertBook(*self.alerts.values())
        book.areas = {code: {f"{code}@2025-07-01"} for code in AREAS}
        knowledge = FakeKnowledge(catalogue=judged_by(catalogue))
        for code, event_id in self.receipts.items():
            told = JournaledEvent(
                self.subjects[code],
                "vn.canhdich.case.reported.v1",
                NOW,
                "/facilities/LC-BV-001",
                f"{code}@2025-07-01",
                None,
                (),
                is_overruled=False,
                is_counted=True,
            )
            knowledge.fates[event_id] = Fate(event_id, [told], [])
        self.people = FakePeople()
        self.people.owned = {
            ("case", subject): (f"{code}@2025-07-01", set()) for code, subject in self.subjects.items()
        }
        self.office = FakeBackOffice(imports=FakeImports(catalogue))
        self.door = Doorstep(sink, knowledge, book, self.people, self.office, cases=cases)
        self.endpoints = {route.name: route for route in self.door.app.routes if isinstance(route, Route)}

    def __enter__(self) -> "World":
        self.door.__enter__()
        for code in AREAS:
            sent = self.report(code, self.subjects[code]) | {"source": "/facilities/LC-BV-001"}
            assert self.door.post(sent).status_code == 202
        return self

    def __exit__(self, *error: object) -> None:
        self.door.__exit__(*error)

    def report(self, code: str, subject: str) -> dict[str, Any]:
        """A case of this week."""
        return event(
            id=str(uuid4()),
            subject=subject,
            source="/facilities/LC-TYT-03549",
            time=(NOW - timedelta(days=1)).isoformat(),
            data={"disease": "dengue", "area_code": code, "onset_on": "2026-01-10"},
        )

    def headers(self, role: Role) -> dict[str, str]:
        """Somebody of a role; those who have areas have the one."""
        areas = (OWN,) if role is Role.REPORTER else ()
        return self.people.signed_in(make_person(role, area_codes=areas))


@pytest.fixture(scope="module")
def world(published_catalogue: Catalogue) -> Iterator[World]:
    with World(published_catalogue) as made:
        yield made


def test_every_route_has_a_row_and_every_row_a_route(world: World) -> None:
    paths = {name: route.path for name, route in world.endpoints.items()}
    assert faults(paths, rights()) == []


def test_a_route_without_a_row_and_a_row_without_a_route_are_found() -> None:
    matrix = Rights(frozenset({"get_live"}), {"get_alerts": {}}, {})
    assert faults({"get_live": "/health/live", "get_new": "/new"}, matrix) == [
        "/new: the route get_new has no row",
        "the row get_alerts has no route",
    ]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("endpoint", sorted(rights().matrix))
def test_every_cell_lets_in_or_refuses(world: World, endpoint: str, role: Role) -> None:
    route = world.endpoints[endpoint]
    parameters = {name: str(UUID(int=77)) for name in route.param_convertors}
    path = str(route.url_path_for(endpoint, **parameters))
    (method,) = (route.methods or set()) - {"HEAD"}
    answer = world.door.request(method, path, headers=world.headers(role) | {"accept": "text/html"})
    if rights().matrix[endpoint][role] is Right.NONE:
        assert answer.status_code == 403
    else:
        assert answer.status_code not in (401, 403, 500)
        assert answer.headers.get("location") != "/sign-in"


@pytest.mark.parametrize("endpoint", sorted(rights().matrix))
def test_without_signing_in_nobody_gets_anywhere(world: World, endpoint: str) -> None:
    route = world.endpoints[endpoint]
    parameters = {name: str(UUID(int=77)) for name in route.param_convertors}
    path = str(route.url_path_for(endpoint, **parameters))
    (method,) = (route.methods or set()) - {"HEAD"}
    answer = world.door.request(method, path, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code in ((401, 303) if method == "GET" else (401, 403))


Reach = Callable[[World, Mapping[str, str], str], bool]


def _sees(path: str, named: Callable[[World, str], str]) -> Reach:
    """Whether a list names what lies in an area."""

    def reach(world: World, headers: Mapping[str, str], code: str) -> bool:
        answer = world.door.get(path, **headers)
        assert answer.status_code == 200
        return named(world, code) in answer.text

    return reach


def _opens(path: Callable[[World, str], str]) -> Reach:
    """Whether one thing in an area is shown; to others it does not exist."""

    def reach(world: World, headers: Mapping[str, str], code: str) -> bool:
        status = world.door.get(path(world, code), **headers).status_code
        assert status in (200, 404)
        return status == 200

    return reach


def _post_event(world: World, headers: Mapping[str, str], code: str) -> bool:
    status = world.door.post(world.report(code, f"LC-{uuid4().hex[:8]}"), **headers).status_code
    assert status in (202, 403)
    return status == 202


def _send_case(world: World, headers: Mapping[str, str], code: str) -> bool:
    form = {"disease": "dengue", "area": code, "onset_on": "10/01/2026", "form_id": str(uuid4())}
    form["subject"] = f"LC-{uuid4().hex[:8]}"
    answer = world.door.request("POST", "/cases/new", headers=dict(headers), data=form)
    assert answer.status_code in (303, 403, 422)
    return answer.status_code == 303


def _change_case(world: World, headers: Mapping[str, str], code: str) -> bool:
    form = {"form": "outcome", "form_id": str(uuid4()), "outcome": "recovered", "was_outcome": "unknown"}
    form["was.outcome"] = form.pop("was_outcome")
    path = f"/cases/{world.subjects[code]}"
    status = world.door.request("POST", path, headers=dict(headers), data=form).status_code
    assert status in (303, 404, 422)
    return status != 404


def _asks_for(path: str, areas: Callable[[World], Any]) -> Reach:
    """Whether what is computed is limited to an area: the figures themselves come from the database."""

    def reach(world: World, headers: Mapping[str, str], code: str) -> bool:
        assert world.door.get(path, **headers).status_code == 200
        asked = areas(world)
        return asked is None or code in asked

    return reach


REACHES: Mapping[str, Reach] = {
    "post_events": _post_event,
    "get_event": _opens(lambda world, code: f"/v1/events/{world.receipts[code]}"),
    "get_alerts": _sees("/v1/alerts", lambda world, code: str(world.alerts[code].alert_id)),
    "get_alert": _opens(lambda world, code: f"/v1/alerts/{world.alerts[code].alert_id}"),
    "alerts_page": _sees("/alerts", lambda world, code: str(world.alerts[code].alert_id)),
    "alert_page": _opens(lambda world, code: f"/alerts/{world.alerts[code].alert_id}"),
    "send_case": _send_case,
    "find_cases": _sees("/cases?from=2026-01-01&to=2026-01-15", lambda world, code: world.subjects[code]),
    "show_case": _opens(lambda world, code: f"/cases/{world.subjects[code]}"),
    "change_case": _change_case,
    "week_page": _asks_for("/week", lambda world: world.office.week.asked[-1][0]),
    "download_line_list": _asks_for(
        "/downloads/line-list.csv?from=2026-01-01&to=2026-01-15",
        lambda world: world.office.lists.asked[-1].areas,
    ),
    "download_counts": _asks_for(
        "/downloads/counts.csv?from=2026-01-01&to=2026-01-15",
        lambda world: world.office.lists.asked[-1].areas,
    ),
}
"""How far each endpoint reaches that has an `own` in its row."""

WITHOUT_AREA = {"new_case", "downloads_page"}
"""Forms that ask for nothing yet: what they send is checked where it arrives."""


def test_every_row_with_an_own_is_tried_for_areas() -> None:
    rows = {name for name, row in rights().matrix.items() if Right.OWN in row.values()}
    assert rows - WITHOUT_AREA == REACHES.keys()


@pytest.mark.parametrize("code", AREAS, ids=["own", "foreign"])
@pytest.mark.parametrize(
    ("endpoint", "role"),
    [
        (endpoint, role)
        for endpoint in sorted(REACHES)
        for role in Role
        # The others are refused whatever the area, as tried above.
        if rights().matrix[endpoint][role] is not Right.NONE
    ],
)
def test_every_cell_for_ones_own_area_and_another(world: World, endpoint: str, role: Role, code: str) -> None:
    right = rights().matrix[endpoint][role]
    reached = REACHES[endpoint](world, world.headers(role), code)
    assert reached == (right is Right.ALL or code == OWN)


GOOD = """
public: [get_live]
endpoints:
  get_alerts: {vi: a, en: b, reporter: own, epidemiologist: all, department: all, administrator: none}
"""


@pytest.mark.parametrize(
    ("good", "bad", "sentence"),
    [
        ("reporter: own, ", "", "nothing is said of reporter"),
        ("reporter: own", "reporter: some", "'some' is not a valid Right"),
        ("reporter: own", "king: own", "'king' is not a valid Role"),
        ("[get_live]", "[get_alerts]", "cannot be public and have rights"),
        ("vi: a, ", "", "names it in vi"),
        ("endpoints:\n", "endpoints:\n  get_alerts: {vi: a, en: b}\n", "is there twice"),
    ],
)
def test_a_bad_matrix_is_refused(good: str, bad: str, sentence: str) -> None:
    assert read_rights(GOOD).matrix["get_alerts"][Role.REPORTER] is Right.OWN
    with pytest.raises(ConfigurationError, match=sentence):
        read_rights(GOOD.replace(good, bad))


def test_the_file_says_what_the_code_reads() -> None:
    assert read_rights(RIGHTS_FILE.read_text("utf-8")) == rights()


def test_the_page_about_people_has_the_matrix_of_now() -> None:
    page = PAGE.read_text("utf-8")
    assert with_table(page, rights()) == page
    changed = Rights(frozenset(), {"get_alerts": dict.fromkeys(Role, Right.ALL)}, {"get_alerts": ("a", "b")})
    assert with_table(page, changed) != page
    with pytest.raises(ValueError, match="no place for the table"):
        with_table("# People\n", rights())

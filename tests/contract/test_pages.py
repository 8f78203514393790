"""Every page is looked at and has its pictures: rights, gallery, docs/pages and docs/pages.md agree."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from starlette.routing import Route

from schemas.catalogue import Catalogue
from services.intake.people.person import Role
from services.intake.people.rights import Right, rights
from tests.component.pages.gallery import GALLERY, NO_PAGE, Shown, picture_names
from tests.fakes_staff import FakeCaseBook
from tests.people_fakes import FakePeople, make_person
from tests.unit.intake.door import Doorstep

DOCS = Path(__file__).parents[2] / "docs"
_SHOWN_PICTURE = re.compile(r"!\[[^]]*\]\(pages/([^)]+)\)")


def faults_of_gallery(
    rows: Collection[str], gallery: Sequence[Shown], no_page: Mapping[str, str]
) -> Iterator[str]:
    """What is not looked at, looked at in vain, or both."""
    shown = {endpoint for page in gallery for endpoint in page.endpoints}
    for name in sorted(set(rows) - shown - no_page.keys()):
        yield f"{name} is neither in GALLERY nor in NO_PAGE"
    for name in sorted((shown | no_page.keys()) - set(rows)):
        yield f"{name} is no row of rights.yaml"
    for name in sorted(shown & no_page.keys()):
        yield f"{name} is in GALLERY and in NO_PAGE"
    names = [page.name for page in gallery]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} stands twice in GALLERY"


def faults_of_pictures(wanted: Collection[str], there: Collection[str], page: str) -> Iterator[str]:
    """Pictures that are missing, left over, or not in docs/pages.md."""
    for name in sorted(set(wanted) - set(there)):
        yield f"{name} is missing: python -m tests.component.pages.pictures"
    for name in sorted(set(there) - set(wanted)):
        yield f"{name} is nobody's"
    told = set(_SHOWN_PICTURE.findall(page))
    for name in sorted(set(wanted) ^ told):
        yield f"{name} is {'not shown' if name in wanted else 'no picture'} in docs/pages.md"


def test_every_endpoint_is_looked_at_or_shows_nothing() -> None:
    assert list(faults_of_gallery(rights().public | rights().matrix.keys(), GALLERY, NO_PAGE)) == []


def test_every_page_has_its_pictures() -> None:
    there = {path.name for path in (DOCS / "pages").iterdir()}
    page = (DOCS / "pages.md").read_text("utf-8")
    assert list(faults_of_pictures(picture_names(), there, page)) == []


def _answers_with_a_page(door: Doorstep, name: str) -> bool:
    """Whether an endpoint, asked for nothing in particular by somebody who may, shows a page of its own."""
    route = next(route for route in door.app.routes if isinstance(route, Route) and route.name == name)
    path = str(route.url_path_for(name, **{key: str(UUID(int=77)) for key in route.param_convertors}))
    (method,) = (route.methods or set()) - {"HEAD"}
    row = rights().matrix.get(name, dict.fromkeys(Role, Right.ALL))
    role = next(role for role in Role if row[role] is not Right.NONE)
    headers = {"accept": "text/html", **door.people.signed_in(make_person(role))}
    form = {"data": {"nothing": "1"}} if method == "POST" else {}
    answer = door.request(method, path, headers=headers, **form)
    # A page that says that there is nothing, or not so, is looked at once.
    return answer.status_code in (200, 422) and "<!doctype html>" in answer.text


def test_what_is_said_to_show_nothing_does_not(published_catalogue: Catalogue) -> None:
    people = FakePeople()
    book = FakeCaseBook(published_catalogue, list)
    with Doorstep(people=people, cases=book) as door:
        assert [name for name in NO_PAGE if _answers_with_a_page(door, name)] == []
        # The question is one that finds pages.
        assert _answers_with_a_page(door, "new_case")
        assert _answers_with_a_page(door, "people_page")


@pytest.mark.parametrize(
    ("rows", "no_page", "fault"),
    [
        ({"new_case"}, {}, "new_case is neither in GALLERY nor in NO_PAGE"),
        ({"week_page"}, {"old": "gone"}, "old is no row of rights.yaml"),
        ({"week_page"}, {"week_page": "a file"}, "week_page is in GALLERY and in NO_PAGE"),
    ],
)
def test_a_page_that_nobody_looks_at_is_found(rows: set[str], no_page: dict[str, str], fault: str) -> None:
    gallery = [Shown("week", "", ("week_page",), lambda _: None)]
    assert fault in list(faults_of_gallery(rows, gallery, no_page))
    assert list(faults_of_gallery({"week_page"}, gallery, {})) == []


@pytest.mark.parametrize(
    ("there", "page", "fault"),
    [
        (set(), "![](pages/a.png)", "a.png is missing: python -m tests.component.pages.pictures"),
        ({"a.png", "b.png"}, "![](pages/a.png)", "b.png is nobody's"),
        ({"a.png"}, "", "a.png is not shown in docs/pages.md"),
        ({"a.png"}, "![](pages/a.png) ![x](pages/c.png)", "c.png is no picture in docs/pages.md"),
    ],
)
def test_a_picture_that_is_missing_or_nobodys_is_found(there: set[str], page: str, fault: str) -> None:
    assert list(faults_of_pictures({"a.png"}, there, page)) == [fault]
    assert list(faults_of_pictures({"a.png"}, {"a.png"}, "![](pages/a.png)")) == []

"""A real browser before a real intake: Chromium by Playwright, and the application with fakes behind it.

A module of tests uses them so (its conftest.py takes them in):

    def test_something(live: LiveApp, page: Page) -> None:
        live.sign_in(page.context, make_person(Role.REPORTER, area_codes=("109",)))
        page.goto(f"{live.url}/cases/new")

Chromium starts once for a module and every test has a context of its own: a window, cookies, storage.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from schemas.catalogue import Catalogue

if TYPE_CHECKING:
    from services.intake.people.person import Person

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Requests to the test's own server must not wait for a proxy of the machine.
    "--no-proxy-server",
]
PHONE: Mapping[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DESKTOP: Mapping[str, Any] = {"viewport": {"width": 1280, "height": 800}}
_PATIENCE_SECONDS = 60.0
# A busy machine is no fault.
PATIENCE_MS = 60_000
# Waits until the form for a new case is kept for the time without a line.
KEPT = """async () => {
  const later = () => new Promise(done => setTimeout(done, 20));
  while (!navigator.serviceWorker.controller) await later();
  while (!await caches.match("/cases/new", {ignoreVary: true})) await later();
}"""
_AXE = Path(__file__).parent / "component/pages/vendor/axe-core-4.14.1.min.js"
# WCAG 2.2 AA, and what axe holds for good practice.
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


class LiveApp:
    """The intake on a port of this machine, with fakes behind it. Use as a context.

    Attributes:
        url: Where it listens, while it does.
        people: Accounts and sessions.
        sink: What "Kafka" has.
        knowledge: What the "database" knows of events.
        cases: What the pages know of cases: all that Kafka has, folded.
        alerts: The alert book.
        loses_answers: What is posted arrives, and nobody hears of it.
        answered_with_pages: Names of the routes that answered with HTML.
    """

    def __init__(self, catalogue: Catalogue, **options: Any) -> None:
        # Imported here: tests/conftest.py lets kafka-python be imported only after conftest files are.
        from services.intake import create_app
        from services.settings import Settings
        from tests.builders import judged_by
        from tests.fakes_intake import FakeAlertBook, FakeKnowledge, FakeSink
        from tests.fakes_staff import FakeCaseBook
        from tests.people_fakes import FakePeople

        self.people = FakePeople()
        self.sink = FakeSink()
        self.knowledge = FakeKnowledge(catalogue=judged_by(catalogue))
        self.alerts = FakeAlertBook()
        self.cases = FakeCaseBook(catalogue, lambda: [record.value for record in self.sink.records])
        self._app = create_app(
            # Nothing listens there: whoever connects is found out.
            Settings(kafka_bootstrap="127.0.0.1:1", database_url="postgresql://nobody@127.0.0.1:1/none"),
            **{
                "sink": self.sink,
                "knowledge": self.knowledge,
                "alerts": self.alerts,
                "people": self.people,
                "cases": self.cases,
                **options,
            },
        )
        self.loses_answers = False
        self.answered_with_pages: set[str] = set()
        self._port = 0
        self._server: uvicorn.Server | None = None
        self._serving: Future[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lifespan = self._app.router.lifespan_context(self._app)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._lifespan.__aenter__())
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self._wait(self._lifespan.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()

    def start(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._answer,
            log_config=None,
            access_log=False,
            interface="asgi3",
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.run_coroutine_threadsafe(self._server.serve([listener]), self._loop)

    def stop(self) -> None:
        """Cut the line: nobody listens any more."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            self._serving.result(_PATIENCE_SECONDS)
            self._server = None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not (self.loses_answers and scope["method"] == "POST"):
            await self._app(scope, receive, partial(self._answered, scope, send))
            return

        async def lose(_message: Message) -> None:
            """The request arrived, and its answer does not."""

        await self._app(scope, receive, lose)
        await PlainTextResponse("lost", 502)(scope, receive, send)

    async def _answered(self, scope: Scope, send: Send, message: Message) -> None:
        headers = dict(message.get("headers", ()))
        if headers.get(b"content-type", b"").startswith(b"text/html") and "route" in scope:
            self.answered_with_pages.add(scope["route"].name)
        await send(message)

    def _wait(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)

    def sign_in(self, context: BrowserContext, person: "Person") -> None:
        """Give a browser somebody's session."""
        name, _, token = self.people.signed_in(person)["cookie"].partition("=")
        context.add_cookies([{"name": name, "value": token, "url": self.url, "httpOnly": True}])

    def events(self) -> list[dict[str, Any]]:
        """The events that Kafka has, in their order."""
        return [orjson.loads(record.value) for record in self.sink.records]

    def wait_for_events(self, page: Page, number: int) -> None:
        """Return when Kafka has so many events; the page goes on meanwhile."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while len(self.sink.records) < number:
            assert time.monotonic() < deadline, f"{len(self.sink.records)} of {number} events came"
            page.wait_for_timeout(20)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright, for one module: as long as it is there no other loop can run in this thread."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium."""
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield started
    started.close()


@pytest.fixture
def live(published_catalogue: Catalogue) -> Iterator[LiveApp]:
    """An intake of this test's own."""
    with LiveApp(published_catalogue) as app:
        yield app


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A desktop's window with nothing in it."""
    made = browser.new_context(**DESKTOP, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh")
    made.set_default_timeout(PATIENCE_MS)
    with no_faults(made):
        yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page in it."""
    return context.new_page()


@contextmanager
def no_faults(context: BrowserContext) -> Iterator[None]:
    """Fail where a script failed, or the page's own policy refused something."""
    faults: list[str] = []
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    context.on(
        "console",
        lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None,
    )
    yield
    assert faults == []


def check_accessibility(page: Page) -> None:
    """Fail where axe finds something on the page as it is now.

    Raises:
        AssertionError: names each rule, and the elements that break it.
    """
    page.evaluate(_AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, rules)", _RULES)
    faults = [
        f"{rule['id']} ({rule['help']}): {node['html']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert not faults, "\n".join(faults)

"""A door without a server: requests go straight into the application."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import httpx
import orjson

from schemas.events import DOOR_MAX_AHEAD, Event, parse_event
from services.intake import create_app
from services.intake.guard import BodyReader
from services.intake.staff.ports import CaseBook
from services.settings import Settings
from tests.fakes_back_office import FakeBackOffice
from tests.fakes_intake import FakeAlertBook, FakeKnowledge, FakeSink, small_catalogue
from tests.people_fakes import FakePeople

NOW = datetime(2026, 1, 15, 1, 0, tzinfo=UTC)
ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
LINES = "application/x-ndjson"
# Nothing listens there: whoever connects in a unit test is found out.
SETTINGS = Settings(kafka_bootstrap="127.0.0.1:1", database_url="postgresql://nobody@127.0.0.1:1/none")


def event(number: int = 1, **attributes: Any) -> dict[str, Any]:
    """A valid report; `data` given here is added to the data, None takes an attribute away."""
    made: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(UUID(int=number)),
        "source": "/facilities/LC-TYT-03190",
        "type": "vn.canhdich.case.reported.v1",
        "subject": f"LC-2023-{number:06}",
        "time": "2023-07-04T08:12:00+07:00",
        "data": {"disease": "streptococcus_suis", "area_code": "109", "onset_on": "2023-07-01"},
    }
    made["data"] |= attributes.pop("data", {})
    made |= attributes
    return {name: value for name, value in made.items() if value is not None}


def parsed(sent: Mapping[str, Any]) -> Event:
    """The event as the stream will see it."""
    return parse_event(orjson.dumps(sent), now=NOW, max_ahead=DOOR_MAX_AHEAD)


class Doorstep:
    """Sends requests to an application of its own, in a loop of its own. Use as a context."""

    def __init__(
        self,
        sink: FakeSink | None = None,
        knowledge: FakeKnowledge | None = None,
        alerts: FakeAlertBook | None = None,
        people: FakePeople | None = None,
        office: FakeBackOffice | None = None,
        *,
        cases: CaseBook | None = None,
        settings: Settings = SETTINGS,
        send_seconds: float = 5.0,
        client: tuple[str, int] = ("127.0.0.1", 50_000),
        max_open_bytes: int = 64 * 1024 * 1024,
        body_seconds: float = 5.0,
    ) -> None:
        self.sink = sink or FakeSink()
        self.knowledge = knowledge or FakeKnowledge(catalogue=small_catalogue())
        self.alerts = alerts or FakeAlertBook()
        self.people = people or FakePeople()
        self.office = office or FakeBackOffice()
        self.app = create_app(
            settings,
            sink=self.sink,
            knowledge=self.knowledge,
            alerts=self.alerts,
            people=self.people,
            cases=cases,
            office=self.office.ports(),
            clock=lambda: NOW,
            send_seconds=send_seconds,
            bodies=lambda metrics: BodyReader(metrics, max_open_bytes, body_seconds),
        )
        self._runner = asyncio.Runner()
        self._client = client
        self._is_closed = False
        self._lifespan = self.app.router.lifespan_context(self.app)

    def __enter__(self) -> Self:
        self._runner.run(self._lifespan.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
        self._runner.close()

    def close(self) -> None:
        """End the application, once."""
        if not self._is_closed:
            self._is_closed = True
            self._runner.run(self._lifespan.__aexit__(None, None, None))

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, whole."""
        return self._runner.run(self._request(method, path, **options))

    def requests(self, *bodies: Any) -> list[httpx.Response]:
        """POST several bodies at the same time."""

        async def all_of_them() -> list[httpx.Response]:
            headers = {"content-type": JSON}
            posts = [self._request("POST", "/v1/events", content=body, headers=headers) for body in bodies]
            return await asyncio.gather(*posts)

        return self._runner.run(all_of_them())

    def pass_time(self, seconds: float) -> None:
        """Let the application's threads work and its loop run for a while."""
        self._runner.run(asyncio.sleep(seconds))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET a page."""
        return self.request("GET", path, headers=headers)

    def post(self, body: Any, content_type: str | None = JSON, **headers: str) -> httpx.Response:
        """POST to /v1/events: bytes or an async iterator as they are, anything else as JSON."""
        content = orjson.dumps(body) if isinstance(body, (dict, list)) else body
        if content_type is not None:
            headers["content-type"] = content_type
        return self.request("POST", "/v1/events", content=content, headers=headers)

    def metric(self, name: str, **labels: str) -> float:
        """A figure of /metrics; 0 where it is absent."""
        pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
        wanted = f"{name}{{{pairs}}}" if pairs else name
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(wanted + " "):
                return float(line.rpartition(" ")[2])
        return 0.0

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=self._client)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            return await client.request(method, path, **options)

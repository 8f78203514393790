"""The web application: routes, refusals as problem documents, and what lives as long as the process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from schemas.topics import load_topics
from services.intake.advisory import Advisory, CurrentCatalogue
from services.intake.alert_book import DatabaseAlerts
from services.intake.alert_routes import add_alert_routes
from services.intake.body import LINES, check_media_type
from services.intake.database import DatabaseKnowledge
from services.intake.documents import EventOutcome, LineOutcome, Readiness
from services.intake.guard import BodyReader, Guard
from services.intake.kafka import KafkaSink
from services.intake.metrics import Metrics
from services.intake.openapi import build_openapi, dependency
from services.intake.pages import SECURITY_HEADERS, docs_page
from services.intake.people.access import allow, record_sent
from services.intake.people.desk import Desk
from services.intake.people.event_rights import EventRights, may_send
from services.intake.people.pages import PeoplePages, add_people_routes, identity_provider
from services.intake.people.ports import PeopleStore
from services.intake.people.refusals import refusal
from services.intake.people.site import Site
from services.intake.people.store import PostgresPeople
from services.intake.people.visitors import SessionTimes, Visitors
from services.intake.ports import AlertBook, EventSink, Knowledge
from services.intake.probe import Probe
from services.intake.problems import Refused
from services.intake.receipt_routes import add_receipt_routes
from services.intake.receive import Door
from services.intake.staff.back_office import BackOffice, BackOfficePages
from services.intake.staff.case_book import DatabaseCaseBook
from services.intake.staff.case_routes import add_case_routes
from services.intake.staff.ports import CaseBook
from services.intake.staff.routes import add_staff_routes
from services.settings import Settings
from streams.domain.errors import ConfigurationError, DependencyDown

SEND_SECONDS = 15.0
# Enough to find an event again; a long list would be a long line.
_LOGGED_IDS = 20

log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    *,
    sink: EventSink | None = None,
    knowledge: Knowledge | None = None,
    alerts: AlertBook | None = None,
    people: PeopleStore | None = None,
    cases: CaseBook | None = None,
    office: BackOffice | None = None,
    clock: Callable[[], datetime] = utc_now,
    send_seconds: float = SEND_SECONDS,
    bodies: Callable[[Metrics], BodyReader] = BodyReader,
) -> FastAPI:
    """Make the application. It starts without Kafka and without the database, and says so in /health/ready.

    Args:
        settings: Addresses and the topics' prefix.
        sink: Where events go; None makes one for Kafka.
        knowledge: What is known already; None asks TimescaleDB.
        alerts: The alerts; None asks TimescaleDB.
        people: Accounts, sessions and keys; None asks TimescaleDB.
        cases: Cases for the pages; None asks TimescaleDB.
        office: What the other pages need; None asks TimescaleDB and Kafka.
        clock: Gives an aware datetime.
        send_seconds: How long a sender waits at most before it is told 503.
        bodies: Makes the reader of request bodies, with its limits.
    """
    topics = {event: topic.name for topic in load_topics().values() for event in topic.events}
    events_to = sink or KafkaSink(settings.kafka, settings.topic_prefix, sorted(set(topics.values())))
    database_url = settings.database_url.get_secret_value()
    known = knowledge or DatabaseKnowledge(database_url)
    book = alerts or DatabaseAlerts(database_url, settings.alert_link, clock)
    case_book = cases or DatabaseCaseBook(database_url)
    site = Site.of(settings)
    desk = Desk(people or PostgresPeople(database_url), people or PostgresPeople(database_url), clock)
    times = SessionTimes.of(settings)
    metrics = Metrics()
    reader = bodies(metrics)
    catalogue = CurrentCatalogue(known, Advisory("catalogue", metrics, patience_seconds=10.0))
    door = Door(events_to, known, catalogue, metrics, topics=topics, clock=clock, send_seconds=send_seconds)
    kafka_probe, database_probe = Probe(events_to.check), Probe(known.check)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        log.info("intake_starts")
        yield
        for part in (
            kafka_probe,
            database_probe,
            catalogue,
            known,
            book,
            case_book,
            desk,
            back_office,
            events_to,
        ):
            await part.close()
        log.info("intake_ended")

    def refuse(request: Request, refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
        metrics.refused.labels(refused.kind).inc()
        for error in refused.errors:
            metrics.faults.labels(error["code"]).inc()
        return refusal(request, refused, headers)

    app = FastAPI(title="Canh Dịch intake", docs_url=None, redoc_url=None, lifespan=lifespan)
    # For a page of its own beside the door: services/intake/__main__.py.
    app.state.metrics = metrics
    app.state.event_rights = EventRights(desk, catalogue)
    app.add_middleware(Visitors, desk=desk, site=site, times=times, refuse=refuse)
    app.add_middleware(Guard, metrics=metrics, site=site)
    openapi = build_openapi()
    app.openapi = lambda: openapi  # type: ignore[method-assign]
    docs = docs_page(openapi)

    @app.exception_handler(Refused)
    async def refuse_request(request: Request, refused: Refused) -> Response:
        return refuse(request, refused)

    @app.exception_handler(HTTPException)
    async def refuse_address(request: Request, error: HTTPException) -> Response:
        kind = {404: "not-found", 405: "method-not-allowed"}[error.status_code]
        return refuse(request, Refused(kind), error.headers)

    @app.exception_handler(DependencyDown)
    @app.exception_handler(ConfigurationError)
    async def refuse_for_now(request: Request, _error: Exception) -> Response:
        return refuse(request, Refused("database-down"))

    @app.post("/v1/events")
    async def post_events(request: Request) -> Response:
        may = may_send(request)
        headers = request.headers
        media_type = check_media_type(headers.get("content-type"), headers.get("content-encoding"))
        body = await reader.read(request)
        try:
            if media_type == LINES:
                bulk = await door.receive_lines(body, may)
                await _note_accepted(request, bulk["lines"], bulk["accepted"])
                return _json(bulk, 207 if bulk["refused"] else 202)
            receipt = await door.receive(body, media_type, may)
            await _note_accepted(request, receipt["events"], receipt["accepted"])
            return _json(receipt, 202)
        finally:
            reader.done(len(body))

    add_receipt_routes(app, door, known)
    add_alert_routes(app, book, reader)
    back_office = BackOfficePages(app, office or BackOffice.of(settings), book, reader, clock)
    add_people_routes(app, PeoplePages(desk, site, times, reader, identity_provider(settings)))
    add_staff_routes(app)
    add_case_routes(app, door=door, book=case_book, reader=reader, clock=clock)

    @app.get("/health/live")
    async def get_live() -> Response:
        return _json({"status": "alive"})

    @app.get("/health/ready")
    async def get_ready() -> Response:
        kafka, database = await asyncio.gather(kafka_probe.fault(), database_probe.fault())
        document: Readiness = {
            "status": "down" if kafka else "degraded" if database else "ready",
            "kafka": dependency("down" if kafka else "up", kafka),
            "database": dependency("down" if database else "up", database),
            "installation": settings.installation,
        }
        return _json(document, 503 if kafka else 200)

    @app.get("/metrics")
    async def get_metrics(request: Request) -> Response:
        allow(request, "get_metrics")
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/docs")
    async def get_docs() -> Response:
        return _html(docs)

    return app


async def _note_accepted(
    request: Request, events: Sequence[EventOutcome | LineOutcome], accepted: int
) -> None:
    ids = [event["id"] for event in events[:_LOGGED_IDS] if event["id"]]
    await record_sent(request, accepted, ids or [""])
    log.info("events_accepted", events=len(events), accepted=accepted, event_ids=ids)


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


def _html(page: str) -> Response:
    return Response(page, headers=SECURITY_HEADERS, media_type="text/html; charset=utf-8")

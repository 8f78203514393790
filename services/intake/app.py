"""The web application: routes, refusals as problem documents, and what lives as long as the process."""

import asyncio
from collections.abc import AsyncIterator, Callable
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
from services.intake.body import check_media_type
from services.intake.database import DatabaseKnowledge
from services.intake.documents import Readiness
from services.intake.guard import BodyReader, Guard
from services.intake.kafka import KafkaSink
from services.intake.metrics import Metrics
from services.intake.openapi import build_openapi, dependency
from services.intake.pages import SECURITY_HEADERS, docs_page, home_page
from services.intake.ports import AlertBook, EventSink, Knowledge
from services.intake.probe import Probe
from services.intake.problems import Refused, problem_response
from services.intake.receive import Door
from services.settings import Settings

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
        clock: Gives an aware datetime.
        send_seconds: How long a sender waits at most before it is told 503.
        bodies: Makes the reader of request bodies, with its limits.
    """
    topics = {event: topic.name for topic in load_topics().values() for event in topic.events}
    events_to = sink or KafkaSink(
        settings.kafka_bootstrap, settings.topic_prefix, sorted(set(topics.values()))
    )
    database_url = settings.database_url.get_secret_value()
    known = knowledge or DatabaseKnowledge(database_url)
    book = alerts or DatabaseAlerts(database_url, settings.alert_link, clock)
    metrics = Metrics()
    reader = bodies(metrics)
    catalogue = CurrentCatalogue(known, Advisory("catalogue", metrics, patience_seconds=10.0))
    door = Door(events_to, known, catalogue, metrics, topics=topics, clock=clock, send_seconds=send_seconds)
    kafka_probe, database_probe = Probe(events_to.check), Probe(known.check)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        log.info("intake_starts")
        yield
        for part in (kafka_probe, database_probe, catalogue, known, book, events_to):
            await part.close()
        log.info("intake_ended")

    app = FastAPI(title="Canh Dịch intake", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_middleware(Guard, metrics=metrics)
    openapi = build_openapi()
    app.openapi = lambda: openapi  # type: ignore[method-assign]
    docs, home = docs_page(openapi), home_page()

    @app.exception_handler(Refused)
    async def refuse(_request: Request, refused: Refused) -> Response:
        metrics.refused.labels(refused.kind).inc()
        for error in refused.errors:
            metrics.faults.labels(error["code"]).inc()
        return problem_response(refused.kind, refused.errors, refused.events)

    @app.exception_handler(HTTPException)
    async def refuse_address(_request: Request, error: HTTPException) -> Response:
        kind = {404: "not-found", 405: "method-not-allowed"}[error.status_code]
        metrics.refused.labels(kind).inc()
        return problem_response(kind, headers=error.headers)

    @app.post("/v1/events")
    async def post_events(request: Request) -> Response:
        headers = request.headers
        media_type = check_media_type(headers.get("content-type"), headers.get("content-encoding"))
        body = await reader.read(request)
        try:
            receipt = await door.receive(body, media_type)
        finally:
            reader.done(len(body))
        ids = [event["id"] for event in receipt["events"][:_LOGGED_IDS]]
        log.info(
            "events_accepted", events=len(receipt["events"]), accepted=receipt["accepted"], event_ids=ids
        )
        return _json(receipt, 202)

    add_alert_routes(app, book, reader)

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
        }
        return _json(document, 503 if kafka else 200)

    @app.get("/metrics")
    async def get_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/")
    async def get_home() -> Response:
        return _html(home)

    @app.get("/docs")
    async def get_docs() -> Response:
        return _html(docs)

    return app


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


def _html(page: str) -> Response:
    return Response(page, headers=SECURITY_HEADERS, media_type="text/html; charset=utf-8")

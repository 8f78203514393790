"""The outermost layer: serves who may come, keeps what was sent out of the logs, bounds what is held."""

import asyncio
import time
import traceback

import structlog
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.intake.body import MAX_BODY_BYTES
from services.intake.metrics import Metrics
from services.intake.people.site import Site
from services.intake.problems import Refused, problem_response

MAX_OPEN_BYTES = 64 * 1024 * 1024
BODY_SECONDS = 30.0

log = structlog.get_logger(__name__)


class Guard:
    """ASGI middleware: one log line and one measurement per request, no request that is not for us.

    The Host header is checked as well: a page of another site could otherwise have its name point here and
    send events with the browser of whoever looks at it.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, site: Site) -> None:
        self._app = app
        self._metrics = metrics
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if self._site.lets_in(scope):
                await self._app(scope, receive, send_and_note)
            else:
                kind = "wrong-host" if self._site.is_public else "not-here"
                self._metrics.refused.labels(kind).inc()
                await problem_response(kind)(scope, receive, send_and_note)
        except Exception as error:
            # Neither the message nor the values of variables: both may hold what was sent.
            frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
            log.error("request_failed", error=type(error).__name__, frames=frames[-12:])  # noqa: TRY400
            if not status:
                await problem_response("internal")(scope, receive, send_and_note)
        finally:
            # The route's own path: in the one that was asked for a subject may stand.
            route = getattr(scope.get("route"), "path", "other")
            seconds = time.perf_counter() - started
            self._metrics.request_seconds.labels(route, str(status)).observe(seconds)
            log.info(
                "request",
                method=scope["method"] if scope["method"] in _METHODS else "other",
                route=route,
                status=status,
                milliseconds=round(seconds * 1_000, 1),
            )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class BodyReader:
    """Reads bodies, and refuses what is too large, too slow, or too much at the same time."""

    def __init__(
        self, metrics: Metrics, max_open_bytes: int = MAX_OPEN_BYTES, seconds: float = BODY_SECONDS
    ) -> None:
        self._metrics = metrics
        self._max_open = max_open_bytes
        self._seconds = seconds
        self._open = 0

    async def read(self, request: Request) -> bytes:
        """The whole body. Call `done` with its length when it is no longer needed.

        Raises:
            Refused: too large, too slow, or too busy; nothing is held then.
        """
        declared = request.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
            raise Refused("too-large")
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in request.stream():
                    self._check_room(len(body), len(chunk))
                    self._hold(len(chunk))
                    body += chunk
        except BaseException as error:
            self.done(len(body))
            if isinstance(error, (TimeoutError, ClientDisconnect)):
                raise Refused("too-slow") from None
            raise
        return bytes(body)

    def done(self, length: int) -> None:
        """A body of this length is no longer held."""
        self._hold(-length)

    def _check_room(self, length: int, more: int) -> None:
        if length + more > MAX_BODY_BYTES:
            raise Refused("too-large")
        if self._open + more > self._max_open:
            raise Refused("busy")

    def _hold(self, difference: int) -> None:
        self._open += difference
        self._metrics.open_bytes.set(self._open)

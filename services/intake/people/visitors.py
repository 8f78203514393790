"""Finds out who comes with a request, and refuses forged forms: the middleware in front of every route."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Self
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.intake.people.access import LOCAL_PROGRAM, Visit
from services.intake.people.desk import Desk
from services.intake.people.person import Person
from services.intake.people.ports import PeopleStore
from services.intake.people.secrets import csrf_of, hash_of, is_csrf_of, new_token
from services.intake.people.site import Site, is_from_this_machine
from services.intake.people.territory import Territory
from services.intake.problems import Refused
from services.settings import Settings
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import CanhDichError

SESSION_COOKIE: Final = "canhdich"
"""Over https its name has the prefix __Host-, with which browsers take it from this host alone."""
VISIT_COOKIE: Final = "canhdich-visit"
"""Of those who have not signed in: so that nobody can sign somebody else in."""

_NEEDS_NOBODY: Final = ("/static/", "/health/")
"""What answers without asking the database who it is."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_BYTES: Final = 256 * 1024
"""A form without files is smaller."""
_FIRST_FIELD_BYTES: Final = 8 * 1024
_BODY_SECONDS: Final = 30.0
_SEEN_EVERY: Final = timedelta(minutes=1)
_KEY_SEEN_EVERY: Final = timedelta(hours=1)
_FIRST_FIELD: Final = re.compile(
    rb'\A--[^\r\n]{1,70}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n([0-9a-f]{64})\r\n', re.I
)

# What every answer says unless it says something stricter about itself.
_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_TWO_YEARS: Final = 63_072_000


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long a session lasts.

    Attributes:
        idle: Without a request.
        whole: In all.
    """

    idle: timedelta
    whole: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """From the settings."""
        return cls(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours))


@dataclass(frozen=True, slots=True)
class _Known:
    """Who somebody is, as the store says."""

    person: Person
    session_hash: bytes | None
    endpoints: frozenset[str] | None
    must_change_password: bool
    is_waiting_for_code: bool
    territory: Territory | None


class Visitors:
    """ASGI middleware: puts a Visit into request.state.visit, and security headers onto every answer."""

    def __init__(
        self,
        app: ASGIApp,
        desk: Desk,
        site: Site,
        times: SessionTimes,
        refuse: Callable[[Request, Refused], Response],
    ) -> None:
        self._app = app
        self._desk = desk
        self._site = site
        self._times = times
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        visit_token = ""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self._site.is_public:
                    headers["Strict-Transport-Security"] = f"max-age={_TWO_YEARS}"
                if visit_token:
                    headers.append(
                        "Set-Cookie", cookie(VISIT_COOKIE, visit_token, is_secure=self._site.is_public)
                    )
            await send(message)

        state = scope.setdefault("state", {})
        # Refusals are pages, too.
        state["visit"] = self._nobody(scope)
        try:
            visit, token = await self._visit(scope, connection)
            if not visit.csrf and scope["path"] == "/sign-in" and scope["method"] in _SAFE:
                visit_token = new_token()
                visit = replace(visit, csrf=csrf_of(visit_token))
            state["visit"] = visit
            if scope["method"] not in _SAFE and token is not None:
                receive = await self._check_form(scope, connection, receive, token)
        except Refused as refused:
            await self._refuse(Request(scope), refused)(scope, receive, send_with_headers)
        except CanhDichError:
            await self._refuse(Request(scope), Refused("database-down"))(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _nobody(self, scope: Scope) -> Visit:
        return Visit(None, "", self._site.address_of(scope), None, None, None, False, self._desk)

    async def _visit(self, scope: Scope, connection: HTTPConnection) -> tuple[Visit, str | None]:
        """Who comes, and the cookie of which an unsafe request has to know the token; None: of none.

        Raises:
            Refused: with a key that is not good.
            CanhDichError: nobody can say who it is.
        """
        nobody, path = self._nobody(scope), scope["path"]
        if path.startswith(_NEEDS_NOBODY):
            return nobody, None
        key = bearer(connection)
        if key is not None:
            known = await self._desk.look(self._known_key, hash_of(key))
            if known is None:
                raise Refused("not-signed-in")
            return self._visit_of(nobody, known, ""), None
        session_token = connection.cookies.get(session_cookie(self._site.is_public))
        if session_token:
            known = await self._desk.look(self._known_session, hash_of(session_token))
            return self._visit_of(nobody, known, csrf_of(session_token)), session_token
        if self._is_local_program(scope, connection):
            return replace(nobody, person=LOCAL_PROGRAM), None
        visit_token = connection.cookies.get(VISIT_COOKIE, "")
        return replace(nobody, csrf=csrf_of(visit_token) if visit_token else ""), visit_token

    def _visit_of(self, nobody: Visit, known: "_Known | None", csrf: str) -> Visit:
        if known is None:
            return replace(nobody, csrf=csrf)
        return replace(
            nobody,
            person=None if known.is_waiting_for_code else known.person,
            csrf=csrf,
            territory=known.territory,
            endpoints=known.endpoints,
            session_hash=known.session_hash,
            must_change_password=known.must_change_password,
        )

    def _is_local_program(self, scope: Scope, connection: HTTPConnection) -> bool:
        """A program of this machine needs no key as long as nobody else can come; a browser is none.

        Somebody who signed out, or whose session ended, must not go on as a program.
        """
        addresses = ("/metrics",) if self._site.is_public else ("/metrics", "/v1/")
        is_browser = "sec-fetch-site" in connection.headers or "origin" in connection.headers
        return scope["path"].startswith(addresses) and is_from_this_machine(scope) and not is_browser

    def _known_session(self, store: PeopleStore, token_hash: bytes) -> "_Known | None":
        session, now = store.session(token_hash), self._desk.clock()
        if (
            session is None
            or session.account.is_disabled
            or now >= session.expires_at
            or now - session.last_seen_at >= self._times.idle
        ):
            return None
        if now - session.last_seen_at >= _SEEN_EVERY:
            store.see_session(token_hash, now)
        return _Known(
            session.account.person,
            token_hash,
            None,
            session.account.must_change_password,
            session.is_waiting_for_code,
            self._territory(store, session.account.person),
        )

    def _known_key(self, store: PeopleStore, key_hash: bytes) -> "_Known | None":
        key, now = store.key(key_hash), self._desk.clock()
        if key is None or key.revoked_at is not None or now >= key.expires_at:
            return None
        if key.last_used_at is None or now - key.last_used_at >= _KEY_SEEN_EVERY:
            store.see_key(key.id, now)
        person = Person(
            key.id, f"key.{key.name}", key.name, key.role, key.facility, key.area_codes, "vi", is_machine=True
        )
        endpoints = None if key.endpoints is None else frozenset(key.endpoints)
        return _Known(person, None, endpoints, False, False, self._territory(store, person))

    def _territory(self, store: PeopleStore, person: Person) -> Territory | None:
        if not person.area_codes:
            return None
        return store.territory(self._desk.clock().astimezone(LOCAL_ZONE).date().isoformat())

    async def _check_form(
        self, scope: Scope, connection: HTTPConnection, receive: Receive, token: str
    ) -> Receive:
        """Refuse an unsafe request that a page of somebody else may have made.

        Returns:
            What the request's body is to be read from.
        """
        headers = connection.headers
        origin = headers.get("origin")
        if (origin is not None and origin.lower() != self._site.origin_of(scope)) or (
            headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        ):
            raise Refused("forged-form")
        if not token and scope["path"].startswith("/v1/"):
            # Whoever has no cookie is nobody there: nothing of theirs could be used.
            return receive
        sent = headers.get("x-csrf-token")
        if sent is None:
            sent, receive = await _field_of(headers.get("content-type", ""), receive)
        if not token or not is_csrf_of(token, sent):
            raise Refused("forged-form")
        return receive


def session_cookie(is_secure: bool) -> str:
    """The name of the session's cookie."""
    return f"__Host-{SESSION_COOKIE}" if is_secure else SESSION_COOKIE


def cookie(name: str, value: str, *, is_secure: bool, max_age: int | None = None) -> str:
    """A Set-Cookie header: for this host and for our server only, kept until the browser is closed.

    Lax and not strict: who follows the link of an alert's mail is to arrive signed in.
    """
    kept = "" if max_age is None else f"; Max-Age={max_age}"
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{kept}{'; Secure' if is_secure else ''}"


def bearer(connection: HTTPConnection) -> str | None:
    """The key of an Authorization header; None where there is no such header, "" where it holds no key."""
    authorization = connection.headers.get("authorization")
    if authorization is None:
        return None
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def _field_of(content_type: str, receive: Receive) -> tuple[str, Receive]:
    """The field `csrf` of a form, and the body to be read again; "" where there is none.

    Of a form with files only the first field is looked at: the rest is not read.

    Raises:
        Refused: the form is too large, or too slow.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        body, receive = await _read_ahead(receive, _FORM_BYTES, lambda _: False)
        if len(body) > _FORM_BYTES:
            raise Refused("too-large")
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=1_000)
        return fields.get("csrf", [""])[0], receive
    if media_type == "multipart/form-data":
        body, receive = await _read_ahead(
            receive, _FIRST_FIELD_BYTES, lambda read: _FIRST_FIELD.match(read) is not None
        )
        first = _FIRST_FIELD.match(body)
        return first[1].decode() if first else "", receive
    return "", receive


async def _read_ahead(
    receive: Receive, most: int, is_enough: Callable[[bytes], bool]
) -> tuple[bytes, Receive]:
    body, more = b"", True
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while more and len(body) <= most and not is_enough(body):
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused("too-slow")
                body += message.get("body", b"")
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refused("too-slow") from None
    read: list[Message] = [{"type": "http.request", "body": body, "more_body": more}]

    async def again() -> Message:
        return read.pop() if read else await receive()

    return body, again

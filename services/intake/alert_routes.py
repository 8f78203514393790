"""The alerts' life over HTTP: the inbox, one alert, and what people do to it."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Annotated, Final, Literal, TypeVar
from uuid import UUID

import orjson
from fastapi import FastAPI, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from services.alert_documents import AlertPage, Inbox, check_note, detail, step, summary
from services.intake.body import EITHER, check_media_type
from services.intake.documents import FieldError
from services.intake.guard import BodyReader
from services.intake.ports import AlertBook
from services.intake.problems import Refused
from streams.domain.alerts import Action
from streams.domain.errors import ConfigurationError, DependencyDown, RefusedAction

ANSWER_SECONDS: Final = 15.0
"""A person waits no longer for the database."""

_Answer = TypeVar("_Answer")


class InboxQuery(BaseModel):
    """What of the inbox is wanted."""

    model_config = ConfigDict(extra="forbid")
    open: Annotated[bool, Field(description="Only those that somebody still has to deal with.")] = True
    disease: Annotated[str | None, Field(pattern=r"^[a-z0-9_]{1,64}$", description="Disease code.")] = None
    area: Annotated[
        str | None,
        Field(
            pattern=r"^(\d{2}|\d{3}|\d{5})$",
            description="Area code of today: the area and all that lies in it.",
        ),
    ] = None
    most: Annotated[int, Field(ge=1, le=1_000)] = 100


def _without_blanks(note: str | None) -> str | None:
    return (note or "").strip() or None


class ActionRequest(BaseModel):
    """What somebody does to an alert."""

    model_config = ConfigDict(extra="forbid")
    action: Action
    by: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            description="The account of who does it; kept in the alert's history.",
        ),
    ]
    note: Annotated[
        str | None,
        Field(
            max_length=2_000,
            description="Why; wanted for dismiss, close, reopen and note. No names, no numbers of people.",
        ),
        AfterValidator(_without_blanks),
    ] = None
    instant: Annotated[
        AwareDatetime | None,
        Field(description="When the station determined it, for determine and end; by default now."),
    ] = None


_EXPECTED: Final[Mapping[str, tuple[str, str]]] = {
    "open": ("true hoặc false.", "true or false."),
    "disease": ("mã bệnh trong danh mục.", "a disease code of the catalogue."),
    "area": ("mã địa bàn 2, 3 hoặc 5 chữ số đang dùng.", "an area code of 2, 3 or 5 digits that is in use."),
    "most": ("số nguyên từ 1 đến 1000.", "a whole number from 1 to 1000."),
    "action": (
        "acknowledge, verify, dismiss, close, reopen, determine, end hoặc note.",
        "acknowledge, verify, dismiss, close, reopen, determine, end or note.",
    ),
    "by": (
        "tên tài khoản, 1 đến 64 chữ cái không dấu, chữ số, dấu . _ -",
        "an account's name: 1 to 64 letters, digits and . _ -",
    ),
    "note": ("chữ, nhiều nhất 2000 ký tự.", "text of 2,000 characters at most."),
    "instant": (
        "thời điểm có múi giờ, ví dụ 2026-08-04T08:00:00+07:00.",
        "an instant with an offset, e.g. 2026-08-04T08:00:00+07:00.",
    ),
}


def add_alert_routes(app: FastAPI, book: AlertBook, reader: BodyReader) -> None:
    """Serve GET /v1/alerts, GET /v1/alerts/{alert_id} and POST /v1/alerts/{alert_id}/actions."""

    @app.get("/v1/alerts")
    async def get_alerts(request: Request) -> Response:
        wanted = _valid(InboxQuery, dict(request.query_params))
        rows = await _answered(
            book.inbox(is_open=wanted.open, disease=wanted.disease, area_code=wanted.area, most=wanted.most)
        )
        if rows is None:
            raise Refused("invalid-request", [_wrong("area", "unknown_area")])
        inbox: Inbox = {"alerts": [summary(dict(row)) for row in rows]}
        return _json(inbox)

    @app.get("/v1/alerts/{alert_id}")
    async def get_alert(alert_id: str) -> Response:
        known = await _answered(book.read(_id(alert_id)))
        if known is None:
            raise Refused("alert-not-found")
        page: AlertPage = {
            **detail(known.alert),
            "events": [step(event) for event in known.events],
            "text_vi": known.text_vi,
            "text_en": known.text_en,
        }
        return _json(page)

    @app.post("/v1/alerts/{alert_id}/actions")
    async def post_action(alert_id: str, request: Request) -> Response:
        # A page of another site may send a form, but no JSON.
        if (
            check_media_type(request.headers.get("content-type"), request.headers.get("content-encoding"))
            != EITHER
        ):
            raise Refused("unsupported-media-type")
        body = await reader.read(request)
        try:
            asked = _valid(ActionRequest, body)
        finally:
            reader.done(len(body))
        try:
            check_note(asked.note)
            alert = await _answered(
                book.act(_id(alert_id), asked.action, asked.by, asked.note, asked.instant)
            )
        except RefusedAction as error:
            vi, _, en = str(error).partition(" / ")
            raise Refused(
                "action-refused",
                [{"index": None, "field": "action", "code": "refused", "message_vi": vi, "message_en": en}],
            ) from None
        if alert is None:
            raise Refused("alert-not-found")
        return _json(detail(alert))


_Model = TypeVar("_Model", bound=BaseModel)


def _valid(model: type[_Model], given: bytes | Mapping[str, str]) -> _Model:
    """What was sent, checked; an answer never repeats it."""
    try:
        if isinstance(given, bytes):
            return model.model_validate_json(given)
        return model.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        if any(fault["type"] == "json_invalid" for fault in faults):
            raise Refused("not-json") from None
        raise Refused("invalid-request", [_fault(fault["type"], fault["loc"]) for fault in faults]) from None


def _fault(kind: str, where: Sequence[int | str]) -> FieldError:
    name = str(where[0]) if where else ""
    if kind == "extra_forbidden":
        # The name itself may hold what somebody should not have sent.
        return _wrong("", "unknown_field")
    return _wrong(name, "missing" if kind == "missing" else "bad_value")


def _wrong(name: str, code: Literal["missing", "bad_value", "unknown_field", "unknown_area"]) -> FieldError:
    vi, en = _EXPECTED.get(name, ("xem /openapi.json.", "see /openapi.json."))
    if code == "unknown_field":
        vi, en = f"Có trường hoặc tham số lạ: {vi}", f"There is a field or parameter that nobody knows: {en}"
    else:
        vi, en = f"Cần: {vi}", f"Wanted: {en}"
    return {"index": None, "field": name, "code": code, "message_vi": vi, "message_en": en}


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused("alert-not-found") from None


async def _answered(question: Awaitable[_Answer]) -> _Answer:
    """The database's answer, or that there is none."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await question
    except (DependencyDown, ConfigurationError, TimeoutError):
        raise Refused("database-down") from None


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")

"""The alerts' life over HTTP: the inbox, one alert, and what people do to it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import FastAPI, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from services.alert_documents import AlertPage, Inbox, check_note, detail, step, summary
from services.intake.asking import answered, json_answer, own_areas, uuid_of, valid, wrong
from services.intake.body import EITHER, check_media_type
from services.intake.guard import BodyReader
from services.intake.people.access import allow, record
from services.intake.ports import AlertBook
from services.intake.problems import Refused
from streams.domain.alerts import Action, AlertPlace, State
from streams.domain.errors import RefusedAction
from streams.domain.rules.verdicts import Level


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
    limit: Annotated[int, Field(ge=1, le=1_000, description="How many at most.")] = 100
    cursor: Annotated[
        str | None,
        Field(
            max_length=200,
            pattern=r"^[A-Za-z0-9_-]+$",
            description="Where to go on: as the Link header of the page before has it.",
        ),
    ] = None


def _without_blanks(note: str | None) -> str | None:
    return (note or "").strip() or None


class ActionRequest(BaseModel):
    """What somebody does to an alert."""

    model_config = ConfigDict(extra="forbid")
    action: Action
    by: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            description="The account of who does it; kept in the alert's history. By default the one that "
            "asks; a person cannot name another, a program can.",
        ),
    ] = None
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


def add_alert_routes(app: FastAPI, book: AlertBook, reader: BodyReader) -> None:
    """Serve GET /v1/alerts, GET /v1/alerts/{alert_id} and POST /v1/alerts/{alert_id}/actions."""

    @app.get("/v1/alerts")
    async def get_alerts(request: Request) -> Response:
        is_theirs = own_areas(request, "get_alerts")
        wanted = valid(InboxQuery, dict(request.query_params))
        rows = await answered(
            book.inbox(
                is_open=wanted.open,
                disease=wanted.disease,
                area_code=wanted.area,
                most=wanted.limit + 1,
                after=None if wanted.cursor is None else _place_of(wanted.cursor),
            )
        )
        if rows is None:
            raise Refused("invalid-request", [wrong("area", "unknown_area")])
        shown = rows[: wanted.limit]
        inbox: Inbox = {"alerts": [summary(dict(row)) for row in shown if is_theirs(row["area_id"])]}
        headers = {}
        if len(rows) > wanted.limit:
            last = shown[-1]
            place = AlertPlace(last["state"], last["level"], last["raised_at"], last["alert_id"])
            again = {**request.query_params, "cursor": _cursor_of(place)}
            headers["Link"] = f'</v1/alerts?{urlencode(again)}>; rel="next"'
        return json_answer(inbox, headers)

    @app.get("/v1/alerts/{alert_id}")
    async def get_alert(alert_id: str, request: Request) -> Response:
        is_theirs = own_areas(request, "get_alert")
        known = await answered(book.read(uuid_of(alert_id, "alert-not-found")))
        if known is None or not is_theirs(known.alert.area_id):
            raise Refused("alert-not-found")
        page: AlertPage = {
            **detail(known.alert),
            "events": [step(event) for event in known.events],
            "text_vi": known.text_vi,
            "text_en": known.text_en,
        }
        return json_answer(page)

    @app.post("/v1/alerts/{alert_id}/actions")
    async def post_action(alert_id: str, request: Request) -> Response:
        person = allow(request, "post_action")
        # A page of another site may send a form, but no JSON.
        if (
            check_media_type(request.headers.get("content-type"), request.headers.get("content-encoding"))
            != EITHER
        ):
            raise Refused("unsupported-media-type")
        body = await reader.read(request)
        try:
            asked = valid(ActionRequest, body)
        finally:
            reader.done(len(body))
        actor = asked.by or person.username
        if actor != person.username and not person.is_machine:
            raise Refused("not-allowed")
        known_id = uuid_of(alert_id, "alert-not-found")
        try:
            check_note(asked.note)
            alert = await answered(book.act(known_id, asked.action, actor, asked.note, asked.instant))
        except RefusedAction as error:
            vi, _, en = str(error).partition(" / ")
            raise Refused(
                "action-refused",
                [{"index": None, "field": "action", "code": "refused", "message_vi": vi, "message_en": en}],
            ) from None
        if alert is None:
            raise Refused("alert-not-found")
        await answered(record(request, f"alert-{asked.action}", str(known_id), {}))
        return json_answer(detail(alert))


def _cursor_of(place: AlertPlace) -> str:
    """A place as text for an address; what is in it is nobody's business but ours."""
    state, level, raised_at, alert_id = place
    document = json.dumps([state, level, raised_at.isoformat(), str(alert_id)])
    return urlsafe_b64encode(document.encode()).decode().rstrip("=")


def _place_of(cursor: str) -> AlertPlace:
    try:
        document = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        state, level, raised_at, alert_id = document
        at = datetime.fromisoformat(raised_at).astimezone(UTC)
        return AlertPlace(State(state).value, Level(level).value, at, UUID(alert_id))
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise Refused("invalid-request", [wrong("cursor", "bad_value")]) from None

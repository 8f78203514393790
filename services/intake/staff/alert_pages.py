"""The inbox of alerts: what waits, one alert with its history and its clock, and what people do to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast, get_args
from uuid import UUID

from fastapi import FastAPI, Request, Response

from services.alert_documents import check_note
from services.intake.guard import BodyReader
from services.intake.people.access import allow, areas_of, record, visit_of
from services.intake.ports import AlertBook, KnownAlert
from services.intake.problems import Refused
from services.intake.staff.answers import (
    answered,
    local_instant,
    said,
    see_other,
    shown_day,
    shown_instant,
    uuid_of,
)
from services.intake.staff.forms import read_form
from services.intake.staff.rendering import language_of, render
from services.intake.staff.week_figures import disease_names
from services.intake.staff.words import Language, say
from streams.domain.alerts import NEEDS_NOTE, Action, Alert, AlertPlace, possible_actions
from streams.domain.errors import RefusedAction

_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class NoticeClock:
    """The 24 hours that a station has for its notice, from its own determination on.

    Attributes:
        due: Local day and time.
        left: Hours and minutes, such as "3:05"; of one that is over since when.
        is_over: The notice is overdue.
    """

    due: str
    left: str
    is_over: bool


def notice_clock(due_at: datetime | None, ended_at: datetime | None, now: datetime) -> NoticeClock | None:
    """The clock of an alert; None where none runs.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 8, 4, 12, tzinfo=UTC)
    >>> notice_clock(noon, None, noon - timedelta(hours=3, minutes=5)).left
    '3:05'
    """
    if due_at is None or ended_at is not None:
        return None
    minutes = int(abs(due_at - now) / timedelta(minutes=1))
    return NoticeClock(shown_instant(due_at), f"{minutes // 60}:{minutes % 60:02}", now > due_at)


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Alerts of several areas as one inbox, each once."""
    once = {row["alert_id"]: row for row in rows}
    return sorted(
        once.values(),
        key=lambda row: AlertPlace(row["state"], row["level"], row["raised_at"], row["alert_id"]).order,
    )


def add_alert_pages(app: FastAPI, book: AlertBook, reader: BodyReader, clock: Callable[[], datetime]) -> None:
    """Serve /alerts and /alerts/{id}.

    Args:
        app: The application.
        book: The alerts.
        reader: Of request bodies.
        clock: Gives an aware datetime.
    """

    @app.get("/alerts", name="alerts_page")
    async def alerts_page(request: Request) -> Response:
        areas = areas_of(request, "alerts_page")
        is_open = request.query_params.get("show") != "all"
        disease = request.query_params.get("disease") or None
        rows: list[Mapping[str, Any]] = []
        for area in areas if areas is not None else (None,):
            found = await answered(book.inbox(is_open=is_open, disease=disease, area_code=area, most=_MOST))
            rows += found or ()
        return render(
            request,
            "alerts/inbox.html",
            alerts=[_line(row, language_of(request), clock()) for row in in_order(rows)],
            is_open=is_open,
            disease=disease or "",
            diseases=disease_names(),
            is_cut=len(rows) >= _MOST,
        )

    @app.get("/alerts/{alert_id}", name="alert_page")
    async def alert_page(request: Request, alert_id: str) -> Response:
        allow(request, "alert_page")
        known = await _known(request, "alert_page", uuid_of(alert_id))
        return _page(request, known, clock())

    @app.post("/alerts/{alert_id}", name="alert_action")
    async def alert_action(request: Request, alert_id: str) -> Response:
        person = allow(request, "alert_action")
        whole = uuid_of(alert_id)
        form = await read_form(request, reader)
        known = await _known(request, "alert_action", whole)
        action, note = form.get("action", ""), form.get("note", "").strip() or None
        if action not in get_args(Action):
            raise Refused("invalid-request")
        given = form.get("at", "")
        instant = local_instant(given) if action in ("determine", "end") else None
        if given and instant is None and action in ("determine", "end"):
            error = say(language_of(request), "alerts.choose_instant")
            return _page(request, known, clock(), action, form, error, 422)
        try:
            check_note(note)
            # Who it is comes from the sign-in alone, never from the form.
            alert = await answered(book.act(whole, cast(Action, action), person.username, note, instant))
        except RefusedAction as refused:
            return _page(request, known, clock(), action, form, said(refused, language_of(request)), 409)
        if alert is None:
            raise Refused("alert-not-found")
        await answered(record(request, f"alert-{action}", str(whole), {}))
        return see_other(f"/alerts/{whole}")

    async def _known(request: Request, endpoint: str, alert_id: UUID) -> KnownAlert:
        own = areas_of(request, endpoint)
        known = await answered(book.read(alert_id))
        if known is None:
            raise Refused("alert-not-found")
        if own is not None:
            territory = visit_of(request).territory
            if territory is None:
                raise Refused("database-down")
            if not territory.covers_area(own, known.alert.area_id):
                # Also the existence of somebody else's alert is nobody's business.
                raise Refused("alert-not-found")
        return known


def _page(
    request: Request,
    known: KnownAlert,
    now: datetime,
    action: str = "",
    form: Mapping[str, str] | None = None,
    error: str = "",
    status: int = 200,
) -> Response:
    alert, language = known.alert, language_of(request)
    return render(
        request,
        "alerts/alert.html",
        status=status,
        alert=alert,
        disease=_name(alert.disease, language),
        area=known.area_name,
        why=alert.verdict[f"why_{language}"],
        clock=notice_clock(alert.notice_due_at, alert.ended_at, now),
        raised=shown_instant(alert.raised_at),
        numbers=_numbers(alert),
        text=known.text_vi if language == "vi" else known.text_en,
        steps=[
            {
                "at": shown_instant(event.at),
                "actor": event.actor,
                "kind": event.kind.value,
                "note": event.note
                or (event.verdict[f"why_{language}"] if event.verdict is not None else "")
                or (_determined(event.data, language)),
            }
            for event in known.events
        ],
        actions=possible_actions(alert),
        needs_note=NEEDS_NOTE,
        tried=action,
        form=form or {},
        error=error,
    )


def _determined(data: Mapping[str, Any], language: Language) -> str:
    instant = data.get("instant")
    if instant is None:
        return ""
    return say(language, "alerts.determined_at", at=shown_instant(datetime.fromisoformat(instant)))


def _numbers(alert: Alert) -> list[tuple[str, str]]:
    numbers = alert.verdict.get("numbers", {})
    return [
        (name, f"{value:g}" if isinstance(value, (int, float)) else str(value))
        for name, value in numbers.items()
        if isinstance(value, (int, float, str)) and not isinstance(value, bool)
    ]


def _name(disease: str, language: str) -> str:
    vietnamese, english = disease_names().get(disease, (disease, disease))
    return vietnamese if language == "vi" else english


def _line(row: Mapping[str, Any], language: str, now: datetime) -> dict[str, Any]:
    due_at = row["notice_due_at"] if row["state"] in ("raised", "acknowledged", "verified") else None
    return {
        "id": row["alert_id"],
        "level": row["level"],
        "state": row["state"],
        "is_met": row["is_met"],
        "disease": _name(row["disease"], language),
        "area": row["area_name"],
        "cases": row["cases"],
        "period": " – ".join(filter(None, (shown_day(row["period_start"]), shown_day(row["period_end"])))),
        "raised": shown_instant(row["raised_at"]),
        "why": row["verdict"][f"why_{language}"],
        "clock": notice_clock(due_at, row["ended_at"], now),
    }

"""Alerts as JSON documents, the same for the command line and for the intake's API."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from schemas.events import find_identifier
from streams.domain.alerts import Alert, AlertEvent
from streams.domain.errors import RefusedAction


class AlertSummary(TypedDict):
    """One line of the inbox."""

    alert_id: UUID
    rule_id: str
    disease: str
    disease_name: str
    area_id: str
    area_code: str
    area_name: str
    state: str
    level: str
    is_met: Annotated[bool, Field(description="False after a case was withdrawn; the alert stays.")]
    cases: int
    period_start: date | None
    period_end: date | None
    raised_at: datetime
    changed_at: datetime
    settled_at: datetime | None
    determined_at: Annotated[
        datetime | None, Field(description="When the station determined an outbreak ('có dịch').")
    ]
    notice_due_at: Annotated[datetime | None, Field(description="24 hours after that determination.")]
    ended_at: datetime | None
    end_proposed_at: datetime | None
    escalated_at: datetime | None
    numbers: dict[str, Any]
    why_vi: str
    why_en: str
    rule_version: str
    is_late: bool
    is_reconstructed: bool


class AlertDetail(TypedDict):
    """An alert as its events have left it."""

    alert_id: UUID
    rule_id: str
    disease: str
    area_id: str
    state: str
    level: str
    is_met: bool
    cases: int
    raised_at: datetime
    changed_at: datetime
    settled_at: datetime | None
    determined_at: datetime | None
    notice_due_at: datetime | None
    ended_at: datetime | None
    verdict: Annotated[dict[str, Any], Field(description="The last one that was met, with its numbers.")]


class AlertStep(TypedDict):
    """One event of an alert's life."""

    number: Annotated[int, Field(description="From 1 within the alert.")]
    at: datetime
    actor: Annotated[str, Field(description="An account; 'system' where no person did it.")]
    kind: str
    note: str | None
    verdict: dict[str, Any] | None
    data: dict[str, Any]


class Inbox(TypedDict):
    """Alerts, those that wait and the loudest first."""

    alerts: list[AlertSummary]


class AlertPage(AlertDetail):
    """An alert with its history, and as text to be pasted where no bot writes (without notes)."""

    events: list[AlertStep]
    text_vi: str
    text_en: str


def summary(row: dict[str, Any]) -> AlertSummary:
    """A row of schemas/sql/queries/alerts.sql."""
    shown = {name: value for name, value in row.items() if name != "verdict"}
    verdict = row["verdict"]
    names = ("numbers", "why_vi", "why_en", "rule_version", "is_late", "is_reconstructed")
    return shown | {name: verdict[name] for name in names}  # type: ignore[return-value]


def detail(alert: Alert) -> AlertDetail:
    """An alert."""
    return {
        "alert_id": alert.alert_id,
        "rule_id": alert.rule_id,
        "disease": alert.disease,
        "area_id": alert.area_id,
        "state": alert.state.value,
        "level": alert.level.value,
        "is_met": alert.is_met,
        "cases": alert.cases,
        "raised_at": alert.raised_at,
        "changed_at": alert.changed_at,
        "settled_at": alert.settled_at,
        "determined_at": alert.determined_at,
        "notice_due_at": alert.notice_due_at,
        "ended_at": alert.ended_at,
        "verdict": dict(alert.verdict),
    }


def step(event: AlertEvent) -> AlertStep:
    """An event of an alert's life."""
    return {
        "number": event.number,
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind.value,
        "note": event.note,
        "verdict": None if event.verdict is None else dict(event.verdict),
        "data": dict(event.data),
    }


def check_note(note: str | None) -> None:
    """Refuse a note with a person's name or number in it: notes are kept, shown and sent.

    Raises:
        RefusedAction: it looks like one; the note is not repeated.
    """
    if note is not None and find_identifier(note) is not None:
        raise RefusedAction(
            "Ghi chú có vẻ chứa họ tên, số điện thoại, e-mail hoặc số định danh: hãy bỏ đi, chỉ ghi mã "
            "ca bệnh. / "
            "The note seems to hold a person's name, telephone, e-mail or identity number: leave it "
            "out, write the case's code."
        )

"""The alerts' part of the OpenAPI description: models, examples, paths."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Protocol
from uuid import UUID

import orjson

from services.alert_documents import AlertDetail, AlertPage, AlertSummary, Inbox, detail, step, summary
from services.intake.alert_routes import ActionRequest, InboxQuery
from services.intake.body import EITHER
from services.notify.message import alert_text
from streams.domain.alerts import Alert, AlertEvent, Kind, acted, fold_all
from streams.domain.rules.verdicts import Level, Outcome, Verdict

MODELS: Mapping[str, Any] = {
    "Inbox": Inbox,
    "AlertDetail": AlertDetail,
    "AlertPage": AlertPage,
    "ActionRequest": ActionRequest,
}

_RAISED_AT = datetime.fromisoformat("2026-08-03T22:10:00+07:00")
_DETERMINED_AT = datetime.fromisoformat("2026-08-04T08:00:00+07:00")
_LINK = "https://canhdich.example/alerts"


class Answer(Protocol):
    """Describes an answer in JSON."""

    def __call__(self, description: str, model: str, examples: Mapping[str, Any], /) -> dict[str, Any]: ...


class Problems(Protocol):
    """Describes the refusals of one status."""

    def __call__(self, *kinds: str) -> dict[str, Any]: ...


@cache
def _history() -> tuple[Alert, Sequence[AlertEvent]]:
    """An alert that was raised, acknowledged, and determined by the station."""
    verdict = Verdict(
        rule_id="tt15_16_1b",
        rule_version="0123456789abcdef",
        verdict=Outcome.OUTBREAK,
        level=Level.OUTBREAK,
        numbers={
            "cases": 19,
            "mean": 8.4,
            "history": {"2021": 4, "2022": 9, "2023": 8, "2024": 11, "2025": 10},
        },
        why_vi="TT 15/2026/TT-BYT Điều 16.1b: 19 ca từ ngày 1, vượt quá 14,1",
        why_en="TT 15/2026/TT-BYT Điều 16.1b: 19 cases since day 1, more than 14.1",
        area_id="03390@2025-07-01",
        disease="dengue",
        judged_on=date(2026, 8, 3),
        period_start=date(2026, 8, 1),
        period_end=date(2026, 8, 31),
    )
    raised = AlertEvent(
        UUID("7b0d1c52-3f0e-5c1b-9d57-2f6c1f0e8a11"),
        1,
        _RAISED_AT,
        "system",
        Kind.RAISED,
        verdict=verdict.document(),
        data={"loudness": "immediate"},
    )
    events = [raised]
    for action, at, note in (
        ("acknowledge", _RAISED_AT.replace(minute=25), None),
        ("determine", _DETERMINED_AT, "họp trạm lúc 8 giờ"),
    ):
        events.append(acted(fold_all(events), action, "tram.binh-lu", at, note))  # type: ignore[arg-type]
    return fold_all(events), events


@cache
def _row() -> dict[str, Any]:
    """The same alert as the queries give it."""
    alert, events = _history()
    return {
        **detail(alert),
        "disease_name": "Sốt xuất huyết Dengue",
        "disease_vi": "Sốt xuất huyết Dengue",
        "disease_en": "Dengue",
        "area_code": "03390",
        "area_name": "Xã Bình Lư",
        "district_name": "Khu vực Tam Đường",
        "province_name": "Tỉnh Lai Châu",
        "period_start": date(2026, 8, 1),
        "period_end": date(2026, 8, 31),
        "end_proposed_at": None,
        "escalated_at": None,
        "kind": events[-1].kind.value,
        "at": events[-1].at,
        "actor": events[-1].actor,
        "note": events[-1].note,
        "citation": "TT 15/2026/TT-BYT Điều 16.1b",
        "rule_vi": "Có dịch, bệnh lưu hành",
        "rule_en": "Outbreak, endemic disease",
    }


def _as_sent(document: object) -> Any:
    return orjson.loads(orjson.dumps(document))


def _page() -> AlertPage:
    alert, events = _history()
    return {
        **detail(alert),
        "events": [step(event) for event in events],
        "text_vi": alert_text(_row(), "vi", _LINK),
        "text_en": alert_text(_row(), "en", _LINK),
    }


_ACTIONS: Mapping[str, Mapping[str, Any]] = {
    "acknowledge": {"action": "acknowledge", "by": "bs.lan"},
    "determine": {"action": "determine", "by": "tram.binh-lu", "instant": _DETERMINED_AT.isoformat()},
    "dismiss": {"action": "dismiss", "by": "bs.lan", "note": "ca LC-2026-000123 nhập nhầm bệnh"},
}


def alert_paths(answer: Answer, problems: Problems, refusals: Mapping[str, Any]) -> dict[str, Any]:
    """The paths of the alerts; `answer`, `problems` and `refusals` describe answers as those of others."""
    columns = (AlertSummary.__annotations__.keys() & _row().keys()) | {"verdict"}
    shown = _as_sent({"alerts": [summary({name: _row()[name] for name in columns})]})
    one = {"name": "alert_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    common = {"503": problems("database-down"), **refusals}
    schema = InboxQuery.model_json_schema()["properties"]
    return {
        "/v1/alerts": {
            "get": {
                "operationId": "getAlerts",
                "summary": "The inbox: alerts, those that wait and the loudest first",
                "parameters": [
                    {
                        "name": name,
                        "in": "query",
                        "required": False,
                        "description": field["description"],
                        "schema": {k: v for k, v in field.items() if k not in ("title", "description")},
                    }
                    for name, field in schema.items()
                ],
                "responses": {
                    "200": {
                        **answer("They are", "Inbox", {"one": shown, "none": {"alerts": []}}),
                        "headers": {
                            "Link": {
                                "description": 'The next page: `<address>; rel="next"`; absent on the last.',
                                "schema": {"type": "string"},
                                "example": '</v1/alerts?limit=100&cursor=WyJyYWlzZWQi>; rel="next"',
                            }
                        },
                    },
                    "422": problems("invalid-request"),
                    **common,
                },
            }
        },
        "/v1/alerts/{alert_id}": {
            "get": {
                "operationId": "getAlert",
                "summary": "One alert with every step of its life, and its text to be pasted into a chat",
                "parameters": [one],
                "responses": {
                    "200": answer("It is", "AlertPage", {"determined": _as_sent(_page())}),
                    "404": problems("alert-not-found"),
                    **common,
                },
            }
        },
        "/v1/alerts/{alert_id}/actions": {
            "post": {
                "operationId": "postAlertAction",
                "summary": "Acknowledge, verify, dismiss, close, reopen, determine, end, or write a note",
                "parameters": [one],
                "requestBody": {
                    "required": True,
                    "content": {
                        EITHER: {
                            "schema": {"$ref": "#/components/schemas/ActionRequest"},
                            "examples": {name: {"value": value} for name, value in _ACTIONS.items()},
                        }
                    },
                },
                "responses": {
                    "200": answer(
                        "The alert after it", "AlertDetail", {"determined": _as_sent(detail(_history()[0]))}
                    ),
                    "400": problems("not-json"),
                    "404": problems("alert-not-found"),
                    "408": problems("too-slow"),
                    "409": problems("action-refused"),
                    "413": problems("too-large"),
                    "415": problems("unsupported-media-type"),
                    "422": problems("invalid-request"),
                    "503": problems("database-down", "busy"),
                    **refusals,
                },
            }
        },
    }

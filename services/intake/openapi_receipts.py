"""The receipts' part of the OpenAPI description: examples, path."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from services.intake.openapi_alerts import Answer, Problems
from services.intake.receipt_routes import ReceiptQuery, receipts
from streams.domain.judging import Parked
from streams.domain.receipts import BuriedEvent, Fate, JournaledEvent

_ID = UUID("0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11")
_SUBJECT = "LC-2023-000123"
_KNOWN_AT = datetime.fromisoformat("2023-07-04T01:12:03+00:00")
_CONFLICT = {
    "field": "id",
    "code": "identity_conflict",
    "message_vi": "Mã sự kiện này đã dùng cho một nội dung khác; bản đến trước được giữ. Hãy gửi lại thay "
    "đổi với mã sự kiện mới.",
    "message_en": "This event id was used before with other content; the earlier version stands. Send the "
    "change again with a new id.",
}


def _known(**changed: Any) -> JournaledEvent:
    told: dict[str, Any] = {
        "subject": _SUBJECT,
        "event_type": "vn.canhdich.case.updated.v1",
        "known_at": _KNOWN_AT,
        "source": "/facilities/LC-TYT-03190",
        "area_id": "109@start",
        "parked": None,
        "overruled": (),
        "is_overruled": False,
        "is_counted": True,
    }
    return JournaledEvent(**{**told, **changed})


@cache
def _examples() -> Mapping[str, Any]:
    dead = BuriedEvent(17, _SUBJECT, _KNOWN_AT, "identity_conflict", (_CONFLICT,), None, None)
    return {
        "accepted": receipts(Fate(_ID, (), ()), [_SUBJECT]),
        "counted": receipts(Fate(_ID, (_known(overruled=("classification",)),), ()), ()),
        "overruled": receipts(Fate(_ID, (_known(overruled=("classification",), is_overruled=True),), ()), ()),
        "parked": receipts(
            Fate(_ID, (_known(parked=Parked("unknown_area", "03190"), is_counted=False),), ()), ()
        ),
        "dead_lettered": receipts(Fate(_ID, (), (dead,)), ()),
        "conflict": receipts(Fate(_ID, (_known(),), (dead,)), ()),
    }


def receipt_paths(answer: Answer, problems: Problems, refusals: Mapping[str, Any]) -> dict[str, Any]:
    """The path of the receipts; `answer`, `problems` and `refusals` describe answers as those of others."""
    subject = ReceiptQuery.model_json_schema()["properties"]["subject"]
    return {
        "/v1/events/{event_id}": {
            "get": {
                "operationId": "getEvent",
                "summary": "What became of an event",
                "parameters": [
                    {
                        "name": "event_id",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "format": "uuid"},
                        "example": str(_ID),
                    },
                    {
                        "name": "subject",
                        "in": "query",
                        "required": False,
                        "description": subject["description"],
                        "schema": {"anyOf": subject["anyOf"]},
                        "example": _SUBJECT,
                    },
                ],
                "responses": {
                    "200": answer("It is known", "EventReceipts", _examples()),
                    "404": problems("event-not-found"),
                    "422": problems("invalid-request"),
                    "503": problems("database-down"),
                    **refusals,
                },
            }
        }
    }

"""Dead letters: what could not be used and why, repaired in a form and sent again."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response

from schemas.events import InvalidEvent
from schemas.events.fields import FIELDS
from services.dead_letters import CannotRepair, repaired, value_of
from services.intake.guard import BodyReader
from services.intake.people.access import allow, record
from services.intake.problems import Refused
from services.intake.staff.answers import answered, said, see_other, shown_instant
from services.intake.staff.dead_letter_desk import DeadLetterDesk
from services.intake.staff.forms import read_form
from services.intake.staff.rendering import language_of, render

_ON_A_PAGE: Final = 50
_LONGEST_ID: Final = 18
# What sends a record again waits for Kafka.
_RESEND_SECONDS: Final = 75.0


def add_dead_letter_pages(app: FastAPI, desk: DeadLetterDesk, reader: BodyReader) -> None:
    """Serve /dead-letters and /dead-letters/{id}."""

    @app.get("/dead-letters", name="dead_letters_page")
    async def dead_letters_page(request: Request) -> Response:
        allow(request, "dead_letters_page")
        is_open = request.query_params.get("show") != "all"
        rows = await answered(
            desk.listed(is_open=is_open, most=_ON_A_PAGE, before=_number(request.query_params.get("before")))
        )
        language = language_of(request)
        return render(
            request,
            "dead_letters/list.html",
            letters=[
                {
                    "id": row["dead_letter_id"],
                    "at": shown_instant(row["known_at"]),
                    "subject": row["subject"] or "?",
                    "topic": row["topic"],
                    "problems": _problems(row, language),
                    "retried": shown_instant(row["retried_at"]),
                }
                for row in rows
            ],
            is_open=is_open,
            before=rows[-1]["dead_letter_id"] if len(rows) == _ON_A_PAGE else None,
        )

    @app.get("/dead-letters/{dead_letter_id}", name="dead_letter_page")
    async def dead_letter_page(request: Request, dead_letter_id: str) -> Response:
        allow(request, "dead_letter_page")
        return _page(request, await _read(dead_letter_id))

    @app.post("/dead-letters/{dead_letter_id}", name="dead_letter_retry")
    async def dead_letter_retry(request: Request, dead_letter_id: str) -> Response:
        allow(request, "dead_letter_retry")
        form = await read_form(request, reader)
        row = await _read(dead_letter_id)
        language = language_of(request)
        try:
            raw = _repair(row, form)
            is_sent = await answered(desk.resend(row["dead_letter_id"], raw), _RESEND_SECONDS)
        except CannotRepair as fault:
            return _page(request, row, form, [("", said(fault, language))], 422)
        except InvalidEvent as invalid:
            faults = [
                (problem.field, problem.message_vi if language == "vi" else problem.message_en)
                for problem in invalid.problems
            ]
            return _page(request, row, form, faults, 422)
        if is_sent:
            await answered(record(request, "dead-letter-sent-again", str(row["dead_letter_id"]), {}))
        # Sent by somebody else meanwhile: the page says when.
        return see_other(f"/dead-letters/{row['dead_letter_id']}")

    async def _read(text: str) -> Mapping[str, Any]:
        number = _number(text)
        row = None if number is None else await answered(desk.read(number))
        if row is None:
            raise Refused("not-found")
        return row


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID else None


def _problems(row: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    return [(problem["field"], problem[f"message_{language}"]) for problem in row["problems"]]


def _repair(row: Mapping[str, Any], form: Mapping[str, str]) -> bytes:
    """What the form makes of a record: only what was changed in it."""
    shown = {field["path"]: field["value"] for field in _fields(row, _document(row))}
    changes: dict[str, Any] = {}
    removed: list[str] = []
    for path, standing in shown.items():
        if form.get(f"remove.{path}"):
            removed.append(path)
        elif (typed := form.get(f"set.{path}", standing).strip()) != standing.strip():
            changes[path] = value_of(path, typed)
    whole = form.get("whole", "").strip()
    return repaired(
        whole.encode() if whole else row["record"].encode(),
        changes,
        removed,
        has_new_id=bool(form.get("new_id")),
    )


def _document(row: Mapping[str, Any]) -> Any:
    try:
        return orjson.loads(row["record"])
    except orjson.JSONDecodeError:
        return None


def _fields(row: Mapping[str, Any], document: Any) -> list[dict[str, Any]]:
    """One for each field with something wrong: where it stands and what it holds."""
    paths = dict.fromkeys(
        problem["field"] for problem in row["problems"] if problem["field"] and isinstance(document, dict)
    )
    fields = []
    for path in paths:
        value: Any = document
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        text = "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
        fields.append({"path": path, "value": text, "is_there": value is not None})
    return fields


def _page(
    request: Request,
    row: Mapping[str, Any],
    form: Mapping[str, str] | None = None,
    faults: Sequence[tuple[str, str]] = (),
    status: int = 200,
) -> Response:
    document, language = _document(row), language_of(request)
    given = form or {}
    record_text = (
        row["record"] if document is None else orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    )
    return render(
        request,
        "dead_letters/letter.html",
        status=status,
        letter=row,
        at=shown_instant(row["known_at"]),
        retried=shown_instant(row["retried_at"]),
        problems=_problems(row, language),
        record=record_text,
        standing=row["standing"],
        fields=[
            {
                **field,
                "label": _label(field["path"], language),
                "value": given.get(f"set.{field['path']}", field["value"]),
                "is_removed": bool(given.get(f"remove.{field['path']}")),
            }
            for field in _fields(row, document)
        ],
        whole=given.get("whole", ""),
        has_new_id=bool(given.get("new_id")) if form is not None else row["standing"] is not None,
        faults=faults,
    )


def _label(path: str, language: str) -> str:
    info = FIELDS.get(path.partition("data.")[2])
    if info is None:
        return path
    return f"{info.label_vi if language == 'vi' else info.label_en} ({path})"

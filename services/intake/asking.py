"""What routes share: reading what was asked, waiting for the database, answering."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal, TypeVar
from uuid import UUID

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from services.intake.documents import FieldError
from services.intake.people.access import areas_of, visit_of
from services.intake.problems import Refused
from streams.domain.errors import ConfigurationError, DependencyDown

ANSWER_SECONDS: Final = 15.0
"""A person waits no longer for the database."""

# More would help nobody, and a hostile request could make the answer many times its own size.
_MAX_FAULTS: Final = 100

_Answer = TypeVar("_Answer")
_Model = TypeVar("_Model", bound=BaseModel)

_EXPECTED: Final[Mapping[str, tuple[str, str]]] = {
    "open": ("true hoặc false.", "true or false."),
    "disease": ("mã bệnh trong danh mục.", "a disease code of the catalogue."),
    "area": ("mã địa bàn 2, 3 hoặc 5 chữ số đang dùng.", "an area code of 2, 3 or 5 digits that is in use."),
    "limit": ("số nguyên từ 1 đến 1000.", "a whole number from 1 to 1000."),
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
    "cursor": (
        "nguyên văn từ tiêu đề Link của trang trước.",
        "as the Link header of the page before has it.",
    ),
    "subject": ("mã ca bệnh như trong sự kiện.", "the subject as the event has it."),
}


def valid(model: type[_Model], given: bytes | Mapping[str, str]) -> _Model:
    """What was sent, checked; an answer never repeats it.

    Args:
        model: What it is to be.
        given: JSON, or the parameters of the address.

    Raises:
        Refused: not-json or invalid-request, with every fault.
    """
    try:
        if isinstance(given, bytes):
            return model.model_validate_json(given)
        return model.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)[:_MAX_FAULTS]
        if any(fault["type"] == "json_invalid" for fault in faults):
            raise Refused("not-json") from None
        raise Refused("invalid-request", [_fault(fault["type"], fault["loc"]) for fault in faults]) from None


def _fault(kind: str, where: Sequence[int | str]) -> FieldError:
    name = str(where[0]) if where else ""
    if kind == "extra_forbidden":
        # The name itself may hold what somebody should not have sent.
        return wrong("", "unknown_field")
    return wrong(name, "missing" if kind == "missing" else "bad_value")


def wrong(name: str, code: Literal["missing", "bad_value", "unknown_field", "unknown_area"]) -> FieldError:
    """The fault of a field or parameter, with what is wanted instead."""
    vi, en = _EXPECTED.get(name, ("xem /openapi.json.", "see /openapi.json."))
    if code == "unknown_field":
        vi, en = f"Có trường hoặc tham số lạ: {vi}", f"There is a field or parameter that nobody knows: {en}"
    else:
        vi, en = f"Cần: {vi}", f"Wanted: {en}"
    return {"index": None, "field": name, "code": code, "message_vi": vi, "message_en": en}


def uuid_of(text: str, kind: str) -> UUID:
    """An id in an address; refused as `kind` where it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise Refused(kind) from None


def own_areas(request: Request, endpoint: str) -> Callable[[str], bool]:
    """Which areas, by their ids, somebody may see at an address.

    Raises:
        Refused: they may see none; or nobody can say what lies in what.
    """
    codes = areas_of(request, endpoint)
    if codes is None:
        return lambda _area_id: True
    territory = visit_of(request).territory
    if territory is None:
        raise Refused("database-down")
    return lambda area_id: territory.covers_area(codes, area_id)


async def answered(question: Awaitable[_Answer]) -> _Answer:
    """The database's answer.

    Raises:
        Refused: database-down, where there is none in time.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await question
    except (DependencyDown, ConfigurationError, TimeoutError):
        raise Refused("database-down") from None


def json_answer(document: object, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of 200 in JSON."""
    return Response(orjson.dumps(document), headers=headers, media_type="application/json")

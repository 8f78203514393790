"""What every page does with an answer that does not come, and with addresses that name nothing."""

import asyncio
import re
from collections.abc import Awaitable
from datetime import date, datetime
from typing import Final, TypeVar
from urllib.parse import quote
from uuid import UUID

from fastapi import Response
from fastapi.responses import RedirectResponse

from services.intake.problems import Refused
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import CanhDichError, ConfigurationError, DependencyDown

ANSWER_SECONDS: Final = 25.0
"""A person waits no longer for a page."""

_Answer = TypeVar("_Answer")
_DAY: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


async def answered(
    question: Awaitable[_Answer],
    seconds: float = ANSWER_SECONDS,
    *,
    passing: type[ConfigurationError] | tuple[()] = (),
) -> _Answer:
    """The database's answer.

    Args:
        question: What is asked.
        seconds: How long somebody waits at most.
        passing: An error that says something to whoever asked, and is theirs.

    Raises:
        Refused: database-down, where there is none.
    """
    try:
        async with asyncio.timeout(seconds):
            return await question
    except passing:
        raise
    except (DependencyDown, ConfigurationError, TimeoutError):
        raise Refused("database-down") from None


def said(fault: CanhDichError | None, language: str) -> str:
    """An error's sentence in a language; "Vietnamese / English" has both, others have English only."""
    if fault is None:
        return ""
    vietnamese, separator, english = str(fault).partition(" / ")
    return vietnamese if not separator or language == "vi" else english


def uuid_of(text: str) -> UUID:
    """An id in an address.

    Raises:
        Refused: not-found; it is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise Refused("not-found") from None


def day_of(text: str | None) -> date | None:
    """A day as people write it, day first, or ISO; None where it is none.

    Not what a browser's date field shows: in an English one that is month first.

    >>> day_of("4/7/2023"), day_of("2023-07-04"), day_of("7/23/2023")
    (datetime.date(2023, 7, 4), datetime.date(2023, 7, 4), None)
    """
    found = _DAY.fullmatch((text or "").strip())
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(text or "")
    except ValueError:
        return None


def local_instant(text: str | None) -> datetime | None:
    """Day and local time as people write them, or ISO; None where it is none.

    >>> local_instant("4/8/2026 08:05").isoformat(), local_instant("4/8/2026")
    ('2026-08-04T08:05:00+07:00', None)
    """
    day, _, clock = (text or "").strip().partition(" ")
    on = day_of(day)
    try:
        found = datetime.fromisoformat(
            f"{on.isoformat()}T{clock.strip().zfill(5)}" if on and clock else (text or "")
        )
    except ValueError:
        return None
    if on and not clock:
        return None
    return found if found.tzinfo else found.replace(tzinfo=LOCAL_ZONE)


def shown_instant(at: datetime | None) -> str:
    """Local time for people, and nothing where there is none."""
    return "" if at is None else at.astimezone(LOCAL_ZONE).strftime("%d/%m/%Y %H:%M")


def shown_day(day: date | None) -> str:
    """A day for people, and nothing where there is none."""
    return "" if day is None else day.strftime("%d/%m/%Y")


def see_other(address: str) -> Response:
    """Go on to another page after something was done."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


def attachment(content: bytes, media_type: str, name: str) -> Response:
    """A file to keep; its name may hold any letter."""
    plain = name.encode("ascii", "ignore").decode().replace('"', "").strip() or "file"
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers, media_type=media_type)

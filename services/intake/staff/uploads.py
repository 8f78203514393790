"""One file that somebody sends with a form, kept where nobody finds it, and never more than it may be."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from services.importing.workbooks import MAX_BYTES
from services.intake.problems import Refused

_SILENT_SECONDS: Final = 60.0
"""A slow line is waited for; one that brings nothing for so long is not."""
_MOST_FIELDS: Final = 10
_ROOM_FOR_FIELDS: Final = 64 * 1024


class Sent(NamedTuple):
    """What came: the form's other fields, and the file, None where the form had none."""

    fields: dict[str, str]
    file: UploadFile | None


async def read_upload(request: Request, most_bytes: int = MAX_BYTES) -> Sent:
    """Read a multipart form with one file. The caller closes the file.

    The file lies in the system's temporary folder without a name (and without the one that it was sent with),
    so it is gone with the process.

    Raises:
        Refused: too large, too slow, or no such form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise Refused("invalid-request")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most_bytes + _ROOM_FOR_FIELDS:
        raise Refused("upload-too-large")
    parser = MultiPartParser(
        request.headers,
        _bounded(request, most_bytes + _ROOM_FOR_FIELDS),
        max_files=1,
        max_fields=_MOST_FIELDS,
        max_part_size=_ROOM_FOR_FIELDS,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise Refused("invalid-request") from None
    except (TimeoutError, ClientDisconnect):
        raise Refused("too-slow") from None
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    file = next((value for value in form.values() if isinstance(value, UploadFile)), None)
    if file is not None and not file.size:
        # What a browser sends when nothing was chosen.
        await file.close()
        file = None
    return Sent(fields, file)


async def _bounded(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    pieces = request.stream()
    length = 0
    while True:
        async with asyncio.timeout(_SILENT_SECONDS):
            piece = await anext(pieces, None)
        if piece is None:
            return
        length += len(piece)
        if length > most_bytes:
            raise Refused("upload-too-large")
        yield piece

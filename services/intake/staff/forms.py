"""What a page's form sent."""

import unicodedata
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from services.intake.guard import BodyReader
from services.intake.problems import Refused

_MOST_FIELDS = 200
_MOST_BYTES = 256 * 1024


async def read_form(request: Request, reader: BodyReader) -> Mapping[str, str]:
    """The fields of an urlencoded form: in NFC, without spaces around them; the last of those of one name.

    Raises:
        Refused: too large, too slow, or no such form.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise Refused("invalid-request")
    body = await reader.read(request)
    reader.done(len(body))
    if len(body) > _MOST_BYTES:
        raise Refused("too-large")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Refused("invalid-request") from None
    return {name: unicodedata.normalize("NFC", value).strip() for name, value in pairs}

"""The files that pages load: style, scripts, icons. One hash over all of them stands in every address."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import Request, Response

FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent.

    Attributes:
        plain: Its bytes.
        packed: The same with gzip; None where that saves nothing.
        media_type: For the Content-Type header.
    """

    plain: bytes
    packed: bytes | None
    media_type: str


@cache
def static_files() -> dict[str, StaticFile]:
    """Every file by its path below `static/`; read once per process."""
    files: dict[str, StaticFile] = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            plain = path.read_bytes()
            packed = gzip.compress(plain, 9, mtime=0)
            media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
            files[path.relative_to(FOLDER).as_posix()] = StaticFile(
                plain, packed if len(packed) < len(plain) else None, media_type or "application/octet-stream"
            )
    return files


@cache
def static_version() -> str:
    """Changes with any of the files: modules and style sheets name one another by relative paths."""
    digest = hashlib.sha256()
    for name, file in static_files().items():
        digest.update(name.encode() + b"\0" + file.plain + b"\0")
    return digest.hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a file, which may be kept for ever.

    Raises:
        KeyError: there is no such file.
    """
    static_files()[name]
    return f"/static/{static_version()}/{name}"


def static_response(request: Request, version: str, name: str) -> Response | None:
    """The answer to a request for a file; None where there is no such file."""
    file = static_files().get(name)
    if file is None:
        return None
    # A page of before an upgrade may ask for what it named: it gets today's, and is not to keep it.
    is_current = version == static_version()
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if is_current else "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    if file.packed is not None and accepts_gzip(request):
        return Response(
            file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type
        )
    return Response(file.plain, headers=headers, media_type=file.media_type)


def accepts_gzip(request: Request) -> bool:
    """Whether the browser takes gzip."""
    offers = request.headers.get("accept-encoding", "").lower().replace(" ", "").split(",")
    return any(offer == "gzip" or (offer.startswith("gzip;q=") and offer != "gzip;q=0") for offer in offers)

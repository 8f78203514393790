"""From a template to an answer: the page's language, its headers, and what every page knows."""

import gzip
import io
import secrets
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.intake.people.access import csrf_token, may, person_of
from services.intake.staff.navigation import NAVIGATION
from services.intake.staff.static_files import accepts_gzip, static_url, static_version
from services.intake.staff.words import LANGUAGES, Language, say

TEMPLATES = Path(__file__).parent / "templates"

# Everything comes from here, nothing is inline, and a page shown to one person is kept by nobody: PCs are
# shared.
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding, Cookie",
}
_PACK_FROM_BYTES = 1_000
_LANGUAGE_COOKIE = "language"


@cache
def environment() -> Environment:
    """The templates, escaped, and strict about names that nobody gave."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = static_url
    made.globals["static_version"] = static_version
    return made


def language_of(request: Request) -> Language:
    """The person's language; before signing in the one last chosen on this browser, else Vietnamese."""
    person = person_of(request)
    if person is not None:
        return person.language
    chosen = request.cookies.get(_LANGUAGE_COOKIE)
    return next((language for language in LANGUAGES if language == chosen), "vi")


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page.

    Templates know beside `values`: `person` (None when nobody is signed in), `csrf`, `language`,
    `t(key, **values)`, `static(name)`, `path` (of the request).

    Args:
        request: What is answered.
        template: A file below `templates/`.
        status: The HTTP status.
        values: What the template needs.
    """
    language = language_of(request)
    person = person_of(request)
    html = (
        environment()
        .get_template(template)
        .render(
            person=person,
            csrf=csrf_token(request),
            language=language,
            t=partial(say, language),
            path=request.url.path,
            navigation=[
                (address, key) for address, endpoint, key in NAVIGATION if person and may(person, endpoint)
            ],
            **values,
        )
    )
    return _sent(request, html.encode(), status)


def _sent(request: Request, page: bytes, status: int) -> Response:
    headers = dict(HEADERS)
    if len(page) >= _PACK_FROM_BYTES and accepts_gzip(request):
        # A name of random length: else the length of a packed page that repeats what was typed could be used
        # to guess the form's token (BREACH).
        name = "x" * secrets.randbelow(100)
        packed = io.BytesIO()
        with gzip.GzipFile(name, "wb", 6, packed, mtime=0) as file:
            file.write(page)
        page = packed.getvalue()
        headers["Content-Encoding"] = "gzip"
    return Response(page, status, headers, "text/html; charset=utf-8")

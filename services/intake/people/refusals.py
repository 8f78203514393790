"""How a refusal is said: as a problem document to programs, as a page or a way to sign in to people."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.intake.problems import KINDS, Refused, problem_response
from services.intake.staff.rendering import language_of, render
from services.intake.staff.words import say

_FOR_PROGRAMS: Final = ("/v1/", "/health/", "/metrics", "/openapi.json")


def refusal(request: Request, refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that is refused; `headers` are the problem document's."""
    path = request.url.path
    if path.startswith(_FOR_PROGRAMS):
        if refused.kind == "not-signed-in":
            headers = {"WWW-Authenticate": "Bearer"}
        return problem_response(refused.kind, refused.errors, refused.events, headers)
    if refused.kind == "not-signed-in":
        # What was posted is gone: the way back leads to the page, not to the act.
        back = path + (f"?{request.url.query}" if request.url.query else "")
        return _elsewhere(
            request, f"/sign-in?next={quote(back, safe='/')}" if request.method == "GET" else "/sign-in"
        )
    if refused.kind == "password-to-change":
        return _elsewhere(request, "/account")
    if "text/html" in request.headers.get("accept", ""):
        kind = KINDS[refused.kind]
        message = kind.message_vi if language_of(request) == "vi" else kind.message_en
        if refused.kind == "not-found":
            # The other sentence leads programmers to the list of addresses.
            message = say(language_of(request), "people.not_found")
        return render(request, "people/refused.html", status=kind.status, message=message)
    return problem_response(refused.kind, refused.errors, refused.events, headers)


def _elsewhere(request: Request, address: str) -> Response:
    if "hx-request" in request.headers:
        # A redirect would be followed by the script, which would put the other page into this one.
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)

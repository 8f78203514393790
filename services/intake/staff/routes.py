"""What every page needs: the beginning, static files, the service worker, the language before signing in."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.intake.people.access import may, person_of
from services.intake.staff.navigation import NAVIGATION
from services.intake.staff.rendering import render
from services.intake.staff.static_files import static_files, static_response
from services.intake.staff.words import LANGUAGES, say

_YEAR_SECONDS = 31_536_000


def add_staff_routes(app: FastAPI) -> None:
    """Add what every page needs."""

    @app.get("/", name="get_home")
    async def get_home(request: Request) -> Response:
        person = person_of(request)
        first = (address for address, endpoint, _ in NAVIGATION if person and may(person, endpoint))
        return RedirectResponse(next(first, "/sign-in"), 303)

    @app.get("/static/{version}/{name:path}", name="static_file")
    async def get_static_file(request: Request, version: str, name: str) -> Response:
        response = static_response(request, version, name)
        if response is None:
            raise HTTPException(404)
        return response

    @app.get("/service-worker.js", name="service_worker")
    async def get_service_worker() -> Response:
        # At the top of the site: a worker serves what lies below its own address.
        file = static_files()["service_worker.js"]
        headers = {
            "Cache-Control": "no-cache",
            # What the worker itself may do.
            "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
        }
        return Response(file.plain, headers=headers, media_type=file.media_type)

    @app.get("/offline", name="offline_page")
    async def get_offline_page(request: Request) -> Response:
        keys = ("common.offline_title", "common.offline", "common.new_case")
        sentences = [(language, *(say(language, key) for key in keys)) for language in LANGUAGES]
        return render(request, "offline.html", sentences=sentences)

    @app.get("/language/{language}", name="choose_language")
    async def choose_language(request: Request, language: str) -> Response:
        if language not in LANGUAGES:
            raise HTTPException(404)
        response = RedirectResponse(own_address(request.query_params.get("back")), 303)
        response.set_cookie("language", language, max_age=_YEAR_SECONDS, httponly=True, samesite="lax")
        return response


def own_address(text: str | None) -> str:
    """An address of this site to go back to; the home page where the text is none.

    >>> [own_address(text) for text in ("/cases?page=2", "//elsewhere.example", "/\\\\elsewhere.example")]
    ['/cases?page=2', '/', '/']
    """
    if text is None or not text.startswith("/") or text.startswith("//"):
        return "/"
    return "/" if "\\" in text or any(ord(letter) < 32 for letter in text) else text

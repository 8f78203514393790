"""Downloads: the line list of one's own areas, and its counts."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

from fastapi import FastAPI, Request, Response

from services.intake.people.access import allow, areas_of, may, record
from services.intake.staff.answers import answered, attachment, day_of, shown_day
from services.intake.staff.line_lists import MOST_CASES, Level, Lists, Wanted
from services.intake.staff.rendering import language_of, render
from services.intake.staff.week_figures import disease_names
from services.intake.staff.words import say
from streams.domain.calendar import LOCAL_ZONE

_SECONDS: Final = 75.0
_CSV: Final = "text/csv; charset=utf-8"


def add_download_pages(app: FastAPI, lists: Lists, clock: Callable[[], datetime]) -> None:
    """Serve /downloads and the files that it offers.

    Args:
        app: The application.
        lists: Makes the files.
        clock: Gives an aware datetime.
    """

    @app.get("/downloads", name="downloads_page")
    async def downloads_page(request: Request) -> Response:
        areas = areas_of(request, "downloads_page")
        return _page(request, areas)

    @app.get("/downloads/line-list.csv", name="download_line_list")
    async def download_line_list(request: Request) -> Response:
        areas = areas_of(request, "download_line_list")
        wanted = _wanted(request, areas)
        if wanted is None:
            return _page(request, areas, "downloads.choose_days", 422)
        content = await answered(lists.line_list(wanted), _SECONDS)
        if content is None:
            return _page(request, areas, "downloads.too_many", 422)
        # Who took which cases with them stays known.
        await answered(record(request, "line-list-taken", wanted.disease or "all", _days(wanted)))
        return attachment(content, _CSV, f"line-list-{wanted.first}-{wanted.last}.csv")

    @app.get("/downloads/counts.csv", name="download_counts")
    async def download_counts(request: Request) -> Response:
        areas = areas_of(request, "download_counts")
        wanted = _wanted(request, areas)
        if wanted is None:
            return _page(request, areas, "downloads.choose_days", 422)
        level: Level = "commune" if request.query_params.get("level") == "commune" else "district"
        content = await answered(lists.counts(wanted, level), _SECONDS)
        return attachment(content, _CSV, f"counts-{wanted.first}-{wanted.last}.csv")

    def _today() -> date:
        return clock().astimezone(LOCAL_ZONE).date()

    def _wanted(request: Request, areas: tuple[str, ...] | None) -> Wanted | None:
        asked = request.query_params
        first, last = day_of(asked.get("from")), day_of(asked.get("to"))
        disease = asked.get("disease") or None
        if first is None or last is None or first > last or (disease and disease not in disease_names()):
            return None
        return Wanted(areas, disease, first, last, _today(), ";" if asked.get("separator") == ";" else ",")

    def _page(
        request: Request, areas: tuple[str, ...] | None, error: str = "", status: int = 200
    ) -> Response:
        person = allow(request, "downloads_page")
        language = language_of(request)
        today = _today()
        asked = request.query_params
        return render(
            request,
            "downloads/downloads.html",
            status=status,
            error=say(language, error, most=f"{MOST_CASES:,}") if error else "",
            areas=areas,
            has_line_list=may(person, "download_line_list"),
            has_report=may(person, "report_page"),
            diseases=[(code, vi if language == "vi" else en) for code, (vi, en) in disease_names().items()],
            first=asked.get("from") or shown_day(today - timedelta(days=27)),
            last=asked.get("to") or shown_day(today),
            disease=asked.get("disease", ""),
            separator=asked.get("separator", ","),
            level=asked.get("level", "district"),
        )


def _days(wanted: Wanted) -> dict[str, str]:
    return {"from": wanted.first.isoformat(), "to": wanted.last.isoformat()}

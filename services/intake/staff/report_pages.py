"""The situation report: asked for, written in a thread, read and fetched; and what was published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request, Response

from services.intake.guard import BodyReader
from services.intake.people.access import allow
from services.intake.problems import Refused
from services.intake.staff.answers import (
    answered,
    attachment,
    day_of,
    local_instant,
    said,
    see_other,
    shown_day,
    shown_instant,
    uuid_of,
)
from services.intake.staff.forms import read_form
from services.intake.staff.long_work import LongWork, Run, Shelf
from services.intake.staff.rendering import language_of, render
from services.intake.staff.report_desk import FILE_FORMS, Asked, FileForm, ReportDesk, Written
from services.intake.staff.words import say
from streams.domain.calendar import LOCAL_ZONE


@dataclass(slots=True)
class AskedReport:
    """A report that somebody asked for."""

    asked: Asked
    run: Run[Written]

    @property
    def is_busy(self) -> bool:
        """Whether it is being written."""
        return not self.run.is_over

    def close(self) -> None:
        """There is nothing to give back."""


def add_report_pages(
    app: FastAPI, desk: ReportDesk, reader: BodyReader, work: LongWork, clock: Callable[[], datetime]
) -> None:
    """Serve /report.

    Args:
        app: The application.
        desk: Writes reports.
        reader: Of request bodies.
        work: The thread in which reports are written.
        clock: Gives an aware datetime.
    """
    shelf: Shelf[AskedReport] = Shelf(clock)

    @app.get("/report", name="report_page")
    async def report_page(request: Request) -> Response:
        allow(request, "report_page")
        return await _form(request)

    @app.post("/report", name="report_write")
    async def report_write(request: Request) -> Response:
        person = allow(request, "report_write")
        form = await read_form(request, reader)
        provinces = dict(await answered(desk.provinces(_today())))
        first, last = day_of(form.get("from")), day_of(form.get("to"))
        as_of_text = form.get("as_of", "").strip()
        as_of = local_instant(as_of_text)
        errors: dict[str, str] = {}
        language = language_of(request)
        if form.get("province") not in provinces:
            errors["province"] = say(language, "report.choose_province")
        if first is None or first > _today():
            errors["from"] = say(language, "report.choose_day")
        if last is None or (first is not None and last < first):
            errors["to"] = say(language, "report.choose_last_day")
        if as_of_text and as_of is None:
            errors["as_of"] = say(language, "report.choose_instant")
        if errors or first is None or last is None:
            return await _form(request, form, errors, 422)
        asked = Asked(form["province"], first, last, as_of, "en" if form.get("lang") == "en" else "vi")
        # Begun only once there is room for it.
        run: Run[Written] = Run()
        key = shelf.put(person.id, AskedReport(asked, run))
        if key is None:
            return await _form(request, form, {"": say(language, "report.no_room")}, 503)
        work.start(lambda _: desk.write(asked), run)
        return see_other(f"/report/{key}")

    @app.get("/report/{report_id}", name="report_job")
    async def report_job(request: Request, report_id: str) -> Response:
        person = allow(request, "report_job")
        known = shelf.get(person.id, uuid_of(report_id))
        if known is None:
            return render(request, "report/gone.html", status=404)
        return render(
            request,
            "report/report.html",
            asked=known.asked,
            run=known.run,
            fault=said(known.run.fault, language_of(request)),
            document=known.run.result.document if known.run.result else None,
        )

    @app.get("/report/{report_id}/file", name="report_file")
    async def report_file(request: Request, report_id: str) -> Response:
        person = allow(request, "report_file")
        known = shelf.get(person.id, uuid_of(report_id))
        if known is None or known.run.result is None:
            raise Refused("not-found")
        file = known.run.result.files[_file_form(request)]
        return attachment(file.content, file.media_type, file.file_name)

    @app.get("/report/published/{snapshot_id}", name="report_published")
    async def report_published(request: Request, snapshot_id: str) -> Response:
        allow(request, "report_published")
        file = await answered(desk.published_file(uuid_of(snapshot_id), _file_form(request)))
        if file is None:
            raise Refused("not-found")
        return attachment(file.content, file.media_type, file.file_name)

    def _today() -> Any:
        return clock().astimezone(LOCAL_ZONE).date()

    async def _form(
        request: Request,
        form: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        today = _today()
        last_week = today - timedelta(days=today.weekday() + 1)
        person = allow(request, "report_page")
        provinces = await answered(desk.provinces(today))
        given = form or {
            "province": provinces[0][0] if len(provinces) == 1 else "",
            "from": shown_day(last_week - timedelta(days=6)),
            "to": shown_day(last_week),
            "as_of": "",
            "lang": language_of(request),
        }
        return render(
            request,
            "report/form.html",
            status=status,
            given=given,
            errors=errors or {},
            provinces=provinces,
            mine=[
                {
                    "id": key,
                    "what": f"{known.asked.province}, {shown_day(known.asked.first)} – "
                    f"{shown_day(known.asked.last)}",
                    "state": known.run.state,
                }
                for key, known in shelf.of(person.id).items()
            ],
            published=[
                {
                    "id": snapshot.id,
                    "label": snapshot.label,
                    "at": shown_instant(snapshot.taken_at),
                    "province": snapshot.settings["province"],
                    "period": " – ".join(
                        shown_day(day_of(snapshot.settings[name])) for name in ("from", "to")
                    ),
                    "sha256": snapshot.sha256,
                }
                for snapshot in await answered(desk.published())
            ],
        )


def _file_form(request: Request) -> FileForm:
    asked = request.query_params.get("form")
    return next((form for form in FILE_FORMS if form == asked), "docx")

"""The situation report: asked for, written in a thread, read, fetched, published; what was published, and
what has changed since."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import FastAPI, Request, Response

from services.intake.guard import BodyReader
from services.intake.people.access import allow, may, record
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
from services.report.writing import printed
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.stores.snapshots import Snapshot

_LONGEST_LABEL: Final = 120


@dataclass(slots=True)
class AskedReport:
    """A report that somebody asked for; `publishing` is None as long as nobody wants it published."""

    asked: Asked
    run: Run[Written]
    publishing: Run[Snapshot] | None = None

    @property
    def now(self) -> Run[Any]:
        """What was begun last."""
        return self.run if self.publishing is None else self.publishing

    @property
    def is_busy(self) -> bool:
        """Whether it is being written or published."""
        return not self.now.is_over

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

    @app.get("/report/changes", name="report_changes")
    async def report_changes(request: Request) -> Response:
        allow(request, "report_changes")
        asked, language = request.query_params, language_of(request)
        until = uuid_of(asked["until"]) if asked.get("until") else None
        since = uuid_of(asked.get("since", ""))
        try:
            found = await answered(desk.changes(since, until, language), passing=ConfigurationError)
        except ConfigurationError as fault:
            return await _form(request, errors={"changes": said(fault, language)}, status=422)
        if found is None:
            raise Refused("not-found")
        return render(
            request,
            "report/changes.html",
            since=_listed(found.since),
            until=None if found.until is None else _listed(found.until),
            at=shown_instant(found.changes.until),
            changes=found.changes,
        )

    @app.get("/report/{report_id}", name="report_job")
    async def report_job(request: Request, report_id: str) -> Response:
        person = allow(request, "report_job")
        known = shelf.get(person.id, uuid_of(report_id))
        if known is None:
            return render(request, "report/gone.html", status=404)
        return _job(request, report_id, known)

    @app.post("/report/{report_id}/publish", name="report_publish")
    async def report_publish(request: Request, report_id: str) -> Response:
        person = allow(request, "report_publish")
        form = await read_form(request, reader)
        known = shelf.get(person.id, uuid_of(report_id))
        if known is None:
            return render(request, "report/gone.html", status=404)
        written = known.run.result
        # Once, and not by a second click; one as of an instant of the past is no news.
        if known.is_busy or written is None or known.asked.as_of is not None or _is_published(known):
            return see_other(f"/report/{report_id}")
        label = form.get("label", "")
        if not label or len(label) > _LONGEST_LABEL:
            error = say(language_of(request), "report.choose_label", most=_LONGEST_LABEL)
            return _job(request, report_id, known, label, error, 422)
        asked = known.asked
        period = f"{asked.province} {asked.first} {asked.last}"
        await answered(record(request, "report-publish", period, {}))
        run: Run[Snapshot] = Run()
        known.publishing = run
        work.start(lambda _: desk.publish(asked, label, person.username, written.document), run)
        return see_other(f"/report/{report_id}")

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
        found = await answered(desk.read_published(uuid_of(snapshot_id)))
        if found is None:
            raise Refused("not-found")
        return render(
            request,
            "report/published.html",
            one=_listed(found.snapshot),
            document=found.document,
            is_unchanged=found.is_unchanged,
        )

    @app.get("/report/published/{snapshot_id}/file", name="report_published_file")
    async def report_published_file(request: Request, snapshot_id: str) -> Response:
        allow(request, "report_published_file")
        found = await answered(desk.read_published(uuid_of(snapshot_id)))
        if found is None:
            raise Refused("not-found")
        file = await asyncio.to_thread(printed, found.document, _file_form(request))
        return attachment(file.content, file.media_type, file.file_name)

    def _job(
        request: Request,
        report_id: str,
        known: AskedReport,
        label: str = "",
        error: str = "",
        status: int = 200,
    ) -> Response:
        person, language = allow(request, "report_job"), language_of(request)
        written, publishing = known.run.result, known.publishing
        return render(
            request,
            "report/report.html",
            status=status,
            address=f"/report/{report_id}",
            run=known.now,
            words=say(language, "report.publishing" if publishing else f"report.state.{known.run.state}"),
            is_failed=known.run.state == "failed",
            fault=said(known.run.fault, language),
            document=written.document if written else None,
            may_publish=may(person, "report_publish") and not known.is_busy and not _is_published(known),
            is_of_the_past=known.asked.as_of is not None,
            published=_listed(publishing.result) if publishing and publishing.result else None,
            refusal=said(publishing.fault, language) if publishing else "",
            is_refused=publishing is not None and publishing.state == "failed",
            label=label,
            errors={"label": error} if error else {},
        )

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
            published=[_listed(snapshot) for snapshot in await answered(desk.published())],
        )


def _is_published(known: AskedReport) -> bool:
    return known.publishing is not None and known.publishing.state == "done"


def _listed(snapshot: Snapshot) -> dict[str, Any]:
    asked = snapshot.settings
    return {
        "id": snapshot.id,
        "label": snapshot.label,
        "at": shown_instant(snapshot.taken_at),
        "by": asked.get("published_by") or "",
        "province": asked["province"],
        "period": " – ".join(shown_day(day_of(asked[name])) for name in ("from", "to")),
        "sha256": snapshot.sha256,
    }


def _file_form(request: Request) -> FileForm:
    asked = request.query_params.get("form")
    return next((form for form in FILE_FORMS if form == asked), "docx")

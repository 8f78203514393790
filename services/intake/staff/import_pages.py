"""Import: a file dropped on a page, previewed, sent, and what became of every row.

The work is done by this process. Where it ends meanwhile, the file is gone and what was sent is not: the same
file again goes on from there, and nothing is counted twice.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from fastapi import FastAPI, Request, Response
from starlette.datastructures import UploadFile

from services.importing.meanings import FIELDS, Field, NoMeaning
from services.importing.outcome import SKIPPED_BECAUSE, Fault, Outcome, What
from services.importing.readers import InputFile
from services.importing.run import ImportPlan
from services.intake.guard import BodyReader
from services.intake.people.access import allow, record
from services.intake.staff.answers import answered, attachment, day_of, said, see_other, uuid_of
from services.intake.staff.forms import read_form
from services.intake.staff.import_desk import ImportDesk
from services.intake.staff.long_work import LongWork, Run, Shelf
from services.intake.staff.rendering import language_of, render
from services.intake.staff.spreadsheet import Separator, csv_bytes
from services.intake.staff.uploads import read_upload
from services.intake.staff.words import Language, say
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.stores.meanings import Meaning

_ON_A_PAGE: Final = 100
_MOST_SHOWN: Final = 50
_MOST_COMING: Final = 4
_SWEEP_SECONDS: Final = 600
_MOST_ANSWERS: Final = 60
_SHOWN: Final[tuple[What, ...]] = ("rejected", "created", "updated", "unchanged")


@dataclass(slots=True)
class Upload:
    """A file that somebody sent, and what was done with it so far.

    Attributes:
        sent: Its bytes.
        file: The same for the importer.
        plan: Of the last preview or import, as far as it is.
        run: That preview or import.
    """

    sent: UploadFile
    file: InputFile
    plan: ImportPlan
    run: Run[ImportPlan] = field(default_factory=Run)

    @property
    def is_busy(self) -> bool:
        """Whether a thread reads it."""
        return not self.run.is_over

    def close(self) -> None:
        """Give the file up."""
        self.sent.file.close()


def add_import_pages(
    app: FastAPI, desk: ImportDesk, reader: BodyReader, work: LongWork, clock: Callable[[], datetime]
) -> Shelf[Upload]:
    """Serve /import; returns what is kept, to be closed with the process.

    Args:
        app: The application.
        desk: Does the imports.
        reader: Of request bodies without files.
        work: The thread in which imports run, one after the other.
        clock: Gives an aware datetime.
    """
    shelf: Shelf[Upload] = Shelf(clock)
    coming = asyncio.Semaphore(_MOST_COMING)
    is_swept = False

    def sweep() -> None:
        # A file with names in it is not to lie here until somebody comes by.
        nonlocal is_swept
        is_swept = shelf.clear_old()
        if is_swept:
            asyncio.get_running_loop().call_later(_SWEEP_SECONDS, sweep)

    @app.get("/import", name="import_page")
    async def import_page(request: Request) -> Response:
        allow(request, "import_page")
        return await _first_page(request)

    @app.post("/import", name="import_upload")
    async def import_upload(request: Request) -> Response:
        person = allow(request, "import_upload")
        if coming.locked():
            return await _first_page(request, "import.no_room", 503)
        async with coming:
            _, sent = await read_upload(request)
        if sent is None:
            return await _first_page(request, "import.choose_file", 422)
        file = InputFile.of(sent.file, sent.filename or "")
        upload = Upload(sent, file, ImportPlan(file.name, is_preview=True))
        key = shelf.put(person.id, upload)
        if key is None:
            upload.close()
            return await _first_page(request, "import.no_room", 503)
        if not is_swept:
            sweep()
        _begin(upload, is_preview=True)
        return see_other(f"/import/{key}")

    @app.get("/import/{import_id}", name="import_job")
    async def import_job(request: Request, import_id: str) -> Response:
        person = allow(request, "import_job")
        upload = shelf.get(person.id, uuid_of(import_id))
        return _gone(request) if upload is None else _page(request, import_id, upload)

    @app.post("/import/{import_id}/preview", name="import_preview")
    async def import_preview(request: Request, import_id: str) -> Response:
        return _again(request, "import_preview", import_id, is_preview=True)

    @app.post("/import/{import_id}/send", name="import_send")
    async def import_send(request: Request, import_id: str) -> Response:
        person = allow(request, "import_send")
        upload = shelf.get(person.id, uuid_of(import_id))
        if upload is not None and not upload.is_busy:
            await answered(record(request, "file-imported", upload.file.name, {}))
        return _again(request, "import_send", import_id, is_preview=False)

    @app.post("/import/meanings", name="import_meanings")
    async def import_meanings(request: Request) -> Response:
        person = allow(request, "import_meanings")
        form = await read_form(request, reader)
        try:
            decided = await _decide(form, person.username)
        except NoMeaning as refused:
            return await _first_page(request, said(refused, language_of(request)), 422, is_text=True)
        for text in decided:
            await answered(record(request, "meaning-decided", text, {}))
        import_id = form.get("import", "")
        if not import_id:
            return see_other("/import")
        return _again(request, "import_preview", import_id, is_preview=True)

    @app.get("/import/{import_id}/rows", name="import_rows")
    async def import_rows(request: Request, import_id: str) -> Response:
        person = allow(request, "import_rows")
        upload = shelf.get(person.id, uuid_of(import_id))
        if upload is None:
            return _gone(request)
        only_rejected = request.query_params.get("which") != "all"
        separator: Separator = ";" if request.query_params.get("separator") == ";" else ","
        content = outcome_csv(
            upload.plan.outcome, language_of(request), separator, only_rejected=only_rejected
        )
        name = "rejected" if only_rejected else "rows"
        return attachment(content, "text/csv; charset=utf-8", f"{name}-{upload.file.name}.csv")

    def _begin(upload: Upload, *, is_preview: bool) -> None:
        plan = upload.plan = ImportPlan(upload.file.name, is_preview)
        run: Run[ImportPlan] = Run()
        upload.run = run
        work.start(lambda begun: desk.run(plan, upload.file, begun), run)

    def _again(request: Request, endpoint: str, import_id: str, *, is_preview: bool) -> Response:
        person = allow(request, endpoint)
        upload = shelf.get(person.id, uuid_of(import_id))
        if upload is None:
            return _gone(request)
        # A second click while it runs changes nothing.
        if not upload.is_busy:
            _begin(upload, is_preview=is_preview)
        return see_other(f"/import/{import_id}")

    async def _decide(form: Mapping[str, str], by: str) -> list[str]:
        today = clock().astimezone(LOCAL_ZONE).date()
        decided = []
        for number in range(_MOST_ANSWERS):
            answer = form.get(f"answer.{number}", "")
            name = form.get(f"field.{number}", "")
            if not answer or name not in FIELDS:
                continue
            code, _, on = answer.partition("|")
            text = form.get(f"text.{number}", "")
            question = desk.decide(cast(Field, name), text, code.strip(), day_of(on) or today, by)
            await answered(question, passing=NoMeaning)
            decided.append(text)
        return decided

    async def _first_page(
        request: Request, error: str = "", status: int = 200, *, is_text: bool = False
    ) -> Response:
        person = allow(request, "import_page")
        language = language_of(request)
        return render(
            request,
            "import/first.html",
            status=status,
            error=error if is_text or not error else say(language, error),
            questions=[_asked(meaning) for meaning in (await answered(desk.questions()))[:_MOST_ANSWERS]],
            import_id="",
            mine=[
                {"id": key, "name": upload.file.name, "state": _state(upload)}
                for key, upload in shelf.of(person.id).items()
            ],
        )

    return shelf


def outcome_csv(
    outcome: Outcome, language: Language, separator: Separator = ",", *, only_rejected: bool
) -> bytes:
    """What became of the rows, one line each; of a rejected row one for each thing that is wrong with it.

    No cell of the file itself is in it: the file is at hand, and its names stay there.
    """
    faults = {rejection.row: rejection.faults for rejection in outcome.rejected}
    header = [
        say(language, f"import.column.{name}")
        for name in ("row", "outcome", "case", "field", "reason", "may_be")
    ]
    rows: list[tuple[object, ...]] = []
    for result in outcome.each_row():
        if result.what == "rejected":
            for fault in faults.get(result.row, ()):
                rows.append(
                    (
                        result.row,
                        say(language, "import.what.rejected"),
                        "",
                        fault.field,
                        fault.message_vi if language == "vi" else fault.message_en,
                        _candidates(fault),
                    )
                )
        elif not only_rejected:
            what = say(language, f"import.what.{result.what}")
            rows.append((result.row, what, result.subject, " ".join(result.fields), "", ""))
    return csv_bytes(header, rows, separator)


def _candidates(fault: Fault) -> str:
    if fault.question is None:
        return ""
    return "; ".join(f"{found.code} {found.name}" for found in fault.question.candidates)


def _state(upload: Upload) -> str:
    """What the page of an upload is about now."""
    kind = "preview" if upload.plan.is_preview else "import"
    return f"{kind}_{upload.run.state}"


def _gone(request: Request) -> Response:
    return render(request, "import/gone.html", status=404)


def _asked(meaning: Meaning) -> dict[str, Any]:
    return {
        "field": meaning.field,
        "text": meaning.text,
        "rows": meaning.waiting_rows,
        "candidates": [
            {"answer": f"{code}|{on or ''}", "code": code, "name": name}
            for code, name, on in meaning.candidates
        ],
    }


def _questions(outcome: Outcome) -> list[dict[str, Any]]:
    asked = sorted(outcome.questions().items(), key=lambda item: -item[1])
    return [
        {
            "field": name,
            "text": question.text,
            "rows": rows,
            "candidates": [
                {"answer": f"{found.code}|{found.on or ''}", "code": found.code, "name": found.name}
                for found in question.candidates
            ],
        }
        for (name, question), rows in asked[:_MOST_ANSWERS]
    ]


def _page(request: Request, import_id: str, upload: Upload) -> Response:
    language, run = language_of(request), upload.run
    # While its thread still writes, the sums are not to be looked at: only how far it is.
    outcome = upload.plan.outcome if run.is_over else Outcome()
    asked = request.query_params.get("show", "rejected")
    what: What = next((name for name in _SHOWN if name == asked), "rejected")
    number = request.query_params.get("page", "1")
    page = max(1, int(number)) if number.isascii() and number.isdecimal() and len(number) < 7 else 1
    rows, n_rows = _rows(outcome, what, page, language)
    is_known_fault = isinstance(run.fault, ConfigurationError)
    return render(
        request,
        "import/upload.html",
        import_id=import_id,
        upload=upload,
        state=_state(upload),
        run=run,
        outcome=outcome,
        fault=said(run.fault, language) if is_known_fault else "",
        may_go_on=run.state == "failed" and not is_known_fault,
        warnings=[vi if language == "vi" else en for vi, en in outcome.warnings],
        questions=_questions(outcome) if run.state == "done" else [],
        what=what,
        kinds=_SHOWN,
        counts={
            "created": outcome.created,
            "updated": outcome.updated,
            "unchanged": outcome.unchanged,
            "rejected": len(outcome.rejected),
        },
        rows=rows,
        page=page,
        has_more=page * _ON_A_PAGE < n_rows,
        repaired=[
            (
                repair.row,
                repair.field,
                repair.found,
                repair.taken,
                _in(language, repair.message_vi, repair.message_en),
            )
            for repair in sorted(outcome.repaired, key=lambda repair: repair.row)[:_MOST_SHOWN]
        ],
        n_repaired=len(outcome.repaired),
        skipped=[
            (skip.row, skip.rows, _in(language, *SKIPPED_BECAUSE[skip.reason]))
            for skip in outcome.skipped[:_MOST_SHOWN]
        ],
        n_skipped=sum(skip.rows for skip in outcome.skipped),
    )


def _rows(
    outcome: Outcome, what: What, page: int, language: Language
) -> tuple[Sequence[tuple[int, str, list[tuple[str, str]]]], int]:
    """Row, case and (field, sentence) of a page of the rows with an outcome; and how many there are."""
    first = (page - 1) * _ON_A_PAGE
    if what == "rejected":
        chosen = outcome.in_order()
        return [
            (
                rejection.row,
                "",
                [
                    (fault.field, _in(language, fault.message_vi, fault.message_en))
                    for fault in rejection.faults
                ],
            )
            for rejection in chosen[first : first + _ON_A_PAGE]
        ], len(chosen)
    results = sorted(
        (result for result in outcome.results.values() if result.what == what), key=lambda result: result.row
    )
    return [
        (result.row, result.subject, [(name, "") for name in result.fields])
        for result in results[first : first + _ON_A_PAGE]
    ], len(results)


def _in(language: Language, vietnamese: str, english: str) -> str:
    return vietnamese if language == "vi" else english

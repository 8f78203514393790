"""The pages of cases: report one, find one, see and change it. What they send goes through the door."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid4

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from schemas.events import CASE_REPORTED, CASE_RETRACTED, CASE_UPDATED, LOCAL_TIMEZONE
from schemas.events.common import EARLIEST_DATE
from services.intake.guard import BodyReader
from services.intake.people.access import allow, areas_of, person_of, senders_of, visit_of
from services.intake.people.person import Person
from services.intake.problems import Refused
from services.intake.receive import Door
from services.intake.staff import case_words
from services.intake.staff.answers import answered
from services.intake.staff.case_form import (
    AREA,
    DISEASE,
    FORMS,
    NEW_CASE,
    label,
    read_change,
    read_new_case,
    read_retraction,
)
from services.intake.staff.case_page import history, overruled_fields
from services.intake.staff.case_search import page_address, read_search
from services.intake.staff.case_sending import (
    NO_FAULTS,
    CaseSender,
    Faults,
    json_response,
    new_subject,
    source_of,
    subject_prefix,
)
from services.intake.staff.forms import read_form
from services.intake.staff.ports import CaseBook
from services.intake.staff.rendering import language_of, render
from services.intake.staff.words import Language, say
from streams.domain.case import AREA as AREA_REGISTER
from streams.stores.cases import ShownCase

MOST_SUGGESTED: Final = 12
PAGE_CASES: Final = 50
_MOST_OWN: Final = 200
_LOOKS: Final = 8


@dataclass(frozen=True, slots=True)
class CasePages:
    """What the pages of cases work with.

    Attributes:
        door: Takes the events in; remembers what it took.
        book: Cases and the catalogue.
        sender: Of what forms say.
        reader: Of request bodies.
        clock: Gives an aware datetime.
    """

    door: Door
    book: CaseBook
    sender: CaseSender
    reader: BodyReader
    clock: Callable[[], datetime]

    def today(self) -> date:
        """The local day."""
        return self.clock().astimezone(LOCAL_TIMEZONE).date()


def add_case_routes(
    app: FastAPI, *, door: Door, book: CaseBook, reader: BodyReader, clock: Callable[[], datetime]
) -> None:
    """Add the pages of cases.

    Args:
        app: To which they are added.
        door: Takes the events in, as it takes those of /v1/events.
        book: Cases and the catalogue.
        reader: Of request bodies.
        clock: Gives an aware datetime.
    """
    pages = CasePages(door, book, CaseSender(door, book, clock), reader, clock)
    # Before the page of one case, whose address takes any text.
    _add_new_case(app, pages)
    _add_finding(app, pages)
    _add_case(app, pages)

    @app.get("/session.json", name="session_state")
    async def session_state(request: Request) -> Response:
        person, now = person_of(request), pages.clock()
        return json_response(
            {
                "person": str(person.id) if person else None,
                "csrf": visit_of(request).csrf if person else "",
                "now": now.timestamp() * 1_000,
            }
        )


def _add_new_case(app: FastAPI, pages: CasePages) -> None:
    @app.get("/cases/new", name="new_case")
    async def new_case(request: Request) -> Response:
        person = allow(request, "new_case")
        return await form_page(request, person, {}, NO_FAULTS)

    @app.post("/cases/new", name="send_case")
    async def send_case(request: Request) -> Response:
        person = allow(request, "send_case")
        fields = await read_form(request, pages.reader)
        vocabulary = await pages.book.vocabulary()
        reading = read_new_case(fields, vocabulary, person.area_codes, _day_of(fields, pages.today()))
        subject = fields.get("subject", "")
        done = await pages.sender.send(request, person, fields, CASE_REPORTED, subject, reading)
        return done if isinstance(done, Response) else await form_page(request, person, fields, done)

    async def form_page(
        request: Request, person: Person, fields: Mapping[str, str], faults: Faults
    ) -> Response:
        vocabulary, language = await pages.book.vocabulary(), language_of(request)
        own = vocabulary.communes_of(person.area_codes, pages.today())[:_MOST_OWN]
        values = {name: fields.get(name, "") for name in NEW_CASE}
        places = vocabulary.place_suggestions(own)
        if not fields and len(own) == 1:
            values[AREA] = places[0].value
        return render(
            request,
            "cases/new.html",
            status=faults.status,
            values=values,
            errors=faults.said(language),
            labels={name: label(name, language) for name in NEW_CASE},
            choices=_choices(language),
            diseases=vocabulary.disease_suggestions(language),
            places=places,
            subject=fields.get("subject") or new_subject(person),
            form_id=fields.get("form_id") or str(uuid4()),
            prefix=subject_prefix(person),
            script_words=_script_words(language),
        )


def _add_finding(app: FastAPI, pages: CasePages) -> None:
    @app.get("/cases", name="find_cases")
    async def find_cases(request: Request) -> Response:
        person = allow(request, "find_cases")
        codes = areas_of(request, "find_cases")
        vocabulary, language = await pages.book.vocabulary(), language_of(request)
        asked = {name: value.strip() for name, value in request.query_params.items()}
        search, errors = read_search(asked, vocabulary, codes, pages.today(), language)
        if search.text and not errors and await _is_visible(pages.book, request, "find_cases", search.text):
            return RedirectResponse(f"/cases/{quote(search.text, safe='')}", 303)
        page = max(1, int(asked["page"])) if asked.get("page", "").isdecimal() else 1
        found = (
            [] if errors else await answered(pages.book.find(search, PAGE_CASES + 1, (page - 1) * PAGE_CASES))
        )
        own = vocabulary.communes_of(person.area_codes, pages.today())[:_MOST_OWN]
        return render(
            request,
            "cases/find.html",
            status=422 if errors else 200,
            asked={
                name: asked.get(name, "") for name in ("q", DISEASE, AREA, "within", "from", "to", "days")
            },
            errors=errors,
            shown=search,
            cases=[
                {
                    "case": case,
                    "address": f"/cases/{quote(case.subject, safe='')}",
                    "disease": vocabulary.disease_name(case.disease, language) if case.disease else "–",
                    "area": vocabulary.area_label(case.area_id) if case.area_id else "–",
                    "onset": case_words.as_typed("onset_on", case.onset_on) or "–",
                    "reported": case_words.as_typed("reported_on", case.reported_on) or "–",
                    "classification": case_words.choices("classification", language)[case.classification],
                    "result": case_words.choices("lab", language).get(case.result or "", ""),
                    "outcome": case_words.choices("outcome", language)[case.outcome],
                    "age": case_words.as_typed("age_years", case.age_years),
                    "sex": case_words.choices("sex", language)[case.sex],
                }
                for case in found[:PAGE_CASES]
            ],
            is_ever=search.first == EARLIEST_DATE,
            days=(case_words.show_day(search.first), case_words.show_day(search.last)),
            page=page,
            more=page_address(asked, page + 1) if len(found) > PAGE_CASES else None,
            earlier=page_address(asked, page - 1) if page > 1 else None,
            diseases=vocabulary.disease_suggestions(language),
            places=vocabulary.place_suggestions(own),
        )

    @app.get("/places", name="find_places")
    async def find_places(request: Request) -> Response:
        person = allow(request, "find_places")
        vocabulary = await pages.book.vocabulary()
        own = vocabulary.communes_of(person.area_codes, pages.today())[:_MOST_OWN]
        text = request.query_params.get(AREA, "")[:80]
        found = vocabulary.search_places(text, pages.today(), MOST_SUGGESTED, person.area_codes)
        known = {area.id for area in own}
        places = vocabulary.place_suggestions([*own, *(area for area in found if area.id not in known)])
        return render(request, "cases/places.html", places=places)


def _add_case(app: FastAPI, pages: CasePages) -> None:
    @app.get("/cases/{subject:path}", name="show_case")
    async def show_case(request: Request, subject: str) -> Response:
        allow(request, "show_case")
        return await case_page(request, subject, "", {}, NO_FAULTS)

    @app.post("/cases/{subject:path}", name="change_case")
    async def change_case(request: Request, subject: str) -> Response:
        person = allow(request, "change_case")
        fields = await read_form(request, pages.reader)
        form = fields.get("form", "")
        vocabulary = await pages.book.vocabulary()
        event_type = CASE_UPDATED
        if form == "retract":
            reading, event_type = read_retraction(fields), CASE_RETRACTED
        elif form in FORMS:
            day = _date(fields.get("case_day", "")) or _day_of(fields, pages.today())
            reading = read_change(form, fields, vocabulary, person.area_codes, pages.today(), day)
        else:
            raise Refused("invalid-request")
        done = await pages.sender.send(request, person, fields, event_type, subject, reading)
        if isinstance(done, Response):
            return done
        return await case_page(request, subject, form, fields, done)

    async def case_page(
        request: Request, subject: str, form: str, fields: Mapping[str, str], faults: Faults
    ) -> Response:
        vocabulary, language = await pages.book.vocabulary(), language_of(request)
        sent = request.query_params.get("event", "")
        # How often the page has looked by itself: it does so ever more rarely.
        look = min(int(text), _LOOKS) if (text := request.query_params.get("look", "")).isdecimal() else 0
        shown = await answered(pages.book.read(subject))
        if shown is not None and not _is_own(request, "show_case", shown):
            shown = None
        is_sent_here = any(subject in pages.door.recent_subjects(event_id) for event_id in _uuids(sent))
        if shown is None:
            return render(
                request,
                "cases/unknown.html",
                status=200 if is_sent_here else 404,
                subject=subject,
                is_sent=is_sent_here,
                sent=sent,
                look=look,
                script_words=_script_words(language),
            )
        state = shown.state or {}
        entries = history(subject, shown.events)
        disease = vocabulary.disease(state.get(DISEASE, ""))
        values = case_words.shown_values(state, vocabulary, language)
        return render(
            request,
            "cases/show.html",
            status=faults.status,
            subject=subject,
            state=state,
            case_day=state.get("onset_on") or state.get("reported_on") or pages.today().isoformat(),
            title=vocabulary.disease_name(state[DISEASE], language) if DISEASE in state else subject,
            facts=case_words.facts(state, vocabulary, language),
            entries=case_words.history_rows(
                entries, vocabulary, language, await senders_of(request, subject)
            ),
            sent=sent,
            look=look,
            is_sent_here=is_sent_here,
            is_known=sent in {str(entry.event_id) for entry in entries},
            overruled=[
                case_words.register_label(name, vocabulary, language)
                for event_id in _uuids(sent)
                for name in overruled_fields(entries, event_id)
            ],
            deadline=next(
                (d.code for d in disease.deadlines if _is_in_force(d.valid_from, d.valid_to, pages.today())),
                "none",
            )
            if disease
            else "none",
            may_change=_may_change(request),
            form=form,
            values={**values, **{name: fields[name] for name in FORMS.get(form, ()) if name in fields}},
            was=values,
            external_ids=orjson.dumps(state.get("external_ids") or {}).decode(),
            typed=fields if form == "retract" else {},
            errors=faults.said(language),
            forms=FORMS,
            labels={name: label(name, language) for names in FORMS.values() for name in names},
            choices=_choices(language),
            agents={
                code: vocabulary.agent_name(code, language)
                for code in (vocabulary.agents_of(state.get(DISEASE)) or ())
            },
            diseases=vocabulary.disease_suggestions(language),
            severities=disease.severities if disease else (),
            form_id=str(uuid4()),
            script_words=_script_words(language),
        )


async def _is_visible(book: CaseBook, request: Request, endpoint: str, subject: str) -> bool:
    shown = await answered(book.read(subject))
    return shown is not None and _is_own(request, endpoint, shown)


def _is_own(request: Request, endpoint: str, shown: ShownCase) -> bool:
    """Whether a case lies in the person's areas, or was reported by their facility."""
    codes = areas_of(request, endpoint)
    if codes is None:
        return True
    visit = visit_of(request)
    if visit.territory is None:
        raise Refused("database-down")
    area_id = (shown.state or {}).get(AREA_REGISTER)
    if area_id is not None and visit.territory.covers_area(codes, area_id):
        return True
    person = visit.person
    return person is not None and any(event["source"] == source_of(person) for event in shown.events)


def _may_change(request: Request) -> bool:
    try:
        allow(request, "change_case")
    except Refused:
        return False
    return True


def _choices(language: Language) -> dict[str, Mapping[str, str]]:
    names = (
        "classification",
        "lab",
        "test_type",
        "outcome",
        "death_due_to",
        "origin",
        "sex",
        "vaccination",
        "reason",
    )
    return {name: case_words.choices(name, language) for name in names}


def _script_words(language: Language) -> dict[str, str]:
    """What scripts say."""
    return {name: say(language, f"queue.{name}") for name in _SCRIPT_WORDS}


_SCRIPT_WORDS: Final = (
    "queued",
    "sending",
    "refused",
    "sent",
    "overruled",
    "sign_in",
    "no_line",
    "kept",
    "mend",
    "drop",
    "drop_sure",
    "open",
    "of_others",
    "errors",
)


def _uuids(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _day_of(fields: Mapping[str, str], today: date) -> date:
    """The local day on which a form was filled in; the door judges its time."""
    try:
        return datetime.fromisoformat(fields["time"]).astimezone(LOCAL_TIMEZONE).date()
    except (KeyError, ValueError, OverflowError):
        return today


def _is_in_force(first: date | None, last: date | None, on: date) -> bool:
    return (first is None or first <= on) and (last is None or on <= last)

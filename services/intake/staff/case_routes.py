"""The pages of cases: report one, find one, see and change it. What they send goes through the door."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4, uuid5

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from schemas.events import CASE_REPORTED, CASE_RETRACTED, CASE_UPDATED, LOCAL_TIMEZONE
from schemas.events.fields import RETRACTION_REASON_VI
from services.importing.outcome import BadCell
from services.intake.body import ONE
from services.intake.documents import FieldError
from services.intake.guard import BodyReader
from services.intake.people.access import allow, areas_of, person_of, record_done, visit_of
from services.intake.people.event_rights import may_send
from services.intake.people.person import Person
from services.intake.problems import KINDS, Refused
from services.intake.receive import Door
from services.intake.staff import case_words
from services.intake.staff.answers import answered
from services.intake.staff.case_form import (
    AREA,
    DISEASE,
    FORMS,
    NEW_CASE,
    Messages,
    Reading,
    form_field,
    label,
    read_change,
    read_day,
    read_new_case,
)
from services.intake.staff.case_page import history, overruled_fields
from services.intake.staff.forms import read_form
from services.intake.staff.ports import CaseBook, CaseSearch
from services.intake.staff.rendering import language_of, render
from services.intake.staff.vocabulary import Unclear, Vocabulary
from services.intake.staff.words import Language, say
from streams.domain.case import AREA as AREA_REGISTER
from streams.domain.errors import CanhDichError
from streams.stores.cases import ShownCase

MOST_SUGGESTED: Final = 12
PAGE_CASES: Final = 50
SEARCH_DAYS: Final = 30
_MOST_OWN: Final = 200
_LOOKS: Final = 8
# No vowels and no digits: neither words nor telephone numbers come about.
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_CODE_LETTERS: Final = 8
_LONGEST_FACILITY: Final = 44

# These pass: the same form can be sent again.
_LATER: Final = frozenset({"kafka-down", "busy", "database-down"})


@dataclass(frozen=True, slots=True)
class Faults:
    """Why a form was not taken.

    Attributes:
        errors: Field of the form ("" for the form as a whole) -> what is wrong.
        status: Of the answer.
    """

    errors: Mapping[str, Sequence[Messages]]
    status: int = 422

    def said(self, language: Language) -> dict[str, str]:
        """In one language, by field."""
        return {
            name: " ".join(_said(messages, language) for messages in found)
            for name, found in self.errors.items()
        }


NO_FAULTS: Final = Faults({}, 200)

log = structlog.get_logger(__name__)


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

    def today() -> date:
        return clock().astimezone(LOCAL_TIMEZONE).date()

    @app.get("/cases/new", name="new_case")
    async def new_case(request: Request) -> Response:
        person = allow(request, "new_case")
        return await form_page(request, person, {}, NO_FAULTS)

    @app.post("/cases/new", name="send_case")
    async def send_case(request: Request) -> Response:
        person = allow(request, "send_case")
        fields = await read_form(request, reader)
        vocabulary = await book.vocabulary()
        reading = read_new_case(fields, vocabulary, person.area_codes, _day_of(fields, today()))
        subject = fields.get("subject", "")
        done = await send(request, person, fields, CASE_REPORTED, subject, reading)
        if isinstance(done, Response):
            return done
        if _wants_json(request):
            return _refused_json(done)
        return await form_page(request, person, fields, done)

    async def form_page(
        request: Request, person: Person, fields: Mapping[str, str], faults: Faults
    ) -> Response:
        vocabulary, language = await book.vocabulary(), language_of(request)
        own = vocabulary.communes_of(person.area_codes, today())[:_MOST_OWN]
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
            prefix=_prefix(person),
            script_words=_script_words(language),
        )

    async def send(
        request: Request,
        person: Person,
        fields: Mapping[str, str],
        event_type: str,
        subject: str,
        reading: Reading,
    ) -> Response | Faults:
        """Send what a form says; the answer, or what is wrong."""
        if reading.errors:
            return Faults({name: [messages] for name, messages in reading.errors.items()})
        event_id = _event_id(fields, subject, reading.data)
        if event_id is None:
            raise Refused("invalid-request")
        event = {
            "specversion": "1.0",
            "id": str(event_id),
            "source": source_of(person),
            "type": event_type,
            "subject": subject,
            "time": fields.get("time") or clock().isoformat(),
            "datacontenttype": "application/json",
            "data": reading.data,
        }
        warnings: list[Messages] = []
        try:
            receipt = await door.receive(orjson.dumps(event), ONE, may=may_send(request))
        except Refused as refused:
            if refused.kind == "conflict" and "event_id" not in fields:
                # The id is made of the content: the same form was sent twice.
                pass
            elif refused.kind in ("invalid", "conflict", "not-allowed") and refused.errors:
                return Faults(_by_field(refused.errors))
            elif refused.kind in _LATER and not _wants_json(request):
                # What was typed must not be lost with the page.
                kind = KINDS[refused.kind]
                return Faults({"": [(kind.message_vi, kind.message_en)]}, kind.status)
            else:
                raise
        else:
            warnings = [(w["message_vi"], w["message_en"]) for w in receipt["events"][0]["warnings"]]
        await record_done(request, "case-sent", subject, {"event": str(event_id), "type": event_type})
        return await answer(request, subject, event_id, event, warnings)

    async def answer(
        request: Request, subject: str, event_id: UUID, event: Mapping[str, Any], warnings: Sequence[Messages]
    ) -> Response:
        location = f"/cases/{quote(subject, safe='')}?{urlencode({'event': str(event_id)})}"
        if not _wants_json(request):
            return RedirectResponse(location, 303)
        language, vocabulary = language_of(request), await book.vocabulary()
        overruled: list[str] = []
        with suppress(CanhDichError):
            shown = await book.read(subject)
            if shown is not None:
                fields = _overruled(subject, shown, event_id, event)
                overruled = [case_words.register_label(name, vocabulary, language) for name in fields]
        return _json(
            {
                "subject": subject,
                "location": location,
                "overruled": overruled,
                "warnings": [_said(messages, language) for messages in warnings],
            },
            202,
        )

    @app.get("/cases", name="find_cases")
    async def find_cases(request: Request) -> Response:
        person = allow(request, "find_cases")
        codes = areas_of(request, "find_cases")
        vocabulary, language = await book.vocabulary(), language_of(request)
        asked = {name: value.strip() for name, value in request.query_params.items()}
        search, errors = _search(asked, vocabulary, codes, today(), language)
        if search.text and not errors and await is_visible(request, "find_cases", search.text):
            return RedirectResponse(f"/cases/{quote(search.text, safe='')}", 303)
        page = max(1, int(asked["page"])) if asked.get("page", "").isdecimal() else 1
        found = [] if errors else await answered(book.find(search, PAGE_CASES + 1, (page - 1) * PAGE_CASES))
        own = vocabulary.communes_of(person.area_codes, today())[:_MOST_OWN]
        return render(
            request,
            "cases/find.html",
            status=422 if errors else 200,
            asked={name: asked.get(name, "") for name in ("q", DISEASE, AREA, "from", "to", "days")},
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
            days=(case_words.show_day(search.first), case_words.show_day(search.last)),
            page=page,
            more=_page_address(asked, page + 1) if len(found) > PAGE_CASES else None,
            earlier=_page_address(asked, page - 1) if page > 1 else None,
            diseases=vocabulary.disease_suggestions(language),
            places=vocabulary.place_suggestions(own),
        )

    @app.get("/places", name="find_places")
    async def find_places(request: Request) -> Response:
        person = allow(request, "find_places")
        vocabulary = await book.vocabulary()
        own = vocabulary.communes_of(person.area_codes, today())[:_MOST_OWN]
        text = request.query_params.get(AREA, "")[:80]
        found = vocabulary.search_places(text, today(), MOST_SUGGESTED, person.area_codes)
        known = {area.id for area in own}
        places = vocabulary.place_suggestions([*own, *(area for area in found if area.id not in known)])
        return render(request, "cases/places.html", places=places)

    @app.get("/cases/{subject:path}", name="show_case")
    async def show_case(request: Request, subject: str) -> Response:
        allow(request, "show_case")
        return await case_page(request, subject, "", {}, NO_FAULTS)

    @app.post("/cases/{subject:path}", name="change_case")
    async def change_case(request: Request, subject: str) -> Response:
        person = allow(request, "change_case")
        fields = await read_form(request, reader)
        form = fields.get("form", "")
        vocabulary = await book.vocabulary()
        event_type = CASE_UPDATED
        if form == "retract":
            reading, event_type = _read_retraction(fields), CASE_RETRACTED
        elif form in FORMS:
            day = _date(fields.get("case_day", "")) or _day_of(fields, today())
            reading = read_change(form, fields, vocabulary, person.area_codes, today(), day)
        else:
            raise Refused("invalid-request")
        done = await send(request, person, fields, event_type, subject, reading)
        if isinstance(done, Response):
            return done
        if _wants_json(request):
            return _refused_json(done)
        return await case_page(request, subject, form, fields, done)

    async def case_page(
        request: Request, subject: str, form: str, fields: Mapping[str, str], faults: Faults
    ) -> Response:
        vocabulary, language = await book.vocabulary(), language_of(request)
        sent = request.query_params.get("event", "")
        # How often the page has looked by itself: it does so ever more rarely.
        look = min(int(text), _LOOKS) if (text := request.query_params.get("look", "")).isdecimal() else 0
        shown = await answered(book.read(subject))
        if shown is not None and not _is_own(request, "show_case", shown):
            shown = None
        is_sent_here = any(subject in door.recent_subjects(event_id) for event_id in _uuids(sent))
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
            case_day=state.get("onset_on") or state.get("reported_on") or today().isoformat(),
            title=vocabulary.disease_name(state[DISEASE], language) if DISEASE in state else subject,
            facts=case_words.facts(state, vocabulary, language),
            entries=case_words.history_rows(entries, vocabulary, language),
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
                (d.code for d in disease.deadlines if _is_in_force(d.valid_from, d.valid_to, today())), "none"
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

    async def is_visible(request: Request, endpoint: str, subject: str) -> bool:
        shown = await answered(book.read(subject))
        return shown is not None and _is_own(request, endpoint, shown)

    @app.get("/session.json", name="session_state")
    async def session_state(request: Request) -> Response:
        person, now = person_of(request), clock()
        return _json(
            {
                "person": str(person.id) if person else None,
                "csrf": visit_of(request).csrf if person else "",
                "now": now.timestamp() * 1_000,
            }
        )


def source_of(person: Person) -> str:
    """Who reports, as the contract names it: the facility, or whoever has none."""
    return f"/facilities/{quote(person.facility)}" if person.facility else f"/staff/{quote(person.username)}"


def new_subject(person: Person) -> str:
    """A code for a new case: where it is from, and letters by chance."""
    return f"{_prefix(person)}-{''.join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))}"


def _prefix(person: Person) -> str:
    return person.facility if person.facility and len(person.facility) <= _LONGEST_FACILITY else "CD"


def _event_id(fields: Mapping[str, str], subject: str, data: Mapping[str, Any]) -> UUID | None:
    """The id that the device made; else one made of the form and its content, so that a repeat is one."""
    try:
        if "event_id" in fields:
            return UUID(fields["event_id"])
        content = orjson.dumps([subject, data], option=orjson.OPT_SORT_KEYS).decode()
        return uuid5(UUID(fields.get("form_id", "")), content)
    except ValueError:
        return None


def _read_retraction(fields: Mapping[str, str]) -> Reading:
    reading = Reading({"reason": fields.get("reason", "")})
    if fields.get("duplicate_of"):
        reading.data["duplicate_of"] = fields["duplicate_of"]
    if reading.data["reason"] not in RETRACTION_REASON_VI:
        reading.errors["reason"] = (say("vi", "cases.reason_missing"), say("en", "cases.reason_missing"))
    if fields.get("confirm") != "yes":
        reading.errors["confirm"] = (say("vi", "cases.confirm_missing"), say("en", "cases.confirm_missing"))
    return reading


def _overruled(subject: str, shown: ShownCase, event_id: UUID, event: Mapping[str, Any]) -> list[str]:
    """What of an event, perhaps not yet folded, does not stand beside what is known."""
    own = {
        "event_id": event_id,
        "event_type": event["type"],
        "event_time": datetime.fromisoformat(event["time"]),
        "known_at": None,
        "source": event["source"],
        "data": event["data"],
        "area_id": event["data"].get("area_code"),
        "parked_reason": None,
    }
    others = [row for row in shown.events if row["event_id"] != event_id]
    return overruled_fields(history(subject, [*others, own]), event_id)


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


def _search(
    asked: Mapping[str, str],
    vocabulary: Vocabulary,
    codes: tuple[str, ...] | None,
    today: date,
    language: Language,
) -> tuple[CaseSearch, dict[str, str]]:
    errors: dict[str, str] = {}
    disease = None
    if asked.get(DISEASE):
        try:
            disease = vocabulary.find_disease(asked[DISEASE]).code
        except Unclear as unclear:
            errors[DISEASE] = _said((unclear.message_vi, unclear.message_en), language)
    if asked.get(AREA):
        try:
            area = vocabulary.find_present_place(asked[AREA], today)
        except Unclear as unclear:
            errors[AREA] = _said((unclear.message_vi, unclear.message_en), language)
        else:
            if codes is None or vocabulary.codes_around(area) & set(codes):
                codes = (area.code,)
            else:
                # More than what is theirs was asked for: what is theirs of it, perhaps nothing.
                codes = tuple(code for code in codes if vocabulary.lies_in(code, area, today))
    last = _asked_day(asked, "to", today, errors, language) or today
    first = _asked_day(asked, "from", today, errors, language) or last - timedelta(days=SEARCH_DAYS - 1)
    if first > last:
        errors["from"] = say(language, "cases.first_after_last")
    return (
        CaseSearch(codes, asked.get("q", "")[:64], disease, first, last, asked.get("days") == "onset"),
        errors,
    )


def _asked_day(
    asked: Mapping[str, str], name: str, today: date, errors: dict[str, str], language: Language
) -> date | None:
    if not asked.get(name):
        return None
    try:
        return read_day(asked[name], today)
    except BadCell:
        errors[name] = say(language, "cases.no_date")
        return None


def _page_address(asked: Mapping[str, str], page: int) -> str:
    return "?" + urlencode({**{name: value for name, value in asked.items() if value}, "page": page})


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


def _by_field(errors: Sequence[FieldError]) -> dict[str, list[Messages]]:
    found: dict[str, list[Messages]] = {}
    for error in errors:
        found.setdefault(form_field(error["field"]), []).append((error["message_vi"], error["message_en"]))
    return found


def _said(messages: Messages, language: Language) -> str:
    return messages[0] if language == "vi" else messages[1]


def _refused_json(faults: Faults) -> Response:
    kind = KINDS["invalid"]
    return _json(
        {
            "title": kind.title,
            "status": kind.status,
            "errors": [
                {"field": name, "message_vi": vi, "message_en": en}
                for name, found in faults.errors.items()
                for vi, en in found
            ],
        },
        kind.status,
    )


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _json(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, {"Cache-Control": "no-store"}, "application/json")


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

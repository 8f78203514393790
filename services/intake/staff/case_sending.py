"""From a form about a case to its event, sent through the door of /v1/events; told to page or script."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5

import orjson
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.intake.body import ONE
from services.intake.documents import FieldError
from services.intake.people.access import record_done
from services.intake.people.event_rights import may_send
from services.intake.people.person import Person
from services.intake.problems import KINDS, Refused
from services.intake.receive import Door
from services.intake.staff import case_words
from services.intake.staff.case_form import Messages, Reading, form_field, in_language
from services.intake.staff.case_page import history, overruled_fields
from services.intake.staff.ports import CaseBook
from services.intake.staff.rendering import language_of
from services.intake.staff.words import Language
from streams.domain.errors import CanhDichError
from streams.stores.cases import ShownCase

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
            name: " ".join(in_language(messages, language) for messages in found)
            for name, found in self.errors.items()
        }


NO_FAULTS: Final = Faults({}, 200)


class CaseSender:
    """Sends what forms say.

    Args:
        door: Takes the events in, as it takes those of /v1/events.
        book: Cases and the catalogue.
        clock: Gives an aware datetime.
    """

    def __init__(self, door: Door, book: CaseBook, clock: Callable[[], datetime]) -> None:
        self._door = door
        self._book = book
        self._clock = clock

    async def send(
        self,
        request: Request,
        person: Person,
        fields: Mapping[str, str],
        event_type: str,
        subject: str,
        reading: Reading,
    ) -> Response | Faults:
        """Send what a form says: the answer, or what is wrong for the page that is to be shown again.

        Args:
            request: Of the form.
            person: Who sends it.
            fields: Of the form, with what the device added: event_id, time.
            event_type: What happened to the case.
            subject: The case's code.
            reading: What the fields say.
        """
        done = await self._tried(request, person, fields, event_type, subject, reading)
        return refused_json(done) if isinstance(done, Faults) and wants_json(request) else done

    async def _tried(
        self,
        request: Request,
        person: Person,
        fields: Mapping[str, str],
        event_type: str,
        subject: str,
        reading: Reading,
    ) -> Response | Faults:
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
            "time": fields.get("time") or self._clock().isoformat(),
            "datacontenttype": "application/json",
            "data": reading.data,
        }
        warnings: list[Messages] = []
        try:
            receipt = await self._door.receive(orjson.dumps(event), ONE, may=may_send(request))
        except Refused as refused:
            if refused.kind == "conflict" and "event_id" not in fields:
                # The id is made of the content: the same form was sent twice.
                pass
            elif refused.kind in ("invalid", "conflict", "not-allowed") and refused.errors:
                return Faults(_by_field(refused.errors))
            elif refused.kind in _LATER and not wants_json(request):
                # What was typed must not be lost with the page.
                kind = KINDS[refused.kind]
                return Faults({"": [(kind.message_vi, kind.message_en)]}, kind.status)
            else:
                raise
        else:
            warnings = [(w["message_vi"], w["message_en"]) for w in receipt["events"][0]["warnings"]]
        await record_done(request, "case-sent", subject, {"event": str(event_id), "type": event_type})
        return await self._answer(request, subject, event_id, event, warnings)

    async def _answer(
        self,
        request: Request,
        subject: str,
        event_id: UUID,
        event: Mapping[str, Any],
        warnings: Sequence[Messages],
    ) -> Response:
        location = f"/cases/{quote(subject, safe='')}?{urlencode({'event': str(event_id)})}"
        if not wants_json(request):
            return RedirectResponse(location, 303)
        language, vocabulary = language_of(request), await self._book.vocabulary()
        overruled: list[str] = []
        with suppress(CanhDichError):
            shown = await self._book.read(subject)
            if shown is not None:
                fields = _overruled(subject, shown, event_id, event)
                overruled = [case_words.register_label(name, vocabulary, language) for name in fields]
        return json_response(
            {
                "subject": subject,
                "location": location,
                "overruled": overruled,
                "warnings": [in_language(messages, language) for messages in warnings],
            },
            202,
        )


def source_of(person: Person) -> str:
    """Who reports, as the contract names it: the facility, or whoever has none."""
    return f"/facilities/{quote(person.facility)}" if person.facility else f"/staff/{quote(person.username)}"


def new_subject(person: Person) -> str:
    """A code for a new case: where it is from, and letters by chance."""
    return f"{subject_prefix(person)}-{''.join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))}"


def subject_prefix(person: Person) -> str:
    """How the codes of somebody's new cases begin."""
    return person.facility if person.facility and len(person.facility) <= _LONGEST_FACILITY else "CD"


def refused_json(faults: Faults) -> Response:
    """Why a form was not taken, for a script."""
    kind = KINDS["invalid"]
    return json_response(
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


def wants_json(request: Request) -> bool:
    """Whether a script asks; people get pages."""
    return "application/json" in request.headers.get("accept", "")


def json_response(document: object, status: int = 200) -> Response:
    """For a script, and kept by nobody."""
    return Response(orjson.dumps(document), status, {"Cache-Control": "no-store"}, "application/json")


def _event_id(fields: Mapping[str, str], subject: str, data: Mapping[str, Any]) -> UUID | None:
    """The id that the device made; else one made of the form and its content, so that a repeat is one."""
    try:
        if "event_id" in fields:
            return UUID(fields["event_id"])
        content = orjson.dumps([subject, data], option=orjson.OPT_SORT_KEYS).decode()
        return uuid5(UUID(fields.get("form_id", "")), content)
    except ValueError:
        return None


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


def _by_field(errors: Sequence[FieldError]) -> dict[str, list[Messages]]:
    found: dict[str, list[Messages]] = {}
    for error in errors:
        found.setdefault(form_field(error["field"]), []).append((error["message_vi"], error["message_en"]))
    return found

"""What became of an event, asked by its id: `GET /v1/events/{event_id}`."""

from collections.abc import Callable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from schemas.events.common import ANY_SUBJECT_PATTERN
from services.intake.asking import answered, json_answer, own_areas, uuid_of, valid
from services.intake.documents import DeadLetterNote, EventReceipt, EventReceipts
from services.intake.people.access import allow
from services.intake.people.rights import Right, right_of
from services.intake.ports import Knowledge
from services.intake.problems import Refused
from services.intake.receive import WARNINGS, Door
from streams.domain.receipts import BuriedEvent, Fate, JournaledEvent


class ReceiptQuery(BaseModel):
    """Which of the events with an id."""

    model_config = ConfigDict(extra="forbid")
    subject: Annotated[
        str | None,
        Field(
            pattern=ANY_SUBJECT_PATTERN,
            description="Only of this subject: an event is known by its subject and id together.",
        ),
    ] = None


def add_receipt_routes(app: FastAPI, door: Door, known: Knowledge) -> None:
    """Serve GET /v1/events/{event_id}."""

    @app.get("/v1/events/{event_id}")
    async def get_event(event_id: str, request: Request) -> Response:
        is_theirs = _own(request)
        asked = uuid_of(event_id, "event-not-found")
        subject = valid(ReceiptQuery, dict(request.query_params)).subject
        accepted = [
            found
            for found, source in door.recent_subjects(asked).items()
            if subject in (None, found) and is_theirs(source, None)
        ]
        fate = await answered(known.fate(asked, subject))
        seen = Fate(
            asked,
            [event for event in fate.journaled if is_theirs(event.source, event.area_id)],
            [letter for letter in fate.buried if is_theirs(letter.source, None)],
        )
        document = receipts(seen, accepted)
        if not document["events"]:
            raise Refused("event-not-found")
        return json_answer(document)


def _own(request: Request) -> Callable[[str | None, str | None], bool]:
    """Whether somebody may see what became of an event, by its source and the id of its area.

    A reporter sees the events of their facility and of their areas.
    """
    person = allow(request, "get_event")
    is_everywhere = person.facility is None and not person.area_codes
    if is_everywhere or right_of(person.role, "get_event") is Right.ALL:
        return lambda _source, _area_id: True
    covers = own_areas(request, "get_event") if person.area_codes else lambda _area_id: False
    own_source = None if person.facility is None else f"/facilities/{person.facility}"
    return lambda source, area_id: (
        (own_source is not None and source == own_source) or (area_id is not None and covers(area_id))
    )


def receipts(fate: Fate, accepted: Sequence[str]) -> EventReceipts:
    """The receipts of an event id.

    Args:
        fate: What the database knows.
        accepted: Subjects whose event with this id Kafka acknowledged lately.
    """
    found = [
        _journaled(fate.event_id, event, [b for b in fate.buried if b.subject == event.subject])
        for event in fate.journaled
    ]
    journaled = {event.subject for event in fate.journaled}
    dead: dict[str | None, list[BuriedEvent]] = {}
    for letter in fate.buried:
        if letter.subject not in journaled:
            dead.setdefault(letter.subject, []).append(letter)
    found += [_elsewhere(fate.event_id, subject, letters) for subject, letters in dead.items()]
    found += [
        _elsewhere(fate.event_id, subject, ()) for subject in accepted if subject not in {*journaled, *dead}
    ]
    return {"id": str(fate.event_id), "events": found}


def _journaled(event_id: UUID, event: JournaledEvent, letters: Sequence[BuriedEvent]) -> EventReceipt:
    return {
        "subject": event.subject,
        "id": str(event_id),
        "state": "parked" if event.parked else "overruled" if event.is_overruled else "counted",
        "type": event.event_type,
        "known_at": event.known_at.isoformat(),
        "is_counted": event.is_counted,
        "parked": None if event.parked is None else WARNINGS[event.parked.reason],
        "overruled": list(event.overruled),
        "dead_letters": [_note(letter) for letter in letters],
    }


def _elsewhere(event_id: UUID, subject: str | None, letters: Sequence[BuriedEvent]) -> EventReceipt:
    """Of an event that is not in the journal."""
    return {
        "subject": subject,
        "id": str(event_id),
        "state": "dead_lettered" if letters else "accepted",
        "type": None,
        "known_at": None,
        "is_counted": False,
        "parked": None,
        "overruled": [],
        "dead_letters": [_note(letter) for letter in letters],
    }


def _note(letter: BuriedEvent) -> DeadLetterNote:
    return {
        "dead_letter_id": letter.dead_letter_id,
        "known_at": letter.known_at.isoformat(),
        "error": letter.error,
        "problems": [
            {
                "field": problem["field"],
                "code": problem["code"],
                "message_vi": problem["message_vi"],
                "message_en": problem["message_en"],
            }
            for problem in letter.problems
        ],
        "retried_at": None if letter.retried_at is None else letter.retried_at.isoformat(),
    }

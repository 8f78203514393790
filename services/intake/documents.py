"""The JSON documents that the door answers with; the OpenAPI description is made from these types."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Outcome = Literal["accepted", "unchanged", "repeat", "unconfirmed"]
LineResult = Literal["accepted", "unchanged", "repeat", "refused"]
EventState = Literal["accepted", "counted", "overruled", "parked", "dead_lettered"]
State = Literal["up", "down"]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class FieldError(TypedDict):
    """One fault. It never repeats what was sent."""

    index: Annotated[
        int | None,
        Field(description="Position of the event in the list, from 0; null: the request as a whole."),
    ]
    field: Annotated[
        str, Field(description="Dotted path such as `data.onset_on`; empty: the event as a whole.")
    ]
    code: str
    message_vi: str
    message_en: str


class FieldWarning(TypedDict):
    """Something that the sender should look at although the event was accepted."""

    field: str
    code: Literal["unknown_disease", "unknown_area"]
    message_vi: str
    message_en: str


class DeadLetterProblem(TypedDict):
    """One reason why a record could not be used. It never repeats what was sent."""

    field: str
    code: str
    message_vi: str
    message_en: str


class EventOutcome(TypedDict):
    """What became of one event."""

    index: Annotated[int, Field(description="Position of the event in the list, from 0.")]
    subject: str
    id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    outcome: Annotated[
        Outcome,
        Field(
            description="accepted: Kafka has it. unchanged: the journal had it already. repeat: the same "
            "as an earlier event of this list. unconfirmed (only with 503): nobody knows, send it again."
        ),
    ]
    warnings: list[FieldWarning]


class Receipt(TypedDict):
    """Answer to a request whose every event is safe."""

    accepted: int
    unchanged: int
    repeats: int
    events: list[EventOutcome]


class LineOutcome(TypedDict):
    """What became of one line of NDJSON."""

    index: Annotated[
        int, Field(description="Position of the line, from 0; a line without anything is not listed.")
    ]
    subject: Annotated[
        str | None, Field(description="null where the event is refused for another fault than a conflict.")
    ]
    id: Annotated[str | None, Field(json_schema_extra={"format": "uuid"})]
    outcome: Annotated[
        LineResult,
        Field(
            description="accepted: Kafka has it. unchanged: the journal had it already. repeat: the same "
            "as an earlier line. refused: nothing of it was kept; errors says why."
        ),
    ]
    warnings: list[FieldWarning]
    errors: list[FieldError]


class BulkReceipt(TypedDict):
    """Answer to NDJSON: each line is an act of its own, and each that is not refused is safe."""

    accepted: int
    unchanged: int
    repeats: int
    refused: int
    lines: list[LineOutcome]


class DeadLetterNote(TypedDict):
    """Why a record of an event could not be used, and since when."""

    dead_letter_id: Annotated[int, Field(description="As `canhdich dead-letters list` shows it.")]
    known_at: Instant
    error: str
    problems: list[DeadLetterProblem]
    retried_at: Annotated[
        Instant | None, Field(description="When it was sent again, repaired; null: nobody did.")
    ]


class EventReceipt(TypedDict):
    """What became of one event."""

    subject: Annotated[
        str | None,
        Field(description="null: the record was dead-lettered and its subject not fit to be kept."),
    ]
    id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    state: Annotated[
        EventState,
        Field(
            description="accepted: Kafka has it, the stream has not read it yet. counted: it is in the "
            "journal and in its case (tally, focus). overruled: it is in the journal, and later entries have "
            "set everything that it set. parked: it is in the journal and waits for the catalogue; parked "
            "says for what. dead_lettered: the stream refused it; dead_letters says why."
        ),
    ]
    type: Annotated[str | None, Field(description="CloudEvents type; null where it is not in the journal.")]
    known_at: Annotated[
        Instant | None,
        Field(description="When the system learned of it; null where it is not in the journal."),
    ]
    is_counted: Annotated[
        bool, Field(description="Whether its case (tally, focus) counts at present: not, once retracted.")
    ]
    parked: Annotated[FieldWarning | None, Field(description="Which code the catalogue does not know.")]
    overruled: Annotated[
        list[str], Field(description="Fields that it set and that a later entry has set again.")
    ]
    dead_letters: Annotated[
        list[DeadLetterNote],
        Field(description="Records with this id that were refused, also beside one that counts: a conflict."),
    ]


class EventReceipts(TypedDict):
    """Answer to a question for an event id: one receipt for each subject that it was used with."""

    id: Annotated[str, Field(json_schema_extra={"format": "uuid"})]
    events: list[EventReceipt]


class Problem(TypedDict):
    """RFC 9457 (application/problem+json), with the sentences also in Vietnamese."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: int
    detail: str
    message_vi: str
    message_en: str
    errors: list[FieldError]
    events: NotRequired[
        Annotated[
            list[EventOutcome], Field(description="Only with 503: which events Kafka has all the same.")
        ]
    ]


class Dependency(TypedDict):
    """Whether a server answers."""

    state: State
    message_vi: str
    message_en: str


class Readiness(TypedDict):
    """Whether the door can do its work. Degraded: events are accepted, known repeats are not recognised."""

    status: Literal["ready", "degraded", "down"]
    kafka: Dependency
    database: Dependency
    installation: Annotated[str, Field(description="Which installation this is; empty where it has no name.")]


class Liveness(TypedDict):
    """The process answers."""

    status: Literal["alive"]

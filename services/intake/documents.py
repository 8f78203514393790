"""The JSON documents that the door answers with; the OpenAPI description is made from these types."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Outcome = Literal["accepted", "unchanged", "repeat", "unconfirmed"]
State = Literal["up", "down"]


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


class Liveness(TypedDict):
    """The process answers."""

    status: Literal["alive"]

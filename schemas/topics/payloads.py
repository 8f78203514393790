"""What stands in the topics that carry no events: moved counts, alerts, and the dead letters' headers."""

from typing import Annotated, Any, Literal, Required

from pydantic import AfterValidator, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from schemas.events.common import (
    AGENT_PATTERN,
    STRICT,
    AreaCode,
    DateText,
    DiseaseCode,
    EventId,
    Instant,
    calendar_date,
)

AreaId = Annotated[
    str, Field(pattern=r"^(?:[0-9]{2}|[0-9]{3}|[0-9]{5})@(?:start|[0-9]{4}-[0-9]{2}-[0-9]{2})$")
]
Day = Annotated[DateText, AfterValidator(calendar_date)]
DeadLetterError = Literal["invalid_event", "misplaced_record", "identity_conflict", "refused_by_database"]
WholeNumberText = Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]
# A JSON array of problems, each with field, code, message_vi and message_en.
ProblemsText = Annotated[str, Field(pattern=r"^\[.+\]$")]


@with_config(STRICT)
class CountChangeV1(TypedDict, total=False):
    """Counts of one disease and area have moved: read them again, they are not repeated here."""

    disease: Required[DiseaseCode]
    area_code: Required[AreaCode]
    area_id: Required[AreaId]


@with_config(STRICT)
class AlertV1(TypedDict, total=False):
    """An alert was opened or has changed: wakes the notifier, who reads the rest from the table `alerts`."""

    alert_id: Required[EventId]
    rule: Required[Annotated[str, Field(pattern=AGENT_PATTERN)]]
    disease: Required[DiseaseCode]
    area_code: Required[AreaCode]
    area_id: Required[AreaId]
    on: Required[Day]
    state: Required[Literal["raised", "acknowledged", "verified", "dismissed", "closed"]]
    known_at: Required[Instant]


DeadLetterHeaders = TypedDict(
    "DeadLetterHeaders",
    {
        "error": Required[DeadLetterError],
        "error-detail": Required[ProblemsText],
        "topic": Required[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]],
        "partition": Required[WholeNumberText],
        "offset": Required[WholeNumberText],
        # Of an identity conflict: the event that stands, as JSON.
        "standing": Annotated[str, Field(pattern=r"^\{.+\}$")],
    },
    total=False,
)
DeadLetterHeaders.__doc__ = "Why a record was put aside and where it stood; the value is the redacted record."
with_config(STRICT)(DeadLetterHeaders)

COUNT_CHANGE: TypeAdapter[Any] = TypeAdapter(CountChangeV1)
ALERT: TypeAdapter[Any] = TypeAdapter(AlertV1)
DEAD_LETTER_HEADERS: TypeAdapter[Any] = TypeAdapter(DeadLetterHeaders)

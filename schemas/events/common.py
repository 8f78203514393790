"""What all events share: limits, field types, the CloudEvents envelope, the parsed event and its faults."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal, Required
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, GetPydanticSchema, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import TypedDict

CASE_REPORTED = "vn.canhdich.case.reported.v1"
CASE_UPDATED = "vn.canhdich.case.updated.v1"
CASE_RETRACTED = "vn.canhdich.case.retracted.v1"
TALLY_REPORTED = "vn.canhdich.tally.reported.v1"
FOCUS_REPORTED = "vn.canhdich.focus.reported.v1"
CASE_TYPES: frozenset[str] = frozenset({CASE_REPORTED, CASE_UPDATED, CASE_RETRACTED})
TALLY_TYPES: frozenset[str] = frozenset({TALLY_REPORTED})
FOCUS_TYPES: frozenset[str] = frozenset({FOCUS_REPORTED})
EVENT_TYPES: frozenset[str] = CASE_TYPES | TALLY_TYPES | FOCUS_TYPES

LOCAL_TIMEZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DOOR_MAX_AHEAD = timedelta(minutes=5)
# Wider than the door's: what the door let in must not be refused by a stream whose clock is a little behind.
STREAM_MAX_AHEAD = timedelta(minutes=10)
EARLIEST_DATE = date(1990, 1, 1)
EARLIEST_INSTANT = datetime(1990, 1, 1, tzinfo=LOCAL_TIMEZONE).astimezone(UTC)
MAX_BYTES = 64 * 1024
# More faults than an event has fields are noise, and would not fit into a dead letter's headers.
MAX_PROBLEMS = 100
MAX_LAB_AGENTS = 20
MAX_EXTERNAL_IDS = 10
MAX_PERSONS = 10_000_000
MAX_TALLY = 1_000_000_000
# A yearly table is drawn up before its year ends; further ahead is a typing error.
MAX_PERIOD_AHEAD = timedelta(days=366)

STRICT = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

DISEASE_PATTERN = r"^[a-z0-9_]{1,64}$"
AREA_CODE_PATTERN = r"^(?:[0-9]{2}|[0-9]{3}|[0-9]{5})$"
AGENT_PATTERN = r"^[a-z0-9_]{1,40}$"
SUBJECT_PATTERN = r"^[A-Za-z0-9._/-]{1,64}$"
CODE_PATTERN = SUBJECT_PATTERN
# A tally's subject is made of codes and days.
ANY_SUBJECT_PATTERN = r"^[A-Za-z0-9._/|-]{1,200}$"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
INSTANT_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
DATE_OR_INSTANT_PATTERN = f"{DATE_PATTERN}|{INSTANT_PATTERN}"
UUID_PATTERN = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
SOURCE_PATTERN = r"^(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$"


def clean_text(value: str, *, limit: int) -> str:
    """Bring free text to one form: NFC, every kind of space as U+0020, no space around it.

    Args:
        value: What was typed.
        limit: Longest allowed result, in characters.

    Returns:
        The text in that form, 1 to `limit` characters.

    Raises:
        PydanticCustomError: `invisible` for control, direction and zero-width characters (the database
            refuses some, and the rest would hide what a value says), `blank`, or `string_too_long`.
    """
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    if not value.isprintable():
        value = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in value)
        if not value.isprintable():
            raise PydanticCustomError("invisible", "Text holds control or invisible characters")
    value = value.strip(" ")
    if not value:
        raise PydanticCustomError("blank", "Text is blank")
    if len(value) > limit:
        raise PydanticCustomError("string_too_long", "Text is too long", {"max_length": limit})
    return value


def _text_schema(limit: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": limit, "pattern": r"\S"})


Text40 = Annotated[str, AfterValidator(partial(clean_text, limit=40)), _text_schema(40)]
Text64 = Annotated[str, AfterValidator(partial(clean_text, limit=64)), _text_schema(64)]
Text80 = Annotated[str, AfterValidator(partial(clean_text, limit=80)), _text_schema(80)]
Text120 = Annotated[str, AfterValidator(partial(clean_text, limit=120)), _text_schema(120)]


def calendar_date(value: str) -> str:
    """Pass a date of the right form on if the calendar has it."""
    try:
        date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date_parsing", "No such date in the calendar") from None
    return value


# Dates and instants of the data stay text here: the calendar, the limits and the order between them are
# judged afterwards (parse.py), so that one wrong field does not hide the faults of the others.
DateText = Annotated[str, Field(pattern=DATE_PATTERN, json_schema_extra={"format": "date"})]
DateOrInstantText = Annotated[str, Field(pattern=DATE_OR_INSTANT_PATTERN)]
# Text of exactly one form, and only then a UUID or a datetime: pydantic's own types take other forms too.
EventId = Annotated[
    UUID,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.chain_schema(
            [core_schema.str_schema(pattern=UUID_PATTERN, strict=True), core_schema.uuid_schema(strict=False)]
        )
    ),
    WithJsonSchema({"type": "string", "format": "uuid", "pattern": UUID_PATTERN}),
]
Instant = Annotated[
    datetime,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.chain_schema(
            [
                core_schema.str_schema(pattern=INSTANT_PATTERN, strict=True),
                core_schema.datetime_schema(strict=False),
            ]
        )
    ),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN}),
]

# 2 and 2.0 are the same JSON number: whole numbers are read as floats without a fraction, and made int later.
Persons = Annotated[
    float,
    Field(ge=0, le=MAX_PERSONS, multiple_of=1, allow_inf_nan=False, json_schema_extra={"type": "integer"}),
]
TallyNumber = Annotated[
    float,
    Field(ge=0, le=MAX_TALLY, multiple_of=1, allow_inf_nan=False, json_schema_extra={"type": "integer"}),
]
Doses = Annotated[
    float, Field(ge=0, le=20, multiple_of=1, allow_inf_nan=False, json_schema_extra={"type": "integer"})
]
AgeYears = Annotated[float, Field(ge=0, le=130, allow_inf_nan=False)]

DiseaseCode = Annotated[str, Field(pattern=DISEASE_PATTERN)]
AreaCode = Annotated[str, Field(pattern=AREA_CODE_PATTERN)]
AgentCode = Annotated[str, Field(pattern=AGENT_PATTERN)]
SubjectCode = Annotated[str, Field(pattern=SUBJECT_PATTERN)]
Code = Annotated[str, Field(pattern=CODE_PATTERN)]


class Envelope(TypedDict, total=False):
    """The CloudEvents 1.0 attributes that every event carries; each event adds its type, subject and data."""

    specversion: Required[Literal["1.0"]]
    id: Required[EventId]
    source: Required[
        Annotated[
            str,
            Field(pattern=SOURCE_PATTERN, max_length=200, json_schema_extra={"format": "uri-reference"}),
        ]
    ]
    time: Required[Instant]
    datacontenttype: Literal["application/json"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of one field, in words for the person who can mend it.

    Attributes:
        field: Dotted path such as `data.onset_on` or `subject`; empty for the record as a whole.
        code: Kind of fault, one of `messages.CODES`.
        message_vi: What is wrong and what to do, in Vietnamese.
        message_en: The same in English.
    """

    field: str
    code: str
    message_vi: str
    message_en: str


class InvalidEvent(ValueError):
    """A record that is no event of the contract: mend it and send it again, the same bytes will fail again.

    Its text never repeats the value of an unknown field nor what looks like a person's identifier.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(
            "; ".join(f"{problem.field or 'record'}: {problem.message_en}" for problem in problems)
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A validated event.

    Attributes:
        id: Identifies the event among those of its subject.
        source: Who sent it (a URI reference).
        type: One of `EVENT_TYPES`.
        subject: The case's, focus's or tally's own code.
        time: When the reporter recorded the fact, in UTC.
        data: Only the fields that were sent; None where null was sent. Dates are `date`, instants are
            `datetime` in UTC, `age_years` is float, other numbers are int, `lab` and `external_ids` are dict.
        content_hash: BLAKE2b-256 of the canonical JSON (32 bytes): equal for two spellings of one content.
    """

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    content_hash: bytes

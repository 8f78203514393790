"""From the fields of a case's form to the data of its event. Pure: the catalogue and the day come in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import orjson

from schemas.events.fields import FIELDS, RETRACTION_REASON_VI
from services.importing.outcome import BadCell
from services.importing.values import convert, to_date
from services.intake.staff.vocabulary import Unclear, Vocabulary
from services.intake.staff.words import Language, say

DISEASE: Final = "disease"
AREA: Final = "area"
LAB: Final = "lab"
LAB_AGENT: Final = "lab_agent"
REGISTER: Final = "register"
"""The number of the case in the facility's own book."""

SENT_AS: Final[Mapping[str, str]] = {AREA: "area_code", REGISTER: "external_ids"}
"""Fields of the form that the event calls otherwise; every other one has the event's name."""

NEW_CASE: Final = (
    DISEASE,
    AREA,
    "hamlet",
    "onset_on",
    "reported_on",
    "sex",
    "age_years",
    "classification",
    LAB,
    "test_type",
    "outcome",
    "died_at",
    "hospitalised",
    "admitted_on",
    "severity",
    "vaccination",
    "doses",
    "origin",
    REGISTER,
)
FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "lab": (LAB_AGENT, LAB, "test_type", "sampled_on"),
    "diagnosis": ("classification", DISEASE, "severity"),
    "outcome": ("outcome", "hospitalised", "admitted_on", "discharged_on", "died_at", "death_due_to"),
    "place": (AREA, "hamlet", "origin"),
    "person": ("onset_on", "reported_on", "sex", "age_years", "vaccination", "doses", REGISTER),
}
"""The forms of a case's page: what each can change."""

DATES: Final = frozenset({"onset_on", "reported_on", "admitted_on", "sampled_on", "discharged_on", "died_at"})
WAS: Final = "was."
"""Before a field's name: what the form showed when it was opened."""

_DAY_MONTH = re.compile(r"(\d{1,2})[-/. ](\d{1,2})")
_EIGHT_DIGITS = re.compile(r"(\d{2})(\d{2})(\d{4})")
_MONTHS = re.compile(r"(\d{1,2}(?:[.,]\d)?)\s*(?:th[aá]ng|th|months?|mo)\.?", re.IGNORECASE)
_YEARS = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:tu[oổ]i|years?|y)\.?", re.IGNORECASE)

Messages = tuple[str, str]
"""Vietnamese, English."""


def in_language(messages: Messages, language: Language) -> str:
    """The one of the two that is asked for."""
    return messages[0] if language == "vi" else messages[1]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a form says.

    Attributes:
        data: As the event has it; only what could be read.
        errors: Field of the form -> what is wrong and what to do.
    """

    data: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Messages] = field(default_factory=dict)


def read_new_case(
    fields: Mapping[str, str], vocabulary: Vocabulary, own_codes: Sequence[str], today: date
) -> Reading:
    """The data of a report. Fields left empty are not sent."""
    filled = {name: fields[name] for name in NEW_CASE if fields.get(name)}
    reading = _read(filled, fields, vocabulary, own_codes, today, today)
    for name in (DISEASE, AREA):
        if name not in filled:
            reading.errors[name] = (say("vi", f"cases.{name}_missing"), say("en", f"cases.{name}_missing"))
    return reading


def read_change(
    form: str,
    fields: Mapping[str, str],
    vocabulary: Vocabulary,
    own_codes: Sequence[str],
    today: date,
    case_day: date,
) -> Reading:
    """The data of an update: only what differs from what the form showed; what was emptied becomes null.

    Args:
        form: One of FORMS.
        fields: As sent, with what was shown under `was.<field>`.
        vocabulary: The catalogue.
        own_codes: Present codes of the typist's areas.
        today: The local date.
        case_day: The day on which a place's code or name is read.
    """
    changed = {
        name: fields[name]
        for name in FORMS[form]
        if name in fields and fields[name] != fields.get(WAS + name, "")
    }
    changed.pop(LAB_AGENT, None)
    reading = _read(changed, fields, vocabulary, own_codes, today, case_day)
    if not changed:
        reading.errors[""] = (say("vi", "cases.nothing_changed"), say("en", "cases.nothing_changed"))
    if "external_ids" in reading.data:
        # One register holds the case's ids in all systems: the others stay.
        reading.data["external_ids"] = _merged_ids(fields, reading.data["external_ids"]) or None
    if "area_code" in reading.data:
        # An update has no day of onset of its own by which its code would be read.
        reading.data.setdefault("area_on", case_day.isoformat())
    return reading


def read_retraction(fields: Mapping[str, str]) -> Reading:
    """What the form says with which a case is taken back."""
    reading = Reading({"reason": fields.get("reason", "")})
    if fields.get("duplicate_of"):
        reading.data["duplicate_of"] = fields["duplicate_of"]
    if reading.data["reason"] not in RETRACTION_REASON_VI:
        reading.errors["reason"] = (say("vi", "cases.reason_missing"), say("en", "cases.reason_missing"))
    if fields.get("confirm") != "yes":
        reading.errors["confirm"] = (say("vi", "cases.confirm_missing"), say("en", "cases.confirm_missing"))
    return reading


def _read(
    filled: Mapping[str, str],
    fields: Mapping[str, str],
    vocabulary: Vocabulary,
    own_codes: Sequence[str],
    today: date,
    day: date,
) -> Reading:
    reading = Reading()
    data, errors = reading.data, reading.errors
    for name, text in filled.items():
        if name in (DISEASE, AREA):
            continue
        try:
            data[SENT_AS.get(name, name)] = _value(name, text, today)
        except BadCell as bad:
            errors[name] = (bad.message_vi, bad.message_en)
    # The contract's own order: the day of onset, else of the report, else of the recording.
    read_on = data.get("onset_on") or data.get("reported_on")
    day = date.fromisoformat(read_on) if read_on else day
    try:
        if filled.get(DISEASE):
            data[DISEASE] = vocabulary.find_disease(filled[DISEASE]).code
    except Unclear as unclear:
        errors[DISEASE] = (unclear.message_vi, unclear.message_en)
    try:
        if filled.get(AREA):
            found = vocabulary.find_place(filled[AREA], day, own_codes)
            data["area_code"] = found.area.code
            if found.on is not None:
                data["area_on"] = found.on.isoformat()
    except Unclear as unclear:
        errors[AREA] = (unclear.message_vi, unclear.message_en)
    for name in (DISEASE, AREA):
        # A case without a disease or a place would no longer count; that is what retracting is for.
        if name in filled and not filled[name]:
            errors[name] = (say("vi", f"cases.{name}_missing"), say("en", f"cases.{name}_missing"))
    if LAB in data:
        agent = fields.get(LAB_AGENT) or data.get(DISEASE)
        if agent:
            data[LAB] = {agent: data[LAB]}
        else:
            del data[LAB]
    return reading


def _value(name: str, text: str, today: date) -> Any:
    if not text:
        return {REGISTER: None} if name == REGISTER else None
    if name == REGISTER:
        return {REGISTER: text}
    if name in DATES:
        text = _whole_date(text, today)
    if name == "age_years":
        months, years = _MONTHS.fullmatch(text), _YEARS.fullmatch(text)
        if months:
            return round(float(months[1].replace(",", ".")) / 12, 2)
        text = years[1] if years else text
    return convert(name, text)


def read_day(text: str, today: date) -> date:
    """A day as people type it.

    Raises:
        BadCell: it cannot be read.
    """
    return date.fromisoformat(to_date("reported_on", _whole_date(text, today)))


def _whole_date(text: str, today: date) -> str:
    """Day and month alone are the last ones that were; eight digits are day, month, year.

    >>> [_whole_date(text, date(2026, 3, 1)) for text in ("1/7", "28.2", "04072023")]
    ['1/7/2025', '28/2/2026', '04/07/2023']
    """
    short = _DAY_MONTH.fullmatch(text)
    if short:
        day, month = int(short[1]), int(short[2])
        year = today.year if (month, day) <= (today.month, today.day) else today.year - 1
        return f"{day}/{month}/{year}"
    digits = _EIGHT_DIGITS.fullmatch(text)
    return "/".join(digits.groups()) if digits else text


def _merged_ids(fields: Mapping[str, str], changed: Mapping[str, str | None]) -> dict[str, str]:
    try:
        shown = orjson.loads(fields.get(WAS + "external_ids") or "{}")
    except orjson.JSONDecodeError:
        shown = {}
    known = shown if isinstance(shown, dict) else {}
    return {system: code for system, code in {**known, **changed}.items() if code is not None}


def form_field(path: str) -> str:
    """The field of the form beside which a fault of the event belongs; "" for the form as a whole.

    >>> [form_field(path) for path in ("data.area_on", "data.lab.dengue", "data.hamlet", "time")]
    ['area', 'lab', 'hamlet', '']
    """
    if path == "data" or not path.startswith("data."):
        return ""
    name = path.split(".")[1]
    if name in ("area_code", "area_on"):
        return AREA
    return REGISTER if name == "external_ids" else name


def label(name: str, language: str) -> str:
    """What a field of a form is called."""
    if name in (AREA, LAB_AGENT, REGISTER):
        return say("vi" if language == "vi" else "en", f"cases.field_{name}")
    info = FIELDS[name]
    return info.label_vi if language == "vi" else info.label_en

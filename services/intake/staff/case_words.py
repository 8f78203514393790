"""How a case is shown to people: in their language, days as dd/mm/yyyy, places with name and code."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from schemas.events.fields import FIELDS
from services.intake.staff.case_form import REGISTER, label
from services.intake.staff.case_page import Change, Entry
from services.intake.staff.vocabulary import Vocabulary
from services.intake.staff.words import Language, say
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.case import AREA, LAB, LAB_PREFIX, RETRACTED

_SHOWN = (
    "onset_on",
    "reported_on",
    "classification",
    "outcome",
    "died_at",
    "death_due_to",
    "death_agent",
    "sex",
    "age_years",
    "hamlet",
    "hospitalised",
    "admitted_on",
    "discharged_on",
    "sampled_on",
    "diagnosed_at",
    "test_type",
    "severity",
    "vaccination",
    "doses",
    "origin",
    "occupation",
    "institution_code",
    "reporting_facility",
    "treating_facility",
    "cluster",
)


def show_day(day: date) -> str:
    """A day as Viet Nam writes it.

    >>> show_day(date(2023, 7, 4))
    '04/07/2023'
    """
    return f"{day:%d/%m/%Y}"


def show_instant(instant: datetime) -> str:
    """Day and time of day in Viet Nam.

    >>> show_instant(datetime.fromisoformat("2023-07-04T01:12:00+00:00"))
    '04/07/2023 08:12'
    """
    return f"{instant.astimezone(LOCAL_ZONE):%d/%m/%Y %H:%M}"


def choices(name: str, language: Language) -> Mapping[str, str]:
    """The values of an enumeration and what they are called.

    >>> choices("sex", "vi")["female"], choices("outcome", "en")["in_care"]
    ('nữ', 'in care')
    """
    values = FIELDS[name].values or {}
    return values if language == "vi" else {value: value.replace("_", " ") for value in values}


def as_typed(name: str, value: Any) -> str:
    """A value as a form's field holds it; what is sent back unchanged is not sent on.

    >>> as_typed("onset_on", "2023-07-04"), as_typed("age_years", 34.0), as_typed("hospitalised", True)
    ('04/07/2023', '34', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if name.endswith("_on"):
        return show_day(date.fromisoformat(value))
    if name.endswith("_at"):
        return _day_or_instant(value)
    return str(value)


def show_value(name: str, value: Any, vocabulary: Vocabulary, language: Language) -> str:
    """A register's value; a dash where there is none."""
    if value is None:
        return "–"
    if name == "disease":
        return vocabulary.disease_name(value, language)
    if name in (AREA, "area_code"):
        return vocabulary.area_label(value)
    if name.startswith(LAB_PREFIX):
        return choices(LAB, language).get(value, value)
    if name == RETRACTED:
        reason = choices("reason", language).get(value.get("reason"), "")
        return f"{reason}: {value['duplicate_of']}" if value.get("duplicate_of") else reason
    if name == "external_ids":
        return ", ".join(f"{system}: {code}" for system, code in value.items())
    if isinstance(value, bool):
        return say(language, "cases.yes" if value else "cases.no")
    if name in FIELDS and FIELDS[name].values:
        return choices(name, language).get(value, value)
    return as_typed(name, value)


def register_label(name: str, vocabulary: Vocabulary, language: Language) -> str:
    """What a register is called."""
    if name.startswith(LAB_PREFIX):
        agent = vocabulary.agent_name(name.removeprefix(LAB_PREFIX), language)
        return say(language, "cases.lab_of", agent=agent)
    if name == AREA:
        return label("area", language)
    if name == RETRACTED:
        return say(language, "cases.retracted_field")
    return label(name, language)


def facts(state: Mapping[str, Any], vocabulary: Vocabulary, language: Language) -> list[tuple[str, str]]:
    """What stands of a case, in the order in which people ask for it; what nobody said is left out."""
    found = [(name, state[name]) for name in ("disease", AREA) if name in state]
    found += [(LAB_PREFIX + agent, result) for agent, result in state.get(LAB, {}).items()]
    found += [
        (name, state[name])
        for name in _SHOWN
        if state.get(name) not in (None, "unknown")
        and not (name == "death_due_to" and state["outcome"] != "dead")
    ]
    if state.get("external_ids"):
        found.append(("external_ids", state["external_ids"]))
    return [
        (register_label(name, vocabulary, language), show_value(name, value, vocabulary, language))
        for name, value in found
    ]


def shown_values(state: Mapping[str, Any], vocabulary: Vocabulary, language: Language) -> dict[str, str]:
    """What the forms of a case's page hold when they are opened."""
    values = {name: as_typed(name, state.get(name)) for name in (*_SHOWN, LAB)}
    values[LAB] = ""
    values["disease"] = vocabulary.disease_name(state["disease"], language) if "disease" in state else ""
    values["area"] = vocabulary.area_label(state[AREA]) if AREA in state else ""
    values[REGISTER] = (state.get("external_ids") or {}).get(REGISTER, "")
    return values


def history_rows(
    entries: Sequence[Entry], vocabulary: Vocabulary, language: Language, senders: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A case's history as the page shows it; `senders` are names by event id, as far as they may be seen."""
    return [
        {
            "event_id": str(entry.event_id),
            "kind": say(language, f"cases.kind.{entry.kind}"),
            "recorded": show_instant(entry.recorded_at),
            "known": show_instant(entry.known_at) if entry.known_at else "",
            "source": entry.source.removeprefix("/facilities/").removeprefix("/staff/"),
            "sender": senders.get(str(entry.event_id), ""),
            "parked": say(language, f"cases.parked.{entry.parked}") if entry.parked else "",
            "changes": [_change(change, vocabulary, language) for change in entry.changes],
        }
        for entry in entries
    ]


def _change(change: Change, vocabulary: Vocabulary, language: Language) -> dict[str, str]:
    return {
        "field": register_label(change.field, vocabulary, language),
        "before": show_value(change.field, change.before, vocabulary, language),
        "after": show_value(change.field, change.after, vocabulary, language),
        "overruled": show_instant(change.overruled_by) if change.overruled_by else "",
    }


def _day_or_instant(text: str) -> str:
    return (
        show_day(date.fromisoformat(text)) if len(text) == 10 else show_instant(datetime.fromisoformat(text))
    )

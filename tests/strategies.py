"""Hypothesis strategies for events: whatever a facility may lawfully send about a case."""

import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from schemas.events import CASE_REPORTED, CASE_RETRACTED, CASE_UPDATED, LOCAL_TIMEZONE, find_identifier

# What counts as now for every event drawn here.
NOW = datetime(2024, 6, 1, 5, 0, tzinfo=UTC)
TODAY = NOW.astimezone(LOCAL_TIMEZONE).date()
FIRST_DAY = date(1990, 1, 1)

DISEASES = ("dengue", "rabies", "streptococcus_suis", "hfmd", "measles", "malaria", "covid19", "je")
AREA_CODES = ("12", "105", "109", "03190", "03412", "01")
AGENTS = ("dengue", "measles", "rubella", "je", "p_vivax", "p_falciparum", "denv1")
LAB_RESULTS = ("pending", "positive", "negative", "inconclusive", "not_tested")
CLASSIFICATIONS = ("suspected", "probable", "confirmed", "discarded")
OUTCOMES = ("unknown", "in_care", "recovered", "transferred", "dead")
_VIETNAMESE = "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ"
_LETTERS = _VIETNAMESE + _VIETNAMESE.upper() + "0123456789 -.,/()"
_CODE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"


def _names_nobody(text: str) -> bool:
    return find_identifier(text) is None


def codes(longest: int = 64) -> st.SearchStrategy[str]:
    """Codes and subjects: 1 to `longest` of the contract's letters."""
    generated = st.one_of(
        st.integers(0, 10**9).map(lambda number: f"CASE-{number:09d}"),
        st.tuples(st.integers(1990, 2024), st.integers(0, 10**6 - 1)).map(lambda t: f"LC-{t[0]}-{t[1]:06d}"),
        st.text(_CODE_LETTERS, min_size=1, max_size=longest),
    )
    return generated.filter(_names_nobody)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Free text as it stands after validation: NFC, printable, without outer spaces."""
    letters = st.one_of(
        st.sampled_from(_LETTERS), st.characters(categories=["L", "M", "N", "P", "S"], max_codepoint=0x2FFF)
    )
    drawn = st.text(letters, min_size=1, max_size=longest)
    cleaned = drawn.map(lambda text: unicodedata.normalize("NFC", text).strip(" "))
    return cleaned.filter(
        lambda text: 1 <= len(text) <= longest and text.isprintable() and _names_nobody(text)
    )


def days(earliest: date = FIRST_DAY) -> st.SearchStrategy[date]:
    """Days that a case may name."""
    return st.dates(earliest, TODAY)


def instants(earliest: date = FIRST_DAY) -> st.SearchStrategy[datetime]:
    """Instants up to now, from that local day on, written with any offset."""
    start = datetime.combine(earliest, datetime.min.time(), LOCAL_TIMEZONE).astimezone(UTC)
    seconds = st.integers(0, int((NOW - start).total_seconds()))
    offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    return st.builds(
        lambda after, micro, offset: min(
            start + timedelta(seconds=after, microseconds=micro), NOW
        ).astimezone(offset),
        seconds,
        st.sampled_from((0, 0, 1, 999_999)),
        offsets,
    )


def _local_day(value: date | datetime) -> date:
    return value.astimezone(LOCAL_TIMEZONE).date() if isinstance(value, datetime) else value


_FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "hamlet": texts(80),
    "onset_on": days(),
    "admitted_on": days(),
    "sampled_on": days(),
    "diagnosed_at": st.one_of(days(), instants()),
    "reported_on": days(),
    "discharged_on": days(),
    "died_at": st.one_of(days(), instants()),
    "classification": st.sampled_from(CLASSIFICATIONS),
    "lab": st.dictionaries(
        st.sampled_from(AGENTS), st.one_of(st.none(), st.sampled_from(LAB_RESULTS)), max_size=len(AGENTS)
    ),
    "test_type": st.sampled_from(("rapid", "serology", "pcr", "culture", "microscopy", "other")),
    "outcome": st.sampled_from(OUTCOMES),
    "death_due_to": st.sampled_from(("this_disease", "other", "unknown")),
    "death_agent": texts(64),
    "origin": st.sampled_from(("unknown", "local", "imported")),
    "origin_area_code": st.sampled_from(AREA_CODES),
    "sex": st.sampled_from(("male", "female", "unknown")),
    "age_years": st.one_of(st.integers(0, 130), st.floats(0, 130, allow_nan=False)),
    "hospitalised": st.booleans(),
    "severity": texts(40),
    "vaccination": st.sampled_from(("yes", "no", "unknown")),
    "doses": st.integers(0, 20),
    "occupation": codes(),
    "institution_code": codes(),
    "reporting_facility": codes(),
    "treating_facility": codes(),
    "cluster": texts(64),
    "external_ids": st.dictionaries(
        st.sampled_from(("ecds", "hospital", "malaria_db")), texts(64), max_size=3
    ),
}


@st.composite
def case_data(draw: st.DrawFn, event_type: str = CASE_REPORTED) -> dict[str, Any]:
    """Valid data of a `case.reported` or `case.updated` event, with Python values (date, datetime, …)."""
    optional = {name: st.one_of(st.none(), values) for name, values in _FIELDS.items()}
    if event_type == CASE_REPORTED:
        required: dict[str, st.SearchStrategy[Any]] = {
            "disease": st.sampled_from(DISEASES),
            "area_code": st.sampled_from(AREA_CODES),
        }
        data: dict[str, Any] = draw(st.fixed_dictionaries(required, optional=optional))
    else:
        optional["disease"] = st.one_of(st.none(), st.sampled_from(DISEASES))
        optional["area_code"] = st.one_of(st.none(), st.sampled_from(AREA_CODES))
        data = draw(st.fixed_dictionaries({}, optional=optional).filter(bool))
    if data.get("area_code") is not None and draw(st.booleans()):
        data["area_on"] = draw(st.one_of(st.none(), days()))
    for first, second in (("onset_on", "died_at"), ("admitted_on", "discharged_on")):
        start, end = data.get(first), data.get(second)
        if start is not None and end is not None and _local_day(end) < start:
            data[first] = _local_day(end)
    return data


@st.composite
def case_events(draw: st.DrawFn, subjects: st.SearchStrategy[str] | None = None) -> dict[str, Any]:
    """The parts of a valid case event, as `build_event` takes them (judge it at `NOW`).

    Args:
        draw: Hypothesis's own.
        subjects: Where subjects come from; None draws any. Give a few, and events meet on one case.
    """
    subject = draw(subjects if subjects is not None else codes())
    event_type = draw(st.sampled_from((CASE_REPORTED, CASE_UPDATED, CASE_RETRACTED)))
    if event_type != CASE_RETRACTED:
        data = draw(case_data(event_type))
    elif draw(st.booleans()):
        data = {"reason": "entered_in_error"}
    else:
        data = {"reason": "duplicate", "duplicate_of": draw(codes().filter(lambda other: other != subject))}
    return {
        "subject": subject,
        "type": event_type,
        "data": data,
        "time": draw(instants()),
        "source": draw(
            st.sampled_from(("/facilities/LC-TYT-03190", "/facilities/LC-BVDK", "urn:import:ecds"))
        ),
        "id": draw(st.uuids()),
    }


def to_document(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON-able CloudEvent of an event's parts."""
    document: dict[str, Any] = json.loads(
        json.dumps(
            dict(parts),
            default=lambda value: value.isoformat() if hasattr(value, "isoformat") else str(value),
        )
    )
    return {"specversion": "1.0", "datacontenttype": "application/json", **document}

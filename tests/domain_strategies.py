"""A tiny catalogue, and Hypothesis strategies for the events that the fold sees."""

from datetime import date
from uuid import UUID

from hypothesis import strategies as st

from streams.domain.areas import Area, AreaIndex
from streams.domain.case import AREA, LAB, RETRACTED, CaseEvent
from streams.domain.catalogue import Catalogue

REFORM = "2025-07-01"

PROVINCE = Area("12@start", "12", "province", "Tỉnh Lai Châu", "12@start", None, None, "2025-06-30")
DISTRICTS = [
    Area(f"{code}@start", code, "district", name, "12@start", f"{code}@start", None, "2025-06-30")
    for code, name in (("108", "Huyện Sìn Hồ"), ("109", "Huyện Phong Thổ"))
]
COMMUNES = [
    Area(f"{code}@start", code, "commune", f"Xã {code}", "12@start", f"{district}@start", None, "2025-06-30")
    for code, district in (("03478", "108"), ("03481", "108"), ("03549", "109"), ("03552", "109"))
]
AREAS = [PROVINCE, *DISTRICTS, *COMMUNES]

RESOLVES_TO = {
    "dengue": {},
    "measles": {},
    "rubella": {},
    "rash_fever_susp_measles": {"measles": "measles", "rubella": "rubella"},
}


def catalogue(load_id: int = 1, since: dict[tuple[str, str], str] | None = None) -> Catalogue:
    """The tiny catalogue."""
    return Catalogue(load_id, AreaIndex(AREAS), RESOLVES_TO, since or {})


days = st.dates(min_value=date(2023, 1, 1), max_value=date(2023, 12, 31)).map(lambda day: day.isoformat())

_FIELDS = {
    "disease": st.sampled_from(sorted(RESOLVES_TO)),
    AREA: st.sampled_from([area.id for area in AREAS]),
    "onset_on": days,
    "reported_on": days,
    "died_at": days | st.just("2023-06-30T17:30:00+00:00"),
    "classification": st.sampled_from(["suspected", "probable", "confirmed", "discarded"]),
    "outcome": st.sampled_from(["unknown", "in_care", "recovered", "transferred", "dead"]),
    "death_due_to": st.sampled_from(["this_disease", "other", "unknown"]),
    "origin": st.sampled_from(["unknown", "local", "imported"]),
    "hospitalised": st.booleans(),
    "lab.measles": st.sampled_from(["pending", "positive", "negative", "inconclusive"]),
    "lab.rubella": st.sampled_from(["pending", "positive", "negative", "not_tested"]),
    LAB: st.none(),
}

_START = 1_672_531_200_000_000  # 2023-01-01T00:00Z
# Few distinct times, so that ties are common and the id has to break them.
_times = st.integers(0, 5).map(lambda n: _START + n * 3_600_000_000)


@st.composite
def case_events(draw: st.DrawFn, subjects: tuple[str, ...] = ("A", "B", "C")) -> CaseEvent:
    """One event of one of a few cases."""
    kind = draw(st.sampled_from(["reported", "updated", "updated", "retracted"]))
    writes: dict[str, object]
    if kind == "retracted":
        writes = {RETRACTED: {"reason": "entered_in_error"}}
    else:
        names = draw(st.sets(st.sampled_from(sorted(_FIELDS)), max_size=6))
        writes = {name: draw(st.none() | _FIELDS[name]) for name in sorted(names)}
        if kind == "reported":
            writes["disease"] = draw(_FIELDS["disease"])
            writes[AREA] = draw(_FIELDS[AREA])
    return CaseEvent(
        draw(st.sampled_from(subjects)),
        UUID(int=draw(st.integers(0, 2**128 - 1))),
        draw(_times),
        kind,
        tuple(writes.items()),
    )


def event_lists(max_size: int = 25) -> st.SearchStrategy[list[CaseEvent]]:
    """Events with distinct identities."""
    return st.lists(case_events(), max_size=max_size, unique_by=lambda event: (event.subject, event.event_id))


__all__ = ["case_events", "catalogue", "event_lists"]

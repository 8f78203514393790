"""An independent count: what the case events say, by sorting and grouping. Shares no code with streams/.

Slow and simple on purpose. A case is the last writer of each field over the set of its events; a count is a
group-by of cases. Knows the administrative structure before 2025-07-01 only, and refuses later dates.
"""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.catalogue import Area, Catalogue

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
REFORM = dt.date(2025, 7, 1)
REPORTED = "vn.canhdich.case.reported.v1"
UPDATED = "vn.canhdich.case.updated.v1"
RETRACTED = "vn.canhdich.case.retracted.v1"


class Key(NamedTuple):
    """What a count is about; district is None where a case is known by its province only, year where the
    death has no day."""

    disease: str
    province: str
    district: str | None
    year: int | None
    basis: str


class TruthCase(NamedTuple):
    """The final state of one case that counts."""

    subject: str
    disease: str
    area: Area
    province: str
    district: str | None
    onset_on: dt.date | None
    reported_on: dt.date
    fields: dict[str, Any]
    lab: dict[str, str]

    @property
    def day(self) -> dt.date:
        """The case's own day: onset, else report."""
        return self.onset_on or self.reported_on


class Truth(NamedTuple):
    """Counters by key (only what is not zero), positives by agent, and the cases behind them.

    `resolved` has the cases of syndromes again, under each disease that a positive agent made of them.
    """

    counts: dict[Key, Counter[str]]
    resolved: dict[Key, Counter[str]]
    by_agent: dict[Key, Counter[str]]
    cases: dict[str, TruthCase]


def truth(events: Iterable[bytes], catalogue: Catalogue) -> Truth:
    """Counts of a set of case events: any order, repeats allowed.

    Raises:
        ValueError: two contents under one identity (offsets decide there, which a set does not have), a case
            that counts but has no day, or a date after the reform.
    """
    places = _Places(catalogue)
    diseases = {disease.code for disease in catalogue.diseases}
    since = {(row.disease, row.province_code): row.since for row in catalogue.case_reports_since}
    histories: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for raw in events:
        event = json.loads(raw)
        event["time"] = dt.datetime.fromisoformat(event["time"]).astimezone(dt.UTC)
        event.pop("datacontenttype", None)
        identity = UUID(event["id"]).int
        event["id"] = identity
        known = histories[event["subject"]].setdefault(identity, event)
        if known is not event and known != event:
            raise ValueError(f"two contents under one identity: {event['subject']} {event['id']}")
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    resolved: dict[Key, Counter[str]] = defaultdict(Counter)
    by_agent: dict[Key, Counter[str]] = defaultdict(Counter)
    resolves_to = {disease.code: disease.resolves_to for disease in catalogue.diseases}
    cases = {}
    for subject, history in histories.items():
        case = _fold(subject, list(history.values()), places, diseases)
        if case is None or case.day < since.get((case.disease, case.province), dt.date.min):
            continue
        cases[subject] = case
        positive = {agent for agent, result in case.lab.items() if result == "positive"}
        also = {to for agent, to in resolves_to[case.disease].items() if agent in positive}
        for key, counters in _contributions(case):
            counts[key].update(counters)
            for disease in also:
                resolved[key._replace(disease=disease)].update(counters)
            if key.basis != "death":
                by_agent[key].update(positive)
    return Truth(
        {key: +counter for key, counter in counts.items() if +counter},
        {key: +counter for key, counter in resolved.items() if +counter},
        {key: counter for key, counter in by_agent.items() if counter},
        cases,
    )


class _Places:
    """What a code meant on a day."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._by_id = {area.id: area for area in catalogue.areas}
        self._by_code: dict[str, list[Area]] = defaultdict(list)
        for area in catalogue.areas:
            self._by_code[area.code].append(area)

    def of(self, event: dict[str, Any]) -> Area | None:
        """The area that an event names, judged by its own dates; None where the code meant nothing then."""
        data = event["data"]
        text = data.get("area_on") or data.get("onset_on") or data.get("reported_on")
        on = dt.date.fromisoformat(text) if text else _local_day(event)
        if on >= REFORM:
            raise ValueError(f"truth knows the structure before {REFORM} only: {event}")
        for area in self._by_code.get(data["area_code"], ()):
            if (area.valid_from or dt.date.min) <= on <= (area.valid_to or dt.date.max):
                return area
        return None

    def up(self, area: Area, kind: str) -> str | None:
        """The code of the area of a kind that contains this one, or is it."""
        at: Area | None = area
        while at is not None and at.kind != kind:
            at = self._by_id[at.parent_id] if at.parent_id else None
        return at.code if at else None


def _fold(
    subject: str, events: list[dict[str, Any]], places: _Places, diseases: set[str]
) -> TruthCase | None:
    fields: dict[str, Any] = {}
    lab: dict[str, str | None] = {}
    area: Area | None = None
    retracted = False
    first_report: dt.date | None = None
    for event in sorted(events, key=lambda event: (event["time"], event["id"])):
        data = event["data"]
        if _is_parked(event, places, diseases):
            continue
        if event["type"] == RETRACTED:
            retracted = True
            continue
        if event["type"] == REPORTED:
            retracted = False
            first_report = first_report or _local_day(event)
        if "area_code" in data:
            area = None if data["area_code"] is None else places.of(event)
        if "lab" in data:
            lab = {} if data["lab"] is None else lab | data["lab"]
        fields |= {name: value for name, value in data.items() if name != "lab"}
    if retracted or area is None or fields.get("disease") is None:
        return None
    reported_on = _day(fields.get("reported_on")) or first_report
    if reported_on is None:
        raise ValueError(f"case {subject} counts but has no day: no case.reported among its events")
    province = places.up(area, "province")
    if province is None:
        raise ValueError(f"area {area.id} has no province")
    return TruthCase(
        subject,
        fields["disease"],
        area,
        province,
        places.up(area, "district"),
        _day(fields.get("onset_on")),
        reported_on,
        fields,
        {agent: result for agent, result in lab.items() if result is not None},
    )


def _is_parked(event: dict[str, Any], places: _Places, diseases: set[str]) -> bool:
    """Whether the event names a code that the catalogue does not know: then no part of it counts."""
    data = event["data"]
    if data.get("disease") is not None and data["disease"] not in diseases:
        return True
    return data.get("area_code") is not None and places.of(event) is None


def _local_day(event: dict[str, Any]) -> dt.date:
    day: dt.date = event["time"].astimezone(LOCAL).date()
    return day


def _day(value: str | None) -> dt.date | None:
    """A date, or the local date of an instant."""
    if value is None:
        return None
    if len(value) > len("2023-01-01"):
        return dt.datetime.fromisoformat(value).astimezone(LOCAL).date()
    return dt.date.fromisoformat(value)


def _contributions(case: TruthCase) -> Iterable[tuple[Key, dict[str, int]]]:
    fields, results = case.fields, set(case.lab.values())
    classification = fields.get("classification") or "suspected"
    counters = {"notified": 1, classification: 1}
    for overall in ("positive", "pending", "negative"):
        if overall in results:
            counters[overall] = 1
            break
    dead = fields.get("died_at") is not None or fields.get("outcome") == "dead"
    died = dead and classification != "discarded" and fields.get("death_due_to") != "other"
    counters["deaths"] = int(died)
    counters["imported"] = int(fields.get("origin") == "imported")
    counters["hospitalised"] = int(fields.get("hospitalised") is True)
    place = (case.disease, case.province, case.district)
    yield Key(*place, case.day.year, "onset"), counters
    yield Key(*place, case.reported_on.year, "report"), counters
    if died:
        day = _day(fields.get("died_at"))
        yield Key(*place, day.year if day else None, "death"), {"deaths": 1}

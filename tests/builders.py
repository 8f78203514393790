"""Small things to test the stream with: case events, Kafka records, and a catalogue one can read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import schemas.catalogue as published
from schemas.events import CASE_REPORTED, CASE_RETRACTED, CASE_UPDATED
from schemas.topics.partitioner import partition_for
from streams.domain.areas import Area, AreaIndex
from streams.domain.catalogue import Catalogue
from streams.domain.positions import Position
from streams.handlers.fold_cases import Record
from streams.handlers.reconcile import NEVER
from streams.stores.catalogue import district_of, province_of

START = datetime(2023, 7, 10, 1, 0, tzinfo=UTC)
"""When the first record of a test was appended."""

TOPIC_ID = UUID(int=7)

_TYPES = {"reported": CASE_REPORTED, "updated": CASE_UPDATED, "retracted": CASE_RETRACTED}
_REFORM = date(2025, 7, 1)


def minutes(number: float) -> timedelta:
    """A step of time."""
    return timedelta(minutes=number)


def uuid(number: int) -> UUID:
    """The event id of a small number."""
    return UUID(int=number)


def event(
    subject: str = "LC-1",
    number: int = 1,
    kind: str = "reported",
    time: datetime = START,
    **data: Any,
) -> bytes:
    """A case event as JSON. A report is of dengue in commune 03412 unless `data` says otherwise."""
    if kind == "reported":
        data = {"disease": "dengue", "area_code": "03412", "onset_on": "2023-07-01", **data}
    if kind == "retracted" and not data:
        data = {"reason": "entered_in_error"}
    envelope = {
        "specversion": "1.0",
        "id": str(uuid(number)),
        "source": "/facilities/LC-TYT-03412",
        "type": _TYPES[kind],
        "subject": subject,
        "time": time.isoformat(),
        "data": data,
    }
    return json.dumps(envelope, ensure_ascii=False).encode()


def records(
    values: Iterable[bytes], first_offset: int = 0, partition: int = 0, at: datetime = START
) -> list[Record]:
    """Consecutive records of one partition, a second apart, under the keys that their subjects are."""
    return [
        Record(
            partition,
            first_offset + place,
            at + timedelta(seconds=place),
            str(json.loads(value)["subject"]).encode(),
            value,
        )
        for place, value in enumerate(values)
    ]


def spread(values: Sequence[bytes], partitions: int, at: datetime = START) -> list[Record]:
    """Records in the partitions where Kafka would put them, in the order of their arrival."""
    next_offsets = dict.fromkeys(range(partitions), 0)
    found = []
    for place, value in enumerate(values):
        key = str(json.loads(value)["subject"]).encode()
        partition = partition_for(key, partitions)
        found.append(
            Record(partition, next_offsets[partition], at + timedelta(milliseconds=place), key, value)
        )
        next_offsets[partition] += 1
    return found


def position(next_offset: int = 0, **changes: Any) -> Position:
    """A position of a partition that was read from offset 0 on."""
    at = Position(TOPIC_ID, 0, next_offset, next_offset, NEVER, None)
    return replace(at, **changes)


def _disease(code: str, agents: Sequence[str] = (), resolves_to: Mapping[str, str] | None = None) -> Any:
    return published.Disease(
        code=code,
        name_vi=f"Bệnh {code}",
        name_en=code,
        report_label_vi=f"Bệnh {code}",
        aliases_vi=(),
        agents=(code, *agents),
        resolves_to=dict(resolves_to or {}),
        icd10=(),
        icd10_sources=(),
        group_history=(),
        deadlines=(),
        alert_rule="standard",
        endemic=published.Endemic(default=True, sources=("GK",)),
        digest_only=False,
        digest_only_severities=(),
        severities=(),
        subtypes=(),
        classifications="suspected, confirmed",
        incubation_days=published.Statement(None, ()),
        outbreak_rule=published.Statement(None, ()),
        focus_closure=published.Statement(None, ()),
        in_provincial_reports=True,
    )


DISEASES = (
    _disease("dengue", ("denv1",)),
    _disease("measles"),
    _disease("rubella"),
    _disease("rash", ("measles", "rubella"), {"measles": "measles", "rubella": "rubella"}),
)


def _area(
    code: str, kind: Any, parent: str | None, *, new: bool, surveillance: str | None = None
) -> published.Area:
    area_id = f"{code}@{_REFORM if new else 'start'}"
    valid_from, valid_to = (_REFORM, None) if new else (None, date(2025, 6, 30))
    return published.Area(
        area_id,
        code,
        kind,
        f"{kind} {area_id}",
        parent,
        valid_from,
        valid_to,
        22.4,
        103.6,
        None,
        surveillance,
    )


AREAS = (
    _area("12", "province", None, new=False),
    _area("106", "district", "12@start", new=False),
    _area("109", "district", "12@start", new=False),
    _area("03412", "commune", "106@start", new=False),
    _area("03390", "commune", "106@start", new=False),
    _area("03549", "commune", "109@start", new=False),
    _area("03552", "commune", "109@start", new=False),
    _area("12", "province", None, new=True),
    _area("106", "surveillance", "12@2025-07-01", new=True),
    _area("109", "surveillance", "12@2025-07-01", new=True),
    # 03390 is used again, for more than it was: the old 03412 and 03390.
    _area("03390", "commune", "12@2025-07-01", new=True, surveillance="106@2025-07-01"),
    _area("03549", "commune", "12@2025-07-01", new=True, surveillance="109@2025-07-01"),
)

LINKS = (
    published.AreaLink("03390@start", "03390@2025-07-01", "whole", True),
    published.AreaLink("03412@start", "03390@2025-07-01", "whole", True),
    published.AreaLink("03549@start", "03549@2025-07-01", "whole", True),
    # 03552 was split between two communes of two surveillance areas.
    published.AreaLink("03552@start", "03390@2025-07-01", "part", False),
    published.AreaLink("03552@start", "03549@2025-07-01", "part", True),
    published.AreaLink("106@start", "106@2025-07-01", "whole", True),
    published.AreaLink("109@start", "109@2025-07-01", "part", True),
    published.AreaLink("109@start", "106@2025-07-01", "part", False),
    published.AreaLink("12@start", "12@2025-07-01", "whole", True),
)


def small_catalogue(version: str = "small", **changes: Any) -> published.Catalogue:
    """Four diseases and one province before and after the reform; `changes` replace its parts."""
    catalogue = published.Catalogue(
        version=version,
        diseases=DISEASES,
        areas=AREAS,
        links=LINKS,
        case_reports_since=(),
        agents=(),
        surveillance=(),
        legal_rules=(),
        sources={},
    )
    return replace(catalogue, **changes)


def judged_by(catalogue: published.Catalogue, load_id: int = 1) -> Catalogue:
    """A published catalogue as the fold needs it, without a database."""
    by_id = {area.id: area for area in catalogue.areas}
    areas = AreaIndex(
        Area(
            area.id,
            area.code,
            area.kind,
            area.name_vi,
            province_of(area, by_id),
            district_of(area, by_id),
            None if area.valid_from is None else area.valid_from.isoformat(),
            None if area.valid_to is None else area.valid_to.isoformat(),
        )
        for area in catalogue.areas
    )
    return Catalogue(load_id, areas, {disease.code: disease.resolves_to for disease in catalogue.diseases})

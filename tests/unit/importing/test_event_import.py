"""NDJSON: valid events go as they are, repeats are counted, conflicts and bad lines are refused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.importing.events import EventImport
from services.importing.outcome import Outcome
from streams.domain.catalogue import Catalogue
from streams.domain.errors import DependencyDown
from tests.unit.importing.fakes import MemoryIdentities, MemoryKafka

NOW = datetime(2024, 6, 1, 5, 0, tzinfo=UTC)


def line(number: int, kind: str = "reported", data: dict[str, Any] | None = None, **other: Any) -> bytes:
    """An event as a facility writes it, not in the canonical form."""
    if data is None:
        data = {"disease": "dengue", "area_code": "03412", "onset_on": "2023-07-01"}
    event = {
        "specversion": "1.0",
        "id": str(UUID(int=number)).upper(),
        "source": "/facilities/LC-TYT-03190",
        "type": f"vn.canhdich.case.{kind}.v1",
        "subject": f"LC-{number}",
        "time": "2023-07-04T08:12:00+07:00",
        "data": data,
        **other,
    }
    return orjson.dumps(event, option=orjson.OPT_INDENT_2).replace(b"\n", b" ")


class Door:
    """Imports into memory."""

    def __init__(self, judging: Catalogue, identities: MemoryIdentities | None = None) -> None:
        self.identities = identities or MemoryIdentities()
        self.kafka = MemoryKafka(NOW)
        self.outcome = Outcome()
        self.importer = EventImport(
            identities=self.identities,
            sender=self.kafka,
            catalogue=judging,
            now=NOW,
            outcome=self.outcome,
        )

    def take(self, *lines: bytes) -> Outcome:
        self.importer.take(list(enumerate(lines, 1)))
        return self.outcome


@pytest.fixture
def door(judging: Catalogue) -> Door:
    return Door(judging)


def test_events_go_as_they_are_under_their_subject(door: Door) -> None:
    lines = [
        line(1),
        line(1, "updated", {"sex": "male"}, id=str(UUID(int=7))),
        line(1, "retracted", {"reason": "entered_in_error"}, id=str(UUID(int=8))),
    ]
    outcome = door.take(*lines)
    assert (outcome.rows, outcome.created, outcome.updated, outcome.unchanged, outcome.parked) == (
        3,
        1,
        2,
        0,
        0,
    )
    assert door.kafka.records == [(b"LC-1", record) for record in lines]


def test_repeats_within_a_file_are_unchanged(door: Door) -> None:
    door.take(line(1), line(2), line(1))
    outcome = door.take(line(2), line(3), line(3))
    assert (outcome.created, outcome.unchanged) == (3, 3)
    assert len(door.kafka.records) == 3


def test_what_the_fold_knows_is_not_sent(door: Door, judging: Catalogue) -> None:
    door.take(line(1))
    (event,) = door.kafka.events
    door.identities.claimed[event.subject, event.id] = event.content_hash
    later = Door(judging, door.identities)
    assert later.take(line(1), line(2)).unchanged == 1
    assert [key for key, _ in later.kafka.records] == [b"LC-2"]


def test_an_id_with_other_content_is_refused(door: Door) -> None:
    other = {"disease": "dengue", "area_code": "03412", "onset_on": "2023-07-02"}
    outcome = door.take(line(1), line(1, data=other))
    assert [(r.row, r.faults[0].field) for r in outcome.rejected] == [(2, "id")]
    door.identities.claimed["LC-2", UUID(int=2)] = b"x" * 32
    outcome = door.take(line(2))
    assert len(outcome.rejected) == 2
    assert len(door.kafka.records) == 1


def test_bad_lines_are_refused_alone_with_their_number_and_field(door: Door) -> None:
    future = (NOW + timedelta(minutes=6)).isoformat()
    outcome = door.take(
        line(1),
        b"{not json",
        line(2, data={"disease": "dengue"}),
        line(3, time=future),
        line(4, name="Lò Văn Pâng"),
        line(5).replace(b"03412", b"\xff\xfe"),
        line(6, data={"disease": "dengue", "area_code": "03412", "hamlet": "Lò Văn Pâng"}),
        line(7, type="vn.canhdich.tally.reported.v1"),
        line(8),
    )
    assert [(r.row, r.faults[0].field) for r in outcome.rejected] == [
        (2, "row"),
        (3, "data.area_code"),
        (4, "time"),
        (5, "name"),
        (6, "row"),
        (7, "data.hamlet"),
        (8, outcome.rejected[-1].faults[0].field),
    ]
    assert (outcome.rows, outcome.created) == (9, 2)
    assert [key for key, _ in door.kafka.records] == [b"LC-1", b"LC-8"]
    assert "Pâng" not in orjson.dumps(outcome.document()).decode()


def test_unknown_codes_are_sent_and_counted_as_parked(door: Door) -> None:
    outcome = door.take(
        line(1, data={"disease": "new_fever", "area_code": "03412"}),
        line(2, data={"disease": "dengue", "area_code": "99999"}),
        line(3),
    )
    assert (outcome.created, outcome.parked) == (3, 2)
    assert len(door.kafka.records) == 3


def test_kafka_down_is_no_success(door: Door) -> None:
    door.kafka.fails_after = 1
    with pytest.raises(DependencyDown):
        door.take(line(1), line(2))

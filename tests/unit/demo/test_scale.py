"""The load generator: valid, repeatable, and busy with everything that a counter sees."""

import datetime as dt
import json
import random
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from schemas.catalogue import Catalogue
from schemas.events import CASE_TYPES, LOCAL_TIMEZONE, parse_event
from services.demo.scale import generate_events
from tests.truth import truth
from tests.unit.demo.rows import COUNTERS

SIZE = 4_000


@pytest.fixture(scope="module")
def generated(catalogue: Catalogue) -> list[bytes]:
    return list(generate_events(SIZE, 7, catalogue=catalogue))


def test_as_many_as_asked_for_each_identity_once(generated: list[bytes]) -> None:
    assert len(generated) == SIZE
    assert len({(event["subject"], event["id"]) for event in map(json.loads, generated)}) == SIZE


def test_every_event_is_valid_at_its_own_time(generated: list[bytes]) -> None:
    for raw in generated:
        now = dt.datetime.fromisoformat(json.loads(raw)["time"])
        event = parse_event(raw, now=now, max_ahead=dt.timedelta(0), types=CASE_TYPES)
        assert event.id.version == 7
        assert event.time.astimezone(LOCAL_TIMEZONE).year in (2023, 2024)


def test_a_case_starts_with_its_report(generated: list[bytes]) -> None:
    first: dict[str, str] = {}
    for event in map(json.loads, generated):
        first.setdefault(event["subject"], event["type"])
    assert set(first.values()) == {"vn.canhdich.case.reported.v1"}


def test_the_seed_decides_every_byte(generated: list[bytes], catalogue: Catalogue) -> None:
    assert list(generate_events(SIZE, 7, catalogue=catalogue)) == generated
    other = {json.loads(raw)["subject"] for raw in generate_events(SIZE, 8, catalogue=catalogue)}
    assert not other & {json.loads(raw)["subject"] for raw in generated}


def test_every_counter_basis_and_level_is_hit(generated: list[bytes], catalogue: Catalogue) -> None:
    totals: Counter[tuple[str, str]] = Counter()
    districts: set[str | None] = set()
    years = set()
    for key, counters in truth(generated, catalogue).counts.items():
        totals.update({(key.basis, name): count for name, count in counters.items()})
        districts.add(key.district)
        years.add((key.basis, key.year))
    assert {basis for basis, _ in totals} == {"onset", "report", "death"}
    assert all(totals["onset", name] > 20 for name in COUNTERS)
    assert len(districts - {None}) == 8
    assert None in districts
    assert ("death", None) in years


def test_cases_are_contradictory_enough(generated: list[bytes]) -> None:
    """Equal times, times that go back, retractions that a report undoes: what an order could spoil."""
    histories = defaultdict(list)
    for event in map(json.loads, generated):
        histories[event["subject"]].append((event["time"], event["type"]))
    steps = [(before, after) for history in histories.values() for before, after in pairwise(history)]
    assert sum(before[0] == after[0] for before, after in steps) > 20
    assert sum(before[0] > after[0] for before, after in steps) > 20
    reinstated = [
        history
        for history in histories.values()
        if any(
            kind.endswith("retracted.v1") and any(later.endswith("reported.v1") for _, later in history[n:])
            for n, (_, kind) in enumerate(history)
        )
    ]
    assert len(reinstated) > 5


def test_the_count_does_not_depend_on_order_or_repeats(generated: list[bytes], catalogue: Catalogue) -> None:
    twice = generated * 2
    random.Random(3).shuffle(twice)
    assert truth(twice, catalogue) == truth(generated, catalogue)
    assert truth(generated[:-1], catalogue) != truth(generated, catalogue)


def test_provinces_and_diseases_can_be_chosen(catalogue: Catalogue) -> None:
    chosen = generate_events(
        500, 7, catalogue=catalogue, provinces=("10", "15"), diseases=("cholera", "plague")
    )
    keys = truth(chosen, catalogue).counts.keys()
    assert {key.province for key in keys} == {"10", "15"}
    assert {key.disease for key in keys} == {"cholera", "plague"}


def test_unknown_codes_are_refused(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="diseases unheard_of"):
        generate_events(1, 7, catalogue=catalogue, diseases=("unheard_of", "dengue"))
    with pytest.raises(ValueError, match="provinces 99"):
        generate_events(1, 7, catalogue=catalogue, provinces=("12", "99"))

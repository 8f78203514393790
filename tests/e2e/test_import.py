"""100,000 events, each sent twice, shuffled, a worker killed on the way: the independent counts."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import Catalogue
from services.demo.scale import generate_events
from streams.domain.counts import BASES, COUNTERS
from streams.stores.database import connect
from tests.e2e.conftest import Installation
from tests.truth import Truth, truth

pytestmark = [pytest.mark.native, pytest.mark.timeout(1_200)]

EVENTS = 100_000
SEED = 20_231
PROVINCES = ("10", "12")


def write_twice_shuffled(path: Path, events: list[bytes], seed: int) -> int:
    """Write every event twice, in any order; the number of lines."""
    lines = events * 2
    random.Random(seed).shuffle(lines)
    path.write_bytes(b"\n".join(lines) + b"\n")
    return len(lines)


def expected_rows(known: Truth, basis: str) -> dict[tuple[Any, ...], Counter[str]]:
    """The independent counts by (disease, province, district, year), resolved syndromes included."""
    rows: dict[tuple[Any, ...], Counter[str]] = {}
    for counts in (known.counts, known.resolved):
        for key, counters in counts.items():
            if key.basis == basis:
                place = (key.disease, key.province, key.district, key.year)
                rows.setdefault(place, Counter()).update(counters)
    return rows


def found_rows(installation: Installation, basis: str) -> dict[tuple[Any, ...], Counter[str]]:
    """The same from `canhdich counts`."""
    by = ("disease", "province", "district", "year")
    dimensions = [word for dimension in by for word in ("--by", dimension)]
    rows = installation.json("counts", "--basis", basis, "--geography", "2024-12-31", *dimensions)
    return {
        tuple(row[dimension] for dimension in by): Counter({c: row[c] for c in COUNTERS if row[c]})
        for row in rows
    }


def folded_records(installation: Installation) -> int:
    """How many records the stream has folded so far."""
    topic = installation.environment["CANHDICH_TOPIC_PREFIX"] + "case-events"
    with connect(installation.environment["DATABASE_URL"]) as connection:
        row = connection.execute(
            "select coalesce(sum(next_offset), 0) from stream_offsets where topic = %s", (topic,)
        ).fetchone()
    assert row is not None
    return int(row[0])


def wait_for_folded(installation: Installation, records: int, seconds: float) -> None:
    """Return when the stream has folded so many records."""
    deadline = time.monotonic() + seconds
    while folded_records(installation) < records:
        assert time.monotonic() < deadline, f"not {records} records folded within {seconds} s"
        time.sleep(0.05)


def test_100_000_events_twice_shuffled_and_a_killed_worker(
    installation: Installation, published_catalogue: Catalogue, tmp_path: Path
) -> None:
    events = list(generate_events(EVENTS, SEED, catalogue=published_catalogue, provinces=PROVINCES))
    known = truth(events, published_catalogue)
    file = tmp_path / "events.ndjson"
    lines = write_twice_shuffled(file, events, SEED)

    # Killed while the file is being sent: the worker may be as fast as the sender.
    with ThreadPoolExecutor(1) as pool:
        importing = pool.submit(installation.json, "import", str(file))
        wait_for_folded(installation, EVENTS // 10, seconds=300)
        before = folded_records(installation)
        installation.kill_worker()
        summary = importing.result()
    assert before < EVENTS, "the worker was to be killed in the middle"
    assert summary["rows"] == lines
    assert summary["created"] + summary["updated"] == EVENTS
    assert summary["unchanged"] == EVENTS
    assert summary["rejected"] == []
    again = installation.json("import", str(file), "--wait")
    assert again["rows"] == lines

    for basis in BASES:
        assert found_rows(installation, basis) == expected_rows(known, basis), basis
    audit = installation.json("audit")
    assert set(audit["drift"].values()) == {0}
    assert audit["events"] == EVENTS

    head = tmp_path / "head.ndjson"
    head.write_bytes(b"\n".join(events[:5_000]))
    assert installation.json("import", str(head))["unchanged"] == 5_000

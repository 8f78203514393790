"""As of, as published, rebuilt: by the commands that staff type, while events arrive."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import Catalogue
from services.demo.scale import generate_events
from streams.stores.database import connect
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.native

QUESTION = ("counts", "--province", "12", "--by", "disease", "--by", "district", "--geography", "2024-12-31")


def send(installation: Installation, folder: Path, events: list[bytes], name: str) -> None:
    file = folder / f"{name}.ndjson"
    file.write_bytes(b"\n".join(events) + b"\n")
    installation.json("import", str(file), "--wait")


def totals(rows: list[dict[str, Any]]) -> int:
    return sum(row["notified"] for row in rows)


def test_as_of_as_published_and_rebuilt(
    installation: Installation, published_catalogue: Catalogue, tmp_path: Path
) -> None:
    events = list(generate_events(3_000, 7, catalogue=published_catalogue))
    send(installation, tmp_path, events[:1_500], "first")

    printed = installation.run(*QUESTION, "--publish", "Tuần 27", "--json")
    assert printed.returncode == 0, printed.stderr
    listed = installation.json("snapshots")[0]
    assert listed["id"] in printed.stderr
    assert listed["sha256"] in printed.stderr
    assert (listed["label"], listed["kind"]) == ("Tuần 27", "counts")
    assert sum(position["topic"].endswith("case-events") for position in listed["positions"]) == 12
    between = datetime.now(UTC).isoformat()
    # Nothing new comes: Kafka's word that everything is folded makes it final, once it can be trusted.
    deadline = time.monotonic() + 60
    while any(row["provisional"] for row in installation.json(*QUESTION, "--as-of", between)):
        assert time.monotonic() < deadline, "still provisional"

    send(installation, tmp_path, events[1_500:], "second")
    now = installation.json(*QUESTION)
    assert totals(now) > totals(json.loads(printed.stdout))

    again = installation.run("counts", "--snapshot", listed["id"], "--json")
    assert (again.returncode, again.stdout) == (0, printed.stdout)
    as_of = installation.json(*QUESTION, "--as-of", between)
    assert all(row.pop("provisional") is False for row in as_of)
    assert as_of == json.loads(printed.stdout)
    to_come = installation.json(*QUESTION, "--as-of", (datetime.now(UTC) + timedelta(minutes=5)).isoformat())
    assert all(row.pop("provisional") is True for row in to_come)
    assert to_come == now
    text = installation.run(*QUESTION, "--as-of", between)
    assert "cuối cùng / final" in text.stdout

    other = installation.json("counts", "--snapshot", listed["id"], "--by", "year")
    assert totals(other) == totals(installation.json("counts", "--by", "year", "--as-of", between))
    for refused in (("--as-of", between), ("--publish", "x")):
        assert installation.run("counts", "--snapshot", listed["id"], *refused).returncode == 2
    assert installation.run("counts", "--snapshot", "27").returncode == 2
    assert installation.run(*QUESTION, "--publish", " ").returncode == 2

    rebuilt = installation.json("rebuild")
    assert {name: rebuilt[name] for name in ("events", "identical", "switched", "differences")} == {
        "events": installation.json("audit")["events"],
        "identical": True,
        "switched": True,
        "differences": [],
    }
    assert installation.json(*QUESTION) == now
    assert installation.run("counts", "--snapshot", listed["id"], "--json").stdout == printed.stdout
    # The worker goes on with the rebuilt tables.
    send(installation, tmp_path, list(generate_events(300, 8, catalogue=published_catalogue)), "third")
    assert set(installation.json("audit")["drift"].values()) == {0}


def test_damage_is_told_and_repaired_only_when_forced(
    installation: Installation, published_catalogue: Catalogue, tmp_path: Path
) -> None:
    send(installation, tmp_path, list(generate_events(500, 9, catalogue=published_catalogue)), "damaged")
    installation.run(*QUESTION, "--publish", "before the damage")
    snapshot = installation.json("snapshots")[0]
    published = installation.json("counts", "--snapshot", snapshot["id"])
    with connect(installation.environment["DATABASE_URL"]) as connection:
        connection.execute(
            "delete from count_changes where subject = (select min(subject) from count_changes)"
        )

    reprint = installation.run("counts", "--snapshot", snapshot["id"], "--json")
    assert (reprint.returncode, json.loads(reprint.stdout)) == (1, published)
    assert "canhdich audit" in reprint.stderr
    kept = installation.json("snapshots")
    assert installation.run(*QUESTION, "--publish", "x").returncode == 1
    assert installation.json("snapshots") == kept

    found = installation.json("rebuild", exit_code=1)
    assert (found["identical"], found["switched"]) == (False, False)
    assert {difference["table"] for difference in found["differences"]} == {"count_changes"}
    assert "DIFFERENT in count_changes" in installation.run("rebuild").stdout
    assert installation.run("audit").returncode == 1

    forced = installation.json("rebuild", "--force", exit_code=1)
    assert (forced["identical"], forced["switched"]) == (False, True)
    assert installation.run("audit").returncode == 0
    assert installation.json("counts", "--snapshot", snapshot["id"]) == published
    assert installation.json("rebuild")["identical"] is True

"""Runs the program in a virtual environment of its own: Quix Streams wants an older pydantic than ours."""

import os
import pickle
import subprocess
import time
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from streams.stores.catalogue import read_catalogue
from streams.stores.database import connect
from tests.bench.results import FOLDER, Measured, say
from tests.bench.stage import Stage

Counts = Literal["all", "notified"]
COUNTS: tuple[Counts, ...] = ("all", "notified")
WAYS: dict[str, str] = {
    "all": "Quix Streams, the same daily counts",
    "notified": "Quix Streams, notified cases only",
}
_PROGRAM = Path(__file__).with_name("program.py")


def python() -> Path | None:
    """The interpreter that has Quix Streams; None where `make bench` did not set it up."""
    found = Path(os.environ.get("BENCH_QUIX_PYTHON", ".native/bench/quix-venv/bin/python"))
    return found.absolute() if found.exists() else None


def measure(stage: Stage, counts: Counts, most: int) -> Measured:
    """From the first upserted count to `most` records done, in steady state."""
    interpreter = python()
    assert interpreter is not None
    address = urlsplit(stage.database_url)
    catalogue = (FOLDER / "catalogue.pickle").resolve()
    with connect(stage.database_url) as connection:
        catalogue.write_bytes(pickle.dumps(read_catalogue(connection)))
    environment = {
        "PATH": os.environ["PATH"],
        "KAFKA_BOOTSTRAP": stage.settings.kafka_bootstrap,
        "TOPIC": stage.topic,
        "GROUP": f"{stage.settings.topic_prefix}quix-{counts}-{uuid4().hex[:8]}",
        "COUNTS": counts,
        "CATALOGUE": str(catalogue),
        "PYTHONPATH": str(Path.cwd()),
        "STATE": str((FOLDER / "quix-state").resolve()),
        "PGHOST": address.hostname or "",
        "PGPORT": str(address.port),
        "PGUSER": address.username or "",
        "PGPASSWORD": address.password or "",
        "PGDATABASE": address.path.lstrip("/"),
    }
    way = WAYS[counts]
    with (
        (FOLDER / "quix.log").open("wb") as log,
        connect(stage.database_url) as connection,
        subprocess.Popen([interpreter, _PROGRAM], env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            first = _wait(connection, 1, process)
            started = time.perf_counter()
            say(f"(e) {way}: {most:,} ...")
            last = _wait(connection, most, process)
            measured = Measured("e", way, last - first, time.perf_counter() - started)
        finally:
            process.kill()
    say(f"(e) {way}: {measured.rate:,.0f}/s")
    return measured


def _wait(
    connection: "psycopg.Connection[tuple[object, ...]]", records: int, process: "subprocess.Popen[bytes]"
) -> int:
    """Return when so many records have been counted; how many they are by then."""
    deadline = time.monotonic() + 1_800
    while time.monotonic() < deadline:
        assert process.poll() is None, "the Quix program ended: look at .native/bench/quix.log"
        try:
            row = connection.execute("select coalesce(sum(done), 0)::bigint from quix_counts").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            row = None
        if row is not None and isinstance(row[0], int) and row[0] >= records:
            return row[0]
        time.sleep(0.1)
    raise AssertionError("the Quix program did not get there within half an hour")

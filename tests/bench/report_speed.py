"""(r) The situation report of a province and a year on a store the size of the country, by the command."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from psycopg import Connection
from psycopg.rows import TupleRow

from services.report.writing import Format, printed, situation_report
from services.settings import load_settings
from streams.stores.database import connect
from tests.bench.counts_speed import PROVINCES
from tests.bench.results import Measured, say

FORMS: Final[tuple[Format, ...]] = ("docx", "md")
TARGET_FORM: Final[Format] = "docx"
"""With charts: the form that takes longest."""

_CANHDICH = Path(sys.executable).with_name("canhdich")
_YEAR = ("--from", "2024-01-01", "--to", "2024-12-31")


def measure(database_url: str, repeats: int = 5) -> Iterator[Measured]:
    """Write the report of the smallest, a middling and the largest province; the first time is not counted.

    Seconds are those of the whole command, from its start to its end: median, fastest, slowest. Processor
    seconds are of the command, and of the database for it.

    Args:
        database_url: A country's.
        repeats: Writings that count.
    """
    with tempfile.TemporaryDirectory() as folder, connect(database_url) as connection:
        for province, size in PROVINCES.items():
            for form in FORMS:
                yield _measure(
                    connection, database_url, province, size, Path(folder) / f"report.{form}", repeats
                )
            yield _measure_again(connection, database_url, province, size, repeats)


def _measure(
    connection: Connection[TupleRow], database_url: str, province: str, size: str, file: Path, repeats: int
) -> Measured:
    asked = ("report", "situation", "--province", province, *_YEAR, "--out", str(file))
    environment = {**os.environ, "DATABASE_URL": database_url}
    seconds, command, database = [], [], []
    for _ in range(repeats + 1):
        server_before, own_before = _server_seconds(connection), _children_seconds()
        started = time.perf_counter()
        subprocess.run([_CANHDICH, *asked], env=environment, check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
        command.append(_children_seconds() - own_before)
        server_after = _server_seconds(connection)
        if server_before is not None and server_after is not None:
            database.append(server_after - server_before)
    median = statistics.median(seconds[1:])
    way = f"report as {file.suffix[1:]}, {size} province"
    say(f"(r) {way}: {median:.2f} s")
    return Measured(
        "r",
        way,
        0,
        median,
        {
            "fastest_s": round(min(seconds[1:]), 2),
            "slowest_s": round(max(seconds[1:]), 2),
            "command_processor_s": round(statistics.median(command[1:]), 2),
            **({"database_processor_s": round(statistics.median(database[1:]), 2)} if database else {}),
            "bytes": file.stat().st_size,
        },
    )


def _measure_again(
    connection: Connection[TupleRow], database_url: str, province: str, size: str, repeats: int
) -> Measured:
    """In a process that has written one before, as the pages do: all is imported, the painter waits."""
    settings = load_settings()
    first, last = (date.fromisoformat(text) for text in _YEAR[1::2])
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        document = situation_report(
            connection, settings, province=province, first=first, last=last, form=TARGET_FORM
        )
        file = printed(document, TARGET_FORM)
        seconds.append(time.perf_counter() - started)
    median = statistics.median(seconds[1:])
    way = f"report as {TARGET_FORM} by a process that lives, {size} province"
    say(f"(r) {way}: {median:.2f} s")
    more = {"fastest_s": round(min(seconds[1:]), 2), "slowest_s": round(max(seconds[1:]), 2)}
    return Measured("r", way, 0, median, {**more, "bytes": len(file.content)})


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _server_seconds(connection: Connection[TupleRow]) -> float | None:
    """What the server's processes that have ended have computed; None where that is not to be seen."""
    if connection.info.host not in ("127.0.0.1", "localhost"):
        return None
    try:
        parent = _stat(connection.info.backend_pid)[1]
        # User and system time of the children that were waited for: each connection is one.
        ticks = sum(int(value) for value in _stat(int(parent))[13:15])
    except OSError:
        return None
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """The fields of proc(5) from the third on: the second, the name, may hold blanks."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()

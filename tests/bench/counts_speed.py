"""How long the database takes to answer `counts` with a comparison, on a store the size of the country.

The target: one province and one year beside the year before in less than 100 ms of database time. What is
measured is the time inside the driver's `execute`: the statement's own time, its planning, and the way of the
rows to the client; and beside it, where the server runs here, the processor time of its process, which a busy
machine changes less.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from streams.stores.answers import NO_EXTRAS, Extras, read_answer
from streams.stores.counts import CountsRequest
from streams.stores.database import connect
from tests.bench.results import Measured

PROVINCES = {"12": "smallest", "19": "middling", "38": "largest"}
YEAR = CountsRequest(
    by=("disease",), geography_on=date(2026, 1, 1), first=date(2024, 1, 1), last=date(2024, 12, 31)
)
LAST_YEAR, FIVE_YEARS = Extras(compare="previous-year"), Extras(compare="median-5y")
TARGET = "a year by disease, beside the year before"
QUESTIONS: Sequence[tuple[str, CountsRequest, Extras]] = (
    ("a year by disease", YEAR, NO_EXTRAS),
    (TARGET, YEAR, LAST_YEAR),
    ("a year by disease, beside the median of five", YEAR, FIVE_YEARS),
    (
        "a year by disease and district, beside the year before",
        replace(YEAR, by=("disease", "district")),
        LAST_YEAR,
    ),
    (
        "a year by month of one disease, beside the year before",
        replace(YEAR, by=("month",), disease="dengue"),
        LAST_YEAR,
    ),
    ("half a year by disease, beside the year before", replace(YEAR, last=date(2024, 6, 30)), LAST_YEAR),
    (
        "a year up to 22 November by disease, beside the year before",
        replace(YEAR, last=date(2024, 11, 22)),
        LAST_YEAR,
    ),
    ("a year by disease, with rates", YEAR, Extras(rates=True)),
)


class _Spent:
    seconds = 0.0
    statements = 0


def measure(database_url: str, repeats: int = 9) -> Iterator[Measured]:
    """Ask every question of every province; the first asking, which fills the caches, is not counted.

    Args:
        database_url: A country's.
        repeats: Askings that count.
    """
    with connect(database_url) as connection:
        yield from _ask(connection, repeats)


def _ask(connection: Connection[TupleRow], repeats: int) -> Iterator[Measured]:
    for province, size in PROVINCES.items():
        for question, request, extras in QUESTIONS:
            times, processor = [], []
            for _ in range(repeats + 1):
                before = _processor_seconds(connection)
                with _timed(connection) as spent:
                    rows = read_answer(connection, replace(request, province=province), extras)
                times.append(spent.seconds)
                if before is not None and (after := _processor_seconds(connection)) is not None:
                    processor.append(after - before)
            milliseconds = [1_000 * seconds for seconds in times[1:]]
            yield Measured(
                "k",
                f"{question}, {size} province",
                0,
                statistics.median(times[1:]),
                {
                    "median_ms": round(statistics.median(milliseconds), 1),
                    "fastest_ms": round(min(milliseconds), 1),
                    "slowest_ms": round(max(milliseconds), 1),
                    **(
                        {"processor_ms": round(1_000 * statistics.median(processor[1:]), 1)}
                        if processor
                        else {}
                    ),
                    "rows": len(rows),
                    "statements": spent.statements,
                },
            )


def _processor_seconds(connection: Connection[TupleRow]) -> float | None:
    """What the server's process of this connection has computed so far; None where it is not to be seen."""
    if connection.info.host not in ("127.0.0.1", "localhost"):
        return None
    try:
        spent, *_ = Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text().split()
    except OSError:
        return None
    return int(spent) / 1e9


@contextmanager
def _timed(connection: Connection[TupleRow]) -> Iterator[_Spent]:
    """Add up what is spent in `execute` on a connection."""
    spent = _Spent()

    class Timed(Cursor[TupleRow]):
        def execute(self, *args: Any, **kwargs: Any) -> "Timed":
            started = time.perf_counter()
            try:
                super().execute(*args, **kwargs)
            finally:
                spent.seconds += time.perf_counter() - started
                spent.statements += 1
            return self

    before = connection.cursor_factory
    connection.cursor_factory = Timed
    try:
        yield spent
    finally:
        connection.cursor_factory = before

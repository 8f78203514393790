"""A syndrome's cases count in it, and "of which" in what the laboratory found; a total counts each once."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from streams.stores.counts import CountsRequest, read_counts
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from tests.builders import event, position, records
from tests.fakes import run
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

RASH, ENCEPHALITIS = "rash_fever_susp_measles", "viral_encephalitis"


def _cases() -> Iterator[bytes]:
    """33 rashes (2 measles, 3 rubella, 23 neither, 5 pending) and 40 encephalitides (8 JE, 32 not)."""
    labs: list[tuple[str, dict[str, str]]] = []
    labs += [(RASH, {"measles": "positive", "rubella": "negative"})] * 2
    labs += [(RASH, {"measles": "negative", "rubella": "positive"})] * 3
    labs += [(RASH, {"measles": "negative", "rubella": "negative"})] * 23
    labs += [(RASH, {"measles": "pending"}), (RASH, {"measles": "negative", "rubella": "pending"})] * 2
    labs += [(RASH, {"rubella": "pending"})]
    labs += [(ENCEPHALITIS, {"je": "positive"})] * 8
    labs += [(ENCEPHALITIS, {"je": "negative"})] * 32
    for number, (disease, lab) in enumerate(labs, 1):
        yield event(f"LC-{number}", number, disease=disease, area_code="106", lab=lab)


@pytest.fixture(scope="module")
def told(database_url: str) -> Iterator[Connection[TupleRow]]:
    """The packaged catalogue and those cases."""
    ledger = PostgresLedger(database_url)
    assert run(ledger.replace_positions({0: None}, {0: position()}))
    fold(ledger, records(list(_cases())))
    ledger.close()
    with connect(database_url) as connection:
        yield connection


def rows(connection: Connection[TupleRow], *by: Any, disease: str | None = None) -> list[dict[str, Any]]:
    request = CountsRequest(by=by, geography_on=date(2023, 12, 31), province="12", disease=disease)
    return read_counts(connection, request)


def test_a_syndrome_and_of_which(told: Connection[TupleRow]) -> None:
    found = {row["disease"]: row for row in rows(told, "disease")}
    counters = ("notified", "positive", "negative", "pending", "resolved_from_syndrome")
    assert {disease: tuple(row[name] for name in counters) for disease, row in found.items()} == {
        RASH: (33, 5, 23, 5, 0),
        "measles": (2, 2, 0, 0, 2),
        "rubella": (3, 3, 0, 0, 3),
        ENCEPHALITIS: (40, 8, 32, 0, 0),
        "je": (8, 8, 0, 0, 8),
    }


def test_a_total_over_diseases_counts_each_case_once(told: Connection[TupleRow]) -> None:
    (total,) = rows(told)
    assert (total["notified"], total["positive"], total["negative"], total["pending"]) == (73, 13, 55, 5)


def test_agents_break_the_positives_down(told: Connection[TupleRow]) -> None:
    found = {(row["disease"], row["agent"]): row["positive"] for row in rows(told, "disease", "agent")}
    assert found == {
        (RASH, "measles"): 2,
        (RASH, "rubella"): 3,
        ("measles", "measles"): 2,
        ("rubella", "rubella"): 3,
        (ENCEPHALITIS, "je"): 8,
        ("je", "je"): 8,
    }
    (japanese,) = rows(told, "agent", disease=ENCEPHALITIS)
    assert (japanese["agent"], japanese["positive"]) == ("je", 8)

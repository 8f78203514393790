"""What doubtful texts in imported files mean: asked by imports, decided once by a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from schemas.sql import query
from streams.stores.database import errors_translated


@dataclass(frozen=True, slots=True)
class Asked:
    """One text that an import could not place for certain.

    Attributes:
        field: `disease` or `area_code`.
        text_key: Equal for spellings that are one question.
        text: As it stood in the file.
        candidates: (code, name, day on which an area's code means it), the likeliest first.
        waiting_rows: Rows that wait for the answer.
    """

    field: str
    text_key: str
    text: str
    candidates: tuple[tuple[str, str, date | None], ...]
    waiting_rows: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """A doubtful text, and what was decided; `code` is a disease's code or an area's id."""

    field: str
    text: str
    candidates: list[Any]
    waiting_rows: int
    asked_at: datetime
    code: str | None
    decided_at: datetime | None
    decided_by: str | None


def read_meanings(connection: Connection[TupleRow]) -> dict[tuple[str, str], str]:
    """(field, key of the text) → the disease's code or the area's id that somebody said it means."""
    with errors_translated():
        rows = connection.execute(query("meanings_decided")).fetchall()
    return {(field, key): code for field, key, code in rows}


def list_meanings(connection: Connection[TupleRow], *, only_open: bool) -> list[Meaning]:
    """Every doubtful text, those for which most rows wait first."""
    with errors_translated(), connection.cursor(row_factory=class_row(Meaning)) as cursor:
        return cursor.execute(query("meanings"), {"only_open": only_open}).fetchall()


def ask(connection: Connection[TupleRow], questions: Sequence[Asked], at: datetime) -> None:
    """Note what a file's rows wait for; an answer that was given before stays."""
    document = orjson.dumps(questions).decode()
    with errors_translated():
        connection.execute(query("meanings_ask"), {"questions": document, "asked_at": at})


def decide(
    connection: Connection[TupleRow],
    field: str,
    text_key: str,
    text: str,
    code: str | None,
    *,
    by: str,
    at: datetime,
) -> None:
    """Say what a text means; None opens the question again."""
    with errors_translated():
        connection.execute(
            query("meaning_decide"),
            {
                "field": field,
                "text_key": text_key,
                "text": text,
                "code": code,
                "decided_by": by,
                "at": at,
            },
        )

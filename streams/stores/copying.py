"""Rows for COPY … FROM STDIN in text format, joined in one go.

psycopg's `write_row` adapts value by value, several microseconds a row; the fold's rows are text and small
numbers, for which joining is a tenth of that.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from psycopg import Cursor
from psycopg.rows import TupleRow

NULL: Final = r"\N"

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def escaped(text: str) -> str:
    r"""A text value for a row: what COPY would read as its own signs is escaped.

    >>> escaped("a\tb\\c")
    'a\\tb\\\\c'
    """
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.translate(_ESCAPES)
    return text


def array_literal(values: Sequence[str]) -> str:
    """An array of codes, ids, days or numbers, each quoted: an agent may be called "null".

    Args:
        values: Of letters, digits, `_`, `=`, `@` and `-`.

    >>> array_literal(["null", "je"])
    '{"null","je"}'
    """
    return "{" + ",".join([f'"{value}"' for value in values]) + "}"


def copy_rows(cursor: Cursor[TupleRow], statement: str, rows: Iterable[Iterable[str]]) -> None:
    """Run a COPY … FROM STDIN.

    Args:
        cursor: Where to run it.
        statement: The COPY statement.
        rows: Column values as text; NULL for null; `escaped` where a value may hold any character.
    """
    copy_lines(cursor, statement, map("\t".join, rows))


def copy_lines(cursor: Cursor[TupleRow], statement: str, lines: Iterable[str]) -> None:
    """Run a COPY … FROM STDIN of rows whose values are joined by tabs already."""
    block = "\n".join(lines)
    with cursor.copy(statement) as copy:
        if block:
            copy.write(block + "\n")

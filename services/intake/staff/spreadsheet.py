"""CSV that Excel opens as it is, and that no cell of can run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, Literal

Separator = Literal[",", ";"]

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(value: object) -> str:
    """A cell's text; one that a spreadsheet would take for a formula has an apostrophe put before it.

    Numbers stay numbers: only texts can hold what somebody typed.

    >>> safe_cell("=cmd|'/C calc'!A0"), safe_cell(-3), safe_cell(None), safe_cell(" @SUM(A1)")
    ("'=cmd|'/C calc'!A0", '-3', '', "' @SUM(A1)")
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).replace("\0", "")
    if isinstance(value, str) and text.lstrip(" \u00a0\ufeff").startswith(_BEGINS_A_FORMULA):
        return f"'{text}"
    return text


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]], separator: Separator = ",") -> bytes:
    """A table with a byte order mark, by which Excel knows that it is UTF-8."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, delimiter=separator, lineterminator="\r\n")
    writer.writerow([safe_cell(name) for name in header])
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + made.getvalue().encode()

"""SQL as files: one statement, one file, named as the method that runs it."""

import re
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent
MIGRATIONS = _ROOT / "migrations"
QUERIES = _ROOT / "queries"
VIEWS = _ROOT / "views"

_HEADER = re.compile(r"-- name: (?P<name>\w+)\n-- returns: .+\n-- params: .+\n-- used by: .+\n")


def check_header(name: str, text: str) -> None:
    """Refuse a query file without its four header lines.

    Raises:
        ValueError: the header is missing, out of order, or names another file.
    """
    match = _HEADER.match(text)
    if match is None:
        raise ValueError(f"{name}.sql: the first four lines must be name, returns, params, used by")
    if match["name"] != name:
        raise ValueError(f"{name}.sql: its header says {match['name']!r}")


@cache
def query(name: str) -> str:
    """The text of `queries/<name>.sql`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: its header is not in order.
    """
    text = (QUERIES / f"{name}.sql").read_text("utf-8")
    check_header(name, text)
    return text


def views() -> dict[str, str]:
    """The statements that make the boards' views, by file name, in the order in which they are run.

    Raises:
        ValueError: a file does not begin with what its rows are.
    """
    texts = {path.name: path.read_text("utf-8") for path in sorted(VIEWS.glob("*.sql"))}
    for name, text in texts.items():
        if not text.startswith("-- One row"):
            raise ValueError(f"{name}: the first line must say what a row is: `-- One row per ...`")
    return texts

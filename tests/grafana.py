"""What Grafana's browser and PostgreSQL plugin make of a board's queries, as far as ours go.

First the browser puts in variables; then the server puts in the time macros. Whatever is left of either is
an error here: Grafana would send it to the database as it stands, or refuse it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

EVERY = "$__all"
Choose = Callable[[str, Sequence[str]], Sequence[str]]
"""Name of a variable and its options -> what is chosen; (EVERY,) for "All"."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!_)(\w+)")
_MACRO = re.compile(r"\$__(\w+)\(([^)]*)\)")
_INTERVAL = timedelta(days=1)
"""What Grafana finds for a year on some 300 points."""
_STRING = re.compile(r"'(?:[^']|'')*'")


class NotUnderstood(ValueError):
    """Grafana would not do what the query means."""


@dataclass(frozen=True)
class Chosen:
    """The value of a variable: what was chosen of its options."""

    values: Sequence[str]
    options: Sequence[str]
    all_value: str | None = None

    @property
    def texts(self) -> Sequence[str]:
        """One by one; "All" is every option."""
        return self.options if EVERY in self.values else self.values


@dataclass(frozen=True)
class Range:
    """The time picker."""

    first: datetime
    last: datetime


@dataclass(frozen=True)
class Query:
    """A query of a board: of a panel, an annotation or a variable."""

    where: str
    kind: str
    sql: str
    is_series: bool


def queries(board: Mapping[str, Any]) -> Iterator[Query]:
    """Those of the panels and annotations."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield Query(panel["title"], panel["type"], target["rawSql"], target["format"] == "time_series")
    for mark in board["annotations"]["list"]:
        yield Query(mark["name"], "annotation", mark["target"]["rawSql"], False)


def choose_all(
    connection: Connection[TupleRow], board: Mapping[str, Any], choose: Choose, time: Range
) -> dict[str, Chosen]:
    """The value of every variable, each asked for with those before it."""
    chosen: dict[str, Chosen] = {}
    for variable in board["templating"]["list"]:
        cursor = connection.execute(expand(variable["query"], chosen, time))
        columns = [column.name for column in cursor.description or ()]
        place = columns.index("__value")
        options = [row[place] for row in cursor]
        if not options:
            # A single value is then empty; several would be written IN (), which is no SQL.
            assert not variable.get("multi"), f"{variable['name']} has no options"
            chosen[variable["name"]] = Chosen(("",), ())
            continue
        values = choose(variable["name"], options)
        if EVERY in values and not variable.get("includeAll"):
            values = options[:1]
        chosen[variable["name"]] = Chosen(values, options, variable.get("allValue"))
    return chosen


def expand(sql: str, chosen: Mapping[str, Chosen], time: Range) -> str:
    """The text that reaches the database.

    Raises:
        NotUnderstood: a variable that is not there, or written so that quotes are not doubled; a macro that
            is not there; something left over.
    """

    def variable(found: re.Match[str]) -> str:
        name, form = found[1] or found[3], found[2]
        if name not in chosen:
            raise NotUnderstood(f"no variable {name}")
        if form != "sqlstring":
            raise NotUnderstood(f"{name}: write ${{{name}:sqlstring}}, which doubles quotes")
        value = chosen[name]
        if EVERY in value.values and value.all_value is not None:
            return value.all_value
        if any('"' in text for text in value.texts):
            raise NotUnderstood(f'{name}: sqlstring writes " as \\", which PostgreSQL does not undo')
        return ",".join("'" + text.replace("'", "''") + "'" for text in value.texts)

    def macro(found: re.Match[str]) -> str:
        name, arguments = found[1], found[2]
        if name == "timeFilter" and arguments:
            return f"{arguments} BETWEEN '{_instant(time.first)}' AND '{_instant(time.last)}'"
        if name in ("timeFrom", "timeTo") and not arguments:
            return f"'{_instant(time.first if name == 'timeFrom' else time.last)}'"
        if (
            name == "timeGroup"
            and len(parts := arguments.split(",")) == 2
            and parts[1].strip() == "$__interval"
        ):
            return f"time_bucket('{_INTERVAL.total_seconds():.3f}s',{parts[0].strip()})"
        raise NotUnderstood(f"macro {found[0]}")

    milliseconds = str(int(_INTERVAL.total_seconds() * 1_000))
    given = _VARIABLE.sub(variable, sql).replace("$__interval_ms", milliseconds)
    expanded = _MACRO.sub(macro, given)
    if "$" in _STRING.sub("", expanded):
        raise NotUnderstood(f"something is left in {expanded}")
    return expanded


def _instant(at: datetime) -> str:
    """As Go writes an instant: in UTC, without zeros behind the point."""
    text = at.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "Z"

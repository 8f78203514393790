"""Reading foci: the list as it stands or as it stood, and totals that say what they leave out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.calendar import microseconds
from streams.domain.catalogue import Catalogue
from streams.domain.errors import ConfigurationError
from streams.domain.focus import Focus, Total, focus_of, totals
from streams.domain.reports import Report, ReportEvent, judge_report, report_event
from streams.stores.counts import CountsRequest
from streams.stores.places import Scope, ShownArea, read_scope

TOTALLED_BY = {"ill": "cases", "hospitalised": "hospitalised", "dead": "deaths"}
"""The numbers of a focus that an office may also report as a total, and the indicator of that tally."""


@dataclass(frozen=True, slots=True)
class ShownFocus:
    """A focus with its code, the area where it was, and when what stands of it became known."""

    subject: str
    known_at: datetime
    focus: Focus
    area: ShownArea


@dataclass(frozen=True, slots=True)
class FociTotal:
    """The foci of one kind and disease: what their rows add up to, and what the office says they do.

    Attributes:
        rows: Per number the sum over the rows that have it, and how many do not.
        reported: Per number the office's own total for the same place and period; absent where it gave none.
    """

    kind: str
    disease: str
    disease_name: str
    foci: int
    rows: dict[str, Total]
    reported: dict[str, int]

    @property
    def incomplete(self) -> list[str]:
        """The numbers whose rows do not add up to the whole: a row lacks it, or the office says otherwise."""
        return [
            name
            for name, total in self.rows.items()
            if (not total.is_complete and (total.known or name in self.reported))
            or self.reported.get(name, total.known_sum) != total.known_sum
        ]


def read_foci(
    connection: Connection[TupleRow], request: CountsRequest, kind: str | None = None
) -> list[ShownFocus]:
    """The foci of a place and a period (by the day on which each is counted), oldest first.

    Args:
        connection: Used for one transaction.
        request: Place, geography, disease, period and as_of matter.
        kind: outbreak or food_poisoning; None: both.

    Raises:
        ConfigurationError: a code means nothing in that structure; says which.
    """
    with connection.transaction():
        scope = read_scope(connection, request.geography_on, request.province, request.district)
        if request.as_of is not None:
            known = _as_of(connection, request.as_of)
            return _asked(known, request, kind, scope)
        rows = connection.execute(
            query("foci"),
            {
                "kind": kind,
                "disease": request.disease,
                "first": request.first,
                "last": request.last,
                "area_ids": list(scope.areas),
            },
        ).fetchall()
    return [
        ShownFocus(subject, known_at, focus, scope.areas[focus.area_id])
        for subject, known_at, *row in rows
        for focus in (Focus._make(row),)
    ]


class _Known(NamedTuple):
    subject: str
    known_at: datetime
    focus: Focus


def _as_of(connection: Connection[TupleRow], as_of: datetime) -> Iterator[_Known]:
    """Every focus as the events that were folded by then make it."""
    # Only what was parked when it came is resolved again: a catalogue takes long to read.
    catalogue = cache(lambda: _catalogue(connection))
    rows = connection.execute(query("folded_reports"), {"kind": "focus", "as_of": as_of})
    for subject, events in groupby(rows, key=itemgetter(0)):
        report = Report()
        known_at: datetime | None = None
        for _, event_id, event_time, data, area_id, folded_at in events:
            before = focus_of(report) if report.registers else None
            report.apply(refolded("focus", subject, event_id, event_time, data, area_id, catalogue))
            if focus_of(report) != before:
                known_at = folded_at if known_at is None else max(known_at, folded_at)
        if known_at is not None:
            yield _Known(subject, known_at, focus_of(report))


def _catalogue(connection: Connection[TupleRow]) -> Catalogue:
    # What reads it brings in what loads it from its files; nothing else here needs that.
    from streams.stores.catalogue import read_catalogue

    return read_catalogue(connection)


def refolded(
    kind: Any,
    subject: str,
    event_id: Any,
    event_time: datetime,
    data: dict[str, Any],
    area_id: str | None,
    catalogue: Callable[[], Catalogue],
) -> ReportEvent:
    """A journaled event as it was folded: its area as resolved then, by the catalogue where it was parked.

    Args:
        kind, subject, event_id, event_time, data: As journaled.
        area_id: As resolved when it came; None: it was parked.
        catalogue: Reads the one in force.

    Raises:
        ConfigurationError: it is journaled as folded, and the catalogue does not know its codes.
    """
    time = microseconds(event_time)
    if area_id is not None:
        return report_event(kind, subject, event_id, time, data, area_id)
    judged, _ = judge_report(kind, subject, event_id, time, data, catalogue())
    if not isinstance(judged, ReportEvent):
        raise ConfigurationError(f"{subject}: folded, yet its codes are not in the catalogue.")
    return judged


def _asked(
    known: Iterator[_Known], request: CountsRequest, kind: str | None, scope: Scope
) -> list[ShownFocus]:
    first = None if request.first is None else request.first.isoformat()
    last = None if request.last is None else request.last.isoformat()
    found = [
        ShownFocus(subject, known_at, focus, scope.areas[focus.area_id])
        for subject, known_at, focus in known
        if focus.area_id in scope.areas
        and kind in (None, focus.kind)
        and request.disease in (None, focus.disease)
        and (first is None or first <= focus.day)
        and (last is None or focus.day <= last)
    ]
    return sorted(found, key=lambda shown: (shown.focus.day, shown.subject))


def read_foci_totals(
    connection: Connection[TupleRow], request: CountsRequest, foci: Sequence[ShownFocus]
) -> list[FociTotal]:
    """What foci add up to, per kind and disease, beside the totals that offices reported as tallies.

    A total is the office's own where a tally is of exactly the place and the period asked for.

    Args:
        connection: Used for one transaction.
        request: What `foci` were read with.
        foci: Them.
    """
    groups: dict[tuple[str, str], list[Focus]] = {}
    for shown in foci:
        groups.setdefault((shown.focus.kind, shown.focus.disease), []).append(shown.focus)
    with connection.transaction():
        names: dict[str, str] = dict(connection.execute(query("disease_names")).fetchall())
        reported = _reported(connection, request)
    return [
        FociTotal(kind, disease, names[disease], len(group), totals(group), reported.get(disease, {}))
        for (kind, disease), group in groups.items()
    ]


def _reported(connection: Connection[TupleRow], request: CountsRequest) -> dict[str, dict[str, int]]:
    code = request.district or request.province
    if code is None or request.first is None or request.last is None:
        return {}
    numbers = {indicator: number for number, indicator in TOTALLED_BY.items()}
    rows = connection.execute(
        query("exact_tallies"),
        {
            "indicators": list(numbers),
            "code": code,
            "first": request.first,
            "last": request.last,
            "as_of": request.as_of,
        },
    )
    found: dict[str, dict[str, int]] = {}
    for indicator, disease, value in rows:
        found.setdefault(disease, {})[numbers[indicator]] = value
    return found

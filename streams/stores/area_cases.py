"""The cases of one disease in some areas, now or as of an instant."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.calendar import microseconds
from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.case_groups import GroupedBy, group_cases
from streams.domain.errors import ConfigurationError
from streams.domain.judging import judge, kind_of
from streams.stores.catalogue import read_catalogue
from streams.stores.tables import case_from_row


@dataclass(frozen=True, slots=True)
class GroupsRequest:
    """What is asked of the cases of one commune (or district, or province).

    Attributes:
        area: Its code in the structure of areas in force on `geography_on`.
        first, last: The days on which the cases stand: of onset, else of the report.
        cluster: Only those with this epidemiological link, e.g. the code of a focus.
    """

    disease: str
    area: str
    geography_on: date
    first: date
    last: date
    cluster: str | None = None
    as_of: datetime | None = None


def area_id_of(connection: Connection[TupleRow], code: str, day: date) -> str:
    """The area that a code meant on a day; of a surveillance area where no official one has the code.

    Raises:
        ConfigurationError: it meant nothing.
    """
    row = connection.execute(query("area_of_code"), {"code": code, "day": day}).fetchone()
    if row is None:
        raise ConfigurationError(
            f"{code}: no area had this code on {day.isoformat()}. Codes are text with their zeros; "
            "--geography names the day on which an old code was in use."
        )
    return str(row[0])


def read_case_groups(
    connection: Connection[TupleRow], request: GroupsRequest, by: Sequence[GroupedBy]
) -> list[dict[str, Any]]:
    """Rows of `group_cases`.

    Args:
        connection: Used for one transaction.
        request: What is asked for.
        by: Columns.

    Raises:
        ConfigurationError: the code means nothing in that structure.
    """
    with connection.transaction():
        return group_cases(_cases(connection, request), by)


def _cases(connection: Connection[TupleRow], request: GroupsRequest) -> Iterator[Case]:
    area_id = area_id_of(connection, request.area, request.geography_on)
    place = connection.execute(
        query("rule_areas"), {"area_ids": [area_id], "day": request.geography_on}
    ).fetchone()
    members: list[str] = [area_id] if place is None else place[7]
    window = {
        "disease": request.disease,
        "area_ids": members,
        "since": request.first,
        "until": request.last,
        "as_of": request.as_of,
    }
    for case in _known_cases(connection, window):
        contribution = case.contribution
        if (
            contribution is not None
            and request.first.isoformat() <= contribution.onset_day <= request.last.isoformat()
            and request.cluster in (None, case.value("cluster"))
        ):
            yield case


def _known_cases(connection: Connection[TupleRow], window: Mapping[str, Any]) -> Iterator[Case]:
    if window["as_of"] is not None:
        yield from cases_as_of(connection, window)
        return
    areas = window["area_ids"]
    params = {
        "key_nos": [0] * len(areas),
        "diseases": [window["disease"]] * len(areas),
        "area_ids": areas,
        "first_days": [window["since"]] * len(areas),
        "until": window["until"],
    }
    for _, *row in connection.execute(query("rule_cases"), params):
        yield case_from_row(*row)


def cases_as_of(connection: Connection[TupleRow], window: Mapping[str, Any]) -> Iterator[Case]:
    """The cases folded again from what was known, judged by the catalogue in force.

    Args:
        connection: Within a transaction.
        window: disease, area_ids, since, until (days of onset or of the report), as_of.
    """
    catalogue = read_catalogue(connection)
    cases: dict[str, Case] = defaultdict(Case)
    for subject, event_id, event_type, event_time, data in connection.execute(
        query("rule_case_events"), window
    ):
        event, _ = judge(kind_of(event_type), subject, event_id, microseconds(event_time), data, catalogue)
        if isinstance(event, CaseEvent):
            cases[subject].apply(event)
    for case in cases.values():
        case.contribution = c = contribution_of(case, catalogue)
        if (
            c is not None
            and window["disease"] in (c.disease, *(disease for _, disease in c.resolved))
            and c.area_id in window["area_ids"]
        ):
            yield case

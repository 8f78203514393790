"""What the rules must know of a disease in an area, read from counts, cases and notices in one view."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.areas import code_of
from streams.domain.calendar import microseconds
from streams.domain.case import Case, CaseEvent, contribution_of
from streams.domain.errors import ConfigurationError
from streams.domain.judging import judge, kind_of
from streams.domain.rules import CaseFact, CommuneFacts, Facts, JudgedArea, Notice, case_fact
from streams.handlers.judge_rules import Asked
from streams.stores.catalogue import read_catalogue
from streams.stores.counts import one_view
from streams.stores.database import connect, errors_translated
from streams.stores.tables import case_from_row


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


class PostgresRuleHistory:
    """Implements the RuleHistory port of streams/handlers/judge_rules.py.

    `as_of`: only what was known at an instant; None: all that is known.
    """

    def __init__(self, database_url: str, as_of: datetime | None = None) -> None:
        self._database_url = database_url
        self._as_of = as_of
        self._connection: Connection[TupleRow] | None = None

    def facts(self, asked: Asked) -> tuple[JudgedArea, Facts]:
        """Everything but population and reporters."""
        try:
            with errors_translated():
                connection = self._open()
                with one_view(connection):
                    return read_facts(connection, asked, self._as_of)
        except ConfigurationError:
            raise
        except BaseException:
            # The state of a connection after an error is not worth reasoning about.
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection[TupleRow]:
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = connect(self._database_url)
        return self._connection


def read_facts(
    connection: Connection[TupleRow], asked: Asked, as_of: datetime | None = None
) -> tuple[JudgedArea, Facts]:
    """As RuleHistory.facts, within a transaction of the caller's."""
    row = connection.execute(query("rule_area"), {"area_id": asked.area_id, "day": asked.on}).fetchone()
    if row is None:
        raise ConfigurationError(
            f"{code_of(asked.area_id)}: no single area stands for {asked.area_id} on {asked.on.isoformat()}."
        )
    area_id, kind, name, province_id, district_id, structure_on, members, is_approximate = row
    # What a district or a province is the sum of says nothing about its history.
    merged = [member for member in members if member != area_id] if kind == "commune" else []
    area = JudgedArea(area_id, kind, name, province_id, max(1, len(merged)), is_approximate)
    params: dict[str, Any] = {
        "disease": asked.disease,
        "area_ids": members,
        "structure_on": structure_on,
        "province_id": province_id,
        "district_id": district_id,
        "left_out": list(asked.left_out),
        "as_of": as_of,
    }
    notices = [Notice(*notice) for notice in connection.execute(query("rule_notices"), params)]
    known_from = _known_from(connection, params)
    if kind != "commune":
        communes = _communes(connection, asked, params) if asked.wants_communes else []
        return area, Facts(known_from=known_from, notices=notices, communes=communes)
    facts = Facts(
        cases=_cases(connection, asked, params, as_of),
        by_onset=dict(
            connection.execute(query("rule_days"), params | {"since": asked.history_since}).fetchall()
        ),
        known_from=known_from,
        notices=notices,
        district_deaths=_deaths(connection, asked, params) if district_id is not None else None,
    )
    return area, facts


def _cases(
    connection: Connection[TupleRow], asked: Asked, params: dict[str, Any], as_of: datetime | None
) -> list[CaseFact]:
    window = params | {"since": asked.cases_since, "until": asked.on}
    if as_of is None:
        cases: Iterable[Case] = (
            case_from_row(*row) for row in connection.execute(query("rule_cases"), window)
        )
    else:
        cases = _cases_as_of(connection, window)
    facts = (case_fact(case) for case in cases)
    return [fact for fact in facts if fact is not None]


def _cases_as_of(connection: Connection[TupleRow], window: dict[str, Any]) -> Iterator[Case]:
    """The cases folded again from what was known, judged by the catalogue in force."""
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


def _known_from(connection: Connection[TupleRow], params: dict[str, Any]) -> date | None:
    """From when on the province's records are: its first case, but not before case reports count."""
    (first,) = connection.execute(query("rule_first_day"), params).fetchone() or (None,)
    (since,) = connection.execute(query("rule_reports_since"), params).fetchone() or (None,)
    days = [day for day in (first, since) if day is not None]
    return max(days) if first is not None else None


def _communes(connection: Connection[TupleRow], asked: Asked, params: dict[str, Any]) -> list[CommuneFacts]:
    by_onset: dict[tuple[str, str | None], dict[date, int]] = defaultdict(dict)
    confirmed: dict[tuple[str, str | None], dict[date, int]] = defaultdict(dict)
    for commune, district, day, cases, confirmed_cases in connection.execute(
        query("rule_communes"), params | {"since": asked.history_since, "until": asked.on}
    ):
        by_onset[commune, district][day] = cases
        confirmed[commune, district][day] = confirmed_cases
    return [CommuneFacts(*key, by_onset[key], confirmed[key]) for key in sorted(by_onset, key=str)]


def _deaths(connection: Connection[TupleRow], asked: Asked, params: dict[str, Any]) -> list[date]:
    rows = connection.execute(query("rule_deaths"), params | {"since": asked.cases_since, "until": asked.on})
    return [day for day, deaths in rows for _ in range(deaths)]

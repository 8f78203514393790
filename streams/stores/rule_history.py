"""What the rules must know of a disease in an area, read from counts, cases and notices in one view."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.areas import code_of
from streams.domain.case import Case
from streams.domain.errors import ConfigurationError
from streams.domain.rules import CaseFact, CommuneFacts, Facts, JudgedArea, Notice, case_fact
from streams.handlers.judge_rules import Asked
from streams.stores.area_cases import cases_as_of
from streams.stores.catalogue import current_load_id
from streams.stores.copying import array_literal
from streams.stores.counts import one_view
from streams.stores.database import connect, errors_translated
from streams.stores.tables import case_from_row

_FIRST_DAYS_SECONDS = 60.0


class PostgresRuleHistory:
    """Implements the RuleHistory port of streams/handlers/judge_rules.py.

    `as_of`: only what was known at an instant; None: all that is known.
    """

    def __init__(
        self,
        database_url: str,
        as_of: datetime | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds."""
        self._database_url = database_url
        self._as_of = as_of
        self._connection: Connection[TupleRow] | None = None
        self._places = _Places()
        self._first_days = _FirstDays(clock)

    def facts_of(self, asked: Sequence[Asked]) -> list[tuple[JudgedArea, Facts] | None]:
        """Everything but population and reporters."""
        try:
            with errors_translated():
                connection = self._open()
                with one_view(connection):
                    return _read_facts(connection, asked, self._as_of, self._places, self._first_days)
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


class _Places:
    """Areas as they are judged on a day, read once: only a load of the catalogue moves them."""

    def __init__(self) -> None:
        self._read_for: tuple[int | None, date] | None = None
        self._known: dict[str, _Place] = {}

    def of(
        self, connection: Connection[TupleRow], asked: Sequence[Asked], on: date
    ) -> Mapping[str, "_Place"]:
        """By the ids that are asked for, and others."""
        read_for = (current_load_id(connection), on)
        if read_for != self._read_for:
            self._read_for, self._known = read_for, {}
        missing = {question.area_id for question in asked} - self._known.keys()
        if missing:
            self._known.update(_areas(connection, sorted(missing), on))
        return self._known


def _read_facts(
    connection: Connection[TupleRow],
    asked: Sequence[Asked],
    as_of: datetime | None,
    places: _Places,
    remembered: "_FirstDays",
) -> list[tuple[JudgedArea, Facts] | None]:
    """As RuleHistory.facts_of, within a transaction of the caller's: each kind of fact in one reading."""
    if not asked:
        return []
    (on,) = {question.on for question in asked}
    areas = places.of(connection, asked, on)
    wanted = {
        number: (question, areas[question.area_id])
        for number, question in enumerate(asked)
        if question.kinds is None or areas[question.area_id].area.kind in question.kinds
    }
    communes = {number: pair for number, pair in wanted.items() if pair[1].area.kind == "commune"}
    first_days = remembered.of(connection, wanted.values())
    reports_since = {
        (disease, province_id): date.fromisoformat(day)
        for disease, province_id, day in connection.execute(query("catalogue_case_reports_since"))
    }
    notices: dict[int, list[Notice]] = defaultdict(list)
    for number, *notice in connection.execute(query("rule_notices"), _members(wanted)):
        notices[number].append(Notice(*notice))
    by_onset: dict[int, dict[date, int]] = defaultdict(dict)
    days = _members(communes, lambda question: question.history_since)
    for number, day, cases in (
        connection.execute(query("rule_days"), days)
        if as_of is None
        else connection.execute(query("rule_days_as_of"), days | {"as_of": as_of})
    ):
        by_onset[number][day] = cases
    cases_of = _cases(connection, communes, on, as_of)

    found: list[tuple[JudgedArea, Facts] | None] = []
    for number, question in enumerate(asked):
        if number not in wanted:
            found.append(None)
            continue
        place = areas[question.area_id]
        first = first_days[place.area.province_id]
        since = reports_since.get((question.disease, place.area.province_id))
        facts = Facts(
            cases=cases_of[number],
            by_onset=by_onset[number],
            # From its first case on, but not before case reports count.
            known_from=first if first is None or since is None else max(first, since),
            notices=notices[number],
        )
        if number not in communes:
            if question.wants_communes:
                facts = replace(facts, communes=_communes(connection, question, place, as_of))
        elif question.wants_deaths and place.district_id is not None:
            facts = replace(facts, district_deaths=_deaths(connection, question, place, as_of))
        found.append((place.area, facts))
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """An area as judged, and the areas whose counts are its own."""

    area: JudgedArea
    district_id: str | None
    structure_on: date
    members: list[str]


_Wanted = Mapping[int, tuple[Asked, _Place]]
"""By the number of the question."""


def _areas(connection: Connection[TupleRow], ids: Sequence[str], on: date) -> dict[str, _Place]:
    """By the id that was asked for."""
    places = {}
    for row in connection.execute(query("rule_areas"), {"area_ids": list(ids), "day": on}):
        asked_id, area_id, kind, name, province_id, district_id, structure_on, members, is_approximate = row
        # What a district or a province is the sum of says nothing about its history.
        merged = [member for member in members if member != area_id] if kind == "commune" else []
        area = JudgedArea(area_id, kind, name, province_id, max(1, len(merged)), is_approximate)
        places[asked_id] = _Place(area, district_id, structure_on, members)
    for area_id in ids:
        if area_id not in places:
            raise ConfigurationError(
                f"{code_of(area_id)}: no single area stands for {area_id} on {on.isoformat()}."
            )
    return places


def _members(wanted: _Wanted, since: Callable[[Asked], date] | None = None) -> dict[str, Any]:
    """One entry per area whose counts are wanted, as the queries take them."""
    rows = [
        (number, question, member) for number, (question, place) in wanted.items() for member in place.members
    ]
    # Written out here: psycopg looks at each value of a list by itself, a quarter of the time of judging.
    params: dict[str, Any] = {
        "key_nos": array_literal([str(number) for number, *_ in rows]),
        "diseases": array_literal([question.disease for _, question, _ in rows]),
        "area_ids": array_literal([member for *_, member in rows]),
    }
    if since is not None:
        params["first_days"] = array_literal([since(question).isoformat() for _, question, _ in rows])
    return params


class _FirstDays:
    """The day of each province's first case, read again after a minute: it hardly ever moves.

    A case that comes earlier than all others is history for the rules a minute late, and then for good.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._read_at = -math.inf
        self._known: dict[tuple[str, date], date | None] = {}

    def of(
        self, connection: Connection[TupleRow], wanted: Collection[tuple[Asked, _Place]]
    ) -> dict[str, date | None]:
        """By the ids of the provinces of what is asked for, which is all about one day."""
        if self._clock() - self._read_at > _FIRST_DAYS_SECONDS:
            self._known.clear()
            self._read_at = self._clock()
        found: dict[str, date | None] = {}
        for question, place in wanted:
            province_id = place.area.province_id
            if province_id in found:
                continue
            key = (province_id, place.structure_on)
            if key not in self._known:
                params = {
                    "province_id": province_id,
                    "structure_on": place.structure_on,
                    "left_out": list(question.left_out),
                }
                (self._known[key],) = connection.execute(query("rule_first_day"), params).fetchone() or (
                    None,
                )
            found[province_id] = self._known[key]
        return found


def _cases(
    connection: Connection[TupleRow], communes: _Wanted, on: date, as_of: datetime | None
) -> Mapping[int, list[CaseFact]]:
    found: dict[int, list[CaseFact]] = defaultdict(list)
    for number, case in _counted_cases(connection, communes, on, as_of):
        if (fact := case_fact(case)) is not None:
            found[number].append(fact)
    return found


def _counted_cases(
    connection: Connection[TupleRow], communes: _Wanted, on: date, as_of: datetime | None
) -> Iterator[tuple[int, Case]]:
    if as_of is None:
        window = _members(communes, lambda question: question.cases_since) | {"until": on}
        for number, *row in connection.execute(query("rule_cases"), window):
            yield number, case_from_row(*row)
        return
    for number, (question, place) in communes.items():
        for case in cases_as_of(connection, _window(question, place, as_of)):
            yield number, case


def _window(question: Asked, place: _Place, as_of: datetime | None) -> dict[str, Any]:
    """What the queries about one key take."""
    return {
        "disease": question.disease,
        "area_ids": place.members,
        "structure_on": place.structure_on,
        "district_id": place.district_id,
        "since": question.cases_since,
        "until": question.on,
        "as_of": as_of,
    }


def _communes(
    connection: Connection[TupleRow], question: Asked, place: _Place, as_of: datetime | None
) -> list[CommuneFacts]:
    by_onset: dict[tuple[str, str | None], dict[date, int]] = defaultdict(dict)
    confirmed: dict[tuple[str, str | None], dict[date, int]] = defaultdict(dict)
    window = _window(question, place, as_of) | {"since": question.history_since}
    for commune, district, day, cases, confirmed_cases in connection.execute(query("rule_communes"), window):
        by_onset[commune, district][day] = cases
        confirmed[commune, district][day] = confirmed_cases
    return [CommuneFacts(*key, by_onset[key], confirmed[key]) for key in sorted(by_onset, key=str)]


def _deaths(
    connection: Connection[TupleRow], question: Asked, place: _Place, as_of: datetime | None
) -> list[date]:
    rows = connection.execute(query("rule_deaths"), _window(question, place, as_of))
    return [day for day, deaths in rows for _ in range(deaths)]

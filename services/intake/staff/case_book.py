"""The CaseBook port over TimescaleDB."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import psycopg
import structlog
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import load_catalogue
from schemas.sql import query
from services.importing.national import SUBJECT_PREFIX
from services.intake.staff.ports import CaseSearch, FoundCase
from services.intake.staff.vocabulary import Vocabulary
from services.intake.threads import Worker
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.case import AREA, Case, overall_result, state_of
from streams.domain.errors import CanhDichError, DependencyDown
from streams.stores.cases import ShownCase, read_case
from streams.stores.catalogue import current_load_id, with_operator_files
from streams.stores.counts import area_ids_within, structure_in_force
from streams.stores.database import Session

# People wait for these answers.
_BOUNDS = ("set statement_timeout = '10s'", "set lock_timeout = '2s'")
_CLOSE_SECONDS = 2.0
_LOOKS_BACK: Final = (timedelta(days=30), timedelta(days=365))

log = structlog.get_logger(__name__)


class DatabaseCaseBook:
    """Implements the CaseBook port of services/intake/staff/ports.py; connects when first asked.

    The catalogue has a connection of its own, so that a slow search does not hold up a form.
    """

    def __init__(self, database_url: str) -> None:
        self._cases = Session(database_url, _BOUNDS)
        self._catalogue = Session(database_url, _BOUNDS)
        self._cases_worker = Worker("intake-cases")
        self._catalogue_worker = Worker("intake-vocabulary")
        self._vocabulary: Vocabulary | None = None
        self._load_id: int | None = None

    async def vocabulary(self) -> Vocabulary:
        """The catalogue in force; the last one known where the database does not answer."""
        return await self._catalogue_worker.run(self._current_vocabulary)

    async def read(self, subject: str) -> ShownCase | None:
        """State and history of a case."""
        return await self._cases_worker.run(self._read, subject)

    async def find(self, search: CaseSearch, most: int, skip: int) -> Sequence[FoundCase]:
        """Cases that a search finds."""
        return await self._cases_worker.run(self._find, search, most, skip)

    async def close(self) -> None:
        """Give the connections up; one that hangs is left to the end of the process."""
        await self._cases_worker.finish(self._cases.close, _CLOSE_SECONDS)
        await self._catalogue_worker.finish(self._catalogue.close, _CLOSE_SECONDS)

    def _current_vocabulary(self) -> Vocabulary:
        try:
            with self._catalogue.transaction() as connection:
                load_id = current_load_id(connection)
                if self._vocabulary is None or load_id != self._load_id:
                    self._vocabulary = Vocabulary(with_operator_files(connection, load_catalogue()))
                    self._load_id = load_id
        except (CanhDichError, psycopg.Error) as error:
            # A form must not depend on the database: the packaged catalogue is right but for what the
            # operator added.
            log.warning("vocabulary_without_database", error=type(error).__name__)
            self._vocabulary = self._vocabulary or Vocabulary(load_catalogue())
        return self._vocabulary

    def _read(self, subject: str) -> ShownCase | None:
        try:
            with self._cases.transaction() as connection:
                return read_case(connection, subject)
        except psycopg.Error as error:
            raise DependencyDown(f"TimescaleDB refuses the question: {type(error).__name__}") from error

    def _find(self, search: CaseSearch, most: int, skip: int) -> list[FoundCase]:
        try:
            with self._cases.transaction() as connection:
                rows = _rows(connection, search, most, skip)
        except psycopg.Error as error:
            raise DependencyDown(f"TimescaleDB refuses the question: {type(error).__name__}") from error
        return [found_case(subject, Case(dict(registers)), counts) for subject, registers, counts in rows]


def _rows(connection: Connection[TupleRow], search: CaseSearch, most: int, skip: int) -> list[Any]:
    """Subject, registers and whether it counts, of each case found."""
    structure_on = structure_in_force(connection, datetime.now(LOCAL_ZONE).date())
    asked = {
        "area_ids": area_ids_within(connection, structure_on, search.area_codes),
        "disease": search.disease,
        "basis": "onset" if search.by_onset else "report",
        "other_id": search.text or None,
        "prefix": _pattern(search.text),
        "imported": _pattern(SUBJECT_PREFIX + search.text),
        "first": search.first,
        "last": search.last,
        "most": most,
        "skip": skip,
    }
    if search.text:
        named = connection.execute(query("cases_by_subject"), asked).fetchall()
        if named:
            return named
        if search.area_codes is None:
            return connection.execute(query("cases_by_other_id"), asked).fetchall()
    statement = query("cases_by_day") if search.area_codes is None else query("cases_by_area")
    rows: list[Any] = []
    for first in _firsts(search):
        rows = connection.execute(statement, {**asked, "first": first}).fetchall()
        if len(rows) == most:
            break
    return rows


def _firsts(search: CaseSearch) -> Iterator[date]:
    """From when on to look, ever farther back: the latest come first, so a page that is full is the page."""
    for days in _LOOKS_BACK:
        if search.last - search.first > days:
            yield search.last - days
    yield search.first


def found_case(subject: str, case: Case, counts: bool) -> FoundCase:
    """A case as a list of cases shows it."""
    state = state_of(case)
    return FoundCase(
        subject,
        state.get("disease"),
        state.get(AREA),
        state.get("onset_on"),
        state.get("reported_on"),
        state["classification"],
        overall_result(set(case.lab.values())),
        state["outcome"],
        state.get("age_years"),
        state["sex"],
        state["retracted"],
        counts,
    )


def _pattern(text: str) -> str:
    r"""For `like`: begins with the text.

    >>> _pattern("LC_1%")
    'LC\\_1\\%%'
    """
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"

"""What people take with them: the line list of their areas and its counts, as CSV."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, Protocol

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.events.case_fields import CaseFields
from services.intake.staff.questions import Questions
from services.intake.staff.spreadsheet import Separator, csv_bytes
from services.intake.staff.week_figures import disease_names
from streams.domain.counts import COUNTERS
from streams.stores.comparison import read_all_counts
from streams.stores.counts import CountsRequest, Dimension
from streams.stores.line_list import ListedCase, read_line_list

MOST_CASES: Final = 100_000
_TIMEOUT_SECONDS: Final = 60

# The code of the national system leads to a file with names; whoever may open that has it there.
_LEFT_OUT: Final = frozenset({"external_ids", "area_code", "area_on", "lab", "disease"})
_FIELDS: Final = tuple(name for name in CaseFields.__annotations__ if name not in _LEFT_OUT)
_PLACES: Final = ("commune", "district", "province")

Level = Literal["district", "commune"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to take.

    Attributes:
        areas: Present codes to which it is limited; None: everywhere.
        disease: Only this one; None: all.
        first, last: Days of onset (else of report), both included.
        today: Whose structure of areas is shown.
        separator: Between cells.
    """

    areas: Sequence[str] | None
    disease: str | None
    first: date
    last: date
    today: date
    separator: Separator


class Lists(Protocol):
    """The port. Every method raises CanhDichError when nobody can say."""

    async def line_list(self, wanted: Wanted) -> bytes | None:
        """The cases, a line each; None where there are more than MOST_CASES."""

    async def counts(self, wanted: Wanted, level: Level) -> bytes:
        """Every counter by disease and area."""

    async def close(self) -> None:
        """Ask no more."""


class DatabaseLists:
    """The Lists port over TimescaleDB."""

    def __init__(self, database_url: str) -> None:
        self._questions = Questions(database_url, "staff-lists", _TIMEOUT_SECONDS)

    async def line_list(self, wanted: Wanted) -> bytes | None:
        """The cases, a line each."""

        def read(connection: Connection[TupleRow]) -> bytes | None:
            cases = read_line_list(
                connection,
                geography_on=wanted.today,
                areas=wanted.areas,
                disease=wanted.disease,
                first=wanted.first,
                last=wanted.last,
                most=MOST_CASES + 1,
            )
            return None if len(cases) > MOST_CASES else line_list_csv(cases, wanted.separator)

        return await self._questions.ask(read)

    async def counts(self, wanted: Wanted, level: Level) -> bytes:
        """Every counter by disease and area."""
        by: tuple[Dimension, ...] = ("province", "district", "commune", "disease")

        def read(connection: Connection[TupleRow]) -> bytes:
            # Whoever has communes only must not see the rest of their district.
            has_communes = wanted.areas is not None and any(len(code) == 5 for code in wanted.areas)
            shown = tuple(name for name in by if name != "commune" or level == "commune" or has_communes)
            request = CountsRequest(
                shown, wanted.today, disease=wanted.disease, first=wanted.first, last=wanted.last
            )
            rows = read_all_counts(connection, request)
            own = None if wanted.areas is None else frozenset(wanted.areas)
            mine = (row for row in rows if own is None or any(row.get(place) in own for place in _PLACES))
            return counts_csv(mine, shown, wanted.separator)

        return await self._questions.ask(read)

    async def close(self) -> None:
        """Ask no more."""
        await self._questions.close()


def line_list_csv(cases: Sequence[ListedCase], separator: Separator = ",") -> bytes:
    """Cases with the contract's field names as columns, and one for each agent that was looked for."""
    names = disease_names()
    agents = sorted({agent for case in cases for agent in case.state.get("lab", {})})
    places = [f"{place}_{part}" for place in _PLACES for part in ("code", "name")]
    header = ["case_id", "disease", "disease_name", "area_code", *places, *_FIELDS]
    header += [f"lab.{agent}" for agent in agents]

    def row(case: ListedCase) -> list[object]:
        cells: list[object] = [case.subject, case.disease, names.get(case.disease, ("",))[0], case.area_code]
        for place in (case.commune, case.district, case.province):
            cells += place or ("", "")
        cells += (case.state.get(name) for name in _FIELDS)
        lab = case.state.get("lab", {})
        cells += (lab.get(agent) for agent in agents)
        return cells

    return csv_bytes(header, map(row, cases), separator)


def counts_csv(rows: Iterable[dict[str, Any]], by: Sequence[Dimension], separator: Separator = ",") -> bytes:
    """Rows of counts as `canhdich counts --json` has them, names beside codes."""
    header = [column for name in by for column in (name, f"{name}_name")] + list(COUNTERS)
    return csv_bytes(header, ([row.get(column) for column in header] for row in rows), separator)

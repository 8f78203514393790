"""What the pages need of the database, as a Protocol; case_book.py is the adapter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from services.intake.staff.vocabulary import Vocabulary
from streams.stores.cases import ShownCase


@dataclass(frozen=True, slots=True)
class CaseSearch:
    """Which cases are looked for.

    Attributes:
        area_codes: Present codes of the areas in which they lie; None: everywhere.
        text: Begins the case's code (that of the national system also without the prefix of imports), or is
            its id in another system or in the facility's book; "": any.
        disease: Its code; None: any.
        first: First day.
        last: Last day, included.
        by_onset: The days are those of onset (else of the report); otherwise those of the report.
    """

    area_codes: tuple[str, ...] | None
    text: str
    disease: str | None
    first: date
    last: date
    by_onset: bool


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A line of the list of cases. Days are ISO text.

    Attributes:
        disease: Its code; None: no event has said it yet. So also area_id.
        result: Of the laboratory, over all agents: positive, pending, negative; None: none.
        counts: Whether it stands in any count.
    """

    subject: str
    disease: str | None
    area_id: str | None
    onset_on: str | None
    reported_on: str | None
    classification: str
    result: str | None
    outcome: str
    age_years: float | None
    sex: str
    is_retracted: bool
    counts: bool


class CaseBook(Protocol):
    """Cases and the catalogue. Every method raises CanhDichError when it cannot say."""

    async def vocabulary(self) -> Vocabulary:
        """The catalogue in force; the packaged one as long as the database never answered."""

    async def read(self, subject: str) -> ShownCase | None:
        """State and history of a case; None where no event of it is in the journal."""

    async def find(self, search: CaseSearch, most: int, skip: int) -> Sequence[FoundCase]:
        """Cases that a search finds, the latest day first; by the beginning of their code: any day."""

    async def close(self) -> None:
        """Give the connections up."""

"""Reports for the pages: the port, and the adapter that calls services/report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, Protocol, get_args
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from services.intake.staff.questions import Questions
from services.report.publishing import document_of, published_reports
from services.report.writing import Printed, printed, situation_report
from services.settings import Settings
from streams.domain.areas import code_of
from streams.domain.report.language import Lang
from streams.stores.counts import names_of_areas
from streams.stores.database import connect, errors_translated
from streams.stores.snapshots import Snapshot

FileForm = Literal["docx", "md"]
FILE_FORMS: Final[tuple[FileForm, ...]] = get_args(FileForm)

_TIMEOUT_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """The report that somebody wants.

    Attributes:
        province: Code, in the structure of areas of the period's last day.
        first, last: The period, both days included.
        as_of: What was known at this instant; None: all that is counted.
        language: Of the text.
    """

    province: str
    first: date
    last: date
    as_of: datetime | None
    language: Lang


@dataclass(frozen=True, slots=True)
class Written:
    """A report that is there.

    Attributes:
        document: As services/report/document.py makes it.
        files: "docx" and "md" → the file.
    """

    document: Mapping[str, Any]
    files: Mapping[str, Printed]


class ReportDesk(Protocol):
    """The port."""

    async def provinces(self, today: date) -> Sequence[tuple[str, str]]:
        """Code and name of the provinces of today in which anything was counted."""

    def write(self, asked: Asked) -> Written:
        """The situation report. Blocks, for seconds.

        Raises:
            ConfigurationError: such a province or period is none; says why.
            DependencyDown: the database or Kafka does not answer.
        """

    async def published(self) -> list[Snapshot]:
        """The published ones, the newest first; CanhDichError where nobody can say."""

    async def published_file(self, snapshot_id: UUID, form: FileForm) -> Printed | None:
        """What was published under an id, to the letter; None where nothing was."""

    async def close(self) -> None:
        """Ask no more."""


class DatabaseReports:
    """The ReportDesk port over TimescaleDB."""

    def __init__(self, configured: Settings) -> None:
        self._configured = configured
        self._database_url = configured.database_url.get_secret_value()
        self._questions = Questions(self._database_url, "staff-reports", _TIMEOUT_SECONDS)

    async def provinces(self, today: date) -> Sequence[tuple[str, str]]:
        """Code and name."""

        def read(connection: Connection[TupleRow]) -> list[tuple[str, str]]:
            rows = connection.execute(query("provinces_with_counts"), {"day": today}).fetchall()
            names = names_of_areas(connection, (area_id for (area_id,) in rows))
            return [(code_of(area_id), names[area_id]) for (area_id,) in rows]

        return await self._questions.ask(read)

    def write(self, asked: Asked) -> Written:
        """The situation report."""
        with errors_translated(), connect(self._database_url) as connection:
            document = situation_report(
                connection,
                self._configured,
                province=asked.province,
                first=asked.first,
                last=asked.last,
                lang=asked.language,
                as_of=asked.as_of,
            )
        return Written(document, {form: printed(document, form) for form in FILE_FORMS})

    async def published(self) -> list[Snapshot]:
        """The published ones."""
        return await self._questions.ask(published_reports)

    async def published_file(self, snapshot_id: UUID, form: FileForm) -> Printed | None:
        """What was published under an id."""

        def read(connection: Connection[TupleRow]) -> Printed | None:
            known = {snapshot.id: snapshot for snapshot in published_reports(connection)}
            return printed(document_of(known[snapshot_id]), form) if snapshot_id in known else None

        return await self._questions.ask(read)

    async def close(self) -> None:
        """Ask no more."""
        await self._questions.close()

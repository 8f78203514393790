"""Reports for the pages: the port, and the adapter that calls services/report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, Protocol, get_args
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from services.intake.staff.questions import Questions
from services.report.changes import ChangeReport, report_changes
from services.report.document import Document
from services.report.publishing import (
    REPORT,
    document_of,
    is_unchanged,
    publish_situation,
    published_reports,
)
from services.report.writing import Printed, printed, situation_report, situation_request
from services.settings import Settings
from streams.domain.areas import code_of
from streams.domain.errors import ConfigurationError
from streams.domain.report.language import Lang
from streams.stores.counts import names_of_areas
from streams.stores.database import connect, errors_translated
from streams.stores.snapshots import Snapshot, read_snapshot

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

    document: Document
    files: Mapping[str, Printed]


@dataclass(frozen=True, slots=True)
class Published:
    """A report that was published.

    Attributes:
        snapshot: What is kept of it.
        document: What was published, to the letter.
        is_unchanged: It still has the hash that it was published under.
    """

    snapshot: Snapshot
    document: Document
    is_unchanged: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """What has changed in the province and period of a published report since then.

    Attributes:
        since: The published report.
        until: A later one; None: what is known now.
        changes: Between the instants at which they were published.
    """

    since: Snapshot
    until: Snapshot | None
    changes: ChangeReport


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

    def publish(self, asked: Asked, label: str, by: str, seen: Document) -> Snapshot:
        """Keep a report that somebody has read, under a name. Blocks, for seconds.

        Raises:
            RefusedAction: the figures are not those that were read, or the books do not balance.
            ConfigurationError, DependencyDown: as `write`.
        """

    async def published(self) -> list[Snapshot]:
        """The published ones without their documents, the newest first.

        CanhDichError where nobody can say.
        """

    async def read_published(self, snapshot_id: UUID) -> Published | None:
        """What was published under an id; None where nothing was."""

    async def changes(self, since: UUID, until: UUID | None, language: Lang) -> Compared | None:
        """What has changed since a report was published; None where no such report was.

        Raises:
            ConfigurationError: the later one is of another province, or not later.
        """

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
                form="docx",
            )
        return Written(document, {form: printed(document, form) for form in FILE_FORMS})

    def publish(self, asked: Asked, label: str, by: str, seen: Document) -> Snapshot:
        """Keep a report that somebody has read."""
        request = situation_request(asked.province, asked.first, asked.last)
        with errors_translated(), connect(self._database_url) as connection:
            return publish_situation(connection, self._configured, request, asked.language, label, by, seen)

    async def published(self) -> list[Snapshot]:
        """The published ones."""
        return await self._questions.ask(published_reports)

    async def read_published(self, snapshot_id: UUID) -> Published | None:
        """What was published under an id."""

        def read(connection: Connection[TupleRow]) -> Published | None:
            snapshot = _published(connection, snapshot_id)
            if snapshot is None:
                return None
            return Published(snapshot, document_of(snapshot), is_unchanged(snapshot))

        return await self._questions.ask(read)

    async def changes(self, since: UUID, until: UUID | None, language: Lang) -> Compared | None:
        """What has changed since a report was published."""

        def read(connection: Connection[TupleRow]) -> Compared | None:
            first = _published(connection, since)
            second = None if until is None else _published(connection, until)
            if first is None or (until is not None and second is None):
                return None
            if second is not None and second.settings["province"] != first.settings["province"]:
                raise ConfigurationError(
                    "Hai báo cáo của hai tỉnh khác nhau. / The two reports are of two provinces."
                )
            asked = first.settings
            request = situation_request(
                asked["province"],
                date.fromisoformat(asked["from"]),
                date.fromisoformat(asked["to"]),
                basis="report" if asked["basis"] == "report" else "onset",
                geography_on=date.fromisoformat(asked["geography"]),
            )
            end = None if second is None else second.taken_at
            return Compared(first, second, report_changes(connection, request, first.taken_at, end, language))

        return await self._questions.ask(read)

    async def close(self) -> None:
        """Ask no more."""
        await self._questions.close()


def _published(connection: Connection[TupleRow], snapshot_id: UUID) -> Snapshot | None:
    """A published report; None where there is none of this id."""
    try:
        snapshot = read_snapshot(connection, snapshot_id)
    except ConfigurationError:
        return None
    return snapshot if snapshot.kind == REPORT else None

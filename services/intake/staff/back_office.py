"""The pages beside the case form: what they need, and their routes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI

from services.intake.guard import BodyReader
from services.intake.ports import AlertBook
from services.intake.staff.alert_pages import add_alert_pages
from services.intake.staff.dead_letter_desk import DatabaseDeadLetters, DeadLetterDesk
from services.intake.staff.dead_letter_pages import add_dead_letter_pages
from services.intake.staff.download_pages import add_download_pages
from services.intake.staff.import_desk import ImportDesk, RealImports
from services.intake.staff.import_pages import add_import_pages
from services.intake.staff.line_lists import DatabaseLists, Lists
from services.intake.staff.long_work import LongWork
from services.intake.staff.report_desk import DatabaseReports, ReportDesk
from services.intake.staff.report_pages import add_report_pages
from services.intake.staff.week_figures import DatabaseWeek, WeekFigures
from services.intake.staff.week_pages import add_week_pages
from services.settings import Settings


@dataclass(frozen=True, slots=True)
class BackOffice:
    """The ports of these pages; each connects when first asked."""

    week: WeekFigures
    dead_letters: DeadLetterDesk
    lists: Lists
    reports: ReportDesk
    imports: ImportDesk

    @classmethod
    def of(cls, configured: Settings) -> "BackOffice":
        """The real ones."""
        database_url = configured.database_url.get_secret_value()
        return cls(
            DatabaseWeek(database_url),
            DatabaseDeadLetters(configured),
            DatabaseLists(database_url),
            DatabaseReports(configured),
            RealImports(configured),
        )


class BackOfficePages:
    """The routes, and what lives as long as the process."""

    def __init__(
        self,
        app: FastAPI,
        office: BackOffice,
        book: AlertBook,
        reader: BodyReader,
        clock: Callable[[], datetime],
    ) -> None:
        self._office = office
        # A thread each: a report is not to wait for an import of 100,000 rows.
        self._importing, self._writing = LongWork("staff-import"), LongWork("staff-report")
        add_alert_pages(app, book, reader, clock)
        add_week_pages(app, office.week, clock)
        self._uploads = add_import_pages(app, office.imports, reader, self._importing, clock)
        add_dead_letter_pages(app, office.dead_letters, reader)
        add_download_pages(app, office.lists, clock)
        add_report_pages(app, office.reports, reader, self._writing, clock)

    async def close(self) -> None:
        """End the threads, and give up what people sent."""
        office = self._office
        for part in (
            self._importing,
            self._writing,
            office.week,
            office.dead_letters,
            office.lists,
            office.reports,
            office.imports,
        ):
            await part.close()
        self._uploads.close()

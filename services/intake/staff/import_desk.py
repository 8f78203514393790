"""Imports for the pages: the port, and the adapter that calls services/importing."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from functools import cache
from typing import Final, Protocol

from schemas.catalogue import Catalogue, load_catalogue
from services.importing.meanings import Field, decide_meaning
from services.importing.opening import check_topics, keep_questions, open_ports
from services.importing.readers import InputFile
from services.importing.run import ImportPlan, run_import
from services.intake.staff.long_work import Run
from services.intake.staff.questions import Questions
from services.settings import Settings
from streams.stores.meanings import Meaning, list_meanings

_TIMEOUT_SECONDS: Final = 20


class ImportDesk(Protocol):
    """The port."""

    def run(self, plan: ImportPlan, file: InputFile, run: Run[ImportPlan]) -> ImportPlan:
        """Import a file, or preview it. Blocks, for a minute or more.

        Args:
            plan: Filled in as it goes, so that it tells how far an import came that broke off.
            file: What somebody sent.
            run: Told of every piece.

        Raises:
            FileProblem: nothing of the file can be read.
            ConfigurationError: the same source is being imported elsewhere.
            DependencyDown: it stopped; the same file again goes on from there.
        """

    async def questions(self) -> Sequence[Meaning]:
        """Doubtful names of any file that nobody has decided."""

    async def decide(self, field: Field, text: str, code: str | None, on: date, by: str) -> None:
        """Say what a doubtful name means; None opens the question again.

        Raises:
            NoMeaning: there is no such code.
        """

    async def close(self) -> None:
        """Ask no more."""


class RealImports:
    """The ImportDesk port over Kafka and TimescaleDB."""

    def __init__(self, configured: Settings) -> None:
        self._configured = configured
        self._questions = Questions(
            configured.database_url.get_secret_value(), "staff-meanings", _TIMEOUT_SECONDS
        )

    def run(self, plan: ImportPlan, file: InputFile, run: Run[ImportPlan]) -> ImportPlan:
        """Import a file, or preview it."""

        def progress(rows: int) -> nullcontext[Callable[[int], None]]:
            run.total = rows
            return nullcontext(run.advance)

        if not plan.is_preview:
            check_topics(self._configured)
        with open_ports(self._configured, is_preview=plan.is_preview) as ports:
            run_import(plan, file, ports, progress=progress)
        if not plan.is_preview:
            keep_questions(self._configured, plan.outcome)
        return plan

    async def questions(self) -> Sequence[Meaning]:
        """Doubtful names."""
        return await self._questions.ask(lambda connection: list_meanings(connection, only_open=True))

    async def decide(self, field: Field, text: str, code: str | None, on: date, by: str) -> None:
        """Say what a doubtful name means."""
        now = datetime.now(UTC)
        await self._questions.ask(
            lambda connection: decide_meaning(connection, _catalogue(), field, text, code, on, by=by, at=now)
        )

    async def close(self) -> None:
        """Ask no more."""
        await self._questions.close()


@cache
def _catalogue() -> Catalogue:
    return load_catalogue()

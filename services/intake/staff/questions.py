"""Questions of the pages to the database, beside the event loop."""

from collections.abc import Callable
from typing import Final, TypeVar

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from services.intake.threads import Worker
from streams.stores.database import connect, errors_translated

_Answer = TypeVar("_Answer")

_CLOSE_SECONDS: Final = 2.0


class Questions:
    """A thread that asks one question after the other, each on a connection of its own.

    Not a transaction: readers open the view of all counts that they need.
    """

    def __init__(self, database_url: str, name: str, timeout_seconds: int) -> None:
        """`timeout_seconds` ends each statement: people wait for the answer."""
        self._database_url = database_url
        self._timeout = sql.SQL("set statement_timeout = {}").format(f"{timeout_seconds}s")
        self._worker = Worker(name)

    async def ask(self, question: Callable[[Connection[TupleRow]], _Answer]) -> _Answer:
        """The answer.

        Raises:
            DependencyDown, RefusedData, ConfigurationError: see database.errors_translated.
        """
        return await self._worker.run(self._ask, question)

    async def close(self) -> None:
        """End the thread; a question that hangs is left to the end of the process."""
        await self._worker.finish(lambda: None, _CLOSE_SECONDS)

    def _ask(self, question: Callable[[Connection[TupleRow]], _Answer]) -> _Answer:
        with errors_translated(), connect(self._database_url) as connection:
            connection.execute(self._timeout)
            return question(connection)

"""Dead letters for the pages: the port, and the adapter over TimescaleDB and Kafka."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from psycopg import Connection
from psycopg.rows import TupleRow

from services.dead_letters import resend
from services.intake.staff.questions import Questions
from services.settings import Settings
from streams.stores.dead_letters import read_dead_letter, read_dead_letters, retry

# A retry waits for Kafka within one question.
_TIMEOUT_SECONDS: Final = 90


class DeadLetterDesk(Protocol):
    """The port. Every method raises CanhDichError when it cannot say."""

    async def listed(self, *, is_open: bool, most: int, before: int | None) -> Sequence[Mapping[str, Any]]:
        """Rows of schemas/sql/queries/dead_letters.sql, the newest first, older than `before`."""

    async def read(self, dead_letter_id: int) -> Mapping[str, Any] | None:
        """One of them; None where there is none."""

    async def resend(self, dead_letter_id: int, raw: bytes) -> bool:
        """Send what was made of a dead letter, and mark it; False where it was sent again before.

        Raises:
            InvalidEvent: it is no valid event; nothing was sent.
        """

    async def close(self) -> None:
        """Ask no more."""


class DatabaseDeadLetters:
    """The DeadLetterDesk port over TimescaleDB and Kafka."""

    def __init__(self, configured: Settings) -> None:
        self._configured = configured
        self._questions = Questions(
            configured.database_url.get_secret_value(), "staff-dead-letters", _TIMEOUT_SECONDS
        )

    async def listed(self, *, is_open: bool, most: int, before: int | None) -> Sequence[Mapping[str, Any]]:
        """The newest first."""
        return await self._questions.ask(
            lambda connection: read_dead_letters(connection, is_open=is_open, most=most, before=before)
        )

    async def read(self, dead_letter_id: int) -> Mapping[str, Any] | None:
        """One of them."""
        return await self._questions.ask(lambda connection: read_dead_letter(connection, dead_letter_id))

    async def resend(self, dead_letter_id: int, raw: bytes) -> bool:
        """Send it again, and mark it."""

        def send(connection: Connection[TupleRow]) -> bool:
            return retry(
                connection, dead_letter_id, lambda topic, _stored: resend(self._configured, topic, raw)
            )

        return await self._questions.ask(send)

    async def close(self) -> None:
        """Ask no more."""
        await self._questions.close()

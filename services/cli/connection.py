"""The database that a command asks."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection
from psycopg.rows import TupleRow

from services.settings import settings
from streams.stores import database


@contextmanager
def connected() -> Iterator[Connection[TupleRow]]:
    """A connection to the database of the settings in force.

    Raises:
        DependencyDown, RefusedData, ConfigurationError: see database.errors_translated; also for what is
            asked through the connection.
    """
    with (
        database.errors_translated(),
        database.connect(settings().database_url.get_secret_value()) as connection,
    ):
        yield connection

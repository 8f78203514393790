"""Connections to TimescaleDB, and its errors said in the one tree of streams/domain/errors.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads

from schemas.sql import MIGRATIONS
from streams.domain.errors import ConfigurationError, DependencyDown, RefusedData
from streams.stores.views import drop_views, install_views

# Without these a host that vanished hangs a worker for minutes.
_LIVENESS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

_TRANSIENT = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
)


@contextmanager
def errors_translated() -> Iterator[None]:
    """Raise DependencyDown, RefusedData or ConfigurationError instead of what psycopg raises."""
    try:
        yield
    except (psycopg.errors.InvalidPassword, psycopg.errors.InvalidAuthorizationSpecification) as error:
        raise ConfigurationError(f"TimescaleDB refuses the login: {error}. Check DATABASE_URL.") from error
    except psycopg.errors.UndefinedTable as error:
        raise ConfigurationError(
            f"TimescaleDB has no such table: {error}. Run `canhdich migrate` first."
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"TimescaleDB does not let this login do that: {error}. Has this process the login that is "
            "meant for it? `canhdich rights check` compares its rights with schemas/rights/database.yaml."
        ) from error
    except _TRANSIENT as error:
        raise DependencyDown(f"TimescaleDB does not answer: {type(error).__name__}: {error}") from error
    except psycopg.DataError as error:
        raise RefusedData(str(error).splitlines()[0]) from error


def connect(database_url: str, **options: Any) -> Connection[TupleRow]:
    """A connection in autocommit (transactions are opened explicitly), in UTC, with bounded waits.

    Raises:
        DependencyDown: the server does not answer.
        ConfigurationError: it refuses the login.
    """
    with errors_translated():
        connection = psycopg.connect(
            database_url,
            autocommit=True,
            options="-c timezone=UTC -c statement_timeout=600s -c lock_timeout=60s "
            "-c idle_in_transaction_session_timeout=120s",
            **{**_LIVENESS, **options},
        )
        set_json_loads(orjson.loads, connection)
        return connection


class Session:
    """One connection, opened when first needed and again after it broke."""

    def __init__(self, database_url: str, on_connect: tuple[str, ...] = ()) -> None:
        self._database_url = database_url
        self._on_connect = on_connect
        self._connection: Connection[TupleRow] | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection[TupleRow]]:
        """One transaction; on any error it is rolled back and the connection given up.

        Raises:
            DependencyDown, RefusedData, ConfigurationError: see errors_translated.
        """
        try:
            with errors_translated():
                connection = self._open()
                with connection.transaction():
                    yield connection
        except BaseException:
            # The state of a connection after an error is not worth reasoning about.
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection[TupleRow]:
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = connect(self._database_url)
            for statement in self._on_connect:
                self._connection.execute(sql.SQL(statement))
        return self._connection


def migrate(database_url: str) -> list[str]:
    """Bring the schema and the boards' views up to date; returns the ids of the migrations applied now.

    Raises:
        DependencyDown: the server does not answer.
    """
    from yoyo import get_backend, read_migrations

    connect(database_url).close()
    backend = get_backend(_with_driver(database_url))
    try:
        with backend.lock():
            migrations = backend.to_apply(read_migrations(str(MIGRATIONS)))
            with connect(database_url) as connection:
                if migrations:
                    # A view would hold fast the columns that it reads.
                    drop_views(connection)
                backend.apply_migrations(migrations)
                install_views(connection)
            return [migration.id for migration in migrations]
    finally:
        backend.connection.close()


def pending_migrations(database_url: str) -> list[str]:
    """The ids of the migrations that `migrate` would apply.

    Raises:
        DependencyDown: the server does not answer.
    """
    from yoyo import get_backend, read_migrations

    connect(database_url).close()
    backend = get_backend(_with_driver(database_url))
    try:
        return [migration.id for migration in backend.to_apply(read_migrations(str(MIGRATIONS)))]
    finally:
        backend.connection.close()


def _with_driver(database_url: str) -> str:
    scheme, separator, rest = database_url.partition("://")
    if not separator or not scheme.startswith("postgres"):
        raise ConfigurationError("DATABASE_URL must look like postgresql://user:password@host:port/database")
    return f"postgresql+psycopg://{rest}"

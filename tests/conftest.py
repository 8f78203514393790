"""The native stack for tests: a scratch database and topics per test module, on the servers that run.

Tests marked `native` need real Kafka and TimescaleDB (KAFKA_BOOTSTRAP and DATABASE_URL, else the running
native stack). Without them such tests are skipped, and fail where CI=true or CANHDICH_REQUIRE_NATIVE=1.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from kafka import KafkaAdminClient
from psycopg import sql
from pydantic import SecretStr

from schemas.catalogue import Catalogue, load_catalogue
from schemas.topics import load_topics
from services.settings import Settings, load_settings
from streams.domain.errors import CanhDichError
from streams.stores.broker import create_topics
from streams.stores.catalogue import load
from streams.stores.database import connect, migrate
from streams.stores.rules import load_packaged_rules

pytest.register_assert_rewrite("tests.ledger_contract")

# The same examples in every run, on a machine however busy.
hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")

_EXCLUSIVE_SECONDS = 60.0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole installations first: their modules take minutes, and two processes are to end together."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)


@dataclass(frozen=True, slots=True)
class NativeStack:
    """Addresses of the servers under test. `server_url` is the database from which others are made."""

    kafka_bootstrap: str
    server_url: str


def is_required() -> bool:
    return os.environ.get("CI") == "true" or os.environ.get("CANHDICH_REQUIRE_NATIVE") == "1"


@pytest.fixture(scope="session")
def native_stack() -> NativeStack:
    """The servers that run; the test is skipped (or fails, see above) where there are none."""
    try:
        settings = load_settings()
        stack = NativeStack(settings.kafka_bootstrap, settings.database_url.get_secret_value())
        connect(stack.server_url).close()
        # Before Kafka's client tries: that one waits for half a minute, and leaks its sockets.
        host, _, port = stack.kafka_bootstrap.partition(",")[0].rpartition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    except (CanhDichError, OSError) as error:
        reason = f"The native stack is not running (start it with `make up`): {error}"
    else:
        return stack
    if is_required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _marked_native(request: pytest.FixtureRequest) -> None:
    """A test marked `native` needs the servers, whatever other fixtures it uses."""
    if request.node.get_closest_marker("native") is not None:
        request.getfixturevalue("native_stack")


@pytest.fixture(scope="session")
def kafka_bootstrap(native_stack: NativeStack) -> str:
    """Kafka's address."""
    return native_stack.kafka_bootstrap


@pytest.fixture(scope="session")
def published_catalogue() -> Catalogue:
    """The catalogue that comes with the package."""
    return load_catalogue()


@contextmanager
def scratch_database(server_url: str, template: str | None = None) -> Iterator[str]:
    """The address of a new database, a copy of a template or empty; dropped afterwards."""
    name = f"test_{os.getpid()}_{uuid4().hex[:12]}"
    _on_server(server_url, _create(name, template))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        _on_server(server_url, sql.SQL("drop database {}").format(sql.Identifier(name)), name)


def _create(name: str, template: str | None) -> sql.Composed:
    statement = sql.SQL("create database {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" template {}").format(sql.Identifier(template))
    return statement


def _on_server(server_url: str, statement: sql.Composed, disconnected: str | None = None) -> None:
    """Run a statement that wants a database for itself.

    TimescaleDB's own workers leave the database when they are asked to, but one that is just starting waits
    for the statement while the statement waits for it: give up early and try again.
    """
    deadline = time.monotonic() + _EXCLUSIVE_SECONDS
    patience = 1.0
    with connect(server_url) as connection:
        while True:
            try:
                if disconnected is not None:
                    connection.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity "
                        "where datname = %s and usename = current_user",
                        (disconnected,),
                    )
                connection.execute("select set_config('statement_timeout', %s, false)", (f"{patience}s",))
                connection.execute(statement)
            except (psycopg.errors.ObjectInUse, psycopg.errors.QueryCanceled):
                if time.monotonic() > deadline:
                    raise
                patience *= 2
            else:
                return


@pytest.fixture(scope="session")
def catalogue_template(native_stack: NativeStack, published_catalogue: Catalogue) -> Iterator[str]:
    """The name of a database with the schema, the packaged catalogue and its alert rules, to copy."""
    with scratch_database(native_stack.server_url) as url:
        migrate(url)
        with connect(url) as connection:
            load(connection, published_catalogue, "tests")
            load_packaged_rules(connection, published_catalogue, "tests")
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture(scope="module")
def database_url(native_stack: NativeStack, catalogue_template: str) -> Iterator[str]:
    """A database of this test module's own: migrated, with the packaged catalogue, without events."""
    with scratch_database(native_stack.server_url, catalogue_template) as url:
        yield url


@pytest.fixture
def empty_database_url(native_stack: NativeStack) -> Iterator[str]:
    """A database of this test's own: migrated, without a catalogue."""
    with scratch_database(native_stack.server_url) as url:
        migrate(url)
        yield url


@pytest.fixture
def fresh_database_url(native_stack: NativeStack, catalogue_template: str) -> Iterator[str]:
    """A database of this test's own: migrated, with the packaged catalogue, without events."""
    with scratch_database(native_stack.server_url, catalogue_template) as url:
        yield url


@contextmanager
def scratch_topics(bootstrap: str) -> Iterator[str]:
    """A prefix under which every topic exists; the topics are deleted afterwards."""
    # Imported here: pytest_configure comes after the imports of this file.
    prefix = f"test-{uuid4().hex[:12]}-"
    topics = load_topics()
    create_topics(bootstrap, topics.values(), prefix)
    try:
        yield prefix
    finally:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            names = set(admin.list_topics())
            admin.delete_topics([prefix + name for name in topics if prefix + name in names])
        finally:
            admin.close()


@pytest.fixture(scope="module")
def topic_prefix(kafka_bootstrap: str) -> Iterator[str]:
    """A prefix of this test module's own under which every topic exists, empty."""
    with scratch_topics(kafka_bootstrap) as prefix:
        yield prefix


@pytest.fixture
def fresh_topic_prefix(kafka_bootstrap: str) -> Iterator[str]:
    """A prefix of this test's own under which every topic exists, empty."""
    with scratch_topics(kafka_bootstrap) as prefix:
        yield prefix


SettingsFactory = Callable[[str, str], Settings]


@pytest.fixture(scope="session")
def settings_for(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> SettingsFactory:
    """Settings for a database address and a topic prefix; short times, files in a temporary folder."""

    def make(database_url: str, topic_prefix: str) -> Settings:
        return load_settings(
            kafka_bootstrap=kafka_bootstrap,
            database_url=database_url,
            topic_prefix=topic_prefix,
            session_timeout_seconds=6,
            data_directory=tmp_path_factory.mktemp("data"),
        )

    return make


@pytest.fixture(scope="module")
def scratch_settings(settings_for: SettingsFactory, database_url: str, topic_prefix: str) -> Settings:
    """Settings of this test module's own database and topics."""
    return settings_for(database_url, topic_prefix)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment of a process that is to run with some settings."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CANHDICH_")},
        "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        **{
            f"CANHDICH_{name.upper()}": str(
                value.get_secret_value() if isinstance(value, SecretStr) else value
            )
            for name, value in settings.model_dump(exclude={"kafka_bootstrap", "database_url"}).items()
        },
    }

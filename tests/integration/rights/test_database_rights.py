"""Every login tries everything with every table; and what each service does, it may do."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from schemas.rights import DatabaseRights, database_rights
from services.intake.database import DatabaseKnowledge
from services.monitor.looks import look_at_care, look_at_stream, quality_figures
from services.monitor.metrics import Metrics
from services.settings import Settings
from services.watcher import watch_counts
from streams.domain.errors import ConfigurationError
from streams.domain.positions import TOPIC
from streams.handlers.fold_cases import FoldCases
from streams.stores.audit_rounds import Auditor, Pace
from streams.stores.backups import one_view, read_all_positions
from streams.stores.database import Session, connect
from streams.stores.deliveries import PostgresOutbox
from streams.stores.ledger import PostgresLedger
from streams.stores.rights import differences, grant_rights, missing_logins
from streams.stores.views import set_password
from tests.builders import START, event, position, spread
from tests.fakes import RecordingAnnouncements

pytestmark = pytest.mark.native

# Shared by all tests on the server: the logins are the server's.
PASSWORD = "rights-of-the-tests"  # noqa: S105 - of a scratch server
ROLES = tuple(database_rights().roles)
TRIES = {
    "SELECT": "select from {}",
    "INSERT": "insert into {} default values",
    "UPDATE": "update {} set {} = default",
    "DELETE": "delete from {}",
    "TRUNCATE": "truncate {}",
}


@pytest.fixture(scope="module")
def owner(database_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The owner of a database with the packaged catalogue, whose logins have their rights."""
    with connect(database_url) as connection:
        grant_rights(connection)
        for role in ROLES:
            set_password(connection, role, PASSWORD)
        yield connection


def login(database_url: str, role: str) -> str:
    """The address for a login."""
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(netloc=f"{role}:{PASSWORD}@{parts.hostname}:{parts.port}"))


def allowed(connection: psycopg.Connection[tuple[object, ...]], table: str, column: str) -> set[str]:
    """What this connection could do with a table; nothing of it is done."""
    found = set()
    for privilege, statement in TRIES.items():
        names = [sql.Identifier(table), *([sql.Identifier(column)] if privilege == "UPDATE" else [])]
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(sql.SQL(statement).format(*names))
        except psycopg.errors.InsufficientPrivilege:
            continue
        except psycopg.Error:
            # It may, but the row is none.
            pass
        found.add(privilege)
    return found


def columns(connection: psycopg.Connection[tuple[object, ...]]) -> Mapping[str, str]:
    """Every table with one of its columns that may be set."""
    return dict(
        connection.execute(
            "select pc.relname::text, min(pa.attname)::text from pg_class as pc "
            "inner join pg_attribute as pa on pc.oid = pa.attrelid "
            "and pa.attnum > 0 and not pa.attisdropped and pa.attidentity = '' and pa.attgenerated = '' "
            "where pc.relnamespace = 'public'::regnamespace and pc.relkind in ('r', 'p') group by pc.relname"
        ).fetchall()
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("role", ROLES)
def test_a_login_may_do_what_the_matrix_says_and_nothing_else(
    role: str, owner: psycopg.Connection[tuple[object, ...]], database_url: str
) -> None:
    matrix = database_rights().privileges(role)
    with psycopg.connect(login(database_url, role), autocommit=True) as connection:
        found = {table: allowed(connection, table, column) for table, column in columns(owner).items()}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create table mine (a int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create role somebody")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("set role canhdich")
        if role in database_rights().temporary:
            connection.execute("create temporary table mine (a int)")
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("create temporary table mine (a int)")
    assert found == {table: set(matrix.get(table, ())) for table in found}


def test_what_is_not_so_is_found_and_put_right(
    owner: psycopg.Connection[tuple[object, ...]], database_url: str
) -> None:
    assert differences(owner) == []
    owner.execute(
        "grant delete on case_events to canhdich_watcher; revoke insert on case_events from canhdich_worker"
    )
    assert [str(one) for one in differences(owner)] == [
        "canhdich_worker on case_events: lacks INSERT",
        "canhdich_watcher on case_events: has DELETE too much",
    ]
    assert len(grant_rights(owner)) == 2
    assert differences(owner) == []
    rights = DatabaseRights(roles={"canhdich_nobody": "Is not there."}, temporary=[], tables={})
    assert missing_logins(owner, rights) == ["canhdich_nobody"]


def fold(settings: Settings) -> None:
    """A worker's part."""
    ledger = PostgresLedger(settings.database_url.get_secret_value(), TOPIC)
    records = spread([event(f"R-{n}", n, area_code="03412") for n in range(1, 20)], 12)

    async def work() -> None:
        await ledger.replace_positions(dict.fromkeys(range(12)), {p: position() for p in range(12)})
        handler = FoldCases(ledger, RecordingAnnouncements(), 12)
        assert await handler.handle(records) == 0
        # Again, as after a rebalance: what was announced is read.
        handler.forget()
        await handler.handle(records)

    try:
        asyncio.run(work())
    finally:
        ledger.close()


def judge(settings: Settings) -> None:
    """A watcher's part: what moved, what only time does, the sweep of the detectors."""
    with watch_counts(settings) as handler:
        handler.handle({("dengue", "03412@start")})
        handler._send_on = lambda changes: None
        handler.look_at_the_clock()


def monitor(settings: Settings) -> None:
    """A round of the audit, the figures of quality, the looks."""
    url = settings.database_url.get_secret_value()
    with closing(Auditor(url, TOPIC, Pace(60, 60))) as auditor:
        assert auditor.round() is not None
    quality_figures(url, TOPIC)()
    with closing(Session(url)) as session:
        look_at_care(session, {"data": settings.data_directory}, Metrics())
        look_at_stream(session, settings.kafka, settings.topic_prefix + TOPIC, Metrics())


def deliver(settings: Settings) -> None:
    """A notifier's part."""
    with closing(PostgresOutbox(settings.database_url.get_secret_value())) as outbox:
        outbox.deliver(START, lambda claimed: None)
        outbox.is_alive("notifier", START)
        outbox.signs_of_life()


def know(settings: Settings) -> None:
    """What the intake asks before it says yes."""

    async def ask() -> None:
        knowledge = DatabaseKnowledge(settings.database_url.get_secret_value())
        await knowledge.check()
        assert await knowledge.newer_catalogue(None) is not None
        await knowledge.known_hashes([("R-1", UUID(int=1))])
        await knowledge.close()

    asyncio.run(ask())


def look(settings: Settings) -> None:
    """What a backup reads of the database itself."""
    with connect(settings.database_url.get_secret_value()) as connection, one_view(connection) as view:
        assert view.case_events >= 0
        read_all_positions(connection)


@pytest.mark.parametrize(
    ("role", "work"),
    [
        ("canhdich_worker", fold),
        ("canhdich_watcher", judge),
        ("canhdich_monitor", monitor),
        ("canhdich_notifier", deliver),
        ("canhdich_intake", know),
        ("canhdich_backup", look),
    ],
)
def test_a_service_may_do_its_work(
    role: str,
    work: Callable[[Settings], None],
    owner: psycopg.Connection[tuple[object, ...]],
    scratch_settings: Settings,
) -> None:
    url = login(scratch_settings.database_url.get_secret_value(), role)
    work(scratch_settings.model_copy(update={"database_url": SecretStr(url)}))


def test_a_service_with_anothers_login_stops_with_a_sentence(
    owner: psycopg.Connection[tuple[object, ...]], scratch_settings: Settings
) -> None:
    url = login(scratch_settings.database_url.get_secret_value(), "canhdich_notifier")
    with pytest.raises(ConfigurationError, match="permission denied"):
        fold(scratch_settings.model_copy(update={"database_url": SecretStr(url)}))

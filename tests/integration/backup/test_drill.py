"""The restore drill: an older database under a Kafka that survived, and everything onto empty servers."""

import asyncio
import gzip
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import psycopg
import pytest
from kafka import KafkaAdminClient
from pydantic import SecretStr

from schemas.catalogue import Catalogue
from schemas.topics import load_topics
from services.backup.manifest import DUMP, NAME
from services.backup.run import Restored, bring_back, check, take
from services.backup.topics import bounds, read_records
from services.settings import Settings
from streams.domain.calendar import instant
from streams.domain.errors import ConfigurationError, RefusedAction
from streams.domain.positions import TOPIC
from streams.handlers.fold_cases import FoldCases, Record
from streams.handlers.reconcile import reconcile
from streams.stores.audit import audit
from streams.stores.broker import KafkaLog, Producer, topic_settings
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from tests.administration import admin_url
from tests.builders import uuid
from tests.conftest import NativeStack, SettingsFactory, scratch_database
from tests.fakes import RecordingAnnouncements
from tests.integration.streams.conftest import PARTITIONS, Installation, case_history

pytestmark = pytest.mark.native

EVENTS = case_history(60, seed=5)
BEFORE, AFTER = EVENTS[: len(EVENTS) // 2], EVENTS[len(EVENTS) // 2 :]
LEDGER = (
    "select known_at, subject, event_id, disease, area_id, basis, day, via, agent, notified, deaths "
    "from count_changes order by 1, 2, 3, 4, 5, 6, 7, 8, 9"
)


def silent(_: str) -> None: ...


class Machine:
    """Settings of one installation, and a worker's part done in this process by the worker's own code."""

    def __init__(self, settings: Settings, catalogue: Catalogue, folder: Path) -> None:
        self.settings = settings
        self._catalogue = catalogue
        self._folder = folder

    def send(self, values: Iterable[bytes]) -> None:
        """Acknowledged by Kafka when it returns."""
        with closing(Producer(self.settings.kafka, self.settings.topic_prefix)) as producer:
            futures = [
                producer.send(TOPIC, orjson.loads(value)["subject"].encode(), value) for value in values
            ]
            for future in futures:
                future.get(30)

    def fold(self) -> None:
        """From where the database and the log agree, to the end: as a worker that has just been started."""
        asyncio.run(self._fold())

    async def _fold(self) -> None:
        topic = self.settings.topic_prefix + TOPIC
        ledger = PostgresLedger(self.settings.database_url.get_secret_value(), topic)
        handler = FoldCases(ledger, RecordingAnnouncements(), PARTITIONS)
        log = KafkaLog(self.settings.kafka, topic)
        try:
            agreed = await reconcile(range(PARTITIONS), ledger, log, handler.announce)
            ends = bounds(self.settings.kafka, topic)
            starts = {partition: at.announced_offset for partition, at in agreed.items()}
            records: list[list[Record]] = [[] for _ in range(PARTITIONS)]
            for one in read_records(self.settings.kafka, topic, type(ends)(ends.topic_id, starts, ends.next)):
                known = Record(one.partition, one.offset, instant(one.at_ms * 1_000), one.key, one.value)
                records[one.partition].append(known)
            await handler.handle([record for partition in records for record in partition])
        finally:
            log.close()
            ledger.close()

    def assert_counted(self, values: Iterable[bytes]) -> None:
        """The counts are those of these events, and the audit is clean."""
        with connect(self.settings.database_url.get_secret_value()) as connection:
            Installation(self.settings, connection, self._catalogue, self._folder).assert_counted(values)
            assert audit(connection).is_clean

    def ledger(self) -> list[tuple[object, ...]]:
        """Every row of the ledger."""
        with connect(self.settings.database_url.get_secret_value()) as connection:
            return connection.execute(LEDGER).fetchall()

    def without_topics(self) -> None:
        """Kafka's disk is gone, too."""
        with closing(KafkaAdminClient(**self.settings.kafka.client_options())) as admin:
            admin.delete_topics([self.settings.topic_prefix + name for name in load_topics()])

    def restore(self, backup: Path, *, replace: bool = False) -> Restored:
        return bring_back(self.settings, backup, None, replace=replace, tell=silent)


def machine(
    settings_for: SettingsFactory, url: str, prefix: str, catalogue: Catalogue, folder: Path
) -> Machine:
    settings = settings_for(url, prefix)
    administered = settings.model_copy(update={"admin_database_url": SecretStr(admin_url(url))})
    return Machine(administered, catalogue, folder)


@contextmanager
def another(
    of: Machine, settings_for: SettingsFactory, native_stack: NativeStack, catalogue: Catalogue, folder: Path
) -> Iterator[Machine]:
    """Another machine with an empty database, on the same Kafka."""
    with scratch_database(native_stack.server_url) as url:
        yield machine(settings_for, url, of.settings.topic_prefix, catalogue, folder)


@pytest.fixture
def running(
    settings_for: SettingsFactory,
    fresh_database_url: str,
    fresh_topic_prefix: str,
    published_catalogue: Catalogue,
    tmp_path: Path,
) -> Machine:
    """An installation that has counted the first half of the events."""
    found = machine(settings_for, fresh_database_url, fresh_topic_prefix, published_catalogue, tmp_path)
    found.send(BEFORE)
    found.fold()
    return found


@pytest.fixture(scope="module")
def counted(
    settings_for: SettingsFactory,
    database_url: str,
    topic_prefix: str,
    published_catalogue: Catalogue,
    tmp_path_factory: pytest.TempPathFactory,
) -> Machine:
    """The same, for tests that change nothing of it."""
    folder = tmp_path_factory.mktemp("counted")
    found = machine(settings_for, database_url, topic_prefix, published_catalogue, folder)
    found.send(BEFORE)
    found.fold()
    return found


@pytest.fixture
def empty(
    settings_for: SettingsFactory,
    native_stack: NativeStack,
    running: Machine,
    published_catalogue: Catalogue,
    tmp_path: Path,
) -> Iterator[Machine]:
    """Another machine; its Kafka has no topic once `running.without_topics()`."""
    with another(running, settings_for, native_stack, published_catalogue, tmp_path) as found:
        yield found


def test_a_backup_comes_back_and_nothing_acknowledged_is_lost(
    running: Machine, empty: Machine, tmp_path: Path
) -> None:
    backup, manifest = take(running.settings, tmp_path / "backups", None, silent)
    assert {topic.name: topic.records for topic in manifest.topics}[TOPIC] == len(BEFORE)
    assert manifest.numbers.case_events == len(BEFORE)
    assert sum(manifest.positions[running.settings.topic_prefix + TOPIC].values()) == len(BEFORE)
    at_backup = running.ledger()

    # Kafka survives: what it acknowledged after the backup is folded again.
    running.send(AFTER)
    running.fold()
    with pytest.raises(RefusedAction, match="The database is not empty"):
        running.restore(backup)
    running.assert_counted(EVENTS)
    restored = running.restore(backup, replace=True)
    assert (restored.poured, restored.kept) == ([], ["case-events", "focus-events", "tally-events"])
    running.assert_counted(BEFORE)
    running.fold()
    running.assert_counted(EVENTS)

    # Nothing survives: an empty database, a Kafka without topics.
    running.without_topics()
    restored = empty.restore(backup)
    assert restored.kept == []
    topic = running.settings.topic_prefix + TOPIC
    assert topic_settings(empty.settings.kafka, topic)["message.timestamp.type"] == "LogAppendTime"
    empty.fold()
    empty.assert_counted(BEFORE)
    assert empty.ledger() == at_backup
    empty.send(AFTER)
    empty.fold()
    empty.assert_counted(EVENTS)


def test_onto_a_kafka_that_holds_something_else_nothing_is_restored(
    counted: Machine,
    settings_for: SettingsFactory,
    native_stack: NativeStack,
    published_catalogue: Catalogue,
    tmp_path: Path,
) -> None:
    backup, manifest = take(counted.settings, tmp_path / "backups", None, silent)
    lines = gzip.decompress((backup / "case-events.ndjson.gz").read_bytes()).splitlines()
    assert len(lines) == len(BEFORE)
    assert set(orjson.loads(lines[0])) == {"p", "o", "t", "k", "v", "h"}
    others = [topic.model_copy(update={"topic_id": uuid(1)})
              for topic in manifest.topics]  # fmt: skip
    (backup / NAME).write_text(manifest.model_copy(update={"topics": others}).model_dump_json())

    with another(counted, settings_for, native_stack, published_catalogue, tmp_path) as empty:
        with pytest.raises(RefusedAction, match="of another topic than the backup's"):
            empty.restore(backup)

        (backup / DUMP).write_bytes((backup / DUMP).read_bytes()[:-5])
        with pytest.raises(RefusedAction, match=r"database\.dump has"):
            empty.restore(backup)
        with (
            pytest.raises(psycopg.errors.UndefinedTable),
            connect(empty.settings.database_url.get_secret_value()) as connection,
        ):
            connection.execute("select from cases")


def test_it_does_not_begin_where_there_is_no_room(
    counted: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(RefusedAction, match="a backup may not fit"):
        take(counted.settings, tmp_path / "backups", None, silent)
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.fixture
def gpg_key(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A key of gpg's in a folder of its own."""
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not on this machine")
    # Its agent's socket has a short path.
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    subprocess.run(
        [
            "gpg",
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-gen-key",
            "backup@example.org",
            "future-default",
        ],
        check=True,
        capture_output=True,
    )
    yield "backup@example.org"
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True, env=dict(os.environ))


def test_an_encrypted_backup_is_read_with_its_key_alone(
    counted: Machine, gpg_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, manifest = take(counted.settings, tmp_path / "backups", gpg_key, silent)
    assert manifest.encrypted_by == "gpg"
    for path in backup.iterdir():
        content = path.read_bytes()
        assert path.name == NAME or (b"PGDMP" not in content and not content.startswith(b"\x1f\x8b"))
    assert check(backup, None, silent) == manifest

    elsewhere = tmp_path / "other"
    elsewhere.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(elsewhere))
    with pytest.raises(RefusedAction, match="gpg does not decrypt"):
        check(backup, None, silent)


def test_a_recipient_without_a_key_leaves_nothing_behind(counted: Machine, tmp_path: Path) -> None:
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not on this machine")
    with pytest.raises((RefusedAction, ConfigurationError)):
        take(counted.settings, tmp_path / "backups", "nobody@example.org", silent)
    assert list((tmp_path / "backups").iterdir()) == []

"""Make a backup, forget old ones, bring one back."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from schemas.topics import Topic, load_topics
from services.backup import database as postgres
from services.backup import files, topics
from services.backup.manifest import (
    DUMP,
    NAME,
    FileEntry,
    Manifest,
    Numbers,
    TopicEntry,
    check_files,
    file_entry,
    read_manifest,
)
from services.backup.retention import to_keep
from services.settings import Settings
from streams.domain.errors import ConfigurationError, RefusedAction
from streams.stores import database
from streams.stores.backups import (
    Counted,
    is_empty,
    one_view,
    read_all_positions,
    read_counted,
    read_extension,
    save_backup,
)

PREFIX: Final = "canhdich-"
_TIME: Final = "%Y-%m-%dT%H%M%SZ"
_PART: Final = ".part"

Tell = Callable[[str], None]


def event_topics() -> list[Topic]:
    """The topics that cannot be made again from others."""
    return [topic for topic in load_topics().values() if topic.value == "event"]


def backups_in(folder: Path) -> dict[Path, datetime]:
    """The whole backups of a folder, by when they were made."""
    found = {}
    for path in sorted(folder.glob(f"{PREFIX}*")):
        try:
            found[path] = read_manifest(path).made_at
        except RefusedAction:
            # Half of one, or not ours: neither counted nor deleted.
            continue
    return found


def forget_old(folder: Path) -> list[Path]:
    """Delete the backups that retention does not keep; which."""
    there = backups_in(folder)
    kept = to_keep(there.values())
    old = [path for path, made_at in there.items() if made_at not in kept]
    for path in old:
        # The manifest first: what is interrupted here must not look whole.
        (path / NAME).unlink()
        shutil.rmtree(path)
    return old


def take(configured: Settings, folder: Path, recipient: str | None, tell: Tell) -> tuple[Path, Manifest]:
    """Make a backup in a folder.

    The database is dumped as of one moment; the topics are read after it, so that they hold everything
    that the database has folded. The backup has its name only when it is whole and on the disk.

    Args:
        configured: Settings.
        folder: Where backups are; made where it is not there.
        recipient: Whose key the files are encrypted with; None: they are not.
        tell: Is told what is being done.

    Returns:
        The backup's folder, and its manifest.

    Raises:
        RefusedAction: too little space, or a program fails.
        DependencyDown, ConfigurationError: a server does not answer, or a tool is missing.
    """
    encrypted_by = files.encryption_for(recipient) if recipient else None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = configured.database_url.get_secret_value()
    with database.errors_translated(), database.connect(url) as connection:
        with one_view(connection) as view:
            _check_space(folder, view.size_bytes)
            whole = folder / (PREFIX + view.made_at.astimezone(UTC).strftime(_TIME))
            part = whole.with_name(whole.name + _PART)
            part.mkdir(mode=0o700)
            try:
                positions = read_all_positions(connection)
                tell(f"Dumping the database ({view.size_bytes / 1e6:,.0f} MB) ...")
                with files.written(part / DUMP, recipient) as out:
                    postgres.dump(url, view.postgres, view.snapshot, out)
                copied = _copy_topics(configured, part, recipient, tell)
                manifest = Manifest(
                    made_at=view.made_at,
                    program=version("canhdich"),
                    postgres=view.postgres,
                    timescaledb=view.timescaledb,
                    schema_version=view.schema_version,
                    owner=view.owner,
                    positions=positions,
                    numbers=_numbers(view),
                    topic_prefix=configured.topic_prefix,
                    topics=copied,
                    encrypted_by=encrypted_by,
                    files=_written(part),
                )
                _check_covers(manifest)
                _write_manifest(part, manifest)
                part.rename(whole)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
        save_backup(connection, manifest.made_at, str(whole), manifest.bytes, encrypted_by)
    return whole, manifest


def _check_space(folder: Path, database_bytes: int) -> None:
    """The size of the database is more than the dump, which is compressed, and the topics take."""
    free = shutil.disk_usage(folder).free
    if free < database_bytes:
        raise RefusedAction(
            f"{folder} has {free / 1e6:,.0f} MB free, and the database has {database_bytes / 1e6:,.0f} MB: a "
            "backup may not fit. Make room, or give another folder with --to."
        )


def _copy_topics(configured: Settings, part: Path, recipient: str | None, tell: Tell) -> list[TopicEntry]:
    copied = []
    for topic in event_topics():
        done = 0

        def advance(number: int, name: str = topic.name) -> None:
            nonlocal done
            done += number
            if done % 100_000 == 0:
                tell(f"{name}: {done:,} records ...")

        with files.written(part / _file_of(topic.name), recipient) as out:
            entry = topics.copy_topic(configured.kafka, configured.topic_prefix, topic.name, out, advance)
        tell(f"{topic.name}: {entry.records:,} records")
        copied.append(entry)
    return copied


def _file_of(topic: str) -> str:
    return f"{topic}.ndjson.gz"


def _numbers(counted: Counted) -> Numbers:
    return Numbers(case_events=counted.case_events, report_events=counted.report_events, cases=counted.cases)


def _written(part: Path) -> list[FileEntry]:
    """The files as they stand on the disk, for good."""
    entries = []
    for path in sorted(part.iterdir()):
        _sync(path)
        entries.append(file_entry(path))
    return entries


def _write_manifest(part: Path, manifest: Manifest) -> None:
    path = part / NAME
    path.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    _sync(path)
    _sync(part)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_covers(manifest: Manifest) -> None:
    """The copies hold every record that the database had folded; else Kafka lost some."""
    for topic in manifest.topics:
        for partition, position in manifest.positions.get(manifest.topic_prefix + topic.name, {}).items():
            if topic.next.get(partition, 0) < position:
                raise RefusedAction(
                    f"{topic.name}, partition {partition}: the database has folded up to {position}, Kafka "
                    f"has {topic.next.get(partition, 0)}. It has lost records: `canhdich doctor` first."
                )


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: topics filled from the backup, topics that Kafka still had, rows that are there."""

    poured: list[str]
    kept: list[str]
    numbers: Numbers


def check(folder: Path, identity: Path | None, tell: Tell) -> Manifest:
    """See that a backup is whole: its files as they were written, every record of the topics.

    Raises:
        RefusedAction: it is not.
        ConfigurationError: it is encrypted and the key is missing.
    """
    manifest = read_manifest(folder)
    tell("Comparing the files with the manifest ...")
    check_files(folder, manifest)
    for topic in manifest.topics:
        digest = topics.Digest()
        with files.opened(folder / _file_of(topic.name), manifest.encrypted_by, identity) as file:
            for record in topics.records_of(file):
                digest.add(record)
        if (digest.records, digest.text()) != (topic.records, topic.digest):
            raise RefusedAction(
                f"The copy of {topic.name} is not what the manifest says. Take another backup."
            )
        tell(f"{topic.name}: {topic.records:,} records, whole")
    return manifest


def bring_back(
    configured: Settings, folder: Path, identity: Path | None, *, replace: bool, tell: Tell
) -> Restored:
    """Restore a backup: the database, and the topics where Kafka no longer has them.

    Where Kafka still has the topics, they stay, and workers read on from where the restored database stands.

    Args:
        configured: Settings; the two servers run, our services do not.
        folder: The backup.
        identity: The key's file, for age.
        replace: Drop a database that is not empty.
        tell: Is told what is being done.

    Raises:
        RefusedAction: the backup is damaged, or the servers are not as they must be; nothing was changed.
        DependencyDown, ConfigurationError: a server does not answer, or a setting is missing.
    """
    manifest = check(folder, identity, tell)
    if manifest.topic_prefix != configured.topic_prefix:
        raise ConfigurationError(
            f"The backup's topics begin with {manifest.topic_prefix!r}: set CANHDICH_TOPIC_PREFIX so."
        )
    wanted = {topic.name: topic for topic in event_topics()}
    missing, empty, kept = _states(configured, manifest.topics)
    admin = postgres.admin_url(configured)
    _make_room(admin, manifest, replace, tell)
    tell("Restoring the database ...")
    with files.opened(folder / DUMP, manifest.encrypted_by, identity) as dumped:
        postgres.load(admin, manifest.postgres, dumped)
    with database.errors_translated(), database.connect(admin) as connection:
        numbers = _numbers(read_counted(connection))
    if numbers != manifest.numbers:
        raise RefusedAction(
            f"The restored database has {numbers}, not {manifest.numbers}. Take another backup."
        )
    servers, prefix = configured.kafka, configured.topic_prefix
    for name in empty:
        topics.delete_topic(servers, prefix + name)
    for entry in manifest.topics:
        if entry.name in kept:
            continue
        tell(f"{entry.name}: {entry.records:,} records go back into Kafka ...")
        topics.make_topic(servers, prefix, wanted[entry.name])
        with files.opened(folder / _file_of(entry.name), manifest.encrypted_by, identity) as file:
            topics.pour(servers, prefix + entry.name, topics.records_of(file), _nothing)
        _compare(configured, entry)
        topics.close_topic(servers, prefix, wanted[entry.name])
    return Restored([*missing, *empty], kept, numbers)


def _nothing(_: int) -> None: ...


def _compare(configured: Settings, entry: TopicEntry) -> None:
    """What Kafka has now is what the backup has."""
    name = configured.topic_prefix + entry.name
    digest = topics.Digest()
    for record in topics.read_records(configured.kafka, name, topics.bounds(configured.kafka, name)):
        digest.add(record)
    if digest.text() != entry.digest:
        raise RefusedAction(
            f"{name} in Kafka has {digest.records:,} records that are not the backup's {entry.records:,}. "
            "Delete the topic and begin again."
        )


def _states(configured: Settings, entries: Sequence[TopicEntry]) -> tuple[list[str], list[str], list[str]]:
    """The topics that Kafka lacks, those that it has empty, and those that it still has."""
    missing, empty, kept = [], [], []
    for entry in entries:
        name = configured.topic_prefix + entry.name
        try:
            log = topics.bounds(configured.kafka, name)
        except ConfigurationError:
            missing.append(entry.name)
            continue
        if log.topic_id == entry.topic_id:
            kept.append(entry.name)
        elif log.records == 0:
            empty.append(entry.name)
        else:
            raise RefusedAction(
                f"Kafka's {name} holds {log.records:,} records of another topic than the backup's: a restore "
                "would mix the two. Restore onto an empty Kafka, or onto the one that the backup was made of."
            )
    return missing, empty, kept


def _make_room(admin: str, manifest: Manifest, replace: bool, tell: Tell) -> None:
    with database.errors_translated(), database.connect(admin) as connection:
        is_free = is_empty(connection)
        if is_free:
            connection.execute("create extension if not exists timescaledb")
        installed = read_extension(connection)
    if installed != manifest.timescaledb:
        raise RefusedAction(
            f"The server has TimescaleDB {installed}, the backup is of {manifest.timescaledb}: a restore "
            "needs the same. Restore with that version, then upgrade the extension."
        )
    if is_free:
        return
    if not replace:
        raise RefusedAction(
            "The database is not empty. Where what it holds may go, `canhdich restore --replace` drops it "
            "and makes it anew."
        )
    tell("Dropping the database and making it anew ...")
    postgres.make_empty(admin, manifest.owner)

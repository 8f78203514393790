"""The matrices of rights: every table and topic is there, only who must may write; each check rejects."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.rights import (
    DIRECTORY,
    DatabaseRights,
    KafkaRights,
    RightsError,
    database_rights,
    kafka_rights,
)
from schemas.sql import MIGRATIONS
from schemas.strict_yaml import load_yaml
from schemas.topics import Topic, load_topics

# The migrations' own; yoyo makes them.
_BOOK = {"_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock"}
_WRITERS = {"services/intake": "canhdich-intake", "services/cli": "canhdich-operator"}
# Nothing of an account, a session or a recipient's address is for whoever only counts.
_OF_PEOPLE = re.compile(r"^(people|staff_|api_keys|recovery_|sign_in_|recipients|delivery_)")
_NOT_FOR = {"worker", "monitor", "report"}


def tables_of_migrations(folder: Path = MIGRATIONS) -> set[str]:
    """The tables that migrations make and do not drop again."""
    found: set[str] = set()
    for path in sorted(folder.glob("*.sql")):
        text = re.sub(r"--.*", "", path.read_text("utf-8"))
        found |= set(re.findall(r"create table (?:if not exists )?(\w+)", text))
        found -= set(re.findall(r"drop table (?:if exists )?(\w+)", text))
        for before, after in re.findall(r"alter table (\w+) rename to (\w+)", text):
            found = found - {before} | {after}
    return found


def faults_of_database(rights: DatabaseRights, tables: set[str]) -> Iterator[str]:
    """What is wrong with the database's matrix."""
    for table in sorted(tables - rights.tables.keys()):
        yield f"{table} has no row"
    for table in sorted(rights.tables.keys() - tables - _BOOK):
        yield f"{table} is no table"
    for table, row in rights.tables.items():
        if row.get("backup", "") not in ("r", "ra"):
            yield f"{table} is not read by the backup"
        for role, letters in row.items():
            if role == "report" and letters != "r":
                yield f"report may write {table}"
            if set(letters) & set("aw") and "r" not in letters:
                yield f"{role} may write {table} and not read it"
            if role in _NOT_FOR and _OF_PEOPLE.match(table):
                yield f"{role} may read {table}"
    writers = {
        role
        for table in ("case_events", "count_changes")
        for role, letters in rights.tables[table].items()
        if letters != "r"
    }
    if writers != {"worker"}:
        yield f"the journal and the ledger are written by {sorted(writers)}"


def faults_of_kafka(rights: KafkaRights, topics: dict[str, Topic]) -> Iterator[str]:
    """What is wrong with Kafka's matrix."""
    for name, user in rights.users.items():
        for topic in user.topics.keys() - topics.keys():
            yield f"{name}: {topic} is no topic"
    for name, topic in topics.items():
        writers = {user for user, row in rights.users.items() if "Write" in row.topics.get(name, [])}
        if topic.value == "event":
            expected = {_WRITERS[package] for package in topic.producers}
            if writers != expected:
                yield f"{name} is written by {sorted(writers)}, not {sorted(expected)}"
            if "Read" not in rights.users["canhdich-backup"].topics.get(name, []):
                yield f"{name} is not read by the backup"
        elif not writers:
            yield f"{name} is written by nobody"


def test_the_matrices_are_in_order() -> None:
    assert list(faults_of_database(database_rights(), tables_of_migrations())) == []
    assert list(faults_of_kafka(kafka_rights(), dict(load_topics()))) == []


def _changed(change: Callable[[dict[str, Any]], object], name: str = "database.yaml") -> dict[str, Any]:
    document: dict[str, Any] = load_yaml((DIRECTORY / name).read_text("utf-8"))
    change(document)
    return document


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d["tables"].pop("cases"), "cases has no row"),
        (lambda d: d["tables"].update(nothing={"backup": "r"}), "nothing is no table"),
        (lambda d: d["tables"]["cases"].pop("backup"), "cases is not read by the backup"),
        (lambda d: d["tables"]["cases"].update(report="raw"), "report may write cases"),
        (lambda d: d["tables"]["cases"].update(watcher="w"), "watcher may write cases and not read it"),
        (lambda d: d["tables"]["recipients"].update(monitor="r"), "monitor may read recipients"),
        (
            lambda d: d["tables"]["case_events"].update(intake="ra"),
            "the journal and the ledger are written by ['intake', 'worker']",
        ),
    ],
)
def test_a_bad_matrix_of_the_database_is_found(
    change: Callable[[dict[str, Any]], object], fault: str
) -> None:
    rights = DatabaseRights.model_validate(_changed(change))
    assert fault in list(faults_of_database(rights, tables_of_migrations()))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda d: d["users"]["canhdich-watcher"]["topics"].update({"case-events": ["Write"]}),
            "case-events is written by ['canhdich-intake', 'canhdich-operator', 'canhdich-watcher'], not "
            "['canhdich-intake', 'canhdich-operator']",
        ),
        (
            lambda d: d["users"]["canhdich-watcher"]["topics"].update(nothing=["Read"]),
            "canhdich-watcher: nothing is no topic",
        ),
        (
            lambda d: d["users"]["canhdich-worker"]["topics"].pop("dead-letters"),
            "dead-letters is written by nobody",
        ),
        (
            lambda d: d["users"]["canhdich-backup"]["topics"].pop("focus-events"),
            "focus-events is not read by the backup",
        ),
    ],
)
def test_a_bad_matrix_of_kafka_is_found(change: Callable[[dict[str, Any]], object], fault: str) -> None:
    rights = KafkaRights.model_validate(_changed(change, "kafka.yaml"))
    assert fault in list(faults_of_kafka(rights, dict(load_topics())))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("roles: {}\ntemporary: []\ntables: {cases: {worker: raw}}\n", "canhdich_worker is no role"),
        ("roles: {}\ntemporary: []\ntables: {cases: {worker: all}}\n", "worker"),
        ("roles: {canhdich: 'Everything and more'}\ntemporary: []\ntables: {}\n", "roles"),
        ("roles: {}\ntemporary: []\ntables: {}\nmore: 1\n", "more"),
    ],
)
def test_a_file_out_of_form_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "database.yaml"
    path.write_text(text)
    with pytest.raises(RightsError, match=message):
        database_rights(path)


def test_a_migration_that_makes_and_drops_tables_is_read(tmp_path: Path) -> None:
    (tmp_path / "0001.a.sql").write_text(
        "create table one (a int);\ncreate table two ();\n-- create table no ();\n"
    )
    (tmp_path / "0002.b.sql").write_text("drop table two; alter table one rename to three;")
    assert tables_of_migrations(tmp_path) == {"three"}

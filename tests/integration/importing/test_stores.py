"""The tables behind the importer: the contract of the fake, and the lock of a source."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from services.cli.main import app
from services.importing.codes import meaning_key
from services.importing.sender import RowStore
from services.settings import Settings
from streams.domain.errors import ConfigurationError
from streams.stores.database import connect
from streams.stores.imports import PostgresIdentities, PostgresImports
from streams.stores.meanings import Asked, ask, read_meanings
from tests.row_store_contract import RowStoreContract

pytestmark = pytest.mark.native


class TestPostgresImports(RowStoreContract):
    @pytest.fixture
    def open_store(self, database_url: str) -> Iterator[Callable[[str], RowStore]]:
        with connect(database_url) as connection:
            connection.execute("truncate import_rows")
        stores: dict[str, PostgresImports] = {}

        def open_it(source: str) -> RowStore:
            if source not in stores:
                stores[source] = PostgresImports(database_url, source)
            return stores[source]

        yield open_it
        for store in stores.values():
            store.close()


def test_two_imports_of_one_source_do_not_run_together(database_url: str) -> None:
    first = PostgresImports(database_url, "/a")
    other = PostgresImports(database_url, "/b")
    with pytest.raises(ConfigurationError, match="Another import from source /a"):
        PostgresImports(database_url, "/a")
    first.close()
    PostgresImports(database_url, "/a").close()
    other.close()


def test_identities_of_the_fold(database_url: str) -> None:
    with connect(database_url) as connection:
        connection.execute(
            "insert into event_ids (subject, event_id, content_hash) values (%s, %s, %s)",
            ("LC-1", UUID(int=1), b"x" * 32),
        )
    identities = PostgresIdentities(database_url)
    try:
        asked = [("LC-1", UUID(int=1)), ("LC-1", UUID(int=2)), ("LC-2", UUID(int=1))]
        assert identities.hashes(asked) == {("LC-1", UUID(int=1)): b"x" * 32}
        assert identities.hashes([]) == {}
    finally:
        identities.close()


def test_a_preview_takes_no_lock(database_url: str) -> None:
    importing = PostgresImports(database_url, "/c")
    previewing = PostgresImports(database_url, "/c", reads_only=True)
    assert previewing.known(["LC-1"]) == {}
    previewing.close()
    importing.close()


def test_a_question_is_asked_answered_once_and_opened_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(database_url, monkeypatch)
    text = "Xã Bình Lưu, Tỉnh Lai Châu"
    now = datetime(2025, 11, 1, tzinfo=UTC)
    asked = Asked(
        "area_code", meaning_key(text), text, (("03390", "Xã Bình Lư", date(2025, 7, 1)),), waiting_rows=3
    )
    with connect(database_url) as connection:
        connection.execute("truncate import_meanings")
        ask(connection, [asked], now)
    (listed,) = run("list", "--open")
    assert (listed["text"], listed["waiting_rows"], listed["code"]) == (text, 3, None)
    assert listed["candidates"] == [["03390", "Xã Bình Lư", "2025-07-01"]]

    # Another spelling of the same text.
    answer = run("set", "area_code", "xã  BÌNH LƯU, tỉnh Lai Châu", "03390", "--on", "2025-08-01")
    assert answer["code"] == "03390@2025-07-01"
    assert run("list", "--open") == []
    with connect(database_url) as connection:
        # Asked once more by a later file, it stays answered.
        ask(connection, [asked], now)
        assert read_meanings(connection) == {("area_code", meaning_key(text)): "03390@2025-07-01"}
    run("forget", "area_code", text)
    assert len(run("list", "--open")) == 1
    run("set", "disease", "Sởii", "measles")
    with connect(database_url) as connection:
        assert read_meanings(connection) == {("disease", meaning_key("Sởii")): "measles"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("disease", "Sởii", "sởi"), "No code of a disease"),
        (("area_code", "Xã Bình Lưu", "99999"), "No area has this code"),
        (("area_code", "Xã Bình Lưu", "03412", "--on", "2025-08-01"), "No area has this code"),
        (("disease", "Lò Văn Pâng", "measles"), "identifier"),
    ],
)
def test_an_answer_that_means_nothing_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    at(database_url, monkeypatch)
    done = CliRunner().invoke(app, ["meanings", "set", *arguments])
    assert done.exit_code == 2
    assert reason in " ".join(done.output.split())


def at(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands on this database."""
    settings = Settings(kafka_bootstrap="127.0.0.1:1", database_url=SecretStr(database_url))
    monkeypatch.setattr("services.cli.connection.settings", lambda: settings)


def run(*arguments: str) -> Any:
    """What `canhdich meanings … --json` prints."""
    done = CliRunner().invoke(app, ["meanings", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)

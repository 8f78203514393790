"""The tables behind the importer: the contract of the fake, and the lock of a source."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from services.importing.sender import RowStore
from streams.domain.errors import ConfigurationError
from streams.stores.database import connect
from streams.stores.imports import PostgresIdentities, PostgresImports
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

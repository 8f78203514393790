"""The fake store keeps the contract that the table keeps."""

from collections.abc import Callable

import pytest

from services.importing.sender import RowStore
from tests.row_store_contract import RowStoreContract
from tests.unit.importing.fakes import MemoryRows


class TestMemoryRows(RowStoreContract):
    @pytest.fixture
    def open_store(self) -> Callable[[str], RowStore]:
        stores: dict[str, RowStore] = {}
        return lambda source: stores.setdefault(source, MemoryRows())

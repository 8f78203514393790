"""The ledger on real TimescaleDB."""

import pytest

from tests.ledger_contract import LedgerContract

pytestmark = pytest.mark.native


class TestPostgresLedger(LedgerContract):
    """Keeps the contract; the fixture `store` is that of conftest.py."""

"""The test servers' administrator, whom restores and rights need."""

from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy.native import timescale
from deploy.native.layout import DEFAULT_HOME, layout
from tests.conftest import is_required


def admin_url(database_url: str) -> str:
    """A database's address as the native server's superuser; the test is skipped where nobody knows it."""
    parts = urlsplit(database_url)
    for home in (layout().home, DEFAULT_HOME, DEFAULT_HOME / "test"):
        where = layout(home)
        if where.passwords_file.exists():
            secret = timescale.passwords(where)
            if secret[timescale.OWNER] == parts.password:
                login = f"{timescale.SUPERUSER}:{secret[timescale.SUPERUSER]}@{parts.hostname}:{parts.port}"
                return urlunsplit(parts._replace(netloc=login))
    if is_required():
        pytest.fail("The superuser of the test servers is not known", pytrace=False)
    pytest.skip("The superuser of these servers is not known")

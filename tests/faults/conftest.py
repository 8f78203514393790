"""Servers that the tests of this folder may kill."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.native.errors import NativeError
from tests.conftest import NativeStack, _is_required
from tests.faults.servers import own_servers


@pytest.fixture(scope="package")
def faulty_home(native_stack: NativeStack) -> Iterator[Path]:
    """The folder of a running instance of this suite's own; skipped, or failed, where none can be started.

    It needs nothing of the other servers, but where those are not wanted, these are not, either.
    """
    with ExitStack() as stack:
        try:
            servers = stack.enter_context(own_servers())
        except NativeError as error:
            if _is_required():
                raise
            pytest.skip(f"The fault suite kills servers and needs some of its own: {error}")
        yield servers.layout.home

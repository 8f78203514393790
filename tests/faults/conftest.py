"""Servers that the tests of this folder may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NativeStack
from tests.faults.suite import running_home


@pytest.fixture(scope="package")
def faulty_home(native_stack: NativeStack) -> Iterator[Path]:
    """The folder of a running instance of this suite's own.

    It needs nothing of the other servers, but where those are not wanted, these are not, either.
    """
    with running_home() as home:
        yield home

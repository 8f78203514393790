from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.intake.door import Doorstep


@pytest.fixture
def door() -> Iterator["Doorstep"]:
    """A door whose Kafka and database answer."""
    # Imported here: tests/conftest.py lets kafka-python be imported only after conftest files are.
    from tests.unit.intake.door import Doorstep

    with Doorstep() as made:
        yield made

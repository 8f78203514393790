from collections.abc import Iterator

import pytest

from tests.unit.intake.door import Doorstep


@pytest.fixture
def door() -> Iterator[Doorstep]:
    """A door whose Kafka and database answer."""
    with Doorstep() as made:
        yield made

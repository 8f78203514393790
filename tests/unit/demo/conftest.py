"""What the demo's tests share: the packaged catalogue, the demo's events and the counts they come to."""

import pytest

from schemas.catalogue import Catalogue, load_catalogue
from services.demo.generate import DemoEvent, demo_events
from tests.truth import Truth, truth


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def events(catalogue: Catalogue) -> list[DemoEvent]:
    return demo_events(catalogue=catalogue)


@pytest.fixture(scope="session")
def counted(events: list[DemoEvent], catalogue: Catalogue) -> Truth:
    return truth((event.raw for event in events), catalogue)

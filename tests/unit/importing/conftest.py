"""The packaged catalogue, as the importer uses it."""

import pytest

from schemas.catalogue import Catalogue
from services.importing.codes import CodeFinder
from streams.domain.catalogue import Catalogue as Judging
from tests.builders import judged_by


@pytest.fixture(scope="session")
def codes(published_catalogue: Catalogue) -> CodeFinder:
    """Looks codes and names up in the packaged catalogue."""
    return CodeFinder(published_catalogue)


@pytest.fixture(scope="session")
def judging(published_catalogue: Catalogue) -> Judging:
    """The packaged catalogue, as the fold has it in force."""
    return judged_by(published_catalogue)

"""Every page is accessible, fits its window, is small, and comes from the route that the gallery names."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from schemas.catalogue import Catalogue
from tests.browser import check_accessibility
from tests.component.pages.gallery import GALLERY, SCREENS, Screen, Shown, World, visited

PAGE_BYTES = 60_000
# The page itself and all that it loads, as they travel.
_WEIGHT = """() => performance.getEntriesByType("navigation")
  .concat(performance.getEntriesByType("resource"))
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""
_CAPTIONS_FIT = """() => [...document.querySelectorAll("caption")]
  .every(caption => caption.getBoundingClientRect().right <= innerWidth)"""


@pytest.fixture(scope="module")
def worlds(published_catalogue: Catalogue) -> Iterator[dict[str, World]]:
    """One for each language."""
    vietnamese, english = (World(published_catalogue, screen.language) for screen in SCREENS)
    with vietnamese, english:
        yield {"vi": vietnamese, "en": english}


@pytest.mark.parametrize(
    ("shown", "screen"),
    [
        pytest.param(shown, screen, id=f"{shown.name}-{screen.suffix}")
        for shown in GALLERY
        for screen in shown.screens
    ],
)
def test_every_page_is_for_everybody(
    worlds: dict[str, World], browser: Browser, shown: Shown, screen: Screen
) -> None:
    world = worlds[screen.language]
    with visited(browser, world, screen, shown) as page:
        assert set(shown.endpoints) <= world.live.answered_with_pages
        check_accessibility(page)
        # Tables scroll in their own box, never the page.
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(_CAPTIONS_FIT)
        # What the service worker has kept does not travel.
        assert shown.has_worker or 0 < page.evaluate(_WEIGHT) < PAGE_BYTES

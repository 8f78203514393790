"""`python -m tests.component.pages.pictures [NAME ...]`: the pictures of docs/pages.md, all or some."""

import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from schemas.catalogue import load_catalogue
from tests.browser import CHROMIUM, FLAGS, PATIENCE_MS
from tests.component.pages.gallery import GALLERY, SCREENS, World, visited
from tests.pictures.smaller import smaller

FOLDER = Path(__file__).parents[3] / "docs/pages"
MOST_PIXELS = 3_800_000


def main(names: list[str]) -> None:
    """Write `docs/pages/<page>-<screen>-<language>.png`."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for screen in SCREENS:
            with World(load_catalogue(), screen.language) as world:
                for shown in GALLERY:
                    if screen in shown.screens and (not names or shown.name in names):
                        with visited(browser, world, screen, shown) as page:
                            file = FOLDER / f"{shown.name}-{screen.suffix}.png"
                            width = screen.window["viewport"]["width"]
                            height = page.evaluate("document.documentElement.scrollHeight")
                            clip = {
                                "x": 0,
                                "y": 0,
                                "width": width,
                                "height": min(height, MOST_PIXELS // width),
                            }
                            page.screenshot(path=file, full_page=True, clip=clip)
                            smaller(file, 128)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])

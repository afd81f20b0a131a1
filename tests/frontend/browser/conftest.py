"""One stack with its page, and one browser, for all tests that look at it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from scripts.page_screenshots import CHROMIUM, PATIENCE_MS, chromium
from tests.frontend.browser.steps import Open
from tests.frontend.conftest import Up, running_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    yield from running_stack(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Neither pip nor npm brings a browser, and set-up changes nothing of the machine's.
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open an address as somebody else each time; whatever the test does, no stack trace is shown."""
    pages: list[Page] = []

    def open_one(url: str) -> Page:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(url)
        pages.append(page)
        return page

    yield open_one
    for page in pages:
        assert "Traceback" not in page.content()
        assert page.locator("[data-testid=stException]").count() == 0
        page.context.close()

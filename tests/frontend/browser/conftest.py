"""One stack with its page, and one browser, for all tests that look at it."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.frontend.browser.steps import PATIENCE_MS, Open
from tests.frontend.conftest import Up, running_stack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    yield from running_stack(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        # Chromium's own sandbox can't be set up by root or in a container.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


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

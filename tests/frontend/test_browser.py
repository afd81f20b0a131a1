"""A real browser on the whole stack: Azurite, the functions in worker processes, and the page."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tessera import reference
from tessera.pipeline import bind
from tessera.plan import Step
from tests.frontend.conftest import Up
from tests.support.images import decode

PHOTO = Path(__file__).parents[2] / "examples" / "dandelion.jpg"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE_MS = 120_000


@pytest.fixture
def browser_page(up: Up) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # Chromium's own sandbox can't be set up by root or in a container.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(up.url)
        yield page
        browser.close()


def test_a_photograph_goes_through_the_page_and_comes_back_exact(browser_page: Page, tmp_path: Path) -> None:
    page = browser_page
    expect.set_options(timeout=PATIENCE_MS)
    page.locator("input[type=file]").set_input_files(PHOTO)
    expect(page.get_by_role("img", name="The image dandelion.jpg")).to_be_visible()
    page.get_by_role("combobox", name="Operation to add").fill("canny")
    page.get_by_role("option", name="Canny").click()
    page.get_by_role("button", name="Add operation").click()
    low = page.get_by_label("Low", exact=True)
    low.fill("50")
    low.press("Enter")
    page.get_by_role("button", name="Start", exact=True).click()

    page.wait_for_url(re.compile(r"\?job=\w+"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.reload()
    expect(page.get_by_role("img", name="The result")).to_be_visible()
    expect(page.get_by_role("img", name="The original image")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()

    assert download.value.suggested_filename == "dandelion-canny.png"
    file = tmp_path / "downloaded.png"
    download.value.save_as(file)
    [bound] = bind([Step(operation="canny", parameters={"low": 50, "high": 200})])
    expected = reference.run(decode(PHOTO.read_bytes()), [bound.step])
    np.testing.assert_array_equal(decode(file.read_bytes()), expected, strict=True)

"""Beginning again with what a job has, and zooming into a copy, in a real browser on the whole stack."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, Request, expect

from tessera import reference
from tessera.pipeline import bind
from tessera.plan import Step
from tests.frontend.browser.steps import Open, add, choose, start
from tests.frontend.browser.test_forms import check_the_middle
from tests.frontend.conftest import Up, running_stack
from tests.support.images import Image, decode, encode, textured


def downloaded(page: Page) -> Image:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    return decode(download.value.path().read_bytes())


def expected(picture: Image, *steps: Step) -> Image:
    return reference.run(picture, [bound.step for bound in bind(steps)])


def test_a_job_is_run_again_with_its_image_and_then_with_its_result(stack: Up, open_page: Open) -> None:
    picture, page, sent = textured(300, 400), open_page(stack.url), list[Request]()
    choose(page, "leaf.png", encode(picture))
    add(page, "Median blur")
    start(page)
    expect(page.get_by_text("Done.", exact=True)).to_be_visible()
    # Somebody else, who has chosen no image.
    page = open_page(page.url)
    page.on("request", lambda request: sent.append(request))
    page.get_by_role("button", name="Run again with changes").click()
    expect(page.get_by_role("img", name="The image leaf.png")).to_be_visible()
    size = page.get_by_label("Kernel size", exact=True)
    size.fill("9")
    size.press("Enter")
    expect(page.locator("dl.facts")).to_contain_text("400 × 300 pixels")
    start(page)
    blurred = expected(picture, Step(operation="median_blur", parameters={"ksize": 9}))
    np.testing.assert_array_equal(downloaded(page), blurred, strict=True)

    page.get_by_role("button", name="Use the result as a new image").click()
    expect(page.get_by_role("img", name="The image leaf-median_blur.png")).to_be_visible()
    add(page, "Invert")
    start(page)
    np.testing.assert_array_equal(downloaded(page), 255 - blurred, strict=True)
    assert [each.method for each in sent if "sig=" in each.url and each.method != "GET"] == []


@pytest.fixture
def careful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start a stack whose page gives browsers no result of a megapixel whole."""
    yield from running_stack(tmp_path_factory.mktemp("careful"), TESSERA_PAGE_SHOWN_PIXELS="1000000")


def test_a_result_that_is_too_large_is_zoomed_into_by_a_copy(careful: Up, open_page: Open) -> None:
    picture = textured(1100, 2200)
    page = open_page(careful.url)
    choose(page, "leaf.png", encode(picture))
    add(page, "Invert")
    start(page)
    page.get_by_role("button", name="Make a copy to zoom into").click()
    expect(page.get_by_text("You zoom into a copy")).to_be_visible()
    check_the_middle(page, 255 - picture)
    page.reload()
    expect(page.get_by_text("You zoom into a copy")).to_be_visible()
    check_the_middle(page, 255 - picture)
    np.testing.assert_array_equal(downloaded(page), 255 - picture, strict=True)
    page.get_by_role("button", name="Jobs", exact=True).click()
    expect(page.get_by_text(re.compile("Crop"))).to_have_count(1)

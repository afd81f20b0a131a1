"""A real browser on the whole stack: Azurite, the functions in worker processes, and the page."""

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Download, Page, expect

from tessera import reference
from tessera.pipeline import bind
from tessera.plan import Step
from tests.frontend.browser.steps import Open, add, choose, start
from tests.frontend.conftest import ROOT, Up
from tests.support.images import decode, encode, textured

PHOTO = ROOT / "examples" / "dandelion.jpg"
NARROW = 400


def test_a_photograph_goes_through_the_page_and_comes_back_exact(
    stack: Up, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(stack.url)
    choose(page, "dandelion.jpg", PHOTO.read_bytes())
    expect(page.get_by_role("img", name="The image dandelion.jpg")).to_be_visible()
    add(page, "Canny")
    low = page.get_by_label("Low", exact=True)
    low.fill("50")
    low.press("Enter")
    expect(page.locator("dl.facts")).to_contain_text("5,312 × 2,988 pixels")
    expect(page.locator("dl.facts")).to_contain_text("parts in 2 passes")
    start(page)

    expect(page.get_by_role("progressbar")).to_be_visible()
    done = page.locator(".board").get_attribute("data-done")
    expect(page.locator(".board")).not_to_have_attribute("data-done", done or "")
    page.reload()
    expect(page.locator(".viewer .status")).to_contain_text("of its size")
    check_the_comparison(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()

    assert download.value.suggested_filename == "dandelion-canny.png"
    file = tmp_path / "downloaded.png"
    download.value.save_as(file)
    [bound] = bind([Step(operation="canny", parameters={"low": 50, "high": 200})])
    expected = reference.run(decode(PHOTO.read_bytes()), [bound.step])
    np.testing.assert_array_equal(decode(file.read_bytes()), expected, strict=True)
    check_it_fits_a_telephone(open_page, stack.url, page.url)


def check_the_comparison(page: Page) -> None:
    """Move the divider and zoom by the keyboard, until the result itself is fetched."""
    assert page.get_by_role("radio").all_text_contents() == ["Compare", "Before", "After", "Difference"]
    divider = page.get_by_role("slider", name="Divider between before and after")
    before = colours(page)
    divider.press("Home")
    assert colours(page) < before, "all of it is the result, in black and white"
    page.get_by_role("radio", name="After").click()
    page.get_by_role("button", name="1:1").click()
    expect(page.locator(".viewer[data-full=true]")).to_be_visible()
    expect(page.locator(".viewer .status")).to_have_text("100 % of its size, the result itself")
    page.get_by_role("button", name="Fit").click()


def colours(page: Page) -> int:
    """Count the colours of what the viewer shows."""
    return len(np.unique(decode(page.locator(".viewer canvas").screenshot()).reshape(-1, 3), axis=0))


def check_it_fits_a_telephone(open_page: Open, url: str, job: str) -> None:
    page = open_page(url)
    page.set_viewport_size({"width": NARROW, "height": 800})
    for address in (url, job, f"{url}/?view=jobs", f"{url}/?view=operations", f"{url}/?view=status"):
        page.goto(address)
        expect(page.get_by_role("button", name="Status", exact=True)).to_be_visible()
        expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, address


def test_a_job_is_cancelled_and_taken_up_again_by_somebody_else(stack: Up, open_page: Open) -> None:
    page = open_page(stack.url)
    choose(page, "noise.png", encode(textured(1200, 1600)))
    add(page, "Denoise")
    start(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. Nothing more is done")).to_be_visible()
    other = open_page(page.url)
    other.get_by_role("button", name="Retry").click()
    expect(other.get_by_text("Done.", exact=True)).to_be_visible()


def test_broken_files_are_told_in_words(stack: Up, open_page: Open) -> None:
    page = open_page(stack.url)
    choose(page, "cut.jpg", PHOTO.read_bytes()[:200_000])
    add(page, "Invert")
    start(page)
    expect(page.get_by_role("alert").first).to_contain_text(re.compile("damaged|incomplete|ends", re.I))

    page = open_page(stack.url)
    choose(page, "letter.png", b"Dear Sir or Madam")
    add(page, "Invert")
    expect(page.get_by_role("alert").first).to_contain_text("image")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()


def downloads_of(page: Page) -> list[Download]:
    """Return a list that gets each download."""
    found = list[Download]()

    def note(download: Download) -> None:
        found.append(download)

    page.on("download", note)
    return found


def test_two_people_at_once_get_each_their_own(stack: Up, open_page: Open, tmp_path: Path) -> None:
    picture = textured(300, 400)
    pages = {"Invert": open_page(stack.url), "Sepia": open_page(stack.url)}
    for operation, page in pages.items():
        choose(page, f"{operation}.png", encode(picture))
        add(page, operation)
    for page in pages.values():
        start(page)
    for operation, page in pages.items():
        downloads = downloads_of(page)
        for _ in range(2):
            with page.expect_download():
                page.get_by_role("button", name="Download").click()
            page.get_by_text("The download has started.").wait_for()
            page.keyboard.press("r")  # draws the page anew, with the link
        page.wait_for_function("window.tesseraSaved.size === 2")
        assert len(downloads) == 2
        file = tmp_path / f"{operation}.png"
        downloads[-1].save_as(file)
        [bound] = bind([Step(operation=operation.lower())])
        expected = reference.run(picture, [bound.step])
        np.testing.assert_array_equal(decode(file.read_bytes()), expected, strict=True)

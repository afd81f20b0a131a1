"""What is set on the form, in a real browser on the whole stack."""

import base64
import math
import re
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from scripts.page_screenshots import PATIENCE_MS
from tessera import reference
from tessera.pipeline import bind
from tessera.plan import Step
from tests.frontend.browser.steps import Open, add, choose, start
from tests.frontend.conftest import Up
from tests.support.images import Image, decode, encode, textured

CLICKS = 10
SECOND_ROW = 87
"""Pixels from the top of the table, which is drawn on a canvas."""


def result(page: Page, tmp_path: Path) -> Image:
    start(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    file = tmp_path / "result.png"
    download.value.save_as(file)
    return decode(file.read_bytes())


def test_a_page_of_a_file_is_chosen_and_processed(stack: Up, open_page: Open, tmp_path: Path) -> None:
    pages = [textured(40, 50, seed=seed) for seed in range(3)]
    _, file = cv2.imencodemulti(".tif", pages)
    page = open_page(stack.url)
    choose(page, "scans.tif", file.tobytes())
    add(page, "Invert")
    wanted = page.get_by_label("Page of the file, 1 to 3")
    wanted.fill("2")
    wanted.press("Enter")
    expect(page.get_by_text("The picture shows the first page.")).to_be_visible()
    np.testing.assert_array_equal(result(page, tmp_path), 255 - pages[1], strict=True)
    expect(page.get_by_text("page 2 of 3")).to_be_visible()


def test_a_kernel_is_edited_in_a_table_by_the_keyboard_and_as_text(
    stack: Up, open_page: Open, tmp_path: Path
) -> None:
    picture = textured(40, 50, 1)
    page = open_page(stack.url)
    choose(page, "leaf.png", encode(picture))
    add(page, "Kernel")
    page.get_by_text("Save these operations").click()
    table, command = page.get_by_test_id("stDataFrame"), page.locator("pre").first
    select_a_cell(table)
    page.keyboard.press("Enter")
    cell = page.locator("#portal input")
    cell.fill("6")
    cell.press("Enter")
    expect(command).to_contain_text(re.compile(r"\[6(\.0)?,4"))
    columns = page.get_by_role("spinbutton", name="Columns")
    columns.fill("1")
    columns.press("Enter")
    expect(command).to_contain_text(re.compile(r"\[6(\.0)?\]"))
    page.get_by_text("As text").click()
    expect(page.get_by_role("textbox", name="Values")).to_have_value("1\n6\n1")
    [bound] = bind([Step(operation="kernel", parameters={"values": [[1], [6], [1]]})])
    expected = reference.run(picture, [bound.step])
    np.testing.assert_array_equal(result(page, tmp_path), expected, strict=True)


def select_a_cell(table: Locator) -> None:
    """Click on the second row; again where the table was just being drawn anew, as people do."""
    selected = table.locator("canvas [aria-selected=true]").first
    for _ in range(CLICKS):
        table.locator(".dvn-scroller").click(position={"x": 120, "y": SECOND_ROW})
        with suppress(AssertionError):
            expect(selected).to_be_attached(timeout=PATIENCE_MS // CLICKS)
            return
    pytest.fail(f"no cell was selected by {CLICKS} clicks")


@pytest.mark.parametrize(("channels", "depth", "pyramid"), [(3, 8, True), (1, 16, False)])
def test_a_tiff_is_shown_in_parts_as_they_are_needed(
    channels: int, depth: int, pyramid: bool, stack: Up, open_page: Open
) -> None:
    picture = textured(1100, 2200, channels, depth)
    page = open_page(stack.url)
    choose(page, "leaf.png", encode(picture))
    add(page, "Invert")
    page.get_by_text("TIFF, for large images").click()
    if pyramid:
        page.get_by_text("More options").click()
        page.get_by_text("With smaller copies inside").click()
    start(page)
    check_the_middle(page, (2**depth - 1 - picture) >> (depth - 8))


def check_the_middle(page: Page, expected: Image) -> None:
    """Zoom until one pixel of the result is one of the screen, and compare what is seen of it."""
    page.get_by_role("radio", name="After").click()
    page.get_by_role("button", name="1:1").click()
    expect(page.locator(".viewer .status")).to_have_text("100 % of its size, the result itself")
    address = page.locator(".viewer canvas").evaluate("canvas => canvas.toDataURL()")
    shown = decode(base64.b64decode(address.partition(",")[2]))[:, :, :3]
    top, left = (
        -math.floor((small - large) / 2 + 0.5)
        for small, large in zip(shown.shape[:2], expected.shape[:2], strict=True)
    )
    part = expected[top : top + shown.shape[0], left : left + shown.shape[1]]
    np.testing.assert_array_equal(shown, np.broadcast_to(part, shown.shape))

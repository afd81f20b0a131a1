"""What people do on the page."""

import re
from collections.abc import Callable

from playwright.sync_api import FilePayload, Locator, Page, expect

type Open = Callable[[str], Page]


def choose(page: Page, name: str, data: bytes) -> None:
    kind = "image/png" if name.endswith("png") else "image/jpeg"
    file = FilePayload(name=name, mimeType=kind, buffer=data)
    file_input(page).set_input_files(file)
    expect(page.get_by_role("button", name="Remove image")).to_be_visible()


def file_input(page: Page) -> Locator:
    """Return where images are chosen, which says so once the page listens to it."""
    return page.locator("input[type=file][accept*='.jpg']")


def add(page: Page, operation: str) -> None:
    page.get_by_role("combobox", name="Operation to add").fill(operation)
    page.get_by_role("option", name=operation).first.click()
    page.get_by_role("button", name="Add operation").click()
    expect(page.get_by_role("button", name="Remove", exact=True)).to_be_visible()


def start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"\?job=\w+"))

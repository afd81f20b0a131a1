"""Take the pictures of docs/user-guide.md: the whole stack, its page in Chromium, one job from end to end."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from emulator.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "examples" / "dandelion.jpg"
FOLDER = ROOT / "docs" / "user-guide"
WIDE, NARROW = (1280, 900), (400, 860)
PATIENCE_MS = 120_000
QUALITY = 82
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def main() -> None:
    arguments = parse_arguments()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if CHROMIUM is None:
        sys.exit("Chromium is not installed (Debian: apt-get install chromium).")
    with running(arguments.url) as url, chromium() as browser:
        job = take_all(browser, url, arguments.folder)
        take_others(browser, url, job, arguments.folder)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="page that runs already; by default a stack is started for this")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    return parser.parse_args()


@contextmanager
def chromium(patience_ms: int = PATIENCE_MS) -> Iterator[Browser]:
    """Start the machine's Chromium; whatever is expected of a page is waited for so long."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=patience_ms)
        # Chromium's own sandbox can't be set up by root or in a container.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def running(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="tessera-screenshots-") as data:
        ports = [f"--{name}-port={free_port('127.0.0.1')}" for name in ("page", "api", "storage")]
        command = [sys.executable, "scripts/up.py", "--data", data, *ports]
        environment = {**os.environ, "TESSERA_MIN_TILE_PIXELS": "30000"}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            said = "".join(iter(process.stdout.readline, "Ctrl-C stops all.\n"))
            found = re.search(r"page +(http://\S+)", said)
            yield found[1] if found else sys.exit(said)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def take_all(browser: Browser, url: str, folder: Path) -> str:
    """Go through one job, take a picture of each view, and return the job's address."""
    page = opened(browser, url, WIDE)
    page.locator("input[type=file][accept*='.jpg']").set_input_files(PHOTO)
    expect(page.get_by_role("img", name="The image dandelion.jpg")).to_be_visible()
    for operation in ("Median blur", "Canny"):
        box = page.get_by_role("combobox", name="Operation to add")
        box.fill(operation)
        page.get_by_role("option", name=operation).first.click()
        page.get_by_role("button", name="Add operation").click()
        expect(page.get_by_role("button", name="Remove", exact=True).last).to_be_visible()
    for label, value in (("Low", "20"), ("High", "60")):
        field = page.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Enter")
    page.get_by_text("Live preview").click()
    expect(page.get_by_role("img", name="Preview of the result")).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    take(page, folder / "process.jpg", full=True)
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"\?job=\w+"))
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    # Neither at its beginning nor at its end.
    expect(page.locator(".board")).to_have_attribute("data-done", re.compile(r"^([4-9]|1\d)$"))
    take(page, folder / "watch.jpg")
    expect(page.locator(".viewer canvas")).to_be_visible()
    expect(page.locator(".viewer .status")).to_contain_text("of its size")
    expect(page.get_by_role("button", name="Run again with changes")).to_be_visible()
    expect(page.get_by_text("List prices")).to_be_visible()
    take(page, folder / "result.jpg", full=True)
    return page.url


def take_others(browser: Browser, url: str, job: str, folder: Path) -> None:
    for view, text in (
        ("jobs", "dandelion.jpg"),
        ("operations", "Use it"),
        ("status", "The service is of version"),
    ):
        page = opened(browser, f"{url}/?view={view}", WIDE)
        expect(page.get_by_text(text).first).to_be_visible()
        take(page, folder / f"{view}.jpg")
    for name, address in (("process", url), ("result", job), ("jobs", f"{url}/?view=jobs")):
        page = opened(browser, address, NARROW)
        ready = {"process": "Operation to add", "result": "Done.", "jobs": "dandelion.jpg"}[name]
        expect(page.get_by_text(ready).first).to_be_visible()
        if name == "result":
            expect(page.locator(".viewer .status")).to_contain_text("of its size")
        take(page, folder / f"{name}-narrow.jpg")


def opened(browser: Browser, url: str, size: tuple[int, int]) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    return page


def take(page: Page, file: Path, *, full: bool = False) -> None:
    """Save what is seen as a JPEG; *full*, with what is below the window."""
    if full:
        inner = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
        size = page.viewport_size or {"width": WIDE[0], "height": WIDE[1]}
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], int(inner))})
    expect(page.locator("[data-testid=stSkeleton], [data-testid=stSpinner]")).to_have_count(0)
    page.wait_for_function("document.fonts.status === 'loaded'")
    raw = file.with_suffix(".png")
    page.screenshot(path=raw)
    with Image.open(raw) as image:
        image.convert("RGB").save(file, quality=QUALITY, optimize=True)
    raw.unlink()


if __name__ == "__main__":
    main()

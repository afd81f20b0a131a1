"""How much memory the page's process takes while somebody sends an image through a browser.

    python -m benchmarks.page_memory --megapixels 30

Starts the whole stack and Chromium, sends a PNG of that size (noise, so that its file is as large as its
pixels) and prints the resident memory of the page's process: before, at most, and when the image has arrived.
Exits with 1 when the most is above its bound, 100 MB more than before whatever the file: its bytes go from
the browser to storage, and the page sees a picture of at most 2 MB.
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import expect

from scripts.page_screenshots import chromium, opened, running

MB = 1_000_000
BOUND = 100 * MB
PATIENCE_MS = 300_000


class Peak(threading.Thread):
    """Watches the resident memory of a process until it is told to stop."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._stop = threading.Event()
        self.most = 0

    def run(self) -> None:
        """Look, again and again."""
        while not self._stop.wait(0.02):
            self.most = max(self.most, self._process.memory_info().rss)

    def stop(self) -> int:
        """Return the most bytes there were."""
        self._stop.set()
        self.join()
        return self.most


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=int, default=30)
    megapixels = parser.parse_args().megapixels
    with tempfile.TemporaryDirectory() as folder, running(None) as url, chromium(PATIENCE_MS) as browser:
        file = noise(Path(folder) / "noise.png", megapixels)
        size, process = file.stat().st_size, page_process(url)
        page = opened(browser, url, (1280, 900))
        expect(page.get_by_text("2. Operations")).to_be_visible()
        before, peak = process.memory_info().rss, Peak(process)
        peak.start()
        begun = time.monotonic()
        page.locator("input[type=file][accept*='.jpg']").set_input_files(file)
        expect(page.get_by_role("button", name="Remove image")).to_be_visible()
        seconds = time.monotonic() - begun
        expect(page.get_by_text("To start, add an operation.")).to_be_visible()
        most, after = peak.stop(), process.memory_info().rss
    print(f"file {size / MB:,.0f} MB, {megapixels} megapixels, sent in {seconds:.0f} s")
    print(f"the page's process before: {before / MB:.0f} MB")
    print(f"at most {(most - before) / MB:.0f} MB more (bound {BOUND / MB:.0f})")
    print(f"afterwards {(after - before) / MB:.0f} MB more")
    return int(most - before > BOUND)


def noise(file: Path, megapixels: int) -> Path:
    seed = 7
    print(f"seed {seed}")
    pixels = np.random.default_rng(seed).integers(0, 256, (megapixels * 200, 5000, 3), np.uint8)
    Image.fromarray(pixels).save(file, compress_level=0)
    return file


def page_process(url: str) -> psutil.Process:
    """Return the process that serves the page."""
    port = str(urlsplit(url).port)
    return next(
        process
        for process in psutil.process_iter(["cmdline"])
        if {"streamlit", port} <= set(process.info["cmdline"] or [])
    )


if __name__ == "__main__":
    sys.exit(main())

"""The functions' host goes away while somebody is at the page, and comes back."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from emulator.ports import free_port
from emulator.stack import stop
from scripts.up import let_page_send
from tests.frontend.browser.steps import Open, add, choose, start
from tests.frontend.conftest import PATIENCE_SECONDS, ROOT, SMALL_TILES
from tests.frontend.test_up import answers
from tests.support.images import encode, textured


class Host:
    """The functions' host with its Azurite, on ports and data of its own whenever it is started."""

    def __init__(self, folder: Path, page_port: int) -> None:
        self._folder = folder
        self._page_port = page_port
        self._ports = free_port("127.0.0.1"), free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{self._ports[0]}"

    @contextmanager
    def running(self) -> Iterator[None]:
        ready = self._folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = ["-m", "emulator", "start", "--app", str(ROOT), "--port", str(self._ports[0])]
        command += ["--state", str(self._folder / "state.sqlite"), "--ready-file", str(ready)]
        command += ["--azurite", str(self._folder / "azurite"), "--azurite-port", str(self._ports[1])]
        with started(command, self._folder / "host.log", SMALL_TILES) as process:
            wait_until(ready, process, self._folder / "host.log")
            let_page_send(json.loads(ready.read_text())["storage"], self._page_port)
            yield


@contextmanager
def started(command: list[str], log: Path, more: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **more},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


def wait_until(ready: Path | str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for a file or a page, neither of which tells when it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (ready.exists() if isinstance(ready, Path) else answers(ready)):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def test_the_service_goes_away_and_comes_back(tmp_path: Path, open_page: Open) -> None:
    if not (ROOT / "node_modules" / "azurite").is_dir():
        pytest.skip("Azurite is not installed: run `make setup`")
    port = free_port("127.0.0.1")
    host, url = Host(tmp_path, port), f"http://127.0.0.1:{port}"
    command = ["-m", "streamlit", "run", "frontend_streamlit/app.py", "--server.port", str(port)]
    with started(command, tmp_path / "page.log", {"TESSERA_API_URL": host.url}) as process:
        wait_until(f"{url}/_stcore/health", process, tmp_path / "page.log")
        page = open_page(url)
        expect(page.get_by_text("The service can't be reached just now.")).to_be_visible()
        with host.running():
            page.get_by_role("button", name="Try again").click()
            choose(page, "leaf.png", encode(textured(1600, 1600)))
            add(page, "Denoise")
            start(page)
            expect(page.locator(".board")).to_be_visible()
        expect(page.get_by_text("The job goes on; this page keeps asking.")).to_be_visible()
        other = open_page(f"{url}/?view=jobs")
        expect(other.get_by_text("The service can't be reached just now.")).to_be_visible()
        with host.running():
            expect(page.get_by_text("Done.", exact=True)).to_be_visible()

"""The page against the fake API, without a browser; and the whole stack with its page, for a real one."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from emulator.ports import free_port
from tests.client.conftest import api as api
from tests.client.fake_api import FakeApi

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
SMALL_TILES = {"TESSERA_MIN_TILE_PIXELS": "30000"}


@dataclass(frozen=True)
class Page:
    """The page as one person sees it; it is drawn again only when told to, as a browser would by itself."""

    app: AppTest

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        self.app.run()
        while not condition():
            assert time.monotonic() < deadline, self.text()
            self.app.run()

    def text(self) -> str:
        """Return everything that is written, without the escapes of Markdown."""
        kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success")
        written = [str(getattr(element, "value", "")) for kind in kinds for element in self.app.get(kind)]
        written += [bar.proto.text for bar in self.app.get("progress")]
        return re.sub(r"\\(.)", r"\1", "\n".join(written))

    def labels(self) -> list[str]:
        return [button.label for button in self.app.button]

    def click(self, label: str) -> None:
        found = [button for button in self.app.button if button.label == label]
        assert found, f"there is no button “{label}” among {self.labels()}"
        assert not found[0].disabled, f"the button “{label}” is disabled: {self.text()}"
        found[0].click().run()

    def choose_image(self, name: str, data: bytes) -> None:
        self.app.file_uploader[0].set_value((name, data, "image/png")).run()
        self.until(lambda: "Sending" not in self.text())

    def add(self, operation: str) -> None:
        self.app.selectbox("operation_to_add").set_value(operation).run()
        self.click("Add operation")

    def job(self) -> str | None:
        found = self.app.query_params.get("job")
        return found[0] if isinstance(found, list) else found


@pytest.fixture(scope="session")
def components() -> list[Any]:
    """Return what Streamlit finds in the installed packages: in a test it would look for each run."""
    return manifest_scanner.scan_component_manifests()


@pytest.fixture
def page(api: FakeApi, components: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Open the page on the fake API; whatever the test does, it shows no stack trace."""
    monkeypatch.setenv("TESSERA_API_URL", api.url)
    monkeypatch.delenv("TESSERA_API_KEY", raising=False)
    # Without a browser nothing sends a file but the page.
    monkeypatch.setenv("TESSERA_PAGE_UPLOADS", "page")
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda: components)
    st.cache_data.clear()
    st.cache_resource.clear()
    opened = Page(
        AppTest.from_file(str(ROOT / "frontend_streamlit" / "app.py"), default_timeout=PATIENCE_SECONDS)
    )
    yield opened
    assert [each.value for each in opened.app.exception] == []


@dataclass(frozen=True)
class Up:
    """A started `make up`."""

    url: str
    data: Path
    process: "subprocess.Popen[str]"


def start_up(data: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "scripts/up.py", "--data", str(data), *arguments],
        cwd=ROOT,
        env={**os.environ, **SMALL_TILES, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def free_ports() -> list[str]:
    names = ("--page-port", "--api-port", "--storage-port")
    return [part for name in names for part in (name, str(free_port("127.0.0.1")))]


def wait_for_address(process: "subprocess.Popen[str]") -> str:
    """Read what it prints up to its last line; it ends by itself when it can't start."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            address = re.search(r"page +(http://\S+)", said)
            assert address, said
            return address[1]
    pytest.fail(f"it ended: {said}")


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Start the whole stack with its page on free ports, and stop it as Ctrl-C does."""
    yield from running_stack(tmp_path)


def running_stack(data: Path, **environment: str) -> Iterator[Up]:
    if not (ROOT / "node_modules" / "azurite").is_dir():
        pytest.skip("Azurite is not installed: run `make setup`")
    process = start_up(data, *free_ports(), **environment)
    try:
        yield Up(wait_for_address(process), data, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_SECONDS)

"""The page's container: its Dockerfile is linted, its steps are run in a folder, and its page answers."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.infra import dockerfile
from tests.infra.conftest import BICEP, ROOT, run
from tests.test_repository import read_pins

DOCKERFILE = ROOT / "frontend_streamlit" / "Dockerfile"
START_SECONDS = 60.0


@pytest.fixture(scope="module")
def image() -> Iterator[dockerfile.Image]:
    # pytest's own folders are closed to the user that the page runs as.
    with tempfile.TemporaryDirectory(prefix="tessera-page-") as folder:
        os.chmod(folder, 0o755)
        yield dockerfile.build(DOCKERFILE, ROOT, Path(folder) / "root")


@pytest.fixture
def running(image: dockerfile.Image, tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = dockerfile.start(image, port, tmp_path / "log")
    try:
        yield process, port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_healthy(image: dockerfile.Image, port: int) -> bool:
    command = dockerfile.adapted(image, image.health, port)
    environment = dockerfile.environment_of(image)
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def test_hadolint_is_content(tools: Path) -> None:
    linted = run(tools / "hadolint", "--format", "json", DOCKERFILE)
    assert json.loads(linted.stdout) == []


def test_the_page_starts_and_its_own_health_check_passes(
    image: dockerfile.Image, running: tuple["subprocess.Popen[bytes]", int], tmp_path: Path
) -> None:
    process, port = running
    deadline = time.monotonic() + START_SECONDS
    while not is_healthy(image, port):
        assert process.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()
    if dockerfile.can_become_another_user():
        assert Path(f"/proc/{process.pid}").stat().st_uid == int(image.user)


def test_every_module_of_the_page_loads_from_the_image_alone(image: dockerfile.Image) -> None:
    folder = ROOT / "frontend_streamlit"
    modules = [f"frontend_streamlit.{path.stem}" for path in folder.glob("*.py") if path.stem != "app"]
    code = f"import importlib; [importlib.import_module(name) for name in {modules}]"
    done = run(
        image.root / "venv/bin/python", "-c", code, cwd=image.folder(), env=dockerfile.environment_of(image)
    )
    assert done.returncode == 0, done.stderr


def test_only_the_page_and_its_packages_are_in_it(image: dockerfile.Image) -> None:
    found = {path.name for path in (image.root / "app").iterdir()}
    assert found == {"requirements-page.txt", "tessera_client", "frontend_streamlit"}
    site = next((image.root / "venv").glob("lib/python3.13/site-packages"))
    installed = {re.sub(r"[-_.]+", "-", path.name.split("-")[0].lower()) for path in site.glob("*.dist-info")}
    assert installed - {"pip"} == {pin.split("==")[0] for pin in read_pins("requirements-page.txt")}


def test_nothing_runs_as_root_and_what_runs_cant_change_its_files(image: dockerfile.Image) -> None:
    assert int(image.user) > 0
    files = [path for path in (image.root / "app").rglob("*") if path.stat().st_mode & 0o002]
    assert files == []


def test_ports_and_probes_agree(image: dockerfile.Image) -> None:
    bicep = (BICEP / "modules/page.bicep").read_text()
    assert f"var port = {image.port}\n" in bicep
    assert f"--server.port={image.port}" in image.command
    assert all("/_stcore/health" in text for text in (bicep, image.health[-1]))


def test_what_needs_docker_is_known(image: dockerfile.Image) -> None:
    kinds = [" ".join(step.split()[:2]) for step in image.left_out]
    assert kinds == ["FROM python:3.13-slim", "FROM python:3.13-slim", "RUN useradd"]

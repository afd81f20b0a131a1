"""The whole stack on this machine with its page, until Ctrl-C; the next start shows what was stored."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn
from urllib.error import URLError
from urllib.request import urlopen

from azure.storage.blob import BlobServiceClient, CorsRule

from emulator.processes import dies_with
from emulator.stack import stop

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 60.0
POLL_SECONDS = 0.1
LOG_LINES = 20
VARIABLES = {"page_port": "PAGE_PORT", "api_port": "API_PORT", "storage_port": "STORAGE_PORT"}

type Process = subprocess.Popen[bytes]


class UpFailed(Exception):
    """A part of the stack can't start or has ended; the message says which, and what to do."""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = parse_arguments()
    try:
        check_ports(arguments)
        run(arguments)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 0
    except UpFailed as error:
        print(error, file=sys.stderr)
    return 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page-port", type=int, default=8501, help="port of the page")
    parser.add_argument("--api-port", type=int, default=7071, help="port of the functions' host")
    parser.add_argument("--storage-port", type=int, default=10000, help="port of Azurite")
    parser.add_argument("--workers", type=int, default=2, help="most worker processes")
    parser.add_argument(
        "--data", type=Path, default=ROOT, help="folder that holds .azurite and .emulator (default: this one)"
    )
    return parser.parse_args()


def check_ports(arguments: argparse.Namespace) -> None:
    """Refuse a port that is taken before anything starts."""
    for name, variable in VARIABLES.items():
        port = getattr(arguments, name)
        try:
            socket.create_server((HOST, port)).close()
        except (OSError, OverflowError) as error:
            raise UpFailed(
                f"Port {port} can't be used ({error}). Stop what uses it, or choose another port: "
                f"make up {variable}={port + 1 if port < 65535 else 8000}"
            ) from error


def run(arguments: argparse.Namespace) -> None:
    data, state = arguments.data.resolve(), arguments.data.resolve() / ".emulator"
    state.mkdir(parents=True, exist_ok=True)
    ready = state / "ready.json"
    ready.unlink(missing_ok=True)
    host = ["-m", "emulator", "start", "--app", str(ROOT), "--port", str(arguments.api_port)]
    # The page and its users don't wait for tiles.
    host += ["--http-workers", "1", "--max-workers", str(arguments.workers)]
    host += ["--state", str(state / "state.sqlite")]
    host += ["--azurite", str(data / ".azurite"), "--azurite-port", str(arguments.storage_port)]
    page = ["-m", "streamlit", "run", "frontend_streamlit/app.py", "--server.port", str(arguments.page_port)]
    print("Starting storage, the functions' host and the page ...", flush=True)
    expected = {"TESSERA_INSTANCES": str(arguments.workers)}
    with started([*host, "--ready-file", str(ready)], state / "host.log", expected) as functions:
        wait_until(ready.exists, functions, state / "host.log")
        details = json.loads(ready.read_text())
        api = details["url"]
        let_page_send(details["storage"], arguments.page_port)
        with started(page, state / "page.log", {"TESSERA_API_URL": api}) as streamlit:
            address = f"http://{HOST}:{arguments.page_port}"
            wait_until(lambda: answers(f"{address}/_stcore/health"), streamlit, state / "page.log")
            print(
                f"\n  page     {address}\n  service  {api}\n  logs     {state}\n\nCtrl-C stops all.",
                flush=True,
            )
            supervise({state / "host.log": functions, state / "page.log": streamlit})


def let_page_send(storage: str, page_port: int) -> None:
    """Let the page's scripts send and read files, as infra/bicep/modules/storage.bicep does on Azure."""
    origins = [f"http://{name}:{page_port}" for name in (HOST, "localhost")]
    headers = ["content-type", "range", "x-ms-blob-content-type"]
    rule = CorsRule(origins, ["GET", "PUT"], allowed_headers=headers)
    with BlobServiceClient.from_connection_string(storage) as service:
        service.set_service_properties(cors=[rule])


@contextmanager
def started(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Run a Python program for the length of a ``with`` block; it doesn't outlive this process."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C reaches this process, which stops the parts in order.
            start_new_session=True,
            preexec_fn=dies_with(os.getpid(), signal.SIGTERM),
        )
    try:
        yield process
    finally:
        with ignoring_interrupts():
            stop(process)


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Let a second Ctrl-C wait: what was started has to be stopped."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def wait_until(condition: Callable[[], bool], process: Process, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        check_alive(process, log)
        if time.monotonic() > deadline:
            raise UpFailed(f"It wasn't ready in {START_SECONDS:.0f} s:\n{tail(log)}")
        time.sleep(POLL_SECONDS)


def supervise(parts: Mapping[Path, Process]) -> NoReturn:
    """Raise as soon as a part ends."""
    while True:
        for log, process in parts.items():
            check_alive(process, log)
        time.sleep(POLL_SECONDS)


def check_alive(process: Process, log: Path) -> None:
    if process.poll() is not None:
        raise UpFailed(f"It ended with code {process.returncode}. The end of {log}:\n{tail(log)}")


def answers(url: str) -> bool:
    with suppress(URLError, OSError), urlopen(url, timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])


if __name__ == "__main__":
    sys.exit(main())

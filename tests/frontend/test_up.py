"""`make up`: starts everything, refuses a taken port, stops everything and keeps what was stored."""

import io
import json
import signal
import socket
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from tessera_client import Client, Step
from tests.frontend.conftest import PATIENCE_SECONDS, Up, free_ports, start_up, wait_for_address
from tests.support.images import encode, textured


def running_on(data: Path) -> list[list[str]]:
    """Return the command lines of all processes that have to do with this folder."""
    found = psutil.process_iter(["cmdline"])
    lines = [process.info["cmdline"] or [] for process in found]
    return [line for line in lines if any(str(data) in part for part in line)]


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def wait_until_gone(up: Up) -> None:
    """Wait until neither a process nor the page is left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := running_on(up.data)) or answers(up.url):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def api_url(data: Path) -> str:
    url: str = json.loads((data / ".emulator" / "ready.json").read_text())["url"]
    return url


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_the_next_start_knows_the_old_jobs(
    up: Up, number: signal.Signals
) -> None:
    with urlopen(up.url, timeout=10) as answer:
        assert b"<title>" in answer.read()
    with Client(api_url(up.data)) as client:
        upload = client.upload(io.BytesIO(encode(textured(50, 60))), name="a.png")
        job = client.wait(client.submit(upload.id, [Step("invert")]).id, timeout=PATIENCE_SECONDS)
    up.process.send_signal(number)
    up.process.communicate(timeout=PATIENCE_SECONDS)
    assert up.process.returncode == (0 if number == signal.SIGINT else 143)
    assert running_on(up.data) == []
    assert not answers(up.url)

    again = start_up(up.data, *free_ports())
    try:
        wait_for_address(again)
        with Client(api_url(up.data)) as client:
            assert client.job(job.id).succeeded
    finally:
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=PATIENCE_SECONDS)
    assert running_on(up.data) == []


@pytest.mark.parametrize(
    ("option", "variable"),
    [("--page-port", "PAGE_PORT"), ("--api-port", "API_PORT"), ("--storage-port", "STORAGE_PORT")],
)
def test_a_taken_port_is_named_with_what_to_do_and_nothing_starts(
    tmp_path: Path, option: str, variable: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start_up(tmp_path, *free_ports(), option, str(port))
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert f"Port {port} can't be used" in said
    assert f"make up {variable}=" in said
    assert list(tmp_path.iterdir()) == []


def test_when_the_host_dies_it_says_so_and_stops_the_rest(up: Up) -> None:
    ready = json.loads((up.data / ".emulator" / "ready.json").read_text())
    psutil.Process(ready["pid"]).kill()
    said, _ = up.process.communicate(timeout=PATIENCE_SECONDS)
    assert up.process.returncode == 1
    assert "ended with code -9" in said
    assert str(up.data / ".emulator" / "host.log") in said
    wait_until_gone(up)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_a_kill_leaves_nothing_running(up: Up) -> None:
    up.process.kill()
    up.process.communicate(timeout=PATIENCE_SECONDS)
    wait_until_gone(up)

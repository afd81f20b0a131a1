"""The command as a process of its own: signals, terminal, start-up."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Queue

import pytest

from tests.client.fake_api import FakeApi, Request

DEADLINE = 60.0
HEAVY = {"httpx", "pydantic", "tenacity", "rich.progress", "cv2", "numpy", "yaml", "asyncio", "tessera_local"}
PROJECT = str(Path(__file__).parents[2])


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"pixels")
    return path


def own_folders(home: Path) -> dict[str, str]:
    """Return the variables for a configuration and a cache beside the photo."""
    return {f"XDG_{name}_HOME": str(home.with_name(f"{home.name}-{name}")) for name in ("CONFIG", "CACHE")}


@pytest.fixture
def start(api: FakeApi, photo: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command in the photo's folder; it is gone at the end of the test whatever happens."""
    with ExitStack() as stack:

        def start_one(
            *arguments: str, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
        ) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-m", "tessera_client", *arguments],
                cwd=photo.parent,
                env={
                    **os.environ,
                    "PYTHONPATH": PROJECT,
                    "TESSERA_API_URL": api.url,
                    **own_folders(photo.parent),
                },
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start_one


class CtrlC:
    """Sends a process Ctrl-C when the first matching request has come in, before it is answered."""

    def __init__(self, api: FakeApi, method: str, path: str, *, times: int = 1) -> None:
        self._method, self._path, self._left = method, path, times
        self._process: Queue[subprocess.Popen[str]] = Queue()
        api.on_answer = self._press

    def by(self, process: subprocess.Popen[str]) -> None:
        """Say which process it is for."""
        self._process.put(process)

    def stops(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        """Wait for the end of the process; return stdout and stderr."""
        self.by(process)
        return process.communicate(timeout=DEADLINE)

    def _press(self, request: Request) -> None:
        if request.method == self._method and re.search(self._path, request.path) and self._left:
            self._left -= 1
            process = self._process.get(timeout=DEADLINE)
            self._process.put(process)
            process.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/jobs/"), ("POST", "/jobs$")], ids=["while waiting", "while submitting"]
)
def test_ctrl_c_cancels_the_job(
    api: FakeApi, photo: Path, start: Callable[..., subprocess.Popen[str]], method: str, path: str
) -> None:
    api.script = [api.job_document()]
    pressed = CtrlC(api, method, path)
    process = start("run", "photo.jpg", "--op", "canny")
    out, err = pressed.stops(process)
    assert process.returncode == 130
    assert "tessera: interrupted; job job-1 is being cancelled" in err
    assert "Traceback" not in err
    assert out == ""
    assert len(api.sent("POST", "/jobs/job-1/cancel")) == 1
    assert api.jobs["job-1"][0]["state"] == "cancelled"
    assert [entry.name for entry in photo.parent.iterdir()] == ["photo.jpg"]


def test_a_second_ctrl_c_does_not_wait_for_a_service_that_hangs(
    api: FakeApi, start: Callable[..., subprocess.Popen[str]]
) -> None:
    started: Queue[subprocess.Popen[str]] = Queue()

    def press_until_it_ends(request: Request) -> None:
        if request.method == "POST" and request.path.endswith("/jobs"):
            process = started.get(timeout=DEADLINE)
            deadline = time.monotonic() + DEADLINE
            while process.poll() is None and time.monotonic() < deadline:
                process.send_signal(signal.SIGINT)
                time.sleep(0.05)

    api.on_answer = press_until_it_ends
    process = start("run", "photo.jpg", "--op", "canny")
    started.put(process)
    _, err = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in err
    assert "interrupted while the job was being started: it may be running" in err
    # Pressed on and on, it may also end the interpreter on its way out.
    assert process.returncode in (130, -signal.SIGINT)


def test_ctrl_c_during_the_upload_starts_no_job(
    api: FakeApi, photo: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    with photo.open("wb") as file:
        file.truncate(40 << 20)
    pressed = CtrlC(api, "PUT", "comp=block&")
    process = start("run", "photo.jpg", "--op", "canny")
    _, err = pressed.stops(process)
    assert process.returncode == 130
    assert "tessera: interrupted" in err
    assert "Traceback" not in err
    assert not api.sent("POST", "/jobs")


def test_ctrl_c_during_the_download_keeps_the_result_on_the_service(
    api: FakeApi, photo: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    pressed = CtrlC(api, "GET", "/blob/")
    process = start("run", "photo.jpg", "--op", "canny")
    _, err = pressed.stops(process)
    assert process.returncode == 130
    assert "go on with `tessera wait job-1 -o FILE`" in err
    assert not api.sent("DELETE", "")
    assert [entry.name for entry in photo.parent.iterdir()] == ["photo.jpg"]


def test_ctrl_c_of_wait_leaves_the_job_running(
    api: FakeApi, start: Callable[..., subprocess.Popen[str]]
) -> None:
    api.jobs["j"] = deque([{"id": "j", **api.job_document()}])
    pressed = CtrlC(api, "GET", "/jobs/")
    process = start("wait", "j")
    _, err = pressed.stops(process)
    assert process.returncode == 130
    assert "Job j is not lost" in err
    assert not api.sent("DELETE", "")


def test_a_cancellation_that_fails_is_not_called_done(
    api: FakeApi, start: Callable[..., subprocess.Popen[str]]
) -> None:
    api.script = [api.job_document()]
    api.fail("POST", "/cancel", 409)
    pressed = CtrlC(api, "GET", "/jobs/")
    process = start("run", "photo.jpg", "--op", "canny")
    _, err = pressed.stops(process)
    assert process.returncode == 130
    assert "job job-1 may still be running: the API answered 409" in err
    assert "tessera cancel job-1" in err


@pytest.mark.parametrize(
    ("answer", "says", "cancels"),
    [
        ("\n", "job job-1 is being cancelled", True),
        ("c\n", "job job-1 is being cancelled", True),
        ("l\n", "job job-1 goes on", False),
        (None, "job job-1 goes on", False),
    ],
    ids=["enter", "cancel", "leave", "Ctrl-C again"],
)
def test_at_a_terminal_ctrl_c_asks_what_to_do_with_the_job(
    api: FakeApi, start: Callable[..., subprocess.Popen[str]], answer: str | None, says: str, cancels: bool
) -> None:
    api.script = [api.job_document()]
    pressed = CtrlC(api, "GET", "/jobs/")
    ours, theirs = pty.openpty()
    process = start("run", "photo.jpg", "--op", "canny", stdin=theirs, stderr=theirs)
    os.close(theirs)
    pressed.by(process)
    shown = read_until(ours, b"[C/l]")
    if answer is None:
        process.send_signal(signal.SIGINT)
    else:
        os.write(ours, answer.encode())
    shown += read_until(ours, None)
    os.close(ours)
    assert process.wait(DEADLINE) == 130
    assert "Cancel job job-1, or leave it running?" in shown
    assert says in shown
    assert bool(api.sent("POST", "/cancel")) == cancels


@pytest.mark.parametrize("choice", ["cancel", "leave"])
def test_what_ctrl_c_does_can_be_chosen_before(
    api: FakeApi, start: Callable[..., subprocess.Popen[str]], choice: str
) -> None:
    api.script = [api.job_document()]
    pressed = CtrlC(api, "GET", "/jobs/")
    process = start("run", "photo.jpg", "--op", "canny", "--on-interrupt", choice)
    _, err = pressed.stops(process)
    assert process.returncode == 130
    assert bool(api.sent("POST", "/cancel")) == (choice == "cancel")
    assert ("go on with `tessera wait job-1 -o FILE`" in err) == (choice == "leave")


@pytest.mark.parametrize("choice", ["cancel", "leave"])
def test_ctrl_c_stops_several_files_and_says_what_became_of_them(
    api: FakeApi, photo: Path, start: Callable[..., subprocess.Popen[str]], choice: str
) -> None:
    (photo.parent / "second.jpg").write_bytes(b"pixels")
    api.script = [api.job_document()]
    pressed = CtrlC(api, "GET", "/jobs/job-2")
    arguments = ["--op", "canny", "--on-interrupt", choice, "--json"]
    process = start("run", "photo.jpg", "second.jpg", *arguments)
    out, err = pressed.stops(process)
    assert process.returncode == 130, err
    document = json.loads(out)
    assert document["stopped"] == 2
    assert sorted(entry["job"] for entry in document["files"]) == ["job-1", "job-2"]
    assert len(api.sent("POST", "/cancel")) == (2 if choice == "cancel" else 0)
    assert ("these jobs go on: job-1 job-2" in err) == (choice == "leave")
    assert "Traceback" not in err


def read_until(terminal: int, end: bytes | None) -> str:
    """Return what a terminal shows up to these bytes, or up to its end."""
    shown, deadline = b"", time.monotonic() + DEADLINE
    # A pseudo-terminal whose other side is closed ends with an error, not with an end of file.
    with suppress(OSError):
        while end is None or end not in shown:
            ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"it says no more than {shown!r}"
            if not (piece := os.read(terminal, 65536)):
                break
            shown += piece
    return shown.decode()


def test_a_terminal_gets_bars_and_stdout_stays_clean(
    api: FakeApi, photo: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    api.script = [api.job_document(tiles={"total": 4, "done": 1, "retried": 2}), api.succeeded()]
    ours, theirs = pty.openpty()
    process = start("run", "photo.jpg", "--op", "canny", stderr=theirs)
    os.close(theirs)
    text = read_until(ours, None)
    os.close(ours)
    out, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert "uploading photo.jpg" in text
    assert "━" in text
    assert "100%" in text
    assert out.startswith("Result  ")
    assert (photo.parent / "photo-canny.png").read_bytes() == api.result


def test_help_loads_no_http_client() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from tessera_client.cli import app\n"
        "result = CliRunner().invoke(app, ['--help']); assert result.exit_code == 0, result.output\n"
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_what_was_not_foreseen_is_one_line_and_no_traceback(photo: Path, api: FakeApi) -> None:
    script = (
        "import tessera_client.commands.jobs as jobs; from tessera_client import cli\n"
        "import sys; sys.argv = ['tessera', 'status', 'j']; jobs.status = lambda *_, **__: 1 / 0; cli.main()"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "tessera: internal error: ZeroDivisionError: division by zero" in done.stderr
    assert "Traceback" not in done.stderr

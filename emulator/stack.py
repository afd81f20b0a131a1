"""A whole local stack for the length of a ``with`` block: emulator, workers and Azurite in one folder."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from emulator.processes import dies_with

START_SECONDS = 60.0
STOP_SECONDS = 10.0


class StackFailed(Exception):
    """The emulator ended or did not become ready; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Stack:
    """A running stack.

    Attributes
    ----------
    url : str
        Address of the functions' host.
    storage : str
        Connection string of Azurite.
    process : subprocess.Popen
        The host.
    log : Path
        What the host and the workers print.
    """

    url: str
    storage: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def workers(self) -> list[dict[str, Any]]:
        """Ask the host for its workers: pid, state, running functions, executions, seconds, start."""
        with urlopen(f"{self.url}/admin/emulator/workers", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found


@contextmanager
def running(
    app: Path,
    folder: Path,
    *,
    workers: int = 2,
    environment: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> Iterator[Stack]:
    """Start the app of a folder on free ports with its own Azurite, and stop everything at the end.

    Parameters
    ----------
    app : Path
        Folder of a Functions app.
    folder : Path
        Where state, data and log go; kept, so that a second start goes on where the first ended.
    workers : int
        Worker processes.
    environment : mapping, optional
        Added to the environment of host and workers.
    options : sequence of str
        Further options of ``emulator start``.

    Raises
    ------
    StackFailed
        When it is not ready in time.
    """
    ready, log = folder / "ready.json", folder / "emulator.log"
    command = [sys.executable, "-m", "emulator", "start", "--app", str(app), "--port", "0"]
    command += ["--min-workers", str(workers), "--max-workers", str(workers)]
    command += ["--state", str(folder / "state.sqlite"), "--ready-file", str(ready)]
    command += ["--azurite", str(folder / "azurite"), "--azurite-port", "0"]
    command += options
    process = None
    try:
        # A Ctrl-C before the process is known would leave nobody to wait for its end.
        with _interrupts_held() as tie, log.open("ab") as output:
            # A session of its own: Ctrl-C in a terminal reaches the caller, who decides what to stop.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                preexec_fn=tie,
            )
        details = _ready(process, ready, log)
        yield Stack(details["url"], details["storage"], process, log)
    finally:
        if process is not None:
            stop(process)


@contextmanager
def _interrupts_held() -> Iterator[Callable[[], None] | None]:
    """Let Ctrl-C and SIGTERM wait until the end of the block, and give what a child is to do first.

    Only the main thread is interrupted, and a child is tied to the thread that starts it: in others nothing
    is held.
    """
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    came: list[int] = []
    # Not by the mask of the thread: the kernel would give the signal to another one.
    handlers = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield dies_with(os.getpid(), signal.SIGTERM)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        for caught in came:
            signal.raise_signal(caught)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a host and all its children: politely, then by force."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _ready(process: "subprocess.Popen[bytes]", ready: Path, log: Path) -> dict[str, str]:
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None:
            raise StackFailed(f"the emulator ended with code {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise StackFailed(f"the emulator was not ready in {START_SECONDS:.0f} s:\n{_tail(log)}")
        time.sleep(0.02)
    details: dict[str, str] = json.loads(ready.read_text())
    return details


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])

"""Ctrl-C: never between the start of a job and knowing its ID, and no job is left running unsaid."""

import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import typer

from tessera_client.cli.options import OnInterrupt
from tessera_client.client import Client
from tessera_client.commands.session import Interrupted
from tessera_client.errors import ConnectionFailed, DownloadFailed, NotFound, TesseraClientError, Unavailable

_TURN_SECONDS = 0.1


@contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Hold back a first Ctrl-C while a job is started; a second one breaks through.

    Yields
    ------
    callable
        Lets Ctrl-C take effect from now on; raises KeyboardInterrupt when it was pressed meanwhile.

    Raises
    ------
    Interrupted
        On the second Ctrl-C.
    """
    pressed = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise Interrupted("interrupted while the job was being started: it may be running")
        pressed = True

    def release() -> None:
        signal.signal(signal.SIGINT, before)
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield release
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def deciding(client: Client, job_id: str, choice: OnInterrupt, hide: Callable[[], None]) -> Iterator[None]:
    """When Ctrl-C ends the block, cancel the job or leave it running, as chosen or as answered now.

    Parameters
    ----------
    client : Client
    job_id : str
    choice : OnInterrupt
    hide : callable
        Takes the progress off the screen before a question is asked.

    Raises
    ------
    Interrupted
        In place of KeyboardInterrupt; says what became of the job.
    """
    try:
        yield
    except KeyboardInterrupt:
        if choose(choice, f"job {job_id}", hide) is OnInterrupt.LEAVE:
            raise Interrupted(f"interrupted; job {job_id} goes on", _advice(job_id)) from None
        raise Interrupted(*cancelled(client, job_id)) from None


def choose(choice: OnInterrupt, what: str, hide: Callable[[], None]) -> OnInterrupt:
    """Return what to do with running jobs: as chosen, else as a person at the terminal says, else cancel.

    A second Ctrl-C at the question leaves them running.
    """
    if choice is not OnInterrupt.ASK:
        return choice
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return OnInterrupt.CANCEL
    hide()
    answer = "l"
    with suppress(KeyboardInterrupt, EOFError, typer.Abort):
        typer.echo(f"\nCancel {what}, or leave it running? [C/l] ", nl=False, err=True)
        answer = _typed_line().strip().lower()
    return OnInterrupt.LEAVE if answer.startswith("l") else OnInterrupt.CANCEL


def _typed_line() -> str:
    """Return the line that is typed; a Ctrl-C at any moment ends the wait for it."""
    # A signal just before a read that blocks would take effect only after it: wait in short turns instead.
    # Windows can't wait for a terminal so.
    while sys.platform != "win32" and not select.select([sys.stdin], [], [], _TURN_SECONDS)[0]:
        pass
    return sys.stdin.readline()


@contextmanager
def keeping(job_id: str) -> Iterator[None]:
    """Say how to go on with a job that Ctrl-C or a broken connection leaves behind.

    Raises
    ------
    Interrupted
        In place of KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("interrupted", _advice(job_id)) from None
    except (ConnectionFailed, Unavailable, DownloadFailed) as error:
        error.hint = f"{error.hint}\n  {_advice(job_id)}" if error.hint else _advice(job_id)
        raise


def cancelled(client: Client, job_id: str) -> tuple[str, str | None]:
    """Cancel a job; return what became of it and what to do."""
    try:
        client.cancel(job_id)
    except NotFound:
        return f"interrupted; job {job_id} was gone already", None
    except (TesseraClientError, KeyboardInterrupt) as error:
        why = f": {error}" if str(error) else ""
        return (
            f"interrupted, but job {job_id} may still be running{why}",
            f"Cancel it with `tessera cancel {job_id}`.",
        )
    return f"interrupted; job {job_id} is being cancelled", None


def _advice(job_id: str) -> str:
    return f"Job {job_id} is not lost: go on with `tessera wait {job_id} -o FILE`."

"""Ctrl-C: never between the start of a job and knowing its ID, and no job is left running unsaid."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from tessera_client.client import Client
from tessera_client.commands import Interrupted
from tessera_client.errors import ConnectionFailed, DownloadFailed, NotFound, TesseraClientError, Unavailable


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
def cancelling(client: Client, job_id: str) -> Iterator[None]:
    """Cancel the job when Ctrl-C ends the block.

    Raises
    ------
    Interrupted
        In place of KeyboardInterrupt; says what became of the job.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise _cancelled(client, job_id) from None


@contextmanager
def keeping(job_id: str) -> Iterator[None]:
    """Say how to go on with a job that Ctrl-C or a broken connection leaves behind.

    Raises
    ------
    Interrupted
        In place of KeyboardInterrupt.
    """
    advice = f"Job {job_id} is not lost: go on with `tessera wait {job_id} -o FILE`."
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("interrupted", advice) from None
    except (ConnectionFailed, Unavailable, DownloadFailed) as error:
        error.hint = f"{error.hint}\n  {advice}" if error.hint else advice
        raise


def _cancelled(client: Client, job_id: str) -> Interrupted:
    try:
        client.cancel(job_id)
    except NotFound:
        return Interrupted(f"interrupted; job {job_id} was gone already")
    except (TesseraClientError, KeyboardInterrupt) as error:
        why = f": {error}" if str(error) else ""
        return Interrupted(
            f"interrupted, but job {job_id} may still be running{why}",
            f"Cancel it with `tessera cancel {job_id}`.",
        )
    return Interrupted(f"interrupted; job {job_id} is being cancelled, its data is removed")

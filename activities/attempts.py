"""Counting how often a task was begun, in storage, so that one that ends its process isn't begun for ever."""

from collections import deque
from time import perf_counter

from activities.store import BlobExists, Store
from tessera import naming
from tessera.errors import Cancelled, GaveUp

MOST_ATTEMPTS = 3
_ASK_SECONDS = 0.5
_STOPPED = "the job was asked to stop"


_stopped: deque[tuple[str, int]] = deque(maxlen=64)
"""Runs that this process saw stopped: a stopped run stays so, and storage need not be asked for each tile."""


def refuse_if_stopped(job: str, store: Store, run: int | None = None) -> None:
    """Raise `tessera.errors.Cancelled` if no further task of the job, or of this *run* of it, is to start."""
    if run is not None and (job, run) in _stopped:
        raise Cancelled(_STOPPED)
    if store.exists(naming.JOBS, naming.stop_flag(job)):
        if run is not None:
            _stopped.append((job, run))
        raise Cancelled(_STOPPED)


class StopCheck:
    """Raises `tessera.errors.Cancelled` if the job, or this *run* of it, is to stop: when made, and called.

    Storage is asked at most every half a second.
    """

    def __init__(self, job: str, store: Store, run: int | None = None) -> None:
        self._about = job, store, run
        self._ask()

    def __call__(self) -> None:
        """Ask again, if the last time is long enough ago."""
        if perf_counter() - self._asked > _ASK_SECONDS:
            self._ask()

    def _ask(self) -> None:
        refuse_if_stopped(*self._about)
        self._asked = perf_counter()


def begin(job: str, task: str, store: Store, *, decodes: bool = False) -> int:
    """Mark that an attempt at *task* begins, and return its number from 1.

    Parameters
    ----------
    decodes
        Whether the upload is decoded, which tells more of what went wrong.

    Raises
    ------
    GaveUp
        If the task was begun as often as allowed before.
    """
    for number in range(1, MOST_ATTEMPTS + 1):
        try:
            store.write(naming.WORK, naming.work(job, naming.attempt(task, number)), b"", new=True)
        except BlobExists:
            continue
        return number
    begun = f"{task} was begun {MOST_ATTEMPTS} times and never came to an end"
    if decodes:
        raise GaveUp(
            f"this file can't be decoded: {begun}",
            limit=MOST_ATTEMPTS,
            hint="save it anew, by another program if possible, and upload that",
        )
    raise GaveUp(begun, limit=MOST_ATTEMPTS, hint="a tile may not fit into the memory of an instance")

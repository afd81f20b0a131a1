"""Counting how often a task was begun, in storage, so that one that ends its process isn't begun for ever."""

from activities.store import BlobExists, Store
from tessera import naming
from tessera.errors import Cancelled, GaveUp

MOST_ATTEMPTS = 3
_DECODING = (naming.INSPECT_TASK, naming.INGEST_TASK, naming.DIRECT_TASK)


def refuse_if_stopped(job: str, store: Store) -> None:
    """Raise `tessera.errors.Cancelled` if no further task of the job is to start."""
    if store.exists(naming.JOBS, naming.stop_flag(job)):
        raise Cancelled("the job was asked to stop")


def begun(job: str, task: str, store: Store) -> int:
    """Return how often *task* was begun so far."""
    marks = (naming.work(job, naming.attempt(task, number)) for number in range(1, MOST_ATTEMPTS + 1))
    return sum(1 for mark in marks if store.exists(naming.WORK, mark))


def begin(job: str, task: str, store: Store) -> int:
    """Mark that an attempt at *task* begins, and return its number from 1.

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
    if task in _DECODING:
        raise GaveUp(
            f"this file can't be decoded: {begun}",
            limit=MOST_ATTEMPTS,
            hint="save it anew, by another program if possible, and upload that",
        )
    raise GaveUp(begun, limit=MOST_ATTEMPTS, hint="a tile may not fit into the memory of an instance")
